"""Payments and the refills they pay for, put together in whichever order they come."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from a2ledger import accounts, money
from a2ledger.book import config
from a2ledger.journal.entries import own_link
from a2ledger.payments import pairs, posting
from a2ledger.payments.pairs import Known
from a2ledger.records import Movement

DAY = dt.date(2026, 1, 5)
BILLED = accounts.billed("C1")
CENTS = st.integers(1, 30).map(lambda euros: euros * 1_000_000)


def moved(kind, identity, micro, reference=""):
    movement = Movement(
        kind=kind, source=f"{kind}s", id=identity, customer="C1", date=DAY, amount_micro=micro,
        reference=reference,
    )  # fmt: skip
    return posting.entry(movement, currency="EUR", methods=config.METHODS)


@st.composite
def movements(draw):
    """Refills, and payments of which some name one of them, or are named by it."""
    every = []
    for number in range(draw(st.integers(1, 3))):
        reference = draw(st.sampled_from(["", "p0", "p1"]))
        every.append(moved("refill", f"r{number}", draw(CENTS), reference))
    for number in range(draw(st.integers(0, 4))):
        reference = draw(st.sampled_from(["", "r0", "r0", "r1", "r2"]))
        every.append(moved("payment", f"p{number}", draw(CENTS), reference))
    return every


def in_order(batches):
    """What the book holds after batches of entries, by link."""
    held = {}
    for batch in batches:
        known = [Known("C1", entry, sealed=False) for entry in held.values()]
        held |= {own_link(entry): entry for entry in pairs.pair("C1", batch, known)}
    return held


def credit(entries):
    """What entries credit the customer with."""
    return -sum(
        money.micro(leg.units.number)
        for entry in entries
        for leg in entry.postings
        if leg.account == BILLED
    )


@given(movements(), st.randoms())
def test_in_whatever_order_and_batches_they_come_the_book_is_the_same(every, random):
    shuffled = random.sample(every, len(every))

    assert in_order([[entry] for entry in shuffled]) == in_order([every])


@given(movements())
def test_the_customer_is_credited_with_refills_and_what_payments_have_more(every):
    held = in_order([every])

    worth = Counter()
    for link, entry in held.items():
        worth[link] = posting.credited(entry)
    refills = [entry for link, entry in held.items() if link.startswith("refill-")]
    paid, loose = Counter(), 0
    for link, entry in held.items():
        if link.startswith("payment-"):
            refill = pairs.partner(entry, refills)
            if refill is None:
                loose += worth[link]
            else:
                paid[own_link(refill)] += worth[link]
    expected = loose + sum(
        max(worth[own_link(refill)], paid[own_link(refill)]) for refill in refills
    )
    assert credit(held.values()) == expected


def test_what_is_sealed_stays_and_the_other_of_the_pair_gives_way():
    refill, payment = moved("refill", "r0", 10_000_000), moved("payment", "p0", 10_000_000, "r0")
    sealed = Known("C1", payment, sealed=True)

    (given_way,) = pairs.pair("C1", [refill], [sealed])

    assert own_link(given_way) == "refill-refills-r0"
    assert credit([payment, given_way]) == 10_000_000


def test_a_payment_of_a_dialect_that_adds_vat_is_for_its_refill_whole():
    refill, payment = moved("refill", "r0", 10_000_000), moved("payment", "p0", 12_100_000, "r0")

    usual = list(pairs.pair("C1", [refill, payment], []))
    whole = list(pairs.pair("C1", [refill, payment], [], ("payment-payments-",)))

    assert (credit(usual), credit(whole)) == (12_100_000, 10_000_000)
