from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.journal import period_file, syntax
from a2ledger.journal.entries import leg, transaction
from a2ledger.journal.period_file import Usage

DAY = dt.date(2026, 1, 5)
HEAD = """\
2026-01-01 balance Assets:Receivable:C1:Billed      81.97 ~ 0 EUR
2026-01-01 balance Assets:Receivable:C1:Unbilled  0.002310 ~ 0 EUR
"""


def usage(day=5, micro=1_000_000, service="Calls", vat="S21", late=None):
    return Usage(DAY.replace(day=day), late, service, vat, 2, 61, micro)


def payment(day, name, *links, narration=""):
    postings = [leg("Assets:Bank", 5_000_000, "EUR", places=2),
                leg("Assets:Receivable:C1:Billed", -5_000_000, "EUR", places=2)]  # fmt: skip
    return transaction(
        DAY.replace(day=day), "Payment", narration, postings, links=[f"payment-{name}", *links]
    )


def file_with(*rows, above=HEAD):
    text = above + syntax.MARKER
    text += "".join(syntax.formatted(period_file.usage_entry(row, "C1", "EUR")) for row in rows)
    return period_file.parse(text)


def text_of(file):
    return period_file.written(file, "C1", "EUR")


def test_a_file_reads_back_as_it_was_written():
    late = usage(6, late=dt.date(2025, 12, 30))
    rows = (usage(5), usage(6, service='a "b"\n', vat='x"'), late)
    file = file_with(*rows)

    assert file.usage == rows
    assert [block.kind for block in file.above] == ["balance", "balance"]
    assert period_file.parse(text_of(file)).usage == rows
    assert text_of(period_file.parse(text_of(file))) == text_of(file)


def test_a_file_is_known_as_it_will_be_read():
    late = usage(1, late=dt.date(2025, 12, 30))
    file = period_file.with_usage(file_with(usage(5), late), {DAY}, [usage(9), usage(7, vat="O")])
    note = syntax.Block("", "", "; a note\n\n")
    file = period_file.with_entries(file, [payment(3, "p-1"), payment(2, "p-2")])
    file = file._replace(above=(*file.above, note))

    known = period_file.settled(file, "C1", "EUR")

    assert known == period_file.parse(text_of(file))
    assert period_file.text_of(known) == text_of(file)


SOME_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
SOME_DAY = st.dates(dt.date(1990, 1, 1), dt.date(2100, 1, 1))
MICRO = st.integers(-(10**12), 10**12)


@given(
    st.builds(
        Usage, SOME_DAY, st.none() | SOME_DAY, SOME_TEXT, st.just("") | SOME_TEXT,
        st.integers(0, 10**6), st.integers(0, 10**9), MICRO, st.just(0) | MICRO,
    ),
    st.sampled_from(["C1", "cust.1", "A-much-longer-customer"]),
)  # fmt: skip
def test_usage_is_written_as_any_entry_is(one, customer):
    entry = period_file.usage_entry(one, customer, "EUR")

    assert period_file.usage_text(one, customer, "EUR") == syntax.formatted(entry)


def test_a_new_file_is_its_marker():
    empty = period_file.PeriodFile((), ())

    assert text_of(empty) == syntax.MARKER
    assert period_file.parse("") == empty
    assert period_file.parse(syntax.MARKER) == empty


def test_usage_stands_by_day_then_late_then_service_then_vat_code():
    late = usage(1, late=dt.date(2025, 12, 30))
    ordered = [usage(1, vat="O"), usage(1), usage(1, service="Directory"), late, usage(2)]

    file = period_file.with_usage(file_with(), set(), reversed(ordered))

    assert period_file.parse(text_of(file)).usage == tuple(ordered)


def test_only_the_days_named_are_replaced():
    late = usage(1, late=dt.date(2025, 12, 30))
    file = file_with(usage(5), usage(6), late)

    changed = period_file.with_usage(file, {DAY, dt.date(2025, 12, 30)}, [usage(5, micro=7)])

    assert set(changed.usage) == {usage(6), usage(5, micro=7)}


def test_usage_that_did_not_change_keeps_its_bytes():
    text = HEAD + syntax.MARKER + syntax.formatted(
        period_file.usage_entry(usage(), "C1", "EUR")
    ).replace("Income:Calls       ", "Income:Calls ")  # fmt: skip

    file = period_file.with_usage(period_file.parse(text), {dt.date(2026, 1, 9)}, [usage(9)])

    assert text_of(file).startswith(text)


