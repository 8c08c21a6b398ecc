"""Void: strike an entry or a call out of the open period, and leave its identity.

An entry keeps its link, its day and its words; its postings become zero, each says what it was,
and the entry says why. So the next import finds it, the customer sees it, and it can be undone.
A call stays in the call detail and on its day's usage, at no cost.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from beancount.core import data

from a2ledger import accounts, money
from a2ledger.book.book import GENERAL, SUSPENSE, Draft, RefusedError
from a2ledger.calls import detail
from a2ledger.calls.fold import Folder, sealed
from a2ledger.calls.keep import identity
from a2ledger.journal import entries as journal_entries
from a2ledger.journal import general, subledgers, syntax
from a2ledger.journal.entries import ISSUED, NUMBERED
from a2ledger.journal.period_file import with_entries
from a2ledger.payments import imports, pairs, posting

_INSTEAD = {
    "payment": "return or refund it",
    "refill": "refund it",
    "opening": "post a charge or a credit note",
}
"""What to do in place of striking out what is closed; a credit note, if it is none of these."""

_NEVER = {
    "transfer": ("moves money between customers", "transfer it back"),
    "returned": ("moves a payment", "import the payment again"),
    "credit-note": ("is a numbered document", "it stays"),
    "invoice": ("is a numbered document", "credit it"),
}


class Struck(NamedTuple):
    """What was struck out, or stands again."""

    name: str
    customer: str
    """Empty for money in suspense."""
    what: str
    """What it is, for a person."""
    changed: bool
    """False where it was so already."""
    reason: str


class _Entry(NamedTuple):
    link: str
    customer: str
    entry: data.Transaction


class _Call(NamedTuple):
    day: dt.date
    place: int
    name: str


def void(draft: Draft, name: str, reason: str, *, on: dt.date | None = None) -> Struck:
    """Strike an entry or a call out; without a reason have it stand again.

    Args:
        draft: of the book.
        name: an entry's link, its kind and id (``refill/r1``) or its id; or a call's
            ``switch/uniqueid/sequence``, its ``switch/uniqueid`` or its uniqueid.
        reason: why; empty to undo it.
        on: the day, where an id was used on several.

    Raises:
        RefusedError: if there is no such thing, more than one, or it is closed.
    """
    entries = [
        one for one in _entries(draft, name) if on in {None, journal_entries.own_day(one.entry)}
    ]
    calls = [] if entries else list(_calls(draft, name, on))
    if len(entries) + len(calls) > 1:
        names = sorted(one.link for one in entries) + [
            f"{call.name} --on {call.day}" for call in calls
        ]
        raise RefusedError(f"{name}: there are {len(names)}: {', '.join(names)}", todo="name one")
    if entries:
        return _void_entry(draft, entries[0], reason)
    if calls:
        return _void_call(draft, calls[0], reason)
    raise RefusedError(
        f"{name}: no such entry, and no such call in an open period",
        todo="name a link, KIND/ID, or a call's SWITCH/UNIQUEID/SEQUENCE",
    )


# ---- entries ----


def _entries(draft: Draft, name: str) -> Iterator[_Entry]:
    """Entries that a name means."""
    kind, _, rest = name.partition("/")
    names = {accounts.component(known): known for known in subledgers.customers(draft)}
    for path in [*draft.files(GENERAL, "2*.beancount"), *draft.files(SUSPENSE)]:
        for block in syntax.blocks(draft.text(path)):
            links = block.links if block.kind == "*" else []
            if not links or not _mentions(block.text, links, name, rest):
                continue
            entry = journal_entries.read_entry(block.text)
            link, own = journal_entries.own_link(entry), str(entry.meta.get("id", ""))
            if name in {link, own} or (link.startswith(f"{kind}-") and own == rest):
                yield _Entry(link, names.get(general.customer_of(block), ""), entry)


def _mentions(text: str, links: list[str], name: str, rest: str) -> bool:
    ids = {f"  id: {syntax.quoted(one)}\n" for one in (name, rest)}
    return name in links or any(one in text for one in ids)


def _void_entry(draft: Draft, one: _Entry, reason: str) -> Struck:
    """Strike an entry out, and put together anew what it was paired with."""
    kind = next((kind for kind in _NEVER if one.link.startswith(f"{kind}-")), "")
    kind = kind or ("invoice" if one.entry.tags & NUMBERED else "")
    what = _words(one.entry)
    held = str(one.entry.meta.get("voided", ""))
    if bool(held) == bool(reason):
        return Struck(one.link, one.customer, what, changed=False, reason=held)
    if kind:
        reason, instead = _NEVER[kind]
        raise RefusedError(f"{one.link}: {reason}", todo=instead)
    if number := one.entry.meta.get(ISSUED):
        kind = one.link.partition("-")[0]
        raise RefusedError(
            f"{one.link}: it has the document {number}, which stays",
            todo=f"import a {kind} of the negative amount whose reference is "
            f"{one.entry.meta['id']}, which makes a credit note",
        )
    customer = subledgers.customers(draft).get(one.customer)
    if customer and one.entry.date < customer.open_since:
        instead = _INSTEAD.get(one.link.partition("-")[0], "write a credit note")
        raise RefusedError(
            f"{one.link}: {customer.id}'s period of {one.entry.date} is closed", todo=instead
        )
    if user := _user(draft, one.link):
        raise RefusedError(f"{one.link}: {user} speaks of it", todo="undo that one first")
    if not customer:
        imports.suspend(draft, [_struck(one.entry, reason)])
    elif one.link.startswith(pairs.PAIRED):
        entry = _struck(posting.alone(one.entry, customer.id), reason)
        pairs.replace_paired(draft, customer.id, entry)
    else:
        file = with_entries(subledgers.open_file(draft, customer.id), [_struck(one.entry, reason)])
        subledgers.put_open_file(draft, customer.id, file)
    return Struck(one.link, one.customer, what, changed=True, reason=reason or held)


def _struck(entry: data.Transaction, reason: str) -> data.Transaction:
    return (
        journal_entries.voided(entry, syntax.plain(reason))
        if reason
        else journal_entries.restored(entry)
    )


def _words(entry: data.Transaction) -> str:
    """An entry in a few words: what it was, not that it is zero."""
    units = journal_entries.restored(entry).postings[0].units
    amount = ""
    if units and units.number is not None:
        amount = f"{money.text(money.micro(units.number), 2)} {units.currency}"
    return ", ".join(filter(None, (entry.payee, entry.narration, str(entry.date), amount)))


def _user(draft: Draft, link: str) -> str:
    """The link of an entry that undoes or moves a payment, or takes a write-off back."""
    name = re.escape(link)
    mark = re.compile(
        rf'^  (?:payment: "{name}"|recovers: "(?:[^"]*, )?{name} [^"]*")$', re.MULTILINE
    )
    for path in [*draft.files(GENERAL, "2*.beancount"), *draft.files(SUSPENSE)]:
        if mark.search(text := draft.text(path)):
            for block in syntax.blocks(text):
                if mark.search(block.text) and (names := block.links):
                    return names[0]
    return ""


# ---- calls ----


def _calls(draft: Draft, name: str, on: dt.date | None) -> Iterator[_Call]:
    """Calls of days that may be open that a name means."""
    first = min(
        (one.open_since for one in subledgers.customers(draft).values()), default=dt.date.max
    )
    days = [day for day in sorted(detail.digests(draft)) if on in {None, day} and day >= first]
    late = [day for day in sorted(detail.digests(draft)) if day not in days and on in {None, day}]
    for day in [*days, *late]:
        calls = detail.read(
            draft.root, day, detail.digests(draft), ["switch", "uid", "seq", "late_in"]
        )
        short = pc.binary_join_element_wise(calls["switch"], calls["uid"], "/")
        full = pc.binary_join_element_wise(short, calls["seq"], "/")
        found = pc.or_(pc.equal(calls["uid"], name), pc.equal(short, name))
        for place in np.flatnonzero(np.asarray(pc.or_(found, pc.equal(full, name)))).tolist():
            row = calls.slice(place, 1).to_pylist()[0]
            yield _Call(day, place, identity(row["switch"], row["uid"], row["seq"]))


def _void_call(draft: Draft, one: _Call, reason: str) -> Struck:
    """Strike a call out: it costs nothing, and its day is folded anew."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        folder = Folder(draft, pool)
        calls = detail.verified(draft.root, one.day, detail.digests(draft))
        row = calls.slice(one.place, 1).to_pylist()[0]
        price = money.text(row["cost_micro"] + row["voided_micro"], 2)
        seconds = f"{row['seconds']} s to {row['called']}"
        what = (
            f"call of {one.day}, {seconds}, {price} {subledgers.currency(draft, row['customer'])}"
        )
        if bool(row["void"]) == bool(reason):
            return Struck(one.name, row["customer"], what, changed=False, reason=row["void"])
        if sealed(calls, one.day, folder.opened)[one.place].as_py():
            raise RefusedError(
                f"{one.name}: {row['customer']}'s period of {one.day} is closed",
                todo="write a credit note",
            )
        reasons = calls["void"].to_pylist()
        reasons[one.place] = syntax.plain(reason)
        calls = detail.voided(calls, pa.array(reasons, pa.string()))
        folder.write(one.day, calls, [row["customer"]], [])
        folder.finish()
    return Struck(one.name, row["customer"], what, changed=True, reason=reason or row["void"])
