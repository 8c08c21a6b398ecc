"""Import a carrier's rate sheet into a deck of the book."""

from __future__ import annotations

import datetime as dt
import gc
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2ledger.book import config_parse, toml_edit
from a2ledger.book.book import CONFIG, Book, BrokenBookError, Draft, RefusedError
from a2ledger.rating import deck as decks
from a2ledger.rating import deck_changes, deck_text, sheet, sheet_file
from a2ledger.rating import decks as cache
from a2ledger.rating.deck import Read
from a2ledger.rating.deck_changes import Changes, Terms
from a2ledger.rating.markup import Markup
from a2ledger.rating.sheet import BARRED, DEARER, GONE, Reading, Sheet
from a2ledger.rating.sheet_headers import FIELDS
from a2ledger.rating.usage import customers_of
from a2ledger.sources.batch import BadFileError

LARGEST = 20
"""Most changes of price to list."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The request to import a sheet."""

    deck: str
    columns: Mapping[str, str]
    dates: str = ""
    side: str = deck_changes.SELL
    carrier: str = ""
    markup: Markup | None = None
    effective: dt.date | None = None
    partial: bool = False
    sheet: str = ""
    encoding: str = ""
    short_notice: bool = False


@dataclass(kw_only=True)
class Proposal:
    """The effect of a sheet, before anything is written."""

    asked: Asked
    sheet: Sheet
    changes: Changes
    text: str
    doubts: list[str]
    """Points a person should check before it is written."""
    refusals: list[str]
    """Reasons that prevent writing it."""

    def as_json(self) -> dict[str, Any]:
        """Return the proposal as in the command's ``--json``."""
        return {
            "deck": self.asked.deck,
            "rows": self.sheet.rows,
            "texts": self.sheet.texts,
            "twice": self.sheet.twice,
            "rates": len(self.sheet.rates),
            "counts": self.changes.counts(),
            "changes": [change.as_json() for change in self.changes.changes],
            "doubts": self.doubts,
            "refusals": self.refusals,
            "notes": self.sheet.notes,
        }


def parse_map(texts: tuple[str, ...]) -> dict[str, str]:
    """Parse a map of fields to headers: ``prefix=Dial Code,rate=New Price``.

    Raises:
        ValueError: saying what is wrong with it.
    """
    headers: dict[str, str] = {}
    for item in (item for text in texts for item in re.split(r",\s*(?=\w+\s*=)", text)):
        ours, equals, theirs = (part.strip() for part in item.partition("="))
        if not (equals and theirs):
            raise ValueError(f"{item!r} is not such as prefix=Dial Code")
        if ours not in FIELDS:
            raise ValueError(f"{ours!r} is not a field of a rate sheet: {', '.join(FIELDS)}")
        headers[ours] = theirs
    return headers


def propose(book: Book, path: Path, asked: Asked, today: dt.date) -> Proposal:
    """Return the proposal of a sheet.

    Raises:
        UnusableInput: if the file cannot be read.
        BrokenBookError: if rows of the sheet, or the deck, are bad.
        RefusedError: if something has to be said first.
    """
    was_on = gc.isenabled()
    gc.disable()  # a sheet is many small objects that stay: looking for garbage takes a fifth
    try:
        return _proposed(book, path, asked, today)
    finally:
        if was_on:
            gc.enable()


def _proposed(book: Book, path: Path, asked: Asked, today: dt.date) -> Proposal:
    facts = book.config.deck(asked.deck)
    columns = {**facts.columns, **asked.columns}
    rows = sheet_file.rows(path, columns, name=asked.sheet, encoding=asked.encoding)
    usual = book.config.locale.dates
    reading = Reading(columns=columns, dates=asked.dates or facts.dates, usual_dates=usual)
    parsed = sheet.read(rows, file=path.name, reading=reading)
    if parsed.problems:
        problems = sorted(parsed.problems, key=lambda problem: problem.line)
        raise BadFileError(
            decks.first(problems), "nothing was imported", "correct the row, or remove it"
        )
    _in_currency(parsed, facts.currency, path, asked.deck)
    deck_path = f"tariffs/{asked.deck}.csv"
    text = book.text(deck_path)
    old = _read(text, asked.deck, deck_path) if text.strip() else None
    terms = _terms(asked, parsed, old, today)
    changes = deck_changes.compare(old, parsed.rates, terms)
    if changes.unpriced:
        raise RefusedError(
            (
                f"{asked.deck}: there is no selling price for {len(changes.unpriced)} prefix(es), "
                f"{', '.join(changes.unpriced[:3])} …"
            ),
            undone="nothing was imported",
            todo="give --markup",
        )
    new = text
    if changes.added or changes.ended:
        new = deck_text.changed(text, old, changes.ended, changes.added)
        _read(new, asked.deck, deck_path)
    proposal = Proposal(
        asked=asked, sheet=parsed, changes=changes, text=new, doubts=[], refusals=[]
    )
    proposal.doubts = [*parsed.doubts, *_doubts(changes, today)]
    proposal.refusals = list(_refusals(book, asked, changes, today))
    return proposal


