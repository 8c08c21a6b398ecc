"""Settings in `a2ledger.toml` that must not change once they have been used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from a2ledger.book import config_parse
from a2ledger.book.book import CONFIG, Book, BrokenBookError
from a2ledger.book.toml_table import ConfigError
from a2ledger.journal import shards, syntax
from a2ledger.records import Problem
from a2ledger.vat import VatCode


def refuse(book: Book) -> None:
    """Refuse to show figures by settings that were changed after they had been used.

    Raises:
        BrokenBookError: naming them.
    """
    published = book.vault.published_if_known()
    if published and published.differs([CONFIG]) and (problems := list(changed(book))):
        raise BrokenBookError(problems)


def changed(book: Book) -> Iterator[Problem]:
    """Yield edits of the currency or of VAT codes that the journals use."""
    text = book.vault.was(CONFIG)
    try:
        before = config_parse.parse(text)
    except ConfigError:
        return  # of an earlier version, or never there
    now = book.config
    if before.currency != now.currency and shards.months(book):
        problem = f"is {now.currency}, and the book is kept in {before.currency}"
        yield _problem("currency", problem, "change it back; another currency needs another book")
    codes = _changed_codes(before.codes, now.codes)
    for code in _used(book, codes):
        key, problem = codes[code]
        yield _problem(key, problem, "change it back, and add a new code for the new rate")


def _problem(key: str, problem: str, todo: str) -> Problem:
    return Problem(CONFIG, 0, "settled", f"{key}: {problem}", todo=todo)


def _changed_codes(
    before: Mapping[str, VatCode], now: Mapping[str, VatCode]
) -> dict[str, tuple[str, str]]:
    """Return key and complaint for every VAT code that was changed or removed."""
    complaints = {}
    for code, was in before.items():
        key, own = f"vat.codes.{code}", now.get(code)
        if own is None:
            complaints[code] = key, "is gone, and entries are posted under it"
        elif own.rate != was.rate:
            complaint = f"is {own.rate:f}, and entries are posted under {code} at {was.rate:f} %"
            complaints[code] = f"{key}.rate", complaint
        elif own.category != was.category:
            complaint = f"is {own.category}, and entries are posted under {code} as {was.category}"
            complaints[code] = f"{key}.category", complaint
    return complaints


def _used(book: Book, codes: Mapping[str, object]) -> Iterator[str]:
    """Yield those of some VAT codes that entries use."""
    unseen = dict.fromkeys(codes)
    for path in shards.months(book) if unseen else ():
        text = book.text(path)
        for code in [code for code in unseen if f"    vat: {syntax.quoted(code)}\n" in text]:
            del unseen[code]
            yield code
