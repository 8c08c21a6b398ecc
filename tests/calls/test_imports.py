"""Imports that stop nobody else, and that no close takes for more than they are."""

from __future__ import annotations

import pytest

TWO = [{"id": "C1"}, {"id": "C2"}]
ROWS = [
    {"id": "a", "customer": "C1", "start": "2026-01-05 10:00:00", "called": "32", "seconds": 60},
    {"id": "b", "customer": "C2", "start": "2026-01-05 10:00:00", "called": "32", "seconds": 60},
]
HEADER = "id,customer,start,called,seconds\n"


@pytest.fixture
def pbx(book):
    book.customers(*TWO)
    book.append("a2ledger.toml", '\n[sources.pbx]\ndialect = "calls"\n')
    return book


def close(book, **options):
    return book.run("close", today="2026-02-03", **options)


# A source that was not read has not reported


def test_a_source_without_an_address_is_imported_from_a_path(pbx):
    done = pbx.run("import", "pbx", code=2)
    assert "pbx has no address of its own" in done.stderr
    assert pbx.run("import", "refills", code=2)
    assert pbx.run("import", "pbx", "--explain", code=2)
    assert pbx.text("imports.csv").count("\n") == 2


@pytest.mark.parametrize("content", [HEADER, f"{HEADER}\n \n"])
def test_an_empty_file_is_no_report_until_somebody_says_so(pbx, content):
    path = pbx.file("empty.csv", content)
    done = pbx.run("import", "pbx", path, today="2026-02-02")
    assert "pbx is not taken to have reported; say --empty if there were none" in done.stderr
    assert "pbx" not in pbx.text("imports.csv")
    assert "source pbx was not imported" in close(pbx, code=1).stderr
    done = pbx.run("import", "pbx", path, "--empty", today="2026-02-02")
    assert "taken for a report that there were none" in done.stderr
    assert "2 period(s) closed" in close(pbx).stderr


def test_a_file_with_nothing_in_it_is_a_report_only_if_somebody_says_so(pbx):
    path = pbx.file("nothing.csv", b"\xef\xbb\xbf\n")
    assert "is empty" in pbx.run("import", "pbx", path, code=65).stderr
    assert pbx.run("import", "pbx", path, "--empty", today="2026-02-02").code == 0
    assert str(path) in pbx.text("imports.csv")


def test_known_calls_are_a_report(pbx):
    path = pbx.file("some.csv", HEADER + "a,C1,2026-01-05 10:00:00,32,60\n")
    pbx.run("import", "pbx", path, today="2026-01-06")
    pbx.run("import", "pbx", path, today="2026-02-02")
    assert "2 period(s) closed" in close(pbx).stderr


# A source of which nothing was posted is none yet


def test_a_first_import_that_posts_nothing_adds_no_source(book):
    before = book.text("a2ledger.toml")
    path = book.file("log.csv", "n,when,who,to,length\n7,2026-01-05 10:00:00,C1,32,60\n")
    columns = "id=n,start=when,customer=who,called=to,seconds=length"
    words = ("import", "feed", path, "--map", columns)
    done = book.run(*words, today="2026-01-31", code=3)
    assert "nothing of feed was posted, so sources.feed was not added" in done.stderr
    assert "is new" not in done.stderr
    assert book.text("a2ledger.toml") == before
    assert "no such source in a2ledger.toml" in book.run("quarantine", "retry", code=1).stderr
    book.customers({"id": "C1"})
    done = book.run(*words, "--json", today="2026-01-31")
    assert done.json["posted"] == 1
    assert "sources.feed is new" in done.stderr
    assert book.run("quarantine", "list", "--json").json == []


@pytest.mark.parametrize("more", [(), ("--explain",), ("--dry-run",)])
def test_a_source_is_said_to_be_new_once_it_is(book, more):
    """A file that is refused, an explanation and a dry run add none, and say nothing of one."""
    book.customers({"id": "C1"})
    text = "n,when,who,to,length\n7,2026-01-05 10:00:00,C1,32470111222,60\n"
    path = book.file("log.csv", text.replace("length\n", "seconds\n") if not more else text)
    columns = "id=n,start=when,customer=who,called=to,seconds=length"
    words = ("import", "feed", path, "--map", columns, *more)
    done = book.run(*words, today="2026-01-31", code=0 if more else 65)
    assert "is new" not in done.stderr
    assert "sources.feed" not in book.text("a2ledger.toml")


# One customer's tariff is their own affair


