"""Text in blocks of whole lines, whatever the file and the size of the blocks."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.sources.batch import Place, UnusableInput
from a2ledger.sources.text.lines import LONGEST, Lines, line_ends

TEXT = st.lists(st.text("ab é", max_size=6)).map("\n".join)


@pytest.fixture(scope="module")
def path():
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory) / "rows.csv"


def blocks(path, content, **options):
    path.write_bytes(content)
    return list(Lines(path, **options))


@given(text=TEXT, size=st.integers(1, 20))
def test_blocks_of_any_size_are_the_file_in_whole_lines(path, text, size):
    content = text.encode()
    found = blocks(path, content, size=size)
    assert b"".join(block.text for block in found) + found[-1].tail == content
    assert all(block.text.endswith(b"\n") or not block.text for block in found)
    assert [block.last for block in found] == [False] * (len(found) - 1) + [True]
    line, end = 1, 0
    for block in found:
        end += len(block.text)
        assert (block.line, block.end) == (line, end)
        line += line_ends(block.text)


@given(text=TEXT, size=st.integers(1, 20))
def test_packed_and_in_another_encoding_the_text_is_the_same(path, text, size):
    content = text.encode()

    def joined(content, **options):
        found = blocks(path, content, size=size, **options)
        return b"".join(block.text for block in found) + found[-1].tail

    assert joined(gzip.compress(content)) == content
    assert joined(text.encode("latin-1"), encoding="latin-1") == content
    assert joined(text.encode("utf-16")).removeprefix("\ufeff".encode()) == content


@given(text=TEXT.map(lambda text: text + "\n"), data=st.data())
def test_reading_goes_on_where_it_ended(path, text, data):
    content = text.encode()
    lines = Lines(path, size=5)
    path.write_bytes(content)
    stop = data.draw(st.integers(0, 3))
    for number, block in enumerate(lines):
        place = lines.place(block, len(block.text))
        if number == stop or block.last:
            break
    rest = list(Lines(path, size=7, begin=place))
    assert b"".join(block.text for block in rest) == content[place.offset :]
    assert rest[0].line == place.line == 1 + content[: place.offset].count(b"\n")


def test_what_was_pushed_back_begins_the_next_block(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"1\n2\n3\n4\n")
    lines, texts = Lines(path, size=4), []
    for block in lines:
        texts.append((block.line, block.text))
        if block.text == b"1\n2\n":
            lines.push(b"2\n")
    assert texts == [(1, b"1\n2\n"), (2, b"2\n3\n4\n"), (5, b"")]


def test_of_a_packed_file_no_place_in_the_text_is_known(tmp_path):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"1\n2\n"))
    lines = Lines(path)
    places = [lines.place(block, len(block.text)) for block in lines]
    assert places[-1] == Place(path.stat().st_size)


def test_an_endless_line_fills_no_memory(tmp_path):
    found = blocks(tmp_path / "rows.csv", b"1\n" + b"x" * (3 * LONGEST), size=1000)
    assert len(found[-1].tail) <= LONGEST + 1 + 1000


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7", "is a PDF document"),
        (b"a,b\rc,d\r", "ends its lines with CR alone"),
        (bytes(range(32)) * 100, "is binary"),
        ("é".encode("latin-1") * 10, None),
    ],
)
def test_what_is_no_text_says_what_it_is(tmp_path, content, says):
    path = tmp_path / "x"
    if says is None:
        assert blocks(path, content)[-1].tail == content
        return
    with pytest.raises(UnusableInput, match=rf"x:1: {says}"):
        blocks(path, content)


def test_a_text_that_is_damaged_in_its_encoding_is_refused(tmp_path):
    with pytest.raises(UnusableInput, match="is damaged: no UTF-16"):
        blocks(tmp_path / "x", "a\n".encode("utf-16-le")[:0] + b"\xff\xfea\x00\n\x00\x00\xd8b\x00")
