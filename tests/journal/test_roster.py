"""The roster of a large book gives what its customers' files say, or is not used."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pyarrow as pa
import pytest
from harness import Book
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.book import kept
from a2ledger.book.book import Book as Files
from a2ledger.journal import roster, subledgers
from a2ledger.records import Customer

ROSTER = ".a2ledger/customers.arrow"


@pytest.fixture
def large(book: Book, monkeypatch: pytest.MonkeyPatch) -> Book:
    monkeypatch.setattr(kept, "LEAST", 2)
    book.customers({"id": "C1"}, {"id": "C2", "identifiers": "+32470000002"}, {"id": "C3"})
    book.run("fee", "add", "C2", "Subscriptions", "4.00")
    return book


def _customers(book: Book) -> dict[str, object]:
    return dict(subledgers.customers(Files(book.root)).items())


def _parsed(book: Book, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The customers as their files are parsed."""
    with monkeypatch.context() as patched:
        patched.setattr(kept, "LEAST", 1000)
        return _customers(book)


def test_it_gives_the_customers_that_their_files_give(large, monkeypatch):
    large.run("customer", "set", "C3", "credit_limit=0.5", "--from", "2026-03-01")
    assert _customers(large) == _parsed(large, monkeypatch)
    assert (large.root / ROSTER).exists()
    monkeypatch.setattr(subledgers, "_read", None)  # nothing is parsed any more
    assert list(_customers(large)) == ["C1", "C2", "C3"]


def test_currencies_of_accounts_are_those_of_files_and_of_customers_that_were_read(large):
    files = Files(large.root)
    known = subledgers.customers(files)
    assert known.currencies() == {"C1": "EUR", "C2": "EUR", "C3": "EUR"}
    known["C1"] = replace(known["C1"], facts={"currency": ((known["C1"].opened, "GBP"),)})
    assert subledgers.foreign_accounts(files) == {"C1": "GBP"}


def test_a_file_that_somebody_edits_is_parsed(large, monkeypatch):
    _customers(large)
    large.edit("journals/customers/C1.beancount", '"name" "C1"', '"name" "Ada"')
    customers = subledgers.customers(Files(large.root))
    assert customers["C1"].text("name", dt.date(2026, 1, 1)) == "Ada"
    assert dict(customers.items()) == _parsed(large, monkeypatch)


@pytest.mark.parametrize("content", [b"", b"no Arrow", None])
def test_without_it_or_with_a_damaged_one_files_are_parsed(large, content):
    before = _customers(large)
    if content is None:
        (large.root / ROSTER).unlink()
    else:
        (large.root / ROSTER).write_bytes(content)
    assert _customers(large) == before


def test_one_of_other_services_is_not_used(large, monkeypatch):
    _customers(large)
    large.append("a2ledger.toml", '\n[services.Faxes]\nvat = "S21"\n')
    read = pytest.raises(TypeError, match="NoneType")
    monkeypatch.setattr(subledgers, "_read", None)
    with read:
        _customers(large)


def test_verify_believes_files_and_not_what_is_kept_of_them(large):
    large.run("payment", "C1", "1.00", today="2026-02-02")
    large.close(today="2026-02-03")
    _customers(large)
    file = large.root / ROSTER
    table = pa.ipc.open_file(file).read_all()
    records = [json.loads(record) for record in table["record"].to_pylist()]
    for record in records:
        record[3] = record[3][-1:]  # as if nothing had ever been closed
    forged = table.set_column(
        table.schema.get_field_index("record"), "record", [list(map(json.dumps, records))]
    )
    with pa.ipc.new_file(file, forged.schema) as writer:
        writer.write_table(forged)

    assert {len(customer.periods) for customer in _customers(large).values()} == {1}
    done = large.run("verify", today="2026-02-03")
    assert done.stderr.startswith("3 sealed period(s) of 3 customer(s) looked at, 0 problem(s)")


def test_fees_and_facts_of_coming_days_are_seen_on_their_day(large):
    large.run("customer", "set", "C3", "credit_limit=500", "--from", "2026-01-20")
    _customers(large)

    large.run("payment", "C1", "1.00", today="2026-02-01")

    assert "credit_limit: 500" in large.text("journals/customers/C3.beancount")
    assert large.balance("C3")["credit_limit"] == "500.00"
    assert large.balance("C2")["owed"] == "8.00"


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
days = st.dates(dt.date(1990, 1, 1), dt.date(2100, 1, 1))


@given(days, st.lists(st.tuples(days, st.one_of(names, st.decimals(allow_nan=False))), max_size=3))
def test_law_what_is_kept_of_a_customer_is_the_customer(opened, history):
    customer = Customer(id="C1", opened=opened, facts={"name": tuple(history)})
    assert roster.of_json(json.loads(json.dumps(roster.as_json(customer)))) == customer
