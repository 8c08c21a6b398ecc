"""Read a carrier's records or invoice lines from their file."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import pyarrow as pa

from a2ledger import money
from a2ledger.rating import prefixes, sheet_headers, sheet_values
from a2ledger.rating.sheet import Row
from a2ledger.rating.sheet_headers import CODES, folded
from a2ledger.records import Problem
from a2ledger.sources import forms
from a2ledger.sources.batch import UnusableInput

_NAMES = {
    "start": (
        "start datetime calldatetime dateandtime datetimeutc connecttime connectdatetime setuptime "
        "answertime begin begintime beginn timestamp callstart starttimestamp eventtime fechahora "
        "dateheure dataora"
    ),
    "day": (
        "startdate calldate date day datum fecha data connectdate begindate inicio início début"
    ),
    "clock": ("starttime calltime time timeofday hour uhrzeit zeit heure hora ora tijd clock"),
    "called": (
        "called callednumber destinationnumber dialednumber dialled diallednumber number dst to "
        "bnumber bparty cld callee calledparty callednum termnumber rufnummer zielrufnummer numéro "
        "numéroappelé numero númerodestino numerodestino dnis destinationno cldout dstnumber"
    ),
    "seconds": (
        "billsec billedseconds billableseconds billedduration chargedduration chargeableduration "
        "billableduration ratedduration seconds duration durationsec durationseconds dauer durée "
        "duración durata duração gesprächsdauer callduration calllength length sec secs"
    ),
    "minutes": (
        "billedminutes billedmin billableminutes chargedminutes minutes min mins durationmin "
        "durationminutes durationinminutes minuten minuti minutos"
    ),
    "amount": (
        "chargedamount totalcharge totalcost callcost callcharge amount cost charge charges price "
        "total net netamount betrag kosten montant coût importe importo costo coste sum value fee"
    ),
    "destination": (
        "destination destinationname description destinationdescription zone country ziel "
        "zielname destino destinazione bestemming route area prefixname"
    ),
    "calls": (
        "calls numberofcalls callcount noofcalls anrufe gespräche appels llamadas qty quantity"
    ),
    "currency": "currency currencycode ccy curr währung devise moneda valuta",
    "technical_prefix": "techprefix technicalprefix tech dialprefix accessprefix",
}
FIELDS = tuple(_NAMES)
"""Fields that a column of a carrier's file may hold."""

_RANKS = {
    folded(name): (field_, rank)
    for field_, names in _NAMES.items()
    for rank, name in reversed(list(enumerate(names.split())))
}
_SEARCHED = 50
_UNIT = re.compile(rf"\([^)]*\)|\[[^]]*\]|\b(?:{'|'.join(CODES)})\b", re.IGNORECASE)
_OF_MINUTES = re.compile(r"[(\[]\s*min", re.IGNORECASE)
_TOTALS = ("", "total", "totals", "sum", "summe", "gesamt", "grand total", "totale", "subtotal")


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
    rows: Sequence[Row], file: str, columns: Mapping[str, str], clock: Clock
) -> tuple[list[Theirs], list[Problem]]:
    """Read a carrier's records or invoice lines.

    Args:
        rows: of the file.
        file: its name in problems.
        columns: header of each field, where a person has said so.
        clock: how its times are read.
    """
    for place, (_, cells) in enumerate(rows[:_SEARCHED]):
        places = _header(cells, columns)
        length = {"seconds", "minutes"} & set(places)
        if "amount" in places and ("called" in places or "destination" in places) and length:
            return _read(rows[place + 1 :], file, places, clock)
    line = rows[0][0] if rows else 0
    seen = ", ".join(filter(None, rows[0][1])) if rows else "nothing"
    problem = f"which column is which is not clear, of {seen}"
    todo = "say it with --map start=COLUMN,called=COLUMN,seconds=COLUMN,amount=COLUMN"
    return [], [Problem(file, line, "bad-header", problem, todo=todo)]


