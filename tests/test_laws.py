"""Laws: what holds whatever comes in, and in whatever order."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import shelf
from beancount import loader
from beancount.core import data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from a2ledger import accounts, billing, closing, config, journal, money, periodfile, posting
from a2ledger.billing import Brought, Row
from a2ledger.ledger import Ledger
from a2ledger.period import DAY, Period
from a2ledger.records import Movement

slow = {"deadline": None, "suppress_health_check": list(HealthCheck)}

TEXTS = st.text(
    st.one_of(
        st.sampled_from(list('"\\\n\r\t\0;^#{}*!\u2028\u2029\x85\x0b\x0c\x1c\x1a\ufeff\u202e\U0001f4de')),
        st.characters(exclude_categories=("Cs",)),
    ),
    max_size=30,
)
AMOUNTS = st.one_of(
    st.integers(-(10**15), 10**15),
    st.sampled_from([0, 1, -1, 4_999, 5_000, -5_000, 10**18 - 1, 1 - 10**18]),
)
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,20}", fullmatch=True)
DAYS = st.dates(dt.date(2024, 1, 1), dt.date(2027, 12, 31))


def total(entry: data.Transaction) -> Decimal:
    return sum((leg.units.number for leg in entry.postings), Decimal(0))


# ---- every posted entry balances ----

MOVEMENTS = st.builds(
    Movement,
    kind=st.sampled_from(["refill", "payment", "charge", "opening"]),
    source=st.sampled_from(["refills", "payments", "gateway 1"]),
    id=TEXTS.filter(bool),
    customer=IDS,
    date=DAYS,
    amount_micro=AMOUNTS,
    method=st.sampled_from(["", "bank", "Cash", "voucher", "PayPal", "carte bleue"]),
    reference=TEXTS,
    description=TEXTS,
    service=st.sampled_from(["Calls", "One-off", "números"]),
)


def entry_of(movement: Movement, currency: str = "EUR") -> data.Transaction:
    return posting.entry(movement, currency=currency, methods=config.METHODS, vat="S21")


@given(MOVEMENTS, st.sampled_from(["EUR", "JPY", "KWD"]))
def test_every_entry_of_a_movement_balances_to_the_last_digit(movement, currency):
    entry = entry_of(movement, currency)

    assert total(entry) == 0
    assert sum(leg.micro for leg in journal.legs(journal.formatted(entry))) == 0


@given(MOVEMENTS, MOVEMENTS)
def test_a_payment_and_its_refill_balance_however_they_are_put_together(first, second):
    payment = entry_of(_as(first, "payment"))
    refill = entry_of(_as(second, "refill"))

    assert total(posting.paired(payment, refill, "C1")) == 0
    assert total(posting.without_effect(refill, "C1")) == 0
    assert total(posting.moved_to(payment, dt.date(2028, 1, 1))) == 0


def _as(movement: Movement, kind: str) -> Movement:
    fields = {name: getattr(movement, name) for name in Movement.__slots__}
    return Movement(**(fields | {"kind": kind}))


USAGE = st.builds(
    periodfile.Usage,
    date=DAYS,
    late_from=st.none() | DAYS,
    service=TEXTS.filter(bool),
    vat=st.sampled_from(["S21", "O", "AE", "a code"]),
    calls=st.integers(0, 10**9),
    seconds=st.integers(0, 10**9),
    micro=AMOUNTS,
)


@given(USAGE, IDS)
def test_every_entry_of_usage_balances_and_can_be_read_back(usage, customer):
    entry = periodfile.usage_entry(usage, customer, "EUR")
    text = journal.formatted(entry)

    assert total(entry) == 0
    assert periodfile.read_usage(journal.blocks(text)[0]) == usage


@given(st.lists(st.tuples(st.sampled_from(["S21", "S10", "O"]), AMOUNTS), max_size=5), IDS)
def test_every_entry_of_a_close_balances(postings, customer):
    bill = draw_up(Brought(), [usage_row(JANUARY.start, code, micro) for code, micro in postings])

    for entry in closing.entries(bill, customer, "EUR", "Invoice INV-2026-000001"):
        assert total(entry) == 0


# ---- print, load: the same again ----


def loaded(text: str) -> list[data.Directive]:
    entries, errors, _ = loader.load_string(text)
    assert [error for error in errors if "Validat" not in type(error).__name__] == []
    return entries


@given(TEXTS, TEXTS, TEXTS, TEXTS, AMOUNTS)
def test_any_text_and_amount_comes_back_from_a_transaction(payee, narration, value, leg, micro):
    entry = periodfile.transaction(
        dt.date(2026, 1, 5),
        payee,
        narration,
        [
            periodfile.leg("Assets:A", micro, "EUR", vat=leg),
            periodfile.leg("Income:B", -micro, "EUR"),
        ],
        meta={"calls": 3, "late_from": dt.date(2025, 12, 31), "id": value},
        links=["payment-x"],
        tags=["invoice"],
    )
    opens = "1970-01-01 open Assets:A\n1970-01-01 open Income:B\n"

    *_, found = entries = loaded(opens + journal.formatted(entry))

    assert len(entries) == 3
    assert (found.payee or "", found.narration) == (payee, narration)
    assert (found.meta["id"], found.meta["calls"]) == (value, 3)
    assert found.meta["late_from"] == dt.date(2025, 12, 31)
    assert (found.links, found.tags) == ({"payment-x"}, {"invoice"})
    assert [leg.units for leg in found.postings] == [leg.units for leg in entry.postings]
    assert found.postings[0].meta.get("vat", "") == leg
    assert [row.micro for row in journal.legs(journal.formatted(entry))] == [micro, -micro]


@given(TEXTS, TEXTS, AMOUNTS)
def test_any_text_comes_back_from_what_is_not_a_transaction(text, other, micro):
    amount = data.Amount(money.decimal(micro), "EUR")
    written = [
        data.Open({"name": text}, dt.date(2026, 1, 1), "Assets:A", ["EUR"], None),
        data.Custom({}, dt.date(2026, 1, 2), "a2ledger-set", [other, text]),
        data.Custom({}, dt.date(2026, 1, 3), "a2ledger-carried", [text, amount]),
        data.Balance({}, dt.date(2026, 1, 4), "Assets:A", data.Amount(Decimal(0), "EUR"), None, None),
    ]

    opened, said, carried, balance = loaded("".join(map(journal.formatted, written)))

    assert opened.meta["name"] == text
    assert [value.value for value in said.values] == [other, text]
    assert [value.value for value in carried.values] == [text, amount]
    assert (balance.amount.number, balance.tolerance) == (0, 0)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6))
def test_no_text_makes_one_entry_into_two(texts):
    entries = [
        periodfile.transaction(dt.date(2026, 1, 5), payee, narration, [], meta={"id": payee})
        for payee, narration in texts
    ]
    text = "".join(map(journal.formatted, entries))

    assert len(loaded(text)) == len(entries)
    assert [block.kind for block in journal.blocks(text)] == ["*"] * len(entries)
    assert journal.joined(journal.blocks(text)) == text


@given(TEXTS)
def test_a_quoted_text_is_one_line_and_reads_back_without_beancount(text):
    assert "\n" not in journal.quoted(text)
    assert journal.unquoted(journal.quoted(text)) == text


# ---- the same rows, whatever order they come in ----


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with two customers, the first's period before last closed."""
    root = shelf.started(tmp_path_factory.mktemp("laws") / "book", "C1", "c2", opened="2025-12-01")
    shelf.take(root, "refills", "id,customer,date,amount\nr0,C1,2025-12-05,5.00\n")
    shelf.close(root, dt.date(2026, 1, 1), names=("C1",))
    return root


