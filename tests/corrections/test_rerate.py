"""Re-rating: what calls cost by now, where they stand and, for closed periods, as a difference."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import shelf
from examples import tried
from harness import STANDARD, call, csv_text
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.balances import balances
from a2ledger.corrections import rerate as rerating
from a2ledger.journal import subledgers
from a2ledger.journal.customer_file import with_facts

DOUBLE = STANDARD.replace("1.00", "2.00")


def tariff(book, text):
    (book.root / "tariffs/standard.csv").write_text(text)


@pytest.fixture
def shop(book):
    """C1 and C2; C1's device is known as d1."""
    book.customers({"id": "C1", "identifiers": "d1"}, {"id": "C2"})
    book.today = "2026-01-31"
    return book


def test_an_edited_deck_is_applied_to_the_open_period(shop):
    shop.talks("C1", "2026-01-05", 10)
    shop.talks("C1", "2026-01-06", 5)
    shop.talks("C2", "2026-01-06", 1)
    tariff(shop, DOUBLE)

    found = shop.run("rerate", "--json").json

    assert (found["calls"], found["changed"], found["given"]) == (3, 3, 0)
    assert found["customers"] == [
        {"customer": "C1", "currency": "EUR", "calls": 2, "before": "15.00", "after": "30.00",
         "difference": "15.00"},
        {"customer": "C2", "currency": "EUR", "calls": 1, "before": "1.00", "after": "2.00",
         "difference": "1.00"},
    ]  # fmt: skip
    assert shop.balance("C1")["owed"] == "30.00"
    assert shop.run("check", "C1", "C2").stdout == ""
    assert shop.log()[:2] == ["rerate: 3 call(s) looked at, 3 changed", "manual edit"]
    again = shop.digests()
    assert shop.run("rerate").stderr == "3 call(s) looked at, 0 changed\n"
    assert shop.digests() == again


def test_a_dry_run_says_what_a_deck_would_earn_and_writes_and_commits_nothing(shop):
    shop.talks("C1", "2026-01-05", 10)
    tariff(shop, DOUBLE)
    before, log = shop.digests(), shop.log()

    done = shop.run("rerate", "--dry-run")

    assert done.stdout.splitlines() == [
        "customer  calls     before      after  difference",
        "C1            1  10.000000  20.000000   10.000000  EUR",
    ]
    assert done.stderr == "would be: 1 call(s) looked at, 1 changed\n"
    assert (shop.digests(), shop.log()) == (before, log)
    assert " M tariffs/standard.csv" in shop.git("status", "--short")


def test_a_deck_that_is_bad_is_said_and_nothing_is_done(shop):
    shop.talks("C1", "2026-01-05", 10)
    tariff(shop, "dialprefix,rateinitial\ndefault,cheap\n")

    done = shop.run("rerate", "--dry-run", code=1)

    assert done.errors == [
        (
            "a2ledger: tariffs/standard.csv:2: rateinitial: 'cheap' is not an amount such as "
            "12.34; nothing was done; correct it and run again"
        )
    ]


def test_only_the_customers_named_and_only_from_a_day_on(shop):
    for name in ("C1", "C2"):
        shop.talks(name, "2026-01-05", 10)
        shop.talks(name, "2026-01-06", 10)
    tariff(shop, DOUBLE)

    shop.run("rerate", "--customer", "C2", "--from", "2026-01-06")

    assert shop.balance("C1")["owed"] == "20.00"
    assert shop.balance("C2")["owed"] == "30.00"
    assert "no such customer" in shop.run("rerate", "--customer", "C9", code=1).stderr


def test_a_discount_given_backwards_holds_after_re_rating(shop):
    shop.talks("C1", "2026-01-05", 10)
    shop.run("customer", "set", "C1", "discount_percent=10", "--from", "2026-01-01")
    assert shop.balance("C1")["owed"] == "10.00"

    shop.run("rerate")

    assert shop.balance("C1")["owed"] == "9.00"


def moved(shop, day="2026-01-01"):
    """The device d1 was C2's all along."""
    shop.run("customer", "set", "C1", "identifiers-=d1", "--from", day)
    shop.run("customer", "set", "C2", "identifiers=d1", "--from", day)


