"""Who of a customer's extensions called, or took a call: in detail, on bills, in explain."""

from __future__ import annotations

import csv
import io
from collections import Counter

from harness import cdr

from a2ledger.book.book import Book
from a2ledger.calls import detail

OUTSIDE = {"accountcode": "", "channel": "PJSIP/carrier-0000000f", "src": "3225550150"}


def ready(book, trunks=""):
    book.today = "2026-01-31"
    book.customers({"id": "C1", "identifiers": "3225550100, c1, 101, 102"})
    book.append("a2ledger.toml", f'[sources.pbx]\ndialect = "asterisk"\ntimezone = "UTC"\n{trunks}')


def imported(book, *rows):
    path = book.file("Master.csv", "".join(f"{row}\n" for row in rows))
    book.run("import", "pbx", path)


def extensions(book):
    days = detail.digests(Book(book.root))
    return [
        (row["direction"], row["extension"])
        for day in days
        for row in detail.read(book.root, day, days).to_pylist()
    ]


def row(number, **given):
    uid = f"1.{number}"
    start = f"2026-01-05 {9 + number}:00:00"
    return cdr(uniqueid=uid, linkedid=uid, start=start, **given)


ROWS = [
    row(1, channel="PJSIP/101-00000001", dstchannel="PJSIP/carrier-00000001", src="3225550100"),
    row(2, channel="PJSIP/101-00000002", dstchannel="PJSIP/102-00000001", src="101", dst="102"),
    row(3, dst="3225550100", dstchannel="PJSIP/102-00000003", **OUTSIDE),
    row(4, channel="PJSIP/102-00000004", dstchannel="PJSIP/101-00000005", src="102", dst="101"),
    row(5, channel="PJSIP/102-00000006", dstchannel="PJSIP/101-00000007", src="102", dst="101"),
]
CALLED = [("", "101"), ("internal", "101"), ("incoming", "102"), ("internal", "102")]


def test_the_detail_names_who_called_and_who_took_a_call_whether_trunks_are_known_or_not(book):
    ready(book)
    imported(book, *ROWS)
    assert extensions(book) == [*CALLED, CALLED[-1]]


def test_a_leg_of_a_trunk_is_of_the_device_that_dialled_or_took_it(book):
    ready(book, 'trunks = ["PJSIP/carrier"]\n')
    imported(book, *ROWS)
    assert extensions(book) == [*CALLED, CALLED[-1]]


def test_a_bill_says_of_internal_and_incoming_calls_whose_they_were(book):
    ready(book)
    imported(book, *ROWS)
    lines = {line["destination"]: line for line in book.preview("C1")["lines"]}
    assert lines["Internal calls"]["extensions"] == {"102": 2, "101": 1}
    assert lines["Incoming calls"]["extensions"] == {"102": 1}
    (outgoing,) = lines.keys() - {"Internal calls", "Incoming calls"}
    assert "extensions" not in lines[outgoing]
    text = book.run("preview", "C1").stdout
    assert "Internal calls; ext. 102 (2), 101 (1)" in " ".join(text.split())
    html = book.run("preview", "C1", "--html").stdout
    assert "ext. 102 (1)" in html


def test_what_a_bill_says_of_extensions_is_sealed_and_verified(book):
    ready(book)
    imported(book, *ROWS)
    book.close("--without", "pbx", today="2026-02-10")
    book.run("verify")


def test_a_list_of_a_bills_calls_names_the_extension_of_each(book):
    ready(book)
    imported(book, *ROWS)
    (bill,) = book.close("--without", "pbx", today="2026-02-10")
    lists = [
        book.run("invoice", bill["number"], "--format", form, "-o", "-").stdout
        for form in ("calls", "calls-html")
    ]
    rows = list(csv.DictReader(io.StringIO(lists[0])))
    assert Counter(row["extension"] for row in rows if row["destination"] == "Internal calls") == {
        "102": 2, "101": 1,
    }  # fmt: skip
    assert lists[1].count("Internal calls; ext. 102") == 2 * lists[1].count(
        "Internal calls; ext. 101"
    )
    assert "Incoming calls; ext. 102" in lists[1]


def test_explain_names_the_extension_and_the_rows_of_a_leg(book):
    ready(book, 'trunks = ["PJSIP/carrier"]\n')
    first = cdr(uniqueid="1.1", sequence=1, start="2026-01-05 10:00:00", end="2026-01-05 10:01:00",
                channel="PJSIP/101-00000001", dstchannel="PJSIP/carrier-00000001")  # fmt: skip
    later = cdr(uniqueid="1.1", sequence=2, start="2026-01-05 10:01:00", end="2026-01-05 10:02:00",
                channel="PJSIP/carrier-00000001", dstchannel="PJSIP/102-00000002", dst="",
                lastapp="AppDial")  # fmt: skip
    imported(book, first, later)
    done = book.run("explain", "C1", 1)
    assert "  101  " in done.stdout
    assert "the leg PJSIP/carrier-00000001, made of 2 rows" in done.stdout
    assert "PJSIP/carrier-00000001 > PJSIP/102-00000002" in done.stdout
    (call,) = book.run("explain", "C1", 1, "--json").json["calls"]
    assert (call["direction"], call["extension"], call["seconds"]) == ("outgoing", "101", 120)
    assert call["leg"] == "PJSIP/carrier-00000001: 1.1/1 1.1/2"
    assert "outgoing,101," in book.run("explain", "C1", 1, "--csv").stdout
