"""Close periods: number their documents, freeze their files, start the next ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from types import MappingProxyType

from beancount.core import data

from a2ledger import money, period
from a2ledger.balances import balances as asking
from a2ledger.balances import check
from a2ledger.billing import (
    closing_entries,
    guards,
    itemised,
    kind,
    originals,
    preview,
    tax_point,
    unposted,
    used,
)
from a2ledger.billing.bill import Bill
from a2ledger.billing.closed import Closed
from a2ledger.billing.sealed import Covered
from a2ledger.book.book import Book, BrokenBookError, Draft, RefusedError
from a2ledger.documents import (
    en16931,
    issue_taxed_refill,
    parties,
    paths,
    references,
    taxed_refill,
)
from a2ledger.documents.document import Document, as_json, with_seal
from a2ledger.documents.document import written as written_document
from a2ledger.documents.electronic import EInvoices, Made
from a2ledger.documents.number_series import Numbers
from a2ledger.fees import charge, deferrals
from a2ledger.fees import due as fees
from a2ledger.journal import customer_file, seal, subledgers, syntax
from a2ledger.journal.customer_file import with_facts
from a2ledger.journal.entries import STATED
from a2ledger.journal.period_file import PeriodFile, split, with_entries, written
from a2ledger.journal.rows import Row
from a2ledger.journal.seal import Seal, SoFar
from a2ledger.period import Period
from a2ledger.progress import Progress
from a2ledger.records import SETTLED, Customer, Warned


def due(customer: Customer, until: dt.date) -> list[Period]:
    """Return a customer's periods that ended by a day, oldest first, none once settled."""
    periods: list[Period] = []
    if customer.settled:
        return periods
    following = preview.open_period(customer)
    while following.end <= until:
        periods.append(following)
        following = customer.period_from(following.end)
    return periods


def close(
    draft: Draft,
    *,
    through: dt.date | None,
    names: Sequence[str],
    without: Sequence[str],
    strict: bool = False,
) -> list[Closed]:
    """Close every period that has ended, oldest first, into the draft.

    Args:
        draft: of the book.
        through: close no period that ends after this day.
        names: customers; all if none is named.
        without: sources that need not have reported.
        strict: leave a period open while calls that may be of it lie in quarantine or are nobody's.

    Returns:
        one row for every period that was closed, or that is due but was left open, and for
        every customer named whose period has not ended.

    Raises:
        RefusedError: if a source to do without is none.
        BrokenBookError: if the books are not sound, or calls and postings differ.
        MissingDetailError: if the calls of a day are missing.
    """
    check_sources(draft, without)
    refuse_broken(draft, names)
    names = list(dict.fromkeys(names))
    customers = [subledgers.customers(draft)[name] for name in names] or list(
        subledgers.customers(draft).values()
    )
    until = min(draft.today, through + period.DAY) if through else draft.today
    results: list[Closed] = []
    ready: list[tuple[dt.date, str, Period]] = []
    held = unposted.held(draft)
    for customer in customers:
        periods = due(customer, until)
        if names and not periods:
            results.append(_not_ended(customer, preview.open_period(customer)))
        for ended in periods:
            waiting = guards.uncovered(draft, ended, without, draft.config.close_delay)
            if strict:
                waiting += unposted.hindrances(held, customer.id, ended)
                waiting += unposted.unclaimed_within(draft, ended)
            if waiting:
                results.append(
                    Closed(customer=customer.id, period=ended, closed=False, warnings=waiting)
                )
                break
            ready.append((ended.end, customer.id, ended))
    closed = close_all(draft, ready, names)
    for row in closed:
        row.warnings += unposted.remarks(held, row.customer, row.period) if row.closed else []
    results += closed
    return sorted(results, key=lambda row: (row.period.end, row.customer))


def check_sources(book: Book, without: Sequence[str]) -> None:
    """Check that all sources named with ``--without`` exist.

    Raises:
        RefusedError: naming the first that is none.
    """
    for name in without:
        if name not in book.config.sources:
            raise RefusedError(
                f"--without {name}: no such source in a2ledger.toml",
                undone="nothing was closed",
                todo=f"there is {', '.join(book.config.sources) or 'none'}",
            )


