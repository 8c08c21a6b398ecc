"""What a carrier asks for beside what we expected to pay: which calls, how long, how much."""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from a2ledger import money
from a2ledger.book.config import Tolerance
from a2ledger.rating import prefixes, sheet_headers, sheet_values
from a2ledger.rating.columns import plain
from a2ledger.rating.sheet import Row
from a2ledger.rating.sheet_headers import CODES
from a2ledger.records import Problem

AGREES, SECONDS, PRICE, THEIRS, OURS = (
    *("agrees", "other seconds", "other price"),
    *("only the carrier", "only we"),
)

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
"""What a column of a carrier's file may be."""

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
    """A call, or a line of an invoice, as the carrier has it."""

    line: int
    start: dt.datetime | None
    """On the book's own clock; None on an invoice."""
    called: str
    destination: str
    calls: int
    seconds: int
    micro: int


class Ours(NamedTuple):
    """A call as we have it."""

    uid: str
    start: dt.datetime
    called: str
    destination: str
    seconds: int
    micro: int
    currency: str = ""
    """Of the deck that says what it costs."""


class Pair(NamedTuple):
    """A call on both sides, or on one."""

    kind: str
    ours: Ours | None
    theirs: Theirs | None

    def row(self) -> tuple[str, ...]:
        """Return the pair as a row of a dispute."""
        ours, theirs = self.ours, self.theirs
        one = ours or theirs
        assert one is not None  # noqa: S101 - a pair has a side
        return (
            self.kind,
            str(one.start or ""),
            one.called,
            (ours.destination if ours else "") or one.destination,
            str(ours.seconds) if ours else "",
            str(theirs.seconds) if theirs else "",
            money.text(ours.micro) if ours else "",
            money.text(theirs.micro) if theirs else "",
            money.text((theirs.micro if theirs else 0) - (ours.micro if ours else 0)),
            str(theirs.line) if theirs else "",
            ours.uid if ours else "",
        )


DISPUTE = (
    *("kind", "start", "called", "destination", "seconds_ours", "seconds_theirs"),
    *("amount_ours", "amount_theirs", "difference", "line", "id"),
)


@dataclass
class Side:
    """Some calls of one side added up."""

    calls: int = 0
    seconds: int = 0
    micro: int = 0

    def add(self, calls: int, seconds: int, micro: int) -> None:
        """Add calls."""
        self.calls, self.seconds = self.calls + calls, self.seconds + seconds
        self.micro += micro


@dataclass(kw_only=True)
class Reconciled:
    """What a carrier's file and the book agree and differ in."""

    carrier: str
    currency: str
    pairs: list[Pair] = field(default_factory=list)
    destinations: dict[str, tuple[Side, Side]] = field(default_factory=dict)
    """Ours and theirs, by destination."""
    totals: tuple[Side, Side] = field(default_factory=lambda: (Side(), Side()))
    is_invoice: bool = False
    tolerance: Tolerance = field(default_factory=Tolerance)

    @property
    def agrees(self) -> bool:
        """Whether there is nothing to dispute."""
        if self.is_invoice:
            return not self.differing()
        return all(pair.kind == AGREES for pair in self.pairs)

    def differing(self) -> list[str]:
        """Return the destinations whose sums differ by more than a call's tolerance each."""
        return [
            name
            for name, (ours, theirs) in self.destinations.items()
            if ours.calls != theirs.calls
            or abs(ours.micro - theirs.micro) > self.tolerance.amount_micro * max(ours.calls, 1)
        ]

    def counts(self) -> dict[str, int]:
        """Return how many calls there are of each kind."""
        kinds = [pair.kind for pair in self.pairs]
        return {kind: kinds.count(kind) for kind in (AGREES, SECONDS, PRICE, THEIRS, OURS)}

    def as_json(self) -> dict[str, Any]:
        """Return the command's ``--json``."""
        return {
            "carrier": self.carrier,
            "currency": self.currency,
            "agrees": self.agrees,
            "counts": self.counts(),
            "total": _both(*self.totals),
            "destinations": [
                {"destination": name, **_both(*sides)}
                for name, sides in sorted(self.destinations.items())
            ],
            "disputed": [
                dict(zip(DISPUTE, pair.row(), strict=True))
                for pair in self.pairs
                if pair.kind != AGREES
            ],
        }


def _both(ours: Side, theirs: Side) -> dict[str, Any]:
    return {
        "calls_ours": ours.calls,
        "calls_theirs": theirs.calls,
        "seconds_ours": ours.seconds,
        "seconds_theirs": theirs.seconds,
        "amount_ours": money.text(ours.micro),
        "amount_theirs": money.text(theirs.micro),
        "difference": money.text(theirs.micro - ours.micro),
    }


# ---- their file ----


def currencies(rows: Sequence[Row], columns: Mapping[str, str]) -> set[str]:
    """Return the currencies a carrier's file mentions: in a column, its header, or with a sign."""
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
    what = f"which column is which is not clear, of {seen}"
    todo = "say it with --map start=COLUMN,called=COLUMN,seconds=COLUMN,amount=COLUMN"
    return [], [Problem(file, line, "bad-header", what, todo=todo)]


