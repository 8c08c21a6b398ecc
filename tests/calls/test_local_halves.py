"""Both halves of a Local channel are one call."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shelf
from examples import cases, tried
from harness import cdr
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.calls import local_halves

CHANNEL = "Local/3225550199@out-0000003b"


@pytest.mark.parametrize(
    ("channel", "dialled", "expected"),
    [
        ("PJSIP/a-1", "PJSIP/b-2", ""),
        (f"{CHANNEL};2", "PJSIP/b-2", f"{CHANNEL};2"),
        (f"{CHANNEL};1", "", f"{CHANNEL};1"),
        ("Local/9@x-2a3b,2", "", "Local/9@x-2a3b,2"),
        ("PJSIP/a-1", f"{CHANNEL};1", f">{CHANNEL};1"),
        ("PJSIP/a-1", f"{CHANNEL};2", ""),
        ("Local/1@t-1;2", f"{CHANNEL};1", f"Local/1@t-1;2 >{CHANNEL};1"),
    ],
)
def test_the_half_a_call_ran_on_and_the_one_it_dialled_are_named(channel, dialled, expected):
    assert local_halves.named(pa.array([channel]), pa.array([dialled])).to_pylist() == [expected]


def row(said, **change):
    usual = {"switch": "pbx", "customer": "C1", "called": "32", "start": 1000, "sealed": False}
    identity = {"uid": "1", "seq": "", "seconds": 60, "direction": ""}
    return usual | identity | {"halves": said} | change


RAN_1, RAN_2, DIALLED = (row(f"{CHANNEL};1"), row(f"{CHANNEL};2"), row(f">{CHANNEL};1"))


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([RAN_1], []),
        ([RAN_1, RAN_2], [(0, 1)]),
        ([RAN_2, RAN_1], [(1, 0)]),
        ([DIALLED, RAN_2], [(1, 0)]),
        ([RAN_1, DIALLED], [(0, 1)]),
        ([RAN_2, RAN_2], []),  # one after the other on one channel
        ([RAN_1 | {"customer": "C2"}, RAN_2], []),
        ([RAN_1 | {"called": "33"}, RAN_2], []),  # a callback: both halves have called somebody
        ([DIALLED | {"called": "132"}, RAN_2], [(1, 0)]),  # a prefix was put before the number
        ([DIALLED | {"direction": "incoming"}, RAN_2], []),  # it came in, and was forwarded
        ([RAN_1 | {"switch": "b"}, RAN_2], []),
        ([RAN_1 | {"start": 4601}, RAN_2], []),
        ([RAN_1 | {"start": 4600}, RAN_2], [(0, 1)]),
        ([RAN_1 | {"sealed": True}, RAN_2], [(1, 0)]),
        ([RAN_1 | {"sealed": True}, RAN_2 | {"sealed": True}], []),
        ([RAN_1 | {"halves": "Local/9@x-1,1"}, RAN_2 | {"halves": "Local/9@x-1,2"}], [(0, 1)]),
        ([RAN_1 | {"halves": "x"}, RAN_2], []),
        ([row(f"{CHANNEL};2 >{CHANNEL};1")], []),
        ([row("Local/a-1;2 >Local/b-1;1"), row("Local/b-1;2 >Local/a-1;1")], [(0, 1)]),
    ],
)
def test_which_half_is_left_out(calls, expected):
    assert list(local_halves.lesser(pa.Table.from_pylist(calls))) == expected


ORIGINATED = [
    cdr(channel=f"{CHANNEL};1", uniqueid="1767607200.1", sequence=1, billsec=61),
    cdr(channel=f"{CHANNEL};2", uniqueid="1767607200.2", sequence=2, billsec=60),
]
FORWARDED = [
    cdr(dstchannel=f"{CHANNEL};1", uniqueid="1767607200.1", sequence=1, billsec=120),
    cdr(channel=f"{CHANNEL};2", uniqueid="1767607200.3", sequence=3, billsec=2),
]


@pytest.mark.parametrize(("rows", "cost"), [(ORIGINATED, "1.00"), (FORWARDED, "2.00")])
def test_two_rows_of_one_local_channel_are_billed_once(book, rows, cost):
    book.customers({"id": "C1"})
    master = book.file("Master.csv", "".join(f"{line}\n" for line in rows))

    done = book.run("import", "asterisk", master, "--json", today="2026-01-31").json

    assert (done["posted"], done["not_billable"], done["amount"]) == (1, {"local-half": 1}, cost)
    again = book.run("import", "asterisk", master, "--all", "--json", today="2026-01-31").json
    assert (again["posted"], again["not_billable"], again["duplicate"]) == (0, {"local-half": 1}, 1)


def test_the_better_half_takes_the_place_of_one_that_came_before(book):
    book.customers({"id": "C1"})
    first, second = (
        book.file(f"{number}.csv", f"{line}\n") for number, line in enumerate(reversed(FORWARDED))
    )

    before = book.run("import", "asterisk", first, "--json", today="2026-01-31").json
    after = book.run("import", "asterisk", second, "--json", today="2026-01-31").json

    assert (before["posted"], before["amount"]) == (1, "1.00")
    assert (after["posted"], after["not_billable"]) == (0, {"local-half": 1})
    assert after["amount"] == "1.00"  # 2.00 instead of 1.00
    assert book.run("balances", "--json").json[0]["unbilled"] == "2.00"


def test_a_half_without_the_other_is_a_call(book):
    book.customers({"id": "C1"})
    for number, line in enumerate([*ORIGINATED[:1], FORWARDED[1].replace("0199", "0198")]):
        master = book.file(f"{number}.csv", f"{line}\n")
        assert book.run("import", "asterisk", master, "--json", today="2026-01-31").json["posted"]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return shelf.started(tmp_path_factory.mktemp("halves") / "book", "C1", opened="2026-01-01")


TWO, THREE = (CHANNEL.replace("3b", f"3{end}") for end in "cd")
LEGS = [
    (f"{CHANNEL};1", "PJSIP/carrier-00000004"),
    (f"{CHANNEL};2", "PJSIP/carrier-00000004"),
    ("PJSIP/c1-00000003", f"{CHANNEL};1"),
    ("PJSIP/c1-00000003", "PJSIP/carrier-00000004"),
    (f"{CHANNEL};2", f"{TWO};1"),
    (f"{TWO};2", "PJSIP/carrier-00000004"),
    (f"{TWO};2", f"{THREE};1"),
    (f"{THREE};2", f"{CHANNEL};1"),
]
LINES = st.builds(
    lambda leg, start, seconds, call: cdr(
        channel=LEGS[leg][0],
        dstchannel=LEGS[leg][1],
        start=start,
        billsec=seconds,
        uniqueid=f"1767607200.{call}",
        sequence=leg,
    ),
    st.integers(0, len(LEGS) - 1),
    st.sampled_from(["2026-01-05 22:59:58", "2026-01-05 22:59:59", "2026-01-05 23:00:03"]),
    st.sampled_from([30, 90]),
    st.integers(1, 2),
)
"""Rows of chains, some about midnight in the book's time zone; two with one id are a conflict."""


