"""The page "Home": what came in, what waits, who is late."""

from __future__ import annotations

from fava.application import create_app
from harness import cdr


def home(book):
    client = create_app([book.root / "journals/staff.beancount"]).test_client()
    name = client.get("/").headers["Location"].split("/")[1]
    return client.get(f"/{name}/extension/Home/").text


def test_answered_calls_that_are_nobodys_are_said(book):
    book.today = "2026-01-31"
    book.customers({"id": "C1", "identifiers": "c1"})
    assert "payments that are" in home(book)
    assert "answered call" not in home(book)

    lobby = {"accountcode": "", "channel": "PJSIP/lobby-00000001", "lastdata": "PJSIP/kiosk"}
    row = cdr(uniqueid="1.1", start="2026-01-06 10:00:00", billsec=50, **lobby)
    book.run("import", "asterisk", book.file("Master.csv", f"{row}\n"))

    assert "1 answered call of open periods, 50 s, is nobody&#39;s" in home(book)
