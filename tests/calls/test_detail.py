from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.calls import detail
from a2ledger.calls.detail import Digest, MissingDetailError

DAY = dt.date(2026, 1, 5)
NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)


def call(**given_):
    usual = {
        "customer": "C1", "start": NOON, "switch": "pbx", "uid": "u", "seq": "", "called": "32",
        "caller": "33", "destination": "Belgium", "service": "Calls", "deck": "standard",
        "prefix": "32", "seconds": 61, "billed_seconds": 61, "cost_micro": 125_000, "given": False,
        "buy_micro": 0, "carrier": "", "vat": "S21", "late_in": None, "source": "pbx",
        "file": "Master.csv", "line": 7, "identifier": "", "tariff": "", "void": "",
        "voided_micro": 0, "halves": "", "direction": "", "leg": "", "extension": "",
        "since": "",
    }  # fmt: skip
    return usual | given_


def table(*calls):
    return pa.Table.from_pylist(list(calls), detail.SCHEMA)


def stored(root, *calls, day=DAY):
    file = root / detail.path(day)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(detail.encoded(table(*calls)))
    return {day: detail.digest(table(*calls))}


def test_a_day_comes_back_sorted_and_exact(tmp_path):
    calls = [call(uid="b"), call(uid="a", late_in=dt.date(2026, 2, 1)), call(customer="A")]
    digests = stored(tmp_path, *calls)

    found = detail.verified(tmp_path, DAY, digests)

    assert found.schema == detail.SCHEMA
    assert found.to_pylist() == [calls[2], calls[1], calls[0]]
    assert detail.read(tmp_path, DAY, digests, ["uid", "start"]).to_pylist()[0] == {
        "uid": "u",
        "start": NOON,
    }


OLD = [
    name for name in detail.SCHEMA.names
    if name not in {
        *("identifier", "tariff", "void", "voided_micro", "halves", "direction", "leg"),
        *("extension", "since"),
    }
]  # fmt: skip
OLD_DIGEST = "c11e5efd3e27fd5d2ccf6c885a2bc2e17b26bb4f640cfb400d91531aaf3132d2"
"""Of the call above, as version 0.1.0 wrote it."""


def test_a_day_of_an_older_version_is_read_and_its_digest_holds(tmp_path):
    file = tmp_path / detail.path(DAY)
    file.parent.mkdir(parents=True)
    pq.write_table(table(call()).select(OLD), file)
    digests = {DAY: Digest(1, OLD_DIGEST)}

    assert detail.verified(tmp_path, DAY, digests).to_pylist() == [call()]
    assert detail.read(tmp_path, DAY, digests, ["tariff", "uid"]).to_pylist() == [
        {"tariff": "", "uid": "u"}
    ]


def test_a_day_the_book_does_not_know_of_has_no_calls(tmp_path):
    assert detail.read(tmp_path, DAY, {}).num_rows == 0
    assert detail.verified(tmp_path, DAY, {}).schema == detail.SCHEMA
    assert detail.read(tmp_path, DAY, {}, ["uid"]).column_names == ["uid"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "FileNotFound"), (b"", "Arrow"), (b"PAR1 and more", "Arrow")],
)
def test_a_file_that_is_missing_or_broken_is_said(tmp_path, content, message):
    digests = stored(tmp_path, call())
    file = tmp_path / detail.path(DAY)
    file.unlink()
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(MissingDetailError, match=f"cannot be read .{message}.*restore the file"):
        detail.read(tmp_path, DAY, digests)


def test_a_file_that_is_not_the_one_the_book_was_posted_from_is_said(tmp_path):
    digests = stored(tmp_path, call(), call(uid="v"))
    stored(tmp_path, call())
    with pytest.raises(MissingDetailError, match="holds 1 calls, calls/DIGESTS says 2"):
        detail.read(tmp_path, DAY, digests)

    stored(tmp_path, call(), call(uid="v", cost_micro=1))
    with pytest.raises(MissingDetailError, match="differs from calls/DIGESTS"):
        detail.verified(tmp_path, DAY, digests)


WORDS = st.sampled_from(["", "a", "b"])


@given(st.lists(st.tuples(WORDS, WORDS, WORDS, st.integers(0, 2), WORDS), max_size=3))
def test_no_two_days_that_differ_in_what_came_later_have_one_digest(rows):
    names = ("identifier", "tariff", "void", "voided_micro", "halves")

    def day(rows):
        return table(*(call(uid=str(n), **dict(zip(names, row, strict=True)))
                       for n, row in enumerate(rows)))  # fmt: skip

    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            other = (*row[:column], 9 if column == 3 else "c", *row[column + 1 :])
            assert value != other[column]
            changed = [*rows[:place], other, *rows[place + 1 :]]
            assert detail.digest(day(changed)) != detail.digest(day(rows))


