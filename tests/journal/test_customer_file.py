from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from beancount import loader
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.journal import customer_file
from a2ledger.records import KEYS, NUMBERS, Customer

OPENED = dt.date(2026, 1, 10)
LATER = dt.date(2026, 2, 1)

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


def customer(**facts):
    history = {
        "name": ((OPENED, "Ada"),),
        "credit_limit": ((OPENED, Decimal("100.00")), (LATER, Decimal("50.00"))),
        "tariff": ((OPENED, "acme, standard"),),
    }
    return Customer(id="C1", opened=OPENED, facts=history | facts, periods=(OPENED, LATER))


def test_a_customers_own_ledger_is_written_like_this():
    assert customer_file.new(customer(), "EUR", OPENED) == (
        'option "title" "C1"\n'
        'option "operating_currency" "EUR"\n'
        'option "tolerance_multiplier" "0"\n'
        'include "../chart.beancount"\n'
        "\n"
        "2026-01-10 open Assets:Receivable:C1:Unbilled EUR\n"
        '  customer: "C1"\n'
        '  name: "Ada"\n'
        "  credit_limit: 100.00\n"
        '  tariff: "acme, standard"\n'
        "2026-01-10 open Assets:Receivable:C1:Billed EUR\n"
        '  customer: "C1"\n'
        "\n"
        '2026-01-10 custom "a2ledger-set" "name" "Ada"\n'
        '2026-01-10 custom "a2ledger-set" "credit_limit" 100.00\n'
        '2026-01-10 custom "a2ledger-set" "tariff" "acme, standard"\n'
        '2026-02-01 custom "a2ledger-set" "credit_limit" 50.00\n'
        "\n"
        'include "../2026-01/C1.10.beancount"\n'
        'include "../2026-02/C1.01.beancount"\n'
    )


FACTS = st.fixed_dictionaries(
    {},
    optional={
        key: st.lists(
            st.tuples(
                st.dates(OPENED, dt.date(2027, 1, 1)),
                st.decimals(0, 1000, places=2) if key in NUMBERS else TEXTS,
            ),
            min_size=1,
            max_size=3,
            unique_by=lambda change: change[0],
        ).map(lambda history: tuple(sorted(history)))
        for key in KEYS
    },
)


@given(FACTS)
def test_every_fact_comes_back(facts):
    one = Customer(id="a.b@C+1", opened=OPENED, facts=facts, periods=(OPENED, LATER))
    text = customer_file.new(one, "EUR", LATER)

    assert customer_file.parse(text) == one
    assert customer_file.updated(text, one, "EUR", LATER) == text


def test_a_text_of_several_lines_to_some_stays_one_value():
    one = customer(name=((OPENED, "A\u2028B\x85C\x0bD\x1cE"),))
    text = customer_file.new(one, "EUR", OPENED)

    assert customer_file.updated(text, one, "EUR", OPENED) == text


@given(FACTS)
def test_beancount_reads_every_fact(facts):
    one = Customer(id="C1", opened=OPENED, facts=facts)
    entries, errors, _ = loader.load_string(
        customer_file.new(one, "EUR", OPENED).replace('include "../chart.beancount"\n', "")
    )

    assert not errors
    said = [entry for entry in entries if type(entry).__name__ == "Custom"]
    assert len(said) == sum(map(len, facts.values()))
    assert {(entry.date, *(value.value for value in entry.values)) for entry in said} == {
        (day, key, value) for key, history in facts.items() for day, value in history
    }


