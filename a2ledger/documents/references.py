"""Payment references: what a payer writes beside a payment to name the invoice.

Each follows from the invoice's number alone: whoever has one has the other, whatever is written
in ``a2ledger.toml`` by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from stdnum import iban as ibans
from stdnum import iso11649
from stdnum.be import ogm_vcs

KINDS = ("auto", "rf", "belgian", "number")
"""Allowed values of ``[bill] reference``."""

_LONGEST_RF = 21
_QR_BANKS = range(30_000, 32_000)
"""Bank numbers of Swiss accounts that accept only payments with a QR reference."""
_TENS = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)
"""The table of the recursive check digit, modulo 10."""
_MOST_WORDS = 6
_SHORTEST = len("RF18X")
_BELGIAN_DIGITS, _SWISS_DIGITS = 10, 26


def compact(text: str) -> str:
    """Return the letters and digits of a number, in capitals.

    >>> compact("inv 2026-000007")
    'INV2026000007'
    """
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def creditor(number: str) -> str:
    """Return an invoice's creditor reference (ISO 11649), or empty if its number is too long.

    >>> creditor("INV-2026-000007")
    'RF29INV2026000007'
    """
    body = compact(number)
    if not body or len(body) > _LONGEST_RF:
        return ""
    digits = "".join(str(int(letter, 36)) for letter in f"{body}RF00")
    return f"RF{98 - int(digits) % 97:02d}{body}"


def belgian(number: str) -> str:
    """Return an invoice's structured communication, as Belgian banks use it.

    >>> belgian("INV-2026-000007")
    '+++202/6000/00701+++'
    """
    digits = _digits(number, _BELGIAN_DIGITS)
    checked = f"{digits}{int(digits) % 97 or 97:02d}"
    return f"+++{checked[:3]}/{checked[3:7]}/{checked[7:]}+++"


def swiss(number: str) -> str:
    """Return an invoice's QR reference, as Swiss banks use it.

    >>> swiss("INV-2026-000007")
    '000000000000000020260000071'
    """
    digits = _digits(number, _SWISS_DIGITS)
    carry = 0
    for digit in digits:
        carry = _TENS[(carry + int(digit)) % 10]
    return f"{digits}{(10 - carry) % 10}"


def _digits(number: str, count: int) -> str:
    return "".join(re.findall(r"[0-9]", number))[-count:].rjust(count, "0")


class Debit(NamedTuple):
    """A direct debit of SEPA: mandate, payer's account and who collects it."""

    mandate: str
    payer: str
    creditor: str

    def shown(self) -> dict[str, str]:
        """Return it as people read it: the account in groups of four."""
        groups = (self.payer[at : at + 4] for at in range(0, len(self.payer), 4))
        return {**self._asdict(), "payer": " ".join(groups)}


def debit(supplier: Mapping[str, str], customer: Mapping[str, str], currency: str) -> Debit | None:
    """Return how what a document asks for is collected, or None if the customer pays it.

    It takes a mandate, the account it is for, and a company that may collect; SEPA is of euros.
    """
    mandate, payer = customer.get("mandate", ""), compact(customer.get("iban") or "")
    creditor = supplier.get("creditor_id", "")
    if not (mandate and payer and creditor) or currency != "EUR":
        return None
    return Debit(mandate, payer, creditor)


def of_invoice(number: str, iban: str, kind: str = "auto") -> str:
    """Return the payment reference that an invoice asks for.

    Args:
        number: of the invoice.
        iban: where it is paid; empty where that is not told.
        kind: one of :data:`KINDS`; ``auto`` is what the account's country is used to.
    """
    account = compact(iban)
    country = account[:2]
    if country in {"CH", "LI"} and is_qr_iban(account):
        return swiss(number)
    if kind == "number" or not account:
        return number
    if kind == "belgian" or (kind == "auto" and country == "BE"):
        return belgian(number)
    return creditor(number) or number


def is_qr_iban(iban: str) -> bool:
    """Return whether an account accepts only payments with a QR reference."""
    bank = compact(iban)[4:9]
    return bank.isdigit() and int(bank) in _QR_BANKS


