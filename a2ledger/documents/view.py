"""What the templates of documents see: a document's JSON, and values computed for them.

Besides the keys of the JSON (:func:`a2ledger.documents.document.as_json`) there are:

- ``summary``: ``opening``, ``charges``, ``payments``, ``rounding`` where what is to pay is
  rounded, and ``closing``, which add up; ``owes``: 1 where the closing balance is owed, -1 where
  it is in the customer's favour, 0 where even;
- ``rows``: the statement's movements with ``charge`` and ``credit`` apart, after the opening
  and before the closing balance (``place``: ``opening``, ``movement``, ``closing``);
- ``groups``: the lines by service, each with the sums of its own;
- ``usage``: a bar per day of the period, or none where the statement does not tell;
- ``explained``: what on it needs a sentence: ``late``, ``prorated``, ``ahead``, ``rounding``;
- ``language`` and ``direction`` of writing;
- ``period.last``, the last day of the period; every name of a party, empty where missing.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from a2ledger import money
from a2ledger.documents import language, references
from a2ledger.period import DAY

_CHART_DAYS = range(2, 101)
"""Numbers of days that a chart can show."""

_UNSAID = {
    **dict.fromkeys(("description", "service", "late_from"), ""),
    **dict.fromkeys(("calls", "seconds"), 0),
    "place": "movement",
}
"""What lines of statements leave out where it says nothing."""

_PARTY = (
    *("id", "name", "address", "country", "vat_id"),
    *("email", "phone", "website", "iban", "bic", "buyer_reference", "order_reference"),
    *("mandate", "creditor_id"),
)

# Controls but for tab and newline, line separators, overrides and embeddings of direction,
# invisible tags, and what is no character at all.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)


def view_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document cleaned, with the values that are computed for the templates."""
    view: dict[str, Any] = _clean(document)
    view["supplier"] = _party(view["supplier"])
    view["customer"] = _party(view["customer"])
    view["period"] = _period(view["period"])
    view.setdefault("original", None)
    if not view.get("originals"):
        view["originals"] = [view["original"]] if view["original"] else []
    spoken = language.of_document(view)
    view |= {"language": spoken.code, "direction": spoken.direction}
    view.setdefault("vat_translated", None)
    view.setdefault("treatment", "")
    view.setdefault("seal", "")
    view.setdefault("minimum", "")
    view.setdefault("since", ())
    view.setdefault("tax_on_payment", "")
    view["reference"] = references.grouped(references.of_document(view)) or view["customer"]["id"]
    view["lines"] = [{"extensions": {}, "rates": ()} | line for line in view["lines"]]
    view["since"] = [{**_UNSAID, **line} for line in view["since"]]
    view["usage_by"] = view.pop("usage", "")
    places = money.decimals(view["currency"])
    view["summary"] = _summary(view, places)
    balance = money.parse(view["summary"]["closing"])
    if view["to_pay"]:
        balance = money.parse(view["to_pay"]) - money.parse(view["credit"])
    view["asked"] = money.text(balance, places)
    view["owes"] = (balance > 0) - (balance < 0)
    view["rows"] = list(_rows(view, places))
    view["usage"] = _usage(view, places)
    view["folded"] = view.setdefault("usage_by", "")
    view["groups"] = list(_groups(view["lines"], places))
    view["explained"] = list(_explained(view))
    view["refill"] = any(line["kind"] == "refill" for line in view["lines"])
    view["any_calls"] = any(line["calls"] for line in view["lines"])
    debit = references.debit(view["supplier"], view["customer"], view["currency"])
    view["debit"] = debit.shown() if debit else None
    view["bills"] = view["kind"] == "invoice" or (view["kind"] == "statement" and bool(view["vat"]))
    view["reverse_charge"] = any(row["category"] == "AE" for row in view["vat"])
    return view


def _clean(value: Any) -> Any:
    """Return a value with every text in it made safe to show."""
    if isinstance(value, str):
        plain = value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
        return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", plain)
    if isinstance(value, Mapping):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_clean(item) for item in value]
    return value


def _party(party: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in party.items() if value is not None}
    return dict.fromkeys(_PARTY, "") | known


def _period(period: Mapping[str, str]) -> dict[str, str]:
    if not period:
        return dict.fromkeys(("start", "end", "last"), "")
    last = dt.date.fromisoformat(period["end"]) - DAY
    return {**period, "last": last.isoformat()}


def _summary(view: Mapping[str, Any], places: int) -> dict[str, str]:
    """Return amounts of which all but the last add up to it; one that rounds only where it does.

    What is billed is the invoice's total, and all else that moved the balance is payments.
    A statement bills nothing: there what raised the balance stands for charges.
    """
    opening = money.parse(view["statement"]["opening"])
    closing = money.parse(view["statement"]["closing"])
    if view["lines"] or view["vat"]:
        charges = money.parse(view["gross"])
        if view["kind"] == "credit-note":  # whose amounts are positive
            charges = -charges
    else:
        amounts = (money.parse(line["amount"]) for line in view["statement"]["lines"])
        charges = sum(amount for amount in amounts if amount > 0)
    rounding = (view.get("rounding") or {}).get("amount", "")
    payments = closing - opening - charges - money.parse(rounding or "0")
    return {
        "opening": view["statement"]["opening"],
        "charges": money.text(charges, places),
        "payments": money.text(payments, places),
        "rounding": rounding,
        "closing": view["statement"]["closing"],
    }


