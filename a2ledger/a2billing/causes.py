"""Why A2Billing's balance of a customer is not the book's: each difference with its cause.

``difference = credit - book``, where ``book`` is what the customer has there: less than nothing if
he owes. A cause's amount is its part of the difference, and its rows are the evidence; one of no
amount is a fault of A2Billing's that has not moved the balance yet. What no cause shows is
*unexplained*. First comes what rows say, then, of what is left, what fits it exactly.
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
    "old-invoices": "what unpaid invoices of A2Billing's ask beyond its balance",
    "paid-without-credit": "paid, and the balance was never raised",
    "never-taken": "put on an invoice, and never taken from the balance",
    "did-charged-twice": "taken from the balance, and billed again",
    "refill-deleted": "the refill of a payment was deleted",
    "refill-edited": "the refill was edited; the balance did not follow",
    "row-deleted": "the row was deleted; the balance did not follow",
    "not-in-book": "not in the book: import again, or see the quarantine",
    "only-in-book": "in the book alone",
    "own-fee": "A2Billing charged what the book charges for by itself",
    "before-opening": "older than the account in the book",
    "call-otherwise": "calls that the book has at another price",
    "call-deleted": "calls whose rows were deleted; the balance did not follow",
    "initial-credit": "the card was made with a balance and without a refill",
    "reservation": "taken when a call began, and not given back",
    "did-a-leg": "a call to a number, charged to its caller and recorded for its owner",
    "float-rounding": "calls whose price A2Billing stored rounded",
    "no-customer": "the card is no customer of the book",
}
"""What each cause means."""

ADOPTED = ("initial-credit", "did-a-leg", "float-rounding", "refill-edited")
"""Causes by which the balance moved and no row says so, so that only adopting can follow it."""

_FEW = 3
"""Reservations that are believed lost: five euros are twenty, and mostly something else."""
_SUBSETS = 12
"""Rows of which every combination is tried."""
_NAMED = 20
RESERVATION_MICRO = 250_000
"""What A2Billing takes when a call begins, unless it is set otherwise."""


class Cause(NamedTuple):
    """A part of a difference and its evidence."""

    code: str
    micro: int
    rows: tuple[str, ...] = ()
    note: str = ""

    @property
    def message(self) -> str:
        """What it means, for a person."""
        rows = ", ".join(self.rows[:_NAMED])
        more = f" and {len(self.rows) - _NAMED} more" if len(self.rows) > _NAMED else ""
        return "; ".join(filter(None, (self.note or MEANINGS[self.code], rows + more)))


class Held(NamedTuple):
    """An entry of the book's."""

    link: str
    """Its own; empty for calls."""
    what: str
    """``row`` of A2Billing's, ``opening``, ``calls``, ``bill``, ``adopted`` or ``other``."""
    micro: int
    """What it moves in the customer's favour."""
    first_micro: int
    """The amount of its first posting."""
    voided: bool
    title: str


class Call(NamedTuple):
    """A call as one of both sides has it."""

    name: str
    micro: int
    written: str = ""
    """The price as A2Billing has stored it."""
    is_a_leg: bool = False
    is_before: bool = False


@dataclass(kw_only=True)
class Line:
    """A customer's reconciliation."""

    customer: str
    card: str
    username: str
    credit_micro: int
    book_micro: int
    causes: list[Cause] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    @property
    def difference_micro(self) -> int:
        """What A2Billing has more for him than the book."""
        return self.credit_micro - self.book_micro

    @property
    def unexplained_micro(self) -> int:
        """What of the difference no cause shows."""
        return self.difference_micro - sum(cause.micro for cause in self.causes)

    @property
    def agrees(self) -> bool:
        """Whether there is nothing to be said."""
        return not self.difference_micro and not self.causes


class Known(NamedTuple):
    """What both sides say of a customer, but for calls."""

    opened: dt.date
    entries: Sequence[Entry]
    held: Sequence[Held]
    in_credit: Mapping[str, int]
    """What of A2Billing's invoices is in its balance, by the links of their openings."""


