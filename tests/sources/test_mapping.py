"""Logs of providers: any CSV, whose columns are named once."""

from __future__ import annotations

import tomllib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import sources
from a2ledger.book.config_parse import parse
from a2ledger.book.source_config import Source
from a2ledger.book.toml_table import ConfigError
from a2ledger.sources import forms, mapping
from a2ledger.sources.batch import UnusableInput

MAP = "id=Call ID,start=Date,called=Destination,seconds=Duration,customer=Account"
LOG = (
    "Call ID;Date;Account;Destination;Duration;Trunk\n"
    "a-1;05/01/2026 10:00:00;C1;3225550199;0:01:00;t1\n"
    "a-2;25/01/2026 9:30;C1;3225550199;59.2;t1\n"
)
BOOK = """
currency = "EUR"
timezone = "UTC"
[company]
name = "X"
[services.Calls]
vat = "O"
"""


def source(**values):
    fields = {"name": "prov", "dialect": "calls", "switch": "prov", "timezone": "UTC"}
    return Source(**(fields | values))


@pytest.fixture
def rows(tmp_path):
    def read(content, **values):
        path = tmp_path / "log.csv"
        path.write_text(content)
        found = []
        for batch in sources.dialect("calls")(path, source(**values)):
            found += batch.rows.to_pylist() + [row.reason for row in batch.refused]
        return found

    return read


def test_a_log_is_imported_by_a_map_that_the_book_remembers(book):
    book.customers({"id": "C1"})
    before = book.text("a2ledger.toml")
    path = book.file("log.csv", LOG)
    done = book.run("import", "acme", path, "--map", MAP, "--json", today="2026-01-31")
    assert (done.json["posted"], done.json["amount"]) == (2, "2.00")
    text = book.text("a2ledger.toml")
    assert all(line in text for line in before.splitlines(keepends=True))
    assert tomllib.loads(text)["sources"]["acme"] == {
        "dialect": "calls",
        "timezone": "Europe/Brussels",
        "columns": {
            "id": "Call ID",
            "start": "Date",
            "called": "Destination",
            "seconds": "Duration",
            "customer": "Account",
        },
    }
    assert book.log()[0].startswith("import: acme: 2 rows read")
    assert "a2ledger.toml" in book.git("show", "--stat", "--format=")
    assert book.git("status", "--porcelain") == ""
    again = book.run("import", "acme", path, "--json", today="2026-01-31")
    assert (again.json["posted"], again.json["duplicate"]) == (0, 2)
    same = book.run("import", "acme", path, "--map", MAP, today="2026-01-31")
    assert "a2ledger.toml" not in same.stderr
    assert book.text("a2ledger.toml") == text


def test_a_map_that_fits_no_column_changes_nothing(book):
    before = book.digests()
    path = book.file("log.csv", LOG)
    wrong = MAP.replace("Call ID", "Call Id.")
    done = book.run("import", "acme", path, "--map", wrong, code=65)
    assert "there is no column Call Id." in done.stderr
    assert book.digests() == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["freeswitch", "--map", "id=x"], "is of the dialect freeswitch"),
        (["pbx", "--map", "id=x"], "is of the dialect asterisk"),
        (["a b", "--map", "id=x"], "a source's name is letters"),
    ],
)
def test_a_map_is_for_a_source_of_calls(book, words, says):
    book.append("a2ledger.toml", '\n[sources.pbx]\ndialect = "asterisk"\n')
    name, *options = words
    done = book.run("import", name, book.file("log.csv", LOG), *options, code=1)
    assert says in done.stderr


@pytest.mark.parametrize("text", ["id", "id=", "foo=x", "id=a,id=b", "=x"])
def test_what_is_no_map_is_wrong_usage(book, text):
    book.run("import", "acme", book.file("log.csv", LOG), "--map", text, code=2)
    book.run("import", "customers", book.file("log.csv", LOG), "--map", "id=x", code=2)


def test_a_map_may_be_given_in_pieces_and_names_may_have_commas():
    assert mapping.parse(("id=Call, the ID", "start=Date (d/m), seconds = Dur")) == {
        "id": "Call, the ID",
        "start": "Date (d/m)",
        "seconds": "Dur",
    }


