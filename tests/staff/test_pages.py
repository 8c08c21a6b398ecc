"""The staff's pages in a real browser, behind the guard."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import http.client
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse

import pytest
from examples import cases
from fava.application import create_app
from playwright.sync_api import expect
from serving import TODAY, basic, configured, get, serving_here

from a2ledger.book.book import Book, RefusedError
from a2ledger.journal import subledgers
from a2ledger.staff import customer_list, guard, revenue
from a2ledger.staff import customers as figures_of
from a2ledger.staff.cards import Cards
from a2ledger.staff.desk import Desk
from a2ledger.staff.forms import BadFormError, command
from a2ledger.staff.passwords import Passwords, set_password
from a2ledger.staff.server import application

A2LEDGER = (sys.executable, "-m", "a2ledger")
HOSTILE = "<img src=x onerror=document.title='hit'><script>document.title='hit'</script>"


def a2ledger(book, *words, today=TODAY, code=0):
    done = subprocess.run(
        [*A2LEDGER, "-C", book, "--today", today, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def serving(book, *options, **environment):
    """A server of a book, in a process of its own; its address."""
    with subprocess.Popen(
        [*A2LEDGER, "-C", book, "--today", TODAY, "serve", "-p", "0", *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        try:
            said = process.stderr.readline()
            found = re.match(r"http://([0-9.]+:[0-9]+)/ shows the book", said)
            assert found, said + process.stderr.read()
            yield found[1]
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


HOME = "/example-telecom/"
PAGES = f"{HOME}extension/"
PLAIN = "/example-telecom-staff/"
"""Where a Fava of its own shows ``journals/staff.beancount``."""


def write(host, form, token=None, **headers):
    """Send a form as our pages do, and wait for what becomes of it."""
    if token is None:
        token = get(host, f"{PAGES}A2Ledger/home", **headers).json["token"]
    answer = get(
        host, f"{PAGES}A2Ledger/write", "POST", json.dumps(form),
        Content_Type="application/json", X_A2ledger_Token=token, **headers,
    )  # fmt: skip
    if answer.status != 200:
        return answer
    job = answer.json
    while not job.get("done") and not job["error"]:
        time.sleep(0.1)
        job = {"error": "", **get(host, f"{PAGES}A2Ledger/job?job={job['job']}", **headers).json}
    return job


def figures(host):
    rows = csv.reader(io.StringIO(get(host, f"{PAGES}Customers/table").text))
    return {row[0]: row for row in rows}


def due(host):
    """What would close, once it is drawn up."""
    while (answer := get(host, f"{PAGES}Close/due").json).get("pending"):
        time.sleep(0.1)
    return answer


@pytest.fixture(scope="module")
def pristine(demo_book, tmp_path_factory):
    """The demo's book, and in it a text that somebody means ill with."""
    book = shutil.copytree(demo_book, tmp_path_factory.mktemp("serve") / "book")
    rows = "id,customer,date,amount,description\nh1,C10002,2026-03-19,1.00,"
    (book / "input/hostile.csv").write_text(f'{rows}"{HOSTILE}"\n')
    a2ledger(book, "import", "payments", book / "input/hostile.csv", today="2026-03-20")
    a2ledger(book, "customer", "set", "C10002", f"address={HOSTILE}", today="2026-03-20")
    return book


@pytest.fixture(scope="module")
def demo(pristine, tmp_path_factory):
    """The book that is served: tests add to it."""
    return shutil.copytree(pristine, tmp_path_factory.mktemp("served") / "book")


@pytest.fixture(scope="module")
def host(demo, program):
    with serving_here(demo, program=program) as address:
        yield address


@pytest.fixture
def quiet(pristine, tmp_path):
    """A copy of the book that a test may do with as it likes."""
    return shutil.copytree(pristine, tmp_path / "book")


@pytest.fixture
def page(page, host):
    """A page of the server."""
    page.go = lambda path: page.goto(f"http://{host}{HOME}{path}")
    return page


def cells(page, column):
    """The column's texts: of one moment, and never of no table at all."""
    column = page.locator(f"#a2l-customers tbody tr td:nth-child({column})")
    expect(column).not_to_have_count(0)
    return column.all_text_contents()


# In the browser


