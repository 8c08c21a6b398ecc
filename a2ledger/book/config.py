"""The values of a book's configuration, ``a2ledger.toml``; ``config_parse`` reads them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from a2ledger import accounts, vat
from a2ledger.book.authorize import Authorize
from a2ledger.book.bills import Bills, Delivery, Dunning, Mail
from a2ledger.book.source_config import TABLES, Source, UnknownSourceError
from a2ledger.book.toml_table import ConfigError
from a2ledger.local_forms import NO_LOCALE, Locale
from a2ledger.vat import VatCode

FORMAT = 1
INVOICES = "INV-{year}-{number:06d}"
CREDIT_NOTES = "CN-{year}-{number:06d}"
"""A public key in the form ``ssh-keygen`` writes to a ``.pub`` file."""


class SeveralRatesError(ConfigError):
    """A refill cannot be taxed: what it may buy has more than one rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The company that sends the bills."""

    name: str
    address: str = ""
    street: str = ""
    street2: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    registration: str = ""
    peppol: str = ""
    contact: str = ""
    vat_id: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    language: str = ""
    iban: str = ""
    bic: str = ""
    creditor_id: str = ""
    """SEPA creditor identifier, by which direct debits are collected."""


class Tolerance(NamedTuple):
    """Allowed differences between a carrier's records and ours."""

    start_seconds: int = 60
    """Difference between the starts of a call."""
    seconds: int = 1
    """Difference between its lengths."""
    amount_micro: int = 100
    """Difference between its prices."""


