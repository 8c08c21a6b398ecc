"""VAT whatever is posted: nothing leaks, documents chain and keep the standard's rules."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import shelf
from beancount import loader
from beancount.core import data
from examples import tried
from hypothesis import given
from hypothesis import strategies as st
from posted import CENTS, CODES, DAYS, months, total, years

from a2ledger import accounts, money, vat
from a2ledger.billing import bill as billing
from a2ledger.billing import closing_entries
from a2ledger.book import config_parse
from a2ledger.documents import document, en16931, taxed_refill
from a2ledger.documents.document import Document
from a2ledger.journal.rows import Brought
from a2ledger.records import Customer
from a2ledger.vat import VatCode

GREEK, BELGIAN = "EL094259216", "BE0403170701"
TAXED = {code: row for code, row in CODES.items() if row.rate}
SETTINGS = config_parse.parse(
    'currency = "EUR"\ntimezone = "UTC"\n[company]\nname = "x"\nvat_id = "BE0403170701"\n'
    '[services.Calls]\nvat = "O"\n'
)
CUSTOMER = Customer(id="C1", opened=dt.date(2026, 1, 1))


def within(rows):
    """Postings as they are where prices contain VAT."""
    return [
        one if one.billed else one._replace(pending_micro=vat.inside(one.micro, CODES[one.vat]))
        for one in rows
    ]


def taxed(month):
    """A month without what is outside the scope of VAT, which would need a bill of its own."""
    rows, used = month
    return (
        [one for one in rows if one.vat != "O"],
        [one for one in used if one.vat != "O"],
    )


@tried(200)
@given(years(), st.sampled_from([0, 2, 3]), st.sampled_from(["included", "on-invoice"]))
def test_over_any_periods_bills_and_fractions_are_all_that_was_posted(periods, places, treatment):
    unit = 10 ** (money.PLACES - places)
    currency = {0: "JPY", 2: "EUR", 3: "KWD"}[places]
    brought, posted, moved, rounding = Brought(), Counter(), Counter(), Counter()
    accounts_of, last = Counter(), None
    for period, *month in periods:
        rows, used = taxed(month)
        rows = within(rows) if treatment == "included" else rows
        for one in rows:
            if not one.billed:
                posted[one.vat] += one.micro
                accounts_of[accounts.pending(one.vat)] -= one.pending_micro
        bill = billing.draw_up(period, brought, rows, used, CODES, places, treatment=treatment)
        kind = "credit-note" if bill.gross_micro < 0 else "invoice"
        for entry in closing_entries.entries(bill, "C1", currency, kind, "INV-1"):
            assert total(entry) == 0
            for leg in entry.postings:
                accounts_of[leg.account] += money.micro(leg.units.number)
        moved.update(bill.moved_micro)
        rounding.update(bill.rounding_micro)

        # All that was used is billed, but for less than half a cent of a code.
        for code, micro in posted.items():
            left = micro + rounding[code] - moved[code]
            assert 2 * abs(left) <= unit
        # What was set aside as VAT is empty after every close; what is owed is on the bills.
        assert not any(accounts_of[accounts.pending(code)] for code in CODES)

        made = closing_entries.document(
            bill, CUSTOMER, SETTINGS, currency=currency, kind=kind, number="INV-1",
            issue_date=period.end,
        )  # fmt: skip
        assert list(en16931.objections(made)) == []
        if last:
            assert made.statement.opening == last.closing
        last, brought = made.statement, bill.carried
    assert sum(posted.values()) + sum(rounding.values()) == (
        sum(moved.values()) + brought.unbilled_micro
    )


@given(months(dt.date(2026, 1, 1)))
def test_tax_that_is_inside_is_at_most_a_cent_from_what_was_set_aside_for_it(month):
    rows = within(taxed(month)[0])
    period = billing.Period(dt.date(2026, 1, 1), dt.date(2026, 2, 1))
    used = taxed(month)[1]
    bill = billing.draw_up(period, Brought(), rows, used, CODES, 2, treatment="included")

    for code, taken in bill.vat_micro.items():
        aside = bill.pending_micro.get(code, 0)
        # Half a cent of rounding the tax, the tax of half a cent not billed, and the last digits.
        assert abs(taken - aside) <= 5_000 + 5_000 + len(rows)


CODE = st.integers(0, 9_999).map(
    lambda rate: VatCode(code="X", category="S" if rate else "Z", rate=Decimal(rate) / 100)
)


@given(CENTS, CODE, st.sampled_from([0, 2, 3]), DAYS)
def test_credit_that_enters_and_leaves_taxed_refills_is_what_it_was(balance, code, places, day):
    unit = 10 ** (money.PLACES - places)
    entered = taxed_refill.entering(day, balance, code, places)
    inner = balance + (entered.vat_micro if entered else 0)
    left = taxed_refill.leaving(day, inner, code, places)
    outer = inner + (left.vat_micro if left else 0)

    # A unit at most, where what is left has no price of its own at this rate.
    assert abs(outer - balance) <= unit
    for sold in filter(None, (entered, left)):
        made = taxed_refill.document(
            sold, CUSTOMER, SETTINGS, currency={0: "JPY", 2: "EUR", 3: "KWD"}[places],
            number="INV-1", issue_date=day,
        )  # fmt: skip
        assert list(en16931.objections(made)) == []
        issued = taxed_refill.Issued("INV-1")
        assert total(taxed_refill.conversion(sold, "C1", made.currency, issued)) == 0


# ---- whole books ----

OLD_CALLS = "id,customer,start,called,seconds,cost\n"
MONEY = "id,customer,date,amount\n"
CHARGES = "id,customer,date,amount,service\n"
WHO = {"invoiced": "on-invoice", "gross": "included", "prepaid": "on-refill",
       "greek": "reverse-charge", "free": "none"}  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with a customer of each treatment, and a rate that changes on 16 February."""
    root = shelf.started(tmp_path_factory.mktemp("vat") / "book")
    text = (root / "a2ledger.toml").read_text()
    text = text.replace('country = ""', 'country = "BE"', 1)
    text = text.replace('vat_id = ""', f'vat_id = "{BELGIAN}"', 1)
    text += '[vat.codes.S6]\nrate = "5.5"\n[[vat.rules]]\ncode = "S6"\nfrom = 2026-02-16\n'
    (root / "a2ledger.toml").write_text(text)
    rows = [
        f"{name},{name},1000,standard,2026-01-01,{treatment},{GREEK},GR\n"
        for name, treatment in WHO.items()
    ]
    head = "id,name,credit_limit,tariff,opened,vat,vat_id,country\n"
    shelf.take(root, "customers", head + "".join(rows))
    return root