def close_all(
    draft: Draft,
    ready: Sequence[tuple[dt.date, str, Period]],
    confirmed: Sequence[str],
    last: Mapping[str, dt.date] = MappingProxyType({}),
) -> list[Closed]:
    """Close periods in order of their ends, then of customers.

    Args:
        draft: of the book.
        ready: ends, customers and periods.
        confirmed: customers a person has named: nothing on their bills is implausible.
        last: by customer, the end of the period with which the account is settled.
    """
    if not ready:
        return []
    names = sorted({name for _, name, _ in ready})
    charge.charge(draft, names)
    results = []
    with draft.progress("closing", len(names) + len(ready)) as progress:
        closer = _Closer(draft, names, ready, confirmed, progress)
        for _, name, ended in sorted(ready):
            if row := closer.close(name, ended, final=last.get(name) == ended.end):
                results.append(row)
            progress.add(1)
        closer.finish()
    return results + list(closer.waiting.values())


def refuse_broken(draft: Draft, names: Sequence[str]) -> None:
    """Check that the books on disk are sound, before the draft adds to them.

    Raises:
        BrokenBookError: saying what is not.
    """
    book = draft.base
    main = asking.main(book)
    rows = asking.standings(book, main)
    wanted = set(names) or {row.customer for row in rows}
    problems = [
        *main.problems(book.root.resolve()),
        *check.soundness(book, main, rows, wanted - draft.unwritten),
    ]
    if problems:
        raise BrokenBookError(problems)


def _not_ended(customer: Customer, current: Period) -> Closed:
    message = (
        f"{customer.id}: the period runs to {current.last}; it can be closed from {current.end} on"
    )
    if customer.settled:
        message = f"{customer.id}: the account is settled; it can be reopened"
    return Closed(
        customer=customer.id, period=current, closed=False, warnings=[Warned("not-ended", message)]
    )


