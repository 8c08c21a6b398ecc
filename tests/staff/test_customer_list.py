"""The list of customers: a page of many, and totals of all."""

from __future__ import annotations

import pytest

from a2ledger.journal.ledger import Standing
from a2ledger.staff import customer_list
from a2ledger.staff.cards import Row
from a2ledger.staff.customer_list import Order

ROWS = [
    Row(Standing(f"C{number}", f"Name {number % 7}", "EUR", number * 1_000_000, 0, 5_000_000_000))
    for number in range(10_000)
]


def test_a_page_of_ten_thousand_is_a_hundred_rows_and_its_totals_are_of_all():
    page = customer_list.page(ROWS, Order(text="over LIMIT"), 250)
    assert (len(page["rows"]), page["first"], page["last"]) == (100, 201, 300)
    assert (page["count"], page["all"], page["before"], page["after"]) == (4999, 10_000, 100, 300)
    assert page["totals"] == [
        {"currency": "EUR", "owed": "49995000.00", "to_pay": "49995000.00", "unbilled": "0.00"}
    ]


def test_the_last_page_is_shown_for_whatever_is_beyond_it():
    page = customer_list.page(ROWS, Order(), 999_999)
    assert (page["first"], page["last"], page["after"]) == (9901, 10_000, None)
    assert customer_list.page([], Order(), 7)["rows"] == []


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (Order(), "C9999"),
        (Order(only_over=True), "C9999"),
        (Order(key="customer"), "C0"),
        (Order(key="customer", is_down=True), "C9999"),
        (Order(key="available"), "C9999"),
        (Order(key="name"), "C9996"),
        (Order(key="nothing we have"), "C9999"),
    ],
)
def test_it_is_sorted_as_its_address_says(order, first):
    assert customer_list.chosen(ROWS, order)[0].standing.customer == first


def test_numbers_in_names_count_as_numbers():
    names = [row.standing.customer for row in customer_list.chosen(ROWS, Order(key="customer"))]
    assert names[8:12] == ["C8", "C9", "C10", "C11"]
