"""What a seal covers: a period's file, the calls posted in it, the documents issued in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from a2ledger.book.book import Book, BrokenBookError, Draft
from a2ledger.documents import paths
from a2ledger.journal import customer_file, seal, syntax
from a2ledger.period import Period
from a2ledger.records import Problem


def issued(text: str) -> list[str]:
    """Names of the documents that were made with the entries of a period's file."""
    # Credit notes and refills' documents.
    return syntax.values(text, "number", "invoice")


class Covered:
    """Finds what seals cover, in a book or as a draft has it."""

    def __init__(self, book: Book | Draft) -> None:
        self.book = book

    @cached_property
    def documents(self) -> dict[str, str]:
        """Paths of documents, by name."""
        return paths.every(self.book)

    def _document(self, name: str) -> str:
        """Path of a document, which may have been put into the draft a moment ago."""
        if name not in self.documents and isinstance(self.book, Draft):
            self.documents.update(paths.by_name(self.book.put_files))
        return self.documents.get(name, "")

    def files(
        self, customer: str, one: Period, frozen: str, told: str, document: Mapping[str, str]
    ) -> dict[str, str]:
        """Digests of what the seal of a period covers, by path.

        Args:
            customer: whose period.
            one: the period.
            frozen: the text of its file.
            told: digest of what vouches for its calls; see :meth:`drawing.Calls.told`.
            document: the period's own, without its seal, by path.

        Raises:
            BrokenBookError: if a document that was issued in the period is not there.
        """
        found = {customer_file.period_path(customer, one.start): frozen, **document}
        for name in issued(frozen):
            if not (path := self._document(name)):
                place = customer_file.period_path(customer, one.start)
                message = f"names {name}, which is not under invoices/"
                gone = Problem(place, 0, "document", message, todo="restore that document")
                raise BrokenBookError([gone])
            found[path] = self.book.text(path)
        # What is no UTF-8 by now is digested as it is.
        digests = {
            path: seal.digest(text.encode("utf-8", "surrogateescape"))
            for path, text in found.items()
        }
        return digests | {f"calls/{customer}.{one.start}": told}
