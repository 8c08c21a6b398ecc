"""What a person may write into the journals that the program writes, too.

A list of what is bad is never whole. So what was edited is parsed, and taken only if it has become
something every later command can live with: the table stands in docs/book.md, "By hand". The
program reads journals as text, block by block; so an edit is taken only if Beancount's parser
reads each block as the program does, and nothing between them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from beancount.core import data
from beancount.core.number import MISSING
from beancount.parser import parser

from a2ledger import accounts, money
from a2ledger.corrections.postings import SOURCE
from a2ledger.journal import admission, customer_file, syntax
from a2ledger.journal.syntax import Block
from a2ledger.period import FIRST_DAY, LAST_DAY
from a2ledger.records import SETTLED, Problem

_FLAGS = {"*", "!"}
_BESIDE = {"note", "event", "custom"}
"""Directives beside transactions that change no balance."""
_RESERVED_TAGS = {"invoice", "credit-note", "statement", "rounding", "release", "tax-point"}
"""Tags by which the program knows what a close has written."""
_RESERVED_META = {"calls", "seconds", "late_from", "voided", "number", "original", "fee"}
"""Metadata by which the program knows what it has written itself."""
_IDENTITY = re.compile(
    rf"(payment|refill|charge|opening|fee|rerate|statement|adopted|deferral)-.+-|[a-z-]+-{SOURCE}-"
)
"""How links begin by which the program knows an entry that it has posted."""
_PREFIX = "a2ledger-"
"""How custom directives of the program begin."""
_OURS = re.compile(r'\d{4}-\d\d-\d\d custom "((?:a2ledger|fava)-[a-z]+)" ')
_HEADS = ("option", "include", "open")
"""Directives of a customer's own ledger that only the program writes."""
_FACTS = ("a2ledger-set", "a2ledger-fee")
_COMMENTS = re.compile(r"(?:[ \t\r]*(?:;[^\n]*)?(?:\n|$))*")
_CORRECT = "correct it, or take it away"


class Rules(NamedTuple):
    """What holds for the entries of a file.

    Attributes:
        start: the first day that is open.
        accounts: a customer's own; none in a file of money that is nobody's.
        codes: VAT codes that there are.
        documents: links that are documents'.
    """

    start: dt.date
    accounts: tuple[str, ...]
    codes: AbstractSet[str]
    documents: AbstractSet[str]


class Lines(NamedTuple):
    """A block of a file, without what follows it, and the line on which it begins."""

    line: int
    block: Block
    text: str
    after: str
    """What follows it: blank lines and comments."""


def _lines(text: str) -> Iterator[Lines]:
    line = 1
    for block in syntax.blocks(text):
        after = syntax.tail(block.text) if block.kind else block.text
        own = block.text.removesuffix(after) if after else block.text
        yield Lines(line, block, own.rstrip(), after)
        line += block.text.count("\n")


def own_accounts(identity: str) -> tuple[str, ...]:
    """Return the accounts of a customer that an entry in their file may move."""
    names = (accounts.billed, accounts.unbilled, accounts.deposits)
    return tuple(name(identity) for name in names)


def period(path: str, before: str, after: str, rules: Rules) -> Iterator[Problem]:
    """Yield what is wrong with what was edited in the file of a customer's open period.

    Args:
        path: of the file.
        before: its text as it was published.
        after: its text now.
        rules: for its entries.
    """
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
    yield from _entries(path, head, edited, rules)


def suspense(path: str, before: str, after: str, rules: Rules) -> Iterator[Problem]:
    """Yield what is wrong with what was edited of money that is no customer's yet."""
    yield from _entries(path, before, after, rules)


