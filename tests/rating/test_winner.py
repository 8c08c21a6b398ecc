"""Which rate holds for a number, and why the others do not."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf
from hypothesis import given
from hypothesis import strategies as st
from pricing import MONDAY, NUMBER, batch, plan

from a2ledger.book.book import Book
from a2ledger.rating import decks, rate, winner

STANDARD = (
    "dialprefix,destination,rateinitial,buyrate,startdate,stopdate,starttime,endtime,blocked\n"
    "32,Belgium,0.10,0.04,,2026-01-01,,,\n"
    "32,Belgium,0.12,0.05,2026-01-01,,,,\n"
    "32,Belgium,0.20,,2027-01-01,,,,\n"
    "3247,Mobile by night,0.30,,,,0,59,\n"
    "_328X.,Services,0.90,,,,,,\n"
    "3290,Premium,,,,,,,yes\n"
)
SAVER = "dialprefix,destination,rateinitial\n3,Europe,0.05\n"


def book(directory, **texts):
    root = directory / "book"
    (root / "tariffs").mkdir(parents=True)
    (root / "a2ledger.toml").write_text(shelf.CONFIG)
    for name, text in texts.items():
        (root / f"tariffs/{name}.csv").write_text(text)
    return Book(root)


def verdicts(known):
    return [(candidate.line, candidate.verdict) for candidate in known.candidates]


def test_every_rate_that_fits_says_why_it_does_or_does_not_hold(tmp_path):
    own = book(tmp_path, standard=STANDARD)
    known = winner.explain(own, ("standard",), "+32 (2) 555.01-01", MONDAY, 0)
    assert known.number == "3225550101"
    assert verdicts(known) == [
        (4, "holds from 2027-01-01 on"),
        (3, "holds"),
        (2, "ended on 2026-01-01"),
    ]
    assert (known.minute.cost_micro, known.bought.cost_micro) == (120_000, 50_000)


def test_a_rate_for_other_hours_leaves_the_call_to_a_shorter_prefix(tmp_path):
    own = book(tmp_path, standard=STANDARD)
    by_day = winner.explain(own, ("standard",), "0032475", MONDAY + dt.timedelta(hours=9), 0)
    assert verdicts(by_day)[0] == (5, "holds at other times of the week")
    assert by_day.minute.cost_micro == 120_000
    by_night = winner.explain(own, ("standard",), "0032475", MONDAY, 2_500)
    assert verdicts(by_night)[0] == (5, "holds")
    assert by_night.minute.cost_micro == 225_000


def test_an_earlier_deck_decides_whatever_a_later_one_has(tmp_path):
    own = book(tmp_path, saver=SAVER, standard=STANDARD)
    known = winner.explain(own, ("saver", "standard"), "3225550101", MONDAY, 0)
    assert [candidate.verdict for candidate in known.candidates] == [
        "holds",
        "holds from 2027-01-01 on",
        "an earlier deck decides",
        "ended on 2026-01-01",
    ]
    assert known.minute.cost_micro == 50_000


def test_a_blocked_call_and_one_without_a_rate_have_no_price(tmp_path):
    own = book(tmp_path, standard=STANDARD)
    blocked = winner.explain(own, ("standard",), "32901", MONDAY, 0)
    assert (blocked.reason, blocked.minute, blocked.bought) == ("blocked", None, None)
    assert blocked.lines()[-1] == "blocked: such calls are refused"
    unknown = winner.explain(own, ("standard",), "44", MONDAY, 0)
    assert (unknown.reason, unknown.candidates) == ("no-rate", ())
    assert unknown.as_json()["minute"] is None


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return book(tmp_path_factory.mktemp("decks"), standard=STANDARD, saver=SAVER)


@given(
    number=NUMBER.filter(lambda text: text.isdecimal() and text[0] != "0"),
    minutes=st.integers(0, 20_000),
)
def test_the_rate_that_holds_is_the_one_by_which_calls_are_priced(shared, number, minutes):
    loaded = tuple(decks.deck(shared, name) for name in ("saver", "standard"))
    moment = MONDAY + dt.timedelta(minutes=minutes)
    (call,) = rate.rate(batch((number, moment, 60)), [plan(*loaded)]).to_pylist()
    known = winner.explain(shared, ("saver", "standard"), number, moment, 0)
    holding = [row for row in known.candidates if row.verdict == "holds"]
    assert known.reason == call["reason"]
    assert [(row.deck, row.prefix) for row in holding] == [(call["deck"], call["prefix"])] * len(
        holding
    )
    assert len(holding) == (call["reason"] != "no-rate")
    if known.minute:
        assert known.minute.cost_micro == call["cost_micro"]


def test_the_days_on_which_rates_will_begin(tmp_path):
    own = book(tmp_path, standard=STANDARD, saver=SAVER)
    standard, saver = decks.deck(own, "standard"), decks.deck(own, "saver")
    first, second = dt.date(2026, 1, 1), dt.date(2027, 1, 1)
    assert winner.coming(standard, dt.date(2025, 12, 31)) == [first, second]
    assert winner.coming(standard, first) == [second]
    assert winner.coming(standard, second) == winner.coming(saver, first) == []
