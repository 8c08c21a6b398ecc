"""The book as the switchboard reads it: whole at first, then what changed."""

from __future__ import annotations

import datetime as dt

import pytest

from a2ledger.balances import balances
from a2ledger.book.config import ConfigError
from a2ledger.switch import read_book
from a2ledger.switch.read_book import BookReader
from a2ledger.switch.reservations import Reservation


@pytest.fixture
def company(book):
    book.customers({"id": "C1", "identifiers": "alice"}, {"id": "C2", "identifiers": "bob"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-11")
    book.today = "2026-01-11"
    return book


def owed(snapshot):
    return {name: account.owed_micro for name, account in snapshot.accounts.items()}


def test_it_says_who_owes_what_and_who_holds_which_number(company):
    snapshot = BookReader(company.root).read()
    assert owed(snapshot) == {"C1": 10_000_000, "C2": 0}
    assert snapshot.holders["alice"] == ("C1",)
    assert set(snapshot.decks) == {"standard"}
    assert snapshot.currency == "EUR"


def test_what_is_published_is_read_and_of_the_others_nothing(company, monkeypatch):
    reader = BookReader(company.root)
    reader.read()
    assert not reader.is_behind()
    company.talks("C2", "2026-01-10", 3, today="2026-01-11")
    assert reader.is_behind()
    asked = []
    sums = balances.sums
    monkeypatch.setattr(
        read_book.balances,
        "sums",
        lambda book, customer, day: asked.append(customer.id) or sums(book, customer, day),
    )
    assert owed(reader.read()) == {"C1": 10_000_000, "C2": 3_000_000}
    assert asked == ["C2"]


def test_a_number_that_moved_is_held_by_both_for_their_days(company):
    company.run("customer", "set", "C1", "identifiers=", "--from", "2026-01-05", "--yes")
    company.run("customer", "set", "C2", "identifiers+=alice", "--from", "2026-01-05")
    assert set(BookReader(company.root).read().holders["alice"]) == {"C1", "C2"}


@pytest.mark.parametrize("amount", ["ten EUR", "1.000000 EUR"])
def test_a_ledger_that_hands_changed_keeps_its_last_balance_until_a_command_takes_it(
    company, amount
):
    reader = BookReader(company.root)
    customer = reader.read().accounts["C1"].customer
    period = balances.period_file(customer, dt.date.max)
    company.edit(period, "10.000000 EUR", amount)
    snapshot = reader.read()
    account = snapshot.accounts["C1"]
    assert (account.owed_micro, account.is_sound) == (10_000_000, False)
    assert snapshot.accounts["C2"].is_sound
    assert f"{period}: was changed by hand" in reader.unsound[period]
    assert not BookReader(company.root).read().accounts["C1"].is_sound
    company.run("doctor", "--mend")
    assert reader.read().accounts["C1"].is_sound
    assert reader.unsound == {}


def test_an_edit_that_a_command_has_taken_counts(company):
    reader = BookReader(company.root)
    period = balances.period_file(reader.read().accounts["C1"].customer, dt.date.max)
    entry = (
        '2026-01-10 * "Goodwill" "Line was down"\n'
        "  Expenses:Goodwill             1.00 EUR\n"
        "  Assets:Receivable:C1:Billed  -1.00 EUR\n\n"
    )
    company.edit(period, "; ---- usage", f"{entry}; ---- usage")
    assert not reader.read().accounts["C1"].is_sound
    company.run("customer", "set", "C2", "name=Bob")
    account = reader.read().accounts["C1"]
    assert (account.is_sound, account.owed_micro) == (True, 9_000_000)


def test_a_deck_that_cannot_be_read_is_named_and_the_others_serve(company):
    (company.root / "tariffs/standard.csv").write_text("prefix\n")
    reader = BookReader(company.root)
    assert reader.read().decks == {}
    assert "tariffs/standard.csv" in reader.unsound


def test_settings_that_are_none_are_refused(company):
    reader = BookReader(company.root)
    reader.read()
    company.append("a2ledger.toml", "\nnot = = toml\n")
    assert reader.is_behind()
    with pytest.raises(ConfigError):
        reader.read()


def test_records_of_allowed_calls_are_found_once(company):
    reader = BookReader(company.root)
    generation = reader.read().generation
    start = dt.datetime(2026, 1, 10, 12, tzinfo=reader.zone).timestamp()
    waiting = [_waits("talk-2", int(start)), _waits("another", int(start))]
    (found,) = reader.records(waiting, generation)
    assert (found.call, found.seconds, found.cost_micro) == ("talk-2", 600, 10_000_000)
    assert reader.records(waiting, generation) == []  # the day has not changed since
    reader.look_again()
    assert len(reader.records(waiting, generation)) == 1
    assert reader.records(waiting, generation + 1) is None  # of another book than was read
    assert reader.records([], generation) == []


def _waits(call, started):
    return Reservation(
        call=call, attempt=1, switch="", customer="C1", called="3225550199",
        destination="Anywhere", started=started, max_seconds=3600, held_micro=1,
    )  # fmt: skip
