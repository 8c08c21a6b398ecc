"""Read and write a period's file: what changed a customer's balance between two closes.

The open period's file is the preview invoice. Above the marker stand the balances brought
forward and the imported or hand-written entries; below it the program's usage entries, one per
day, service and VAT code, and for a closed period the entries of its close.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from beancount.core import data

from a2ledger import accounts, money
from a2ledger.journal import syntax
from a2ledger.journal.entries import CLOSING, own_link, sale, transaction
from a2ledger.journal.syntax import Block

_USAGE = re.compile(
    r'(?P<date>\d{4}-\d\d-\d\d) \* (?P<service>"(?:[^"\\]|\\.)*") "[^"]*"\n'
    r"  calls: (?P<calls>\d+)\n"
    r"  seconds: (?P<seconds>\d+)\n"
    r"(?:  late_from: (?P<late>\d{4}-\d\d-\d\d)\n)?"
    r"  \S+ +(?P<amount>-?[0-9.]+) [A-Z]\S*\n"
    r'    vat: (?P<vat>"(?:[^"\\]|\\.)*")\n'
    r"(?:  \S+ +-?[0-9.]+ [A-Z]\S*\n"
    rf"  {re.escape(accounts.PENDING)}\S+ +(?P<pending>-?[0-9.]+) [A-Z]\S*\n)?"
)


class Usage(NamedTuple):
    """The calls of one customer, day, service and VAT code, as they are posted.

    ``late_from`` is the calls' own day where that lies in a closed period; ``date`` is then
    the first day of the open one. ``pending_micro`` is the VAT inside ``micro`` where prices
    contain it.
    """

    date: dt.date
    late_from: dt.date | None
    service: str
    vat: str
    calls: int
    seconds: int
    micro: int
    pending_micro: int = 0

    @property
    def day(self) -> dt.date:
        """Return the day the calls started."""
        return self.late_from or self.date


def duration(seconds: int) -> str:
    """Format seconds as hours, minutes and seconds: ``9:33:05``."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def calls_text(calls: int, seconds: int) -> str:
    """Format a count of calls and their duration: ``142 calls, 9:33:05``."""
    return f"{calls} call{'' if calls == 1 else 's'}, {duration(seconds)}"


def usage_entry(usage: Usage, customer: str, currency: str) -> data.Transaction:
    """Return the entry of usage: the customer owes what the service earned."""
    meta: dict[str, object] = {"calls": usage.calls, "seconds": usage.seconds}
    if usage.late_from:
        meta["late_from"] = usage.late_from
    return transaction(
        usage.date,
        usage.service,
        calls_text(usage.calls, usage.seconds),
        sale(
            customer,
            accounts.income(usage.service),
            usage.micro,
            currency,
            vat=usage.vat,
            pending_micro=usage.pending_micro,
        ),
        meta=meta,
    )


def usage_text(usage: Usage, customer: str, currency: str) -> str:
    """Return the text of :func:`usage_entry`, built directly for speed."""
    day, late, service, vat, calls, seconds, micro, pending = usage
    title, owed, earned, waiting, code = _labels(customer, service, vat, bool(pending))
    amount = money.text(micro)
    rest = money.text(pending - micro) if pending or micro <= 0 else f"-{amount}"
    kept = money.text(-pending) if pending else ""
    width = max(len(amount), len(rest), len(kept))
    late_from = f"  late_from: {late}\n" if late else ""
    inside = f"  {waiting}  {kept:>{width}} {currency}\n" if pending else ""
    return (
        f'{day} * {title} "{calls_text(calls, seconds)}"\n'
        f"  calls: {calls}\n  seconds: {seconds}\n{late_from}"
        f"  {owed}  {amount:>{width}} {currency}\n{code}"
        f"  {earned}  {rest:>{width}} {currency}\n{inside}\n"
    )


@functools.lru_cache(maxsize=256)
def _labels(customer: str, service: str, vat: str, pending: bool) -> tuple[str, ...]:
    """Return what entries of a customer's usage of a service have in common.

    Returns:
        The title; the accounts, padded to one width: owed, earned, and of pending VAT, if there is
        any; and the line of the VAT code.
    """
    waiting = accounts.pending(vat) if pending else ""
    names = (accounts.unbilled(customer), accounts.income(service), waiting)
    width = max(map(len, names))
    code = f"    vat: {syntax.quoted(vat)}\n" if vat else ""
    return (syntax.quoted(service), *(name.ljust(width) for name in names), code)


def read_usage(block: Block) -> Usage:
    """Parse a usage block.

    Raises:
        ValueError: if it is not as the program wrote it.
    """
    match = _USAGE.match(block.text)
    if match is None:
        first = block.text.partition("\n")[0]
        raise ValueError(f"below the marker is a line that a2ledger did not write: {first}")
    late = match["late"]
    return Usage(
        dt.date.fromisoformat(match["date"]),
        dt.date.fromisoformat(late) if late else None,
        syntax.unquoted(match["service"]),
        syntax.unquoted(match["vat"]),
        int(match["calls"]),
        int(match["seconds"]),
        money.parse(match["amount"]),
        -money.parse(match["pending"]) if match["pending"] else 0,
    )


