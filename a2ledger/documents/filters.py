"""The filters of templates: how values stand on a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from a2ledger.documents.language import Language
from a2ledger.documents.phrases import N_

_GROUPED = re.compile(r"(-?[0-9]{1,3})((?:[0-9]{3})+)((?:[.,\u066b][0-9]+)?)", re.ASCII)


def duration(seconds: int) -> str:
    """Return seconds as ``h:mm:ss``."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


_NAMED = 5
"""Most extensions, or rows of price lists, that a line of a bill names."""


def extensions(calls: Mapping[str, int]) -> str:
    """Format the extensions of a line's calls, those with most calls first.

    >>> extensions({"101": 8, "102": 1})
    'ext. 101 (8), 102 (1)'
    """
    named = ", ".join(f"{name} ({count})" for name, count in [*calls.items()][:_NAMED])
    more = len(calls) - _NAMED
    return f"ext. {named}" + (f" and {more} more" if more > 0 else "")


def rates(rates: Sequence[Mapping[str, Any]], spoken: Language) -> str:
    """Format the rows of price lists that held for a line's calls, those of most calls first.

    >>> from a2ledger.documents.language import language
    >>> row = {"tariff": "standard", "prefix": "32", "since": "", "calls": 8}
    >>> rates([row, row | {"since": "2026-03-01"}], language("en"))
    'standard 32, 32 from 1 March 2026'
    """
    dated = spoken.catalogue.gettext(N_("%(rate)s from %(day)s"))
    names, tariff = [], ""
    for rate in sorted(rates, key=lambda rate: -rate["calls"])[:_NAMED]:
        name = rate["prefix"] if rate["tariff"] == tariff else f"{rate['tariff']} {rate['prefix']}"
        tariff, (day, _, time) = rate["tariff"], rate["since"].partition(" ")
        since = f"{spoken.day(day)} {time}".strip() if day else ""
        names.append(dated % {"rate": name, "day": since} if since else name)
    return ", ".join(names) + (" …" if len(rates) > _NAMED else "")


def grouped(amount: str) -> list[str]:
    """Split an amount into groups of thousands for a template to separate: ``-1``, ``234.50``."""
    match = _GROUPED.fullmatch(amount)
    if match is None:
        return [amount]
    first, thousands, fraction = match.groups()
    *middle, last = re.findall("...", thousands)
    return [first, *middle, last + fraction]


def counters(text: str) -> Markup:
    """``Page {page} of {pages}`` as CSS counts pages."""
    parts = re.split(r"\{(pages?)\}", str(text))
    said = (
        f"counter({part})" if place % 2 else f'"{css_string(part)}"'
        for place, part in enumerate(parts)
        if part
    )  # fmt: skip
    return Markup(" ".join(said))  # noqa: S704 (nothing but hex digits and counters)


def css_string(text: str) -> str:
    r"""Escape text for the quotes of a CSS string: each character becomes ``\`` and hex digits."""
    return "".join(f"\\{ord(character):06x}" for character in text if character != "\n")
