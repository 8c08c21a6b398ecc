"""Presets: what PBXs and providers let one download, read without a map."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from examples import cases

from a2ledger.book import presets
from a2ledger.book.book import Book
from a2ledger.calls import detail

CUSTOMER = {"id": "C1", "identifiers": "acme, 101, 3225550101, SEP001122334455"}

CUCM = (
    '"cdrRecordType","globalCallID_callId","dateTimeOrigination","callingPartyNumber",'
    '"finalCalledPartyNumber","dateTimeConnect","dateTimeDisconnect","pkid","duration",'
    '"origDeviceName","clientMatterCode"\n'
    "INTEGER,INTEGER,INTEGER,VARCHAR(50),VARCHAR(50),INTEGER,INTEGER,UNIQUEIDENTIFIER,INTEGER,"
    "VARCHAR(129),VARCHAR(32)\n"
)
UCM = (
    "AcctId,accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,"
    "end,duration,billsec,disposition,amaflags,uniqueid,userfield,channel_ext,dstchannel_ext,"
    "service\n"
)

EXPORTS = {
    "3cx-lines": (
        "Call 1,00A1_1,00:01:00,2026/01/05 10:00:00,2026/01/05 10:00:05,2026/01/05 10:01:05,"
        "TerminatedByDst,Ext.101,0032470111222,101,10000,0032470111222,,,,Chain: Ext.101;\n"
        "Call 2,00A1_2,,2026/01/05 11:00:00,,2026/01/05 11:00:30,"
        "TerminatedBySrc,Ext.101,0032470111222,101,10000,0032470111222,,,,Chain: Ext.101;\n"
        "Call 3,00A1_3,00:05:00,2026/01/05 12:00:00,2026/01/05 12:00:05,2026/01/05 12:05:05,"
        "TerminatedBySrc,442011112222,Ext.101,10000,101,3225550101,,,,Chain: 10000;Ext.101;\n"
    ),
    "3cx-report": (
        "Call log\nFrom,2026-01-01,To,2026-01-31\n\n"
        "Call Time,Call ID,From,To,Direction,Status,Ringing,Talking,Cost,Call Activity Details\n"
        "2026-01-05T10:00:00,00A1,Al Smith (101),32470111222,Outbound,Answered,00:00:05,00:01:00,"
        "0.02,x\n"
        "2026-01-05T11:00:00,00A2,Al Smith (101),32470111222,Outbound,Unanswered,00:00:30,,,x\n"
        "2026-01-05T12:00:00,00A3,442011112222,Al Smith (101),Inbound,Answered,00:00:05,00:05:00,"
        ",x\nTotal,,,,,,00:00:40,00:06:00,0.02,\n"
    ),
    "cucm": CUCM + (
        '1,7,1767607200,"101","0032470111222",1767607205,1767607265,"p-1",60,"SEP001122334455",""\n'
        '1,8,1767610800,"101","0032470111222",0,1767610830,"p-2",0,"SEP001122334455",""\n'
        '1,7,1767614400,"442011112222","101",1767614405,1767614705,"p-3",300,"Trunk",""\n'
    ),
    "fusionpbx": (
        '"extension","start_stamp","start_epoch","hangup_cause","duration","xml_cdr_uuid",'
        '"direction","billsec","caller_id_number","destination_number","accountcode"\n'
        '"101","2026-01-05 10:00:00+00","1767607200","ALLOTTED_TIMEOUT","65","u-1","outbound",'
        '"60","101","0032470111222","acme"\n'
        '"101","2026-01-05 11:00:00+00","1767610800","ORIGINATOR_CANCEL","9","u-2","outbound",'
        '"0","101","0032470111222","acme"\n'
        '"101","2026-01-05 12:00:00+00","1767614400","NORMAL_CLEARING","305","u-3","inbound",'
        '"300","442011112222","3225550101","acme"\n'
    ),
    "grandstream-ucm": UCM + (
        '1,,101,0032470111222,from-internal,"""Al"" <101>",PJSIP/101-00000001,'
        "PJSIP/trunk_1-00000002,Dial,PJSIP/32470111222@trunk_1,2026-01-05 10:00:00,"
        "2026-01-05 10:00:05,2026-01-05 10:01:05,65,60,ANSWERED,DOCUMENTATION,1767607200.1,EXT,"
        "101,,s\n"
        '2,,101,0032470111222,from-internal,"""Al"" <101>",PJSIP/101-00000003,'
        "PJSIP/trunk_1-00000004,Dial,PJSIP/32470111222@trunk_1,2026-01-05 11:00:00,,"
        "2026-01-05 11:00:30,30,0,NO ANSWER,DOCUMENTATION,1767610800.3,EXT,101,,s\n"
        "3,,442011112222,3225550101,ext-did-1,x,PJSIP/trunk_1-00000005,PJSIP/101-00000006,Dial,"
        "PJSIP/101,2026-01-05 12:00:00,2026-01-05 12:00:05,2026-01-05 12:05:05,305,300,ANSWERED,"
        "DOCUMENTATION,1767614400.5,EXT,,101,s\n"
    ),
    "ivozprovider": (
        "callid,startTime,duration,caller,callee,price,direction,ddiId,endpointType\n"
        "i1,2026-01-05 10:00:00,60,+3225550101,+32470111222,0.1,outbound,17,User\n"
        "i3,2026-01-05 12:00:00,300,+442011112222,+3225550101,,inbound,17,User\n"
    ),
    "kazoo": (
        "id,call_id,caller_id_number,callee_id_number,billing_seconds,timestamp,hangup_cause,"
        "owner_id,direction,authorizing_id,cost,dialed_number,calling_from,unix_timestamp\n"
        "k1,c1,3225550101,32470111222,60,63934826400,NORMAL_CLEARING,o1,inbound,acme,0,"
        "32470111222,3225550101,1767607200\n"
        "k2,c2,3225550101,32470111222,0,63934830000,NO_ANSWER,o1,inbound,acme,0,32470111222,"
        "3225550101,1767610800\n"
        "k3,c3,442011112222,3225550101,300,63934833600,NORMAL_CLEARING,,inbound,,0,3225550101,"
        "442011112222,1767614400\n"
    ),
    "telnyx": (
        "sip_call_id,start_timestamp_utc,origination_number,terminating_number,direction,"
        "billable_time,hangup_code,cost,rate\n"
        "t1,2026-01-05 10:00:00,+3225550101,+32470111222,outbound,60,200,0.0105,0.0105\n"
        "t2,2026-01-05 11:00:00,+3225550101,+32470111222,outbound,0,487,0,0.0105\n"
        "t3,2026-01-05 12:00:00,+442011112222,+3225550101,inbound,300,200,0.01,0.0035\n"
    ),
    "twilio": (
        "Sid,AccountSid,From,To,Status,StartTime,Duration,Price,PriceUnit,Direction\n"
        'CA1,AC9,+3225550101,+32470111222,completed,"Mon, 05 Jan 2026 10:00:00 +0000",60,-0.014,'
        "USD,outbound-api\n"
        'CA2,AC9,+3225550101,+32470111222,no-answer,"Mon, 05 Jan 2026 11:00:00 +0000",,,USD,'
        "outbound-api\n"
        'CA3,AC9,+442011112222,+3225550101,completed,"Mon, 05 Jan 2026 12:00:00 +0000",300,-0.02,'
        "USD,inbound\n"
    ),
    "voipms": (
        "date,callerid,destination,description,account,disposition,duration,seconds,rate,total,"
        "uniqueid\n"
        '2026-01-05 10:00:00,"""Al"" <3225550101>",32470111222,Belgium - Mobile,acme,ANSWERED,'
        "00:01:00,60,0.2,0.2,v1\n"
        "2026-01-05 11:00:00,3225550101,32470111222,Belgium - Mobile,acme,NO ANSWER,00:00:00,0,"
        "0.2,0,v2\n"
        "2026-01-05 12:00:00,442011112222,3225550101,Inbound DID,acme,ANSWERED,00:05:00,300,0.009,"
        "0.045,v3\n"
    ),
    "yeastar": (
        "ID,Time,Call From,Call To,Call Duration,Ring Duration,Talk Duration,Status,Source Trunk,"
        "Destination Trunk,Communication Type,DID\n"
        "y1,2026/01/05 10:00:00 AM,Al<101>,0032470111222,00:01:05,00:00:05,00:01:00,ANSWERED,,t1,"
        "Outbound,\n"
        "y2,2026/01/05 11:00:00 AM,Al<101>,0032470111222,00:00:30,00:00:30,00:00:00,NO ANSWER,,"
        "t1,Outbound,\n"
        "y3,2026/01/05 12:00:00 PM,442011112222,Al<101>,00:05:05,00:00:05,00:05:00,ANSWERED,t1,,"
        "Inbound,3225550101\n"
    ),
    "yeti": (
        "uuid,time_start,time_connect,duration,success,customer_acc_id,src_prefix_in,"
        "dst_prefix_in,destination_next_rate,customer_price\n"
        "e1,2026-01-05 10:00:00 +0100,2026-01-05 10:00:05 +0100,60,true,acme,3225550101,"
        "32470111222,0.02,0.02\n"
        "e2,2026-01-05 11:00:00 +0100,,0,false,acme,3225550101,32470111222,0.02,0\n"
    ),
}  # fmt: skip