def halves_of(root):
    """The lesser halves a book keeps beside its calls, less where they were read."""
    found = {}
    for path in sorted(root.glob("calls/*/*.halves.parquet")):
        table = pq.read_table(path).drop_columns(["source", "file", "line", "late_in"])
        found[path.name] = table.to_pylist()
    return found


@given(st.lists(LINES, min_size=2, max_size=8, unique=True), st.data())
@tried(20)
def test_in_whatever_order_halves_come_and_come_again_the_book_is_the_same(template, lines, data):
    again = data.draw(st.lists(st.sampled_from(lines), max_size=3))
    shuffled = data.draw(st.permutations(lines + again))
    cuts = data.draw(st.lists(st.integers(0, len(shuffled)), max_size=3).map(sorted))
    with shelf.copied(template) as root:
        shelf.take(root, "asterisk", "".join(f"{line}\n" for line in lines))
        at_once = shelf.ledger_of(root), halves_of(root)
    with shelf.copied(template) as root:
        for begin, end in itertools.pairwise([0, *cuts, len(shuffled)]):
            part = shuffled[begin:end]
            report = shelf.take(root, "asterisk", "".join(f"{line}\n" for line in part))
            report.check()
        assert (shelf.ledger_of(root), halves_of(root)) == at_once


CHAIN = [
    cdr(dstchannel=f"{CHANNEL};1", uniqueid="1767607200.1", billsec=120),
    cdr(channel=f"{CHANNEL};2", dstchannel=f"{TWO};1", uniqueid="1767607200.2", billsec=60),
    cdr(channel=f"{TWO};2", uniqueid="1767607200.3", billsec=60),
]


