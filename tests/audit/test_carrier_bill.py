"""Carriers' records and invoices beside what the book expects to pay."""

from __future__ import annotations

import csv
import io

import pytest
from harness import made_once

DECK = (
    "dialprefix,destination,rateinitial,buyrate,carrier,buyrateinitblock,buyrateincrement\n"
    "32,Belgium,0.10,0.06,Nordic,1,1\n44,UK,0.20,0.12,Nordic,60,60\n1,USA,0.1,0.01,Other,1,1\n"
)


@pytest.fixture
@made_once
def shop(book):
    (book.root / "tariffs/standard.csv").write_text(DECK)
    book.today = "2026-02-20"
    book.customers({"id": "C1"})
    calls = [
        ("a", "2026-02-05 10:00:00", "3225550101", 60),
        ("b", "2026-02-05 10:05:00", "3225550101", 60),
        ("c", "2026-02-05 11:00:00", "4420555019", 30),
        ("d", "2026-02-05 12:00:00", "3225550102", 100),
        ("e", "2026-02-05 13:00:00", "3225550103", 60),
        ("f", "2026-02-05 13:00:00", "12125550100", 60),
    ]
    names = ("id", "start", "called", "seconds")
    book.imported(
        "calls", [dict(zip(names, row, strict=True)) | {"customer": "C1"} for row in calls]
    )
    return book


CDRS = (
    "Nordic Carrier AB;;;\nCall date;Called number;Duration (sec);Cost EUR\n"
    "05/02/2026 10:00:02;+32 2 555 01 01;60;0,06\n"
    "05/02/2026 10:05:01;003225550101;61;0,06\n"
    "05/02/2026 11:00:00;4420555019;60;0,12\n"
    "05/02/2026 12:00:00;3225550102;130;0,13\n"
    "15/02/2026 12:00:00;3225550199;60;0,06\n"
    "Total;;;0,43\n"
)


def test_calls_are_compared_one_by_one(shop):
    done = shop.run("reconcile", "carrier", "Nordic", shop.file("cdr.csv", CDRS), "--json", code=1)
    found = done.json
    assert found["counts"] == {
        "agrees": 3, "other seconds": 1, "other price": 0, "only the carrier": 1, "only we": 1,
    }  # fmt: skip
    assert (found["total"]["amount_ours"], found["total"]["amount_theirs"]) == (
        *("0.400000", "0.430000"),
    )
    sides = {row["destination"]: row for row in found["destinations"]}
    assert sides["UK"]["difference"] == "0.000000"
    assert sides["Belgium"]["calls_theirs"] == 3
    assert [(row["kind"], row["called"], row["difference"]) for row in found["disputed"]] == [
        ("other seconds", "3225550102", "0.030000"),
        ("only the carrier", "3225550199", "0.060000"),
        ("only we", "3225550103", "-0.060000"),
    ]


def test_what_differs_is_written_for_the_carrier(shop):
    dispute = shop.files / "dispute.csv"
    path = shop.file("cdr.csv", CDRS)
    done = shop.run("reconcile", "carrier", "Nordic", path, "--dispute", dispute, code=1)
    assert "Nordic: 5 calls, 0.40 EUR expected; 5 calls, 0.43 asked for; 0.03 more" in done.stdout
    rows = list(csv.DictReader(io.StringIO(dispute.read_text())))
    assert [row["line"] for row in rows] == ["6", "7", ""]


def test_how_far_apart_is_the_same_is_configured(shop):
    shop.append("a2ledger.toml", '\n[carriers.Nordic]\nseconds = 40\namount = "0.05"\n')
    path = shop.file("cdr.csv", CDRS)
    found = shop.run("reconcile", "carrier", "Nordic", path, "--json", code=1).json
    assert found["counts"]["agrees"] == 4


def test_an_invoice_is_compared_by_destination(shop):
    text = "Destination,Calls,Minutes,Amount\nBelgium,4,4.67,0.28\nUK,1,1,0.12\nTotal,5,5.67,0.40\n"
    words = ("reconcile", "carrier", "Nordic", shop.file("invoice.csv", text))
    assert "name its days with --from and --to" in shop.run(*words, code=2).stderr
    days = ("--from", "2026-02-01", "--to", "2026-02-28")
    shop.run(*words, *days)
    other = shop.file("other.csv", text.replace("0.28", "0.38"))
    done = shop.run("reconcile", "carrier", "Nordic", other, *days, code=1)
    assert "Belgium" in done.stdout
    assert "0.10 more" in done.stdout


@pytest.mark.parametrize(
    ("name", "text", "code", "says"),
    [
        ("Nordic", "a,b\n1,2\n", 65, "which column is which is not clear, of a, b"),
        ("Nordic", "Start,Called,Seconds,Cost\n2026-02-05 10:00,32,x1,0.1\n", 65, "'x1' is not a"),
        ("Nobody", CDRS, 1, "Nobody: no call went to such a carrier"),
    ],
)
def test_what_cannot_be_compared_is_said(shop, name, text, code, says):
    done = shop.run("reconcile", "carrier", name, shop.file("x.csv", text), code=code)
    assert says in done.stderr


@pytest.fixture
def dollars(book):
    """A carrier that takes euros under one deck and dollars under another."""
    (book.root / "tariffs/standard.csv").write_text(DECK)
    (book.root / "tariffs/usd.csv").write_text(DECK.replace("0.06,Nordic", "0.03,Nordic"))
    settings = book.root / "a2ledger.toml"
    settings.write_text(settings.read_text() + '\n[tariffs.usd]\ncurrency = "USD"\n')
    book.today = "2026-02-20"
    book.customers({"id": "C1"}, {"id": "C2", "tariff": "usd", "currency": "USD"})
    for name in ("C1", "C2"):
        book.imported(
            "calls",
            [{"id": name, "customer": name, "start": "2026-02-05 10:00:00",
              "called": "3225550101", "seconds": 60}],
        )  # fmt: skip
    return book


