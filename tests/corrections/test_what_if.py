"""What a change of prices earns is what two re-ratings differ by."""

from __future__ import annotations

import random

import pytest

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


@pytest.mark.parametrize("seed", range(4))
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