def test_customers_are_sorted_filtered_and_opened(page):
    page.go("")
    page.wait_for_selector("article h1:has-text('Today')")
    assert page.url.endswith("/extension/Home/")
    page.go("extension/Customers/")
    page.wait_for_selector("#a2l-customers tbody tr")
    owed = [float(text) for text in cells(page, 3)]
    assert owed == sorted(owed, reverse=True)
    page.click("th a:text-is('Name')")
    page.wait_for_selector("th[aria-sort='ascending']")
    assert cells(page, 2) == sorted(cells(page, 2))
    page.click("th a:text-is('Name')")
    page.wait_for_selector("th[aria-sort='descending']")
    assert cells(page, 2) == sorted(cells(page, 2), reverse=True)
    page.fill("#a2l-filter input[name='text']", "north")
    page.wait_for_selector("#a2l-list :text('1 customer')")
    expect(page.locator("#a2l-customers tbody tr td:nth-child(1)")).to_have_text(["C10004"])
    expect(page.locator("tfoot :text('All 5')")).to_have_count(1)
    assert "text=north" in page.url
    page.click("text=C10004")
    page.wait_for_selector("h1:has-text('North Call Centre NV')")
    expect(page.locator(".axis")).to_contain_text("2026-03-19")


def act(page, name):
    """Choose from the menu of actions."""
    page.click("#a2l-actions summary")
    page.click(f"#a2l-actions button:text-is('{name}')")


def send(page):
    """Have a form say what it would do, and do it."""
    page.click("dialog button[type='submit']")
    page.wait_for_selector("dialog button:text-is('Do it')")
    page.click("dialog button[type='submit']")
    page.wait_for_selector("dialog", state="detached")


def test_a_payment_moves_the_balance_on_the_page(page, demo):
    page.go("extension/Customers/?customer=C10001")
    billed = page.locator("[data-figure='billed'] b")
    before = float(billed.inner_text())
    act(page, "Payment")
    page.fill("dialog input[name='amount']", "7.25")
    page.fill("dialog input[name='date']", "2026-04-01")
    page.fill("dialog input[name='description']", "Paid at the desk")
    send(page)
    page.wait_for_selector("#a2l-last-payment :text('7.25')")
    expect(billed).to_have_text(f"{before - 7.25:.2f}")
    log = subprocess.run(
        ["git", "-C", demo, "log", "-1", "--format=%s"], capture_output=True, text=True, check=True
    )
    assert log.stdout.startswith("payment: C10001 web-")
    page.go("extension/Customers/?customer=C10001&tab=statement")
    page.wait_for_selector("#a2l-statement :text('Paid at the desk')")


def test_a_limit_that_is_changed_stands_in_the_history_with_who_changed_it(page):
    page.go("extension/Customers/?customer=C10005")
    act(page, "Limit")
    page.fill("dialog input[name='amount']", "25")
    send(page)
    page.wait_for_selector("[data-figure='limit'] b:text-is('25.00')")
    page.go("extension/Customers/?customer=C10005&tab=details")
    page.wait_for_selector("article h2:has-text('What has changed')")
    expect(page.locator("tr:has-text('credit limit'):has-text('25.00')")).to_have_count(1)


def test_what_the_command_refuses_is_said_in_the_form(page):
    page.go("extension/Customers/?customer=C10004")
    act(page, "Limit")
    page.fill("dialog input[name='amount']", "5.00")
    for day, said in (
        ("2020-12-31", "the account opens on 2026-01-01, and 2020-12-31 is before that"),
        ("2026-01-31", "2026-01-31 lies in a closed period"),
    ):
        page.fill("dialog input[name='date']", day)
        page.click("dialog button[type='submit']")
        page.wait_for_selector(f"dialog .a2l-said:has-text('{said}')")
    page.keyboard.press("Escape")
    expect(page.locator("[data-figure='limit'] b")).to_have_text("900.00")


def test_from_a_line_of_a_bill_to_its_calls_and_their_price(page):
    page.go("extension/Customers/?document=INV-2026-000005")
    page.locator(".a2l-bill tbody tr", has_text="Belgium Mobile").get_by_text("why").click()
    page.wait_for_selector("h1:has-text('INV-2026-000005, line 1')")
    expect(page.locator(".a2l-calls tbody tr")).to_have_count(3)
    page.locator(".a2l-calls tbody tr").nth(2).get_by_text("price").click()
    page.wait_for_selector("#price:has-text('call 3')")
    expect(page.locator("dl").last).to_contain_text("in blocks of 6 s: 132 s")
    page.click("a:has-text('journals/2026-01/C10005.10.beancount:14')")
    page.wait_for_selector(".cm-editor")
    expect(page).to_have_url(re.compile("/customer-C10005/"))


