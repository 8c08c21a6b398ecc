"""The Close page of a book whose bills would lack calls: in quarantine, and nobody's."""

from __future__ import annotations

import pytest
from harness import cdr
from playwright.sync_api import expect
from serving import serving_here

TODAY = "2026-02-03"


@pytest.fixture
def lacking(book):
    """A book with a call of C1's, one without a rate, and one of a device that nobody holds."""
    book.today = "2026-01-31"
    book.customers({"id": "C1", "name": "Ada", "identifiers": "c1"}, {"id": "C2", "name": "Bert"})
    deck = book.root / "tariffs/standard.csv"
    deck.write_text(deck.read_text().replace("default,Anywhere", "32,Belgium"))
    book.append("a2ledger.toml", '\n[locale]\nname = "nl_BE"\n')
    lobby = {"accountcode": "", "channel": "PJSIP/lobby-00000001", "lastdata": "PJSIP/kiosk"}
    rows = [
        cdr(dst="3225550101"),
        cdr(uniqueid="1.1", start="2026-01-06 10:00:00", billsec=50, **lobby),
        cdr(uniqueid="1.2", start="2026-01-07 10:00:00", dst="999123", billsec=30),
    ]
    path = book.file("Master.csv", "".join(f"{row}\n" for row in rows))
    book.run("import", "asterisk", path, code=3)
    book.moves("payments", "C2", "2026-01-09", "5.00", id="p1")
    return book


def test_close_names_the_calls_that_bills_would_lack_and_links_to_the_bills(lacking, page, program):
    with serving_here(lacking.root, TODAY, program) as host:
        page.goto(f"http://{host}/")
        page.goto(page.url.partition("extension/")[0] + "extension/Close/")
        expect(page.locator("#a2l-due")).to_contain_text("2 periods would close now")
        expect(page.locator("#a2l-held")).to_contain_text("1 call of these periods in quarantine")
        held = page.locator("tr:has(a:text-is('no-rate'))")
        expect(held).to_contain_text("C1")
        expect(held).to_contain_text("Ada")
        expect(page.locator("#a2l-unclaimed")).to_contain_text("no-identifier 1 (lobby)")
        held.locator("a:text-is('no-rate')").click()
        expect(page.locator("article")).to_contain_text("999123")
        page.go_back()
        page.click("#a2l-ask")
        page.click("#a2l-sure")
        said = page.locator("#a2l-said")
        expect(said).to_contain_text("2 period(s) closed")
        expect(said).to_contain_text("no-rate")
        expect(page.locator("#a2l-due")).to_contain_text("Nothing would close now")
        page.wait_for_timeout(1500)  # Fava loads the page anew once it has seen the change
        said.locator("a:text-is('INV-2026-000001')").click()
        expect(page.locator("article")).to_contain_text("Ada")
        page.close()  # before its server goes
