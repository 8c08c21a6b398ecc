from __future__ import annotations

import pytest

from a2ledger.rating import deck as tariff
from a2ledger.rating import prefixes


def read(text):
    return tariff.parse(text, name="standard", file="standard.csv")


def rates(deck, column="rateinitial"):
    values = deck.values[column].tolist() if column in deck.values else [0] * len(deck)
    return dict(zip(deck.prefixes.to_pylist(), values, strict=True))


def test_a_deck_in_any_order_with_columns_to_spare():
    deck, problems = read(
        "\ufeff# from the carrier\n\n"
        "id_trunk,RateInitial,destination,dialprefix,initblock\r\n"
        '7, 0.05 ,"UK, landline", +44,30\r\n'
        "7,1,France,33\r\n"
    )
    assert problems == []
    assert rates(deck) == {"44": 50_000, "33": 1_000_000}
    assert rates(deck, "initblock") == {"44": 30, "33": 0}
    assert deck.destinations.to_pylist() == ["UK, landline", "France"]
    assert deck.ignored_columns == ("id_trunk",)
    assert set(deck.values) == {"rateinitial", "initblock"}
    assert len(deck) == 2


def test_a_decimal_comma_needs_semicolons():
    deck, problems = read("prefix;rateinitial\n44;0,05\n45;0.06\n46;1,5\n")
    assert problems == []
    assert rates(deck) == {"44": 50_000, "45": 60_000, "46": 1_500_000}
    problems = read("prefix,rateinitial\n44,0,05\n")[1]
    assert "put ; between columns" in problems[0].message
    assert problems[0].line == 2
    assert read('prefix,rateinitial\n44,"0,05"\n')[1][0].reason == "bad-value"


def test_ranges_and_lists_in_one_cell():
    deck, problems = read(
        'dialprefix,rateinitial,destination\n4475-4477,1,A\n"44, 447;0998-1001",2,B\ndefault,3,C\n'
    )
    assert problems == []
    assert deck.prefixes.to_pylist() == [
        *("4475", "4476", "4477", "44", "447", "0998", "0999", "1000", "1001", "default")
    ]
    assert deck.destinations.to_pylist() == [*"AAABBBBBBC"]


