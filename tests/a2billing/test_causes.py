"""Why two balances differ: what rows show, and what fits what is left."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.a2billing import causes
from a2ledger.a2billing.causes import Call, Held, Known, Line
from a2ledger.a2billing.money_log import Entry
from a2ledger.payments import posting
from a2ledger.records import Movement

OPENED, DAY = dt.date(2026, 1, 1), dt.date(2026, 1, 5)
EURO = 1_000_000
CARD = SimpleNamespace(id="1", initial_micro=5 * EURO, in_use=0)


def movement(kind="refill", identity="1", micro=10 * EURO, day=DAY, **more):
    facts = {"kind": kind, "source": "a2b", "id": identity, "customer": "C1", "date": day}
    return Movement(**facts, amount_micro=micro, **more)


def entry(moved=None, credit=None, cause="", **more):
    moved = moved or movement()
    return Entry(
        moved, moved.amount_micro if credit is None else credit, f"row {moved.id}", cause, **more
    )


def held(moved=None, micro=None, what="row", **more):
    moved = moved or movement()
    amount = moved.amount_micro if micro is None else micro
    facts = {"what": what, "micro": amount, "first_micro": amount, "voided": False, "title": "x"}
    return Held(posting.link(moved), **facts | more)


def found(entries, rows, in_credit=None):
    known = Known(OPENED, entries, rows, in_credit or {})
    return [(cause.code, cause.micro) for cause in causes.by_rows(known)]


def test_where_both_sides_say_the_same_there_is_no_cause():
    assert found([entry()], [held()]) == []
    assert found([], []) == []


def test_each_difference_of_a_row_has_its_cause():
    assert found([entry()], []) == [("not-in-book", 10 * EURO)]
    assert found([], [held()]) == [("row-deleted", 0)]
    assert found([entry(credit=0, cause="never-taken")], [held()]) == [("never-taken", -10 * EURO)]
    assert found([entry()], [held(voided=True, micro=0)]) == [("only-in-book", 10 * EURO)]
    edited = [entry(movement(micro=12 * EURO))]
    assert found(edited, [held()]) == [("refill-edited", 0)]
    assert found([entry(also_billed=True)], [held()]) == [("did-charged-twice", 0)]


def test_what_is_older_than_the_account_is_in_its_opening():
    older = entry(movement(day=dt.date(2025, 12, 31)))
    assert found([older], []) == [("before-opening", 10 * EURO)]
    opening = held(movement("opening"), what="opening")
    assert found([older], [opening]) == []


def test_bills_and_what_the_book_alone_has_are_lines_of_their_own():
    bill = held(movement("charge", "b"), -2 * EURO, "bill")
    other = held(movement("charge", "o"), -3 * EURO, "other")
    assert found([], [bill, other]) == [("vat-on-bills", 2 * EURO), ("only-in-book", 3 * EURO)]


MICRO = st.integers(-20, 20).map(lambda cents: cents * 10_000)
ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), MICRO, MICRO), max_size=4, unique_by=lambda row: row[0]
)


@given(ROWS, st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
def test_the_causes_that_rows_show_add_up_to_the_difference(rows, theirs, ours):
    """But for rows that were deleted or edited there, which did not move the balance."""
    entries = [
        entry(movement(identity=name, micro=a), credit=a) for name, a, _ in rows if name in theirs
    ]
    in_book = [held(movement(identity=name), b) for name, _, b in rows if name in ours]
    both = theirs & ours
    credit = sum(a for name, a, _ in rows if name in theirs)
    book = sum(b for name, _, b in rows if name in ours)
    said = causes.by_rows(Known(OPENED, entries, in_book, {}))
    edited = sum(a - b for name, a, b in rows if name in both)
    deleted = sum(b for name, _, b in rows if name in ours - theirs)
    assert sum(cause.micro for cause in said) == credit - book - edited + deleted


CALLS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 9))


@given(CALLS, CALLS)
def test_calls_differ_by_what_is_missing_and_what_has_another_price(theirs, ours):
    def calls(prices):
        return {key: Call(key, micro) for key, micro in prices.items()}

    said = list(causes.by_calls(calls(theirs), calls(ours), has_opening=False))
    deleted = sum(micro for key, micro in ours.items() if key not in theirs)
    assert sum(cause.micro for cause in said) == sum(ours.values()) - sum(theirs.values()) - deleted
    assert len({cause.code for cause in said}) == len(said)


def test_calls_before_the_opening_are_in_it():
    before = {"a": Call("a", EURO, is_before=True)}
    assert [c.code for c in causes.by_calls(before, {}, has_opening=False)] == ["before-opening"]
    assert list(causes.by_calls(before, {}, has_opening=True)) == []


def fits(left, entries=(), calls=(), edited=(), card=CARD):
    cause = causes.by_amount(left, card, entries, calls, edited)
    return cause and (cause.code, cause.rows)


def test_what_is_left_is_explained_only_by_what_fits_exactly():
    number = entry(
        movement("charge", "9", 4 * EURO, service="DIDs"), credit=-4 * EURO, also_billed=True
    )
    legs = [Call("leg 1", -2 * EURO, is_a_leg=True), Call("leg 2", -3 * EURO, is_a_leg=True)]
    assert fits(4 * EURO, [number]) == ("never-taken", ("row 9",))
    assert fits(-4 * EURO, [number]) == ("did-charged-twice", ("row 9",))
    assert fits(5 * EURO) == ("initial-credit", ("cc_card 1",))
    assert fits(-5 * EURO, calls=legs) == ("did-a-leg", ("leg 1", "leg 2"))
    assert fits(-500_000) == ("reservation", ("2 x 0.25000",))
    assert fits(-1_000_000) is None
    assert fits(10, calls=[Call("c", 1, "0.14200499653816223")]) == ("float-rounding", ("c",))
    assert fits(7, edited=[("cc_logrefill 1", (7, 8))]) == ("refill-edited", ("cc_logrefill 1",))
    assert fits(123_456) is None


@pytest.mark.parametrize(
    ("written", "micro"),
    [
        ("0.14200499653816223", 10), ("0.142", 0), ("0", 0), ("", 0), ("free", 0), ("inf", 0),
        ("123.457", 505), ("123.45678", 0), ("300.12344", 21), ("1e-05", 0),
    ],
)  # fmt: skip
def test_a_stored_price_is_doubtful_where_single_precision_may_have_moved_it(written, micro):
    assert causes.doubtful(written) == micro


def test_a_line_says_what_no_cause_explains():
    line = Line(customer="C1", card="1", username="1", credit_micro=7, book_micro=3)
    assert (line.difference_micro, line.unexplained_micro, line.agrees) == (4, 4, False)
    line.causes.append(causes.Cause("float-rounding", 4, tuple(map(str, range(25)))))
    assert (line.unexplained_micro, line.agrees) == (0, False)
    assert line.causes[0].message.endswith(" and 5 more")
    assert causes.hints(-10 * EURO, [entry()]) == ["as much as row 1"]
    assert Decimal(causes.RESERVATION_MICRO) / EURO == Decimal("0.25")
