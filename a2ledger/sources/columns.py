"""Find the columns of a call in a CSV: by its header, by a map of names, or by number.

A map says what a column of ours is called in a provider's log. Nothing else is read then: a
column that happens to bear one of our names is another's, and is not believed. Of several names
for one column the first that the header has is taken, and ``Date+Time`` joins two columns.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.book.source_config import Source
from a2ledger.sources import text
from a2ledger.sources.answered import plain
from a2ledger.sources.batch import INCOMING, INTERNAL
from a2ledger.sources.text import rows
from a2ledger.sources.text.lines import Lines
from a2ledger.sources.text.rows import Layout

FIELDS = {
    "id": "uniqueid",
    "customer": "accountcode",
    "start": "start",
    "called": "dst",
    "seconds": "seconds",
    "minutes": "seconds",
    "milliseconds": "seconds",
    "caller": "src",
    "cost": "cost",
    "answered": "answered",
    "direction": "direction",
    "context": "context",
    "application": "application",
    "channel": "channel",
    "dstchannel": "dstchannel",
    "did": "did",
    "connected": "connected",
    "userfield": "userfield",
    "leg": "side",
    "parent": "parent",
}
"""The names of columns, each with the field of a batch it is read as."""

COLUMNS = tuple(FIELDS)
LENGTHS = ("seconds", "minutes", "milliseconds")
NEUTRAL = ("id", "customer", "start", "called", "seconds", "caller", "cost", "answered")
"""The columns of the neutral shape, whose names need no map."""

_NO_ID = "there is no column id: identical rows count as the same call"
_SEPARATORS = f"{text.SEPARATORS}|"
_ACCOUNTS = {"accountcode", "peeraccount", "channel", "dstchannel"}
"""Fields that may identify a customer, but are in a CSV only as the column ``customer``."""
_JOINED = {"start": " ", "id": "-"}
"""The text put between the parts of a joined column, empty unless listed."""


class Wanted(NamedTuple):
    """The columns to find in a file of calls.

    ``names`` has for each column of ours what it may be called, the likeliest first; ``needed``
    are those without which nothing is read. ``mapped`` says that the names are a provider's.
    ``like`` says that they are a preset's, which a file may write with other blanks and marks.
    """

    names: Mapping[str, Sequence[str]]
    needed: tuple[str, ...]
    mapped: bool
    like: bool = False

    @property
    def are_numbers(self) -> bool:
        """Return whether columns are numbered from 1, for a file without a header."""
        names = [name for choices in self.names.values() for name in choices]
        return self.mapped and all(re.fullmatch(r"[0-9]+(\+[0-9]+)*", name) for name in names)


def wanted(source: Source) -> Wanted:
    """Return the columns to read of a source's files."""
    names: dict[str, list[str]] = {}
    for ours, theirs in source.mapping:
        names.setdefault(ours, []).append(theirs)
    mapped = bool(names)
    if not mapped:
        names = {name: [name] for name in (*NEUTRAL, *LENGTHS[1:], "direction")}
    needed = ["start", "called", "seconds"]
    outgoing = [rule for rule in source.rules if rule.direction not in {INCOMING, INTERNAL}]
    items = {item for rule in outgoing for item in rule.identify} | {*source.identify}
    if not items - _ACCOUNTS or (mapped and "customer" in names and not source.like):
        needed.append("customer")
    if not source.like:
        needed += [name for name in names if mapped and name not in {*needed, *LENGTHS}]
    return Wanted(names, tuple(sorted(needed, key=COLUMNS.index)), mapped, bool(source.like))


def layout_of(path: Path, source: Source) -> Layout | text.Header:
    """Return the layout of a file without a header, or the header to look for."""
    of_calls = wanted(source)
    if of_calls.are_numbers:
        return _numbered(path, source, of_calls)
    return Header(of_calls.needed, tuple(of_calls.names), of_calls=of_calls)


def joined(table: pa.Table) -> dict[str, pa.StringArray]:
    """Return the columns of a file by our names, joining those made of several.

    Args:
        table: a column is named for what it is to us: ``caller``, ``start+0`` for the first part
            of a start, ``customer,caller`` where it is both.
    """
    parts: dict[str, dict[int, pa.StringArray]] = {}
    for column in table.column_names:
        if column != "line":
            texts = pc.utf8_trim_whitespace(table[column].combine_chunks())
            for use in column.split(","):
                name, _, place = use.partition("+")
                parts.setdefault(name, {})[int(place or 0)] = texts
    return {name: _join(name, texts) for name, texts in parts.items()}


def _join(name: str, texts: Mapping[int, pa.StringArray]) -> pa.StringArray:
    if len(texts) == 1:
        return next(iter(texts.values()))
    ordered = [column for _, column in sorted(texts.items())]
    return pc.utf8_trim_whitespace(pc.binary_join_element_wise(*ordered, _JOINED.get(name, "")))


_NOTHING = Wanted({}, (), mapped=False)