def test_a_file_without_a_header_has_its_columns_numbered(rows):
    numbers = {"id": "4", "start": "5", "called": "2", "seconds": "3", "customer": "1"}
    found = rows("C1, 3225550199, 60, a-1, 1767607200\n", mapping=tuple(numbers.items()))
    assert [
        (row["uniqueid"], row["accountcode"], row["dst"], row["seconds"], row["start"])
        for row in found
    ] == [("a-1", "C1", "3225550199", "60", "2026-01-05 10:00:00Z")]
    with pytest.raises(UnusableInput, match="there is no column 9"):
        rows("C1,1,2,3\n", mapping=(("id", "9"),))
    with pytest.raises(UnusableInput, match="no column is customer, start"):
        rows("C1,1,2,3\n", mapping=(("called", "1"), ("seconds", "2")))


def test_a_file_whose_lines_are_quoted_as_a_whole_is_read(rows):
    log = '"cust,from,to,at,dur"\n"C1,1,3225550199,2026-01-05 10:00:00,60"\n"C1,1,""x""\n'
    theirs = {"customer": "cust", "called": "to", "start": "at", "seconds": "dur"}
    row, refused = rows(log, mapping=tuple(theirs.items()))
    assert (row["accountcode"], row["dst"], row["seconds"]) == ("C1", "3225550199", "60")
    assert refused == "columns"


def test_only_rows_that_say_so_were_answered_where_a_column_tells(rows):
    words = ["ANSWERED", "Success", "failed", "", "NO ANSWER", "normal_clearing", "1", "0"]
    log = "customer,start,called,seconds,answered\n" + "".join(
        f"C1,2026-01-05 10:00:0{number},3225550199,60,{word}\n" for number, word in enumerate(words)
    )
    assert [row["answered"] for row in rows(log)] == [
        True, True, False, False, False, True, True, False,
    ]  # fmt: skip


def test_a_call_without_an_id_is_known_by_what_it_says(book):
    book.customers({"id": "C1"})
    row = "C1,2026-01-05 10:00:00,3225550199,60\n"
    other = "C1,2026-01-05 10:00:01,3225550199,60\n"
    path = book.file("log.csv", "customer,start,called,seconds\n" + row + other + row)
    done = book.run("import", "calls", path, "--json", today="2026-01-31")
    assert (done.json["posted"], done.json["duplicate"]) == (2, 1)
    assert "there is no column id" in done.stderr


def test_columns_that_are_none_of_a_call_are_named(rows):
    with pytest.raises(ConfigError, match=r"sources\.prov\.columns: colour: no column"):
        rows(LOG, mapping=(("colour", "x"),))


# Times and lengths


def told(*starts):
    return forms.recognised("f", "prov.time_format", [pa.array(starts, pa.string())])


@pytest.mark.parametrize(
    ("starts", "form"),
    [
        (["2026-01-05 10:00:00", "1767607200"], ""),
        (["1767607200", "1767607201.5", ""], "epoch"),
        (["1767607200000"], "epoch-ms"),
        (["05/01/2026 10:00", "13/01/2026 10:00"], "day first"),
        (["05.01.2026 10:00:00", "31.01.2026 10:00:00"], "day first"),
        (["01/05/2026 10:00:00", "01/13/2026 10:00:00", "rubbish"], "month first"),
        (["2026/1/5 10:00"], "written"),
        (["Mon, 5 Jan 2026 10:00:00 +0000", ""], "written"),
        (["20260105100000"], "written"),
        (["1767607200123456"], "epoch-us"),
        (["63934826400"], "gregorian"),
        (["13/01/2026 10:00", "5 Jan 2026 10:00"], "day first"),
        (["13/01/2026 10:00:00", "01/13/2026 10:00:00"], "written"),
        (["1767607200", "2026/1/5 10:00", "2026/1/6 10:00"], "written"),
        (["rubbish", ""], ""),
        ([], ""),
    ],
)
def test_the_form_of_times_is_told_if_it_is_one(starts, form):
    assert told(*starts) == form