def test_from_an_entry_of_the_journal_to_its_calls_and_its_document(page):
    page.go("journal/?time=2026-02-28")
    entry = page.locator(".journal > li", has_text="Invoice INV-2026-000007")
    entry.locator("a.a2l-link", has_text="document").click()
    page.wait_for_selector("h1:has-text('INV-2026-000007')")
    page.click("text=its entries in their own ledger")
    expect(page).to_have_url(re.compile("/customer-C10001/journal/"))
    usage = page.locator(".journal > li", has_text="calls, 0:").locator("> p > .datecell")
    expect(usage).not_to_have_count(0)
    dates = sorted(usage.all_text_contents())
    assert (dates[0], dates[-1]) == ("2026-02-01", "2026-02-28")
    usage = page.locator(".journal > li", has_text="3 calls, 0:04:16")
    usage.locator("a.a2l-link", has_text="calls").click()
    page.wait_for_selector("h1:has-text('Calls of 2026-02-03')")
    expect(page.locator(".a2l-calls tbody tr")).to_have_count(3)
    page.go("../customer-C10003/journal/?time=2026-01-20")
    charge = page.locator(".journal > li", has_text="Telephone delivered")
    charge.locator("a.a2l-link", has_text="bill").click()
    page.wait_for_selector("h1:has-text('INV-2026-000006')")
    expect(page.locator(".a2l-bill tr", has_text="Telephone delivered")).to_have_count(1)
    page.go("journal/?time=2026-03-01")
    charge = page.locator(".journal > li", has_text="SIP trunk with 10 channels")
    charge.locator("a.a2l-link", has_text="bill").click()
    page.wait_for_selector("h1:has-text('The bill so far')")
    expect(page.locator(".a2l-bill tr", has_text="SIP trunk")).to_have_count(1)


@cases(
    "path",
    [
        "journal/",
        "account/Assets:Receivable:C10002:Billed/",
        "extension/Customers/?customer=C10002",
        "extension/Customers/",
        "../customer-C10002/journal/",
        "../customer-C10002/account/Assets:Receivable:C10002/",
    ],
    2,
)
def test_hostile_text_does_not_run(page, path):
    page.go(path)
    page.wait_for_selector(".journal > li, .a2l td")
    if "journal" in path:
        for kind in ("Open", "Custom", "Metadata"):
            page.locator(f"button:text-is('{kind}')").click()
    page.wait_for_timeout(300)
    assert page.title() != "hit"
    assert page.locator("article img").count() == 0


def test_other_pages_show_what_the_commands_say(page, demo):
    page.go("extension/Ageing/?day=2026-03-20")
    rows = json.loads(a2ledger(demo, "ageing", "--as-of", "2026-03-20", "--json"))
    for row in rows:
        if row["billed"] != "0.00":
            shown = page.locator(f"tr:has-text('{row['customer']}')").first
            expect(shown).to_contain_text(row["billed"])
    page.go("extension/Revenue/?month=2026-02")
    page.wait_for_selector("svg .bars, svg rect")
    total = sum(  # of 35.22 that were posted 0.95 are January's, which came late
        float(text)
        for text in page.locator("#a2l-destinations td:nth-child(5)").all_text_contents()
    )
    assert total == pytest.approx(34.27, abs=0.05)
    page.go("query/?query_string=run%20to-pay")
    page.wait_for_selector("td:has-text('C10004')")
    page.go("extension/Imports/")
    expect(page.locator("td:has-text('pbx1')")).to_have_count(3)


def test_refused_rows_are_tried_again(page, demo):
    row = "id,customer,date,amount\nq1,C10009,2026-04-02,4.00\n"
    (demo / "input/unknown.csv").write_text(row)
    a2ledger(demo, "import", "payments", demo / "input/unknown.csv", code=3)
    a2ledger(demo, "customer", "add", "C10009", "--name", "Nine", "--tariff", "standard")
    page.go("extension/Imports/")
    page.locator("tr:has-text('unknown-customer')").get_by_text("Try again").click()
    page.wait_for_selector(".a2l-said.good")
    expect(page.locator("text=Nothing is in quarantine")).to_have_count(1)
    page.go("extension/Customers/?customer=C10009")
    expect(page.locator("[data-figure='billed'] b")).to_have_text("-4.00")


def test_a_new_import_shows_up_by_itself(page, demo):
    page.go("extension/Customers/?customer=C10003")
    before = page.locator("[data-figure='billed'] b").inner_text()
    (demo / "input/p.csv").write_text("id,customer,date,amount\np77,C10003,2026-04-01,3.00\n")
    a2ledger(demo, "import", "payments", demo / "input/p.csv")
    expect(page.locator("[data-figure='billed'] b")).to_have_text(f"{float(before) - 3:.2f}")


