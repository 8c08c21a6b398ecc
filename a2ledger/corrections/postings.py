"""Entries of corrections: each puts right what was posted, in the open period.

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
from a2ledger.documents import given_back
from a2ledger.fees.deferrals import Deferral
from a2ledger.journal import syntax
from a2ledger.journal.entries import converted, leg, transaction
from a2ledger.payments.remainder import Payment
from a2ledger.sources.batch import digest

SOURCE = "corrections"
"""Source in the links of corrections, which keeps their ids apart from imported ones."""

TAG = "correction"


class Correction(NamedTuple):
    """Fields that every correction has."""

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
        """Return the link that identifies its entry."""
        return syntax.link(self.kind, SOURCE, self.id)

    @property
    def billed(self) -> str:
        """Return the account it moves: the customer's Billed, or suspense."""
        return accounts.billed(self.customer) if self.customer else accounts.UNMATCHED


def identity(*parts: object) -> str:
    """Make an id from the parts of a request: the same request gives the same id."""
    return digest("\0".join(map(str, parts)))[:12]


def credit_note(
    correction: Correction,
    *,
    number: str,
    original: str,
    lines: Sequence[int],
    net: Mapping[str, int],
    vat: Mapping[str, int],
    translated: tuple[str, Mapping[str, int]] = ("", {}),
) -> data.Transaction:
    """Make the entry of a credit note: net and VAT by VAT code, which add up to its amount.

    ``lines`` are the lines of the original it credits; none where it credits all there was.
    """
    meta: dict[str, object] = {"number": number, "original": original}
    if lines:
        meta["lines"] = ", ".join(map(str, lines))
    places = money.decimals(correction.currency)
    return _entry(
        correction,
        f"Credit note {number} for {original}",
        [
            *(
                leg(accounts.CORRECTIONS, micro, correction.currency, places=places, vat=code)
                for code, micro in net.items()
                if micro
            ),
            *_taxes(vat, correction.currency, translated),
            leg(correction.billed, -correction.amount_micro, correction.currency, places=places),
        ],
        meta,
    )


def refund(
    correction: Correction, account: str, paid: tuple[int, str] | None = None
) -> data.Transaction:
    """Make the entry of a refund, where ``paid`` is the amount in another currency, if any."""
    own = correction.amount_micro, correction.currency
    postings = _through((correction.billed, *own), (account, *(paid or own)))
    return _entry(correction, "Refund", postings, {})


def _vat(
    code: str, given: tuple[int, str], translated: tuple[str, Mapping[str, int]]
) -> list[data.Posting]:
    """Return the postings of VAT given back, in the currency in which it was owed."""
    (micro, currency), (base, amounts) = given, translated
    if code not in amounts:
        return [leg(accounts.vat(code), micro, currency, places=money.decimals(currency))]
    return converted(accounts.vat(code), code, given, (amounts[code], base))


def deferral_taken(
    correction: Correction, taken: Deferral, number: str, place: int
) -> data.Transaction:
    """Make the entry that takes back deferred income for a credit note.

    Args:
        correction: the credit note.
        taken: of a fee, what of it is left, below zero.
        number: of the invoice it credits.
        place: which of its entries it is.
    """
    places = money.decimals(correction.currency)
    whole = Amount(money.decimal(-taken.micro, places), correction.currency)
    meta: dict[str, object] = {
        "customer": correction.customer,
        "fee": taken.fee,
        "service": taken.service,
        "from": taken.days.start,
        "to": taken.days.last,
        "whole": whole,
    }
    return transaction(
        correction.date,
        "Deferred income",
        f"{taken.service}, {taken.days}, {number} given back",
        [
            leg(accounts.DEFERRED, -taken.left_micro, correction.currency, places=places),
            leg(accounts.CORRECTIONS, taken.left_micro, correction.currency, places=places),
        ],
        meta=meta,
        links=[syntax.link("deferral", SOURCE, f"{correction.id}.{place}")],
        tags=[TAG],
    )


def returned(correction: Correction, payment: Payment) -> data.Transaction:
    """Make the entry of a payment that the bank took back, so that it is owed again."""
    back = payment.paid_micro, payment.paid_currency
    if payment.paid_currency == correction.currency:
        back = correction.amount_micro, correction.currency
    entry = _entry(
        correction,
        "Returned payment",
        _through(
            (correction.billed, correction.amount_micro, correction.currency),
            (payment.account, *back),
        ),
        {"payment": payment.link},
    )
    return entry if entry.narration else entry._replace(narration=_of(payment))


def goodwill(correction: Correction) -> data.Transaction:
    """Make the entry of a goodwill credit."""
    return _pair(correction, "Goodwill", accounts.GOODWILL, correction.billed)


def write_off(
    correction: Correction,
    given: Mapping[str, int],
    relief: Mapping[str, int],
    translated: tuple[str, Mapping[str, int]] = ("", {}),
    lines: Mapping[str, int] | None = None,
) -> data.Transaction:
    """Make the entry of a write-off.

    Args:
        correction: its amount includes the VAT.
        given: the documents it is set against, with what of each is given up.
        relief: VAT that is not owed any more, by code.
        translated: the book's currency, and the same in it where it was owed in that.
        lines: net of each line of the documents that is given up, by document and number.
    """
    places = money.decimals(correction.currency)
    lost = correction.amount_micro - sum(relief.values())
    return _entry(
        correction,
        "Write-off",
        [
            leg(accounts.BAD_DEBT, lost, correction.currency, places=places),
            *_taxes(relief, correction.currency, translated),
            leg(correction.billed, -correction.amount_micro, correction.currency, places=places),
        ],
        _parts(given, places)
        | ({"given_up": given_back.written_parts(lines.items(), places)} if lines else {}),
    )


