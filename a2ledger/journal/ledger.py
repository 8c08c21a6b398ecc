"""The loaded ledger, queried in Beancount's query language."""

from __future__ import annotations

import bisect
import datetime as dt
import gc
import importlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import make_dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from beancount import loader
from beancount.core import data
from beancount.parser import parser

from a2ledger import accounts, money
from a2ledger.errors import ExpectedError
from a2ledger.journal import admission, customer_file, period_file, queries, syntax
from a2ledger.journal.period_file import PeriodFile
from a2ledger.journal.rows import Brought, Row
from a2ledger.records import Customer, Problem

# Beancount's load cache does not see new files behind an unchanged one, and is a pickle beside the
# journal: whoever wrote the book would have a program of theirs run.
loader.initialize(use_cache=False)

T = TypeVar("T")


class ForbiddenLineError(ExpectedError):
    """A journal holds a line that no journal of a book may have."""


class Ledger:
    """The entries that Beancount has loaded and checked."""

    def __init__(self, entries: Any, errors: Any, options: Any) -> None:
        self.entries, self.errors = entries, errors
        self._connection = _beanquery().connect(
            "beancount:", entries=entries, errors=errors, options=options
        )

    @classmethod
    def load(cls, path: Path) -> Ledger:
        """Load a ledger from its top file.

        Raises:
            ForbiddenLineError: if a file to be loaded holds what none of a book's may.
        """
        admit(path, path.read_bytes())
        return cls(*quickly(lambda: loader.load_file(str(path))))

    @classmethod
    def read(cls, text: str, journals: Path) -> Ledger:
        """Load a ledger from the text of a top file, whose includes are absolute paths.

        Raises:
            ForbiddenLineError: as :meth:`load`.
        """
        admit(journals / "text", text.encode(), absolute=True)
        return cls(*quickly(lambda: loader.load_string(text)))

    def ask(self, query: str, **values: object) -> list[Any]:
        """Return the rows of a query as objects, with ``values`` bound to ``%(name)s``."""
        cursor = self._connection.execute(queries.parsed(query), values or None)
        names = [column.name for column in cursor.description]
        row: Any = make_dataclass("Row", names, frozen=True, slots=True)
        return [row(*values) for values in cursor.fetchall()]

    def problems(self, root: Path) -> list[Problem]:
        """Return Beancount's errors, placed by file and line.

        An error in a derived file, which nobody may edit, is placed where somebody wrote what
        causes it: the `open` or `close` of an account that the derived entry uses.
        """
        located = []
        for error in self.errors:
            file, line = _place(error.source or {}, root)
            message = " ".join(str(error.message).split())
            if file.startswith(_DERIVED) and (cause := self._cause(message, root)):
                entry, (file, line) = cause
                kind = type(entry).__name__.lower()
                day = getattr(error.entry, "date", "")
                message = (
                    f"this `{kind}` of {entry.date} does not fit the entry of {day}: {message}; "
                    "nothing was done; change or remove the line"
                )
            located.append(Problem(file, line, "beancount", message))
        return located

    def _cause(
        self, message: str, root: Path
    ) -> tuple[data.Open | data.Close, tuple[str, int]] | None:
        """Return the hand-written `close` or `open` of an account that a message names."""
        named = set(_NAMED.findall(message))
        candidates = [
            (entry, _place(entry.meta, root))
            for entry in self.entries
            if isinstance(entry, data.Open | data.Close) and entry.account in named
        ]
        own = [(entry, place) for entry, place in candidates if not place[0].startswith(_DERIVED)]
        return max(own, key=lambda cause: isinstance(cause[0], data.Close), default=None)


_DERIVED = ("journals/general/", "journals/carriers/")
_NAMED = re.compile(r"'([A-Z]\w*(?::[^\s:']+)+)'")


def _place(source: Mapping[str, Any], root: Path) -> tuple[str, int]:
    """Return the file, relative to the book's root, and the line of a Beancount entry or error."""
    file = str(source.get("filename", ""))
    if Path(file).is_relative_to(root):
        file = str(Path(file).relative_to(root))
    return file, int(source.get("lineno", 0))


