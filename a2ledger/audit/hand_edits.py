"""What people edited by hand: checked, then committed first and apart, as ``manual edit``."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable

from a2ledger import accounts, money
from a2ledger.audit import settled
from a2ledger.book.book import (
    CONFIG,
    DIGESTS,
    GENERAL,
    IMPORTS,
    SUSPENSE,
    BrokenBookError,
    Draft,
    restore,
)
from a2ledger.book.config import Config
from a2ledger.journal import customer_file, general, seal, subledgers, summary, syntax
from a2ledger.journal.ledger import Ledger
from a2ledger.rating import decks
from a2ledger.records import Problem
from a2ledger.sources import runs as import_runs

_PERIOD = re.compile(r"journals/(\d{4}-\d\d)/(.+)\.(\d\d)\.beancount$")
_OWN = re.compile(r"journals/customers/(.+)\.beancount$")
_DECK = re.compile(r"tariffs/([^/]+)\.csv$")
_SHARED = (
    "journals/manual.beancount",
    "journals/chart.beancount",
    "journals/prices.beancount",
    SUSPENSE,
)
_DERIVED = (
    GENERAL,
    *(f"journals/{name}.beancount" for name in ("main", "history", "staff")),
)
_OWNED = re.compile(rf"^[^;\"]*({'|'.join(accounts.OWN)})")
_ACCOUNT = re.compile(r"^[ \t]+(?:[*!][ \t]+)?[A-Z]\w*(?::[^\s:]+)+", re.MULTILINE)
_ASSERTED = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)[ \t]+balance[ \t]+(?P<account>[^ \t;]+)")
_ALLOWED = re.compile(
    r'option "(title|operating_currency|tolerance_multiplier)" '
    r'|include "\.\./(chart|\d{4}-\d\d/(?P<id>[^/"]+)\.\d\d)\.beancount"\s*$'
)
"""What may stand in a customer's own ledger, and nowhere else."""


def adopt(draft: Draft, *, dry_run: bool = False) -> set[str]:
    """Commit hand edits, after checking that they load, with what is derived from them.

    Args:
        draft: of the book.
        dry_run: commit nothing; the draft holds what is derived from them all the same.

    Returns:
        customers whose journals were edited.

    Raises:
        BrokenBookError: naming what must be mended first; nothing is committed then.
        ConfigError: the same of ``a2ledger.toml``.
    """
    paths = draft.repository.changed_by_hand()
    if not paths:
        return set()
    assert draft.config  # noqa: S101 - read here, so that what is wrong with it is said
    problems = [problem for path in paths for problem in _problems(draft, path)]
    root = draft.root
    customers = {match[1] for path in paths if (match := _OWN.match(path))}
    customers |= {match[2] for path in paths if (match := _PERIOD.match(path))}
    derived = any(path.startswith(_DERIVED) for path in paths)
    if any(path.startswith("journals/") for path in paths) and not problems:
        # What is derived is made anew below, so it need not load as it was edited.
        tops = [] if derived else ["journals/main.beancount"]
        for top in [*tops, *map(customer_file.path, sorted(customers))]:
            if (root / top).exists():
                problems += Ledger.load(root / top).problems(root)
    if problems:
        raise BrokenBookError(problems)
    draft.rebuild = derived
    for identity in customers & subledgers.customers(draft).keys():
        draft.touch(identity, subledgers.customer(draft, identity).open_since)
    summary.summarise(draft)
    draft.rebuild = False
    if dry_run:
        draft.unwritten = set(subledgers.customers(draft)) if derived else customers
    else:
        for path in paths:
            content = (root / path).read_bytes() if (root / path).is_file() else None
            draft.put_files.setdefault(path, content)
        draft.publish("manual edit\n\n" + "".join(f"{path}\n" for path in paths))
    done = "would be committed: {}" if dry_run else "committed {}"
    draft.talk(done.format(f"{len(paths)} file(s) edited by hand"))
    return customers


def _problems(draft: Draft, path: str) -> Iterable[Problem]:
    """What one edited file does that it must not."""
    if path.startswith("invoices/") or _is_closed(draft, path):
        yield Problem(
            path,
            0,
            "frozen",
            "a closed period or a document was changed",
            todo=(
                f"bring it back with `git checkout -- {path}`, or `git revert` if the "
                "change was committed, and post a correction instead"
            ),
        )
        return
    if (draft.root / path).is_symlink():
        yield Problem(
            path, 0, "link", "is a link", todo="put the file or directory itself in its place"
        )
        return
    if path.startswith(_DERIVED):
        return
    if not path.endswith(".beancount"):
        yield from _other(draft, path)
    elif (draft.root / path).is_file():
        yield from _journal(draft, path)
    elif _OWN.match(path) or _PERIOD.match(path):
        yield Problem(path, 0, "gone", "is gone", todo=restore(path))


