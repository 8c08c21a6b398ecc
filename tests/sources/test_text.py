"""Reading text: whatever is in a file, no row is lost and none takes another with it."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from examples import tried
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.sources import text
from a2ledger.sources.batch import UnusableInput
from a2ledger.sources.text import lines
from a2ledger.sources.text.rows import Layout

LAYOUT = Layout(
    widths={3: ("a", "", "c"), 4: ("a", "", "c", "d")}, heading=("a", "c"), loose=frozenset("d")
)


def everything(path, shape=LAYOUT, **options):
    """Rows, refused rows as (line, reason), and notes of a file."""
    rows, refused, notes = [], [], []
    for piece in text.read(path, shape, **options):
        rows += piece.table.select([*LAYOUT.names, "line"]).to_pylist()
        refused += [(row.line, row.reason, row.raw) for row in piece.refused]
        notes += piece.notes
    return rows, refused, notes


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "rows.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_rows_have_the_line_they_start_on(file):
    rows, refused, notes = everything(file('1,x,3\n\n"4",x,"6"\r\n7,x,9,10\n'))
    assert rows == [
        {"a": "1", "c": "3", "d": "", "line": 1},
        {"a": "4", "c": "6", "d": "", "line": 3},
        {"a": "7", "c": "9", "d": "10", "line": 4},
    ]
    assert (refused, notes) == ([], [])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"1,2", "columns"),
        (b"1,2,3,4,5", "columns"),
        (b"Nov 22 11:51:38 asterisk: NOTICE", "columns"),
        (b'1,"2,3', "quotes"),
        (b'1,"2" x,3', "quotes"),
        (b'1,2 "x",3', "quotes"),
        (b'"""1,2,3', "quotes"),
        (b"1,\0\0,3", "nul"),
        (b"\xff\xfe,2,3", "encoding"),
        (b"1,2,3\r4,5,6", "quotes"),
        (b"1,2," + b"3" * 70_000, "too-long"),
        (b"a,b,c", "header"),
    ],
)
@pytest.mark.parametrize("count", [1, 3])
def test_a_bad_row_is_refused_alone(file, bad, reason, count):
    good = b'"x","y","z"\n'
    rows, refused, _ = everything(file(good + (bad + b"\n") * count + good))
    assert [row["line"] for row in rows] == [1, 2 + count]
    assert [(line, why) for line, why, _ in refused] == [
        (2 + index, reason) for index in range(count)
    ]


def test_bytes_that_are_not_utf8_do_no_harm_in_a_column_nobody_reads(file):
    rows, refused, _ = everything(file(b"1,Jos\xe9,3\n2,x,4\n"))
    assert [row["a"] for row in rows] == ["1", "2"]
    assert refused == []


def test_a_line_break_inside_quotes_is_part_of_the_row(file):
    rows, refused, _ = everything(
        file('1,"line one\nline ""two""",3\n4,5,6,"seven\neight\nnine"\n')
    )
    assert [(row["line"], row["d"]) for row in rows] == [(1, ""), (3, "seven\neight\nnine")]
    assert refused == []


def test_a_line_break_in_a_column_that_decides_is_refused(file):
    rows, refused, _ = everything(file('"1\n2",x,3\n4,5,6\n'))
    assert [row["line"] for row in rows] == [3]
    assert [reason for _, reason, _ in refused] == ["quotes", "quotes"]


def test_two_stray_quotes_do_not_swallow_the_row_between_them(file):
    rows, refused, _ = everything(file('1,"x,3\n4,5,6\n7,x",9\n'))
    assert [row["a"] for row in rows] == ["4"]
    assert [line for line, _, _ in refused] == [1, 3]


def test_a_refused_row_keeps_its_text(file):
    _, refused, _ = everything(file(b'1,"2" \xe9,3\r\n'))
    assert refused == [(1, "quotes", r'1,"2" \xe9,3')]


def test_a_byte_order_mark_is_no_part_of_a_value(file):
    rows, _, _ = everything(file(b'\xef\xbb\xbf1,2,3\n\xef\xbb\xbf"4",5,6\n'))
    assert [row["a"] for row in rows] == ["1", "4"]


def test_a_first_line_of_names_is_no_row_even_where_none_is_due(file):
    rows, refused, _ = everything(file("a,b,c\n1,2,3\n"))
    assert [row["line"] for row in rows] == [2]
    assert refused == []


def test_the_last_line_is_read_without_its_line_end_if_it_is_whole(file):
    rows, _, notes = everything(file("1,2,3\n4,5,6"))
    assert [row["a"] for row in rows] == ["1", "4"]
    assert notes == []


def test_a_last_line_that_is_not_whole_is_left_and_noted(file):
    path = file('1,2,3\n4,5,"6')
    rows, refused, notes = everything(path)
    assert [row["a"] for row in rows] == ["1"]
    assert refused == []
    assert notes == [f"{path}:2: what begins here is not complete yet and was left unread"]


@pytest.mark.parametrize("ending", [b"", b"  ", b"\r"])
def test_blanks_after_the_last_line_end_are_nothing(file, ending):
    rows, refused, notes = everything(file(b"1,2,3\n" + ending))
    assert (len(rows), refused, notes) == (1, [], [])


def test_a_log_cut_at_any_byte_never_gives_a_wrong_row(file):
    content = b'"1","x","3"\n"2","p\nq","4","""5"" <6>"\n"7","x","9",10\n"11","x","12",13\n'
    whole, _, _ = everything(file(content), grows=True)
    assert len(whole) == 4
    for size in range(len(content)):
        rows, refused, notes = everything(file(content[:size]), grows=True)
        assert rows == whole[: len(rows)]
        assert content[:size].count(b"\n") - 1 <= len(rows) + len(refused) + len(notes)
        if not content[:size].endswith(b"\n"):
            assert refused == []