def admit(top: Path, content: bytes, *, absolute: bool = False) -> None:
    """Check that Beancount may load a file of the journals and all that it includes.

    Args:
        top: the file, in the journals.
        content: of it.
        absolute: whether it may name files by their whole path; those it includes never may.

    Raises:
        ForbiddenLineError: naming every line that stands in the way.
    """
    journals = next(
        (folder for folder in top.parents if folder.name == "journals"), top.parent
    ).resolve()
    waiting, seen, refusals = [(top, content)], {top.resolve()}, list[str]()
    while waiting:
        path, content = waiting.pop()
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            refusals.append(f"{path}: not UTF-8 at byte {error.start}")
            continue
        refusals += (f"{path}:{line}: {message}" for line, message in admission.objections(text))
        for line, name in admission.includes(text):
            other = Path(os.path.normpath(path.parent / name))
            real = other.resolve()
            leaves = not real.is_relative_to(journals)
            whole = name.startswith("/") and not (absolute and path == top)
            if leaves or whole or real.is_dir() or re.search(r"[*?\[]", name):
                refusals.append(
                    f"{path}:{line}: includes {name!r}, which is not one file of the journals"
                )
            elif real not in seen and real.is_file():
                seen.add(real)
                waiting.append((other, real.read_bytes()))
    if refusals:
        raise ForbiddenLineError("\n".join(refusals), "nothing was read", "correct the line")


def _beanquery() -> Any:
    # Importing it takes a fifth of what starting a command takes, and few commands ask anything.
    return importlib.import_module("beanquery")


def quickly(load: Callable[[], T]) -> T:
    """Call ``load`` with the garbage collector off: loading allocates much and frees nothing."""
    gc.disable()
    try:
        return load()
    finally:
        gc.enable()


class Standing(NamedTuple):
    """A customer's balances, in micro-units."""

    customer: str
    name: str
    currency: str
    billed_micro: int
    unbilled_micro: int
    credit_limit_micro: int

    @property
    def owed_micro(self) -> int:
        """Return what the customer owes in all."""
        return self.billed_micro + self.unbilled_micro

    @property
    def available_micro(self) -> int:
        """Return what the customer may still use."""
        return self.credit_limit_micro - self.owed_micro

    @property
    def over_limit(self) -> bool:
        """Return whether the customer owes more than the credit limit."""
        return self.available_micro < 0


def owed(ledger: Ledger) -> dict[tuple[str, str], int]:
    """Return what stands on each account of receivables, in micro-units, by currency."""
    return {
        (row.account, row.currency): money.micro(row.owed) for row in ledger.ask(queries.BALANCES)
    }


def standings(ledger: Ledger) -> list[Standing]:
    """Return every customer's balances, by id."""
    sums = owed(ledger)
    balances = []
    for row in ledger.ask(queries.ACCOUNTS):
        currency = row.currency or ""
        billed = row.account.removesuffix("Unbilled") + "Billed"
        balances.append(
            Standing(
                str(row.customer),
                row.name or "",
                currency,
                sums.get((billed, currency), 0),
                sums.get((row.account, currency), 0),
                money.micro(row.credit_limit or money.decimal(0)),
            )
        )
    return sorted(balances, key=lambda standing: standing.customer)


def unmatched(ledger: Ledger) -> dict[str, int]:
    """Return money of no customer, in micro-units by currency, negative if more went out."""
    held = {row.currency: -money.micro(row.held) for row in ledger.ask(queries.UNMATCHED)}
    return {currency: micro for currency, micro in held.items() if micro}


def rows(ledger: Ledger) -> dict[str, list[Row]]:
    """Return the postings to customers' accounts, by the customer's part of the account name."""
    by_customer: dict[str, list[Row]] = {}
    pending = {
        (row.filename, row.line, row.account): -money.micro(row.number)
        for row in ledger.ask(queries.PENDING)
    }
    for row in ledger.ask(queries.ROWS):
        customer, _, part = row.account.removeprefix(accounts.RECEIVABLE).partition(":")
        if part not in {"Billed", "Unbilled"}:
            what = f"{row.filename}:{row.line}: {row.account} is no account of a customer"
            raise ExpectedError(what, undone="nothing was read")
        by_customer.setdefault(customer, []).append(
            Row(
                row.date,
                part == "Billed",
                row.payee or "",
                _told(row.narration or "", row.voided),
                money.micro(row.number),
                row.vat or "",
                row.calls,
                row.seconds,
                row.late_from,
                min(row.links, default=""),
                frozenset(row.tags),
                pending_micro=pending.pop(
                    (row.filename, row.line, accounts.pending(row.vat or "")), 0
                ),
                file=row.filename,
                lineno=row.line,
                first=row.first,
                last=row.last,
                voided=bool(row.voided),
            )
        )
    return by_customer


