"""FreeSWITCH's call records: rows of mod_cdr_csv, documents of mod_json_cdr and mod_xml_cdr."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import urllib.parse
import uuid
import zlib

import pytest
import shelf
from examples import tried
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import sources
from a2ledger.book.source_config import Source
from a2ledger.sources import freeswitch
from a2ledger.sources.batch import UnusableInput
from a2ledger.sources.freeswitch import legs as freeswitch_legs

SOURCE = Source(name="fs", dialect="freeswitch", switch="fs1", timezone="Europe/Brussels")
A, B = "0c1f0a52-7d51-4a6e-9a4b-0d7c2f6b8a01", "5e9d6f7a-3f7e-4c55-8f0e-1b2a3c4d5e6f"

LEG = {
    "caller_id_name": "Ann",
    "caller_id_number": "3225550101",
    "destination_number": "3225550199",
    "context": "default",
    "start_stamp": "2026-01-05 10:00:00",
    "answer_stamp": "2026-01-05 10:00:04",
    "end_stamp": "2026-01-05 10:01:04",
    "duration": "64",
    "billsec": "60",
    "hangup_cause": "NORMAL_CLEARING",
    "uuid": A,
    "bleg_uuid": B,
    "accountcode": "C1",
    "read_codec": "PCMA",
    "write_codec": "PCMA",
    "sip_user_agent": "Phone, 1.0",
    "sip_p_rtp_stat": "PS=3000,OS=480000",
    "call_clientcode": "",
    "sip_rtp_rxstat": "Dur=60,Pkt=3000",
    "sip_rtp_txstat": "Dur=60,Pkt=3000",
    "sofia_record_file": "",
    "caller_id": '"Ann" <3225550101>',
    "channel_name": "sofia/internal/1001@192.0.2.1",
    "bridge_channel": "sofia/external/3225550199",
    "last_app": "bridge",
    "last_arg": "sofia/gateway/carrier/3225550199",
    "amaflags": "",
    "userfield": "",
    "signal_bond": B,
    "direction": "inbound",
    "ani": "3225550101",
    "network_addr": "192.0.2.7",
    "privacy": "",
    "sip_gateway_name": "",
}
INSERT = "INSERT INTO cdr VALUES"
SQL = list(LEG)[:13]
TEMPLATES = {
    "sql": SQL,
    "example": list(LEG)[:15],
    "linksys": list(LEG)[:17],
    "snom": [*list(LEG)[:16], *list(LEG)[17:21]],
    "asterisk": [
        *("accountcode", "caller_id_number", "destination_number", "context", "caller_id"),
        *("channel_name", "bridge_channel", "last_app", "last_arg", "start_stamp"),
        *("answer_stamp", "end_stamp", "duration", "billsec", "hangup_cause", "amaflags"),
        *("uuid", "userfield"),
    ],
    "opencdrrate": [
        *("uuid", "signal_bond", "direction", "ani", "destination_number", "answer_stamp"),
        *("end_stamp", "billsec", "accountcode", "userfield", "network_addr", "privacy"),
        "sip_gateway_name",
    ],
    "default": SQL,
}


def line(template="example", **given):
    """A row as a template writes it: quotes around every value, and nothing escaped."""
    leg = LEG | given
    gap = template in {"sql", "snom", "default"}
    text = ",".join(
        (" " if gap and name == "accountcode" else "") + f'"{leg[name]}"'
        for name in TEMPLATES[template]
    )
    return f"{INSERT} ({text});" if template == "sql" else text


def document(**given):
    """What mod_json_cdr says of an a-leg, its variables percent-encoded."""
    variables = {
        "uuid": A,
        "direction": "inbound",
        "accountcode": "C1",
        "channel_name": "sofia/internal/1001@192.0.2.1",
        "start_stamp": "2026-01-05 10:00:00",
        "start_epoch": "1767603600",
        "answer_stamp": "2026-01-05 10:00:04",
        "answer_epoch": "1767603604",
        "end_stamp": "2026-01-05 10:01:04",
        "bridge_uuid": B,
        "last_app": "bridge",
        "hangup_cause": "NORMAL_CLEARING",
        "billsec": "60",
        "duration": "64",
    } | given
    later, first = ({"caller_id_number": "3225550101", "context": "default"} for _ in range(2))
    later |= {"destination_number": "3225550199", "uuid": A, "originatee": {"uuid": B}}
    first |= {"destination_number": "7010", "uuid": A, "context": "public"}
    return {
        "core-uuid": "x",
        "variables": {
            name: urllib.parse.quote(value, safe="/") if isinstance(value, str) else value
            for name, value in variables.items()
            if value is not None
        },
        "callflow": [
            {"profile_index": "2", "caller_profile": later},
            {"profile_index": "1", "caller_profile": first},
        ],
    }


def xml_of(record):
    """The same as mod_xml_cdr writes it."""
    variables = "".join(f"<{key}>{value}</{key}>\n" for key, value in record["variables"].items())
    flows = ""
    for flow in record["callflow"]:
        profile = dict(flow["caller_profile"])
        made = profile.pop("originator", None)
        profile.pop("originatee", None)
        values = "".join(f"<{key}>{value}</{key}>" for key, value in profile.items())
        values += "<originator><originator_caller_profile/></originator>" if made else ""
        flows += f'<callflow dialplan="XML" profile_index="{flow["profile_index"]}">'
        flows += f"<caller_profile>{values}</caller_profile></callflow>"
    return (
        '<?xml version="1.0"?>\n<cdr core-uuid="x">\n<channel_data><direction>inbound\n\t'
        f"</direction></channel_data>\n<variables>{variables}</variables>{flows}</cdr>\n"
    )


def read(path):
    return list(sources.dialect("freeswitch")(path, SOURCE))


@pytest.fixture
def rows(tmp_path):
    """Rows of a file with this content, or the reasons they were refused for."""

    def write(content, name="Master.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        found = []
        for batch in read(path):
            found += batch.rows.to_pylist()
            found += [row.reason for row in batch.refused]
        return found

    return write


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_says_the_same_of_a_leg(rows, template):
    (row,) = rows(line(template) + "\n")
    expected = {
        "accountcode": "C1",
        "src": "3225550101",
        "dst": "3225550199",
        "application": "bridge",
        "start": "2026-01-05 10:00:00",
        "seconds": "60",
        "uniqueid": A,
        "answered": True,
        "never": "",
        "line": 1,
    }
    if template == "opencdrrate":
        expected["start"] = "2026-01-05 10:00:04"  # it has no other
    assert {name: row[name] for name in expected} == expected
    if template == "asterisk":
        assert row["channel"] == "sofia/internal/1001@192.0.2.1"


def test_templates_may_stand_in_one_file(rows):
    found = rows("".join(line(template) + "\n" for template in TEMPLATES))
    assert [row["uniqueid"] for row in found] == [A] * len(TEMPLATES)
    assert sorted(row["line"] for row in found) == list(range(1, len(TEMPLATES) + 1))


@pytest.mark.parametrize(
    ("given", "answered"),
    [
        ({"billsec": "0"}, True),
        ({"billsec": "0", "answer_stamp": ""}, False),
        ({"billsec": "0", "answer_stamp": "1970-01-01 01:00:00"}, False),
        ({"billsec": "0", "answer_stamp": "0000-00-00 00:00:00"}, False),
        ({"billsec": "7", "answer_stamp": ""}, True),
    ],
)
def test_a_leg_was_answered_if_it_has_seconds_or_says_when(rows, given, answered):
    (row,) = rows(line(**given) + "\n")
    assert row["answered"] is answered


@pytest.mark.parametrize(
    ("template", "given", "application"),
    [
        ("example", {}, "bridge"),
        ("example", {"bleg_uuid": ""}, "none"),
        ("asterisk", {"last_app": "hangup"}, "bridge"),
        ("asterisk", {"last_app": "voicemail", "bridge_channel": ""}, "voicemail"),
        ("asterisk", {"last_app": ""}, "none"),  # a b-leg has its a-leg's channel, and runs nothing
        ("opencdrrate", {"signal_bond": ""}, "none"),
    ],
)
def test_the_application_tells_what_a_leg_was_connected_with(rows, template, given, application):
    (row,) = rows(line(template, **given) + "\n")
    assert row["application"] == application


def test_in_opencdrrate_a_leg_that_went_out_is_a_b_leg(rows):
    (row,) = rows(line("opencdrrate", direction="outbound") + "\n")
    assert row["never"] == "b-leg"


def test_an_unanswered_leg_of_opencdrrate_has_the_time_it_ended(rows):
    (row,) = rows(line("opencdrrate", answer_stamp="", billsec="0") + "\n")
    assert (row["start"], row["answered"]) == ("2026-01-05 10:01:04", False)


NAMES = [
    'Bob "The" B',
    '"',
    '""',
    'a "b',
    'a", "b',
    '12" pipe',
    'x","y',
    "Ann, Bea",
    "\u202eJürgen",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("template", ["example", "sql", "asterisk", "snom"])
def test_quotes_in_a_name_damage_nothing_and_no_neighbour(rows, template, name):
    named = {"caller_id_name": name, "caller_id": f'"{name}" <3225550101>'}
    odd = line(template, **named, uuid=B, accountcode="C2")
    found = rows(f"{line(template)}\n{odd}\n{line(template)}\n")
    assert sorted((row["line"], row["uniqueid"], row["accountcode"]) for row in found) == [
        (1, A, "C1"),
        (2, B, "C2"),
        (3, A, "C1"),
    ]


def test_a_name_cannot_make_a_call_another_customers(rows):
    """Five fields in a name give a row of 13 the columns of template asterisk, all in place."""
    name = 'VICTIM","x","3200900","default","y","sofia/internal/x'
    (row,) = rows(line("default", caller_id_name=name) + "\n")
    assert (row["accountcode"], row["dst"]) == ("C1", "3225550199")
    whole = line("default", uuid=B, accountcode="VICTIM")
    (row,) = rows(line("example", caller_id_name=whole[1:-1].replace('", "', '","')) + "\n")
    assert (row["accountcode"], row["uniqueid"]) == ("C1", A)


def test_what_is_no_row_is_refused_alone(rows):
    found = rows(f'{line()}\n"half","a","row\n{line()}\n"a","b"\nuuid\n{line()}\n')
    assert [row if isinstance(row, str) else row["line"] for row in found] == [
        1, 3, 6, "quotes", "columns", "columns",
    ]  # fmt: skip


def test_a_row_that_is_being_written_is_left_for_the_next_run(tmp_path):
    path = tmp_path / "Master.csv"
    path.write_text(line("sql") + "\n" + line("sql")[:-20])
    batch, rest = read(path)
    assert (len(batch.rows), batch.refused, len(rest.rows)) == (1, [], 0)
    assert "not complete yet" in rest.notes[0]
    path.write_text(line("sql") + "\n" + line("sql", uuid=B) + "\n")
    (batch,) = freeswitch.resume(path, SOURCE, rest.place)
    assert batch.rows["uniqueid"].to_pylist() == [B]
    assert batch.rows["line"].to_pylist() == [2]


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_document_says_what_its_row_says(rows, form, packed):
    text = json.dumps(document()) + "\n" if form == "json" else xml_of(document())
    content = gzip.compress(text.encode()) if packed else text.encode()
    (found,) = rows(content, f"a_{A}.cdr.{form}" + (".gz" if packed else ""))
    (row,) = rows(line() + "\n")
    differs = {"channel", "did", "start", "linkedid", "lastdata", "bond"}
    assert {k: v for k, v in found.items() if k not in differs} == {
        k: v for k, v in row.items() if k not in differs
    }
    assert found["start"] == "2026-01-05 09:00:00Z"
    assert found["did"] == "7010"
    assert found["channel"] == "sofia/internal/1001@192.0.2.1"
    # A document says that its leg was made for no other; a row says nothing of that.
    assert (found["linkedid"], row["linkedid"]) == (A, "")


def test_a_call_read_as_row_json_and_xml_is_one_call(book):
    book.customers({"id": "C1"})
    book.append("a2ledger.toml", '\n[sources.freeswitch]\ntimezone = "Europe/Brussels"\n')
    paths = [
        book.file("Master.csv", line() + "\n"),
        book.file("a_1.cdr.json", json.dumps(document())),
        book.file("a_1.cdr.xml", xml_of(document())),
    ]
    done = book.run("import", "freeswitch", *paths, "--json", today="2026-01-06")
    assert (done.json["posted"], done.json["duplicate"], done.json["amount"]) == (1, 2, "1.00")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_leg_that_was_made_for_another_is_never_a_call(rows, form):
    by_variable = document(originator=B)
    by_profile = document()
    by_profile["callflow"][0]["caller_profile"]["originator"] = {"x": "y"}
    for record in (by_variable, by_profile):
        text = json.dumps(record) if form == "json" else xml_of(record)
        assert rows(text, f"{B}.cdr.{form}")[0]["never"] == "b-leg"


def test_values_are_decoded_only_where_they_were_encoded(rows):
    encoded = document(accountcode="50%20")
    assert rows(json.dumps(encoded), "a.cdr.json")[0]["accountcode"] == "50%20"
    plain = document()
    plain["variables"] = {
        name: urllib.parse.unquote(value) for name, value in plain["variables"].items()
    } | {"accountcode": "50%20"}
    assert rows(json.dumps(plain), "a.cdr.json")[0]["accountcode"] == "50%20"


@pytest.mark.parametrize("text", [json.dumps(document()), xml_of(document())])
def test_a_document_that_could_not_be_posted_is_encoded_as_a_whole(rows, text):
    for prefix in ("", "cdr="):
        (row,) = rows(prefix + urllib.parse.quote(text), "a.cdr.json")
        assert (row["uniqueid"], row["seconds"]) == (A, "60")


def test_documents_may_stand_one_a_line(tmp_path):
    path = tmp_path / "january.json"
    made = [str(uuid.UUID(int=number)) for number in range(4)]
    lines = [json.dumps(document(uuid=name)) for name in made]
    path.write_text(f"{lines[0]}\n{lines[1]}\n\nnonsense\n{lines[2]}\n{lines[3][:50]}")
    batch, rest = read(path)
    assert batch.rows["uniqueid"].to_pylist() == made[:3]
    assert batch.rows["line"].to_pylist() == [1, 2, 5]
    assert [(row.line, row.reason, row.raw) for row in batch.refused] == [
        (4, "unreadable", "nonsense")
    ]
    assert rest.notes == (f"{path}:6: what begins here is not complete yet and was left unread",)
    path.write_text(path.read_text() + lines[3][50:] + "\n")
    batch, _ = freeswitch.resume(path, SOURCE, rest.place)
    assert batch.rows["uniqueid"].to_pylist() == made[3:]


def test_packed_documents_that_were_put_together_are_all_read(tmp_path):
    path = tmp_path / "january.json.gz"
    made = [str(uuid.UUID(int=number)) for number in range(3)]
    lines = [json.dumps(document(uuid=name)) + "\n" for name in made]
    path.write_bytes(b"".join(gzip.compress(text.encode()) for text in lines))
    batch, _ = read(path)
    assert batch.rows["uniqueid"].to_pylist() == made


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE cdr [<!ENTITY a "aaaaaaaaaa">'
    '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<cdr><variables><uuid>&b;</uuid></variables></cdr>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE cdr [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    "<cdr><variables><uuid>&a;</uuid></variables></cdr>"
)
DOCUMENT = json.dumps(document())
HOSTILE = {
    "a bomb of entities": (BOMB, "unreadable"),
    "an external entity": (OUTSIDE, "unreadable"),
    "an entity of nowhere": ("<cdr><variables><uuid>&a;</uuid></variables></cdr>", "unreadable"),
    "deep XML": ("<a>" * 100_000, "unreadable"),
    "half an XML": (xml_of(document())[:-30], "unreadable"),
    "two XMLs": (xml_of(document()) * 2, "unreadable"),
    "another XML": ("<html><body>404</body></html>", "record"),
    "deep JSON": ('{"a":' * 100_000, "unreadable"),
    "deep lists": ('{"variables":' + "[" * 1_000_000, "unreadable"),
    "half a JSON": (json.dumps(document())[:-30], "unreadable"),
    "another JSON": ('{"status": "not found"}', "record"),
    "a list": ("[]", "unreadable"),
    "nothing": ("", "unreadable"),
    "a long document": ('{"a": "' + "x" * freeswitch_legs.LARGEST + '"}', "too-long"),
    "not UTF-8": (DOCUMENT.replace('"C1"', '"%FF"'), "encoding"),
    "a lone surrogate": (DOCUMENT.replace('"C1"', '"\\ud800"'), "encoding"),
    "Latin-1": (xml_of(document()).replace("C1", "Jürgen").encode("latin-1"), "encoding"),
    "packed garbage": (b"\x1f\x8b\x08garbage", "unreadable"),
    "half packed": (gzip.compress(xml_of(document()).encode())[:-100], "unreadable"),
    "a bomb of zeros": (gzip.compress(b"{" + b"0" * 50_000_000), "too-long"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_document_is_one_row_refused(rows, kind):
    content, reason = HOSTILE[kind]
    assert rows(content, f"a_{A}.cdr.json") == [reason]


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "1e400", "9" * 10_000, "-1", "1.5", "%", "%zz", "true", "٣"]
)
def test_numbers_stay_text_and_are_judged_later(rows, value):
    written = value if value in {"NaN", "Infinity", "1e400", "true"} else None
    text = json.dumps(document(billsec="60"))
    text = text.replace('"60"', written or json.dumps(value), 1)
    (row,) = rows(text, "a.cdr.json")
    assert row["seconds"] == {"true": ""}.get(value, value)


def test_a_record_that_names_no_application_is_taken_for_a_connected_one(rows):
    (row,) = rows(json.dumps(document(last_app=None, bridge_uuid=None)), "a.cdr.json")
    assert row["application"] == "bridge"
    (row,) = rows(json.dumps(document(last_app="voicemail", bridge_uuid=None)), "a.cdr.json")
    assert row["application"] == "voicemail"


def test_a_file_named_for_its_leg_is_known_again_once_it_is_whole(book):
    book.customers({"id": "C1"})
    text = json.dumps(document())
    path = book.file(f"a_{A}.cdr.json", text[:300])
    done = book.run("import", "freeswitch", path, code=3, today="2026-01-06")
    assert f"{path}:1: no json:".lower() in done.stderr.lower()
    assert A in book.text("quarantine/rows.csv")
    book.file(f"a_{A}.cdr.json", text)
    book.run("import", "freeswitch", path, today="2026-01-06")
    assert A not in book.text("quarantine/rows.csv")


def test_of_a_directory_the_masters_and_all_documents_are_read(tmp_path):
    for name in (
        *("Master.csv", "Master.csv.2026-01-04-10-00-00", "C1.csv", "notes.txt", ".b.cdr.json"),
        *(f"a_{A}.cdr.json", f"{B}.cdr.xml.gz", "x.json"),
    ):
        (tmp_path / name).write_text("")
    assert [path.name for path in sources.files("freeswitch", tmp_path)] == [
        "Master.csv.2026-01-04-10-00-00",
        "Master.csv",
        f"{B}.cdr.xml.gz",
        f"a_{A}.cdr.json",
    ]


def test_a_directory_of_documents_is_imported_with_file_and_line_of_each(book, tmp_path):
    book.customers({"id": "C1"})
    directory = tmp_path / "json_cdr"
    directory.mkdir()
    whose = {0: "C1", 1: "nobody", 2: "C1", 3: ""}
    for number, account in whose.items():
        name = str(uuid.UUID(int=number))
        record = document(uuid=name, accountcode=account or None)
        (directory / f"a_{name}.cdr.json").write_text(json.dumps(record))
    (directory / f"a_{B}.cdr.xml").write_text("<cdr>")
    done = book.run("import", "freeswitch", directory, "--json", code=3, today="2026-01-06")
    assert (done.json["read"], done.json["posted"]) == (5, 2)
    assert done.json["not_billable"] == {"no-identifier": 1}
    assert done.json["quarantined"] == {"unknown-customer": 1, "unreadable": 1}
    assert f"a_{uuid.UUID(int=1)}.cdr.json:1: no customer holds 'nobody'" in done.stderr
    assert f"a_{B}.cdr.xml:1: no XML:" in done.stderr


def test_both_legs_of_a_call_are_one_call_and_its_callers(book):
    """With legs=ab the callee's row bears the callee's accountcode."""
    book.customers({"id": "C1"}, {"id": "C2"})
    callee = line(uuid=B, bleg_uuid="", accountcode="C2", caller_id_name="Extension 1")
    path = book.file("Master.csv", f"{callee}\n{line()}\n{line(uuid=A[::-1], billsec='0')}\n")
    done = book.run("import", "freeswitch", path, "--json", today="2026-01-06")
    assert (done.json["posted"], done.json["free"]) == (1, 1)
    assert done.json["not_billable"] == {"b-leg": 1}
    assert "unclaimed" not in done.json
    assert book.balance("C2")["owed"] == "0.00"


def test_a_file_that_cannot_be_read_says_so(tmp_path):
    with pytest.raises(UnusableInput, match="cannot be read"):
        read(tmp_path / "none")
    (tmp_path / "x.csv.gz").write_bytes(b"\x1f\x8b" + zlib.compress(b"x"))
    with pytest.raises(UnusableInput, match="is damaged"):
        read(tmp_path / "x.csv.gz")


FORMS = [*TEMPLATES, "json", "xml"]
FORMS.remove("opencdrrate")  # it begins a call when it was answered
ELSEWHERE = "9f0c2a11-2222-4333-8444-555566667777"
"""A leg of which there is no row: rows in one file would be tied, which documents are not."""
NAMELESS = {"channel_name": "sofia/external/lines"}
"""A channel without the name of a phone: not all forms would tell it."""
MOMENTS = ["2025-12-31 23:30:00", "2026-01-05 23:59:50", "2026-01-06 00:00:10"]
LEGS = st.fixed_dictionaries(
    {
        "uuid": st.sampled_from([A, B]),
        "accountcode": st.sampled_from(["C1", "c2", "nobody"]),
        "billsec": st.sampled_from(["0", "30", "61"]),
        "destination_number": st.sampled_from(["3225550199", "33140000000", "4412345"]),
        "start_stamp": st.sampled_from(MOMENTS),
        "last_app": st.sampled_from(["bridge", "voicemail"]),
    }
)


def said(leg, form):
    """A leg as one of the forms says it."""
    start = dt.datetime.fromisoformat(leg["start_stamp"])
    later = start + dt.timedelta(seconds=4)
    times = {
        "answer_stamp": str(later),
        "end_stamp": str(later + dt.timedelta(seconds=int(leg["billsec"]))),
    }
    bond = ELSEWHERE if leg["last_app"] == "bridge" else ""
    if form in TEMPLATES:
        given_ = leg | times | {"bleg_uuid": bond, "bridge_channel": bond} | NAMELESS
        return line(form, **given_) + "\n"
    epoch = int(start.replace(tzinfo=dt.UTC).timestamp()) - 3600
    variables = {name: value for name, value in leg.items() if name != "destination_number"}
    variables |= {"start_epoch": str(epoch), "answer_epoch": str(epoch + 4)} | NAMELESS
    record = document(**variables, **times, bridge_uuid=bond or None)
    for flow in record["callflow"]:
        flow["caller_profile"] |= {
            "destination_number": leg["destination_number"],
            "uuid": leg["uuid"],
        }
        if not bond:
            flow["caller_profile"].pop("originatee", None)
    return json.dumps(record) if form == "json" else xml_of(record)


def put_down(directory, legs):
    """A directory of legs, each in its form: rows in a Master.csv, each document by itself."""
    directory.mkdir()
    master = "".join(said(leg, form) for leg, form in legs if form in TEMPLATES)
    if master:
        (directory / "Master.csv").write_text(master)
    for number, (leg, form) in enumerate(legs):
        if form not in TEMPLATES:
            content = gzip.compress(said(leg, form).encode())
            (directory / f"a_{uuid.UUID(int=number)}.cdr.{form}.gz").write_bytes(content)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A book with two customers, of whom the first's December is closed."""
    root = shelf.started(tmp_path_factory.mktemp("fs") / "book", "C1", "c2", opened="2025-12-01")
    with (root / "a2ledger.toml").open("a") as file:
        file.write('\n[sources.freeswitch]\ntimezone = "Europe/Brussels"\n')
    shelf.close(root, dt.date(2026, 1, 1), names=("C1",), without=("pbx1", "old", "freeswitch"))
    return root


@given(st.lists(LEGS, min_size=1, max_size=6), st.data())
@tried(15)
def test_legs_in_any_form_and_any_order_give_the_same_books(template, legs, data):
    again = data.draw(st.lists(st.sampled_from(legs), max_size=3))
    forms = data.draw(st.lists(st.sampled_from(FORMS), min_size=9, max_size=9))
    shuffled = data.draw(st.permutations(list(zip([*legs, *again], forms, strict=False))))
    cut = data.draw(st.integers(0, len(shuffled)))
    books = []
    for parts in ([[(leg, "example") for leg in legs]], [shuffled[:cut], shuffled[cut:]]):
        with shelf.copied(template) as root:
            for number, part in enumerate(part for part in parts if part):
                put_down(root.parent / str(number), part)
                report = shelf.take_from(root, "freeswitch", root.parent / str(number))
                assert report.read == len(part)
                report.check()
            books.append(shelf.ledger_of(root))
    assert books[0] == books[1]