def test_what_is_due_is_of_the_last_question_in_whatever_order_answers_come(page):
    page.go("extension/Close/")
    page.wait_for_selector("#a2l-due")
    before = page.inner_text("#a2l-due")
    held, asks = [], re.compile(r"/due\?without=pbx1$")
    page.route(asks, lambda route: held.extend([route]))
    page.get_by_label("pbx1").check()
    with page.expect_response(re.compile("/due$")):
        page.get_by_label("pbx1").uncheck()
    page.wait_for_timeout(300)
    with page.expect_response(asks):
        held[0].continue_()
    page.wait_for_timeout(300)
    expect(page.locator("#a2l-due")).to_have_text(before)
    assert not page.get_by_label("pbx1").is_checked()


def test_closing_asks_once_and_closes(page, demo):
    page.go("extension/Close/")
    page.wait_for_selector("#a2l-due:has-text('1 period would close now, 5.51 EUR billed')")
    expect(page.locator("text=source pbx1 was not imported").nth(3)).to_be_visible()
    page.click("#a2l-ask")
    page.wait_for_selector("text=This bills 5.51 EUR")
    page.click("#a2l-sure")
    page.wait_for_selector(".a2l-said.good:has-text('1 period(s) closed')")
    page.wait_for_selector("#a2l-due:has-text('Nothing would close now')")
    assert (demo / "invoices/2026/INV-2026-000011.json").is_file()
    page.get_by_label("pbx1").check()
    page.wait_for_selector("#a2l-due:has-text('4 periods would close now')")
    page.get_by_label("pbx1").uncheck()
    page.wait_for_selector("#a2l-due:has-text('Nothing would close now')")
    page.go("extension/Customers/?customer=C10003&tab=invoices")
    page.wait_for_selector("a:text-is('INV-2026-000011')")


# Without one


def test_every_route_is_listed_with_what_it_may_do(quiet):
    app = application(Book(quiet), Desk(root=quiet, today=lambda _: None))
    served = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert served == guard.ROUTES.keys()
    for rule in app.url_map.iter_rules():
        if rule.methods & {"PUT", "DELETE", "POST"} and rule.endpoint != "extension_endpoint":
            assert guard.ROUTES[rule.endpoint] is guard.May.NOTHING, rule


def test_a_route_without_a_row_answers_nothing(quiet, monkeypatch):
    app = application(Book(quiet), Desk(root=quiet, today=lambda _: None))
    client = app.test_client()
    assert client.get(f"{HOME}api/changed").status_code == 200
    monkeypatch.delitem(guard.ROUTES, "json_api.get_changed")
    assert client.get(f"{HOME}api/changed").status_code == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "api/source"),
        ("PUT", "api/add_entries"),
        ("PUT", "api/format_source"),
        ("DELETE", "api/source_slice"),
        ("DELETE", "api/document?filename=x"),
        ("GET", "api/imports"),
        ("GET", "api/extract?filename=x&importer=y"),
        ("GET", "document/?filename=/etc/hostname"),
        ("GET", "statement/?entry_hash=x&key=y"),
        ("GET", "../jump?time=2026"),
        ("PUT", "extension/Customers/table"),
        ("POST", "extension/Customers/table"),
    ],
)
def test_fava_itself_writes_and_runs_nothing(host, method, path):
    path = urllib.parse.urljoin(HOME, path)
    answer = get(host, path, method, "{}" if method != "GET" else None)
    assert answer.status == 403
    assert not answer.json["success"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("SELECT account, sum(position) GROUP BY account", 200),
        ("BALANCES", 200),
        ("JOURNAL 'C10001'", 200),
        ("PRINT FROM year = 2026", 200),
        ("run to-pay", 200),
        (".run over-limit;", 200),
        ("run nothing-like-it", 403),
        ("run to-pay unbilled", 403),
        ("set boxed true", 403),
        (".format csv", 403),
        ("help", 403),
        ("CREATE TABLE x (a int)", 403),
        ("nonsense (", 403),
        ("", 403),
    ],
)
def test_only_queries_that_read_are_answered(host, query, status):
    asked = urllib.parse.urlencode({"query_string": query})
    assert get(host, f"{HOME}api/query?{asked}").status == status
    if status == 403:
        assert get(host, f"{HOME}download-query/query_result.csv?{asked}").status == 403


def test_a_saved_query_must_read_too(quiet):
    with (quiet / "journals/manual.beancount").open("a") as manual:
        manual.write('2026-01-01 query "bad" ".format csv"\n')
    with serving_here(quiet) as host:
        assert get(host, f"{HOME}api/query?query_string=run%20bad").status == 403


