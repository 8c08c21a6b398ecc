"""Directions of calls in logs that name no channels: what is told from their numbers alone."""

from __future__ import annotations

import pytest
from harness import csv_text

from a2ledger.book.book import Book
from a2ledger.calls import detail

CUSTOMERS = (
    {"id": "C1", "identifiers": "acme, 101, 3225550101"},
    {"id": "C2", "identifiers": "102"},
)
SHORT = "taken for internal"


def directions(book, rows):
    """Import calls of a minute from one number to another; return the direction of each, by id."""
    said = [
        {
            "customer": "acme", "caller": caller, "called": called, "id": f"{number:02d}",
            "start": f"2026-01-05 10:{number:02d}:00", "seconds": 60, **more,
        }
        for number, (caller, called, *others) in enumerate(rows)
        for more in [dict(*others)]
    ]  # fmt: skip
    path = book.file("log.csv", csv_text(said))
    stderr = book.run("import", "calls", path, today="2026-01-31").stderr
    return [call["direction"] or "outgoing" for call in calls(book)], stderr


def calls(book):
    """Return the calls of the one day there is, in order of time."""
    days = detail.digests(Book(book.root))
    (day,) = days
    return detail.read(book.root, day, days).sort_by("start").to_pylist()


@pytest.mark.parametrize(
    ("called", "direction"),
    [
        ("105", "internal"),
        ("6000", "internal"),  # a queue, of a digit more
        ("*98", "internal"),
        ("118500", "outgoing"),  # directory enquiries
        ("32470", "outgoing"),
        ("12", "outgoing"),
        ("3225550199", "outgoing"),
    ],
)
def test_an_extension_calls_another_one_where_the_numbers_are_about_as_long(
    book, called, direction
):
    book.customers(*CUSTOMERS)
    found, stderr = directions(book, [("101", called)])
    assert found == [direction]
    assert (SHORT in stderr) == (direction == "internal")


def test_a_short_number_is_no_extension_where_something_says_so(book):
    book.customers(*CUSTOMERS)
    book.append("a2ledger.toml", '\n[sources.calls]\nshort_codes = ["112"]\n')
    found, stderr = directions(
        book,
        [
            ("101", "112"),
            ("101", "105", {"direction": "outbound"}),
            ("101", "106", {"cost": "0.10"}),
            ("3225550101", "107"),
            ("", "108"),
        ],
    )
    assert found == ["outgoing"] * 5
    assert SHORT not in stderr


def test_it_is_said_once_that_calls_are_taken_for_internal(book):
    book.customers(*CUSTOMERS)
    _, stderr = directions(book, [("101", f"1{number:02d}") for number in range(5, 25)])
    assert stderr.count(SHORT) == 1


def test_between_numbers_that_customers_hold_nothing_is_taken_for_something(book):
    book.customers(*CUSTOMERS)
    found, stderr = directions(book, [("101", "102")])
    assert (found, SHORT in stderr) == (["internal"], False)


def test_where_the_caller_is_known_by_their_number_a_call_to_anothers_extension_is_theirs(book):
    book.customers(*CUSTOMERS)
    book.append("a2ledger.toml", '\n[sources.calls]\nidentify = ["src"]\n')
    rows = [("101", "102"), ("105", "101"), ("442011112222", "101")]
    path = book.file(
        "log.csv",
        csv_text(
            {"id": n, "caller": a, "called": b, "start": f"2026-01-05 1{n}:00:00", "seconds": 9}
            for n, (a, b) in enumerate(rows)
        ),
    )
    book.run("import", "calls", path, today="2026-01-31")
    assert [(call["direction"], call["customer"]) for call in calls(book)] == [
        ("internal", "C1"),
        ("internal", "C1"),
        ("incoming", "C1"),
    ]
