"""Read money from A2Billing's tables: refills, payments, charges, vouchers, open invoices.

Each row becomes a movement, together with what A2Billing's own balance moved by it, which is not
always the same:

- A payment moves nothing there; the refill it names does. One that names none is money the
  customer paid that their balance never saw.
- An extra charge, and a subscription that could not be taken, is put on an invoice and never
  taken from the balance. A number bought in the customer's pages is taken, and put on an invoice
  as well.
- A voucher moves the balance and leaves no refill.
- A refill is net and its payment gross: the difference is VAT that was paid with it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from a2ledger import money
from a2ledger.a2billing import subscriptions
from a2ledger.a2billing import tables as a2billing
from a2ledger.a2billing.cards import Card, percent_of
from a2ledger.a2billing.tables import Clock, Row, Tables
from a2ledger.journal import syntax
from a2ledger.records import Movement
from a2ledger.sources.batch import Refused, UnusableInput

_REFILL = ("id", "date", "credit", "card_id", "description", "refill_type")
_PAYMENT = ("id", "date", "payment", "card_id", "id_logrefill", "description", "added_refill")
_CHARGE = ("id", "id_cc_card", "creationdate", "amount", "chargetype", "description",
           "id_cc_did", "id_cc_card_subscription", "charged_status", "invoiced_status")  # fmt: skip
_VOUCHER = ("id", "voucher", "credit", "currency", "usedcardnumber", "usedate", "creationdate")
_INVOICE = ("id", "reference", "id_card", "date", "paid_status", "status")
_ITEM = ("id", "id_invoice", "price", "vat", "type_ext")

EXTRA_FEE = "2"
"""The ``refill_type`` of a fee, whose amount is negative."""
_SERVICES = {"1": "DIDs", "2": "DIDs", "3": "Subscriptions", "4": "One-off"}
_DID = {"1", "2"}
_RENT, _SUBSCRIBED = "2", "3"
_CENT = 10_000


class Entry(NamedTuple):
    """A movement, with the effect of its row on A2Billing's balance."""

    movement: Movement
    credit_micro: int
    """Positive in the customer's favour."""
    name: str
    """The row's name for people: ``cc_logrefill 12``."""
    cause: str = ""
    """The cause, where the book moves another amount by design."""
    also_billed: bool = False
    """True if A2Billing took it from the balance, and bills it on an invoice as well."""


class Invoice(NamedTuple):
    """An unpaid invoice of A2Billing."""

    reference: str
    date: dt.date
    gross_micro: int
    in_credit_micro: int
    """The part that is in the balance already."""


@dataclass(kw_only=True)
class Log:
    """The money in A2Billing's tables: entries by card, and rows without a customer."""

    entries: dict[str, list[Entry]] = field(default_factory=dict)
    strays: dict[str, Counter[str]] = field(default_factory=dict)
    """Rows without a customer, by kind: no card, a deleted card, no amount."""
    refused: dict[str, list[Refused]] = field(default_factory=dict)
    """Refused rows, by kind."""
    odd: Counter[str] = field(default_factory=Counter)
    edited: dict[str, list[tuple[str, tuple[int, ...]]]] = field(default_factory=dict)
    """Refills that differ from their payments, by card, with possible former amounts less the
    present one.
    """

    own_fees: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    """Charges that the book makes itself as fees, by card, with their effect on the balance."""

    def of_kind(self, kind: str) -> list[Movement]:
        """Return the movements of one kind."""
        return [
            entry.movement
            for entries in self.entries.values()
            for entry in entries
            if entry.movement.kind == kind
        ]


class Context(NamedTuple):
    """What the reader needs to know of the book and the cards."""

    source: str
    clock: Clock
    owners: Mapping[str, str]
    """Customers by card number."""
    cards: Mapping[str, Card]
    present: Collection[str]
    """Numbers of all cards, refused ones included."""
    services: Collection[str]
    opened: Mapping[str, dt.date]
    """First days of customers' accounts."""
    fees: Mapping[tuple[str, str], dt.date]
    """First days of fees, by customer and id; from then on the book charges them itself."""
    today: dt.date


