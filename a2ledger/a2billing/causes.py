"""Explain why A2Billing's balance of a customer differs from the book's, cause by cause.

``difference = credit - book``, where ``book`` is the customer's balance in the book, negative if
they owe. A cause's amount is its part of the difference, and its rows are the evidence; a cause
without an amount is a fault in A2Billing that has not moved the balance yet. The rest is
*unexplained*. Causes shown by rows come first; then one whose amount equals the rest exactly.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from a2ledger.a2billing import tables
from a2ledger.a2billing.cards import Card
from a2ledger.a2billing.money_log import Entry
from a2ledger.payments import posting

MEANINGS = {
    "vat-on-bills": "VAT on the book's bills, and fractions of cents they wrote off",
    "vat-paid": "VAT paid with a top-up; A2Billing's balance is net",
    "old-invoices": "unpaid A2Billing invoices, as far as its balance does not include them",
    "paid-without-credit": "paid, and the balance was never raised",
    "never-taken": "put on an invoice, and never taken from the balance",
    "did-charged-twice": "taken from the balance, and billed again",
    "refill-deleted": "the refill of a payment was deleted",
    "refill-edited": "the refill was edited; the balance did not follow",
    "row-deleted": "the row was deleted; the balance did not follow",
    "not-in-book": "not in the book: import again, or see the quarantine",
    "only-in-book": "only in the book",
    "own-fee": "A2Billing charged for what the book charges itself",
    "before-opening": "before the account began in the book",
    "call-otherwise": "calls with another price in the book",
    "call-deleted": "calls whose rows were deleted; the balance did not follow",
    "initial-credit": "the card was made with a balance and without a refill",
    "reservation": "taken when a call began, and not given back",
    "did-a-leg": "a call to a number, charged to its caller and recorded for its owner",
    "float-rounding": "calls whose price A2Billing stored rounded",
    "no-customer": "the card is not a customer of the book",
}
"""Explanation of each cause."""

ADOPTED = ("initial-credit", "did-a-leg", "float-rounding", "refill-edited")
"""Causes that moved the balance without a row, so that the book can only follow by adopting."""

_FEW = 3
"""Largest number of lost reservations accepted as an explanation; more is likely a coincidence."""
_SUBSETS = 12
"""Number of rows of which all combinations are tried."""
_NAMED = 20
RESERVATION_MICRO = 250_000
"""Amount A2Billing reserves when a call begins, by default."""


class Cause(NamedTuple):
    """A part of a difference, with its evidence."""

    code: str
    micro: int
    rows: tuple[str, ...] = ()
    note: str = ""

    @property
    def message(self) -> str:
        """Return the explanation for people, with the rows."""
        rows = ", ".join(self.rows[:_NAMED])
        more = f" and {len(self.rows) - _NAMED} more" if len(self.rows) > _NAMED else ""
        return "; ".join(filter(None, (self.note or MEANINGS[self.code], rows + more)))


class Held(NamedTuple):
    """An entry of the book."""

    link: str
    """Its own link, empty for calls."""
    what: str
    """Kind: ``row`` of A2Billing, ``opening``, ``calls``, ``bill``, ``adopted`` or ``other``."""
    micro: int
    """Amount in the customer's favour."""
    first_micro: int
    """Amount of its first posting."""
    voided: bool
    title: str


class Call(NamedTuple):
    """A call, as A2Billing or the book has it."""

    name: str
    micro: int
    written: str = ""
    """The price as stored in A2Billing."""
    is_a_leg: bool = False
    is_before: bool = False


@dataclass(kw_only=True)
class Line:
    """The reconciliation of a customer."""

    customer: str
    card: str
    username: str
    credit_micro: int
    book_micro: int
    causes: list[Cause] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    @property
    def difference_micro(self) -> int:
        """Return how much higher A2Billing's balance is than the book's."""
        return self.credit_micro - self.book_micro

    @property
    def unexplained_micro(self) -> int:
        """Return the part of the difference without a known cause."""
        return self.difference_micro - sum(cause.micro for cause in self.causes)

    @property
    def agrees(self) -> bool:
        """Return True if there is no difference and no cause to report."""
        return not self.difference_micro and not self.causes


class Known(NamedTuple):
    """A customer's data from both sides, except calls."""

    opened: dt.date
    entries: Sequence[Entry]
    held: Sequence[Held]
    in_credit: Mapping[str, int]
    """Part of A2Billing's invoices included in its balance, by the links of their openings."""


