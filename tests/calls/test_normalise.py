"""Which rows are calls, whose, when, and where to."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from checkout import MASTER
from examples import tried
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import sources
from a2ledger.book.source_config import Rule, Source
from a2ledger.calls import normalise as cdr
from a2ledger.customers.directory import Directory
from a2ledger.records import Customer
from a2ledger.sources.batch import FIELDS, Batch

NOW = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
OPENED = dt.date(2026, 1, 1)

ROW = {
    "accountcode": "C1",
    "channel": "PJSIP/1001-0000002a",
    "src": "3021",
    "dst": "003069123",
    "context": "customers",
    "application": "Dial",
    "start": "2026-01-05 22:30:00",
    "seconds": "60",
    "duration": "64",
    "uniqueid": "1767652200.7",
    "sequence": "9",
    "answered": True,
}
KNOWN = [
    Customer(id="C1", opened=OPENED),
    Customer(id="C2", opened=dt.date(2026, 2, 1)),
    Customer(id="C3", opened=OPENED, facts={"identifiers": ((OPENED, "1001, 302100000001"),)}),
]


def source(**values):
    fields = {"name": "pbx1", "dialect": "asterisk", "switch": "sw1", "timezone": "UTC"}
    return Source(**(fields | values))


def batch_of(rows, first=1):
    table = pa.table(
        {name: pa.array([row.get(name, "") for row in rows], pa.string()) for name in FIELDS}
        | {
            "line": pa.array(range(first, first + len(rows)), pa.int64()),
            "answered": pa.array([row["answered"] for row in rows], pa.bool_()),
            "never": pa.array([row.get("never", "") for row in rows], pa.string()),
            "unknown": pa.array([row.get("unknown", "") for row in rows], pa.string()),
        }
    )
    return Batch("f.csv", table, [], lambda line: f"row {rows[line - first]}")


def normalise(*changes, zone="Europe/Athens", known=KNOWN, **values):
    rows = [ROW | change for change in changes or [{}]]
    return cdr.normalise(batch_of(rows), source(**values), Directory(known), zone, NOW)


def fate(change, **values):
    """Where one row ends: ``call``, a name of what is not billable, or a reason."""
    result = normalise(change, **values)
    if len(result.calls):
        assert (result.not_billable, result.refused) == ({}, [])
        return "call"
    ((name, count),) = [
        *result.not_billable.items(),
        *((row.reason, 1) for row in result.refused),
    ]
    assert count == 1
    return name


def test_a_live_file_holds_seventeen_calls():
    (batch,) = sources.dialect("asterisk")(MASTER, source())
    known = [Customer(id=f"cust{n}", opened=OPENED) for n in (1, 2, 3, 7)]
    rule = Rule(contexts=("customers",), applications=("Dial",))
    result = cdr.normalise(batch, source(rules=(rule,)), Directory(known), "Europe/Athens", NOW)
    seconds = result.calls["seconds"].to_pylist()
    assert (len(seconds), sum(seconds), seconds.count(0)) == (17, 33, 1)
    assert result.not_billable == {"hangup": 23, "context": 22, "unanswered": 4}
    assert (result.refused, result.warnings) == ([], [])
    assert result.latest == dt.datetime(2026, 11, 22, 12, 12, 6, tzinfo=dt.UTC)


def test_a_call_says_all_that_is_known_of_it():
    (call,) = normalise().calls.to_pylist()
    assert call == {
        "line": 1,
        "start": dt.datetime(2026, 1, 5, 22, 30, tzinfo=dt.UTC),
        "local": dt.datetime(2026, 1, 6, 0, 30),  # noqa: DTZ001 - what the wall clock showed
        "day": dt.date(2026, 1, 6),
        "seconds": 60,
        "called": "3069123",
        "caller": "3021",
        "customer": 0,
        "identifier": "C1",
        "service": "Calls",
        "tariff": "",
        "free": False,
        "switch": "sw1",
        "uid": "1767652200.7",
        "seq": "9",
        "given_micro": None,
        "halves": "",
        "direction": "",
        "leg": "",
        "extension": "3021",
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "call"),
        ({"seconds": "0"}, "call"),
        ({"answered": False}, "unanswered"),
        ({"application": "Playback"}, "application"),
        ({"context": "carrier"}, "context"),
        ({"context": "carrier", "application": "Playback"}, "context"),
        ({"never": "hangup"}, "hangup"),
        ({"never": "b-leg", "context": "carrier"}, "b-leg"),
        ({"never": None}, "call"),
        ({"never": "hangup", "seconds": "-5"}, "negative"),
        ({"accountcode": "C9"}, "call"),
        ({"accountcode": "C9", "channel": "SIP/stranger-0000002a"}, "unknown-customer"),
        ({"accountcode": ""}, "call"),
        ({"accountcode": "", "channel": "SIP/stranger-0000002a"}, "no-identifier"),
        (
            {"accountcode": "", "channel": "SIP/a-0000002a", "lastdata": "SIP/30691234@trunk"},
            "unclaimed",
        ),
        ({"accountcode": "", "channel": "", "application": ""}, "application"),
        ({"answered": False, "unknown": "MAYBE"}, "unknown-answer"),
        ({"answered": False, "unknown": "MAYBE", "seconds": "0"}, "unanswered"),
        ({"accountcode": "", "peeraccount": "C1"}, "call"),
        ({"accountcode": "C2"}, "before-opening"),
        ({"start": "0000-00-00 00:00:00"}, "bad-time"),
        ({"start": ""}, "bad-time"),
        ({"start": "2099-01-01 00:00:00"}, "future"),
        ({"start": "2026-12-02 12:00:00"}, "call"),
        ({"start": "2026-12-02 12:00:01"}, "future"),
        ({"seconds": "-5"}, "negative"),
        ({"seconds": "1h02m"}, "bad-seconds"),
        ({"seconds": "1.5"}, "bad-seconds"),
        ({"seconds": ""}, "bad-seconds"),
        ({"seconds": "٣"}, "bad-seconds"),
        ({"seconds": "604801"}, "bad-seconds"),
        ({"seconds": "9" * 30}, "bad-seconds"),
        ({"duration": "x"}, "bad-seconds"),
        ({"duration": "-1"}, "negative"),
        ({"duration": ""}, "call"),
        ({"dst": ""}, "bad-number"),
        ({"dst": "3" * 65}, "bad-number"),
        ({"cost": "0.125"}, "call"),
        ({"cost": "-1"}, "bad-amount"),
        ({"cost": "much"}, "bad-amount"),
        # A damaged row cannot be trusted to be no call.
        ({"answered": False, "seconds": "-5"}, "negative"),
        ({"context": "carrier", "start": "2026-02-30 00:00:00"}, "bad-time"),
        # What is no call needs no more to be right.
        ({"answered": False, "accountcode": "C9"}, "unanswered"),
    ],
)
def test_every_row_ends_in_one_place(change, expected):
    rule = Rule(contexts=("customers",), applications=("Dial",))
    assert fate(change, rules=(rule,)) == expected


def test_by_default_asterisk_bills_what_dial_did():
    rules = sources.rules("asterisk")
    assert fate({"context": "anything"}, rules=rules) == "call"
    assert fate({"application": "Queue"}, rules=rules) == "application"


def test_by_default_every_neutral_call_is_its_customers():
    rules = sources.rules("calls")
    assert fate({"application": "", "context": ""}, rules=rules) == "call"
    assert fate({"dst": "h"}, rules=rules) == "call"
    assert fate({"accountcode": "", "peeraccount": "C1"}, rules=rules) == "no-identifier"


def test_a_dialect_need_not_say_which_rows_are_never_calls():
    batch = batch_of([ROW])
    batch = batch._replace(rows=batch.rows.drop_columns(["never"]))
    result = cdr.normalise(batch, source(), Directory(KNOWN), "UTC", NOW)
    assert (len(result.calls), result.not_billable) == (1, {})


def test_by_default_asterisk_gives_away_calls_to_a_customers_extension():
    def calls(**change):
        return normalise(change, rules=sources.rules("asterisk")).calls.to_pylist()

    (to_extension,) = calls(dst="1001")
    assert (to_extension["free"], to_extension["called"]) == (True, "1001")
    (to_device,) = calls(dst="42", dstchannel="PJSIP/1001-00000009")
    assert to_device["free"]
    for dst in ("302100000001", "112"):  # a customer's number, and nobody's
        (call,) = calls(dst=dst, dstchannel="PJSIP/carrier-00000009")
        assert not call["free"]


OFFICE = (
    Rule(contexts=("customers",), called=("112", "100"), free=True),
    Rule(contexts=("customers",), to="customer", free=True),
    Rule(contexts=("from-trunk",), called=("32800*",), identify=("dst",), tariff="tollfree"),
    Rule(contexts=("from-trunk",), identify=("did", "dst"), service="DIDs", tariff="inbound"),
    Rule(contexts=("customers",), applications=("Dial",)),
)
HOLDERS = [
    *KNOWN,
    Customer(
        id="C4",
        opened=OPENED,
        facts={
            "identifiers": (
                (OPENED, "3225550100, 3280012345, acme-1"),
                (dt.date(2026, 1, 10), "3225550100, 3280012345, 3225550101"),
            )
        },
    ),
]


@pytest.mark.parametrize(
    ("change", "whose", "expected"),
    [
        ({"dst": "112"}, "C1", {"free": True, "called": "112"}),
        ({"dst": "100"}, "C1", {"free": True}),
        ({"dst": "003225550100"}, "C1", {"free": True, "called": "3225550100"}),
        ({"dst": "9", "dstchannel": "SIP/acme-1-00000001"}, "C1", {"free": True}),
        ({"dst": "003069123"}, "C1", {"free": False, "service": "Calls", "tariff": ""}),
        (
            {"context": "from-trunk", "accountcode": "", "dst": "3280012345"},
            "C4",
            {"tariff": "tollfree", "service": "Calls"},
        ),
        (
            {"context": "from-trunk", "accountcode": "", "dst": "+3225550100"},
            "C4",
            {"tariff": "inbound", "service": "DIDs", "called": "3225550100"},
        ),
        (
            {"context": "from-trunk", "accountcode": "", "dst": "s", "did": "3225550100"},
            "C4",
            {"service": "DIDs"},
        ),
    ],
)
def test_rules_find_the_end_that_pays(change, whose, expected):
    result = normalise(change, rules=OFFICE, known=HOLDERS, short_codes=("112", "100"))
    (row,) = result.calls.to_pylist()
    assert HOLDERS[row["customer"]].id == whose
    assert {name: row[name] for name in expected} == expected


def test_devices_and_numbers_are_a_customers_from_a_day_to_a_day():
    def is_free(day, **change):
        start = f"2026-01-{day:02} 12:00:00"
        (row,) = normalise(change | {"start": start}, rules=OFFICE, known=HOLDERS).calls.to_pylist()
        return row["free"]

    assert [is_free(day, dst="3225550101") for day in (9, 10)] == [False, True]
    assert [is_free(day, dstchannel="SIP/acme-1-0000000a") for day in (9, 10)] == [True, False]


def test_what_has_a_rules_context_and_application_but_not_the_rest_is_left_out_by_name():
    trunk = Rule(channels=("PJSIP/trunk-*",))
    assert fate({}, rules=[trunk]) == "rule"
    assert fate({"channel": "PJSIP/trunk-in-0000002a"}, rules=[trunk]) == "call"
    assert fate({"dstchannel": "PJSIP/trunk-out-0000002a"}, rules=[trunk]) == "call"
    assert fate({"dst": "0800."}, rules=[Rule(called=("080??",))]) == "call"
    assert fate({"dst": "08000"}, rules=[Rule(called=("080?.",))]) == "rule"


def test_the_first_rule_that_takes_a_row_decides():
    rules = (
        Rule(contexts=("free",), free=True),
        Rule(contexts=("inbound",), identify=("dst",), service="Inbound", tariff="tollfree"),
        Rule(applications=("Dial",)),
    )
    result = normalise(
        {"context": "free", "application": "x"},
        {"context": "inbound", "dst": "+30 210 0000001"},
        {},
        {"context": "other", "application": "x"},
        rules=rules,
    )
    assert [
        (call["customer"], call["service"], call["tariff"], call["free"])
        for call in result.calls.to_pylist()
    ] == [(0, "Calls", "", True), (2, "Inbound", "tollfree", False), (0, "Calls", "", False)]
    assert result.not_billable == {"application": 1}


@pytest.mark.parametrize(
    ("identify", "change", "customer"),
    [
        (("accountcode", "channel"), {"accountcode": ""}, 2),
        (("accountcode", "channel"), {"accountcode": "nobody"}, 2),
        (("accountcode", "channel"), {}, 0),
        (("channel",), {"channel": "PJSIP/1001-0000002a;2"}, 2),
        (("channel",), {"channel": "IAX2/C1-7"}, 0),
        (("channel",), {"channel": "SIP/C1"}, 0),
        (("channel",), {"channel": "Local/C1@customers-00000001;1"}, None),
        (("channel",), {"channel": "1001"}, None),
        (("src",), {"src": "1001"}, 2),
        (("src",), {"src": "00302100000001"}, 2),
        (("userfield~cust=([^;]*)",), {"userfield": "x;cust=C1;y"}, 0),
        (("userfield~cust=([^;]*)",), {"userfield": "x"}, None),
        (("userfield~cust(=x)?",), {"userfield": "cust"}, None),
        (("did", "userfield"), {"userfield": " C1\t"}, 0),
    ],
)
def test_the_first_known_identifier_in_order_is_whose(identify, change, customer):
    result = normalise(change, rules=(Rule(identify=identify),))
    assert result.calls["customer"].to_pylist() == ([] if customer is None else [customer])
    if customer is None:
        assert result.not_billable == {"no-identifier": 1}


def test_a_call_bears_the_identifier_that_decided_whose_it_is():
    rules = (
        Rule(contexts=("customers",), identify=("accountcode", "channel")),
        Rule(contexts=("trunk",), identify=("src",)),
    )
    calls = normalise(
        {"accountcode": "nobody"},
        {},
        {"context": "trunk", "src": "00302100000001"},
        {"accountcode": "nobody", "channel": "SIP/9-1"},
        {"accountcode": "", "channel": "SIP/C1-1"},
        rules=rules,
    ).calls

    assert calls["customer"].to_pylist() == [2, 0, 2, 0]
    assert calls["identifier"].to_pylist() == ["1001", "C1", "302100000001", "C1"]


def test_an_unknown_customer_is_named_as_the_first_identifier_names_him():
    rule = Rule(identify=("accountcode", "peeraccount", "channel"))
    (refused,) = normalise(
        {"accountcode": "", "peeraccount": "gone", "channel": "SIP/9-1"}, rules=(rule,)
    ).refused
    assert refused.message == "no customer holds 'gone' (peeraccount) on 2026-01-06"
    assert refused.identity == "sw1/1767652200.7/9"
    assert (refused.file, refused.line) == ("f.csv", 1)
    assert refused.raw.startswith("row {")


def test_identifiers_hold_on_the_day_of_the_books_zone():
    history = ((OPENED, ""), (dt.date(2026, 1, 6), "x"))
    known = [Customer(id="C1", opened=OPENED, facts={"identifiers": history})]
    assert fate({"accountcode": "x"}, known=known) == "call"
    assert fate({"accountcode": "x"}, known=known, zone="UTC") == "unknown-customer"


def test_a_row_without_id_gets_one_that_any_dialect_and_zone_would_give():
    bare = {"uniqueid": "", "sequence": ""}
    one = normalise(bare | {"duration": "99", "userfield": "x"})
    two = normalise(
        bare | {"start": "2026-01-06 00:30:00", "dst": "003069123 "}, timezone="Europe/Athens"
    )
    other = normalise(bare | {"seconds": "61"})
    (uid,) = one.calls["uid"].to_pylist()
    assert uid.startswith("h-")
    assert len(uid) == 26
    assert two.calls["uid"].to_pylist() == [uid]
    assert other.calls["uid"].to_pylist() != [uid]


def test_what_a_switch_says_a_call_costs_is_kept_exactly():
    result = normalise({"cost": "0.125"}, {"cost": ""}, {"cost": "-0"}, {"cost": " 3 "})
    assert result.calls["given_micro"].to_pylist() == [125_000, None, 0, 3_000_000]


def test_control_characters_go_no_further():
    (call,) = normalise({"src": "3021\x07\u202e", "uniqueid": "a\n;b\x85\t"}).calls.to_pylist()
    assert (call["caller"], call["uid"]) == ("3021", "a;b")


def test_of_an_hour_that_happens_twice_the_id_says_which():
    # On 25 October 2026 Athens had 03:30 at 00:30 and again at 01:30 UTC.
    def starts(**change):
        result = normalise(
            {"start": "2026-10-25 03:30:00", **change}, timezone="Europe/Athens", zone="UTC"
        )
        (row,) = result.calls.to_pylist()
        return f"{row['start']:%H:%M}", result.warnings

    first, second = 1792888200, 1792891800
    assert starts(uniqueid=f"{first - 5}.7") == ("00:30", [])
    assert starts(uniqueid=f"pbx-{second - 5}.7") == ("01:30", [])
    assert starts(uniqueid="a-guid") == (
        "00:30",
        ["note: pbx1: 1 row of an hour that happened twice, taken as the first"],
    )


@pytest.mark.parametrize(
    ("zone", "off"),
    [
        ("UTC", ""),
        ("Europe/Athens", "2:00 hours earlier"),
        ("America/St_Johns", "3:30 hours later"),
    ],
)
def test_a_zone_that_contradicts_the_ids_is_noticed(zone, off):
    late = {"uniqueid": "1767600000.1"}
    result = normalise({}, {}, late, {"uniqueid": "x"}, timezone=zone)
    warning = f"note: pbx1: calls start {off} than their ids say, if their zone is {zone}; "
    assert result.warnings == ([f"{warning}check the source's timezone"] if off else [])


def test_the_latest_start_is_of_any_row_but_those_in_the_future():
    result = normalise(
        {}, {"answered": False, "start": "2026-03-01 00:00:00"}, {"start": "2099-01-01 00:00:00"}
    )
    assert result.latest == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert normalise({"start": ""}).latest is None


def test_no_rows_are_no_calls():
    result = cdr.normalise(batch_of([]), source(), Directory(KNOWN), "UTC", NOW)
    assert (len(result.calls), result.refused, result.latest) == (0, [], None)


def test_a_book_without_customers_refuses_and_does_not_fail():
    assert fate({}, known=[]) == "unknown-customer"


def test_nulls_of_a_foreign_dialect_are_empty_texts():
    batch = batch_of([ROW])
    rows = batch.rows.set_column(
        batch.rows.column_names.index("cost"), "cost", pa.array([None], pa.string())
    )
    result = cdr.normalise(batch._replace(rows=rows), source(), Directory(KNOWN), "UTC", NOW)
    assert result.calls["given_micro"].to_pylist() == [None]


VALUES = {
    "accountcode": ["", "C1", "C2", "C3", "1001", "nobody", "C1 ", "é\x01"],
    "peeraccount": ["", "C1", "x"],
    "channel": ["", "PJSIP/1001-0000002a", "Local/C1@x-1;2", "a/b"],
    "src": ["", "3021", "anonymous", "+30 210"],
    "dst": ["", "h", "s", "3069", "+3069", "0" * 70, "*98"],
    "context": ["customers", "carrier", ""],
    "application": ["Dial", "Playback", ""],
    "start": ["2026-01-05 22:30:00", "2026-03-05 22:30:00Z", "2099-01-01 00:00:00", "", "x" * 30],
    "seconds": ["60", "0", "-1", "", "1e3", "604801"],
    "duration": ["64", "", "x"],
    "uniqueid": ["", "1767652200.7", "a"],
    "sequence": ["", "1"],
    "cost": ["", "0.5", "-1", "x"],
    "never": ["", "hangup"],
}
ROWS = st.lists(
    st.fixed_dictionaries(
        {name: st.sampled_from(values) for name, values in VALUES.items()}
        | {"answered": st.booleans()}
    ),
    max_size=12,
)
RULES = st.lists(
    st.builds(
        Rule,
        contexts=st.sampled_from([(), ("customers",)]),
        applications=st.sampled_from([(), ("Dial",)]),
        identify=st.sampled_from(
            [("accountcode", "peeraccount"), ("channel", "src"), ("dst~(3)",)]
        ),
    ),
    max_size=2,
).map(tuple)


@tried(120)
@given(
    rows=ROWS, rules=RULES, dialect=st.sampled_from(["asterisk", "calls", "x"]), cut=st.integers(0)
)
def test_no_row_is_lost_however_rows_are_split(rows, rules, dialect, cut):
    feed = source(dialect=dialect, rules=rules)
    directory = Directory(KNOWN)
    cut %= len(rows) + 1
    parts = [(rows, 1), (rows[:cut], 1), (rows[cut:], cut + 1)]
    whole, head, tail = (
        cdr.normalise(batch_of(part, first), feed, directory, "Europe/Athens", NOW)
        for part, first in parts
    )
    for result, (part, _) in zip((whole, head, tail), parts, strict=True):
        billable = len(result.calls) + len(result.refused)
        assert billable + sum(result.not_billable.values()) == len(part)
        assert not (result.calls["customer"].to_numpy() < 0).any()
    assert whole.calls.to_pylist() == head.calls.to_pylist() + tail.calls.to_pylist()
    assert whole.refused == sorted(head.refused + tail.refused)
    names = {*head.not_billable, *tail.not_billable}
    assert whole.not_billable == {
        name: head.not_billable.get(name, 0) + tail.not_billable.get(name, 0) for name in names
    }
    assert whole.latest == max(
        (result.latest for result in (head, tail) if result.latest), default=None
    )


def test_a_batch_in_several_chunks_is_as_one():
    batch = batch_of([ROW] * 4)
    pieces = pa.concat_tables([batch.rows.slice(0, 1), batch.rows.slice(1)])
    assert pieces["dst"].num_chunks == 2
    directory = Directory(KNOWN)
    one, two = (
        cdr.normalise(batch._replace(rows=rows), source(), directory, "UTC", NOW)
        for rows in (batch.rows, pieces)
    )
    assert one.calls.to_pylist() == two.calls.to_pylist()
    assert np.asarray(two.calls["line"]).tolist() == [1, 2, 3, 4]
