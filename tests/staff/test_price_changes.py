"""The page that shows what a change of prices earns."""

from __future__ import annotations

import re

import pytest
from fava.application import create_app

DECK = (
    "dialprefix,destination,rateinitial,buyrate,carrier,startdate\n"
    "32,Belgium,0.60,0.30,Nordic,\n32,Belgium,0.20,0.30,Nordic,2026-03-01\n"
    "33,France,0.10,,,\n33,France,0.40,,,2026-03-01\n"
)


@pytest.fixture
def shown(book):
    """Return the text of the page for a choice; it is read as a plain Fava shows it."""
    (book.root / "tariffs/standard.csv").write_text(DECK)
    book.today = "2026-02-20"
    book.customers({"id": "C1"}, {"id": "C2"})
    calls = [("C1", "32470"), ("C2", "33155")]
    book.imported(
        "calls",
        [
            {
                "id": who,
                "customer": who,
                "start": "2026-02-05 10:00:00",
                "called": called,
                "seconds": 600,
            }
            for who, called in calls
        ],
    )
    client = create_app([book.root / "journals/staff.beancount"]).test_client()
    home = client.get("/").headers["Location"].split("/")[1]

    def page(**choice):
        answer = client.get(f"/{home}/extension/PriceChanges/", query_string=choice)
        assert answer.status_code == 200
        return answer.text

    return page


def cells(text, table):
    body = re.search(rf'id="a2l-{table}".*?<tbody>(.*?)</tbody>', text, re.DOTALL)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [
        [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row)]
        for row in rows
    ]


def test_a_change_is_chosen_and_shown_by_destination_and_customer(shown):
    assert "<table" not in shown()
    text = shown(deck="standard", month="2026-02", **{"from": "2026-02-01", "to": "2026-03-01"})
    assert cells(text, "destinations") == [
        ["Belgium", "1", "6.00", "2.00", "-4.00", "", "3.00", "-1.00", "1"],
        ["France", "1", "1.00", "4.00", "+3.00", "", "1.00", "4.00", ""],
    ]
    assert [row[0] for row in cells(text, "customers")] == ["C1", "C2"]
    assert "7.00 → 6.00" in text
    assert 'class="less" style="width: 100%"' in text
    assert 'class="more" style="width: 75%"' in text


def test_an_earlier_version_is_compared_with_what_is_there_now(shown, book):
    commit, *_ = re.findall(r'value="([0-9a-f]{7,})"', shown(deck="standard"))
    (book.root / "tariffs/standard.csv").write_text(DECK.replace("32,Belgium,0.60", "32,B,0.70"))
    text = shown(deck="standard", month="2026-02", version=commit)
    (row,) = cells(text, "customers")
    assert row[:5] == ["C1", "1", "6.00", "7.00", "+1.00"]


@pytest.mark.parametrize(
    "choice",
    [
        {"deck": "../../etc/passwd", "month": "x", "from": "x"},
        {"deck": "standard", "month": "2026-02", "version": "--output=x"},
        {"deck": "standard", "month": "2026-02", "version": "HEAD:a2ledger.toml"},
        {"deck": "standard", "month": "2026-02", "version": "abcdef0"},
    ],
)
def test_a_choice_that_is_none_shows_no_effect(shown, choice):
    assert "<table" not in shown(**choice)