def by_rows(known: Known) -> Iterator[Cause]:
    """Yield causes shown by rows other than calls."""
    held = {row.link: row for row in known.held if row.link}
    has_opening = any(row.what == "opening" for row in known.held)
    met = set()
    for entry in known.entries:
        link = posting.link(entry.movement)
        met.add(link)
        if entry.movement.date < known.opened:
            if entry.credit_micro and not has_opening:
                yield Cause("before-opening", entry.credit_micro, (entry.name,))
        elif link in held:
            yield from _row(entry, held[link], held)
        elif entry.credit_micro:
            yield Cause("not-in-book", entry.credit_micro, (entry.name,))
    for row in known.held:
        if row.what == "row" and row.link not in met:
            yield _deleted(row)
    yield from _of_book(known)


def _row(entry: Entry, entry_held: Held, held: Mapping[str, Held]) -> Iterator[Cause]:
    """Yield the causes of a difference between a row and its entry."""
    movement, moved = entry.movement, entry.credit_micro
    if entry.cause == "refill-deleted":
        refill = posting.link(replace(movement, kind="refill", id=movement.reference))
        if refill in held:  # it was there when the payment came in
            moved = 0
    if entry_held.voided:
        yield Cause("only-in-book", moved - entry_held.micro, (entry.name,), "void in the book")
        return
    if entry_held.first_micro != movement.amount_micro:
        amounts = f"{tables.text(entry_held.first_micro)} in the book"
        now = tables.text(movement.amount_micro)
        yield Cause("refill-edited", 0, (entry.name,), f"edited to {now}, {amounts}")
        moved = entry_held.micro
    if moved != entry_held.micro:
        yield Cause(entry.cause or "only-in-book", moved - entry_held.micro, (entry.name,))
    elif entry.cause == "refill-deleted":
        yield Cause("refill-deleted", 0, (entry.name, f"cc_logrefill {movement.reference}"))
    if entry.also_billed:
        yield Cause("did-charged-twice", 0, (entry.name,))


def _deleted(entry_held: Held) -> Cause:
    """Return the cause for an entry whose row A2Billing has deleted."""
    if entry_held.link.startswith("payment-"):
        return Cause(
            "paid-without-credit", -entry_held.micro, (f"^{entry_held.link}",), "deleted by now"
        )
    if "-vat-" in entry_held.link:
        return Cause("vat-paid", -entry_held.micro, (f"^{entry_held.link}",))
    return Cause("row-deleted", 0, (f"^{entry_held.link}",))


def _of_book(known: Known) -> Iterator[Cause]:
    """Yield causes for entries of the book without a row in A2Billing."""
    bills = [row for row in known.held if row.what == "bill" and row.micro]
    if bills:
        links = tuple(row.link or row.title for row in bills)
        yield Cause("vat-on-bills", -sum(row.micro for row in bills), links)
    for row in known.held:
        if row.what == "other" and row.micro:
            yield Cause("only-in-book", -row.micro, (f"^{row.link}" if row.link else row.title,))
        elif row.what == "opening" and row.link in known.in_credit:
            rest = -row.micro - known.in_credit[row.link]
            if rest:
                code = "vat-paid" if "-vat-" in row.link else "old-invoices"
                yield Cause(code, rest, (f"^{row.link}",))


def by_calls(
    theirs: Mapping[str, Call], ours: Mapping[str, Call], *, has_opening: bool
) -> Iterator[Cause]:
    """Yield causes shown by calls, matched by identity on both sides."""
    before = [call for call in theirs.values() if call.is_before and call.micro]
    if before and not has_opening:
        yield _calls("before-opening", before, -1)
    missing = [
        call
        for key, call in theirs.items()
        if key not in ours and not call.is_before and call.micro
    ]
    if missing:
        yield _calls("not-in-book", missing, -1)
    deleted = [call for key, call in ours.items() if key not in theirs and call.micro]
    if deleted:
        yield Cause("call-deleted", 0, tuple(call.name for call in deleted))
    otherwise = [
        Call(call.name, call.micro - ours[key].micro)
        for key, call in theirs.items()
        if key in ours and call.micro != ours[key].micro and not call.is_before
    ]
    if otherwise:
        yield _calls("call-otherwise", otherwise, -1)


def _calls(code: str, calls: Sequence[Call], sign: int) -> Cause:
    rows = tuple(call.name for call in calls)
    return Cause(code, sign * sum(call.micro for call in calls), rows)


