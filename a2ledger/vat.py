"""VAT: codes, the rules that choose one, VAT identification numbers, and net and gross.

A code is one category of EN 16931 and one rate, for ever. Which code an amount is posted under
follows from the customer's treatment, else from the first rule that matches the service, where
the customer is, whether it is a business, and the day; else from the service itself.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, Protocol

from stdnum import get_cc_module
from stdnum.eu import vat as european

from a2ledger import money

TREATMENTS = ("on-invoice", "included", "on-refill", "reverse-charge", "none")
TAX_POINTS = ("period-end", "issue-date", "payment")
"""When VAT on an invoice falls due: on the last day billed, on issue, or on payment."""
BEFORE_VAT = frozenset({"on-invoice", "reverse-charge", "none"})
"""Treatments with prices before VAT, whose codes may be on one document."""
CATEGORIES = ("S", "Z", "E", "AE", "K", "G", "O", "L", "M")
"""Categories of EN 16931: taxed, zero-rated, exempt, reverse charge, goods to a business elsewhere
in the Union, export, outside the scope; the Canary Islands' tax, and that of Ceuta and Melilla."""

RATED = ("S", "L", "M")
"""Categories that have a rate. All others have the rate 0."""
TAXED = ("S", "Z", "L", "M")
"""Categories that must not give a reason. The others must."""

MEMBERS = frozenset(
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    )
)
"""Member states of the European Union (ISO 3166)."""

ZONES = ("domestic", "eu", "outside")
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_ISO = {"EL": "GR", "UK": "GB"}
_NO_NATION = ("EU", "IM", "XI")
"""Prefixes of numbers that do not prove a business in a member state: those of the one-stop shop,
and Northern Ireland's, which is for goods.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VatCode:
    """A VAT code: one EN 16931 category and one rate in percent, for ever."""

    code: str
    category: str
    rate: Decimal
    reason: str = ""

    @property
    def hundredths(self) -> int:
        """Return the rate in hundredths of a percent."""
        return int(self.rate * 100)


OUTSIDE = VatCode(code="O", category="O", rate=Decimal(0), reason="Not subject to VAT")
REVERSED = VatCode(code="AE", category="AE", rate=Decimal(0), reason="Reverse charge")
PAID = VatCode(code="P", category="O", rate=Decimal(0), reason="Taxed when it was paid for")
BUILT_IN = {code.code: code for code in (OUTSIDE, REVERSED, PAID)}
REASONS = {
    "AE": REVERSED.reason,
    "K": "Intra-community supply",
    "G": "Export outside the EU",
    "O": OUTSIDE.reason,
}
"""The reasons that a bill gives for categories whose code has none of its own."""

_OF_TREATMENT = {"none": OUTSIDE.code, "reverse-charge": REVERSED.code, "on-refill": PAID.code}


class Party(NamedTuple):
    """The facts that decide a customer's VAT."""

    treatment: str
    country: str = ""
    vat_id: str = ""


class Facts(Protocol):
    """A customer whose facts can be read by key and day."""

    def text(self, key: str, day: dt.date, /) -> str:
        """Return the value of a textual fact on a day."""