@pytest.mark.parametrize(
    ("row", "reason", "says"),
    [
        ("44,", "bad-value", "rateinitial: is empty"),
        ("44,NaN", "bad-value", "rateinitial: 'NaN' is not an amount"),
        ("44,1e5", "bad-value", "rateinitial: '1e5' is not an amount"),
        ('44,"1,000.00"', "bad-value", "rateinitial: '1,000.00' is not an amount"),
        ("44,0.123456789", "bad-value", "more than eight decimals"),
        ("44,-0.05", "negative", "rateinitial: '-0.05' is negative; write yes in a column"),
        (",0", "bad-prefix", "dialprefix: is empty, and the price is 0"),
        ("44,1000000.01", "bad-value", "more than 1,000,000"),
        ("44,€1", "bad-value", "is not an amount"),
        ("44,1,-5", "bad-value", "initblock: '-5' is not a whole number of seconds"),
        ("44,1,1.5", "bad-value", "initblock: '1.5' is not"),
        ("44,1,9999999", "bad-value", "up to 1,000,000"),
        ("44,1,,1.2.2026", "bad-value", "startdate: '1.2.2026' is not a date such as"),
        ("44,1,,2026-02-30", "bad-value", "startdate: '2026-02-30' is not a date"),
        ("44,1,,,,10080", "bad-value", "starttime: '10080' is not a minute of the week"),
        ("44,1,,,,,carry", "bad-value", "increment: 'carry' is neither total nor remainder"),
        ("44 20,1", "bad-prefix", "dialprefix: '44 20' is not digits"),
        ("4.47E+11,1", "bad-prefix", "'4.47E+11' is not digits"),
        ("+,1", "bad-prefix", "'+' is not digits"),
        ("-,1", "bad-prefix", "'-' is not digits"),
        ('",",1', "bad-prefix", "is a list of nothing"),
        ("1234567890123456,1", "bad-prefix", "more than 15 digits"),
        ("4479-4475,1", "bad-prefix", "the lower first"),
        ("4475-79,1", "bad-prefix", "as many digits"),
        ("1000000-2000000,1", "bad-prefix", "more than 10,000 prefixes"),
        ("_44(5),1", "bad-prefix", "is not a pattern such as"),
        ("_44[5,1", "bad-prefix", "is not a pattern such as"),
        ("33,1", "duplicate-prefix", "'33' has a rate at the same time on line 2"),
        ("44,1,,,,,,9", "bad-row", "has 8 cells under 7 columns"),
        ('"44,1', "bad-csv", "stray or missing quote"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(row, reason, says):
    header = "dialprefix,rateinitial,initblock,startdate,stopdate,starttime,increment"
    _, problems = read(f"{header}\n33,2\n{row}\n")
    assert [problem[:3] for problem in problems] == [("standard.csv", 3, reason)]
    assert says in problems[0].message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ('"prefix,rateinitial\n', "stray or missing quote"),
        ("44,UK,0.05\n", "has no column dialprefix, rateinitial"),
        ("prefix,dialprefix,rateinitial\n", "names the column dialprefix twice"),
        ("prefix:rateinitial\n44:1\n", "has no column dialprefix, rateinitial"),
    ],
)
def test_a_header_must_name_the_columns(text, says):
    deck, problems = read(text)
    assert says in problems[0].message
    assert len(deck) == 0


@pytest.mark.parametrize(
    ("rows", "clash"),
    [
        (["44,,,,", "44,,,,"], True),
        (["44,,2026-02-01,,", "44,2026-02-01,,,"], False),
        (["44,,2026-02-02,,", "44,2026-02-01,,,"], False),  # the later one replaces it
        (["44,2026-02-01,2026-03-01,,", "44,2026-02-01,,,"], True),
        (["44,,,0,599", "44,,,600,10079"], False),
        (["44,,,0,600", "44,,,600,10079"], True),
        (["44,,,10000,60", "44,,,61,9999"], False),
        (["44,,,10000,60", "44,,,60,61"], True),
        (["44,,,10000,60", "44,,,9000,10000"], True),
        (["44,,,10000,60", "44,,,10050,10"], True),
        (["defaultprefix,,,,", "default,,,,"], True),
        (["+44,,,,", "44,,,,"], True),
        (["_4X.,,,,", "_4X.,,,,"], True),
        (["43-45,,,,", "44,,,,"], True),
        (["4,,,,", "44,,,,"], False),
        (["44,,,,", "44,2026-02-01,2026-01-01,,"], False),  # it never holds
    ],
)
def test_two_prices_of_a_prefix_never_begin_to_hold_at_once(rows, clash):
    header = "rateinitial,dialprefix,startdate,stopdate,starttime,endtime"
    problems = read("\n".join([header, *(f"{n},{row}" for n, row in enumerate(rows))]))[1]
    assert [(problem.line, problem.reason) for problem in problems] == (
        [(3, "duplicate-prefix")] if clash else []
    )
    assert not clash or "line 2" in problems[0].message


def test_all_that_is_wrong_is_told_at_once():
    problems = read("dialprefix,rateinitial,buyrate\n44,x,y\n4 5,1,z\n")[1]
    assert [problem.line for problem in problems] == [2, 2, 3, 3]
    assert str(problems[0]) == "standard.csv:2: rateinitial: 'x' is not an amount such as 12.34"


def test_patterns_are_asterisks():
    assert prefixes.expression("_zxN!") == "(?s)^[1-9][0-9][2-9].*$"
    assert prefixes.expression("_+[1-35]#*") == r"(?s)^\+[1-35]#\*$"


def test_every_rate_knows_its_line():
    text = '# rates\n\nprefix,rateinitial\n"32,33",1\n\n44,2\n'
    deck, problems = read(text)
    assert problems == []
    assert list(zip(deck.prefixes.to_pylist(), tariff.lines(text), strict=True)) == [
        ("32", 4),
        ("33", 4),
        ("44", 6),
    ]


def test_a_deck_that_is_valid_from_a_day_leaves_calls_before_to_the_next_one(book):
    # 60 s on the last second before 1 February and on its first one, at 0.60 and then at 0.30;
    # a rate of the new deck that begins later, on 10 February, begins then.
    book.append("a2ledger.toml", "\n[tariffs.spring]\nvalid_from = 2026-02-01\n")
    (book.root / "tariffs/standard.csv").write_text("dialprefix,rateinitial\n30,0.60\n33,0.60\n")
    (book.root / "tariffs/spring.csv").write_text(
        "dialprefix,rateinitial,startdate\n30,0.30,\n33,0.10,2026-02-10\n"
    )
    book.today = "2026-02-20"
    book.customers({"id": "C1", "tariff": "spring, standard", "opened": "2026-01-01"})
    rows = [
        ("2026-01-31 23:59:59", "302101", "0.600000"),
        ("2026-02-01 00:00:00", "302101", "0.300000"),
        ("2026-02-09 23:59:59", "332101", "0.600000"),
        ("2026-02-10 00:00:00", "332101", "0.100000"),
    ]
    calls = [
        {"id": number, "customer": "C1", "start": start, "called": called, "seconds": 60}
        for number, (start, called, _) in enumerate(rows)
    ]
    book.imported("calls", calls)
    text = book.text("journals/2026-01/C1.01.beancount")
    for start, _, cost in rows:
        entry = text[text.index(f'{start[:10]} * "Calls"') :].partition("\n\n")[0]
        assert f"Unbilled   {cost} EUR" in entry
    # Read again, from the cache of decks, it is the same.
    assert book.imported("calls", calls, code=0).stderr.count("4 duplicate") == 1


@pytest.mark.parametrize("header", ["dialprefix,rateinitial", "dialprefix\trateinitial"])
def test_the_same_row_twice_is_a_note(header):
    tab = "\t" if "\t" in header else ","
    deck, problems = read(f"{header}\n44{tab}1\n44{tab}1\n")
    assert problems == []
    assert deck.notes == ("standard.csv: 1 rate(s) are listed twice (44 on lines 2 and 3)",)


def test_headings_and_totals_price_nothing_and_are_named():
    deck, problems = read("dialprefix,destination,rateinitial\n,AFGHANISTAN,\n93,AF,1\n,Mean,0.9\n")
    assert problems == []
    assert rates(deck) == {"93": 1_000_000}
    assert "2 row(s) without a prefix are ignored (line 2 'AFGHANISTAN', line 4" in deck.notes[0]
    assert rates(read("prefix,destination,rateinitial\n,Default,1\n")[0]) == {"default": 1_000_000}


def test_columns_of_other_systems_are_read_and_the_rest_is_named():
    deck, problems = read(
        "Prefix,Destination Name,Rate Per Minute,Connect Fee,Billing Increment,Effective Date,LCR\n"
        "44,UK,0.06,0.1,30/6,01/03/2026,x\n45,DK,0.07,0,60,15/03/2026,x\n"
    )
    assert problems == []
    assert rates(deck, "initblock") == {"44": 30, "45": 0}
    assert rates(deck, "billingblock") == {"44": 6, "45": 60}
    assert rates(deck, "connectcharge") == {"44": 100_000, "45": 0}
    assert rates(deck, "startdate") == {"44": 1_772_323_200, "45": 1_773_532_800}
    assert deck.notes == ("standard.csv: columns not read: LCR",)
    clear = read("prefix,rate,startdate\n44,1,01/02/2026\n")[1]
    assert "begins with the day or the month is not clear" in clear[0].message


def test_an_increment_in_seconds_is_a_block_and_in_words_a_way_to_count():
    numeric = read("prefix,rate,increment\n44,1,60/6\n")[0]
    assert (rates(numeric, "initblock"), rates(numeric, "billingblock")) == ({"44": 60}, {"44": 6})
    words = read("prefix,rate,increment\n44,1,remainder\n")[0]
    assert rates(words, "remainder") == {"44": 1}


def test_a_rate_has_eight_decimals():
    deck, problems = read("prefix,rateinitial,connectcharge\n93,0.31135104,0.1\n")
    assert problems == []
    assert deck.scale == 100
    assert rates(deck) == {"93": 31_135_104}
    assert read("prefix,rateinitial\n93,0.31135100\n")[0].scale == 1


def test_many_problems_are_counted():
    problems = read("prefix,rateinitial\n" + "44,x\n" * 40)[1]
    shown = tariff.first(problems)
    assert len(shown) == 21
    assert shown[-1].message == "and 20 more problems"
