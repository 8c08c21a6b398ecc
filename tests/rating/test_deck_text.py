"""The text of a deck, edited: what is not changed stays as it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from a2ledger.rating import deck as tariff
from a2ledger.rating import deck_text


def changed(text, ended, *added, **options):
    old = tariff.read(text, name="d", file="d.csv") if text else None
    return deck_text.changed(text, old, ended, added, **options)


def test_a_new_deck_has_the_columns_it_needs():
    row = {"dialprefix": "32", "rateinitial": "0,05", "initblock": "60", "buyrate": ""}
    assert changed("", {}, row, wanted=";") == (
        "dialprefix;destination;rateinitial;initblock\n32;;0,05;60\n"
    )


def test_a_rate_ends_where_it_stands_and_the_new_one_comes_last():
    text = "# carrier\r\nprefix;price;note\r\n32;0,05;x\r\n33;0,06;y\r\n"
    row = {"dialprefix": "32", "rateinitial": "0,04", "startdate": "2026-02-01"}
    assert changed(text, {0: "2026-02-01"}, row) == (
        "# carrier\r\nprefix;price;note;startdate;stopdate\r\n32;0,05;x;;2026-02-01\r\n"
        "33;0,06;y\r\n32;0,04;;2026-02-01;\r\n"
    )


def test_a_row_of_several_lines_becomes_one_and_the_others_keep_their_numbers():
    text = 'prefix,destination,rate\n32,"Bel\ngium",1\n33,France,2'
    now = changed(text, {0: "2026-02-01"}, {"dialprefix": "34", "rateinitial": "3"})
    new = tariff.read(now, name="d", file="d.csv")
    assert new.problems == []
    assert new.deck.destinations.to_pylist() == ["Bel\ngium", "France", ""]
    assert now.splitlines()[-2:] == ["33,France,2", "34,,3,"]


def test_the_right_row_ends_below_a_name_with_a_line_separator():
    text = "prefix,destination,rate\n32,Bel\u2028gium,1\n33,Fra\x0bnce,2\n34,Spain,3\n"
    ends = tariff.read(changed(text, {1: "2026-02-01"}), name="d", file="d.csv").deck
    assert (ends.values["stopdate"] < 2**62).tolist() == [False, True, False]


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]))


@given(st.lists(NAMES, min_size=1, max_size=4), st.data())
def test_only_what_ends_is_different_afterwards(names, data):
    rows = [
        {"dialprefix": str(30 + place), "destination": name, "rateinitial": "1"}
        for place, name in enumerate(names)
    ]
    text = changed("", {}, *rows)
    old = tariff.read(text, name="d", file="d.csv")
    place = data.draw(st.integers(0, len(names) - 1))
    new = tariff.read(changed(text, {place: "2026-02-01"}), name="d", file="d.csv")
    assert new.problems == old.problems == []
    assert new.deck.destinations == old.deck.destinations
    ends = new.deck.values["stopdate"].tolist()
    assert [end == ends[place] for end in ends] == [row == place for row in range(len(names))]