def party(customer: Facts, day: dt.date, posted: dt.date, treatment: str) -> Party:
    """Return what decides the VAT of a supply of one day that is posted on another.

    The treatment is that of the period it is posted in, all else that of its own day.

    Args:
        customer: to whom.
        day: of the supply.
        posted: the later of ``day`` and the first day of the customer's open period.
        treatment: of customers who have none of their own.
    """
    return Party(
        customer.text("vat", posted) or treatment,
        customer.text("country", day),
        customer.text("vat_id", day),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule for the code something is posted under. An empty condition matches everything.

    ``countries`` are zones or ISO codes; ``business`` asks whether the customer has a valid VAT
    id; it holds from ``since`` (inclusive) until ``until`` (exclusive).
    """

    code: str
    services: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    business: bool | None = None
    since: dt.date = dt.date.min
    until: dt.date = dt.date.max

    def matches(self, service: str, who: Party, day: dt.date, home: str) -> bool:
        """Return whether the rule applies to a service supplied to a customer on a day."""
        return (
            self.since <= day < self.until
            and (not self.services or service in self.services)
            and (not self.countries or not _places(who.country, home).isdisjoint(self.countries))
            and (self.business is None or self.business == is_id(who.vat_id, who.country))
        )


def code_of(
    rules: Iterable[Rule], service: str, default: str, who: Party, day: dt.date, home: str
) -> str:
    """Return the code a service is posted under.

    Args:
        rules: in order; the first that matches decides.
        service: what is sold.
        default: the service's own code.
        who: to whom.
        day: of the supply.
        home: the supplier's country.
    """
    if code := _OF_TREATMENT.get(who.treatment):
        return code
    matching = (rule.code for rule in rules if rule.matches(service, who, day, home))
    return next(matching, default)


def nation(country: str) -> str:
    """Return a country's ISO code in capitals, empty if the text is none.

    >>> nation("el"), nation("BE"), nation("Belgium")
    ('GR', 'BE', '')
    """
    code = country.strip().upper()
    return _ISO.get(code, code) if _COUNTRY.fullmatch(code) else ""


def _places(country: str, home: str) -> set[str]:
    """Return a customer's place in every word a rule may use, domestic without a country."""
    if not country:
        return {"domestic", nation(home)}
    where = nation(country)
    if not where:
        return set()
    zone = "domestic" if where == nation(home) else "eu" if where in MEMBERS else "outside"
    return {zone, where}


@lru_cache(maxsize=1 << 17)
def is_id(vat_id: str, country: str = "") -> bool:
    """Return whether a text is a valid VAT identification number.

    A number of the Union begins with its country's letters (EL for Greece). Elsewhere the rules
    of the customer's country hold; where none are known, any text will do.

    >>> is_id("BE0403170701"), is_id("EL094259216"), is_id("BE0403170702"), is_id("")
    (True, True, False, False)
    """
    text = vat_id.strip()
    if not text:
        return False
    where = nation(country)
    if text[:2].upper() not in _NO_NATION and european.is_valid(text):
        return True
    if not where or where in MEMBERS:
        return False
    rules = get_cc_module(where.lower(), "vat")
    return rules is None or bool(rules.is_valid(text))


def added(net_micro: int, code: VatCode, places: int) -> int:
    """Return the VAT on a net amount, rounded once to a currency's decimals.

    >>> added(67_740_000, VatCode(code="S21", category="S", rate=Decimal(21)), 2)
    14230000
    """
    unit: int = 10 ** (money.PLACES - places)
    return money.divide(net_micro * code.hundredths, 10_000 * unit) * unit


def gross_of(net_micro: int, code: VatCode, places: int) -> int:
    """Return the least gross amount that leaves a net amount once its VAT is taken out.

    >>> gross_of(6_000_000, VatCode(code="S21", category="S", rate=Decimal(21)), 2)
    7260000
    """
    unit: int = 10 ** (money.PLACES - places)
    gross = net_micro + added(net_micro, code, places) - unit
    while gross - inside(gross, code, places) < net_micro:
        gross += unit
    return gross


def inside(gross_micro: int, code: VatCode, places: int = money.PLACES) -> int:
    """Return the VAT in a gross amount, rounded once to a number of decimals.

    >>> inside(12_100_000, VatCode(code="S21", category="S", rate=Decimal(21)), 2)
    2100000
    """
    unit: int = 10 ** (money.PLACES - places)
    return money.divide(gross_micro * code.hundredths, (10_000 + code.hundredths) * unit) * unit


def vat_title(code: VatCode) -> str:
    """Return the title of a code's VAT on a statement: ``VAT 21 % (S21)``."""
    return f"VAT {code.rate.normalize():f} % ({code.code})"
