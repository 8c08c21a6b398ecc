from __future__ import annotations

import re
import string

import pytest
from beancount.core import account
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import accounts

NAMES = st.text(
    st.sampled_from(string.ascii_letters + string.digits + "-_.@+ :é\U0001f4de"), min_size=1
)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("C10001", "C10001"),
        ("10001", "10001"),
        ("A-b-C", "A-b-C"),
        ("c10001", "X-c10001"),
        ("X-1", "X-X-2d1"),
        ("X", "X"),
        ("a-b", "X-a-2db"),
        ("a_b", "X-a-5fb"),
        ("é", "X--c3-a9"),
        ("-", "X--2d"),
        ("Cé", "X-C-c3-a9"),
    ],
)
def test_a_name_stands_as_it_is_where_beancount_allows_it_and_else_in_hex(name, part):
    assert accounts.component(name) == part


@given(NAMES)
def test_every_name_gives_an_account(name):
    assert account.is_valid(accounts.unbilled(name))
    assert re.fullmatch(r"[A-Z0-9][A-Za-z0-9-]*", accounts.component(name))


@given(NAMES, NAMES)
def test_no_two_names_share_an_account(one, other):
    assert (accounts.component(one) == accounts.component(other)) == (one == other)


@pytest.mark.parametrize("text", ["C1", "1", "a.b_c@d+e-f", "x" * 64])
def test_ids_of_customers(text):
    assert accounts.is_customer_id(text)


@pytest.mark.parametrize(
    "text", ["", "-a", ".a", "../x", "a/b", "a b", "é", "a\n", "x" * 65, "a\0", "*"]
)
def test_what_is_no_id_of_a_customer(text):
    assert not accounts.is_customer_id(text)


def test_the_chart():
    assert accounts.unbilled("C1") == "Assets:Receivable:C1:Unbilled"
    assert accounts.billed("C1") == "Assets:Receivable:C1:Billed"
    assert accounts.income("One-off") == "Income:One-off"
    assert accounts.vat("S21") == "Liabilities:VAT:S21"
    assert accounts.gateway("PayPal") == "Assets:Gateway:PayPal"
    assert accounts.termination("acme") == "Expenses:Termination:X-acme"
    assert accounts.carrier("Acme") == "Liabilities:Carriers:Acme"
