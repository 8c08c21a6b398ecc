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
from a2ledger.book.book import GENERAL, SUSPENSE, Draft, RefusedError
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
    subledgers,
    syntax,
    vat_bases,
)
from a2ledger.journal import entries as journal_entries
from a2ledger.journal.ledger import Standing
from a2ledger.journal.period_file import with_entries
from a2ledger.journal.syntax import Block
from a2ledger.payments import posting


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asks for, as far as all corrections have it in common."""

    kind: str
    customer: str
    day: dt.date
    description: str = ""
    id: str = ""
    """Made from the rest if it is empty."""

    def correction(self, draft: Draft, amount_micro: int, *more: object) -> Correction:
        """The correction; ``more`` is what else it is known by."""
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
        """As :meth:`correction`, of an amount that somebody asks for.

        Raises:
            RefusedError: if it has more decimals than the customer's currency.
        """
        check_decimals(amount_micro, subledgers.currency(draft, self.customer))
        return self.correction(draft, amount_micro, *more)


def check_decimals(amount_micro: int, currency: str) -> None:
    """Make sure an amount can be paid in its currency.

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
    """What was posted, or stood in the book already."""

    correction: Correction
    entries: tuple[tuple[str, data.Transaction], ...]
    """Each with the customer whose it is; none for suspense."""
    new: bool = True
    more: Mapping[str, Any] = field(default_factory=dict)
    """What else the command's ``--json`` says."""

    def as_json(self) -> dict[str, Any]:
        """The command's ``--json``."""
        one = self.correction
        return {
            "posted": self.new,
            "kind": one.kind,
            "id": one.id,
            "customer": one.customer or None,
            "date": str(one.date),
            "amount": money.text(one.amount_micro, money.decimals(one.currency)),
            "currency": one.currency,
            **self.more,
            "text": str(self),
            "entries": [_entry_json(customer, entry) for customer, entry in self.entries],
        }

    def __str__(self) -> str:
        one = self.correction
        _, entry = self.entries[0]
        said = f"{one.customer or NOBODY}: {entry.payee}, {self._amount}, {entry.date} ({one.id})"
        held = f"; {self.more['held']} held" if "held" in self.more else ""
        before = "posted before, and void" if "voided" in entry.meta else "posted before"
        return f"{said}{held}" + ("" if self.new else f": {before}; nothing was done")

    @property
    def message(self) -> str:
        """Of the commit."""
        one = self.correction
        number = f"{self.more['number']}, " if "number" in self.more else ""
        return f"{one.kind}: {one.customer or NOBODY}, {number}{self._amount} ({one.id})\n"

    @property
    def _amount(self) -> str:
        one = self.correction
        return f"{money.text(one.amount_micro, money.decimals(one.currency))} {one.currency}"


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
    """Pay money back, in the account's currency or in another one at its price of the day.

    Raises:
        RefusedError: if there is no price of the other currency.
    """
    account, own = _account(draft, method), subledgers.currency(draft, wanted.customer)
    if currency in {"", own}:
        one = wanted.asked(draft, amount_micro, account)
        _check_untold(draft, wanted, one, account)
        _check_left(draft, one)
        return post(draft, one, corrections.refund(one, account))
    check_decimals(amount_micro, currency)
    one = wanted.correction(draft, amount_micro, account, currency)
    if held := find(draft, one, None):
        return _same_abroad(held, (account, amount_micro, currency))
    micro = exchange_rates.prices(draft).converted(amount_micro, currency, own, one.date)
    if micro is None:
        raise RefusedError(
            f"there is no price to convert {currency} to {own} on {one.date}",
            undone="nothing was posted",
            todo="see `import prices`",
        )
    one = one._replace(amount_micro=micro)
    return post(draft, one, corrections.refund(one, account, (amount_micro, currency)))


_SOON = 10
"""How many days a bank's file may tell of a refund before or after it is recorded."""


