"""Find the lines of a journal that must not be there when Beancount loads it.

Loading runs plugins, follows includes anywhere, and believes options; a number of too many digits
is rounded without a word, and a division by zero ends the program. So every file is looked at
first. Beancount reads a directive wherever it stands in a line, even behind what it does not
understand: so a word that could begin one is looked for everywhere, and where a line leaves any
doubt Beancount's own scanner says whether it is text.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from beancount.parser import lexer

OPTIONS = ("title", "operating_currency", "tolerance_multiplier")
"""Options a book's journals may set."""

MOST_DIGITS = 28
"""The most digits a number may have. Beancount rounds a longer one."""

_DIRECTIVES = ("plugin", "option", "include", "pushtag", "poptag", "pushmeta", "popmeta")
_POSITION = ("filename", "lineno")
"""Metadata keys that would override where Beancount says it read an entry."""
_RUN = ("fava-extension", "import-config")
"""Names under which Fava would run a program."""

_SUSPECT = re.compile(
    "|".join(_DIRECTIVES)
    + "|filename[ \\t]*:|lineno[ \\t]*:|fava-extension|import-config"
    + r"|[Nn][Aa][Nn]\b|[Ii]nf(?:inity)?\b"
    + rf"|[0-9][0-9,.]{{{MOST_DIGITS},}}"
    + r"|(?<=[0-9)])[ \t]*/[ \t]*(?![,.0]*[1-9])"
    + r'|^[^ \t\n]+[ \t]+custom[ \t]+"(?:[^"\\\n]|\\.)*"[ \t]*(?:;|$)',
    re.MULTILINE,
)
_STRING = r'"(?:[^"\\\n]|\\.)*"'
_HARMFUL = re.compile(
    rf"{'|'.join(_RUN)}|^[ \t]+(?:{'|'.join(_POSITION)})[ \t]*:"
    rf"|^\S+[ \t]+custom[ \t]+{_STRING}[ \t\r]*(?:;|$)"
)
_ALLOWED = re.compile(
    rf'option "(?:{"|".join(OPTIONS)})" {_STRING}[ \t\r]*|include "(?P<path>[^"\\\n]+)"[ \t\r]*'
)
_OURS = re.compile(r'\d{4}-\d\d-\d\d custom "fava-extension" "a2ledger\.staff"[ \t\r]*')
"""The one program that Fava may run for a book: the staff's pages."""
_TEXT = re.compile(
    rf"(?:[ \t]+[a-z][\w-]*:|\d{{4}}-\d\d-\d\d (?:[*!]|custom|note \S+|query|event))"
    rf"(?:[ \t]+{_STRING})+(?:[ \t]+[#^][\w./-]+)*[ \t\r]*"
    r'|[ \t]*;[^"]*'
)
"""A line in which a word can only be text. Only white space lies between its strings, so it is
harmless even if an earlier unbalanced quote has inverted the scanner's idea of what is in quotes.
"""


class Objection(NamedTuple):
    """A line for which a journal must not be loaded."""

    line: int
    message: str


def includes(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and path of each include in a text to which there are no objections."""
    if "include" in text:
        for number, line in enumerate(text.split("\n"), start=1):
            if (allowed := _ALLOWED.fullmatch(line)) and allowed["path"]:
                yield number, allowed["path"]


def objections(text: str) -> list[Objection]:
    """Return the lines for which a journal must not be loaded, and why."""
    if any(not _is_harmless(line) for line in _suspects(text)):
        return list(_scanned(text))
    return []


def _suspects(text: str) -> Iterator[str]:
    """Yield the lines in which a forbidden directive could begin."""
    end = -1
    for match in _SUSPECT.finditer(text):
        if match.start() >= end:
            start = text.rfind("\n", 0, match.start()) + 1
            end = text.find("\n", match.end())
            end = len(text) if end < 0 else end
            yield text[start:end]


def _is_harmless(line: str) -> bool:
    if _OURS.fullmatch(line):
        return True
    if _HARMFUL.search(line):
        return False
    return bool(_ALLOWED.fullmatch(line) or _TEXT.fullmatch(line))


def _scanned(text: str) -> Iterator[Objection]:
    """Yield the objections that Beancount's scanner confirms."""
    lines = text.split("\n")
    tokens = [
        (kind, number, content.decode("utf-8", "replace"))
        for kind, number, content, _ in lexer.lex_iter_string(text)
    ]
    for (kind, number, content), following in itertools.pairwise([*tokens, ("EOL", 0, "")]):
        line = lines[number - 1] if number <= len(lines) else ""
        is_allowed = bool(_ALLOWED.fullmatch(line) or _OURS.fullmatch(line))
        message = _message(kind, content, following, is_allowed)
        if message:
            yield Objection(number, message)
    yield from _customs(tokens)


def _message(kind: str, content: str, following: tuple[str, int, str], is_allowed: bool) -> str:
    """Return why a token may not stand there, empty if it may."""
    next_kind, _, next_content = following
    reasons = {
        f"{content!r} {next_content.strip()} may not stand in a book's journals": (
            kind.lower() in _DIRECTIVES and not is_allowed
        ),
        f"a number of more than {MOST_DIGITS} digits would be rounded": (
            kind == "NUMBER" and sum(map(str.isdigit, content)) > MOST_DIGITS
        ),
        "a division by zero, or by something other than a plain number": (
            kind == "SLASH" and not (next_kind == "NUMBER" and re.search("[1-9]", next_content))
        ),
        f"{content.strip()} would replace the entry's own file and line": (
            kind == "KEY" and content.rstrip(": \t") in _POSITION
        ),
        f"{content} is no number": (
            kind == "error" and bool(re.search(r"nan\b|inf(inity)?\b", content, re.IGNORECASE))
        ),
        f"{content} names a program that Fava would run": (
            kind == "STRING" and content.strip('"') in _RUN and not is_allowed
        ),
    }
    return next((message for message, holds in reasons.items() if holds), "")


def _customs(tokens: Sequence[tuple[str, int, str]]) -> Iterator[Objection]:
    """Yield an objection to each custom directive without a value, on which Beancount breaks."""
    for (kind, number, _), (value_kind, _, _), (after, _, _) in zip(
        tokens, tokens[1:], [*tokens[2:], ("EOL", 0, "")], strict=False
    ):
        if (kind, value_kind, after) == ("CUSTOM", "STRING", "EOL"):
            yield Objection(number, "a custom directive needs a value")
