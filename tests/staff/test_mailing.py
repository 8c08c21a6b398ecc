"""What went to whom, seen in a real browser: sent, refused, nowhere to go; and sent again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from examples import sampled
from harness import Book as Told
from harness import slim
from mail_server import mailbox
from playwright.sync_api import expect
from reading import fits, serious
from serving import serving_here

TODAY = "2026-02-02"
ADA, BEN = "ada@maes.example", "ben@maes.example"
MAIL = """
[mail]
host = "127.0.0.1"
port = {port}
starttls = false
from = "billing@sun.example"
attach = ["html", "xml"]
"""
PLACES = (
    "Customers/?customer=C1&tab=invoices",
    "Customers/?letter=INV-2026-000001",
    "Customers/?document=INV-2026-000002",
    "Invoices/",
    "Invoices/?which=messages",
)


@pytest.fixture(scope="module")
def box():
    with mailbox() as server:
        server.refused[BEN] = "550 no such mailbox"
        yield server


@pytest.fixture(scope="module")
def book(empty_book, box, tmp_path_factory) -> Path:
    """Three invoices: one arrived, one was refused, one has no address to go to."""
    directory = tmp_path_factory.mktemp("mailing")
    shutil.copytree(empty_book, directory / "book")
    made = Told(directory / "book", directory / "files", today=TODAY)
    made.edit("a2ledger.toml", 'vat_id = ""', 'vat_id = "BE0403170701"')
    made.edit("a2ledger.toml", 'country = ""', 'country = "BE"')
    made.append("a2ledger.toml", MAIL.format(port=box.port))
    common = {"vat": "on-invoice", "country": "BE"}
    made.customers(
        {"id": "C1", "email": ADA, "name": "Ada Maes", "language": "nl", **common},
        {"id": "C2", "email": BEN, "name": "Ben Maes", **common},
        {"id": "C3", "name": "Cas Maes", **common},
    )
    for name in ("C1", "C2", "C3"):
        made.talks(name, "2026-01-10", 10)
    made.close(today=TODAY)
    made.run("send", code=1)
    return slim(made.root)


@pytest.fixture(scope="module")
def host(book, program):
    with serving_here(book, TODAY, program) as address:
        yield f"http://{address}/example-telecom/extension/"


def test_what_was_sent_stands_with_the_invoices_and_how_it_ended(page, host):
    page.goto(f"{host}Customers/?customer=C1&tab=invoices")
    row = page.locator("#a2l-invoices tbody tr")
    expect(row).to_contain_text("sent mail, 2026-02-03")
    message = page.locator("#a2l-messages tbody tr")
    expect(message).to_contain_text(ADA)
    expect(message).to_contain_text("250 queued")

    page.goto(f"{host}Invoices/?which=messages")
    states = page.locator("#a2l-messages .state")
    expect(states).to_have_text(["failed", "skipped", "sent"])
    expect(page.locator("#a2l-messages")).to_contain_text("550 no such mailbox")
    expect(page.locator("#a2l-messages")).to_contain_text("customer set C3 email=")
    page.goto(f"{host}Invoices/?which=all")
    expect(page.locator("#a2l-invoices tbody tr").first).to_contain_text("skipped mail")


def test_a_document_is_sent_again_after_its_dry_run(page, host, box):
    before = len(box.messages)
    page.goto(f"{host}Invoices/?which=messages")
    page.click("[data-send=INV-2026-000001]")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog .said")).to_contain_text(ADA)
    assert len(box.messages) == before
    page.click("dialog button[type=submit]")
    expect(page.locator("#a2l-said")).to_contain_text("sent")
    assert len(box.messages) == before + 1
    expect(page.locator("#a2l-messages")).to_contain_text("copy 2")

    page.click("[data-send=INV-2026-000002]")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog button[type=submit]")).to_have_text("Do it")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog .said")).to_contain_text("550 no such mailbox")


def test_the_mail_is_seen_before_it_goes(page, host):
    page.goto(f"{host}Customers/?letter=INV-2026-000001")
    letter = page.locator("#a2l-letter")
    expect(letter).to_contain_text("Factuur INV-2026-000001")
    expect(letter).to_contain_text(ADA)
    expect(letter).to_contain_text("INV-2026-000001.html")
    expect(page.locator("article pre")).to_contain_text("Beste Ada Maes")
    inside = page.frame_locator("iframe.a2l-letter")
    expect(inside.locator("body")).to_contain_text("INV-2026-000001")

    page.goto(f"{host}Customers/?letter=INV-2026-000003")
    expect(page.locator("#a2l-letter")).to_contain_text("no email is known")
    page.goto(f"{host}Customers/?letter=nothing")
    expect(page.locator("article")).to_contain_text("no such document")


def test_electronic_invoices_are_opened_and_what_they_lack_is_named(page, host):
    answer = page.request.get(f"{host}Customers/rendered?name=INV-2026-000001&format=ubl")
    assert answer.ok
    assert answer.headers["content-type"].startswith("application/xml")
    assert "<cbc:ID>INV-2026-000001</cbc:ID>" in answer.text()
    page.goto(f"{host}Customers/?document=INV-2026-000001")
    for words in ("HTML", "UBL", "CII"):
        expect(page.locator("article a", has_text=words).first).to_be_visible()
    answer = page.request.get(f"{host}Customers/rendered?name=C1&format=cii")
    assert answer.status == 404


@pytest.mark.long
@pytest.mark.parametrize("place", sampled(PLACES, PLACES[1:4:2]))
def test_everybody_can_read_it_on_anything(page, host, place):
    page.goto(f"{host}{place}")
    page.wait_for_selector("article h1, article table")
    fits(page)
    assert list(serious(page)) == []


def test_how_bills_reach_a_customer_is_seen_and_changed(page, host):
    page.goto(f"{host}Customers/?customer=C3&tab=details")
    expect(page.locator("article h2", has_text="Who they are")).to_be_visible()
    page.click("#a2l-actions summary")
    page.click("#a2l-actions button >> text=Details")
    page.fill("dialog [name=email]", "cas@maes.example")
    page.select_option("dialog [name=documents]", "statement")
    page.select_option("dialog [name=masked]", "all")
    page.fill("dialog [name=delivery]", "mail, print")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog button[type=submit]")).to_have_text("Do it")
    page.click("dialog button[type=submit]")
    expect(page.locator("#a2l-said")).to_contain_text("masked is all")
    bills = page.locator("article dl").nth(1)
    for words in ("statement", "mail, print", "all"):
        expect(bills).to_contain_text(words)