def _read(text: str, name: str, path: str) -> Read:
    read = decks.read(text, name=name, file=path)
    if read.problems:
        raise BrokenBookError(decks.first(read.problems))
    return read


def _in_currency(parsed: Sheet, currency: str, path: Path, name: str) -> None:
    mentioned = parsed.currency
    if mentioned in ("", currency) or (mentioned == "$" and currency.endswith("D")):
        return
    raise RefusedError(
        f"{path.name}: prices are in {mentioned}, the deck {name} is in {currency}",
        undone="nothing was imported",
        todo=(
            f'write currency = "{mentioned if mentioned != "$" else "USD"}" under [tariffs.'
            f"{name}], or import them into another deck"
        ),
    )


def _terms(asked: Asked, parsed: Sheet, old: Read | None, today: dt.date) -> Terms:
    moments = [rate.since for rate in parsed.rates if rate.since]
    since = dt.datetime.combine(asked.effective, dt.time()) if asked.effective else None
    if since is None and old is not None:
        if len(moments) < len(parsed.rates):
            raise RefusedError(
                f"{asked.deck}: the sheet does not say from which day its prices are valid",
                undone="nothing was imported",
                todo="say it with --effective DATE",
            )
        midnight = dt.datetime.combine(today, dt.time())
        since = min((moment for moment in moments if moment >= midnight), default=midnight)
    carrier = asked.carrier
    if asked.side == deck_changes.BUY and not carrier:
        known = set(old.table.columns.get("carrier", ())) - {""} if old else set()
        if len(known) != 1:
            raise RefusedError(
                f"{asked.deck}: the carrier of these prices is not given",
                undone="nothing was imported",
                todo="name them with --carrier",
            )
        carrier = known.pop()
    return Terms(
        side=asked.side,
        carrier=carrier,
        markup=asked.markup,
        since=since,
        whole=not asked.partial,
    )


def _doubts(changes: Changes, today: dt.date) -> list[str]:
    counts = changes.counts()
    past = sum(
        change.since is not None and change.since.date() < today for change in changes.changes
    )
    by_message = {
        "prefix(es) would be gone; with --partial what the sheet does not name stays": counts.get(
            GONE, 0
        ),
        "prefix(es) would be blocked": counts.get(BARRED, 0),
        "price(s) at least double or halve": changes.doubtful(),
        "price(s) hold from a day that is past: calls of open periods need `rerate`": past,
        "selling price(s) would be below what the carrier takes": changes.below_cost,
        "price(s) of later days, announced before, stay though the sheet does not name them": (
            changes.announced
        ),
        "price(s) by time of the week would give way to one for all of it": changes.windows,
    }
    return [f"{count:,} {words}" for words, count in by_message.items() if count]


def _refusals(book: Book, asked: Asked, changes: Changes, today: dt.date) -> list[str]:
    days = book.config.notice_days
    sells = asked.side == deck_changes.SELL or asked.markup is not None
    if not days or not sells or asked.short_notice or not customers_of(book, asked.deck, today):
        return []
    first = today + dt.timedelta(days=days)
    early = [
        change
        for change in changes.changes
        if change.kind == DEARER and change.since is not None and change.since.date() < first
    ]
    if not early:
        return []
    reason = f"{len(early):,} price(s) rise before {first}, sooner than the {days} days of notice"
    return [f"{reason} customers have; take a later day, or say --short-notice"]


def write(draft: Draft, proposal: Proposal) -> None:
    """Write a sheet's changes to the draft, and save how to read the next one in the book."""
    asked = proposal.asked
    known = draft.config.decks.get(asked.deck)
    text = changed = draft.text(CONFIG)
    keys: dict[str, toml_edit.Value] = {}
    if asked.columns:
        keys["columns"] = {**(known.columns if known else {}), **asked.columns}
    if asked.dates:
        keys["dates"] = asked.dates
    if keys:
        changed = toml_edit.with_keys(text, ("tariffs", asked.deck), keys)
    if changed != text:
        config_parse.parse(changed)
        draft.put(CONFIG, changed)
    if proposal.changes.added or proposal.changes.ended:
        cache.put(draft, asked.deck, proposal.text)