def is_creditor(reference: str) -> bool:
    """Return whether a reference is a creditor reference (ISO 11649)."""
    return reference.startswith("RF") and bool(iso11649.is_valid(reference))


def is_iban(text: str) -> bool:
    """Return whether a text is an IBAN with valid check digits."""
    return bool(ibans.is_valid(text, check_country=False))


def grouped(reference: str) -> str:
    """Format a reference for people, an RF or QR reference in groups.

    >>> grouped("RF29INV2026000007"), grouped("000000000000000020260000071")
    ('RF29 INV2 0260 0000 7', '00 00000 00000 00002 02600 00071')
    """
    if is_creditor(reference):
        return " ".join(re.findall(".{1,4}", reference))
    if len(reference) == _SWISS_DIGITS + 1 and reference.isdigit():
        return " ".join([reference[:2], *re.findall(".{5}", reference[2:])])
    return reference


def names(text: str, number: str) -> bool:
    """Return whether a payer's text has a reference of an invoice.

    >>> names("betaling ***202/6000/00701***", "INV-2026-000007")
    True
    """
    bodies = _told(text)
    return bool(bodies) and not bodies.isdisjoint(_bodies_of(number))


def belgian_digits(number: str) -> str:
    """Return the digits of :func:`belgian`."""
    return re.sub(r"\D", "", belgian(number))


@cache
def _bodies_of(number: str) -> frozenset[str]:
    """Return the bodies of an invoice's possible references."""
    if not re.search("[0-9]", number):
        return frozenset()
    return frozenset({creditor(number)[4:], belgian_digits(number), swiss(number)} - {""})


def _told(text: str) -> frozenset[str]:
    """Return the bodies of references in a text, if it is long enough for one."""
    return frozenset(_bodies(text)) if len(text) >= _SHORTEST else frozenset()


def _bodies(text: str) -> Iterator[str]:
    """Yield the bodies of references with valid check digits in a text."""
    for candidate in re.findall(r"\bRF ?[0-9]{2}(?: ?[A-Z0-9]){1,21}", text.upper()):
        words = candidate.split()
        for count in range(len(words), 0, -1):
            reference = compact("".join(words[:count]))
            if is_creditor(reference):  # words behind it may fit by chance, too
                yield reference[4:]
    for candidate in re.findall(r"(?<![0-9])(?:[0-9][ /.]?){12}(?![0-9])", text):
        digits = re.sub(r"\D", "", candidate)
        if ogm_vcs.is_valid(digits):
            yield digits
    for candidate in re.findall(r"(?<![0-9])(?:[0-9] ?){27}(?![0-9])", text):
        digits = re.sub(r"\D", "", candidate)
        if digits == swiss(digits[:-1]):
            yield digits


class Invoices:
    """A search for the invoices that payers' texts name.

    Args:
        numbers: of all invoices.
    """

    def __init__(self, numbers: Iterable[str]) -> None:
        self._by_body: dict[str, set[str]] = {}
        self._by_number: dict[str, set[str]] = {}
        for number in numbers:
            for body in _bodies_of(number):
                self._by_body.setdefault(body, set()).add(number)
            self._by_number.setdefault(compact(number), set()).add(number)

    def named(self, *texts: str) -> set[str]:
        """Return the numbers of invoices that texts name, by reference or by number.

        A number without letters counts only where it is written as it is.
        """
        named_here: set[str] = set()
        for text in texts:
            for body in _told(text):
                named_here |= self._by_body.get(body, set())
            words = re.findall(r"[A-Z0-9]+", text.upper())
            for start in range(len(words)):
                for end in range(start + 1, min(start + _MOST_WORDS, len(words)) + 1):
                    joined = "".join(words[start:end])
                    numbers = self._by_number.get(joined, set())
                    if joined.isdigit():
                        numbers = {number for number in numbers if number in text.split()}
                    named_here |= numbers
        return named_here


def of_document(document: Mapping[str, object]) -> str:
    """Return a document's payment reference, which is the number in earlier invoices."""
    if given := document.get("reference"):
        return str(given)
    return str(document.get("number") or "") if document.get("kind") == "invoice" else ""