def by_amount(
    left_micro: int,
    card: Card,
    entries: Sequence[Entry],
    calls: Iterable[Call],
    edited: Sequence[tuple[str, tuple[int, ...]]],
    reservation_micro: int = RESERVATION_MICRO,
) -> Cause | None:
    """Return the cause whose amount equals the unexplained rest exactly, if there is one.

    Args:
        left_micro: what rows do not show.
        card: the customer's.
        entries: of the card.
        calls: all of the card's, and the legs that were charged to it and recorded for another,
            whose amounts are below zero.
        edited: refills that are not what their payments say, with what they may have been less
            what they are.
        reservation_micro: what is taken when a call begins.
    """
    calls = list(calls)
    for name, differences in edited:
        if left_micro in differences:
            return Cause("refill-edited", left_micro, (name,))
    for cause in (
        _of_numbers(left_micro, entries),
        _of_card(left_micro, card),
        _of_legs(left_micro, calls),
        _reserved(left_micro, card, reservation_micro),
        _rounded(left_micro, calls),
    ):
        if cause:
            return cause
    return None


def _of_numbers(left_micro: int, entries: Sequence[Entry]) -> Cause | None:
    """Find bought numbers whose fee was never taken, or was taken twice."""
    bought = [(entry.name, -entry.credit_micro) for entry in entries if entry.also_billed]
    if rows := _combination(left_micro, bought):
        return Cause("never-taken", left_micro, rows)
    for entry in entries:
        if entry.movement.service == "DIDs" and left_micro == entry.credit_micro != 0:
            note = "taken from the balance twice"
            return Cause("did-charged-twice", left_micro, (entry.name,), note)
    return None


def _of_card(left_micro: int, card: Card) -> Cause | None:
    is_initial = card.initial_micro and left_micro == card.initial_micro
    return Cause("initial-credit", left_micro, (f"cc_card {card.id}",)) if is_initial else None


def _of_legs(left_micro: int, calls: Sequence[Call]) -> Cause | None:
    legs = [(call.name, call.micro) for call in calls if call.is_a_leg]
    rows = _combination(left_micro, legs)
    return Cause("did-a-leg", left_micro, rows) if rows else None


def _reserved(left_micro: int, card: Card, each_micro: int) -> Cause | None:
    count, rest = divmod(-left_micro, each_micro) if each_micro else (0, 1)
    if rest or not 0 < count <= max(_FEW, card.in_use):
        return None
    now = f", in {card.in_use} call(s) now" if card.in_use else ""
    return Cause("reservation", left_micro, (f"{count} x {tables.text(each_micro)}{now}",))


def _rounded(left_micro: int, calls: Sequence[Call]) -> Cause | None:
    doubt = [(call.name, doubtful(call.written)) for call in calls if call.micro >= 0]
    rows = tuple(name for name, micro in doubt if micro)
    if abs(left_micro) > sum(micro for _, micro in doubt):
        return None
    return Cause("float-rounding", left_micro, rows)


def _combination(wanted: int, rows: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Return the fewest rows whose amounts add up to the wanted sum, or none."""
    some = rows[:_SUBSETS]
    for size in range(1, len(some) + 1):
        for chosen in itertools.combinations(some, size):
            if sum(micro for _, micro in chosen) == wanted:
                return tuple(name for name, _ in chosen)
    if len(rows) > _SUBSETS and sum(micro for _, micro in rows) == wanted:
        return tuple(name for name, _ in rows)
    return ()


_UNIT = 10
"""The last decimal of A2Billing's balances, in micro-units."""


def doubtful(written: str) -> int:
    """Return the micro-units by which a balance may differ from the stored price of a call.

    The price was computed with six decimals, taken from a balance of five, and stored with the
    24 bits of single precision: what lies half-way between two balances may have gone to either,
    and of large amounts the last decimals are lost. (An amount of money is not computed here.)
    """
    try:
        price = abs(float(written))
    except ValueError:
        return 0
    if not price or not math.isfinite(price):
        return 0
    step = 2.0 ** (math.frexp(price)[1] - 24) / 2
    digits = written.strip("-").replace(".", "").lstrip("0")
    decimals = len(written.partition(".")[2])
    if "e" not in written and decimals < tables.PLACES and len(digits) >= 6:  # noqa: PLR2004 - what a server writes of single precision
        step = max(step, 0.5 * 10.0**-decimals)
    if step > 5e-6:  # noqa: PLR2004 - half of the last decimal
        return math.ceil((step + 5e-6) * 1e6)
    part = price * 1e5 % 1
    return _UNIT if abs(part - 0.5) * 1e-5 <= step + 1e-12 else 0


def hints(left_micro: int, entries: Sequence[Entry]) -> list[str]:
    """List rows whose amount equals the unexplained rest: not proof, but a place to look."""
    return [
        f"as much as {entry.name}"
        for entry in entries
        if entry.movement.amount_micro and abs(left_micro) == abs(entry.movement.amount_micro)
    ]