def parsed_rows(text: str, customer: str) -> list[Row]:
    """Parse the postings to a customer's accounts from the text of a period's file.

    Raises:
        ValueError: if the text is no journal, or its usage not as the program wrote it.
    """
    return rows_of({customer: period_file.parse(text)})[customer]


def rows_of(files: Mapping[str, PeriodFile]) -> dict[str, list[Row]]:
    """Return the postings to customers' accounts, each from the file of one of their periods.

    Every amount in such a file is written out, so that parsing is enough; it gives what
    :func:`rows` gives of the loaded ledger, in its order. Usage, which is most of it, is read as
    it was written. All files are parsed at once: starting the parser takes as long as a file.

    Args:
        files: by customer id.

    Raises:
        ValueError: if one is no journal.
    """
    pieces = [
        (customer, place, syntax.joined(block for block in blocks if block.kind not in _NO_ROWS))
        for customer, file in files.items()
        for place, blocks in ((0, file.above), (2, file.closing))
    ]
    starts = list(accumulate((text.count("\n") + 1 for *_, text in pieces), initial=1))
    placed: dict[str, list[tuple[int, Row]]] = {
        customer: [(1, _usage(usage)) for usage in file.usage] for customer, file in files.items()
    }
    if any(text for *_, text in pieces):
        entries, errors, _ = parser.parse_string("\n".join(text for *_, text in pieces))
        if errors:
            raise ValueError(f"line {errors[0].source['lineno']}: {errors[0].message}")
        for entry in entries:
            if isinstance(entry, data.Transaction):
                customer, place, _ = pieces[bisect.bisect_right(starts, entry.meta["lineno"]) - 1]
                placed[customer] += [(place, row) for row in _rows(entry, customer)]
    return {
        customer: [row for _, row in sorted(rows, key=lambda placed: (placed[1].date, placed[0]))]
        for customer, rows in placed.items()
    }


_NO_ROWS = {"balance", "custom"}
"""Kinds of directives that the head of every period's file holds, and that post nothing."""


def _rows(entry: data.Transaction, customer: str) -> Iterator[Row]:
    own = {accounts.billed(customer): True, accounts.unbilled(customer): False}
    for leg in entry.postings:
        if leg.account in own:
            yield _row(entry, leg, own[leg.account])


def _usage(usage: period_file.Usage) -> Row:
    return Row(
        usage.date,
        False,
        usage.service,
        period_file.calls_text(usage.calls, usage.seconds),
        usage.micro,
        usage.vat,
        usage.calls,
        usage.seconds,
        usage.late_from,
        "",
        frozenset(),
        pending_micro=usage.pending_micro,
    )


