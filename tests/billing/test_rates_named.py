"""The rows of price lists that held for a bill's calls stand on its lines."""

from __future__ import annotations

import pytest

from a2ledger.billing.used import Calls

DECK = """\
dialprefix,destination,rateinitial,startdate
32,Belgium,0.60,
3247,Belgium,0.90,
32,Belgium,1.20,2026-01-16
"""


def row(prefix, calls, since=""):
    return {"tariff": "standard", "prefix": prefix, "since": since, "calls": calls}


@pytest.fixture
def talked(book):
    book.today = "2026-01-31"
    (book.root / "tariffs/standard.csv").write_text(DECK)
    book.customers({"id": "C1", "tariff": "standard", "language": ""})
    days = ["2026-01-05 10:00:00", "2026-01-15 23:59:59", "2026-01-16 00:00:00"]
    book.imported("calls", [
        *({"id": day, "customer": "C1", "start": day, "called": "3225550101", "seconds": 60}
          for day in days),
        {"id": "m", "customer": "C1", "start": days[0], "called": "32470000101", "seconds": 60},
        {"id": "own", "customer": "C1", "start": days[0], "called": "3225550101", "seconds": 60,
         "cost": "0.05"},
    ])  # fmt: skip
    return book


ROWS = [row("32", 2), row("32", 1, "2026-01-16"), row("3247", 1)]
"""Not the call whose record said what it costs."""


def test_a_line_names_each_row_that_held_and_for_how_many_calls(talked):
    (line,) = talked.preview("C1")["lines"]
    assert (line["calls"], line["net"]) == (5, "3.35")
    assert line["rates"] == ROWS
    assert "Belgium; standard 32, 32" in talked.run("preview", "C1").stdout
    page = talked.run("preview", "C1", "--html").stdout
    assert "<bdi>standard 32, 32 from 16 January 2026, 3247</bdi>" in page
    talked.run("customer", "set", "C1", "language=nl")
    assert "32 vanaf 16 januari 2026" in talked.run("preview", "C1", "--html").stdout


def test_what_is_closed_names_them_is_sealed_and_verified(talked):
    talked.close(today="2026-02-10")
    (document,) = talked.documents().values()
    assert document["lines"][0]["rates"] == ROWS
    talked.run("verify", today="2026-02-10")
    told = talked.run("explain", document["number"], 1, "--json", today="2026-02-10").json
    dated = [call["since"] for call in told["calls"] if call["prefix"] == "32"]
    assert sorted(dated) == ["", "", "", "2026-01-16"]
    assert told["line"] == document["lines"][0]


def test_re_rating_names_the_rows_that_hold_by_then_even_where_the_price_stays(talked):
    deck = talked.root / "tariffs/standard.csv"
    deck.write_text(DECK.replace("3247,Belgium,0.90,", "3247,Belgium,0.90,2026-01-01"))
    found = talked.run("rerate", "--dry-run", "--json").json
    assert found["changed"] == 0
    talked.run("rerate")
    (line,) = talked.preview("C1")["lines"]
    assert line["rates"] == [row("32", 2), row("32", 1, "2026-01-16"), row("3247", 1, "2026-01-01")]
    again = talked.digests()
    talked.run("rerate")
    assert talked.digests() == again


def test_a_bill_of_a_version_that_named_none_stays_as_it_is_and_is_verified(talked, monkeypatch):
    of = Calls.of
    monkeypatch.setattr(
        Calls, "of", lambda *asked: [line._replace(rates=()) for line in of(*asked)]
    )
    talked.close(today="2026-02-10")
    (number,) = talked.documents()
    shown = talked.run("invoice", number, "--format", "html", "-o", "-").stdout
    monkeypatch.undo()

    assert "rates" not in talked.documents()[number]["lines"][0]
    talked.run("verify", today="2026-02-10")
    assert talked.run("explain", number, 1, today="2026-02-10").stderr == ""
    assert talked.run("invoice", number, "--format", "html", "-o", "-").stdout == shown
