from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.sources import quarantine
from a2ledger.sources.batch import CALL, Refused
from a2ledger.sources.quarantine import Quarantine


def refused(identity="pbx/u", line=3, raw="a,b", reason="no-rate"):
    return Refused("Master.csv", line, reason, "no rate for 99", raw, identity)


EMPTY = Quarantine({})


def test_a_row_is_new_once():
    one, new = EMPTY.updated("pbx", [refused()], [])
    again, none = one.updated("pbx", [refused(line=9)], [])
    _, other = one.updated("other", [refused()], [])

    assert (new, none, other) == (1, 0, 1)
    assert again.rows["pbx", "pbx/u"].line == 9


def test_a_call_that_lost_keeps_the_place_it_was_read_in_first():
    lost = Refused("a.csv", 3, "conflict", "another", '{"called": "1"}', "pbx/u#1", CALL)
    held, _ = EMPTY.updated("pbx", [lost], [])

    again, none = held.updated("pbx", [lost._replace(file="b.csv", line=1)], [])
    other, _ = held.updated("pbx", [lost._replace(line=1, reason="settled")], [])

    assert (again, none) == (held, 0)
    assert (other.rows["pbx", "pbx/u#1"].line, len(other.rows)) == (1, 1)


def test_a_row_leaves_when_it_is_posted_unless_it_was_refused_in_the_same_run():
    held, _ = EMPTY.updated("pbx", [refused("a"), refused("b")], [])

    left, new = held.updated("pbx", [refused("b")], ["a", "b", "unknown"])

    assert list(left.rows) == [("pbx", "b")]
    assert new == 0
    assert held.updated("other", [], ["a"])[0].rows == held.rows


TEXTS = st.text(
    st.one_of(st.sampled_from(list('"\n\r,;\\\x1f\u2028\udc80')), st.characters(min_codepoint=32)),
    max_size=20,
)


@given(
    st.lists(st.builds(Refused, TEXTS, st.integers(0, 10**6), TEXTS, TEXTS, TEXTS, TEXTS, TEXTS))
)
def test_whatever_a_switch_wrote_comes_back(rows):
    held, _ = EMPTY.updated("pbx", rows, [])

    assert quarantine.parse(quarantine.written(held)) == held


def test_it_is_written_by_source_file_and_line(tmp_path):
    rows = [refused("c", 9), refused("a", 10), refused("b", 2)]
    held, _ = EMPTY.updated("pbx", rows, [])
    held, _ = held.updated("another", [refused("z")], [])
    (tmp_path / "quarantine").mkdir()
    (tmp_path / quarantine.PATH).write_text(quarantine.written(held))

    assert quarantine.written(held) == (
        "source,identity,file,line,reason,message,raw,head\n"
        'another,z,Master.csv,3,no-rate,no rate for 99,"a,b",\n'
        'pbx,b,Master.csv,2,no-rate,no rate for 99,"a,b",\n'
        'pbx,c,Master.csv,9,no-rate,no rate for 99,"a,b",\n'
        'pbx,a,Master.csv,10,no-rate,no rate for 99,"a,b",\n'
    )
    assert quarantine.read(tmp_path) == held


def test_a_book_without_one_has_an_empty_one(tmp_path):
    assert quarantine.read(tmp_path) == EMPTY


def test_a_row_longer_than_csv_usually_allows_is_read():
    held, _ = EMPTY.updated("pbx", [refused(raw="x" * 200_000)], [])

    assert quarantine.parse(quarantine.written(held)) == held


@pytest.mark.parametrize(
    "text", ["source,identity\npbx,a\n", "source,identity,file,line\na,b,c,x\n"]
)
def test_a_file_that_is_none_of_ours_is_said(tmp_path, text):
    (tmp_path / "quarantine").mkdir()
    (tmp_path / quarantine.PATH).write_text(text)

    with pytest.raises(quarantine.BrokenQuarantineError, match="is not as a2ledger wrote it"):
        quarantine.read(tmp_path)