def _check_left(draft: Draft, one: Correction) -> None:
    """Make sure that where refills are taxed no more is paid back than is left of them.

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
            (f"{one.customer}: {money.text(left, places)} is left of refills, their VAT included"),
            undone="nothing was posted",
        )


def _check_untold(draft: Draft, wanted: Wanted, one: Correction, account: str) -> None:
    """Make sure no imported payment tells of a refund already.

    Raises:
        RefusedError: if a row of the same negative amount does, unless the refund has an id of its
            own.
    """
    if wanted.id or find(draft, one, one.amount_micro):
        return
    paid = syntax.Leg(account, -one.amount_micro, one.currency)
    for block in blocks(draft, one.customer):
        own = block.own_link
        if not own.startswith("payment-") or paid not in block.legs:
            continue
        entry = journal_entries.read_entry(block.text)
        near = abs((journal_entries.own_day(entry) - one.date).days) <= _SOON
        if near and "reference" not in entry.meta:
            raise RefusedError(
                (
                    f"{one.customer}: payment {entry.meta['id']} of "
                    f"{journal_entries.own_day(entry)} pays the same back"
                ),
                undone="nothing was posted",
                todo="if this is another refund, give it an --id",
            )


def _same_abroad(held: Posted, paid: tuple[str, int, str]) -> Posted:
    """A refund in another currency that is in the book, if it is what is asked for.

    Raises:
        RefusedError: otherwise.
    """
    ((_, entry),) = held.entries
    account, micro, currency = paid
    if syntax.Leg(account, -micro, currency) not in syntax.legs(syntax.formatted(entry)):
        raise RefusedError(
            f"refund {held.correction.id} is in the book with other content",
            undone="nothing was posted",
            todo="give this one another --id",
        )
    return held


def goodwill(draft: Draft, wanted: Wanted, amount_micro: int) -> Posted:
    """Give something away."""
    one = wanted.asked(draft, amount_micro)
    return post(draft, one, corrections.goodwill(one))


def write_off(draft: Draft, wanted: Wanted, amount_micro: int | None, relief: bool) -> Posted:
    """Give up a debt: an amount of it, or all that is owed on bills.

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
    left = worth.of_customer(draft, subledgers.customer(draft, wanted.customer), known.currency)
    places = money.decimals(known.currency)
    included = left.customer.text("vat", left.customer.open_since) == "included"
    waiting = left.waiting(
        lambda code: 0 if included else vat.added(money.MICRO, draft.config.codes[code], 6)
    )
    owed = row.billed_micro - money.rounded(waiting, places)
    amount = owed if amount_micro is None else amount_micro
    if not 0 < amount <= owed:
        raise RefusedError(
            f"{wanted.customer}: {money.text(owed, 2)} is owed on bills",
            undone="nothing was written off",
            todo="what is not billed yet is written off once it is",
        )
    one = known._replace(amount_micro=amount)
    taxes, given, lines = Taxes({}, {}), dict[str, int](), dict[str, int]()
    for document, micro in _written_off(draft, left, row, amount):
        if document.number:
            given[document.number] = micro
        if not document.issued:
            continue
        bill = ageing.document(draft, document)
        taxes = taxes.plus(_relief(draft, left, document, micro)) if relief else taxes
        for line, net in left.given_up(bill, micro).items():
            if net:
                lines[f"{document.number}/{line}"] = net
    entry = corrections.write_off(one, given, taxes.own, taxes.owed_in(draft), lines)
    return post(draft, one, entry)


class Taxes(NamedTuple):
    """VAT by code, in micro-units."""

    own: Mapping[str, int]
    """In the account's currency."""
    base: Mapping[str, int]
    """In the book's, for codes whose VAT is owed in it though the account's is another."""

    def plus(self, other: Taxes) -> Taxes:
        """Add the VAT of another document."""
        return Taxes(_sum(self.own, other.own), _sum(self.base, other.base))

    def owed_in(self, draft: Draft) -> tuple[str, Mapping[str, int]]:
        """Return the book's currency, and what is owed in it."""
        return draft.config.currency, self.base


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {code: one.get(code, 0) + other.get(code, 0) for code in [*one, *(other.keys() - one)]}


