"""Check hand edits, and commit them first and apart, as ``manual edit``."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from a2ledger import accounts
from a2ledger.audit import settled, shapes
from a2ledger.balances import check as checks
from a2ledger.book import git_state
from a2ledger.book import paths as kinds
from a2ledger.book.book import (
    CONFIG,
    GENERAL,
    IMPORTS,
    SUSPENSE,
    Book,
    BrokenBookError,
    Draft,
    restore,
)
from a2ledger.book.git import blob
from a2ledger.book.paths import Writer
from a2ledger.customers import register
from a2ledger.errors import ExpectedError
from a2ledger.journal import customer_file, subledgers, summary, syntax
from a2ledger.journal.ledger import Ledger
from a2ledger.period import FIRST_DAY
from a2ledger.rating import decks
from a2ledger.records import SETTLED, Customer, Fact, Problem
from a2ledger.sources import runs as import_runs

MANUAL = "manual edit"
"""What the commit of hand edits is called."""
_CHECKOUT = "git checkout HEAD"
_PERIOD = re.compile(r"journals/(\d{4}-\d\d)/(.+)\.(\d\d)\.beancount$")
_OWN = re.compile(r"journals/customers/(.+)\.beancount$")
_RERATED = {"identifiers", "tariff", "discount_percent", "dial_plan"}
"""Facts that may change on a closed day: `rerate` posts what they make of its calls as late."""
_DECK = re.compile(r"tariffs/([^/]+)\.csv$")
_SHARED = (
    "journals/manual.beancount",
    "journals/chart.beancount",
    "journals/prices.beancount",
    SUSPENSE,
)
_OWNED = re.compile(rf"^[^;\"]*({'|'.join(accounts.OWN)})")
_ASSERTED = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)[ \t]+balance[ \t]+(?P<account>[^ \t;]+)")
_ALLOWED = re.compile(
    r'option "(title|operating_currency|tolerance_multiplier)" '
    r'|include "\.\./(chart|\d{4}-\d\d/(?P<id>[^/"]+)\.\d\d)\.beancount"\s*$'
)
"""Directives allowed only in a customer's own ledger."""


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
    changes = draft.vault.changed_by_hand()
    if not changes:
        return set()
    assert draft.config  # noqa: S101 - read here, so that what is wrong with it is said
    _mention(draft, changes)
    paths, customers, problems = _look(draft, changes)
    if not paths:
        return set()
    if problems:
        raise BrokenBookError(problems)
    root = draft.root
    _end_lines(draft, paths)
    derived = any(map(kinds.is_derived, paths))
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
        draft.publish(f"{MANUAL}\n\n" + "".join(f"{path}\n" for path in paths))
    done = "would be committed: {}" if dry_run else "committed {}"
    draft.talk(done.format(f"{len(paths)} file(s) edited by hand"))
    return customers


def refusals(book: Book, today: dt.date) -> list[Problem]:
    """Return what keeps hand edits of a book from being taken, without taking any.

    While a writer is at work there is nothing to be said of what it has half written.
    """
    vault, before = book.vault, book.vault.generation()
    published = vault.published_if_known()
    if vault.is_locked() or not published:
        return []
    found = [
        Problem(".git", 0, "git", astray.what, todo=astray.todo)
        for astray in git_state.look(vault.root, vault.repository, published)
    ]
    if not found:  # else nothing is there to compare with
        draft = Draft(book, today, lambda _message: None)
        found = _look(draft, draft.vault.changed_by_hand())[2]
    return [] if vault.is_locked() or vault.generation() != before else found


def _look(draft: Draft, changes: Mapping[str, str]) -> tuple[list[str], set[str], list[Problem]]:
    """Return the paths that hands have changed, the customers among them, and what is wrong."""
    paths = [path for path in changes if kinds.is_committed(path) or changes[path] == "link"]
    found = [problem for path in paths for problem in _problems(draft, path, changes[path])]
    customers = {match[1] for path in paths if (match := _OWN.match(path))}
    customers |= {match[2] for path in paths if (match := _PERIOD.match(path))}
    found = found or _clashes(draft, paths)
    if any(path.startswith("journals/") for path in paths) and not found:
        # What is derived is made anew, so it need not load as it was edited.
        tops = [] if any(map(kinds.is_derived, paths)) else ["journals/main.beancount"]
        tops += map(customer_file.path, sorted(customers))
        edited = ", ".join(paths[:3])
        found = [
            one if one.file in paths else one._replace(todo=f"see to {edited}, edited by hand")
            for one in _unsound(draft.root, tops)
        ]
    return paths, customers, found


def _unsound(root: Path, tops: Iterable[str]) -> list[Problem]:
    """Return what Beancount says of some ledgers."""
    there = (root / top for top in tops if (root / top).exists())
    return [problem for top in there for problem in Ledger.load(top).problems(root)]


