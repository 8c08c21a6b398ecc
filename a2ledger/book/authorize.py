"""``[authorize]`` in ``a2ledger.toml``: where call authorisation listens, and its guards."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from a2ledger import callguards
from a2ledger.book.toml_table import Table
from a2ledger.callguards import CallGuards

AGI = "127.0.0.1:4573"
HTTP = "127.0.0.1:4574"
LONGEST = 24 * 60 * 60
"""Most seconds of an authorised call, whatever the guards say."""

_ADDRESS = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^:\s\[\]]*):[0-9]{1,5}")
_POLICIES = ("refuse", "allow")
_PREFIX = re.compile(r"[0-9]{1,15}", re.ASCII)
_CANNOT_CALL = (
    *("cancelled", "new", "waiting for confirmation", "reserved", "expired"),
    *("suspended for underpayment", "suspended for litigation"),
    "waiting for payment of subscription",
)
"""The states in which A2Billing lets no customer call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Settings for the customers of a group (their fact ``group``)."""

    guards: CallGuards = field(default_factory=CallGuards)
    on_failure: str = ""
    """``refuse`` or ``allow``, empty if as for all customers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize:
    """Settings of call authorisation.

    Addresses are ``HOST:PORT``. ``state`` is a file of SQLite's or a PostgreSQL URL; empty, it
    is a file beside the book. ``peers`` are the addresses that may ask, besides this machine.
    ``source`` names the source whose rules for numbers apply to what is dialled.
    """

    agi: str = AGI
    http: str = HTTP
    state: str = ""
    log: str = ""
    log_megabytes: int = 50
    log_files: int = 10
    peers: tuple[str, ...] = ()
    source: str = ""
    slice_seconds: int = 0
    """Seconds authorised at once where the switch asks for no length, 0 for the longest possible.
    """
    ring_seconds: int = 180
    """Most seconds a call may ring before it is answered."""
    forget_seconds: int = 2 * 60 * 60
    """Seconds a call that nobody hung up holds its money after its longest possible end."""
    cdr_seconds: int = 48 * 60 * 60
    """Seconds an ended call holds its cost while its record is not imported."""
    stale_seconds: int = 60
    """Seconds after which data read from the book is no longer fresh."""
    allow_seconds: int = 600
    """Most seconds of a call that ``on_failure = "allow"`` lets through without fresh data."""
    on_failure: str = "refuse"
    skew_seconds: int = 2
    """Most seconds by which the clocks of switch and machine may differ."""
    always: tuple[str, ...] = ("112", "911")
    """Numbers that anybody may dial at any time: emergency calls."""
    home: tuple[str, ...] = ()
    night: tuple[dt.time, dt.time] | None = None
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: callguards.CLASSES)
    blocked_statuses: tuple[str, ...] = _CANNOT_CALL
    """Values of the fact ``status`` with which a customer may not call."""
    guards: CallGuards = field(default_factory=CallGuards)
    groups: Mapping[str, Group] = field(default_factory=dict)
    alert_to: str = ""
    alert_from: str = ""
    smtp: str = "127.0.0.1:25"
    hangup: tuple[str, ...] = ()
    """Program and arguments that hang up a call. ``{call}`` stands for its id."""

    def group(self, name: str) -> Group:
        """Return the settings for a group of customers."""
        return self.groups.get(name) or Group()


def split_address(text: str) -> tuple[str, int]:
    """Split an address into host and port.

    >>> split_address("127.0.0.1:4573"), split_address("[::1]:0")
    (('127.0.0.1', 4573), ('::1', 0))

    Raises:
        ValueError: if it is not HOST:PORT.
    """
    host, _, port = text.rpartition(":")
    if not _ADDRESS.fullmatch(text) or not 0 <= int(port) < 2**16:
        raise ValueError(f"{text!r} is not HOST:PORT such as {AGI}")
    return host.strip("[]"), int(port)


