"""The remaining worth of a billed line: its amount less all that was given back on it.

An invoice loses worth by credit notes, by fees that are stopped, changed or settled, by calls that
are re-rated, and by debts that are written off. Each of these doors asks here first, so that
nothing is given back twice:

- *Given by hand*: credit notes, line by line; and write-offs, which take what is left of each line
  in proportion and say so, until `recover` takes them back.
- *Given by the program*: what fees' corrections and re-rating moved, by the line they correct.

A credit note may take what both leave. A fee's correction and re-rating take into account what was
given by hand. Amounts are micro-units; a line's are net, as the document shows them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from a2ledger import accounts, money
from a2ledger.book.book import Book
from a2ledger.documents import paths
from a2ledger.documents.document import Document, read
from a2ledger.documents.given_back import RERATE, Calls, GivenBack, Item, Rerated, Share, parts
from a2ledger.journal import customer_file, syntax
from a2ledger.journal.syntax import Block
from a2ledger.records import Customer

_FEE = re.compile(r"fee-.*-(\d{4}-\d\d-\d\d)(\.\d{4}-\d\d-\d\d)?")


class Left(NamedTuple):
    """What remains of an invoice. Write-offs are not deducted."""

    gross_micro: int
    taxes_micro: Mapping[str, int]
    """The VAT in it, by code."""
    lost_micro: int
    """The amount of it that was written off and not recovered."""
    waiting_micro: int
    """What corrections of calls that are not billed yet give back, which is no part of it."""


@dataclass(frozen=True, kw_only=True)
class Worth:
    """The remaining worth of one customer's billed lines.

    ``text_of`` reads a file of the book, ``paths`` are those of documents by name.
    """

    customer: Customer
    places: int
    text_of: Callable[[str], str]
    paths: Mapping[str, str]

    def given(self, invoice: Document) -> list[GivenBack]:
        """Return what was given back on an invoice other than by credit notes."""
        notes, rest = self.notes(invoice.name), invoice.net_by_line
        _take(rest, *notes)
        corrected = GivenBack.by_lines(
            "corrections of fees and calls", invoice, self._corrected(invoice, rest), self.places
        )
        _take(rest, corrected)
        written_off = self._written_off(invoice, rest, [*notes, corrected])
        return [given for given in (corrected, written_off) if given.lines]

    def left(self, invoice: Document) -> Left:
        """Return what remains of an invoice for a write-off.

        Corrections of fees that are not billed yet do not count: they give way to it. Nor do those
        that are billed: what is open of the bill they stand on is less by them.
        """
        rest, deductions = invoice.net_by_line, list(self.notes(invoice.name))
        _take(rest, *deductions)
        lines = self._corrected(invoice, rest, waiting=True)
        waiting = GivenBack.by_lines("", invoice, lines, self.places)
        deductions.append(waiting)
        gross = money.parse(invoice.gross) - sum(each.gross_micro for each in deductions)
        taxes = Counter[str]()
        for row in invoice.vat:
            taxes[row.code] += money.parse(row.vat)
        for each in deductions:
            taxes.subtract(each.vat)
        lost = self.lost.get(invoice.name, 0)
        return Left(gross, taxes, lost, waiting.gross_micro)

    def given_up(self, invoice: Document, part_micro: int) -> dict[int, int]:
        """Return the net that a part of an invoice takes of each line, when it is written off."""
        notes, rest = self.notes(invoice.name), invoice.net_by_line
        _take(rest, *notes)
        corrected = self._corrected(invoice, rest, billed_fees=True)
        before = [*notes, GivenBack.by_lines("", invoice, corrected, self.places)]
        _take(rest, before[-1])
        _take(rest, self._written_off(invoice, rest, before))
        rest = {line: net for line, net in rest.items() if net > 0}
        gross = GivenBack.by_lines("", invoice, rest, self.places).gross_micro
        share = Share(min(part_micro, gross), gross)
        return {line: share.of(net, self.places) for line, net in rest.items()} if gross else {}

    def fees(self) -> dict[str, Share]:
        """Return the shares of billed fees given back by hand, by their links."""
        return {
            source: share
            for source, share in self._shares.items()
            if isinstance(source, str) and _FEE.fullmatch(source)
        }

    def calls(self) -> dict[Calls, Share]:
        """Return the shares of calls given back by hand, by the line they were billed on."""
        return {
            source: share for source, share in self._shares.items() if isinstance(source, Calls)
        }

    def rerated(self) -> dict[str, Share]:
        """Return the shares of re-rating's lines given back by hand, by their links."""
        return {
            source: share
            for source, share in self._shares.items()
            if isinstance(source, str) and source.startswith(RERATE)
        }

    # ---- read from the ledger and the documents ----

    @cached_property
    def _periods(self) -> dict[dt.date, list[Block]]:
        """Return the entries of the customer's periods, without usage and closes."""
        by_period = {}
        for start in self.customer.periods:
            text = self.text_of(customer_file.period_path(self.customer.id, start))
            above = text.partition(syntax.MARKER)[0]
            by_period[start] = [row for row in syntax.blocks(above) if row.kind in {"*", "!"}]
        return by_period

    def _entries(self, kind: str) -> Iterator[tuple[Block, Mapping[str, str]]]:
        """Yield entries, with their metadata, that have a link with a prefix and are not voided."""
        for blocks in self._periods.values():
            for block in blocks:
                is_of_kind = any(name.startswith(kind) for name in block.links)
                if is_of_kind and "voided" not in block.meta:
                    yield block, block.meta

    def document(self, name: str) -> Document | None:
        """Return a document by its name, or None if the book has none of that name."""
        path = self.paths.get(name)
        return read(self.text_of(path)) if path else None

    @cached_property
    def _notes(self) -> dict[str, list[GivenBack]]:
        """Return the credit notes, by the number of the invoice they are for."""
        notes: dict[str, list[GivenBack]] = {}
        for _, meta in self._entries("credit-note-"):
            note = self.document(meta.get("number", ""))
            if note is not None and "original" in meta:
                notes.setdefault(meta["original"], []).append(GivenBack.by_note(note))
        for of_invoice in notes.values():
            of_invoice.sort(key=lambda note: note.title)
        return notes

    def waiting(self, rate_of: Callable[[str], int]) -> int:
        """Return what unbilled corrections of calls will give back, VAT included.

        ``rate_of`` is the VAT on an amount of 1.00 under a code, in micro-units.
        """
        return sum(
            -item.micro - money.divide(item.micro * rate_of(item.vat), money.MICRO)
            for item in self._items(self._periods.get(self.customer.open_since, ()))
            if item.link.startswith(RERATE) and item.micro < 0
        )

    def notes(self, number: str) -> list[GivenBack]:
        """Return the credit notes of an invoice, in order of their numbers."""
        return self._notes.get(number, [])

    @cached_property
    def lost(self) -> dict[str, int]:
        """Return the amount of each document written off and not recovered, VAT included."""
        losses: dict[str, int] = {}
        account = accounts.billed(self.customer.id)
        for kind, sign in (("write-off-", 1), ("recover-", -1)):
            for block, meta in self._entries(kind):
                moved = sum(leg.micro for leg in block.legs if leg.account == account)
                for number, micro in self._parts(meta, abs(moved)):
                    losses[number] = losses.get(number, 0) + sign * micro
        return {number: micro for number, micro in losses.items() if micro > 0}

    @cached_property
    def _given_up(self) -> dict[str, dict[int, int]]:
        """Return what write-offs took of each line, of documents of which all of them say so."""
        lines: dict[str, dict[int, int]] = {}
        silent = set()
        for _, meta in self._entries("write-off-"):
            if "given_up" not in meta:
                silent |= set(meta.get("reference", "").split(", "))
                continue
            for name, micro in parts(meta["given_up"]):
                number, _, line = name.rpartition("/")
                of_invoice = lines.setdefault(number, {})
                of_invoice[int(line)] = of_invoice.get(int(line), 0) + micro
        return {number: found for number, found in lines.items() if number not in silent}

    @cached_property
    def _lost_ever(self) -> dict[str, int]:
        """Return what of each document was ever written off, recovered or not."""
        sums: dict[str, int] = {}
        for _, meta in self._entries("write-off-"):
            for number, micro in self._parts(meta, 0):
                sums[number] = sums.get(number, 0) + micro
        return sums

    def _parts(self, meta: Mapping[str, str], micro: int) -> Iterator[tuple[str, int]]:
        """Yield the documents that an entry writes off or recovers, and how much of each."""
        if "parts" in meta:
            yield from parts(meta["parts"])
            return
        # Entries of earlier versions name the documents, oldest first, and no amounts.
        for number in filter(None, meta.get("reference", "").split(", ")):
            document = self.document(number)
            part = min(micro, money.parse(document.gross)) if document else 0
            if part:
                yield number, part
            micro -= part

    @cached_property
    def _shares(self) -> dict[str | Calls, Share]:
        """Return the shares given back by hand, by the source of the line."""
        shares = {}
        for number in {*self._notes, *self.lost}:
            invoice = self.document(number)
            if invoice is None or not invoice.bills:
                continue
            nets, rest = invoice.net_by_line, invoice.net_by_line
            notes = self.notes(number)
            _take(rest, *notes)
            _take(rest, self._written_off(invoice, rest, notes))
            for line, source in self._sources(invoice).items():
                net = nets[line]
                if net and rest[line] != net:
                    shares[source] = Share(net - rest[line], net)
        return shares

    def _sources(self, invoice: Document) -> dict[int, str | Calls]:
        """Return the source of each line of an invoice: the link of an entry, or calls."""
        start = dt.date.fromisoformat(invoice.period["start"])
        others = [line for line in invoice.lines if not line.calls]
        codes = {line.vat_code for line in others}
        items = [item for item in self._items(self._periods.get(start, ())) if item.vat in codes]
        sources: dict[int, str | Calls] = {
            line.line: Calls(
                start,
                line.service,
                line.destination,
                line.vat_code,
                dt.date.fromisoformat(line.late_from) if line.late_from else None,
            )
            for line in invoice.lines
            if line.calls
        }
        if len(items) == len(others):
            # Only their order links lines to entries: the document does not name its entries.
            for line, item in zip(
                others, sorted(items, key=lambda item_: item_.order), strict=True
            ):
                sources[line.line] = item.link
        return sources

    def _items(self, blocks: Iterable[Block]) -> Iterator[Item]:
        """Yield the lines of a bill that entries make."""
        for block in blocks:
            if ":Unbilled" not in block.text:
                continue
            meta = block.meta
            if "voided" in meta:
                continue
            late = meta.get("late_from")
            for leg in block.postings:
                if not leg.account.endswith(":Unbilled"):
                    continue
                yield Item(
                    block.own_link,
                    dt.date.fromisoformat(block.date),
                    block.payee,
                    leg.meta.get("vat", ""),
                    leg.micro,
                    dt.date.fromisoformat(late) if late else None,
                    meta,
                )

    # ---- given back by the program ----

    def _corrected(
        self,
        invoice: Document,
        rest: Mapping[int, int],
        *,
        billed_fees: bool = False,
        waiting: bool = False,
    ) -> dict[int, int]:
        """Return the net given back by corrections of fees and calls, by line, at most its rest.

        Args:
            invoice: whose lines.
            rest: what is left of each.
            billed_fees: whether corrections of fees count only once they are billed.
            waiting: whether corrections of calls count alone, and only until they are billed.
        """
        open_since = self.customer.open_since
        sources = self._sources(invoice)
        every = [
            item
            for blocks in self._periods.values()
            for item in self._items(blocks)
            if (_FEE.fullmatch(item.link) and not (billed_fees and item.date >= open_since))
            or item.link.startswith(RERATE)
        ]
        if not every:
            return {}
        rerated = Rerated.of(every)
        billed = Rerated.of(item for item in every if item.date < open_since)
        given_back: dict[int, int] = {}
        nets = invoice.net_by_line
        for line, source in sources.items():
            net = nets[line]
            if net <= 0:
                continue
            if not isinstance(source, str) or not _FEE.fullmatch(source):
                micro = rerated.gone(source) - (billed.gone(source) if waiting else 0)
                gone = Share(micro, self._posted(invoice, line, net))
            elif waiting:
                continue
            else:
                gone = self._gone_of_fee(source, every)
            if gone.given_micro > 0:
                given_back[line] = min(gone.of(net, self.places), max(rest[line], 0))
        return given_back

    def _posted(self, invoice: Document, line: int, net_micro: int) -> int:
        """Return what a line took from Unbilled: its net, with VAT where prices contain it."""
        if invoice.treatment != "included":
            return net_micro
        code = next(each.vat_code for each in invoice.lines if each.line == line)
        rate = next(money.parse(row.rate) for row in invoice.vat if row.code == code)
        return net_micro + money.divide(net_micro * rate, 100 * money.MICRO)

    def _gone_of_fee(self, link: str, every: Sequence[Item]) -> Share:
        """Return how much of a fee's entry its corrections gave back, latest days first."""
        item = next(item for item in every if item.link == link)
        own = [other for other in every if other.meta.get("fee") == item.meta["fee"]]
        first = _anchor(link)
        corrections = [
            other
            for other in own
            if other.micro < 0 and _anchor(other.link) <= first <= _last(other)
        ]
        if not corrections:
            return Share(0, item.micro)
        day = min(_anchor(other.link) for other in corrections)
        last = max(_last(other) for other in corrections)
        group = [entry for entry in own if entry.micro > 0 and day <= _anchor(entry.link) <= last]
        rest_micro = -sum(other.micro - self._by_hand(other) for other in corrections)
        for other in sorted(
            group, key=lambda entry: (entry.date, _anchor(entry.link)), reverse=True
        ):
            part = min(rest_micro, other.micro - self._by_hand(other))
            if other.link == link:
                return Share(part, item.micro)
            rest_micro -= part
        return Share(0, item.micro)

    def _by_hand(self, item: Item) -> int:
        """Return how much of an entry was given back by hand."""
        share = self._shares.get(item.link)
        return share.of(item.micro) if share else 0

    # ---- written off ----

    def _written_off(
        self, invoice: Document, rest: Mapping[int, int], before: Sequence[GivenBack]
    ) -> GivenBack:
        """Return what was written off an invoice: a share of the rest of each line."""
        number = invoice.name
        lost, lines = self.lost.get(number, 0), {}
        gross = money.parse(invoice.gross) - sum(deduction.gross_micro for deduction in before)
        if lost and number in self._given_up:
            share = Share(lost, self._lost_ever[number])
            lines = {
                line: min(share.of(net, self.places), max(rest[line], 0))
                for line, net in self._given_up[number].items()
            }
        elif lost and gross > 0:
            share = Share(min(lost, gross), gross)
            lines = {line: share.of(net, self.places) for line, net in rest.items() if net > 0}
        return GivenBack.by_lines("a write-off", invoice, lines, self.places)


def of_customer(book: Book, customer: Customer, currency: str) -> Worth:
    """Return the worth of a customer's billed lines, in a book or a draft."""
    return Worth(
        customer=customer,
        places=money.decimals(currency),
        text_of=book.text,
        paths=paths.every(book),
    )


def _anchor(link: str) -> dt.date:
    """Return the first day that a fee's entry is for, or corrects."""
    match = _FEE.fullmatch(link)
    assert match is not None  # noqa: S101 - asked of fees' links alone
    return dt.date.fromisoformat(match[1])


def _last(item: Item) -> dt.date:
    return dt.date.fromisoformat(item.meta["to"])


def _take(rest: dict[int, int], *given: GivenBack) -> None:
    """Deduct amounts given back from the lines of an invoice."""
    for each in given:
        for line, net in each.lines.items():
            rest[line] -= net
