"""Age a customer's open documents: what is open of each, and for how long it is overdue.

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
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from a2ledger import accounts, money
from a2ledger.balances import balances
from a2ledger.book.book import Book, BrokenBookError, restore
from a2ledger.documents import files, paths, references
from a2ledger.documents.document import Document
from a2ledger.journal import customer_file, subledgers, syntax
from a2ledger.journal.entries import CLOSING, STATED
from a2ledger.journal.ledger import Standing
from a2ledger.journal.syntax import Block
from a2ledger.records import Customer, Problem

BUCKETS = ("current", "d1_30", "d31_60", "d61_90", "over_90")
"""Aging buckets, by days overdue."""

_ENDS = (0, 30, 60, 90)
_PAID = ("payment", "refill")


class Moved(NamedTuple):
    """One entry on a customer's Billed account."""

    date: dt.date
    micro: int
    """Positive if it adds to what is owed."""
    title: str
    link: str
    """The link that identifies the entry."""
    number: str = ""
    """Number of the document it posts, or the name of its statement; empty if it posts none."""
    due: dt.date | None = None
    """Due date, if the entry gives one."""
    payment: str = ""
    """Link of the payment it undoes or moves, or of the write-off it recovers."""
    id: str = ""
    reference: str = ""
    names: tuple[str, ...] = ()
    """Texts that may name a document; the first that names one counts."""
    issued: bool = False
    """True if it posts a document of this book."""

    @property
    def kind(self) -> str:
        """Return the kind of entry: the first word of its link."""
        return self.link.partition("-")[0]


class Open(NamedTuple):
    """The open amount of a document, or of a debit without a document."""

    date: dt.date
    number: str
    title: str
    due: dt.date
    amount_micro: int
    open_micro: int
    issued: bool = False
    """True for a document of this book."""


def moved(block: Block, account: str) -> Moved | None:
    """Parse a journal entry that moves a Billed account, or None if it does not."""
    micro = sum(leg.micro for leg in block.legs if leg.account == account)
    if not micro or not block.strings:
        return None
    link, meta = block.own_link, block.meta
    reference = meta.get("reference", "")
    title, narration = (*block.strings, "")[:2]
    number = ""
    if "invoice" in block.tags:
        number = link
    elif STATED in meta:
        number = meta[STATED]
    elif link.startswith("opening-"):
        number = reference
    return Moved(
        dt.date.fromisoformat(block.date),
        micro,
        title,
        link,
        number,
        dt.date.fromisoformat(meta["due"]) if "due" in meta else None,
        meta.get("payment", "") or meta.get("recovers", "").partition(" ")[0],
        meta.get("id", ""),
        reference,
        (meta["original"],) if "original" in meta else (reference, narration),
        "invoice" in block.tags or STATED in meta,
    )


def entries(text: str, customer: str, until: dt.date) -> Iterator[Moved]:
    """Yield the entries of a period's file on a customer's Billed account, up to a day."""
    account = accounts.billed(customer)
    above, _, below = text.partition(syntax.MARKER)
    closed = _CLOSING.search(below)
    for part in (above, below[closed.start() :] if closed else ""):
        for block in syntax.blocks(part):
            if block.kind in {"*", "!"} and block.date <= str(until) and account in block.text:
                entry = moved(block, account)
                if entry:
                    yield entry


# Usage, which moves no Billed account, is not taken apart.
_CLOSING = re.compile(
    rf"^\d{{4}}-\d\d-\d\d \* [^\n]* #(?:{'|'.join(sorted(CLOSING))})\b", re.MULTILINE
)


class Applied(NamedTuple):
    """The amount by which a credit settles a debit."""

    credit: Moved
    debit: Moved
    micro: int


class Settled(NamedTuple):
    """Debits with their open amounts, the credits applied to them, and money left unapplied."""

    debits: list[tuple[Moved, int]]
    applied: list[Applied]
    unapplied_micro: int