def parsed(table: Table) -> Authorize:
    """Parse ``[authorize]``.

    Raises:
        ConfigError: naming the key and what is wrong with it.
    """
    default = Authorize()
    classes = dict(callguards.CLASSES) | dict(_classes(table.table("classes")))
    guards = _guards(table.table("guards"), classes)
    authorize = Authorize(
        agi=_address(table, "agi", default.agi),
        http=_address(table, "http", default.http),
        state=table.take("state", str, ""),
        log=table.take("log", str, ""),
        log_megabytes=_above(table, "log_megabytes", default.log_megabytes, 1),
        log_files=_above(table, "log_files", default.log_files, 1),
        peers=table.texts("peers"),
        source=table.take("source", str, ""),
        slice_seconds=_above(table, "slice_seconds", 0, 0),
        ring_seconds=_above(table, "ring_seconds", default.ring_seconds, 1),
        forget_seconds=_above(table, "forget_seconds", default.forget_seconds, 0),
        cdr_seconds=_above(table, "cdr_seconds", default.cdr_seconds, 0),
        stale_seconds=_above(table, "stale_seconds", default.stale_seconds, 1),
        allow_seconds=_above(table, "allow_seconds", default.allow_seconds, 1),
        on_failure=table.choice("on_failure", _POLICIES, default.on_failure),
        skew_seconds=_above(table, "skew_seconds", default.skew_seconds, 0),
        always=table.texts("always", default.always),
        home=_prefixes(table, "home"),
        night=_night(table),
        classes=classes,
        blocked_statuses=table.texts("blocked_statuses", default.blocked_statuses),
        guards=guards,
        groups=dict(_groups(table.table("groups"), classes)),
        alert_to=table.take("alert_to", str, ""),
        alert_from=table.take("alert_from", str, ""),
        smtp=_address(table, "smtp", default.smtp),
        hangup=table.texts("hangup"),
    )
    table.finish()
    return authorize


def _address(table: Table, name: str, default: str) -> str:
    text = table.take(name, str, default)
    try:
        split_address(text)
    except ValueError as error:
        raise table.error(name, str(error)) from None
    return text


def _above(table: Table, name: str, default: int, least: int) -> int:
    number = table.take(name, int, default)
    if number < least:
        raise table.error(name, f"must be at least {least}")
    return number


def _prefixes(table: Table, name: str) -> tuple[str, ...]:
    texts = table.texts(name)
    for text in texts:
        if not _PREFIX.fullmatch(text):
            raise table.error(name, f"{text!r} is not a prefix of digits, country code first")
    return texts


def _classes(table: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in table.values:
        if name == callguards.INTERNATIONAL:
            raise table.error(name, "is every number outside authorize.home; name yours else")
        yield name, _prefixes(table, name)
    table.finish()


def _night(table: Table) -> tuple[dt.time, dt.time] | None:
    text = table.take("night", str, "")
    try:
        return callguards.parse_night(text) if text else None
    except ValueError as error:
        raise table.error("night", str(error)) from None


def _guards(table: Table, classes: Mapping[str, tuple[str, ...]]) -> CallGuards:
    settings = {}
    for name in table.values:
        if name in {"barred", "allowed", "barred_at_night"}:
            settings[name] = " ".join(table.texts(name))
        elif name in {"calls", "longest"}:
            settings[name] = str(table.take(name, int))
        else:
            settings[name] = table.take(name, str)
    try:
        guards = callguards.parse(settings)
    except ValueError as error:
        key, _, message = str(error).partition(": ")
        raise table.error(key, message) from None
    for name in (*guards.barred, *guards.allowed, *guards.barred_at_night):
        if name not in classes and name != callguards.INTERNATIONAL:
            known = ", ".join([*classes, callguards.INTERNATIONAL])
            raise table.error("barred", f"{name!r} is no class of destinations; there is {known}")
    return guards


def _groups(table: Table, classes: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, Group]]:
    for name, row in table.tables():
        policy = row.choice("on_failure", ("", *_POLICIES), "")
        rest = {key: value for key, value in row.values.items() if key != "on_failure"}
        yield name, Group(guards=_guards(Table(row.path, rest), classes), on_failure=policy)