class PeriodFile(NamedTuple):
    """A period's file, split at the marker."""

    above: tuple[Block, ...]
    usage: tuple[Usage, ...]
    closing: tuple[Block, ...] = ()
    """The entries of the close, or none while the period is open."""
    texts: Mapping[Usage, str] = MappingProxyType({})
    """The text each usage entry was read from, so that an unchanged one is not formatted anew."""


def parse(text: str) -> PeriodFile:
    """Parse a period's file.

    Raises:
        ValueError: if something below the marker is not the program's.
    """
    parsed = syntax.blocks(text)
    marker = next((i for i, block in enumerate(parsed) if block.kind == "marker"), len(parsed))
    below = parsed[marker + 1 :]
    first = next((i for i, block in enumerate(below) if is_closing(block)), len(below))
    texts = {read_usage(block): block.text for block in below[:first]}
    return PeriodFile(tuple(parsed[:marker]), tuple(texts), tuple(below[first:]), texts)


def is_closing(block: Block) -> bool:
    """Return whether a block was written by a close."""
    # Most blocks are usage, without a tag: looking for the sign first is four times as fast.
    return block.kind == "*" and "#" in block.text and not CLOSING.isdisjoint(block.tags)


def written(file: PeriodFile, customer: str, currency: str) -> str:
    """Return the text of a period's file, with usage by date, late day, service and VAT code."""
    return text_of(settled(file, customer, currency))


def settled(file: PeriodFile, customer: str, currency: str) -> PeriodFile:
    """Return a period's file as :func:`parse` would read it back once it is written."""
    texts = {
        row: file.texts.get(row) or usage_text(row, customer, currency)
        for row in sorted(file.usage, key=_usage_order)
    }
    above = syntax.blocks(syntax.joined(file.above))
    return PeriodFile(tuple(above), tuple(texts), file.closing, texts)


def text_of(file: PeriodFile) -> str:
    """Return the text of a period's file that was parsed, or is :func:`settled`."""
    usage = "".join(map(file.texts.__getitem__, file.usage))
    return syntax.joined(file.above) + syntax.MARKER + usage + syntax.joined(file.closing)


def _usage_order(usage: Usage) -> tuple[dt.date, bool, dt.date, str, str]:
    return (usage.date, usage.late_from is not None, usage.day, usage.service, usage.vat)


def with_usage(file: PeriodFile, days: set[dt.date], usage: Iterable[Usage]) -> PeriodFile:
    """Return the file with the usage of some days of calls replaced."""
    kept = tuple(row for row in file.usage if row.day not in days)
    return file._replace(usage=(*kept, *usage))


def with_entries(file: PeriodFile, entries: Iterable[data.Transaction]) -> PeriodFile:
    """Return the file with entries inserted above the marker by date, then link.

    An entry whose first link a block already bears takes that block's place; all other bytes
    stay as they are, what people noted below the block among them.
    """
    above = list(file.above)
    for entry in entries:
        block = Block(entry.date.isoformat(), "*", syntax.formatted(entry))
        own = own_link(entry)
        # A payment bears its refill's link, too, and yet is another entry.
        same = [i for i, old in enumerate(above) if own == _entry_order(old)[1]]
        key = _entry_order(block)
        for index in reversed(same):
            old = above[index]
            notes = syntax.tail(old.text).removeprefix("\n")
            if _entry_order(old) == key:
                above[index] = block._replace(text=block.text + notes)
                break
            above[index : index + 1] = [Block("", "", notes)] if notes else []
        else:
            _insert(above, block)
    return file._replace(above=tuple(above))


def without_entries(file: PeriodFile, names: Iterable[str]) -> PeriodFile:
    """Return the file without the entries with any of these links, keeping notes below them."""
    gone, above = set(names), []
    for block in file.above:
        if block.kind == "*" and gone.intersection(block.links):
            notes = syntax.tail(block.text).removeprefix("\n")
            above += [Block("", "", notes)] if notes else []
        else:
            above.append(block)
    return file._replace(above=tuple(above))


def _insert(above: list[Block], block: Block) -> None:
    key = _entry_order(block)
    place = next(
        (i for i, old in enumerate(above) if old.kind == "*" and _entry_order(old) > key),
        len(above),
    )
    above.insert(place, block)


def _entry_order(block: Block) -> tuple[str, str]:
    return (block.date, block.own_link)


def split(file: PeriodFile, end: dt.date) -> tuple[PeriodFile, PeriodFile]:
    """Split the file at a day, with undated blocks in the first part."""
    before: Callable[[Block], bool] = lambda block: block.date < end.isoformat()  # noqa: E731
    return (
        PeriodFile(
            tuple(filter(before, file.above)),
            tuple(row for row in file.usage if row.date < end),
            texts=file.texts,
        ),
        PeriodFile(
            tuple(block for block in file.above if not before(block)),
            tuple(row for row in file.usage if row.date >= end),
            texts=file.texts,
        ),
    )