def test_what_people_wrote_stays_when_a_fact_changes():
    text = customer_file.new(customer(), "EUR", OPENED)
    text = text.replace("\n\n2026-01-10 custom", "\n\n; he pays by cheque\n2026-01-10 custom", 1)
    text = text.replace('"name" "Ada"\n', '"name" "Ada"\n; nice person\n\n')
    text += '\n2026-01-20 note Assets:Receivable:C1:Billed "called us"\n'
    changed = customer_file.with_facts(customer(), [("name", "Ada L.")], LATER)

    found = customer_file.updated(text, changed, "EUR", LATER)

    for words in ("; he pays by cheque\n", "; nice person\n", '"called us"\n'):
        assert words in found
    assert '2026-02-01 custom "a2ledger-set" "name" "Ada L."' in found
    assert '  name: "Ada L."\n  credit_limit: 50.00\n' in found
    assert customer_file.parse(found) == changed
    assert customer_file.updated(found, changed, "EUR", LATER) == found


def test_a_new_period_is_included_once():
    one = customer()
    text = customer_file.new(one, "EUR", OPENED)
    periods = (*one.periods, dt.date(2026, 3, 1))
    more = Customer(id="C1", opened=OPENED, facts=one.facts, periods=periods)

    found = customer_file.updated(text, more, "EUR", OPENED)

    assert found == text + 'include "../2026-03/C1.01.beancount"\n'
    assert customer_file.updated(found, more, "EUR", OPENED) == found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("open Assets:Receivable:C1:Unbilled EUR", "open Assets:X EUR", "no `open`"),
        ('"name" "Ada"', '"nickname" "Ada"', "'nickname' is no fact"),
        ('"name" "Ada"', '"name" 5', "name must be text in quotes"),
        ('"credit_limit" 50.00', '"credit_limit" "50"', "credit_limit must be a plain number"),
        ('"credit_limit" 50.00', '"credit_limit" TRUE', "is not DATE"),
        ('"name" "Ada"', '"name" "Ada" "B"', "is not DATE"),
    ],
)
def test_a_fact_that_is_none_is_said(old, new, message):
    text = customer_file.new(customer(), "EUR", OPENED)
    assert old in text

    with pytest.raises(ValueError, match=message):
        customer_file.parse(text.replace(old, new))


def test_a_fact_holds_from_a_day_until_the_next():
    one = customer()

    assert [
        one.fact("credit_limit", day)
        for day in (dt.date(2020, 1, 1), OPENED, LATER - dt.timedelta(1), LATER)
    ] == [100, 100, 100, 50]
    assert one.fact("email", LATER) is None
    assert one.listed("tariff", LATER) == ("acme", "standard")


def test_a_change_to_what_holds_already_is_none_and_one_of_the_same_day_replaces():
    one = customer()

    assert customer_file.with_facts(one, [("name", "Ada")], LATER) == one
    twice = customer_file.with_facts(
        customer_file.with_facts(one, [("name", "B")], LATER), [("name", "C")], LATER
    )
    assert twice.facts["name"] == ((OPENED, "Ada"), (LATER, "C"))
    back = customer_file.with_facts(twice, [("name", "Ada")], LATER)
    assert back == one


def test_files_are_named_by_customer_and_start():
    assert customer_file.path("a.b") == "journals/customers/a.b.beancount"
    assert customer_file.period_path("a.b", LATER) == "journals/2026-02/a.b.01.beancount"


@pytest.mark.parametrize("kind", ["*", "!", "txn", "P", "pad", "balance"])
def test_what_moves_money_is_no_part_of_a_customers_own_ledger(kind):
    """Beancount would count it there, and nothing that adds up the files of periods would."""
    text = customer_file.new(customer(), "EUR", OPENED)
    line = text.count("\n") + 1
    with pytest.raises(customer_file.BadLineError, match="may not stand") as refused:
        customer_file.parse(f'{text}2026-02-02 {kind} "Ada" "Gift"\n')
    assert (refused.value.line, refused.value.todo[:13]) == (line, "write entries")


def test_words_of_facts_and_notes_may_look_like_entries():
    text = customer_file.new(customer(name=((OPENED, "2026-02-02 * x"),)), "EUR", OPENED)
    assert customer_file.parse(f'{text}2026-02-02 note Assets:Cash "* x"\n; 2026-02-02 * x\n')
