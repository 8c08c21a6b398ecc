"""Days of calls, folded into day files, customers' periods and what carriers are owed."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
import shelf

from a2ledger.book.book import Book
from a2ledger.calls import detail, fold
from a2ledger.calls.fold import Folder
from a2ledger.journal import subledgers

DAY = dt.date(2026, 1, 5)
NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return shelf.started(tmp_path_factory.mktemp("fold") / "book", "A", "B", vat="none")


@pytest.fixture
def root(template):
    with shelf.copied(template) as root:
        yield root


def calls(*rows):
    usual = {
        "start": NOON, "switch": "pbx", "seq": "", "called": "32", "caller": "33",
        "destination": "Belgium", "service": "Calls", "deck": "standard", "prefix": "32",
        "seconds": 60, "billed_seconds": 60, "given": False, "buy_micro": 0, "carrier": "",
        "vat": "O", "late_in": None, "source": "pbx", "file": "Master.csv", "line": 7,
        "identifier": "", "tariff": "", "void": "", "voided_micro": 0, "halves": "",
        "direction": "", "leg": "", "extension": "", "since": "",
    }  # fmt: skip
    rows = [usual | {"uid": str(place)} | row for place, row in enumerate(rows)]
    return pa.Table.from_pylist(rows, detail.SCHEMA)


def folded(root, table, *touched, day=DAY, before=()):
    draft = shelf.draft(root)
    with ThreadPoolExecutor(1) as pool:
        folder = Folder(draft, pool)
        folder.write(day, table, touched, before)
        folder.finish()
    shelf.publish(draft)
    return Book(root)


def usage(book, name):
    return [
        (row.day, row.late_from, row.calls, row.seconds, row.micro)
        for row in subledgers.open_file(book, name).usage
    ]


def test_calls_of_a_day_are_one_sum_a_customer_and_stay_in_the_day_s_file(root):
    table = calls(
        {"customer": "A", "cost_micro": 5},
        {"customer": "A", "cost_micro": 7},
        {"customer": "B", "cost_micro": 1},
    )
    book = folded(root, table, "A", "B")
    assert usage(book, "A") == [(DAY, None, 2, 120, 12)]
    assert usage(book, "B") == [(DAY, None, 1, 60, 1)]
    digests = detail.digests(book)
    assert digests[DAY].rows == 3
    assert detail.verified(root, DAY, digests).num_rows == 3


def test_folded_again_it_is_the_same_and_who_is_not_touched_keeps_what_they_have(root):
    first = calls({"customer": "A", "cost_micro": 5}, {"customer": "B", "cost_micro": 1})
    folded(root, first, "A", "B")
    before = shelf.ledger_of(root)
    folded(root, first, "A", "B")
    assert shelf.ledger_of(root) == before
    book = folded(
        root, calls({"customer": "A", "cost_micro": 9}, {"customer": "B", "cost_micro": 3}), "A"
    )
    assert (usage(book, "A"), usage(book, "B")) == (
        [(DAY, None, 1, 60, 9)],
        [(DAY, None, 1, 60, 1)],
    )


def test_a_day_without_calls_has_no_file(root):
    folded(root, calls({"customer": "A", "cost_micro": 5}), "A")
    book = folded(root, calls(), "A")
    assert (usage(book, "A"), detail.digests(book)) == ([], {})
    assert not (root / detail.path(DAY)).exists()


def test_late_calls_are_posted_in_the_period_that_is_open(root):
    shelf.close(root, dt.date(2026, 2, 1))
    late = {"customer": "A", "cost_micro": 5, "late_in": dt.date(2026, 2, 1)}
    book = folded(root, calls(late, {"customer": "A", "cost_micro": 7}), "A")
    assert usage(book, "A") == [(DAY, DAY, 1, 60, 5)]


def test_a_carrier_is_owed_what_calls_cost_to_buy_and_nothing_once_they_are_gone(root):
    table = calls(
        {"customer": "A", "cost_micro": 5, "buy_micro": 3, "carrier": "Acme"},
        {"customer": "B", "cost_micro": 1, "buy_micro": 4, "carrier": "Acme"},
    )
    book = folded(root, table, "A", "B")
    (path,) = book.files("journals/carriers", "*/2*.beancount")
    assert "0.000007 EUR" in book.text(path)
    book = folded(root, calls({"customer": "A", "cost_micro": 5}), "A", "B", before=["Acme"])
    assert book.files("journals/carriers", "*/*.beancount") == []


def test_calls_of_closed_periods_are_told_by_where_they_were_posted():
    january, february = dt.date(2026, 1, 1), dt.date(2026, 2, 1)
    table = calls(
        {"customer": "A"},
        {"customer": "A", "late_in": february},
        {"customer": "B"},
        {"customer": "X"},
    )
    opened = {"A": february, "B": january}
    assert fold.sealed(table, DAY, opened).to_pylist() == [True, False, False, False]
