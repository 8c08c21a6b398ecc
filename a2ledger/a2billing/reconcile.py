"""Reconcile customers' balances in A2Billing and in the book, and adopt unexplained amounts."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import accounts, money
from a2ledger.a2billing import calls as dialect
from a2ledger.a2billing import cards, causes, migrate, money_log
from a2ledger.a2billing import tables as a2billing
from a2ledger.a2billing.cards import Cards
from a2ledger.a2billing.causes import Call, Cause, Held, Known, Line
from a2ledger.a2billing.money_log import Log
from a2ledger.a2billing.tables import Tables
from a2ledger.book.book import IMPORTS, Book, Draft
from a2ledger.book.source_config import Source
from a2ledger.calls import detail
from a2ledger.corrections import correct
from a2ledger.journal import general, shards, subledgers, syntax
from a2ledger.journal.entries import leg, transaction
from a2ledger.sources.address import Address

UNEXPLAINED = "Equity:A2Billing-Unexplained"
_OWN = ("refill", "payment", "charge")
_BILLS = ("#invoice", "#statement", "#rounding", "#release", "#credit-note")


class Compared(NamedTuple):
    """The reconciliations of all customers."""

    source: str
    place: str
    lines: Sequence[Line]

    @property
    def unexplained(self) -> list[Line]:
        """Return the reconciliations with an unexplained amount."""
        return [line for line in self.lines if line.unexplained_micro]

    def as_json(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {
            "source": self.source,
            "from": self.place,
            "agree": sum(not line.difference_micro for line in self.lines),
            "differ": sum(bool(line.difference_micro) for line in self.lines),
            "unexplained": len(self.unexplained),
            "customers": [_as_json(line) for line in self.lines],
        }


def _as_json(line: Line) -> dict[str, Any]:
    return {
        "customer": line.customer,
        "card": line.card,
        "credit": a2billing.text(line.credit_micro),
        "book": a2billing.text(line.book_micro),
        "difference": a2billing.text(line.difference_micro),
        "unexplained": a2billing.text(line.unexplained_micro),
        "causes": [
            {
                "cause": cause.code,
                "amount": a2billing.text(cause.micro),
                "message": cause.message,
                "rows": list(cause.rows),
            }
            for cause in line.causes
        ],
        "hints": line.hints,
    }


def last_place(book: Book, source: str) -> str:
    """Return where a source was last imported from, empty if it never was."""
    files = ""
    for row in csv.DictReader(io.StringIO(book.text(IMPORTS))):
        if row["source"] == source:
            files = row["files"]
    return files.partition("#")[0]


def reconcile(book: Book, source: Source, location: Path | Address, today: dt.date) -> Compared:
    """Compare every card's balance with its customer's account.

    Raises:
        UnusableInput: if A2Billing cannot be read.
    """
    clock = a2billing.clock_of(book, source)
    with migrate.tables_of(location, source) as tables:
        all_cards = cards.read(tables, source.switch, clock, today)
        log = migrate.read_log(book, source, tables, all_cards, today)
        old = money_log.in_credit(tables, clock)
        work = _Work(
            book,
            source,
            tables,
            all_cards,
            log,
            _held(book, source),
            migrate.owners_of(book, source),
            old,
            _reservation(tables),
        )
        return Compared(source.name, str(location), work.lines())


def _reservation(tables: Tables) -> int:
    written = a2billing.setting(tables, "dial_balance_reservation")
    try:
        return abs(a2billing.micro(written)) if written else causes.RESERVATION_MICRO
    except ValueError:
        return causes.RESERVATION_MICRO


@dataclass
class _Work:
    book: Book
    source: Source
    tables: Tables
    found: Cards
    log: Log
    held: Mapping[str, list[Held]]
    owners: Mapping[str, str]
    in_credit: Mapping[str, int]
    reservation_micro: int

    def lines(self) -> list[Line]:
        """Return a reconciliation for every card, sorted by customer."""
        lines = [self._line(card) for card in self.found.cards]
        doubtful = [line for line in lines if line.unexplained_micro and line.card in self.owners]
        if doubtful:
            theirs = self._their_calls({line.card for line in doubtful})
            ours = self._our_calls({line.customer for line in doubtful})
            for line in doubtful:
                self._look_closer(line, theirs, ours.get(line.customer, {}))
            moved = migrate.moved(self.tables, self.found)
            for line in doubtful:
                if line.card in moved and line.unexplained_micro:
                    line.hints.append("the balance moved while it was compared: compare again")
        return sorted(lines, key=lambda line: line.customer)

    def _line(self, number: str) -> Line:
        card = self.found.cards[number]
        name = self.owners.get(number, "")
        line = Line(
            customer=name or card.username,
            card=number,
            username=card.username,
            credit_micro=card.credit_micro,
            book_micro=sum(entry.micro for entry in self._entries(name)),
        )
        if name:
            line.causes += causes.by_rows(self._known(line))
            line.causes += [
                Cause("own-fee", micro, (row,))
                for row, micro in self.log.own_fees.get(number, ())
                if micro
            ]
        elif card.credit_micro:
            line.causes.append(Cause("no-customer", card.credit_micro, (f"cc_card {number}",)))
        return line

    def _entries(self, name: str) -> Sequence[Held]:
        return self.held.get(accounts.component(name), []) if name else []

    def _known(self, line: Line) -> Known:
        customer = subledgers.customers(self.book)[line.customer]
        in_credit = {
            syntax.link("opening", self.source.name, f"invoice-{reference}"): micro
            for reference, micro in self.in_credit.items()
        }
        # A2Billing's balance never includes VAT that was paid with top-ups before the opening.
        in_credit[syntax.link("opening", self.source.name, f"vat-{line.card}")] = 0
        return Known(
            customer.opened,
            self.log.entries.get(line.card, ()),
            self._entries(line.customer),
            in_credit,
        )

    def _look_closer(
        self, line: Line, theirs: Mapping[str, Mapping[str, Call]], ours: Mapping[str, Call]
    ) -> None:
        """Explain a line by its calls, then by causes whose amount fits the rest."""
        entries = self._entries(line.customer)
        own = theirs.get(line.card, {})
        legs = theirs.get(f"caller {line.card}", {})
        has_opening = any(row.what == "opening" for row in entries)
        line.causes += causes.by_calls(own, ours, has_opening=has_opening)
        usage = -sum(row.micro for row in entries if row.what == "calls")
        if other := usage - sum(row.micro for row in ours.values()):
            line.causes.append(Cause("only-in-book", other, ("calls of other sources",)))
        if not line.unexplained_micro:
            return
        log = self.log.entries.get(line.card, ())
        fits = causes.by_amount(
            line.unexplained_micro,
            self.found.cards[line.card],
            log,
            [*own.values(), *legs.values()],
            self.log.edited.get(line.card, ()),
            self.reservation_micro,
        )
        if fits:
            line.causes.append(fits)
        else:
            line.hints += causes.hints(line.unexplained_micro, log)

    def _their_calls(self, wanted: Collection[str]) -> dict[str, dict[str, Call]]:
        """Return A2Billing's calls of some cards, by card and identity.

        A leg that A2Billing recorded for a number's owner but charged to the caller is listed under
        the caller's card, too, with a negative price.
        """
        by_card: dict[str, dict[str, Call]] = {card: {} for card in wanted}
        start = {
            card: _first_moment(self.book, self.source, name)
            for card, name in self.owners.items()
            if card in wanted
        }
        prefix = a2billing.identifier(self.source.switch, "")
        value_set = pa.array([prefix + card for card in wanted], pa.string())
        callers: dict[str, str] = {}
        legs: list[tuple[str, Call]] = []
        for batch in dialect.calls(self.tables, self.source):
            rows = batch.rows
            own = pc.is_in(rows["accountcode"], value_set=value_set)
            is_leg = pc.equal(rows["context"], "did-a-leg")
            names = ("accountcode", "uniqueid", "sequence", "cost", "userfield", "start", "context")
            for row in rows.select(names).filter(pc.or_(own, is_leg)).to_pylist():
                card = row["accountcode"].removeprefix(prefix)
                leg_of = row["context"] == "did-a-leg"
                call = Call(
                    f"cc_call {row['uniqueid']}",
                    _micro(row["cost"]),
                    row["userfield"],
                    leg_of,
                    row["start"] < start.get(card, ""),
                )
                if card in by_card:
                    by_card[card][f"{row['uniqueid']}/{row['sequence']}"] = call
                    if not leg_of:
                        callers[row["uniqueid"]] = card
                if leg_of:
                    legs.append((row["uniqueid"], call))
        for uid, call in legs:
            if (card := callers.get(uid)) is not None:
                by_card.setdefault(f"caller {card}", {})[uid] = call._replace(micro=-call.micro)
        return by_card

    def _our_calls(self, wanted: Collection[str]) -> dict[str, dict[str, Call]]:
        """Return calls of some customers that came from A2Billing, by identity."""
        by_customer: dict[str, dict[str, Call]] = {}
        names = ["customer", "switch", "uid", "seq", "cost_micro"]
        value_set = pa.array(sorted(wanted), pa.string())
        for day in detail.digests(self.book):
            calls = detail.read(self.book.root, day, detail.digests(self.book), names)
            own = pc.is_in(calls["customer"], value_set=value_set)
            own = pc.and_(own, pc.equal(calls["switch"], self.source.switch))
            for row in calls.filter(own).to_pylist():
                key = f"{row['uid']}/{row['seq']}"
                call = Call(f"cc_call {row['uid']}", row["cost_micro"])
                by_customer.setdefault(row["customer"], {})[key] = call
        return by_customer


def _micro(written: str) -> int:
    try:
        return a2billing.micro(written)
    except ValueError:
        return 0


def _first_moment(book: Book, source: Source, name: str) -> str:
    """Return when a customer's account begins, as a time of A2Billing's server."""
    clock = a2billing.clock_of(book, source)
    moment = dt.datetime.combine(subledgers.customers(book)[name].opened, dt.time(), clock.book)
    return f"{moment.astimezone(clock.server):%Y-%m-%d %H:%M:%S}"


def _held(book: Book, source: Source) -> dict[str, list[Held]]:
    """Return all entries of the book's customers, by account component."""
    by_customer: dict[str, list[Held]] = {}
    starts = tuple(syntax.link(kind, source.name, "") for kind in _OWN)
    adopted = syntax.link("adopted", source.name, "")
    for path in shards.months(book):
        for block in syntax.blocks(book.text(path)):
            if block.kind in {"*", "!"} and (customer := general.customer_of(block)):
                by_customer.setdefault(customer, []).append(
                    _entry(block, customer, starts, adopted)
                )
    return by_customer


