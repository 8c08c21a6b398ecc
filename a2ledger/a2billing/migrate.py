"""Migrate from A2Billing, and keep its books while A2Billing still rates the calls.

A2Billing is read once: cards become customers, call plans become decks, its money tables become
refills, payments, charges and opening balances, and calls are posted at the price A2Billing gave
them. Rows that the book has already are recognised, so each run takes only what is new.
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
from a2ledger.book.book import Book, Draft, RefusedError
from a2ledger.book.source_config import Source
from a2ledger.calls import imports as call_imports
from a2ledger.calls.inputs import Asked, Reading
from a2ledger.customers import register
from a2ledger.fees import charge
from a2ledger.journal import general, shards, subledgers, syntax
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
    """The result of a run: a report for each part, and the reading of calls."""

    parts: Sequence[Report]
    reading: Reading
    notes: Sequence[str]


def place(location: Path | Address) -> Path | Address:
    """Return A2Billing's location in the form that is stored, asking once for a password."""
    if isinstance(location, Address):
        ask = functools.cache(location.ask) if location.ask else None
        return replace(location, table="cc_call", ask=ask)
    return location


@contextlib.contextmanager
def tables_of(location: Path | Address, source: Source) -> Iterator[Tables]:
    """Open A2Billing's tables for reading.

    Raises:
        UnusableInput: if it cannot be reached, or is not A2Billing's.
    """
    if isinstance(location, Address):
        with database.reading(location, source.timezone) as base:
            _check(base.has("cc_card"), location)
            yield access.Server(location, base)
        return
    _check(access.path(location, "cc_card") is not None, location)
    yield access.Files(location, source.encoding)


def _check(is_there: bool, location: Path | Address) -> None:
    if not is_there:
        problem = (
            "there is no cc_card" if isinstance(location, Address) else "there is no cc_card.csv"
        )
        raise UnusableInput(
            f"{location}: {problem}",
            undone="nothing was imported",
            todo="name A2Billing's database, or a directory of CSV exports of its tables",
        )


def import_all(
    draft: Draft,
    source: Source,
    location: Path | Address,
    now: dt.datetime,
    asked: Asked,
    fees_from: dt.date | None = None,
) -> Moved:
    """Import all that is new in A2Billing into the draft.

    Args:
        draft: of the book.
        source: of the dialect; its ``opening`` is the first day to take over, if not everything.
        location: the database, or the directory of exports.
        now: an aware time.
        asked: which calls.
        fees_from: the day from which the book charges recurring fees itself.

    Raises:
        UnusableInput: if A2Billing cannot be read.
        RefusedError: if its currency is not the book's.
    """
    clock = clock_of(draft, source)
    opening = source.opening
    with tables_of(location, source) as tables:
        _check_currency(draft, tables)
        all_cards = cards.read(tables, source.switch, clock, draft.today)
        before = set(subledgers.customers(draft))
        notes = _decks(draft, source, tables, all_cards)
        parts = [_customers(draft, source, all_cards, opening)]
        notes += _taxes(draft, source, all_cards)
        if fees_from:
            notes += _fees(draft, source, tables, clock, fees_from)
        log = read_log(draft, source, tables, all_cards, draft.today)
        owners = owners_of(draft, source)
        new = {card: name for card, name in owners.items() if name not in before}
        openings: list[Movement] = []
        if opening:
            openings, moving_on = _openings(draft, source, location, tables, all_cards, log, new)
            notes += moving_on
        notes += filter(None, [_described(all_cards, log)])
    numbers = {a2billing.identifier(source.switch, number) for number in all_cards.present}
    known = {a2billing.identifier(source.switch, number) for number in owners}
    feed = replace(source, accounts=frozenset(numbers | known))
    inputs = [location] if isinstance(location, Address) else dialect.files(location)
    calls, reading = call_imports.import_calls(draft, feed, inputs, now, asked)
    money = _money(draft, location, log, openings)
    calls.source = "calls"
    calls.files = [str(location)]
    return Moved([parts[0], calls, *money], reading, notes)


def _money(
    draft: Draft, location: Path | Address, log: Log, openings: Sequence[Movement]
) -> list[Report]:
    """Post all movements at once, so that payments meet refills, and return reports by kind."""
    reports = {name: Report(source=kind, files=[str(location)]) for kind, name in _KINDS.items()}
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
    fresh = [location for location in given if posting.link(location) not in same]
    money_imports.take(draft, fresh, reports, incumbent=True)
    for report in reports.values():
        report.refused = [row._replace(head=TABLE) for row in report.refused]
    return list(reports.values())


