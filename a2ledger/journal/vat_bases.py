"""Add the base of all VAT to the general ledger, under its code.

A close moves each code's net from Unbilled, which is the base of its VAT; other entries that owe
VAT, or take it back, do not touch Unbilled, and where prices contain VAT what a close moves is
gross. The general ledger says the base of these, too: so one question answers for all of them,
the postings to Unbilled of entries tagged ``invoice`` or ``credit-note``, by their ``vat``.
Amounts are in micro-units.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from a2ledger import accounts, money
from a2ledger.journal import syntax
from a2ledger.journal.syntax import Block

_UNBILLED = ":Unbilled"


def issued_with(block: Block) -> str:
    """Return the number of the document issued with an entry, empty if there is none."""
    return block.meta.get("invoice") or block.meta.get("number", "")


def converted(block: Block) -> dict[str, int]:
    """Return VAT that an entry posts in the account's currency but owes in the book's, by code."""
    return {
        leg.meta["vat_of"]: -leg.micro
        for leg in block.postings
        if leg.account == accounts.CONVERSION and "vat_of" in leg.meta
    }


def with_bases(blocks: Iterable[Block], customer: str) -> Iterator[Block]:
    """Yield a customer's entries, and the base of their VAT under its code."""
    for block in blocks:
        if block.meta.get("treatment") == "included":
            yield block._replace(text=_apart(block))
        else:
            yield block
            if block.kind == "*" and (number := issued_with(block)):
                yield from _memo(block, number, customer)


def _apart(block: Block) -> str:
    """Return the entry of a close with each amount that contains VAT split into base and VAT."""
    taxes = {
        accounts.name_of(leg.account.removeprefix(prefix)): -leg.micro
        for leg in block.legs
        for prefix in (accounts.OWED, accounts.NOT_DUE)
        if leg.account.startswith(prefix)
    }
    taxes |= converted(block)
    head, meta, rows = _read(block.text)
    parted: list[syntax.Row] = []
    for row in rows:
        code = row.meta.get("vat", "")
        tax = taxes.get(code, 0) if row.account.endswith(_UNBILLED) else 0
        if not tax:
            parted.append(row)
            continue
        places = len(row.number.partition(".")[2])
        base = money.text(money.parse(row.number) + tax, places)
        parted += [
            row._replace(number=base),
            row._replace(number=money.text(-tax, places), meta={"inside": code}),
        ]
    return syntax.transaction(head, {}, parted).replace("\n", "\n" + meta, 1)


def _read(text: str) -> tuple[str, str, list[syntax.Row]]:
    """Return a transaction's first line, the text of its metadata, and its postings."""
    lines = text.rstrip("\n").split("\n")
    meta = "".join(f"{line}\n" for line in lines[1:] if re.match(r"  [a-z]", line))
    rows: list[syntax.Row] = []
    for line in lines[1:]:
        if re.match(r"    [a-z]", line):
            key, _, value = line.strip().partition(": ")
            rows[-1] = rows[-1]._replace(meta={**rows[-1].meta, key: syntax.unquoted(value)})
        elif not re.match(r"  [a-z]", line):
            account, number, currency = line.split()
            rows.append(syntax.Row(account, number, currency, {}))
    return lines[0], meta, rows


def _memo(block: Block, number: str, customer: str) -> Iterator[Block]:
    """Yield an entry that states the base of another entry's VAT and moves no money."""
    bases = _bases(block, customer)
    if not any(micro for _, micro, _ in bases):
        return
    unbilled = accounts.unbilled(customer)
    rows = []
    for code, micro, currency in bases:
        places = money.decimals(currency)
        rows.append(syntax.Row(unbilled, money.text(-micro, places), currency, {"vat": code}))
        rows.append(syntax.Row(unbilled, money.text(micro, places), currency, {"base_of": code}))
    back = sum(micro for _, micro, _ in bases) < 0
    title, tag = ("Credit note", "credit-note") if back else ("Invoice", "invoice")
    head = (
        f"{block.date} * {syntax.quoted(f'{title} {number}')} "
        f'"base of its VAT, which is posted above" #{tag}'
    )
    yield Block(block.date, "*", syntax.transaction(head, {}, rows))


def _bases(block: Block, customer: str) -> Sequence[tuple[str, int, str]]:
    """Return code, base and currency of the VAT an entry owes, negative where it is taken back."""
    coded = [leg for leg in block.postings if "vat" in leg.meta]
    corrected = [
        (leg.meta["vat"], -leg.micro, leg.currency)
        for leg in coded
        if leg.account == accounts.CORRECTIONS
    ]
    if corrected:
        return corrected
    codes = [leg.meta["vat"] for leg in coded if leg.account.endswith(":Billed")] or [
        accounts.name_of(leg.account.removeprefix(accounts.OWED))
        for leg in block.legs
        if leg.account.startswith(accounts.OWED)
    ]
    billed = [leg for leg in block.legs if leg.account == accounts.billed(customer)]
    if not codes or not billed:
        return []
    micro = -sum(leg.micro for leg in billed)
    if base := block.meta.get("base"):
        micro = syntax.amount(base)
    return [(codes[0], micro, billed[0].currency)]