@given(st.permutations([call(uid=uid, seq=seq) for uid in "ab" for seq in "12"]))
def test_a_digest_knows_no_order_and_no_place_of_reading(calls):
    elsewhere = [one | {"source": "x", "file": "y", "line": n} for n, one in enumerate(calls)]
    chunked = pa.concat_tables([table(one) for one in elsewhere])

    assert detail.digest(chunked) == detail.digest(
        table(*(call(uid=uid, seq=seq) for uid in "ab" for seq in "12"))
    )


@pytest.mark.parametrize(
    "change",
    [
        {"customer": "C2"}, {"start": NOON + dt.timedelta(seconds=1)}, {"switch": "x"},
        {"uid": "x"}, {"seq": "1"}, {"called": "x"}, {"caller": "x"}, {"destination": "x"},
        {"service": "x"}, {"deck": "x"}, {"prefix": "x"}, {"seconds": 1}, {"billed_seconds": 1},
        {"cost_micro": 1}, {"given": True}, {"buy_micro": 1}, {"carrier": "x"}, {"vat": "O"},
        {"late_in": DAY}, {"identifier": "x"}, {"tariff": "x"}, {"void": "x"}, {"voided_micro": 1},
        {"halves": "x"}, {"direction": "internal"}, {"leg": "x"}, {"extension": "x"},
        {"since": "2026-03-01"},
        {"identifier": "x", "tariff": "y"}, {"identifier": "xy"}, {"called": "", "caller": "3233"},
    ],
)  # fmt: skip
def test_a_digest_knows_every_other_thing(change):
    assert detail.digest(table(call(**change))) != detail.digest(table(call()))


DIGESTS = st.dictionaries(
    st.dates(dt.date(2000, 1, 1)),
    st.builds(Digest, st.integers(1, 10**9), st.text("0123456789abcdef", min_size=64, max_size=64)),
)


@given(DIGESTS)
def test_digests_are_written_a_line_a_day_and_read_back(digests):
    text = detail.written_digests(digests)

    assert detail.parse_digests(text) == digests
    assert text.splitlines() == sorted(text.splitlines())


@pytest.mark.parametrize("line", ["2026-01-05 1", "x 1 aa", "2026-01-05 x aa", "2026-13-05 1 aa"])
def test_a_line_that_is_no_digest_is_said(line):
    with pytest.raises(ValueError, match=r"."):
        detail.parse_digests(line + "\n")


def test_calls_are_folded_by_customer_late_period_service_and_vat_code():
    late = dt.date(2026, 2, 1)
    calls = table(
        call(), call(uid="v", cost_micro=5), call(vat="O"), call(late_in=late), call(customer="C2"),
        call(customer="C3"),
    )  # fmt: skip

    assert sorted(detail.fold(calls, ["C1", "C2"]), key=str) == sorted(
        [
            ("C1", None, "Calls", "S21", 2, 122, 125_005),
            ("C1", None, "Calls", "O", 1, 61, 125_000),
            ("C1", late, "Calls", "S21", 1, 61, 125_000),
            ("C2", None, "Calls", "S21", 1, 61, 125_000),
        ],
        key=str,
    )
    assert detail.fold(calls, []) == []


def test_calls_are_added_up_by_destination_for_bills():
    calls = table(call(), call(uid="v"), call(uid="w", destination="Spain"))

    found = {row["destination"]: row for row in detail.lines(calls).to_pylist()}

    assert (found["Belgium"]["calls"], found["Belgium"]["seconds"]) == (2, 122)
    assert found["Belgium"]["cost_micro"] == 250_000
    assert found["Spain"]["calls"] == 1


def test_what_carriers_are_owed():
    calls = table(
        call(),
        call(carrier="acme", buy_micro=7),
        call(uid="v", carrier="acme", buy_micro=1),
        call(uid="w", carrier="acme", buy_micro=5, deck="usd"),
    )

    assert detail.bought(calls) == [("acme", "standard", 2, 122, 8), ("acme", "usd", 1, 61, 5)]


@pytest.mark.parametrize(
    "names", [["C0"], ["C1", "C7"], ["C8", "A", "C2"], ["nobody"], ["C9", "Z"], []]
)
def test_calls_of_customers_are_those_wherever_they_lie_in_the_day(tmp_path, monkeypatch, names):
    monkeypatch.setattr(detail, "_ROW_GROUP", 3)
    calls = [call(customer=f"C{n % 10}", uid=f"{n:02}") for n in range(34) if n % 10 != 2]
    stored(tmp_path, *calls)

    whole = detail.load(tmp_path, DAY)
    assert pq.ParquetFile(tmp_path / detail.path(DAY)).num_row_groups > 9

    found = detail.of_customers(tmp_path, DAY, names)
    assert found.schema == detail.SCHEMA
    assert found.to_pylist() == [row for row in whole.to_pylist() if row["customer"] in names]
    (uids,) = detail.of_customers(tmp_path, DAY, names, ["uid"]).itercolumns()
    assert uids.to_pylist() == found["uid"].to_pylist()