@cases("name", EXPORTS, 4)
def test_an_export_is_billed_as_it_is_downloaded(book, name):
    """A minute out is billed, five minutes in are not, and what was not answered is no call."""
    book.customers(CUSTOMER)
    path = book.file("export.csv", EXPORTS[name])
    done = book.run("import", "feed", path, "--like", name, "--json", today="2026-01-31")
    assert done.json["quarantined"] == {}
    assert (done.json["posted"], done.json["amount"]) == (1, "1.00"), done.stderr
    assert done.json["free"] == min(EXPORTS[name].count("442011112222"), 1)
    again = book.run("import", "feed", path, "--json", today="2026-01-31")
    assert (again.json["posted"], again.json["free"]) == (0, 0)


def test_every_preset_is_tried_and_each_is_one_small_file():
    assert set(presets.presets()) == set(EXPORTS)
    files = Path(str(resources.files("a2ledger").joinpath("presets")))
    assert all(file.stat().st_size < 2000 for file in files.iterdir())


def test_a_source_says_what_it_is_like_and_may_differ_in_a_column(book):
    book.customers(CUSTOMER)
    like = '\n[sources.feed]\nlike = "telnyx"\ncolumns = {customer = "account"}\n'
    book.append("a2ledger.toml", like)
    text = EXPORTS["telnyx"].replace("sip_call_id", "account,sip_call_id")
    path = book.file("log.csv", text.replace("\nt", "\nacme,t"))
    done = book.run("import", "feed", path, "--json", today="2026-01-31")
    assert (done.json["posted"], done.json["amount"]) == (1, "1.00")