def _row(entry: data.Transaction, leg: data.Posting, billed: bool) -> Row:
    meta, code = entry.meta, str((leg.meta or {}).get("vat") or "")
    return Row(
        entry.date,
        billed,
        entry.payee or "",
        _told(entry.narration or "", meta.get("voided")),
        _micro(leg),
        code,
        _whole(meta.get("calls")),
        _whole(meta.get("seconds")),
        meta.get("late_from"),
        min(entry.links, default=""),
        frozenset(entry.tags),
        pending_micro=0
        if billed
        else -sum(
            _micro(posting)
            for posting in entry.postings
            if posting.account == accounts.pending(code)
        ),
        first=meta.get("from"),
        last=meta.get("to"),
        voided=bool(meta.get("voided")),
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _micro(leg: data.Posting) -> int:
    return money.micro(leg.units.number)  # type: ignore[union-attr, arg-type]


def _told(narration: str, voided: str | None) -> str:
    return f"{narration}, void: {voided}".lstrip(", ") if voided else narration


def open_periods(
    root: Path,
    customers: Sequence[Customer],
    texts: Mapping[str, str],
    currencies: Mapping[str, str],
    unpublished: Collection[str] = (),
) -> tuple[dict[str, tuple[Brought, list[Row]]], list[Problem]]:
    """Return the rows of open periods and the balances brought forward to them, by customer id.

    The files of all customers are loaded at once, each with the balances it says it starts
    with; ``check`` proves those against the general ledger.

    Args:
        root: of the book.
        customers: whose open periods.
        texts: of their open periods' files, by customer id.
        currencies: of their accounts, by customer id.
        unpublished: ids of those whose text is not what stands on disk.

    Returns:
        by customer id what the period starts with and its rows; and Beancount's errors.
    """
    brought = {
        customer.id: read_brought(texts[customer.id], customer.open_since) for customer in customers
    }
    head = [
        'option "tolerance_multiplier" "0"\n',
        _include(root, "journals/chart.beancount"),
    ]
    for customer in customers:
        head += _opening(customer, brought[customer.id], currencies[customer.id])
        name = customer_file.period_path(customer.id, customer.open_since)
        own = texts[customer.id] if customer.id in unpublished else _include(root, name)
        head.append(own)
    head += _unopened(root, (texts[name] for name in unpublished))
    ledger = Ledger.read("".join(head), root / "journals")
    by_account = rows(ledger)
    periods = {
        customer.id: (
            brought[customer.id],
            [
                row
                for row in by_account.get(accounts.component(customer.id), [])
                if "brought-forward" not in row.tags
            ],
        )
        for customer in customers
    }
    return periods, ledger.problems(root.resolve())


def _unopened(root: Path, texts: Iterable[str]) -> Iterator[str]:
    """Yield an `open` for each account that unpublished texts use and the chart lacks."""
    chart = (root / "journals/chart.beancount").read_text(encoding="utf-8")
    opened = set(re.findall(r"^\d{4}-\d\d-\d\d open (\S+)", chart, re.MULTILINE))
    used = {leg.account for text in texts for leg in syntax.legs(text)}
    for account in sorted(used - opened):
        if not account.startswith(accounts.OWN):
            yield f"1970-01-01 open {account}\n"


def _include(root: Path, name: str) -> str:
    return f"include {syntax.quoted(str(root.resolve() / name))}\n"


def _opening(customer: Customer, brought: Brought, currency: str) -> Iterable[str]:
    sums = {
        accounts.billed(customer.id): brought.billed_micro,
        accounts.unbilled(customer.id): brought.unbilled_micro,
    }
    deposits = [accounts.deposits(customer.id)] if customer.has_deposit else []
    for account in [*sums, *deposits]:
        yield f"1970-01-01 open {account} {currency}\n"
    day = customer.open_since - dt.timedelta(days=1)
    if any(sums.values()):
        yield f'{day} * "Brought forward" "" #brought-forward\n'
        for account, micro in [*sums.items(), (accounts.OPENING, -sum(sums.values()))]:
            yield f"  {account}  {money.text(micro)} {currency}\n"


_BALANCE = re.compile(
    r"^(\d{4}-\d\d-\d\d) balance \S+:(Billed|Unbilled)  (-?[0-9.]+) ~ 0 ", re.MULTILINE
)
_CARRIED = re.compile(
    r'^(\d{4}-\d\d-\d\d) custom "a2ledger-carried" ("(?:[^"\\]|\\.)*") (-?[0-9.]+) ', re.MULTILINE
)


def read_brought(text: str, start: dt.date) -> Brought:
    """Parse the balances brought forward to a period from the head of its file."""
    head = text.partition(syntax.MARKER)[0]
    balances = {
        part: money.parse(number)
        for day, part, number in _BALANCE.findall(head)
        if day == str(start)
    }
    return Brought(
        billed_micro=balances.get("Billed", 0),
        unbilled_micro=balances.get("Unbilled", 0),
        cumulative_micro={
            syntax.unquoted(code): money.parse(number)
            for day, code, number in _CARRIED.findall(head)
            if day == str(start)
        },
    )
