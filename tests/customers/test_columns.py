"""A file of customers: what each row says, and what a row cannot say."""

from __future__ import annotations

import pytest

from a2ledger.customers import columns
from a2ledger.local_forms import Locale
from a2ledger.sources.batch import UnusableInput

HEADER = "id,name,credit_limit,tariff,opened\n"


def read(tmp_path, text):
    path = tmp_path / "customers.csv"
    path.write_text(text)
    return columns.read(path, Locale())


def test_each_row_stands_with_its_line_and_the_columns_the_file_has(tmp_path):
    good, refused, _ = read(tmp_path, HEADER + "C1,Ada,5.00,standard,2026-01-01\n\nC2,Bob,0,,\n")
    assert refused == []
    assert [(line, row["id"], row["credit_limit"]) for line, row in good] == [
        (2, "C1", "5.00"),
        (4, "C2", "0"),
    ]
    assert set(good[0][1]) == {"id", "name", "credit_limit", "tariff", "opened"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",Ada,5.00,standard,", "missing-id"),
        ("C 1,Ada,5.00,standard,", "bad-id"),
        ("C1/..,Ada,5.00,standard,", "bad-id"),
        ("C1,,5.00,standard,", "missing-name"),
        ("C1,Ada,5.00,standard,2026-02-30", "bad-date"),
        ("C0,Ada,5.00,standard,", "twice"),
    ],
)
def test_a_row_that_cannot_be_a_customer_is_refused_by_its_reason_and_line(tmp_path, row, reason):
    good, refused, _ = read(tmp_path, f"{HEADER}C0,Zoe,1.00,standard,\n{row}\n")
    assert [values["id"] for _, values in good] == ["C0"]
    assert [(it.reason, it.line) for it in refused] == [(reason, 3)]


@pytest.mark.parametrize("missing", columns.REQUIRED)
def test_a_file_without_a_column_that_every_customer_needs_is_not_read(tmp_path, missing):
    names = [name for name in columns.REQUIRED if name != missing]
    with pytest.raises(UnusableInput, match=missing):
        read(tmp_path, ",".join(names) + "\n")