def recovered(
    correction: Correction,
    writtenoff: str,
    given: Mapping[str, int],
    relief: Mapping[str, int],
    translated: tuple[str, Mapping[str, int]] = ("", {}),
) -> data.Transaction:
    """Make the entry of a recovered debt.

    Args:
        correction: its amount includes the VAT.
        writtenoff: the entries it takes back, with what of each.
        given: the documents these were set against, with what of each is owed again.
        relief: VAT that is due again, by code.
        translated: as for :func:`write_off`.
    """
    base, amounts = translated
    places = money.decimals(correction.currency)
    net = correction.amount_micro - sum(relief.values())
    return _entry(
        correction,
        "Recovered debt",
        [
            leg(correction.billed, correction.amount_micro, correction.currency, places=places),
            leg(accounts.BAD_DEBT, -net, correction.currency, places=places),
            *_taxes(
                {code: -micro for code, micro in relief.items()},
                correction.currency,
                (base, {code: -micro for code, micro in amounts.items()}),
            ),
        ],
        {"recovers": writtenoff, **_parts(given, places)},
    )


def _taxes(
    taxes: Mapping[str, int], currency: str, translated: tuple[str, Mapping[str, int]]
) -> list[data.Posting]:
    """Return the postings of VAT taken back, or if negative of VAT due again."""
    return [
        posting
        for code, micro in taxes.items()
        if micro
        for posting in _vat(code, (micro, currency), translated)
    ]


def _parts(given: Mapping[str, int], places: int) -> dict[str, object]:
    """Return the metadata that names the documents a correction is about."""
    if not given:
        return {}
    amounts = ", ".join(f"{number} {money.text(micro, places)}" for number, micro in given.items())
    return {"reference": ", ".join(given), "parts": amounts}


def transferred_out(correction: Correction, payment: Payment | None) -> data.Transaction:
    """Make the entry that moves a misposted payment or amount out to suspense."""
    entry = _pair(
        correction,
        "Transfer",
        correction.billed,
        accounts.UNMATCHED,
        _about(payment, correction.currency),
    )
    return _told(entry, payment, "booked here by mistake")


def transferred_in(correction: Correction, payment: Payment | None) -> data.Transaction:
    """Make the entry that moves money in from suspense, to the right customer."""
    came = correction.amount_micro, correction.currency
    if payment:
        came = payment.amount_micro, payment.currency
    entry = _entry(
        correction,
        "Transfer",
        _through(
            (accounts.UNMATCHED, *came),
            (correction.billed, correction.amount_micro, correction.currency),
        ),
        _about(payment, correction.currency),
    )
    return _told(entry, payment, "received")


def deposit(correction: Correction, account: str) -> data.Transaction:
    """Make the entry of a deposit: security held, which reduces no debt."""
    held = accounts.deposits(correction.customer)
    return _pair(correction, "Deposit", account, held, {"customer": correction.customer})


def deposit_returned(correction: Correction, account: str) -> data.Transaction:
    """Make the entry of a deposit paid back."""
    held = accounts.deposits(correction.customer)
    return _pair(correction, "Deposit returned", held, account, {"customer": correction.customer})


def deposit_settled(correction: Correction) -> data.Transaction:
    """Make the entry that applies a deposit to what is owed, at settlement."""
    held = accounts.deposits(correction.customer)
    return _pair(correction, "Deposit set against the account", held, correction.billed)


def _about(payment: Payment | None, currency: str) -> dict[str, object]:
    """Return the metadata that goes with a payment wherever it is moved."""
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


def _told(entry: data.Transaction, payment: Payment | None, event: str) -> data.Transaction:
    if entry.narration:
        return entry
    return entry._replace(narration=f"{_of(payment)}, {event}" if payment else event)


def _pair(
    correction: Correction,
    title: str,
    debit: str,
    credit: str,
    meta: Mapping[str, object] | None = None,
) -> data.Transaction:
    moved = correction.amount_micro, correction.currency
    return _entry(correction, title, _through((debit, *moved), (credit, *moved)), meta or {})


def _through(debit: tuple[str, int, str], credit: tuple[str, int, str]) -> list[data.Posting]:
    """Make two postings of (account, amount, currency), via Equity:Conversion if these differ."""
    (to, came, own), (out, paid_out, other) = debit, credit
    legs = [(to, came, own)]
    if own != other:
        legs += [(accounts.CONVERSION, -came, own), (accounts.CONVERSION, paid_out, other)]
    return [
        leg(account, micro, currency, places=money.decimals(currency))
        for account, micro, currency in [*legs, (out, -paid_out, other)]
    ]


def _entry(
    correction: Correction,
    title: str,
    postings: Sequence[data.Posting],
    meta: Mapping[str, object],
) -> data.Transaction:
    return transaction(
        correction.date,
        title,
        syntax.plain(correction.description),
        postings,
        meta={"id": correction.id, **meta},
        links=[correction.link],
        tags=[TAG],
    )