def test_a_preset_there_is_not_is_said_with_the_one_that_was_meant(book):
    path = book.file("log.csv", EXPORTS["telnyx"])
    done = book.run("import", "feed", path, "--like", "telnix", code=1)
    assert "did you mean 'telnyx'?" in done.stderr
    assert "sources.feed" not in book.text("a2ledger.toml")


def test_sources_are_listed_with_what_a_new_one_may_be_like(book):
    book.append("a2ledger.toml", '\n[sources.feed]\nlike = "cucm"\n')
    lines = book.run("sources").stdout.splitlines()
    assert lines[0] == "feed  calls, like cucm  Europe/Brussels  never imported"
    assert [line.split()[1] for line in lines if line.startswith("--like")] == sorted(EXPORTS)
    found = book.run("sources", "--json").json
    assert found["sources"][0]["like"] == "cucm"
    assert {"asterisk", "calls"} <= set(found["dialects"])


@pytest.mark.parametrize("name", ["asterisk", "freeswitch", "calls", "feed"])
def test_what_a_source_goes_by_can_be_copied(book, name):
    """What is shown, put into ``a2ledger.toml`` as it stands, changes nothing."""
    book.append("a2ledger.toml", '\n[sources.feed]\nlike = "cucm"\n')
    shown = book.run("sources", "show", name).stdout
    configured = book.text("a2ledger.toml").replace('\n[sources.feed]\nlike = "cucm"\n', "")
    (book.root / "a2ledger.toml").write_text(f"{configured}\n{shown}")
    assert book.run("sources", "show", name).stdout == shown