STARTS = [
    "2026-01-05 22:59:50",  # ten seconds before midnight in Brussels
    "2026-01-05 23:00:10",
    "2026-01-06 12:00:00",
    "2025-12-31 22:30:00",  # of a closed period for C1, of the open one for c2
]


def asterisk_line(call: tuple[str, str, str, str, int, str]) -> str:
    """One line of a Master.csv: with its sequence, or of a time when none was written."""
    uid, sequence, customer, start, seconds, called = call
    times = f'"{start}","{start}","{start}",{seconds},{seconds}'
    new = f',"","{uid}",{sequence}' if sequence else ""
    return (
        f'"{customer}","3225550101","{called}","customers","x","PJSIP/z-1","","Dial","",'
        f'{times},"ANSWERED","DOCUMENTATION","{uid}",""{new}\n'
    )


def calls(uids: list[str], sequences: list[str]) -> st.SearchStrategy[list[tuple]]:
    return st.lists(
        st.tuples(
            st.sampled_from(uids),
            st.sampled_from(sequences),
            st.sampled_from(["C1", "c2", "nobody"]),
            st.sampled_from(STARTS),
            st.sampled_from([0, 30, 61]),
            st.sampled_from(["3225550199", "33140000000", "34911111111", "4412345"]),
        ),
        min_size=2,
        max_size=8,
    )


@st.composite
def runs(draw, rows):
    """The same rows twice: at once, and in several files in any order, some of them again."""
    given_rows = draw(rows)
    again = draw(st.lists(st.sampled_from(given_rows), max_size=3))
    shuffled = draw(st.permutations([*given_rows, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=3)))
    parts = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
    return given_rows, [part for part in parts if part]


def assert_order_is_nothing(template: Path, source: str, head: str, line, run) -> None:
    rows, parts = run
    with shelf.copied(template) as root:
        shelf.take(root, source, head + "".join(map(line, rows)))
        at_once = shelf.ledger_of(root)
    with shelf.copied(template) as root:
        for part in parts:
            shelf.take(root, source, head + "".join(map(line, part)))
        in_parts = shelf.ledger_of(root)
    assert in_parts == at_once


@settings(max_examples=60, **slow)
@given(run=runs(calls(["1767607200.1", "1767607200.2"], ["1", "2"])))
def test_calls_with_a_sequence_in_any_order_give_the_same_books(template, run):
    assert_order_is_nothing(template, "pbx1", "", asterisk_line, run)


@settings(max_examples=60, **slow)
@given(run=runs(calls(["1767607200.1", "1767607200.2"], [""])))
def test_calls_without_a_sequence_in_any_order_give_the_same_books(template, run):
    assert_order_is_nothing(template, "pbx1", "", asterisk_line, run)


@settings(max_examples=80, **slow)
@given(run=runs(calls(["1767607200.1"], ["", "1", "2"])))
def test_calls_with_and_without_a_sequence_in_any_order_give_the_same_books(template, run):
    assert_order_is_nothing(template, "pbx1", "", asterisk_line, run)
