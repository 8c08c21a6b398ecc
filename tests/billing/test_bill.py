from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from a2ledger.balances import statement as statements
from a2ledger.billing import bill as billing
from a2ledger.billing.bill import DetailDiffersError, Used
from a2ledger.journal.rows import Brought, Row
from a2ledger.period import Period
from a2ledger.vat import VatCode, added

JANUARY = Period(dt.date(2026, 1, 1), dt.date(2026, 2, 1))
CODES = {
    "S21": VatCode(code="S21", category="S", rate=Decimal(21)),
    "S10": VatCode(code="S10", category="S", rate=Decimal("10.50")),
    "O": VatCode(code="O", category="O", rate=Decimal(0), reason="Not subject to VAT"),
}


def day(number, month=1):
    return dt.date(2026, month, number)


def usage(when, micro, service="Calls", vat="S21", late=None):
    return Row(when, False, service, "1 call, 0:01:00", micro, vat, 1, 60, late, "", frozenset())


def used(when, micro, destination="Belgium", service="Calls", vat="S21", late=None):
    return Used(service, destination, vat, late, 1, 60, micro, when, when)


def charge(when, micro, service="One-off", vat="S21", late=None, link="charge-c"):
    return Row(when, False, service, "set-up", micro, vat, None, None, late, link, frozenset())


def payment(when, micro, payee="Payment"):
    return Row(when, True, payee, "", micro, "", None, None, None, "payment-p", frozenset())


def bill_of(rows, calls=(), brought=None, places=2):
    return billing.draw_up(JANUARY, brought or Brought(), rows, calls, CODES, places)


def shown(statement):
    return [(line.description, line.amount, line.balance) for line in statement.lines]


def test_a_bill_in_full():
    bill = bill_of(
        [
            usage(day(5), 12_345_670),
            charge(day(3), 5_000_000, vat="S10"),
            payment(day(5), -20_000_000),
            usage(day(1), 250_001, late=day(25) - dt.timedelta(31)),
        ],
        [
            used(day(5), 10_000_005, "Spain"),
            used(day(5), 2_345_665, "Belgium"),
            used(day(25) - dt.timedelta(31), 250_001, late=day(25) - dt.timedelta(31)),
        ],
        Brought(billed_micro=7_000_000, unbilled_micro=4_000, cumulative_micro={"S21": 1_004_000}),
    )

    assert bill.statement.opening == "7.00"
    assert shown(bill.statement) == [
        ("Calls, 1 call, 0:01:00, of 2025-12-25, posted late", "0.25", "7.25"),
        ("One-off, set-up", "5.00", "12.25"),
        ("Calls, 1 call, 0:01:00", "12.35", "24.60"),
        ("Payment", "-20.00", "4.60"),
        ("VAT 10.5 % (S10)", "0.53", "5.13"),
        ("VAT 21 % (S21)", "2.65", "7.78"),
    ]
    assert bill.statement.closing == "7.78"
    assert [(line.line, line.kind, line.destination, line.net) for line in bill.lines] == [
        (1, "usage", "Belgium", "2.35"),
        (2, "usage", "Spain", "10.00"),
        (3, "charge", "", "5.00"),
        (4, "late", "Belgium", "0.25"),
    ]
    assert bill.net_micro == {"S10": 5_000_000, "S21": 12_600_000}
    assert bill.vat_micro == {"S10": 530_000, "S21": 2_650_000}
    assert bill.gross_micro == 20_780_000
    assert bill.carried == Brought(
        billed_micro=7_780_000,
        unbilled_micro=-329,
        cumulative_micro={"S10": 5_000_000, "S21": 13_599_671},
    )
    assert [(line.code, line.rate, line.net, line.vat) for line in bill.vat] == [
        ("S10", "10.5", "5.00", "0.53"),
        ("S21", "21", "12.60", "2.65"),
    ]


def test_fractions_of_a_cent_are_billed_when_they_make_one():
    brought = Brought()
    nets = []
    for _ in range(5):
        bill = bill_of([charge(day(3), 3_000, vat="O")], brought=brought)
        nets.append(bill.net_micro["O"])
        brought = bill.carried

    assert nets == [0, 10_000, 0, 0, 10_000]
    assert brought.unbilled_micro == -5_000


def test_a_fraction_of_a_code_nobody_used_goes_to_rounding():
    brought = Brought(unbilled_micro=7_000, cumulative_micro={"S21": 1_004_000, "O": 3_000})

    bill = bill_of([charge(day(3), 1_000_000, vat="O")], brought=brought)

    assert bill.rounding_micro == {"S21": -4_000}
    assert bill.carried.cumulative_micro == {"S21": 1_000_000, "O": 1_003_000}
    assert bill.carried.unbilled_micro == 3_000
    assert bill.net_micro == {"O": 1_000_000, "S21": 0}


