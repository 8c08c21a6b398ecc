from __future__ import annotations

import datetime as dt

from beancount import loader
from beancount.core import data
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.journal import carried, syntax
from a2ledger.journal.entries import leg, transaction
from a2ledger.period import last_of_month

OTHERS = ["Assets:Bank", "Assets:Gateway:PayPal", "Income:Calls", "Liabilities:VAT:S21"]
OWN = [
    "Assets:Receivable:C1:Billed",
    "Assets:Receivable:C1:Unbilled",
    "Assets:Receivable:X-c2:Billed",
    "Liabilities:Deposits:C1",
]


def moved(day, debit, credit, micro=1_000_000, currency="EUR"):
    postings = [leg(debit, micro, currency), leg(credit, -micro, currency)]
    return syntax.formatted(transaction(day, "Moved", "", postings))


def loaded(text):
    opens = "".join(f"1970-01-01 open {account}\n" for account in [*OTHERS, *OWN])
    entries, errors, _ = loader.load_string(opens + text)
    assert errors == []
    return [entry for entry in entries if isinstance(entry, data.Transaction)]


def standing(entries, account, day):
    """What an account and all below it come to at the end of a day, by currency."""
    sums = {}
    for entry in entries:
        for posting in entry.postings:
            if entry.date <= day and f"{posting.account}:".startswith(f"{account}:"):
                currency = posting.units.currency
                sums[currency] = sums.get(currency, 0) + posting.units.number
    return {currency: number for currency, number in sums.items() if number}


def test_a_day_is_carried_by_its_sums_and_a_customer_by_his_month_s_end():
    text = moved(dt.date(2026, 1, 5), "Assets:Bank", OWN[0]) + moved(
        dt.date(2026, 1, 5), OWN[1], "Income:Calls", 2_000_000
    )

    assert carried.month("2026-01", [text], by_customer=True) == (
        "; 2026-01, day by day, customers' balances at the month's end among them\n"
        '2026-01-05 * "Carried" "the day\'s movements"\n'
        "  Assets:Bank                   1.000000 EUR\n"
        "  Assets:Receivable:X-Carried   1.000000 EUR\n"
        "  Income:Calls                 -2.000000 EUR\n"
        "\n"
        '2026-01-31 * "Carried" "C1"\n'
        "  Assets:Receivable:C1:Unbilled   2.000000 EUR\n"
        "  Assets:Receivable:C1:Billed    -1.000000 EUR\n"
        "  Assets:Receivable:X-Carried    -1.000000 EUR\n"
        "\n"
    )


def test_what_cancels_out_is_not_carried():
    day = dt.date(2026, 1, 10)
    text = moved(day, "Assets:Bank", OWN[0]) + moved(day, OWN[0], "Assets:Bank")

    made = carried.month("2026-01", [text], by_customer=True)

    assert carried.is_month(made, "2026-01", by_customer=True)
    assert "*" not in made


DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2026, 4, 30))
MOVES = st.lists(
    st.tuples(
        DAYS,
        st.sampled_from([*OTHERS, *OWN]),
        st.sampled_from([*OTHERS, *OWN]),
        st.integers(1, 10**9),
        st.sampled_from(["EUR", "USD"]),
    ),
    max_size=12,
)


@given(MOVES, st.integers(0, 4))
def test_what_is_carried_is_true_on_every_day_it_can_be_asked_about(moves, whole):
    months = {f"2026-{month:02d}": "" for month in range(1, 5)}
    for day, debit, credit, micro, currency in moves:
        months[str(day)[:7]] += moved(day, debit, credit, micro, currency)
    last = f"2026-{whole:02d}" if whole else ""
    before = {month: [text] for month, text in months.items() if month <= last}

    made = carried.balances(last, before) + "".join(
        carried.month(month, [text], by_customer=month > last) for month, text in months.items()
    )

    full, short = loaded("".join(months.values())), loaded(made)
    ends = [last_of_month(month) for month in months]
    for day in [*ends, *(day for day, *_ in moves)]:
        for account in [*OTHERS, "Assets", "Assets:Receivable", "Liabilities:Deposits"]:
            assert standing(short, account, day) == standing(full, account, day)
    for end in (end for end in ends if str(end)[:7] >= last):
        for account in OWN:
            assert standing(short, account, end) == standing(full, account, end)


def shard(customer):
    return f"{len(customer):02x}"


@given(st.lists(st.tuples(MOVES, st.booleans()), max_size=6))
def test_control_totals_that_follow_changes_are_those_made_of_the_whole(changes):
    """Days of one month come, and some of them go again."""
    text, kept = "", []
    for moves, goes in changes:
        blocks = syntax.blocks("".join(moved(day.replace(month=1), *rest) for day, *rest in moves))
        text = carried.totals("2026-01", text, [], blocks, shard)
        if goes:
            text = carried.totals("2026-01", text, blocks, [], shard)
        else:
            kept += blocks

    assert text == carried.totals("2026-01", "", [], kept, shard) or not changes
    full = loaded(syntax.joined(kept))
    entries, errors, _ = loader.load_string(
        "".join(f"1970-01-01 open {account}\n" for account in OTHERS)
        + carried.totals_start(["02", "04"])
        + text
    )
    assert errors == []
    totals = [entry for entry in entries if isinstance(entry, data.Transaction)]
    end = dt.date(2026, 1, 31)
    for day in [*(dt.date(2026, 1, number) for number in range(1, 31)), end]:
        for account in [*OTHERS, "Assets", "Assets:Receivable", "Liabilities:Deposits"]:
            assert standing(totals, account, day) == standing(full, account, day)
    for part in ("Billed", "Unbilled"):
        own = {}
        for name in ("C1", "X-c2"):
            for currency, number in standing(full, f"Assets:Receivable:{name}:{part}", end).items():
                own[shard(name), currency] = own.get((shard(name), currency), 0) + number
        assert {key: number for key, number in own.items() if number} == {
            (name, currency): number
            for name in ("02", "04")
            for currency, number in standing(
                totals, f"Assets:Receivable:X-Shard-{name}:{part}", end
            ).items()
        }