def read(tables: Tables, context: Context) -> Log:
    """Read all money of customers from the tables."""
    reader = _Reader(context)
    refills = _by_card(tables.rows("cc_logrefill", _REFILL).rows, "card_id")
    for table, kind, read in (
        (tables.rows("cc_logrefill", _REFILL), "refill", reader.refill),
        (tables.rows("cc_logpayment", _PAYMENT), "payment", reader.payment(refills)),
        (tables.rows("cc_charge", _CHARGE), "charge", reader.charge),
        (
            tables.rows("cc_voucher", _VOUCHER),
            "refill",
            reader.voucher(refills, a2billing.rates_of_exchange(tables)),
        ),
    ):
        reader.log.refused.setdefault(kind, []).extend(table.refused)
        reader.take(table.rows, kind, read)
    return reader.log


def _by_card(rows: list[Row], column: str) -> dict[str, dict[str, Row]]:
    by_card: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_card.setdefault(row[column], {})[row["id"]] = row
    return by_card


class _StrayError(Exception):
    """A row that belongs to no customer."""


class _Reader:
    def __init__(self, context: Context) -> None:
        self.context, self.log = context, Log()
        self.numbers = {card.username: card.id for card in context.cards.values()}

    def take(
        self, rows: list[Row], kind: str, read: Callable[[Row, dt.date], Iterator[Entry]]
    ) -> None:
        """Read rows of a table, in order of their ids."""
        last = self.context.today
        before = None
        for row in sorted(rows, key=lambda row: a2billing.whole(row["id"])):
            try:
                day = self._day(row, before)
                before = day or before
                for entry in read(row, day or before or last):
                    card = self._card(row)
                    self.log.entries.setdefault(card, []).append(entry)
            except _StrayError as stray:
                self.log.strays.setdefault(kind, Counter())[str(stray)] += 1
            except ValueError as error:
                number = f"voucher-{row['id']}" if row.table == "cc_voucher" else row["id"]
                name = syntax.link(kind, self.context.source, number)
                message = f"{row.name}: {error}"
                self.log.refused[kind].append(row.refused("bad-row", message, name))

    def _day(self, row: Row, before: dt.date | None) -> dt.date | None:
        """Return a row's day, or that of the row before if it has none."""
        for column in ("usedate", "date", "creationdate"):
            if written := row.values.get(column):
                try:
                    return self.context.clock.day(written)
                except ValueError:
                    break
        self.log.odd["an invalid date"] += row.table != "cc_voucher"
        return before

    def _card(self, row: Row) -> str:
        """Return the card of a row, which must belong to a customer."""
        column = next(
            (name for name in ("card_id", "id_cc_card") if name in row.values), "usedcardnumber"
        )
        card = row[column]
        if column == "usedcardnumber":
            card = self.numbers.get(card, card)
        elif a2billing.whole(card) <= 0:
            raise _StrayError("no-card")
        if card not in self.context.owners:
            if card in self.context.present:
                raise ValueError(f"its card {card} was refused")
            raise _StrayError("deleted-card")
        return card

    def _movement(self, row: Row, kind: str, day: dt.date, micro: int, **more: Any) -> Movement:
        card = self._card(row)
        return Movement(
            kind=kind,
            source=self.context.source,
            id=more.pop("id", row["id"]),
            customer=self.context.owners[card],
            date=day,
            amount_micro=micro,
            description=" ".join(
                more.pop("description", row.values.get("description", "")).split()
            ),
            file=row.file,
            line=row.line,
            **more,
        )

    def _service(self, name: str) -> str:
        services = self.context.services
        usual = "Calls" if "Calls" in services else next(iter(services))
        return name if name in services else usual

    def refill(self, row: Row, day: dt.date) -> Iterator[Entry]:
        """Yield a refill, or a charge for a fee recorded as a refill."""
        self._card(row)
        micro = a2billing.micro(row["credit"])
        if not micro:
            raise _StrayError("nothing")
        if row["refill_type"] == EXTRA_FEE:
            service = self._service("Subscriptions")
            name = f"refill-{row['id']}"
            fee = self._movement(row, "charge", day, -micro, id=name, service=service)
            yield Entry(fee, micro, row.name)
        else:
            yield Entry(self._movement(row, "refill", day, micro), micro, row.name)

    def payment(
        self, refills: Mapping[str, Mapping[str, Row]]
    ) -> Callable[[Row, dt.date], Iterator[Entry]]:
        """Return a reader of payments that pairs them with refills, given by card and id."""

        def read(row: Row, day: dt.date) -> Iterator[Entry]:
            card = self._card(row)
            micro = a2billing.micro(row["payment"])
            if not micro:
                raise _StrayError("nothing")
            number = row["id_logrefill"] if row["id_logrefill"] != "0" else ""
            refill = refills.get(card, {}).get(number)
            if refill is not None and refill["refill_type"] == EXTRA_FEE:
                refill = None
            payment = self._movement(row, "payment", day, micro, reference=number)
            if not number:
                yield Entry(payment, 0, row.name, "paid-without-credit")
            elif refill is None:
                net = _net(micro, self._percent(card))
                yield Entry(payment, net, row.name, "refill-deleted")
            else:
                payment = self._with_refill(payment, refill)
                yield Entry(payment, 0, row.name)
                self._compare(card, refill, row, micro)
                tax = micro - a2billing.micro(refill["credit"])
                if tax > 0 and abs(micro - _net(micro, self._percent(card)) - tax) <= _CENT:
                    paid = self._movement(
                        row, "refill", payment.date, tax,
                        id=f"vat-{row['id']}", description="VAT paid with the top-up",
                    )  # fmt: skip
                    yield Entry(paid, 0, row.name, "vat-paid")

        return read

    def _with_refill(self, payment: Movement, refill: Row) -> Movement:
        """Date a payment like its refill, if that came before the account's opening."""
        try:
            day = self.context.clock.day(refill["date"])
        except ValueError:
            return payment
        return (
            replace(payment, date=day) if day < self.context.opened[payment.customer] else payment
        )

    def _compare(self, card: str, refill: Row, payment: Row, paid_micro: int) -> None:
        """Record a refill that is neither its payment's amount nor that less VAT."""
        credited = a2billing.micro(refill["credit"])
        may = (_net(paid_micro, self._percent(card)), paid_micro)
        if all(abs(amount - credited) > _CENT for amount in may):
            name = f"{refill.name}, {payment.name}"
            differences = tuple(amount - credited for amount in may)
            self.log.edited.setdefault(card, []).append((name, differences))

    def _percent(self, card: str) -> Decimal:
        card_found = self.context.cards.get(card)
        return card_found.percent if card_found else Decimal(0)

    def charge(self, row: Row, day: dt.date) -> Iterator[Entry]:
        """Yield a charge, whether it was taken from the balance or put on an invoice."""
        self._card(row)
        micro = a2billing.micro(row["amount"])
        if not micro:
            raise _StrayError("nothing")
        if self._is_own_fee(row, day):
            taken = -micro if row["charged_status"] == "1" else 0
            self.log.own_fees.setdefault(self._card(row), []).append((row.name, taken))
            raise _StrayError("own-fee")
        service = self._service(_SERVICES.get(row["chargetype"], "One-off"))
        charge = self._movement(row, "charge", day, micro, service=service)
        if row["charged_status"] == "1":
            yield Entry(charge, -micro, row.name)
        elif row["chargetype"] in _DID and row["invoiced_status"] != "1":
            yield Entry(charge, -micro, row.name, also_billed=True)
        else:
            yield Entry(charge, 0, row.name, "never-taken")

    def _is_own_fee(self, row: Row, day: dt.date) -> bool:
        """Return True if the book itself charges a fee for what a row charges."""
        fee = {
            _RENT: subscriptions.number_id(row["id_cc_did"]),
            _SUBSCRIBED: subscriptions.subscription_id(row["id_cc_card_subscription"]),
        }.get(row["chargetype"], "")
        since = self.context.fees.get((self.context.owners[self._card(row)], fee))
        return since is not None and since <= day

    def voucher(
        self, refills: Mapping[str, Mapping[str, Row]], exchange: Mapping[str, Decimal]
    ) -> Callable[[Row, dt.date], Iterator[Entry]]:
        """Return a reader of used vouchers, which leaves out those that a refill mentions."""

        def read(row: Row, day: dt.date) -> Iterator[Entry]:
            if not row["usedcardnumber"]:
                raise _StrayError("unused-voucher")
            card = self._card(row)
            code = row["voucher"]
            if code and any(
                code in refill_row["description"] for refill_row in refills.get(card, {}).values()
            ):
                raise _StrayError("voucher-with-refill")
            worth = Decimal(a2billing.five(row["credit"]))
            worth *= exchange.get(row["currency"].upper(), Decimal(1))
            micro = a2billing.micro(str(worth))
            if not micro:
                raise _StrayError("nothing")
            name = f"voucher-{row['id']}"
            refill = self._movement(
                row, "refill", day, micro, id=name, method="voucher", description="Voucher"
            )
            yield Entry(refill, micro, row.name)

        return read


