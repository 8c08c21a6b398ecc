"""A customer's documents with their open amounts, and payments with the invoices they settled.

What settles what follows from the ledger alone, see :mod:`a2ledger.balances.ageing`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from beancount.core import data

from a2ledger import accounts, money
from a2ledger.balances import ageing
from a2ledger.balances.ageing import Settled
from a2ledger.book.book import Book
from a2ledger.documents import files, paths
from a2ledger.documents.document import Document
from a2ledger.journal import customer_file, subledgers, syntax, vat_bases
from a2ledger.journal import entries as journal_entries
from a2ledger.journal.entries import NUMBERED
from a2ledger.payments import posting
from a2ledger.records import Customer

OPEN, PAID, PARTLY, OVERDUE, CREDITED, WRITTEN_OFF = STATUSES = (
    *("open", "paid", "partly", "overdue", "credited", "written-off"),
)
"""Statuses of invoices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A document that bills, or an invoice of an earlier system, with its open amount."""

    number: str
    """Its number, or the name of a statement that stands for an invoice."""
    customer: str
    kind: str
    """``invoice``, ``credit-note``, ``statement``, ``refill`` or ``opening``."""
    issued: dt.date
    due: dt.date
    currency: str
    gross_micro: int
    open_micro: int
    status: str
    """One of :data:`STATUSES`."""
    last: str = ""
    """The last day of the period it bills."""

    def as_json(self) -> dict[str, Any]:
        """Return the row for ``invoices --json``."""
        return {
            "number": self.number,
            "customer": self.customer,
            "kind": self.kind,
            "issue_date": str(self.issued),
            "due_date": str(self.due),
            "currency": self.currency,
            "gross": money.text(self.gross_micro, money.decimals(self.currency)),
            "open": money.text(self.open_micro, money.decimals(self.currency)),
            "status": self.status,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment or refill of a customer, with the invoices it settled."""

    id: str
    customer: str
    kind: str
    date: dt.date
    currency: str
    amount_micro: int
    method: str
    reference: str
    description: str
    invoices: tuple[str, ...]
    """Numbers of the invoices it settled, in full or in part."""
    link: str
    is_returned: bool = False
    """True if it was returned, or moved to another customer."""

    def as_json(self) -> dict[str, Any]:
        """Return the row for ``payments --json``."""
        return {
            "id": self.id,
            "customer": self.customer,
            "kind": self.kind,
            "date": str(self.date),
            "amount": money.text(self.amount_micro, money.decimals(self.currency)),
            "currency": self.currency,
            "method": self.method,
            "reference": self.reference,
            "description": self.description,
            "invoices": list(self.invoices),
            "returned": self.is_returned,
        }


def of_customer(book: Book, customer: Customer, day: dt.date) -> list[Invoice]:
    """Return a customer's numbered documents, oldest first.

    Args:
        book: whose customer.
        customer: whose documents.
        day: on which what is open is overdue or not.

    Raises:
        BrokenBookError: if a document is damaged.
    """
    settled = ageing.settled(ageing.moves(book, customer, dt.date.max))
    by_kind = _by_kind(settled)
    rest = {debit.number: open_micro for debit, open_micro in settled.debits if debit.number}
    rows = [
        _invoice(name, document, customer.id, rest.get(name, 0), by_kind.get(name, {}), day)
        for name, document in documents(book, customer)
        if document.number or (document.kind == "statement" and document.vat)
    ]
    rows += _openings(settled, book, customer, by_kind, day)
    return sorted(rows, key=lambda row: (row.issued, row.number))