def _clashes(draft: Draft, paths: Iterable[str]) -> list[Problem]:
    """Return identifiers that two customers hold on one day, because a ledger was edited."""
    edited = next((path for path in paths if _OWN.match(path)), "")
    try:
        register.check_clashes(draft) if edited else None
    except ExpectedError as error:
        return [Problem(edited, 0, "identifier", what) for what in error.what.splitlines()]
    return []


def _end_lines(draft: Draft, paths: Iterable[str]) -> None:
    """End the last line of edited texts that the program adds lines to."""
    for path in paths:
        kind = kinds.kind(path)
        if kind and kind.writer is Writer.BOTH and (draft.root / path).is_file():
            text = draft.text(path)
            if text and not text.endswith("\n"):
                draft.put(path, f"{text}\n")


def _mention(draft: Draft, changes: Mapping[str, str]) -> None:
    """Say what is not as it was of files that git does not hold; what needs them will refuse."""
    lost = [path for path in changes if kinds.kind(path) and not kinds.is_committed(path)]
    for path in lost[:1]:
        more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
        what = {"gone": "is gone", "new": "is not of a2ledger"}.get(changes[path], "was changed")
        draft.talk(f"note: {path}{more} {what}; {kinds.back(path)}")


def _problems(draft: Draft, path: str, how: str) -> Iterable[Problem]:
    """Yield what is wrong with one edited file.

    Args:
        draft: of the book.
        path: of the file.
        how: ``edited``, ``gone``, ``new`` or ``link``.
    """
    kind = kinds.kind(path)
    if how == "link":
        todo = "put the file or directory itself in its place"
        yield Problem(path, 0, "link", "is a link", todo=todo)
    elif kind is None:
        return
    elif how == "new" and (kind.is_frozen or _is_stray(path, kind)):
        what = "is no document that was issued" if kind.is_frozen else "is no file of a book's"
        yield Problem(path, 0, "extra", what, todo="take it away")
    elif kind.is_frozen or _is_closed(draft, path):
        yield Problem(
            path,
            0,
            "frozen",
            "a closed period or a document was changed",
            todo=(
                f"bring it back with `{_CHECKOUT} -- {path}`, or `git revert` if the "
                "change was committed, and post a correction instead"
            ),
        )
    elif kinds.is_derived(path):
        return
    elif kind.writer is Writer.PROGRAM and path != IMPORTS:
        said = {"gone": "is gone", "new": "was not written by a2ledger"}
        todo = "take it away" if how == "new" else restore(path)
        yield Problem(path, 0, "own", said.get(how, "was changed by hand"), todo=todo)
    elif not path.endswith(".beancount"):
        yield from _other(draft, path, how)
    elif how == "gone":
        if kind.writer is Writer.BOTH:
            yield Problem(path, 0, "gone", "is gone", todo=restore(path))
    else:
        yield from _journal(draft, path)


def _is_stray(path: str, kind: kinds.Kind) -> bool:
    """Return whether a new file is one that the general ledger of no book has, or not of this one.

    One file of a spread ledger in a book of one file a month would make it a spread one.
    """
    return path.startswith(f"{GENERAL}/") and kind.pattern.endswith(
        ("<anything>", "<shard>.beancount")
    )


def _other(draft: Draft, path: str, how: str) -> Iterable[Problem]:
    """Yield what is wrong with an edited file that is not a journal."""
    if path == CONFIG:
        yield from settled.changed(draft)
    elif path == IMPORTS and how == "gone":
        yield Problem(path, 0, "gone", "is gone", todo=restore(path))
    elif path == IMPORTS:
        import_runs.runs(draft)
    elif how == "gone" and _DECK.match(path):
        for problem in checks.bad_decks(draft):
            if problem.file == path:
                yield problem._replace(todo=restore(path))
    elif match := _DECK.match(path):
        try:
            decks.deck(draft, match[1])
        except BrokenBookError as error:
            # It stops nobody but those who are priced by it: their calls are quarantined.
            more = ", and more" if len(error.problems) > 1 else ""
            draft.talk(f"note: {error.problems[0]}{more}; calls that need this deck wait for it")