def _entries(path: str, before: str, after: str, rules: Rules) -> Iterator[Problem]:
    """Yield what is wrong with the entries that were edited in a file."""
    yield from _gone(path, before, after)
    then = {link: one.block for one in _lines(before) for link in one.block.links}
    for one in _edited(before, after):
        if one.block.kind:
            yield from _entry(path, one, then, rules)
        yield from _between(path, one)
    for link, count in Counter(
        link
        for one in _lines(after)
        if one.block.kind in _FLAGS and (link := one.block.own_link) in then
    ).items():
        if count > 1:
            todo = "take the copy away, or give it no link"
            yield Problem(path, 0, "entry", f"the entry ^{link} stands there twice", todo=todo)


def _edited(before: str, after: str) -> Iterator[Lines]:
    """Yield the blocks that were not there before, or not so often."""
    known = Counter((one.text, one.after.strip()) for one in _lines(before))
    for one in _lines(after):
        key = (one.text, one.after.strip())
        if known[key] > 0:
            known[key] -= 1
        else:
            yield one


def _between(path: str, one: Lines) -> Iterator[Problem]:
    """Yield what stands behind a block and is neither blank nor a comment."""
    match = _COMMENTS.match(one.after)
    rest = one.after[match.end() if match else 0 :]
    if not rest:
        return
    line = one.line + one.block.text.count("\n") - rest.count("\n")
    said = f"is no entry as a2ledger reads it: {rest.partition(chr(10))[0][:80]}"
    todo = "begin it with YYYY-MM-DD and one space, a comment with ;"
    yield Problem(path, line, "line", said, todo=todo)


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
                    f"bring it back with `git checkout HEAD -- {path}`, or `git revert` if the "
                    f"change was committed; `a2ledger void {link} REASON` strikes it out"
                )
                yield Problem(path, 0, "entry", f"the entry ^{link} is gone", todo=todo)


def _parsed(text: str) -> tuple[data.Directive | None, str]:
    """Return the one directive that Beancount reads in a block, or what it says instead."""
    if objections := admission.objections(text):
        return None, objections[0].message
    entries, errors, _ = parser.parse_string(text)
    if errors:
        return None, " ".join(str(errors[0].message).split())
    if len(entries) != 1:
        return None, f"Beancount reads {len(entries)} entries here, and a2ledger one"
    return entries[0], ""


def _entry(path: str, one: Lines, then: Mapping[str, Block], rules: Rules) -> Iterator[Problem]:
    """Yield what keeps an edited entry from being one of a customer's, or of suspense."""
    kind, first = one.block.kind, one.text.partition("\n")[0]

    def wrong(check: str, what: str, todo: str = _CORRECT) -> Problem:
        return Problem(path, one.line, check, what, todo=todo)

    if kind not in _FLAGS | _BESIDE:
        what = f"{kind!r} may not stand here, only entries with * or !, and notes"
        yield wrong("directive", what, "take it away")
        return
    entry, said = _parsed(one.text)
    if entry is None:
        yield wrong("entry", f"{said}: {first[:80]}")
    elif not isinstance(entry, data.Transaction):
        yield from _beside(path, one, entry)
    elif kind not in _FLAGS:
        yield wrong("entry", f"Beancount and a2ledger read this otherwise: {first[:80]}")
    elif said := _otherwise(one.block, entry):
        todo = "write each on its own line, metadata behind two blanks, a posting's behind four"
        yield wrong("entry", f"Beancount and a2ledger read other {said} here: {first[:80]}", todo)
    else:
        was = then.get(one.block.own_link)
        for check, what, todo in _head(one.block, entry, rules, then, was):
            yield wrong(check, what, todo)
        for check, what in _postings(one.block, entry, rules):
            yield wrong(check, f"{what}: {first[:80]}")