def told(book, name, text):
    """Import an export, and return what became of its calls, in order of time."""
    book.customers(CUSTOMER, {"id": "C2", "identifiers": "102, 3225550102"})
    path = book.file("export.csv", text)
    stderr = book.run("import", "feed", path, "--like", name, today="2026-01-31").stderr
    days = detail.digests(Book(book.root))
    calls = [
        call
        for day in days
        for call in detail.read(book.root, day, days).sort_by("start").to_pylist()
    ]
    names = ("direction", "customer", "called", "seconds")
    return [tuple(call[name] or "outgoing" for name in names) for call in calls], stderr


OUT = ("outgoing", "C1", "32470111222", 60)
IN = ("incoming", "C1", "3225550101", 75)
WITHIN = ("internal", "C1", "102", 60)


def test_segments_of_a_3cx_call_are_calls_though_they_share_its_id(book):
    text = (
        "Call Time,Call ID,From,To,Direction,Status,Ringing,Talking\n"
        "2026-01-05T10:00:00,S1,Al (101),32470111222,Outbound,Answered,00:00:05,00:01:00\n"
        "2026-01-05T10:01:05,S1,Bo (102),32470111222,Outbound,Answered,00:00:00,00:02:00\n"
    )
    assert told(book, "3cx-report", text)[0] == [OUT, ("outgoing", "C2", "32470111222", 120)]


def test_a_3cx_call_may_last_days(book):
    line = (
        "Call 1,00A1_1,1.00:00:05,2026/01/05 10:00:00,2026/01/05 10:00:05,2026/01/06 10:00:10,"
        "TerminatedByDst,Ext.101,0032470111222,101,10000,0032470111222,,,,Chain: Ext.101;\n"
    )
    assert told(book, "3cx-lines", line)[0] == [(*OUT[:3], 86405)]


def test_a_call_that_a_phone_of_cucm_forwards_is_that_phones(book):
    head = CUCM.replace('"clientMatterCode"', '"lastRedirectDn"')
    text = head + (
        '1,7,1767607200,"442011112222","0032470111222",1767607205,1767607265,"p-1",60,"Trunk","101"\n'
        '1,8,1767610800,"442011112222","101",1767610805,1767610865,"p-2",60,"Trunk","101"\n'
        '1,9,1767614400,"101","102",1767614405,1767614465,"p-3",60,"SEP1","102"\n'
    )
    assert told(book, "cucm", text)[0] == [OUT, ("incoming", "C1", "101", 60), WITHIN]
    listed = book.run("calls", "C1", "--json", today="2026-01-31").json
    assert [call["extension"] for call in listed] == ["101", "101", "101"]


def test_an_incoming_call_that_a_yeastar_sends_to_a_mobile_is_out_and_its_holders(book):
    head = "ID,Time,Call From,Call To,Talk Duration,Status,Communication Type,DID/DDI\n"
    text = head + (
        "y1,2026-01-05 10:00:00,442011112222,0032470111222,00:01:00,ANSWERED,Inbound,3225550101\n"
        "y2,2026-01-05 11:00:00,442011112222,IVR<6500>,00:01:00,ANSWERED,Inbound,3225550101\n"
        "y3,2026-01-05 12:00:00,3225550102,025550101,00:01:00,ANSWERED,Inbound,3225550101\n"
        "y4,2026-01-05 13:00:00,101(Al),102(Bo),00:01:00,ANSWERED,Internal,\n"
    )
    assert told(book, "yeastar", text)[0] == [
        OUT,
        ("incoming", "C1", "6500", 60),
        ("incoming", "C1", "025550101", 60),
        WITHIN,
    ]


