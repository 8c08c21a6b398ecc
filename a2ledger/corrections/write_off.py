"""Write off debts, and make them owed again when they are paid after all.

The VAT of a debt given up goes back with it where there is relief, and is owed again with what is
recovered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from a2ledger import accounts, money, vat
from a2ledger.balances import ageing, balances
from a2ledger.book.book import Draft, RefusedError
from a2ledger.corrections import postings as corrections
from a2ledger.corrections.correct import Posted, Wanted, blocks, find, paths, post
from a2ledger.documents import given_back, translation, worth
from a2ledger.documents.document import Document
from a2ledger.documents.given_back import Share
from a2ledger.documents.worth import Worth
from a2ledger.journal import entries as journal_entries
from a2ledger.journal import subledgers, syntax, vat_bases
from a2ledger.journal.entries import STATED
from a2ledger.journal.ledger import Standing
from a2ledger.journal.syntax import Block


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
    texts = (draft.text(path) for path in paths(draft, customer))
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
            for link, micro in given_back.parts(str(entry.meta["recovers"])):
                recovered[link] = recovered.get(link, 0) + micro
            continue
        legs = block.legs
        micro = -sum(leg.micro for leg in legs if leg.account == account)
        taxes = _relieved(block)
        parts = list(given_back.parts(str(entry.meta["parts"]))) if "parts" in entry.meta else []
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