AFTER = dt.date(2026, 4, 1)
DAY = st.integers(0, 80).map(lambda number: dt.date(2026, 1, 1) + dt.timedelta(number))
PRICE = st.one_of(
    st.integers(0, 20_000), st.integers(1, 9_999_999), st.sampled_from([5_000, 10_000, 15_000])
).map(money.text)
CENTS = st.integers(0, 2_000).map(lambda number: money.text(number * 10_000, 2))
"""What money moves in; only calls have prices that are finer."""


def told(*columns):
    return st.lists(st.tuples(st.sampled_from(sorted(WHO)), DAY, *columns), max_size=12)


@tried(25)
@given(
    calls=told(PRICE),
    charges=told(CENTS, st.sampled_from(["1", "-1"])),
    refills=told(st.sampled_from(["12.10", "0.01", "7.12", "-5.00", "0.03", "100"])),
    turns=st.sampled_from(sorted(WHO.values())),
)
def test_whatever_is_posted_to_a_book_nothing_leaks(template, calls, charges, refills, turns):
    with shelf.copied(template) as root:
        taken = []
        turn = f"id,name,credit_limit,tariff,vat\nfree,f,1,standard,{turns}\n"
        shelf.take(root, "customers", turn, today=dt.date(2026, 1, 31))
        lines = [
            f"c{number},{who},{day} 12:00:00,3225550199,60,{cost}\n"
            for number, (who, day, cost) in enumerate(calls)
        ]
        taken.append(shelf.take(root, "old", OLD_CALLS + "".join(lines), today=AFTER))
        lines = [
            f"x{number},{who},{day},{money.text(int(minus) * money.parse(price))},DIDs\n"
            for number, (who, day, price, minus) in enumerate(charges)
        ]
        taken.append(shelf.take(root, "charges", CHARGES + "".join(lines), today=AFTER))
        lines = [
            f"r{number},{who},{day},{amount}\n" for number, (who, day, amount) in enumerate(refills)
        ]
        taken.append(shelf.take(root, "refills", MONEY + "".join(lines), today=AFTER))
        assert [report.quarantined() for report in taken] == [{}, {}, {}]
        rows = shelf.close(root, dt.date(2026, 4, 1))
        assert [row.warnings for row in rows if not row.closed] == []
        assert_nothing_leaked(root)


