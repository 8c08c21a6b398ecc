"""Correct what was posted: refunds, goodwill, write-offs, deposits, each in the open period.

Every correction has an id, made from what is asked for unless one is given, and its link is its
identity: asked for twice, it is posted once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from beancount.core import data

from a2ledger import accounts, money, vat
from a2ledger.accounts import NOBODY
from a2ledger.balances import ageing, balances
from a2ledger.book.book import SUSPENSE, Draft, RefusedError
from a2ledger.corrections import postings as corrections
from a2ledger.corrections.postings import Correction
from a2ledger.documents import issue_taxed_refill, translation, worth
from a2ledger.documents.document import Document
from a2ledger.documents.worth import Share, Worth
from a2ledger.journal import (
    chart,
    customer_file,
    exchange_rates,
    general,
    shards,
    subledgers,
    syntax,
    vat_bases,
)
from a2ledger.journal import entries as journal_entries
from a2ledger.journal.entries import STATED
from a2ledger.journal.ledger import Standing
from a2ledger.journal.period_file import with_entries
from a2ledger.journal.syntax import Block
from a2ledger.payments import posting


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The request for a correction, as far as all kinds have it in common."""

    kind: str
    customer: str
    day: dt.date
    description: str = ""
    id: str = ""
    """Made from the other fields if empty."""

    def correction(self, draft: Draft, amount_micro: int, *more: object) -> Correction:
        """Make the correction, with ``more`` in its identity."""
        made = corrections.identity(
            self.kind, self.customer, self.day, amount_micro, self.description, *more
        )
        return Correction(
            self.kind,
            self.id or made,
            self.customer,
            self.day,
            amount_micro,
            subledgers.currency(draft, self.customer),
            self.description,
        )

    def asked(self, draft: Draft, amount_micro: int, *more: object) -> Correction:
        """Make the correction as :meth:`correction` does, for an amount that somebody typed.

        Raises:
            RefusedError: if it has more decimals than the customer's currency.
        """
        check_decimals(amount_micro, subledgers.currency(draft, self.customer))
        return self.correction(draft, amount_micro, *more)


