"""Convert A2Billing's call plans to decks: one per plan, from all ratecards in it.

Among rates of one prefix A2Billing takes the cheapest to buy, or to sell (``lcrtype``): that one
stands in the deck, and the others count as outpriced.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from a2ledger.a2billing import tables as a2billing
from a2ledger.a2billing.tables import Row, Tables
from a2ledger.rating import clashes, deck
from a2ledger.rating.deck import AMOUNTS, SECONDS

_DATES = ("startdate", "stopdate")
_TIMES = {"starttime": "0", "endtime": "10079"}
_COLUMNS = (
    *("id", "idtariffplan", "dialprefix", "destination", "id_trunk"),
    *AMOUNTS,
    *SECONDS,
    *_DATES,
    *_TIMES,
)
_PLAN = ("id", "tariffname", "id_trunk", "startingdate", "expirationdate", "dnidprefix",
         "calleridprefix")  # fmt: skip
_HEAD = "# {name}: A2Billing's call plan {id}. Every import writes this file anew.\n"


@dataclass(kw_only=True)
class Decks:
    """Texts of decks by name, and what was left out of them."""

    texts: dict[str, str] = field(default_factory=dict)
    rates: int = 0
    odd: Counter[str] = field(default_factory=Counter)


def deck_name(source: str, call_plan: str) -> str:
    """Return the name of a call plan's deck."""
    return f"{source}-{call_plan}"


def read(tables: Tables, source: str, call_plans: Iterable[str]) -> Decks:
    """Make the decks of some call plans.

    Args:
        tables: A2Billing's.
        source: what names of decks begin with.
        call_plans: their numbers; a plan whose ratecards are not known has all rates.
    """
    result = Decks()
    rates = tables.rows("cc_ratecard", _COLUMNS).rows
    plans = {row["id"]: row for row in tables.rows("cc_tariffplan", _PLAN).rows}
    groups = {
        row["id"]: row
        for row in tables.rows("cc_tariffgroup", ("id", "tariffgroupname", "lcrtype")).rows
    }
    members: dict[str, set[str]] = {}
    for row in tables.rows("cc_tariffgroup_plan", ("idtariffgroup", "idtariffplan")).rows:
        members.setdefault(row["idtariffgroup"], set()).add(row["idtariffplan"])
    names = {
        row["prefix"]: row["destination"]
        for row in tables.rows("cc_prefix", ("prefix", "destination")).rows
    }
    carriers = a2billing.carriers(tables)
    by_plan: dict[str, list[dict[str, str]]] = {}
    for row in rates:
        plan = plans.get(row["idtariffplan"])
        if plan is not None and not _serves_all(plan):
            result.odd["a rate for some callers only"] += 1
            continue
        by_plan.setdefault(row["idtariffplan"], []).append(_rate(row, plan, names, carriers))
    result.rates = len(rates)
    for call_plan in sorted(set(call_plans)):
        group = groups.get(call_plan)
        wanted = members.get(call_plan, set()) if members or group else set(by_plan)
        chosen = [rate for plan in sorted(wanted) for rate in by_plan.get(plan, ())]
        by = "rateinitial" if group is not None and group["lcrtype"] == "1" else "buyrate"
        title = group["tariffgroupname"] if group is not None else "all rates"
        head = _HEAD.format(name=" ".join(title.split()), id=call_plan)
        name = deck_name(source, call_plan)
        result.texts[name] = _deck(head, name, chosen, by, result.odd)
    return result


def _serves_all(plan: Row) -> bool:
    return all(plan[name] in {"", "all"} for name in ("dnidprefix", "calleridprefix"))


def _rate(
    row: Row, plan: Row | None, names: Mapping[str, str], carriers: Mapping[str, str]
) -> dict[str, str]:
    """Convert a rate to the columns of a deck, with default values left empty."""
    cells = {"dialprefix": row["dialprefix"]}
    cells["destination"] = names.get(row["destination"], "")
    for name in AMOUNTS:
        try:
            amount = a2billing.five(row[name]).removeprefix("-")
        except ValueError:
            amount = row[name]  # reading the deck will name the problem
        cells[name] = "" if amount == "0.00000" and name != "rateinitial" else amount
    for name in SECONDS:
        cells[name] = row[name] if row[name] != "0" else ""
    for name, default in _TIMES.items():
        cells[name] = row[name] if row[name] != default else ""
    starts, ends = [row["startdate"]], [row["stopdate"]]
    trunk = row["id_trunk"]
    if plan is not None:
        starts.append(plan["startingdate"])
        ends.append(plan["expirationdate"])
        trunk = plan["id_trunk"] if trunk in {"", "-1"} else trunk
    cells["startdate"] = max(starts)
    cells["stopdate"] = min(filter(None, ends), default="")
    bought = cells["buyrate"] and trunk not in {"", "0", "-1"}
    cells["carrier"] = (carriers.get(trunk) or f"Trunk-{trunk}") if bought else ""
    return cells


def _deck(head: str, name: str, rates: list[dict[str, str]], by: str, odd: Counter[str]) -> str:
    """Format a deck, without invalid and outpriced rates."""
    ordered = sorted(rates, key=lambda rate: (rate["dialprefix"], _number(rate[by])))
    while True:
        text = head + _written(ordered)
        made, problems = deck.parse(text, name=name, file=name)
        bad = {problem.line: problem.reason for problem in problems}
        if not bad:
            # A2Billing takes the cheapest of the rates in force, not the one that began last.
            at = deck.lines(text)
            bad = {at[row]: "duplicate-prefix" for row in clashes.overlapping(made)}
        if not bad:
            return text
        first = head.count("\n") + 2
        kept = [rate for line, rate in enumerate(ordered, start=first) if line not in bad]
        if len(kept) == len(ordered):  # the message is about no single row
            return head + _written([])
        for line, reason in bad.items():
            if line >= first:
                odd["an outpriced rate" if reason == "duplicate-prefix" else "an invalid rate"] += 1
        ordered = kept


def _number(written: str) -> float:
    # Only for sorting: no amount is computed from it.
    try:
        return float(written or 0)
    except ValueError:
        return 0.0


def _written(rates: list[dict[str, str]]) -> str:
    needed = ("dialprefix", "destination", "rateinitial")
    every = (*needed, *AMOUNTS[1:], *SECONDS, *_DATES, *_TIMES, "carrier")
    columns = [name for name in every if name in needed or any(rate[name] for rate in rates)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(_values(rates, columns))
    return out.getvalue()


def _values(rates: list[dict[str, str]], columns: list[str]) -> Iterator[list[str]]:
    for rate in rates:
        yield [rate[name] for name in columns]
