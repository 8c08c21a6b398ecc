"""Settings of bills and their delivery: ``[bill]``, ``[delivery]``, ``[mail]``, ``[dunning]``."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from a2ledger import facts, money
from a2ledger.book.toml_table import Table

REFERENCES = ("auto", "rf", "belgian", "number")
USAGE = ("day", "week", "service")
ATTACHED = ("pdf", "html", "xml", "calls")
_MAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_MEGABYTE = 1_000_000
_LONGEST_DAYS = 3650
_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Bills:
    """Settings of bills.

    ``reference`` is what payments are to bear, ``masked`` which last digits of called numbers are
    hidden and ``itemised`` where calls are listed where a customer does not say, ``usage`` how the
    account's usage is folded. ``prepaid`` is the document of prepaid customers who do not say; what
    bills less than ``minimum_micro`` waits for the next bill, ``wait_months`` at most.
    """

    reference: str = "auto"
    masked: str = "3"
    itemised: str = "apart"
    usage: str = "day"
    prepaid: str = "invoice"
    minimum_micro: int = 0
    wait_months: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Settings of delivery: the default channels, and what each of them needs.

    ``peppol`` is a command, ``print`` a directory. What was issued before ``since`` is not sent by
    itself. ``low_balance_micro`` and ``over_limit`` say of what customers get mail.
    """

    channels: tuple[str, ...] = ("mail",)
    peppol: tuple[str, ...] = ()
    print: str = ""
    since: dt.date | None = None
    low_balance_micro: int | None = None
    over_limit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Settings of mail: the server, and the contents of every message.

    ``starttls`` is ``required``, ``never``, or ``ssl`` where the whole connection is encrypted.
    """

    host: str = ""
    port: int = 587
    starttls: str = "required"
    user: str = ""
    sender: str = ""
    bcc: str = ""
    attach: tuple[str, ...] = ("pdf", "xml")
    most_bytes: int = 20 * _MEGABYTE
    patience_seconds: int = 60


class DunningStep(NamedTuple):
    """A reminder: its days after the due date, its wording, and its fee."""

    days: int
    text: str
    fee_micro: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dunning:
    """The reminders, gentlest first. ``service`` is the service of their fees."""

    steps: tuple[DunningStep, ...] = field(default=())
    service: str = ""


def parsed(table: Table) -> Bills:
    """Parse ``[bill]``.

    Raises:
        ConfigError: naming the key and what is wrong with it.
    """
    default = Bills()
    bills = Bills(
        reference=table.choice("reference", REFERENCES, default.reference),
        usage=table.choice("usage", USAGE, default.usage),
        masked=table.choice("masked", facts.MASKS, default.masked),
        itemised=table.choice("itemised", facts.ITEMISED, default.itemised),
        prepaid=table.choice("prepaid", facts.DOCUMENTS, default.prepaid),
        minimum_micro=_amount(table, "minimum", "0"),
        wait_months=table.take("wait_months", int, default.wait_months),
    )
    if not 1 <= bills.wait_months <= _YEAR:
        raise table.error("wait_months", f"must be from 1 to {_YEAR}: what is supplied is billed")
    table.finish()
    return bills


def delivery(table: Table) -> Delivery:
    """Parse ``[delivery]``, with the errors of :func:`parsed`."""
    default = Delivery()
    channels = table.texts("channels", default.channels)
    try:
        facts.parse("delivery", ", ".join(channels))
    except ValueError as error:
        raise table.error("channels", str(error).removeprefix("delivery: ")) from None
    low = "low_balance" in table.values
    made = Delivery(
        channels=channels,
        peppol=table.texts("peppol"),
        print=table.take("print", str, ""),
        since=table.take("since", dt.date, dt.date.min) if "since" in table.values else None,
        low_balance_micro=_amount(table, "low_balance", "0") if low else None,
        over_limit=table.take("over_limit", bool, False),
    )
    table.known += ["since", "low_balance"]
    table.finish()
    return made


def mail(table: Table) -> Mail:
    """Parse ``[mail]``, with the errors of :func:`parsed`."""
    default = Mail()
    starttls = table.values.get("starttls", True)
    table.known.append("starttls")
    modes = {True: "required", False: "never", "ssl": "ssl"}
    if not isinstance(starttls, bool) and starttls != "ssl":
        raise table.error("starttls", f'must be true, false or "ssl", not {starttls!r}')
    made = Mail(
        host=table.take("host", str, ""),
        port=table.take("port", int, default.port),
        starttls=modes[starttls],
        user=table.take("user", str, ""),
        sender=_address(table, "from"),
        bcc=_address(table, "bcc"),
        attach=table.texts("attach", default.attach),
        most_bytes=table.take("most_megabytes", int, 20) * _MEGABYTE,
        patience_seconds=table.take("timeout", int, default.patience_seconds),
    )
    for name in made.attach:
        if name not in ATTACHED:
            raise table.error("attach", f"{name!r} is none of {', '.join(ATTACHED)}")
    if not 0 < made.port < 2**16:
        raise table.error("port", f"{made.port} is no port")
    for name, number in (
        ("most_megabytes", made.most_bytes), ("timeout", made.patience_seconds)
    ):  # fmt: skip
        if number < 1:
            raise table.error(name, "must be at least 1")
    table.finish()
    return made


def dunning(table: Table, services: tuple[str, ...]) -> Dunning:
    """Parse ``[dunning]``, with the errors of :func:`parsed`.

    Args:
        table: of it.
        services: what fees may be charged as.
    """
    made = Dunning(
        steps=tuple(_step(row) for row in table.listed("steps")),
        service=table.take("service", str, ""),
    )
    if any(step.fee_micro for step in made.steps) and made.service not in services:
        raise table.error("service", f"{made.service!r} is not under [services]; fees need one")
    days = [step.days for step in made.steps]
    if days != sorted(set(days)):
        raise table.error(
            "steps", "each must come more days after the due date than the one before"
        )
    table.finish()
    return made


def _step(table: Table) -> DunningStep:
    step = DunningStep(
        days=table.take("days", int),
        text=table.choice("text", ("friendly", "firm", "final"), "friendly"),
        fee_micro=_amount(table, "fee", "0"),
    )
    if not 0 <= step.days <= _LONGEST_DAYS:
        raise table.error("days", f"must be from 0 to {_LONGEST_DAYS}")
    table.finish()
    return step


def _amount(table: Table, name: str, default: str) -> int:
    try:
        micro = money.parse(table.take(name, str, default))
    except ValueError as error:
        raise table.error(name, str(error)) from None
    if micro < 0:
        raise table.error(name, "must not be below 0")
    return micro


def _address(table: Table, name: str) -> str:
    text = table.take(name, str, "")
    if text and not _MAIL.fullmatch(text):
        raise table.error(name, f"{text!r} is no e-mail address")
    return text