def check_decimals(amount_micro: int, currency: str) -> None:
    """Check that an amount fits the decimals of its currency.

    Raises:
        RefusedError: if it has more decimals than the currency.
    """
    if money.is_finer(amount_micro, currency):
        raise RefusedError(
            (
                f"{money.text(amount_micro, 2)} has more than the "
                f"{money.decimals(currency)} decimals of {currency}"
            ),
            undone="nothing was posted",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A correction that was posted now, or was in the book already."""

    correction: Correction
    entries: tuple[tuple[str, data.Transaction], ...]
    """Each entry with its customer; an empty customer is suspense."""
    new: bool = True
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further keys for ``--json``."""

    def as_json(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        item = self.correction
        return {
            "posted": self.new,
            "kind": item.kind,
            "id": item.id,
            "customer": item.customer or None,
            "date": str(item.date),
            "amount": money.text(item.amount_micro, money.decimals(item.currency)),
            "currency": item.currency,
            **self.more,
            "text": str(self),
            "entries": [_entry_json(customer, entry) for customer, entry in self.entries],
        }

    def __str__(self) -> str:
        item = self.correction
        _, entry = self.entries[0]
        line = f"{item.customer or NOBODY}: {entry.payee}, {self._amount}, {entry.date} ({item.id})"
        held = f"; {self.more['held']} held" if "held" in self.more else ""
        before = "posted before, and void" if "voided" in entry.meta else "posted before"
        return f"{line}{held}" + ("" if self.new else f": {before}; nothing was done")

    @property
    def message(self) -> str:
        """Return the commit message."""
        item = self.correction
        number = f"{self.more['number']}, " if "number" in self.more else ""
        return f"{item.kind}: {item.customer or NOBODY}, {number}{self._amount} ({item.id})\n"

    @property
    def _amount(self) -> str:
        item = self.correction
        return f"{money.text(item.amount_micro, money.decimals(item.currency))} {item.currency}"


def _entry_json(customer: str, entry: data.Transaction) -> dict[str, Any]:
    late = entry.meta.get("late_from")
    return {
        "customer": customer or None,
        "date": str(entry.date),
        "late_from": str(late) if late else None,
        "description": ", ".join(filter(None, [entry.payee, entry.narration])),
        "postings": [
            {
                "account": leg.account,
                "amount": f"{leg.units.number:f}",
                "currency": leg.units.currency,
            }
            for leg in entry.postings
            if leg.units
        ],
    }


def refund(
    draft: Draft, wanted: Wanted, amount_micro: int, method: str, currency: str = ""
) -> Posted:
    """Post a refund, in the account's currency or converted from another at the day's rate.

    Raises:
        RefusedError: if there is no price of the other currency.
    """
    account, own = _account(draft, method), subledgers.currency(draft, wanted.customer)
    if currency in {"", own}:
        repayment = wanted.asked(draft, amount_micro, account)
        _check_untold(draft, wanted, repayment, account)
        _check_left(draft, repayment)
        return post(draft, repayment, corrections.refund(repayment, account))
    check_decimals(amount_micro, currency)
    repayment = wanted.correction(draft, amount_micro, account, currency)
    if held := find(draft, repayment, None):
        return _same_abroad(held, (account, amount_micro, currency))
    micro = exchange_rates.prices(draft).converted(amount_micro, currency, own, repayment.date)
    if micro is None:
        raise RefusedError(
            f"there is no price to convert {currency} to {own} on {repayment.date}",
            undone="nothing was posted",
            todo="see `import prices`",
        )
    repayment = repayment._replace(amount_micro=micro)
    return post(draft, repayment, corrections.refund(repayment, account, (amount_micro, currency)))


_SOON = 10
"""Days before or after its date within which a bank file may report a refund."""


def _check_left(draft: Draft, one: Correction) -> None:
    """Check that, where refills are taxed, a refund does not exceed what is left of them.

    Raises:
        RefusedError: otherwise.
    """
    customer = subledgers.customer(draft, one.customer)
    if find(draft, one, one.amount_micro) or not issue_taxed_refill.applies(
        draft, customer, max(one.date, customer.open_since)
    ):
        return
    owed = balances.standing_on(draft, customer, dt.date.max).owed_micro
    left = max(-money.rounded(owed, money.decimals(one.currency)), 0)
    left += issue_taxed_refill.tax_in(draft, customer, one.date, left)
    if one.amount_micro > left:
        places = money.decimals(one.currency)
        raise RefusedError(
            (
                f"{one.customer}: {money.text(left, places)} of refills can be paid back at most, "
                "including VAT"
            ),
            undone="nothing was posted",
        )


def _check_untold(draft: Draft, wanted: Wanted, adjustment: Correction, account: str) -> None:
    """Check that no imported payment has recorded the same refund.

    Raises:
        RefusedError: if a row of the same negative amount does, unless the refund has an id of its
            own.
    """
    if wanted.id or find(draft, adjustment, adjustment.amount_micro):
        return
    paid = syntax.Leg(account, -adjustment.amount_micro, adjustment.currency)
    for block in blocks(draft, adjustment.customer):
        own = block.own_link
        if not own.startswith("payment-") or paid not in block.legs:
            continue
        entry = journal_entries.read_entry(block.text)
        near = abs((journal_entries.own_day(entry) - adjustment.date).days) <= _SOON
        if near and "reference" not in entry.meta:
            raise RefusedError(
                (
                    f"{adjustment.customer}: payment {entry.meta['id']} of "
                    f"{journal_entries.own_day(entry)} already records this refund"
                ),
                undone="nothing was posted",
                todo="if this is another refund, give it an --id",
            )


def _same_abroad(held: Posted, paid: tuple[str, int, str]) -> Posted:
    """Return a refund in another currency that is in the book, after comparing it.

    Raises:
        RefusedError: otherwise.
    """
    ((_, entry),) = held.entries
    account, micro, currency = paid
    if syntax.Leg(account, -micro, currency) not in syntax.legs(syntax.formatted(entry)):
        raise RefusedError(
            f"refund {held.correction.id} is already in the book with other values",
            undone="nothing was posted",
            todo="give this one another --id",
        )
    return held


def goodwill(draft: Draft, wanted: Wanted, amount_micro: int) -> Posted:
    """Post a goodwill credit."""
    gift = wanted.asked(draft, amount_micro)
    return post(draft, gift, corrections.goodwill(gift))


def write_off(draft: Draft, wanted: Wanted, amount_micro: int | None, relief: bool) -> Posted:
    """Write off a debt: an amount of it, or all that is owed on bills.

    With relief, VAT is taken back too. The debt given up is set against the oldest open
    documents, and of each the VAT of a code goes back in the proportion in which the document's
    open amount falls; a debt that no invoice of the book stands for bears none.

    Raises:
        RefusedError: if so much is not owed on bills.
    """
    known = wanted.asked(draft, amount_micro or 0, relief)
    if held := find(draft, known, amount_micro):
        return held
    row = balances.standing_on(draft, subledgers.customer(draft, wanted.customer), draft.today)
    account_worth = worth.of_customer(
        draft, subledgers.customer(draft, wanted.customer), known.currency
    )
    places = money.decimals(known.currency)
    included = account_worth.customer.text("vat", account_worth.customer.open_since) == "included"
    waiting = account_worth.waiting(
        lambda code: 0 if included else vat.added(money.MICRO, draft.config.codes[code], 6)
    )
    owed = row.billed_micro - money.rounded(waiting, places)
    amount = owed if amount_micro is None else amount_micro
    if not 0 < amount <= owed:
        raise RefusedError(
            f"{wanted.customer}: {money.text(owed, 2)} is owed on bills",
            undone="nothing was written off",
            todo="close the period first; only billed amounts can be written off",
        )
    loss = known._replace(amount_micro=amount)
    taxes, given, lines = Taxes({}, {}), dict[str, int](), dict[str, int]()
    for document, micro in _written_off(draft, account_worth, row, amount):
        if document.number:
            given[document.number] = micro
        if not document.issued:
            continue
        bill = ageing.document(draft, document)
        taxes = taxes.plus(_relief(draft, account_worth, document, micro)) if relief else taxes
        for line, net in account_worth.given_up(bill, micro).items():
            if net:
                lines[f"{document.number}/{line}"] = net
    entry = corrections.write_off(loss, given, taxes.own, taxes.owed_in(draft), lines)
    return post(draft, loss, entry)


class Taxes(NamedTuple):
    """VAT by code, in micro-units."""

    own: Mapping[str, int]
    """In the account's currency."""
    base: Mapping[str, int]
    """In the book's currency, for codes whose VAT is owed in it although the account has another.
    """

    def plus(self, other: Taxes) -> Taxes:
        """Add the VAT of another document."""
        return Taxes(_sum(self.own, other.own), _sum(self.base, other.base))

    def owed_in(self, draft: Draft) -> tuple[str, Mapping[str, int]]:
        """Return the book's currency, and what is owed in it."""
        return draft.config.currency, self.base


def _sum(sums: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {
        code: sums.get(code, 0) + other.get(code, 0) for code in [*sums, *(other.keys() - sums)]
    }


def _written_off(
    draft: Draft, account_worth: Worth, row: Standing, amount_micro: int
) -> Iterator[tuple[ageing.Open, int]]:
    """Yield documents a write-off is set against, oldest first, with what of each is given up.

    What corrections of calls will give back of a document once they are billed stays open: they
    settle it.
    """
    documents = ageing.of_customer(draft, row, draft.today).documents
    parts = []
    for document in documents:
        room = document.open_micro
        if document.issued:
            room -= min(account_worth.left(ageing.document(draft, document)).waiting_micro, room)
        parts.append(min(amount_micro, room))
        amount_micro -= parts[-1]
    for document, part in zip(documents, parts, strict=True):
        more = min(amount_micro, document.open_micro - part)
        amount_micro -= more
        if part + more:
            yield document, part + more


def _relief(draft: Draft, worths: Worth, document: ageing.Open, micro: int) -> Taxes:
    """Return the VAT of a document that goes back when so much of it is given up.

    What was given back on it otherwise took its VAT along.
    """
    bill = ageing.document(draft, document)
    places = money.decimals(bill.currency)
    remaining = worths.left(bill)
    gross = remaining.gross_micro
    part = min(micro, gross - remaining.lost_micro)
    if part <= 0:
        return Taxes({}, {})
    before = document.open_micro - min(remaining.waiting_micro, document.open_micro)
    after = max(before - micro, 0)

    def falls(tax: int, places: int) -> int:
        was, is_now = (Share(min(open_, gross), gross) for open_ in (after + part, after))
        return was.of(tax, places) - is_now.of(tax, places)

    own = {code: falls(tax, places) for code, tax in remaining.taxes_micro.items()}
    base = _base_of_taxes(draft, worths.customer.id, bill, remaining.taxes_micro)
    places = money.decimals(draft.config.currency)
    return Taxes(own, {code: falls(tax, places) for code, tax in base.items()})


def _base_of_taxes(
    draft: Draft, customer: str, bill: Document, remaining: Mapping[str, int]
) -> dict[str, int]:
    """Return what is left of a document's VAT in the book's currency, where it is owed in it."""
    printed = bill.vat_translated
    if printed is None or not is_owed_in_base(draft, customer, bill.name):
        return {}
    billed = {row.code: money.parse(row.vat) for row in bill.vat}
    places = money.decimals(printed["currency"])
    return {
        code: Share(remaining[code], billed[code]).of(micro, places)
        for code, micro in translation.by_code(printed, billed, 1).items()
        if billed[code]
    }


def is_owed_in_base(draft: Draft, customer: str, number: str) -> bool:
    """Return whether the VAT of a document in another currency is owed in the book's.

    Documents of earlier versions owe it in their own.
    """
    texts = (draft.text(path) for path in _paths(draft, customer))
    return any(
        number in (*block.links, block.meta.get(STATED)) and vat_bases.converted(block)
        for text in texts
        if number in text and "vat_of: " in text
        for block in syntax.blocks(text)
    )


def recover(draft: Draft, wanted: Wanted, amount_micro: int) -> Posted:
    """Make a written-off debt owed again, because it is paid after all.

    What was written off last comes back first, and with it, in proportion, the VAT it was
    relieved of.

    Raises:
        RefusedError: if so much was not written off.
    """
    recovery = wanted.asked(draft, amount_micro)
    if held := find(draft, recovery, amount_micro):
        return held
    losses = list(_losses(draft, wanted.customer))
    lost, places = sum(loss.left_micro for loss in losses), money.decimals(recovery.currency)
    if amount_micro > lost:
        raise RefusedError(
            f"{wanted.customer}: {money.text(lost, places)} is written off",
            undone="nothing was posted",
        )
    taxes = Taxes({}, {})
    parts: dict[str, int] = {}
    links = []
    base_places = money.decimals(draft.config.currency)
    for loss in reversed(losses):
        part = min(amount_micro, loss.left_micro)
        if not part:
            continue
        amount_micro -= part
        links.append(f"{loss.link} {money.text(part, places)}")
        taxes = taxes.plus(loss.relief(part, places, base_places))
        for number, micro in loss.documents(part):
            parts[number] = parts.get(number, 0) + micro
    entry = corrections.recovered(
        recovery, ", ".join(links), parts, taxes.own, taxes.owed_in(draft)
    )
    return post(draft, recovery, entry)


class _Loss(NamedTuple):
    """A write-off, and how much of it was recovered, with amounts in micro-units."""

    link: str
    micro: int
    recovered_micro: int
    taxes: Taxes
    parts: Sequence[tuple[str, int]]

    @property
    def left_micro(self) -> int:
        """Return the amount still written off."""
        return self.micro - self.recovered_micro

    def relief(self, micro: int, places: int, base_places: int) -> Taxes:
        """Return the VAT that is due again when more of the loss is recovered."""
        before, after = (
            Share(so_far, self.micro)
            for so_far in (self.recovered_micro, self.recovered_micro + micro)
        )

        def due(taxes: Mapping[str, int], places: int) -> dict[str, int]:
            return {
                code: after.of(tax, places) - before.of(tax, places) for code, tax in taxes.items()
            }

        return Taxes(due(self.taxes.own, places), due(self.taxes.base, base_places))

    def documents(self, micro: int) -> Iterator[tuple[str, int]]:
        """Yield the written-off documents that a further recovery applies to, last first."""
        skipped = self.recovered_micro
        for number, lost in reversed(self.parts):
            remaining = lost - min(skipped, lost)
            skipped -= lost - remaining
            part = min(micro, remaining)
            micro -= part
            if part:
                yield number, part


def _losses(draft: Draft, customer: str) -> Iterator[_Loss]:
    """Yield a customer's write-offs, oldest first, with what was recovered of each."""
    recovered: dict[str, int] = {}
    losses = []
    account = accounts.billed(customer)
    for block in blocks(draft, customer):
        own = block.own_link
        if not own.startswith(("write-off-", "recover-")):
            continue
        entry = journal_entries.read_entry(block.text)
        if "voided" in entry.meta:
            continue
        if own.startswith("recover-"):
            for link, micro in worth.parts(str(entry.meta["recovers"])):
                recovered[link] = recovered.get(link, 0) + micro
            continue
        legs = block.legs
        micro = -sum(leg.micro for leg in legs if leg.account == account)
        taxes = _relieved(block)
        parts = list(worth.parts(str(entry.meta["parts"]))) if "parts" in entry.meta else []
        losses.append(_Loss(own, micro, 0, taxes, parts))
    for loss in losses:
        yield loss._replace(recovered_micro=recovered.get(loss.link, 0))


def _relieved(block: Block) -> Taxes:
    """Return the VAT that a write-off took back."""
    owed = {
        accounts.name_of(leg.account.removeprefix(accounts.OWED)): leg.micro
        for leg in block.legs
        if leg.account.startswith(accounts.OWED)
    }
    own = {code: -micro for code, micro in vat_bases.converted(block).items()}
    return Taxes({**owed, **own}, {code: owed[code] for code in own})


def deposit(draft: Draft, wanted: Wanted, amount_micro: int, method: str) -> Posted:
    """Post a deposit received."""
    account = _account(draft, method)
    security = wanted.asked(draft, amount_micro, account)
    customer = subledgers.customer(draft, wanted.customer)
    if not customer.has_deposit:
        subledgers.put_customer(draft, replace(customer, has_deposit=True))
    return _with_held(draft, post(draft, security, corrections.deposit(security, account)))


def return_deposit(draft: Draft, wanted: Wanted, amount_micro: int | None, method: str) -> Posted:
    """Post the return of a deposit, or of a part of it.

    Raises:
        RefusedError: if so much is not held.
    """
    account = _account(draft, method)
    known = wanted.asked(draft, amount_micro or 0, account, "return")
    if held := find(draft, known, amount_micro):
        return _with_held(draft, held)
    available = deposit_held(draft, wanted.customer)
    amount = available if amount_micro is None else amount_micro
    if not 0 < amount <= available:
        raise RefusedError(
            f"{wanted.customer}: {money.text(available, 2)} is held as deposit",
            undone="nothing was returned",
        )
    repayment = known._replace(amount_micro=amount)
    return _with_held(
        draft, post(draft, repayment, corrections.deposit_returned(repayment, account))
    )


def deposit_held(draft: Draft, customer: str) -> int:
    """Return the deposit held for a customer, in micro-units."""
    account = accounts.deposits(customer)
    return -sum(
        leg.micro
        for path in _paths(draft, customer)
        for leg in syntax.legs(draft.text(path))
        if leg.account == account
    )


def _with_held(draft: Draft, posted: Posted) -> Posted:
    held = deposit_held(draft, posted.correction.customer)
    places = money.decimals(posted.correction.currency)
    return replace(posted, more={**posted.more, "held": money.text(held, places)})


def _account(draft: Draft, method: str) -> str:
    """Return the account of a payment method, ``bank`` by default."""
    return posting.method_account(method, draft.config.methods, accounts.BANK)


# What all corrections share


def post(draft: Draft, adjustment: Correction, entry: data.Transaction) -> Posted:
    """Post a correction's entry into its customer's open period, once.

    Raises:
        RefusedError: if its day cannot be, or its id is that of another correction.
    """
    if held := find(draft, adjustment, adjustment.amount_micro):
        return held
    return Posted(
        correction=adjustment,
        entries=((adjustment.customer, place(draft, adjustment.customer, entry)),),
    )


def place(draft: Draft, identity: str, entry: data.Transaction) -> data.Transaction:
    """Post an entry into a customer's open period, a late one on the period's first day.

    Raises:
        RefusedError: if its day is in the future, or before the customer's first.
    """
    check_day(draft, identity, entry.date)
    since = subledgers.customer(draft, identity).open_since
    placed = journal_entries.moved_to(entry, since) if entry.date < since else entry
    if closed := chart.closed(draft, (leg.account for leg in placed.postings), placed.date):
        raise RefusedError(
            str(closed), undone="nothing was posted", todo="take that line away, or say another day"
        )
    if any(name.startswith(_MONEY) for name in placed.links):
        placed = _taxed(draft, identity, placed)
    subledgers.put_open_file(
        draft, identity, with_entries(subledgers.open_file(draft, identity), [placed])
    )
    return placed


_MONEY = ("refund-", "returned-", "transfer-", "deposit-")
"""Link prefixes of corrections that bring a customer money or take it away."""


def _taxed(draft: Draft, identity: str, entry: data.Transaction) -> data.Transaction:
    """Return an entry, where refills are taxed with VAT and its own document.

    Raises:
        RefusedError: if it cannot be taxed.
    """
    customer = subledgers.customer(draft, identity)
    if not issue_taxed_refill.applies(draft, customer, entry.date):
        return entry
    if obstacle := issue_taxed_refill.objection(draft, customer, entry):
        raise RefusedError(f"{identity}: {obstacle[1]}", undone="nothing was posted")
    issuer = issue_taxed_refill.Issuer(draft)
    issuer.know(journal_entries.read_entry(block.text) for block in blocks(draft, identity))
    ((taxed,),) = issuer.taxed({identity: [entry]}).values()
    issuer.say()
    return taxed


def check_day(draft: Draft, identity: str, day: dt.date) -> None:
    """Check that something can be dated on a given day for a customer.

    Raises:
        RefusedError: otherwise.
    """
    if day > draft.today:
        raise RefusedError(
            f"--date {day} is after today, {draft.today}", undone="nothing was posted"
        )
    if identity and day < (opened := subledgers.customer(draft, identity).opened):
        raise RefusedError(
            f"--date {day}: {identity} was opened on {opened}", undone="nothing was posted"
        )


def find(draft: Draft, adjustment: Correction, amount_micro: int | None) -> Posted | None:
    """Return a correction that is in the book already, after comparing it with the request.

    Raises:
        RefusedError: if what bears its id is another.
    """
    held = next(entries_with(draft, adjustment), None)
    if held is None:
        return None
    customer, entry = held
    part = accounts.component(adjustment.customer) if adjustment.customer else ""
    moved = amount_of(entry, adjustment.customer) if customer == part else -1
    same = (
        customer == part
        and journal_entries.own_day(entry) == adjustment.date
        and amount_micro in {None, moved}
        and (not adjustment.description or entry.narration == syntax.plain(adjustment.description))
    )
    if not same:
        raise RefusedError(
            f"{adjustment.kind} {adjustment.id} is already in the book with other values",
            undone="nothing was posted",
            todo="give this one another --id",
        )
    return Posted(
        correction=adjustment._replace(amount_micro=moved),
        entries=((adjustment.customer, entry),),
        new=False,
    )


def amount_of(entry: data.Transaction, customer: str) -> int:
    """Return the amount a correction moves, in micro-units: on a bill, deposit or suspense."""
    legs = syntax.legs(syntax.formatted(journal_entries.gross(journal_entries.restored(entry))))
    own = [accounts.billed(customer), accounts.deposits(customer)] if customer else []
    account = next(
        account
        for account in (*own, accounts.UNMATCHED)
        if any(leg.account == account for leg in legs)
    )
    return abs(sum(leg.micro for leg in legs if leg.account == account))


def entries_with(draft: Draft, adjustment: Correction) -> Iterator[tuple[str, data.Transaction]]:
    """Yield the entries with a correction's link, each with its customer's account component."""
    for path in [*shards.months(draft), *draft.files(SUSPENSE)]:
        text = draft.text(path)
        if f"^{adjustment.link}" not in text:
            continue
        for block in syntax.blocks(text):
            if adjustment.link in block.links:
                yield general.customer_of(block), journal_entries.read_entry(block.text)


def _paths(draft: Draft, customer: str) -> list[str]:
    periods = subledgers.customer(draft, customer).periods
    return [customer_file.period_path(customer, start) for start in periods]


def blocks(draft: Draft, customer: str) -> Iterator[Block]:
    """Yield all entries of a customer's own ledger except usage, oldest period first."""
    for path in _paths(draft, customer):
        above = draft.text(path).partition(syntax.MARKER)[0]
        yield from (block for block in syntax.blocks(above) if block.kind in {"*", "!"})
