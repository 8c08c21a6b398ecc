from __future__ import annotations

import copy
import dataclasses
import html.parser
import itertools
import re
import shutil
import subprocess
import unicodedata
from collections import Counter
from decimal import Decimal

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a2ledger.documents import columns, render
from a2ledger.documents.document import Document, Line, Statement, StatementLine, VatLine, as_json

SUPPLIER = {
    "name": "Northwind Telecom SRL",
    "address": "Rue de la Loi 155, 1040 Brussels",
    "country": "BE",
    "vat_id": "BE0417497106",
    "email": "billing@northwind.example",
    "phone": "+32 2 555 01 00",
    "website": "northwind.example",
    "iban": "BE68539007547034",
    "bic": "BBRUBEBB",
}
CUSTOMER = {
    "id": "C10001",
    "name": "Brasserie Le Grand Café",
    "address": "Place Saint-Géry 14\n1000 Brussels",
    "country": "BE",
    "vat_id": "BE0202239951",
}


def used(description):
    """What a line says of calls, as the book's own lines say it."""
    match = re.fullmatch(r"(.*?), ([0-9]+) calls?, (.+?)(?:, of (.*), posted late)?", description)
    if match is None:
        return {}
    hours, minutes, seconds = map(int, match[3].split(":"))
    whole = 3600 * hours + 60 * minutes + seconds
    return {
        "service": match[1], "calls": int(match[2]), "seconds": whole, "late_from": match[4] or "",
    }  # fmt: skip


def statement(opening: str, *movements: tuple[str, str, str]) -> Statement:
    balance, lines = Decimal(opening), []
    for date, description, amount in movements:
        balance += Decimal(amount)
        lines.append(
            StatementLine(
                date=date,
                description=description,
                amount=amount,
                balance=str(balance),
                **used(description),
            )
        )
    return Statement(opening=opening, lines=tuple(lines), closing=str(balance))


USAGE = (
    ("2026-01-05", "Calls, 12 calls, 0:31:07", "40.00"),
    ("2026-01-06", "Calls, 3 calls, 0:02:11", "10.00"),
    ("2026-01-06", "Numbers, 40 calls, 1:02:03", "5.00"),
    ("2026-01-20", "Payment received", "-184.22"),
    ("2026-01-30", "Calls, 1 call, 0:01:00, of 2025-12-30, posted late", "0.50"),
    ("2026-01-31", "Subscriptions, SIP trunk, 10 channels", "1240.00"),
    ("2026-01-31", "Calls, 3 months of directory entries", "10.00"),
    ("2026-01-31", "VAT 21 % on 1300.50", "273.11"),
    ("2026-01-31", "VAT 6 % on 5.00", "0.30"),
)


def line(number: int, kind: str, service: str, net: str, **fields: object) -> Line:
    usual = {
        "destination": "",
        "description": "",
        "from_": "2026-01-01",
        "to": "2026-01-31",
        "calls": 0,
        "seconds": 0,
        "vat_code": "S21",
    }
    return Line(line=number, kind=kind, service=service, net=net, **(usual | fields))


INVOICE = Document(
    kind="invoice",
    number="INV-2026-000123",
    supplier=SUPPLIER,
    customer=CUSTOMER,
    currency="EUR",
    issue_date="2026-02-01",
    due_date="2026-02-15",
    period={"start": "2026-01-01", "end": "2026-02-01"},
    statement=statement("184.22", *USAGE),
    lines=(
        line(
            1,
            "usage",
            "Calls",
            "50.00",
            destination="Belgium",
            calls=15,
            seconds=3798,
            description="15 calls, 1:03:18",
        ),
        line(2, "usage", "Numbers", "5.00", destination="France", vat_code="S6"),
        line(3, "late", "Calls", "0.50", destination="Peru", calls=1, late_from="2025-12-30"),
        line(4, "fee", "Subscriptions", "1240.00", description="SIP trunk, 10 channels"),
        line(5, "charge", "Calls", "10.00", description="3 months of directory entries"),
    ),
    vat=(
        VatLine(code="S21", category="S", rate="21", net="1300.50", vat="273.11", reason=""),
        VatLine(code="S6", category="S", rate="6", net="5.00", vat="0.30", reason="Messages"),
    ),
    net="1305.50",
    vat_total="273.41",
    gross="1578.91",
    to_pay="1578.91",
    credit="0.00",
    notes=("Calls are billed by the second.",),
)
CREDIT_NOTE = dataclasses.replace(
    INVOICE,
    kind="credit-note",
    number="CN-2026-000004",
    original={"number": "INV-2026-000123", "date": "2026-02-01"},
    period={"start": "2026-02-10", "end": "2026-02-11"},
    statement=statement("376.70", ("2026-02-10", "Credit note CN-2026-000004", "-24.20")),
    lines=(line(1, "correction", "Calls", "20.00", description="Charged twice"),),
    vat=(VatLine(code="S21", category="S", rate="21", net="20.00", vat="4.20", reason=""),),
    net="20.00",
    vat_total="4.20",
    gross="24.20",
    to_pay="352.50",
)


