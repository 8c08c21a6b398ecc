"""Exchange rates from files: the first of a currency and a day stays."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.payments.import_exchange_rates import import_prices

TODAY = dt.date(2026, 2, 1)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return shelf.started(tmp_path_factory.mktemp("rates") / "book")


@pytest.fixture
def take(template, tmp_path):
    """Import rows into a draft that keeps what came before."""
    draft = shelf.draft(template, TODAY)

    def take(*rows):
        file = tmp_path / "rates.csv"
        file.write_text("\n".join(["date,currency,price", *rows, ""]))
        return draft, import_prices(draft, [file])

    return take


def reasons(report):
    return [row.reason for row in report.refused]


def test_a_rate_is_taken_once(take):
    draft, report = take("2026-01-05,USD,0.9", "2026-01-05,USD,0.90", "2026-01-06,USD,0.91")
    assert (report.read, report.posted, report.duplicate) == (3, 2, 1)
    before = draft.text("journals/prices.beancount")
    draft, report = take("2026-01-05,USD,0.9")
    assert (report.posted, report.duplicate) == (0, 1)
    assert draft.text("journals/prices.beancount") == before


def test_another_rate_of_the_same_day_is_refused_and_the_first_stays(take):
    draft, report = take("2026-01-05,USD,0.9", "2026-01-05,USD,0.8")
    assert reasons(report) == ["conflict"]
    assert "USD is 0.9 on 2026-01-05" in report.refused[0].message
    assert "0.8" not in draft.text("journals/prices.beancount")


@pytest.mark.parametrize(
    ("row", "reason"),
    [("2026-02-03,USD,0.9", "future"), ("2026-01-05,EUR,1", "bad-currency")],
)
def test_a_rate_that_cannot_hold_is_refused_with_its_row(take, row, reason):
    draft, report = take(row)
    assert (report.posted, reasons(report)) == (0, [reason])
    assert "rates.csv" in report.refused[0].file
    assert not draft.has("journals/prices.beancount")


def test_tomorrow_is_somewhere_already(take):
    _, report = take("2026-02-02,USD,0.9")
    assert report.posted == 1
