"""What a seal covers: a period's file, the calls posted in it, the documents issued in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from a2ledger import customerfile
from a2ledger.book import Book, Draft
from a2ledger.period import Period

_ISSUED = re.compile(r'^  (?:number|invoice): "([A-Za-z0-9_-]+)"$', re.MULTILINE)
"""How entries name the credit notes and refills' documents that were made with them."""


class Covered:
    """Finds what seals cover, in a book or as a draft has it."""

    def __init__(self, book: Book | Draft) -> None:
        self.book = book

    @cached_property
    def documents(self) -> Mapping[str, str]:
        """Paths of documents, by their names."""
        paths = self.book.files("invoices", "*/*.json")
        return {path.rpartition("/")[2].removesuffix(".json"): path for path in paths}

    def files(
        self, customer: str, one: Period, frozen: str, told: str, document: Mapping[str, str]
    ) -> dict[str, bytes]:
        """What the seal of a period covers, by path.

        Args:
            customer: whose period.
            one: the period.
            frozen: the text of its file.
            told: what vouches for its calls; see :meth:`drawing.Calls.told`.
            document: the period's own, without its seal, by path.
        """
        found = {
            customerfile.period_path(customer, one.start): frozen,
            f"calls/{customer}.{one.start}": told,
            **document,
        }
        for name in _ISSUED.findall(frozen):
            path = self.documents.get(name, f"invoices/{name}.json")
            found[path] = self.book.text(path)
        return {path: text.encode() for path, text in found.items()}
