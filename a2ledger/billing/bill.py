"""The bill of a period: what is billed, how it is rounded, and the lines that add up to it.

``preview`` and ``close`` are this one function. Rounding never leaks: per customer and VAT code,
over everything ever posted to Unbilled, *net billed now = round(cumulative) - round(cumulative
at the last close)*. The fraction stays in Unbilled; it goes to ``Income:Rounding`` only when its
code went unused for a whole period. Lines telescope the same way, so they add up to their net.
All amounts are in micro-units.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from a2ledger import money, vat
from a2ledger.balances.statement import Movement, Telescope, line_order, statement_lines
from a2ledger.documents.document import ROUNDED, ROUNDING, Line, Rate, Statement, VatLine
from a2ledger.journal import period_file
from a2ledger.journal.rows import Brought, Row
from a2ledger.period import Period
from a2ledger.vat import VatCode, vat_title


class Used(NamedTuple):
    """Calls of one service, destination and VAT code in a period, from the call detail."""

    service: str
    destination: str
    vat: str
    late_from: dt.date | None
    calls: int
    seconds: int
    micro: int
    first: dt.date
    last: dt.date
    extensions: Mapping[str, int] = {}
    """Numbers of incoming and internal calls, by the customer's extension."""
    rates: tuple[Rate, ...] = ()
    """What priced the others, unless their records or a rule did."""


