"""What was given back of billed lines: the values, and how entries write them down.

Amounts are micro-units; a line's are net, as the document shows them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from a2ledger import money
from a2ledger.documents.document import Document

RERATE = "rerate-"


class Calls(NamedTuple):
    """The calls that one line of a bill adds up: those of a period, or late ones of a day."""

    start: dt.date
    """Start of the period in which they were billed."""
    service: str
    destination: str
    vat: str
    late_from: dt.date | None = None


class GivenBack(NamedTuple):
    """What one credit note, or one other cause, gave back on an invoice."""

    title: str
    """The credit note's number, or the name of the cause."""
    lines: Mapping[int, int]
    """Net by line number of the invoice."""
    net: Mapping[str, int]
    """Net by VAT code."""
    vat: Mapping[str, int]
    is_note: bool = False

    @property
    def vat_micro(self) -> int:
        """Return its VAT."""
        return sum(self.vat.values())

    @property
    def gross_micro(self) -> int:
        """Return the gross amount given back."""
        return sum(self.net.values()) + self.vat_micro

    @classmethod
    def by_note(cls, note: Document) -> GivenBack:
        """Return the amounts that a credit note gives back."""
        return cls(
            str(note.number),
            note.net_by_line,
            {row.code: money.parse(row.net) for row in note.vat},
            {row.code: money.parse(row.vat) for row in note.vat},
            is_note=True,
        )

    @classmethod
    def by_lines(
        cls, title: str, invoice: Document, lines: Mapping[int, int], places: int
    ) -> GivenBack:
        """Return net given back by line, with its VAT in proportion."""
        lines = {line: micro for line, micro in lines.items() if micro}
        by_code: dict[str, int] = {}
        for line in invoice.lines:
            if line.line in lines:
                by_code[line.vat_code] = by_code.get(line.vat_code, 0) + lines[line.line]
        net, vat = {}, {}
        for row in invoice.vat:
            whole = money.parse(row.net)
            if by_code.get(row.code) and whole:
                net[row.code] = by_code[row.code]
                vat[row.code] = Share(net[row.code], whole).of(money.parse(row.vat), places)
        return cls(title, lines, net, vat)


class Share(NamedTuple):
    """The part of a line given back by hand, and the line's own amount, both net."""

    given_micro: int
    net_micro: int

    def of(self, micro: int, places: int = money.PLACES) -> int:
        """Return the same share of another amount: of what the line was made from."""
        unit: int = 10 ** (money.PLACES - places)
        return money.divide(micro * self.given_micro, self.net_micro * unit) * unit


class Item(NamedTuple):
    """An entry on Unbilled that is, or will be, a line of a bill."""

    link: str
    date: dt.date
    payee: str
    vat: str
    micro: int
    late_from: dt.date | None
    meta: Mapping[str, str]

    @property
    def order(self) -> tuple[Any, ...]:
        """Return the sort key of lines on a bill."""
        return (self.date, self.payee, self.vat, self.late_from or self.date, self.link)


class Rerated(NamedTuple):
    """What re-rating gave back: on lines of calls, and on its own earlier charges."""

    of_calls: Mapping[tuple[str, str, str], int]
    """By service, VAT code and the line's key."""
    of_all: Mapping[tuple[str, str], int]
    """By service and VAT code, for entries of earlier versions, which name no lines."""
    of_entries: Mapping[str, int]
    """By link."""

    @classmethod
    def of(cls, every: Iterable[Item]) -> Rerated:
        """Add up what entries gave back, deducting it from the latest charge first."""
        charged: dict[tuple[str, str, str], list[tuple[str, int]]] = {}
        of_calls: dict[tuple[str, str, str], int] = {}
        of_all: dict[tuple[str, str], int] = {}
        of_entries: dict[str, int] = {}
        for item in every:
            if not item.link.startswith(RERATE):
                continue
            if "moved" not in item.meta:
                gone = of_all.get((item.payee, item.vat), 0)
                of_all[item.payee, item.vat] = gone + max(-item.micro, 0)
                continue
            for name, micro in rerated_lines(item.meta["moved"]).items():
                key, rest = (item.payee, item.vat, name), -micro
                if micro > 0:
                    charged.setdefault(key, []).append((item.link, micro))
                while rest > 0 and charged.get(key):
                    link, charged_micro = charged[key].pop()
                    part = min(rest, charged_micro)
                    of_entries[link] = of_entries.get(link, 0) + part
                    rest -= part
                    if charged_micro > part:
                        charged[key].append((link, charged_micro - part))
                if rest > 0:
                    of_calls[key] = of_calls.get(key, 0) + rest
        return cls(of_calls, of_all, of_entries)

    def gone(self, source: str | Calls) -> int:
        """Return what was given back of a line's source."""
        if isinstance(source, str):
            return self.of_entries.get(source, 0)
        key = (source.service, source.vat)
        return self.of_calls.get((*key, line_key(source)), 0) + self.of_all.get(key, 0)


def parts(text: str) -> Iterator[tuple[str, int]]:
    """Parse documents with amounts from the text of :func:`written_parts`."""
    for part in text.split(", "):
        number, _, amount = part.rpartition(" ")
        yield number, money.parse(amount)


def written_parts(amounts: Iterable[tuple[str, int]], places: int) -> str:
    """Format documents with amounts: ``INV-2026-000001 60.50, INV-2026-000002 3.00``."""
    return ", ".join(f"{number} {money.text(micro, places)}" for number, micro in amounts)


def line_key(calls: Calls) -> str:
    """Return the key by which a correction names the line of a bill whose calls it re-rates."""
    late = f"<{calls.late_from}" if calls.late_from else ""
    return f"{calls.start}{late} {calls.destination.replace(';', ',')}"


def written_lines(lines: Mapping[str, int]) -> str:
    """Format a correction's amounts by line: ``2026-01-01 Belgium: -5.000000; …``."""
    return "; ".join(f"{key}: {money.text(micro)}" for key, micro in sorted(lines.items()))


def rerated_lines(text: str) -> dict[str, int]:
    """Parse a correction's amounts by line from the text of :func:`written_lines`."""
    by_line = {}
    for part in filter(None, text.split("; ")):
        key, _, amount = part.rpartition(": ")
        by_line[key] = money.parse(amount)
    return by_line
