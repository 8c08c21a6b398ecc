"""Documents and letters are whole in every language, down to plurals, amounts and days."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import catalogues
import pytest
from checkout import DATA
from invoices import CUSTOMER, REVERSED, SUPPLIER, credit_note, document

from a2ledger import facts
from a2ledger.delivery import letters
from a2ledger.documents import language, render
from a2ledger.documents.document import Statement, StatementLine, as_json

OTHERS = [code for code in facts.LANGUAGES if code != "en"]
MOVED = Statement(
    opening="0.00",
    lines=(
        StatementLine(
            date="2026-01-05", description="Calls, 1 call, 0:01:00", amount="1234.50",
            balance="1234.50", service="Calls", calls=1, seconds=60,
        ),
        StatementLine(
            date="2026-01-06", description="Payment, Transfer", amount="-1113.50", balance="121.00"
        ),
    ),
    closing="121.00",
)  # fmt: skip


def shown(code: str, **given: object) -> tuple[str, str]:
    made = as_json(document(customer=CUSTOMER | {"language": code}, statement=MOVED, **given))
    return render.html(made), render.text(made)


@pytest.mark.parametrize("code", OTHERS)
def test_no_catalogue_misses_a_sentence_or_has_one_too_many(code):
    told = {message.id: message.string for message in catalogues.catalogue(code) if message.id}
    wanted = set(catalogues.sentences())

    assert wanted - told.keys() == set()
    assert told.keys() - wanted == set()
    for key, string in told.items():
        forms = list(string) if isinstance(string, tuple) else [string]
        assert all(forms), key
        source = key[-1] if isinstance(key, tuple) else key
        for form in forms:
            assert Counter(re.findall(r"%\(\w+\)s|%%|\{\w+\}", form)) == Counter(
                re.findall(r"%\(\w+\)s|%%|\{\w+\}", source)
            ), key


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "nl",
            ["EUR 121,00 uiterlijk op 15 februari 2026 te betalen.", "Betaling, Transfer"],
        ),
        (
            "fr",
            ["payer EUR 121,00 au plus tard le 15 février 2026.", "Paiement, Transfer"],
        ),
        ("de", ["Bitte zahlen Sie EUR 121,00 bis zum 15. Februar 2026.", "Zahlung, Transfer"]),
        ("es", ["Pague EUR 121,00 a más tardar el 15 de febrero de 2026", "Pago, Transfer"]),
        ("el", ["Παρακαλούμε πληρώστε EUR 121,00 έως 15 Φεβρουαρίου 2026.", "Πληρωμή, Transfer"]),
        ("en", ["Please pay EUR 121.00 by 15 February 2026.", "Payment, Transfer"]),
        ("pt", ["Please pay EUR 121.00 by 15 February 2026."]),
    ],
)
def test_a_bill_is_in_the_customer_s_language(code, words):
    page, text = shown(code)

    assert all(sentence in text for sentence in words)
    assert f'<html lang="{code if code != "pt" else "en"}" dir="ltr">' in page
    if code in OTHERS:
        assert "Please pay" not in page + text
        assert "1 call" not in text


@pytest.mark.parametrize("code", OTHERS)
def test_every_kind_of_document_is_rendered_in_every_language(code):
    spoken = CUSTOMER | {"language": code}
    kinds = (
        document(REVERSED, customer=spoken),
        credit_note(customer=spoken),
        document(kind="preview", customer=spoken),
        document(to_pay="0.00", credit="3.00", customer=spoken),
    )
    for made in kinds:
        assert render.html(as_json(made)).count("%(") == 0
        assert render.text(as_json(made)).count("%(") == 0


def test_the_first_of_a_month_is_as_the_french_write_it():
    french = language.language("fr")
    assert french.day("2026-01-01") == "1er janvier 2026"
    assert french.day("2026-01-11") == "11 janvier 2026"


@pytest.mark.parametrize(
    ("code", "country", "name"),
    [
        ("en", "BE", "Belgium"),
        ("nl", "el", "Griekenland"),
        ("el", "GR", "Ελλάδα"),
        ("de", "?", "?"),
    ],
)
def test_a_country_has_its_name_in_the_customer_s_language(code, country, name):
    assert language.language(code).country(country) == name


def test_an_address_stands_as_on_an_envelope():
    page, text = shown("de")
    lines = ["Veldstraat 5", "9000 Ghent", "Belgien"]
    assert "\n".join(lines) in page
    assert "\n".join(lines) in text


def test_a_company_s_language_is_that_of_customers_who_have_none():
    made = as_json(document())
    made["supplier"] = made["supplier"] | {"language": "nl"}
    assert "Te betalen" in render.text(made)


@pytest.fixture
def arabic(monkeypatch):
    """Arabic as a language of documents, with the words of a bill."""
    monkeypatch.setattr(language, "LANGUAGES", (*facts.LANGUAGES, "ar"))
    monkeypatch.setattr(language, "LOCALES", DATA / "locale")
    language.catalogue.cache_clear()
    render._environment.cache_clear()  # noqa: SLF001 - it holds a language's words
    yield "ar"
    language.catalogue.cache_clear()
    render._environment.cache_clear()  # noqa: SLF001


def test_what_is_written_from_the_right_is_laid_out_so_and_amounts_stay_whole(arabic):
    page, text = shown(arabic)

    assert '<html lang="ar" dir="rtl">' in page
    assert '<bdi class="money" dir="ltr">' in page
    assert "يرجى دفع EUR" in page
    assert "مكالمة واحدة" in text
    assert "15 فبراير 2026" in page
    style = page.split("</style>")[0]
    rules = re.findall(r"([^{}\n]+) \{([^{}]*)\}", style)
    sides = r"text-align: (left|right)|(padding|border)-(left|right)"
    bound = [selector.strip() for selector, rule in rules if re.search(sides, rule)]
    # Digits run from left to right in every script.
    assert bound == [".r", ".totals dd"]


@pytest.mark.parametrize(
    ("code", "words"),
    [("nl", "Factuur INV-1, vervallen op 15 januari 2026"), ("de", "Rechnung INV-1, fällig am")],
)
def test_a_reminder_names_its_bills_in_the_customer_s_language(tmp_path, code, words):
    row = {"number": "INV-1", "title": "Invoice INV-1", "due": "2026-01-15", "open": "60.00"}
    about = {
        "reference": "C1", "supplier": SUPPLIER, "customer": CUSTOMER, "step": 0, "text": "first",
        "currency": "EUR", "total": "60.00", "fee": "", "invoices": [row],
    }  # fmt: skip
    letter = letters.written("reminder", about, tmp_path, language.language(code))
    assert words in letter.text


@pytest.mark.parametrize(
    ("text", "dutch"),
    [
        ("Credit note CN-1 for INV-1, twice", "Creditnota CN-1 voor INV-1, twice"),
        ("Flat, 22 of 31 days of 9.90", "Flat, 22 van 31 dagen van 9,90"),
        ("Payment, wire, of 2026-01-05, posted late", "Betaling, wire, van 5 januari 2026, laat"),
    ],
)
def test_what_the_program_says_within_an_entry_is_in_the_customer_s_language(text, dutch):
    moved = replace(MOVED.lines[1], description=text)
    statement = replace(MOVED, lines=(MOVED.lines[0], moved))
    for code, words in (("nl", dutch), ("en", text)):
        made = as_json(document(customer=CUSTOMER | {"language": code}, statement=statement))
        assert words in render.html(made)


def test_a_language_there_is_none_of_is_refused(book):
    book.customers({"id": "C1"})
    done = book.run("customer", "set", "C1", "language=it", code=1)
    assert "language: 'it' is none of en, nl, fr, de, es, el" in done.stderr
    book.run("customer", "set", "C1", "language=de-AT")
    book.edit("a2ledger.toml", 'email = ""', 'email = ""\nlanguage = "xx"')
    assert "company.language: 'xx' is none of" in book.run("check", code=1).stderr