def _beside(path: str, one: Lines, entry: data.Directive) -> Iterator[Problem]:
    """Yield what keeps a note, event or custom directive from being one of a person's."""
    first = one.text.partition("\n")[0]
    if isinstance(entry, data.Custom) and entry.type.startswith((_PREFIX, "fava-")):
        what = f"only a2ledger writes this here: {first[:80]}"
        yield Problem(path, one.line, "directive", what, todo="take it away")
    elif (
        not isinstance(entry, data.Custom | data.Note | data.Event)
        or str(entry.date) != one.block.date
        or not FIRST_DAY <= entry.date <= LAST_DAY
    ):
        what = f"is no note, event or custom directive of a day: {first[:80]}"
        yield Problem(path, one.line, "directive", what, todo=_CORRECT)


def _otherwise(block: Block, entry: data.Transaction) -> str:
    """Return what of an entry Beancount reads otherwise than the program; empty if nothing."""
    try:
        legs = [(leg.account, leg.micro, leg.currency) for leg in block.legs]
        codes = [leg.meta.get("vat") for leg in block.postings]
        theirs = [_amount(leg) for leg in entry.postings]
    except ValueError as error:
        return f"amounts ({error})"
    if None not in theirs and theirs != legs:
        return "amounts"
    own = {key: value for key, value in entry.meta.items() if key not in {"filename", "lineno"}}
    texts = {key: value for key, value in own.items() if isinstance(value, str)}
    strings = [text for text in (entry.payee, entry.narration) if text is not None]
    pairs: list[tuple[str, Any, Any]] = [
        ("days", block.date, str(entry.date)),
        ("links", set(block.links), set(entry.links)),
        ("tags", block.tags, entry.tags),
        ("texts", block.strings or [""], strings or [""]),
        ("metadata", set(block.meta), set(own)),
        ("metadata", texts, {key: block.meta.get(key) for key in texts}),
    ]
    if None not in theirs:
        pairs.append(("VAT codes", codes, [(leg.meta or {}).get("vat") for leg in entry.postings]))
    return next((name for name, ours, other in pairs if ours != other), "")


def _amount(leg: data.Posting) -> tuple[str, int, str] | None:
    """Return a posting as the program reads one; None if it is not one of a plain amount."""
    if leg.cost is not None or leg.price is not None or leg.units in {None, MISSING}:
        return None
    if MISSING in {leg.units.number, leg.units.currency}:
        return None
    return leg.account, money.parse(f"{leg.units.number:f}"), leg.units.currency


