"""A bill so far: it is what the close makes, and changes nothing."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shelf

from a2ledger.billing import preview
from a2ledger.book.book import Book, BrokenBookError
from a2ledger.documents.document import as_json
from a2ledger.fees import charge
from a2ledger.journal import customer_file, subledgers
from a2ledger.period import Period

CALLS = "id,customer,start,called,seconds\n1,A,2026-01-06 10:00:00,3225550101,100\n"
JANUARY = Period(dt.date(2026, 1, 1), dt.date(2026, 2, 1))
FEBRUARY = dt.date(2026, 2, 1)


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """A fee of 31.00 a month that nobody has posted yet, and a call of 0.21."""
    root = shelf.started(tmp_path_factory.mktemp("preview") / "book", "A", vat="on-invoice")
    shelf.take(root, "old", CALLS)
    one = shelf.draft(root, JANUARY.start)
    charge.add(one, "A", "Subscriptions", "31.00", arrears=True, since=JANUARY.start)
    shelf.publish(one)
    return root


def test_what_is_shown_is_what_the_close_makes(template):
    with shelf.copied(template) as root:
        shown = as_json(preview.preview(Book(root), "A", FEBRUARY))
        before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
        assert shown == as_json(preview.preview(Book(root), "A", FEBRUARY))
        assert before == {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}

        shelf.close(root, FEBRUARY)
        (made,) = (json.loads(path.read_text()) for path in root.glob("invoices/*/*.json"))
        for key in ("kind", "number", "seal"):
            made.pop(key), shown.pop(key, None)
        assert made == shown
        # The fee was not posted when it was shown: 31.00 and 0.21, and VAT on both.
        assert (shown["net"], shown["to_pay"]) == ("31.21", "37.76")


def test_what_falls_due_later_is_not_shown_yet(template):
    shown = preview.preview(Book(template), "A", dt.date(2026, 1, 20))
    assert (shown.net, shown.period["end"]) == ("0.21", "2026-02-01")


def test_calls_that_the_journal_does_not_have_are_no_bill(template):
    with shelf.copied(template) as root:
        path = root / customer_file.period_path("A", JANUARY.start)
        path.write_text(path.read_text().replace("0.205762", "0.305762"))
        with pytest.raises(BrokenBookError) as error:
            preview.preview(Book(root), "A", FEBRUARY)
        (problem,) = error.value.problems
        assert "the journal says 0.305762, the call detail 0.205762" in problem.what
        assert problem.undone == "nothing was billed"


def test_a_vat_code_that_is_gone_is_named(template):
    with shelf.copied(template) as root:
        path = root / customer_file.period_path("A", JANUARY.start)
        path.write_text(path.read_text().replace('vat: "S21"', 'vat: "S99"'))
        with pytest.raises(BrokenBookError, match=r"'S99' is not defined under \[vat.codes\]"):
            preview.preview(Book(root), "A", FEBRUARY)


def test_the_open_period_runs_to_its_natural_end(template):
    customer = subledgers.customer(Book(template), "A")
    assert preview.open_period(customer) == JANUARY


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """Five customers with calls, and with payments on the days of calls."""
    root = shelf.started(tmp_path_factory.mktemp("many") / "book", "A", vat="on-invoice")
    rows = "".join(f"{name},{name},5,standard,2026-01-01,on-invoice\n" for name in "BCDE")
    shelf.take(root, "customers", f"id,name,credit_limit,tariff,opened,vat\n{rows}")
    calls = "".join(f"{name},{name},2026-01-06 10:00:00,3225550101,60\n" for name in "ABCDE")
    shelf.take(root, "old", f"id,customer,start,called,seconds\n{calls}")
    money = "".join(f"{name},{name},2026-01-06,1.00\n" for name in "ABCDE")
    shelf.take(root, "payments", f"id,customer,date,amount\n{money}")
    return root


def states_of(root: Path) -> dict[str, object]:
    book = Book(root)
    customers = subledgers.customers(book)
    files = {name: subledgers.open_file(book, name) for name in customers}
    states = preview.states(book, list(customers.values()), files=files)
    return {
        name: (brought, [row._replace(file="", lineno=0) for row in rows])
        for name, (brought, rows) in states.items()
    }


def test_periods_of_many_customers_are_parsed_as_beancount_loads_them(many, monkeypatch):
    loaded = states_of(many)
    assert list(loaded) == list("ABCDE")
    monkeypatch.setattr(preview, "_LOADED", 2)
    assert states_of(many) == loaded
    # What Beancount reads otherwise than we do is as Beancount reads it.
    with shelf.copied(many) as root:
        path = root / "journals/2026-01/A.01.beancount"
        path.write_text(path.read_text().replace('"1 call, 0:01:00"', '"edited"'))
        (row,) = [row for row in states_of(root)["A"][1] if row.calls]
        assert row.narration == "edited"


def test_a_period_that_beancount_refuses_is_named_among_many(many, monkeypatch):
    monkeypatch.setattr(preview, "_LOADED", 2)
    with shelf.copied(many) as root:
        path = root / "journals/2026-01/D.01.beancount"
        path.write_text('2026-01-02 * "x" "y"\n  Assets:Nowhere ten EUR\n' + path.read_text())
        with pytest.raises(BrokenBookError, match=r"2026-01/D\.01\.beancount"):
            states_of(root)


def test_a_day_of_calls_that_hands_changed_is_refused_and_one_they_only_touched_is_not(book):
    book.customers({"id": "C1"})
    book.talks("C1", "2026-01-05", today="2026-01-06")
    before = book.preview("C1", "2026-01-07")
    file = book.root / "calls/2026-01/2026-01-05.parquet"
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    assert book.preview("C1", "2026-01-07") == before

    table = pq.read_table(file)
    dearer = pc.add(table["cost_micro"], 1)
    place = table.schema.get_field_index("cost_micro")
    pq.write_table(table.set_column(place, "cost_micro", dearer), file)
    refused = book.run("preview", "C1", today="2026-01-07", code=1)
    assert "differs from calls/DIGESTS" in refused.stderr