def test_what_lies_outside_the_period_is_not_on_the_bill():
    rows = [charge(day(31) - dt.timedelta(31), 1_000_000), charge(day(1), 10_000_000),
            charge(day(31), 100_000_000), charge(day(1, 2), 5), payment(day(1, 2), -5)]  # fmt: skip

    assert bill_of(rows).net_micro == {"S21": 110_000_000}


def test_nothing_moved_is_a_bill_of_nothing():
    bill = bill_of([], brought=Brought(billed_micro=-1_234_500))

    assert (bill.statement.opening, bill.statement.closing) == ("-1.23", "-1.23")
    assert (bill.lines, bill.vat, bill.gross_micro) == ((), (), 0)


def test_a_free_call_has_its_line():
    bill = bill_of([usage(day(5), 0)], [used(day(5), 0)])

    assert [(line.net, line.calls) for line in bill.lines] == [("0.00", 1)]
    assert [line.code for line in bill.vat] == ["S21"]


def test_a_negative_total_is_billed_as_it_is():
    bill = bill_of([charge(day(3), -10_000_000)])

    assert (bill.net_micro, bill.vat_micro) == ({"S21": -10_000_000}, {"S21": -2_100_000})
    assert bill.statement.closing == "-12.10"


def test_kinds_of_lines_are_told_by_links():
    bill = bill_of(
        [charge(day(3), 1, link="charge-x"), charge(day(4), 1, link="fee-x"),
         charge(day(5), 1, link=""), charge(day(6), 1, link="charge-y", late=day(1))]
    )  # fmt: skip

    assert [line.kind for line in bill.lines] == ["charge", "fee", "correction", "late"]
    assert bill.lines[3].from_ == bill.lines[3].to == bill.lines[3].late_from == "2026-01-01"


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [used(day(5), 1_000_001)],
        [used(day(5), 1_000_000, vat="O")],
        [used(day(5), 1_000_000, service="Directory")],
        [used(day(5), 1_000_000), used(day(6), 1, vat="O")],
    ],
)
def test_a_bill_is_refused_where_calls_and_postings_differ(calls):
    with pytest.raises(DetailDiffersError, match=r"the journal says .*, the call detail"):
        bill_of([usage(day(5), 1_000_000)], calls)


@pytest.mark.parametrize(
    ("net", "rate", "places", "vat"),
    [
        (67_740_000, "21", 2, 14_230_000),
        (50_000, "10", 2, 10_000),
        (-50_000, "10", 2, -10_000),
        (40_000, "10", 2, 0),
        (100_000_000, "5.5", 2, 5_500_000),
        (5_000_000, "10", 0, 1_000_000),
        (1_000, "20.25", 3, 0),
        (1_234_000, "20.25", 3, 250_000),
        (10**17, "21", 2, 21 * 10**15),
    ],
)
def test_vat_is_rounded_once_half_away_from_zero(net, rate, places, vat):
    code = VatCode(code="S", category="S", rate=Decimal(rate))

    assert added(net, code, places) == vat


def test_lines_are_rounded_so_that_they_add_up():
    telescope = statements.Telescope({"A": 4_000}, 2)

    assert [telescope.add("A", 3_333) for _ in range(6)] == [10_000, 0, 0, 10_000, 0, 0]
    assert telescope.add("B", 3_333) == 0
    assert telescope.totals == {"A": 23_998, "B": 3_333}


def test_what_is_asked_is_rounded_to_the_smallest_coin():
    def asked(charged, opening=0, treatment="on-invoice"):
        rows = [charge(day(3), charged)]
        brought = Brought(billed_micro=opening)
        bill = billing.draw_up(
            JANUARY, brought, rows, (), CODES, 2, treatment=treatment, cash_micro=50_000
        )
        return bill.gross_micro, bill.cash_micro, bill.statement.closing, bill.carried.billed_micro

    # 11.05 and 2.32 of VAT are 13.37: 13.35 is asked for. The total of the bill stays.
    assert asked(11_050_000) == (13_370_000, -20_000, "13.35", 13_350_000)
    assert asked(11_050_000, opening=10_000) == (13_370_000, 20_000, "13.40", 13_400_000)
    # Two cents from before and one now; then money that is the customer's.
    assert asked(10_000, opening=10_000) == (10_000, -20_000, "0.00", 0)
    assert asked(11_050_000, opening=-20_000_000)[1:] == (0, "-6.63", -6_630_000)
    assert asked(11_050_000, treatment="on-refill")[1] == 0