def _entry(block: syntax.Block, customer: str, starts: tuple[str, ...], adopted: str) -> Held:
    legs = block.legs
    own = accounts.RECEIVABLE + customer + ":"
    micro = -sum(posting.micro for posting in legs if posting.account.startswith(own))
    link = block.own_link
    head = block.text.partition("\n")[0]
    if link.startswith(starts):
        kind = "row"
    elif link.startswith(adopted):
        kind = "adopted"
    elif link.startswith("opening-"):
        kind = "opening"
    elif not link and "\n  calls: " in block.text:
        kind = "calls"
    elif any(f" {tag}" in head for tag in _BILLS):
        kind = "bill"
    else:
        kind = "other"
    first = legs[0].micro if legs else 0
    return Held(link, kind, micro, first, "\n  voided: " in block.text, head)


# Adopting


def adopt(draft: Draft, compared: Compared) -> list[tuple[str, int]]:
    """Post unexplained amounts, one entry each, and return customers and amounts."""
    posted = []
    for line in compared.lines:
        parts = [(cause.micro, cause.message) for cause in line.causes if _is_adopted(cause)]
        if line.unexplained_micro:
            parts.append((line.unexplained_micro, "no row in A2Billing explains it"))
        for micro, why in parts:
            if line.customer in subledgers.customers(draft):
                _post(draft, compared.source, line, micro, why)
                posted.append((line.customer, micro))
    return posted