def changed(document: Document = INVOICE, **changes: object) -> dict[str, object]:
    return as_json(dataclasses.replace(document, **changes))


def with_opening(opening: str) -> dict[str, object]:
    account = statement(opening, *USAGE)
    closing = Decimal(account.closing)
    to_pay, credit = max(closing, Decimal("0.00")), max(-closing, Decimal("0.00"))
    return changed(statement=account, to_pay=str(to_pay), credit=str(credit))


class Page(html.parser.HTMLParser):
    """What a browser would find: elements, and the text in them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.comments: list[str] = []
        self.pieces: list[str] = []
        self.within = ""
        self.feed(source)
        self.close()
        self.text = re.sub(r"\s+", " ", "".join(self.pieces))

    def handle_starttag(self, tag, attrs):
        self.within = tag
        self.elements[tag] += 1
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        if self.within != "style":
            self.pieces.append(data)

    def handle_comment(self, data):
        self.comments.append(data)


def words(document) -> tuple[str, str]:
    """The words of the page, and of the text with its columns run together."""
    return Page(render.html(document)).text, " ".join(render.text(document).split())


def cards(document) -> list[Decimal]:
    summary = re.search(r'<dl class="cards">.*?</dl>', render.html(document), re.DOTALL)
    amounts = re.findall(r'<bdi class="money" dir="ltr">(.*?)</bdi>', summary[0])
    return [Decimal(re.sub("<.*?>", "", amount)) for amount in amounts]


@pytest.mark.parametrize(
    "expected",
    [
        *("Northwind Telecom SRL", "Rue de la Loi 155, 1040 Brussels", "BE0417497106"),
        *("billing@northwind.example", "+32 2 555 01 00", "northwind.example"),
        *("Brasserie Le Grand Café", "1000 Brussels", "BE0202239951", "C10001"),
        *("INV-2026-000123", "1 February 2026", "15 February 2026"),
        "1 January 2026 to 31 January 2026",
        *("Balance brought forward", "Charges incl. VAT", "Payments & refills", "Amount due"),
        *(
            "2026-01-05",
            "Calls, 12 calls, 0:31:07",
            "Numbers, 40 calls, 1:02:03",
            "Closing balance",
        ),
        *("Belgium", "1:03:18", "late: from", "SIP trunk, 10 channels", "fee"),
        *("S21", "21 %", "1300.50", "273.11", "S6", "Messages"),
        *("1305.50", "273.41", "Total of this invoice", "EUR 1578.91"),
        "Please pay EUR 1578.91 by 15 February 2026.",
        *("BE68 5390 0754 7034", "BBRUBEBB", "Calls are billed by the second."),
        "The balance brought forward and payments are no part of it.",
    ],
)
def test_an_invoice_holds_all_it_should(expected):
    page, text = words(as_json(INVOICE))
    assert expected in page
    assert expected in text


def test_a_line_of_calls_counts_them_once():
    for shown in words(as_json(INVOICE)):
        assert shown.count("1:03:18") == 1


def test_a_late_line_bears_its_own_date():
    page, text = words(as_json(INVOICE))
    assert "Peru late: from 30 December 2025" in page
    assert "Peru; late: from 2025-12-30" in text


@pytest.mark.parametrize(
    ("opening", "expected"),
    [
        ("184.22", ["184.22", "1578.91", "-184.22", "1578.91"]),
        ("-2000.00", ["-2000.00", "1578.91", "-184.22", "-605.31"]),
        ("-1394.69", ["-1394.69", "1578.91", "-184.22", "0.00"]),
        ("0.00", ["0.00", "1578.91", "-184.22", "1394.69"]),
    ],
)
def test_the_cards_add_up(opening, expected):
    shown = cards(with_opening(opening))
    assert [str(amount) for amount in shown] == expected
    assert sum(shown[:3]) == shown[3]


def test_the_cards_of_a_credit_note_add_up():
    assert [str(card) for card in cards(as_json(CREDIT_NOTE))] == [
        *("376.70", "-24.20", "0.00", "352.50")
    ]


def test_an_account_in_credit_asks_for_nothing():
    for shown in words(with_opening("-2000.00")):
        assert "Nothing to pay: your account is in credit by EUR 605.31." in shown
        assert "In credit" in shown
        assert "Please pay" not in shown
        assert "IBAN" not in shown


def test_an_even_account_asks_for_nothing():
    for shown in words(with_opening("-1394.69")):
        assert "Nothing to pay: your account is even." in shown


def test_a_preview_says_that_it_is_no_tax_invoice():
    for shown in words(changed(kind="preview", number=None)):
        assert "not a tax invoice" in shown
        assert "Preview: bill so far".casefold() in shown.casefold()
        assert "EUR 1578.91 would be due." in shown
        assert "Please pay" not in shown
        assert "None" not in shown


def test_a_preview_equals_its_invoice_but_for_what_frames_it():
    """From the statement to the totals a preview shows what the close will."""

    def middle(document) -> str:
        shown = render.text(document)
        return shown[shown.index("ACCOUNT STATEMENT (") : shown.index("Total of this")]

    preview = middle(changed(kind="preview", number=None))
    assert preview.replace("WHAT WOULD BE INVOICED", "INVOICE INV-2026-000123") == middle(
        as_json(INVOICE)
    )


def test_a_credit_note_names_what_it_corrects():
    for shown in words(as_json(CREDIT_NOTE)):
        assert "INV-2026-000123 of 1 February 2026" in shown
        assert "Charged twice" in shown
        assert "Total of this credit note" in shown
        assert "Duration" not in shown  # nothing in it was a call


def test_an_unnumbered_statement_shows_its_movements():
    document = changed(kind="statement", number=None, lines=(), vat=(), gross="0.00")
    for shown in words(document):
        assert "Numbers, 40 calls, 1:02:03" in shown
        assert "Total of this" not in shown
    assert sum(cards(document)[:3]) == cards(document)[3]


def test_missing_names_of_a_party_are_empty():
    document = changed(supplier={"name": "N"}, customer={"id": "C1", "email": None})
    for shown in words(document):
        assert "C1" in shown
        assert "None" not in shown
        assert "IBAN" not in shown


def test_usage_is_drawn_without_vat_fees_charges_payments_or_late_calls():
    page = render.html(as_json(INVOICE))
    titles = re.findall(r"<rect.*?<title>(.*?)</title>", page)
    assert titles == ["5 January 2026: EUR 40.00", "6 January 2026: EUR 15.00"]
    assert "Days with usage: 2 of 31." in Page(page).text


@pytest.mark.parametrize(
    "changes",
    [
        {"statement": statement("0.00", *USAGE[:1])},
        {"statement": statement("0.00")},
        {"period": {"start": "2020-01-01", "end": "2026-02-01"}},
    ],
)
def test_usage_that_the_statement_does_not_tell_is_not_drawn(changes):
    assert "<svg" not in render.html(changed(**changes))
    assert "USAGE" not in render.text(changed(**changes))


def test_a_bare_statement_asks_for_no_money():
    bare = as_json(statement("12.00", *USAGE))
    about = {"currency": "EUR", "customer": CUSTOMER, "period": INVOICE.period}
    for shown in (
        Page(render.statement_html(bare, **about)).text,
        " ".join(render.statement_text(bare, **about).split()),
    ):
        assert "1 January 2026 to 31 January 2026" in shown
        assert "Balance owed" in shown
        assert "Numbers, 40 calls, 1:02:03" in shown
        assert "to pay" not in shown.lower()


def test_a_bare_statement_needs_nothing_else():
    bare = as_json(statement("0.00"))
    assert "Balance brought forward" in render.statement_text(bare)
    assert "Balance brought forward" in render.statement_html(bare)


@pytest.mark.parametrize("document", [INVOICE, CREDIT_NOTE], ids=lambda one: one.kind)
def test_text_is_no_wider_than_a_terminal(document):
    wide = "Saint-Géry & fils, société privée à responsabilité limitée, établie à Bruxelles"
    customer = CUSTOMER | {"name": wide, "address": wide}
    shown = render.text(changed(document, customer=customer, notes=(wide * 3,)))
    assert max(map(len, shown.splitlines())) <= columns.WIDTH
    assert not re.search(r" $", shown, re.MULTILINE)
    assert "\n\n\n" not in shown


def test_wide_characters_take_two_columns():
    account = statement(
        "0.00", ("2026-01-02", "電話", "1.00"), ("2026-01-03", "cafe\u0301", "1.00")
    )
    shown = render.statement_text(as_json(account))
    ends = {
        sum(
            0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) == "W")
            for one in row
        )
        for row in shown.splitlines()
        if row.startswith("2026")
    }
    assert len(ends) == 1


def test_the_same_document_gives_the_same_bytes():
    first = render.html(as_json(INVOICE)), render.text(as_json(INVOICE))
    render._environment.cache_clear()  # noqa: SLF001
    assert (render.html(as_json(INVOICE)), render.text(as_json(INVOICE))) == first


def test_a_document_is_not_changed():
    document = as_json(INVOICE)
    before = copy.deepcopy(document)
    render.html(document)
    render.text(document)
    assert document == before


def test_a_page_needs_nothing_from_elsewhere():
    page = render.html(as_json(INVOICE))
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert not re.search(r"https?:|url\(|@import|<script|<link|<img src=\"(?!data:)", page)
    assert '"Segoe UI"' in page  # the style sheet's quotes are its own


def test_amounts_can_be_copied_as_numbers():
    page = render.html(as_json(INVOICE))
    assert "<span>1</span><span>578.91</span>" in page
    assert "1578.91" in Page(page).text


def test_a_page_is_one_a_screen_reader_can_tell():
    page = render.html(as_json(INVOICE))
    found = Page(page).elements
    assert found["h1"] == found["main"] == 1
    assert found["table"] == found["caption"] == 3
    assert not re.search(r"<th(?! scope=)[ >]", page)
    assert '<html lang="en" dir="ltr">' in page


def test_a_thousand_movements_are_all_there():
    moves = [("2026-01-15", f"Calls, {number} calls", "1.00") for number in range(1000)]
    document = changed(statement=statement("0.00", *moves))
    assert render.html(document).count("Calls, ") == 1000
    assert render.text(document).count("Calls, ") == 1000


# The operator's own templates


def test_an_operators_template_comes_first(tmp_path):
    (tmp_path / "document.txt.j2").write_text("{{ number }} {{ supplier.bic }}")
    (tmp_path / "document.css").write_text('a { content: "<&>"; } @media x {#y { color: red } }')
    assert render.text(as_json(INVOICE), tmp_path) == "INV-2026-000123 BBRUBEBB"
    page = render.html(as_json(INVOICE), tmp_path)
    assert '<style>\na { content: "<&>"; } @media x {#y { color: red } }' in page
    assert "Amount due" in page


def test_an_operators_template_escapes_html_and_not_text(tmp_path):
    for name in ("document.html.j2", "document.txt.j2"):
        (tmp_path / name).write_text("{{ customer.name }}")
    document = changed(customer={"name": "A & <B>"})
    assert render.html(document, tmp_path) == "A &amp; &lt;B&gt;"
    assert render.text(document, tmp_path) == "A & <B>"


@pytest.mark.parametrize(
    ("template", "error"),
    [
        ("{{ nothing_such }}", jinja2.UndefinedError),
        ("{{ ''.__class__.__mro__ }}", jinja2.exceptions.SecurityError),
        ("{{ notes.append(1) }}", jinja2.exceptions.SecurityError),
        ("{% include '../pyproject.toml' %}", jinja2.TemplateNotFound),
        ("{% if %}", jinja2.TemplateSyntaxError),
        ("{{ 1 / 0 }}", ZeroDivisionError),
    ],
)
def test_a_template_can_only_format(tmp_path, template, error):
    (tmp_path / "document.txt.j2").write_text(f"a bill\n{template}")
    with pytest.raises(render.RenderError, match=r"/document\.txt\.j2:2: .*; correct ") as raised:
        render.text(as_json(INVOICE), tmp_path)
    assert isinstance(raised.value.__cause__, error)


# Text from outside

HOSTILE = st.lists(
    st.sampled_from(
        [
            *(
                "<script>alert(1)</script>",
                "</style>",
                "</title>",
                "<!--",
                "-->",
                "]]>",
                "</table>",
            ),
            *("{{7*7}}", "{% raw %}", "{#", '"', "'", "&", "&lt;", "<b", " onload=x", "\\", "*/"),
            *("\n", "\r\n", "\t", "\x00", "\x1b[31m", "\x85", "\u2028", "\u202e", "\u2066"),
            *("\ufeff", "\ud800", "W" * 100, "العربية", "漢字", "e\u0301", "---"),
        ]
    )
    | st.text(max_size=5),
    min_size=1,
    max_size=6,
).map("".join)

FREE = {"name", "address", "country", "vat_id", "email", "phone", "website", "iban", "bic", "id"}
FREE |= {"number", "service", "destination", "description", "code", "category", "reason"}
FREE |= {"vat_code", "late_from", "due_date", "issue_date"}


def spoiled(value, texts):
    """A document's values with the next text wherever text may stand."""
    if isinstance(value, dict):
        return {
            # The key keeps a movement from being taken for the use of a service.
            key: key + next(texts) if key in FREE and item else spoiled(item, texts)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [next(texts) if isinstance(item, str) else spoiled(item, texts) for item in value]
    return value


def harmless(texts):
    """Texts of letters and digits, the same where those were the same."""
    return ("x" + text.encode(errors="surrogatepass").hex() for text in texts)


TEXTS = st.lists(HOSTILE, min_size=10, max_size=10)


@settings(deadline=None)
@given(TEXTS)
def test_no_text_makes_an_element(texts):
    page = Page(render.html(spoiled(as_json(INVOICE), itertools.cycle(texts))))
    honest = Page(render.html(spoiled(as_json(INVOICE), itertools.cycle(harmless(texts)))))
    assert page.elements == honest.elements
    assert page.attributes == honest.attributes
    assert not page.comments


def test_no_text_is_a_template():
    document = changed(notes=("{{ 7 * 7 }}",), customer={"id": "{% raw %}"})
    for shown in words(document):
        assert "{{ 7 * 7 }}" in shown
        assert "{% raw %}" in shown


@settings(deadline=None)
@given(TEXTS)
def test_no_text_steers_a_terminal(texts):
    document = spoiled(as_json(INVOICE), itertools.cycle(texts))
    for shown in (render.text(document), render.html(document)):
        assert not [one for one in shown if unicodedata.category(one) == "Cc" and one != "\n"]
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)
        shown.encode()