@dataclass(frozen=True, slots=True)
class Header(text.Header):
    """A header that may have a provider's names, below the titles of a report."""

    of_calls: Wanted = _NOTHING

    def fits(self, line: str) -> bool:
        """Return whether a line names all needed columns."""
        written = _names(_unwrapped(line)[0])
        return not self._missing(_uses(self.of_calls, written))

    def layout(self, line: str, lines: Lines) -> tuple[Layout, tuple[str, ...]]:
        """Return the layout a header describes, and notes on columns that are not read.

        Raises:
            UnusableInput: naming what it lacks or names twice.
        """
        line, mend = _unwrapped(line)
        mend = mend or _doubling(line)
        written = _names(line)
        uses = _uses(self.of_calls, written)
        if missing := self._missing(uses):
            names = self.of_calls.names
            needed = [" or ".join(names.get(name, [name])) for name in self.required]
            raise lines.unusable(
                f"there is no column {', '.join(missing)}",
                f"the first line must name {','.join(needed)}, or say which they are with --map",
            )
        used = {written[place] for places in uses.values() for place in places}
        if twice := sorted(name for name in used if written.count(name) > 1):
            raise lines.unusable(f"the column {', '.join(twice)} is there twice", "name it once")
        ignored = [name for name in written if name and name not in used]
        notes = (f"{lines.path}:1: columns ignored: {', '.join(ignored)}",) if ignored else ()
        if "id" not in uses:
            notes = (*notes, f"{lines.path}:1: {_NO_ID}")
        heading = () if self.of_calls.mapped else tuple(n for n in self.required if n in uses)
        layout = _layout(uses, len(written), _separator(line), heading, mend)
        return layout, notes

    def _missing(self, uses: Mapping[str, Sequence[int]]) -> list[str]:
        """Return the needed names that a header lacks, in the words of the map."""
        lengths = [name for name in LENGTHS if name in uses]
        names = self.of_calls.names
        return [
            " or ".join(names.get(name, [name]))
            for name in self.required
            if name not in uses and not (name == "seconds" and lengths)
        ]


def _uses(of_calls: Wanted, written: Sequence[str]) -> dict[str, list[int]]:
    """Return, for each of our columns that is present, its places in the header."""
    places = {name: place for place, name in reversed(list(enumerate(written))) if name}
    places_of: dict[str, list[int]] = {}
    for ours, names in of_calls.names.items():
        for name in names:
            whole = name.strip().lower()
            parts = [whole] if whole in places else [part.strip() for part in whole.split("+")]
            if all(part in places for part in parts):
                places_of[ours] = [places[part] for part in parts]
                break
    if of_calls.like:
        alike = {plain(name): place for name, place in reversed(places.items())}
        for ours, names in of_calls.names.items():
            found = (alike[plain(name)] for name in names if plain(name) in alike)
            if ours not in places_of and (place := next(found, None)) is not None:
                places_of[ours] = [place]
    return places_of


def _layout(
    uses: Mapping[str, Sequence[int]],
    width: int,
    separator: str,
    heading: tuple[str, ...],
    mend: Callable[[bytes], bytes] | None,
) -> Layout:
    """Return a layout whose columns have our names, as :func:`joined` expects."""
    named: dict[int, list[str]] = {}
    for ours, places in uses.items():
        for index, place in enumerate(places):
            named.setdefault(place, []).append(f"{ours}+{index}" if len(places) > 1 else ours)
    names = tuple(",".join(named.get(place, ())) for place in range(width))
    return Layout(widths={width: names}, heading=heading, separator=separator, mend=mend)


def _numbered(path: Path, source: Source, of_calls: Wanted) -> Layout:
    """Return the layout of a file without a header, whose columns are numbered from 1."""
    first, mend = _unwrapped(text.first_line(path, source.encoding))
    width = len(_names(first))
    uses: dict[str, list[int]] = {}
    for ours, (numbers, *_) in of_calls.names.items():
        uses[ours] = [int(number) - 1 for number in numbers.split("+")]
        for place in uses[ours]:
            if not 0 <= place < width:
                problem = f"there is no column {place + 1} ({ours}): the first line has {width}"
                raise Lines(path).unusable(problem, f"correct sources.{source.name}.columns")
    lengths = [name for name in LENGTHS if name in uses]
    missing = [name for name in of_calls.needed if name not in uses]
    if missing := [name for name in missing if not (name == "seconds" and lengths)]:
        problem = f"no column is {', '.join(missing)}"
        raise Lines(path).unusable(problem, f"name it in sources.{source.name}.columns")
    simple = all(len(uses[name]) == 1 for name in ("start", *lengths))
    heading = ("start", lengths[0]) if simple else ()
    layout = _layout(uses, width, _separator(first), heading, mend)
    known = heading and set(heading) <= set(layout.names)
    return layout if known else replace(layout, heading=())


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def _names(line: str) -> list[str]:
    """Return the names in a header in lower case, empty if it cannot be parsed."""
    try:
        return [name.strip().lower() for name in rows.strict(line, _separator(line))]
    except csv.Error:
        return []


def _unwrapped(line: str) -> tuple[str, Callable[[bytes], bytes] | None]:
    """Strip quotes around a whole line, and return a function that does so for other lines."""
    try:
        fields = rows.strict(line, ",")
    except csv.Error:
        return line, None
    if len(fields) == 1 and line.startswith('"') and any(mark in fields[0] for mark in _SEPARATORS):
        return fields[0], _without_quotes
    return line, None


def _doubling(line: str) -> Callable[[bytes], bytes] | None:
    """Return a function that doubles quotes inside values, for files that quote every value.

    FusionPBX, for one, writes ``"Bob "Ace" Low"`` as it stands.
    """
    separator = re.escape(_separator(line))
    if not re.fullmatch(f'"[^"]*"(?:{separator}"[^"]*")+', line.strip()):
        return None
    edge = f'"\r\n{_separator(line)}'.encode()
    inner = re.compile(b'(?<=[^%b])"(?=[^%b])' % (edge, edge))
    return lambda lines: inner.sub(b'""', lines)


def _without_quotes(lines: bytes) -> bytes:
    bare_lines = []
    for line in lines.split(b"\n"):
        bare = line.rstrip(b"\r")
        wrapped = len(bare) > 1 and bare.startswith(b'"') and bare.endswith(b'"')
        bare_lines.append(bare[1:-1].replace(b'""', b'"') if wrapped else line)
    return b"\n".join(bare_lines)
