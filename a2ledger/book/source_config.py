"""Configured sources of call records, and the rules that say which rows are calls."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from a2ledger.book import presets
from a2ledger.book.toml_table import ConfigError, Table
from a2ledger.errors import USAGE
from a2ledger.local_forms import NO_LOCALE, Locale

TABLES = ("customers", "refills", "payments", "charges", "openings", "prices", "fees", "bank")
"""Lists that `import` reads besides sources. No source may have one of these names."""
IDENTIFIERS = (
    *("accountcode", "peeraccount", "channel", "dstchannel", "src", "did", "dst", "userfield"),
)
IDENTIFY = ("accountcode", "channel", "peeraccount")
"""Fields that bear a customer's identifier by default, in order."""
DIRECTIONS = ("", "outgoing", "incoming", "internal")
ENCODINGS = ("utf-8", "latin-1")


class UnknownSourceError(ConfigError):
    """The named source is neither configured nor a dialect."""

    exit_code = USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule for rows that are calls: whose, and of what service. The first match decides.

    An empty condition matches any row. ``channels`` (the caller's or the one that was dialled)
    and ``called`` are patterns with ``*`` and ``?``; ``without`` are fields that must be empty;
    ``to`` is empty, ``customer`` for calls to what a customer holds, or ``did`` for calls to a
    number they hold. ``direction`` is empty, ``outgoing``, ``incoming`` or ``internal``.
    ``identify`` names the fields that may bear a customer's identifier, in order; an item
    ``FIELD~PATTERN`` takes the first group of a regular expression found in a field.
    """

    contexts: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    to: str = ""
    direction: str = ""
    identify: tuple[str, ...] = IDENTIFY
    service: str = "Calls"
    tariff: str = ""
    free: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A configured source: its format (dialect), and the switch that wrote it.

    ``international`` are the prefixes that introduce a country code; a number that begins with
    ``national`` (when set) gets ``country`` in its place. ``columns`` names the columns of files
    that have a layout of their own, in order; ``mapping`` is, where they have names of their own,
    what a column is and its name. ``encoding`` is that of text, ``time_format`` that of times, for
    dialects that leave it open: ``epoch``, ``epoch-ms`` or a format of ``strptime``. ``url`` is
    the database that is read where no path is named, ``table`` the table of call records in it.
    ``opening`` is the first day that is taken over from a system that has kept accounts before.
    ``accounts`` are, where that is known, all identifiers there are: a row of another is of an
    account that was deleted. ``trunks`` are patterns of channels that lead to carriers, such as
    ``PJSIP/carrier``: calls are then legs of trunks. ``technical_prefixes`` are what the switch
    puts before a number for its carrier. ``identify`` holds for rules that name none, ``answered``
    are more words for calls that were. ``skip`` are patterns of files that are passed over.
    ``before_dialling`` are seconds taken off a leg that was dialled by a call which had been
    answered before, by a menu: its row counts from that answer. If None, three seconds are
    taken off where rows show that a menu dialled.
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
    like: str = ""
    id_prefix: str = ""
    rules: tuple[Rule, ...] = ()
    url: str = ""
    table: str = "cdr"
    opening: dt.date | None = None
    accounts: frozenset[str] | None = None
    configured: bool = True
    trunks: tuple[str, ...] = ()
    technical_prefixes: tuple[str, ...] = ()
    identify: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    before_dialling: int | None = None
    locale: Locale = NO_LOCALE
    """The local forms of amounts and days of the book's people."""


def parsed(table: Table, services: Mapping[str, str], zone: str) -> Iterator[Source]:
    """Parse ``[sources]``.

    Args:
        table: the parsed table.
        services: what rules may sell.
        zone: the book's.

    Raises:
        ConfigError: naming the key and what is wrong with it.
    """
    for name, row in table.tables():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise table.error(name, "a source's name is letters, digits, - _ and .")
        if name in TABLES:
            raise table.error(name, f"{name!r} is what `import {name}` reads; choose another name")
        row = Table(row.path, presets.applied(row.values, row.path))  # noqa: PLW2901
        like = row.take("like", str, "")
        # Columns with names are those of the dialect that reads any CSV.
        dialect = row.take("dialect", str, _MAPPED if _is_table(row, "columns") else name)
        yield Source(
            name=name,
            dialect=dialect,
            switch=row.take("switch", str, name),
            timezone=row.zone("timezone", zone),
            short_codes=row.texts("short_codes"),
            international=row.texts("international", ("+", "00")),
            national=row.take("national", str, ""),
            country=row.take("country", str, ""),
            columns=() if _is_table(row, "columns") else row.texts("columns"),
            mapping=_mapping(row.table("columns")) if _is_table(row, "columns") else (),
            time_format=_time_format(row),
            encoding=row.choice("encoding", ENCODINGS, ENCODINGS[0]),
            rules=tuple(_rules(row, services)),
            like=like,
            id_prefix=row.take("id_prefix", str, ""),
            url=_url(row),
            table=row.take("table", str, "cdr"),
            opening=row.take("opening", dt.date, dt.date.min) if "opening" in row.values else None,
            trunks=_trunks(row),
            technical_prefixes=row.texts("technical_prefixes"),
            identify=_identify(row, ()),
            answered=row.texts("answered"),
            skip=row.texts("skip"),
            before_dialling=_seconds(row, "before_dialling"),
        )
        row.known.append("opening")
        row.finish()


_MAPPED = "calls"


def _is_table(table: Table, name: str) -> bool:
    return isinstance(table.values.get(name), dict)


def _mapping(table: Table) -> tuple[tuple[str, str], ...]:
    """Parse the names of columns in a provider's files: one name for each, or a list."""
    pairs = []
    for name, value in table.values.items():
        names = table.texts(name) if isinstance(value, list) else (table.take(name, str),)
        pairs += [(name, theirs) for theirs in names]
    return tuple(pairs)


def _seconds(source: Table, key: str) -> int | None:
    if key not in source.values:
        return None
    seconds = source.take(key, int, 0)
    if not 0 <= seconds <= _LONGEST_MENU:
        raise source.error(key, f"must be from 0 to {_LONGEST_MENU} seconds")
    return seconds


_LONGEST_MENU = 600


def _time_format(source: Table) -> str:
    form = source.take("time_format", str, "")
    if form in {"", "epoch", "epoch-ms", "epoch-us", "gregorian", "day first", "month first"}:
        return form
    written, form = form, re.sub(r"(?:[.,]%f)?(?: ?%[zZ])?$", "", form)  # read apart from it
    sample = dt.datetime(2026, 1, 31, 13, 59, 58, tzinfo=dt.UTC)
    directives = set(re.findall("%(.?)", form))
    if not (directives <= set("dmYyHIMSpbBaATF%") and directives & set("YyF")):
        directives = set()
    try:
        dt.datetime.strptime(sample.strftime(form), form)  # noqa: DTZ007 - only whether it can be
    except ValueError:
        directives = set()
    if not directives:
        raise source.error(
            "time_format",
            f'{written!r} is not "day first", "month first", "epoch", "epoch-ms", "epoch-us", '
            'or such as "%d/%m/%Y %H:%M:%S"',
        )
    return written


def _url(source: Table) -> str:
    """Parse the address of a database, refusing passwords: this file is in git."""
    url = source.take("url", str, "")
    if url and not re.match(r"[a-z]+://", url):
        raise source.error("url", "is no address such as mysql://user@host/asteriskcdrdb")
    if re.match(r"[a-z]+://[^/@]*:[^/@]*@", url) or re.search(
        r"[?&][^=]*(pass|secret)", url, re.IGNORECASE
    ):
        raise source.error("url", "must hold no password; put it into A2LEDGER_DB_PASSWORD")
    return url


def _rules(source: Table, services: Mapping[str, str]) -> Iterator[Rule]:
    usual = source.texts("identify") or Rule().identify
    for table in source.listed("rules"):
        identify = _identify(table, usual)
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
            direction=table.choice("direction", DIRECTIONS, ""),
            identify=identify,
            service=service,
            tariff=table.take("tariff", str, ""),
            free=table.take("free", bool, False),
        )
        table.finish()


def _trunks(source: Table) -> tuple[str, ...]:
    """Parse patterns of trunks, refusing one that fits every channel."""
    patterns = source.texts("trunks")
    for pattern in patterns:
        if not pattern.strip("*?"):
            raise source.error("trunks", f"{pattern!r} fits every channel; name the carrier's")
    return patterns


def _identify(table: Table, usual: tuple[str, ...]) -> tuple[str, ...]:
    """Parse the fields that may bear a customer's identifier, in order."""
    identify = table.texts("identify", usual)
    for item in identify:
        field_name, _, pattern = item.partition("~")
        if field_name not in IDENTIFIERS:
            raise table.error("identify", f"{item!r} is none of {', '.join(IDENTIFIERS)}")
        _compile(table, pattern)
    return identify


def _compile(table: Table, pattern: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise table.error("identify", f"{pattern!r}: {error}") from None
    if pattern and not groups:
        raise table.error("identify", f"{pattern!r} needs a group: the identifier in ( )")