def by_rows(known: Known) -> Iterator[Cause]:
    """Causes that rows show, but for calls."""
    held = {one.link: one for one in known.held if one.link}
    has_opening = any(one.what == "opening" for one in known.held)
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
    for one in known.held:
        if one.what == "row" and one.link not in met:
            yield _deleted(one)
    yield from _of_book(known)


def _row(entry: Entry, one: Held, held: Mapping[str, Held]) -> Iterator[Cause]:
    """What a row and its entry move differently."""
    movement, moved = entry.movement, entry.credit_micro
    if entry.cause == "refill-deleted":
        refill = posting.link(replace(movement, kind="refill", id=movement.reference))
        if refill in held:  # it was there when the payment came in
            moved = 0
    if one.voided:
        yield Cause("only-in-book", moved - one.micro, (entry.name,), "void in the book")
        return
    if one.first_micro != movement.amount_micro:
        amounts = f"{tables.text(one.first_micro)} in the book"
        now = tables.text(movement.amount_micro)
        yield Cause("refill-edited", 0, (entry.name,), f"edited to {now}, {amounts}")
        moved = one.micro
    if moved != one.micro:
        yield Cause(entry.cause or "only-in-book", moved - one.micro, (entry.name,))
    elif entry.cause == "refill-deleted":
        yield Cause("refill-deleted", 0, (entry.name, f"cc_logrefill {movement.reference}"))
    if entry.also_billed:
        yield Cause("did-charged-twice", 0, (entry.name,))


def _deleted(one: Held) -> Cause:
    """A row that the book has and A2Billing has no more."""
    if one.link.startswith("payment-"):
        return Cause("paid-without-credit", -one.micro, (f"^{one.link}",), "deleted by now")
    if "-vat-" in one.link:
        return Cause("vat-paid", -one.micro, (f"^{one.link}",))
    return Cause("row-deleted", 0, (f"^{one.link}",))


def _of_book(known: Known) -> Iterator[Cause]:
    """What the book has beyond A2Billing's rows."""
    bills = [one for one in known.held if one.what == "bill" and one.micro]
    if bills:
        links = tuple(one.link or one.title for one in bills)
        yield Cause("vat-on-bills", -sum(one.micro for one in bills), links)
    for one in known.held:
        if one.what == "other" and one.micro:
            yield Cause("only-in-book", -one.micro, (f"^{one.link}" if one.link else one.title,))
        elif one.what == "opening" and one.link in known.in_credit:
            rest = -one.micro - known.in_credit[one.link]
            if rest:
                code = "vat-paid" if "-vat-" in one.link else "old-invoices"
                yield Cause(code, rest, (f"^{one.link}",))


def by_calls(
    theirs: Mapping[str, Call], ours: Mapping[str, Call], *, has_opening: bool
) -> Iterator[Cause]:
    """Causes that calls show, by what identifies them on both sides."""
    before = [one for one in theirs.values() if one.is_before and one.micro]
    if before and not has_opening:
        yield _calls("before-opening", before, -1)
    missing = [
        one for key, one in theirs.items() if key not in ours and not one.is_before and one.micro
    ]
    if missing:
        yield _calls("not-in-book", missing, -1)
    gone = [one for key, one in ours.items() if key not in theirs and one.micro]
    if gone:
        yield Cause("call-deleted", 0, tuple(one.name for one in gone))
    otherwise = [
        Call(one.name, one.micro - ours[key].micro)
        for key, one in theirs.items()
        if key in ours and one.micro != ours[key].micro and not one.is_before
    ]
    if otherwise:
        yield _calls("call-otherwise", otherwise, -1)


def _calls(code: str, calls: Sequence[Call], sign: int) -> Cause:
    rows = tuple(one.name for one in calls)
    return Cause(code, sign * sum(one.micro for one in calls), rows)


