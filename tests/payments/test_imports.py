"""Rows of money: each is posted once, refused with its reason, or held in suspense."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.book.book import SUSPENSE
from a2ledger.payments import imports

TODAY = dt.date(2026, 2, 1)
HEADERS = {
    "payments": "id,customer,date,amount,currency",
    "charges": "id,customer,date,amount,service",
}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return shelf.started(tmp_path_factory.mktemp("money") / "book", "A", "B")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("rows")


class Desk:
    """A draft into which rows are imported."""

    def __init__(self, template, directory):
        self.draft = shelf.draft(template, TODAY)
        self.directory = directory

    def take(self, *rows, source="payments", accepted=()):
        file = self.directory / f"{source}.csv"
        file.write_text("\n".join([HEADERS[source], *rows, ""]))
        return imports.import_movements(self.draft, source, [file], accepted)

    def publish(self):
        """Write what was taken, and begin anew."""
        shelf.publish(self.draft)
        self.draft = shelf.draft(self.draft.root, TODAY)

    def files(self):
        return {path: text for path, text in self.draft.put_files.items() if "journals" in path}


@pytest.fixture
def desk(template, directory):
    return Desk(template, directory)


@pytest.fixture
def own_desk(template, directory):
    """A desk with a book of its own, which can be written."""
    with shelf.copied(template) as root:
        yield Desk(root, directory)


def reasons(report):
    return [row.reason for row in report.refused]


def test_a_row_is_posted_once(own_desk):
    assert own_desk.take("1,A,2026-01-05,10,", "1,A,2026-01-05,10.00,EUR").posted == 1
    own_desk.publish()
    again = own_desk.take("1,A,2026-01-05,10,")
    assert (again.posted, again.duplicate, again.refused) == (0, 1, [])
    assert own_desk.files() == {}


@pytest.mark.parametrize(
    ("source", "row", "reason"),
    [
        ("payments", "1,C,2026-01-05,10,", "unknown-customer"),
        ("payments", "1,A,2026-02-03,10,", "future"),
        ("payments", "1,A,2026-01-05,10.001,", "bad-amount"),
        ("payments", "1,A,2026-01-05,10,USD", "bad-currency"),
        ("charges", "1,A,2026-01-05,10,Tea", "unknown-service"),
    ],
)
def test_a_row_that_cannot_be_posted_says_why_and_posts_nothing(desk, source, row, reason):
    report = desk.take(row, source=source)
    assert (report.posted, reasons(report)) == (0, [reason])
    assert desk.files() == {}


def test_tomorrow_is_somewhere_already(desk):
    assert desk.take("1,A,2026-02-02,10,").posted == 1


def test_a_row_before_its_account_is_posted_late(desk):
    report = desk.take("1,A,2025-12-31,10,")
    assert (report.posted, report.late) == (0, 1)
    (text,) = desk.files().values()
    assert b"2026-01-01 * " in text
    assert b"2025-12-31" in text


def test_money_of_no_customer_is_in_suspense_in_its_own_currency(desk):
    report = desk.take("1,,2026-01-05,10,USD")
    assert report.posted == 1
    assert "10.00 USD" in desk.draft.text(f"{SUSPENSE}/2026-01.beancount")


def test_another_row_of_the_same_id_takes_the_place_only_if_somebody_accepts_it(own_desk):
    own_desk.take("1,A,2026-01-05,10,")
    own_desk.publish()
    (refused,) = own_desk.take("1,A,2026-01-05,12,").refused
    assert refused.reason == "conflict"
    assert own_desk.files() == {}
    report = own_desk.take("1,A,2026-01-05,12,", accepted=[refused.identity])
    assert (report.posted, len(report.displaced)) == (1, 1)
    own_desk.publish()
    assert own_desk.take("1,A,2026-01-05,12,").duplicate == 1
    assert reasons(own_desk.take("1,A,2026-01-05,10,")) == ["conflict"]


ROW = st.tuples(st.integers(1, 3), st.sampled_from("AB"), st.integers(1, 3), st.integers(1, 2))


@given(st.lists(ROW, min_size=1, max_size=5).flatmap(lambda rows: st.tuples(
    st.just(rows), st.permutations(rows)
)))  # fmt: skip
def test_what_is_taken_of_rivals_does_not_hang_on_their_order(template, directory, orders):
    taken = []
    for rows in orders:
        desk = Desk(template, directory)
        report = desk.take(
            *(f"{name},{who},2026-01-0{day},{euro}," for name, who, day, euro in rows)
        )
        assert report.posted == len({name for name, *_ in rows})
        assert report.posted + report.duplicate + len(report.refused) == len(rows)
        taken.append(desk.files())
    assert taken[0] == taken[1]
