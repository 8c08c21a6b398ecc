"""Write documents and letters in a language: its words, amounts and days.

Sentences are in catalogues (gettext), one for each language; the English ones stand in the
templates themselves. A wheel has them compiled; in a checkout they are compiled when needed.
"""

from __future__ import annotations

import datetime as dt
import gettext
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from babel import Locale

from a2ledger import vat
from a2ledger.book.config import Company
from a2ledger.facts import LANGUAGES
from a2ledger.period import long_date
from a2ledger.records import Customer

ENGLISH = "en"
DOMAIN = "a2ledger"
LOCALES = Path(__file__).parent.parent / "locale"


class Language(NamedTuple):
    """A language of documents and letters."""

    code: str
    locale: Locale

    @property
    def direction(self) -> str:
        """Return the direction of writing, ``ltr`` or ``rtl``."""
        return str(self.locale.text_direction)

    @property
    def catalogue(self) -> gettext.NullTranslations:
        """Return the catalogue of the language's words."""
        return catalogue(self.code)

    def amount(self, text: str) -> str:
        """Return an amount with the language's decimal sign, neither rounded nor grouped."""
        return text.replace(".", self._decimal) if text.strip("-0123456789.") == "" else text

    @property
    def _decimal(self) -> str:
        return str(self.locale.number_symbols["latn"].get("decimal", "."))

    def country(self, code: str) -> str:
        """Return the name of a country by its code, and anything but a code as it is."""
        names: Mapping[str, str] = self.locale.territories
        return names.get(vat.nation(code), code)

    def day(self, iso: str | None) -> str:
        """Return a day in words, and anything but a date as it is."""
        try:
            day = dt.date.fromisoformat(iso or "")
        except ValueError:
            return iso or ""
        if self.code == ENGLISH:
            return long_date(day)
        from babel import dates  # noqa: PLC0415 - most commands write no day in words

        words = str(dates.format_date(day, "long", locale=self.locale))
        return words.replace("1 ", "1er ", 1) if self.code == "fr" and day.day == 1 else words


@cache
def language(code: str) -> Language:
    """Return a language by its code."""
    return Language(code, Locale(code))


def of_document(document: Mapping[str, Any]) -> Language:
    """Return the language of a document's JSON: the customer's, the company's, or English."""
    return of_parties(document["customer"], document["supplier"])


def of_parties(customer: Mapping[str, Any], supplier: Mapping[str, Any]) -> Language:
    """Return the language a company writes to a customer in."""
    for party in (customer, supplier):
        code = (party.get("language") or "").lower().replace("_", "-").partition("-")[0]
        if code in LANGUAGES:
            return language(code)
    return language(ENGLISH)


def of_customer(customer: Customer, company: Company, day: dt.date) -> Language:
    """Return the language a company writes to a customer in on a day."""
    own = {"language": customer.text("language", day)}
    return of_parties(own, {"language": company.language})


@cache
def catalogue(code: str) -> gettext.NullTranslations:
    """Return the catalogue of a language."""
    if code == ENGLISH:
        return gettext.NullTranslations()
    directory = LOCALES / code / "LC_MESSAGES"
    compiled, written = directory / f"{DOMAIN}.mo", directory / f"{DOMAIN}.po"
    if compiled.is_file():
        with compiled.open("rb") as file:
            return gettext.GNUTranslations(file)
    if not written.is_file():
        return gettext.NullTranslations()
    return gettext.GNUTranslations(io.BytesIO(compiled_catalogue(written)))


def compiled_catalogue(path: Path) -> bytes:
    """Compile a catalogue that people write into the form gettext reads."""
    from babel.messages import mofile, pofile  # noqa: PLC0415 - a wheel needs neither

    out = io.BytesIO()
    with path.open("rb") as file:
        mofile.write_mo(out, pofile.read_po(file))
    return out.getvalue()
