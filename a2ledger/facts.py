"""Customers' facts: the valid values of each.

Whether a fact comes from an option, a table or a line somebody wrote into a journal, this is
where it is looked at.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache

from stdnum import bic, iban
from stdnum.eu import at_02
from stdnum.exceptions import ValidationError

from a2ledger import callguards, codelists, dial_plan, money, period
from a2ledger.errors import BadValueError
from a2ledger.records import KEYS, NUMBERS, SETTLED, Customer, Fact, split_list
from a2ledger.vat import TREATMENTS

_LAST_DAY = 31
_HUNDRED = 100 * money.MICRO

CHANNELS = ("mail", "peppol", "print", "none")
"""Ways in which documents reach a customer."""

DOCUMENTS = ("invoice", "statement")
"""Documents that the close of a period may make."""

LANGUAGES = ("en", "nl", "fr", "de", "es", "el")
"""Languages of documents and letters."""

MASKS = ("none", "3", "4", "all")
"""Numbers of last digits of a called number to hide on lists of calls."""

ITEMISED = ("apart", "appendix")
"""Where the list of a bill's calls stands: in a file of its own, or at the end of the bill too."""

_CHOICES = {
    "vat": TREATMENTS,
    "documents": ("", *DOCUMENTS),
    "dunning": ("", "stop"),
    "itemised": ("", *ITEMISED),
    "masked": ("", *MASKS),
}
_PATTERNS = {
    "currency": ("[A-Z]{3}", "is not an ISO 4217 code such as EUR"),
    "terms": ("[0-9]{0,3}", "is not a number of days, at most 999"),
    "mandate": ("[A-Za-z0-9+?/:().,' -]{0,35}", "is no reference of a SEPA mandate"),
    "identifiers": ("[^;|]*", "has ; or | in it; put commas between them"),
}
"""The pattern of a text, and the message if it does not match."""

_PARSED: Mapping[str, Callable[[str], object]] = {
    "cycle": period.counted,
    "dial_plan": dial_plan.parse,
    "guards": callguards.parse_text,
}
"""Parsers of facts that have a grammar of their own."""

TARIFF = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+ -]{0,63}", re.ASCII)
"""What a tariff may be called: its file is called so, too."""


def tariff_name(name: str) -> str:
    """Return the name of a tariff.

    >>> tariff_name("standard")
    'standard'

    Raises:
        ValueError: if it could be the name of no file of the book.
    """
    if not TARIFF.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a tariff: letters, digits, then also _ . @ + -")
    return name


