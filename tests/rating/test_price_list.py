"""Price lists as they are shown, exported and explained."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess

import openpyxl
import pytest

DECK = (
    "dialprefix,destination,rateinitial,connectcharge,initblock,billingblock,startdate,blocked\n"
    "32,Belgium,0.10,0,60,60,,\n32,Belgium,0.12,0.02,60,60,2026-03-01,\n"
    "3247,Belgium Mobile,0.31135104,,1,1,,\n3290,Premium,,,,,,yes\n"
)


@pytest.fixture
def shop(book):
    (book.root / "tariffs/standard.csv").write_text(DECK)
    (book.root / "tariffs/saver.csv").write_text(
        "dialprefix,destination,rateinitial\n3247,Mobile saver,0.20\n44,UK,0.05\n"
    )
    book.today = "2026-02-10"
    book.customers(
        {"id": "C1", "tariff": "saver, standard", "discount_percent": "10"}, {"id": "C2"}
    )
    return book


def test_decks_are_listed_with_who_has_them(shop):
    rows = {row["deck"]: row for row in shop.run("tariff", "list", "--json").json}
    assert (rows["standard"]["rates"], rows["standard"]["users"]) == (4, ["C1", "C2"])
    assert (rows["standard"]["coming"], rows["standard"]["next"]) == (1, "2026-03-01")
    assert rows["saver"]["users"] == ["C1"]
    assert "standard" in shop.run("tariff", "list").stdout


def test_the_rate_that_holds_is_shown_with_those_it_won_against(shop):
    found = shop.run("tariff", "show", "C2", "+32 2 555 01 01", "--json").json
    assert [(row["line"], row["verdict"]) for row in found["candidates"]] == [
        (3, "holds from 2026-03-01 on"),
        (2, "holds"),
    ]
    assert found["minute"] == "0.100000"
    later = shop.run("tariff", "show", "C2", "003225550101", "--at", "2026-03-01").stdout
    assert "* tariffs/standard.csv:3  32 Belgium: holds" in later
    assert "tariffs/standard.csv:2  32 Belgium: a longer prefix, or one that began later" in later
    assert "a minute costs 0.14" in later


def test_decks_decide_in_their_order(shop):
    found = shop.run("tariff", "show", "C1", "32470123456", "--json").json
    first = found["candidates"][0]
    assert (first["deck"], first["verdict"]) == ("saver", "holds")
    assert {row["verdict"] for row in found["candidates"][1:]} == {
        "an earlier deck decides", "holds from 2026-03-01 on",
    }  # fmt: skip
    assert found["minute"] == "0.180000"


@pytest.mark.parametrize(
    ("number", "says"), [("3290123", "blocked: such calls are refused"), ("861", "no rate")]
)
def test_what_has_no_price_is_said(shop, number, says):
    assert says in shop.run("tariff", "show", "standard", number, code=1).stdout


def test_who_is_nobody_is_said(shop):
    done = shop.run("tariff", "show", "C9", "32", code=1)
    assert "C9: is neither a customer nor a deck" in done.stderr


def test_a_customers_own_list_holds_on_a_day_with_their_discount(shop):
    text = shop.run("tariff", "export", "--customer", "C1").stdout
    rows = {row["prefix"]: row for row in csv.DictReader(io.StringIO(text))}
    assert {prefix: row["price"] for prefix, row in rows.items()} == {
        "32": "0.09",
        "3247": "0.18",
        "44": "0.045",
        "3290": "0.00",
    }
    assert rows["3290"]["blocked"] == "yes"
    later = shop.run("tariff", "export", "--customer", "C2", "--at", "2026-03-01", "--json").json
    assert {row["prefix"]: (row["price"], row["connect"]) for row in later} == {
        "32": ("0.12", "0.02"), "3247": ("0.31135104", "0.00"), "3290": ("0.00", "0.00"),
    }  # fmt: skip


def test_the_list_is_a_workbook_or_a_page(shop):
    file = shop.files / "prices.xlsx"
    shop.run("tariff", "export", "--customer", "C2", "--format", "xlsx", "-o", file)
    (first, *_) = openpyxl.load_workbook(file).active.iter_rows(min_row=2, values_only=True)
    assert first[:3] == ("32", "Belgium", "0.10")
    page = shop.run("tariff", "export", "--customer", "C2", "--format", "html").stdout
    assert "<td>Belgium Mobile</td>" in page


def test_the_list_is_a_pdf(shop):
    pytest.importorskip("weasyprint")
    if not shutil.which("pdftotext"):
        pytest.skip("needs pdftotext")
    file = shop.files / "prices.pdf"
    shop.run("tariff", "export", "--customer", "C2", "--format", "pdf", "-o", file)
    text = subprocess.run(
        ["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"^ *32 +Belgium +0\.10 ", text, re.MULTILINE)
    assert "Belgium Mobile" in text


def test_the_page_is_the_operators_own_if_they_have_one(shop):
    (shop.root / "templates").mkdir(exist_ok=True)
    (shop.root / "templates/price-list.html.j2").write_text("{{ prices|length }} of {{ name }}")
    page = shop.run("tariff", "export", "--customer", "C2", "--format", "html").stdout
    assert page == "3 of C2"


def notice(shop, *words, **options):
    return shop.run("tariff", "notice", "--effective", "2026-03-01", *words, **options)


def test_customers_are_told_of_what_changes_for_what_they_call(shop):
    calls = [
        ("1", "C2", "3225550101"), ("2", "C2", "32470000000"), ("3", "C1", "4420000000"),
    ]  # fmt: skip
    shop.imported(
        "calls",
        [
            {"id": n, "customer": who, "start": "2026-02-05 10:00:00", "called": to, "seconds": 60}
            for n, who, to in calls
        ],
    )
    assert notice(shop).stdout.splitlines()[1:] == [
        "C2,C2,,32,Belgium,dearer,0.10,0.12,0.00,0.02,2026-03-01,EUR"
    ]
    told = notice(shop, "--all", "--json").json
    assert [(row["customer"], row["rises"]) for row in told] == [("C1", True), ("C2", True)]
    assert told[0]["changes"][0]["after"]["price"] == "0.108"


def test_notices_and_price_lists_are_in_the_customer_s_language(shop):
    shop.run("customer", "set", "C2", "language=nl", today="2026-02-01")
    folder = shop.files / "spoken"
    notice(shop, "--all", "--format", "text", "-o", folder)
    text = (folder / "C2.txt").read_text()
    assert "Onze prijzen veranderen op 1 maart 2026" in text
    assert "0,10 -> 0,12; Verbinding: 0,00 -> 0,02" in text
    assert "Our prices change on 1 March 2026" in (folder / "C1.txt").read_text()
    page = shop.run("tariff", "export", "--customer", "C2", "--format", "html").stdout
    assert '<html lang="nl" dir="ltr">' in page
    assert "Prijzen voor" in page


def test_each_customer_has_a_letter(shop):
    folder = shop.files / "letters"
    notice(shop, "--all", "--format", "html", "--format", "text", "-o", folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("C1.html", "C1.txt", "C2.html", "C2.txt")
    ]
    text = (folder / "C2.txt").read_text()
    assert "Our prices change on 1 March 2026" in text
    assert "0.10 -> 0.12; Connection: 0.00 -> 0.02" in text
    assert "name a directory with -o" in notice(shop, "--format", "html", code=2).stderr


def test_prices_do_not_rise_without_their_days_of_notice(shop):
    shop.append("a2ledger.toml", "\n[tariffs]\nnotice_days = 30\n")
    done = notice(shop, "--all", code=1)
    assert "customers have 30 days of notice; nothing was written; take 2026-03-12" in done.stderr
    notice(shop, "--all", "--short-notice")


def test_check_counts_the_problems_of_a_bad_deck(shop):
    (shop.root / "tariffs/standard.csv").write_text("dialprefix,rateinitial\n" + "32,x\n" * 40)
    lines = shop.run("check", code=1).stdout.splitlines()
    assert len(lines) == 21
    assert "and 20 more problems" in lines[-1]
