"""Document numbers, gapless in each series: the existing documents determine the next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from a2ledger.book.book import Draft, RefusedError
from a2ledger.documents import paths
from a2ledger.documents.document import read
from a2ledger.journal import shards, syntax

_DOCUMENT = re.compile(r"invoices/[^/]+/[^/]+\.json")
_LINK = re.compile(r" \^([A-Za-z0-9_.-]+)")


class Numbers:
    """Gapless numbers of invoices and credit notes, taken under the writer's lock.

    A number is taken for good when its document is published, which is all or nothing: a run
    that is killed leaves no gap. A series goes on where `a2ledger.toml` says; no number is one
    that an opening balance brought from another system, and none has an earlier date than the one
    before it.
    """

    def __init__(self, draft: Draft) -> None:
        config = draft.config
        self.draft, self.year = draft, draft.today.year
        self.series = {"invoice": config.invoice_series, "credit-note": config.credit_note_series}
        starts = {"invoice": config.invoice_start, "credit-note": config.credit_note_start}
        self._paths = paths.by_name([*paths.every(draft).values(), *self._committed()])
        self.last = {
            kind: self._last(kind, series, starts[kind]) for kind, series in self.series.items()
        }

    def _committed(self) -> list[str]:
        """Return the documents that git and the last publication know, on disk or not."""
        known = set(self.draft.vault.published.files)
        if head := self.draft.repository.head():
            known |= self.draft.repository.tree(head, "invoices").keys()
        return [path for path in known if _DOCUMENT.fullmatch(path)]

    def _last(self, kind: str, series: str, start: int) -> int:
        """Return the highest number taken, or the highest of this year if the series is yearly.

        Raises:
            RefusedError: if the series is to start beyond a number it has issued.
        """
        taken = numbers(series, self._paths, str(self.year))
        last = max(taken, default=0)
        if last >= start - 1 or numbers(series, self._paths, r"\d{4}").keys() - taken.keys():
            return last
        if taken:
            key = "next" if kind == "invoice" else "credit_note_next"
            raise RefusedError(
                (
                    f"a2ledger.toml: numbers.{key}: is {start}, and {taken[last]} was issued: "
                    "the numbers between would be missing"
                ),
                todo=f"remove the key, or set it to {last + 1}",
            )
        return start - 1

    def following(self, kind: str) -> str:
        """Return the next number of a series, ``invoice`` or ``credit-note``, without taking it.

        Raises:
            RefusedError: if it is another system's, or the one before has a later date.
        """
        before = self._name(kind, self.last[kind])
        path = self._paths.pop(before, "")
        if path and self.draft.has(path):
            issued = read(self.draft.text(path)).issue_date
            if issued > str(self.draft.today):
                raise RefusedError(
                    (
                        f"{before} was issued on {issued}, and a number cannot have an earlier "
                        "date than the one before it"
                    ),
                    todo=f"correct this computer's date, which is {self.draft.today}",
                )
        number = self._name(kind, self.last[kind] + 1)
        if number in self._posted:
            raise RefusedError(
                f"{number} is taken: the journals have an entry of it, and its document is gone",
                todo="bring invoices/ back with `git checkout HEAD -- invoices`",
            )
        if number in self._foreign:
            raise RefusedError(
                (f"{number} is the number of an opening balance, brought from another system"),
                todo="say under [numbers] in a2ledger.toml which number is `next`",
            )
        return number

    def take(self, kind: str) -> str:
        """Take the next number of a series and return it."""
        number = self.following(kind)
        self.last[kind] += 1
        return number

    def _name(self, kind: str, number: int) -> str:
        return self.series[kind].format(year=self.year, number=number)

    @cached_property
    def _posted(self) -> set[str]:
        """Links of all entries: a number that a seal or a journal knows is not taken again."""
        texts = map(self.draft.text, shards.months(self.draft))
        links = {link for text in texts for link in _LINK.findall(text)}
        return links - self._paths.keys()

    @cached_property
    def _foreign(self) -> set[str]:
        """Return the numbers of documents that opening balances brought from other systems."""
        texts = (self.draft.text(path) for path in shards.months(self.draft))
        return {
            reference
            for text in texts
            if " ^opening-" in text
            for block in syntax.blocks(text)
            if block.own_link.startswith("opening-")
            and (reference := block.meta.get("reference", ""))
        }


def numbers(series: str, names: Iterable[str], year: str) -> Mapping[int, str]:
    """Return the names that belong to a series, by their numbers."""
    text = re.escape(series).replace(re.escape("{year}"), year)
    pattern = re.compile(re.sub(r"\\\{number(?:[^}]*)\\\}", lambda _: r"(\d+)", text))
    return {int(match[1]): name for name in names if (match := pattern.fullmatch(name))}
