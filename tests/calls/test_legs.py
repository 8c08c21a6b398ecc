"""Legs of trunks: every talked second of a trunk's channel is billed once, to whoever it is due."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from harness import cdr
from hypothesis import given, settings
from hypothesis import strategies as st

from a2ledger.calls.components import components
from a2ledger.calls.legs import Row, Rules, legs, parts

HELD = {"acme": "A", "a101": "A", "14155550101": "A", "beta": "B", "b201": "B"}
START = 1_790_000_000


def device(channel: str) -> str:
    name = channel.partition("/")[2].rpartition("-")[0]
    return "" if channel.startswith("Local/") or name == "trunk" else name


RULES = Rules(
    lambda channel: channel.startswith("PJSIP/trunk-"),
    device,
    lambda text, _: text in HELD,
    ("8888",),
)


class Switch:
    """Writes rows as Asterisk does, with as many columns as it is told to."""

    def __init__(self, columns: int, start: int = START) -> None:
        self.columns, self.now = columns, start
        self.rows: list[dict[str, object]] = []
        self._channels = itertools.count(start % 4096)
        self._uids = itertools.count(start % 1000)

    def channel(self, name: str) -> str:
        return f"PJSIP/{name}-{next(self._channels):08x}"

    def uid(self) -> str:
        return f"{self.now}.{next(self._uids)}"

    def row(self, channel, dstchannel, uid, linked, dst, start, answer, end, **more):  # noqa: PLR0913, PLR0917
        wide = self.columns > 18
        self.rows.append(
            {
                "uniqueid": uid if self.columns > 16 else "",
                "linkedid": linked if wide else "",
                "sequence": str(len(self.rows)) if wide else "",
                "channel": channel,
                "dstchannel": dstchannel,
                "accountcode": "",
                "peeraccount": "",
                "src": "",
                "dst": dst,
                "did": "",
                "userfield": "",
                "lastdata": "",
                "start": start,
                "answer": answer or start,
                "end": end,
                "seconds": end - answer if answer else 0,
                "counts": bool(answer),
            }
            | more
        )


def legs_of(rows, order=None):
    """Find the legs of rows in any order, as an import does."""
    rows = [rows[place] for place in order or range(len(rows))]
    names = ("uniqueid", "linkedid", "channel", "dstchannel")
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names})
    start, end = (np.array([row[name] for row in rows], np.int64) for name in ("start", "end"))
    labels = components(table, start, end).tolist()
    found, taken = [], 0
    for label in dict.fromkeys(labels):
        group = [
            Row(place, **{name: row[name] for name in Row._fields if name != "place"})
            for place, (row, one) in enumerate(zip(rows, labels, strict=True))
            if one == label
        ]
        own = legs(group, RULES)
        found += own
        taken += len(parts(group, own, RULES)) + len({leg.head.place for leg in own})
    return found


def told(found):
    """Say what is billed: where to, whose, how long."""
    return Counter(
        (
            leg.direction,
            leg.called,
            HELD[leg.account if leg.account in HELD else leg.payer],
            leg.seconds,
        )
        for leg in found
    )


SECONDS = st.integers(1, 4000)


@st.composite
def scenarios(draw, columns):
    """Calls one after the other on one switch, and what is due for each leg of a trunk."""
    switch, due = Switch(columns), Counter()
    kinds = st.sampled_from([plain, forwarded, optimised, transferred, forked, parked, attended])
    for kind in draw(st.lists(kinds, min_size=1, max_size=5)):
        due.update(kind(switch, draw))
        switch.now += draw(st.integers(1, 900))
    return switch.rows, due


def plain(switch, draw):
    talk, ring, at = draw(SECONDS), draw(st.integers(0, 30)), switch.now
    uid, phone, trunk = switch.uid(), switch.channel("a101"), switch.channel("trunk")
    switch.now += ring + talk
    switch.row(phone, trunk, uid, uid, "447700900001", at, at + ring, switch.now,
               accountcode="acme", lastdata="PJSIP/8888447700900001@trunk,20")  # fmt: skip
    return [("outgoing", "447700900001", "A", talk)]


def forwarded(switch, draw):
    """Over ``Local`` with ``/n``: the account is set behind the channel, or nowhere."""
    talk, at, account = draw(SECONDS), switch.now, draw(st.sampled_from(["beta", ""]))
    one, two = switch.uid(), switch.uid()
    came, went, local = switch.channel("trunk"), switch.channel("trunk"), f"Local/4@f-{at:08x}"
    switch.now += talk
    switch.row(came, f"{local};1", one, one, "14155550101", at, at, switch.now,
               lastdata="Local/447700900002@f/n")  # fmt: skip
    switch.row(f"{local};2", went, two, one, "447700900002", at, at, switch.now,
               accountcode=account, lastdata="PJSIP/447700900002@trunk")  # fmt: skip
    payer = "B" if account else "A"
    return [
        ("incoming", "14155550101", "A", talk),
        ("outgoing", "447700900002", payer, talk),
    ]


def optimised(switch, draw):
    """Over ``Local`` without ``/n``: the channel steps aside, and its row has no seconds."""
    talk, at = draw(SECONDS), switch.now
    one, two = switch.uid(), switch.uid()
    came, went, local = switch.channel("trunk"), switch.channel("trunk"), f"Local/5@f-{at:08x}"
    switch.now += talk
    switch.row(f"{local};2", went, two, one, "447700900003", at, at, at, accountcode="beta",
               lastdata="PJSIP/447700900003@trunk")  # fmt: skip
    switch.row(came, f"{local};1", one, one, "14155550101", at, at, at,
               lastdata="Local/447700900003@f")  # fmt: skip
    switch.row(came, went, one, one, "14155550101", at, at, switch.now,
               lastdata="Local/447700900003@f")  # fmt: skip
    return [
        ("incoming", "14155550101", "A", talk),
        ("outgoing", "447700900003", "B", talk),
    ]


def transferred(switch, draw):
    """The callee of an incoming call blind-transfers it outside; the first row is overwritten."""
    first, second, at = draw(SECONDS), draw(SECONDS), switch.now
    uid = switch.uid()
    came, went, phone = switch.channel("trunk"), switch.channel("trunk"), switch.channel("a101")
    switch.now += first + second
    same = {"dst": "442079460010", "uid": uid, "linked": uid, "peeraccount": "acme"}
    switch.row(came, phone, start=at, answer=at, end=at + first, lastdata="PJSIP/a101,20", **same)
    switch.row(came, went, start=at + first, answer=at + first, end=switch.now,
               lastdata="PJSIP/442079460010@trunk,20", **same)  # fmt: skip
    return [
        ("incoming", "442079460010", "A", first + second),
        ("outgoing", "442079460010", "A", second),
    ]


def forked(switch, draw):
    talk, at = draw(SECONDS), switch.now
    uid, phone, trunk = switch.uid(), switch.channel("a101"), switch.channel("trunk")
    switch.now += talk
    for _ in range(draw(st.integers(2, 3))):
        switch.row(phone, trunk, uid, uid, "447700900004", at, at, switch.now, accountcode="acme",
                   lastdata="PJSIP/447700900004@trunk")  # fmt: skip
    return [("outgoing", "447700900004", "A", talk)]


def parked(switch, draw):
    """The caller parks the call, a colleague retrieves it: the trunk's channel is party A then."""
    first, wait, rest, at = (*(draw(SECONDS) for _ in range(3)), switch.now)
    uid, own, other = switch.uid(), switch.uid(), switch.uid()
    phone, trunk, colleague = (switch.channel(name) for name in ("a101", "trunk", "a101"))
    switch.row(phone, trunk, uid, uid, "447700900005", at, at, at + first, accountcode="acme",
               lastdata="PJSIP/447700900005@trunk")  # fmt: skip
    switch.now = at + first + wait
    switch.row(trunk, "", own, uid, "", at + first, at + first, switch.now, accountcode="acme")
    switch.row(colleague, "", other, uid, "701", switch.now, switch.now, switch.now)
    switch.row(trunk, colleague, own, uid, "", switch.now, switch.now, switch.now + rest)
    switch.now += rest
    return [("outgoing", "447700900005", "A", first + wait + rest)]


