"""Calls as switches write them that are hard to bill, and what is due for each leg of a trunk.

Asterisk's are dicts with the columns legs are made of; :func:`master` writes them as
``Master.csv``. FreeSWITCH's are documents of ``mod_json_cdr``.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import uuid
from collections import Counter

import numpy as np
import pyarrow as pa
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
def scenarios(draw, columns, start=START):
    """Calls one after the other on one switch, and what is due for each leg of a trunk."""
    switch, due = Switch(columns, start), Counter()
    kinds = st.sampled_from(KINDS)
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


def three_way(switch, draw):
    """A customer's colleague dials outside and joins the caller in: one leg stands in two rows."""
    wait, first, rest, at = (*(draw(SECONDS) for _ in range(3)), switch.now)
    one, two = switch.uid(), switch.uid()
    caller, rung, dialling = (switch.channel(name) for name in ("a101", "b201", "b201"))
    trunk, joined = switch.channel("trunk"), at + wait + first
    switch.now = joined + rest
    switch.row(caller, rung, one, one, "b201", at, at, switch.now, accountcode="acme",
               lastdata="PJSIP/b201")  # fmt: skip
    switch.row(dialling, trunk, two, two, "447700900007", at + wait, at + wait, switch.now,
               accountcode="beta", lastdata="PJSIP/447700900007@trunk")  # fmt: skip
    switch.row(caller, trunk, one, one, "b201", joined, joined, switch.now, accountcode="acme",
               lastdata="PJSIP/b201")  # fmt: skip
    return [("outgoing", "447700900007", "B", first + rest)]


KINDS = (plain, forwarded, optimised, transferred, forked, parked, attended, three_way)
_COLUMNS = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp"),
    *("lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
    *("uniqueid", "userfield", "peeraccount", "linkedid", "sequence"),
)


def master(row, columns):
    """Write a row as a line of ``Master.csv`` with so many columns."""

    def stamp(at):
        return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")

    values = row | {
        "lastapp": "Dial", "start": stamp(row["start"]), "end": stamp(row["end"]),
        "answer": stamp(row["answer"]) if row["counts"] else "",
        "duration": row["end"] - row["start"], "billsec": row["seconds"],
        "disposition": "ANSWERED" if row["counts"] else "NO ANSWER",
    }  # fmt: skip
    return ",".join(f'"{values.get(name, "")}"' for name in _COLUMNS[:columns]) + "\n"


class FreeSwitch:
    """Writes a document for each leg."""

    def __init__(self, start: int) -> None:
        self.now = start
        self.documents: list[str] = []
        self._ids = itertools.count(start)

    def leg(self, called, start, seconds, *, account="", made_for="", channel="sofia/internal/x"):
        """Write a leg, and return its uuid."""
        name = str(uuid.UUID(int=next(self._ids) << 64 | 1 << 63, version=4))
        variables = {
            "uuid": name, "accountcode": account, "channel_name": channel, "last_app": "bridge",
            "start_epoch": str(start), "answer_epoch": str(start),
            "duration": str(seconds), "billsec": str(seconds),
        } | ({"originator": made_for} if made_for else {})  # fmt: skip
        profile = {"caller_id_number": "999", "destination_number": called, "uuid": name}
        document = {"variables": variables, "callflow": [{"caller_profile": profile}]}
        self.documents.append(json.dumps(document) + "\n")
        return name


def fs_plain(switch, draw):
    talk, at = draw(SECONDS), switch.now
    head = switch.leg("447700900001", at, talk, account="acme")
    switch.leg("447700900001", at, talk, made_for=head)
    switch.now += talk
    return [("outgoing", "447700900001", "A", talk)]


def fs_transferred(switch, draw):
    """Its caller is sent from number to number, and perhaps to a phone of the house at last."""
    talks = draw(st.lists(st.integers(3, 4000), min_size=2, max_size=4))
    numbers = [f"44770090001{place}" for place in range(len(talks))]
    if draw(st.booleans()):
        numbers[-1] = "101"
    head = switch.leg(numbers[-1], switch.now, sum(talks), account="acme")
    due = []
    for number, talk in zip(numbers, talks, strict=True):
        switch.leg(number, switch.now, talk, made_for=head)
        due += [("outgoing", number, "A", talk)] if number != "101" else []
        switch.now += talk
    return due


def fs_forwarded(switch, draw):
    """A call from outside goes on over ``loopback``, whose legs last as long as it takes."""
    talk, at = draw(st.integers(3, 4000)), switch.now
    head = switch.leg("14155550101", at, talk + 2)
    half = switch.leg("447700900020", at, 2, account="acme", made_for=head,
                      channel="loopback/447700900020-a")  # fmt: skip
    switch.leg("447700900020", at, talk, account="acme", made_for=half)
    switch.now += talk + 2
    return [("incoming", "14155550101", "A", talk + 2), ("outgoing", "447700900020", "A", talk)]


def fs_joined(switch, draw):
    """A phone dials two numbers, joins them and hangs up: they go on."""
    first, rest, at = draw(st.integers(3, 4000)), draw(st.integers(3, 4000)), switch.now
    one = switch.leg("447700900030", at, first, account="beta")
    switch.leg("447700900030", at, first + rest, made_for=one)
    two = switch.leg("447700900031", at, first, account="beta")
    switch.leg("447700900031", at, first + rest, made_for=two)
    switch.now += first + rest
    due = ("447700900030", "447700900031")
    return [("outgoing", number, "B", first + rest) for number in due]


@st.composite
def bridged(draw, start):
    """Calls one after the other on a FreeSWITCH, and what is due for each."""
    switch, due = FreeSwitch(start), Counter()
    kinds = st.sampled_from((fs_plain, fs_transferred, fs_forwarded, fs_joined))
    for kind in draw(st.lists(kinds, min_size=1, max_size=4)):
        due.update(kind(switch, draw))
        switch.now += draw(st.integers(1, 900))
    return switch.documents, due
