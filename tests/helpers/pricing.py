"""Decks, calls and their prices, as tests of rating write them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
from hypothesis import strategies as st

from a2ledger.rating import deck as tariff
from a2ledger.rating import offline

MONDAY = dt.datetime.fromisoformat("2026-01-05")


def deck(text, name="standard"):
    made, problems = tariff.parse(text, name=name, file=f"{name}.csv")
    assert problems == []
    return made


def plan(*decks):
    return tariff.Tariff(name="plan", decks=decks)


def batch(*calls, **columns):
    """Calls as (called, local, seconds)."""
    called, local, seconds = zip(*calls, strict=True) if calls else ((), (), ())
    return pa.RecordBatch.from_pydict(
        {
            "called": pa.array(called, pa.string()),
            "local": pa.array(local, pa.timestamp("s")),
            "seconds": pa.array(seconds, pa.int64()),
            "tariff": pa.array([0] * len(called), pa.int32()),
        }
        | columns
    )


def priced(calls, text):
    output, problems = offline.price(calls, file="calls.csv", deck=deck(text))
    return list(csv.DictReader(io.StringIO(output))), problems


AMOUNT = st.integers(0, 3_000_000).map(lambda micro: Fraction(micro, 1_000_000)) | st.just(
    Fraction(0)
)


BLOCK = st.sampled_from([0, 0, 1, 6, 7, 12, 18, 30, 60, 61]) | st.integers(0, 400)


@st.composite
def rates(draw):
    rate = {column: draw(AMOUNT) for column in draw(st.sets(st.sampled_from(tariff.AMOUNTS)))}
    rate |= {column: draw(BLOCK) for column in draw(st.sets(st.sampled_from(tariff.SECONDS)))}
    rate |= {column: draw(BLOCK) for column in draw(st.sets(st.sampled_from([*tariff.FLOORS])))}
    remainder = draw(st.booleans())
    stepped = rate.get("chargea", 0) and rate.get("timechargea", 0)
    return rate | {
        "included": "" if stepped else draw(st.sampled_from(["", "before", "within"])),
        "rateinitial": draw(AMOUNT),
        "remainder": remainder,
        "buyincrement": draw(st.sampled_from(["", "total", "remainder"])),
    }


def decimal(amount):
    return str(Decimal(amount.numerator * 1_000_000 // amount.denominator) / 1_000_000)


def text_of(rates):
    columns = [*tariff.AMOUNTS, *tariff.SECONDS, *tariff.FLOORS]
    lines = [",".join(["dialprefix", "increment", "buyincrement", "included", *columns])]
    for number, rate in enumerate(rates):
        values = [rate.get(column, tariff.FLOORS.get(column, 0)) for column in columns]
        texts = [f"{value:f}" if isinstance(value, Decimal) else str(value) for value in values]
        texts = [
            f"{Decimal(decimal(value)):f}" if isinstance(value, Fraction) else text
            for value, text in zip(values, texts, strict=True)
        ]
        lines.append(
            ",".join(
                [
                    str(100 + number),
                    "remainder" if rate["remainder"] else "",
                    rate.get("buyincrement", ""),
                    rate.get("included", ""),
                    *texts,
                ]
            )
        )
    return "\n".join(lines)


NUMBER = st.text("0123", max_size=17) | st.text("01*+x", max_size=5)
