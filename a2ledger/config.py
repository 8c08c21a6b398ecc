"""``a2ledger.toml``: what a book's owner decides, validated with messages that name the key.

This module holds values and turns parsed TOML into them; ``book.py`` reads the file.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from a2ledger import accounts, money, vat
from a2ledger.vat import TREATMENTS, VatCode

FORMAT = 1
INVOICES = "INV-{year}-{number:06d}"
CREDIT_NOTES = "CN-{year}-{number:06d}"
_LONGEST_TERMS = 3650
TABLES = ("customers", "refills", "payments", "charges", "openings", "prices", "bank")
"""What `import` reads besides sources; no source may bear such a name."""
IDENTIFIERS = ("accountcode", "peeraccount", "channel", "src", "did", "dst", "userfield")
ENCODINGS = ("utf-8", "latin-1")

T = TypeVar("T")


class ConfigError(Exception):
    """``a2ledger.toml`` says something that cannot be. The message begins with the key."""


class SeveralRatesError(ConfigError):
    """A refill cannot be taxed: what it may buy bears more than one rate."""


class UnknownSourceError(ConfigError):
    """A source was named that is neither configured nor a dialect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which rows of a source are calls, whose, and what service; the first match decides.

    An empty condition matches any row. ``channels`` (the caller's or the one that was dialled)
    and ``called`` are patterns with ``*`` and ``?``; ``without`` are fields that must be empty;
    ``to`` is empty, ``customer`` for calls to what a customer holds, or ``did`` for calls to a
    number he holds. ``identify`` names the fields that may bear a customer's identifier,
    in order; an item ``FIELD~PATTERN`` takes the first group of a regular expression found in a
    field.
    """

    contexts: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    to: str = ""
    identify: tuple[str, ...] = ("accountcode", "peeraccount")
    service: str = "Calls"
    tariff: str = ""
    free: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A configured feed: how it is written (dialect) and who wrote it (switch).

    ``international`` are the prefixes that introduce a country code; a number that begins with
    ``national`` (when set) gets ``country`` in its place. ``columns`` names the columns of files
    that have a layout of their own, in order; ``mapping`` is, where they have names of their own,
    what a column is and its name. ``encoding`` is that of text, ``time_format`` that of times, for
    dialects that leave it open: ``epoch``, ``epoch-ms`` or a format of ``strptime``. ``url`` is
    the database that is read where no path is named, ``table`` the table of call records in it.
    """

    name: str
    dialect: str
    switch: str
    timezone: str
    short_codes: tuple[str, ...] = ()
    international: tuple[str, ...] = ("+", "00")
    national: str = ""
    country: str = ""
    columns: tuple[str, ...] = ()
    mapping: tuple[tuple[str, str], ...] = ()
    time_format: str = ""
    encoding: str = "utf-8"
    rules: tuple[Rule, ...] = ()
    url: str = ""
    table: str = "cdr"
    configured: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Who sends the bills."""

    name: str
    address: str = ""
    country: str = ""
    vat_id: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    iban: str = ""
    bic: str = ""


class DeckFacts(NamedTuple):
    """What holds for a rate deck as a whole."""

    currency: str
    valid_from: dt.date
    """The first day on which it prices calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """When a bill is so unusual that a close waits for a person to name the customer."""

    multiple: int | None = None
    """Of the customer's usual calls or net; None: never."""
    minimum_micro: int = 0
    """Net below which no bill is too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole of ``a2ledger.toml``."""

    company: Company
    currency: str
    timezone: str
    treatment: str
    terms_days: int
    codes: Mapping[str, VatCode]
    services: Mapping[str, str]
    """VAT code of each service where no rule says another."""
    methods: Mapping[str, str]
    """Account of each payment or refill method."""
    vat_rules: tuple[vat.Rule, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    invoice_series: str = INVOICES
    credit_note_series: str = CREDIT_NOTES
    main_months: int = 3
    close_delay: dt.timedelta = dt.timedelta(hours=24)
    guards: Guards = Guards()
    decks: Mapping[str, DeckFacts] = field(default_factory=dict)
    """Rate decks that are not in the book's currency, or not valid from ever on."""

    def deck(self, name: str) -> DeckFacts:
        """What holds for a rate deck as a whole."""
        return self.decks.get(name) or DeckFacts(self.currency, dt.date.min)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The book's time zone."""
        return zoneinfo.ZoneInfo(self.timezone)

    def code_of(self, service: str, who: vat.Party, day: dt.date) -> VatCode:
        """The VAT code a service is posted under.

        Args:
            service: what is sold.
            who: to whom.
            day: of the supply.

        Raises:
            ConfigError: if the service is none; rules are checked, defaults of sources not.
        """
        if service not in self.services:
            raise ConfigError(f"services.{service}: is missing; a source sells its calls as it")
        default, home = self.services[service], self.company.country
        return self.codes[vat.code_of(self.vat_rules, service, default, who, day, home)]

    def refill_code(self, who: vat.Party, day: dt.date) -> VatCode:
        """The VAT code of whatever a customer may buy with a refill.

        Raises:
            SeveralRatesError: if there is more than one category or rate.
        """
        plain = who._replace(treatment="on-invoice")
        codes = [self.code_of(service, plain, day) for service in self.services]
        if len({(code.category, code.rate) for code in codes}) > 1:
            names = ", ".join(dict.fromkeys(code.code for code in codes))
            raise SeveralRatesError(
                f"on-refill taxes what a refill may buy, and that bears several rates ({names}); "
                "use on-invoice or included"
            )
        return codes[0]

    def pending(self, micro: int, code: str, who: vat.Party) -> int:
        """VAT inside a price that contains it, to be owed when it is billed."""
        return vat.inside(micro, self.codes[code]) if who.treatment == "included" else 0

    def party(self, customer: vat.Facts, day: dt.date, since: dt.date) -> vat.Party:
        """What decides a customer's VAT on what is supplied to him on a day.

        Args:
            customer: who.
            day: of the supply.
            since: start of his open period, in which what is older is posted.
        """
        return vat.party(customer, day, max(day, since), self.treatment)


METHODS = {
    "bank": accounts.BANK,
    "cash": accounts.CASH,
    "voucher": accounts.VOUCHERS,
    "bonus": accounts.GOODWILL,
}


def parse(text: str) -> Config:
    """Configuration from the text of ``a2ledger.toml``.

    Raises:
        ConfigError: naming the key and what is wrong with it.
    """
    try:
        top = _Table("", tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}") from None
    version = top.take("format", int, FORMAT)
    if version != FORMAT:
        raise ConfigError(f"format: is {version}; this a2ledger reads format {FORMAT}")
    currency = _currency(top)
    zone = _zone(top, "timezone")
    taxes = top.table("vat")
    treatment = taxes.choice("treatment", TREATMENTS, "on-invoice")
    codes = vat.BUILT_IN | {code.code: code for code in _codes(taxes.table("codes"))}
    services = dict(_services(top.table("services"), codes))
    if not services:
        raise ConfigError(
            'services: is missing; say at least [services.Calls] and its vat = "CODE"'
        )
    company = _company(top.table("company"))
    rules = tuple(_vat_rules(taxes, codes, services, company.country))
    taxes.finish()
    numbers = top.table("numbers")
    config = Config(
        company=company,
        currency=currency,
        timezone=zone,
        treatment=treatment,
        terms_days=top.take("terms_days", int, 14),
        codes=codes,
        services=services,
        vat_rules=rules,
        methods=METHODS | dict(_methods(top.table("methods"))),
        sources={source.name: source for source in _sources(top.table("sources"), services)},
        invoice_series=_series(numbers, "invoice", INVOICES),
        credit_note_series=_series(numbers, "credit_note", CREDIT_NOTES),
        main_months=top.take("main_months", int, 3),
        close_delay=_delay(top),
        guards=_guards(top.table("guards")),
        decks=dict(_decks(top.table("tariffs"), currency)),
    )
    if config.main_months < 1:
        raise ConfigError("main_months: must be at least 1")
    if not 0 <= config.terms_days <= _LONGEST_TERMS:
        raise ConfigError(f"terms_days: must be from 0 to {_LONGEST_TERMS}")
    if _bare(config.invoice_series) == _bare(config.credit_note_series):
        raise numbers.error("credit_note", "is the series of invoices: one number, two documents")
    numbers.finish()
    top.finish()
    return config


_KINDS: Mapping[type, str] = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
    dt.date: "a day such as 2026-07-01, without quotes",
}


class _Table:
    """A TOML table that knows its own path and notices what nobody asked for."""

    def __init__(self, path: str, values: Mapping[str, Any]) -> None:
        self.path, self.values = path, dict(values)
        self.known: list[str] = []

    def key(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def error(self, name: str, message: str) -> ConfigError:
        return ConfigError(f"{self.key(name)}: {message}")

    def take(self, name: str, kind: type[T], default: T | None = None) -> T:
        self.known.append(name)
        if name not in self.values:
            if default is None:
                raise self.error(name, "is missing")
            return default
        value = self.values[name]
        odd = (isinstance(value, bool) and kind is not bool) or isinstance(value, dt.datetime)
        if not isinstance(value, kind) or odd:
            raise self.error(name, f"must be {_KINDS[kind]}, not {value!r}")
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = self.take(name, str, default)
        if value not in choices:
            raise self.error(name, f"{value!r} is none of {', '.join(choices)}")
        return value

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        values: list[Any] = self.take(name, list, list(default))
        if not all(isinstance(value, str) for value in values):
            raise self.error(name, "must be a list of texts in quotes")
        return tuple(values)

    def table(self, name: str) -> _Table:
        return _Table(self.key(name), self.take(name, dict, {}))

    def listed(self, name: str) -> Iterator[_Table]:
        """The tables of a list: ``[[…name]]``."""
        for index, values in enumerate(self.take(name, list, [])):
            if not isinstance(values, dict):
                raise self.error(name, f"must be tables: [[…{name}]]")
            yield _Table(f"{self.key(name)}[{index}]", values)

    def tables(self) -> Iterator[tuple[str, _Table]]:
        for name in self.values:
            yield name, self.table(name)

    def finish(self) -> None:
        for name in self.values:
            if name not in self.known:
                near = difflib.get_close_matches(name, self.known, 1)
                hint = f", did you mean {near[0]!r}?" if near else ""
                raise self.error(name, f"unknown key{hint}")


def _currency(table: _Table) -> str:
    currency = table.take("currency", str)
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise table.error("currency", f"{currency!r} is not an ISO 4217 code such as EUR")
    return currency


def _guards(table: _Table) -> Guards:
    multiple = table.take("multiple", int, 0)
    minimum = table.take("minimum", str, "0")
    if multiple < 0:
        raise table.error("multiple", "must be a number such as 5, or 0 for no guard")
    try:
        minimum_micro = money.parse(minimum)
    except ValueError as error:
        raise table.error("minimum", str(error)) from None
    table.finish()
    return Guards(multiple=multiple or None, minimum_micro=minimum_micro)


def _decks(table: _Table, currency: str) -> Iterator[tuple[str, DeckFacts]]:
    for name, row in table.tables():
        own = _currency(row) if "currency" in row.values else currency
        yield name, DeckFacts(own, row.take("valid_from", dt.date, dt.date.min))
        row.known.append("currency")
        row.finish()


def _zone(table: _Table, name: str, default: str | None = None) -> str:
    zone = table.take(name, str, default)
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise table.error(name, f"{zone!r} is not a time zone such as Europe/Athens") from None
    return zone


def _company(table: _Table) -> Company:
    names = [name for name in Company.__slots__ if name != "name"]
    company = Company(
        name=table.take("name", str), **{name: table.take(name, str, "") for name in names}
    )
    table.finish()
    return company


def _codes(table: _Table) -> Iterator[VatCode]:
    for code, row in table.tables():
        rate: Any = row.values.get("rate")
        row.known.append("rate")
        written = rate if isinstance(rate, str) else repr(rate)
        if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,2}0*)?", written, re.ASCII):
            raise row.error(
                "rate", f"{rate!r} is not a percentage such as 21 or 5.5, with at most two decimals"
            )
        percent = Decimal(written)
        if code == vat.OUTSIDE.code and percent:
            raise row.error("rate", f"code {code} is for what bears no VAT; its rate is 0")
        if code == vat.PAID.code:
            raise table.error(code, "is for what was taxed when it was paid for; name yours else")
        category = row.choice("category", vat.CATEGORIES, "S")
        if code == vat.REVERSED.code and category != vat.REVERSED.category:
            raise row.error("category", f"code {code} is the reverse charge's; its category is AE")
        if category != "S" and percent:
            raise row.error("rate", f"category {category} has the rate 0")
        yield VatCode(
            code=code,
            category=category,
            rate=percent,
            reason=row.take("reason", str, "") or vat.REASONS.get(category, ""),
        )
        row.finish()


