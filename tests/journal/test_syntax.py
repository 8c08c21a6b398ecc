from __future__ import annotations

import datetime as dt

import pytest
from beancount.core import data
from beancount.core.amount import Amount
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.journal import syntax
from a2ledger.journal.entries import leg, transaction
from a2ledger.journal.period_file import Usage, usage_entry

DAY = dt.date(2026, 1, 5)

FILE = """\
; a note
option "title" "C1"
include "x.beancount"

2026-01-05 open Assets:A EUR
  customer: "C1"

2026-01-06 * "Payment" "by \\"post\\"" ^payment-a ^refill-b #x
  Assets:Bank   10.00 EUR
  ; a word on it
  Assets:A     -10.00 EUR

; below it
2026-01-07 balance Assets:A  -10.00 ~ 0 EUR
; ---- usage below this line is written by a2ledger ----
2026-01-07 custom "a2ledger-set" "name" "Ada"
"""


def test_blocks_of_a_file_are_its_directives_and_joined_they_are_the_file():
    found = syntax.blocks(FILE)

    assert [(block.date, block.kind) for block in found] == [
        ("", ""),
        ("", "option"),
        ("", "include"),
        ("2026-01-05", "open"),
        ("2026-01-06", "*"),
        ("2026-01-07", "balance"),
        ("", "marker"),
        ("2026-01-07", "custom"),
    ]
    assert syntax.joined(found) == FILE
    assert syntax.blocks("") == []


def test_what_follows_an_entry_is_its_tail():
    block = syntax.blocks(FILE)[4]

    assert syntax.tail(block.text) == "\n; below it\n"
    assert syntax.tail("2026-01-05 open Assets:A\n") == ""


def test_what_looks_like_a_line_inside_a_text_is_none():
    entry = transaction(
        DAY,
        'a" ^link-a #tag',
        'x\n2026-01-01 * "y"\n  Assets:A  1 EUR\ninclude "/etc/passwd"',
        [leg("Assets:A", 1_000_000, "EUR")],
        meta={"id": "\n  Assets:A  5.00 EUR\n" + syntax.MARKER},
        links=["own"],
    )  # fmt: skip
    text = syntax.formatted(entry)

    assert len(syntax.blocks(text)) == 1
    assert syntax.Block("2026-01-01", "*", text).links == ["own"]
    assert [row.micro for row in syntax.legs(text)] == [1_000_000]


def test_links_and_legs_of_an_entry():
    block = syntax.blocks(FILE)[4]

    assert block.links == ["payment-a", "refill-b"]
    assert syntax.legs(block.text) == [
        ("Assets:Bank", 10_000_000, "EUR"),
        ("Assets:A", -10_000_000, "EUR"),
    ]


@pytest.mark.parametrize(
    ("identity", "link"),
    [
        ("r1", "refill-src-r1"),
        ("R.1-2", "refill-src-R.1-2"),
        ("r_1", "refill-src-r_5f1"),
        ("r 1/é", "refill-src-r_201_2f_c3_a9"),
        ('"#^\n', "refill-src-_22_23_5e_0a"),
    ],
)
def test_an_id_in_a_link_has_its_odd_characters_in_hex(identity, link):
    assert syntax.link("refill", "src", identity) == link


def test_no_two_ids_give_one_link():
    ids = ["a", "A", "_61", "a_", "a 1", "a_201", "a-1", "a.1", ""]

    assert len({syntax.link("refill", "s", one) for one in ids}) == len(ids)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        (" a \t\n b ", "a b"),
        ("<script>alert('x')</script>", "script alert('x') /script"),
        ("a\u202eb\u2028c\x00d\x1b[31m", "a b c d [31m"),
        ("x" * 300, "x" * 200),
        ("pré ☎ \U0001f4de", "pré ☎ \U0001f4de"),
    ],
)
def test_a_text_from_outside_is_one_plain_line(text, shown):
    assert syntax.plain(text) == shown


def test_what_a2ledger_never_writes_is_refused():
    with pytest.raises(TypeError, match="writes no Pad"):
        syntax.formatted(data.Pad({}, DAY, "Assets:A", "Equity:B"))
    with pytest.raises(TypeError, match="writes no float"):
        syntax.formatted(data.Open({"rate": 1.5}, DAY, "Assets:A", None, None))