def test_legs_that_fusionpbx_made_are_left_out_but_for_calls_it_forwarded(book):
    head = EXPORTS["fusionpbx"].partition("\n")[0].replace('"extension",', '"leg","extension",')
    row = (
        '"{leg}","","2026-01-05 {hour}:00:00+00","","NORMAL_CLEARING","65","{uuid}","{way}","60",'
        '"{caller}","{called}","acme"\n'
    )
    head = head.replace('"start_epoch"', '"epoch"')
    legs = [
        ("a", "10", "outbound", "101", "32470111222"),
        ("b", "10", "outbound", "3225550101", "32470111222"),
        ("a", "11", "inbound", "442011112222", "3225550101"),
        ("b", "12", "outbound", "442011112222", "32470111222"),
    ]
    text = (
        head
        + "\n"
        + "".join(
            row.format(uuid=f"u{n}", leg=leg, hour=hour, way=way, caller=caller, called=called)
            for n, (leg, hour, way, caller, called) in enumerate(legs)
        )
    )
    calls, stderr = told(book, "fusionpbx", text)
    assert calls == [OUT, ("incoming", "C1", "3225550101", 60), OUT]
    assert "b-leg 1" in stderr


def test_what_twilio_dials_may_be_a_phone_of_the_house_and_what_it_gave_up_has_no_start(book):
    text = (
        "Call Sid,Start Time,Duration,From,To,Direction,Status\n"
        "CA1,2026-01-05 10:00:00 UTC,60,sip:101@a.sip.twilio.com,sip:102@a.sip.twilio.com,"
        "outbound-dial,completed\n"
        "CA2,,0,+3225550101,+32470111222,outbound-api,canceled\n"
        "CA3,2026-01-05 12:00:00 UTC,60,client:101,+32470111222,outbound-dial,completed\n"
    )
    calls, stderr = told(book, "twilio", text)
    assert calls == [WITHIN, OUT]
    assert "no-call 1" in stderr
    assert "names none" not in stderr


def test_files_of_measurements_beside_cucms_records_are_passed_over_with_a_word(book):
    book.today = "2026-01-31"
    book.customers(CUSTOMER)
    folder = book.files / "cdr"
    folder.mkdir()
    (folder / "cdr_Cluster_01_202601311200_1").write_text(EXPORTS["cucm"])
    (folder / "cmr_Cluster_01_202601311200_1").write_text("cdrRecordType,jitter\n2,7\n")
    done = book.run("import", "feed", folder, "--like", "cucm")
    assert "1 of 2 files read, and not cmr_Cluster_01_202601311200_1" in done.stderr
    measured = folder / "cmr_Cluster_01_202601311200_1"
    done = book.run("import", "feed", measured, folder)
    assert "passed over, feed skips such files" in done.stderr


def test_a_presets_names_may_be_written_with_other_blanks_and_marks(book):
    """A portal writes ``Start Timestamp(UTC)`` for what its API calls ``start_timestamp_utc``."""
    book.customers(CUSTOMER)
    rows = (
        "UUID,Originating Number,Terminating Number,Start Timestamp(UTC),Call Sec,Direction\n"
        "x1,+3225550101,+32470111222,2026-01-05 09:00:00,60,Outbound\n"
    )
    path = book.file("export.csv", rows)
    done = book.run("import", "feed", path, "--like", "telnyx", "--json", today="2026-01-31")
    assert (done.json["read"], done.json["posted"]) == (1, 1)
    # A map of one's own reads what it names, to the letter.
    words = ("id=uuid,customer=Originating Number,called=Terminating Number,"
             "start=Start Timestamp UTC,seconds=Call Sec")  # fmt: skip
    wrong = book.run("import", "other", path, "--map", words, code=65)
    assert "there is no column Start Timestamp UTC" in wrong.stderr


