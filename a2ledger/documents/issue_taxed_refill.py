"""Issue a document for each top-up of a customer whose refills are taxed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, cast

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money
from a2ledger.book.book import Book, Draft
from a2ledger.book.config import SeveralRatesError
from a2ledger.documents import en16931, parties, paths, taxed_refill
from a2ledger.documents.document import Document, as_json, read
from a2ledger.documents.document import written as written_document
from a2ledger.documents.en16931 import Objection
from a2ledger.documents.number_series import Numbers
from a2ledger.documents.taxed_refill import Issued, Supply
from a2ledger.journal import customer_file, ledger, subledgers, syntax, vat_bases
from a2ledger.journal.entries import ISSUED, gross, own_day, read_entry
from a2ledger.period import Period
from a2ledger.records import Customer, Warned
from a2ledger.vat import VatCode, added, gross_of

if TYPE_CHECKING:
    from a2ledger.documents.electronic import EInvoices

_UNNUMBERED = "0"
"""Stands in for the number of an e-invoice that is drawn up only to be checked."""


def applies(book: Book, customer: Customer, day: dt.date) -> bool:
    """Return whether a customer's refills are taxed on the day they are posted."""
    return (customer.text("vat", day) or book.config.treatment) == "on-refill"


def supply(
    draft: Draft,
    customer: Customer,
    entry: data.Transaction,
    moved_micro: int = 0,
    untaxed_micro: int = 0,
) -> Supply | None:
    """Return the taxed supply of an entry, or None if it is not taxed, or was already.

    Args:
        draft: of the book.
        customer: whose account.
        entry: on it.
        moved_micro: VAT charged meanwhile that the draft does not have yet.
        untaxed_micro: likewise what came in meanwhile without being taxed.

    Raises:
        SeveralRatesError: if what it may buy has more than one rate.
    """
    if ISSUED in entry.meta or "voided" in entry.meta:
        return None
    book = draft
    if not applies(book, customer, max(entry.date, customer.open_since)):
        return None
    day = entry.meta.get("late_from", entry.date)
    code = book.config.refill_code(book.config.party(customer, day, customer.open_since), day)
    charged = charged_micro(draft, customer, code, top_ups=True) + moved_micro
    places = money.decimals(subledgers.currency(book, customer.id))
    back = untaxed_back(draft, customer) - untaxed_micro
    return taxed_refill.supply(entry, customer.id, code, places, charged, back)


_MONEY = ("payment-", "refill-", "refund-", "returned-", "transfer-")


def untaxed_back(book: Book, customer: Customer) -> int:
    """Return what a customer got back beyond what was taxed, and has not paid since.

    Nothing was sold for it: it is owed as it is, and paying it bears no VAT. So is a debt that was
    there when refills began to be taxed, but for what gave its VAT back then.
    """
    places, back = money.decimals(subledgers.currency(book, customer.id)), 0
    before = customer.opened
    for start in customer.periods:
        text = book.text(customer_file.period_path(customer.id, start))
        above = text.partition(syntax.MARKER)[0]
        if applies(book, customer, start) and not applies(book, customer, before):
            back = max(ledger.read_brought(text, start).billed_micro - _converted(above), 0)
        before = start
        for block in syntax.blocks(above):
            if not block.own_link.startswith(_MONEY) or "voided" in block.meta:
                continue
            if not applies(book, customer, dt.date.fromisoformat(block.date)):
                continue
            if taxed_refill.UNTAXED in block.meta:
                back -= syntax.amount(block.meta[taxed_refill.UNTAXED])
            elif ISSUED not in block.meta:
                back -= taxed_refill.gross_of(read_entry(block.text), customer.id, places)
    return max(back, 0)


def _converted(text: str) -> int:
    """Return the gross of a debt that is to be paid by taxed refills, from an open period."""
    return sum(
        -syntax.amount(block.meta["base"])
        - sum(leg.micro for leg in block.legs if leg.account.endswith(":Billed"))
        for block in syntax.blocks(text)
        if ISSUED in block.meta and "base" in block.meta
    )


def charged_micro(draft: Draft, customer: Customer, code: VatCode, *, top_ups: bool) -> int:
    """Return the VAT of a code charged to a customer and not given back, in micro-units.

    Credit that was brought over with the account counts as taxed, by the system before.

    Args:
        draft: of the book.
        customer: whose.
        code: of VAT.
        top_ups: whether only documents of top-ups count.
    """
    account, billed, sum_micro = accounts.vat(code.code), accounts.billed(customer.id), 0
    brought = top_ups and applies(draft, customer, customer.opened)
    places = money.decimals(subledgers.currency(draft, customer.id))
    for start in customer.periods:
        text = draft.text(customer_file.period_path(customer.id, start))
        if account not in text and " ^opening-" not in text:
            continue
        for block in syntax.blocks(text):
            if brought and any(name.startswith("opening-") for name in block.links):
                legs = block.legs
                owed = sum(leg.micro for leg in legs if leg.account == billed)
                sum_micro += added(max(-owed, 0), code, places)
            if account in block.text and (not top_ups or ISSUED in block.meta):
                own = vat_bases.converted(block)
                sum_micro += own.get(code.code, 0) or -sum(
                    leg.micro for leg in block.legs if leg.account == account
                )
    return sum_micro


