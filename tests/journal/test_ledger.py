"""Questions to a loaded ledger, and the short way that must answer them alike."""

from __future__ import annotations

import datetime as dt
import os
import pickle
import subprocess
import sys

import pytest
import shelf
from harness import a2ledger_process

from a2ledger.journal import ledger
from a2ledger.journal.ledger import Ledger, Standing

EURO = 1_000_000
MONEY = "id,customer,date,amount"


def standing(billed, unbilled, limit):
    return Standing("C1", "Ada", "EUR", billed, unbilled, limit)


def test_owed_is_what_is_billed_and_what_is_not_yet():
    assert standing(3 * EURO, 2 * EURO, 0).owed_micro == 5 * EURO


def test_prepaid_is_a_limit_of_nothing_and_available_is_what_was_paid():
    prepaid = standing(-10 * EURO, 4 * EURO, 0)
    assert (prepaid.available_micro, prepaid.over_limit) == (6 * EURO, False)


def test_all_of_the_limit_may_be_used_and_no_millionth_more():
    assert not standing(0, 10 * EURO, 10 * EURO).over_limit
    assert standing(0, 10 * EURO + 1, 10 * EURO).over_limit


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A book with calls, late ones, charges, payments and refills of two customers."""
    root = shelf.started(tmp_path_factory.mktemp("ledger") / "book", "C1", vat="included")
    customers = "id,name,credit_limit,tariff,opened,vat\nC2,Two,5,standard,2026-01-01,none\n"
    shelf.take(root, "customers", customers)
    head = "id,customer,start,called,seconds\n"
    rows = "a,C1,2026-01-05 12:00:00,3225550199,61\nb,C2,2026-01-06 12:00:00,34911,60\n"
    shelf.take(root, "old", head + rows)
    charged = shelf.take(root, "charges", f"{MONEY},service\nc1,C1,2026-01-07,1.50,DIDs\n")
    assert charged.posted == 1, charged
    shelf.close(root, dt.date(2026, 2, 1))
    shelf.take(root, "old", head + "c,C1,2026-01-08 12:00:00,3225550199,7\n")
    shelf.take(root, "payments", f"{MONEY}\np1,C1,2026-02-05,3.00\n")
    same_day = "d,C1,2026-02-05 12:00:00,3225550199,7\ne,C2,2026-02-05 12:00:00,3225550199,7\n"
    shelf.take(root, "old", head + same_day)
    shelf.take(root, "refills", f"{MONEY}\nr1,C2,2026-02-05,3.00\n")
    return root


def plain(rows):
    """Rows without where they stand, which only a loaded ledger knows."""
    return [row._replace(file="", lineno=0) for row in rows]


@pytest.mark.parametrize("customer", ["C1", "C2"])
@pytest.mark.parametrize("month", ["2026-01", "2026-02"])
def test_parsing_a_period_s_file_gives_the_rows_that_a_query_over_the_ledger_gives(
    root, customer, month
):
    path = root / f"journals/{month}/{customer}.01.beancount"
    text = path.read_text()
    own = Ledger.load(root / f"journals/customers/{customer}.beancount")
    queried = [row for row in ledger.rows(own)[customer] if row.file == str(path)]
    assert queried
    assert plain(ledger.parsed_rows(text, customer)) == plain(queried)


def test_where_customers_stand_is_what_was_posted(root):
    general = Ledger.load(root / "journals/main.beancount")
    found = {row.customer: row for row in ledger.standings(general)}
    # 61 seconds and twice 7 at 0.123457 a minute, exactly, and a charge; less a payment.
    cost = 61 * 123457 // 60 + 2 * (7 * 123457 // 60)
    assert abs(found["C1"].owed_micro - (cost + 1_500_000 - 3 * EURO)) <= 2
    second_micro = 14_403  # 7 seconds
    assert found["C2"].owed_micro == 500_000 + second_micro - 3 * EURO
    assert found["C2"].credit_limit_micro == 5 * EURO


def test_what_is_no_journal_is_not_parsed():
    with pytest.raises(ValueError, match="line 3"):
        ledger.parsed_rows('\n2026-01-05 * "x" "y"\n  Assets:Cash  ten EUR\n', "C1")


class _Planted:
    """Makes a directory when it is read back by pickle."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (self.place,))


@pytest.mark.parametrize("opened", ["a2ledger", "a2ledger.staff.server"])
def test_no_program_runs_that_lies_beside_a_journal(book, tmp_path, opened):
    main = book.root / "journals/main.beancount"
    planted = main.with_name(".main.beancount.picklecache")
    planted.write_bytes(pickle.dumps(_Planted(str(tmp_path / "run"))))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BEANCOUNT_")}
    if opened == "a2ledger":
        done = a2ledger_process("-C", book.root, "balances", env=environment)
        assert done.code == 0, done.stderr
    else:
        code = f"import {opened}; from beancount import loader; loader.load_file('{main}')"
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not (tmp_path / "run").exists()