def moved_by_hand(shop):
    """The same where a period is closed: a command changes no fact there."""
    shop.edit("journals/customers/C1.beancount", '"identifiers" "d1"', '"identifiers" ""')
    line = '2026-01-01 custom "a2ledger-set" "identifiers" "d1"\n'
    shop.edit(
        "journals/customers/C2.beancount", 'include "../2026-01', line + 'include "../2026-01'
    )


def test_a_call_whose_identifier_was_another_customers_moves_to_him(shop):
    row = call("u1", "d1", "2026-01-05", 600)
    shop.imported("calls", [row, call("u2", "C1", "2026-01-05", 60)])
    moved(shop)

    found = shop.run("rerate", "--json").json

    assert found["changed"] == 1
    assert [(one["customer"], one["calls"], one["difference"]) for one in found["customers"]] == [
        ("C1", 1, "-10.00"),
        ("C2", 1, "10.00"),
    ]
    assert (shop.balance("C1")["owed"], shop.balance("C2")["owed"]) == ("1.00", "10.00")
    assert shop.run("check", "C1", "C2").stdout == ""
    assert "1 duplicate" in shop.imported("calls", [row]).stderr


def test_a_call_that_moves_into_a_closed_period_is_late_there(shop):
    shop.talks("C2", "2026-01-02", 1)
    shop.close("C2", today="2026-02-01")
    frozen = shop.text("journals/2026-01/C2.01.beancount")
    shop.imported("calls", [call("u1", "d1", "2026-01-05", 600)])
    moved_by_hand(shop)

    shop.run("rerate", today="2026-02-03")

    assert shop.text("journals/2026-01/C2.01.beancount") == frozen
    (line,) = shop.preview("C2", today="2026-02-03")["lines"]
    assert (line["kind"], line["late_from"], line["net"]) == ("late", "2026-01-05", "10.00")
    assert shop.balance("C1")["owed"] == "0.00"


def test_a_call_does_not_move_into_a_settled_account(shop):
    shop.imported("calls", [call("u1", "d1", "2026-01-05", 600)])
    moved(shop)
    shop.close("--final", "C2", today="2026-02-01")

    done = shop.run("rerate", today="2026-02-03", code=1)

    assert done.errors == [
        (
            "a2ledger: C1: 1 call(s): 'd1' is of a customer whose account was settled; not "
            "rerated; reopen the account, or leave the identifier where it was"
        )
    ]
    assert shop.balance("C1")["owed"] == "10.00"


def test_what_can_not_be_rerated_stays_and_is_named(shop):
    shop.imported("calls", [call("u1", "d1", "2026-01-05", 600, called="44123")])
    shop.imported("calls", [call("u2", "C2", "2026-01-05", 600, called="44123")])
    shop.imported("calls", [call("u3", "C2", "2026-01-05", 600, called="32123")])
    shop.run("customer", "set", "C1", "--yes", "identifiers=", "--from", "2026-01-01")
    tariff(shop, DOUBLE.replace("\ndefault,", "\n32,"))

    done = shop.run("rerate", code=1)

    assert done.errors == [
        (
            "a2ledger: C1: 1 call(s): nobody holds 'd1' on their day; not rerated; "
            "give the identifier to a customer, or void the calls"
        ),
        "a2ledger: C2: 1 call(s): no rate for 44123; not rerated; add a rate, or void the calls",
    ]
    assert done.stderr.endswith("3 call(s) looked at, 1 changed, 2 not rerated\n")
    assert (shop.balance("C1")["owed"], shop.balance("C2")["owed"]) == ("10.00", "30.00")


def test_a_price_given_with_the_call_stays(shop):
    shop.imported("calls", [call("u1", "C1", "2026-01-05", 600) | {"cost": "0.37"}])
    tariff(shop, DOUBLE)

    found = shop.run("rerate", "--json").json

    assert (found["given"], found["changed"], found["customers"]) == (1, 0, [])
    assert shop.balance("C1")["owed"] == "0.37"


