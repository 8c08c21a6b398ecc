"""Verify a customer's closed periods: their seals in a chain, and their bills recomputed."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from beancount.core import data

from a2ledger import money
from a2ledger.billing import closing_entries, preview
from a2ledger.billing import sealed as sealing
from a2ledger.billing.used import Calls
from a2ledger.book.book import Book, BrokenBookError, restore
from a2ledger.documents import electronic, paths
from a2ledger.documents.document import StatementLine, as_json
from a2ledger.documents.document import written as written_document
from a2ledger.journal import customer_file, ledger, seal, subledgers, syntax
from a2ledger.journal.entries import CLOSING
from a2ledger.journal.seal import Seal, SoFar
from a2ledger.period import Period
from a2ledger.records import SETTLED, Customer, Problem
from a2ledger.vat import VatCode

_BEARS = re.compile(r',\n "seal": "([^"]*)"\n\}\n\Z')
ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""Errors that reading a file edited by hand may raise, before the edit is detected."""
_COMPUTED = (
    *("period", "currency", "statement", "lines", "vat"),
    *("net", "vat_total", "gross", "to_pay", "credit"),
)
"""Fields of a document that can be recomputed from journal and calls."""
_USAGE = ("service", "calls", "seconds", "late_from")
"""What a statement's line says again of calls, apart from its words."""


@dataclass(kw_only=True)
class Verified:
    """The result of verifying."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Parts that could not be verified, with the reason."""
    customers: int = 0
    sealed: int = 0
    """Number of periods whose seal was checked."""
    hashes: list[str] = field(default_factory=list)
    """Hashes of all seals found."""

    def take(self, other: Verified) -> None:
        """Add the results of another process."""
        self.problems += other.problems
        self.notes += other.notes
        self.customers += other.customers
        self.sealed += other.sealed
        self.hashes += other.hashes


class _Issued(NamedTuple):
    """A document as it is in the book."""

    path: str
    text: str
    sealed: str
    """The text covered by its seal: all but the seal itself."""
    bears: str
    content: dict[str, Any]


class Task(NamedTuple):
    """The work of one process."""

    root: Path
    names: list[str]
    documents: Mapping[str, str]
    calls: Calls | None


