"""What ``check`` calls a problem, and what not."""

from __future__ import annotations

from a2ledger.balances import check

EURO = 1_000_000


def test_owing_all_of_the_limit_is_no_problem_and_a_millionth_more_is():
    owed = [("C1", 10 * EURO, 10 * EURO, "EUR"), ("C2", 10 * EURO + 1, 10 * EURO, "EUR")]
    (problem,) = check.credit_limits(owed, {"C2": "journals/customers/C2.beancount"})
    assert (problem.file, problem.reason) == ("journals/customers/C2.beancount", "credit-limit")
    assert problem.message == "C2 owes 10.000001 EUR, over the credit limit of 10.00"


def test_who_pays_first_is_over_the_limit_with_the_first_millionth_owed():
    owed = [("C1", 0, 0, "EUR"), ("C2", -5 * EURO, 0, "EUR"), ("C3", 1, 0, "EUR")]
    assert [p.message.split()[0] for p in check.credit_limits(owed, {})] == ["C3"]


def test_suspense_may_hold_money_and_not_lack_it():
    held = {"EUR": 5 * EURO, "USD": -3 * EURO, "GBP": 0}
    (problem,) = check.suspense(held, "journals/main.beancount")
    assert problem.message == "3.00 USD more left suspense than came into it"


def test_an_account_that_only_one_of_two_ledgers_knows_differs_unless_it_is_zero():
    own = {"A": EURO, "B": 0, "C": EURO}
    general = {"A": EURO, "C": EURO + 1, "D": 2}
    problems = list(check.summaries(own, general, {"C": "journals/2026-01/C.01.beancount"}))
    assert [(p.file, p.message.split()[0]) for p in problems] == [
        ("journals/2026-01/C.01.beancount", "C"),
        ("journals/main.beancount", "D"),
    ]


def test_usage_is_compared_by_day_service_and_vat_code():
    posted = {("2026-01-05", "Calls", "O"): (2, 120, EURO), ("2026-01-06", "Calls", "O"): (1, 1, 1)}
    same = check.details(posted, dict(posted), "file")
    assert list(same) == []
    folded = {("2026-01-05", "Calls", "O"): (2, 121, EURO), ("2026-01-07", "Calls", "O"): (1, 1, 1)}
    days = [problem.message.split()[2] for problem in check.details(posted, folded, "file")]
    assert days == ["2026-01-05", "2026-01-06", "2026-01-07"]