def attended(switch, draw):
    """REFER with Replaces joins two calls: both legs outlive the rows of who dialled them."""
    first, rest, at = draw(SECONDS), draw(SECONDS), switch.now
    gap = draw(st.integers(0, first))
    one, two, own = switch.uid(), switch.uid(), switch.uid()
    phone, again = switch.channel("b201"), switch.channel("b201")
    x, y = switch.channel("trunk"), switch.channel("trunk")
    switch.now += first
    switch.row(phone, x, one, one, "447700900006", at, at, switch.now, accountcode="beta",
               lastdata="PJSIP/447700900006@trunk")  # fmt: skip
    switch.row(again, y, two, two, "442079460012", at + gap, at + gap, switch.now,
               accountcode="beta", lastdata="PJSIP/442079460012@trunk")  # fmt: skip
    switch.row(x, y, own, one, "", switch.now, switch.now, switch.now + rest, accountcode="beta")
    switch.now += rest
    return [
        ("outgoing", "447700900006", "B", first + rest),
        ("outgoing", "442079460012", "B", first - gap + rest),
    ]


@pytest.mark.parametrize("columns", [18, 21])
@settings(max_examples=60)
@given(data=st.data())
def test_seconds_of_trunks_are_conserved_whatever_becomes_of_a_call(columns, data):
    rows, due = data.draw(scenarios(columns))
    order = data.draw(st.permutations(range(len(rows))))
    assert told(legs_of(rows, order)) == due


