"""Check that the books are sound, and report the problems."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from a2ledger import accounts, money
from a2ledger.balances import balances
from a2ledger.balances.balances import MAIN, main
from a2ledger.book import git_state, paths
from a2ledger.book.book import Book, BrokenBookError
from a2ledger.calls import detail
from a2ledger.journal import carried, customer_file, ledger, shards, subledgers, summary, syntax
from a2ledger.journal.ledger import Ledger, Standing
from a2ledger.rating import decks
from a2ledger.records import Customer, Problem, split_list


def check(book: Book, names: Sequence[str] = ()) -> list[Problem]:
    """Return the problems of a book, and of the own ledgers of customers named.

    Errors Beancount finds, sub-ledgers that differ from the general ledger, customers over
    their limit; for customers named also their whole own ledger and its call detail.
    """
    problems: list[Problem] = book.reading(lambda: list(_check(book, names)))
    return problems


def _check(book: Book, names: Sequence[str]) -> Iterator[Problem]:
    assert book.config  # noqa: S101 - read here, so that what is wrong with it is said
    operators = main(book)
    yield from operators.problems(book.root.resolve())
    yield from edited(book)
    yield from bad_decks(book)
    rows = balances.standings(book, operators)
    wanted = set(names) or {row.customer for row in rows}
    yield from soundness(book, operators, rows, wanted)
    yield from suspense(ledger.unmatched(operators), MAIN)
    for name in names:
        yield from _own(book, subledgers.customers(book)[name])
    files = {name: customer_file.path(name) for name in wanted}
    owed = (
        (row.customer, row.owed_micro, row.credit_limit_micro, row.currency)
        for row in rows
        if row.customer in wanted
    )
    yield from credit_limits(owed, files)


def sound_balances(book: Book) -> tuple[list[Standing], dict[str, int]]:
    """Where every customer stands, and what is nobody's, if the book adds up.

    Asked are Beancount, whether what is derived is as it was published, and whether the general
    ledger says of every customer what their own ledger does.

    Raises:
        BrokenBookError: with all that is wrong.
    """

    def ask() -> tuple[list[Standing], dict[str, int]]:
        operators = main(book)
        found = balances.standings(book, operators)
        problems = [*operators.problems(book.root.resolve()), *edited(book)]
        problems += soundness(book, operators, found, {row.customer for row in found})
        if problems:
            raise BrokenBookError(problems)
        return found, ledger.unmatched(operators)

    found: tuple[list[Standing], dict[str, int]] = book.reading(ask)
    return found


def edited(book: Book) -> Iterator[Problem]:
    """Yield derived journals that are not as they were published."""
    published = book.vault.published_if_known()
    if published is None:
        return
    names = [path for path in published.files if paths.is_derived(path)]
    differ = published.differs(names)
    if differ and published.commit != book.repository.tip():
        # What was published is another day's or another book's: that is what is to be said.
        astray = [*git_state.look(book.root, book.repository, published)]
        yield from (Problem(".git", 0, "git", it.what, todo=it.todo) for it in astray)
        differ = [] if astray else differ
    for path in differ:
        what = "is derived, and was changed by hand"
        yield Problem(path, 0, "derived", what, todo=paths.back(path))


def bad_decks(book: Book) -> Iterator[Problem]:
    """Yield problems of decks named by rules or by customers, now or later."""
    used: dict[str, str] = {}
    for customer in subledgers.customers(book).values():
        history = customer.facts.get("tariff", ())
        for place, (_, tariff) in enumerate(history):
            ended = place + 1 < len(history) and history[place + 1][0] <= customer.open_since
            for name in () if ended or customer.settled else split_list(str(tariff)):
                used.setdefault(name, customer.id)
    for source in book.config.sources.values():
        for rule in source.rules:
            for name in split_list(rule.tariff):
                used.setdefault(name, f"sources.{source.name}")
    for name, user in used.items():
        try:
            decks.deck(book, name)
        except BrokenBookError as error:
            for problem in error.problems:
                yield problem._replace(what=f"{problem.what} (the tariff of {user})")


def soundness(
    book: Book, operators: Ledger, standings: Sequence[Standing], wanted: set[str]
) -> Iterator[Problem]:
    """Yield accounts on which customers' own ledgers and the general ledger differ.

    Args:
        book: the book.
        operators: its ``main``, loaded.
        standings: of all customers.
        wanted: ids of those who are looked at; control totals are looked at as a whole.
    """
    if summary.holds_totals(book):
        yield from _beside_totals(book, operators, standings, wanted)
        return
    sums: dict[str, int] = {}
    files: dict[str, str] = {}
    sums_of = balances.kept_sums(book, wanted & subledgers.customers(book).keys())
    for name, (path, billed, unbilled) in sorted(sums_of.items()):
        own = {accounts.billed(name): billed, accounts.unbilled(name): unbilled}
        sums |= own
        files |= dict.fromkeys(own, path)
    general = {
        account: micro
        for row in standings
        if row.customer in wanted
        for account, micro in (
            (accounts.billed(row.customer), row.billed_micro),
            (accounts.unbilled(row.customer), row.unbilled_micro),
        )
    }
    yield from summaries(sums, general, files)


_Sums = dict[tuple[str, str], int]
"""Micro-units by account and currency."""


def _beside_totals(
    book: Book, operators: Ledger, standings: Sequence[Standing], wanted: set[str]
) -> Iterator[Problem]:
    """Yield accounts of customers, or of shards, whose ledgers differ from the control totals.

    Every shard's customers are added up. Two of them that differ by the same amount would not show
    in that, so where a customer's file is not as it was published they are looked at one by one.
    """
    said: dict[str, _Sums] = {}
    for key, micro in ledger.owed(operators).items():
        if micro and (shard := carried.shard_of(key[0])):
            said.setdefault(shard, {})[key] = micro
    rows: dict[str, list[Standing]] = {}
    for row in standings:
        rows.setdefault(shards.of(accounts.component(row.customer)), []).append(row)
    doubtful = {shards.of(accounts.component(name)) for name in _not_as_published(book, standings)}
    for shard in sorted({*rows, *said}):
        theirs, total = rows.get(shard, []), said.get(shard, {})
        own = _as_totals(shard, theirs)
        if own != total or shard in doubtful:
            problems = list(_of_shard(book, shard, theirs))
            if own != total and not problems:
                yield _total(shard, own, total)
            yield from (problem for name, problem in problems if name in wanted or not name)


def _not_as_published(book: Book, standings: Sequence[Standing]) -> list[str]:
    """Return customers whose open period's file is not as it was published, or all if unknown."""
    entries = subledgers.customers(book).entries()
    names = {
        customer_file.period_path(
            row.customer, dt.date.fromordinal(entries[row.customer].open_since)
        ): row.customer
        for row in standings
    }
    published = book.vault.published_if_known()
    if published is None:
        return list(names.values())
    return [names[path] for path in published.differs(names)]


