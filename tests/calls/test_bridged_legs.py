"""Legs of FreeSWITCH: what is billed of a call that was transferred or forwarded."""

from __future__ import annotations

import itertools
import json

import pytest

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


@pytest.mark.parametrize("story", STORIES)
def test_each_leg_is_billed_by_its_own_number_and_seconds(book, story):
    documents, owed = STORIES[story]
    ready(book)
    report = taken(book, documents)
    assert (report["read"], float(report["amount"])) == (len(documents), pytest.approx(owed))
    assert report["quarantined"] == {}
    again = taken(book, documents)
    assert (again["posted"], again["amount"]) == (0, "0.00")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_legs_may_come_in_any_order_and_in_runs_of_their_own(book, order):
    ready(book)
    documents, _ = STORIES["transferred by its caller"]
    for place in order:
        taken(book, [documents[place]])
    assert "Unbilled   12.600000 EUR" in book.text("journals/2026-01/C1.01.beancount")
