"""Legs of FreeSWITCH: what is billed of a call that was transferred or forwarded."""

from __future__ import annotations

import itertools
import json

import pytest
from examples import cases

A, B, C, D = (f"{letter * 8}-0000-4000-8000-000000000001" for letter in "abcd")
UK, BELGIUM = "442055512345", "32470111222"


def document(
    uuid, called, start, seconds, *, account="c1", made_for="", channel="sofia/internal/x"
):
    variables = {
        "uuid": uuid,
        "accountcode": account,
        "channel_name": channel,
        "start_epoch": str(start),
        "answer_epoch": str(start),
        "duration": str(seconds),
        "billsec": str(seconds),
        "last_app": "bridge",
    } | ({"originator": made_for} if made_for else {})
    profile = {"caller_id_number": "101", "destination_number": called, "uuid": uuid}
    return uuid, {"variables": variables, "callflow": [{"caller_profile": profile}]}


def ready(book):
    book.today = "2026-01-31"
    book.customers(
        {"id": "C1", "identifiers": "c1, 101, 3225550101"}, {"id": "C2", "identifiers": "c2, 102"}
    )
    (book.root / "tariffs/standard.csv").write_text("dialprefix,rateinitial\n32,0.60\n44,1.20\n")


def taken(book, documents):
    for uuid, content in documents:
        book.file(f"a_{uuid}.cdr.json", json.dumps(content))
    paths = [book.files / f"a_{uuid}.cdr.json" for uuid, _ in documents]
    return book.run("import", "freeswitch", *paths, "--all", "--json").json


START = 1767607200
STORIES = {
    "a plain call": ([document(A, UK, START, 60), document(B, UK, START, 60, made_for=A)], 1.2),
    "transferred by its caller": (
        [
            document(A, BELGIUM, START, 660),
            document(B, UK, START, 600, made_for=A),
            document(C, BELGIUM, START + 600, 60, made_for=A),
        ],
        12.6,
    ),
    "transferred to an extension": (
        [
            document(A, "101", START, 660),
            document(B, UK, START, 600, made_for=A),
            document(C, "101", START + 600, 60, made_for=A),
        ],
        12,
    ),
    "two calls joined, which go on without who made them": (
        [
            document(A, UK, START, 60),
            document(B, UK, START, 600, made_for=A),
            document(C, BELGIUM, START + 30, 30),
            document(D, BELGIUM, START + 30, 570, made_for=C),
        ],
        12 + 5.7,
    ),
    "click to call": (
        [document(A, "101", START, 90), document(B, UK, START + 30, 60, made_for=A)],
        1.2,
    ),
    "forwarded by the number that was called, whose legs bear no account": (
        [
            document(A, "3225550101", START, 600, account=""),
            document(B, UK, START, 600, account="", made_for=A),
        ],
        12,
    ),
    "forwarded over loopback": (
        [
            document(A, "3225550101", START, 602, account=""),
            document(B, "3225550101", START, 2, account="", made_for=A, channel="loopback/1-a"),
            document(C, UK, START, 2, channel="loopback/1-b", made_for=B),
            document(D, UK, START + 2, 600, made_for=C),
        ],
        12,
    ),
}


@cases("story", STORIES, 3)
def test_each_leg_is_billed_by_its_own_number_and_seconds(book, story):
    documents, owed = STORIES[story]
    ready(book)
    report = taken(book, documents)
    assert (report["read"], float(report["amount"])) == (len(documents), pytest.approx(owed))
    assert report["quarantined"] == {}
    again = taken(book, documents)
    assert (again["posted"], again["amount"]) == (0, "0.00")


@cases("order", list(itertools.permutations(range(3))), 2)
def test_legs_may_come_in_any_order_and_in_runs_of_their_own(book, order):
    ready(book)
    documents, _ = STORIES["transferred by its caller"]
    for place in order:
        taken(book, [documents[place]])
    assert "Unbilled   12.600000 EUR" in book.text("journals/2026-01/C1.01.beancount")


def moment(seconds):
    return str((START + seconds) * 1_000_000)


