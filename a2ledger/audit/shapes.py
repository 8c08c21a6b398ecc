"""What a person may write into the journals that the program writes, too.

A list of what is bad is never whole. So what was edited is parsed, and taken only if it has become
something every later command can live with: the table stands in docs/book.md, "By hand".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from beancount.core import data
from beancount.core.number import MISSING
from beancount.parser import parser

from a2ledger import accounts
from a2ledger.journal import customer_file, syntax
from a2ledger.journal.syntax import Block
from a2ledger.period import FIRST_DAY, LAST_DAY
from a2ledger.records import SETTLED, Problem

_FLAGS = {"*", "!"}
_BESIDE = {"note", "event", "custom"}
"""Directives beside transactions that change no balance."""
_RESERVED_TAGS = {"invoice", "credit-note", "statement", "rounding", "release", "tax-point"}
"""Tags by which the program knows what a close has written."""
_OURS = re.compile(r'\d{4}-\d\d-\d\d custom "(a2ledger-[a-z]+|fava-[a-z]+)"')
_FACTS = ("a2ledger-set", "a2ledger-fee")
_SET = re.compile(r'custom "a2ledger-set" "([a-z0-9_]+)"')
_OF_PERIODS = {"vat", "cycle", "billing_day", "currency"}
"""Facts that decide what a closed period was: they change where an open one starts."""


class Lines(NamedTuple):
    """A block of a file, without what follows it, and the line on which it begins."""

    line: int
    block: Block
    text: str


def _lines(text: str) -> Iterator[Lines]:
    line = 1
    for block in syntax.blocks(text):
        after = syntax.tail(block.text) if block.kind else ""
        own = block.text.removesuffix(after) if after else block.text
        yield Lines(line, block, own.rstrip())
        line += block.text.count("\n")


def period(
    path: str, before: str, after: str, *, owner: str, start: dt.date, documents: AbstractSet[str]
) -> Iterator[Problem]:
    """Yield what is wrong with what was edited in the file of a customer's open period.

    Args:
        path: of the file.
        before: its text as it was published.
        after: its text now.
        owner: the customer's part of account names.
        start: the period's first day.
        documents: names that are documents'.
    """
    own = (accounts.RECEIVABLE + owner + ":", accounts.DEPOSITS + owner)
    if before and after.count(syntax.MARKER) != 1:
        what = "the line that says where usage begins is gone or doubled"
        yield Problem(path, 0, "marker", what, todo=_mend(path))
        return
    head, _, usage = before.partition(syntax.MARKER)
    edited, _, usage_now = after.partition(syntax.MARKER)
    if before and usage != usage_now:
        line = edited.count("\n") + 2
        what = "usage, which a2ledger writes from the calls, was changed by hand"
        yield Problem(path, line, "usage", what, todo=_mend(path))
    known = {one.text for one in _lines(head)}
    yield from _gone(path, head, edited)
    links = {link for one in _lines(head) for link in one.block.links}
    for one in _lines(edited):
        if one.text in known or not one.block.kind:
            continue
        yield from _entry(path, one, start, links, documents, own)


def suspense(path: str, before: str, after: str, documents: AbstractSet[str]) -> Iterator[Problem]:
    """Yield what is wrong with what was edited of money that is no customer's yet."""
    known = {one.text for one in _lines(before)}
    links = {link for one in _lines(before) for link in one.block.links}
    yield from _gone(path, before, after)
    for one in _lines(after):
        if one.text not in known and one.block.kind:
            yield from _entry(path, one, FIRST_DAY, links, documents, ())


def _gone(path: str, before: str, after: str) -> Iterator[Problem]:
    """Yield what the program wrote, and somebody took away."""
    kept = {one.text for one in _lines(after)}
    links = {link for one in _lines(after) for link in one.block.links}
    for one in _lines(before):
        first = one.text.partition("\n")[0]
        if one.text not in kept and (one.block.kind == "balance" or _OURS.match(one.text)):
            is_seal = "a2ledger-seal" in first
            what = (
                "the seal of the period before was changed"
                if is_seal
                else f"what the close brought forward was changed: {first}"
            )
            yield Problem(path, 0, "seal", what, todo=_mend(path))
        for link in one.block.links if one.block.kind in _FLAGS else ():
            if link not in links:
                todo = (
                    f"bring it back with `git checkout HEAD -- {path}`; "
                    f"`a2ledger void {link} REASON` strikes it out"
                )
                yield Problem(path, 0, "entry", f"the entry ^{link} is gone", todo=todo)


