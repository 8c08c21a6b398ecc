from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pricing import deck, priced

from a2ledger.rating import offline


def test_calls_in_prices_out():
    calls = (
        "seconds,id,start,called,note\n"
        "61,a,2026-01-05 10:00:00,4420,x\n"
        "60,b,2026-01-05T10:00:00,+44 20,\n"
        "1,c,2026-01-05 10:00:00,33,"
    )
    text = 'dialprefix,destination,rateinitial,buyrate,billingblock\n44,"UK, all",0.1,0.05,60\n'
    output, problems = offline.price(calls, file="calls.csv", deck=deck(text))
    assert problems == []
    assert output == (
        "id,prefix,destination,billed_seconds,cost,buy_cost,reason\n"
        'a,44,"UK, all",120,0.200000,0.050833,\n'
        'b,44,"UK, all",60,0.100000,0.050000,\n'
        "c,,,0,0.000000,0.000000,no-rate\n"
    )


HEADER = "id,called,start,seconds\n"


GOOD = "1,44,2026-01-05 10:00:00,60\n"


@pytest.mark.parametrize(
    ("row", "reason", "says"),
    [
        ("2,44,2026-02-30 10:00:00,60", "bad-start", "'2026-02-30 10:00:00' is not a time"),
        ("2,44,5.1.2026,60", "bad-start", "'5.1.2026' is not a time"),
        ("2,44,2026-01-05 10:00:00,-1", "bad-seconds", "'-1' is not a whole number"),
        ("2,44,2026-01-05 10:00:00,1.5.2", "bad-seconds", "'1.5.2' is not a whole number"),
        ("2,44,2026-01-05 10:00:00,-1.5", "bad-seconds", "'-1.5' is not a whole number"),
        ("2,44,2026-01-05 10:00:00,1:30", "bad-seconds", "'1:30' is not a whole number"),
        ("2,44,2026-01-05 10:00:00,1000000.1", "bad-seconds", "up to 1,000,000"),
        ("2,44,2026-01-05 10:00:00,99999999", "bad-seconds", "up to 1,000,000"),
        ("2,44,2026-01-05 10:00:00", "bad-seconds", "'' is not a whole number"),
        ("2,,2026-01-05 10:00:00,60", "bad-called", "called: is empty"),
        ("2,44,2026-01-05 10:00:00,60,7", "bad-row", "has 5 cells under 4 columns"),
        ('2,"44,2026-01-05 10:00:00,60', "bad-csv", "missing quote"),
    ],
)
def test_a_bad_row_is_named_and_the_others_priced(row, reason, says):
    rows, problems = priced(HEADER + GOOD + row + "\n", "dialprefix,rateinitial\n44,1\n")
    assert [problem[:3] for problem in problems] == [("calls.csv", 3, reason)]
    assert says in problems[0].message
    assert [row["id"] for row in rows] == ["1"]


@pytest.mark.parametrize(
    ("length", "billed"),
    [("1.5", 2), ("1,5", 2), ("2.0", 2), ("0.001", 1), ("0.0", 0), ("1:02:03", 3723)],
)
def test_a_length_is_read_as_in_calls_a_second_that_was_begun_counts(length, billed):
    row = f'2,44,2026-01-05 10:00:00,"{length}"\n'
    rows, problems = priced(HEADER + GOOD + row, "dialprefix,rateinitial\n44,60\n")
    assert problems == []
    assert [(row["id"], row["billed_seconds"], row["cost"]) for row in rows] == [
        ("1", "60", "60.000000"),
        ("2", str(billed), f"{billed}.000000"),
    ]


def test_lines_are_right_among_comments_and_quotes():
    text = f'# today\n\n{HEADER}"a\nb",44,2026-01-05 10:00:00,60\n{GOOD}x,44,never,60\n'
    rows, problems = priced(text, "dialprefix,rateinitial\n44,1\n")
    assert [row["id"] for row in rows] == ["a\nb", "1"]
    assert [(problem.line, problem.reason) for problem in problems] == [(7, "bad-start")]


def test_calls_without_their_columns_are_refused():
    assert priced("id,called,start\n", "dialprefix,rateinitial\n")[1][0].reason == "bad-header"
    assert priced("", "dialprefix,rateinitial\n")[1][0].reason == "empty"


LINE = st.sampled_from(
    [
        *(
            GOOD.strip(),
            "2,33,2026-01-05T10:00:00,5",
            '"q",44,2026-01-05 10:00:00,1',
            "#",
            "",
            ",,,",
        ),
        *(" 3,44,2026-01-05 10:00:00,60 ", "4,44,2026-01-05 10:00:00", "5,44,x,1", "6, 44,x,1,"),
    ]
)


@given(st.lists(LINE))
def test_fast_and_careful_reading_agree(lines):
    text = HEADER + "".join(f"{line}\n" for line in lines)
    one = deck("dialprefix,rateinitial\n44,1\n")
    careful = offline.price("# read me slowly\n" + text, file="calls.csv", deck=one)
    problems = [problem._replace(line=problem.line - 1) for problem in careful[1]]
    assert offline.price(text, file="calls.csv", deck=one) == (careful[0], problems)
