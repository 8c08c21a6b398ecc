"""The helpdesk's day in a real browser: thirty questions, none of more than three clicks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from examples import cases, sampled
from harness import Book
from playwright.sync_api import Page, expect
from reading import fits, serious
from serving import serving_here

from a2ledger.staff.forms import command, undo

TODAY = "2026-03-20"
PAGES = (
    *("Home", "Customers", "Invoices", "Payments", "Calls", "Phone", "Tariffs", "PriceChanges"),
    *("Close", "Ageing", "Revenue", "Imports"),
)
TABS = ("overview", "statement", "invoices", "payments", "calls", "services", "details", "log")

OTHERS = (
    *("Customers/?new=yes", "Customers/?document=INV-2026-000005", "Invoices/?which=all"),
    *("Customers/?document=INV-2026-000005&line=1", "Tariffs/?deck=standard"),
    *("Customers/?customer=C10001&day=2026-02-03", "Customers/?text=nobody"),
)
PLACES = [*OTHERS, *(f"{name}/" for name in PAGES)] + [
    f"Customers/?customer=C10001&tab={tab}" for tab in TABS
]


@pytest.fixture(scope="module")
def book(demo_book, tmp_path_factory) -> Path:
    """The demo's book with a number, a payment that is nobody's, and a row that was refused."""
    directory = tmp_path_factory.mktemp("helpdesk")
    made = Book(shutil.copytree(demo_book, directory / "book"), directory / "files", TODAY)
    made.run("customer", "set", "C10001", "identifiers+=3235550000")
    rows = "id,customer,date,amount,description\nb1,,2026-03-19,21.23,North Call Centre NV\n"
    made.run("import", "payments", made.file("bank.csv", rows))
    return made.root


@pytest.fixture(scope="module")
def host(book, program, tmp_path_factory):
    """A server of a copy of that book, in this process."""
    root = shutil.copytree(book, tmp_path_factory.mktemp("served") / "book")
    with serving_here(root, TODAY, program) as address:
        yield f"http://{address}/example-telecom/extension/"


@pytest.fixture
def own(book, program, tmp_path):
    """A server of another copy, for what would leave others nothing to look at."""
    with serving_here(shutil.copytree(book, tmp_path / "own"), TODAY, program) as address:
        yield f"http://{address}/example-telecom/extension/"


class Staff:
    """Whoever sits there: counts clicks; typing into the search and Enter are one."""

    def __init__(self, page: Page, host: str) -> None:
        self.page, self.host, self.clicks = page, host, 0

    def search(self, text: str) -> Staff:
        self.page.fill("#a2l-search", text)
        expect(self.page.locator("#a2l-hits li").first).to_be_visible()
        self.page.press("#a2l-search", "Enter")
        self.clicks += 1
        return self

    def filter(self, text: str) -> Staff:
        """Type into the page's own field, and Enter: one click, as in the search."""
        self.page.fill("article input[type=search]", text)
        self.page.press("article input[type=search]", "Enter")
        self.clicks += 1
        return self

    def click(self, what: str) -> Staff:
        self.page.locator(what).first.click()
        self.clicks += 1
        return self

    def sees(self, what: str) -> None:
        expect(self.page.locator("article")).to_contain_text(what)
        assert self.clicks <= 3, f"{self.clicks} clicks"