@pytest.mark.parametrize(
    ("deck", "said"),
    [
        ("dialprefix,rateinitial\n9,1.00\n", "add a rate, or void the calls"),
        (
            "dialprefix,rateinitial,blocked\ndefault,,yes\n",
            "let the deck allow them, or void the calls",
        ),
    ],
)
def test_calls_that_have_no_price_any_more_keep_theirs_and_are_named(shop, deck, said):
    shop.talks("C1", "2026-01-05", 10)
    tariff(shop, deck)

    done = shop.run("rerate", code=1)

    assert f"; not rerated; {said}\n" in done.stderr
    assert shop.balance("C1")["owed"] == "10.00"


def test_what_a_carrier_is_owed_follows(shop):
    head = "dialprefix,rateinitial,buyrate,carrier\n"
    tariff(shop, head + "default,1.00,0.50,ACME\n")
    shop.talks("C1", "2026-01-05", 10)
    tariff(shop, head + "default,1.00,0.25,Zen\n")

    shop.run("rerate")

    sums = shop.sums()
    assert sums["Liabilities:Carriers:Zen"] == Decimal("-2.50")
    assert "Liabilities:Carriers:ACME" not in sums


# ---- closed periods ----


@pytest.fixture
def closed(shop):
    """January closed: C1 talked 10 minutes on the 5th and 10 on the 20th, at 1.00."""
    shop.talks("C1", "2026-01-05", 10)
    shop.talks("C1", "2026-01-20", 10)
    shop.close("C1", today="2026-02-01")
    shop.today = "2026-02-10"
    return shop


def test_a_closed_period_is_not_touched_unless_asked(closed):
    tariff(closed, DOUBLE)
    assert closed.run("rerate").stderr.endswith("0 call(s) looked at, 0 changed\n")


def test_the_difference_of_a_closed_period_is_posted_in_the_open_one(closed):
    frozen = closed.text("journals/2026-01/C1.01.beancount")
    tariff(closed, STANDARD.replace("1.00", "1.50"))

    found = closed.run("rerate", "--from", "2026-01-10", "--json").json

    assert found["changed"] == 0
    assert found["corrections"] == [
        {"customer": "C1", "currency": "EUR", "service": "Calls", "vat_code": "O",
         "from": "2026-01-10", "to": "2026-01-20", "calls": 1,
         "before": "10.00", "after": "15.00", "difference": "5.00"}
    ]  # fmt: skip
    assert closed.text("journals/2026-01/C1.01.beancount") == frozen
    (line,) = closed.preview("C1")["lines"]
    assert (line["kind"], line["net"]) == ("correction", "5.00")
    assert line["description"] == "Re-rated: 1 call of 10 January 2026 to 20 January 2026"
    assert "^rerate-C1-2026-01-Calls-O-1" in closed.text("journals/2026-02/C1.01.beancount")
    assert closed.run("check", "C1").stdout == ""


def test_a_second_run_posts_only_what_changed_since(closed):
    tariff(closed, DOUBLE)
    closed.run("rerate", "--from", "2026-01-10")
    books = closed.digests()
    assert closed.run("rerate", "--from", "2026-01-10").stdout == ""
    assert closed.digests() == books

    closed.run("rerate", "--from", "2026-01-01")
    # 20 more for all of January, 10 of which were posted before.
    assert closed.balance("C1")["unbilled"] == "20.00"

    closed.close("C1", today="2026-03-01")
    tariff(closed, STANDARD)
    closed.run("rerate", "--from", "2026-01-01", today="2026-03-02")
    assert closed.balance("C1")["unbilled"] == "-20.00"
    assert closed.balance("C1")["owed"] == "20.00"
    assert closed.run("check", "C1").stdout == ""


def test_a_month_that_was_re_rated_from_an_earlier_day_cannot_be_told_apart(closed):
    tariff(closed, DOUBLE)
    closed.run("rerate", "--from", "2026-01-01")
    tariff(closed, STANDARD)

    done = closed.run("rerate", "--from", "2026-01-10", code=1)

    assert done.errors == [
        (
            "a2ledger: C1: calls of 2026-01 were re-rated from 2026-01-01 on before; nothing was "
            "done; say --from 2026-01-01, and give the rates in the deck dates if they differ "
            "within the month"
        )
    ]


