from __future__ import annotations

import datetime as dt
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from a2ledger.journal import general, period_file, syntax
from a2ledger.journal.entries import leg, transaction
from a2ledger.journal.period_file import PeriodFile, Usage

DAY = dt.date(2026, 1, 10)


def usage(day, micro, service="Calls", vat="S21", late=None):
    return Usage(day, late, service, vat, 1, 60, micro)


def payment(customer, name, day=DAY, narration="", micro=5_000_000):
    entry = transaction(
        day,
        "Payment",
        narration,
        [
            leg("Assets:Bank", micro, "EUR", places=2),
            leg(f"Assets:Receivable:{customer}:Billed", -micro, "EUR", places=2),
        ],
        links=[f"payment-{name}"],
    )
    return syntax.Block(str(day), "*", syntax.formatted(entry))


def test_usage_stands_once_per_slice_on_its_last_day_with_usage():
    file = PeriodFile(
        (),
        (
            usage(dt.date(2026, 1, 30), 1),
            usage(dt.date(2026, 1, 29), 10),
            usage(dt.date(2026, 1, 29), 100, vat="O"),
            usage(dt.date(2026, 2, 3), 1000),
        ),
    )

    blocks = general.blocks(file, "C1", "EUR")

    assert [(block.date, syntax.legs(block.text)[0].micro) for block in blocks] == [
        ("2026-01-29", 100),
        ("2026-01-30", 11),
        ("2026-02-03", 1000),
    ]


def test_late_usage_stays_apart():
    late = usage(dt.date(2026, 2, 1), 7, late=dt.date(2026, 1, 30))
    file = PeriodFile((), (usage(dt.date(2026, 2, 1), 1), late))

    blocks = general.blocks(file, "C1", "EUR")

    assert sorted(syntax.legs(block.text)[0].micro for block in blocks) == [1, 7]
    assert sum("late_from: 2026-01-30" in block.text for block in blocks) == 1


def test_a_note_of_the_customers_file_is_not_in_the_general_ledger():
    note = '2026-01-11 note Assets:A "x"\n'
    file = period_file.parse("; private\n" + payment("C1", "a").text + note + syntax.MARKER)

    text = syntax.joined(general.blocks(file, "C1", "EUR"))

    assert "payment-a" in text
    assert "private" not in text
    assert "note" not in text


BLOCKS = st.lists(
    st.builds(
        payment,
        st.sampled_from(["C1", "C2", "X-c3"]),
        st.sampled_from("abcdef"),
        st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 5)),
        st.sampled_from(["", "Assets:Receivable:C1:Billed", "for Assets:Receivable:C2:Unbilled x"]),
    ),
    max_size=8,
)
IDS = {"C1": "C1", "C2": "C2", "X-c3": "c3"}


def _merged(text, customers, added):
    kept, _ = general.split(text, customers)
    return general.ordered([*kept, *added])


@given(BLOCKS, st.permutations(["C1", "C2", "X-c3"]))
def test_customers_may_be_merged_in_any_order_and_again(blocks, order):
    def of(part):
        own = (
            block for block in blocks if syntax.legs(block.text)[1].account.split(":")[2] == part
        )
        return sorted(own, key=lambda block: block.date)

    at_once = _merged("", IDS.values(), [block for part in IDS for block in of(part)])
    text = ""
    for part in [*order, *order]:
        text = _merged(text, [IDS[part]], of(part))

    assert text == at_once
    assert Counter(block.links[0] for block in syntax.blocks(text)) == Counter(
        block.links[0] for block in blocks
    )


def test_whose_a_block_is_says_its_posting_or_its_metadata_and_no_text():
    other = '2026-01-05 * "Payment" "Assets:Receivable:C2:Billed"\n'
    named = other + '  customer: "c1"\n  Assets:Bank  1 EUR\n  Assets:Clearing:Refills  -1 EUR\n'
    lines = {
        other + "  Assets:Bank  1 EUR\n  ! Assets:Receivable:C1:Billed  -1 EUR\n": "C1",
        named: "X-c1",
        "2026-01-05 open Assets:Receivable:C1:Billed EUR\n": "C1",
        "2026-01-05 balance Assets:Receivable:C1:Billed  1 EUR\n": "C1",
        other + "  Assets:Bank  1 EUR\n": "",
    }

    for text, customer in lines.items():
        assert general.customer_of(syntax.blocks(text)[0]) == customer


def test_balances_stand_before_the_entries_of_their_day():
    line = "2026-01-10 balance Assets:Receivable:C1:Billed  0 ~ 0 EUR\n"
    balance = syntax.Block("2026-01-10", "balance", line)

    text = _merged("", ["C1"], [payment("C1", "a"), balance])

    assert [block.kind for block in syntax.blocks(text)] == ["balance", "*"]