def by_amount(
    left_micro: int,
    card: Card,
    entries: Sequence[Entry],
    calls: Iterable[Call],
    edited: Sequence[tuple[str, tuple[int, ...]]],
    reservation_micro: int = RESERVATION_MICRO,
) -> Cause | None:
    """The cause whose amount is exactly what is left, if there is one.

    Args:
        left_micro: what rows do not show.
        card: his.
        entries: of his card.
        calls: all of his card's, and the legs that were charged to him and recorded for another,
            whose amounts are below zero.
        edited: refills that are not what their payments say, with what they may have been less
            what they are.
        reservation_micro: what is taken when a call begins.
    """
    calls = list(calls)
    for name, differences in edited:
        if left_micro in differences:
            return Cause("refill-edited", left_micro, (name,))
    for found in (
        _of_numbers(left_micro, entries),
        _of_card(left_micro, card),
        _of_legs(left_micro, calls),
        _reserved(left_micro, card, reservation_micro),
        _rounded(left_micro, calls),
    ):
        if found:
            return found
    return None


def _of_numbers(left_micro: int, entries: Sequence[Entry]) -> Cause | None:
    """Numbers bought whose fee was not taken, or was taken twice."""
    bought = [(one.name, -one.credit_micro) for one in entries if one.also_billed]
    if rows := _combination(left_micro, bought):
        return Cause("never-taken", left_micro, rows)
    for one in entries:
        if one.movement.service == "DIDs" and left_micro == one.credit_micro != 0:
            note = "taken from the balance twice"
            return Cause("did-charged-twice", left_micro, (one.name,), note)
    return None


def _of_card(left_micro: int, card: Card) -> Cause | None:
    is_initial = card.initial_micro and left_micro == card.initial_micro
    return Cause("initial-credit", left_micro, (f"cc_card {card.id}",)) if is_initial else None


def _of_legs(left_micro: int, calls: Sequence[Call]) -> Cause | None:
    legs = [(one.name, one.micro) for one in calls if one.is_a_leg]
    rows = _combination(left_micro, legs)
    return Cause("did-a-leg", left_micro, rows) if rows else None


def _reserved(left_micro: int, card: Card, each_micro: int) -> Cause | None:
    count, rest = divmod(-left_micro, each_micro) if each_micro else (0, 1)
    if rest or not 0 < count <= max(_FEW, card.in_use):
        return None
    now = f", in {card.in_use} call(s) now" if card.in_use else ""
    return Cause("reservation", left_micro, (f"{count} x {tables.text(each_micro)}{now}",))


def _rounded(left_micro: int, calls: Sequence[Call]) -> Cause | None:
    doubt = [(one.name, doubtful(one.written)) for one in calls if one.micro >= 0]
    rows = tuple(name for name, micro in doubt if micro)
    if abs(left_micro) > sum(micro for _, micro in doubt):
        return None
    return Cause("float-rounding", left_micro, rows)


def _combination(wanted: int, rows: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """The rows whose amounts add up to what is wanted: the fewest, or none."""
    some = rows[:_SUBSETS]
    for size in range(1, len(some) + 1):
        for chosen in itertools.combinations(some, size):
            if sum(micro for _, micro in chosen) == wanted:
                return tuple(name for name, _ in chosen)
    if len(rows) > _SUBSETS and sum(micro for _, micro in rows) == wanted:
        return tuple(name for name, _ in rows)
    return ()


_UNIT = 10
"""Micro-units of A2Billing's last decimal."""


def doubtful(written: str) -> int:
    """By how many micro-units a balance may have moved otherwise than a stored price says.

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
    """Rows of just the amount that is left: no proof, but a place to look."""
    return [
        f"as much as {entry.name}"
        for entry in entries
        if entry.movement.amount_micro and abs(left_micro) == abs(entry.movement.amount_micro)
    ]
