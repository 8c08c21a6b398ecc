"""Map the columns of a provider's log once, and save the map in the book."""

from __future__ import annotations

import re
from typing import NamedTuple

from a2ledger import sources
from a2ledger.book import presets, toml_edit
from a2ledger.book.book import CONFIG, Draft, RefusedError
from a2ledger.sources.columns import COLUMNS

DIALECT = "calls"


class Remembered(NamedTuple):
    """What was written into ``a2ledger.toml`` about a source.

    ``before`` is its text as it was where the source is new, else None; ``news`` is what to say
    once that is published, empty if nothing was written.
    """

    before: str | None = None
    news: str = ""


class BadMapError(ValueError):
    """The text is not a map of columns."""


def parse(texts: tuple[str, ...]) -> dict[str, str]:
    """Parse a map of columns such as ``id=Call ID,start=Date``, in one text or several.

    A name may have commas in it, but not one that is followed by a column of ours and ``=``.

    Raises:
        BadMapError: saying what is wrong with it.
    """
    mapped: dict[str, str] = {}
    for item in (item for text in texts for item in re.split(r",\s*(?=\w+\s*=)", text)):
        ours, equals, theirs = (part.strip() for part in item.partition("="))
        if not (equals and theirs):
            raise BadMapError(f"{item!r} is not such as id=Call ID")
        if ours not in COLUMNS:
            raise BadMapError(f"{ours!r} is no column of a call: {', '.join(COLUMNS)}")
        if ours in mapped:
            raise BadMapError(f"{ours!r} is given twice")
        mapped[ours] = theirs
    return mapped


def remember(draft: Draft, name: str, columns: dict[str, str], like: str = "") -> Remembered:
    """Write a source's columns into ``a2ledger.toml``, adding the source if it is new.

    Args:
        draft: of the book.
        name: of the source.
        columns: which column is which; none changes none.
        like: a preset the source is like; an empty text changes nothing.

    Raises:
        RefusedError: if the source is another dialect's, or its text cannot be changed safely.
        ConfigError: if no source can have the name, or there is no such preset.
    """
    known = draft.config.sources.get(name)
    preset = presets.applied({"like": like}, f"sources.{name}")
    own = preset.get("dialect", DIALECT)
    dialect = known.dialect if known else name
    # A table that names no dialect, and is not called one either, leaves it open.
    if is_open := dialect == name and name not in sources.dialects():
        dialect = DIALECT
    if dialect not in {DIALECT, own} or (columns and own != DIALECT):
        raise RefusedError(
            (
                f"{name}: is of the dialect {dialect if dialect != DIALECT else own}, "
                "whose columns have no names to map"
            ),
            undone="nothing was imported",
            todo="give this feed a name of its own",
        )
    text = draft.text(CONFIG)
    new = {"dialect": DIALECT, "timezone": draft.config.timezone}
    new = {key: value for key, value in new.items() if key not in preset}
    wanted: dict[str, toml_edit.Value] = {"like": like} if like else {}
    if columns:
        wanted["columns"] = columns
    if known and is_open and "dialect" not in preset:
        wanted["dialect"] = DIALECT
    changed = toml_edit.with_keys(text, ("sources", name), wanted, new) if wanted else text
    if changed == text:
        return Remembered()
    draft.put(CONFIG, changed)
    news = "has its columns" if known else "is new; close waits for it from now on"
    return Remembered(None if known else text, f"{CONFIG}: sources.{name} {news}")


def kept(draft: Draft, name: str, remembered: Remembered, *, posted: bool) -> str:
    """Keep what was remembered, and return what to say of it once it is published.

    A new source of which nothing was posted is taken out of ``a2ledger.toml`` again.
    """
    if remembered.before is None or posted:
        return remembered.news
    draft.put(CONFIG, remembered.before)
    draft.talk(
        f"note: nothing of {name} was posted, so sources.{name} was not added to {CONFIG} and "
        "close does not wait for it; fix the cause, then run the same import again"
    )
    return ""
