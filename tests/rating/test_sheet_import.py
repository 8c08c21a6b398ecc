"""Rate sheets imported into the decks of a book."""

from __future__ import annotations

import csv
import io

import pytest

HEAD = "Prefix,Destination,Rate,Effective\n"


@pytest.fixture
def shop(book):
    book.today = "2026-03-01"
    return book


def sheet(shop, text, *options, code=0, deck="nordic"):
    path = shop.file("sheet.csv", text)
    return shop.run("tariff", "import", path, "--deck", deck, *options, code=code)


def rows(shop, deck="nordic"):
    return list(csv.DictReader(io.StringIO(shop.text(f"tariffs/{deck}.csv"))))


def test_a_first_sheet_makes_a_deck_and_twice_changes_nothing(shop):
    done = sheet(shop, "Prefix,Destination,Rate\n32,Belgium,0.05\n44,UK,0.06\n")
    assert "2 new" in done.stdout
    assert shop.text("tariffs/nordic.csv") == (
        "dialprefix,destination,rateinitial\n32,Belgium,0.05\n44,UK,0.06\n"
    )
    before = shop.text("tariffs/nordic.csv")
    again = sheet(shop, "Prefix,Destination,Rate\n32,Belgium,0.05\n44,UK,0.06\n", "--effective",
                  "2026-04-01")  # fmt: skip
    assert "2 same" in again.stdout
    assert shop.text("tariffs/nordic.csv") == before


def test_the_next_sheet_shows_what_changes_and_waits_where_there_is_doubt(shop):
    sheet(shop, "Prefix,Destination,Rate\n32,Belgium,0.05\n44,UK,0.06\n33,France,0.02\n7,RU,0.1\n")
    next_one = HEAD + (
        "32,Belgium,0.055,2026-04-01\n44,UK,0.02,2026-04-01\n7,RU,-1,2026-04-01\n"
        "351,Portugal,0.03,2026-04-01\n"
    )
    before = shop.text("tariffs/nordic.csv")
    waiting = sheet(shop, next_one, "--effective", "2026-04-01", code=1)
    for line in ("1 new", "1 dearer", "1 cheaper", "1 gone", "1 blocked", "+10.0", "-66.7"):
        assert line in waiting.stdout
    assert "look: 1 prefix(es) would be gone" in waiting.stderr
    assert "nothing was written; look at it, then run again with --yes" in waiting.stderr
    assert shop.text("tariffs/nordic.csv") == before
    sheet(shop, next_one, "--effective", "2026-04-01", "--yes")
    assert shop.text("tariffs/nordic.csv").splitlines() == [
        "dialprefix,destination,rateinitial,blocked,startdate,stopdate",
        "32,Belgium,0.05",
        "44,UK,0.06",
        "33,France,0.02,,,2026-04-01",
        "7,RU,0.1",
        "32,Belgium,0.055,,2026-04-01,",
        "44,UK,0.02,,2026-04-01,",
        "7,RU,0.1,yes,2026-04-01,",
        "351,Portugal,0.03,,2026-04-01,",
    ]
    done = sheet(shop, next_one, "--effective", "2026-04-01")
    assert done.stdout.split() == ["4", "same"]


def test_a_partial_sheet_leaves_the_others_alone(shop):
    sheet(shop, "Prefix,Rate\n32,0.05\n44,0.06\n")
    done = sheet(shop, "Prefix,Rate\n32,0.06\n", "--partial", "--effective", "2026-04-01")
    assert done.stdout.split()[:2] == ["1", "dearer"]
    assert len(rows(shop)) == 3


def test_from_when_it_holds_has_to_be_known(shop):
    sheet(shop, "Prefix,Rate\n32,0.05\n")
    done = sheet(shop, "Prefix,Rate\n32,0.06\n", code=1)
    assert "say it with --effective DATE" in done.stderr


def test_what_a_carrier_takes_is_marked_up(shop):
    text = (
        "Prefix,Destination,Rate,Setup,Increment\n32,Belgium,0.0123,0.01,60/60\n44,UK,0.001,0,1/1\n"
    )
    options = ("--as", "buy", "--markup", "20%", "--add", "0.002", "--decimals", "4")
    refused = sheet(shop, text, *options, code=1)
    assert "name them with --carrier" in refused.stderr
    sheet(shop, text, *options, "--floor", "0,0050", "--carrier", "Nordic")
    first, second = rows(shop)
    assert (first["rateinitial"], first["connectcharge"], first["buyrate"]) == (
        *("0.0168", "0.012", "0.0123"),
    )
    assert (first["billingblock"], first["buyrateincrement"], first["carrier"]) == (
        *("60", "60", "Nordic"),
    )
    assert second["rateinitial"] == "0.005"
    done = sheet(shop, text, *options, "--floor", "0.005", "--effective", "2026-04-01")
    assert done.stdout.split() == ["2", "same"]


