"""Check that the books are sound, and report the problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from a2ledger import accounts, money
from a2ledger.balances import balances
from a2ledger.balances.balances import MAIN, main
from a2ledger.book import paths
from a2ledger.book.book import Book, BrokenBookError
from a2ledger.calls import detail
from a2ledger.journal import customer_file, ledger, subledgers
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
    rows = ledger.standings(operators)
    wanted = set(names) or {row.customer for row in rows}
    yield from soundness(book, rows, wanted)
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
        found = ledger.standings(operators)
        problems = [*operators.problems(book.root.resolve()), *edited(book)]
        problems += soundness(book, found, {row.customer for row in found})
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


def soundness(book: Book, standings: Sequence[Standing], wanted: set[str]) -> Iterator[Problem]:
    """Yield accounts on which a customer's own ledger and the general ledger differ."""
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