def test_every_answer_bears_the_headers(host):
    for path in (HOME, f"{PAGES}Customers/", f"{HOME}api/changed", "/none/", "/static/app.css"):
        answer = get(host, path)
        assert {name: answer.get(name.lower()) for name in guard.HEADERS} == guard.HEADERS
    assert "no-store" in get(host, f"{PAGES}Customers/")["cache-control"]
    policy = get(host, f"{PAGES}Customers/")["content-security-policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    document = get(host, f"{PAGES}Customers/rendered?name=INV-2026-000002")
    assert document.status == 200
    assert "sandbox" in document["content-security-policy"]


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "", "localhost:x"])
def test_another_name_is_not_answered(host, name):
    assert get(host, HOME, Host=name).status == 400
    port = host.partition(":")[2]
    assert get(host, HOME, Host=f"localhost:{port}").status == 302


PAYMENT = {
    "action": "payment",
    "id": "web-0123456789abcdef",
    "customer": "C10002",
    "date": "2026-04-01",
    "amount": "2.00",
}


def test_a_form_that_is_sent_twice_counts_once(host):
    before = float(figures(host)["C10002"][3])
    first, second = write(host, PAYMENT), write(host, PAYMENT)
    assert (first["code"], second["code"]) == (0, 0)
    assert (first["result"]["posted"], second["result"]["posted"]) == (True, False)
    assert float(figures(host)["C10002"][3]) == pytest.approx(before - 2)


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        ("", {}),
        ("0" * 64, {}),
        (None, {"Origin": "http://evil.example"}),
        (None, {"Sec_Fetch_Site": "cross-site"}),
    ],
)
def test_what_another_site_sends_is_not_done(host, token, headers):
    before = figures(host)
    good = get(host, f"{PAGES}A2Ledger/home").json["token"]
    form = {**PAYMENT, "id": "web-1111111111111111"}
    assert write(host, form, good if token is None else token, **headers).status == 403
    plain = get(
        host, f"{PAGES}A2Ledger/write", "POST", json.dumps(form),
        Content_Type="text/plain", X_A2ledger_Token=good,
    )  # fmt: skip
    assert plain.status == 403
    assert figures(host) == before


def test_read_only_shows_everything_and_writes_nothing(quiet):
    state = {path: path.stat().st_mtime_ns for path in quiet.rglob("*")}
    with serving(quiet, "--read-only") as host:
        assert "Add payment" not in get(host, f"{PAGES}Customers/?customer=C10001").text
        assert "23.05" in get(host, f"{PAGES}Customers/?customer=C10001").text
        assert [row["customer"] for row in due(host)["ready"]]
        home = get(host, f"{PAGES}A2Ledger/home").json
        assert (home["may_write"], home["token"]) == (False, "")
        assert write(host, PAYMENT, "x").status == 403
        assert get(host, f"{PAGES}Customers/rendered?name=INV-2026-000002").status == 200
    assert {path: path.stat().st_mtime_ns for path in quiet.rglob("*")} == state