QUESTIONS = {
    "how much is left": (["/peeters"], "available"),
    "who has 3235550000": (["/3235550000"], "Aegean Travel"),
    "who is marie@peeters.example": (["/marie@peeters"], "Marie Peeters"),
    "which customer is invoice INV-2026-000009 of": (["/INV-2026-000009"], "North Call Centre"),
    "did my payment arrive": (["/C10001", "nav a >> text=Payments"], "2026-03-12"),
    "what did it settle": (["/C10001", "nav a >> text=Payments"], "INV-2026-000007"),
    "is it paid": (["/C10004", "nav a >> text=Invoices"], "overdue"),
    "when is it due": (["/C10004", "nav a >> text=Invoices"], "2026-03-16"),
    "which calls were these": (["/C10001", "nav a >> text=Calls"], "Belgium Mobile"),
    "why does it cost that": (["/C10001", "text=why >> nth=0"], "prefix"),
    "what fees do I pay": (["/C10001", "nav a >> text=Services"], "No fee"),
    "what is my tariff": (["/C10001", "nav a >> text=Services"], "standard"),
    "what is my address": (["/C10002", "nav a >> text=Details"], "Kerkstraat"),
    "who changed that": (["/C10001", "nav a >> text=Log"], "customer set"),
    "what was my balance in January": (["/C10001", "nav a >> text=Statement"], "2026-01-31"),
    "who is overdue": (["aside a >> text=Invoices", "nav a >> text=Overdue"], "INV-2026-000009"),
    "whose is this payment": (["aside a >> text=Payments"], "names North Call Centre NV"),
    "who called this number": (["/32470400017"], "32470400017"),
    "what costs a call to France": (["aside a >> text=Tariffs", "article a >> text=standard"],
                                    "France"),
    "what came in today": ([], "Money today"),
    "why is this call so dear": (["/C10001", "nav a >> text=Calls", "text=why >> nth=0"],
                                 "rateinitial"),
    "was I charged twice": (["/C10004", "nav a >> text=Statement"], "2026-03-16"),
    "which calls did I make that day": (["/C10001", "nav a >> text=Calls",
                                         "article a >> text=2026-03-16"], "2026-03-16"),
    "has my bill been mailed": (["/C10001", "nav a >> text=Invoices"], "Sent"),
    "what will my next bill be": (["/C10001"], "The bill so far"),
    "how much is overdue in all": ([], "32.90"),
    "who changed my limit": (["/C10001", "nav a >> text=Details"], "credit limit"),
    "what does a call to Morocco cost": (["aside a >> text=Tariffs", "article a >> text=standard",
                                          "=Morocco"], "0.249"),
    "did yesterday's calls arrive": (["aside a >> text=Imports"], "pbx1"),
    "who has not paid for long": (["aside a >> text=Ageing"], "North Call Centre"),
}  # fmt: skip


@cases("question", QUESTIONS, 7)
def test_a_question_is_answered_in_three_clicks(page, host, question):
    steps, answer = QUESTIONS[question]
    page.goto(f"{host}Home/")
    desk = Staff(page, host)
    for step in steps:
        does = {"/": desk.search, "=": desk.filter}.get(step[0])
        does(step[1:]) if does else desk.click(step)
    desk.sees(answer)


def test_a_payment_says_before_what_it_will_do_and_is_undone(page, host):
    page.goto(f"{host}Customers/?customer=C10001")
    owed = page.locator("[data-figure=owed] b").inner_text()
    page.click("#a2l-actions summary")
    page.click("#a2l-actions button >> text=Payment")
    page.fill("dialog [name=amount]", "500,00")
    page.select_option("dialog [name=invoice]", index=1)
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog .said")).to_contain_text("500.00 EUR of C10001")
    expect(page.locator("dialog .said")).to_contain_text("would be posted")
    assert page.locator("[data-figure=owed] b").inner_text() == owed
    page.click("dialog button[type=submit]")
    expect(page.locator("#a2l-said")).to_contain_text("posted; C10001 owes")
    expect(page.locator("[data-figure=owed] b")).not_to_have_text(owed)
    page.click("#a2l-undo")
    expect(page.locator("[data-figure=owed] b")).to_have_text(owed)
    expect(page.locator("#a2l-last-payment")).to_contain_text("5.00")


def test_a_payment_of_yesterday_is_found_and_undone_in_three_clicks(page, own):
    page.goto(f"{own}Customers/?customer=C10002&tab=payments")
    expect(page.locator("#a2l-payments")).to_contain_text("20.00")
    desk = Staff(page, own)
    desk.search("20.00").click("#a2l-payments tr:has-text('20.00') [data-undo]")
    expect(page.locator("dialog .said")).to_contain_text("would be void")
    desk.click("dialog button:text-is('Do it')")
    expect(page.locator("#a2l-said")).to_contain_text("void")
    assert desk.clicks == 3


def test_what_the_guard_refuses_is_not_shown(page, host):
    page.goto(f"{host}Home/")
    expect(page.locator('aside a[href*="/editor/"]')).to_have_text("Source files")
    expect(page.locator('aside a[href*="/import/"]')).not_to_be_visible()
    page.click('aside a[href*="/editor/"]')
    expect(page.locator(".cm-editor")).to_be_visible()
    expect(page.locator("form.fixed-fullsize-container button[type=submit]")).to_be_hidden()


def test_a_bill_s_lines_lead_to_the_rows_that_held(page, host):
    page.goto(f"{host}Customers/?document=INV-2026-000006")
    page.locator(".a2l-bill tr", has_text="Morocco").get_by_text("standard 212").click()
    expect(page.locator("article")).to_contain_text("0.249")
    assert "France" not in page.locator("article table").last.inner_text()


