"""Columns of other languages are known by their usual words, and a price of one is no amount."""

from __future__ import annotations

import pytest

from a2ledger.sources.usual_names import recognised

CHARGE = ("id", "customer", "date", "amount", "service", "description")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (["klantnummer", "datum", "bedrag"], {"klantnummer": "customer", "datum": "date",
                                              "bedrag": "amount"}),
        (["n° client", "date", "montant"], {"montant": "amount"}),
        (["numéro client", "date"], {"numéro client": "customer"}),
        (["customer", "klant"], {}),  # ours is there; the other is another column
        (["klant", "client"], {"klant": "customer"}),
    ],
)  # fmt: skip
def test_a_column_is_known_by_its_usual_word_where_ours_is_not_there(header, found):
    assert recognised(CHARGE, header, {}) == found


@pytest.mark.parametrize("word", ["price", "unit price", "prix", "Prijs".lower(), "einzelpreis"])
def test_the_price_of_one_is_an_amount_only_where_there_is_a_quantity(word):
    """Three at 4.00 would else be charged as 4.00."""
    assert recognised(CHARGE, ["customer", word, "qty"], {}) == {}
    fees = (*CHARGE, "quantity")
    assert recognised(fees, ["customer", word, "qty"], {}) == {word: "amount", "qty": "quantity"}


def test_a_list_of_charges_with_prices_of_one_is_refused(book):
    book.customers({"id": "C1"})
    text = "id,customer,date,unit price,qty,service\n1,C1,2026-01-01,4.00,3,DIDs\n"
    path = book.file("charges.csv", text)
    assert "there is no column amount" in book.run("import", "charges", path, code=65).stderr
    assert book.balance("C1")["owed"] == "0.00"