def test_with_passwords_only_those_who_have_one_come_in(quiet):
    configured(quiet, 'passwords = "staff"')
    for name, password in (("Anna", "correct horse"), ("Bert", "x")):
        subprocess.run(
            [*A2LEDGER, "-C", quiet, "serve", "--set-password", name],
            input=f"{password}\n", text=True, check=True, capture_output=True,
        )  # fmt: skip
    assert (quiet / "staff").stat().st_mode & 0o777 == 0o600
    assert "correct horse" not in (quiet / "staff").read_text()
    with serving_here(quiet) as host:
        refused = get(host, HOME)
        assert refused.status == 401
        assert refused["www-authenticate"].startswith("Basic ")
        for wrong in (basic("Anna", "x"), basic("Nobody", "x"), "Basic ???", "Bearer x"):
            assert get(host, f"{PAGES}Customers/table", Authorization=wrong).status == 401
        anna = {"Authorization": basic("Anna", "correct horse")}
        assert get(host, f"{PAGES}Customers/table", **anna).status == 200
        assert write(host, PAYMENT, **anna)["code"] == 0
        bert = {"Authorization": basic("Bert", "x")}
        token = get(host, f"{PAGES}A2Ledger/home", **anna).json["token"]
        assert write(host, PAYMENT, token, **bert).status == 403
        for _ in range(12):
            get(host, HOME, Authorization=basic("Bert", "guess"))
        assert get(host, HOME, Authorization=basic("Bert", "x")).status == 302  # known already
    log = subprocess.run(
        ["git", "-C", quiet, "log", "-1", "--format=%an"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert log.stdout == "Anna\n"


def test_a_proxy_says_who_it_is(quiet):
    configured(quiet, 'user_header = "X-Remote-User"\nnames = ["staff.example"]')
    with serving_here(quiet) as host:
        assert get(host, HOME).status == 401
        named = {"X_Remote_User": "Carla <c@x>", "Host": "staff.example"}
        assert get(host, HOME, **named).status == 302
        assert write(host, PAYMENT, **named)["code"] == 0
    log = subprocess.run(
        ["git", "-C", quiet, "log", "-1", "--format=%an"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert log.stdout == "Carla c@x\n"


def test_a_header_is_believed_of_the_proxy_alone(quiet):
    configured(quiet, 'user_header = "X-Remote-User"\nproxies = ["192.0.2.1"]')
    with serving_here(quiet) as host:
        assert get(host, HOME, X_Remote_User="Mallory").status == 401


@cases(
    ("words", "toml", "message"),
    [
        (["--host", "0.0.0.0"], "", "lets anybody in"),  # noqa: S104 - it must not
        ([], 'host = "192.0.2.1"', "lets anybody in"),
        ([], 'passwords = "not-there"', "the passwords cannot be read"),
        (["--host", "192.0.2.1"], 'user_header = "X-User"', "is none of this machine's"),
    ],
    2,
)
def test_it_does_not_open_to_everybody(quiet, words, toml, message):
    configured(quiet, toml)
    done = subprocess.run(
        [*A2LEDGER, "-C", quiet, "serve", "-p", "0", *words],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.startswith("a2ledger: ")
    assert done.stderr.count("\n") == 1


def test_a_password_can_be_changed_and_guessing_takes_its_time(tmp_path):
    path, now = tmp_path / "staff", [0.0]
    set_password(path, "Anna", "first")
    set_password(path, "Bert", "other")
    set_password(path, "Anna", "second")
    assert path.stat().st_mode & 0o777 == 0o600
    known = Passwords(path, lambda: now[0])
    assert not known.is_right("Anna", "first", "a")
    assert known.is_right("Anna", "second", "a")
    for _ in range(10):
        assert not known.is_right("Bert", "guess", "a")
    assert not known.is_right("Bert", "other", "a")
    assert known.is_right("Bert", "other", "b")
    assert known.is_right("Anna", "second", "a")
    set_password(path, "Anna", "third")
    assert not known.is_right("Anna", "second", "a")
    assert known.is_right("Anna", "third", "a")
    now[0] = 61.0
    assert known.is_right("Bert", "other", "a")


@pytest.mark.parametrize(("name", "password"), [("a:b", "x"), ("", "x"), (" a", "x"), ("a", "")])
def test_names_and_passwords_that_will_not_do(tmp_path, name, password):
    with pytest.raises(RefusedError):
        set_password(tmp_path / "staff", name, password)


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ("Anna:scrypt:1:1:1$a$b\n", 0o644, "chmod 600"),
        ("Anna\n", 0o600, "staff:1: is not NAME:HASH"),
        ("Anna:secret\n", 0o600, "staff:1: is not NAME:HASH"),
    ],
)
def test_passwords_that_are_not_kept_well_are_refused(tmp_path, text, mode, message):
    (tmp_path / "staff").write_text(text)
    (tmp_path / "staff").chmod(mode)
    with pytest.raises(RefusedError, match=message):
        Passwords(tmp_path / "staff")


def test_no_program_that_a_journal_names_is_run(quiet):
    (quiet / "journals/evil.py").write_text(
        "from pathlib import Path\nPath(__file__).with_name('ran').touch()\n"
        "from fava.ext import FavaExtensionBase\nclass Evil(FavaExtensionBase):\n"
        "    report_title = 'Evil'\n"
    )
    with (quiet / "journals/manual.beancount").open("a") as manual:
        manual.write('2026-01-01 custom "fava-extension" "evil"\n')
        manual.write('2026-01-01 custom "fava-option" "import-config" "evil.py"\n')
    done = subprocess.run(
        [*A2LEDGER, "-C", quiet, "serve", "-p", "0"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("names a program that Fava would run") == 2
    assert not (quiet / "journals/ran").exists()


def test_what_is_loaded_stays_while_the_book_cannot_be(quiet):
    with serving_here(quiet) as host:
        with (quiet / "journals/manual.beancount").open("a") as manual:
            manual.write('plugin "evil"\n')
        time.sleep(1.5)
        assert figures(host)["C10001"][3] == "23.05"
        assert get(host, "/customer-C10001/journal/").status == 200
        (quiet / "journals/customers/C10002.beancount").write_text('plugin "evil"\n')
        refused = get(host, "/customer-C10002/journal/")
        assert refused.status == 503
        assert "C10002.beancount:1: 'plugin'" in refused.text


def test_plain_fava_has_the_pages_and_no_forms(quiet):
    app = create_app([quiet / "journals/staff.beancount"])
    client = app.test_client()
    listed = client.get(f"{PLAIN}api/ledger_data").json["data"]["extensions"]
    assert {one["report_title"] for one in listed if one["report_title"]} == {
        "Home", "Customers", "Invoices", "Payments", "Calls", "On the phone", "Tariffs",
        "Price changes", "Close", "Ageing", "Revenue", "Imports",
    }  # fmt: skip
    assert client.get(f"{PLAIN}api/errors").json["data"] == []
    for path in ("Customers/", "Customers/?customer=C10001", "Close/", "Ageing/", "Revenue/",
                 "Imports/", "Customers/?document=INV-2026-000002&line=1"):  # fmt: skip
        answer = client.get(f"{PLAIN}extension/{path}")
        assert answer.status_code == 200
        assert 'a2l-problem">' not in answer.text
        assert "a2l-actions" not in answer.text
    assert client.post(f"{PLAIN}extension/A2Ledger/write", json=PAYMENT).status_code == 403


def test_main_asks_no_extension_of_a_fava_without_a2ledger(quiet):
    client = create_app([quiet / "journals/main.beancount"]).test_client()
    assert client.get(f"{HOME}api/ledger_data").json["data"]["extensions"] == []
    assert client.get(f"{HOME}api/errors").json["data"] == []


def test_journals_without_a_book_show_the_customers(quiet, tmp_path):
    shutil.copytree(quiet / "journals", tmp_path / "alone/journals")
    client = create_app([tmp_path / "alone/journals/staff.beancount"]).test_client()
    rows = client.get(f"{PLAIN}extension/Customers/table").text.splitlines()
    assert [row.partition(",")[0] for row in rows][1:3] == ["C10004", "C10001"]
    for path in ("Customers/?customer=C10001", "Close/", "Ageing/", "Imports/"):
        assert "There is no a2ledger.toml" in client.get(f"{PLAIN}extension/{path}").text
    assert client.get(f"{PLAIN}extension/Revenue/").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "Customers/?customer=C1",
        "Customers/?customer=../../etc/passwd",
        "Customers/?account=C1",
        "Customers/?customer=C10001&day=yesterday",
        "Customers/?document=INV-2026-999999",
        "Customers/?document=../../a2ledger",
        "Customers/?document=INV-2026-000002&line=99",
        "Customers/?document=INV-2026-000002&line=x",
        "Customers/?document=%3Cscript%3E&line=1",
    ],
)
def test_what_is_not_there_is_said(host, path):
    answer = get(host, f"{PAGES}{path}")
    assert answer.status == 200
    assert 'class="a2l-problem"' in answer.text
    assert "<script>" not in answer.text.partition('class="a2l"')[2].partition("</div>")[0]


@pytest.mark.parametrize("path", ["/customer-../x/", "/customer-C1/journal/", "/C10001/"])
def test_only_customers_have_a_ledger_of_their_own(host, path):
    assert get(host, path).status == 404


def test_missing_detail_is_said_and_the_rest_is_shown(quiet):
    shutil.rmtree(quiet / "calls/2026-03")
    with serving_here(quiet) as host:
        answer = get(host, f"{PAGES}Customers/?customer=C10001").text
        assert "2026-03" in re.search(r'class="a2l-problem">([^<]*)', answer)[1]
        statement = get(host, f"{PAGES}Customers/?customer=C10001&tab=statement").text
        assert "Balance brought forward" in statement
        assert "cannot be read" in due(host)["error"]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"action": "limit", "customer": "C1", "amount": "5"},
         ["customer", "set", "--yes", "--", "C1", "credit_limit=5"]),
        ({"action": "close"}, ["close", "--json", "--"]),
        ({"action": "close", "customers": ["C1"], "without": ["pbx1"], "through": "2026-01-31"},
         ["close", "--json", "--through=2026-01-31", "--without=pbx1", "--", "C1"]),
        ({"action": "retry", "identities": ["--accept"], "accept": False},
         ["quarantine", "retry", "--json", "--", "--accept"]),
        ({"action": "retry", "reason": "no-rate", "accept": True},
         ["quarantine", "retry", "--json", "--reason", "no-rate", "--accept", "--"]),
    ],
)  # fmt: skip
def test_a_form_becomes_the_words_of_a_command(form, words):
    assert command(form) == words


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"action": "sh"},
        {"action": "limit", "customer": "--help", "amount": "5"},
        {"action": "limit", "customer": "C1", "amount": "-5"},
        {"action": "limit", "customer": "C1", "amount": "5", "date": "--today"},
        {"action": "close", "customers": ["--final"]},
        {"action": "close", "customers": "C1"},
        {"action": "retry", "identities": [1]},
        {"action": "retry", "identities": ["a\0b"]},
        {"action": "retry", "reason": "--accept"},
        {**PAYMENT, "id": "p1"},
        {**PAYMENT, "id": "web-0"},
        {**PAYMENT, "amount": "0"},
        {**PAYMENT, "amount": "-1"},
        {**PAYMENT, "amount": "1e5"},
        {**PAYMENT, "amount": 5},
        {**PAYMENT, "date": "tomorrow"},
        {**PAYMENT, "customer": "x y"},
    ],
)
def test_a_form_that_cannot_be_is_refused(form):
    with pytest.raises(BadFormError):
        command(form)