def test_what_is_refused_is_said_in_the_form(page, host):
    page.goto(f"{host}Customers/?customer=C10001")
    page.click("#a2l-actions summary")
    page.click("#a2l-actions button >> text=Goodwill")
    page.fill("dialog [name=amount]", "1.005")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog .said")).to_contain_text("decimals of EUR")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_money_that_is_nobody_s_is_assigned_as_suggested(page, own):
    page.goto(f"{own}Payments/")
    page.click("[data-assign=b1][data-to=C10004]")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog .said")).to_contain_text("Transfer")
    page.click("dialog button[type=submit]")
    expect(page.locator("article")).to_contain_text("Every payment has its customer")
    page.goto(f"{own}Customers/?customer=C10004&tab=payments")
    expect(page.locator("#a2l-payments")).to_contain_text("INV-2026-000009")


def test_a_customer_begins_and_is_blocked_and_has_a_fee(page, host):
    page.goto(f"{host}Customers/?new=yes")
    page.fill("dialog [name=customer]", "N1")
    page.fill("dialog [name=name]", "Nadia Novak")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog button[type=submit]")).to_have_text("Do it")
    page.click("dialog button[type=submit]")
    expect(page.locator("article h1")).to_contain_text("Nadia Novak")
    page.click("#a2l-actions summary")
    page.click("#a2l-actions button >> text=Block")
    page.fill("dialog [name=reason]", "card stolen")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog button[type=submit]")).to_have_text("Do it")
    page.click("dialog button[type=submit]")
    expect(page.locator("article h1")).to_contain_text("blocked")


@pytest.mark.long
@pytest.mark.parametrize("place", PLACES)
def test_everybody_can_read_it_on_anything(page, host, place):
    page.goto(f"{host}{place}")
    page.wait_for_selector("#a2l-due" if place == "Close/" else "article h1, article table")
    fits(page)
    assert len(page.content()) < 200_000
    if sampled(True, PLACES.index(place) % 3 == 0):
        assert list(serious(page, "article, #a2l-searching")) == []


WIDE = ("Ageing/", "Payments/", "Customers/?customer=C10001&tab=invoices", "Close/", "Imports/")


@pytest.mark.long
@pytest.mark.parametrize("place", sampled(WIDE, WIDE[:2]))
def test_on_a_telephone_a_table_that_is_too_wide_stands_below_itself(page, host, place):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{host}{place}")
    page.wait_for_selector("#a2l-due" if place == "Close/" else "article h1, article table")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.a2l-wide')]"
        ".every(box => box.scrollWidth <= box.clientWidth)"
    )
    expect(page.locator("table.stacked td[data-label]")).not_to_have_count(0)
    assert list(serious(page, "html")) == []


def test_the_search_is_reached_and_left_by_keys(page, host):
    page.goto(f"{host}Home/")
    expect(page.locator("#a2l-search")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("inv-2026")
    expect(page.locator("#a2l-hits li").nth(1)).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#a2l-hits li").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#a2l-hits")).to_be_hidden()


def test_a_preview_is_the_dry_run_of_the_same_words():
    form = {"action": "goodwill", "customer": "C1", "amount": "5,00", "id": "web-0123456789abcdef"}
    words = command(form)
    before = command({**form, "preview": True})
    assert before == [*words[: words.index("--")], "--dry-run", *words[words.index("--") :]]
    result = {"posted": True, "id": "x1"}
    assert undo(form, result)["id"] == "goodwill/x1"
    assert undo({"action": "close"}, result) is None
    assert undo({"action": "block", "customer": "C1"}, None)["action"] == "unblock"


def test_undo_writes_numbers_that_no_locale_takes_for_others():
    """In Kuwait an amount has three decimals: with a decimal comma 9.125 would be thousands."""
    form = {"action": "limit", "customer": "C1", "before": {"credit_limit": "300.125"}}
    assert undo(form, None)["facts"] == {"credit_limit": "300.1250"}
    was = {"price": "9.125", "quantity": 2, "until": None, "prices": 1}
    answer = {"customer": "C1", "id": "fee1", "from": "2026-04-01", "changed": True, "was": was}
    undone = undo({"action": "fee-change"}, {**answer, "prices": 2})
    assert (undone["amount"], undone["quantity"]) == ("9.1250", "2")
    assert undo({"action": "fee-change"}, {**answer, "was": {**was, "price": "-2.00"}}) is None
    # A price that was to come is gone with the stop: running on would not be as it was.
    assert undo({"action": "fee-stop"}, {**answer, "prices": 1})["action"] == "fee-resume"
    assert (
        undo({"action": "fee-stop"}, {**answer, "was": {**was, "prices": 2}, "prices": 1}) is None
    )
    ended = {**answer, "was": {**was, "until": "2026-12-31"}}
    assert undo({"action": "fee-stop"}, ended)["date"] == "2026-12-31"