def _services(table: _Table, codes: Mapping[str, VatCode]) -> Iterator[tuple[str, str]]:
    for service, row in table.tables():
        code = row.take("vat", str)
        if code not in codes or code == vat.PAID.code:
            raise row.error("vat", f"{code!r} is none of {_names(codes)}")
        row.finish()
        yield service, code


def _names(codes: Mapping[str, VatCode]) -> str:
    """Codes a service may have; what was taxed already is the program's own."""
    return ", ".join(code for code in codes if code != vat.PAID.code)


def _vat_rules(
    taxes: _Table, codes: Mapping[str, VatCode], services: Mapping[str, str], home: str
) -> Iterator[vat.Rule]:
    for table in taxes.listed("rules"):
        code = table.take("code", str)
        if code not in codes or code == vat.PAID.code:
            raise table.error("code", f"{code!r} is none of {_names(codes)}")
        sold = table.texts("services")
        for service in sold:
            if service not in services:
                raise table.error("services", f"{service!r} is not under [services]")
        since = table.take("from", dt.date, dt.date.min)
        until = table.take("until", dt.date, dt.date.max)
        if since >= until:
            raise table.error("until", f"{until} is not after {since}; the rule holds on no day")
        business = table.take("business", bool, False) if "business" in table.values else None
        yield vat.Rule(
            code=code,
            services=sold,
            countries=tuple(_countries(table, home)),
            business=business,
            since=since,
            until=until,
        )
        table.known.append("business")
        table.finish()


