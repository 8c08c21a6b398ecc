"""Void an entry or a call of the open period, keeping its identity.

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
from a2ledger.book.book import SUSPENSE, Draft, RefusedError
from a2ledger.calls import detail
from a2ledger.calls.fold import Folder, sealed
from a2ledger.calls.identity import identity
from a2ledger.corrections import correct, transfer
from a2ledger.journal import entries as journal_entries
from a2ledger.journal import general, shards, subledgers, syntax
from a2ledger.journal.entries import ISSUED, NUMBERED
from a2ledger.journal.period_file import with_entries
from a2ledger.payments import imports, pairs, posting, remainder

_INSTEAD = {
    "payment": "return or refund it",
    "refill": "refund it",
    "opening": "post a charge or a credit note",
}
"""Advice per entry kind when the period is closed (default: write a credit note)."""

_NEVER = {
    "transfer": ("moves money between customers", "transfer it back"),
    "credit-note": ("is an issued document", "it cannot be voided"),
    "invoice": ("is a numbered document", "credit it"),
}


def is_voidable(block: syntax.Block) -> bool:
    """Return True if an entry of an open period may be voided: it is no document and moves nothing.

    Something that refers to it may still be in the way.
    """
    return (
        block.kind == "*"
        and not block.tags & NUMBERED
        and ISSUED not in block.meta
        and bool(block.own_link)
        and not block.own_link.startswith(tuple(f"{kind}-" for kind in _NEVER))
    )


class Struck(NamedTuple):
    """An entry or call that was voided or restored."""

    name: str
    customer: str
    """Empty for money in suspense."""
    what: str
    """A description for people."""
    changed: bool
    """False if it was in that state already."""
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
    """Void an entry or a call, or restore it if no reason is given.

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
        candidate
        for candidate in _entries(draft, name)
        if on in {None, journal_entries.own_day(candidate.entry)}
    ]
    calls = [] if entries else list(_calls(draft, name, on))
    if len(entries) + len(calls) > 1:
        names = sorted(candidate.link for candidate in entries) + [
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
    """Yield the entries that a name refers to."""
    kind, _, rest = name.partition("/")
    names = {accounts.component(known): known for known in subledgers.customers(draft)}
    for path in [*shards.months(draft), *draft.files(SUSPENSE)]:
        for block in syntax.blocks(draft.text(path)):
            links = block.links if block.kind == "*" else []
            if not links or not _mentions(block.text, links, name, rest):
                continue
            entry = journal_entries.read_entry(block.text)
            link, own = journal_entries.own_link(entry), str(entry.meta.get("id", ""))
            if name in {link, own} or (link.startswith(f"{kind}-") and own == rest):
                yield _Entry(link, names.get(general.customer_of(block), ""), entry)


def _mentions(text: str, links: list[str], name: str, rest: str) -> bool:
    ids = {f"  id: {syntax.quoted(identity)}\n" for identity in (name, rest)}
    return name in links or any(identity in text for identity in ids)


def _void_entry(draft: Draft, target: _Entry, reason: str) -> Struck:
    """Void an entry, and pair anew what it was paired with."""
    kind = next((kind for kind in _NEVER if target.link.startswith(f"{kind}-")), "")
    kind = kind or ("invoice" if target.entry.tags & NUMBERED else "")
    words = _words(target.entry)
    held = str(target.entry.meta.get("voided", ""))
    if bool(held) == bool(reason):
        return Struck(target.link, target.customer, words, changed=False, reason=held)
    if kind:
        reason, instead = _NEVER[kind]
        raise RefusedError(f"{target.link}: {reason}", todo=instead)
    if number := target.entry.meta.get(ISSUED):
        kind = target.link.partition("-")[0]
        raise RefusedError(
            f"{target.link}: its document {number} is issued and cannot be voided",
            todo=f"import a {kind} of the negative amount whose reference is "
            f"{target.entry.meta['id']}, which makes a credit note",
        )
    customer = subledgers.customers(draft).get(target.customer)
    if customer and target.entry.date < customer.open_since:
        instead = _INSTEAD.get(target.link.partition("-")[0], "write a credit note")
        raise RefusedError(
            f"{target.link}: {customer.id}'s period of {target.entry.date} is closed", todo=instead
        )
    if user := _user(draft, target.link):
        raise RefusedError(f"{target.link}: {user} refers to it", todo="undo that one first")
    if not reason and (about := str(target.entry.meta.get("payment", ""))):
        _check_held(draft, target, about)
    if not customer:
        imports.suspend(draft, [_struck(target.entry, reason)])
    elif target.link.startswith(pairs.PAIRED):
        entry = _struck(posting.alone(target.entry, customer.id), reason)
        pairs.replace_paired(draft, customer.id, entry)
    else:
        file = with_entries(
            subledgers.open_file(draft, customer.id), [_struck(target.entry, reason)]
        )
        subledgers.put_open_file(draft, customer.id, file)
    return Struck(target.link, target.customer, words, changed=True, reason=reason or held)


def _check_held(draft: Draft, target: _Entry, link: str) -> None:
    """Check that a payment whose return is to stand again is held as it was then.

    Raises:
        RefusedError: if it was returned, moved or voided since.
    """
    blocks = (
        correct.blocks(draft, target.customer)
        if target.customer
        else transfer.suspense_blocks(draft)
    )
    payment = remainder.held(blocks, target.customer).get(link)
    moved = correct.amount_of(target.entry, target.customer)
    if payment is None or payment.amount_micro < moved:
        raise RefusedError(
            f"{target.link}: payment {link} was returned, moved or voided since",
            todo="nothing is left of it to return",
        )


def _struck(entry: data.Transaction, reason: str) -> data.Transaction:
    return (
        journal_entries.voided(entry, syntax.plain(reason))
        if reason
        else journal_entries.restored(entry)
    )


def _words(entry: data.Transaction) -> str:
    """Describe an entry in a few words, with its original amount."""
    units = journal_entries.restored(entry).postings[0].units
    amount = ""
    if units and units.number is not None:
        amount = f"{money.text(money.micro(units.number), 2)} {units.currency}"
    return ", ".join(filter(None, (entry.payee, entry.narration, str(entry.date), amount)))


def _user(draft: Draft, link: str) -> str:
    """Return the link of an entry that undoes, moves or recovers the linked one, if any."""
    name = re.escape(link)
    mark = re.compile(
        rf'^  (?:payment: "{name}"|recovers: "(?:[^"]*, )?{name} [^"]*")$', re.MULTILINE
    )
    for path in [*shards.months(draft), *draft.files(SUSPENSE)]:
        if mark.search(text := draft.text(path)):
            for block in syntax.blocks(text):
                is_void = "voided" in block.meta
                if mark.search(block.text) and not is_void and (names := block.links):
                    return names[0]
    return ""


# ---- calls ----


def _calls(draft: Draft, name: str, on: dt.date | None) -> Iterator[_Call]:
    """Yield the calls, in days that may be open, that a name refers to."""
    first = min(
        (customer.open_since for customer in subledgers.customers(draft).values()),
        default=dt.date.max,
    )
    days = [day for day in sorted(detail.digests(draft)) if on in {None, day} and day >= first]
    late = [day for day in sorted(detail.digests(draft)) if day not in days and on in {None, day}]
    for day in [*days, *late]:
        calls = detail.read(
            draft.root, day, detail.digests(draft), ["switch", "uid", "seq", "late_in"]
        )
        short = pc.binary_join_element_wise(calls["switch"], calls["uid"], "/")
        full = pc.binary_join_element_wise(short, calls["seq"], "/")
        named = pc.or_(pc.equal(calls["uid"], name), pc.equal(short, name))
        for place in np.flatnonzero(np.asarray(pc.or_(named, pc.equal(full, name)))).tolist():
            row = calls.slice(place, 1).to_pylist()[0]
            yield _Call(day, place, identity(row["switch"], row["uid"], row["seq"]))


def _void_call(draft: Draft, call: _Call, reason: str) -> Struck:
    """Void a call: set its cost to zero and fold its day again."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        folder = Folder(draft, pool)
        calls = detail.verified(draft.root, call.day, detail.digests(draft))
        row = calls.slice(call.place, 1).to_pylist()[0]
        price = money.text(row["cost_micro"] + row["voided_micro"], 2)
        seconds = f"{row['seconds']} s to {row['called']}"
        words = (
            f"call of {call.day}, {seconds}, {price} {subledgers.currency(draft, row['customer'])}"
        )
        if bool(row["void"]) == bool(reason):
            return Struck(call.name, row["customer"], words, changed=False, reason=row["void"])
        if sealed(calls, call.day, folder.opened)[call.place].as_py():
            raise RefusedError(
                f"{call.name}: {row['customer']}'s period of {call.day} is closed",
                todo="write a credit note",
            )
        reasons = calls["void"].to_pylist()
        reasons[call.place] = syntax.plain(reason)
        calls = detail.voided(calls, pa.array(reasons, pa.string()))
        folder.write(call.day, calls, [row["customer"]], [])
        folder.finish()
    return Struck(call.name, row["customer"], words, changed=True, reason=reason or row["void"])
