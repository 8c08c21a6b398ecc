"""What a stock install needs no rules for: outbound, inbound, toll-free, on-net."""

from __future__ import annotations

import json

import pytest
from harness import cdr

DECK = "dialprefix,destination,rateinitial\n32800,Toll-free,0.12\n32,Belgium,0\n"


def ready(book):
    book.today = "2026-01-31"
    book.customers(
        {"id": "C1", "identifiers": "3225550100, 101, 102"},
        {"id": "C2", "identifiers": "3280012345"},
    )


def rows():
    """A call of C1's; two from outside to his number and one to C2's; one to nobody's."""
    outside = {"accountcode": "", "dcontext": "from-trunk", "channel": "PJSIP/trunk-1"}
    return "\n".join(
        [
            cdr(uniqueid="1.1", linkedid="1.1", dst="3021", start="2026-01-05 10:00:00"),
            cdr(uniqueid="1.2", linkedid="1.2", dst="3225550100", **outside),
            cdr(uniqueid="1.3", linkedid="1.3", dst="003225550100", **outside),
            cdr(uniqueid="1.4", linkedid="1.4", dst="3280012345", **outside),
            cdr(uniqueid="1.5", linkedid="1.5", dst="3299999999", **outside),
            cdr(uniqueid="1.6", linkedid="1.6", dst="102", accountcode="C1"),
            "",
        ]
    )


def taken(book):
    done = book.run("import", "asterisk", book.file("Master.csv", rows()), "--json", code=3)
    found = json.loads(done.stdout)
    return found["posted"], found["free"], found["not_billable"], found["quarantined"]


def test_inbound_calls_are_their_numbers_owners_and_free(book):
    ready(book)
    assert taken(book) == (1, 4, {}, {"unclaimed": 1})
    for name, calls in (("C1", 2), ("C2", 1)):
        text = book.text(f"journals/2026-01/{name}.01.beancount")
        assert f'"DIDs" "{calls} call' in text


def test_a_deck_for_inbound_calls_prices_them_toll_free_numbers_among_them(book):
    ready(book)
    (book.root / "tariffs/inbound.csv").write_text(DECK)
    assert taken(book) == (2, 3, {}, {"unclaimed": 1})
    # 60 s at 0.12 a minute, paid by who holds the number.
    assert "Unbilled   0.120000 EUR" in book.text("journals/2026-01/C2.01.beancount")


def test_a_book_that_sells_no_dids_takes_them_as_calls(book):
    ready(book)
    book.edit("a2ledger.toml", '[services.DIDs]\nvat = "S21"\n', "")
    assert taken(book) == (1, 4, {}, {"unclaimed": 1})
    assert '"Calls" "1 call' in book.text("journals/2026-01/C2.01.beancount")


def test_a_call_of_an_account_to_anothers_number_is_outbound(book):
    ready(book)
    row = cdr(accountcode="C1", dst="3280012345") + "\n"
    (book.root / "tariffs/standard.csv").write_text("dialprefix,rateinitial\n32,0.60\n")
    book.run("import", "asterisk", book.file("Master.csv", row))
    assert "Unbilled   0.600000 EUR" in book.text("journals/2026-01/C1.01.beancount")


def test_answered_calls_of_nobody_are_named_with_their_seconds(book):
    ready(book)
    row = cdr(accountcode="", channel="PJSIP/lobby-00000001", lastdata="PJSIP/kiosk")
    menu = cdr(uniqueid="1.2", lastapp="Playback", billsec=30)
    path = book.file("Master.csv", f"{row}\n{menu}\n")
    done = book.run("import", "asterisk", path, "--json")
    assert done.json["unclaimed"] == {
        "calls": 2, "seconds": 90, "reasons": {"application": 1, "no-identifier": 1},
    }  # fmt: skip
    assert "2 answered calls, 90 s, are nobody's" in done.stderr
    assert "no-identifier 1 (lobby)" in done.stderr
    assert "application 1 (Playback)" in done.stderr


def test_an_import_that_infers_directions_says_so_once(book):
    ready(book)
    rows = [cdr(uniqueid=f"1.{number}", dst="102") for number in range(2)]
    path = book.file("Master.csv", "".join(f"{row}\n" for row in rows))
    assert book.run("import", "asterisk", path).stderr.count("no trunks are named") == 1
    with (book.root / "a2ledger.toml").open("a") as file:
        file.write('\n[sources.asterisk]\ndialect = "asterisk"\ntrunks = ["PJSIP/carrier"]\n')
    assert "no trunks" not in book.run("import", "asterisk", path, "--all").stderr


PHONE = {"accountcode": "", "channel": "IAX2/101-1234"}


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        ({**PHONE, "dstchannel": "IAX2/telco-99", "lastdata": "IAX2/telco/3247000000"}, (1, 0)),
        ({"dstchannel": "DAHDI/i1/3247000000-2", "lastdata": "DAHDI/g1/3247000000,60"}, (1, 0)),
        ({**PHONE, "dst": "102", "dstchannel": "SIP/102-00000002", "lastdata": "SIP/102"}, (0, 1)),
        (
            {"accountcode": "carrier", "src": "+32470111222", "dst": "+3225550100",
             "channel": "SIP/telco-00000001", "dstchannel": "SIP/101-00000002",
             "lastdata": "SIP/101,30"},
            (0, 1),
        ),
    ],
)  # fmt: skip
def test_other_channels_and_dial_strings_say_the_same(book, row, counts):
    """A phone of IAX, a group of DAHDI lines, two phones, a trunk with an account code."""
    ready(book)
    line = cdr(**({"dst": "3247000000"} | row)) + "\n"
    done = book.run("import", "asterisk", book.file("Master.csv", line), "--json")
    assert (done.json["posted"], done.json["free"]) == counts


def test_an_extension_nobody_told_us_of_is_called_within_if_its_own_device_took_the_call(book):
    """And a service number that left by a trunk is called outside, however short."""
    ready(book)
    (book.root / "tariffs/standard.csv").write_text("dialprefix,rateinitial\n1,1.00\n")
    lines = [
        cdr(uniqueid="1.1", linkedid="1.1", dst="105", dstchannel="PJSIP/105-00000002",
            lastdata="PJSIP/105,60"),
        cdr(uniqueid="1.2", linkedid="1.2", dst="1207", dstchannel="PJSIP/carrier-00000004"),
    ]  # fmt: skip
    path = book.file("Master.csv", "".join(f"{line}\n" for line in lines))
    found = book.run("import", "asterisk", path, "--json").json
    assert (found["posted"], found["free"], found["amount"]) == (1, 1, "1.00")