@settings(max_examples=40)
@given(data=st.data())
def test_rows_without_ids_are_told_apart_by_their_channels(data):
    """As 16 columns have it: forwarded over ``Local`` or transferred, a call has no id at all."""
    rows, due = data.draw(scenarios(16))
    assert told(legs_of(rows)) == due


def test_a_name_of_a_channel_that_begins_anew_with_the_switch_is_another_channel():
    first, second = Switch(21), Switch(21, START + 240)
    trunk, phone = "PJSIP/trunk-00000001", "PJSIP/a101-00000000"
    for switch in (first, second):
        uid, at = switch.uid(), switch.now
        switch.row(phone, trunk, uid, uid, "447700900001", at, at, at + 60, accountcode="acme",
                   lastdata="PJSIP/447700900001@trunk")  # fmt: skip
    assert [leg.seconds for leg in legs_of(first.rows + second.rows)] == [60, 60]


BOOK = """
[sources.pbx]
dialect = "asterisk"
timezone = "UTC"
trunks = ["PJSIP/carrier"]
"""
FORWARD = [
    cdr(channel="Local/3@f-1;2", dstchannel="PJSIP/carrier-00000002", dst="3225550150", billsec=0,
        uniqueid="1767607200.3", sequence=2, end="2026-01-05 10:00:00", duration=0),
    cdr(channel="PJSIP/carrier-00000001", dstchannel="Local/3@f-1;1", dst="3225550101", billsec=0,
        accountcode="", sequence=1, end="2026-01-05 10:00:00", duration=0,
        lastdata="Local/3225550150@f"),
    cdr(channel="PJSIP/carrier-00000001", dstchannel="PJSIP/carrier-00000002", dst="3225550101",
        accountcode="", sequence=3, lastdata="Local/3225550150@f"),
]  # fmt: skip
"""A call came in and was forwarded over a ``Local`` channel, which stepped aside."""


def ready(book):
    book.today = "2026-01-31"
    book.customers({"id": "C1", "identifiers": "3225550101, c1"})
    (book.root / "tariffs/standard.csv").write_text("dialprefix,rateinitial\n32,0.60\n")
    with (book.root / "a2ledger.toml").open("a") as file:
        file.write(BOOK)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_rows_of_a_leg_may_come_in_any_order_and_in_runs_of_their_own(book, order):
    ready(book)
    for number, place in enumerate(order):
        book.file("Master.csv", FORWARD[place] + "\n")
        done = book.run("import", "pbx", book.files / "Master.csv", "--all", "--json")
        assert done.json["read"] == 1, number
    journal = book.text("journals/2026-01/C1.01.beancount")
    assert '"Calls" "1 call, 0:01:00"' in journal
    assert '"DIDs" "1 call, 0:01:00"' in journal
    assert "Unbilled   0.600000 EUR" in journal
    digests = book.text("calls/DIGESTS")
    # All at once, and again, change nothing.
    everything = book.file("All.csv", "".join(f"{line}\n" for line in FORWARD))
    again = book.run("import", "pbx", everything, "--all", "--json").json
    assert (again["posted"], again["amount"], again["not_billable"]) == (0, "0.00", {"part": 1})
    assert book.text("calls/DIGESTS") == digests


def test_what_left_by_a_trunk_and_is_nobodys_is_refused_and_comes_back(book):
    ready(book)
    row = cdr(accountcode="", channel="PJSIP/lobby-00000001", src="", dst="3225550150")
    path = book.file("Master.csv", row + "\n")
    done = book.run("import", "pbx", path, "--json", code=3)
    assert done.json["quarantined"] == {"unclaimed": 1}
    assert "left by PJSIP/carrier-00000002" in done.stderr
    book.run("customer", "set", "C1", "identifiers=3225550101, c1, lobby", "--from", "2026-01-01")
    book.run("quarantine", "retry")
    assert "Unbilled   0.600000 EUR" in book.text("journals/2026-01/C1.01.beancount")


@pytest.mark.parametrize(("answer", "due"), [("10:00:00", "0.550000"), ("10:00:02", "0.580000")])
def test_what_was_answered_before_it_dialled_is_billed_less_what_a_source_says(book, answer, due):
    ready(book)
    book.edit("a2ledger.toml", 'trunks = ["PJSIP/carrier"]', 'trunks = ["PJSIP/carrier"]\n'
              "before_dialling = 5")  # fmt: skip
    wait = int(answer[-2:])
    row = cdr(channel="PJSIP/c1-00000001", dst="3225550150", answer=f"2026-01-05 {answer}",
              billsec=60 - wait)  # fmt: skip
    book.run("import", "pbx", book.file("Master.csv", row + "\n"))
    assert f"Unbilled   {due} EUR" in book.text("journals/2026-01/C1.01.beancount")
