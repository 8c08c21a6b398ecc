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


def test_columns_may_be_called_as_in_other_languages_and_it_is_said_what_was_read(tmp_path):
    text = "Klantnummer;Naam;E-mail;Kredietlimiet;Rang\nC1;Ada;ada@x.example;100,00;9\n"
    good, refused, notes = read(tmp_path, text)
    assert refused == []
    assert good == [
        (2, {"id": "C1", "name": "Ada", "email": "ada@x.example", "credit_limit": "100.00"})
    ]
    said = "read klantnummer as id, naam as name, e-mail as email, kredietlimiet as credit_limit"
    assert said in notes[0]
    assert "columns ignored: rang" in notes[1]


def test_of_two_columns_for_one_fact_ours_is_read_and_else_the_first(tmp_path):
    good, _, notes = read(tmp_path, "client,id,nom,naam,credit_limit\nX1,C1,Ada,Zoe,0\n")
    assert good[0][1]["id"] == "C1"
    assert good[0][1]["name"] == "Ada"
    assert "columns ignored: client, naam" in notes[1]


@pytest.mark.parametrize("missing", columns.REQUIRED)
def test_a_file_without_a_column_that_every_customer_needs_is_not_read(tmp_path, missing):
    names = [name for name in columns.REQUIRED if name != missing]
    with pytest.raises(UnusableInput, match=missing):
        read(tmp_path, ",".join(names) + "\n")
