"""Corrections: the entries that put right what was posted, each in the open period.

| event               | debit                                | credit                            |
|---------------------|--------------------------------------|-----------------------------------|
| credit note         | Income:Corrections, VAT of its codes | Billed                            |
| refund              | Billed                               | the account the money leaves      |
| returned payment    | Billed                               | the account the payment came into |
| goodwill            | Expenses:Goodwill                    | Billed                            |
| write-off           | Expenses:Bad-Debt, VAT with relief   | Billed                            |
| recovered debt      | Billed                               | Expenses:Bad-Debt, VAT due again  |
| transfer, out       | Billed                               | Suspense:Unmatched                |
| transfer, in        | Suspense:Unmatched                   | Billed                            |
| deposit             | the account of its method            | Deposits of the customer          |
| deposit returned    | Deposits of the customer             | the account of its method         |
| deposit set against | Deposits of the customer             | Billed                            |

What is about a payment names it by its link, as ``payment``: a payment and all that undoes or
moves it are one to :mod:`a2ledger.balances.ageing`. Amounts are micro-units.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money
from a2ledger.documents import worth
from a2ledger.fees.deferrals import Deferral
from a2ledger.journal import syntax
from a2ledger.journal.entries import converted, leg, transaction
from a2ledger.payments.remainder import Payment
from a2ledger.sources.batch import digest

SOURCE = "corrections"
"""What tells ids of corrections from those of imported files."""

TAG = "correction"


class Correction(NamedTuple):
    """What every correction says."""

    kind: str
    """``credit-note``, ``refund``, ``returned``, ``goodwill``, ``write-off``, ``transfer``,
    ``recover``, ``deposit``."""
    id: str
    customer: str
    """Empty for money in suspense."""
    date: dt.date
    amount_micro: int
    currency: str
    description: str = ""

    @property
    def link(self) -> str:
        """The link that identifies its entry."""
        return syntax.link(self.kind, SOURCE, self.id)

    @property
    def billed(self) -> str:
        """What it moves: the customer's bill, or money that is nobody's."""
        return accounts.billed(self.customer) if self.customer else accounts.UNMATCHED


def identity(*parts: object) -> str:
    """An id made from what is asked for: asking the same again gives the same id."""
    return digest("\0".join(map(str, parts)))[:12]


def credit_note(
    one: Correction,
    *,
    number: str,
    original: str,
    lines: Sequence[int],
    net: Mapping[str, int],
    vat: Mapping[str, int],
    translated: tuple[str, Mapping[str, int]] = ("", {}),
) -> data.Transaction:
    """The entry of a credit note: net and VAT by VAT code, which add up to its amount.

    ``lines`` are the lines of the original it credits; none where it credits all there was.
    """
    meta: dict[str, object] = {"number": number, "original": original}
    if lines:
        meta["lines"] = ", ".join(map(str, lines))
    places = money.decimals(one.currency)
    return _entry(
        one,
        f"Credit note {number} for {original}",
        [
            *(
                leg(accounts.CORRECTIONS, micro, one.currency, places=places, vat=code)
                for code, micro in net.items()
                if micro
            ),
            *_taxes(vat, one.currency, translated),
            leg(one.billed, -one.amount_micro, one.currency, places=places),
        ],
        meta,
    )


def refund(one: Correction, account: str, paid: tuple[int, str] | None = None) -> data.Transaction:
    """Money paid back from an account; ``paid`` is how much in which other currency."""
    own = one.amount_micro, one.currency
    postings = _through((one.billed, *own), (account, *(paid or own)))
    return _entry(one, "Refund", postings, {})


def _vat(
    code: str, given: tuple[int, str], translated: tuple[str, Mapping[str, int]]
) -> list[data.Posting]:
    """Return the postings of VAT that comes back, in the currency in which it was owed."""
    (micro, currency), (base, amounts) = given, translated
    if code not in amounts:
        return [leg(accounts.vat(code), micro, currency, places=money.decimals(currency))]
    return converted(accounts.vat(code), code, given, (amounts[code], base))


def deferral_taken(one: Correction, taken: Deferral, number: str, place: int) -> data.Transaction:
    """The entry by which a credit note takes back income that was deferred.

    Args:
        one: the credit note.
        taken: of a fee, what of it is left, below zero.
        number: of the invoice it credits.
        place: which of its entries it is.
    """
    places = money.decimals(one.currency)
    whole = Amount(money.decimal(-taken.micro, places), one.currency)
    meta: dict[str, object] = {
        "customer": one.customer,
        "fee": taken.fee,
        "service": taken.service,
        "from": taken.days.start,
        "to": taken.days.last,
        "whole": whole,
    }
    return transaction(
        one.date,
        "Deferred income",
        f"{taken.service}, {taken.days}, {number} given back",
        [
            leg(accounts.DEFERRED, -taken.left_micro, one.currency, places=places),
            leg(accounts.CORRECTIONS, taken.left_micro, one.currency, places=places),
        ],
        meta=meta,
        links=[syntax.link("deferral", SOURCE, f"{one.id}.{place}")],
        tags=[TAG],
    )


def returned(one: Correction, payment: Payment) -> data.Transaction:
    """A payment the bank took back: what was owed is owed again."""
    back = payment.paid_micro, payment.paid_currency
    if payment.paid_currency == one.currency:
        back = one.amount_micro, one.currency
    entry = _entry(
        one,
        "Returned payment",
        _through((one.billed, one.amount_micro, one.currency), (payment.account, *back)),
        {"payment": payment.link},
    )
    return entry if entry.narration else entry._replace(narration=_of(payment))


def goodwill(one: Correction) -> data.Transaction:
    """A gift."""
    return _pair(one, "Goodwill", accounts.GOODWILL, one.billed)


def write_off(
    one: Correction,
    given: Mapping[str, int],
    relief: Mapping[str, int],
    translated: tuple[str, Mapping[str, int]] = ("", {}),
    lines: Mapping[str, int] | None = None,
) -> data.Transaction:
    """A debt given up.

    Args:
        one: the correction; its amount includes the VAT.
        given: the documents it is set against, with what of each is given up.
        relief: VAT that is not owed any more, by code.
        translated: the book's currency, and the same in it where it was owed in that.
        lines: net of each line of the documents that is given up, by document and number.
    """
    places = money.decimals(one.currency)
    lost = one.amount_micro - sum(relief.values())
    return _entry(
        one,
        "Write-off",
        [
            leg(accounts.BAD_DEBT, lost, one.currency, places=places),
            *_taxes(relief, one.currency, translated),
            leg(one.billed, -one.amount_micro, one.currency, places=places),
        ],
        _parts(given, places)
        | ({"given_up": worth.written_parts(lines.items(), places)} if lines else {}),
    )


def recovered(
    one: Correction,
    writtenoff: str,
    given: Mapping[str, int],
    relief: Mapping[str, int],
    translated: tuple[str, Mapping[str, int]] = ("", {}),
) -> data.Transaction:
    """A debt that was given up and is owed again.

    Args:
        one: the correction; its amount includes the VAT.
        writtenoff: the entries it takes back, with what of each.
        given: the documents these were set against, with what of each is owed again.
        relief: VAT that is due again, by code.
        translated: as for :func:`write_off`.
    """
    base, amounts = translated
    places = money.decimals(one.currency)
    net = one.amount_micro - sum(relief.values())
    return _entry(
        one,
        "Recovered debt",
        [
            leg(one.billed, one.amount_micro, one.currency, places=places),
            leg(accounts.BAD_DEBT, -net, one.currency, places=places),
            *_taxes(
                {code: -micro for code, micro in relief.items()},
                one.currency,
                (base, {code: -micro for code, micro in amounts.items()}),
            ),
        ],
        {"recovers": writtenoff, **_parts(given, places)},
    )


def _taxes(
    taxes: Mapping[str, int], currency: str, translated: tuple[str, Mapping[str, int]]
) -> list[data.Posting]:
    """Return the postings of VAT that comes back, or of what is due again, below zero."""
    return [
        posting
        for code, micro in taxes.items()
        if micro
        for posting in _vat(code, (micro, currency), translated)
    ]


def _parts(given: Mapping[str, int], places: int) -> dict[str, object]:
    """What an entry says of the documents it is about."""
    if not given:
        return {}
    told = ", ".join(f"{number} {money.text(micro, places)}" for number, micro in given.items())
    return {"reference": ", ".join(given), "parts": told}


def transferred_out(one: Correction, payment: Payment | None) -> data.Transaction:
    """Money booked to the wrong customer, leaving him; a whole payment, or an amount."""
    entry = _pair(one, "Transfer", one.billed, accounts.UNMATCHED, _about(payment, one.currency))
    return _told(entry, payment, "booked here by mistake")


def transferred_in(one: Correction, payment: Payment | None) -> data.Transaction:
    """The same money, arriving where it belongs."""
    came = one.amount_micro, one.currency
    if payment:
        came = payment.amount_micro, payment.currency
    entry = _entry(
        one,
        "Transfer",
        _through((accounts.UNMATCHED, *came), (one.billed, one.amount_micro, one.currency)),
        _about(payment, one.currency),
    )
    return _told(entry, payment, "received")


def deposit(one: Correction, account: str) -> data.Transaction:
    """Money held as security; no part of what the customer owes."""
    held = accounts.deposits(one.customer)
    return _pair(one, "Deposit", account, held, {"customer": one.customer})


def deposit_returned(one: Correction, account: str) -> data.Transaction:
    """Security paid back."""
    held = accounts.deposits(one.customer)
    return _pair(one, "Deposit returned", held, account, {"customer": one.customer})


def deposit_settled(one: Correction) -> data.Transaction:
    """Security set against what the customer owes, when his account is settled."""
    held = accounts.deposits(one.customer)
    return _pair(one, "Deposit set against the account", held, one.billed)


def _about(payment: Payment | None, currency: str) -> dict[str, object]:
    """What is to be known of a payment wherever it goes."""
    if payment is None:
        return {}
    meta: dict[str, object] = {
        "payment": payment.link,
        "paid": payment.date,
        "account": payment.account,
    }
    if payment.paid_currency != currency:
        number = money.decimal(payment.paid_micro, money.decimals(payment.paid_currency))
        meta["paid_amount"] = Amount(number, payment.paid_currency)
    return meta | ({"reference": payment.reference} if payment.reference else {})


def _of(payment: Payment) -> str:
    return f"payment of {payment.date}"


def _told(entry: data.Transaction, payment: Payment | None, what: str) -> data.Transaction:
    if entry.narration:
        return entry
    return entry._replace(narration=f"{_of(payment)}, {what}" if payment else what)


def _pair(
    one: Correction,
    title: str,
    debit: str,
    credit: str,
    meta: Mapping[str, object] | None = None,
) -> data.Transaction:
    moved = one.amount_micro, one.currency
    return _entry(one, title, _through((debit, *moved), (credit, *moved)), meta or {})


def _through(debit: tuple[str, int, str], credit: tuple[str, int, str]) -> list[data.Posting]:
    """Two legs of (account, amount, currency); through Equity:Conversion if currencies differ."""
    (to, came, own), (out, left, other) = debit, credit
    legs = [(to, came, own)]
    if own != other:
        legs += [(accounts.CONVERSION, -came, own), (accounts.CONVERSION, left, other)]
    return [
        leg(account, micro, currency, places=money.decimals(currency))
        for account, micro, currency in [*legs, (out, -left, other)]
    ]


def _entry(
    one: Correction,
    title: str,
    postings: Sequence[data.Posting],
    meta: Mapping[str, object],
) -> data.Transaction:
    return transaction(
        one.date,
        title,
        syntax.plain(one.description),
        postings,
        meta={"id": one.id, **meta},
        links=[one.link],
        tags=[TAG],
    )