@pytest.mark.parametrize(
    ("head", "amount", "words", "currency"),
    [
        ("Cost USD", "0.03", (), "USD"),
        ("Cost", "$0.03", (), "USD"),
        ("Cost", "0,06 €", (), "EUR"),
        ("Cost", "0.03", ("--currency", "USD"), "USD"),
        ("Cost,Currency", "0.03,USD", (), "USD"),
    ],
)
def test_a_carrier_is_compared_in_the_currency_of_their_file(
    dollars, head, amount, words, currency
):
    cell = f'"{amount}"' if "," in amount and "USD" not in amount else amount
    text = f"Date,Called,Seconds,{head}\n2026-02-05 10:00:00,3225550101,60,{cell}\n"
    found = dollars.run(
        "reconcile", "carrier", "Nordic", dollars.file("cdr.csv", text), "--json", *words
    ).json
    assert (found["currency"], found["counts"]["agrees"]) == (currency, 1)
    assert found["total"]["difference"] == "0.000000"


def test_a_carrier_s_file_of_another_currency_or_of_none_is_refused(dollars):
    text = "Date,Called,Seconds,{}\n2026-02-05 10:00:00,3225550101,60,0.03\n"
    for head, says in {
        "Cost GBP": "amounts are in GBP, what Nordic takes is expected in EUR, USD",
        "Cost": "the file does not say which its amounts are in; nothing was compared; say it with",
    }.items():
        path = dollars.file("cdr.csv", text.format(head))
        refused = dollars.run("reconcile", "carrier", "Nordic", path, code=1)
        assert says in refused.stderr


LAYOUTS = {
    "day and time in two columns": (
        "Date,Time,Destination Number,Duration (sec),Cost\n"
        "15/02/2026,23:00:00,3225550199,0,0\n"
        "05/02/2026,10:00:00,3225550101,60,0.06\n05/02/2026,11:00:00,4420555019,60,0.12\n"
    ),
    "twelve hours, numbers with spaces, dollars": (
        "Call Date,Called Number,Duration,Price\n"
        "02/15/2026 1:00:00 PM,+32 2 555 0199,0:00:00,0\n"
        "02/05/2026 10:00:00 AM,+32 2 555 0101,0:01:00,0.06\n"
        "02/05/2026 11:00:00 AM,+44 20 555 019,0:01:00,0.12\n"
    ),
    "UTC, minutes, decimal commas, a total": (
        "Start;Dst;Billed min;Betrag EUR\n2026-02-15T12:00:00Z;003225550199;0,00;0,00\n"
        "2026-02-05T09:00:00Z;003225550101;1,00;0,06\n"
        "2026-02-05T10:00:00Z;0044 20555019;1,00;0,12\n"
        "Gesamt;;2,00;0,18\n"
    ),
    "seconds since 1970": (
        "setup_time,cld,cli,billsec,cost\n1771156800,3225550199,3,0,0\n"
        "1770282000,3225550101,3,60,0.06\n1770285600,4420555019,3,60,0.12\n"
    ),
    "a technical prefix": (
        "Connect Time,Tech Prefix,CLD,Charged Duration,Charged Amount,Currency\n"
        "15-Feb-2026 13:00:00,8888,88883225550199,0,0,EUR\n"
        "05-Feb-2026 10:00:00,8888,88883225550101,60,0.06,EUR\n"
        "05-Feb-2026 11:00:00,8888,88884420555019,60,0.12,EUR\n"
    ),
    "minutes in the header": (
        "Timestamp,To,Duration (min),Net amount\n2026-02-15 13:00:00,3225550199,0,0\n"
        "2026-02-05 10:00:00,3225550101,1.00,0.06\n2026-02-05 11:00:00,4420555019,1.00,0.12\n"
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_understood(shop, layout):
    """Two calls agree, and what was never made is theirs alone."""
    path = shop.file("cdr.csv", LAYOUTS[layout])
    found = shop.run("reconcile", "carrier", "Nordic", path, "--json", code=1).json
    counts = {kind: count for kind, count in found["counts"].items() if count}
    # Ours of that time that they do not have: 10:05, 12:00, 13:00.
    assert counts == {"agrees": 2, "only the carrier": 1, "only we": 3}


def test_days_that_may_be_months_are_asked_for(shop):
    text = "Date,Called,Seconds,Cost\n05/02/2026 10:00:00,3225550101,60,0.06\n"
    words = ("reconcile", "carrier", "Nordic", shop.file("cdr.csv", text))
    assert "say which with --dates" in shop.run(*words, code=65).stderr
    assert shop.run(*words, "--dates", "day", "--json").json["counts"]["agrees"] == 1


def test_a_clock_in_another_zone_is_noticed(shop):
    text = (
        "Date,Called,Seconds,Cost\n2026-02-05 09:00:00,3225550101,60,0.06\n"
        "2026-02-05 10:00:00,4420555019,60,0.12\n"
    )
    words = ("reconcile", "carrier", "Nordic", shop.file("cdr.csv", text))
    done = shop.run(*words, code=1)
    assert "had they started 1 hour(s) later; give the zone with --timezone" in done.stderr
    done = shop.run(*words, "--timezone", "UTC", "--json", code=1)
    assert done.json["counts"]["agrees"] == 2
    assert "hour(s)" not in done.stderr
