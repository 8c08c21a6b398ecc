"""Columns of a log: what is mapped is read and nothing else, wherever it stands in the file."""

from __future__ import annotations

import pytest

from a2ledger import sources
from a2ledger.book.source_config import Source
from a2ledger.sources.batch import UnusableInput

MAP = {"id": "Call", "start": "When", "customer": "Who", "called": "To", "seconds": "Talk"}
HEAD = "Call,When,Who,To,Talk"
ROW = "a-1,2026-01-05 10:00:00,C1,3225550199,60"


@pytest.fixture
def read(tmp_path):
    """Return what the dialect makes of a file: its rows, and all the batches."""

    def read(content, columns=None, **values):
        path = tmp_path / "log.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        mapping = tuple((MAP if columns is None else columns).items())
        fields = {"name": "log", "dialect": "calls", "switch": "log", "timezone": "UTC"}
        source = Source(**(fields | {"mapping": mapping} | values))
        batches = list(sources.dialect("calls")(path, source))
        return [row for batch in batches for row in batch.rows.to_pylist()], batches

    return read


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("cost", "0.01", "cost", ""),
        ("Cost", "0", "cost", ""),
        ("answered", "2026-01-05 10:00:05", "answered", True),
        ("ANSWERED", "no", "answered", True),
        ("caller", "3225550101", "src", ""),
        ("direction", "inbound", "context", ""),
        ("minutes", "5", "seconds", "60"),
        ("context", "x", "context", ""),
    ],
)
def test_a_column_that_is_not_mapped_is_not_read_whatever_its_name(
    read, name, value, field, expected
):
    (row,), (batch,) = read(f"{HEAD},{name}\n{ROW},{value}\n")
    assert row[field] == expected
    assert batch.notes[0].endswith(f":1: columns ignored: {name.lower()}")


def test_an_id_that_is_not_mapped_is_not_the_calls(read):
    others = {ours: theirs for ours, theirs in MAP.items() if ours != "id"}
    (row,), (batch,) = read(f"id,{HEAD}\n1,{ROW}\n", others)
    assert row["uniqueid"] == ""
    assert "there is no column id" in batch.notes[-1]


def test_what_a_provider_charges_is_not_what_the_customer_pays(book):
    book.customers({"id": "C1"})
    path = book.file("log.csv", f"{HEAD},cost,answered,caller\n{ROW},0.0105,2026-01-05,x\n")
    words = ",".join(f"{ours}={theirs}" for ours, theirs in MAP.items())
    done = book.run("import", "prov", path, "--map", words, "--json", today="2026-01-31")
    assert (done.json["posted"], done.json["amount"]) == (1, "1.00")


def test_titles_above_the_header_and_totals_below_are_no_calls(read):
    report = (
        "Call report\n"
        "From,01/01/2026,to,31/01/2026\n"
        "\n"
        f"{HEAD}\n{ROW}\n{ROW.replace('a-1', 'a-2')}\n"
        ",,,,\n"
        "Totals,,,2,00:02:00\n"
        "Total,2\n"
        "2 records\n"
        "Generated on 2026-02-01 by somebody, who has a comma\n"
    )
    rows, (batch,) = read(report)
    assert [row["uniqueid"] for row in rows if row["never"] == ""] == ["a-1", "a-2"]
    assert [row["line"] for row in rows if row["never"] == "no-call"] == [7, 8, 9, 10, 11]
    assert batch.refused == []
    assert any(note.endswith(":4: the columns are named here; what stands above is not read")
               for note in batch.notes)  # fmt: skip
    assert [row["line"] for row in rows][:2] == [5, 6]


def test_totals_are_counted_and_what_is_damaged_is_refused(book):
    book.customers({"id": "C1"})
    damaged = "a-2,2026-13-05 10:00:00,C1,3225550199,60"
    short = "a-3,2026-01-05 10:00:00,C1"
    path = book.file("log.csv", f"Report\n{HEAD}\n{ROW}\n{damaged}\n{short}\nTotal,,,,120\n")
    words = ",".join(f"{ours}={theirs}" for ours, theirs in MAP.items())
    done = book.run("import", "prov", path, "--map", words, "--json", today="2026-01-31", code=3)
    assert done.json["read"] == 4
    assert done.json["not_billable"] == {"no-call": 1}
    assert done.json["quarantined"] == {"bad-time": 1, "columns": 1}
    assert "sources.prov.time_format" in done.stderr
    # What was refused is read again below the right header, not below the report's title.
    again = book.run("quarantine", "retry", today="2026-01-31", code=1)
    assert "bad-time" in again.stderr
    assert "nobody" not in done.stderr