def _countries(table: _Table, home: str) -> Iterator[str]:
    for country in table.texts("countries"):
        if country in vat.ZONES:
            if not vat.nation(home):
                raise table.error("countries", f"{country!r} needs company.country, two letters")
            yield country
        elif not (code := vat.nation(country)):
            raise table.error(
                "countries", f"{country!r} is neither {', '.join(vat.ZONES)} nor two letters"
            )
        else:
            yield code


def _methods(table: _Table) -> Iterator[tuple[str, str]]:
    for method in table.values:
        account = table.take(method, str)
        if not re.fullmatch(
            r"(Assets|Liabilities|Expenses|Equity|Income)(:[A-Z0-9][\w-]*)+", account, re.ASCII
        ) or account.startswith(accounts.OWN):
            raise table.error(method, f"{account!r} is not an account money can come from")
        yield method.lower(), account


def _series(table: _Table, name: str, default: str) -> str:
    series = table.take(name, str, default)
    plain = re.sub(r"\{number(:0?[1-9]d)?\}", "0", series.replace("{year}", "2026"))
    if plain == series.replace("{year}", "2026") or not re.fullmatch(r"[A-Za-z0-9_-]+", plain):
        raise table.error(name, f"{series!r} is not letters, digits, - and _ with {{number}}")
    return series


