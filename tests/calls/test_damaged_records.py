"""Every kind of damage that call records suffer: what it does, and to no row but its own."""

from __future__ import annotations

import datetime as dt
import gzip
from collections import Counter
from typing import NamedTuple

import pytest
import shelf
from examples import cases, tried
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import sources
from a2ledger.calls import imports
from a2ledger.calls.explain import Explanation
from a2ledger.calls.inputs import Asked
from a2ledger.sources.batch import UnusableInput

WIDTHS = (16, 18, 21)
NAMES = (
    "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,"
    "duration,billsec,disposition,amaflags,uniqueid,userfield"
)


def fields(number: int, width: int) -> list[str]:
    """A clean row, column by column; each is another call of C1's that costs something."""
    start = f'"2026-01-05 10:{number:02}:00"'
    uid = f'"{1767607200 + 60 * number}.{number}"'
    row = [
        *('"C1"', '"3225550101"', f'"32255502{number:02}"', '"customers"'),
        '"""Ann"" <3225550101>"',
        *(f'"PJSIP/c1-{number:08x}"', '"PJSIP/carrier-0000000a"', '"Dial"', '"PJSIP/x@carrier,60"'),
        *(start, start, f'"2026-01-05 10:{number:02}:30"'),
        *("30", "30", '"ANSWERED"', '"DOCUMENTATION"', uid, '"note"'),
        *('""', uid, str(number)),
    ]
    return row[:width]


def joined(row: list[str]) -> bytes:
    return ",".join(row).encode() + b"\n"


def changed(column: int, value: str | bytes):
    """A row with another value in one column."""

    def change(row: list[str]) -> bytes:
        parts = [part.encode() for part in row]
        parts[column] = value if isinstance(value, bytes) else value.encode()
        return b",".join(parts) + b"\n"

    return change


class Kind(NamedTuple):
    """A damage: what it makes of a row, the lines of that, and what becomes of each."""

    damage: object
    fates: tuple[str, ...]
    """One a line; "" for a line that is no row of its own."""