def test_a_line_of_types_is_no_call(read):
    types = "VARCHAR(50),INTEGER,VARCHAR(50),VARCHAR(50),INTEGER"
    rows, _ = read(f'"Call","When","Who","To","Talk"\n{types}\n"a","1767607200","C1","32","60"\n')
    assert [(row["never"], row["start"]) for row in rows] == [
        ("no-call", "INTEGER"),
        ("", "2026-01-05 10:00:00Z"),
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_files_of_windows_are_read(read, encoding, separator, mark):
    """UTF-16 without a byte order mark is known by its zeros."""
    text = f"{HEAD}\r\n{ROW}\r\n".replace(",", separator)
    written_by_codec = encoding in {"utf-16", "utf-8-sig"}
    (row,), _ = read((("" if written_by_codec else mark) + text).encode(encoding))
    assert (row["uniqueid"], row["seconds"], row["dst"]) == ("a-1", "60", "3225550199")


def test_a_damaged_file_of_utf16_is_refused_whole(read):
    with pytest.raises(UnusableInput, match="UTF-16"):
        read(f"{HEAD}\n{ROW}\n".encode("utf-16") + b"\x00\xd8\x41")


def test_a_column_may_be_made_of_several(read):
    columns = MAP | {"id": "Node+Call", "start": "Day+Time", "called": "CC+Number"}
    text = "Node,Call,Day,Time,Who,CC,Number,Talk\nn1,7,05/13/2026,1:02 PM,C1,32,25550199,60\n"
    (row,), _ = read(text, columns)
    assert (row["uniqueid"], row["start"], row["dst"]) == (
        "n1-7",
        "2026-05-13 13:02:00",
        "3225550199",
    )


def test_columns_may_be_joined_by_their_numbers(read):
    columns = {"id": "1", "start": "2+3", "customer": "4", "called": "5", "seconds": "6"}
    (row,), _ = read("7,2026-01-05,10:00,C1,3225550199,60\n", columns)
    assert (row["uniqueid"], row["start"]) == ("7", "2026-01-05 10:00:00")


def test_a_name_with_a_plus_in_it_is_a_name(read):
    (row,), _ = read(f"{HEAD},Day+Time\n{ROW},x\n", MAP | {"context": "Day+Time"})
    assert row["context"] == "x"


def test_one_column_may_be_two_of_ours(read):
    (row,), _ = read(f"{HEAD}\n{ROW}\n", MAP | {"caller": "Who"})
    assert (row["accountcode"], row["src"]) == ("C1", "C1")


def test_a_prefix_parts_the_ids_of_switches_that_count_alike(read):
    (row,), _ = read(f"{HEAD}\n{ROW}\n", id_prefix="node2-")
    assert row["uniqueid"] == "node2-a-1"
    others = {ours: theirs for ours, theirs in MAP.items() if ours != "id"}
    (row,), _ = read(f"{HEAD}\n{ROW}\n", others, id_prefix="node2-")
    assert row["uniqueid"] == ""


@pytest.mark.parametrize(
    ("unit", "written", "seconds"),
    [("minutes", "1:30", "90"), ("minutes", "1.5", "90"), ("milliseconds", "82000", "82")],
)
def test_a_length_has_a_unit(read, unit, written, seconds):
    columns = {ours: theirs for ours, theirs in MAP.items() if ours != "seconds"} | {unit: "Talk"}
    (row,), _ = read(f"{HEAD}\n{ROW.removesuffix('60')}{written}\n", columns)
    assert row["seconds"] == seconds


def test_what_was_not_answered_needs_no_length(read):
    lengths = ("", "-1", "60", "x")
    text = "".join(f"{ROW.removesuffix('60')}{length},busy\n" for length in lengths)
    rows, _ = read(f"{HEAD},State\n{text}", MAP | {"answered": "State"})
    assert [row["seconds"] for row in rows] == ["0", "0", "60", "x"]
    assert not any(row["answered"] for row in rows)


def test_a_customer_is_known_in_any_form_of_their_number(book):
    book.customers({"id": "C1", "identifiers": "3225550101, +3225550102, acme"})
    forms = ("+3225550101", "003225550101", "+32 2 555.01.01", "3225550102", "+3225550102", "acme")
    text = "".join(
        f"{number},{form},2026-01-05 10:00:00,3225550199,60\n" for number, form in enumerate(forms)
    )
    path = book.file("log.csv", f"id,customer,start,called,seconds\n{text}")
    done = book.run("import", "calls", path, "--json", today="2026-01-31")
    assert done.json["posted"] == len(forms)


def test_a_header_that_lacks_a_column_is_said_by_its_own_name(read):
    with pytest.raises(UnusableInput, match=r"there is no column To; .*Call,Who,When,To,Talk"):
        read(f"{HEAD.replace('To', 'Called')}\n{ROW}\n")


def test_quotes_inside_of_values_are_read_where_every_value_is_quoted(read):
    header = ",".join(f'"{name}"' for name in (*HEAD.split(","), "Name"))
    names = ('Bob "Ace" Low', 'Al ""The"" Man', "Plain", "a,b")
    text = "".join(
        f'"a-{place}","2026-01-05 10:00:00","C1","32","60","{name}"\n'
        for place, name in enumerate(names)
    )
    rows, (batch,) = read(f"{header}\n{text}", MAP | {"userfield": "Name"})
    assert batch.refused == []
    assert [row["userfield"] for row in rows] == ['Bob "Ace" Low', 'Al "The" Man', "Plain", "a,b"]
