"""`import --explain`: what became of every row, and what decided it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import pytest
from examples import tried
from harness import PBX, cdr, csv_text
from hypothesis import given
from hypothesis import strategies as st

ROWS = {
    # what stands on a line: (what becomes of it, why, its rule, customer, cost)
    cdr(uniqueid="1767607200.1"): ("posted", "", 2, "C1", "1.00"),
    cdr(uniqueid="1767607200.2", dst="112"): ("free", "", 1, "C1", "0.00"),
    cdr(uniqueid="1767607200.3", dst="h"): ("not_billable", "hangup", None, "", None),
    cdr(uniqueid="1767607200.4", dcontext="x"): ("not_billable", "context", None, "", None),
    cdr(uniqueid="1767607200.5", lastapp="Wait"): ("not_billable", "application", None, "", None),
    cdr(uniqueid="1767607200.6", disposition="BUSY"): ("not_billable", "unanswered", 2, "", None),
    cdr(uniqueid="1767607200.7", accountcode=""): ("quarantined", "unclaimed", 2, "", None),
    cdr(uniqueid="1767607200.17", accountcode="", lastdata="PJSIP/lobby"): (
        *("not_billable", "no-identifier", 2, "", None),
    ),
    cdr(uniqueid="1767607200.8", start="2025-12-31 10:00:00"): (
        *("not_billable", "before-opening", 2, "C1", None),
    ),
    cdr(uniqueid="1767607200.9", accountcode="C9"): (
        *("quarantined", "unknown-customer", 2, "", None),
    ),
    cdr(uniqueid="1767607200.10", start="0000-00-00"): ("quarantined", "bad-time", None, "", None),
    cdr(uniqueid="1767607200.11", billsec="x"): ("quarantined", "bad-seconds", None, "", None),
    cdr(uniqueid="1767607200.12", start="2027-01-05 10:00:00"): (
        *("quarantined", "future", 2, "C1", None),
    ),
    cdr(uniqueid="1767607200.13", dst="44123"): ("quarantined", "no-rate", 2, "C1", None),
    cdr(uniqueid="1767607200.1", billsec=120, start="2026-01-05 11:00:00"): (
        *("quarantined", "conflict", 2, "C1", None),
    ),
    "garbage": ("quarantined", "columns", None, "", None),
    cdr(uniqueid="1767607200.14", channel="Local/9@x-1;2"): ("posted", "", 2, "C1", "1.00"),
    cdr(uniqueid="1767607200.15", channel="Local/9@x-1;1"): (
        *("not_billable", "local-half", 2, "C1", None),
    ),
}
RULES = """
[[sources.pbx1.rules]]
contexts = ["customers"]
applications = ["Dial"]
called = ["112"]
free = true
"""


@pytest.fixture
def pbx(book):
    first, second = PBX.split("[[sources.pbx1.rules]]")
    book.append("a2ledger.toml", f"{first}{RULES}[[sources.pbx1.rules]]{second}")
    (book.root / "tariffs/standard.csv").write_text(
        "dialprefix,destination,rateinitial,initblock,billingblock\n32,Belgium,1.00,60,60\n"
    )
    book.customers({"id": "C1"})
    return book


def tree(book):
    return {
        path.relative_to(book.root): hashlib.sha256(path.read_bytes()).digest()
        for path in book.root.rglob("*")
        if path.is_file() and ".a2ledger" not in path.parts
    }


def explained(book, *words, **options):
    done = book.run("import", *words, "--explain", "--json", today="2026-01-31", **options)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_row_says_what_became_of_it_and_nothing_is_written(pbx):
    master = pbx.file("Master.csv", "".join(f"{line}\n" for line in [*ROWS, next(iter(ROWS))]))
    before = tree(pbx)

    rows = explained(pbx, "pbx1", master)

    names = ("fate", "reason", "rule", "customer", "cost")
    assert [tuple(row[name] for name in names) for row in rows[:-1]] == list(ROWS.values())
    assert {row["file"] for row in rows} == {str(master)}
    assert [row["line"] for row in rows] == list(range(1, len(ROWS) + 2))
    assert rows[-1] | {"line": 1} == rows[0] | {"fate": "duplicate"}
    assert rows[0] | {"called": "3225550199", "seconds": 60} == rows[0]
    assert rows[9]["message"] == "no customer holds 'C9' (accountcode) on 2026-01-05"
    assert rows[11]["seconds"] is None
    assert tree(pbx) == before


def test_what_is_explained_is_what_the_import_does(pbx):
    master = pbx.file("Master.csv", "".join(f"{line}\n" for line in ROWS))
    rows = explained(pbx, "pbx1", master)

    report = pbx.run("import", "pbx1", master, "--json", today="2026-01-31", code=3).json

    fates = Counter(row["fate"] for row in rows)
    assert {name: fates[name] for name in ("posted", "free", "late", "duplicate")} == {
        name: report[name] for name in ("posted", "free", "late", "duplicate")
    }
    for fate, name in (("not_billable", "not_billable"), ("quarantined", "quarantined")):
        reasons = Counter(row["reason"] for row in rows if row["fate"] == fate)
        assert reasons == report[name]
    again = Counter(row["fate"] for row in explained(pbx, "pbx1", master))
    assert (again["posted"], again["free"], again["duplicate"]) == (0, 0, 3)


def test_for_people_a_row_is_a_line(pbx):
    master = pbx.file("Master.csv", "".join(f"{line}\n" for line in list(ROWS)[:3]))
    done = pbx.run("import", "pbx1", master, "--explain", today="2026-01-31")
    assert done.stdout.splitlines() == [
        f"{master}:1: posted; rule 2; C1; 3225550199; 60 s; 1.00",
        f"{master}:2: free; rule 1; C1; 112; 60 s; 0.00",
        f"{master}:3: not billable (hangup); h; 60 s",
    ]
    assert done.stderr.splitlines()[-1].endswith("1.00; nothing was written")


def test_the_only_source_need_not_be_named(pbx):
    master = pbx.file("Master.csv", "".join(f"{line}\n" for line in ROWS))
    assert explained(pbx, master) == explained(pbx, "pbx1", master)

    (error,) = pbx.run("import", "--explain", pbx.root / "none", code=2).errors
    assert error.endswith("is no file; nothing was explained; name a source and its files")
    (error,) = pbx.run("import", "--explain", "refills", master, code=2).errors
    assert "are no calls" in error


def test_where_there_are_more_sources_or_none_one_must_be_named(book):
    master = book.file("Master.csv", "")
    (error,) = book.run("import", "--explain", master, code=2).errors
    assert (
        "may be of any source; nothing was explained; name one before it: a2billing, asterisk"
        in error
    )


def test_a_file_named_twice_is_explained_once(pbx):
    master = pbx.file("Master.csv", "".join(f"{line}\n" for line in ROWS))
    assert explained(pbx, "pbx1", master, master) == explained(pbx, "pbx1", master)


def test_rows_of_several_files_and_dialects_have_their_own_places(book):
    book.customers({"id": "C1"})
    call = {"id": "a", "customer": "C1", "start": "2026-01-05 10:00:00", "called": "32"}
    files = [
        book.file(name, csv_text([call | {"id": name, "seconds": 60}, call | {"seconds": "x"}]))
        for name in ("b.csv", "a.csv")
    ]
    assert [
        (row["file"], row["line"], row["fate"], row["rule"])
        for row in explained(book, "calls", *files)
    ] == [
        (str(file), line, *fate)
        for file in files
        for line, fate in ((2, ("posted", 3)), (3, ("quarantined", None)))
    ]


@given(st.lists(st.sampled_from(list(ROWS)), max_size=12))
@tried(20)
def test_every_row_read_is_explained_once(pbx, lines):
    master = pbx.file("Master.csv", "".join(f"{line}\n" for line in lines))
    assert [row["line"] for row in explained(pbx, "pbx1", master)] == [
        number + 1 for number in range(len(lines))
    ]