def _rows(view: Mapping[str, Any], places: int) -> Iterator[dict[str, Any]]:
    """Yield the statement's rows, its two balances included, all with the same keys."""
    statement = view["statement"]
    empty = {**_UNSAID, "charge": "", "credit": ""}
    start, last = view["period"]["start"], view["period"]["last"]
    yield {**empty, "place": "opening", "date": start, "balance": statement["opening"]}
    lines = statement["lines"]
    if view["usage_by"]:
        lines = _folded(lines, statement["opening"], view["usage_by"], places)
    for line in lines:
        credit = line["amount"].startswith("-")
        side = {"credit": line["amount"][1:]} if credit else {"charge": line["amount"]}
        yield {**empty, **line, **side, "place": "movement"}
    yield {**empty, "place": "closing", "date": last, "balance": statement["closing"]}


def _folded(
    lines: Sequence[Mapping[str, Any]], opening: str, by: str, places: int
) -> Iterator[dict[str, Any]]:
    """Lines with days of usage added up by week or by service, in the order of their last days.

    What is shown adds up as before: a line's amount is what it moves the balance by.
    """
    folded: dict[tuple[str, ...], dict[str, Any]] = {}
    for place, line in enumerate(lines):
        key: tuple[str, ...] = ("", str(place))
        if _is_usage(line):
            day = dt.date.fromisoformat(line["date"])
            year, week, _ = day.isocalendar()
            key = (line["service"], f"{year}-{week}" if by == "week" else "")
        before = folded.pop(key, None)
        folded[key] = dict(line)
        if before:
            folded[key] |= {name: before[name] + line[name] for name in ("calls", "seconds")}
            amount = money.parse(before["amount"]) + money.parse(line["amount"])
            folded[key]["amount"] = money.text(amount, places)
    balance = money.parse(opening)
    for line in folded.values():
        balance += money.parse(line["amount"])
        yield {**line, "balance": money.text(balance, places)}


def _is_usage(line: Mapping[str, Any]) -> bool:
    """Return whether a movement is one day's calls, not late ones."""
    return bool(line.get("calls")) and not line.get("late_from")


def _groups(lines: Sequence[Mapping[str, Any]], places: int) -> Iterator[dict[str, Any]]:
    """Lines by service as they stand, each group with the sums of its own."""
    for service, group in itertools.groupby(lines, key=lambda line: line["service"]):
        inside = list(group)
        net = sum(money.parse(line["net"]) for line in inside)
        yield {
            "service": service,
            "lines": inside,
            "calls": sum(line["calls"] for line in inside),
            "seconds": sum(line["seconds"] for line in inside),
            "net": money.text(net, places),
        }


def _explained(view: Mapping[str, Any]) -> Iterator[str]:
    """Return what on a bill needs a sentence: each once."""
    lines, last = view["lines"], view["period"]["last"]
    fees = [line for line in lines if line["kind"] == "fee"]
    if any(line["late_from"] for line in lines):
        yield "late"
    if any(" days of " in line["description"] for line in fees):
        yield "prorated"
    if any(line["from"] > last for line in fees):
        yield "ahead"
    if any(line["calls"] for line in lines):
        yield "rounding"


def _usage(view: Mapping[str, Any], places: int) -> dict[str, Any] | None:
    """Return the chart of daily usage before VAT, computed from the statement's lines.

    None unless two days at least have usage and the period is short enough to draw.
    """
    costs: dict[str, int] = {}
    for line in view["statement"]["lines"]:
        cost = money.parse(line["amount"])
        if cost > 0 and _is_usage(line):
            costs[line["date"]] = costs.get(line["date"], 0) + cost
    is_shown = len(costs) in _CHART_DAYS and view["period"]["start"]
    days = list(_days(view["period"])) if is_shown else []
    if len(days) not in _CHART_DAYS:
        return None
    top = max(costs, key=lambda day: costs[day])
    bars = [
        {
            "date": day,
            "amount": money.text(costs.get(day, 0), places),
            "percent": max(1, 100 * costs[day] // costs[top]) if day in costs else 0,
        }
        for day in days
    ]
    highest = {"date": top, "amount": money.text(costs[top], places)}
    return {"bars": bars, "highest": highest, "days_used": len(costs)}


def _days(period: Mapping[str, str]) -> Iterator[str]:
    day, end = (dt.date.fromisoformat(period[name]) for name in ("start", "end"))
    while day < end:
        yield day.isoformat()
        day += DAY
