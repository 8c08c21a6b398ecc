"""Search customers, numbers, invoices, payments and calls by parts of their text.

Customers are searched by every fact they have; numbers by their digits, however they are written;
invoices and payments by number, id, reference, text and amount, as the general ledger has them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pyarrow.compute as pc

from a2ledger import accounts, local_forms, money
from a2ledger.book.book import SUSPENSE, Book
from a2ledger.calls import detail, listed
from a2ledger.calls.identity import identity
from a2ledger.errors import ExpectedError
from a2ledger.journal import general, shards, subledgers, syntax
from a2ledger.journal.entries import NUMBERED
from a2ledger.records import Customer

CUSTOMER, NUMBER, INVOICE, PAYMENT, CALL = KINDS = (
    *("customer", "number", "invoice", "payment", "call"),
)
MOST = 50
"""Most hits returned of each kind."""

_FACTS = (
    *("name", "email", "phone", "contact", "vat_id", "registration", "iban", "peppol"),
    *("street", "postcode", "city", "address"),
)
_SEARCHED = ("id", "reference", "number", "invoice", "payment", "original")
"""Metadata of entries that is searched."""
_NOTE = "credit-note-"
_MOVED = ("payment-", "refill-", "returned-", "transfer-", _NOTE)
_FEW_DIGITS = 3
_DAYS = 400
"""Number of days whose calls are searched."""


class Hit(NamedTuple):
    """A search result: its kind, its id, its customer, and a line that describes it."""

    kind: str
    id: str
    customer: str
    text: str


class Entry(NamedTuple):
    """A searchable item: the hit, its words in small letters without accents, and its amounts."""

    hit: Hit
    words: str
    amounts: frozenset[int] = frozenset()
    date: str = ""
    """Of an invoice or payment."""
    amount: str = ""
    about: str = ""
    is_note: bool = False
    """True for a credit note."""


def find(book: Book, text: str, today: dt.date, *, calls: bool = True) -> list[Hit]:
    """Return what matches a text, best matches first.

    Args:
        book: that is searched.
        text: a part of what is looked for, in any case; of numbers, their digits.
        today: the day it is.
        calls: whether calls are searched, too, which takes longest.
    """
    hits = matching([*of_customers(book), *of_ledger(book)], text, book)
    if calls and not any(hit.kind in {INVOICE, PAYMENT} for hit in hits):
        hits += of_calls(book, text, today - dt.timedelta(days=_DAYS))
    return hits


def matching(entries: Iterable[Entry], text: str, book: Book) -> list[Hit]:
    """Return the hits of entries that match a text, by rank and then by kind."""
    needle = " ".join(local_forms.folded(text).split())
    if not needle:
        return []
    digits, micro = _digits(text), _amount(text, book)
    ranked: list[tuple[int, int, int, Hit]] = []
    for entry in entries:
        rank = _rank(entry, needle, digits, micro)
        if rank is not None:
            ranked.append((rank, KINDS.index(entry.hit.kind), len(ranked), entry.hit))
    ranked.sort(key=lambda row: row[:3])
    counts = dict.fromkeys(KINDS, 0)
    hits = []
    for *_, hit in ranked:
        counts[hit.kind] += 1
        if counts[hit.kind] <= MOST:
            hits.append(hit)
    return hits


def _rank(entry: Entry, needle: str, digits: str, micro: int | None) -> int | None:
    """Rank how well an entry matches, from 0 for best, or return None."""
    if entry.hit.id.lower() == needle:
        return 0
    if entry.hit.kind == NUMBER:
        if not digits:
            return 1 if needle in entry.words else None
        own = _digits(entry.hit.id)
        if own == digits:
            return 0
        return 1 if len(digits) >= _FEW_DIGITS and digits in own else None
    if needle in entry.words:
        return 1 if entry.hit.id.lower().startswith(needle) else 2
    return 3 if micro is not None and micro in entry.amounts else None


def _digits(text: str) -> str:
    """Return the digits of a possible phone number, or an empty text."""
    bare = re.sub(r"[\s().+/-]", "", text)
    if not bare.isascii() or not bare.isdigit():
        return ""
    return bare.removeprefix("00").lstrip("0")


def _amount(text: str, book: Book) -> int | None:
    try:
        return money.parse(local_forms.amount(text.strip(), book.config.locale))
    except (ValueError, ExpectedError):
        return None


def of_customers(book: Book) -> Iterator[Entry]:
    """Yield customers and the numbers and other identifiers they hold."""
    for customer in subledgers.customers(book).values():
        yield from of_customer(customer)


def of_customer(customer: Customer) -> Iterator[Entry]:
    """Yield a customer and the numbers and other identifiers they hold or have held."""
    name = _last(customer, "name")
    known = [_last(customer, key) for key in _FACTS]
    words = local_forms.folded("\n".join(filter(None, [customer.id, *known])))
    yield Entry(Hit(CUSTOMER, customer.id, customer.id, _described(customer, name)), words)
    history = customer.facts.get("identifiers", ())
    numbers = dict.fromkeys(part.strip() for _, value in history for part in str(value).split(","))
    for number in numbers:
        if number:
            held = number in {part.strip() for part in str(history[-1][1]).split(",")}
            until = "" if held else ", not any more"
            text = f"{number}: {name or customer.id}{until}"
            yield Entry(Hit(NUMBER, number, customer.id, text), number.lower())
    if (phone := _last(customer, "phone")) and phone not in numbers:
        yield Entry(Hit(NUMBER, phone, customer.id, f"{phone}: {name}"), phone.lower())


def _last(customer: Customer, key: str) -> str:
    history = customer.facts.get(key)
    return str(history[-1][1]) if history else ""


def _described(customer: Customer, name: str) -> str:
    more = [_last(customer, key) for key in ("email", "city")]
    return ", ".join(filter(None, [name or customer.id, *more]))


def of_ledger(book: Book) -> Iterator[Entry]:
    """Yield invoices and payments of the general ledger, newest month first."""
    names = {accounts.component(name): name for name in subledgers.customers(book)}
    for path in ledger_paths(book):
        yield from of_month(book.text(path), names.get)


def ledger_paths(book: Book) -> list[str]:
    """Return the files whose invoices and payments are searched, the newest month first."""
    return [*reversed(shards.months(book)), *book.files(SUSPENSE)]


def of_month(text: str, customer_of: Callable[[str], str | None]) -> Iterator[Entry]:
    """Yield invoices and payments in the text of a month, newest first.

    Args:
        text: of the general ledger or of suspense.
        customer_of: the customer of a part of an account's name, if there is one.
    """
    for block in reversed(syntax.blocks(text)):
        if block.kind != "*" or "voided" in block.meta:
            continue
        is_issued = not NUMBERED.isdisjoint(block.tags)
        if is_issued or block.own_link.startswith(_MOVED):
            yield _entry(block, customer_of(general.customer_of(block)) or "", is_issued=is_issued)


def _entry(block: syntax.Block, customer: str, *, is_issued: bool) -> Entry:
    meta = {key: value for key, value in block.meta.items() if key in _SEARCHED}
    billed = [leg for leg in block.legs if leg.account.endswith(":Billed")] or block.legs[:1]
    moved = billed[0]
    amount = f"{money.text(abs(moved.micro), money.decimals(moved.currency))} {moved.currency}"
    narration = " ".join(block.strings[1:])
    number = meta.get("number", block.own_link if is_issued else "")
    about = ", ".join(filter(None, [block.payee, meta.get("reference", ""), narration]))
    if number:
        hit = Hit(INVOICE, number, customer, f"{block.payee or number}, {amount}, {block.date}")
    else:
        name = meta.get("id", block.own_link)
        hit = Hit(PAYMENT, name, customer, f"{about}, {amount}, {block.date}")
    words = local_forms.folded("\n".join([hit.id, *meta.values(), narration, customer]))
    amounts = frozenset(abs(leg.micro) for leg in billed)
    is_note = block.own_link.startswith(_NOTE)
    return Entry(hit, words, amounts, block.date, amount, about, is_note)


def of_calls(book: Book, text: str, since: dt.date, most: int = MOST) -> list[Hit]:
    """Return calls from or to a number, or with an id, newest first."""
    hits: list[Hit] = []
    for _, of_day in calls_by_day(book, text, since):
        hits += of_day
        if len(hits) >= most:
            break
    return hits[:most]


def calls_by_day(
    book: Book, text: str, since: dt.date, until: dt.date | None = None
) -> Iterator[tuple[dt.date, list[Hit]]]:
    """Yield days from the latest on, each with its calls from or to a number, or with an id.

    Args:
        book: whose calls.
        text: a number, or an id.
        since: the first day.
        until: the day before which to begin; the last that has calls if none is given.
    """
    digits, needle = _digits(text), text.strip()
    if len(digits) <= _FEW_DIGITS and "." not in needle and "/" not in needle:
        return
    digests, zone = detail.digests(book), book.config.timezone
    uid = needle.split("/")[1] if needle.count("/") else needle
    for day in sorted(digests, reverse=True):
        if day < since:
            return
        if until and day >= until:
            continue
        searched = detail.read(book.root, day, digests, ["uid", "called", "caller"])
        fits = pc.equal(searched["uid"], uid)
        if len(digits) > _FEW_DIGITS:
            for name in ("called", "caller"):
                fits = pc.or_(fits, pc.match_substring(searched[name], digits))
        hits: list[Hit] = []
        if not pc.any(fits).as_py():
            yield day, hits
            continue
        table = detail.read(book.root, day, digests)
        for row in table.filter(fits).to_pylist()[::-1]:
            name = identity(row["switch"], row["uid"], row["seq"])
            description = (
                f"{listed.start(row['start'], zone)} {row['caller']} to {row['called']}, "
                f"{row['destination']}, {row['seconds']} s, {money.text(row['cost_micro'], 2)}"
            )
            hits.append(Hit(CALL, name, row["customer"], description))
        yield day, hits
