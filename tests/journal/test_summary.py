"""The general ledger, derived from the customers' own."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
import shelf

from a2ledger.book.book import Book
from a2ledger.journal import customer_file, shards, subledgers, summary, syntax

CHARGES = "id,customer,date,amount,service\n1,A,2026-01-05,10,Calls\n2,B,2026-02-06,7,Calls\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    root = shelf.started(tmp_path_factory.mktemp("summary") / "book", "A", "B", vat="on-invoice")
    shelf.take(root, "charges", CHARGES)
    shelf.close(root, dt.date(2026, 2, 1))
    return root


@pytest.fixture
def root(template):
    with shelf.copied(template) as root:
        yield root


def sums(texts):
    found = Counter()
    for text in texts:
        for leg in syntax.legs(text):
            found[leg.account, leg.currency] += leg.micro
    return {key: micro for key, micro in found.items() if micro}


def general(book):
    return sums(book.text(path) for path in shards.months(book))


def own(book):
    return sums(
        book.text(customer_file.period_path(customer.id, start))
        for customer in subledgers.customers(book).values()
        for start in customer.periods
    )


def test_it_says_what_the_customers_ledgers_add_up_to(root):
    book = Book(root)
    assert general(book) == own(book)
    assert sum(general(book).values()) == 0


def test_done_again_nothing_changes_and_made_anew_it_is_the_same(root):
    before = shelf.ledger_of(root)
    for rebuild in (False, True):
        draft = shelf.draft(root)
        draft.rebuild = rebuild
        shelf.publish(draft)
        assert shelf.ledger_of(root) == before


def test_a_month_that_lost_its_file_is_made_anew_once_somebody_is_touched(root):
    before = shelf.ledger_of(root)
    draft = shelf.draft(root)
    draft.rebuild = True
    for path in shards.months(draft):
        (root / path).unlink()
    shelf.publish(draft)
    assert shelf.ledger_of(root) == before


def test_an_account_that_entries_use_is_opened_once(root):
    shelf.take(
        root,
        "payments",
        "id,customer,date,amount,method\n1,A,2026-02-10,5,new\n",
        dt.date(2026, 2, 20),
    )
    text = (root / "journals/chart.beancount").read_text()
    opened = [line.split()[2] for line in text.splitlines() if " open " in line]
    assert len(opened) == len(set(opened))
    used = {account for account, _ in general(Book(root))}
    assert {name for name in used if not name.startswith("Assets:Receivable")} <= set(opened)


def test_files_of_an_earlier_layout_are_known_and_what_changes_is_said(root):
    draft = shelf.draft(root)
    assert not summary.is_outdated(draft)
    assert list(summary.outdated(draft)) == []
    draft.put("journals/history.beancount", "; derived by a2ledger, layout 1\n")
    assert summary.is_outdated(draft)
    assert len(list(summary.outdated(draft))) == 3


def test_a_small_book_is_not_spread(root):
    assert not summary.spread(shelf.draft(root))
    assert not summary.holds_totals(Book(root))
