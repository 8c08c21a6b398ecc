"""Issue credit notes: an invoice is never changed, but credited as a whole or by line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from beancount.core import data

from a2ledger import money
from a2ledger.balances import balances
from a2ledger.book.book import Draft, RefusedError
from a2ledger.corrections import correct, postings, write_off
from a2ledger.corrections import credit_note as credit
from a2ledger.corrections.correct import Posted
from a2ledger.corrections.credit_note import CannotCreditError
from a2ledger.corrections.postings import Correction
from a2ledger.documents import files, parties, paths, translation, worth
from a2ledger.documents.document import Document, as_json, written
from a2ledger.documents.electronic import EInvoices
from a2ledger.documents.number_series import Numbers
from a2ledger.fees import deferrals
from a2ledger.fees.deferrals import Credited
from a2ledger.journal import subledgers, syntax
from a2ledger.journal.exchange_rates import Price, Prices
from a2ledger.journal.period_file import with_entries
from a2ledger.period import DAY, Period


class Asked(NamedTuple):
    """The request for a credit note, with its reason."""

    number: str
    lines: tuple[int, ...]
    amount_micro: int | None
    reason: str
    day: dt.date
    id: str = ""


def credit_note(draft: Draft, asked: Asked) -> Posted:
    """Issue a credit note for an invoice, or for lines of it.

    Raises:
        RefusedError: if there is no such invoice, or not so much of it left.
    """
    invoice = _invoice(draft, asked.number)
    customer, lines = str(invoice.customer["id"]), sorted(set(asked.lines))
    made = postings.identity("credit-note", *asked._replace(lines=tuple(lines)))
    adjustment = Correction(
        "credit-note",
        asked.id or made,
        customer,
        asked.day,
        0,
        invoice.currency,
        asked.reason,
    )
    if held := correct.find(draft, adjustment, None):
        return _again(held, asked, lines)
    correct.check_day(draft, customer, asked.day)
    account_worth = worth.of_customer(draft, subledgers.customer(draft, customer), invoice.currency)
    notes = account_worth.notes(asked.number)
    given = [*notes, *account_worth.given(invoice)]
    try:
        drawn_up = credit.draw_up(invoice, given, lines, asked.amount_micro)
    except CannotCreditError as error:
        raise RefusedError(error.what, error.undone, error.todo) from None
    number = Numbers(draft).take("credit-note")
    adjustment = adjustment._replace(amount_micro=drawn_up.gross_micro)
    owner = subledgers.customer(draft, customer)
    day = max(asked.day, owner.open_since)
    opening = balances.standing_on(draft, owner, day).billed_micro
    document = credit.document(
        invoice,
        notes,
        drawn_up,
        number=number,
        day=day,
        issue_date=draft.today,
        opening_micro=opening,
        reason=syntax.plain(adjustment.description),
    )
    document = _translated(document, invoice)
    drawn = EInvoices(draft).issued(owner, document)
    for objection in drawn.objections:
        raise RefusedError(
            (
                f"{customer}: {objection.rule}: no e-invoice can be made of the credit "
                f"note: {objection.message}"
            ),
            undone="nothing was credited",
        )
    document = drawn.put(draft, document)
    entry = postings.credit_note(
        adjustment,
        number=number,
        original=asked.number,
        lines=lines,
        net=drawn_up.net,
        vat=drawn_up.vat,
        translated=_owed_otherwise(draft, document, drawn_up.vat, asked.number),
    )
    placed = correct.place(draft, customer, entry)
    _take_back_deferred(
        draft, customer, adjustment._replace(date=placed.date), invoice, drawn_up.lines
    )
    draft.put(paths.path(draft.today.year, number), written(as_json(document)))
    return Posted(correction=adjustment, entries=((customer, placed),), more=_more(placed))


def _owed_otherwise(
    draft: Draft, document: Document, taxes: Mapping[str, int], number: str
) -> tuple[str, Mapping[str, int]]:
    """Return the VAT given back in the book's currency, if the invoice's VAT is owed in it."""
    is_owed = write_off.is_owed_in_base(draft, document.customer["id"], number)
    printed = document.vat_translated if is_owed else None
    return draft.config.currency, translation.by_code(printed, taxes, 1)


def _take_back_deferred(
    draft: Draft, customer: str, adjustment: Correction, invoice: Document, lines: Mapping[int, int]
) -> None:
    """Take back the still deferred income of fees that are credited."""
    file = subledgers.open_file(draft, customer)
    credited = [
        Credited(
            line.service,
            Period(dt.date.fromisoformat(line.from_), dt.date.fromisoformat(line.to) + DAY),
            lines[line.line],
        )
        for line in invoice.lines
        if line.kind == "fee" and lines.get(line.line)
    ]
    places = money.decimals(invoice.currency)
    taken = deferrals.taken_back(deferrals.read(file.above), credited, places)
    made = [
        postings.deferral_taken(adjustment, row, invoice.name, place)
        for place, row in enumerate(taken, start=1)
    ]
    subledgers.put_open_file(draft, customer, with_entries(file, made))


def _translated(document: Document, invoice: Document) -> Document:
    """Add the VAT in the book's currency to a credit note, at its invoice's rate."""
    printed = invoice.vat_translated
    if not printed:
        return document
    day = dt.date.fromisoformat(printed["date"])
    price = Price(day, document.currency, Decimal(printed["price"]))
    return parties.with_vat_in(document, printed["currency"], Prices([price], printed["currency"]))


def _more(entry: data.Transaction) -> dict[str, Any]:
    return {"number": entry.meta["number"], "original": entry.meta["original"]}


def _again(held: Posted, asked: Asked, lines: Sequence[int]) -> Posted:
    """Return a credit note that is in the book already, after comparing it with the request."""
    ((customer, entry),) = held.entries
    net = sum(
        money.micro(leg.units.number)
        for leg in entry.postings
        if leg.units and leg.units.number and leg.meta and "vat" in leg.meta
    )
    numbers = ", ".join(map(str, lines))
    if (entry.meta["original"], entry.meta.get("lines", "")) != (asked.number, numbers) or (
        asked.amount_micro not in {None, net}
    ):
        raise RefusedError(
            f"credit-note {held.correction.id} is {entry.payee}",
            undone="nothing was credited",
            todo="give this one another --id",
        )
    return Posted(
        correction=held.correction, entries=((customer, entry),), new=False, more=_more(entry)
    )


def _invoice(draft: Draft, number: str) -> Document:
    invoice = files.chosen(draft, [number], "")[number]
    if not invoice.bills:
        raise RefusedError(
            (
                f"{number} is a {invoice.kind.replace('-', ' ')} that bills nothing: invoices and "
                "statements in place of them can be credited"
            ),
            undone="nothing was credited",
            todo="`a2ledger invoices` lists the documents there are",
        )
    if any(line.kind == "refill" for line in invoice.lines):
        raise RefusedError(
            f"{number} is of a refill",
            undone="nothing was credited",
            todo="`a2ledger refund` it, which makes a credit note",
        )
    return invoice
