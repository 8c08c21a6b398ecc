"""The words that the program itself writes into entries, in the language of a document."""

from __future__ import annotations

import functools
import re

from a2ledger.documents import language
from a2ledger.documents.language import Language


def N_(text: str) -> str:  # noqa: N802 - gettext's name for words that are translated elsewhere
    """Mark words for the catalogues."""
    return text


WORDS = (
    *(N_("Charge"), N_("Credit note"), N_("Deposit"), N_("Goodwill"), N_("Invoice")),
    *(N_("Opening balance"), N_("Payment"), N_("Refill"), N_("Refund"), N_("Reminder")),
    *(N_("Rounding of fractions brought over"), N_("Rounding of what is to pay")),
    *(N_("Rounding"), N_("Statement"), N_("Transfer"), N_("VAT"), N_("Write-off")),
    *(N_("Reverse charge"), N_("Export outside the EU"), N_("Not subject to VAT")),
    *(N_("Intra-community supply"), N_("Taxed when it was paid for")),
)
"""With what the words of entries and reasons begin, where the program wrote them."""
_BEGINS = re.compile(rf"(?:{'|'.join(sorted(WORDS, key=len, reverse=True))})\b")


_PHRASES = (
    (
        re.compile(r"Credit note (?P<number>\S+) for (?P<original>[^\s,]+)"),
        N_("Credit note %(number)s for %(original)s"),
    ),
    (
        re.compile(r"\b(?P<days>[0-9]+) of (?P<whole>[0-9]+) days of (?P<price>[0-9]+(\.[0-9]+)?)"),
        N_("%(days)s of %(whole)s days of %(price)s"),
    ),
    (
        re.compile(r"\bof (?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}), posted late"),
        N_("of %(day)s, posted late"),
    ),
)
"""What the program writes within the words of an entry."""


def spoken_text(text: str, spoken: Language) -> str:
    """Return the words of an entry, those of the program in the language of the document."""
    if spoken.code == language.ENGLISH:
        return text
    gettext = spoken.catalogue.gettext
    forms = {"price": spoken.amount, "day": spoken.day}

    def said(match: re.Match[str], words: str) -> str:
        return gettext(words) % {
            key: forms.get(key, str)(value) for key, value in match.groupdict().items()
        }

    for pattern, words in _PHRASES:
        text = pattern.sub(functools.partial(said, words=words), text)
    match = _BEGINS.match(text)
    return gettext(match[0]) + text[match.end() :] if match else text
