"""Read rate sheets from files: CSV of any kind, and workbooks, as rows of text."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from a2ledger.rating import sheet
from a2ledger.rating.sheet import Row
from a2ledger.sources.batch import UnusableInput

_SEPARATORS = ",;\t|"
_TRIED = 200
"""Lines examined to detect the separator."""

_OLD_WORKBOOK, _PDF = b"\xd0\xcf\x11\xe0", b"%PDF"
_UNCLOSED = {
    "unexpected end of data": "a cell begins with a quotation mark, and none ends it",
    "field larger than field limit": "a cell is longer than 131,072 characters",
}
"""What :mod:`csv` says of a cell that takes in the rows below it, and what that means."""
LARGEST = 1 << 30
"""Most bytes of a workbook, unpacked: a million prices take a tenth."""


def rows(
    path: Path, columns: Mapping[str, str], *, name: str = "", encoding: str = ""
) -> list[Row]:
    """Return the rows of a sheet that are not empty.

    Args:
        path: a CSV, or a workbook (``.xlsx``).
        columns: header of each field, as far as a person has said it.
        name: of the workbook's sheet.
        encoding: of the CSV, if it is not to be found out.

    Raises:
        UnusableInput: if it is neither, or which of a workbook's sheets is meant is not clear.
    """
    data = path.read_bytes()
    if data.startswith(b"PK\x03\x04"):
        return _of_workbook(path, data, columns, name)
    if data.startswith(_PDF):
        raise UnusableInput(
            f"{path}: is a PDF", undone="nothing was read", todo="ask for it as a workbook or CSV"
        )
    if data.startswith(_OLD_WORKBOOK):
        raise UnusableInput(
            f"{path}: is a workbook of the old kind (.xls)",
            undone="nothing was read",
            todo="save it as .xlsx",
        )
    try:
        return _of_csv(_decoded(path, data, encoding), columns)
    except UnclosedError as error:
        raise UnusableInput(
            f"{path}:{error.line}: {error}",
            undone="nothing was read",
            todo="close quotation marks that are open, or remove what is no price list",
        ) from None


class UnclosedError(Exception):
    """A cell that takes in the rows below it."""

    def __init__(self, line: int, what: str) -> None:
        """Say what is wrong with the row that begins on a line."""
        super().__init__(what)
        self.line = line


def _decoded(path: Path, data: bytes, encoding: str) -> str:
    if encoding:
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError) as error:
            raise UnusableInput(
                f"{path}: {error}", undone="nothing was read", todo="name its encoding"
            ) from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif data[:200].count(0) > len(data[:200]) // 4:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    else:
        encoding = "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _of_csv(text: str, columns: Mapping[str, str]) -> list[Row]:
    text = text.removeprefix("\ufeff")
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == len("sep=") + 1:
        return [(line + 1, cells) for line, cells in _whole(rest, first.strip()[-1])]
    start = "".join(text.splitlines(keepends=True)[:_TRIED])
    best, most = ",", (False, 0)
    for separator in _SEPARATORS:
        try:
            tried = _split(start, separator)
        except (csv.Error, UnclosedError):
            continue
        header = sheet.header_row(tried, columns)
        width = len(tried[header[0]][1]) if header else max((len(c) for _, c in tried), default=0)
        if (header is not None, width) > most:
            best, most = separator, (header is not None, width)
    return _whole(text, best)


def _whole(text: str, separator: str) -> list[Row]:
    """Return all rows of a CSV.

    Raises:
        UnclosedError: if quotation marks are opened and not closed.
    """
    try:
        return _split(text, separator, strict=True)
    except csv.Error:  # marks within a cell, which are let pass
        return _split(text, separator)


def _split(text: str, separator: str, *, strict: bool = False) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    rows, begins = [], 1
    try:
        for cells in reader:
            begins = reader.line_num + 1
            if any(stripped := [cell.strip() for cell in cells]):
                rows.append((reader.line_num, stripped))
    except csv.Error as error:
        for words, meaning in _UNCLOSED.items():
            if words in str(error):
                raise UnclosedError(begins, meaning) from None
        raise
    return rows


def _of_workbook(path: Path, data: bytes, columns: Mapping[str, str], name: str) -> list[Row]:
    try:
        by_title = _worksheets(data, name)
    except Exception as error:  # noqa: BLE001 - damaged workbooks raise whatever their reader meets
        raise UnusableInput(
            f"{path}: cannot be read as a workbook ({error or type(error).__name__})",
            undone="nothing was read",
            todo="save it as .xlsx or CSV",
        ) from None
    if name and not by_title:
        raise UnusableInput(
            f"{path}: has no sheet {name!r}", undone="nothing was read", todo="name another"
        )
    fitting = {title: rows for title, rows in by_title.items() if sheet.header_row(rows, columns)}
    if len(fitting) > 1:
        raise UnusableInput(
            f"{path}: has prices in the sheets {', '.join(fitting)}",
            undone="nothing was read",
            todo="say which with --sheet",
        )
    return next(iter((fitting or by_title).values()), [])


def _worksheets(data: bytes, name: str) -> dict[str, list[Row]]:
    """Return the rows of a workbook's sheets that are shown, or of the one that is named."""
    import openpyxl  # noqa: PLC0415 - a tenth of a second nobody else waits for

    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if sum(part.file_size for part in packed.infolist()) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST:,} bytes, unpacked")
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        return {
            worksheet.title: _of_worksheet(worksheet)
            for worksheet in book.worksheets
            if (worksheet.title == name if name else worksheet.sheet_state == "visible")
        }
    finally:
        book.close()


def _of_worksheet(worksheet: Any) -> list[Row]:
    worksheet.reset_dimensions()  # what files say of their own size is often wrong
    return [
        (line, cells)
        for line, values in enumerate(worksheet.iter_rows(values_only=True), 1)
        if any(cells := [_text(value) for value in values])
    ]


def _text(value: Any) -> str:
    """Return the text of a workbook's cell, a float as the decimal that was typed."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{Decimal(f'{value:.12g}'):f}"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d}" if value.time() == dt.time() else f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)