class Item(NamedTuple):
    """An invoice line, its exact amount, and the row or calls it was made from."""

    line: Line
    micro: int
    source: Row | Used


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A period's bill: amounts by VAT code, and the lines of statement and invoice."""

    period: Period
    treatment: str
    moved_micro: Mapping[str, int]
    """Amounts that leave Unbilled: net, or gross where VAT is included in prices."""
    net_micro: Mapping[str, int]
    vat_micro: Mapping[str, int]
    pending_micro: Mapping[str, int]
    """VAT set aside while it was inside the period's prices (pending VAT)."""
    rounding_micro: Mapping[str, int]
    """Fractions of a cent leaving Unbilled: of unused codes, or of an account's last bill."""
    cash_micro: int
    """Cash rounding: makes the amount asked for a multiple of the smallest coin …"""
    coin_micro: int
    """… which is this, or 0 for no cash rounding."""
    brought: Brought
    carried: Brought
    statement: Statement
    items: tuple[Item, ...]
    vat: tuple[VatLine, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """Return the lines of the invoice."""
        return tuple(item.line for item in self.items)

    @property
    def gross_micro(self) -> int:
        """Return the amount that the close moves to Billed."""
        return sum(self.net_micro.values()) + sum(self.vat_micro.values())

    places: int = 2


class DetailDiffersError(Exception):
    """The call detail and the postings of a period do not agree."""


def draw_up(  # noqa: PLR0913 - everything that a bill depends on
    period: Period,
    brought: Brought,
    rows: Sequence[Row],
    used: Sequence[Used],
    codes: Mapping[str, VatCode],
    places: int,
    *,
    treatment: str = "on-invoice",
    final: bool = False,
    cash_micro: int = 0,
) -> Bill:
    """Draw up the bill of a period.

    Args:
        period: what it covers; rows outside it are left alone.
        brought: the balances it starts with.
        rows: postings to the customer's accounts.
        used: the customer's calls, added up from the call detail.
        codes: VAT codes by name.
        places: decimals of the currency.
        treatment: of the period: whether VAT is added to prices, or inside them.
        final: whether the account is settled: then no fraction stays.
        cash_micro: the smallest coin, which what is asked is a multiple of; 0: no matter.

    Raises:
        DetailDiffersError: if calls and usage postings differ.
    """
    inside = [row for row in rows if period.start <= row.date < period.end]
    _compare(inside, used)
    standing = [row for row in inside if not row.voided]
    before = brought.cumulative_micro
    after = _accumulated(before, standing)
    unused = set(after) if final else set(before) - _codes(standing)
    rounding = _fractions_of(unused, after, places)
    after = {code: micro + rounding.get(code, 0) for code, micro in after.items()}
    fractions = (micro - money.rounded(micro, places) for micro in after.values())
    moved = {
        code: money.rounded(micro, places) - money.rounded(before.get(code, 0), places)
        for code, micro in after.items()
    }
    included = treatment == "included"
    of = vat.inside if included else vat.added
    taxes = {code: of(amount, codes[code], places) for code, amount in moved.items()}
    net = {code: amount - taxes[code] if included else amount for code, amount in moved.items()}
    billed = brought.billed_micro + sum(row.micro for row in inside if row.billed)
    shown = Shown(before, codes if included else {}, places)
    carried_micro = billed + sum(net.values()) + sum(taxes.values())
    cash = _to_cash(carried_micro, cash_micro if treatment != "on-refill" else 0)
    carried_micro += cash
    return Bill(
        period=period,
        treatment=treatment,
        moved_micro=moved,
        net_micro=net,
        vat_micro=taxes,
        pending_micro=_pending(standing),
        rounding_micro=rounding,
        cash_micro=cash,
        coin_micro=cash_micro,
        brought=brought,
        carried=Brought(
            billed_micro=carried_micro,
            unbilled_micro=sum(fractions),
            cumulative_micro=after,
        ),
        statement=_statement(
            inside,
            brought,
            {} if included else taxes,
            codes,
            period,
            places,
            closing_micro=money.rounded(carried_micro, places),
            is_rounded=bool(cash),
        ),
        items=tuple(_items(standing, used, shown, places)),
        vat=tuple(_beside(list(_vat_lines(net, taxes, codes, _codes(standing), places)))),
        places=places,
    )


def _to_cash(owed_micro: int, coin_micro: int) -> int:
    """Return what makes an amount that is asked for a multiple of a coin; credit stays."""
    if not coin_micro or owed_micro <= 0:
        return 0
    return money.divide(owed_micro, coin_micro) * coin_micro - owed_micro


def _accumulated(before: Mapping[str, int], rows: Iterable[Row]) -> dict[str, int]:
    """Add rows to the cumulative postings to Unbilled, by VAT code."""
    sums = dict(before)
    for row in rows:
        if not row.billed:
            sums[row.vat] = sums.get(row.vat, 0) + row.micro
    return dict(sorted(sums.items()))


def _fractions_of(codes: Iterable[str], sums: Mapping[str, int], places: int) -> dict[str, int]:
    """Return the amounts that remove the fraction of a cent from the sums of some codes."""
    return {
        code: -fraction
        for code in sorted(codes)
        if (fraction := sums[code] - money.rounded(sums[code], places))
    }


def _pending(rows: Iterable[Row]) -> dict[str, int]:
    """Sum the VAT set aside inside prices, by VAT code, zero sums are left out."""
    sums: dict[str, int] = {}
    for row in rows:
        if row.pending_micro:
            sums[row.vat] = sums.get(row.vat, 0) + row.pending_micro
    return {code: micro for code, micro in sorted(sums.items()) if micro}


def _codes(rows: Iterable[Row]) -> set[str]:
    return {row.vat for row in rows if not row.billed}


def _compare(rows: Sequence[Row], used: Sequence[Used]) -> None:
    posted: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.calls is not None and not row.billed:
            key = (row.payee, row.vat)
            posted[key] = posted.get(key, 0) + row.micro
    detail: dict[tuple[str, str], int] = {}
    for item in used:
        key = (item.service, item.vat)
        detail[key] = detail.get(key, 0) + item.micro
    for key in sorted({*posted, *detail}):
        if posted.get(key, 0) != detail.get(key, 0):
            service, vat = key
            raise DetailDiffersError(
                f"{service} under {vat}: the journal says {money.text(posted.get(key, 0))}, "
                f"the call detail {money.text(detail.get(key, 0))}"
            )


class Shown:
    """Nets to show on lines, so that the lines of a code add up to the code's net.

    Where a code's prices contain VAT, a line shows by how much the total of the lines so far,
    less the VAT inside it, moved; else by how much the total moved.
    """

    def __init__(
        self, start_micro: Mapping[str, int], inside: Mapping[str, VatCode], places: int
    ) -> None:
        self.telescope, self.inside = Telescope(start_micro, places), inside
        self.gross: dict[str, int] = {}

    def add(self, code: str, micro: int) -> int:
        """Add a line and return the net to show for it, in micro-units."""
        moved = self.telescope.add(code, micro)
        if code not in self.inside:
            return moved
        before = self.gross.get(code, 0)
        after = self.gross[code] = before + moved
        return moved - self._vat(code, after) + self._vat(code, before)

    def _vat(self, code: str, gross_micro: int) -> int:
        return vat.inside(gross_micro, self.inside[code], self.telescope.places)


def _statement(  # noqa: PLR0913 - everything that stands on it
    rows: Sequence[Row],
    brought: Brought,
    taxes: Mapping[str, int],
    codes: Mapping[str, VatCode],
    period: Period,
    places: int,
    *,
    closing_micro: int,
    is_rounded: bool,
) -> Statement:
    shown = list(statement_lines(rows, brought, places))
    balance = shown[-1].balance if shown else money.rounded(brought.billed_micro, places)
    for code, amount in taxes.items():
        if amount:
            balance += amount
            shown.append(Movement(period.last, vat_title(codes[code]), amount, balance))
    if rest := closing_micro - balance:
        balance = closing_micro
        words = ROUNDED if is_rounded else ROUNDING
        shown.append(Movement(period.last, words, rest, balance))
    return Statement(
        opening=money.text(money.rounded(brought.billed_micro, places), places),
        lines=tuple(movement.line(places) for movement in shown),
        closing=money.text(balance, places),
    )


def _items(rows: Sequence[Row], used: Sequence[Used], shown: Shown, places: int) -> Iterator[Item]:
    calls = sorted(
        used,
        key=lambda item: (
            item.late_from is not None,
            item.service,
            item.destination,
            item.vat,
            item.late_from or item.first,
        ),
    )
    others = sorted((row for row in rows if not row.billed and row.calls is None), key=line_order)
    number = 0
    for item in [item for item in calls if not item.late_from]:
        number += 1
        net = shown.add(item.vat, item.micro)
        yield Item(_usage_line(number, "usage", item, net, places), item.micro, item)
    for row in others:
        number += 1
        net = shown.add(row.vat, row.micro)
        line = Line(
            line=number,
            kind=_kind(row),
            service=row.payee,
            destination="",
            description=row.narration,
            from_=str(row.first or row.late_from or row.date),
            to=str(row.last or row.late_from or row.date),
            calls=0,
            seconds=0,
            net=money.text(net, places),
            vat_code=row.vat,
            late_from=str(row.late_from) if row.late_from else None,
        )
        yield Item(line, row.micro, row)
    for item in [item for item in calls if item.late_from]:
        number += 1
        net = shown.add(item.vat, item.micro)
        yield Item(_usage_line(number, "late", item, net, places), item.micro, item)


def _usage_line(number: int, kind: str, item: Used, net: int, places: int) -> Line:
    return Line(
        line=number,
        kind=kind,
        service=item.service,
        destination=item.destination,
        description=period_file.calls_text(item.calls, item.seconds),
        from_=str(item.first),
        to=str(item.last),
        calls=item.calls,
        seconds=item.seconds,
        net=money.text(net, places),
        vat_code=item.vat,
        late_from=str(item.late_from) if item.late_from else None,
        extensions=dict(sorted(item.extensions.items(), key=lambda pair: (-pair[1], pair[0]))),
        rates=item.rates,
    )


def _kind(row: Row) -> str:
    if row.late_from:
        return "late"
    kind = row.link.partition("-")[0]
    return kind if kind in {"charge", "fee"} else "correction"


def _vat_lines(
    net: Mapping[str, int],
    taxes: Mapping[str, int],
    codes: Mapping[str, VatCode],
    used: set[str],
    places: int,
) -> Iterator[VatLine]:
    for code, amount in net.items():
        if (amount or code in used) and code != vat.PAID.code:
            yield VatLine(
                code=code,
                category=codes[code].category,
                rate=f"{codes[code].rate.normalize():f}",
                net=money.text(amount, places),
                vat=money.text(taxes[code], places),
                reason="" if codes[code].category in vat.TAXED else codes[code].reason,
            )


def _beside(rows: list[VatLine]) -> Iterator[VatLine]:
    """Yield the rows of the VAT table, with O (outside VAT) as E (exempt) beside other categories.

    EN 16931 has category O alone on a document; beside taxed items E says the same to whoever
    pays: no VAT, and for what reason. The code, in the books, stays as it is.
    """
    mixed = len({row.category for row in rows}) > 1
    for row in rows:
        yield replace(row, category="E") if mixed and row.category == "O" else row