def _net(gross_micro: int, percent: Decimal) -> int:
    """Return a payment less VAT as A2Billing computes it, with five decimals."""
    share = 10_000 + int(percent * 100)
    return money.divide(gross_micro * 1000, share) * 10


class _Bill(NamedTuple):
    row: Row
    invoice: Invoice


def unpaid(tables: Tables, clock: Clock) -> dict[str, list[Invoice]]:
    """Return unpaid closed invoices, by card."""
    by_card: dict[str, list[Invoice]] = {}
    for row, invoice in _bills(tables, clock):
        if row["paid_status"] == "0" and row["status"] == "1" and invoice.gross_micro:
            by_card.setdefault(row["id_card"], []).append(invoice)
    return by_card


def in_credit(tables: Tables, clock: Clock) -> dict[str, int]:
    """Return the part of each invoice in its card's balance, in micro-units, by reference."""
    return {bill.reference: bill.in_credit_micro for _, bill in _bills(tables, clock)}


def _bills(tables: Tables, clock: Clock) -> Iterator[_Bill]:
    lines: dict[str, list[_Line]] = {}
    for row in tables.rows("cc_invoice_item", _ITEM).rows:
        with _named(row):
            lines.setdefault(row["id_invoice"], []).append(_line(row))
    for row in tables.rows("cc_invoice", _INVOICE).rows:
        billed = lines.get(row["id"], [])
        exact = sum(line.net_micro * line.share for line in billed)
        gross = money.rounded(money.divide(exact, 10_000), 2)
        owed = sum(line.net_micro for line in billed if line.is_in_credit)
        with _named(row):
            day = clock.day(row["date"]) if row["date"] else dt.date.min
        yield _Bill(row, Invoice(row["reference"] or row["id"], day, gross, owed))


class _Line(NamedTuple):
    """A line of an invoice."""

    net_micro: int
    share: int
    """Gross for a net of 10,000."""
    is_in_credit: bool
    """True if it bills what is taken from the balance."""


def _line(row: Row) -> _Line:
    share = 10_000 + int(percent_of(row["vat"]) * 100)
    return _Line(a2billing.micro(row["price"]), share, row["type_ext"] == "POSTPAID")


@contextmanager
def _named(row: Row) -> Iterator[None]:
    """Refuse an invoice with a row that cannot be read: the amount owed would be unknown."""
    try:
        yield
    except ValueError as error:
        raise UnusableInput(
            f"{row.file}: {row.name}: {error}",
            undone="no invoice was read",
            todo="correct it in A2Billing, and run this again",
        ) from error