def _other(draft: Draft, path: str) -> Iterable[Problem]:
    """What is wrong with an edited file that is no journal."""
    there = (draft.root / path).is_file()
    if path == DIGESTS:
        yield Problem(path, 0, "digests", "was changed by hand", todo=restore(path))
    elif path == CONFIG:
        yield from settled.changed(draft)
    elif path == IMPORTS:
        import_runs.runs(draft)
    elif there and (match := _DECK.match(path)):
        try:
            decks.deck(draft, match[1])
        except BrokenBookError as error:
            # It stops nobody but those who are priced by it: their calls are quarantined.
            more = ", and more" if len(error.problems) > 1 else ""
            draft.talk(f"note: {error.problems[0]}{more}; calls that need this deck wait for it")


def _journal(draft: Draft, path: str) -> Iterable[Problem]:
    """What an edited journal does that it must not."""
    text = draft.text(path)
    for number, line in enumerate(text.split("\n"), start=1):
        if re.match(r"\s*(option|include|plugin|pushtag|poptag|pushmeta|popmeta)\b", line):
            own, allowed = _OWN.match(path), _ALLOWED.match(line)
            if not (own and allowed and allowed["id"] in {None, own[1]}):
                yield Problem(path, number, "directive", f"{line.split()[0]!r} may not stand here")
        if path.startswith(_SHARED) and _OWNED.search(line):
            yield Problem(
                path,
                number,
                "customer",
                "a customer's account may not stand here",
                todo="write the entry into his open period's file",
            )
    if path.startswith(_SHARED):
        yield from _still_moving(draft, path, text)
    if _PERIOD.match(path):
        yield from _unreadable(draft, path)
        yield from _unsealed(draft, path, text)


def _still_moving(draft: Draft, path: str, text: str) -> Iterable[Problem]:
    """Yield assertions that would be true today and not tomorrow.

    The general ledger sums up usage by month, dated the last day that has any: on a day inside a
    month what was used, and earned, is not what it will be there.
    """
    moving = [
        accounts.RECEIVABLE.rstrip(":"),
        accounts.PENDING.rstrip(":"),
        *map(accounts.income, draft.config.services),
    ]
    for number, line in enumerate(text.split("\n"), start=1):
        if (found := _ASSERTED.match(line)) is None or found["day"].endswith("-01"):
            continue
        account = found["account"]
        pairs = [(f"{each}:", f"{account}:") for each in moving]
        if any(one.startswith(other) or other.startswith(one) for one, other in pairs):
            yield Problem(
                path,
                number,
                "balance",
                (
                    f"usage moves {account} by whole months, so that its balance inside one "
                    "does not stay"
                ),
                todo="assert it on the first day of a month",
            )


def _is_closed(draft: Draft, path: str) -> bool:
    match = _PERIOD.match(path)
    if match is None:
        return False
    customer = subledgers.customers(draft).get(match[2])
    day = f"{match[1]}-{match[3]}"
    return customer is not None and day in {str(start) for start in customer.periods[:-1]}


def _unsealed(draft: Draft, path: str, text: str) -> Iterable[Problem]:
    """The seal of the period before, where it is not what git has."""
    start = dt.date.fromisoformat(f"{path.split('/')[1]}-{path.rsplit('.', 2)[-2]}")
    held = draft.repository.run("show", f"HEAD:{path}", check=False).stdout
    if seal.read(held, start) != seal.read(text, start):
        yield Problem(
            path, 0, "seal", "the seal of the period before was changed", todo=restore(path)
        )


def _unreadable(draft: Draft, path: str) -> Iterable[Problem]:
    """Entries whose amounts cannot be added up by reading their text."""
    try:
        file = subledgers.period_file(draft, path)
    except BrokenBookError as error:
        yield from error.problems
        return
    match = _PERIOD.match(path)
    owner = accounts.component(match[2] if match else "")
    for block in file.above:
        if block.kind not in {"*", "!"}:
            continue
        postings = _ACCOUNT.findall(block.text)
        legs = block.legs
        first = block.text.partition("\n")[0]
        if len(legs) != len(postings):
            yield Problem(path, 0, "amount", f"write every amount as a plain number: {first}")
        else:
            yield from _unbalanced(path, legs, first)
        if general.customer_of(block) != owner:
            yield Problem(
                path, 0, "customer", f"an entry here needs a posting to the customer's own: {first}"
            )
        yield from _uncoded(path, block.text, first, draft.config)


def _unbalanced(path: str, legs: Iterable[syntax.Leg], first: str) -> Iterable[Problem]:
    left: dict[str, int] = {}
    for leg in legs:
        left[leg.currency] = left.get(leg.currency, 0) + leg.micro
    for currency, rest in left.items():
        if rest:
            yield Problem(path, 0, "balance", f"{money.text(rest)} {currency} left over: {first}")


def _uncoded(path: str, text: str, first: str, config: Config) -> Iterable[Problem]:
    lines = text.split("\n")
    for line, following in itertools.pairwise(lines):
        if re.match(r"[ \t]+(?:[*!][ \t]+)?\S+:Unbilled\b", line):
            code = re.match(r'[ \t]+vat: "([^"]*)"', following)
            if code is None:
                yield Problem(path, 0, "vat", f'a posting to Unbilled needs `vat: "CODE"`: {first}')
            elif code[1] not in config.codes:
                yield Problem(path, 0, "vat", f"no VAT code {code[1]!r} in a2ledger.toml: {first}")
