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
    """Return names of the documents issued by the entries of a period's file."""
    # Credit notes and refills' documents.
    return syntax.values(text, "number", "invoice")


class Covered:
    """Finds the files a seal covers, in a book or a draft."""

    def __init__(self, book: Book | Draft) -> None:
        self.book = book

    @cached_property
    def documents(self) -> dict[str, str]:
        """Return paths of documents by name."""
        return paths.every(self.book)

    def _document(self, name: str) -> str:
        """Return the path of a document, also one just put into the draft, or an empty string."""
        if name not in self.documents and isinstance(self.book, Draft):
            self.documents.update(paths.by_name(self.book.put_files))
        return self.documents.get(name, "")

    def files(
        self, customer: str, period: Period, frozen: str, told: str, document: Mapping[str, str]
    ) -> dict[str, str]:
        """Return digests of what the seal of a period covers, by path.

        Args:
            customer: whose period.
            period: the period.
            frozen: the text of its file.
            told: digest of what vouches for its calls; see :meth:`drawing.Calls.told`.
            document: the period's own, without its seal, by path.

        Raises:
            BrokenBookError: if a document that was issued in the period is not there.
        """
        texts = {customer_file.period_path(customer, period.start): frozen, **document}
        for name in issued(frozen):
            if not (path := self._document(name)):
                place = customer_file.period_path(customer, period.start)
                message = f"names {name}, which is not under invoices/"
                gone = Problem(place, 0, "document", message, todo="restore that document")
                raise BrokenBookError([gone])
            texts[path] = self.book.text(path)
        # What is no UTF-8 by now is digested as it is.
        digests = {
            path: seal.digest(text.encode("utf-8", "surrogateescape"))
            for path, text in texts.items()
        }
        return digests | {f"calls/{customer}.{period.start}": told}
