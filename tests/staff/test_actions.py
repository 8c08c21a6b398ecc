"""Every action of a customer's menu, driven in a browser: said before, done, said after, undone."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any, NamedTuple

import pytest
from examples import sampled
from harness import a2ledger
from playwright.sync_api import Page, expect
from serving import serving_here

TODAY = "2026-04-03"
OFFERED = "offered"
"""What may be undone, as others that are."""


class Action(NamedTuple):
    """A choice of the menu: what is filled in, and what is said before and after it is done."""

    customer: str
    name: str
    fields: dict[str, Any]
    before: str
    after: str
    undone: str = ""
    """What undoing it says; empty where there is no way back by a button."""


ACTIONS = [
    Action("C10001", "Payment", {"amount": "500,00", "invoice": 1, "reference": "R-1"},
           r"500\.00 EUR of C10001 .*R-1, INV-2026-000007.* would be posted; C10001 would owe",
           "posted; C10001 owes", "500.00 EUR: void"),
    Action("C10001", "Refill", {"amount": "10", "reference": "card"},
           r"refill .*10\.00 EUR of C10001 .* would be posted", "posted; C10001 owes", OFFERED),
    Action("C10001", "Charge", {"amount": "12,50", "description": "Headset", "date": "02/04/2026"},
           r"12\.50 EUR of C10001 on 2026-04-02 .*Headset.* would be posted", "posted", "void"),
    Action("C10001", "Refund", {"amount": "5"}, r"Refund, 5\.00 EUR", "Refund, 5.00 EUR", OFFERED),
    Action("C10001", "Goodwill", {"amount": "3"}, r"Goodwill, 3\.00 EUR", "Goodwill", OFFERED),
    Action("C10001", "Deposit", {"amount": "20"}, r"Deposit, 20\.00 EUR.*held", "held", OFFERED),
    Action("C10004", "Write-off", {"amount": "2"}, r"Write-off, 2\.00 EUR", "Write-off", "void"),
    Action("C10004", "Write-off", {"amount": "1"}, r"Write-off, 1\.00 EUR", "Write-off", OFFERED),
    Action("C10001", "Returned", {"payment": 0}, r"Returned payment, 2\.00 EUR", "Returned",
           "returned-corrections-"),
    Action("C10004", "Transfer", {"payment": 0, "to": "C10002"}, r"Transfer, .* EUR", "Transfer",
           "C10002: Transfer, 7.00 EUR"),
    Action("C10001", "Add a fee", {"amount": "9,90", "quantity": "2", "description": "Line"},
           r"fee1 would be added.*Line, 2 x 9\.90", "fee1 added", OFFERED),
    Action("C10001", "Change a fee", {"amount": "8.90"}, r"would be changed.*8\.90", "changed",
           "2 x 9.90"),
    Action("C10001", "Stop a fee", {}, "fee1 would be stopped", "fee1 stopped", "fee1 resumed"),
    Action("C10004", "Credit note", {"invoice": 1, "lines": "1", "reason": "wrong price"},
           "Credit note CN-2026-000001 for INV-2026-", "CN-2026-000001"),
    Action("C10003", "Credit note", {"reason": "never delivered"},
           "Credit note CN-2026-000002 for INV-2026-", "CN-2026-000002"),
    Action("C10001", "Limit", {"amount": "321"}, r"credit_limit would be 321\.00 .* was 300\.00",
           "credit_limit is 321.00", "credit_limit is 300.00"),
    Action("C10001", "Tariff", {"tariff": "standard, office"}, "no tariffs/office.csv", ""),
    Action("C10001", "Numbers", {"identifiers": "aegean, 3235550001"},
           "identifiers would be aegean, 3235550001", "identifiers is aegean, 3235550001",
           "identifiers is aegean from"),
    Action("C10001", "Details", {"phone": "+32 2 555 00 11"}, r"phone would be \+32 2 555 00 11",
           "phone is +32 2 555 00 11", OFFERED),
    Action("C10001", "Block", {"reason": "card stolen"}, "would be blocked", "blocked",
           "unblocked"),
    Action("C10002", "Close now", {}, r"1 period\(s\) would be closed", "1 period(s) closed"),
    Action("C10004", "Recover", {"amount": "0.50"}, r"0\.50 EUR", "0.50 EUR", OFFERED),
    Action("C10005", "Settle", {}, "would be closed", "closed", "C10005: reopened"),
    Action("C10005", "Settle", {}, "settled again", "settled again", OFFERED),
    Action("C10005", "Reopen", {}, "would be reopened", "reopened", "settled again"),
    Action("C10004", "Send again", {}, "INV-2026-.*mail.*billing@north.example", ""),
]  # fmt: skip
SAMPLE = {"Charge", "Tariff", "Credit note"}
"""What is done in a browser each time; the others are in :mod:`test_forms` without one."""


@pytest.fixture(scope="module")
def root(demo_book, tmp_path_factory):
    """The demo's book, on a day in April, with a payment of that month for two customers."""
    book = shutil.copytree(demo_book, tmp_path_factory.mktemp("actions") / "book")
    with (book / "a2ledger.toml").open("a") as config:
        config.write('\n[locale]\nname = "nl_BE"\n')
    rows = "id,customer,date,amount\nnow1,C10001,2026-04-02,2.00\nnow4,C10004,2026-04-02,7.00\n"
    (book / "input/now.csv").write_text(rows)
    march = book / "input/Master-2026-03.csv"
    for what in (["payments", book / "input/now.csv"], ["pbx1", march]):
        assert a2ledger("-C", book, "--today", TODAY, "import", *what).code == 0
    return book


