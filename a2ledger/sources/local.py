"""Read small tables with a header as spreadsheets of any country write them.

A file is read in one way from top to bottom: its decimal commas or points, the order of day and
month in its dates, and its encoding are decided once, see :mod:`a2ledger.local_forms`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from a2ledger import errors, local_forms
from a2ledger.csvfile import csv_text
from a2ledger.errors import BadValueError
from a2ledger.local_forms import Cell, Locale
from a2ledger.sources import text
from a2ledger.sources.batch import RAW_SHOWN, Refused, UnusableInput
from a2ledger.sources.text import Header
from a2ledger.sources.text.lines import utf16_of

WINDOWS = "cp1252"
"""Default encoding of text that is not UTF-8: ISO Latin-1 and a few more letters."""

_BEYOND = re.compile(rb"[\x80-\xff]+")
_BEGINNING = 1024
"""Bytes of a file that show whether it is UTF-16."""
_GZIP = b"\x1f\x8b"


class Records(NamedTuple):
    """The rows of a small file, amounts as ``1234.56`` and days as ``2026-01-31``."""

    rows: list[tuple[int, dict[str, str]]]
    refused: list[Refused]
    notes: tuple[str, ...]
    file: str
    own: text.Records
    """The rows as they are written."""
    head: str = ""
    """The header for rows that cannot be read again as they are written, else empty."""

    def refuse(self, line: int, reason: str, message: str, identity: str) -> Refused:
        """Return a row as refused, with a text from which it can be read again alone."""
        raw = self.text(line)[:RAW_SHOWN]
        return Refused(self.file, line, reason, message, raw, identity, self.head)

    def text(self, line: int) -> str:
        """Return the text of a row, as it can be read again under :attr:`head`."""
        if self.head:
            return csv_text([list(dict(self.rows)[line].values())]).rstrip("\n")
        return self.own.raw(line)


def records(
    path: Path,
    header: Header,
    locale: Locale,
    *,
    amounts: tuple[str, ...] = (),
    days: tuple[str, ...] = (),
) -> Records:
    """Read a whole file that has a header.

    Args:
        path: the file.
        header: its columns.
        locale: of the book.
        amounts: columns of amounts.
        days: columns of days, which times may follow.

    Raises:
        UnusableInput: as :func:`a2ledger.sources.text.read`; and where amounts or days may be read
            in two ways.
    """
    encoding = encoding_of(path, locale)
    parsed = text.records(path, header, encoding)
    notes = parsed.notes
    if encoding != "utf-8":
        notes += (_note(path, parsed, encoding),)
    names = list(parsed.rows[0][1]) if parsed.rows else []
    rows = [(line, dict(row)) for line, row in parsed.rows]
    try:
        mark = local_forms.decimal_mark(_cells(parsed, amounts), locale)
        order = local_forms.date_order(_cells(parsed, days), locale)
    except BadValueError as error:
        what, todo = errors.parts(error)
        raise UnusableInput(
            f"{path}: {what}", undone="nothing was read from it", todo=todo
        ) from None
    for columns, read, how in (
        (amounts, local_forms.plain, mark),
        (days, local_forms.iso, order),
    ):
        for name in columns:
            if name in names:
                values = read((row[name] for _, row in rows), how)
                for (_, row), value in zip(rows, values, strict=True):
                    row[name] = value
    is_changed = encoding != "utf-8" or rows != parsed.rows
    head = csv_text([names]).rstrip("\n") if is_changed else ""
    return Records(rows, list(parsed.refused), notes, str(path), parsed, head)


def in_full(
    refused: Iterable[Refused],
    header: Header,
    locale: Locale,
    *,
    amounts: tuple[str, ...],
    days: tuple[str, ...],
) -> list[Refused]:
    """Return refused rows with their original text."""
    rows = list(refused)
    files = {
        file: records(Path(file), header, locale, amounts=amounts, days=days)
        for file in {row.file for row in rows if not row.head}
    }
    restored = []
    for row in rows:
        own = files.get(row.file)
        if own is None or row.head:
            restored.append(row)
        elif own.head and row.line in dict(own.rows):
            restored.append(row._replace(raw=own.text(row.line), head=own.head))
        else:
            restored += text.with_heads([row._replace(raw=own.own.text(row.line) or row.raw)])
    return restored


def _cells(parsed: text.Records, columns: tuple[str, ...]) -> list[Cell]:
    return [Cell(line, row[name]) for line, row in parsed.rows for name in columns if row.get(name)]


def encoding_of(path: Path, locale: Locale) -> str:
    """Return the encoding of a file that has no UTF-8 at all, else ``utf-8``.

    Where some letters are UTF-8 and others are not, a row is damaged, not the file: those rows
    are refused one by one.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return "utf-8"  # whoever reads it says what is wrong
    if data.startswith(_GZIP) or data.isascii() or utf16_of(data[:_BEGINNING]):
        return "utf-8"
    are_utf8 = [_is_utf8(match[0]) for match in _BEYOND.finditer(data)]
    return "utf-8" if any(are_utf8) else locale.encoding or WINDOWS


def _is_utf8(letters: bytes) -> bool:
    try:
        letters.decode()
    except UnicodeDecodeError:
        return False
    return True


def _note(path: Path, parsed: text.Records, encoding: str) -> str:
    """Return a note on how letters beyond ASCII were read, with an example."""
    values = (value for _, row in parsed.rows for value in row.values())
    shown = next((value for value in values if not value.isascii()), "")
    name = "Windows-1252" if encoding == WINDOWS else encoding
    example = f": {shown}" if shown else ""
    return f"note: {path} is no UTF-8 and was read as {name}{example}"
