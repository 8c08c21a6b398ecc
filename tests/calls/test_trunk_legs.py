"""Legs made of rows that come in different files, days and runs."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
import shelf
from examples import cases, tried
from harness import cdr
from hypothesis import given
from hypothesis import strategies as st
from switches import bridged, master, scenarios

from a2ledger.book.book import Book
from a2ledger.calls import detail

LATELY = 1_768_000_000
"""In January 2026."""


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A book with two customers and a switch of each kind."""
    root = shelf.started(tmp_path_factory.mktemp("legs") / "book")
    (root / "tariffs/standard.csv").write_text("dialprefix,rateinitial\n44,0.60\n1,0.60\n")
    people = shelf.draft(root)
    for name, held in (("A", "acme, a101, 14155550101"), ("B", "beta, b201")):
        facts = {"opened": "2026-01-01", "credit_limit": "1000", "identifiers": held}
        shelf.register.add(people, name, facts)
    shelf.publish(people)
    with (root / "a2ledger.toml").open("a") as file:
        file.write(
            '\n[sources.asterisk]\ntimezone = "UTC"\ntrunks = ["PJSIP/trunk"]\n'
            'technical_prefixes = ["8888"]\n[sources.freeswitch]\n'
        )
    return root


def billed(root):
    """Return the calls of a book that touched a trunk: direction, number, customer, seconds."""
    days = detail.digests(Book(root))
    rows = (row for day in days for row in detail.read(root, day, days).to_pylist())
    return Counter(
        (row["direction"] or "outgoing", row["called"], row["customer"], row["seconds"])
        for row in rows
        if row["direction"] != "internal"
    )


@pytest.mark.parametrize("written", [16, 18, 21, "freeswitch"])
@tried(12)
@given(data=st.data())
def test_what_a_book_bills_is_what_is_due_whatever_files_days_and_runs_rows_come_in(
    template, written, data
):
    if written == "freeswitch":
        lines, due = data.draw(bridged(LATELY))
        source, name = "freeswitch", "calls.json"
    else:
        rows, due = data.draw(scenarios(written, LATELY))
        lines, source, name = [master(row, written) for row in rows], "asterisk", "Master.csv"
    lines = data.draw(st.permutations(lines))
    cut = data.draw(st.integers(0, len(lines)))
    with shelf.copied(template) as root:
        for number, part in enumerate(part for part in (lines[:cut], lines[cut:], lines) if part):
            path = root.parent / f"{number}-{name}"
            path.write_text("".join(part))
            shelf.take_from(root, source, path).check()
        assert billed(root) == due


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


@cases("order", list(itertools.permutations(range(3))), 2)
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


def test_ringing_that_is_taken_off_is_said_and_can_be_set(book):
    ready(book)
    row = cdr(channel="PJSIP/c1-00000001", dst="*55", answer="2026-01-05 10:00:00",
              lastdata="PJSIP/3225550150@carrier")  # fmt: skip
    path = book.file("Master.csv", row + "\n")
    done = book.run("import", "pbx", path)
    assert "3 s of ringing were taken off 1 leg" in done.stderr
    assert "Unbilled   0.570000 EUR" in book.text("journals/2026-01/C1.01.beancount")
    book.edit("a2ledger.toml", 'trunks = ["PJSIP/carrier"]', 'trunks = ["PJSIP/carrier"]\n'
              "before_dialling = 0")  # fmt: skip
    assert "before_dialling = 0" in book.run("sources", "show", "pbx").stdout
    row = row.replace("10:0", "11:0").replace("1767607200.1", "1767610800.1")
    assert "ringing" not in book.run("import", "pbx", book.file("More.csv", row + "\n")).stderr
