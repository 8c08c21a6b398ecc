"""Every call is kept once, in its day and in its customer's open period."""

from __future__ import annotations

import pytest
from harness import call


@pytest.fixture
def pbx(book):
    book.customers({"id": "C1"}, {"id": "C2"})
    book.today = "2026-01-20"
    return book


def listed(book, customer="C1"):
    words = ("calls", customer, "--date", "2026-01-01", "--to", "2026-02-28", "--json")
    return [(row["id"].split("/")[-1], row["start"], row["cost"]) for row in book.run(*words).json]


def at(row, time):
    return row | {"start": f"{str(row['start'])[:10]} {time}"}


@pytest.mark.parametrize("order", [1, -1])
def test_a_call_is_one_call_on_either_side_of_midnight(pbx, order):
    """A switch whose clock was put right says another day of the same call: the earlier stays."""
    rows = [at(call("a", "C1", "2026-01-10", 60), "23:59:50"), call("a", "C1", "2026-01-11", 60)]
    rows[1] = at(rows[1], "00:00:10")
    for row in rows[::order]:
        pbx.imported("calls", [row], code=3 if row is rows[::order][1] else 0)
    assert listed(pbx) == [("a", "2026-01-10 23:59:50", "1.00")]
    assert pbx.balance("C1")["owed"] == "1.00"


def test_an_id_that_comes_again_days_later_is_another_call(pbx):
    for day in ("2026-01-10", "2026-01-12"):
        pbx.imported("calls", [call("a", "C1", day, 60)])
    assert [start for _, start, _ in listed(pbx)] == ["2026-01-10 12:00:00", "2026-01-12 12:00:00"]
    assert pbx.balance("C1")["owed"] == "2.00"


def test_a_call_of_a_closed_period_is_late_in_the_next_and_stays_in_its_day(pbx):
    pbx.talks("C1", "2026-01-10", 2)
    pbx.close(today="2026-02-03")
    pbx.imported("calls", [call("late", "C1", "2026-01-11", 60)], today="2026-02-04")
    pbx.today = "2026-02-04"
    assert ("late", "2026-01-11 12:00:00", "1.00") in listed(pbx)
    assert pbx.preview("C1")["to_pay"] == "3.00"
    assert pbx.balance("C1")["unbilled"] == "1.00"


def test_a_sealed_call_gives_way_to_nothing(pbx):
    pbx.imported("calls", [call("a", "C1", "2026-01-10", 60)])
    pbx.close(today="2026-02-03")
    before = pbx.digests()
    longer = call("a", "C1", "2026-01-10", 600)
    pbx.imported("calls", [longer], today="2026-02-04", code=3)
    pbx.run("quarantine", "retry", "--accept", "calls", today="2026-02-04", code=1)
    after = pbx.digests()
    assert {path for path in before if after.get(path) != before[path]} == set()
