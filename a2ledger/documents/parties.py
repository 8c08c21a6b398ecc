"""The parties of a document on a given day, and its VAT in the book's currency."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace

from a2ledger import money
from a2ledger.book.book import Book
from a2ledger.book.config import Config
from a2ledger.documents.document import Document
from a2ledger.journal import exchange_rates
from a2ledger.journal.exchange_rates import Prices
from a2ledger.period import DAY
from a2ledger.records import Customer

_SUPPLIER = (*("name", "address", "country", "vat_id", "email", "phone", "website", "iban", "bic"),)
_BUYER = ("address", "country", "email", "language", "name", "vat_id")
_PLACE = ("street", "street2", "postcode", "city", "region")
ADDRESS = ("address", *_PLACE)
"""Facts that make an address."""
_BESIDES = (*_PLACE, "registration", "peppol", "contact")
_OF_BUYERS = (*_BESIDES, "phone", "iban", "bic", "buyer_reference", "order_reference", "mandate")
"""Facts that a document shows only if they are known."""
_OF_PERIOD = ("country", "vat_id")
"""Facts that decided the VAT. They are taken from the last day of the period."""


def parties(
    customer: Customer, config: Config, day: dt.date, issue_date: dt.date
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the supplier and the customer of a document.

    A document goes where the customer is on the day of issue. If they have moved to another
    country since, it shows where they were, since that is what the VAT is for; a country that was
    told only since is taken for where they always were.

    Args:
        customer: who gets it.
        config: who sends it.
        day: the last of what it is for.
        issue_date: the day it is made.
    """
    issued = max(day, issue_date)
    company = config.company_on(issued)
    supplier = {
        name: getattr(company, name) for name in (*_SUPPLIER, *_BESIDES, "creditor_id", "language")
    }
    then, now = (customer.text("country", at) for at in (day, issued))
    known = day if then and now != then else issued
    buyer = {key: customer.text(key, known) for key in (*_BUYER, *_OF_BUYERS)}
    buyer |= {key: customer.text(key, day) for key in _OF_PERIOD} | {"country": then or now}
    return (
        dict(_shown(supplier, _SUPPLIER)),
        {"id": customer.id} | dict(_shown(buyer, _BUYER)),
    )


def one_line(party: Mapping[str, str]) -> str:
    """Return an address on one line: street and town if known, else the address as written.

    >>> one_line({"street": "Rue Haute 1", "postcode": "1000", "city": "Brussels"})
    'Rue Haute 1, 1000 Brussels'
    >>> one_line({"address": "Rue Haute 1, 1000 Brussels", "street": ""})
    'Rue Haute 1, 1000 Brussels'
    """
    return ", ".join(address_lines(party)) if _has_place(party) else party.get("address", "")


def address_lines(party: Mapping[str, str]) -> list[str]:
    """Return the lines of an address as they stand on an envelope, without the country.

    >>> address_lines({"street": "Rue Haute 1", "postcode": "1000", "city": "Brussels"})
    ['Rue Haute 1', '1000 Brussels']
    """
    if not _has_place(party):
        return party.get("address", "").splitlines()
    street, street2, postcode, city, region = (party.get(key, "") for key in _PLACE)
    town = " ".join(filter(None, (postcode, city)))
    return list(filter(None, (street, street2, town, region)))


def _has_place(party: Mapping[str, str]) -> bool:
    return bool(party.get("street") or party.get("city"))


def _shown(party: Mapping[str, str], always: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield what a document shows of a party: some keys always, the others if they have a value."""
    for key, text in {**party, "address": one_line(party)}.items():
        if text or key in always:
            yield key, text


def with_vat_in(document: Document, currency: str, prices: Prices) -> Document:
    """Return the document with its VAT in the book's currency too, at the last day's price.

    Raises:
        ValueError: if there is no such price.
    """
    vat = money.parse(document.vat_total)
    if document.currency == currency or not vat:
        return document
    last = dt.date.fromisoformat(document.period["end"]) - DAY
    price = prices.at(document.currency, last)
    translated = prices.converted(vat, document.currency, currency, last)
    if price is None or translated is None:
        raise ValueError(f"there is no price of {document.currency} on {last}; import prices")
    return replace(
        document,
        vat_translated={
            "currency": currency,
            "price": f"{price.number:f}",
            "date": str(price.date),
            "vat_total": money.text(translated, money.decimals(currency)),
        },
    )


def translated(book: Book, document: Document) -> Document:
    """Return a document of a foreign account with its VAT in the book's currency too.

    Raises:
        ValueError: if there is no price to translate by.
    """
    return with_vat_in(document, book.config.currency, exchange_rates.prices(book))