def test_internal_metadata_is_not_written():
    entry = data.Open(
        {"filename": "x", "lineno": 1, "__tolerances__": {}}, DAY, "Assets:A", None, None
    )

    assert syntax.formatted(entry) == "2026-01-05 open Assets:A\n"


# ---- the format, as it is read ----


def test_an_entry_of_usage_is_written_like_this():
    usage = Usage(DAY, None, "Calls", "S21", 142, 34385, 12_345_670)

    assert syntax.formatted(usage_entry(usage, "C10001", "EUR")) == (
        '2026-01-05 * "Calls" "142 calls, 9:33:05"\n'
        "  calls: 142\n"
        "  seconds: 34385\n"
        "  Assets:Receivable:C10001:Unbilled   12.345670 EUR\n"
        '    vat: "S21"\n'
        "  Income:Calls                       -12.345670 EUR\n"
        "\n"
    )


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
KEY = st.from_regex(r"[a-z][a-z_]{1,8}", fullmatch=True).filter(
    lambda key: key not in {"filename", "lineno"}
)
MEANING = st.one_of(
    TEXT, st.dates(DAY), st.decimals(-9, 9, places=2).map(lambda n: Amount(n, "EUR"))
)


@given(
    st.tuples(TEXT, TEXT),
    st.dictionaries(KEY, MEANING, max_size=3),
    st.dictionaries(KEY, MEANING, max_size=2),
)
def test_what_is_written_of_an_entry_is_read_from_its_block(words, meta, more):
    posting = leg("Assets:A", 1_500_000, "EUR")._replace(meta=more)
    entry = transaction(
        DAY,
        *words,
        [posting, leg("Assets:B", -1_500_000, "EUR")],
        meta=meta,
        links=["refill-b", "payment-a"],
        tags=["invoice"],
    )

    (block,) = syntax.blocks(syntax.formatted(entry))

    assert (block.strings, block.payee) == ([*words], words[0])
    assert (block.own_link, set(block.links)) == ("payment-a", {"payment-a", "refill-b"})
    assert block.tags == {"invoice"}
    assert block.meta == {key: told(value) for key, value in meta.items()}
    assert block.legs == [("Assets:A", 1_500_000, "EUR"), ("Assets:B", -1_500_000, "EUR")]
    assert [posting.meta for posting in block.postings] == [
        {key: told(value) for key, value in more.items()},
        {},
    ]
    assert [posting[:3] for posting in block.postings] == block.legs


def told(value):
    return f"{value.number:f} {value.currency}" if isinstance(value, Amount) else str(value)


LINES = st.lists(
    st.sampled_from(
        [
            "  Assets:Receivable:C1:Billed   1.500000 EUR",
            "  ! Assets:Receivable:C1:Unbilled -2 EUR",
            "\tAssets:Receivable:C1:Unbilled  0.000001 EUR",
            "  Assets:Receivable:C1:Unbilled  7.25 EUR ; Assets:Receivable:C1:Billed  9 EUR",
            "  Assets:Receivable:C1:Billed:Old  3 EUR",
            "  Assets:Receivable:C12:Billed  4 EUR",
            "  !Assets:Receivable:C1:Billed  5 EUR",
            "Assets:Receivable:C1:Billed  6 EUR",
            '  note: "  Assets:Receivable:C1:Billed  8 EUR"',
            "2026-01-01 balance Assets:Receivable:C1:Billed  9 ~ 0 EUR",
            "  Liabilities:VAT:S21  -1 EUR",
        ]
    )
)


@given(LINES)
def test_what_a_customer_owes_is_the_sum_of_their_legs(lines):
    text = "\n".join(lines)
    sums = dict.fromkeys(["Billed", "Unbilled"], 0)
    for account, micro, _ in syntax.legs(text):
        part = account.removeprefix("Assets:Receivable:C1:")
        if part in sums:
            sums[part] += micro

    assert syntax.owed(text, "C1") == (sums["Billed"], sums["Unbilled"])