def read_log(book: Book, source: Source, tables: Tables, all_cards: Cards, today: dt.date) -> Log:
    """Read what A2Billing's tables record of money of the book's customers."""
    return money_log.read(
        tables,
        Context(
            source.name,
            clock_of(book, source),
            owners_of(book, source),
            all_cards.cards,
            all_cards.present,
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
    """Return customers by card number: those who hold the card's identifier, or ever held it."""
    start = a2billing.identifier(source.switch, "")
    by_card = {}
    for customer in subledgers.customers(book).values():
        for value in customer.values("identifiers"):
            for held in str(value).split(", "):
                if held.startswith(start):
                    by_card[held.removeprefix(start)] = customer.id
    return by_card


def _check_currency(book: Book, tables: Tables) -> None:
    base = a2billing.base_currency(tables)
    if base and base != book.config.currency:
        raise RefusedError(
            (f"A2Billing keeps its accounts in {base}, the book in {book.config.currency}"),
            undone="nothing was imported",
            todo=f"start a book with `init --currency {base}`",
        )


def _described(all_cards: Cards, log: Log) -> str:
    odd = all_cards.odd + log.odd
    return ", ".join(
        f"{count} with {description}" for description, count in sorted(odd.items()) if count
    )


# Customers and decks


def _decks(draft: Draft, source: Source, tables: Tables, all_cards: Cards) -> list[str]:
    """Write the deck of every call plan, and return notes about it."""
    plans = {card.call_plan for card in all_cards.cards.values()}
    made = ratecards.read(tables, source.name, plans)
    for name, text in made.texts.items():
        decks.put(draft, name, text)
    odd = ", ".join(
        f"{count} with {description}" for description, count in sorted(made.odd.items())
    )
    return [f"ratecards: {made.rates} rates in {len(made.texts)} deck(s){odd and f'; {odd}'}"]


def _customers(draft: Draft, source: Source, all_cards: Cards, opening: dt.date | None) -> Report:
    refused = [row._replace(head=TABLE) for row in all_cards.refused]
    report = Report(source="customers", read=all_cards.read, refused=refused)
    owners = owners_of(draft, source)
    with draft.progress("customers", len(all_cards.cards)) as progress:
        for card in all_cards.cards.values():
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


def _taxes(draft: Draft, source: Source, all_cards: Cards) -> list[str]:
    """Return notes on customers whose VAT rate differs between the book and A2Billing."""
    config, owners = draft.config, owners_of(draft, source)
    service = next(iter(config.services))
    counts: Counter[tuple[str, str]] = Counter()
    for card in all_cards.cards.values():
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
    """Add recurring charges as fees, once, and return notes about them."""
    owners = owners_of(draft, source)
    added, notes = 0, []
    services = tuple(draft.config.services)
    for item in subscriptions.read(tables, clock, since, services):
        name = owners.get(item.card)
        if name is None or any(fee.id == item.id for fee in subledgers.customer(draft, name).fees):
            continue
        try:
            charge.add(
                draft, name, item.service, item.amount, name=item.id, since=item.start,
                until=item.until, description=item.description,
            )  # fmt: skip
        except RefusedError as error:
            notes.append(f"fee {item.id} of {name} was not added: {error}")
        else:
            added += 1
    return [f"fees: {added} added", *notes]


def _facts(
    draft: Draft, source: Source, card: Card, name: str, opening: dt.date | None
) -> dict[str, str]:
    """Return a customer's facts from a card, except those the book knows better."""
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
    held_now = [identifier for text in last for identifier in text.split(", ") if identifier]
    facts["identifiers"] = ", ".join(held_now if own in held_now else [*held_now, own])
    return facts


# Money


def _openings(  # noqa: PLR0917 - all that a balance follows from
    draft: Draft,
    source: Source,
    location: Path | Address,
    tables: Tables,
    all_cards: Cards,
    log: Log,
    new: Mapping[str, str],
) -> tuple[list[Movement], list[str]]:
    """Return the opening balances of new customers, and notes about them."""
    first = source.opening or dt.date.min
    old = {
        card: name
        for card, name in new.items()
        if card in all_cards.cards and all_cards.cards[card].created < first
    }
    if not old:
        return [], []
    spent = _spent(draft, source, tables, first)
    invoices = money_log.unpaid(tables, clock_of(draft, source))
    openings: list[Movement] = []
    for card, name in old.items():
        took = spent.get(a2billing.identifier(source.switch, card), 0)
        balance = _Opening(
            source.name, str(location), subledgers.customer(draft, name), all_cards.cards[card]
        )
        openings += balance.movements(log.entries.get(card, ()), took, invoices.get(card, ()))
    return openings, [
        f"{old[card]}: the balance changed while it was read; check the opening with `reconcile`"
        for card in moved(tables, all_cards)
        if card in old
    ]


def moved(tables: Tables, all_cards: Cards) -> set[str]:
    """Return cards whose balance moved since it was read: their calls may not match it."""
    now = cards.balances(tables)
    return {card.id for card in all_cards.cards.values() if now.get(card.id) != card.row["credit"]}


class _Opening(NamedTuple):
    """The opening balance of a customer, as of the opening day."""

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
        """Yield openings: unpaid invoices, and the rest of the balance.

        Args:
            entries: of the card.
            spent_micro: what calls took from that day on.
            invoices: those not paid by now.
        """
        opened = self.customer.opened
        since = sum(entry.credit_micro for entry in entries if entry.movement.date >= opened)
        owed = since - spent_micro - self.card.credit_micro
        for bill in invoices:
            if bill.date < opened:
                owed -= bill.in_credit_micro
                yield self._movement(
                    f"invoice-{bill.reference}", bill.gross_micro, bill.reference, bill.date
                )
        if owed:
            yield self._movement(f"card-{self.card.id}", owed)
        if owed < 0 and any(entry.cause == "vat-paid" for entry in entries):
            # Bills will ask for VAT that was paid with what is left of these top-ups.
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
    """Sum what calls since a day took from each card's balance, in micro-units, by identifier."""
    moment = dt.datetime.combine(day, dt.time(), book.config.zone)
    first = f"{moment.astimezone(clock_of(book, source).server):%Y-%m-%d %H:%M:%S}"
    batches = dialect.calls(tables, source, Span(moment, None))
    return dialect.spent(batches, lambda starts: pc.greater_equal(starts, first))


def _unchanged(draft: Draft, given: Sequence[Movement]) -> set[str]:
    """Return links of movements that are in the book with the same content."""
    wanted = {posting.link(movement): movement for movement in given}
    links = set()
    for path in shards.months(draft):
        for block in syntax.blocks(draft.text(path)):
            if block.kind != "*":
                continue
            own = block.own_link
            if own in wanted and _is_same(block, wanted[own]):
                links.add(own)
    return links


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