def test_a_text_stays_one_word_of_the_command():
    words = command({**PAYMENT, "description": 'a "b",\n--dry-run'})
    assert words == [
        *("payment", "--json", "--id=web-0123456789abcdef", "--date=2026-04-01"),
        *('--description=a "b", --dry-run', "--", "C10002", "2.00"),
    ]


def test_margins_are_of_calls_whose_cost_is_known(book):
    book.customers({"id": "C1", "vat": "none"})
    (book.root / "tariffs/standard.csv").write_text(
        "dialprefix,destination,rateinitial,buyrate,carrier\n"
        "30,Greece,0.60,0.30,acme\n"
        "1,USA,0.50,0,\n"
    )
    calls = "id,customer,start,called,seconds\n" + "".join(
        f"{number},C1,2026-01-05 10:00:00,{called},60\n"
        for number, called in enumerate(["302101", "302102", "12125"])
    )
    book.today = "2026-01-06"
    book.run("import", "calls", book.file("calls.csv", calls))
    greece, usa = revenue.destinations(Book(book.root), "2026-01")
    assert (greece["destination"], greece["calls"], greece["minutes"]) == ("Greece", 2, "2.0")
    assert (greece["revenue"], greece["cost"]) == ("1.20", "0.60")
    assert (greece["margin"], greece["percent"]) == ("0.60", "50.0")
    assert (usa["revenue"], usa["cost"], usa["margin"], usa["percent"]) == ("0.50", "", "", "")