def _header(cells: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    said = {plain(header): name for name, header in columns.items()}
    places: dict[str, tuple[int, int]] = {}
    for place, cell in enumerate(cells):
        name = plain(_UNIT.sub("", cell))
        if plain(cell) in said:
            places[said[plain(cell)]] = (-1, place)
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
    found: list[Theirs] = []
    problems: list[Problem] = []
    try:
        mark = sheet_values.decimal_mark({cell(cells, "amount") for _, cells in rows})
    except ValueError as error:
        return [], [Problem(file, 0, "bad-value", str(error))]
    for line, cells in rows:
        try:
            found.append(
                Theirs(
                    line,
                    _time(cell(cells, "start"), order, zone) if "start" in places else None,
                    _digits(cell(cells, "called")),
                    cell(cells, "destination"),
                    int(cell(cells, "calls").replace(",", "") or 1),
                    _length(cell(cells, "seconds"), cell(cells, "minutes"), mark),
                    money.divide(sheet_values.price(cell(cells, "amount"), mark)[0], 100),
                )
            )
        except ValueError as error:
            problems.append(Problem(file, line, "bad-value", str(error)))
    return found, problems


_TOTALS = ("", "total", "totals", "sum", "summe", "gesamt", "grand total", "totale")


def _digits(text: str) -> str:
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
    """Return seconds of ``90``, ``1:30`` or ``00:01:30``, or of decimal minutes."""
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


# ---- comparing ----


def compare(
    carrier: str,
    currency: str,
    ours: Iterable[Ours],
    theirs: Sequence[Theirs],
    tolerance: Tolerance,
    bounds: tuple[dt.datetime, dt.datetime],
) -> Reconciled:
    """Compare a carrier's calls, or the lines of their invoice, with ours.

    Args:
        carrier: their name.
        currency: of both.
        ours: our calls, with those that started a little before or after, too.
        theirs: what they have.
        tolerance: how far apart is the same.
        bounds: first and last moment; a call of ours outside is only there to be paired.
    """
    found = Reconciled(carrier=carrier, currency=currency, tolerance=tolerance)
    found.is_invoice = any(one.start is None for one in theirs)
    mine = sorted(ours, key=lambda call: (call.start, call.uid))
    paired: set[str] = set()
    if not found.is_invoice:
        pairs = list(_pairs(mine, theirs, tolerance))
        paired = {pair.ours.uid for pair in pairs if pair.ours and pair.theirs}
        found.pairs = [
            pair
            for pair in pairs
            if pair.theirs or (pair.ours and bounds[0] <= pair.ours.start <= bounds[1])
        ]
    mine = [call for call in mine if call.uid in paired or bounds[0] <= call.start <= bounds[1]]
    names = _names(found.pairs)
    for call in mine:
        sides = found.destinations.setdefault(call.destination, (Side(), Side()))
        sides[0].add(1, call.seconds, call.micro)
        found.totals[0].add(1, call.seconds, call.micro)
    for one in theirs:
        name = names.get(one, one.destination or one.called)
        sides = found.destinations.setdefault(name, (Side(), Side()))
        sides[1].add(one.calls, one.seconds, one.micro)
        found.totals[1].add(one.calls, one.seconds, one.micro)
    return found


def _names(pairs: Iterable[Pair]) -> dict[Theirs, str]:
    """Return what we call the destination of their calls, so that both add up alike."""
    return {pair.theirs: pair.ours.destination for pair in pairs if pair.ours and pair.theirs}


def _pairs(mine: Sequence[Ours], theirs: Sequence[Theirs], tolerance: Tolerance) -> Iterator[Pair]:
    """Yield each call with the one of the other side that started nearest, if near enough."""
    by_number: dict[str, list[Ours]] = {}
    for call in mine:
        by_number.setdefault(_digits(call.called), []).append(call)
    used: set[str] = set()
    most = dt.timedelta(seconds=tolerance.start_seconds)
    for one in sorted(theirs, key=lambda one: (one.start or dt.datetime.min, one.line)):  # noqa: DTZ901
        assert one.start is not None  # noqa: S101 - an invoice is not paired
        calls = by_number.get(one.called, [])
        first = bisect_left(calls, one.start - most, key=lambda call: call.start)
        near = []
        for call in calls[first:]:
            if call.start > one.start + most:
                break
            if call.uid not in used:
                apart = abs(call.start - one.start)
                near.append((abs(call.seconds - one.seconds), apart, call.uid, call))
        if not near:
            yield Pair(THEIRS, None, one)
            continue
        call = min(near)[-1]
        used.add(call.uid)
        same_price = abs(call.micro - one.micro) <= tolerance.amount_micro
        same_length = abs(call.seconds - one.seconds) <= tolerance.seconds
        # At the same price another length is only how blocks are shown.
        kind = AGREES if same_price else PRICE if same_length else SECONDS
        yield Pair(kind, call, one)
    for call in mine:
        if call.uid not in used:
            yield Pair(OURS, call, None)