def test_days_that_could_be_months_are_not_guessed(book):
    path = book.file("log.csv", LOG.replace("25/01", "06/01"))
    done = book.run("import", "acme", path, "--map", MAP, code=65)
    assert "it is unclear which number in its dates is the day" in done.stderr
    assert "sources.acme.time_format" in done.stderr
    assert "acme" not in book.text("a2ledger.toml")


@pytest.mark.parametrize(
    ("written", "form", "read"),
    [
        ("05/01/2026 10:00:00", "day first", "2026-01-05 10:00:00"),
        ("5.1.2026 9:07", "day first", "2026-01-05 09:07:00"),
        ("01/05/2026 10:00:00", "month first", "2026-01-05 10:00:00"),
        ("2026/1/5 10:00", "written", "2026-01-05 10:00:00"),
        ("1767607200.9", "epoch", "2026-01-05 10:00:00Z"),
        ("1767607200999", "epoch-ms", "2026-01-05 10:00:00Z"),
        ("05-01-26 10.00", "%d-%m-%y %H.%M", "2026-01-05 10:00:00"),
        ("Jan 05 2026 01:00:00 PM", "%b %d %Y %I:%M:%S %p", "2026-01-05 13:00:00"),
        ("31/02/2026 10:00:00", "day first", "31/02/2026 10:00:00"),
        ("rubbish", "epoch", "rubbish"),
        ("", "day first", ""),
    ],
)
def test_times_are_read_in_their_form_and_what_is_none_stays(written, form, read):
    assert forms.times(pa.array([written]), form).to_pylist() == [read]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("60", "60"),
        ("0:01:00", "60"),
        ("1:02:03", "3723"),
        ("00:00:59.1", "60"),
        ("59.000", "59"),
        ("59.2", "60"),
        ("0.001", "1"),
        ("1:30", "1:30"),  # minutes, or hours: nobody can tell
        ("0:60:00", "0:60:00"),
        ("-1", "-1"),
        ("1e3", "1e3"),
        ("", ""),
    ],
)
def test_a_second_that_was_begun_counts(written, read):
    assert forms.seconds(pa.array([written])).to_pylist() == [read]


@pytest.mark.parametrize("form", ["%d", "%z %Y-%m-%d", "%q", "%Y%", "hello", "%s", "Y-m-d"])
def test_a_format_of_times_that_cannot_be_is_refused(form):
    with pytest.raises(ConfigError, match=r"sources\.x\.time_format"):
        parse(f'{BOOK}[sources.x]\ndialect = "calls"\ntime_format = "{form}"\n')


def test_a_format_of_times_is_used(rows):
    log = "customer,start,called,seconds\nC1,06/01/2026 10:00:00,3225550199,60\n"
    (row,) = rows(log, time_format="%d/%m/%Y %H:%M:%S")
    assert row["start"] == "2026-01-06 10:00:00"


CDR_STATS = (
    "switch_id,cdr_source_type,callid,caller_id_number,caller_id_name,destination_number,dialcode,"
    "state,channel,starting_date,duration,billsec,progresssec,answersec,waitsec,hangup_cause_id,"
    "hangup_cause,direction,country_code,accountcode,buy_rate,buy_cost,sell_rate,sell_cost,extradata"
)


def test_an_export_of_cdr_stats_is_billed_at_the_price_it_says(book):
    """The header CDR-Stats has: 25 columns, a Q.850 cause, and a price of its own."""
    book.customers({"id": "C1"})
    row = (
        "1,1,{id},3225550101,Ann,3225550199,32,,SIP/1,2026-01-05 10:00:00,64,{seconds},0,4,4,"
        '{cause},X,outbound,BEL,C1,0.01,0.02,0.03,0.25,"{{""a"": ""b""}}"\n'
    )
    path = book.file(
        "export.csv",
        f"{CDR_STATS}\n{row.format(id='a', seconds=60, cause=16)}"
        f"{row.format(id='b', seconds=0, cause=17)}",
    )
    columns = (
        "id=callid,start=starting_date,called=destination_number,seconds=billsec,"
        "customer=accountcode,caller=caller_id_number,answered=hangup_cause_id,cost=sell_cost"
    )
    done = book.run("import", "stats", path, "--map", columns, "--json", today="2026-01-31")
    assert (done.json["posted"], done.json["amount"]) == (1, "0.25")
    assert done.json["not_billable"] == {"unanswered": 1}