@cases("order", list(itertools.permutations(range(3))), 2)
def test_a_chain_over_two_channels_is_billed_once_though_each_row_comes_by_itself(book, order):
    book.customers({"id": "C1"})
    for number in order:
        master = book.file(f"{number}.csv", f"{CHAIN[number]}\n")
        book.run("import", "asterisk", master, today="2026-01-31")
    assert book.run("balances", "--json").json[0]["unbilled"] == "2.00"
    before = shelf.tree(book.root)

    for number in order:
        again = book.run(
            "import", "asterisk", book.file(f"{number}.csv", f"{CHAIN[number]}\n"), "--all",
            "--json", today="2026-01-31",
        ).json  # fmt: skip
        expected = (0, 1, {}) if number == 0 else (0, 0, {"local-half": 1})
        assert (again["posted"], again["duplicate"], again["not_billable"]) == expected
    assert shelf.tree(book.root) == before


PREFIXED = {
    "the half that ran the dial plan": (
        cdr(dstchannel=f"{CHANNEL};1", uniqueid="1767607200.1"),
        cdr(channel=f"{CHANNEL};2", dst="88883225550199", uniqueid="1767607200.2"),
    ),
    "who dialled the channel": (
        cdr(dstchannel=f"{CHANNEL};1", dst="983225550199", uniqueid="1767607200.1"),
        cdr(channel=f"{CHANNEL};2", uniqueid="1767607200.2"),
    ),
}


@pytest.mark.parametrize("side", PREFIXED)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_half_with_a_technical_prefix_needs_no_rate(book, side, order):
    """It is billed by the other half, at the latest when it is tried again."""
    book.customers({"id": "C1"})
    (book.root / "tariffs/standard.csv").write_text("dialprefix,rateinitial\n32,1.00\n")
    lines = [PREFIXED[side][place] for place in order]
    book.today = "2026-01-31"

    together = book.file("both.csv", "".join(f"{line}\n" for line in lines))
    found = book.run("import", "asterisk", together, "--dry-run", "--json").json
    assert (found["posted"], found["not_billable"], found["quarantined"]) == (
        *(1, {"local-half": 1}, {}),
    )
    is_refused = "88883225550199" in lines[0] or "983225550199" in lines[0]
    for place, line in enumerate(lines):
        path = book.file(f"{place}.csv", f"{line}\n")
        book.run("import", "asterisk", path, code=3 if is_refused and not place else 0)
    if is_refused:
        book.run("quarantine", "retry", "--reason", "no-rate")
    assert book.run("quarantine", "list").stdout == ""
    assert book.run("balances", "--json").json[0]["unbilled"] == "1.00"


def test_a_half_without_a_rate_whose_other_half_has_none_either_is_refused(book):
    book.customers({"id": "C1"})
    (book.root / "tariffs/standard.csv").write_text("dialprefix,rateinitial\n44,1.00\n")
    lines = PREFIXED["who dialled the channel"]
    path = book.file("both.csv", "".join(f"{line}\n" for line in lines))
    found = book.run("import", "asterisk", path, "--json", today="2026-01-31", code=3).json
    assert found["quarantined"] == {"no-rate": 2}
