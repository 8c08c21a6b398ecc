"""Carriers' rate sheets, written to files and read."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import openpyxl

from a2ledger.rating import sheet, sheet_file
from a2ledger.rating.sheet import Reading


def read(path, columns=None, dates="", **options):
    columns = columns or {}
    rows = sheet_file.rows(path, columns, **options)
    return sheet.read(rows, file=path.name, reading=Reading(columns=columns, dates=dates))


def of_text(tmp_path, text, encoding="utf-8", **options):
    path = tmp_path / "sheet.csv"
    path.write_bytes(text.encode(encoding))
    return read(path, **options)


def shown(found):
    """Rates as a person would list them: prefix, name, price, blocks, first day."""
    assert found.problems == []
    return [
        (
            rate.prefix,
            rate.destination,
            str(Decimal(rate.price) / 10**8),
            rate.first,
            rate.following,
            rate.since and str(rate.since.date()),
        )
        for rate in found.rates
    ]


BELGIUM = [
    ("32", "Belgium", "0.057", 60, 60, "2026-09-01"),
    ("3247", "Belgium Mobile", "0.3", 30, 6, "2026-09-15"),
]


def workbook(path, rows, title="Rates", **others):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for name, more in others.items():
        other = book.create_sheet(name)
        for row in more:
            other.append(row)
    book.save(path)
    return path


ROWS = [
    ["Nordic Carrier AB"],
    [],
    ["Dial Code", "Destination", "Rate", "Increment", "Effective Date"],
    [32, "Belgium", 0.057, "60/60", dt.datetime(2026, 9, 1)],  # noqa: DTZ001 - a sheet's
    [3247, "Belgium Mobile", 0.1 + 0.2, "30/6", dt.date(2026, 9, 15)],
]
