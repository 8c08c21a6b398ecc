"""Addresses and names around numbers, in logs of calls."""

from __future__ import annotations

import pyarrow as pa
import pytest

from a2ledger.sources import uris

NUMBER = "+3225550101"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (f"sip:{NUMBER}@pbx.example.com", NUMBER),
        (f"SIPS:{NUMBER}@pbx.example.com:5061;transport=tls?subject=x", NUMBER),
        (f'"Al, of Acme" <sip:{NUMBER}@192.0.2.1:5060;user=phone>;tag=as58f4', NUMBER),
        (f"<sip:{NUMBER}@host>", NUMBER),
        (f"tel:{NUMBER}", NUMBER),
        (f"<tel:{NUMBER};phone-context=example.com>", NUMBER),
        ("sip:%2B3225550101@host", NUMBER),
        ("sip:alice@host", "alice"),
        ("client:101", "101"),
        ("101@host", "101"),
        ("Al Smith (101)", "101"),
        ("Ext. 101", "101"),
        ("Belgium - Mobile", "Belgium - Mobile"),
        (NUMBER, NUMBER),
    ],
)
def test_a_number_is_known_whatever_stands_around_it(written, number):
    assert uris.bare(pa.array([written, "x"])).to_pylist() == [number, "x"]


@pytest.mark.parametrize(
    "written",
    ["sip:+3225550101@host", "<sip:003225550101@host>;tag=7", "tel:+32-2-555-01-01", "sip:acme@h"],
)
def test_a_customer_written_as_an_address_is_known_by_the_number_in_it(book, written):
    book.customers({"id": "C1", "identifiers": "3225550101, acme"})
    rows = (
        f"id,customer,start,called,seconds\nr1,{written},2026-01-05 10:00:00,sip:32470111222@c,60\n"
    )
    done = book.run("import", "calls", book.file("x.csv", rows), "--json", today="2026-01-31")
    assert (done.json["posted"], done.json["amount"]) == (1, "1.00")


def test_an_identifier_that_is_an_address_itself_is_known_as_it_is_written(book):
    book.customers({"id": "C1", "identifiers": "sip:acme@host"})
    head = "id,customer,start,called,seconds\n"
    row = "r1,sip:acme@host,2026-01-05 10:00:00,32470111222,60\n"
    path = book.file("x.csv", head + row)
    assert book.run("import", "calls", path, "--json", today="2026-01-31").json["posted"] == 1
