"""Parse ``a2ledger.toml`` into a :class:`~a2ledger.book.config.Config`; messages name the key."""

from __future__ import annotations

import codecs
import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from a2ledger import accounts, facts, money, vat
from a2ledger.book import authorize, bills, source_config
from a2ledger.book.config import (
    CREDIT_NOTES,
    FORMAT,
    INVOICES,
    METHODS,
    Company,
    Config,
    DeckFacts,
    EInvoicing,
    Guards,
    Seals,
    Serve,
    Tolerance,
)
from a2ledger.book.toml_table import ConfigError, Table
from a2ledger.local_forms import Locale
from a2ledger.vat import TREATMENTS, VatCode

_LONGEST_TERMS = 3650
_PUBLIC_KEY = re.compile(r"[a-z][a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}( .*)?")


def parse(text: str) -> Config:
    """Parse the text of ``a2ledger.toml``.

    Raises:
        ConfigError: naming the key and what is wrong with it.
    """
    try:
        top = Table("", tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, deep nesting
        raise ConfigError(f"not valid TOML: {error}") from None
    version = top.take("format", int, FORMAT)
    if version != FORMAT:
        raise ConfigError(f"format: is {version}", todo=f"this a2ledger reads format {FORMAT}")
    currency = _currency(top)
    zone = top.zone("timezone")
    taxes = top.table("vat")
    treatment = taxes.choice("treatment", TREATMENTS, "on-invoice")
    tax_point = taxes.choice("tax_point", vat.TAX_POINTS, "period-end")
    codes = vat.BUILT_IN | {code.code: code for code in _codes(taxes.table("codes"))}
    services = dict(_services(top.table("services"), codes))
    if not services:
        raise ConfigError(
            "services: is missing", todo='say at least [services.Calls] and its vat = "CODE"'
        )
    company, company_changes = _company(top.table("company"))
    rules = tuple(_vat_rules(taxes, codes, services, company.country))
    taxes.finish()
    numbers = top.table("numbers")
    locale = _locale(top.table("locale"))
    tariffs = top.table("tariffs")
    series = top.table("series")
    config = Config(
        company=company,
        company_changes=company_changes,
        currency=currency,
        timezone=zone,
        treatment=treatment,
        terms_days=top.take("terms_days", int, 14),
        codes=codes,
        services=services,
        vat_rules=rules,
        methods=METHODS | dict(_methods(top.table("methods"))),
        sources={
            source.name: replace(source, locale=locale)
            for source in source_config.parsed(top.table("sources"), services, zone)
        },
        invoice_series=_series(numbers, "invoice", INVOICES),
        credit_note_series=_series(numbers, "credit_note", CREDIT_NOTES),
        invoice_start=_start(numbers, "next", _start(series, "start", 1)),
        credit_note_start=_start(
            numbers, "credit_note_next", _start(series, "credit_note_start", 1)
        ),
        cash_rounding=_cash_rounding(top.table("cash_rounding")),
        main_months=top.take("main_months", int, 3),
        tax_point=tax_point,
        month_ends=top.take("month_ends", int, 12_000),
        shard_above=top.take("shard_above", int, 1_000),
        close_delay=_delay(top),
        guards=_guards(top.table("guards")),
        seals=_seals(top.table("seals")),
        einvoice=_einvoicing(top.table("einvoice")),
        bill=bills.parsed(top.table("bill")),
        delivery=bills.delivery(top.table("delivery")),
        mail=bills.mail(top.table("mail")),
        dunning=bills.dunning(top.table("dunning"), tuple(services)),
        serve=_serve(top.table("serve")),
        authorize=authorize.parsed(top.table("authorize")),
        tolerances=dict(_tolerances(top.table("carriers"))),
        locale=locale,
        notice_days=_notice_days(tariffs),
        decks=dict(_decks(tariffs, currency)),
    )
    if config.main_months < 1:
        raise ConfigError("main_months: must be at least 1")
    if config.month_ends < 0:
        raise ConfigError("month_ends: must be at least 0")
    if config.shard_above < 0:
        raise ConfigError("shard_above: must be at least 0")
    if not 0 <= config.terms_days <= _LONGEST_TERMS:
        raise ConfigError(f"terms_days: must be from 0 to {_LONGEST_TERMS}")
    if _bare(config.invoice_series) == _bare(config.credit_note_series):
        raise numbers.error("credit_note", "is the series of invoices: one number, two documents")
    numbers.finish()
    series.finish()
    top.finish()
    return config


def _currency(table: Table) -> str:
    currency = table.take("currency", str)
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise table.error("currency", f"{currency!r} is not an ISO 4217 code such as EUR")
    return currency


def _cash_rounding(table: Table) -> dict[str, int]:
    found = {}
    for currency in table.values:
        try:
            coin = money.parse(table.take(currency, str))
        except ValueError as error:
            raise table.error(currency, str(error)) from None
        if coin <= 0 or money.is_finer(coin, currency):
            raise table.error(currency, "is no amount of the currency such as 0.05")
        found[currency] = coin
    table.finish()
    return found


def _guards(table: Table) -> Guards:
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


def _seals(table: Table) -> Seals:
    seals = Seals(key=table.take("key", str, ""), signers=table.texts("signers"))
    for signer in seals.signers:
        if not _PUBLIC_KEY.fullmatch(signer):
            raise table.error("signers", f"{signer!r} is no public key: ssh-ed25519 AAAA… NAME")
    table.finish()
    return seals


def _einvoicing(table: Table) -> EInvoicing:
    default = EInvoicing()
    made = EInvoicing(
        formats=table.texts("formats", default.formats),
        profile=table.choice("profile", ("auto", "core", "peppol", "xrechnung"), default.profile),
        rules=table.take("rules", str, ""),
        calls=table.choice("calls", ("none", "masked", "full"), default.calls),
    )
    for name in made.formats:
        if name not in {"ubl", "cii"}:
            raise table.error("formats", f"{name!r} is none of ubl, cii")
    table.finish()
    return made


def _serve(table: Table) -> Serve:
    default = Serve()
    serve = Serve(
        host=table.take("host", str, default.host),
        port=table.take("port", int, default.port),
        names=table.texts("names"),
        passwords=table.take("passwords", str, ""),
        user_header=table.take("user_header", str, ""),
        proxies=table.texts("proxies", default.proxies),
    )
    if not 0 <= serve.port < 2**16:
        raise table.error("port", f"{serve.port} is no port")
    if not re.fullmatch(r"([A-Za-z][A-Za-z0-9-]*)?", serve.user_header):
        raise table.error("user_header", f"{serve.user_header!r} is not the name of a header")
    table.finish()
    return serve


def _decks(table: Table, currency: str) -> Iterator[tuple[str, DeckFacts]]:
    for name, row in table.tables():
        own = _currency(row) if "currency" in row.values else currency
        columns = row.table("columns")
        yield (
            name,
            DeckFacts(
                own,
                row.take("valid_from", dt.date, dt.date.min),
                {field: columns.take(field, str) for field in columns.values},
                row.choice("dates", ("", "day", "month"), ""),
            ),
        )
        row.known.append("currency")
        row.finish()


def _tolerances(table: Table) -> Iterator[tuple[str, Tolerance]]:
    usual = Tolerance()
    for name, row in table.tables():
        start = row.take("start_seconds", int, usual.start_seconds)
        seconds = row.take("seconds", int, usual.seconds)
        amount = row.take("amount", str, "0.0001")
        if min(start, seconds) < 0:
            raise row.error("seconds", "must not be below 0")
        try:
            micro = money.parse(amount)
        except ValueError as error:
            raise row.error("amount", str(error)) from None
        row.finish()
        yield name, Tolerance(start, seconds, micro)


def _locale(table: Table) -> Locale:
    name = table.take("name", str, "")
    usual = _of_language(table, name) if name else Locale()
    decimal = table.choice("decimal", ("", ",", "."), usual.decimal)
    dates = table.choice("dates", ("", "day", "month"), usual.dates)
    encoding = table.take("encoding", str, "")
    try:
        encoding = encoding and codecs.lookup(encoding).name
    except LookupError:
        raise table.error("encoding", f"{encoding!r} is no encoding such as latin-1") from None
    table.finish()
    return Locale(decimal, dates, encoding)


def _of_language(table: Table, name: str) -> Locale:
    """Return the local forms of a language in a country, from the Unicode CLDR."""
    import babel  # noqa: PLC0415 - a tenth of a second that few books need

    try:
        locale = babel.Locale.parse(name.replace("-", "_"))
    except (ValueError, babel.UnknownLocaleError):
        raise table.error("name", f"{name!r} is no language such as nl_BE or en_US") from None
    mark = locale.number_symbols["latn"]["decimal"]
    pattern = str(locale.date_formats["short"].pattern)
    order = "month" if pattern.lower().startswith("m") else "day" if pattern[0] == "d" else ""
    return Locale(mark if mark in {",", "."} else "", order)


def _notice_days(table: Table) -> int:
    days = table.take("notice_days", int, 0)
    if not 0 <= days <= _LONGEST_TERMS:
        raise table.error("notice_days", f"must be from 0 to {_LONGEST_TERMS}")
    table.values.pop("notice_days", None)
    return days


_LASTING = ("country", "vat_id", "language")
"""Facts of the company that no day changes: VAT codes and sentences follow from them."""


def _company(table: Table) -> tuple[Company, tuple[tuple[dt.date, Company], ...]]:
    """Parse the company, and what it is from later days on."""
    names = [name for name in Company.__slots__ if name != "name"]
    company = Company(name=table.take("name", str), **_company_facts(table, names))
    changes: list[tuple[dt.date, Company]] = []
    for row in table.listed("changes"):
        since = row.take("from", dt.date)
        if changes and since <= changes[-1][0]:
            raise row.error("from", f"{since} is not after the change before it")
        changed = [name for name in ("name", *names) if name in row.values]
        for name in changed:
            if name in _LASTING:
                raise row.error(name, "is the company's for good")
        before = changes[-1][1] if changes else company
        changes.append((since, replace(before, **_company_facts(row, changed))))
        row.finish()
    table.finish()
    return company, tuple(changes)


def _company_facts(table: Table, names: Iterable[str]) -> dict[str, str]:
    texts = {name: table.take(name, str, "") for name in names}
    for name in sorted(texts.keys() & {"language", "peppol", "registration", "creditor_id"}):
        parse = facts.creditor if name == "creditor_id" else partial(facts.parse, name)
        try:
            texts[name] = str(parse(texts[name]))
        except ValueError as error:
            raise table.error(name, str(error).removeprefix(f"{name}: ")) from None
    return texts


def _codes(table: Table) -> Iterator[VatCode]:
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
            raise table.error(code, "is reserved for refills already taxed; choose another name")
        category = row.choice("category", vat.CATEGORIES, "S")
        if code == vat.REVERSED.code and category != vat.REVERSED.category:
            raise row.error("category", f"code {code} is the reverse charge's; its category is AE")
        if category not in vat.RATED and percent:
            raise row.error("rate", f"category {category} has the rate 0")
        yield VatCode(
            code=code,
            category=category,
            rate=percent,
            reason=row.take("reason", str, "") or vat.REASONS.get(category, ""),
        )
        row.finish()


def _services(table: Table, codes: Mapping[str, VatCode]) -> Iterator[tuple[str, str]]:
    for service, row in table.tables():
        code = row.take("vat", str)
        if code not in codes or code == vat.PAID.code:
            raise row.error("vat", f"{code!r} is none of {_names(codes)}")
        row.finish()
        yield service, code


def _names(codes: Mapping[str, VatCode]) -> str:
    """Return the codes a service may have, without the program's own code for taxed refills."""
    return ", ".join(code for code in codes if code != vat.PAID.code)


def _vat_rules(
    taxes: Table, codes: Mapping[str, VatCode], services: Mapping[str, str], home: str
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


def _countries(table: Table, home: str) -> Iterator[str]:
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


def _methods(table: Table) -> Iterator[tuple[str, str]]:
    for method in table.values:
        account = table.take(method, str)
        if not re.fullmatch(
            r"(Assets|Liabilities|Expenses|Equity|Income)(:[A-Z0-9][\w-]*)+", account, re.ASCII
        ) or account.startswith(accounts.OWN):
            raise table.error(method, f"{account!r} is not an account money can come from")
        yield method.lower(), account


def _series(table: Table, name: str, default: str) -> str:
    series = table.take(name, str, default)
    plain = re.sub(r"\{number(:0?[1-9]d)?\}", "0", series.replace("{year}", "2026"))
    if plain == series.replace("{year}", "2026") or not re.fullmatch(r"[A-Za-z0-9_-]+", plain):
        raise table.error(name, f"{series!r} is not letters, digits, - and _ with {{number}}")
    return series


def _start(table: Table, name: str, default: int) -> int:
    start = table.take(name, int, default)
    if start < 1:
        raise table.error(name, f"{start} is no number of a document; the first is 1")
    return start


def _bare(series: str) -> str:
    return re.sub(r"\{number[^}]*\}", "{number}", series)


def _delay(table: Table) -> dt.timedelta:
    table.known.append("close_delay")
    value = table.values.get("close_delay", "24h")
    match = re.fullmatch(r"([0-9]{1,4}) *([hd]?)", str(value))
    if match is None:
        raise table.error("close_delay", f'{value!r} is not a time such as "24h" or "2d"')
    return dt.timedelta(hours=int(match[1]) * (24 if match[2] == "d" else 1))