def _header(cells: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    headers = {folded(header): name for name, header in columns.items()}
    places: dict[str, tuple[int, int]] = {}
    for place, cell in enumerate(cells):
        name = folded(_UNIT.sub("", cell))
        if folded(cell) in headers:
            places[headers[folded(cell)]] = (-1, place)
            continue
        known = _RANKS.get(name) or _RANKS.get(folded(cell))
        if known and known[0] not in columns:
            field = "minutes" if known[0] == "seconds" and _OF_MINUTES.search(cell) else known[0]
            places[field] = min(places.get(field, (999, 0)), (known[1], place))
    return {name: place for name, (_, place) in places.items()}


def _read(
    rows: Sequence[Row], file: str, places: Mapping[str, int], clock: Clock
) -> tuple[list[Theirs], list[Problem]]:
    def cell(cells: Sequence[str], name: str) -> str:
        place = places.get(name, len(cells))
        return cells[place] if place < len(cells) else ""

    rows = [row for row in rows if any(char.isdigit() for char in cell(row[1], "amount"))]
    if "called" in places:
        rows = [row for row in rows if any(char.isdigit() for char in cell(row[1], "called"))]
    else:
        rows = [row for row in rows if cell(row[1], "destination").lower() not in _TOTALS]
    theirs: list[Theirs] = []
    problems: list[Problem] = []
    try:
        mark = sheet_values.decimal_mark(
            {cell(cells, name) for _, cells in rows for name in ("amount", "minutes")}
        )
    except ValueError as error:
        return [], [Problem(file, 0, "bad-value", str(error))]
    written = [_written(*(cell(cells, name) for name in _TIMES)) for _, cells in rows]
    has_times = any(written)
    starts = clock.read(written, file) if has_times else [None] * len(rows)
    for (line, cells), start, text in zip(rows, starts, written, strict=True):
        if has_times and start is None:
            message = f"{text!r} is not a date and time such as 2026-02-01 08:00:00"
            problems.append(Problem(file, line, "bad-value", message))
            continue
        try:
            theirs.append(
                Theirs(
                    line,
                    start,
                    _number(cell(cells, "called"), cell(cells, "technical_prefix")),
                    cell(cells, "destination"),
                    int(re.sub(r"[\s.,']", "", cell(cells, "calls")) or 1),
                    _length(cell(cells, "seconds"), cell(cells, "minutes"), mark),
                    money.divide(sheet_values.price(cell(cells, "amount"), mark)[0], 100),
                )
            )
        except ValueError as error:
            problems.append(Problem(file, line, "bad-value", str(error)))
    return theirs, problems


_TIMES = ("start", "day", "clock")


def _written(start: str, day: str, clock: str) -> str:
    """Return the text of a record's start, which may stand in two columns."""
    if start:
        return start
    if day and clock and not re.search(r"\d:\d", day):
        return f"{day.partition(' ')[0] if day.endswith(' 00:00') else day} {clock}"
    return day or clock


class Clock(NamedTuple):
    """How a carrier's times are read."""

    zone: dt.tzinfo
    """Of the book."""
    theirs: dt.tzinfo | None = None
    """Of the carrier, where their times do not say it; the book's by default."""
    dates: str = ""
    """What short dates begin with where the file does not show it: ``day`` or ``month``."""

    def read(self, written: Sequence[str], file: str) -> list[dt.datetime | None]:
        """Return starts on the book's clock, None for what is no time.

        Raises:
            UnusableInput: if days and months cannot be told apart.
        """
        texts = pa.array(written, pa.string())
        try:
            form = forms.recognised(file, "", [texts], self.dates)
        except UnusableInput as error:
            raise UnusableInput(error.what, error.undone, "say which with --dates") from None
        return [
            self._moment(text, said)
            for text, said in zip(forms.times(texts, form).to_pylist(), written, strict=True)
        ]

    def _moment(self, text: str, said: str) -> dt.datetime | None:
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            try:
                return sheet_values.date(said, self.dates)  # a day alone
            except ValueError:
                return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.theirs or self.zone)
        return moment.astimezone(self.zone).replace(tzinfo=None)


def _number(text: str, technical: str) -> str:
    """Return the digits of a number without the carrier's technical prefix."""
    number, before = re.sub(r"\D", "", text), re.sub(r"\D", "", technical)
    return prefixes.without_00(number.removeprefix(before) if before else number)


def digits(text: str) -> str:
    """Return the digits of a number in any spelling, country code first."""
    return prefixes.without_00(re.sub(r"\D", "", text))


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