class _Closer:
    """Closes periods in order of their ends, and numbers their documents."""

    def __init__(
        self,
        draft: Draft,
        names: Sequence[str],
        ready: Sequence[tuple[dt.date, str, Period]],
        confirmed: Sequence[str],
        progress: Progress,
    ) -> None:
        self.draft = draft
        self.confirmed = set(confirmed)
        self.last = {name: end for end, name, _ in sorted(ready)}
        self.held_back: set[str] = set()
        self.waiting: dict[str, Closed] = {}
        """Customers whose bill waits for the next one: it goes on from there."""
        self.closed: dict[str, dict[Period, str]] = {}
        """Names of the documents made so far, by customer and period."""
        self.remarks: set[str] = set()
        self.customers = {name: subledgers.customers(self.draft)[name] for name in names}
        self.files: dict[str, PeriodFile] = {
            name: subledgers.open_file(draft, name) for name in names
        }
        self.states = preview.states(
            draft, list(self.customers.values()), progress, draft, self.files
        )
        self.calls = used.Calls.read(draft, self.customers, self.states, max(self.last.values()))
        self.numbers = Numbers(draft)
        self.issuer = issue_taxed_refill.Issuer(draft, self.numbers)
        self.covered = Covered(draft)
        self.einvoices = EInvoices(draft, partial(itemised.attached, draft))

    def close(self, name: str, ended: Period, *, final: bool) -> Closed | None:
        """Close one period: issue its document, freeze its file, start the next one.

        A period that must be looked at first is left open, and so are those that follow it, of
        which nothing is said. So is one whose bill waits: then the next one begins with it.
        """
        if name in self.held_back:
            return None
        if waiting := self.waiting.pop(name, None):
            ended = Period(waiting.period.start, ended.end)
        customer, (brought, rows) = self.customers[name], self.states[name]
        bill = preview.draw_up(self.draft, customer, ended, brought, rows, self.calls, final=final)
        if not (final or (name in self.confirmed and ended.end == self.last[name])) and kind.waits(
            bill, customer, self.draft.config
        ):
            self.waiting[name] = self._waits(customer, bill)
            return None
        becomes = kind.of_bill(bill, customer, self.draft.config)
        document = preview.document(self.draft, customer, bill, rows, becomes, self.draft.today)
        if becomes == kind.CREDIT_NOTE:
            document = originals.named(document, self._corrected(customer, bill))
        confirmed = name in self.confirmed
        reasons = [
            *guards.reasons(self.draft, customer, bill, document, confirmed),
            *issue_taxed_refill.obstacles(self.draft, customer, ended, bill.carried.billed_micro),
        ]
        made = Made()
        if not reasons:
            number = None if becomes == kind.STATEMENT else self.numbers.following(becomes)
            document = replace(
                parties.translated(self.draft, document),
                number=number,
                tax_point=_tax_point(document, number, self.draft.config.tax_point),
            )
            document = replace(document, reference=self._reference(document))
            made = self.einvoices.issued(customer, document)
            reasons = [Warned(*objection) for objection in made.objections]
        if reasons:
            self.held_back.add(name)
            return Closed(customer=name, period=ended, closed=False, warnings=reasons)
        if becomes != kind.STATEMENT:
            self.numbers.take(becomes)
        remarks = [Warned(*remark) for remark in en16931.remarks(document)]
        self.remarks |= {remark.message for remark in remarks}
        remarks += [Warned(*remark) for remark in made.remarks]
        document = made.put(self.draft, document)
        path = self._path(customer, document)
        self.draft.put(path, self._write(customer, bill, document))
        self.closed.setdefault(name, {})[ended] = PurePath(path).stem
        if final:
            settled = with_facts(self.customers[name], [(SETTLED, "yes")], ended.end)
            self.customers[name] = settled
        self.states[name] = (bill.carried, [*rows, *self._turned(customer, bill)])
        return Closed(
            customer=name,
            period=ended,
            number=document.number,
            kind=becomes,
            gross=document.gross,
            to_pay=document.to_pay,
            currency=document.currency,
            billed_micro=bill.gross_micro,
            warnings=remarks,
        )

    def _waits(self, customer: Customer, bill: Bill) -> Closed:
        currency = subledgers.currency(self.draft, customer.id)
        message = kind.below(bill, customer, self.draft.config, currency)
        return Closed(
            customer=customer.id,
            period=bill.period,
            gross=money.text(bill.gross_micro, bill.places),
            currency=currency,
            closed=False,
            waits=True,
            warnings=[Warned("below-minimum", message)],
        )

    def _reference(self, document: Document) -> str:
        """Return the reference a payment of an invoice must carry, empty if nothing is to pay."""
        if document.kind != "invoice" or money.parse(document.to_pay) <= 0:
            return ""
        config, number = self.draft.config, document.number or ""
        iban = config.company_on(self.draft.today).iban
        reference = references.of_invoice(number, iban, config.bill.reference)
        return reference if reference != number else ""

    def _corrected(self, customer: Customer, bill: Bill) -> tuple[dict[str, str], ...]:
        """Return the invoices that a negative bill corrects."""
        closed = self.closed.get(customer.id, {})
        return originals.corrected(bill, originals.Invoices(self.draft, customer, closed))

    def _path(self, customer: Customer, document: Document) -> str:
        start = document.period["start"]
        name = document.number or paths.of_statement(customer.id, dt.date.fromisoformat(start))
        return paths.path(self.draft.today.year, name)

    def _stated(self, customer: Customer, document: Document) -> dict[str, str | dt.date]:
        """Return the metadata by which the books find a statement that bills, else none."""
        if document.number or not document.vat:
            return {}
        name = PurePath(self._path(customer, document)).stem
        return {STATED: name, "due": dt.date.fromisoformat(document.due_date)}

    def _write(self, customer: Customer, bill: Bill, document: Document) -> str:
        """Freeze and seal a period's file, begin the next, and return the sealed document."""
        currency = subledgers.currency(self.draft, customer.id)
        frozen, remaining = split(self.files[customer.id], bill.period.end)
        earned, deferred = deferrals.at_close(
            deferrals.read(frozen.above), bill.period, customer, currency
        )
        closed = closing_entries.entries(
            bill,
            customer.id,
            currency,
            document.kind,
            document.number,
            closing_entries.tax_of(document, bill, self.draft.config.currency),
            stated=self._stated(customer, document),
        )
        entries = [*earned, *closed]
        text = _closed_text(frozen, entries, customer.id, currency)
        if self.draft.config.tax_point == "payment":
            starts = [start for start in customer.periods if start < bill.period.start]
            paths = [customer_file.period_path(customer.id, start) for start in starts]
            texts = [*(self.draft.text(path) for path in paths), text]
            entries += tax_point.on_payments(
                texts, customer.id, bill.period, self.draft.config.currency
            )
            text = _closed_text(frozen, entries, customer.id, currency)
        unsealed = written_document(as_json(document))
        sealed = self._seal(customer, bill, self._path(customer, document), unsealed, text)
        self.draft.tag_lines.append(
            f"{sealed.customer} {sealed.period.start} {sealed.period.end} {sealed.hash}\n"
        )
        balances, cumulative = closing_entries.brought_forward(bill, customer.id, currency)
        head: list[data.Directive] = [
            *balances,
            sealed.directive(),
            *cumulative,
            *fees.carried(frozen.above, bill.period.end, currency),
            *deferred,
        ]
        self.draft.put(customer_file.period_path(customer.id, bill.period.start), text)
        following = remaining._replace(
            above=(*syntax.blocks("".join(map(syntax.formatted, head))), *remaining.above)
        )
        if document.tax_point == "issue-date" and document.number:
            base = self.draft.config.currency
            dues = tax_point.of_document(document, base)
            due = tax_point.entry(self.draft.today, customer.id, document.number, dues, base)
            following = with_entries(following, [due])
        self.files[customer.id] = following
        self.customers[customer.id] = subledgers.with_period(
            self.customers[customer.id], bill.period.end
        )
        return with_seal(unsealed, seal.short(sealed.hash))

    def _seal(self, customer: Customer, bill: Bill, path: str, unsealed: str, text: str) -> Seal:
        """Return the seal of a period, its file's text, and the document at a path."""
        calls, lines = self.calls.told(customer.id, bill.period)
        vouched = seal.digest(lines.encode())
        own = {path: unsealed}
        return Seal(
            customer=customer.id,
            period=bill.period,
            document=PurePath(path).stem,
            files=self.covered.files(customer.id, bill.period, text, vouched, own),
            told=vouched,
            before=seal.read(text, bill.period.start) or SoFar(),
            calls=calls,
            billed_micro=bill.gross_micro,
            currency=subledgers.currency(self.draft, customer.id),
            places=bill.places,
        )

    def _turned(self, customer: Customer, bill: Bill) -> Iterator[Row]:
        """Yield the row that a change of VAT treatment posts on the first day of the new one."""
        balance = bill.carried.billed_micro
        if (sold := issue_taxed_refill.turned(self.draft, customer, bill.period, balance)) is None:
            return
        issued = self.issuer.issue(customer, sold)
        entry = taxed_refill.conversion(
            sold, customer.id, subledgers.currency(self.draft, customer.id), issued
        )
        self.files[customer.id] = with_entries(self.files[customer.id], [entry])
        yield Row(
            date=entry.date,
            billed=True,
            payee=entry.payee or "",
            narration=entry.narration or "",
            micro=sold.vat_micro,
            vat="",
            calls=None,
            seconds=None,
            late_from=None,
            link=issued.number,
            tags=frozenset(),
        )

    def finish(self) -> None:
        """Write the files of the periods now open."""
        self.issuer.say()
        company = self.draft.config.company
        for message in sorted(self.remarks if company.vat_id or company.country else ()):
            self.draft.talk(f"note: {message}")
        for name, customer in self.customers.items():
            before = subledgers.customers(self.draft)[name]
            subledgers.put_customer(self.draft, customer)
            subledgers.put_open_file(self.draft, name, self.files[name])
            self.draft.touch(name, before.open_since)


def _tax_point(document: Document, number: str | None, usual: str) -> str:
    """Return the tax point of a document, empty if it is the last day of its period.

    What is stated and not invoiced has no invoice whose day of issue could count.
    """
    is_taxed = bool(number) or (usual == "payment" and bool(document.vat))
    return usual if is_taxed and usual != "period-end" else ""


def _closed_text(
    frozen: PeriodFile, entries: Sequence[data.Transaction], customer: str, currency: str
) -> str:
    blocks = [syntax.Block(str(e.date), "*", syntax.formatted(e)) for e in entries]
    return written(frozen._replace(closing=tuple(blocks)), customer, currency)