def _journal(draft: Draft, path: str) -> Iterable[Problem]:
    """Yield what is wrong with an edited journal."""
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
                todo="write the entry into the file of the customer's open period",
            )
    if path.startswith(_SHARED):
        yield from _still_moving(draft, path, text)
    yield from _older(draft, path, text)
    if match := _PERIOD.match(path):
        start = dt.date.fromisoformat(f"{match[1]}-{match[3]}")
        owner = subledgers.customers(draft).get(match[2])
        if owner is None or start not in owner.periods:
            yield Problem(path, 0, "extra", "is no period of any customer", todo="take it away")
            return
        held = rules(draft, start, shapes.own_accounts(match[2]))
        yield from _usage(draft, path)
        yield from shapes.period(path, draft.vault.was(path), text, held)
    elif customer := _OWN.match(path):
        before = draft.vault.was(path)
        problems = list(shapes.customer(path, before, text))
        yield from problems or _facts(draft, path, before, text, customer[1])
    elif path.startswith(SUSPENSE):
        yield from shapes.suspense(path, draft.vault.was(path), text, rules(draft, FIRST_DAY, ()))


def rules(draft: Draft, start: dt.date, own: tuple[str, ...]) -> shapes.Rules:
    """Return what holds for entries of a file that may move some accounts from a day on."""
    return shapes.Rules(start, own, draft.config.codes.keys(), _documents(draft))


def _usage(draft: Draft, path: str) -> Iterable[Problem]:
    """Yield what the program would not read of an open period's file."""
    try:
        subledgers.period_file(draft, path)
    except BrokenBookError as error:
        yield from error.problems


def _facts(draft: Draft, path: str, before: str, after: str, name: str) -> Iterable[Problem]:
    """Yield facts that were changed as no command would change them."""
    if not before:
        return
    try:
        then, now = customer_file.parse(before), subledgers.customers(draft)[name]
    except ValueError:
        return  # no ledger of a version that is read now
    for day, facts in _changed(then, now).items():
        is_closed = then.opened <= day < then.open_since
        values = {key: facts[key] for key in facts if not (is_closed and key in _RERATED)}
        if not values:
            continue
        try:
            register.checked(draft, then, values, day)
        except register.BadVatIdError as error:
            draft.talk(f"note: {path}: {error.what}")  # books of earlier versions hold such, too
        except ExpectedError as error:
            line = customer_file.line_of_fact(after, next(iter(values)), day)
            yield Problem(
                path, line, "fact", error.what, todo=error.todo.replace("say --from", "date it")
            )


def _changed(then: Customer, now: Customer) -> dict[dt.date, dict[str, Fact]]:
    """Return the facts that are others from a day on, by that day."""
    found: dict[dt.date, dict[str, Fact]] = {}
    for key in {*then.facts, *now.facts} - {SETTLED}:
        for day, _ in set(then.facts.get(key, ())) ^ set(now.facts.get(key, ())):
            value = now.fact(key, day)
            found.setdefault(day, {})[key] = "" if value is None else value
    return dict(sorted(found.items()))


def _documents(draft: Draft) -> set[str]:
    """Return the names of documents, which are links of the entries that issued them."""
    names = (path.rpartition("/")[2] for path in draft.files("invoices", "*/*.json"))
    return {syntax.link("", "", name.removesuffix(".json")).lstrip("-") for name in names}


def _older(draft: Draft, path: str, text: str) -> Iterable[Problem]:
    """Yield a file that both write, and that is as it was before the program wrote it last."""
    kind = kinds.kind(path)
    if kind is None or kind.writer is not Writer.BOTH or not path.startswith("journals/"):
        return
    git, last = draft.repository, draft.vault.published.commit or "HEAD"
    find = f"--find-object={blob(text.encode())}"
    words = ("log", "--no-textconv", find, "-1", "--format=%h", last, "--", path)
    commit = git.run(*words, check=False).stdout.strip()
    if not commit:
        return
    # Whoever takes back what was edited by hand, and nothing else since, may.
    since = git.run("log", "--format=%s", last, f"^{commit}^@", "--", path, check=False).stdout
    if set(since.splitlines()) - {MANUAL}:
        what = f"is as it was before commit {commit}, or in it: what came later is gone from it"
        todo = f"{restore(path)}, or `git revert` if the change was committed"
        yield Problem(path, 0, "older", what, todo=todo)


def _still_moving(draft: Draft, path: str, text: str) -> Iterable[Problem]:
    """Yield balance assertions that hold today but not tomorrow.

    The general ledger sums up usage by month, dated the last day that has any: on a day inside a
    month what was used, and earned, is not what it will be there.
    """
    moving = [
        accounts.RECEIVABLE.rstrip(":"),
        accounts.PENDING.rstrip(":"),
        *map(accounts.income, draft.config.services),
    ]
    for number, line in enumerate(text.split("\n"), start=1):
        if (assertion := _ASSERTED.match(line)) is None or assertion["day"].endswith("-01"):
            continue
        account = assertion["account"]
        pairs = [(f"{each}:", f"{account}:") for each in moving]
        if any(
            account_prefix.startswith(other) or other.startswith(account_prefix)
            for account_prefix, other in pairs
        ):
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