@pytest.mark.parametrize(
    ("deck", "says"),
    [(None, "not there"), ("dialprefix,destination,rateinitial\n32,B,x\n", "special.csv:2")],
)
def test_a_bad_tariff_stops_nobody_else(book, deck, says):
    book.customers({"id": "C1", "tariff": "special, standard"}, {"id": "C2"})
    if deck:
        book.append("tariffs/special.csv", deck)
    done = book.imported("calls", ROWS, today="2026-01-06", code=3)
    assert "1 posted, 1 quarantined (bad-tariff 1)" in done.stderr
    (row,) = book.run("quarantine", "list", "--json").json
    assert row["reason"] == "bad-tariff"
    assert row["message"].startswith("C1: tariff 'special, standard': tariffs/special.csv")
    assert says in row["message"]
    problems = book.run("check", code=1).stdout
    assert "tariffs/special.csv" in problems
    assert "(the tariff of C1)" in problems
    (book.root / "tariffs/special.csv").write_text(
        "dialprefix,destination,rateinitial\n32,Belgium,2\n"
    )
    assert "1 posted; 2.00" in book.run("quarantine", "retry", today="2026-01-06").stderr
    assert book.run("check").stdout == ""


def test_a_deck_that_is_not_there_is_not_given_to_a_customer(book):
    book.customers({"id": "C1"})
    done = book.run("customer", "set", "C1", "tariff=standart", "--from", "2026-01-02", code=1)
    assert "there is no tariffs/standart.csv" in done.stderr
    assert "standard" in done.stderr
    done = book.run("customer", "set", "C1", "tariff=standart, standard", code=1)
    assert "there is no tariffs/standart.csv" in done.stderr


def test_check_reads_the_decks_of_rules_and_of_later_days(book):
    book.customers({"id": "C1"})
    book.append("tariffs/later.csv", "dialprefix,destination,rateinitial\n32,B,1\n")
    book.run("customer", "set", "C1", "tariff=later", "--from", "2026-03-01")
    book.append(
        "a2ledger.toml",
        '\n[sources.pbx]\ndialect = "calls"\n[[sources.pbx.rules]]\ntariff = "free-in"\n',
    )
    (book.root / "tariffs/later.csv").write_text("dialprefix,destination,rateinitial\n32,B,\n")
    problems = book.run("check", code=1).stdout.splitlines()
    assert ["(the tariff of C1)" in line for line in problems] == [True, False]
    assert problems[1].endswith("(the tariff of sources.pbx)")


def test_of_many_lines_of_one_kind_twenty_are_shown(book):
    book.customers({"id": "C1"})
    bad = "".join(f"{number},B,x\n" for number in range(100, 150))
    (book.root / "tariffs/standard.csv").write_text(f"dialprefix,destination,rateinitial\n{bad}")
    lines = book.run("check", code=1).stdout.splitlines()
    assert len(lines) == 21
    assert "and 30 more" in lines[-1]
    path = book.file("d.csv", f"dialprefix,destination,rateinitial\n{bad}")
    calls = book.file("c.csv", "id,called,start,seconds\n1,32,2026-01-05 10:00:00,60\n")
    done = book.run("rate", calls, "--tariff", path, code=65)
    assert done.errors[-1] == "a2ledger: … and 30 more"
    assert len(done.errors) == 21
    rows = [ROWS[0] | {"id": number, "customer": "nobody"} for number in range(30)]
    rows += [ROWS[0] | {"id": f"t{number}", "start": "x"} for number in range(30)]
    done = book.imported("calls", rows, today="2026-01-06", code=3)
    more = [line for line in done.stderr.splitlines() if line.startswith("… and 10 more")]
    assert len(more) == 2


# Zones


def test_a_sources_zone_is_the_books(book):
    book.append("a2ledger.toml", '\n[sources.pbx]\ndialect = "asterisk"\n')
    assert '"Europe/Brussels"' in book.run("sources", "show", "pbx").stdout
    assert '"Europe/Brussels"' in book.run("sources", "show", "asterisk").stdout
    assert '"Europe/Brussels"' in book.run("sources", "show", "freeswitch").stdout


def test_a_call_whose_zone_was_corrected_is_the_call_it_was(book):
    book.customers({"id": "C1"})
    book.append("a2ledger.toml", '\n[sources.pbx]\ndialect = "calls"\ntimezone = "UTC"\n')
    rows = "".join(f"{n},C1,2026-01-{n + 4:02} 23:30:0{n},32,6{n}\n" for n in range(1, 5))
    path = book.file("calls.csv", HEADER + rows)
    book.run("import", "pbx", path, today="2026-01-31")
    before = book.run("balances").stdout
    for zone in ("Europe/Brussels", "Asia/Kathmandu", "America/Los_Angeles"):
        book.edit("a2ledger.toml", book.text("a2ledger.toml").rsplit("timezone = ", 1)[1],
                  f'"{zone}"\n')  # fmt: skip
        done = book.run("import", "pbx", path, "--all", "--json", today="2026-01-31")
        assert (done.json["duplicate"], done.json["quarantined"]) == (4, {}), zone
    assert book.run("balances").stdout == before


def test_a_call_of_one_id_at_another_minute_is_none_that_was_moved(book):
    book.customers({"id": "C1"})
    path = book.file("calls.csv", HEADER + "a,C1,2026-01-05 10:00:00,32,60\n")
    book.run("import", "calls", path, today="2026-01-31")
    path = book.file("calls.csv", HEADER + "a,C1,2026-01-05 11:00:01,32,60\n")
    assert book.run("import", "calls", path, "--json", today="2026-01-31").json["duplicate"] == 0
