"""What a change of prices earns is what two re-ratings differ by."""

from __future__ import annotations

import random

import pytest
from examples import sampled

from a2ledger import money

HEAD = (
    "dialprefix,destination,rateinitial,initblock,billingblock,connectcharge,buyrate,carrier,"
    "startdate\n"
)


def deck(chance):
    """A deck of random rates, some of them dated, some prefixes missing."""
    rows = []
    for prefix in ("3", "32", "324", "44", "1"):
        if prefix != "3" and chance.random() < 0.2:
            continue
        for since in ("", "2026-02-10")[: chance.choice([1, 2])]:
            rate = chance.randrange(1, 900_000)
            fee = chance.choice(["", "0.05"])
            buy = chance.choice(["0.1,Nordic", ","])
            rows.append(
                f"{prefix},To {prefix},0.{rate:06},{chance.choice([1, 60])},7,{fee},{buy},{since}"
            )
    return HEAD + "\n".join(rows) + "\n"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(sampled(4, 1)))
def test_the_effect_is_the_difference_of_two_reratings(book, seed):
    chance = random.Random(seed)  # noqa: S311 - a test's
    book.today = "2026-02-27"
    standard = book.root / "tariffs/standard.csv"
    old, new = deck(chance), deck(chance)
    standard.write_text(old)
    book.customers(
        {"id": "C1"}, {"id": "C2", "discount_percent": "12.5"}, {"id": "C3", "currency": "EUR"}
    )
    calls = [
        {
            "id": number,
            "customer": chance.choice(["C1", "C2", "C3"]),
            "start": f"2026-02-{chance.randrange(1, 27):02} 10:00:00",
            "called": chance.choice(["3255501", "32470", "33155", "4420", "1212", "861"]),
            "seconds": chance.randrange(400),
        }
        for number in range(60)
    ]
    book.imported("calls", calls, code=3)  # nobody has a rate for 861
    book.run("rerate")
    found = book.run("tariff", "diff", "standard", book.file("new.csv", new), "--json").json
    assert found["month"] == "2026-02"

    def standing():
        return {
            row["customer"]: money.parse(row["owed"]) for row in book.run("balances", "--json").json
        }

    before = standing()
    standard.write_text(new)
    rerated = {row["customer"]: row for row in book.run("rerate", "--json").json["customers"]}
    after = standing()
    assert before != after
    effect = {row["customer"]: row for row in found["customers"]}
    for name in ("C1", "C2", "C3"):
        difference = after[name] - before[name]
        assert money.parse(effect[name]["difference"]) == difference
        assert money.parse(rerated.get(name, {"difference": "0"})["difference"]) == difference
    (total,) = found["totals"]
    assert money.parse(total["difference"]) == sum(after.values()) - sum(before.values())
    assert sum(money.parse(row["difference"]) for row in found["destinations"]) == money.parse(
        total["difference"]
    )
    # Once more, there is nothing left to earn by it.
    again = book.run("tariff", "diff", "standard", book.file("new.csv", new), "--json").json
    assert again["totals"][0]["difference"] == "0.00"


DATED = (
    "dialprefix,destination,rateinitial,buyrate,carrier,startdate\n"
    "32,Belgium,0.60,0.30,Nordic,\n32,Belgium,0.20,0.10,Nordic,2026-02-10\n"
)


def two_calls(book):
    """Have a customer call before and after a price changes."""
    (book.root / "tariffs/standard.csv").write_text(DATED)
    book.today = "2026-02-20"
    book.customers({"id": "C1", "opened": "2026-02-01"})
    book.talks("C1", "2026-02-05", 10)
    book.talks("C1", "2026-02-12", 10)


