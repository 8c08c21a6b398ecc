"""Take a company over from A2Billing, and keep its books while A2Billing still rates the calls.

Everything comes of one reading: cards become customers, call plans decks, what moved money
refills, payments, charges and openings, and calls are posted with the price they were given. All
that the book has already is known again, so that each run takes what is new.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pyarrow.compute as pc

from a2ledger import accounts, money
from a2ledger.a2billing import access, cards, money_log, ratecards, subscriptions
from a2ledger.a2billing import calls as dialect
from a2ledger.a2billing import tables as a2billing
from a2ledger.a2billing.cards import Card, Cards
from a2ledger.a2billing.money_log import Context, Log
from a2ledger.a2billing.tables import Clock, Tables, clock_of
from a2ledger.book.book import GENERAL, Book, Draft, RefusedError
from a2ledger.book.source_config import Source
from a2ledger.calls import imports as call_imports
from a2ledger.calls.inputs import Asked, Reading
from a2ledger.customers import register
from a2ledger.fees import charge
from a2ledger.journal import general, subledgers, syntax
from a2ledger.payments import imports as money_imports
from a2ledger.payments import posting
from a2ledger.rating import decks
from a2ledger.records import Customer, Movement
from a2ledger.sources import database
from a2ledger.sources.address import Address
from a2ledger.sources.batch import TABLE, Span, UnusableInput
from a2ledger.sources.report import Report

DIALECT = "a2billing"
_KINDS = {"openings": "opening", "refills": "refill", "payments": "payment", "charges": "charge"}


class Moved(NamedTuple):
    """What a run did: a report for each part, and what was read of calls."""

    parts: Sequence[Report]
    reading: Reading
    notes: Sequence[str]


def place(one: Path | Address) -> Path | Address:
    """Where A2Billing is, as it is known by in every run: a password is asked for once."""
    if isinstance(one, Address):
        ask = functools.cache(one.ask) if one.ask else None
        return replace(one, table="cc_call", ask=ask)
    return one


@contextlib.contextmanager
def tables_of(one: Path | Address, source: Source) -> Iterator[Tables]:
    """A2Billing's tables, for reading.

    Raises:
        UnusableInput: if it cannot be reached, or is no A2Billing.
    """
    if isinstance(one, Address):
        with database.reading(one, source.timezone) as base:
            _check(base.has("cc_card"), one)
            yield access.Server(one, base)
        return
    _check(access.path(one, "cc_card") is not None, one)
    yield access.Files(one, source.encoding)


def _check(is_there: bool, one: Path | Address) -> None:
    if not is_there:
        what = "there is no cc_card" if isinstance(one, Address) else "there is no cc_card.csv"
        raise UnusableInput(
            f"{one}: {what}",
            undone="nothing was imported",
            todo="name A2Billing's database, or a directory of CSV exports of its tables",
        )


def import_all(
    draft: Draft,
    source: Source,
    one: Path | Address,
    now: dt.datetime,
    asked: Asked,
    fees_from: dt.date | None = None,
) -> Moved:
    """Import all that is new in A2Billing into the draft.

    Args:
        draft: of the book.
        source: of the dialect; its ``opening`` is the first day that is taken over, where not
            all is.
        one: the database, or the directory of exports.
        now: an aware time.
        asked: which calls.
        fees_from: the day from which on the book charges by itself for what recurs.

    Raises:
        UnusableInput: if A2Billing cannot be read.
        RefusedError: if it keeps its accounts in another currency than the book.
    """
    clock = clock_of(draft, source)
    opening = source.opening
    with tables_of(one, source) as tables:
        _check_currency(draft, tables)
        found = cards.read(tables, source.switch, clock, draft.today)
        before = set(subledgers.customers(draft))
        notes = _decks(draft, source, tables, found)
        parts = [_customers(draft, source, found, opening)]
        notes += _taxes(draft, source, found)
        if fees_from:
            notes += _fees(draft, source, tables, clock, fees_from)
        log = read_log(draft, source, tables, found, draft.today)
        owners = owners_of(draft, source)
        new = {card: name for card, name in owners.items() if name not in before}
        openings: list[Movement] = []
        if opening:
            openings, moving_on = _openings(draft, source, one, tables, found, log, new)
            notes += moving_on
        notes += filter(None, [_described(found, log)])
    numbers = {a2billing.identifier(source.switch, number) for number in found.present}
    known = {a2billing.identifier(source.switch, number) for number in owners}
    feed = replace(source, accounts=frozenset(numbers | known))
    inputs = [one] if isinstance(one, Address) else dialect.files(one)
    calls, reading = call_imports.import_calls(draft, feed, inputs, now, asked)
    money = _money(draft, one, log, openings)
    calls.source = "calls"
    calls.files = [str(one)]
    return Moved([parts[0], calls, *money], reading, notes)


def _money(
    draft: Draft, one: Path | Address, log: Log, openings: Sequence[Movement]
) -> list[Report]:
    """Post all movements at once, so that payments meet their refills; a report for each kind."""
    reports = {name: Report(source=kind, files=[str(one)]) for kind, name in _KINDS.items()}
    given = [*openings]
    for name, report in reports.items():
        own = list(openings) if name == "opening" else log.of_kind(name)
        given += [] if name == "opening" else own
        report.refused += log.refused.get(name, ())
        report.not_billable.update(log.strays.get(name, {}))
        report.read = len(own) + len(report.refused) + report.not_billable.total()
        report.currencies = subledgers.foreign_accounts(draft)
    same = _unchanged(draft, given)
    for movement in given:
        if (link := posting.link(movement)) in same:
            reports[movement.kind].duplicate += 1
            reports[movement.kind].known.add(link)
    fresh = [one for one in given if posting.link(one) not in same]
    money_imports.take(draft, fresh, reports, incumbent=True)
    for report in reports.values():
        report.refused = [row._replace(head=TABLE) for row in report.refused]
    return list(reports.values())


def read_log(book: Book, source: Source, tables: Tables, found: Cards, today: dt.date) -> Log:
    """What A2Billing says of the money of the book's customers."""
    return money_log.read(
        tables,
        Context(
            source.name,
            clock_of(book, source),
            owners_of(book, source),
            found.cards,
            found.present,
            tuple(book.config.services),
            {name: customer.opened for name, customer in subledgers.customers(book).items()},
            {
                (name, fee.id): fee.start
                for name, customer in subledgers.customers(book).items()
                for fee in customer.fees
            },
            today,
        ),
    )