def _is_adopted(cause: Cause) -> bool:
    return bool(cause.micro) and cause.code in causes.ADOPTED


def _post(draft: Draft, source: str, line: Line, micro: int, why: str) -> None:
    """Post one adopted amount in the customer's open period."""
    currency = subledgers.currency(draft, line.customer)
    places = money.decimals(currency)
    start = syntax.link("adopted", source, f"{line.card}-{draft.today}-")
    text = subledgers.open_file(draft, line.customer)
    taken = sum(start in block.text.partition("\n")[0] for block in text.above)
    entry = transaction(
        draft.today,
        "A2Billing",
        syntax.plain(f"Balance adopted: {why}"),
        [
            leg(UNEXPLAINED, micro, currency, places=places),
            leg(accounts.billed(line.customer), -micro, currency, places=places),
        ],
        links=[f"{start}{taken + 1}"],
    )
    correct.place(draft, line.customer, entry)


# The way back


def statements(compared: Compared) -> Iterator[str]:
    """Yield SQL that sets A2Billing's balances to the book's, unless they have moved since."""
    for line in compared.lines:
        if line.difference_micro and not any(cause.code == "no-customer" for cause in line.causes):
            new = money.rounded(line.book_micro, a2billing.PLACES)
            old = a2billing.text(line.credit_micro)
            yield (
                f"UPDATE cc_card SET credit = {a2billing.text(new)} "  # noqa: S608 - printed, for a person to run
                f"WHERE id = {int(line.card)} AND username = {_quoted(line.username)} "
                f"AND credit = {old};"
            )


def _quoted(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