def way(*parts, account="c1", ends):
    """An a-leg alone, whose callflow says which numbers it was connected with, and from when on."""
    uuid, content = document(A, parts[-1][0], START, ends, account=account)
    flow = []
    for place, (number, begins) in enumerate(parts):
        last = place + 1 == len(parts)
        profile = {"caller_id_number": "101", "destination_number": number, "uuid": uuid}
        times = {
            "profile_created_time": moment(begins), "answered_time": moment(0),
            "bridged_time": moment(begins), "hangup_time": moment(ends) if last else "0",
            "transfer_time": "0" if last else moment(parts[place + 1][1]),
        }  # fmt: skip
        flow.insert(0, {"profile_index": str(place + 1), "caller_profile": profile, "times": times})
    content["callflow"] = flow
    return uuid, content


@pytest.mark.parametrize(
    ("parts", "ends", "account", "cost"),
    [
        ([(UK, 0), (BELGIUM, 600)], 660, "c1", 12.6),  # cheap, then dear
        ([(UK, 0), ("101", 600)], 660, "c1", 12),  # to an extension, which is free
        ([(UK, 0), (BELGIUM, 60), (UK, 120)], 180, "c1", 1.2 + 0.6 + 1.2),
        ([("3225550101", 0), (UK, 60)], 120, "", 1.2),  # who was called sends it outside
    ],
)
def test_a_leg_alone_is_billed_to_each_number_it_was_connected_with(
    book, parts, ends, account, cost
):
    ready(book)
    found = taken(book, [way(*parts, account=account, ends=ends)])
    assert float(found["amount"]) == pytest.approx(cost)
    again = taken(book, [way(*parts, account=account, ends=ends)])
    assert (again["posted"], again["free"], again["amount"]) == (0, 0, "0.00")


def test_legs_that_come_later_take_the_place_of_what_the_first_said_of_them(book):
    ready(book)
    alone = way((UK, 0), (BELGIUM, 600), ends=660)
    taken(book, [alone])
    made = [
        document(B, UK, START, 600, made_for=A),
        document(C, BELGIUM, START + 600, 60, made_for=A),
    ]
    taken(book, made)
    assert "Unbilled   12.600000 EUR" in book.text("journals/2026-01/C1.01.beancount")
    assert '"Calls" "2 calls, 0:11:00"' in book.text("journals/2026-01/C1.01.beancount")


def test_a_leg_that_went_elsewhere_and_does_not_say_when_is_named(book):
    ready(book)
    uuid, content = way((UK, 0), (BELGIUM, 600), ends=660)
    for flow in content["callflow"]:
        del flow["times"]
    book.file(f"a_{uuid}.cdr.json", json.dumps(content))
    done = book.run("import", "freeswitch", book.files / f"a_{uuid}.cdr.json")
    assert "1 leg was transferred and do" in done.stderr


def line(uuid, called, start, seconds, bond="", account="c1"):
    """A row of ``mod_cdr_csv``'s template ``example``."""
    began = f"2026-01-05 {10 + start // 3600}:{start // 60 % 60:02}:{start % 60:02}"
    ended = start + seconds
    end = f"2026-01-05 {10 + ended // 3600}:{ended // 60 % 60:02}:{ended % 60:02}"
    fields = ["Ann", "101", called, "default", began, began, end, seconds, seconds]
    fields += ["NORMAL_CLEARING", uuid, bond, account, "PCMA", "PCMA"]
    return ",".join(f'"{field}"' for field in fields) + "\n"