def settled(rows: Iterable[Moved]) -> Settled:
    """Apply the credits of a customer's Billed account to its debits.

    Args:
        rows: all entries of the account up to a day.

    Returns:
        documents, and money paid back that no document is for, with what is open of each: the sum
        of these less the unapplied money is the sum of the rows.
    """
    every = _with_rounding(sorted(rows, key=lambda row: (row.date, row.link)))
    documents = [row for row in every if _is_document(row)]
    rest = [row.micro for row in documents]
    applied: list[Applied] = []
    pool: list[tuple[Moved, int]] = []
    bare = []
    for group in _groups([row for row in every if not _is_document(row)]):
        micro = -sum(row.micro for row in group)
        if micro < 0:
            bare.append(group[-1]._replace(micro=-micro))
            continue
        credit = next((row for row in group if row.micro < 0), group[0])
        for index in _named(group, documents):
            part = min(micro, rest[index])
            rest[index] -= part
            micro -= part
            applied += [Applied(credit, documents[index], part)] if part else []
        pool += [(credit, micro)] if micro else []
    # What was paid back came out of money that settles no named document.
    debits = [*bare, *documents]
    rest = [row.micro for row in bare] + rest
    debits_open = []
    for row, open_micro in zip(debits, rest, strict=True):
        while open_micro and pool:
            credit, micro = pool[0]
            part = min(micro, open_micro)
            open_micro -= part  # noqa: PLW2901
            applied.append(Applied(credit, row, part))
            pool[:1] = [(credit, micro - part)] if micro > part else []
        debits_open.append((row, open_micro))
    return Settled(debits_open, applied, sum(micro for _, micro in pool))


def opened(rows: Iterable[Moved]) -> tuple[list[Open], int]:
    """Return open documents, oldest first, and the money left unapplied.

    Args:
        rows: all entries of a customer's Billed account up to a day.

    Returns:
        open documents, whose sum less the unapplied money is the sum of the rows.
    """
    result = settled(rows)
    return sorted(
        Open(
            row.date,
            row.number,
            row.title,
            row.due or row.date,
            row.micro,
            open_micro,
            row.issued,
        )
        for row, open_micro in result.debits
        if open_micro
    ), result.unapplied_micro


def _with_rounding(rows: Sequence[Moved]) -> list[Moved]:
    """Add the cash rounding of a bill to the document with the same link."""
    links = {row.link for row in rows if row.issued}
    rounded: dict[str, int] = {}
    for row in rows:
        if not row.number and row.link in links:
            rounded[row.link] = rounded.get(row.link, 0) + row.micro
    return [
        row._replace(micro=row.micro + rounded.get(row.link, 0)) if row.number else row
        for row in rows
        if row.number or row.link not in rounded
    ]


def _is_document(row: Moved) -> bool:
    return row.micro > 0 and (bool(row.number) or row.kind == "opening")


def _groups(rows: Sequence[Moved]) -> list[list[Moved]]:
    """Group entries with those that undo or move them."""
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
    """Return the indexes of documents that a credit names, oldest first."""
    for row in group:
        for text in row.names if row.micro < 0 else ():
            indexes = [
                index
                for index, document in enumerate(documents)
                if document.number
                and (_bears(text, document.number) or references.names(text, document.number))
            ]
            if indexes:
                return indexes
    return []


def _bears(text: str, number: str) -> bool:
    """Return True if a text contains a document's number, and not as part of a longer one.

    Payers write it in small letters, with other signs between its parts or none:
    ``inv 2026-000007`` and ``INV2026000007`` are INV-2026-000007. A number without letters is
    taken as it is written.
    """
    return bool(text) and _spelling(number).search(text) is not None


@cache
def _spelling(number: str) -> re.Pattern[str]:
    """Compile a pattern for the ways a document's number may be written."""
    pieces = re.findall(r"[A-Za-z]+|[0-9]+|[^A-Za-z0-9]+", number)
    if not any(piece.isalpha() for piece in pieces):
        return re.compile(rf"(?<![A-Za-z0-9_-]){re.escape(number)}(?![A-Za-z0-9_-])")
    between = r"[\s_./:#-]*"
    spelled = between.join(re.escape(piece) for piece in pieces if piece.isalnum())
    return re.compile(rf"(?<![A-Za-z0-9_-]){spelled}(?![A-Za-z0-9_-])(?![./][0-9])", re.IGNORECASE)