CLID, START, DURATION, BILLSEC = 4, 9, 12, 13
KINDS = {
    "a stray quote": Kind(changed(CLID, '"""Ann"" <1>" "x"'), ("quotes",)),
    "an open quote": Kind(changed(CLID, '"Ann'), ("quotes",)),
    "too few columns": Kind(lambda row: joined(row[:11]), ("columns",)),
    "too many columns": Kind(lambda row: joined([*row, *['"extra"'] * 7]), ("columns",)),
    "a negative length": Kind(changed(BILLSEC, "-30"), ("negative",)),
    "a negative duration": Kind(changed(DURATION, "-30"), ("negative",)),
    "a zero date": Kind(changed(START, '"0000-00-00 00:00:00"'), ("bad-time",)),
    "a date of a default": Kind(changed(START, '"1000-01-01 00:00:00"'), ("bad-time",)),
    "a date by a spreadsheet": Kind(changed(START, "2026/1/5 10:05"), ("bad-time",)),
    "a day there is not": Kind(changed(START, '"2026-02-30 10:00:00"'), ("bad-time",)),
    "no number": Kind(changed(DURATION, "1h02m"), ("bad-seconds",)),
    "digits that are none": Kind(changed(BILLSEC, "\u0663\u0660"), ("bad-seconds",)),
    "seconds of a float": Kind(changed(BILLSEC, "3e1"), ("bad-seconds",)),
    "a length beyond all measure": Kind(
        changed(BILLSEC, "999999999999999999999"), ("bad-seconds",)
    ),
    "NUL bytes": Kind(changed(START, b"\0" * 19), ("nul",)),
    "a header in the middle": Kind(lambda _: NAMES.encode() + b"\n", ("header",)),
    "a line of another log": Kind(
        lambda _: b"Nov 22 11:51:38 pbx1 asterisk[812]: NOTICE log line in the file\n", ("columns",)
    ),
    "a line without measure": Kind(changed(CLID, b"x" * 70_000), ("too-long",)),
    "a future date": Kind(changed(START, '"2099-01-05 10:05:00"'), ("future",)),
    "an unknown account": Kind(changed(0, '"9999999999"'), ("unknown-customer",)),
    "the same line again": Kind(lambda row: joined(row) * 2, ("posted", "duplicate")),
    "bytes that are not UTF-8": Kind(changed(CLID, b'"""\xff\xfe\xc3"" <1>"'), ("posted",)),
    "Latin-1": Kind(changed(CLID, b'"""Jos\xe9 N\xfa\xf1ez"" <1>"'), ("posted",)),
    "Latin-1 where it decides": Kind(changed(0, b'"Jos\xe9"'), ("encoding",)),
    "a line end of CRLF": Kind(lambda row: joined(row)[:-1] + b"\r\n", ("posted",)),
    "a blank line": Kind(lambda row: b"\n" + joined(row), ("", "posted")),
    "a line break in a name": Kind(changed(CLID, '"""one\ntwo"" <1>"'), ("posted", "")),
    "a line break where it decides": Kind(changed(0, '"C\n1"'), ("quotes", "quotes")),
    "spaces around": Kind(changed(0, '" C1  "'), ("posted",)),
    "a mark of byte order": Kind(lambda row: b"\xef\xbb\xbf" + joined(row), ("posted",)),
    "more talked than lasted": Kind(changed(DURATION, "2"), ("posted",)),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return shelf.started(tmp_path_factory.mktemp("dirty") / "book", "C1")


def fates(root, content: bytes, **source) -> dict[int, str]:
    """What becomes of each line: a bucket, or why a row is in none of the calls'."""
    draft = shelf.draft(root)
    path = root.parent / "Master.csv"
    path.write_bytes(content)
    feed = draft.config.source("asterisk", sources.dialects)
    now = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    explanation = Explanation()
    asked = Asked(everything=True, explanation=explanation)
    feed = feed if not source else type(feed)(**{**_fields(feed), **source})
    report, _ = imports.import_calls(draft, feed, [path], now, asked)
    report.check()
    rows = list(explanation.rows(report.refused))
    assert len(rows) == report.read
    assert Counter(row.fate for row in rows)["posted"] == report.posted
    return {row.line: row.reason or row.fate for row in rows}


def _fields(feed):
    return {name: getattr(feed, name) for name in type(feed).__slots__}


@pytest.mark.parametrize("width", WIDTHS)
@cases("kind", KINDS, 8)
def test_damage_is_found_where_it_is_and_takes_no_neighbour(template, kind, width):
    damage, expected = KINDS[kind]
    lines = [joined(fields(number, width)) for number in range(5)]
    lines[2] = damage(fields(2, width))

    found = fates(template, b"".join(lines))

    wanted = {1: "posted", 2: "posted"}
    for place, fate in enumerate(expected):
        if fate == "columns or header":
            fate = "header"  # noqa: PLW2901 - 18 names are a number of columns there is
        if fate:
            wanted[3 + place] = fate
    after = 3 + len(expected)
    assert found == wanted | {after: "posted", after + 1: "posted"}


@pytest.mark.parametrize("width", WIDTHS)
def test_the_same_row_far_away_is_the_same_call(template, width):
    rows = [joined(fields(number, width)) for number in (0, 1, 2, 0)]
    assert fates(template, b"".join(rows)) == {
        1: "posted",
        2: "posted",
        3: "posted",
        4: "duplicate",
    }


def test_another_calls_id_is_a_conflict_but_for_another_sequence(template):
    def with_id_of_first(width, **change):
        rows = [fields(number, width) for number in range(3)]
        rows[1][16] = rows[0][16]
        rows[1] = [change.get(f"column{place}", value) for place, value in enumerate(rows[1])]
        return fates(template, b"".join(map(joined, rows)))

    during = with_id_of_first(18, column9='"2026-01-05 10:00:20"')
    assert during == {1: "posted", 2: "conflict", 3: "posted"}
    assert with_id_of_first(21) == {1: "posted", 2: "posted", 3: "posted"}


def test_one_channel_that_dialled_twice_has_two_calls(template):
    rows = [fields(number, 18) for number in range(3)]
    rows[1][16] = rows[0][16]
    assert fates(template, b"".join(map(joined, rows))) == {1: "posted", 2: "posted", 3: "posted"}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (lambda text: text, {1: "posted", 2: "posted", 3: "posted"}),
        (lambda text: b"\xef\xbb\xbf" + text, {1: "posted", 2: "posted", 3: "posted"}),
        (lambda text: text.replace(b"\n", b"\r\n"), {1: "posted", 2: "posted", 3: "posted"}),
        (gzip.compress, {1: "posted", 2: "posted", 3: "posted"}),
        (lambda text: text[:-40], {1: "posted", 2: "posted"}),  # still being written
        (lambda text: NAMES.encode() + b"\n" + text, {2: "posted", 3: "posted", 4: "posted"}),
        (lambda _: b"", {}),
        (lambda _: b"\n\n", {}),
    ],
    ids=["clean", "bom", "crlf", "gzip", "cut", "header", "empty", "blank"],
)
def test_faults_of_a_whole_file(template, fault, expected, width):
    text = b"".join(joined(fields(number, width)) for number in range(3))
    assert fates(template, fault(text)) == expected


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"1,2,3\r4,5,6\r", "CR alone"),
        (bytes(range(256)) * 20, "binary"),
        (gzip.compress(b"0" * (100 << 20)), "times its size"),
    ],
    ids=["cr", "binary", "bomb"],
)
def test_what_is_no_text_is_refused_whole(template, content, what):
    with pytest.raises(UnusableInput, match=what):
        fates(template, content)


def test_a_line_of_100_mb_is_one_refused_row(template):
    rows = [joined(fields(number, 18)) for number in range(2)]
    found = fates(template, rows[0] + b"x" * (100 << 20) + b"\n" + rows[1])
    assert found == {1: "posted", 2: "too-long", 3: "posted"}


def test_latin_1_where_it_decides_is_read_if_the_source_says_so(template):
    row = changed(0, '"Jos\u00e9"'.encode("latin-1"))(fields(0, 18))
    assert fates(template, row) == {1: "encoding"}
    assert fates(template, row, encoding="latin-1") == {1: "unknown-customer"}


@given(st.lists(st.tuples(st.sampled_from(list(KINDS)), st.sampled_from(WIDTHS)), max_size=8))
@tried(20)
def test_damages_beside_each_other_stay_apart(template, damages):
    content, expected, line = joined(fields(50, 18)), {1: "posted"}, 2
    for number, (kind, width) in enumerate(damages):
        damage, wanted = KINDS[kind]
        content += damage(fields(2 * number, width)) + joined(fields(2 * number + 1, width))
        for fate in (*wanted, "posted"):
            if fate:
                expected[line] = fate
            line += 1
    assert fates(template, content) == expected