def test_a_name_cannot_leave_the_style_sheet():
    """The sheet's foot bears names, so it is written in nothing but hex."""
    page = render.html(changed(supplier={"name": '";}</style><b>'}))
    foot = re.search(r'@bottom-left \{\s*content: "(.*?)";', page)[1]
    assert re.fullmatch(r"(\\[0-9a-f]{6})+", foot)


def test_an_amount_that_is_none_is_refused():
    with pytest.raises(render.RenderError, match="not an amount"):
        render.html(changed(gross="much"))


# On paper


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="pdfinfo is not installed")
def test_a_page_prints_on_a4(tmp_path):
    moves = [("2026-01-15", f"Calls, {number} calls", "1.00") for number in range(120)]
    (tmp_path / "page.html").write_text(render.html(changed(statement=statement("0.00", *moves))))
    options = "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-sync"
    options += " --disable-background-networking --disable-component-update"
    options += " --no-pdf-header-footer"
    places = [f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'page.pdf'}"]
    subprocess.run(
        ["chromium", *options.split(), *places, (tmp_path / "page.html").as_uri()],
        check=True,
        capture_output=True,
        timeout=120,
    )
    about = subprocess.run(
        ["pdfinfo", tmp_path / "page.pdf"], check=True, capture_output=True, text=True
    ).stdout
    assert re.search(r"Page size: .*\(A4\)", about)
    assert 3 <= int(re.search(r"Pages: +([0-9]+)", about)[1]) <= 5


# Usage is folded


@pytest.mark.parametrize(
    ("by", "shown"),
    [
        ("week", ["Calls, 15 calls, 0:33:18", "Numbers, 40 calls, 1:02:03"]),
        ("service", ["Calls, 15"]),
    ],
)
def test_usage_is_added_up_and_balances_go_on(by, shown):
    folded = changed(usage=by)
    for words_shown in words(folded):
        assert all(text in words_shown for text in shown)
        assert "Calls, 12 calls, 0:31:07" not in words_shown
        assert INVOICE.statement.closing in words_shown.replace(" ", "")


def test_a_book_s_logo_takes_the_place_of_the_name(tmp_path):
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    page = render.html(as_json(INVOICE), tmp_path)
    assert '<img class="logo" src="data:image/svg+xml;base64,' in page
    assert f'alt="{SUPPLIER["name"]}"' in page
