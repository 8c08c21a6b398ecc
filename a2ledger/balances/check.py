"""Check that the books are sound, and report the problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from a2ledger import accounts, money
from a2ledger.balances import balances
from a2ledger.balances.balances import MAIN, main
from a2ledger.book import paths
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
    for path in published.differs(names):
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


_Parts = dict[tuple[str, str], int]
"""Micro-units by a customer's id or a shard, and ``Billed`` or ``Unbilled``."""


def _beside_totals(
    book: Book, operators: Ledger, standings: Sequence[Standing], wanted: set[str]
) -> Iterator[Problem]:
    """Yield accounts of shards whose control total is not the sum of their customers' ledgers."""
    totals = _of_shards(operators)
    by_shard: dict[str, list[Standing]] = {}
    for row in standings:
        by_shard.setdefault(shards.of(accounts.component(row.customer)), []).append(row)
    for shard in sorted({*by_shard, *(shard for shard, _ in totals)}):
        rows = by_shard.get(shard, [])
        billed = sum(row.billed_micro for row in rows)
        unbilled = sum(row.unbilled_micro for row in rows)
        said = totals.get((shard, "Billed"), 0), totals.get((shard, "Unbilled"), 0)
        if said != (billed, unbilled):
            yield from _of_shard(book, shard, rows, wanted, (billed, unbilled), said)


def _of_shards(operators: Ledger) -> _Parts:
    """Return the control totals of receivables, summed over currencies."""
    totals: _Parts = {}
    for (account, _), micro in ledger.owed(operators).items():
        if key := carried.shard_of(account):
            totals[key] = totals.get(key, 0) + micro
    return totals


def _of_shard(
    book: Book,
    shard: str,
    rows: Sequence[Standing],
    wanted: set[str],
    own: tuple[int, int],
    said: tuple[int, int],
) -> Iterator[Problem]:
    """Yield the customers of a shard whose ledger differs, or the shard if there is none."""
    general: dict[str, int] = {}
    for path in shards.months(book):
        if path.endswith(f"/{shard}.beancount"):
            for leg in syntax.legs(book.text(path)):
                if leg.account.startswith(accounts.RECEIVABLE):
                    general[leg.account] = general.get(leg.account, 0) + leg.micro
    sums: dict[str, int] = {}
    files: dict[str, str] = {}
    unasked: set[str] = set()
    customers = subledgers.customers(book)
    for row in rows:
        parts = {
            accounts.billed(row.customer): row.billed_micro,
            accounts.unbilled(row.customer): row.unbilled_micro,
        }
        sums |= parts
        since = customers[row.customer].open_since
        files |= dict.fromkeys(parts, customer_file.period_path(row.customer, since))
        unasked |= set() if row.customer in wanted else parts.keys()
    different = {name for name in {*sums, *general} if sums.get(name, 0) != general.get(name, 0)}
    if not different:
        yield Problem(
            MAIN,
            0,
            "summary",
            f"the customers of {shards.path(shards.OPENS, shard)} owe {money.text(own[0])} billed "
            f"and {money.text(own[1])} unbilled in their own ledgers, and {money.text(said[0])} "
            f"and {money.text(said[1])} in the control totals",
            todo="a2ledger doctor --mend",
        )
    for known in (sums, general):
        for name in unasked:
            known.pop(name, None)
    yield from summaries(sums, general, files)


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