class Chain:
    """Verifies a customer's closed periods in order."""

    def __init__(self, book: Book, customer: Customer, task: Task, result: Verified) -> None:
        self.book, self.customer, self.task, self.found = book, customer, task, result
        self.covered = sealing.Covered(book)
        self.covered.documents = dict(task.documents)
        self.before: SoFar | None = None

    def verify(self) -> None:
        """Verify each closed period, and what the next one brings forward."""
        starts = self.customer.periods
        unsealed = 0
        for start, end in itertools.pairwise(starts):
            period = Period(start, end)
            try:
                unsealed += not self._period(period)
            except BrokenBookError as error:
                self.found.problems += error.problems
                self.before = SoFar()
        if unsealed:
            self.found.notes.append(
                f"{self.customer.id}: {unsealed} period(s) closed before there were seals"
            )

    def _period(self, period: Period) -> bool:
        """Verify a closed period, and return True if it has a seal."""
        path = customer_file.period_path(self.customer.id, period.start)
        following = customer_file.period_path(self.customer.id, period.end)
        text, after = self._text(path), self._text(following)
        seals = [
            block
            for block in syntax.blocks(after)
            if f'custom "{seal.KIND}"' in block.text.partition("\n")[0]
        ]
        sealed = seal.read(after, period.end)
        if len(seals) != 1 or sealed is None:
            if seals or self.before is not None:
                self._say(
                    following,
                    "chain",
                    f"has {len(seals)} seals of {period} that can be read, and should have one",
                    restore(following),
                )
            self.before = self.before if not seals else SoFar()
            return bool(seals)
        self._kept(text, sealed)
        self.found.sealed += 1
        self.found.hashes.append(sealed.hash)
        before = seal.read(text, period.start)
        if issued := self._document(period, sealed):
            holds = self._seal(period, text, before or SoFar(), sealed, issued, seals[0].text)
            try:
                self._compute(period, path, text, after, issued.content)
            except ODD:
                if holds:
                    raise
                # What was changed is so odd that no bill can be drawn up from it; it is named.
        self.before = sealed
        return True

    def _text(self, path: str) -> str:
        place = self.book.root / path
        if place.is_symlink() or not place.is_file():
            missing = Problem(path, 0, "gone", "is missing, or is a link", todo=restore(path))
            raise BrokenBookError([missing])
        return place.read_bytes().decode("utf-8", "surrogateescape")

    def _say(self, path: str, check: str, problem: str, todo: str) -> None:
        self.found.problems.append(Problem(path, 0, check, problem, todo=todo))

    def _document(self, period: Period, sealed: SoFar) -> _Issued | None:
        """Return the document of a period, or None if its file cannot be read."""
        path = self.task.documents.get(sealed.document)
        if path is None:
            path = paths.path(period.end.year, sealed.document)  # or of a later year
            self._say(path, "document", f"{period}: is gone", restore("invoices"))
            return None
        text = self._text(path)
        bears = _BEARS.search(text)
        try:
            content = json.loads(text)
            is_one = isinstance(content, dict) and content.keys() >= {"gross", "kind", *_COMPUTED}
        except (ValueError, RecursionError):
            is_one = False
        if not is_one or bears is None:
            self._say(path, "document", f"{period}: was changed after it was issued", restore(path))
            return None
        return _Issued(path, text, text[: bears.start()] + "\n}\n", bears[1], content)

    def _kept(self, text: str, sealed: SoFar) -> None:
        """Compare files kept with a period's documents with the digests in the documents."""
        for name in (sealed.document, *sealing.issued(text)):
            path = self.task.documents.get(name, "")
            if path and '\n "files": {' in (content := self._text(path)):
                with contextlib.suppress(*ODD):  # an odd document is named by its own check
                    files = json.loads(content)["files"]
                    self.found.problems += electronic.damage(self.book, path, files)

    def _seal(
        self,
        closed: Period,
        text: str,
        before: SoFar,
        sealed: SoFar,
        issued: _Issued,
        line: str,
    ) -> bool:
        """Recompute the seal of a period, and return True if it matches."""
        told, calls = sealed.told, sealed.calls - before.calls
        if self.task.calls is not None:
            calls, lines = self.task.calls.told(self.customer.id, closed)
            told = seal.digest(lines.encode())
        document = issued.content
        try:
            gross_micro = money.parse(document["gross"])
        except ODD:
            self._say(issued.path, "document", f"{closed}: was changed after it was issued",
                      restore(issued.path))  # fmt: skip
            return False
        own = {issued.path: issued.sealed}
        currency = subledgers.currency(self.book, self.customer.id)
        sign = -1 if document["kind"] == "credit-note" else 1
        files = self.covered.files(self.customer.id, closed, text, told, own)
        made = Seal(
            customer=self.customer.id,
            period=closed,
            document=sealed.document,
            files=files,
            told=told,
            before=before,
            calls=calls,
            billed_micro=sign * gross_micro,
            currency=currency,
            places=money.decimals(currency),
        )
        holds = (
            syntax.formatted(made.directive()).strip() == line.split("\n", maxsplit=1)[0].strip()
        )
        bears = issued.bears == seal.short(made.hash)
        if holds and bears:
            return True
        if holds or written_document(document) != issued.text:
            problem = f"{closed}: was changed after it was issued"
            self._say(issued.path, "document", problem, restore(issued.path))
        place = customer_file.period_path(self.customer.id, closed.start)
        problem = f"{self.customer.id}, {closed}: "
        if told != sealed.told:
            problem += "its calls are not those that were sealed"
            self._say(place, "calls", problem, "restore calls/ from a backup")
        elif not holds:
            problem += "its file, document or seal was changed after the close"
            todo = f"compare with `git log -p -- {place}` and bring back what was closed"
            self._say(place, "seal", problem, todo)
        return False

    def _compute(
        self, period: Period, path: str, text: str, after: str, document: Mapping[str, Any]
    ) -> None:
        """Recompute the bill from journal and calls, and compare it with the document."""
        if self.task.calls is None:
            return
        name = self.customer.id
        currency = subledgers.currency(self.book, name)
        try:
            rows = [row for row in ledger.parsed_rows(text, name) if not row.tags & CLOSING]
        except ValueError as error:
            self._say(path, "journal", str(error), restore(path))
            return
        then = replace(
            self.customer,
            periods=tuple(day for day in self.customer.periods if day <= period.start),
        )
        brought = ledger.read_brought(text, period.start)
        final = (period.end, "yes") in self.customer.facts.get(SETTLED, ())
        codes, calls = _codes(document), self.task.calls
        coin = money.parse((document.get("rounding") or {}).get("to", "0"))
        bill = preview.draw_up(
            self.book, then, period, brought, rows, calls, final=final, codes=codes, cash_micro=coin
        )
        made = as_json(
            closing_entries.document(
                bill,
                then,
                self.book.config,
                currency=currency,
                kind=document["kind"],
                number=document["number"],
                issue_date=dt.date.fromisoformat(document["issue_date"]),
                # What the journal of the next period has by now is no part of this one.
                since=tuple(StatementLine(**line) for line in document.get("since", ())),
                tax_micro=money.parse(document.get("tax_on_payment", "0")),
            )
        )
        without = _incomparable(document)
        if wrong := [
            key for key in _COMPUTED if _plain(made[key], without) != _plain(document[key], without)
        ]:
            where = self.task.documents[
                document["number"] or paths.of_statement(name, period.start)
            ]
            problem = f"{period}: journal and calls give another {', '.join(wrong)}"
            self._say(where, "document", problem, f"restore {path}, its calls or the document")
        balances, sums = closing_entries.brought_forward(bill, name, currency)
        begins: list[data.Directive] = [*balances, *sums]
        head = after.partition(syntax.MARKER)[0]
        if any(syntax.formatted(entry) not in head for entry in begins):
            following = customer_file.period_path(name, period.end)
            problem = f"does not begin with what {period} was closed with"
            self._say(following, "chain", problem, restore(following))


def _codes(document: Mapping[str, Any]) -> dict[str, VatCode]:
    """Return the VAT codes of a document as of its issue."""
    return {
        row["code"]: VatCode(code=row["code"], category=row["category"], rate=Decimal(row["rate"]))
        for row in document["vat"]
    }


def _incomparable(document: Mapping[str, Any]) -> frozenset[str]:
    """Return keys of a document's rows that may differ from those of the document made again.

    The wording of a VAT reason is `a2ledger.toml`'s, which may change. Documents of earlier
    versions do not name the rates that held.
    """
    named = any("rates" in line for line in document["lines"])
    return frozenset({"reason"} if named else {"reason", "rates"})


def _plain(value: Any, without: frozenset[str]) -> Any:
    """Return part of a document without what cannot be compared, by key."""
    if isinstance(value, list):
        return [{key: row[key] for key in row if key not in without} for row in value]
    if isinstance(value, dict) and "lines" in value:
        # Statements of earlier versions say of calls what their words say, and no more.
        lines = [{key: row[key] for key in row if key not in _USAGE} for row in value["lines"]]
        return {**value, "lines": lines}
    return value
