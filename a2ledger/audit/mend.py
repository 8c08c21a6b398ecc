"""What the program wrote, brought back from what it derives from: `doctor --mend`.

Nothing that a person writes is touched but the part of it that is the program's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from a2ledger import accounts
from a2ledger.audit import hand_edits, shapes
from a2ledger.book import paths
from a2ledger.book.book import DIGESTS, BrokenBookError, Draft
from a2ledger.book.paths import Writer
from a2ledger.calls import detail
from a2ledger.calls.fold import Folder
from a2ledger.journal import customer_file, shards, subledgers, summary, syntax

_DAY = re.compile(r"calls/\d{4}-\d\d/(\d{4}-\d\d-\d\d)\.parquet")
_PERIOD = re.compile(r"journals/(\d{4}-\d\d)/(.+)\.(\d\d)\.beancount$")


def mend(draft: Draft) -> list[str]:
    """Bring back what only the program writes, take what people wrote, and publish it.

    Returns:
        the paths that were brought back.

    Raises:
        BrokenBookError: naming what a person has to put right; the rest is brought back.
    """
    _restore(draft, draft.vault.changed_by_hand())
    _digests(draft)
    brought = _publish(draft)
    hand_edits.adopt(draft)
    draft.rebuild = _is_unsound(draft)
    _fold(draft)
    summary.summarise(draft)
    draft.rebuild = False
    return sorted({*brought, *_publish(draft)})


def _publish(draft: Draft) -> list[str]:
    brought = sorted(draft.put_files)
    if brought:
        draft.publish("mended\n\n" + "".join(f"{path}\n" for path in brought))
        draft.forget()
    return brought


def _restore(draft: Draft, changes: Mapping[str, str]) -> None:
    """Put what was published in place of files that only the program writes, and parts of them."""
    customers = _customers(draft)
    for path, how in changes.items():
        kind = paths.kind(path)
        text = draft.vault.was(path)
        if kind is None or not kind.in_git or how == "new" or not text:
            continue
        match = _PERIOD.match(path)
        is_closed = match is not None and f"{match[1]}-{match[3]}" in customers.get(match[2], ())
        is_ours = kind.writer is Writer.PROGRAM and path != DIGESTS
        is_gone = how == "gone" and kind.writer is Writer.BOTH
        if kind.is_frozen or is_closed or is_ours or is_gone:
            draft.put(path, text)
        elif match and how == "edited":
            start = dt.date.fromisoformat(f"{match[1]}-{match[3]}")
            _own_part(draft, path, text, match[2], start)


def _customers(draft: Draft) -> dict[str, set[str]]:
    """Return the days on which closed periods of each customer begin, as they were published."""
    found = {}
    for path in draft.vault.published.files:
        if path.startswith("journals/customers/"):
            try:
                customer = customer_file.parse(draft.vault.was(path))
            except ValueError:
                continue
            found[customer.id] = {str(start) for start in customer.periods[:-1]}
    return found


def _own_part(draft: Draft, path: str, before: str, name: str, start: dt.date) -> None:
    """Put the program's part of an open period's file back: what is above the marker stays.

    Of that, balances and seals brought forward are the program's, too.
    """
    try:
        after = draft.text(path)
    except BrokenBookError:
        return  # named by whoever reads it: no part of it can be told from the others
    head, _, usage = before.partition(syntax.MARKER)
    if after.count(syntax.MARKER) != 1:
        return
    edited = syntax.blocks(after.partition(syntax.MARKER)[0])
    ours = [block for block in syntax.blocks(head) if _is_ours(block)]
    theirs = [block for block in edited if not _is_ours(block)]
    text = syntax.joined([*ours, *theirs]) + syntax.MARKER + usage
    rules = hand_edits.rules(draft, start, shapes.own_accounts(name))
    if not list(shapes.period(path, before, text, rules)):
        draft.put(path, text)


def _is_ours(block: syntax.Block) -> bool:
    first = block.text.partition("\n")[0]
    return block.kind == "balance" or ' custom "a2ledger-' in first


def _digests(draft: Draft) -> None:
    """Make ``DIGESTS`` anew from the days of calls, where it is not what was published."""
    if DIGESTS not in draft.vault.changed_by_hand():
        return
    was = draft.vault.was(DIGESTS)
    known = detail.parse_digests(was) if was else {}
    for file in sorted((draft.root / "calls").glob("*/*.parquet")):
        path = str(file.relative_to(draft.root))
        if match := _DAY.fullmatch(path):
            day = dt.date.fromisoformat(match[1])
            known.setdefault(day, detail.digest(detail.load(draft.root, day)))
    draft.put(DIGESTS, detail.written_digests(known))


def _is_unsound(draft: Draft) -> bool:
    """Return whether the general ledger is not what the customers' own ledgers add up to."""
    sums: dict[str, int] = {}
    for customer in subledgers.customers(draft).values():
        for start in customer.periods:
            path = customer_file.period_path(customer.id, start)
            for leg in syntax.legs(draft.text(path)):
                if leg.account.startswith(accounts.RECEIVABLE):
                    sums[leg.account] = sums.get(leg.account, 0) + leg.micro
    for path in shards.months(draft):
        for leg in syntax.legs(draft.text(path)):
            if leg.account.startswith(accounts.RECEIVABLE):
                sums[leg.account] = sums.get(leg.account, 0) - leg.micro
    return any(sums.values())


_Sums = dict[tuple[str, str, bool], tuple[int, int, int]]
"""Calls, seconds and micro-units by service, VAT code, and whether they are late."""


def _fold(draft: Draft) -> None:
    """Write usage of open periods anew where it is not what the days of calls add up to."""
    opened = {name: one.open_since for name, one in subledgers.customers(draft).items()}
    posted: dict[dt.date, dict[str, _Sums]] = {}
    for name in opened:
        for row in subledgers.open_file(draft, name).usage:
            sums = posted.setdefault(row.day, {}).setdefault(name, {})
            key = (row.service, row.vat, row.late_from is not None)
            sums[key] = (row.calls, row.seconds, row.micro)
    days = detail.digests(draft)
    with ThreadPoolExecutor(1) as pool:
        folder = Folder(draft, pool)
        for day in sorted({*days, *posted}):
            if day in days and not (draft.root / detail.path(day)).is_file():
                continue  # a clone; whoever needs that day says what to do
            calls = detail.verified(draft.root, day, days)
            wanted: dict[str, _Sums] = {}
            for folded in detail.fold(calls, opened):
                if (folded.late_in or day) >= opened[folded.customer]:
                    sums = wanted.setdefault(folded.customer, {})
                    late = folded.late_in is not None
                    counts = (folded.calls, folded.seconds, folded.micro)
                    sums[folded.service, folded.vat, late] = counts
            there = posted.get(day, {})
            names = [name for name in {*wanted, *there} if wanted.get(name) != there.get(name)]
            if names:
                folder.write(day, calls, sorted(names), ())
        folder.finish()