def _head(
    block: Block,
    entry: data.Transaction,
    rules: Rules,
    then: Mapping[str, Block],
    was: Block | None,
) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with the day, tags, links and metadata of an entry by hand."""
    if not rules.start <= entry.date <= LAST_DAY:
        what = f"{entry.date} is not in the open period, which begins on {rules.start}"
        yield ("date", what, f"date it {rules.start} or later")
    for tag in sorted(entry.tags & _RESERVED_TAGS) if was is None else ():
        yield "tag", f"#{tag} is what only a close or a credit note writes", "take it off"
    for key in sorted(_RESERVED_META & block.meta.keys()):
        if was is None or was.meta.get(key) != block.meta[key]:
            yield "metadata", f"{key}: is metadata that only a2ledger writes", "take it off"
    for link in sorted(entry.links - then.keys()):
        if link in rules.documents:
            yield "link", f"^{link} is a document, which no entry by hand is", "take it off"
        elif _IDENTITY.match(link):
            what = f"^{link} is the identity of an entry that a2ledger posts"
            yield "link", what, "take it off, or have a2ledger post it"


def _postings(block: Block, entry: data.Transaction, rules: Rules) -> Iterator[tuple[str, str]]:
    """Yield what keeps postings from being ones of an entry by hand: check and complaint."""
    left: dict[str, int] = {}
    for leg in entry.postings:
        amount = _amount(leg)
        if amount is None:
            yield "amount", f"write every amount as a plain number: {leg.account}"
            return
        _, micro, currency = amount
        left[currency] = left.get(currency, 0) + micro
        yield from _posting(leg, micro, rules)
    for currency, rest in left.items():
        if rest:
            yield "balance", f"{money.text(rest)} {currency} left over"
    if rules.accounts and not {leg.account for leg in block.legs} & set(rules.accounts):
        yield "customer", "an entry here needs a posting to the customer's own"


def _posting(leg: data.Posting, micro: int, rules: Rules) -> Iterator[tuple[str, str]]:
    """Yield what keeps a posting of a plain amount from being one of an entry by hand."""
    account, currency = leg.account, leg.units.currency if leg.units else ""
    if account.startswith(accounts.OWN) and account not in rules.accounts:
        yield "customer", f"{account} is another customer's, or nobody's"
    elif account.endswith(":Billed") and money.is_finer(micro, currency):
        yield "amount", f"{account} has as many decimals as {currency}, and no more"
    elif account.endswith(":Unbilled"):
        code = (leg.meta or {}).get("vat")
        if code is None:
            yield "vat", 'a posting to Unbilled needs `vat: "CODE"`'
        elif code not in rules.codes:
            yield "vat", f"no VAT code {code!r} in a2ledger.toml"


def customer(path: str, before: str, after: str) -> Iterator[Problem]:
    """Yield what is wrong with what was edited in a customer's own ledger, but for its facts."""
    for one in _edited(before, after):
        kind, first = one.block.kind, one.text.partition("\n")[0]
        yield from _between(path, one)
        if not kind or kind in _HEADS:
            continue
        if kind not in _BESIDE:
            bad = customer_file.foreign_entry(one.line, kind, first)
            yield Problem(path, bad.line, "directive", str(bad), todo=bad.todo)
            continue
        entry, said = _parsed(one.text)
        is_fact = (match := _OURS.match(one.text)) and match[1] in _FACTS and "\n" not in one.text
        if entry is None:
            yield Problem(path, one.line, "entry", f"{said}: {first[:80]}", todo=_CORRECT)
        elif is_fact and isinstance(entry, data.Custom):
            yield from _day(path, one, entry)
        else:
            yield from _beside(path, one, entry)
    if before:
        yield from _kept(path, before, after)


def _day(path: str, one: Lines, entry: data.Custom) -> Iterator[Problem]:
    if not FIRST_DAY <= entry.date <= LAST_DAY:
        what = f"{entry.date} is no day of a book: they end with {LAST_DAY}"
        yield Problem(path, one.line, "date", what, todo=_CORRECT)


def _kept(path: str, before: str, after: str) -> Iterator[Problem]:
    """Yield what was edited of what makes it a customer's ledger."""
    todo = f"bring it back with `git checkout HEAD -- {path}`"
    for kind in _HEADS:
        then, now = (
            sorted(_head_of(block) for block in syntax.blocks(text) if block.kind == kind)
            for text in (before, after)
        )
        if then != now:
            other = next(iter([*(set(then) ^ set(now)), *now]))
            what = f"only a2ledger writes `{kind}` here, and it is other than it was: {other[:80]}"
            yield Problem(path, _line_of(after, other), kind, what, todo=todo)
    try:
        kept, edited = customer_file.parse(before), customer_file.parse(after)
    except ValueError:
        return  # which is said by whoever reads it
    if kept.id != edited.id:
        yield Problem(path, 0, "id", f"is of {kept.id}: that does not change", todo=todo)
    if kept.facts.get(SETTLED) != edited.facts.get(SETTLED):
        what = "`settled` is written by `close --final` and `customer reopen` alone"
        yield Problem(path, 0, "settled", what, todo=todo)


def _head_of(block: Block) -> str:
    """Return the first line of a directive, as it is but for blanks and comments."""
    return " ".join(block.text.partition("\n")[0].partition(";")[0].split())


def _line_of(text: str, first: str) -> int:
    """Return the line on which a directive begins; 0 if it is not there."""
    found = (one.line for one in _lines(text) if _head_of(one.block) == first)
    return next(found, 0)


def _mend(path: str) -> str:
    return f"`a2ledger doctor --mend` writes it anew, or `git checkout HEAD -- {path}`"