FIELDS = ("id", "start", "customer", "called", "seconds")
OTHERS = st.sampled_from(
    ["cost", "Cost", "COST", "answered", "Answered", "caller", "minutes", "direction", "id", "ID",
     "start", "customer", "called", "seconds", "context", "did", "userfield", "note"]
)  # fmt: skip
VALUES = st.sampled_from(["0", "0.0105", "no", "2026-01-05 10:00:05", "inbound", "17", "", "C9"])
CALLS = [("a-1", "2026-01-05 10:00:00", "C1", "3225550199", "60"),
         ("a-2", "2026-01-06 11:00:00", "C2", "442055512345", "7")]  # fmt: skip


@given(
    others=st.lists(OTHERS, max_size=6, unique=True),
    value=VALUES,
    order=st.randoms(use_true_random=False),
    separator=st.sampled_from(",;\t|"),
)
def test_a_map_reads_what_it_names_and_nothing_of_any_other_column(
    tmp_path_factory, others, value, order, separator
):
    mapped = [f"Their {name}" for name in FIELDS]
    columns = [*mapped, *others]
    order.shuffle(columns)
    lines = [separator.join(columns)]
    for call in CALLS:
        known = dict(zip(mapped, call, strict=True))
        lines.append(separator.join(known.get(name, value) for name in columns))
    path = tmp_path_factory.mktemp("log") / "log.csv"
    path.write_text("\n".join(lines) + "\n")
    feed = source(mapping=tuple(zip(FIELDS, mapped, strict=True)))
    found = [
        row for batch in sources.dialect("calls")(path, feed) for row in batch.rows.to_pylist()
    ]
    names = ("uniqueid", "accountcode", "dst", "seconds", "cost", "src", "direction", "answered")
    assert [tuple(row[name] for name in names) for row in found] == [
        (uid, customer, called, seconds, "", "", "", True)
        for uid, _, customer, called, seconds in CALLS
    ]


def test_a_length_that_may_be_minutes_or_hours_is_refused_with_what_to_map(book):
    book.customers({"id": "C1"})
    row = {
        "id": 1,
        "customer": "C1",
        "start": "2026-01-05 10:00:00",
        "called": "44",
        "seconds": "1:30",
    }
    done = book.imported("calls", [row], code=3, today="2026-01-31")
    assert "if it is minutes and seconds, map its column as minutes" in done.stderr


def test_a_source_that_has_but_settings_is_mapped_as_any(book):
    """What a message advises, ``national``, may be set before the columns are named."""
    book.customers({"id": "C1", "identifiers": "C1"})
    book.append("a2ledger.toml", '\n[sources.prov]\nnational = "0"\ncountry = "32"\n')
    log = book.file("log.csv", LOG.replace("3225550199", "025550199"))

    done = book.run("import", "prov", log, "--map", MAP, "--json", today="2026-01-31")

    assert done.json["posted"] == 2
    settings = tomllib.loads(book.text("a2ledger.toml"))["sources"]["prov"]
    assert (settings["dialect"], settings["country"]) == ("calls", "32")


def test_a_source_with_named_columns_needs_no_dialect(book):
    book.customers({"id": "C1", "identifiers": "C1"})
    columns = MAP.replace("=", ' = "').replace(",", '", ')
    book.append("a2ledger.toml", f'\n[sources.prov]\ncolumns = {{{columns}"}}\n')

    done = book.run("import", "prov", book.file("log.csv", LOG), "--json", today="2026-01-31")

    assert done.json["posted"] == 2


def test_rows_without_an_id_leave_the_quarantine_when_they_are_posted(book):
    columns = "start=Date,called=Destination,seconds=Duration,customer=Account"
    log = book.file("log.csv", LOG)
    words = ("import", "prov", log, "--map", columns, "--json")
    done = book.run(*words, today="2026-01-31", code=3)
    assert done.json["quarantined"] == {"unknown-customer": 2}

    book.customers({"id": "C1", "identifiers": "C1"})
    done = book.run(*words, today="2026-01-31")

    assert done.json["posted"] == 2
    assert book.run("quarantine", "list", "--json").json == []
