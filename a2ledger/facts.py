"""Customers' facts: what may be a value of each.

Whether a fact comes from an option, a table or a line somebody wrote into a journal, this is
where it is looked at.
"""

from __future__ import annotations

import re
from decimal import Decimal

from a2ledger import e164, money
from a2ledger.period import CYCLES
from a2ledger.records import KEYS, NUMBERS, SETTLED, Customer, Fact, split_list
from a2ledger.vat import TREATMENTS

_LAST_DAY = 31
_HUNDRED = 100 * money.MICRO

_CHOICES = {"vat": TREATMENTS, "cycle": CYCLES}
_PATTERNS = {
    "currency": ("[A-Z]{3}", "is not an ISO 4217 code such as EUR"),
    "terms": ("[0-9]{0,3}", "is not a number of days, at most 999"),
    "identifiers": ("[^;|]*", "has ; or | in it; put commas between them"),
}
"""What a text must be, and what one is that is not."""

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""What steers a terminal or turns the direction of writing, and is no part of any fact."""


def parse(key: str, text: str) -> Fact:
    """A fact's value from text.

    Args:
        key: one of :data:`a2ledger.records.KEYS`.
        text: as a person wrote it.

    Raises:
        ValueError: if it is no value for the key; the message begins with the key.
    """
    text = _STEERING.sub("", text).strip()
    if key not in KEYS:
        raise ValueError(f"{key}: no such fact; there is {', '.join(KEYS)}")
    if key in NUMBERS:
        return _number(key, text)
    pattern, lack = _PATTERNS.get(key, (".*", ""))
    if not re.fullmatch(pattern, text, re.DOTALL):
        raise ValueError(f"{key}: {text!r} {lack}")
    if key in _CHOICES and text not in _CHOICES[key]:
        raise ValueError(f"{key}: {text!r} is none of {', '.join(_CHOICES[key])}")
    if key == "dial_plan":
        try:
            e164.parse_plan(text)
        except ValueError as error:
            raise ValueError(f"dial_plan: {error}") from None
    if key in {"tariff", "identifiers", "dial_plan"}:
        return ", ".join(split_list(text))
    return text


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


def check(customer: Customer) -> None:
    """Make sure every fact a customer ever had is one.

    Raises:
        ValueError: naming the first that is none.
    """
    for key, history in customer.facts.items():
        for since, value in history:
            try:
                if key != SETTLED:
                    parse(key, str(value))
                elif value not in {"yes", "no"}:
                    raise ValueError(f"settled: {value!r} is neither yes nor no")  # noqa: TRY301
            except ValueError as error:
                raise ValueError(f"{error} (from {since})") from None
    if len({value for _, value in customer.facts.get("currency", ())}) > 1:
        raise ValueError("currency: an account is kept in one, from its opening on")