def test_a_log_may_lack_the_line_end_of_a_row_that_is_closed_by_a_quote(file):
    rows, _, notes = everything(file(b'"1","x","3"\n"2","x","4"'), grows=True)
    assert (len(rows), notes) == (2, [])
    rows, _, notes = everything(file(b'"1","x","3","4"\n"2","x","4"'), grows=True)
    assert (len(rows), len(notes)) == (1, 1)


def test_compressed_files_are_read_alike(file):
    content = b"1,2,3\n4,5,6\n"
    assert everything(file(gzip.compress(content))) == everything(file(content))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04....", "ZIP"),
        (b"SQLite format 3\0", "SQLite"),
        (bytes(range(256)) * 20, "binary"),
        (b"1,2,3\r4,5,6\r", "CR alone"),
        (gzip.compress(b"1,2,3\n" * 99, mtime=0)[:-9], "damaged"),
        (gzip.compress(b"1,2,3\n", mtime=0)[:12] + b"\xff" * 20, "damaged"),
    ],
)
def test_what_is_no_text_is_unusable(file, content, what):
    path = file(content)
    with pytest.raises(UnusableInput, match=what) as caught:
        everything(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:1: ")
    assert message.count("; ") == 2


def test_what_unpacks_without_measure_is_unusable(file, monkeypatch):
    monkeypatch.setattr(lines, "UNPACKED", 1 << 16)
    with pytest.raises(UnusableInput, match="250 times"):
        everything(file(gzip.compress(b"0" * (1 << 20), mtime=0)), size=1 << 14)


def test_a_file_that_cannot_be_opened_is_unusable(tmp_path):
    with pytest.raises(UnusableInput, match="no such file"):
        everything(tmp_path / "absent.csv")
    with pytest.raises(UnusableInput, match="is a directory"):
        everything(tmp_path)


@pytest.mark.parametrize("size", [1 << 10, 1 << 14, 1 << 20])
def test_a_line_without_end_is_refused_and_no_more(file, size):
    path = file(b"1,2,3\n" + b"x" * 300_000 + b"\n4,5,6\n" + b"y" * 300_000)
    rows, refused, _ = everything(path, size=size)
    assert [row["line"] for row in rows] == [1, 3]
    assert [(line, reason, len(raw)) for line, reason, raw in refused] == [
        (2, "too-long", 65_536),
        (4, "too-long", 65_536),
    ]


def test_an_empty_file_has_one_piece_without_rows(file):
    (piece,) = text.read(file(b""), LAYOUT)
    assert (len(piece.table), piece.refused, piece.notes) == (0, [], ())


HEADER = text.Header(("a", "c"), ("a", "c", "d"))


@pytest.mark.parametrize(
    "header", ["d,x,C,a", " a ;c;d;x", "\ufeffc\ta\td\tx", '\n"a","c","d","x"']
)
def test_a_header_may_have_any_order_and_separator(file, header):
    separator = next(mark for mark in ";\t," if mark in header)
    names = [name.strip(' "\ufeff\n').lower() for name in header.split(separator)]
    row = separator.join({"a": "1", "c": "2", "d": "3", "x": "4"}[name] for name in names)
    path = file(f"{header}\n{row}\n")
    rows, refused, notes = everything(path, HEADER)
    assert [(row["a"], row["c"], row["d"]) for row in rows] == [("1", "2", "3")]
    assert refused == []
    assert notes == [f"{path}:1: columns ignored: x"]


def test_a_header_alone_without_line_end_is_a_file_without_rows(file):
    assert everything(file("a,c,d"), HEADER) == ([], [], [])


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("a,b\n1,2\n", "no column c;"),
        ("1,2,3\n", "no column a, c;"),
        ('a,"c\n', "no column a, c;"),
        ("a,c,A\n", "the column a is there twice"),
        (b"a,c,\xe9\n", "not UTF-8"),
    ],
)
def test_a_file_without_its_header_is_unusable(file, content, what):
    with pytest.raises(UnusableInput, match=what):
        everything(file(content), HEADER)


PARTS = st.sampled_from(
    [
        *(b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"a", b" ", b"\0", b"\xe9", "é".encode()),
        *(b"1,x,3\n", b'"1","x","3"\n', b'"1","p\nq","3","4"\n', b"a,b,c\n", b"1,2,3,4"),
        b"\xef\xbb\xbf",
    ]
)


@tried(250)
@given(parts=st.lists(PARTS, max_size=40), size=st.integers(1, 64), grows=st.booleans())
def test_many_at_a_time_or_one_by_one_in_pieces_of_any_size_is_the_same(
    tmp_path_factory, parts, size, grows
):
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(b"1,x,3\n" + b"".join(parts))
    expected = everything(path, fast=False, grows=grows)
    assert everything(path, grows=grows) == expected
    assert everything(path, size=size, grows=grows) == expected


WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\ufeff"), max_size=12
)


@tried(100)
@given(
    rows=st.lists(st.tuples(WORDS.filter(str.strip), WORDS, WORDS), max_size=30),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_a_csv_writer_wrote_is_read_back(tmp_path_factory, rows, quoting):
    written = io.StringIO()
    csv.writer(written, quoting=quoting, lineterminator="\n").writerows(rows)
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_text(written.getvalue(), encoding="utf-8", newline="")
    found, refused, _ = everything(path)
    headings = [row for row in rows if (row[0], row[2]) == ("a", "c")]
    assert [(row["a"], row["c"]) for row in found] == [
        (a, c) for a, _, c in rows if (a, c) != ("a", "c")
    ]
    assert len(refused) <= len(headings)