def _written_off(
    draft: Draft, left: Worth, row: Standing, amount_micro: int
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
            room -= min(left.left(ageing.document(draft, document)).waiting_micro, room)
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
    left = worths.left(bill)
    gross = left.gross_micro
    part = min(micro, gross - left.lost_micro)
    if part <= 0:
        return Taxes({}, {})
    before = document.open_micro - min(left.waiting_micro, document.open_micro)
    after = max(before - micro, 0)

    def falls(tax: int, places: int) -> int:
        was, is_now = (Share(min(open_, gross), gross) for open_ in (after + part, after))
        return was.of(tax, places) - is_now.of(tax, places)

    own = {code: falls(tax, places) for code, tax in left.taxes_micro.items()}
    base = _base_of_taxes(draft, worths.customer.id, bill, left.taxes_micro)
    places = money.decimals(draft.config.currency)
    return Taxes(own, {code: falls(tax, places) for code, tax in base.items()})


def _base_of_taxes(
    draft: Draft, customer: str, bill: Document, left: Mapping[str, int]
) -> dict[str, int]:
    """Return what is left of a document's VAT in the book's currency, where it is owed in it."""
    printed = bill.vat_translated
    if printed is None or not is_owed_in_base(draft, customer, str(bill.number)):
        return {}
    billed = {row.code: money.parse(row.vat) for row in bill.vat}
    places = money.decimals(printed["currency"])
    return {
        code: Share(left[code], billed[code]).of(micro, places)
        for code, micro in translation.by_code(printed, billed, 1).items()
        if billed[code]
    }


def is_owed_in_base(draft: Draft, customer: str, number: str) -> bool:
    """Return whether the VAT of a document in another currency is owed in the book's.

    Documents of earlier versions owe it in their own.
    """
    texts = (draft.text(path) for path in _paths(draft, customer))
    return any(
        number in block.links and vat_bases.converted(block)
        for text in texts
        if f" ^{number}" in text and "vat_of: " in text
        for block in syntax.blocks(text)
    )


def recover(draft: Draft, wanted: Wanted, amount_micro: int) -> Posted:
    """Have a debt that was written off be owed again, because it is paid after all.

    What was written off last comes back first, and with it, in proportion, the VAT it was
    relieved of.

    Raises:
        RefusedError: if so much was not written off.
    """
    one = wanted.asked(draft, amount_micro)
    if held := find(draft, one, amount_micro):
        return held
    losses = list(_losses(draft, wanted.customer))
    lost, places = sum(loss.left_micro for loss in losses), money.decimals(one.currency)
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
    entry = corrections.recovered(one, ", ".join(links), parts, taxes.own, taxes.owed_in(draft))
    return post(draft, one, entry)


class _Loss(NamedTuple):
    """A write-off, and what of it was recovered; amounts in micro-units."""

    link: str
    micro: int
    recovered_micro: int
    taxes: Taxes
    parts: Sequence[tuple[str, int]]

    @property
    def left_micro(self) -> int:
        """What of it is still lost."""
        return self.micro - self.recovered_micro

    def relief(self, micro: int, places: int, base_places: int) -> Taxes:
        """VAT that is due again when more of it is recovered."""
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
        """Documents it gave up, the last first, as far as more of it is recovered."""
        skipped = self.recovered_micro
        for number, lost in reversed(self.parts):
            there = lost - min(skipped, lost)
            skipped -= lost - there
            part = min(micro, there)
            micro -= part
            if part:
                yield number, part


def _losses(draft: Draft, customer: str) -> Iterator[_Loss]:
    """What was written off of a customer's debts, oldest first."""
    recovered: dict[str, int] = {}
    found = []
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
        found.append(_Loss(own, micro, 0, taxes, parts))
    for loss in found:
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
    """Take a deposit."""
    account = _account(draft, method)
    one = wanted.asked(draft, amount_micro, account)
    customer = subledgers.customer(draft, wanted.customer)
    if not customer.has_deposit:
        subledgers.put_customer(draft, replace(customer, has_deposit=True))
    return _with_held(draft, post(draft, one, corrections.deposit(one, account)))


def return_deposit(draft: Draft, wanted: Wanted, amount_micro: int | None, method: str) -> Posted:
    """Pay a deposit back, or a part of it.

    Raises:
        RefusedError: if so much is not held.
    """
    account = _account(draft, method)
    known = wanted.asked(draft, amount_micro or 0, account, "return")
    if held := find(draft, known, amount_micro):
        return _with_held(draft, held)
    there = deposit_held(draft, wanted.customer)
    amount = there if amount_micro is None else amount_micro
    if not 0 < amount <= there:
        raise RefusedError(
            f"{wanted.customer}: {money.text(there, 2)} is held as deposit",
            undone="nothing was returned",
        )
    one = known._replace(amount_micro=amount)
    return _with_held(draft, post(draft, one, corrections.deposit_returned(one, account)))


def deposit_held(draft: Draft, customer: str) -> int:
    """What a customer has given as deposit and not got back, in micro-units."""
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
    """The account of a method of paying; of `bank` if none is named."""
    return posting.method_account(method, draft.config.methods, accounts.BANK)


# What all corrections share


def post(draft: Draft, one: Correction, entry: data.Transaction) -> Posted:
    """Write a correction's entry into its customer's open period, once.

    Raises:
        RefusedError: if its day cannot be, or its id is that of another correction.
    """
    if held := find(draft, one, one.amount_micro):
        return held
    return Posted(correction=one, entries=((one.customer, place(draft, one.customer, entry)),))


def place(draft: Draft, identity: str, entry: data.Transaction) -> data.Transaction:
    """Write an entry into a customer's open period; what is late, on its first day.

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
"""What the links of corrections begin with that bring a customer money, or take some away."""


def _taxed(draft: Draft, identity: str, entry: data.Transaction) -> data.Transaction:
    """The entry; where refills are taxed, with its VAT and a document of its own.

    Raises:
        RefusedError: if it cannot be taxed.
    """
    customer = subledgers.customer(draft, identity)
    if not issue_taxed_refill.applies(draft, customer, entry.date):
        return entry
    if found := issue_taxed_refill.objection(draft, customer, entry):
        raise RefusedError(f"{identity}: {found[1]}", undone="nothing was posted")
    issuer = issue_taxed_refill.Issuer(draft)
    issuer.know(journal_entries.read_entry(block.text) for block in blocks(draft, identity))
    ((taxed,),) = issuer.taxed({identity: [entry]}).values()
    issuer.say()
    return taxed


def check_day(draft: Draft, identity: str, day: dt.date) -> None:
    """Make sure something can have happened to a customer on a day.

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


def find(draft: Draft, one: Correction, amount_micro: int | None) -> Posted | None:
    """A correction that is in the book already, if it is what is asked for.

    Raises:
        RefusedError: if what bears its id is another.
    """
    held = next(entries_with(draft, one), None)
    if held is None:
        return None
    customer, entry = held
    part = accounts.component(one.customer) if one.customer else ""
    moved = amount_of(entry, one.customer) if customer == part else -1
    same = (
        customer == part
        and journal_entries.own_day(entry) == one.date
        and amount_micro in {None, moved}
        and (not one.description or entry.narration == syntax.plain(one.description))
    )
    if not same:
        raise RefusedError(
            f"{one.kind} {one.id} is in the book with other content",
            undone="nothing was posted",
            todo="give this one another --id",
        )
    return Posted(
        correction=one._replace(amount_micro=moved), entries=((one.customer, entry),), new=False
    )


def amount_of(entry: data.Transaction, customer: str) -> int:
    """What a correction moves, in micro-units: of a bill, a deposit, or in suspense."""
    legs = syntax.legs(syntax.formatted(journal_entries.gross(journal_entries.restored(entry))))
    own = [accounts.billed(customer), accounts.deposits(customer)] if customer else []
    account = next(
        account
        for account in (*own, accounts.UNMATCHED)
        if any(leg.account == account for leg in legs)
    )
    return abs(sum(leg.micro for leg in legs if leg.account == account))


def entries_with(draft: Draft, one: Correction) -> Iterator[tuple[str, data.Transaction]]:
    """Entries that bear a correction's link, with the part of their customer's account."""
    for path in [*draft.files(GENERAL, "2*.beancount"), *draft.files(SUSPENSE)]:
        text = draft.text(path)
        if f"^{one.link}" not in text:
            continue
        for block in syntax.blocks(text):
            if one.link in block.links:
                yield general.customer_of(block), journal_entries.read_entry(block.text)


def _paths(draft: Draft, customer: str) -> list[str]:
    periods = subledgers.customer(draft, customer).periods
    return [customer_file.period_path(customer, start) for start in periods]


def blocks(draft: Draft, customer: str) -> Iterator[Block]:
    """Every entry of a customer's own ledger that is not usage, oldest period first."""
    for path in _paths(draft, customer):
        above = draft.text(path).partition(syntax.MARKER)[0]
        yield from (block for block in syntax.blocks(above) if block.kind in {"*", "!"})