_BREAKS = re.compile(r"[ ]*[\t\n][ \t\n]*")
"""What parts the lines and columns of a text."""
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Characters that steer a terminal or change the direction of writing. No fact may have them."""


def parse(key: str, text: str) -> Fact:
    """Parse a fact's value.

    Args:
        key: one of :data:`a2ledger.records.KEYS`.
        text: as a person wrote it.

    Raises:
        ValueError: if it is no value for the key; the message begins with the key.
    """
    text = _STEERING.sub("", text).strip()
    if key != "address":  # which alone has lines
        text = _BREAKS.sub(" ", text)
    if key not in KEYS:
        raise BadValueError(f"{key}: no such fact", f"there is {', '.join(KEYS)}")
    if key in NUMBERS:
        return _number(key, text)
    pattern, lack = _PATTERNS.get(key, (".*", ""))
    if not re.fullmatch(pattern, text, re.DOTALL):
        raise ValueError(f"{key}: {text!r} {lack}")
    if key in _CHOICES and text not in _CHOICES[key]:
        raise ValueError(f"{key}: {text!r} is none of {', '.join(_CHOICES[key])}")
    if key in _PARSED:
        try:
            _PARSED[key](text)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
    if key in {"tariff", "identifiers", "dial_plan", "delivery", "guards"}:
        text = ", ".join(split_list(text))
    if text and key in _FORMS:
        return _FORMS[key](text)
    return text


def _peppol(text: str) -> str:
    """Parse an address such as ``0208:0403170701``: a scheme of the EAS list, and its number."""
    scheme, colon, number = "".join(text.split()).partition(":")
    if not colon or scheme not in codelists.ADDRESSES:
        raise ValueError(
            f"peppol: {text!r} is not an electronic address scheme and number such as "
            "0208:0403170701"
        )
    if not codelists.is_number(scheme, number):
        raise ValueError(f"peppol: {number!r} is no number of scheme {scheme}")
    return f"{scheme}:{number}"


def _registration(text: str) -> str:
    """Parse a number in a business register, with or without the register, such as ``0208:``."""
    scheme, colon, number = text.partition(":")
    if not colon or not re.fullmatch(r"[0-9]{4}", scheme, re.ASCII):
        return text
    number = number.strip()
    if not codelists.is_register(scheme):
        raise ValueError(f"registration: {scheme} is no register of ISO 6523, such as 0208")
    if not codelists.is_number(scheme, number):
        raise ValueError(f"registration: {number!r} is no number of register {scheme}")
    return f"{scheme}:{number}"


def creditor(text: str) -> str:
    """Parse a SEPA creditor identifier, such as ``BE69ZZZ050D000000008``.

    Raises:
        ValueError: if it is none.
    """
    try:
        return str(at_02.validate(text)) if text else ""
    except ValidationError:
        raise ValueError(f"{text!r} is no creditor identifier of SEPA") from None


def _iban(text: str) -> str:
    try:
        return iban.format(iban.validate(text, check_country=False))
    except ValidationError:
        raise ValueError(f"iban: {text!r} is no IBAN") from None


def _bic(text: str) -> str:
    try:
        return str(bic.validate(text))
    except ValidationError:
        raise ValueError(f"bic: {text!r} is no BIC") from None


def _language(text: str) -> str:
    """Parse a language of documents, where ``de-AT`` is German."""
    language = text.lower().replace("_", "-").partition("-")[0]
    if language not in LANGUAGES:
        raise ValueError(f"language: {text!r} is none of {', '.join(LANGUAGES)}")
    return language


def _delivery(text: str) -> str:
    if wrong := [way for way in split_list(text) if way not in CHANNELS]:
        raise ValueError(f"delivery: {wrong[0]!r} is none of {', '.join(CHANNELS)}")
    if "none" in split_list(text) and text != "none":
        raise ValueError("delivery: `none")
    return text


def _minimum(text: str) -> str:
    """Parse the least that a bill is made for."""
    try:
        micro = money.parse(text)
    except ValueError as error:
        raise ValueError(f"minimum: {error}") from None
    if micro < 0:
        raise ValueError(f"minimum: {text!r} is less than nothing")
    return money.text(micro, 2)


def _tariff(text: str) -> str:
    for name in split_list(text):
        try:
            tariff_name(name)
        except ValueError as error:
            raise ValueError(f"tariff: {error}") from None
    return text


_FORMS: dict[str, Callable[[str], str]] = {
    "bic": _bic,
    "delivery": _delivery,
    "iban": _iban,
    "language": _language,
    "minimum": _minimum,
    "peppol": _peppol,
    "registration": _registration,
    "tariff": _tariff,
}
"""Functions that normalise a value of certain facts, or raise if it is invalid."""


def _number(key: str, text: str) -> Decimal:
    try:
        micro = money.parse(text)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
    if key == "billing_day" and (micro % money.MICRO or not 1 <= micro // money.MICRO <= _LAST_DAY):
        raise ValueError(f"billing_day: {text!r} is not a day from 1 to 31")
    if key == "discount_percent" and (micro % 10_000 or not 0 <= micro <= _HUNDRED):
        raise ValueError(f"discount_percent: {text!r} is not 0 to 100 with two decimals")
    return money.decimal(micro, 2 if key == "credit_limit" else 0)


class BadFactError(ValueError):
    """A fact's value that is none, with the fact and the day from which it would hold."""

    def __init__(self, key: str, since: dt.date, message: str) -> None:
        super().__init__(f"{message} (from {since})")
        self.key, self.since = key, since


def check(customer: Customer) -> None:
    """Check all values of a customer's facts, past and present.

    Raises:
        ValueError: naming the first that is none.
    """
    for key, history in customer.facts.items():
        for since, value in history:
            try:
                if key == "language" and re.fullmatch("[A-Za-z]{2}", str(value)):
                    continue  # books of earlier versions may have any
                if key != SETTLED:
                    _parse_again(key, str(value))
                elif value not in {"yes", "no"}:
                    raise ValueError(f"settled: {value!r} is neither yes nor no")  # noqa: TRY301
            except ValueError as error:
                raise BadFactError(key, since, str(error)) from None
    if len({value for _, value in customer.facts.get("currency", ())}) > 1:
        raise ValueError(
            "currency: an account has one currency, which cannot change after its opening"
        )


# Ten thousand customers have few tariffs, limits and languages between them.
_parse_again = lru_cache(4096)(parse)


IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+]{0,63}", re.ASCII)
"""Pattern of a fee's id. Unlike a customer's it has no dash, so that links are unambiguous."""


def check_fees(customer: Customer, currency: str, services: Iterable[str]) -> None:
    """Check that a customer's fees can be billed.

    Raises:
        ValueError: naming the fee that cannot.
    """
    for fee in customer.fees:
        if not IDENTITY.fullmatch(fee.id):
            raise ValueError(f"fee {fee.id!r}: an id is letters, digits, then also _ . @ and +")
        if fee.service not in services:
            raise ValueError(f"fee {fee.id}: service {fee.service!r} is not under [services]")
        if fee.currency != currency:
            raise ValueError(f"fee {fee.id}: is in {fee.currency}, the account in {currency}")
        places = money.decimals(currency)
        for since, micro in fee.prices:
            if micro != money.rounded(micro, places):
                amount = money.text(micro, places)
                raise ValueError(
                    f"fee {fee.id}: {amount} from {since} has more than {places} decimals, "
                    f"which {currency} has"
                )