def _entry(
    path: str,
    one: Lines,
    start: dt.date,
    links: AbstractSet[str],
    documents: AbstractSet[str],
    own: tuple[str, ...],
) -> Iterator[Problem]:
    """Yield what keeps an edited entry from being one of a customer's, or of suspense."""

    def wrong(check: str, what: str, todo: str = "correct it, or take it away") -> Problem:
        return Problem(path, one.line, check, what, todo=todo)

    kind, first = one.block.kind, one.text.partition("\n")[0]
    if kind in _BESIDE:
        if _OURS.match(one.text):
            yield wrong("directive", f"only a2ledger writes this here: {first}", "take it away")
        return
    if kind not in _FLAGS:
        what = f"{kind!r} may not stand here, only entries with * or !, and notes"
        yield wrong("directive", what, "take it away")
        return
    entries, errors, _ = parser.parse_string(one.text)
    if errors or len(entries) != 1 or not isinstance(entries[0], data.Transaction):
        said = " ".join(str(errors[0].message).split()) if errors else "is no single entry"
        yield wrong("entry", f"{said}: {first}")
        return
    entry = entries[0]
    for check, what, todo in _head(entry, start, links, documents):
        yield wrong(check, what, todo)
    for leg in entry.postings:
        if complaint := _leg(leg, own):
            check, what = complaint
            yield wrong(check, f"{what}: {first}")


def _head(
    entry: data.Transaction, start: dt.date, links: AbstractSet[str], documents: AbstractSet[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with the day, tags and links of an entry by hand."""
    if not start <= entry.date <= LAST_DAY:
        what = f"{entry.date} is not in the open period, which begins on {start}"
        yield ("date", what, f"date it {start} or later")
    if not entry.links & links:
        for tag in sorted(entry.tags & _RESERVED_TAGS):
            what = f"#{tag} is what only a close or a credit note writes"
            yield "tag", what, "take it off"
    for link in sorted((entry.links & documents) - links):
        yield ("link", f"^{link} is a document, which no entry by hand is", "take it off")


def _leg(leg: data.Posting, own: tuple[str, ...]) -> tuple[str, str] | None:
    """Return what keeps a posting from being one of an entry by hand: check and complaint."""
    if leg.cost is not None or leg.price is not None or leg.units in {None, MISSING}:
        return "amount", f"write a plain amount for {leg.account}"
    if leg.account.startswith(accounts.OWN) and not leg.account.startswith(own or "-"):
        return "customer", f"{leg.account} is another customer's"
    return None


def customer(path: str, before: str, after: str) -> Iterator[Problem]:
    """Yield what is wrong with what was edited in a customer's own ledger."""
    known = {one.text for one in _lines(before)}
    for one in _lines(after):
        kind, first = one.block.kind, one.text.partition("\n")[0]
        if one.text in known or not kind or kind in {"option", "include"}:
            continue
        is_ours = _OURS.match(one.text)
        allowed = kind in {"open", "note", "event"} or (
            kind == "custom" and (not is_ours or is_ours[1] in _FACTS)
        )
        if not allowed:
            what = f"{kind!r} may not stand in a customer's own ledger: {first}"
            todo = "write entries into the file of the open period"
            yield Problem(path, one.line, "directive", what, todo=todo)
    if before:
        yield from _closed(path, before, after)


def _closed(path: str, before: str, after: str) -> Iterator[Problem]:
    """Yield what was edited of closed periods."""
    try:
        then, now = customer_file.parse(before), customer_file.parse(after)
    except ValueError:
        return  # which is said by whoever reads it
    todo = f"bring it back with `git checkout HEAD -- {path}`"
    if then.opened != now.opened or then.id != now.id:
        what = f"was opened on {then.opened} as {then.id}: that does not change"
        yield Problem(path, 0, "opened", what, todo=todo)
    if then.periods != now.periods:
        what = "includes other periods than it has: only a close adds one"
        yield Problem(path, 0, "periods", what, todo=todo)
    if then.facts.get(SETTLED) != now.facts.get(SETTLED):
        what = "`settled` is written by `close --final` and `customer reopen` alone"
        yield Problem(path, 0, "settled", what, todo=todo)
    for key in sorted(_OF_PERIODS):
        sets = [
            {change for change in one.facts.get(key, ()) if change[0] < then.open_since}
            for one in (then, now)
        ]
        if sets[0] != sets[1]:
            day = min(change[0] for change in sets[0] ^ sets[1])
            what = f"{key} of {day}: that day is in a closed period"
            yield Problem(path, _line_of(after, key, day), "closed", what, todo=todo)


def _line_of(text: str, key: str, day: dt.date) -> int:
    for one in _lines(text):
        match = _SET.search(one.text)
        if match and match[1] == key and one.block.date == str(day):
            return one.line
    return 0


def _mend(path: str) -> str:
    return f"`a2ledger doctor --mend` writes it anew, or `git checkout HEAD -- {path}`"
