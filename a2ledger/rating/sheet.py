"""Read a carrier's rate sheet: turn rows of cells into rates, accounting for every row.

Where the header stands, which column is which, how numbers and dates are written and whether the
country's code stands apart is decided once for the whole file, never row by row.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from a2ledger import errors, money
from a2ledger.rating import sheet_headers, sheet_values
from a2ledger.rating.sheet_headers import Header, folded
from a2ledger.records import Problem

T = TypeVar("T")

Row = tuple[int, list[str]]
"""A row of a sheet: its line number and its cells."""

_NOWHERE = 1 << 30
"""The place of a column that is not there."""
_BY_CHANCE = 3
_SEARCHED = 100
"""Rows searched for the header."""

NEW, DEARER, CHEAPER, SAME, GONE, BARRED = "new", "dearer", "cheaper", "same", "gone", "blocked"
_STATUSES = {
    NEW: "new added add neu neue neuer nouveau nouvelle nuevo nueva nuovo nuova nieuw novo nova "
    "nowa nowy ny новый новая добавлен νέο",
    DEARER: "increase increased inc up higher rise raised erhöhung erhöht teurer hausse "
    "augmentation aumento aumenta subida sube alza incremento aumentato verhoging verhoogd "
    "hoger subiu podwyżka wzrost höjning повышение увеличение αύξηση",
    CHEAPER: "decrease decreased dec down lower reduction reduced senkung gesenkt reduzierung "
    "günstiger billiger baisse réduction diminution disminución bajada reducción rebaja "
    "descenso ribasso diminuzione riduzione verlaging verlaagd lager redução diminuição queda "
    "obniżka spadek sänkning понижение снижение уменьшение μείωση",
    SAME: "same unchanged nochange nochanges current existing unverändert gleich keineänderung "
    "inchangé inchangée sanschangement igual sincambio sincambios invariato invariata invariati "
    "nessunavariazione ongewijzigd gelijk inalterado inalterada semalteração mantido bezzmian "
    "oförändrat безизменений none nc valid active αμετάβλητο",
    GONE: "delete deleted deletion removed remove discontinued closed terminated cancelled "
    "canceled expired inactive gelöscht entfällt entfallen löschung eingestellt supprimé supprimée "
    "suppression eliminado eliminada borrado rimosso rimossa eliminato eliminata "
    "cessato verwijderd vervallen vervalt removido removida excluído excluída usunięty usunięte "
    "borttagen удален удалено закрыт withdrawn end ended",
    BARRED: "blocked block barred forbidden gesperrt sperre bloqué bloquée bloqueado bloqueada "
    "bloccato bloccata geblokkeerd zablokowany zablokowane spärrad notallowed suspended suspendu "
    "suspendido notoffered unavailable запрещен заблокирован",
}
_STATUS = {folded(word): status for status, words in _STATUSES.items() for word in words.split()}
_FLAGS = {"blocked": BARRED, "discontinued": GONE}
"""Columns that say yes or no, and the status of whoever says yes."""
_NO = frozenset(map(folded, ["n", "no", "0", "false", "nein", "non", "nee", "não", "nie", "нет"]))


class SheetRate(NamedTuple):
    """A rate of a sheet, with prices in hundred-millionths of a unit and times on our clock."""

    line: int
    prefix: str
    destination: str = ""
    price: int = 0
    connect: int | None = None
    first: int | None = None
    following: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    status: str = ""

    @property
    def terms(self) -> tuple[Any, ...]:
        """Return the terms that must agree where a prefix is listed twice."""
        return (self.price, self.connect, self.first, self.following, self.status == BARRED)


@dataclass(kw_only=True)
class Sheet:
    """The content of a sheet."""

    rates: list[SheetRate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    """Points a person should check before its prices are used."""
    currency: str = ""
    """The currency, or ``$``, that the sheet mentions."""
    rows: int = 0
    """Number of rows that are not empty …"""
    texts: int = 0
    """… and of the titles, headers, totals and footers among them."""
    twice: int = 0
    """Number of repeated rates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a person says about reading a sheet, empty values are detected."""

    columns: Mapping[str, str] = field(default_factory=dict)
    dates: str = ""
    usual_dates: str = ""
    """What dates begin with where neither a person nor the sheet says it."""


def header_row(rows: Sequence[Row], columns: Mapping[str, str]) -> tuple[int, Header] | None:
    """Find the header among the first rows, and return its place and meaning."""
    for place, (_, cells) in enumerate(rows[:_SEARCHED]):
        below = rows[place + 1][1] if place + 1 < len(rows) else ()
        if (header := sheet_headers.find(cells, columns, below)) is not None:
            return place, header
    return None


def read(rows: Sequence[Row], *, file: str, reading: Reading) -> Sheet:
    """Read a sheet.

    Args:
        rows: those that are not empty, cells stripped.
        file: its name in problems.
        reading: what is known of it.
    """
    sheet = Sheet(rows=len(rows))
    header_found = header_row(rows, reading.columns)
    if header_found is None:
        sheet.problems.append(_no_header(rows, file, reading.columns))
        return sheet
    place, header = header_found
    sheet.texts = place + 1
    if header.unread:
        sheet.notes.append(f"columns not read: {', '.join(header.unread)}")
    _Rates(sheet, rows[place][1], header, file, reading).take(rows[place + 1 :])
    if "effective" not in header.places:
        sheet.doubts += _undated(rows[place:], header)
    return sheet


def _undated(rows: Sequence[Row], header: Header) -> list[str]:
    """Return a doubt for each unread column of dates: the prices may hold from those days on."""
    head, below = rows[0][1], [cells for _, cells in rows[1:_SEARCHED]]
    doubts = []
    for place, name in enumerate(head):
        if not name or place in header.places.values():
            continue
        texts = [cells[place] for cells in below if place < len(cells) and cells[place]]
        dates = sum(sheet_values.is_date(text) for text in texts)
        if dates * 2 > len(texts):
            doubts.append(
                f"the column {name!r} holds dates and is not read; --map 'effective={name}' "
                "if prices hold from these days on"
            )
    return doubts


def _no_header(rows: Sequence[Row], file: str, columns: Mapping[str, str]) -> Problem:
    if not rows:
        return Problem(file, 0, "empty", "is empty")
    line, cells = max(rows[:_SEARCHED], key=lambda row: sum(bool(cell) for cell in row[1]))
    seen = ", ".join(cell for cell in cells if cell)
    missing = [header for header in columns.values() if folded(header) not in map(folded, cells)]
    hint = f"no column {', '.join(missing)}" if missing else "which column is which is not clear"
    return Problem(
        file,
        line,
        "bad-header",
        hint,
        todo=(f"the columns seem to be {seen}; say which with --map prefix=COLUMN,rate=COLUMN"),
    )


class _Rates:
    """A reader of rows into rates."""

    def __init__(
        self, sheet: Sheet, head: Sequence[str], header: Header, file: str, reading: Reading
    ) -> None:
        self.sheet, self.header, self.file = sheet, header, file
        self.head, self.dates = list(head), reading.dates
        self.usual_dates = reading.usual_dates
        self.mark = "."
        self.rounded = 0
        self.joined = False
        self.unknown: Counter[str] = Counter()
        self.known: dict[str, dict[str, Any]] = {name: {} for name in sheet_headers.FIELDS}
        self.places = [
            place for name, place in header.places.items() if name not in ("prefix", "destination")
        ]
        self.usual = (header.places.get("prefix", _NOWHERE), header.places["rate"])
        """Places of prefix and price."""
        self.known_terms: dict[tuple[str, ...], tuple[Any, ...]] = {}
        """Terms by the cells they were read from: most rows of a sheet share theirs."""

    def _problem(self, line: int, reason: str, message: str, todo: str = "") -> None:
        self.sheet.problems.append(Problem(self.file, line, reason, message, todo=todo))

    def _cell(self, cells: Sequence[str], name: str) -> str:
        place = self.header.places.get(name)
        return cells[place] if place is not None and place < len(cells) else ""

    def _cells(self, rows: Sequence[Row], name: str) -> set[str]:
        place = self.header.places.get(name)
        if place is None:
            return set()
        return {cells[place] for _, cells in rows if place < len(cells)} - {""}

    def take(self, rows: Sequence[Row]) -> None:
        """Read the rows below the header."""
        rows = [row for row in rows if not self._is_text(row[1])]
        self.sheet.texts = self.sheet.rows - len(rows)
        prices = self._cells(rows, "rate")
        try:
            self.mark = sheet_values.decimal_mark(prices | self._cells(rows, "connect"))
        except ValueError as error:
            message, todo = errors.parts(error)
            column = self.head[self.header.places["rate"]]
            self._problem(0, "bad-value", f"{column}: {message}", todo)
            return
        self._decide_currency(rows, prices)
        self.dates = self.dates or sheet_values.order(
            self._cells(rows, "effective") | self._cells(rows, "until")
        )
        self.dates = self.dates or self.usual_dates
        self._decide_country(rows)
        for place, name in self.header.other_times.items():
            self._compare(rows, place, name)
        if self.sheet.problems:
            return
        for line, cells in rows:
            self._row(line, cells)
        self._once()
        if self.rounded:
            self.sheet.notes.append(f"{self.rounded} price(s) rounded to eight decimals")
        for word, count in sorted(self.unknown.items()):
            self.sheet.doubts.append(f"{count:,} row(s) of the status {word!r}, taken as prices")
        if self.header.divisor > 1:
            self.sheet.notes.append("prices are in hundredths of the currency's unit")
        if self.header.factor > 1:
            self.sheet.notes.append("prices are by the second, and made prices by the minute")

    def _is_text(self, cells: Sequence[str]) -> bool:
        """Return whether a row is a heading, a total, a footer or a repeated header."""
        try:
            if cells[self.usual[0]].isdecimal() and cells[self.usual[1]][:1].isdecimal():
                return False  # by far the most
        except IndexError:
            pass
        prefix = self._cell(cells, "prefix") + self._cell(cells, "area_code")
        number = prefix or self._cell(cells, "country_code")
        if not re.search(r"\w", number) or list(cells) == self.head:
            return True
        if any(character.isdigit() for character in self._cell(cells, "rate")):
            return not any(character.isdigit() for character in number)
        # Without a price it is text, unless a status says what becomes of the prefix.
        if _status(self._cell(cells, "status")) in (GONE, BARRED):
            return False
        if any(_is_said(cell) for name in _FLAGS if (cell := self._cell(cells, name))):
            return False
        return any(character.isalpha() for character in number) or not any(
            character.isdigit() for character in number
        )

    def _decide_currency(self, rows: Sequence[Row], prices: set[str]) -> None:
        currencies = {
            sheet_headers.currency(cell) or cell for cell in self._cells(rows, "currency")
        }
        currencies |= {code for cell in prices if (code := sheet_headers.currency(cell))}
        currencies |= {self.header.currency} - {""}
        if len(currencies) > 1 and not (len(currencies) == 2 and "$" in currencies):  # noqa: PLR2004 - $ and USD
            self._problem(
                0,
                "currency",
                f"prices are in {', '.join(sorted(currencies))}",
                todo="split the file",
            )
        self.sheet.currency = max(currencies, default="", key=len)

    def _compare(self, rows: Sequence[Row], place: int, name: str) -> None:
        """Refuse prices at other times of the day or week, unless they are those of all times."""
        differ = [
            line
            for line, cells in rows
            if place < len(cells)
            and cells[place] != self._cell(cells, "rate")
            and self._is_other_price(cells[place], self._cell(cells, "rate"))
        ]
        column = self.head[self.header.places["rate"]]
        if differ:
            self._problem(
                differ[0],
                "other-times",
                f"{name!r} has other prices than {column!r} in {len(differ):,} row(s), and a sheet "
                "has one price for all times",
                todo=(
                    f"--map 'rate={column}' takes {column!r} at all times; prices for hours of the "
                    "week are rows of the deck with starttime and endtime"
                ),
            )
        else:
            self.sheet.notes.append(f"{name!r} has the prices of {column!r}")

    def _is_other_price(self, cell: str, rate: str) -> bool:
        if not any(character.isdigit() for character in cell):
            return False
        try:
            return self._price(cell) != self._price(rate)
        except ValueError:  # such as the hours they hold
            return False

    def _decide_country(self, rows: Sequence[Row]) -> None:
        """Decide whether the country's code is only in a column of its own."""
        places = self.header.places
        if "country_code" not in places:
            return
        if "prefix" not in places:
            self.joined = True
            return
        begins: Counter[bool] = Counter()
        for _, cells in rows:
            code = self._cell(cells, "country_code").lstrip("+0")
            prefix = self._cell(cells, "prefix").lstrip("+0 ")
            if code and prefix:
                begins[prefix.startswith(code)] += 1
        whole, national = begins[True], begins[False]
        # National prefixes begin with the digits of their country's code by chance, now and then.
        self.joined = national > whole * _BY_CHANCE
        if national and not self.joined:
            if whole < national * _BY_CHANCE:
                self._problem(
                    0,
                    "bad-prefix",
                    (f"{whole:,} prefixes begin with their country's code and {national:,} do not"),
                    todo="say which column is which with --map prefix=COLUMN or area_code=COLUMN",
                )
            else:
                self.sheet.notes.append(
                    f"{national:,} prefix(es) do not begin with their country's code; taken whole"
                )

    def _row(self, line: int, cells: Sequence[str]) -> None:
        try:
            key = tuple([cells[place] if place < len(cells) else "" for place in self.places])
            terms = self.known_terms.get(key)
            if terms is None:
                terms = self.known_terms[key] = self._terms(cells)
            price, connect, first, following, since, until, status = terms
            if not status and (word := self._cell(cells, "status")):
                self.unknown[word] += 1
            prefixes = self._prefixes(cells)
        except ValueError as error:
            self._problem(line, "bad-value", *errors.parts(error))
            return
        destination = self._value("destination", cells, _in_one_line) or ""
        for prefix in prefixes:
            self.sheet.rates.append(
                SheetRate(
                    line,
                    prefix,
                    destination,
                    price,
                    connect,
                    first,
                    following,
                    since,
                    until,
                    status,
                )
            )

    def _terms(self, cells: Sequence[str]) -> tuple[Any, ...]:
        """Return all of a rate but line, prefix and name."""
        status = self._value("status", cells, _status) or ""
        for column, meant in _FLAGS.items():
            if self._value(column, cells, _is_said):
                status = meant
        rate = self._cell(cells, "rate")
        price = self._value("rate", cells, self._price) or 0
        if price < 0:
            if price != self._price("-1"):
                raise ValueError(f"{rate!r} is negative; -1 alone says that calls are refused")
            status, price = BARRED, 0
        if not rate and status not in (GONE, BARRED):
            raise ValueError("there is no price")
        after = self._value("rate_after", cells, self._price)
        if after is not None and after != price and status not in (GONE, BARRED):
            raise ValueError(
                f"{self._cell(cells, 'rate')!r} for the first interval and "
                f"{self._cell(cells, 'rate_after')!r} for the next ones: a sheet has one price"
            )
        connect = self._value("connect", cells, self._fee)
        if connect is not None and connect < 0:
            raise ValueError(f"{self._cell(cells, 'connect')!r} is negative")
        first, following = self._value("increments", cells, sheet_values.increments) or (None, None)
        if own := self._value("first", cells, sheet_values.increments):
            first = own[1]
        if later := self._value("following", cells, sheet_values.increments):
            following = later[1]
        since = self._value("effective", cells, self._date)
        until = self._value("until", cells, self._date)
        return 0 if status == BARRED else price, connect, first, following, since, until, status

    def _value(self, name: str, cells: Sequence[str], convert: Callable[[str], T]) -> T | None:
        """Convert a cell, caching each distinct text: most occur many times."""
        place = self.header.places.get(name)
        if place is None or place >= len(cells) or not (cell := cells[place]):
            return None
        known = self.known[name]
        if (value := known.get(cell)) is None:
            value = known[cell] = convert(cell)
        result: T = value
        return result

    def _price(self, cell: str) -> int:
        value, rounded = sheet_values.price(cell, self.mark)
        self.rounded += rounded
        return money.divide(value * self.header.factor, self.header.divisor)

    def _fee(self, cell: str) -> int:
        return money.divide(sheet_values.price(cell, self.mark)[0], self.header.divisor)

    def _date(self, cell: str) -> dt.datetime:
        return sheet_values.date(cell, self.dates)

    def _prefixes(self, cells: Sequence[str]) -> list[str]:
        whole = self._cell(cells, "prefix")
        area = self._cell(cells, "area_code")
        country = self._cell(cells, "country_code").strip("+ ")
        country = country.removeprefix("00")
        if "prefix" in self.header.places and not self.joined:
            return self._listed(whole)
        if not country:
            return self._listed(whole or area)
        if not country.isdecimal():
            raise ValueError(f"{country!r} is not the code of a country")
        if not (whole or area):
            return sheet_values.listed(country)
        return sheet_values.listed(whole or area, country)

    @staticmethod
    def _listed(cell: str) -> list[str]:
        if cell.isascii() and cell.isdecimal() and len(cell) < 16 and cell[0] != "0":  # noqa: PLR2004
            return [cell]  # by far the most
        return sheet_values.listed(cell)

    def _once(self) -> None:
        """Drop repeated rates, and report prefixes with two prices."""
        seen: dict[tuple[str, dt.datetime | None], SheetRate] = {}
        for rate in self.sheet.rates:
            other = seen.setdefault((rate.prefix, rate.since), rate)
            if other is rate:
                continue
            if other.status == GONE and rate.status != GONE:
                seen[rate.prefix, rate.since] = rate
            elif rate.status != GONE and other.terms != rate.terms:
                self._problem(
                    rate.line,
                    "duplicate-prefix",
                    (
                        f"prefix {rate.prefix} has another price from the same day on, on line "
                        f"{other.line}"
                    ),
                    todo="keep one of them",
                )
            else:
                self.sheet.twice += 1
        self.sheet.rates = list(seen.values())


def _in_one_line(cell: str) -> str:
    return " ".join(cell.split())


def _status(cell: str) -> str:
    """Return the status that a cell names, empty if it is unknown."""
    name = folded(cell)
    if name in _STATUS:
        return _STATUS[name]
    words = (folded(word) for word in re.split(r"[\s/()-]+", cell))
    return next((_STATUS[word] for word in words if word in _STATUS), "")


def _is_said(cell: str) -> bool:
    """Return whether the cell of a column such as "Forbidden" says yes."""
    return folded(cell) not in _NO
