"""Laws: what holds whatever comes in, and in whatever order."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
import shelf
from beancount import loader
from beancount.core import data
from examples import cases, tried
from hypothesis import given
from hypothesis import strategies as st
from posted import CODES, DAYS, JANUARY, draw_up, months, row, total, years

from a2ledger import accounts, money
from a2ledger.billing import closing_entries
from a2ledger.book import config
from a2ledger.documents.document import ROUNDING
from a2ledger.journal import entries as journal_entries
from a2ledger.journal import period_file, syntax
from a2ledger.journal.rows import Brought
from a2ledger.payments import posting
from a2ledger.records import Movement

TEXTS = st.text(
    st.one_of(
        st.sampled_from(
            list('"\\\n\r\t\0;^#{}*!\u2028\u2029\x85\x0b\x0c\x1c\x1a\ufeff\u202e\U0001f4de')
        ),
        st.characters(exclude_categories=("Cs",)),
    ),
    max_size=30,
)
AMOUNTS = st.one_of(
    st.integers(-(10**15), 10**15),
    st.sampled_from([0, 1, -1, 4_999, 5_000, -5_000, 10**18 - 1, 1 - 10**18]),
)
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,20}", fullmatch=True)

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
    assert sum(leg.micro for leg in syntax.legs(syntax.formatted(entry))) == 0


@given(MOVEMENTS, MOVEMENTS)
def test_a_payment_and_its_refill_balance_however_they_are_put_together(first, second):
    payment = entry_of(_as(first, "payment"))
    refill = entry_of(_as(second, "refill"))

    assert total(posting.paired(payment, refill, "C1")) == 0
    assert total(posting.without_effect(refill, "C1")) == 0
    assert total(journal_entries.moved_to(payment, dt.date(2028, 1, 1))) == 0


def _as(movement: Movement, kind: str) -> Movement:
    fields = {name: getattr(movement, name) for name in Movement.__slots__}
    return Movement(**(fields | {"kind": kind}))


USAGE = st.builds(
    period_file.Usage,
    date=DAYS,
    late_from=st.none() | DAYS,
    service=TEXTS.filter(bool),
    vat=st.sampled_from(["S21", "O", "AE", "a code"]),
    calls=st.integers(0, 10**9),
    seconds=st.integers(0, 10**9),
    micro=AMOUNTS,
    pending_micro=st.integers(-(10**15), 10**15),
)


@given(USAGE, IDS)
def test_every_entry_of_usage_balances_and_can_be_read_back(usage, customer):
    entry = period_file.usage_entry(usage, customer, "EUR")
    text = syntax.formatted(entry)

    assert total(entry) == 0
    assert period_file.read_usage(syntax.blocks(text)[0]) == usage
    assert period_file.usage_text(usage, customer, "EUR") == text


@given(st.lists(st.tuples(st.sampled_from(["S21", "S5", "O"]), AMOUNTS), max_size=5), IDS)
def test_every_entry_of_a_close_balances(postings, customer):
    bill = draw_up(Brought(), [row(JANUARY.start, code, micro) for code, micro in postings])

    for entry in closing_entries.entries(bill, customer, "EUR", "invoice", "INV-2026-000001"):
        assert total(entry) == 0


# ---- print, load: the same again ----


def loaded(text: str) -> list[data.Directive]:
    entries, errors, _ = loader.load_string(text)
    assert [error for error in errors if "Validat" not in type(error).__name__] == []
    return entries


@given(TEXTS, TEXTS, TEXTS, TEXTS, AMOUNTS)
def test_any_text_and_amount_comes_back_from_a_transaction(payee, narration, value, leg, micro):
    entry = journal_entries.transaction(
        dt.date(2026, 1, 5),
        payee,
        narration,
        [
            journal_entries.leg("Assets:A", micro, "EUR", vat=leg),
            journal_entries.leg("Income:B", -micro, "EUR"),
        ],
        meta={"calls": 3, "late_from": dt.date(2025, 12, 31), "id": value},
        links=["payment-x"],
        tags=["invoice"],
    )
    opens = "1970-01-01 open Assets:A\n1970-01-01 open Income:B\n"

    *_, found = entries = loaded(opens + syntax.formatted(entry))

    assert len(entries) == 3
    assert (found.payee or "", found.narration) == (payee, narration)
    assert (found.meta["id"], found.meta["calls"]) == (value, 3)
    assert found.meta["late_from"] == dt.date(2025, 12, 31)
    assert (found.links, found.tags) == ({"payment-x"}, {"invoice"})
    assert [leg.units for leg in found.postings] == [leg.units for leg in entry.postings]
    assert found.postings[0].meta.get("vat", "") == leg
    assert [row.micro for row in syntax.legs(syntax.formatted(entry))] == [micro, -micro]


@given(TEXTS, TEXTS, AMOUNTS)
def test_any_text_comes_back_from_what_is_not_a_transaction(text, other, micro):
    amount = data.Amount(money.decimal(micro), "EUR")
    written = [
        data.Open({"name": text}, dt.date(2026, 1, 1), "Assets:A", ["EUR"], None),
        data.Custom({}, dt.date(2026, 1, 2), "a2ledger-set", [other, text]),
        data.Custom({}, dt.date(2026, 1, 3), "a2ledger-carried", [text, amount]),
        data.Balance(
            {}, dt.date(2026, 1, 4), "Assets:A", data.Amount(Decimal(0), "EUR"), None, None
        ),
    ]

    opened, said, carried, balance = loaded("".join(map(syntax.formatted, written)))

    assert opened.meta["name"] == text
    assert [value.value for value in said.values] == [other, text]
    assert [value.value for value in carried.values] == [text, amount]
    assert (balance.amount.number, balance.tolerance) == (0, 0)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6))
def test_no_text_makes_one_entry_into_two(texts):
    entries = [
        journal_entries.transaction(dt.date(2026, 1, 5), payee, narration, [], meta={"id": payee})
        for payee, narration in texts
    ]
    text = "".join(map(syntax.formatted, entries))

    assert len(loaded(text)) == len(entries)
    assert [block.kind for block in syntax.blocks(text)] == ["*"] * len(entries)
    assert syntax.joined(syntax.blocks(text)) == text


@given(TEXTS)
def test_a_quoted_text_is_one_line_and_reads_back_without_beancount(text):
    assert "\n" not in syntax.quoted(text)
    assert syntax.unquoted(syntax.quoted(text)) == text


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


@tried(40)
@given(run=runs(calls(["1767607200.1", "1767607200.2"], ["1", "2"])))
def test_calls_with_a_sequence_in_any_order_give_the_same_books(template, run):
    assert_order_is_nothing(template, "pbx1", "", asterisk_line, run)


@tried(40)
@given(run=runs(calls(["1767607200.1", "1767607200.2"], [""])))
def test_calls_without_a_sequence_in_any_order_give_the_same_books(template, run):
    assert_order_is_nothing(template, "pbx1", "", asterisk_line, run)


@tried(60)
@given(run=runs(calls(["1767607200.1"], ["", "1", "2"])))
def test_calls_with_and_without_a_sequence_in_any_order_give_the_same_books(template, run):
    assert_order_is_nothing(template, "pbx1", "", asterisk_line, run)


def logged(call: tuple[tuple[str, str, str, str, int, str], int]) -> str:
    """One line of a Master.csv of a time when so many columns were logged."""
    row, width = call
    (line,) = csv.reader([asterisk_line(row)])
    return ",".join(f'"{value}"' for value in line[:width]) + "\n"


@st.composite
def rotated(draw, rows):
    """The same rows twice: in order, and in the files of a directory in any order, some again."""
    given_rows = draw(rows)
    again = draw(st.lists(st.sampled_from(given_rows), max_size=3))
    shuffled = draw(st.permutations([*given_rows, *again]))
    names = ["Master.csv", "Master.csv.1", "Master.csv.2.gz", "Master.csv-20260105.gz"]
    places = draw(st.lists(st.sampled_from(names), min_size=len(shuffled), max_size=len(shuffled)))
    runs = draw(st.integers(1, 3))
    return given_rows, list(zip(places, shuffled, strict=True)), runs


WIDE = st.lists(
    st.tuples(calls(["1767607200.1", "1767607200.2"], ["1", "2"]).map(lambda rows: rows[0]),
              st.sampled_from([16, 18, 21])),
    min_size=2,
    max_size=7,
    unique_by=lambda call: call[0],  # of each call there is one row, in one form
)  # fmt: skip


@tried(40)
@given(run=rotated(WIDE))
def test_rows_of_any_width_in_any_files_of_a_directory_give_the_same_books(template, run):
    rows, placed, runs_ = run
    with shelf.copied(template) as root:
        shelf.take(root, "pbx1", "".join(map(logged, rows)))
        at_once = shelf.ledger_of(root)
    with shelf.copied(template) as root:
        directory = root.parent / "cdr-csv"
        directory.mkdir()
        for number in range(runs_):
            count = len(placed) * (number + 1) // runs_
            _write_logs(directory, placed[:count] if count else placed)
            report = shelf.take_from(root, "pbx1", directory)
            assert report.read == buckets(report)
        assert shelf.ledger_of(root) == at_once


def _write_logs(directory: Path, placed: list[tuple[str, tuple]]) -> None:
    """Files as a switch leaves them, with the copies that it makes by account."""
    texts: dict[str, str] = {"Master.csv": ""}
    for name, record in placed:
        for file in (name, f"{record[0][2]}.csv"):
            texts[file] = texts.get(file, "") + logged(record)
    for name, text in texts.items():
        content = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
        (directory / name).write_bytes(content)


def call(uid, sequence, customer, start, seconds=30, called="3225550199"):
    return (uid, sequence, customer, start, seconds, called)


@pytest.mark.parametrize("seconds", [0, 30])  # apart, and overlapping
@cases("parts", [[0, 1, 2], [1, 2, 0], [2, 1, 0], [1, 0, 2], [2, 0, 1], [0, 2, 1]], 2)
def test_a_row_without_sequence_finds_no_home_with_a_call_that_lost_its_conflict(
    template, parts, seconds
):
    rows = [
        call("u", "1", "C1", "2026-01-05 22:59:50", seconds),
        call("u", "1", "C1", "2026-01-05 23:00:10", seconds),
        call("u", "", "C1", "2026-01-05 23:00:10", seconds),
    ]
    run = (rows, [[rows[part]] for part in parts])

    assert_order_is_nothing(template, "pbx1", "", asterisk_line, run)


NEUTRAL = "id,customer,start,called,seconds,cost\n"


def neutral_line(call: tuple[str, str, str, str, int, str]) -> str:
    return ",".join(map(str, call)) + "\n"


@tried(40)
@given(
    run=runs(
        st.lists(
            st.tuples(
                st.sampled_from(["1", "2"]),
                st.sampled_from(["C1", "c2"]),
                st.sampled_from(STARTS),
                st.just("3225550199"),
                st.sampled_from([0, 30]),
                st.sampled_from(["", "0", "1.5", "0.000001"]),
            ),
            min_size=2,
            max_size=6,
        )
    )
)
def test_calls_that_bring_their_cost_in_any_order_give_the_same_books(template, run):
    assert_order_is_nothing(template, "old", NEUTRAL, neutral_line, run)


# ---- the same money, whatever order it comes in ----

MONEY = "id,customer,date,amount,method,reference\n"


def money_rows(kind: str) -> st.SearchStrategy[list[tuple[str, ...]]]:
    other = {"refills": "p", "payments": "r"}[kind]
    return st.lists(
        st.tuples(
            st.sampled_from([kind[0] + number for number in "123"]),
            st.sampled_from(["C1", "c2"]),
            st.sampled_from(["2025-12-31", "2026-01-05", "2026-02-05"]),
            st.sampled_from(["10.00", "-10.00", "7.12345"]),
            st.sampled_from(["", "voucher", "PayPal"]),
            st.sampled_from(["", "", other + "1", other + "2", other + "3", "bank 77"]),
        ),
        max_size=4,
    )


@st.composite
def money_runs(draw, *, distinct: bool):
    """Refills and payments at once, and in parts of either in any order."""
    rows = {kind: draw(money_rows(kind)) for kind in ("refills", "payments")}
    if distinct:
        rows = {kind: list({row[0]: row for row in found}.values()) for kind, found in rows.items()}
    tagged = [(kind, row) for kind, found in rows.items() for row in found]
    again = draw(st.lists(st.sampled_from(tagged), max_size=2)) if tagged else []
    shuffled = draw(st.permutations([*tagged, *again]))
    return rows, shuffled


def assert_order_of_money_is_nothing(template, run) -> None:
    rows, shuffled = run
    with shelf.copied(template) as root:
        for kind in ("refills", "payments"):
            shelf.take(root, kind, MONEY + "".join(",".join(row) + "\n" for row in rows[kind]))
        at_once = shelf.ledger_of(root)
    with shelf.copied(template) as root:
        for kind, row in shuffled:
            shelf.take(root, kind, MONEY + ",".join(row) + "\n")
        one_by_one = shelf.ledger_of(root)
    assert one_by_one == at_once


@tried(60)
@given(run=money_runs(distinct=True))
def test_refills_and_payments_that_name_each_other_in_any_order_give_the_same_books(template, run):
    assert_order_of_money_is_nothing(template, run)


@pytest.mark.parametrize("order", ["abc", "bac", "cab", "cba"])
def test_a_payment_with_two_refills_to_choose_from_chooses_alike_in_any_order(template, order):
    rows = {
        "a": ("refills", ("r2", "C1", "2026-01-05", "10.00", "voucher", "")),
        "b": ("payments", ("p1", "C1", "2026-01-06", "10.00", "", "r2")),
        "c": ("refills", ("r1", "C1", "2026-01-07", "10.00", "", "p1")),
    }
    at_once = {"refills": [rows["a"][1], rows["c"][1]], "payments": [rows["b"][1]]}

    assert_order_of_money_is_nothing(template, (at_once, [rows[name] for name in order]))


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_two_refills_that_name_a_payment_of_a_closed_period_come_out_alike(template, order):
    rows = {
        "a": ("refills", ("r1", "C1", "2026-01-05", "10.00", "", "p1")),
        "b": ("refills", ("r2", "C1", "2026-01-05", "10.00", "", "p1")),
    }
    with shelf.copied(template) as root:
        shelf.take(root, "payments", MONEY + "p1,C1,2026-01-06,10.00,,\n")
        shelf.close(root, dt.date(2026, 2, 1), names=("C1",))
        run = ({"refills": [rows["a"][1], rows["b"][1]], "payments": []}, [rows[n] for n in order])
        assert_order_of_money_is_nothing(root, run)


@tried(40)
@given(rows=money_rows("payments"), data=st.data())
def test_payments_with_one_id_in_any_order_in_a_file_give_the_same_books(template, rows, data):
    found = []
    for order in (rows, data.draw(st.permutations(rows))):
        with shelf.copied(template) as root:
            shelf.take(root, "payments", MONEY + "".join(",".join(row) + "\n" for row in order))
            found.append(shelf.ledger_of(root))

    assert found[0] == found[1]


@pytest.mark.parametrize("first", ["10.00", "20.00"])
def test_of_two_payments_with_one_id_the_one_in_the_book_stays(template, first):
    # Unlike calls: an entry may have been corrected by hand, and must not be written over.
    second = {"10.00": "20.00", "20.00": "10.00"}[first]
    head = "id,customer,date,amount,method,reference\n"
    with shelf.copied(template) as root:
        shelf.take(root, "payments", f"{head}p1,C1,2026-01-05,{first},,\n")
        before = shelf.ledger_of(root)

        again = shelf.take(root, "payments", f"{head}p1,C1,2026-01-05,{second},,\n")

        assert shelf.ledger_of(root) == before
        assert again.quarantined() == {"conflict": 1}


# ---- rounding never leaks ----


@tried(250)
@given(years(), st.sampled_from([0, 2, 3]))
def test_what_is_billed_and_what_is_left_are_all_that_was_ever_posted(periods, places):
    unit = 10 ** (money.PLACES - places)
    brought, unbilled, billed = Brought(), Counter(), 0
    statement = None
    for period, rows, used in periods:
        bill = draw_up(brought, rows, used, period, places)
        for one in rows:
            if one.billed:
                billed += one.micro
            else:
                unbilled[one.vat] += one.micro
        for entry in closing_entries.entries(bill, "C1", "EUR", "invoice", "INV-1"):
            assert total(entry) == 0
            assert entry.date == period.last
            for leg in entry.postings:
                if leg.account == accounts.unbilled("C1"):
                    unbilled[leg.meta["vat"]] += money.micro(leg.units.number)
                elif leg.account == accounts.billed("C1"):
                    billed += money.micro(leg.units.number)

        # The fraction that is left is at most half a cent, and all there is on Unbilled.
        assert all(2 * abs(fraction) <= unit for fraction in unbilled.values())
        assert bill.carried.unbilled_micro == sum(unbilled.values())
        assert bill.carried.billed_micro == billed
        for code, cumulative in bill.carried.cumulative_micro.items():
            assert cumulative - money.rounded(cumulative, places) == unbilled[code]

        # A code that nobody used leaves nothing behind.
        quiet = bill.brought.cumulative_micro.keys() - {one.vat for one in rows if not one.billed}
        assert all(unbilled[code] == 0 for code in quiet)

        assert_document_adds_up(bill, statement, places)
        statement, brought = bill.statement, bill.carried


def assert_document_adds_up(bill, previous, places):
    statement = bill.statement
    if previous:
        assert statement.opening == previous.closing
    balance = Decimal(statement.opening)
    for line in statement.lines:
        balance += Decimal(line.amount)
        assert balance == Decimal(line.balance)
    assert balance == Decimal(statement.closing)
    assert statement.closing == money.text(money.rounded(bill.carried.billed_micro, places), places)

    nets = Counter()
    for line in bill.lines:
        nets[line.vat_code] += money.parse(line.net)
    for code, net in bill.net_micro.items():
        assert nets[code] == net
        exact = Decimal(net) / money.MICRO * CODES[code].rate / 100
        rounded = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        assert bill.vat_micro[code] == money.micro(rounded)
    assert [line.line for line in bill.lines] == list(range(1, len(bill.lines) + 1))
    shown = {line.code: (money.parse(line.net), money.parse(line.vat)) for line in bill.vat}
    moved = {code for code, net in bill.net_micro.items() if net}
    assert shown.keys() >= moved
    assert all(shown[code] == (bill.net_micro[code], bill.vat_micro[code]) for code in shown)


@pytest.mark.parametrize("opening", [-1_005_000, 1_005_000, -4_999, -1_204_999])
def test_a_balance_of_half_a_cent_that_changes_its_sign_closes(opening):
    bought = row(JANUARY.start, "S21", 1_000_000 if opening < 0 else -1_000_000)
    bill = draw_up(Brought(billed_micro=opening), [bought])
    assert_document_adds_up(bill, None, 2)
    added = [line.amount for line in bill.statement.lines if line.description == ROUNDING]
    assert added in ([], ["0.01"], ["-0.01"])


@tried(100)
@given(months(JANUARY.start), st.randoms())
def test_the_order_in_which_postings_are_found_changes_no_bill(month, random):
    rows, used = month
    numbered = [one._replace(link=f"charge-{index}") for index, one in enumerate(rows)]
    others = random.sample(numbered, len(numbered)), random.sample(used, len(used))

    assert draw_up(Brought(), numbered, used) == draw_up(Brought(), *others)


# ---- every row in one bucket; twice is once ----


def bad_line(**given_):
    """A line of a Master.csv that is no call."""
    usual = {"account": "C1", "application": "Dial", "start": "2026-01-05 12:00:00"}
    row = usual | {"seconds": 9, "disposition": "ANSWERED", "uid": "u9"} | given_
    return (
        '"{account}","x","3225550199","customers","x","c","","{application}","","{start}","","",'
        '9,{seconds},"{disposition}","D","{uid}",""\n'
    ).format(**row)


BAD_LINES = [
    bad_line(start="2026-01-05 25:00:00"),
    bad_line(seconds=-9),
    bad_line(disposition="BUSY", uid="u8"),
    bad_line(application="Hangup", uid="u7"),
    bad_line(account="", uid="u6"),
    bad_line(start="2025-11-05 12:00:00", uid="u5"),
    bad_line(start="2027-01-05 12:00:00", uid="u4"),
    "what is this\n",
    '"too","short"\n',
]
LINES = st.one_of(
    calls(["u1", "u2"], ["", "1", "2"]).map(lambda rows: [asterisk_line(one) for one in rows]),
    st.lists(st.sampled_from(BAD_LINES), max_size=3),
)


def rows_in_days(root: Path) -> int:
    digests = (root / "calls/DIGESTS").read_text() if (root / "calls/DIGESTS").exists() else ""
    return sum(int(line.split()[1]) for line in digests.splitlines())


def buckets(report) -> int:
    return (
        report.posted
        + report.free
        + report.late
        + report.duplicate
        + report.not_billable.total()
        + sum(report.quarantined().values())
    )


@tried(50)
@given(pieces=st.lists(LINES, min_size=1, max_size=3), data=st.data())
def test_every_row_read_is_in_one_bucket_and_a_second_import_changes_nothing(
    template, pieces, data
):
    lines = data.draw(st.permutations([line for piece in pieces for line in piece]))
    cut = data.draw(st.integers(0, len(lines)))
    files = ["".join(lines[:cut]), "".join(lines[cut:])]
    with shelf.copied(template) as root:
        calls_before = 0
        for text, count in zip(files, (cut, len(lines) - cut), strict=True):
            report = shelf.take(root, "pbx1", text)
            assert report.read == buckets(report) == count
            calls_before += report.posted + report.free + report.late - len(report.displaced)
            assert rows_in_days(root) == calls_before

            assert_again_changes_nothing(root, "pbx1", text, shelf.tree)
        assert_again_changes_nothing(root, "pbx1", files[0], shelf.ledger_of)


def assert_again_changes_nothing(root, source, text, seen) -> None:
    before = seen(root)
    again = shelf.take(root, source, text)
    assert (again.posted, again.free, again.late) == (0, 0, 0)
    if seen is shelf.tree:
        assert again.new_in_quarantine == 0
    assert seen(root) == before


@tried(30)
@given(
    rows=money_rows("payments"),
    bad=st.lists(
        st.sampled_from(
            [
                "p9,nobody,2026-01-05,1.00,,\n",
                "p8,C1,yesterday,1.00,,\n",
                "p7,C1,2026-01-05,1e3,,\n",
                ",C1,2026-01-05,1.00,,\n",
                "p6,C1,2025-11-01,1.00,,\n",
                "p5,C1\n",
            ]
        )
    ),
    data=st.data(),
)
def test_every_payment_read_is_in_one_bucket_and_a_second_import_changes_nothing(
    template, rows, bad, data
):
    lines = data.draw(st.permutations([*(",".join(one) + "\n" for one in rows), *bad]))
    text = MONEY + "".join(lines)
    with shelf.copied(template) as root:
        report = shelf.take(root, "payments", text)
        assert report.read == buckets(report) == len(lines)
        posted = "".join(
            content.decode()
            for path, content in shelf.ledger_of(root).items()
            if path.startswith("journals/20")
        )
        assert posted.count(" ^payment-") == report.posted + report.late

        assert_again_changes_nothing(root, "payments", text, shelf.tree)


def test_a_second_run_of_the_program_writes_its_line_in_imports_csv_and_nothing_else(
    empty_book, tmp_path
):
    with shelf.copied(empty_book) as root:
        book = ["--quiet", "-C", root, "--today", "2026-02-01"]
        files = {
            "customers": "id,name,credit_limit,tariff,opened\nC1,Ada,100,standard,2026-01-01\n",
            "calls": "id,customer,start,called,seconds\n"
            "a,C1,2026-01-05 12:00:00,3225550199,61\nb,C1,2026-01-06 12:00:00,3225550199,60\n",
            "refills": MONEY + "r1,C1,2026-01-05,10.00,voucher,\n",
            "payments": MONEY + "p1,C1,2026-01-06,10.00,,r1\n",
            "charges": "id,customer,date,amount,service\nc1,C1,2026-01-07,3.00,One-off\n",
            "openings": "id,customer,amount\no1,C1,12.00\n",
        }
        trees = []
        for _ in range(2):
            for source, text in files.items():
                (tmp_path / f"{source}.csv").write_text(text)
                shelf.program(*book, "import", source, tmp_path / f"{source}.csv")
            trees.append(shelf.tree(root))
        runs = (root / "imports.csv").read_text().splitlines()

    assert trees[0] == trees[1]
    assert len(runs) == 1 + 2 * len(files)
    assert [line.split(",")[4] for line in runs[1:]] == ["1", "2", "1", "1", "1", "1"] + ["0"] * 6