class DeckFacts(NamedTuple):
    """Settings of a rate deck as a whole."""

    currency: str
    valid_from: dt.date
    """The first day on which the deck prices calls."""
    columns: Mapping[str, str] = MappingProxyType({})
    """Headers in the carrier's sheets, by field."""
    dates: str = ""
    """What dates in these sheets begin with: ``day``, ``month``, or empty if the sheet shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """Limits beyond which a bill is so unusual that a close waits for a person to confirm it."""

    multiple: int | None = None
    """Multiple of the customer's usual calls or net, or None for no limit."""
    minimum_micro: int = 0
    """Net up to which no bill is too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seals:
    """The keys that sign closes: the file of a private key, and the accepted public keys."""

    key: str = ""
    signers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoicing:
    """Settings of e-invoices.

    ``formats`` are issued with each document of a customer who has an electronic address.
    ``profile`` is the specification they follow, ``rules`` a directory of official rule sets that
    they are checked by, ``calls`` how much of the calls comes along.
    """

    formats: tuple[str, ...] = ("ubl",)
    profile: str = "auto"
    rules: str = ""
    calls: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serve:
    """Settings of `serve`: its address, and whom it lets in.

    ``names`` are the host names it is reached by, besides this machine's own. ``passwords`` is a
    file of people and hashes. ``user_header`` is the header in which a proxy says who has logged
    in; it is believed of ``proxies`` alone.
    """

    host: str = "127.0.0.1"
    port: int = 5000
    names: tuple[str, ...] = ()
    passwords: str = ""
    user_header: str = ""
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The contents of ``a2ledger.toml``."""

    company: Company
    currency: str
    timezone: str
    treatment: str
    terms_days: int
    codes: Mapping[str, VatCode]
    services: Mapping[str, str]
    """VAT code of each service, unless a rule says otherwise."""
    methods: Mapping[str, str]
    """Account of each method of payment or refill."""
    vat_rules: tuple[vat.Rule, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    invoice_series: str = INVOICES
    credit_note_series: str = CREDIT_NOTES
    invoice_start: int = 1
    """First number of the series, where another system issued the earlier ones."""
    credit_note_start: int = 1
    main_months: int = 3
    cash_rounding: Mapping[str, int] = field(default_factory=dict)
    """The smallest coin by currency, in micro-units, where what bills ask is a multiple of it."""
    tax_point: str = "period-end"
    """When VAT falls due: one of :data:`a2ledger.vat.TAX_POINTS`."""
    month_ends: int = 12_000
    """Most balances of customers at months' ends that ``main`` keeps: customers times months."""
    shard_above: int = 1_000
    """Customers above which the general ledger is spread over many files."""
    close_delay: dt.timedelta = dt.timedelta(hours=24)
    guards: Guards = Guards()
    seals: Seals = Seals()
    einvoice: EInvoicing = EInvoicing()
    bill: Bills = field(default_factory=Bills)
    delivery: Delivery = field(default_factory=Delivery)
    mail: Mail = field(default_factory=Mail)
    dunning: Dunning = field(default_factory=Dunning)
    serve: Serve = Serve()
    authorize: Authorize = field(default_factory=Authorize)
    decks: Mapping[str, DeckFacts] = field(default_factory=dict)
    """Rate decks with settings."""
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    """Tolerances by carrier, where they are not the defaults."""
    locale: Locale = NO_LOCALE
    """The local forms of amounts, days and text."""
    notice_days: int = 0
    """Days of notice that customers get before prices rise."""
    company_changes: tuple[tuple[dt.date, Company], ...] = ()
    """The company from later days on, oldest first."""

    def company_on(self, day: dt.date) -> Company:
        """Return the company as it is on a day."""
        held = [company for since, company in self.company_changes if since <= day]
        return held[-1] if held else self.company

    def deck(self, name: str) -> DeckFacts:
        """Return the settings of a rate deck as a whole."""
        return self.decks.get(name) or DeckFacts(self.currency, dt.date.min)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """Return the book's time zone."""
        return zoneinfo.ZoneInfo(self.timezone)

    def source(self, name: str, dialects: Callable[[], list[str]]) -> Source:
        """Return a configured source, or a dialect's name as a source with defaults.

        Raises:
            UnknownSourceError: if there is neither.
        """
        if name in self.sources:
            return self.sources[name]
        if name in (known := dialects()):
            return Source(
                name=name,
                dialect=name,
                switch=name.removesuffix("-db"),  # its table holds the calls that its files do
                timezone=self.timezone,
                configured=False,
                locale=self.locale,
            )
        names = ", ".join([*self.sources, *known, *TABLES[:-1]])
        raise UnknownSourceError(
            f"{name}: no such source", undone="nothing was imported", todo=f"there is {names}"
        )

    def unknown_service(self, service: str) -> str:
        """Return what is wrong with a service that is not there, and what to do."""
        names = ", ".join(self.services)
        return f"{service!r} is not under [services]; use {names}, or add [services.{service}]"

    def code_of(self, service: str, who: vat.Party, day: dt.date) -> VatCode:
        """Return the VAT code a service is posted under.

        Args:
            service: what is sold.
            who: to whom.
            day: of the supply.

        Raises:
            ConfigError: if the service is none; rules are checked, defaults of sources not.
        """
        if service not in self.services:
            raise ConfigError(
                f"services.{service}: is missing", todo="a source sells its calls as it"
            )
        default, home = self.services[service], self.company.country
        return self.codes[vat.code_of(self.vat_rules, service, default, who, day, home)]

    def refill_code(self, who: vat.Party, day: dt.date) -> VatCode:
        """Return the VAT code of whatever a customer may buy with a refill.

        Raises:
            SeveralRatesError: if there is more than one category or rate.
        """
        plain = who._replace(treatment="on-invoice")
        codes = [self.code_of(service, plain, day) for service in self.services]
        if len({(code.category, code.rate) for code in codes}) > 1:
            names = ", ".join(dict.fromkeys(code.code for code in codes))
            raise SeveralRatesError(
                (
                    "on-refill needs one VAT rate for all services a refill may buy, and there "
                    f"are several ({names})"
                ),
                todo="use on-invoice or included",
            )
        return codes[0]

    def pending(self, micro: int, code: str, who: vat.Party) -> int:
        """Return the VAT inside a price that contains it, owed only when it is billed."""
        return vat.inside(micro, self.codes[code]) if who.treatment == "included" else 0

    def party(self, customer: vat.Facts, day: dt.date, since: dt.date) -> vat.Party:
        """Return what decides a customer's VAT on a supply of a day.

        Args:
            customer: who.
            day: of the supply.
            since: start of the open period, in which older supplies are posted.
        """
        return vat.party(customer, day, max(day, since), self.treatment)


METHODS = {
    "bank": accounts.BANK,
    "cash": accounts.CASH,
    "voucher": accounts.VOUCHERS,
    "bonus": accounts.GOODWILL,
}
