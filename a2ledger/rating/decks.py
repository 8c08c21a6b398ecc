"""A cache of decks, parsed and indexed once and read back by the text's digest.

A cache like any other: it may be deleted at any time, and what cannot be read is made again.
It is Arrow, not pickle: reading it runs nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from a2ledger import facts
from a2ledger.book.book import Book, BrokenBookError, Draft
from a2ledger.book.disk import fsync, write
from a2ledger.book.transaction import STATE
from a2ledger.local_forms import NO_LOCALE, Locale
from a2ledger.rating import deck as decks
from a2ledger.rating.deck import Deck
from a2ledger.rating.prefixes import Index
from a2ledger.records import Problem

_VERSION = "2"
"""Raise this whenever parsing or indexing changes its result."""

_MOST = 100
"""Most decks in the cache. The oldest are dropped."""

_INDEX = (("bounds", "first"), ("row", "following"))


def deck(book: Book, name: str) -> Deck:
    """Return a deck of a book, from ``tariffs/NAME.csv``.

    Raises:
        BrokenBookError: if it is missing or has bad rows.
    """
    file = _file(name)
    if not book.has(file):
        raise BrokenBookError(
            [Problem(file, 0, "tariff", "not there, but a customer or a rule names it")]
        )
    text = book.text(file)
    locale = book.config.locale
    kept = path(book.root / STATE / "decks", text, name, locale)
    parsed = load(kept)
    if parsed is None:
        parsed, problems = decks.parse(text, name=name, file=file, locale=locale)
        if problems:
            raise BrokenBookError(decks.first(problems))
        keep(kept, parsed)
    for note in parsed.notes:
        book.say_once(f"note: {note}")
    return parsed.starting(book.config.deck(name).valid_from)


def put(draft: Draft, name: str, text: str) -> None:
    """Write a deck, by which calls are priced from now on."""
    draft.put(_file(name), text)


def _file(name: str) -> str:
    """Return where a tariff stands in the book, and never outside of it.

    Raises:
        BrokenBookError: if that is no name of one.
    """
    try:
        return f"tariffs/{facts.tariff_name(name)}.csv"
    except ValueError as error:
        raise BrokenBookError([Problem("tariffs", 0, "tariff", str(error))]) from None


def path(directory: Path, text: str, name: str, locale: Locale = NO_LOCALE) -> Path:
    """Return the cache path of a deck's text."""
    known_by = "\n".join([_VERSION, name, *filter(None, locale[:2]), text])
    digest = hashlib.sha256(known_by.encode()).hexdigest()
    return directory / f"{digest}.arrow"


def load(file: Path) -> Deck | None:
    """Load a deck and its index from the cache, or None if it cannot be read."""
    try:
        with pa.OSFile(str(file)) as source, pa.ipc.open_file(source) as reader:
            about = json.loads(reader.schema.metadata[b"about"])
            parts = [
                pa.ipc.open_stream(part).read_all()
                for part in reader.get_batch(0).column("part").to_pylist()
            ]
        return _deck(about, parts)
    except (OSError, pa.ArrowException, AttributeError, LookupError, TypeError, ValueError):
        return None


def _deck(about: Mapping[str, Any], parts: list[pa.Table]) -> Deck:
    rates, *index = parts
    columns = {name: rates[name].combine_chunks() for name in rates.column_names}
    deck = Deck(
        name=about["name"],
        prefixes=columns.pop("dialprefix"),
        destinations=columns.pop("destination"),
        carriers=columns.pop("carrier"),
        values={name: column.to_numpy() for name, column in columns.items()},
        scale=int(about["scale"]),
        ignored_columns=tuple(about["ignored"]),
        notes=tuple(about["notes"]),
    )
    arrays = {name: part[name].to_numpy() for part in index for name in part.column_names}
    patterns = tuple((str(text), int(length), int(row)) for text, length, row in about["patterns"])
    deck.__dict__["index"] = Index(patterns=patterns, **arrays)
    return deck


def keep(file: Path, deck: Deck) -> None:
    """Write a deck and its index to the cache, or nothing at all on an error."""
    texts = {
        "dialprefix": deck.prefixes,
        "destination": deck.destinations,
        "carrier": deck.carriers,
    }
    parts = [pa.table(texts | {name: pa.array(column) for name, column in deck.values.items()})]
    parts += [
        pa.table({name: pa.array(getattr(deck.index, name)) for name in names}) for names in _INDEX
    ]
    about = {
        "name": deck.name,
        "scale": deck.scale,
        "ignored": deck.ignored_columns,
        "notes": deck.notes,
        "patterns": deck.index.patterns,
    }
    schema = pa.schema([("part", pa.binary())], metadata={"about": json.dumps(about)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(
            pa.record_batch([pa.array([_stream(part) for part in parts], pa.binary())], schema)
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file.with_suffix(".tmp"), bytes(sink.getvalue()))
        file.with_suffix(".tmp").replace(file)
        fsync(file.parent)
        every = sorted(file.parent.glob("*.arrow"), key=lambda cached: cached.stat().st_mtime)
        for old in every[:-_MOST]:
            old.unlink()
    except OSError:  # a full or read-only disk: the next run parses the text again
        return


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