def objection(draft: Draft, customer: Customer, entry: data.Transaction) -> tuple[str, str] | None:
    """Return why a refill or payment cannot be taxed, as reason and message, or None if it can."""
    try:
        sold = supply(draft, customer, entry)
        if sold is None:
            return None
        made = _document(draft, customer, sold, None)
    except SeveralRatesError as error:
        return "several-rates", f"{error.what}; {error.todo}"
    except ValueError as error:
        return "no-price", str(error)
    return next(iter(_objections(draft, customer, made)), None)


def _objections(draft: Draft, customer: Customer, made: Document) -> Iterator[Objection]:
    """Yield why a document, or its e-invoice, must not be issued, taking no number."""
    sound = True
    for objection in en16931.objections(made):
        sound = False
        yield objection
    if sound:
        numbered = replace(made, number=_UNNUMBERED)
        yield from _einvoices(draft).issued(customer, numbered).objections


def _document(
    draft: Draft,
    customer: Customer,
    sold: Supply,
    number: str | None,
    originals: Sequence[dict[str, str]] = (),
) -> Document:
    made = taxed_refill.document(
        sold,
        customer,
        draft.config,
        currency=subledgers.currency(draft, customer.id),
        number=number,
        issue_date=draft.today,
        originals=originals,
    )
    return parties.translated(draft, made)


def turned(draft: Draft, customer: Customer, period: Period, balance_micro: int) -> Supply | None:
    """Return the supply when refills begin or cease to be taxed, or None if there is none.

    Args:
        draft: of the book.
        customer: whose treatment changes after a period, if it does.
        period: after which it may change.
        balance_micro: owed at its end, negative for credit.

    Raises:
        SeveralRatesError: if what a refill may buy has more than one rate.
    """
    book = draft
    before, after = (applies(book, customer, day) for day in (period.start, period.end))
    if not before and not after:
        return None
    day = period.last if before else period.end
    code = book.config.refill_code(book.config.party(customer, day, day), day)
    if before == after:
        return None
    make = taxed_refill.leaving if before else taxed_refill.entering
    charged = charged_micro(draft, customer, code, top_ups=before)
    places = money.decimals(subledgers.currency(book, customer.id))
    return make(period.end, balance_micro, code, places, charged)


def tax_due(book: Book, customer: Customer, day: dt.date, owed_micro: int) -> int:
    """Return the VAT due by paying what is owed from a day on, where refills are taxed.

    What is owed for usage beyond what was paid is net: so much more must be paid that the usage is
    paid once the VAT of the payment is taken out.
    """
    if owed_micro <= 0 or not applies(book, customer, day):
        return 0
    try:
        code = book.config.refill_code(book.config.party(customer, day, day), day)
    except SeveralRatesError:
        return 0  # it is said where the period is closed
    places = money.decimals(subledgers.currency(book, customer.id))
    used = owed_micro - min(untaxed_back(book, customer), owed_micro)
    return gross_of(used, code, places) - used if used else 0


def tax_in(draft: Draft, customer: Customer, day: dt.date, left_micro: int) -> int:
    """Return the VAT to give back with unused taxed refills, at most what was charged."""
    code = draft.config.refill_code(draft.config.party(customer, day, day), day)
    charged = charged_micro(draft, customer, code, top_ups=True)
    places = money.decimals(subledgers.currency(draft, customer.id))
    return min(gross_of(left_micro, code, places) - left_micro if left_micro else 0, charged)


def obstacles(
    draft: Draft, customer: Customer, period: Period, balance_micro: int
) -> Iterator[Warned]:
    """Yield why taxed refills prevent closing a period, with the arguments of :func:`turned`."""
    try:
        sold = turned(draft, customer, period, balance_micro)
        if sold:
            made = _document(draft, customer, sold, None)
            yield from (Warned(*objection) for objection in _objections(draft, customer, made))
    except SeveralRatesError as error:
        yield Warned("several-rates", f"{error.what}; {error.todo}")
    except ValueError as error:
        yield Warned("no-price", str(error))


