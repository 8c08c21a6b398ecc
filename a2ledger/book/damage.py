"""Find unreadable lines of a journal: impossible days, and amounts too fine or too large."""

from __future__ import annotations

import datetime as dt
import re

_EVERY_DAY = re.compile(r"^(?:[ \t]+[a-z][\w-]*: )?(\d{4}-\d\d-\d\d)\b", re.MULTILINE)
# What may be a day that no calendar has, or an amount that is too fine: seldom anywhere in a text.
_DOUBTFUL_DAY = re.compile(
    r"-(?:(?:0[2469]|11)-(?:29|3[01])|(?:00|1[3-9]|[2-9]\d)-|\d\d-(?:00|3[2-9]|[4-9]\d))"
)
_FINE, _LARGE = re.compile(r"\.[0-9]{7}"), re.compile(r"[ \t]-?[0-9]{13}")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# An amount of a posting, balance or fact that is finer or larger than a2ledger can add up.
_UNFIT = re.compile(
    r"^(?=[ \t]+(?:[*!][ \t]+)?[A-Z]\w*:|\d{4}-\d\d-\d\d (?:balance|custom)\b)[^;\n]*?"
    r"[ \t]-?(?P<amount>\d{13,}\S*|\d+\.\d{6}\d*[1-9]\d*)",
    re.MULTILINE,
)


def damage(text: str) -> tuple[int, str] | None:
    """Return line and reason of the first unreadable line of a journal, or None if none is.

    Such are days that no calendar has, and amounts with more than six decimals or twelve digits.
    """
    days = _EVERY_DAY.findall(text) if _DOUBTFUL_DAY.search(text) else ()
    for day in dict.fromkeys(days):
        try:
            dt.date.fromisoformat(day)
        except ValueError:
            return _line(text, text.index(day)), f"{day} is no day"
    doubtful = _FINE.search(text) or _LARGE.search(text)
    for match in _UNFIT.finditer(text) if doubtful else ():
        line = match[0].split("\n")[0]
        bare = _STRING.sub("", line)
        if '"' not in bare and bare.endswith(match["amount"]):  # and not in somebody's words
            message = f"{match['amount']} has more than six decimals or twelve digits"
            return _line(text, match.start()), message
    return None


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