def test_documents_are_shown_as_their_customer_gets_them(host):
    page = get(host, f"{PAGES}Customers/rendered?name=INV-2026-000002")
    assert page["content-type"] == "text/html; charset=utf-8"
    assert "20.04" in page.text
    assert "BILL SO FAR" in get(host, f"{PAGES}Customers/rendered?name=C10001&format=text").text
    for wrong in ("name=INV-2026-000002&format=exe", "name=../a2ledger", ""):
        assert get(host, f"{PAGES}Customers/rendered?{wrong}").status == 404


def test_a_document_is_made_into_pdf(host):
    pytest.importorskip("weasyprint")
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request("GET", f"{PAGES}Customers/rendered?name=INV-2026-000002&format=pdf")
    response = connection.getresponse()
    assert response.headers["content-type"] == "application/pdf"
    assert response.read().startswith(b"%PDF-")


def test_customers_over_their_limit_come_first_and_what_is_left_is_judged(book):
    book.customers(
        {"id": "C1", "credit_limit": "100", "vat": "none"},
        {"id": "C2", "credit_limit": "10", "vat": "none"},
        {"id": "C3", "credit_limit": "0", "vat": "none"},
        {"id": "C4", "credit_limit": "10", "vat": "none"},
    )
    book.today = "2026-01-06"
    charges = (
        "id,customer,date,amount,service\na,C2,2026-01-02,11,Calls\nb,C4,2026-01-02,9.5,Calls\n"
    )
    book.run("import", "charges", book.file("charges.csv", charges))
    deck = Cards().of(Book(book.root), dt.date(2026, 1, 6))
    rows = customer_list.chosen([card.row for card in deck.cards.values()], customer_list.Order())
    assert [(row.standing.customer, row.status) for row in rows] == [
        ("C2", "over limit"), ("C4", "low"), ("C1", "ok"), ("C3", "low"),
    ]  # fmt: skip
    own = figures_of.standing(
        Book(book.root), subledgers.customer(Book(book.root), "C2"), dt.date.max
    )
    assert (own["owed"], own["available"], own["over_limit"]) == ("11.00", "-1.00", True)
    book.run("close", "C3", "--final")
    deck = Cards().of(Book(book.root), dt.date(2026, 1, 6))
    assert deck.cards["C3"].row.status == "settled"