def owners_of(book: Book, source: Source) -> dict[str, str]:
    """Customers by the number of their card: whoever holds its identifier, or ever held it."""
    start = a2billing.identifier(source.switch, "")
    found = {}
    for customer in subledgers.customers(book).values():
        for value in customer.values("identifiers"):
            for one in str(value).split(", "):
                if one.startswith(start):
                    found[one.removeprefix(start)] = customer.id
    return found


def _check_currency(book: Book, tables: Tables) -> None:
    base = a2billing.base_currency(tables)
    if base and base != book.config.currency:
        raise RefusedError(
            (f"A2Billing keeps its accounts in {base}, the book in {book.config.currency}"),
            undone="nothing was imported",
            todo=f"start a book with `init --currency {base}`",
        )


def _described(found: Cards, log: Log) -> str:
    odd = found.odd + log.odd
    return ", ".join(f"{count} with {what}" for what, count in sorted(odd.items()) if count)


# Customers and decks


def _decks(draft: Draft, source: Source, tables: Tables, found: Cards) -> list[str]:
    """Write the deck of every call plan; returns what is to be said of it."""
    plans = {card.call_plan for card in found.cards.values()}
    made = ratecards.read(tables, source.name, plans)
    for name, text in made.texts.items():
        decks.put(draft, name, text)
    odd = ", ".join(f"{count} with {what}" for what, count in sorted(made.odd.items()))
    return [f"ratecards: {made.rates} rates in {len(made.texts)} deck(s){odd and f'; {odd}'}"]