def _as_totals(shard: str, rows: Sequence[Standing]) -> _Sums:
    """Return what customers of a shard owe as its control totals say it, without zeros."""
    sums: _Sums = {}
    for row in rows:
        for part, micro in (("Billed", row.billed_micro), ("Unbilled", row.unbilled_micro)):
            key = carried.shard_account(shard, part), row.currency
            sums[key] = sums.get(key, 0) + micro
    return {key: micro for key, micro in sums.items() if micro}


def _of_shard(book: Book, shard: str, rows: Sequence[Standing]) -> Iterator[tuple[str, Problem]]:
    """Yield customers of a shard, with the account on which the general ledger differs.

    The name is empty for an account of nobody.
    """
    general: dict[str, int] = {}
    for path in shards.months(book):
        if path.endswith(f"/{shard}.beancount"):
            for leg in syntax.legs(book.text(path)):
                if leg.account.startswith(accounts.RECEIVABLE):
                    general[leg.account] = general.get(leg.account, 0) + leg.micro
    customers = subledgers.customers(book)
    for row in rows:
        parts = {
            accounts.billed(row.customer): row.billed_micro,
            accounts.unbilled(row.customer): row.unbilled_micro,
        }
        path = customer_file.period_path(row.customer, customers[row.customer].open_since)
        theirs = {account: general.pop(account, 0) for account in parts}
        for problem in summaries(parts, theirs, dict.fromkeys(parts, path)):
            yield row.customer, problem
    for problem in summaries({}, general, {}):
        yield "", problem