def test_a_sealed_call_that_is_another_customers_by_now_stays_and_is_named(shop):
    shop.imported("calls", [call("u1", "d1", "2026-01-05", 600)])
    shop.close("C1", today="2026-02-01")
    moved_by_hand(shop)

    done = shop.run("rerate", "--from", "2026-01-01", today="2026-02-02", code=1)

    assert "'d1' is another's on their day, but their period is closed" in done.stderr
    assert shop.balance("C2")["owed"] == "0.00"


# ---- laws ----

HEAD = "dialprefix,destination,rateinitial,initblock,billingblock,buyrate,carrier\n"
DECKS = [
    HEAD + "3,Near,0.123457,1,1,0.1,ACME\n4,Far,0.5,60,60,,\n",
    HEAD + "3,Near,0.3,30,6,0.05,Zen\n33,France,0.7,1,1,0,\n4,Far,0,1,1,0.2,ACME\n",
    HEAD + "3,Near,0.123457,1,1,0.1,ACME\n34,Spain,2,60,60,,\n4,Elsewhere,0.5,60,60,,\n",
]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["C1", "c2", "dev"]),
        st.sampled_from(["2025-12-31 12:00:00", "2026-01-05 12:00:00", "2026-01-06 12:00:00"]),
        st.sampled_from(["3225550199", "33140000000", "34911111111", "4412345"]),
        st.sampled_from([0, 30, 61]),
        st.sampled_from(["", "", "1.5"]),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Two customers; the first's December is closed, and the device is his."""
    book = tmp_path_factory.mktemp("rerate") / "book"
    root = shelf.started(book, "C1", "c2", opened="2025-12-01", vat="none")
    shelf.close(root, dt.date(2026, 1, 1), names=("C1",))
    change(root, "C1", "dev")
    return root


def change(root, name, identifiers):
    one = shelf.draft(root)
    since = dt.date(2025, 12, 1)
    changed = with_facts(subledgers.customer(one, name), [("identifiers", identifiers)], since)
    subledgers.put_customer(one, changed)
    shelf.publish(one)


def move(root):
    change(root, "C1", "")
    change(root, "c2", "dev")


def rerate(root, **options):
    one = shelf.draft(root)
    found = rerating.rerate(one, **options)
    shelf.publish(one)
    return found


def rows_text(rows):
    return csv_text(
        {"id": f"u{n}", "customer": row[0], "start": row[1], "called": row[2],
         "seconds": row[3], "cost": row[4]}
        for n, row in enumerate(rows)
    )  # fmt: skip


def deck(root, text):
    (root / "tariffs/standard.csv").write_text(text)


@tried(10)
@given(rows=ROWS, first=st.sampled_from(DECKS), then=st.sampled_from(DECKS), moving=st.booleans())
def test_re_rating_gives_the_books_of_an_import_as_things_are_now(
    template, rows, first, then, moving
):
    text = rows_text(rows)
    with shelf.copied(template) as root:
        deck(root, then)
        if moving:
            move(root)
        shelf.take(root, "calls", text)
        anew = shelf.ledger_of(root)
    with shelf.copied(template) as root:
        deck(root, first)
        shelf.take(root, "calls", text)
        deck(root, then)
        if moving:
            move(root)
        rerate(root)
        assert shelf.ledger_of(root) == anew
        once = shelf.tree(root)
        assert rerate(root).changed == 0
        assert shelf.tree(root) == once


@tried(6)
@given(rows=ROWS, decks=st.lists(st.sampled_from(DECKS), min_size=2, max_size=4))
def test_what_was_billed_and_what_was_corrected_add_up_to_what_the_last_deck_says(
    template, rows, decks
):
    rows = [("C1", *row[1:]) for row in rows]
    with shelf.copied(template) as root:
        deck(root, decks[-1])
        shelf.take(root, "calls", rows_text(rows))
        wanted = owed(root)
    with shelf.copied(template) as root:
        deck(root, decks[0])
        shelf.take(root, "calls", rows_text(rows))
        shelf.close(root, dt.date(2026, 2, 1), names=("C1",))
        for text in decks[1:]:
            deck(root, text)
            rerate(root, since=dt.date(2025, 12, 1))
        assert owed(root) == wanted


def owed(root):
    """Everything C1 owes, closed or not."""
    found = balances.standings(shelf.draft(root))
    return next(row.owed_micro for row in found if row.customer == "C1")