class Issuer:
    """Issues the documents of top-ups in a draft."""

    def __init__(self, draft: Draft, numbers: Numbers | None = None) -> None:
        self.draft, self._numbers = draft, numbers
        self.issued: list[str] = []
        self._originals: dict[str, str] = {}
        """Numbers of documents by the names of their entries."""
        self._topped: dict[str, tuple[dt.date, int]] = {}
        """Day and gross of the documents of incoming money, by number."""

    @cached_property
    def numbers(self) -> Numbers:
        """Return the document numbers, read only once something is taxed."""
        return self._numbers or Numbers(self.draft)

    def issue(
        self, customer: Customer, sold: Supply, originals: Sequence[dict[str, str]] = ()
    ) -> Issued:
        """Issue a supply's document into the draft."""
        number = self.numbers.take(sold.kind)
        made = _document(self.draft, customer, sold, number, originals)
        made = _einvoices(self.draft).issued(customer, made).put(self.draft, made)
        path = paths.path(self.draft.today.year, number)
        self.draft.put(path, written_document(as_json(made)))
        self.issued.append(number)
        printed = made.vat_translated
        if not printed:
            return Issued(number)
        return Issued(number, printed["currency"], made.sign * money.parse(printed["vat_total"]))

    def know(self, entries: Iterable[data.Transaction]) -> None:
        """Record the entries that later reversals may name."""
        for entry in entries:
            if number := entry.meta.get(ISSUED):
                names = [*entry.links, _named(entry, "id")]
                self._originals |= dict.fromkeys(names, str(number))
                topped = -sum(
                    money.micro(cast("Decimal", cast("Amount", leg.units).number))
                    for leg in gross(entry).postings
                    if leg.account.startswith(accounts.RECEIVABLE)
                )
                if topped > 0:
                    self._topped[str(number)] = entry.date, topped

    def _corrected(self, entry: data.Transaction, sold: Supply) -> list[dict[str, str]]:
        """Return the documents that a reversed refill corrects, newest first.

        It is the refill's that the row names; what names none gives back what came in last.
        """
        about = str(entry.meta.get("payment", _named(entry, "reference")))
        numbers = [self._originals[about]] if about in self._originals else []
        rest_micro = -sold.net_micro - sold.vat_micro
        newest = sorted(self._topped, key=lambda name: (self._topped[name][0], name), reverse=True)
        for number in newest if not numbers else ():
            if rest_micro > 0:
                numbers.append(number)
                rest_micro -= self._topped[number][1]
        originals = []
        for number in numbers:
            path = paths.find(self.draft, number, self.draft.today.year)
            originals.append({"number": number, "date": read(self.draft.text(path)).issue_date})
        return originals

    def taxed(
        self, by_customer: Mapping[str, Iterable[data.Transaction]]
    ) -> dict[str, list[data.Transaction]]:
        """Return the entries by customer, top-ups taxed and numbered by day, then by entry."""
        by_name = {name: list(entries) for name, entries in by_customer.items()}
        waiting: list[tuple[dt.date, str, str, int]] = []
        for name, entries in by_name.items():
            for place, entry in enumerate(entries):
                sold = supply(self.draft, subledgers.customer(self.draft, name), entry)
                if sold is not None or len(entries) > 1:
                    day = own_day(entry)
                    waiting.append((day, min(entry.links, default=""), name, place))
        moved: dict[str, int] = {}
        untaxed: dict[str, int] = {}
        for _, _, name, place in sorted(waiting):
            entry, customer = by_name[name][place], subledgers.customer(self.draft, name)
            sold = supply(self.draft, customer, entry, moved.get(name, 0), untaxed.get(name, 0))
            places = money.decimals(subledgers.currency(self.draft, name))
            if applies(self.draft, customer, max(entry.date, customer.open_since)):
                whole = taxed_refill.gross_of(entry, name, places)
                rest = whole - (sold.net_micro + sold.vat_micro if sold else 0)
                untaxed[name] = untaxed.get(name, 0) + rest
            if sold is None:
                continue
            moved[name] = moved.get(name, 0) + sold.vat_micro
            back = sold.kind == "credit-note"
            originals = self._corrected(entry, sold) if back else []
            issued = self.issue(customer, sold, originals)
            by_name[name][place] = taxed_refill.taxed(entry, name, sold, issued, places)
            self.know([by_name[name][place]])
        return by_name

    def say(self) -> None:
        """Report which documents were issued."""
        if self.issued:
            first, *rest = self.issued
            more = f" to {rest[-1]}" if rest else ""
            self.draft.talk(f"{len(self.issued)} refill document(s): {first}{more}")


def _einvoices(draft: Draft) -> EInvoices:
    from a2ledger.documents.electronic import EInvoices  # noqa: PLC0415 - for taxed refills alone

    return EInvoices(draft)


def _named(entry: data.Transaction, key: str) -> str:
    """Return an entry's own name (key ``id``), or the one it refers to (key ``reference``)."""
    kind = min(entry.links, default="").partition("-")[0]
    return f"{kind} {entry.meta.get(key, '')}"