@pytest.mark.parametrize(
    "written",
    [
        '2026-01-05 * "Payment" ""\n  Assets:A  1 EUR\n',
        '2026-01-05 * "Calls" "2 calls"\n  calls: x\n',
        "2026-01-05 balance Assets:A  1 EUR\n",
        "; only a word\n",
    ],
)
def test_what_the_program_did_not_write_may_not_stand_below_the_marker(written):
    text = HEAD + syntax.MARKER
    if written.startswith(";"):
        assert period_file.parse(text + written).usage == ()
        return
    with pytest.raises(ValueError, match="below the marker is a line that a2ledger did not write"):
        period_file.parse(text + written)


def test_entries_are_inserted_by_date_then_link_and_every_other_byte_stays():
    hand = '2026-01-07 * "By hand"\n  Assets:A   1 EUR\n  Assets:B  -1 EUR\n; a note\n\n\n'
    file = period_file.parse(HEAD + hand + syntax.MARKER)

    file = period_file.with_entries(file, [payment(8, "b"), payment(6, "z"), payment(8, "a")])

    z, a, b = (syntax.formatted(payment(*args)) for args in ((6, "z"), (8, "a"), (8, "b")))
    assert text_of(file) == HEAD + z + hand + a + b + syntax.MARKER


def test_an_entry_takes_the_place_of_the_one_that_bears_its_link():
    file = period_file.with_entries(file_with(), [payment(6, "a"), payment(7, "b")])

    file = period_file.with_entries(file, [payment(6, "a", "refill-x", narration="paired")])

    assert text_of(file) == (
        HEAD
        + syntax.formatted(payment(6, "a", "refill-x", narration="paired"))
        + syntax.formatted(payment(7, "b"))
        + syntax.MARKER
    )


def test_what_people_noted_below_an_entry_stays_when_the_entry_is_written_anew():
    note = "; asked by telephone\n"
    above = HEAD + syntax.formatted(payment(6, "a")) + note + syntax.formatted(payment(7, "b"))
    file = period_file.parse(above + syntax.MARKER)

    same_day = period_file.with_entries(file, [payment(6, "a", narration="x")])
    other_day = period_file.with_entries(file, [payment(9, "a", narration="x")])

    assert (
        text_of(same_day)
        == above.replace('"Payment" "" ^payment-a', '"Payment" "x" ^payment-a') + syntax.MARKER
    )
    assert note in text_of(other_day)
    assert text_of(other_day).endswith(
        syntax.formatted(payment(9, "a", narration="x")) + syntax.MARKER
    )


def test_a_file_is_split_at_a_day():
    close = transaction(
        dt.date(2026, 1, 31), "Invoice INV-1", "", [], links=["INV-1"], tags=["invoice"]
    )
    file = period_file.with_entries(
        file_with(usage(5), usage(20)), [payment(6, "a"), payment(25, "b")]
    )

    before, after = period_file.split(file, dt.date(2026, 1, 20))

    assert (before.usage, after.usage) == ((usage(5),), (usage(20),))
    assert "payment-a" in text_of(before)
    assert "payment-b" not in text_of(before)
    assert "payment-b" in text_of(after)
    assert HEAD in text_of(before)
    closed = before._replace(closing=(syntax.Block("2026-01-31", "*", syntax.formatted(close)),))
    assert period_file.parse(text_of(closed)).closing == closed.closing


@pytest.mark.parametrize(
    ("head", "closing"),
    [
        ('2026-01-31 * "Invoice" "" ^INV-1 #invoice', True),
        ('2026-01-31 * "Credit note" "" ^CN-1 #credit-note', True),
        ('2026-01-31 * "Rounding" "" #rounding', True),
        ('2026-01-31 * "Payment" "" ^payment-1', False),
        ("2026-01-31 balance Assets:A 1 EUR", False),
    ],
)
def test_entries_of_a_close_are_told_by_their_tag(head, closing):
    assert period_file.is_closing(syntax.blocks(head + "\n")[0]) is closing


@pytest.mark.parametrize(
    ("calls", "seconds", "text"),
    [(0, 0, "0 calls, 0:00:00"), (1, 59, "1 call, 0:00:59"), (142, 34385, "142 calls, 9:33:05"),
     (9, 360_000, "9 calls, 100:00:00")],
)  # fmt: skip
def test_how_many_calls_and_how_long(calls, seconds, text):
    assert period_file.calls_text(calls, seconds) == text
