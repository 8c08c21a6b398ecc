"""What the command line says of a customer: what holds, since when, and what held before."""

from __future__ import annotations


def test_a_change_says_what_was_and_what_is(book):
    book.customers({"id": "C1", "credit_limit": "25", "identifiers": "alice"})
    words = ("customer", "set", "C1", "credit_limit=50", "identifiers+=bob")
    would = book.run(*words, "--dry-run", today="2026-01-10").stderr
    assert "C1: credit_limit would be 50.00 from 2026-01-10 on, was 25.00" in would
    said = book.run(*words, today="2026-01-10").stderr.splitlines()
    assert said == [
        "C1: credit_limit is 50.00 from 2026-01-10 on, was 25.00",
        "C1: identifiers is alice, bob from 2026-01-10 on, was alice",
    ]
    assert book.run(*words, today="2026-01-10").stderr == "C1: nothing to change\n"


def test_a_list_is_replaced_only_by_who_says_so_and_nobody_is_asked_about_what_is_refused(book):
    book.customers({"id": "C1", "identifiers": "alice, bob"})
    (book.root / "tariffs" / "office.csv").write_text(book.text("tariffs/standard.csv"))
    book.run("customer", "set", "C1", "tariff=standard, office")
    asked = book.run("customer", "set", "C1", "identifiers=carol", code=1).stderr
    assert "C1: identifiers would lose alice, bob; replace the list?" in asked
    missing = book.run("customer", "set", "C1", "tariff=standart", code=1).stderr
    assert "there is no tariffs/standart.csv; nothing was changed" in missing
    assert "replace the list?" not in missing
    assert book.run("customer", "set", "C1", "identifiers=carol", "--yes").code == 0


def test_a_fact_of_today_stands_once_and_others_with_their_days(book):
    book.customers({"id": "C1", "identifiers": "alice"})
    book.run("customer", "set", "C1", "identifiers+=bob", today="2026-01-10")
    book.run("customer", "set", "C1", "identifiers+=carol", "--from", "2026-03-01")
    shown = book.run("customer", "show", "C1", today="2026-02-01").stdout.splitlines()
    assert [line for line in shown if line.startswith("identifiers")] == [
        "identifiers      alice, bob from 2026-01-10",
        "identifiers      alice until 2026-01-09",
        "identifiers      alice, bob, carol from 2026-03-01",
    ]