@pytest.mark.parametrize("seed", range(2))
def test_the_effect_on_a_closed_month_is_what_rerating_it_posts(book, seed):
    chance = random.Random(seed)  # noqa: S311 - a test's
    standard = book.root / "tariffs/standard.csv"
    old, new = deck(chance), deck(chance)
    standard.write_text(old)
    book.today = "2026-02-27"
    book.customers({"id": "C1"}, {"id": "C2", "discount_percent": "12.5"})
    calls = [
        {
            "id": number,
            "customer": chance.choice(["C1", "C2"]),
            "start": f"2026-02-{chance.randrange(1, 27):02} 10:00:00",
            "called": chance.choice(["3255501", "32470", "33155"]),
            "seconds": chance.randrange(400),
        }
        for number in range(30)
    ]
    book.imported("calls", calls)
    book.today = "2026-03-05"
    book.run("close")
    words = ("tariff", "diff", "standard", book.file("new.csv", new), "--month", "2026-02")
    found = book.run(*words, "--json").json
    effect = {row["customer"]: money.parse(row["difference"]) for row in found["customers"]}
    standard.write_text(new)
    rerated = book.run("rerate", "--from", "2026-02-01", "--rates", "--json").json
    posted = dict.fromkeys(effect, 0)
    for correction in rerated["corrections"]:
        posted[correction["customer"]] += money.parse(correction["difference"])
    assert posted == effect
    assert any(effect.values())
    by_row = sum(money.parse(row["difference"]) for row in rerated["rates"])
    assert by_row == sum(effect.values())


def test_a_deck_of_an_earlier_commit_is_compared(book):
    two_calls(book)
    book.append("tariffs/standard.csv", "32,Belgium,0.30,0.10,Nordic,2026-02-11\n")
    done = book.run("tariff", "diff", "HEAD:tariffs/standard.csv", "standard")
    assert "2026-02: 2 calls, 8.00 -> 9.00 EUR, +1.00; margin 4.00 -> 5.00" in done.stdout
    by_file = book.run(
        "tariff", "diff", "HEAD:tariffs/standard.csv", book.root / "tariffs/standard.csv"
    )
    assert by_file.stdout == done.stdout
    nowhere = book.run("tariff", "diff", "HEAD~99:tariffs/standard.csv", "standard", code=1)
    assert "HEAD~99:tariffs/standard.csv: is neither a deck" in nowhere.stderr


def test_rerate_and_explain_name_the_row_that_held(book):
    two_calls(book)
    first = book.run("explain", "C1", "1", "--call", "1").stdout
    second = book.run("explain", "C1", "1", "--call", "2").stdout
    assert "tariffs/standard.csv:2, prefix 32, Belgium" in first
    assert "tariffs/standard.csv:3, prefix 32, Belgium" in second
    book.append("tariffs/standard.csv", "32,Belgium,0.30,0.10,Nordic,2026-02-11\n")
    done = book.run("rerate", "--rates", "--dry-run")
    assert "tariffs/standard.csv:4  32 Belgium: 1 call(s), 2.00 -> 3.00" in done.stdout
    (row,) = book.run("rerate", "--rates", "--json").json["rates"]
    assert (row["row"], row["difference"]) == ("tariffs/standard.csv:4", "1.00")
    assert "standard.csv:4, prefix 32" in book.run("explain", "C1", "1", "--call", "2").stdout


def test_a_deck_is_compared_with_itself_on_another_day(book):
    (book.root / "tariffs/standard.csv").write_text(
        "dialprefix,destination,rateinitial,buyrate,carrier,startdate\n"
        "32,Belgium,0.60,0.30,Nordic,\n32,Belgium,0.20,0.30,Nordic,2026-03-01\n"
    )
    book.today = "2026-02-20"
    book.customers({"id": "C1"})
    book.talks("C1", "2026-02-05", 10)
    done = book.run("tariff", "diff", "--deck", "standard", "--at", "2026-02-01", "2026-03-01")
    assert "2026-02: 1 calls, 6.00 -> 2.00 EUR, -4.00; margin 3.00 -> -1.00" in done.stdout
    assert "1 calls would be sold below what the carrier takes" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("standard",), 2, "name OLD and NEW"),
        (("standard", "nowhere"), 1, "nowhere: is neither a deck, a file, nor one of an earlier"),
        (("standard", "standard", "--month", "2025-01"), 1, "2025-01: there are no calls"),
        (("--at", "2026-01-01", "2026-02-01"), 2, "--at needs --deck"),
    ],
)
def test_what_cannot_be_compared_is_said(book, words, code, says):
    assert says in book.run("tariff", "diff", *words, code=code).stderr