def test_what_twilio_calls_trunks_and_clients(book):
    """Elastic trunks originate calls that go out; a client may be an extension."""
    book.customers(CUSTOMER)
    (book.root / "tariffs/standard.csv").write_text("dialprefix,rateinitial\n32,1.00\n")
    text = (
        "Call Sid,Start Time,Duration,From,To,Direction,Status\n"
        "CA1,2026-01-05 10:00:00 UTC,60,sip:101@acme.sip.twilio.com,"
        "sip:+32470111222@acme.sip.twilio.com,Trunking Originating,Completed\n"
        "CA2,2026-01-05 11:00:00 UTC,300,+442011112222,+3225550101,Trunking Terminating,Completed\n"
        "CA3,2026-01-05 12:00:00 UTC,60,client:101,+32470111222,Outgoing Dial,Completed\n"
    )
    path = book.file("calls.csv", text)
    done = book.run("import", "calls", path, "--like", "twilio", "--json", today="2026-01-31")
    assert (done.json["posted"], done.json["free"], done.json["amount"]) == (2, 1, "2.00")


PARENTED = (
    "Call Sid,Start Time,Duration,From,To,Direction,Status,Parent Call Sid\n"
    # Newest first, as the console lists them: what was made stands above what made it.
    "CA2,2026-01-05 10:00:10 UTC,60,+442011112222,+32470111222,outbound-dial,completed,CA1\n"
    "CA1,2026-01-05 10:00:00 UTC,75,+442011112222,+3225550101,inbound,completed,\n"
)


def test_who_holds_the_number_pays_for_what_twilio_dials_on_from_there(book):
    calls, _ = told(book, "twilio", PARENTED)
    assert calls == [IN, OUT]


def test_a_call_made_by_one_that_was_made_is_paid_as_the_first(book):
    text = (
        PARENTED
        + "CA3,2026-01-05 10:00:20 UTC,60,+442011112222,+32470111222,outbound-dial,completed,CA2\n"
    )
    calls, _ = told(book, "twilio", text)
    assert calls == [IN, OUT, OUT]


def test_who_had_a_call_made_from_outside_pays_for_both_its_legs(book):
    """Click to call: Twilio calls a phone in the caller's name, then dials on."""
    text = PARENTED.splitlines()[0] + (
        "\nCA1,2026-01-05 10:00:00 UTC,60,+3225550101,+32470111222,outbound-api,completed,\n"
        "CA2,2026-01-05 10:00:10 UTC,60,+442011112222,+32470111222,outbound-dial,completed,CA1\n"
    )
    calls, _ = told(book, "twilio", text)
    assert calls == [OUT, OUT]


def test_calls_whose_maker_is_not_in_the_file_are_nobodys_and_loops_end(book):
    text = PARENTED.splitlines()[0] + (
        "\nCA1,2026-01-05 10:00:00 UTC,60,+442011112222,+32470111222,outbound-dial,completed,CA2\n"
        "CA2,2026-01-05 10:00:10 UTC,60,+442011112222,+32470111222,outbound-dial,completed,CA1\n"
        "CA3,2026-01-05 10:00:20 UTC,60,+442011112222,+32470111222,outbound-dial,completed,CA9\n"
    )
    book.customers(CUSTOMER)
    done = book.run("import", "feed", book.file("export.csv", text), "--like", "twilio", "--json",
                    today="2026-01-31", code=3)  # fmt: skip
    assert done.json["quarantined"] == {"unknown-customer": 3}


def test_what_twilio_dials_on_to_a_phone_of_the_house_is_internal(book):
    text = PARENTED.replace("+32470111222", "client:101")
    calls, _ = told(book, "twilio", text)
    assert calls == [IN, ("internal", "C1", "101", 60)]


