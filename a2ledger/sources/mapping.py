"""Say once which columns of a provider's log are which, and have the book remember it."""

from __future__ import annotations

import re

from a2ledger import sources
from a2ledger.book.book import CONFIG, Draft, RefusedError
from a2ledger.sources import toml_text
from a2ledger.sources.columns import COLUMNS

DIALECT = "calls"


class BadMapError(ValueError):
    """What was given is no map of columns."""


def parse(texts: tuple[str, ...]) -> dict[str, str]:
    """Which column is which, from ``id=Call ID,start=Date``, in one text or several.

    A name may have commas in it, but not one that is followed by a column of ours and ``=``.

    Raises:
        BadMapError: saying what is wrong with it.
    """
    found: dict[str, str] = {}
    for item in (item for text in texts for item in re.split(r",\s*(?=\w+\s*=)", text)):
        ours, equals, theirs = (part.strip() for part in item.partition("="))
        if not (equals and theirs):
            raise BadMapError(f"{item!r} is not such as id=Call ID")
        if ours not in COLUMNS:
            raise BadMapError(f"{ours!r} is no column of a call: {', '.join(COLUMNS)}")
        if ours in found:
            raise BadMapError(f"{ours!r} is given twice")
        found[ours] = theirs
    return found


def remember(draft: Draft, name: str, columns: dict[str, str]) -> None:
    """Write a source's columns into ``a2ledger.toml``, with a source that is new if need be.

    Raises:
        RefusedError: if the source is another dialect's, or its text cannot be changed safely.
        ConfigError: if no source can have the name.
    """
    known = draft.config.sources.get(name)
    dialect = known.dialect if known else name if name in sources.dialects() else DIALECT
    if dialect != DIALECT:
        raise RefusedError(
            f"{name}: is of the dialect {dialect}, whose columns have no names to map; "
            "nothing was imported; give this feed a name of its own"
        )
    text, value = draft.text(CONFIG), ""
    try:
        value = toml_text.inline(columns)
        zone = toml_text.quoted(draft.config.timezone)
        head = f"dialect = {toml_text.quoted(DIALECT)}\ntimezone = {zone}\n"
        changed = toml_text.with_key(text, ("sources", name), "columns", value, head)
    except ValueError as error:
        raise RefusedError(
            f"{CONFIG}: sources.{name}: {error}; nothing was imported; "
            f"write columns = {value} there"
        ) from None
    if changed == text:
        return
    draft.put(CONFIG, changed)
    what = "has its columns" if known else "is new; close waits for it from now on"
    draft.talk(f"{CONFIG}: sources.{name} {what}")