def _customers(draft: Draft, source: Source, found: Cards, opening: dt.date | None) -> Report:
    refused = [row._replace(head=TABLE) for row in found.refused]
    report = Report(source="customers", read=found.read, refused=refused)
    owners = owners_of(draft, source)
    with draft.progress("customers", len(found.cards)) as progress:
        for card in found.cards.values():
            progress.add(1)
            name = owners.get(card.id, card.username)
            try:
                new = register.put(draft, name, _facts(draft, source, card, name, opening))
            except RefusedError as error:
                report.refused.append(
                    card.row.refused("customer", str(error), f"customer-{card.id}")
                )
                continue
            report.posted += new
            report.duplicate += not new
            report.known.add(f"customer-{card.id}")
            if new:
                report.customers.add(name)
    register.check_clashes(draft)
    return report


def _taxes(draft: Draft, source: Source, found: Cards) -> list[str]:
    """Say where the book would put another VAT on bills than A2Billing does."""
    config, owners = draft.config, owners_of(draft, source)
    service = next(iter(config.services))
    counts: Counter[tuple[str, str]] = Counter()
    for card in found.cards.values():
        if card.id in owners and card.percent:
            who = config.party(
                subledgers.customer(draft, owners[card.id]), draft.today, draft.today
            )
            code = config.code_of(service, who, draft.today)
            if code.rate != card.percent:
                counts[f"{card.percent:f}", f"{code.code}, {code.rate:f} %"] += 1
    return [
        f"VAT: {count} customer(s) with {percent} % in A2Billing have {code} here"
        for (percent, code), count in sorted(counts.items())
    ]


def _fees(draft: Draft, source: Source, tables: Tables, clock: Clock, since: dt.date) -> list[str]:
    """Write what recurs as fees, once; returns what is to be said of it."""
    owners = owners_of(draft, source)
    added, notes = 0, []
    services = tuple(draft.config.services)
    for one in subscriptions.read(tables, clock, since, services):
        name = owners.get(one.card)
        if name is None or any(fee.id == one.id for fee in subledgers.customer(draft, name).fees):
            continue
        try:
            charge.add(
                draft, name, one.service, one.amount, name=one.id, since=one.start,
                until=one.until, description=one.description,
            )  # fmt: skip
        except RefusedError as error:
            notes.append(f"fee {one.id} of {name} was not added: {error}")
        else:
            added += 1
    return [f"fees: {added} added", *notes]


def _facts(
    draft: Draft, source: Source, card: Card, name: str, opening: dt.date | None
) -> dict[str, str]:
    """What a card says of its customer; what the book knows better stays."""
    facts = dict(card.facts)
    facts["tariff"] = ratecards.deck_name(source.name, card.call_plan)
    held = subledgers.customers(draft).get(name)
    if held is None:
        facts["opened"] = str(max(card.created, opening or card.created))
        return facts
    for key in cards.FIRST:
        if held.values(key):
            facts.pop(key)
    own = facts["identifiers"]
    last = [str(value) for value in held.values("identifiers")][-1:]
    there = [one for text in last for one in text.split(", ") if one]
    facts["identifiers"] = ", ".join(there if own in there else [*there, own])
    return facts


# Money


def _openings(  # noqa: PLR0917 - all that a balance follows from
    draft: Draft,
    source: Source,
    one: Path | Address,
    tables: Tables,
    found: Cards,
    log: Log,
    new: Mapping[str, str],
) -> tuple[list[Movement], list[str]]:
    """What new customers owed at the opening, and what is to be said of it."""
    first = source.opening or dt.date.min
    old = {
        card: name
        for card, name in new.items()
        if card in found.cards and found.cards[card].created < first
    }
    if not old:
        return [], []
    spent = _spent(draft, source, tables, first)
    invoices = money_log.unpaid(tables, clock_of(draft, source))
    openings: list[Movement] = []
    for card, name in old.items():
        took = spent.get(a2billing.identifier(source.switch, card), 0)
        balance = _Opening(
            source.name, str(one), subledgers.customer(draft, name), found.cards[card]
        )
        openings += balance.movements(log.entries.get(card, ()), took, invoices.get(card, ()))
    return openings, [
        f"{old[card]}: his balance moved while it was read; see `reconcile` for his opening"
        for card in moved(tables, found)
        if card in old
    ]