def test_buying_prices_come_beside_selling_prices_that_stay(shop):
    (shop.root / "tariffs/standard.csv").write_text(
        "dialprefix,destination,rateinitial,initblock,billingblock\n32,Belgium,0.10,60,60\n"
    )
    text = "Prefix,Destination,Rate\n32,BELGIUM FIX,0.05\n3247,BELGIUM MOB,0.12\n"
    done = sheet(shop, text, *("--as", "buy", "--carrier", "Nordic", "--effective", "2026-03-05"),
                 code=1, deck="standard")  # fmt: skip
    assert "1 selling price(s) would be below what the carrier takes" in done.stderr
    sheet(shop, text, *("--as", "buy", "--carrier", "Nordic", "--effective", "2026-03-05", "--yes"),
          deck="standard")  # fmt: skip
    assert [
        (
            row["dialprefix"],
            row["destination"],
            row["rateinitial"],
            row["buyrate"],
            row["initblock"],
        )
        for row in rows(shop, "standard")
    ] == [
        ("32", "Belgium", "0.10", None, "60"),
        ("32", "Belgium", "0.10", "0.05", "60"),
        ("3247", "BELGIUM MOB", "0.10", "0.12", "60"),
    ]
    unknown = sheet(shop, "Prefix,Rate\n32,0.05\n86,0.01\n", "--as", "buy", "--carrier", "Nordic",
                    "--effective", "2026-04-01", code=1, deck="standard")  # fmt: skip
    assert "there is no selling price for 1 prefix(es), 86" in unknown.stderr


def test_the_columns_of_a_carrier_are_remembered(shop):
    text = "A,B\n32,0.05\n"
    sheet(shop, text, code=65)
    sheet(shop, text, "--map", "prefix=A,rate=B")
    assert 'columns = {prefix = "A", rate = "B"}' in shop.text("a2ledger.toml")
    assert sheet(shop, text, "--effective", "2026-04-01").stdout.split() == ["1", "same"]
    assert (
        "'price' is not a field of a rate sheet"
        in sheet(shop, text, "--map", "price=B", code=2).stderr
    )


def test_bad_rows_are_named_and_nothing_is_written(shop):
    done = sheet(shop, "Prefix,Rate\n32,0.05\n4.47E+11,0.1\n", code=65)
    (error,) = done.errors
    assert error.startswith("a2ledger: sheet.csv:3: '4.47E+11' is a number a spreadsheet has short")
    assert error.endswith("; nothing was imported; give the column the format text")
    assert not (shop.root / "tariffs/nordic.csv").exists()


def test_a_dry_run_writes_nothing(shop):
    done = sheet(shop, "Prefix,Rate\n32,0.05\n", "--dry-run")
    assert "1 new" in done.stdout
    assert not (shop.root / "tariffs/nordic.csv").exists()


def test_a_sheet_in_another_currency_is_refused(shop):
    done = sheet(shop, "Prefix,Rate USD\n32,0.05\n", code=1)
    assert 'write currency = "USD" under [tariffs.nordic]' in done.stderr


def test_customers_have_their_days_of_notice(shop):
    shop.append("a2ledger.toml", "\n[tariffs]\nnotice_days = 30\n")
    shop.customers({"id": "C1", "tariff": "nordic"})
    sheet(shop, "Prefix,Rate\n32,0.05\n33,0.05\n")
    dearer = "Prefix,Rate\n32,0.06\n33,0.04\n"
    done = sheet(shop, dearer, "--effective", "2026-03-30", "--yes", code=1)
    assert "1 price(s) rise before 2026-03-31, sooner than the 30 days of notice" in done.stderr
    assert len(rows(shop)) == 2
    sheet(shop, dearer, "--effective", "2026-03-31")
    assert len(rows(shop)) == 4
    sheet(
        shop, dearer.replace("0.06", "0.07"), "--effective", "2026-03-31", "--yes", "--short-notice"
    )
    cheap = [row for row in rows(shop) if row["rateinitial"] == "0.06"]
    assert cheap[0]["stopdate"] == "2026-03-31"


def test_the_text_of_a_deck_is_left_alone_but_for_what_ends(shop):
    text = (
        "# our own prices\n"
        'Destination;Prefix;Rate;Note\n"UK; all";44;0,05;x\n"two\nlines";"33, 34";0,06;\n'
    )
    (shop.root / "tariffs/nordic.csv").write_text(text)
    sheet(shop, "Prefix,Rate\n44,0.05\n33,0.06\n", "--effective", "2026-04-01", "--yes")
    assert shop.text("tariffs/nordic.csv") == (
        "# our own prices\n"
        'Destination;Prefix;Rate;Note;startdate;stopdate\n"UK; all";44;0,05;x\n'
        '"two\nlines";33, 34;0,06;;;2026-04-01\n'
        '"two\nlines";33;0,06;;2026-04-01;\n'
    )


def test_dates_that_may_begin_with_day_or_month_are_read_as_the_book_writes_them(shop):
    sheet = shop.file(
        "sheet.csv", "Prefix;Destination;Price;Valid from\n316;Mobile;0,11;01/11/2026\n"
    )
    words = ("tariff", "import", sheet, "--deck", "other", "--yes", "--json")
    assert "may begin with the day or with the month" in shop.run(*words, code=65).stderr
    shop.append("a2ledger.toml", '\n[locale]\nname = "nl_NL"\n')
    shop.run(*words)
    assert "2026-11-01" in shop.text("tariffs/other.csv")