def settled_as(book: Book, customer: Customer) -> dict[str, str]:
    """Return by number how those documents of a customer were settled that are not open.

    It follows from the journal: no document is read. One with nothing to pay is paid.

    Returns:
        :data:`PAID`, :data:`CREDITED` or :data:`WRITTEN_OFF`; credit notes are not among them.
    """
    rows = ageing.moves(book, customer, dt.date.max)
    settled = ageing.settled(rows)
    by_kind = _by_kind(settled)
    found = {row.number: PAID for row in rows if row.number}
    for debit, open_micro in settled.debits:
        if open_micro:
            found.pop(debit.number, None)
        else:
            kinds = by_kind.get(debit.number, {})
            found[debit.number] = _status(debit.micro, 0, kinds, False)
    return found


def _by_kind(settled: Settled) -> dict[str, dict[str, int]]:
    """Return what settled each document, by the kind of the credit."""
    sums: dict[str, dict[str, int]] = {}
    for row in settled.applied:
        own = sums.setdefault(row.debit.number, {})
        own[row.credit.kind] = own.get(row.credit.kind, 0) + row.micro
    return sums


def _invoice(
    name: str,
    document: Document,
    customer: str,
    open_micro: int,
    by_kind: Mapping[str, int],
    day: dt.date,
) -> Invoice:
    gross = money.parse(document.gross)
    issued = dt.date.fromisoformat(document.issue_date)
    due = dt.date.fromisoformat(document.due_date or document.issue_date)
    is_note = document.kind == "credit-note"
    return Invoice(
        number=name,
        customer=customer,
        kind=document.kind,
        issued=issued,
        due=due,
        currency=document.currency,
        gross_micro=gross,
        open_micro=open_micro,
        status=CREDITED if is_note else _status(gross, open_micro, by_kind, due < day),
        last=str(document.last_day),
    )


def _openings(
    settled: Settled,
    book: Book,
    customer: Customer,
    by_kind: Mapping[str, Mapping[str, int]],
    day: dt.date,
) -> Iterator[Invoice]:
    """Yield open and settled invoices of an earlier system."""
    for debit, rest_micro in settled.debits:
        if debit.kind == "opening" and debit.number:
            due = debit.due or debit.date
            kinds = by_kind.get(debit.number, {})
            yield Invoice(
                number=debit.number,
                customer=customer.id,
                kind="opening",
                issued=debit.date,
                due=due,
                currency=subledgers.currency(book, customer.id),
                gross_micro=debit.micro,
                open_micro=rest_micro,
                status=_status(debit.micro, rest_micro, kinds, due < day),
            )


def _status(gross: int, open_micro: int, by_kind: Mapping[str, int], is_late: bool) -> str:
    if open_micro > 0:
        if is_late:
            return OVERDUE
        return PARTLY if open_micro < gross else OPEN
    # The first words of write-off and credit-note.
    if "write" in by_kind:
        return WRITTEN_OFF
    return CREDITED if set(by_kind) == {"credit"} else PAID


def documents(book: Book, customer: Customer) -> list[tuple[str, Document]]:
    """Return a customer's closed documents with their file names, oldest first."""
    named = []
    for name, year in dict(_named(book, customer)).items():
        if book.has(path := paths.find(book, name, year)):
            named.append((name, files.read(book, path)))
    return sorted(named, key=lambda row: (row[1].issue_date, row[0]))


def _named(book: Book, customer: Customer) -> Iterator[tuple[str, int]]:
    """Yield names of documents a customer may have, each with its earliest possible year."""
    for start in customer.periods:
        for block in syntax.blocks(book.text(customer_file.period_path(customer.id, start))):
            for name in _documents_of(block):
                if "/" not in name:
                    yield name, int(block.date[:4])
        yield paths.of_statement(customer.id, start), start.year


def _documents_of(block: syntax.Block) -> Iterator[str]:
    """Yield the documents that an entry posts or was issued with."""
    if block.kind != "*":
        return
    if not NUMBERED.isdisjoint(block.tags):
        yield from block.links
    if number := vat_bases.issued_with(block):
        yield number


