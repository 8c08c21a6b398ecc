"""Read a carrier's records or invoice lines from their file."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from a2ledger import money
from a2ledger.rating import prefixes, sheet_headers, sheet_values
from a2ledger.rating.columns import plain
from a2ledger.rating.sheet import Row
from a2ledger.rating.sheet_headers import CODES
from a2ledger.records import Problem

_NAMES = {
    "start": (
        "start starttime startdate datetime calldate calltime date time connecttime begin beginn "
        "datum début inicio inizio timestamp"
    ),
    "called": (
        "called callednumber destinationnumber dialednumber dialled number dst to bnumber cld "
        "callee rufnummer numéro numero dnis destinationno"
    ),
    "seconds": (
        "seconds billsec billedseconds duration durationsec durationseconds billedduration "
        "chargedduration dauer durée duración durata callduration sec"
    ),
    "minutes": "minutes billedminutes min mins durationmin durationminutes minuten minuti minutos",
    "amount": (
        "amount cost price charge total net betrag kosten montant importe importo costo "
        "callcost chargedamount sum value"
    ),
    "destination": "destination destinationname description zone country ziel destino route",
    "calls": "calls numberofcalls callcount anrufe gespräche appels llamadas qty quantity",
    "currency": "currency currencycode ccy währung devise moneda valuta",
}
FIELDS = tuple(_NAMES)
"""Fields that a column of a carrier's file may hold."""

_RANKS = {
    name: (field_, rank)
    for field_, names in _NAMES.items()
    for rank, name in reversed(list(enumerate(names.split())))
}
_SEARCHED = 50
_UNIT = re.compile(rf"\([^)]*\)|\b(?:{'|'.join(CODES)})\b", re.IGNORECASE)
_CLOCK = re.compile(
    r"(.*?)[T ]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)


class Theirs(NamedTuple):
    """A call, or a line of an invoice, from the carrier's file."""

    line: int
    start: dt.datetime | None
    """In the book's time zone; None on an invoice."""
    called: str
    destination: str
    calls: int
    seconds: int
    micro: int


def currencies(rows: Sequence[Row], columns: Mapping[str, str]) -> set[str]:
    """Return the currencies named in a carrier's file: in a column, a header or by a sign."""
    for place, (_, head) in enumerate(rows[:_SEARCHED]):
        places = _header(head, columns)
        if "amount" in places:
            cells = [head[places["amount"]]]
            for _, row in rows[place + 1 :]:
                cells += [row[places[name]] for name in ("amount", "currency")
                          if name in places and places[name] < len(row)]  # fmt: skip
            return {code for cell in set(cells) if (code := sheet_headers.currency(cell))}
    return set()


def read(
    rows: Sequence[Row], file: str, columns: Mapping[str, str], zone: dt.tzinfo
) -> tuple[list[Theirs], list[Problem]]:
    """Read a carrier's records or invoice lines.

    Args:
        rows: of the file.
        file: its name in problems.
        columns: header of each field, where a person has said so.
        zone: of the book, for times that say theirs.
    """
    for place, (_, cells) in enumerate(rows[:_SEARCHED]):
        places = _header(cells, columns)
        length = {"seconds", "minutes"} & set(places)
        if "amount" in places and ("called" in places or "destination" in places) and length:
            return _read(rows[place + 1 :], file, places, zone)
    line = rows[0][0] if rows else 0
    seen = ", ".join(filter(None, rows[0][1])) if rows else "nothing"
    problem = f"which column is which is not clear, of {seen}"
    todo = "say it with --map start=COLUMN,called=COLUMN,seconds=COLUMN,amount=COLUMN"
    return [], [Problem(file, line, "bad-header", problem, todo=todo)]


def _header(cells: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    headers = {plain(header): name for name, header in columns.items()}
    places: dict[str, tuple[int, int]] = {}
    for place, cell in enumerate(cells):
        name = plain(_UNIT.sub("", cell))
        if plain(cell) in headers:
            places[headers[plain(cell)]] = (-1, place)
        elif (known := _RANKS.get(name)) and known[0] not in columns:
            places[known[0]] = min(places.get(known[0], (999, 0)), (known[1], place))
    return {name: place for name, (_, place) in places.items()}


def _read(
    rows: Sequence[Row], file: str, places: Mapping[str, int], zone: dt.tzinfo
) -> tuple[list[Theirs], list[Problem]]:
    def cell(cells: Sequence[str], name: str) -> str:
        place = places.get(name, len(cells))
        return cells[place] if place < len(cells) else ""

    rows = [row for row in rows if any(char.isdigit() for char in cell(row[1], "amount"))]
    if "called" in places:
        rows = [row for row in rows if any(char.isdigit() for char in cell(row[1], "called"))]
    else:
        rows = [row for row in rows if cell(row[1], "destination").lower() not in _TOTALS]
    order = sheet_values.order(_day(cell(cells, "start")) for _, cells in rows)
    theirs: list[Theirs] = []
    problems: list[Problem] = []
    try:
        mark = sheet_values.decimal_mark({cell(cells, "amount") for _, cells in rows})
    except ValueError as error:
        return [], [Problem(file, 0, "bad-value", str(error))]
    for line, cells in rows:
        try:
            theirs.append(
                Theirs(
                    line,
                    _time(cell(cells, "start"), order, zone) if "start" in places else None,
                    digits(cell(cells, "called")),
                    cell(cells, "destination"),
                    int(cell(cells, "calls").replace(",", "") or 1),
                    _length(cell(cells, "seconds"), cell(cells, "minutes"), mark),
                    money.divide(sheet_values.price(cell(cells, "amount"), mark)[0], 100),
                )
            )
        except ValueError as error:
            problems.append(Problem(file, line, "bad-value", str(error)))
    return theirs, problems


_TOTALS = ("", "total", "totals", "sum", "summe", "gesamt", "grand total", "totale")


def digits(text: str) -> str:
    """Return the digits of a number in any spelling, country code first."""
    return prefixes.without_00(re.sub(r"\D", "", text))


def _day(text: str) -> str:
    match = _CLOCK.fullmatch(text)
    return match[1] if match else text


def _time(text: str, order: str, zone: dt.tzinfo) -> dt.datetime:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return sheet_values.date(text, order)
    day = sheet_values.date(match[1], order)
    clock = dt.time.fromisoformat(match[2].zfill(5))
    moment = dt.datetime.combine(day.date(), clock)
    if not match[3]:
        return moment
    offset = "+00:00" if match[3] in ("Z", "UTC", "GMT") else match[3]
    aware = dt.datetime.fromisoformat(f"{moment.isoformat()}{offset}")
    return aware.astimezone(zone).replace(tzinfo=None)


def _length(seconds: str, minutes: str, mark: str) -> int:
    """Parse a duration: ``90``, ``1:30``, ``00:01:30`` or decimal minutes, into seconds."""
    if not seconds and minutes and ":" not in minutes:
        try:
            return int((Decimal(minutes.replace(mark, ".")) * 60).to_integral_value())
        except InvalidOperation:
            raise ValueError(f"{minutes!r} is not a number of minutes") from None
    text = seconds or minutes
    if re.fullmatch(r"\d+(?:[.,]0+)?", text):
        return int(re.split("[.,]", text)[0])
    if match := re.fullmatch(r"(?:(\d+):)?(\d{1,2}):(\d{2})", text):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + int(match[3])
    raise ValueError(f"{text!r} is not a length such as 90 or 00:01:30")