def _bare(series: str) -> str:
    return re.sub(r"\{number[^}]*\}", "{number}", series)


def _delay(table: _Table) -> dt.timedelta:
    table.known.append("close_delay")
    value = table.values.get("close_delay", "24h")
    match = re.fullmatch(r"([0-9]{1,4}) *([hd]?)", str(value))
    if match is None:
        raise table.error("close_delay", f'{value!r} is not a time such as "24h" or "2d"')
    return dt.timedelta(hours=int(match[1]) * (24 if match[2] == "d" else 1))


def _sources(table: _Table, services: Mapping[str, str]) -> Iterator[Source]:
    for name, row in table.tables():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise table.error(name, "a source's name is letters, digits, - _ and .")
        if name in TABLES:
            raise table.error(name, f"{name!r} is what `import {name}` reads; choose another name")
        yield Source(
            name=name,
            dialect=row.take("dialect", str, name),
            switch=row.take("switch", str, name),
            timezone=_zone(row, "timezone", "UTC"),
            short_codes=row.texts("short_codes"),
            international=row.texts("international", ("+", "00")),
            national=row.take("national", str, ""),
            country=row.take("country", str, ""),
            columns=() if _is_table(row, "columns") else row.texts("columns"),
            mapping=_mapping(row.table("columns")) if _is_table(row, "columns") else (),
            time_format=_time_format(row),
            encoding=row.choice("encoding", ENCODINGS, ENCODINGS[0]),
            rules=tuple(_rules(row, services)),
            url=_url(row),
            table=row.take("table", str, "cdr"),
        )
        row.finish()


