"""What is open of each document, and how long it is overdue.

A customer's Billed account is one sum; ageing says of which documents it consists. It follows
from the entries alone, whatever their order in time:

- a credit that names a document settles that one first: a credit note its original, a payment
  whose ``reference``, or else text, bears the number;
- what undoes or moves a payment is one with it: a payment that came back was never made;
- what is left of all credits, less what was paid back, settles the oldest documents first;
- what then remains of the credits is *unapplied*; nothing is open as long as there is any.

So open amounts less unapplied money are the balance, exactly. Amounts are micro-units.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from a2ledger import accounts
from a2ledger.journal import syntax
from a2ledger.journal.syntax import Block

BUCKETS = ("current", "d1_30", "d31_60", "d61_90", "over_90")
"""Days overdue by which open amounts are sorted."""

_ENDS = (0, 30, 60, 90)
_HEAD = re.compile(
    r'\S+ \S+ ("(?:[^"\\]|\\.)*")(?: ("(?:[^"\\]|\\.)*"))?(?P<marks>[^\n]*)', re.DOTALL
)
_META = re.compile(r'^  ([a-z_]+): (?:("(?:[^"\\]|\\.)*")|(\S+))$', re.MULTILINE)
_PAID = ("payment", "refill")


class Moved(NamedTuple):
    """One entry on a customer's Billed account."""

    date: dt.date
    micro: int
    """What it adds to what is owed."""
    title: str
    link: str
    """Its identity."""
    number: str = ""
    """Of the document it posts; empty for all else."""
    due: dt.date | None = None
    """When that falls due, if the entry says so."""
    payment: str = ""
    """Link of the payment it undoes or moves."""
    id: str = ""
    reference: str = ""
    names: tuple[str, ...] = ()
    """Texts in which a document may be named; the first that names one counts."""

    @property
    def kind(self) -> str:
        """The word its link begins with."""
        return self.link.partition("-")[0]


class Open(NamedTuple):
    """What is open of a document, or of a debit that has none."""

    date: dt.date
    number: str
    title: str
    due: dt.date
    amount_micro: int
    open_micro: int
    issued: bool = False
    """Whether it is an invoice of this book."""


def moved(block: Block, account: str) -> Moved | None:
    """What a block of a journal moves on a Billed account; None if nothing."""
    micro = sum(leg.micro for leg in syntax.legs(block.text) if leg.account == account)
    head = _HEAD.match(block.text)
    if not micro or head is None:
        return None
    links = syntax.links(block.text)
    link = min(links, key=lambda name: (name.startswith("refill-"), name), default="")
    meta = {
        key: syntax.unquoted(text) if text else plain
        for key, text, plain in _META.findall(block.text)
    }
    reference = meta.get("reference", "")
    title, narration = (syntax.unquoted(text) if text else "" for text in head.groups()[:2])
    number = ""
    if re.search(r" #invoice\b", head["marks"]):
        number = link
    elif link.startswith("opening-"):
        number = reference
    return Moved(
        dt.date.fromisoformat(block.date),
        micro,
        title,
        link,
        number,
        dt.date.fromisoformat(meta["due"]) if "due" in meta else None,
        meta.get("payment", ""),
        meta.get("id", ""),
        reference,
        (meta["original"],) if "original" in meta else (reference, narration),
    )


def entries(text: str, customer: str, until: dt.date) -> Iterator[Moved]:
    """Entries of a period's file on a customer's Billed account, up to a day."""
    account = accounts.billed(customer)
    above, _, below = text.partition(syntax.MARKER)
    closed = _CLOSING.search(below)
    for part in (above, below[closed.start() :] if closed else ""):
        for block in syntax.blocks(part):
            if block.kind in {"*", "!"} and block.date <= str(until) and account in block.text:
                found = moved(block, account)
                if found:
                    yield found


_CLOSING = re.compile(
    r"^\d{4}-\d\d-\d\d \* [^\n]* #(?:invoice|credit-note|statement)\b", re.MULTILINE
)


def opened(rows: Iterable[Moved]) -> tuple[list[Open], int]:
    """What is open, oldest first, and what money is unapplied.

    Args:
        rows: all entries of a customer's Billed account up to a day.

    Returns:
        open documents, whose sum less the unapplied money is the sum of the rows.
    """
    every = sorted(rows, key=lambda row: (row.date, row.link))
    documents = [row for row in every if _is_document(row)]
    rest = [row.micro for row in documents]
    pool, bare = 0, []
    for group in _groups([row for row in every if not _is_document(row)]):
        micro = -sum(row.micro for row in group)
        if micro < 0:
            bare.append(group[-1]._replace(micro=-micro))
            continue
        for index in _named(group, documents):
            applied = min(micro, rest[index])
            rest[index] -= applied
            micro -= applied
        pool += micro
    # What was paid back came out of money that settles no named document.
    rest = [row.micro for row in bare] + rest
    found = []
    for row, left in zip([*bare, *documents], rest, strict=True):
        applied = min(pool, left)
        pool -= applied
        if left > applied:
            due = row.due or row.date
            issued = bool(row.number) and row.number == row.link
            found.append(
                Open(row.date, row.number, row.title, due, row.micro, left - applied, issued)
            )
    return sorted(found), pool


def _is_document(row: Moved) -> bool:
    return row.micro > 0 and (bool(row.number) or row.kind == "opening")


def _groups(rows: Sequence[Moved]) -> list[list[Moved]]:
    """Entries put together with what undoes or moves them."""
    paid = {(row.kind, row.id): row.link for row in rows if row.micro < 0 and row.kind in _PAID}
    groups: dict[str, list[Moved]] = {}
    for row in rows:
        key = row.payment or row.link
        if row.micro > 0 and row.kind in _PAID:
            key = paid.get((row.kind, row.reference), key)
        # A hand-written entry may have no link: it is with no other.
        groups.setdefault(key or f"#{len(groups)}", []).append(row)
    return list(groups.values())


def _named(group: Sequence[Moved], documents: Sequence[Moved]) -> list[int]:
    """Documents a credit names, oldest first."""
    for row in group:
        for text in row.names if row.micro < 0 else ():
            found = [
                index
                for index, document in enumerate(documents)
                if document.number and _bears(text, document.number)
            ]
            if found:
                return found
    return []


def _bears(text: str, number: str) -> bool:
    """Whether a text contains a document's number, and not as a part of a longer one."""
    return number in text and bool(
        re.search(rf"(?<![A-Za-z0-9_-]){re.escape(number)}(?![A-Za-z0-9_-])", text)
    )


def bucket(due: dt.date, day: dt.date) -> str:
    """The bucket of an amount on a day.

    >>> bucket(dt.date(2026, 1, 31), dt.date(2026, 1, 31)), bucket(dt.date(2026, 1, 1), dt.date.max)
    ('current', 'over_90')
    """
    late = (day - due).days
    return BUCKETS[sum(late > end for end in _ENDS)]
