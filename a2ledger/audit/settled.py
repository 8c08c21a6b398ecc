"""What `a2ledger.toml` may say no more otherwise, once it has been used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from a2ledger.book import config as configuration
from a2ledger.book.book import CONFIG, GENERAL, Draft
from a2ledger.book.toml_table import ConfigError
from a2ledger.journal import syntax
from a2ledger.records import Problem
from a2ledger.vat import VatCode


def changed(draft: Draft) -> Iterator[Problem]:
    """Yield what was edited of currency and VAT codes although the journals use it."""
    text = draft.vault.was(CONFIG)
    try:
        before = configuration.parse(text)
    except ConfigError:
        return  # of an earlier version, or never there
    now = draft.config
    if before.currency != now.currency and draft.files(GENERAL, "2*.beancount"):
        what = f"is {now.currency}, and the book is kept in {before.currency}"
        yield _problem("currency", what, "write it back; another currency needs another book")
    codes = _changed_codes(before.codes, now.codes)
    for code in _used(draft, codes):
        key, what = codes[code]
        yield _problem(key, what, "write it back, and say a new rate under a code of its own")


def _problem(key: str, what: str, todo: str) -> Problem:
    return Problem(CONFIG, 0, "settled", f"{key}: {what}", todo=todo)


def _changed_codes(
    before: Mapping[str, VatCode], now: Mapping[str, VatCode]
) -> dict[str, tuple[str, str]]:
    """Return key and complaint for every code that is no more what it was."""
    found = {}
    for code, was in before.items():
        key, own = f"vat.codes.{code}", now.get(code)
        if own is None:
            found[code] = key, "is gone, and entries are posted under it"
        elif own.rate != was.rate:
            told = f"is {own.rate:f}, and entries are posted under {code} at {was.rate:f} %"
            found[code] = f"{key}.rate", told
        elif own.category != was.category:
            told = f"is {own.category}, and entries are posted under {code} as {was.category}"
            found[code] = f"{key}.category", told
    return found


def _used(draft: Draft, codes: Mapping[str, object]) -> Iterator[str]:
    """Yield those of some VAT codes that entries bear."""
    left = dict.fromkeys(codes)
    for path in draft.files(GENERAL, "2*.beancount") if left else ():
        text = draft.text(path)
        for code in [code for code in left if f"    vat: {syntax.quoted(code)}\n" in text]:
            del left[code]
            yield code