def assert_nothing_leaked(root: Path) -> None:
    sums = sums_of(root)
    documents = [read(path) for path in sorted(root.glob("invoices/*/*.json"))]
    assert [list(en16931.objections(one)) for one in documents] == [[]] * len(documents)
    assert_accounts_are_the_documents(sums, documents)
    for kind in ("invoice", "credit-note"):
        numbers = [one.number for one in documents if one.kind == kind]
        found = sorted(int(number.rpartition("-")[2]) for number in numbers)
        assert found == list(range(1, len(found) + 1))
    for name in WHO:
        assert_documents_chain(name, [one for one in documents if one.customer["id"] == name], sums)


def sums_of(root: Path) -> Counter[str]:
    """The balance of every account, as Beancount loads them."""
    entries, errors, _ = loader.load_file(str(root / "journals/history.beancount"))
    assert errors == []
    sums: Counter[str] = Counter()
    for entry in entries:
        if isinstance(entry, data.Transaction):
            for leg in entry.postings:
                sums[leg.account] += money.micro(leg.units.number)
    return sums


def is_refill(one: Document) -> bool:
    return any(line.kind == "refill" for line in one.lines)


def sign(one: Document) -> int:
    return -1 if one.kind == "credit-note" else 1


def assert_accounts_are_the_documents(sums: Counter[str], documents: list[Document]) -> None:
    taxes: Counter[str] = Counter()
    for one in documents:
        for row in one.vat:
            taxes[accounts.vat(row.code)] -= sign(one) * money.parse(row.vat)
    owed = {name: micro for name, micro in sums.items() if name.startswith(accounts.TAXES)}
    # The accounts of VAT hold what the documents say, and nothing waits any more.
    assert {name for name, micro in owed.items() if micro} == {n for n, m in taxes.items() if m}
    assert all(owed[name] == micro for name, micro in taxes.items() if micro)

    bills = [one for one in documents if not is_refill(one)]
    unbilled = sum(micro for name, micro in sums.items() if name.endswith(":Unbilled"))
    earned = sum(micro for name, micro in sums.items() if name.startswith("Income:"))
    # What was earned is the bills' net, and the fractions nobody was billed.
    assert earned == -sum(sign(one) * money.parse(one.net) for one in bills) - unbilled
    assert 2 * abs(unbilled) <= 10_000 * 3 * len(WHO)


def assert_documents_chain(name: str, documents: list[Document], sums: Counter[str]) -> None:
    bills = sorted(
        (one for one in documents if not is_refill(one)), key=lambda one: one.period["start"]
    )
    for before, after in itertools.pairwise(bills):
        assert before.period["end"] == after.period["start"]
        assert before.statement.closing == after.statement.opening
    billed = money.rounded(sums[accounts.billed(name)], 2)
    assert money.text(billed, 2) == bills[-1].statement.closing


def read(path: Path) -> Document:
    """Return the document in a file."""
    text = path.read_text()
    found = document.read(text)
    assert document.written(document.as_json(found)) == text
    return found
