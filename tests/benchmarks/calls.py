"""Make calls to measure with: Asterisk rows, customers and a deck, from a fixed seed.

python tests/benchmarks/calls.py DIR --rows 1000000 --customers 1000 --days 31
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

START = 1767225600  # 2026-01-01 00:00 UTC
_CHUNK = 250_000
_PREFIXES = 2_000


def prefixes() -> list[str]:
    """Prefixes of the deck: every country's and many below them."""
    random = np.random.default_rng(7)
    longer = {str(number) for number in random.integers(10_000, 9_999_999, _PREFIXES)}
    return sorted({str(number) for number in range(1, 1000)} | longer)


def deck() -> str:
    """A deck over all numbers, with blocks of several lengths."""
    rows = ["dialprefix,destination,rateinitial,initblock,billingblock"]
    for number, prefix in enumerate(prefixes()):
        block = (1, 6, 30, 60)[number % 4]
        rows.append(f"{prefix},Zone {prefix[:2]},0.{number % 9000 + 100:05d},{block},{block}")
    return "\n".join(rows) + "\n"


def customers(count: int) -> str:
    """A table of customers who have been there since the start."""
    head = "id,name,credit_limit,tariff,opened,billing_day,vat\n"
    return head + "".join(
        f"C{number:06d},Customer {number},1000,standard,2026-01-01,1,on-invoice\n"
        for number in range(count)
    )


class Plan(NamedTuple):
    """Rows of so many customers' calls over so many seconds; few make most unless ``even``."""

    rows: int
    customers: int
    start: int = START
    seconds: int = 31 * 86400 - 7200
    seed: int = 1
    even: bool = False


def write_calls(file: Path, *, rows: int, customers: int, days: int, seed: int = 1) -> None:
    """Write rows as Asterisk's ``cdr_csv`` does, 18 columns, two thirds of them answered."""
    write(file, Plan(rows, customers, seconds=days * 86400 - 7200, seed=seed))


def write(file: Path, plan: Plan) -> None:
    """Write the rows of a plan; a seed's calls bear other ids than another's."""
    random = np.random.default_rng(plan.seed)
    with file.open("wb") as out:
        for first in range(0, plan.rows, _CHUNK):
            out.write(_chunk(random, first, min(_CHUNK, plan.rows - first), plan))


def _chunk(random: np.random.Generator, first: int, count: int, plan: Plan) -> bytes:
    number = np.arange(first, first + count)
    serial = number + (plan.seed - 1) * 10**8
    start = plan.start + number * plan.seconds // plan.rows
    answered = random.random(count) < 2 / 3
    seconds = np.where(answered, random.exponential(150, count).astype(np.int64) + 1, 0)
    if plan.even:
        who = random.integers(plan.customers, size=count)
    else:
        who = (random.zipf(1.3, count) * 7919 + number) % plan.customers
    called = random.integers(10**10, 10**12, count)

    def text(values: object) -> pa.Array:
        return pa.array(values).cast(pa.string())

    def time(values: object) -> pa.Array:
        return pc.strftime(pa.array(values, pa.timestamp("s")), format="%Y-%m-%d %H:%M:%S")

    account = pc.binary_join_element_wise("C", pc.utf8_lpad(text(who), 6, "0"), "")
    quoted = '","'
    head = pc.binary_join_element_wise(
        account, pc.binary_join_element_wise("3220", text(who), ""), text(called), "customers",
        '""Ada"" <100>', pc.binary_join_element_wise("PJSIP/", text(number), ""), "PJSIP/carrier",
        "Dial", "PJSIP/x@carrier,60", time(start), quoted,
    )  # fmt: skip
    answer = pc.if_else(
        pa.array(answered), pc.binary_join_element_wise('"', time(start + 5), '"', ""), ""
    )
    tail = pc.binary_join_element_wise(
        pc.if_else(pa.array(answered), "ANSWERED", "NO ANSWER"), "DOCUMENTATION",
        pc.binary_join_element_wise(text(start), text(serial), "."), "", quoted,
    )  # fmt: skip
    lines = pc.binary_join_element_wise(
        pc.binary_join_element_wise('"', head, '"', ""), answer,
        pc.binary_join_element_wise('"', time(start + 5 + seconds), '"', ""),
        text(seconds + 5), text(seconds), pc.binary_join_element_wise('"', tail, '"\n', ""), ",",
    )  # fmt: skip
    return "".join(lines.to_pylist()).encode()


def main() -> None:
    """Write ``Master.csv``, ``customers.csv`` and ``standard.csv``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--days", type=int, default=31)
    given = parser.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    write_calls(
        given.directory / "Master.csv",
        rows=given.rows, customers=given.customers, days=given.days,
    )  # fmt: skip
    (given.directory / "customers.csv").write_text(customers(given.customers))
    (given.directory / "standard.csv").write_text(deck())


if __name__ == "__main__":
    main()