def _is_table(table: _Table, name: str) -> bool:
    return isinstance(table.values.get(name), dict)


def _mapping(table: _Table) -> tuple[tuple[str, str], ...]:
    return tuple((name, table.take(name, str)) for name in table.values)


def _time_format(source: _Table) -> str:
    form = source.take("time_format", str, "")
    if form in {"", "epoch", "epoch-ms"}:
        return form
    some = dt.datetime(2026, 1, 31, 13, 59, 58, tzinfo=dt.UTC)
    directives = set(re.findall("%(.?)", form))
    if not (directives <= set("dmYyHIMSpbBTF%") and directives & set("YyF")):
        directives = set()
    try:
        dt.datetime.strptime(some.strftime(form), form)  # noqa: DTZ007 - only whether it can be
    except ValueError:
        directives = set()
    if not directives:
        raise source.error(
            "time_format", f'{form!r} is not "epoch", "epoch-ms" or such as "%d/%m/%Y %H:%M:%S"'
        )
    return form


def _url(source: _Table) -> str:
    """The address of a database; this file is in git, which forgets nothing."""
    url = source.take("url", str, "")
    if url and not re.match(r"[a-z]+://", url):
        raise source.error("url", "is no address such as mysql://user@host/asteriskcdrdb")
    if re.match(r"[a-z]+://[^/@]*:[^/@]*@", url) or re.search(
        r"[?&][^=]*(pass|secret)", url, re.IGNORECASE
    ):
        raise source.error("url", "must hold no password; put it into A2LEDGER_DB_PASSWORD")
    return url


def _rules(source: _Table, services: Mapping[str, str]) -> Iterator[Rule]:
    for table in source.listed("rules"):
        identify = table.texts("identify", Rule().identify)
        for item in identify:
            field_name, _, pattern = item.partition("~")
            if field_name not in IDENTIFIERS:
                raise table.error("identify", f"{item!r} is none of {', '.join(IDENTIFIERS)}")
            _compile(table, pattern)
        without = table.texts("without")
        for name in without:
            if name not in IDENTIFIERS:
                raise table.error("without", f"{name!r} is none of {', '.join(IDENTIFIERS)}")
        service = table.take("service", str, "Calls")
        if service not in services:
            raise table.error("service", f"{service!r} is not under [services]")
        yield Rule(
            contexts=table.texts("contexts"),
            applications=table.texts("applications"),
            channels=table.texts("channels"),
            called=table.texts("called"),
            without=without,
            to=table.choice("to", ("", "customer", "did"), ""),
            identify=identify,
            service=service,
            tariff=table.take("tariff", str, ""),
            free=table.take("free", bool, False),
        )
        table.finish()


def _compile(table: _Table, pattern: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise table.error("identify", f"{pattern!r}: {error}") from None
    if pattern and not groups:
        raise table.error("identify", f"{pattern!r} needs a group: the identifier in ( )")


def source_named(config: Config, name: str, dialects: Callable[[], list[str]]) -> Source:
    """A configured source, or a dialect's own name as a source with its defaults.

    Raises:
        UnknownSourceError: if there is neither.
    """
    if name in config.sources:
        return config.sources[name]
    if name in (known := dialects()):
        timezone = config.timezone if name == "calls" else "UTC"
        switch = name.removesuffix("-db")  # its table holds the calls that its files do
        return Source(name=name, dialect=name, switch=switch, timezone=timezone, configured=False)
    names = ", ".join([*config.sources, *known, *TABLES[:-1]])
    raise UnknownSourceError(f"{name}: no such source; nothing was imported; there is {names}")
