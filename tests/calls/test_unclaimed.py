"""Answered calls that are nobody's are repeated by check and close until somebody claims them."""

from __future__ import annotations

import pytest
from harness import cdr

LOBBY = {"accountcode": "", "channel": "PJSIP/lobby-00000001", "lastdata": "PJSIP/kiosk"}


@pytest.fixture
def lost(book):
    """A book with a call of C1's, one of a device that nobody holds, and one to an application."""
    book.today = "2026-01-31"
    book.customers({"id": "C1", "identifiers": "c1"})
    rows = [
        cdr(),
        cdr(uniqueid="1.1", start="2026-01-06 10:00:00", billsec=50, **LOBBY),
        cdr(uniqueid="1.2", start="2026-01-07 10:00:00", lastapp="Playback", billsec=30),
    ]
    path = book.file("Master.csv", "".join(f"{row}\n" for row in rows))
    book.run("import", "asterisk", path)
    return book


SAID = (
    "2 answered calls of {}, 80 s, are nobody's: no-identifier 1 (lobby); application 1 (Playback)"
)


def test_check_repeats_them_and_stays_fine(lost):
    done = lost.run("check")
    assert not done.stdout
    assert SAID.format("open periods") in done.stderr
    assert lost.run("check", "--json").json == {
        "unclaimed": {
            "calls": 2, "seconds": 80, "reasons": {"application": 1, "no-identifier": 1},
        },
        "errors": [],
    }  # fmt: skip


def test_reading_them_again_counts_none_twice(lost):
    for words in ((), ("--all",)):
        lost.run("import", "asterisk", lost.files / "Master.csv", *words)
    assert SAID.format("open periods") in lost.run("check").stderr


def test_close_names_them_and_a_strict_close_leaves_the_period_open(lost):
    words = ("close",)
    strict = lost.run(*words, "--strict", today="2026-02-03", code=1)
    assert SAID.format("this period") in strict.stderr
    done = lost.run(*words, today="2026-02-03")
    assert SAID.format("these periods") in done.stderr
    assert not lost.run("check", today="2026-02-03").stderr  # they lie in no open period


def test_what_is_claimed_later_is_said_no_more(lost):
    lost.run("customer", "set", "C1", "identifiers=c1, lobby", "--from", "2026-01-01")
    lost.append("a2ledger.toml", "[sources.asterisk]\n[[sources.asterisk.rules]]\n")
    lost.run("import", "asterisk", lost.files / "Master.csv", "--all")
    assert "nobody's" not in lost.run("check").stderr
    assert not list(lost.root.glob("calls/*/*.unclaimed.parquet"))


def test_days_that_were_not_asked_for_keep_theirs(lost):
    master = lost.files / "Master.csv"
    lost.run("import", "asterisk", master, "--all", "--from", "2026-01-07")
    assert SAID.format("open periods") in lost.run("check").stderr


def test_check_counts_calls_in_quarantine_too(lost):
    row = cdr(uniqueid="1.4", accountcode="who", channel="PJSIP/x-1",
              start="2026-01-08 10:00:00")  # fmt: skip
    lost.run("import", "asterisk", lost.file("More.csv", row + "\n"), code=3)
    done = lost.run("check", "--json")
    assert done.json["quarantined"] == {"unknown-customer": 1}
    assert "1 call of open periods in quarantine (unknown-customer 1)" in done.stderr


def test_quiet_keeps_what_is_said_of_them(lost):
    master = lost.files / "Master.csv"
    zone, nobodys, _ = lost.run(
        "--quiet", "import", "asterisk", master, "--all"
    ).stderr.splitlines()
    assert zone.startswith("note: asterisk: calls start 1:00 hours earlier than their ids say")
    assert nobodys.startswith("note: asterisk: 2 answered calls, 80 s, are nobody's")
    said = lost.run("--quiet", "check").stderr
    assert said.startswith(f"note: {SAID.format('open periods')}")