def moved(tables: Tables, found: Cards) -> set[str]:
    """Cards whose balance is no longer what was read: their calls may not belong to it."""
    now = cards.balances(tables)
    return {card.id for card in found.cards.values() if now.get(card.id) != card.row["credit"]}


class _Opening(NamedTuple):
    """What a customer owed when the day of the opening began."""

    source: str
    file: str
    customer: Customer
    card: Card

    def movements(
        self,
        entries: Sequence[money_log.Entry],
        spent_micro: int,
        invoices: Sequence[money_log.Invoice],
    ) -> Iterator[Movement]:
        """Invoices he had not paid, and what else makes his balance what it was.

        Args:
            entries: of his card.
            spent_micro: what calls took from that day on.
            invoices: those he has not paid by now.
        """
        opened = self.customer.opened
        since = sum(one.credit_micro for one in entries if one.movement.date >= opened)
        owed = since - spent_micro - self.card.credit_micro
        for bill in invoices:
            if bill.date < opened:
                owed -= bill.in_credit_micro
                yield self._movement(
                    f"invoice-{bill.reference}", bill.gross_micro, bill.reference, bill.date
                )
        if owed:
            yield self._movement(f"card-{self.card.id}", owed)
        if owed < 0 and any(one.cause == "vat-paid" for one in entries):
            # What is left of his top-ups was paid with VAT, which his bills will ask for.
            tax = money.divide(owed * int(self.card.percent * 100), 100_000) * 10
            yield self._movement(f"vat-{self.card.id}", tax)

    def _movement(
        self, identity: str, micro: int, number: str = "", due: dt.date | None = None
    ) -> Movement:
        return Movement(
            kind="opening",
            source=self.source,
            id=identity,
            customer=self.customer.id,
            date=self.customer.opened,
            amount_micro=micro,
            reference=number,
            description=f"due {due}" if due else "",
            due=due,
            file=self.file,
            line=self.card.row.line,
        )


def _spent(book: Book, source: Source, tables: Tables, day: dt.date) -> dict[str, int]:
    """What calls from a day on took from each card's balance, in micro-units, by identifier."""
    moment = dt.datetime.combine(day, dt.time(), book.config.zone)
    first = f"{moment.astimezone(clock_of(book, source).server):%Y-%m-%d %H:%M:%S}"
    batches = dialect.calls(tables, source, Span(moment, None))
    return dialect.spent(batches, lambda starts: pc.greater_equal(starts, first))


def _unchanged(draft: Draft, given: Sequence[Movement]) -> set[str]:
    """Links of movements that the book holds with the same content."""
    wanted = {posting.link(movement): movement for movement in given}
    found = set()
    for path in draft.files(GENERAL, "2*.beancount"):
        for block in syntax.blocks(draft.text(path)):
            if block.kind != "*":
                continue
            own = block.own_link
            if own in wanted and _is_same(block, wanted[own]):
                found.add(own)
    return found


def _is_same(block: syntax.Block, movement: Movement) -> bool:
    meta, first = block.meta, next(iter(block.legs), None)
    return (
        "voided" not in meta
        and meta.get("late_from", block.date) == str(movement.date)
        and meta.get("reference", "") == movement.reference
        and syntax.plain(movement.description) in block.strings
        and general.customer_of(block) == accounts.component(movement.customer)
        and first is not None
        and first.micro == movement.amount_micro
    )
