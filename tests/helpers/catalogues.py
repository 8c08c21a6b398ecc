"""The sentences that documents and letters are made of, as they stand in templates and code."""

from __future__ import annotations

from collections.abc import Iterator

from babel.messages import pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from checkout import ROOT

from a2ledger.documents.language import DOMAIN, LOCALES

_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
_OPTIONS = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true", "silent": "false"}
_CODE = tuple(
    f"a2ledger/{name}.py" for name in ("documents/filters", "documents/phrases", "billing/itemised")
)


def sentences() -> Iterator[str | tuple[str, str]]:
    """Every sentence that has to be in every catalogue."""
    for path in sorted((ROOT / "templates").glob("*.j2")):
        for found in extract_from_file(
            "jinja2.ext:babel_extract", path, keywords=_KEYWORDS, options=_OPTIONS
        ):
            yield found[1]
    for name in _CODE:
        for found in extract_from_file("python", ROOT / name, keywords=_KEYWORDS):
            yield found[1]


def catalogue(code: str) -> Catalog:
    """A language's catalogue as people write it."""
    with (LOCALES / code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return pofile.read_po(file, locale=code)