def payments(book: Book, customer: Customer) -> list[Payment]:
    """Return a customer's payments, and refills without a payment, oldest first.

    What was voided is none.
    """
    settled = ageing.settled(ageing.moves(book, customer, dt.date.max))
    numbers: dict[str, list[str]] = {}
    for row in settled.applied:
        if row.debit.number:
            numbers.setdefault(row.credit.link, []).append(row.debit.number)
    rows: list[Payment] = []
    arrived: dict[str, Payment] = {}
    paid_for: set[str] = set()
    blocks = list(_entries(book, customer))
    away = _away(blocks, accounts.billed(customer.id))
    methods = {account: name for name, account in book.config.methods.items()}
    for block in blocks:
        if not block.own_link.startswith((*_MONEY, "transfer-")):
            continue
        entry = journal_entries.read_entry(block.text)
        link = journal_entries.own_link(entry)
        if link.startswith("transfer-") and "payment" in entry.meta:
            moved = _moved_here(book, customer, block, entry, numbers.get(link, ()))
            arrived |= {row.link: replace(row, is_returned=away[row.link] >= 0) for row in moved}
        if not link.startswith(_MONEY) or "voided" in entry.meta:
            continue
        if link.startswith("payment-"):
            paid_for |= {name for name in entry.links if name.startswith("refill-")}
        rows.append(
            Payment(
                id=str(entry.meta.get("id", link)),
                customer=customer.id,
                kind=link.partition("-")[0],
                date=journal_entries.own_day(entry),
                currency=subledgers.currency(book, customer.id),
                amount_micro=posting.credited(entry),
                method=_method(entry, methods),
                reference=str(entry.meta.get("reference", "")),
                description=entry.narration or "",
                invoices=tuple(dict.fromkeys(numbers.get(link, ()))),
                link=link,
                is_returned=away[link] > 0,
            )
        )
    own = {row.link for row in rows}  # one that went to another customer may have come back
    rows += [row for link, row in arrived.items() if link not in own]
    kept = [row for row in rows if row.link not in paid_for]
    return sorted(kept, key=lambda row: (row.date, row.id))


def _away(blocks: Iterable[syntax.Block], account: str) -> Counter[str]:
    """Return what was returned and moved away of each payment, less what was moved here."""
    away: Counter[str] = Counter()
    for block in blocks:
        if "payment" in block.meta:
            away[block.meta["payment"]] += sum(
                leg.micro for leg in block.legs if leg.account == account
            )
    return away


def _moved_here(
    book: Book,
    customer: Customer,
    block: syntax.Block,
    entry: data.Transaction,
    numbers: Sequence[str],
) -> Iterator[Payment]:
    """Yield a payment that was transferred to a customer."""
    account = accounts.billed(customer.id)
    micro = sum(leg.micro for leg in block.legs if leg.account == account)
    link = str(entry.meta["payment"])
    if micro < 0:
        yield Payment(
            id=link.partition("-")[2].partition("-")[2] or link,
            customer=customer.id,
            kind="payment",
            date=entry.meta.get("paid", entry.date),
            currency=subledgers.currency(book, customer.id),
            amount_micro=-micro,
            method="",
            reference=str(entry.meta.get("reference", "")),
            description=entry.narration or "",
            invoices=tuple(dict.fromkeys(numbers)),
            link=link,
        )


_MONEY = ("payment-", "refill-")


def _entries(book: Book, customer: Customer) -> Iterator[syntax.Block]:
    for start in customer.periods:
        text = book.text(customer_file.period_path(customer.id, start))
        above, _, _ = text.partition(syntax.MARKER)
        yield from (block for block in syntax.blocks(above) if block.kind in {"*", "!"})


def _method(entry: data.Transaction, methods: Mapping[str, str]) -> str:
    """Return the payment method, derived from the account the money came into."""
    account = entry.postings[0].account if entry.postings else ""
    if account in methods:
        return methods[account]
    if account in {accounts.REFILLS, ""}:
        return ""
    return account.rpartition(":")[2].lower()