def _total(shard: str, own: _Sums, said: _Sums) -> Problem:
    def text(sums: _Sums) -> str:
        amounts = (
            f"{money.text(micro)} {currency} {account.rpartition(':')[2].lower()}"
            for (account, currency), micro in sorted(sums.items())
        )
        return ", ".join(amounts) or "nothing"

    what = (
        f"the customers of {shards.path(shards.OPENS, shard)} owe {text(own)} in their own "
        f"ledgers, and {text(said)} in the control totals"
    )
    return Problem(MAIN, 0, "summary", what, todo="a2ledger doctor --mend")


def _own(book: Book, customer: Customer) -> Iterator[Problem]:
    """Yield problems of a customer's own ledger, and of the calls of their open period."""
    own = Ledger.load(book.root / customer_file.path(customer.id))
    yield from own.problems(book.root.resolve())
    path = customer_file.period_path(customer.id, customer.open_since)
    try:
        file = subledgers.period_file(book, path)
    except BrokenBookError as error:
        yield from error.problems
        return
    posted: dict[tuple[str, ...], tuple[int, int, int]] = {
        (str(row.day), row.service, row.vat): (row.calls, row.seconds, row.micro)
        for row in file.usage
    }
    days = sorted({row.day for row in file.usage})
    days += [day for day in detail.digests(book) if day >= customer.open_since and day not in days]
    folded: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for day in days:
        for row in detail.fold(detail.read(book.root, day, detail.digests(book)), [customer.id]):
            if (row.late_in or day) >= customer.open_since:
                folded[str(day), row.service, row.vat] = (row.calls, row.seconds, row.micro)
    yield from details(posted, folded, path)


def credit_limits(
    owed: Iterable[tuple[str, int, int, str]], files: Mapping[str, str]
) -> Iterator[Problem]:
    """Yield customers who owe more than their credit limit.

    Args:
        owed: (customer, owed, credit limit, currency), amounts in micro-units.
        files: the customer's own ledger, by customer.
    """
    for customer, owed_micro, limit_micro, currency in owed:
        if owed_micro > limit_micro:
            yield Problem(
                files.get(customer, ""),
                0,
                "credit-limit",
                f"{customer} owes {money.text(owed_micro, 2)} {currency}, over the credit limit "
                f"of {money.text(limit_micro, 2)}",
            )


def suspense(held: Mapping[str, int], file: str) -> Iterator[Problem]:
    """Yield currencies of which more money left suspense than came in.

    Args:
        held: what is in suspense, in micro-units by currency.
        file: where that is to be seen.
    """
    for currency, micro in held.items():
        if micro < 0:
            message = f"{money.text(-micro, 2)} {currency} more left suspense than came into it"
            yield Problem(file, 0, "suspense", message)


def summaries(
    subledgers: Mapping[str, int], general: Mapping[str, int], files: Mapping[str, str]
) -> Iterator[Problem]:
    """Yield accounts on which customers' own ledgers and the general ledger differ.

    Args:
        subledgers: sums by account, in micro-units, read from customers' own files.
        general: the same of the general ledger.
        files: the file of the open period, by account.
    """
    for account in sorted({*subledgers, *general}):
        own, summary = subledgers.get(account, 0), general.get(account, 0)
        if own != summary:
            yield Problem(
                files.get(account, "journals/main.beancount"),
                0,
                "summary",
                f"{account} is {money.text(own)} in the customer's own ledger and "
                f"{money.text(summary)} in the general ledger",
                todo="run any command that writes, or undo the edit",
            )


def details(
    posted: Mapping[tuple[str, ...], tuple[int, int, int]],
    folded: Mapping[tuple[str, ...], tuple[int, int, int]],
    file: str,
) -> Iterator[Problem]:
    """Yield usage entries that differ from the sums of the call detail.

    Args:
        posted: (calls, seconds, micro-units) by (day, service, VAT code), from the journal.
        folded: the same from the call detail.
        file: the journal.
    """
    for key in sorted({*posted, *folded}):
        if posted.get(key) != folded.get(key):
            yield Problem(
                file,
                0,
                "detail",
                f"usage of {' '.join(key)} is {posted.get(key)} in the journal and "
                f"{folded.get(key)} in the call detail (calls, seconds, micro-units)",
            )