ROWS = {
    "a plain call": ([line(B, UK, 0, 60), line(A, UK, 0, 60, B)], 1.2),
    "transferred by its caller": (
        [line(B, UK, 0, 600), line(C, BELGIUM, 600, 60), line(A, BELGIUM, 0, 660, C)], 12.6,
    ),
    "transferred to an extension": (
        [line(B, UK, 0, 600), line(C, "101", 600, 60), line(A, "101", 0, 660, C)], 12,
    ),
    "two calls joined, which go on without who made them": (
        [
            line(A, UK, 0, 60, B), line(C, BELGIUM, 30, 30, D),
            line(B, UK, 0, 600), line(D, BELGIUM, 30, 570),
        ],
        12 + 5.7,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_both_legs_give_the_answer_that_documents_give(book, name):
    ready(book)
    rows, cost = ROWS[name]
    found = book.run("import", "freeswitch", book.file("Master.csv", "".join(rows)), "--json").json
    assert float(found["amount"]) == pytest.approx(cost)


def owed(book):
    return sum(float(row["owed"]) for row in book.run("balances", "--json").json)


@cases("name", [name for name in ROWS if name != "a plain call"], 1)
@pytest.mark.parametrize("backwards", [False, True])
def test_rows_may_come_in_files_and_runs_of_their_own(book, name, backwards):
    """A row is written when its leg ends, and files are rotated while calls are up."""
    ready(book)
    rows, cost = ROWS[name]
    for number, row in enumerate(reversed(rows) if backwards else rows):
        book.run("import", "freeswitch", book.file(f"Master.csv.{number}", row))
    assert owed(book) == pytest.approx(cost)
    book.run("import", "freeswitch", book.file("Master.csv", "".join(rows)))
    assert owed(book) == pytest.approx(cost)


def test_the_rows_of_a_call_are_tied_as_their_file_grows(book):
    ready(book)
    rows, cost = ROWS["two calls joined, which go on without who made them"]
    for count in range(1, len(rows) + 1):
        book.run("import", "freeswitch", book.file("Master.csv", "".join(rows[:count])))
    assert owed(book) == pytest.approx(cost)


def test_many_rows_of_a_switch_that_writes_a_legs_alone_are_not_kept(book):
    ready(book)
    uuid = "{:08}-0000-4000-8000-000000000001".format
    lines = [line(uuid(n), UK, n, 6, bond=uuid(n + 5000)) for n in range(1100)]
    book.run("import", "freeswitch", book.file("Master.csv", "".join(lines)))
    assert not list((book.root / "calls").rglob("*.rows.parquet"))
    # The leg that shows otherwise ties the rows that come with it.
    rows, cost = ROWS["transferred by its caller"]
    more = book.run("import", "freeswitch", book.file("2.csv", "".join(rows)), "--json").json
    assert float(more["amount"]) == pytest.approx(cost)


def test_rows_and_documents_may_be_imported_together(book):
    ready(book)
    rows, cost = ROWS["transferred by its caller"]
    uuid, content = document(D, UK, START, 60)
    paths = [
        book.file("Master.csv", "".join(rows)),
        book.file(f"a_{uuid}.cdr.json", json.dumps(content)),
    ]
    done = book.run("import", "freeswitch", *paths, "--json").json
    assert float(done["amount"]) == pytest.approx(cost + 1.2)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_leg_that_says_what_the_one_says_which_names_it_is_never_nobodys(book, backwards):
    ready(book)
    rows, _ = ROWS["a plain call"]
    for number, row in enumerate(reversed(rows) if backwards else rows):
        book.run("import", "freeswitch", book.file(f"Master.csv.{number}", row))
    assert "unclaimed" not in book.run("check", "--json").json
    done = book.run("import", "freeswitch", book.file("Master.csv", "".join(rows)), "--json")
    assert done.json["not_billable"] == {"b-leg": 1}


def test_it_is_said_that_a_legs_alone_show_no_transfer(book):
    ready(book)
    alone = "rows of a-legs alone do not show which calls were transferred"
    done = book.run("import", "freeswitch", book.file("1.csv", line(A, UK, 0, 60, B)))
    assert alone in done.stderr
    both = line(C, UK, 9, 60) + line(D, UK, 9, 60, C)
    assert alone not in book.run("import", "freeswitch", book.file("2.csv", both)).stderr


def test_an_extension_that_nobody_holds_is_called_within_the_house(book):
    ready(book)
    done = book.run("import", "freeswitch", book.file("1.csv", line(A, "105", 0, 60, B)), "--json")
    assert (done.json["posted"], done.json["free"]) == (0, 1)


def test_rows_that_do_not_hold_enough_are_named(book):
    ready(book)
    rows = [line(C, "101", 600, 60), line(A, "101", 0, 660, C)]
    done = book.run("import", "freeswitch", book.file("Master.csv", "".join(rows)))
    assert "while no rows hold the rest: 1; each is billed whole" in done.stderr
