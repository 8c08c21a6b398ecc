"""Pages as a server gives them to whoever asks, without a browser: Home, and lists of invoices."""

from __future__ import annotations

import html
import re
import time

import pytest
from harness import cdr
from mail_server import mailbox
from serving import get, serving_here

PATIENCE_SECONDS = 60
MAIL = """
[mail]
host = "127.0.0.1"
port = {port}
starttls = false
from = "billing@sun.example"

[sources.pbx2]
dialect = "asterisk"
"""


def shown(book, page):
    """The text of a page, once it is added up."""
    with serving_here(book.root, book.today) as host:
        name = get(host, "/")["location"].split("/")[1]
        end = time.monotonic() + PATIENCE_SECONDS
        while "a2l-again" in (text := get(host, f"/{name}/extension/{page}").text):
            assert time.monotonic() < end
            time.sleep(0.1)
    article = text.partition("<article")[2].partition("</style>")[2].partition("</article")[0]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", article)))


@pytest.fixture
def lobby():
    """A call of a device that nobody holds."""
    device = {"accountcode": "", "channel": "PJSIP/lobby-00000001", "lastdata": "PJSIP/kiosk"}
    return cdr(uniqueid="1.1", start="2026-01-06 10:00:00", billsec=50, **device)


def test_answered_calls_that_are_nobodys_are_said(book, lobby):
    book.today = "2026-01-31"
    book.customers({"id": "C1", "identifiers": "c1"})
    assert "payments that are" in shown(book, "Home/")
    assert "answered call" not in shown(book, "Home/")

    book.run("import", "asterisk", book.file("Master.csv", f"{lobby}\n"))

    assert "1 answered call of open periods, 50 s, is nobody's" in shown(book, "Home/")


def test_home_says_what_came_in_what_waits_and_who_is_late(book):
    book.today = "2026-02-02"
    book.customers(
        {"id": "C1", "name": "Ada", "email": "ada@maes.example", "credit_limit": "5.00"},
        {"id": "C2", "name": "Ben", "email": "ben@maes.example"},
    )
    for name in ("C1", "C2"):
        book.moves("charges", name, "2026-01-10", "30.00")
    book.close(today="2026-02-02")
    with mailbox() as server:
        server.refused["ben@maes.example"] = "550 no such mailbox"
        book.append("a2ledger.toml", MAIL.format(port=server.port))
        book.run("send", code=1)
    book.today = "2026-03-01"
    assert "Nothing today" in shown(book, "Home/")

    rows = (
        "id,customer,date,amount,description\nb1,C2,2026-03-01,12.50,Ben\nb2,,2026-03-01,7.00,Who\n"
    )
    book.run("import", "payments", book.file("bank.csv", rows))
    bad = cdr(uniqueid="2.1", start="2026-02-27 10:00:00").replace("2026-02-27 10:00:00", "noon", 1)
    book.run("import", "asterisk", book.file("Master.csv", f"{bad}\n"), code=3)

    home = shown(book, "Home/")
    for part in (
        *("2 customers", "1 over the limit", "47.50 overdue, EUR, of 2 customers"),
        *("1 payment that is nobody", "1 row in quarantine", "1 bad-time"),
        *("C2 Payment, Ben 12.50", "suspense Payment, Who 7.00", "payments 2 posted"),
        *("asterisk 0 posted 1 refused", "pbx2 has reported nothing since ever"),
        *("INV-2026-000002 did not reach C2", "550 no such mailbox"),
        "The last bills are of 2026-01-31",
    ):
        assert part in home


def test_each_invoice_of_the_list_has_its_status(book):
    book.customers(*({"id": f"C{n}"} for n in range(1, 6)))
    for n in range(1, 6):
        book.moves("charges", f"C{n}", "2026-01-05", "100.00")
    book.close(today="2026-02-02")
    book.today = "2026-02-10"
    book.run("payment", "C1", "40.00")
    book.run("payment", "C2", "100.00")
    book.run("credit-note", "INV-2026-000003", "--reason", "billed twice")
    book.run("write-off", "C4", "--description", "insolvent")

    rows = shown(book, "Invoices/?which=all")
    for part in (
        "CN-2026-000001 C3 C3 100.00 EUR 2026-02-10 credited",
        "INV-2026-000001 C1 C1 60.00 100.00 EUR 2026-01-31 partly",
        "INV-2026-000002 C2 C2 100.00 EUR 2026-01-31 paid",
        "INV-2026-000003 C3 C3 100.00 EUR 2026-01-31 credited",
        "INV-2026-000004 C4 C4 100.00 EUR 2026-01-31 written-off",
        "INV-2026-000005 C5 C5 100.00 100.00 EUR 2026-01-31 open",
    ):
        assert part in rows
    book.today = "2026-02-20"
    assert "INV-2026-000005 C5 C5 100.00 100.00 EUR 2026-01-31 overdue, 4 days" in shown(
        book, "Invoices/?which=all"
    )