def bucket(due: dt.date, day: dt.date) -> str:
    """Return the aging bucket of an amount on a day.

    >>> bucket(dt.date(2026, 1, 31), dt.date(2026, 1, 31)), bucket(dt.date(2026, 1, 1), dt.date.max)
    ('current', 'over_90')
    """
    late = (day - due).days
    return BUCKETS[sum(late > end for end in _ENDS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """A customer's open documents on a day, with amounts in micro-units."""

    customer: str
    currency: str
    day: dt.date
    billed_micro: int
    unapplied_micro: int
    """Money left once all documents are paid, never negative."""
    documents: tuple[Open, ...]

    @property
    def overdue(self) -> tuple[Open, ...]:
        """Return open documents whose due date is past."""
        return tuple(document for document in self.documents if document.due < self.day)

    def as_json(self) -> dict[str, Any]:
        """Return the row for ``--json``: buckets and unapplied add up to billed."""
        return {
            "customer": self.customer,
            "currency": self.currency,
            **{name: money.text(micro, 2) for name, micro in self.sums_micro().items()},
        }

    def sums_micro(self) -> dict[str, int]:
        """Return open amounts by bucket, what is unapplied below zero, and their sum."""
        sums = dict.fromkeys(BUCKETS, 0)
        for document in self.documents:
            sums[bucket(document.due, self.day)] += document.open_micro
        return {**sums, "unapplied": -self.unapplied_micro, "billed": self.billed_micro}

    def documents_json(self) -> list[dict[str, Any]]:
        """Return rows for ``--documents --json``, with negative ``days`` if not yet due."""
        return [
            {
                "customer": self.customer,
                "number": document.number or None,
                "description": document.title,
                "date": str(document.date),
                "due_date": str(document.due),
                "days": (self.day - document.due).days,
                "currency": self.currency,
                "amount": money.text(document.amount_micro, 2),
                "open": money.text(document.open_micro, 2),
            }
            for document in self.documents
        ]


def aged(book: Book, names: Sequence[str], day: dt.date) -> list[Aged]:
    """Return customers' open documents at the end of a day.

    Args:
        book: whose.
        names: customers; all who were customers on that day if none is named.
        day: which; entries dated later do not count.

    Raises:
        BrokenBookError: if a file is gone, or does not say what the next one brings forward.
    """

    def ask() -> list[Aged]:
        wanted = set(names)
        return [
            of_customer(book, row, day)
            for row in balances.standings_on(book, day)
            if not wanted or row.customer in wanted
        ]

    rows: list[Aged] = book.reading(ask)
    return rows


def of_customer(book: Book, standing: Standing, day: dt.date) -> Aged:
    """Return one customer's open documents at the end of a day."""
    customer, billed = subledgers.customers(book)[standing.customer], standing.billed_micro
    # Nobody who owes nothing has an open document: their ledgers need not be read.
    documents, unapplied = _opened(book, customer, day) if billed > 0 else ([], -billed)
    if sum(item.open_micro for item in documents) - unapplied != billed:
        path = balances.period_file(customer, day)
        message = "brings forward what the periods before do not add up to"
        raise BrokenBookError([Problem(path, 0, "brought", message, todo=restore(path))])
    return Aged(
        customer=customer.id,
        currency=standing.currency,
        day=day,
        billed_micro=billed,
        unapplied_micro=unapplied,
        documents=tuple(documents),
    )


def moves(book: Book, customer: Customer, day: dt.date) -> list[Moved]:
    """Return the entries on a customer's Billed account up to a day."""
    return [
        row
        for start in customer.periods
        if start <= day
        for row in entries(
            book.text(customer_file.period_path(customer.id, start)), customer.id, day
        )
    ]


def _opened(book: Book, customer: Customer, day: dt.date) -> tuple[list[Open], int]:
    documents, unapplied = opened(moves(book, customer, day))
    return [
        item._replace(due=dt.date.fromisoformat(document(book, item).due_date))
        if item.issued
        else item
        for item in documents
    ], unapplied


def document(book: Book, invoice: Open) -> Document:
    """Return an open document of the book.

    Raises:
        BrokenBookError: if it is not there, or not a document.
    """
    return files.read(book, paths.find(book, invoice.number, invoice.date.year))