def test_a_call_that_a_kazoo_sends_on_to_a_mobile_is_out_and_its_holders(book):
    """The row names the number that was dialled and who took the call; the leg out is no row."""
    head = (
        "call_id,billing_seconds,hangup_cause,dialed_number,callee_id_number,calling_from,"
        "unix_timestamp\n"
    )
    text = head + (
        "c1,60,NORMAL_CLEARING,3225550101,32470111222,442011112222,1767603600\n"
        "c2,75,NORMAL_CLEARING,3225550101,101,442011112222,1767607200\n"
        "c3,75,NORMAL_CLEARING,3225550101,025550101,442011112222,1767610800\n"
        "c4,75,NORMAL_CLEARING,3225550101,442011112222,442011112222,1767614400\n"
        "c5,60,NORMAL_CLEARING,32470111222,442011113333,3225550101,1767618000\n"
        "c6,60,NORMAL_CLEARING,102,32470111222,101,1767621600\n"
    )
    calls, stderr = told(book, "kazoo", text)
    assert calls == [OUT, IN, IN, IN, OUT, OUT]
    assert "feed: 2 calls were sent on to a number outside" in stderr


def test_what_nobodys_number_sends_on_is_in_quarantine(book):
    text = (
        "call_id,billing_seconds,hangup_cause,dialed_number,callee_id_number,calling_from,"
        "unix_timestamp\n"
        "c1,60,NORMAL_CLEARING,109,32470111222,442011112222,1767603600\n"
    )
    book.customers(CUSTOMER)
    path = book.file("export.csv", text)
    done = book.run("import", "feed", path, "--like", "kazoo", "--json", today="2026-01-31", code=3)
    assert done.json["quarantined"] == {"unknown-customer": 1}


def test_a_yeastar_names_the_extension_that_sent_a_call_on(book):
    head = (
        "ID,Time,Call From,Call To,Talk Duration,Status,Communication Type,DID,Last Participant\n"
    )
    text = head + (
        "y1,2026-01-05 10:00:00,442011112222,Al<101>,00:01:00,ANSWERED,Inbound,,0032470111101\n"
        "y2,2026-01-05 11:00:00,442011112222,Al<101>,00:01:15,ANSWERED,Inbound,3225550101,Bo<102>\n"
        "y3,2026-01-05 12:00:00,101,102,00:01:00,ANSWERED,Internal,,0032470111222\n"
    )
    calls, _ = told(book, "yeastar", text)
    assert calls == [(*OUT[:2], "32470111101", 60), ("incoming", "C1", "101", 75), OUT]
    listed = book.run("calls", "C1", "--json", today="2026-01-31").json
    assert [call["extension"] for call in listed] == ["101", "101", "101"]


def test_a_forward_to_a_number_that_ends_as_the_extension_is_a_forward(book):
    head = CUCM.replace('"clientMatterCode"', '"lastRedirectDn"')
    row = '1,7,1767607200,"442011112222","0032470111101",1767607205,1767607265,"p",60,"T","101"\n'
    assert told(book, "cucm", head + row)[0] == [(*OUT[:2], "32470111101", 60)]


def test_a_row_that_names_nobody_but_an_unknown_number_is_refused_in_a_line(book):
    book.customers(CUSTOMER)
    head = "ID,Time,Call From,Call To,Talk Duration,Status,Communication Type,DID\n"
    row = "y1,2026-01-05 10:00:00,,0032470111222,00:01:00,ANSWERED,Outbound,3225559999\n"
    path = book.file("export.csv", head + row)
    done = book.run("import", "feed", path, "--like", "yeastar", today="2026-01-31", code=3)
    assert "no customer holds '3225559999' (number called) on 2026-01-05" in done.stderr


def test_of_a_log_every_value_that_nobody_holds_is_named(book):
    """An AccountSid is the same for all customers; the number that called tells them apart."""
    book.customers(CUSTOMER)
    head = "Sid,AccountSid,From,To,Status,StartTime,Duration,Direction\n"
    row = "CA6,AC9,+3225559999,+32470111222,completed,2026-01-05 10:00:00 UTC,60,outbound-api\n"
    path = book.file("export.csv", head + row)
    done = book.run("import", "feed", path, "--like", "twilio", today="2026-01-31", code=3)
    assert "no customer holds 'AC9' (accountcode) or '+3225559999' (src) on" in done.stderr