@pytest.fixture(scope="module")
def pages(root, program):
    with serving_here(root, TODAY, program) as address:
        yield f"http://{address}/example-telecom/extension/"


@pytest.fixture(scope="module")
def page(profile, pages):
    """A page that must say nothing on its console, for all of them: loading one takes longest."""
    made = profile.new_page()
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.goto(f"{pages}Home/")
    yield made
    made.close()
    assert not wrong


def chosen(page: Page, action: Action) -> None:
    """Open the form of an action, and fill it in."""
    page.click("#a2l-actions summary")
    page.click(f"#a2l-actions button:text-is('{action.name}')")
    for name, value in action.fields.items():
        field = f"dialog [name='{name}']"
        if isinstance(value, int):
            page.select_option(field, index=value)
        else:
            page.fill(field, value)


def forget(page: Page) -> None:
    """Take away what was said of the action before."""
    page.evaluate("document.getElementById('a2l-said').replaceChildren()")


def commits(root) -> int:
    done = subprocess.run(
        ["git", "-C", root, "rev-list", "--count", "HEAD"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.long
def test_every_action_says_what_it_will_do_does_it_and_says_what_it_did(page, pages, root):
    offered: set[str] = set()
    customer = ""
    for action in sampled(ACTIONS, [one for one in ACTIONS if one.name in SAMPLE]):
        if action.customer != customer:
            customer = action.customer
            page.goto(f"{pages}Customers/?customer={customer}")
            expect(page.locator("#a2l-actions button").first).to_be_attached()
        offered |= set(page.locator("#a2l-actions div button").all_text_contents())
        before = commits(root)
        chosen(page, action)
        page.click("dialog button[type=submit]")
        said = page.locator("dialog .said .a2l-said")
        expect(said).to_contain_text(re.compile(action.before, re.DOTALL))
        assert commits(root) == before, f"{action.name}: the dry run wrote something"
        if not action.after:
            page.keyboard.press("Escape")
            expect(page.locator("dialog")).to_have_count(0)
            continue
        forget(page)
        page.click("dialog button:text-is('Do it')")
        expect(page.locator("dialog")).to_have_count(0)
        expect(page.locator("#a2l-said")).to_contain_text(action.after)
        assert commits(root) == before + 1, action.name
        undo = page.locator("#a2l-undo")
        assert undo.count() == bool(action.undone), action.name
        if action.undone not in {"", OFFERED}:
            undo.click()
            expect(page.locator("#a2l-said")).to_contain_text(action.undone)
            assert commits(root) == before + 2, action.name
    assert offered - {action.name for action in ACTIONS} == set(), "an action that nobody tries"


def test_a_fact_is_changed_where_its_history_shows_it(page, pages):
    page.goto(f"{pages}Customers/?customer=C10003&tab=details")
    page.click("#a2l-changes [data-change=terms]")
    page.fill("dialog [name=value]", "45")
    page.fill("dialog [name=date]", TODAY)
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog .said")).to_contain_text(f"terms would be 45 from {TODAY} on")
    page.click("dialog button:text-is('Do it')")
    expect(page.locator("#a2l-said")).to_contain_text("terms is 45")
    rows = page.locator("#a2l-changes tr:has-text('terms')")
    expect(rows).to_have_count(2)
    page.click("#a2l-undo")
    expect(page.locator("#a2l-said")).to_contain_text("terms is 30")
    assert not page.locator("#a2l-changes [data-change=currency]").count()


def test_a_call_and_a_payment_that_is_undone_stay_and_count_for_nothing(page, pages):
    page.goto(f"{pages}Customers/?customer=C10004&tab=payments")
    expect(page.locator("#a2l-payments")).to_contain_text("7.00")
    page.goto(f"{pages}Customers/?customer=C10003&tab=calls&day=2026-03-01&to=2026-03-31")
    row = page.locator("#a2l-calls tbody tr").first
    what = row.locator("td").first.inner_text()
    row.locator("[data-void]").click()
    page.fill("dialog [name=reason]", "line was dead")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog .said .a2l-said")).to_contain_text("would be void")
    page.click("dialog button:text-is('Do it')")
    expect(page.locator("#a2l-said")).to_contain_text("void")
    expect(page.locator(f"#a2l-calls tr:has-text('{what}')").first).to_contain_text("void")
    page.click("#a2l-undo")
    expect(page.locator("#a2l-said")).not_to_contain_text("line was dead")


def test_a_line_of_the_statement_that_is_open_is_voided_and_restored(page, pages):
    page.goto(f"{pages}Customers/?customer=C10002&tab=statement")
    page.click("#a2l-actions summary")
    page.click("#a2l-actions button:text-is('Charge')")
    page.fill("dialog [name=amount]", "77")
    page.fill("dialog [name=description]", "Router")
    page.click("dialog button[type=submit]")
    page.click("dialog button:text-is('Do it')")
    expect(page.locator("#a2l-said")).to_contain_text("posted")
    row = page.locator("#a2l-statement tr:has-text('Router')")
    row.locator("button:text-is('Void')").click()
    page.click("dialog button:text-is('Do it')")
    expect(row).to_contain_text("void: entered by mistake")
    row.locator("button:text-is('Restore')").click()
    page.click("dialog button:text-is('Do it')")
    expect(row.locator("button:text-is('Void')")).to_be_enabled()
    closed = page.locator("#a2l-statement tr:has-text('2026-02-')")
    expect(closed.first).to_be_visible()
    assert not closed.locator("button").count(), "what is closed cannot be voided"


def test_a_menu_stays_open_when_a_colleague_changes_the_book(page, pages, root):
    page.goto(f"{pages}Customers/?customer=C10002")
    page.click("#a2l-actions summary")
    limit = page.locator("#a2l-actions button:text-is('Limit')")
    expect(limit).to_be_visible()
    seen = limit.element_handle()
    assert a2ledger("-C", root, "--today", TODAY, "payment", "C10002", "1.23").code == 0
    page.wait_for_function("button => !button.isConnected", arg=seen)
    expect(limit).to_be_visible()
    page.click("aside a[href*='extension/Home']")
    expect(limit).to_have_count(0)
    page.go_back()
    expect(limit).to_be_attached()
    expect(limit).to_be_hidden()


def test_keys_offer_nothing_that_is_refused(page, pages):
    page.goto(f"{pages}Customers/")
    expect(page.locator("#a2l-customers")).to_be_visible()
    page.keyboard.press("n")
    page.wait_for_timeout(200)
    assert "#add-transaction" not in page.url
    assert page.locator(".overlay, dialog[open]").count() == 0
