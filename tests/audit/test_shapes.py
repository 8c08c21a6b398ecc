"""What hands may make of a journal: every kind of edit is taken whole, or refused by its line."""

from __future__ import annotations

import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from harness import Book, bean_check, slim
from shelf import draft

from a2ledger.audit import hand_edits
from a2ledger.book.book import BrokenBookError
from a2ledger.errors import ExpectedError

TODAY = "2026-02-11"
MARKER = "; ---- usage"
PERIOD = "journals/2026-02/C1.01.beancount"
OWN = "journals/customers/C1.beancount"
SUSPENSE = "journals/suspense/2026-02.beancount"
MANUAL = "journals/manual.beancount"
CHART = "journals/chart.beancount"
GIFT = "  Expenses:Goodwill  2.00 EUR\n  Assets:Receivable:C1:Billed  -2.00 EUR\n"
SALE = '  Income:One-off  -2.00 EUR\n  Assets:Receivable:C1:Unbilled  2.00 EUR\n    vat: "S21"\n'
BANK = "  Liabilities:Suspense:Unmatched  2.00 EUR\n  Assets:Bank  -2.00 EUR\n"


def entry(head: str = '* "Credit" "by hand"', legs: str = GIFT, day: str = "2026-02-05") -> str:
    """An entry of a person's."""
    return f"{day} {head}\n{legs}"


def legs(own: str, other: str = "") -> str:
    """Two postings, of which the second is the first one back, unless it is said."""
    back = other or "Expenses:Goodwill  " + (own[1:] if own.startswith("-") else f"-{own}")
    return f"  Assets:Receivable:C1:Billed  {own}\n  {back}\n"


def fact(key: str, value: str, day: str = "2026-02-05") -> str:
    return f'{day} custom "a2ledger-set" "{key}" {value}\n'


@pytest.fixture(scope="module")
def template(empty_book, tmp_path_factory) -> Book:
    """A book with a closed month and an open one, and money that is nobody's."""
    root = tmp_path_factory.mktemp("shapes") / "book"
    shutil.copytree(empty_book, root)
    book = Book(root, root.parent / "files", "2026-01-21")
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2"}, {"id": "C10"})
    book.talks("C1", "2026-01-20", 10)
    book.close(today="2026-02-01")
    book.today = TODAY
    book.talks("C1", "2026-02-03", 3)
    book.moves("payments", "C1", "2026-02-02", "7.00", id="p1")
    book.moves("charges", "C1", "2026-02-02", "4.00", id="c1")
    book.moves("payments", "", "2026-02-02", "3.00", id="p3")
    slim(root)
    return book


def put(root: Path, path: str, edit: str | bytes | tuple[str, str]) -> None:
    """Edit a file: above the marker of a period, at the end of others, or by a pattern."""
    file = root / path
    before = file.read_bytes() if file.exists() else b""
    if isinstance(edit, tuple):
        after = re.sub(edit[0].encode(), edit[1].encode(), before, count=1, flags=re.MULTILINE)
        assert after != before
    else:
        text = edit.encode() if isinstance(edit, str) else edit
        head, marker, rest = before.partition(MARKER.encode())
        own, last = (head, marker + rest) if path == PERIOD else (before, b"")
        after = own + b"\n" + text + (b"\n" if last else b"") + last
    file.write_bytes(after)


# ---- what is taken ----

TAKEN = {
    "an entry": (PERIOD, entry()),
    "an entry that is not sure": (PERIOD, entry('! "Credit" "perhaps"')),
    "the same entry twice": (PERIOD, entry() + "\n" + entry()),
    "an entry of one text": (PERIOD, entry('* "Credit"')),
    "an entry without texts": (PERIOD, entry("*")),
    "a link and a tag of one's own": (PERIOD, entry('* "a" "b" ^my-link #mine')),
    "metadata of one's own": (PERIOD, entry(legs='  ticket: "77"\n  note-of: 2026-02-01\n' + GIFT)),
    "a sale": (PERIOD, entry(legs=SALE)),
    "six decimals of what is not billed": (PERIOD, entry(legs=SALE.replace("2.00", "2.123456"))),
    "flags of postings": (PERIOD, entry(legs=GIFT.replace("  E", "  ! E"))),
    "tabs and comments": (
        PERIOD,
        '2026-02-05\t*\t"a"\t"b" ; why\n' + GIFT.replace("  ", "\t") + "; more\n",
    ),
    "lines that end as on Windows": (PERIOD, entry().replace("\n", "\r\n")),
    "nothing moved": (PERIOD, entry(legs=legs("0.00 EUR"))),
    "a day to come": (PERIOD, entry(day="2026-02-27")),
    "two currencies": (PERIOD, entry(
        legs=GIFT + "  Expenses:Goodwill  1.00 USD\n  Equity:Opening-Balances  -1.00 USD\n")),
    "a comment": (PERIOD, "; called them, and they paid\n"),
    "a very long comment": (PERIOD, f"; {'x' * 100_000}\n"),
    "a comment that looks like a seal": (PERIOD, '; 2026-02-01 custom "a2ledger-seal" "x"\n'),
    "a note": (PERIOD, '2026-02-05 note Assets:Receivable:C1:Billed "called"\n'),
    "an event": (PERIOD, '2026-02-05 event "location" "Brussels"\n'),
    "a custom directive of one's own": (PERIOD, '2026-02-05 custom "ours" "x" 5.00 EUR TRUE\n'),
    "a text of an imported entry": (PERIOD, ('"Payment" "[^"]*"', '"Payment" "from the shop"')),
    "the account of an imported entry": (PERIOD, ("  Assets:Bank ", "  Assets:Cash ")),
    "a discount on a closed day": (OWN, fact("discount_percent", "10", "2026-01-05")),
    "a fact from a day on": (OWN, fact("credit_limit", "500.00")),
    "a name": (OWN, fact("name", '"Ada Maes"')),
    "a fact of later": (OWN, fact("terms", '"30"', "2026-06-01")),
    "treatment of the next period": (OWN, fact("vat", '"included"', "2026-03-01")),
    "a note of a customer": (OWN, '2026-02-05 note Assets:Receivable:C1:Billed "called"\n'),
    "a last line without an end": (OWN, "; as some editors leave it"),
    "money of nobody's": (SUSPENSE, entry('* "found" "it"', BANK)),
    "a bank's fee": (MANUAL, entry(legs="  Expenses:Goodwill  2.00 EUR\n  Assets:Bank\n")),
    "a padded account": (
        MANUAL,
        """\
2026-02-05 pad Assets:Cash Equity:Opening-Balances
2026-02-06 balance Assets:Cash 100.00 EUR
""",
    ),
    "an account of one's own": (CHART, "2026-01-01 open Expenses:Rent EUR\n"),
}  # fmt: skip


def test_what_may_be_edited_is_taken_and_every_later_command_agrees(template, tmp_path):
    root = tmp_path / "book"
    shutil.copytree(template.root, root, symlinks=True)
    book = Book(root, tmp_path / "files", TODAY)
    for path, edit in TAKEN.values():
        put(root, path, edit)

    book.run("customer", "set", "C2", "terms=5")

    assert book.log()[1] == "manual edit"
    agree(book)
    book.moves("payments", "C1", "2026-02-10", "1.00", id="p9")
    book.talks("C1", "2026-02-10", 1)
    assert book.run("preview", "C1", "--json").json
    book.close(today="2026-03-01")
    book.today = "2026-03-01"
    agree(book)
    book.moves("payments", "C2", "2026-03-01", "1.00")
    agree(book)


def agree(book: Book) -> None:
    """Make sure that all who say what is owed say the same."""
    book.run("check")
    book.run("verify")
    for row in book.run("balances", "--json").json:
        closing = Decimal(book.statement(row["customer"])["closing"])
        assert abs(closing - Decimal(row["owed"])) < Decimal("0.005")
    for top in book.tops():
        assert not bean_check(book.root / top), top


# ---- what is refused ----

READ = "Beancount and a2ledger read other"
REFUSED = {
    # Directives that would move money beside the program, or decide how files are read.
    **{
        f"the flag {flag}": (PERIOD, entry(f'{flag} "a" "b"'), "may not stand|reads|Beancount|flag")
        for flag in ("txn", "P", "?", "#", "%", "&", "S", "!!")
    },
    **{
        f"the directive {text.split()[1]}": (PERIOD, f"{text}\n", "may not stand here")
        for text in (
            "2026-02-05 pad Assets:Receivable:C1:Billed Equity:Opening-Balances",
            "2026-02-05 balance Assets:Receivable:C1:Billed 5.00 EUR",
            '2026-02-05 document Assets:Receivable:C1:Billed "/etc/passwd"',
            "2026-02-05 open Assets:Mine EUR",
            "2026-02-05 close Assets:Receivable:C1:Billed",
            "2026-02-05 commodity XYZ",
            "2026-02-05 price USD 0.90 EUR",
            '2026-02-05 query "x" "SELECT account"',
        )
    },
    **{
        f"the word {text.split()[0]}": (PERIOD, f"{text}\n", "may not stand")
        for text in (
            'option "title" "x"', 'option "tolerance_multiplier" "1"', 'include "/etc/passwd"',
            'plugin "os"', "pushtag #x", "poptag #x", 'pushmeta a: "b"', "popmeta a:",
        )
    },
    "a plugin behind a note": (
        PERIOD, '2026-02-05 note Assets:Receivable:C1:Billed "x" plugin "os"\n', "may not stand"
    ),
    "a seal": (PERIOD, '2026-02-01 custom "a2ledger-seal" "INV-1" "00" 1 1.00 EUR\n', "only a2l"),
    "a sum carried": (PERIOD, '2026-02-01 custom "a2ledger-carried" "S21" 4.00 EUR\n', "only a2l"),
    "a sum carried behind a tab": (
        PERIOD, '2026-02-01 custom\t"a2ledger-carried" "S21" 4.00 EUR\n', "only a2ledger"
    ),
    "a sum carried in another date": (
        PERIOD, '2026/02/01 custom "a2ledger-carried" "S21" 4.00 EUR\n', "no entry as a2ledger"
    ),
    "a fact in a period": (PERIOD, fact("name", '"X"'), "only a2ledger writes this here"),
    "what Fava would run": (PERIOD, '2026-02-05 custom "fava-extension" "os"\n', "Fava"),
    "an option of Fava's": (PERIOD, '2026-02-05 custom "fava-option" "language" "fr"\n', "only a2"),
    "a note of no text": (PERIOD, "2026-02-05 note Assets:Receivable:C1:Billed\n", "syntax"),
    "a note of 1925": (PERIOD, '1925-02-05 note Assets:Receivable:C1:Billed "x"\n', "of a day"),
    # Lines that one of Beancount and the program does not see.
    "a date with slashes": (PERIOD, entry(day="2026/02/05"), "no entry as a2ledger reads it"),
    "a short date": (PERIOD, entry(day="2026-2-5"), "no entry as a2ledger reads it"),
    "an entry that is indented": (PERIOD, " " + entry(), "entries|entry|syntax"),
    "a heading of org-mode": (PERIOD, "* Heading\n", "no entry as a2ledger reads it"),
    "plain text": (PERIOD, "they called today\n", "no entry as a2ledger reads it"),
    "text that is indented": (PERIOD, "   they called\n", "no entry|Invalid|syntax"),
    "a tag on the next line": (PERIOD, entry(legs="  #mine\n" + GIFT), f"{READ} tags"),
    "a link on the next line": (PERIOD, entry(legs="  ^mine\n" + GIFT), f"{READ} links"),
    "metadata behind four blanks": (PERIOD, entry(legs='    a: "b"\n' + GIFT), "metadata|token"),
    "metadata without a value": (PERIOD, entry(legs="  a:\n" + GIFT), "metadata|token"),
    "a text of two lines": (PERIOD, entry('* "a" "b\n2026-02-06 pad x"'), "Invalid token"),
    "a zero byte": (PERIOD, b"\0\n", "."),
    "bytes that are no UTF-8": (PERIOD, b'2026-02-05 * "\xff" "b"\n' + GIFT.encode(), "UTF-8"),
    "a text that never ends": (PERIOD, entry('* "a" "b'), "."),
    "a byte order mark": (PERIOD, (r"\A", "\ufeff"), "."),
    # Texts, days, tags, links and metadata by which the program knows its own entries.
    **{
        f"the tag {tag}": (PERIOD, entry(f'* "a" "b" #{tag}'), f"#{tag} is what only a close")
        for tag in ("invoice", "rounding", "credit-note", "statement", "release", "tax-point")
    },
    "the link of a document": (PERIOD, entry('* "a" "b" ^INV-2026-000001'), "is a document"),
    "the link of a payment": (PERIOD, entry('* "a" "b" ^payment-payments-p77'), "the identity"),
    "the link of a fee": (PERIOD, entry('* "a" "b" ^fee-C1-line'), "is the identity"),
    "the link of a correction": (PERIOD, entry('* "a" "b" ^refund-corrections-1'), "the identity"),
    "an imported entry twice": (
        PERIOD, ('(2026-02-02 \\* "Payment"(?s:.*?)\n\n)', r"\1\1"), "stands there twice"
    ),
    "metadata of usage": (PERIOD, entry(legs="  calls: 3\n" + GIFT), "calls: is metadata that"),
    "metadata of a late call": (PERIOD, entry(legs='  late_from: "x"\n' + GIFT), "late_from: is"),
    "a day before the opening": (PERIOD, entry(day="2025-12-05"), "is not in the open period"),
    "a day that is closed": (PERIOD, entry(day="2026-01-31"), "is not in the open period"),
    "a day after all days": (PERIOD, entry(day="9999-12-31"), "is not in the open period"),
    "a day of no calendar": (PERIOD, entry(day="2026-02-30"), "."),
    # Amounts and accounts.
    "an amount that is missing": (PERIOD, entry(legs=GIFT.replace("-2.00 EUR", "")), "plain num"),
    "a currency that is missing": (PERIOD, entry(legs=GIFT.replace("-2.00 EUR", "-2.00")), "plain"),
    "a price": (PERIOD, entry(legs=legs("-1.00 EUR", "Expenses:Goodwill 2 USD @ 0.50 EUR")),
                "plain number"),
    "a price in all": (PERIOD, entry(legs=legs("-1.00 EUR", "Expenses:Goodwill 2 USD @@ 1 EUR")),
                       "plain number"),
    "a cost": (PERIOD, entry(legs=legs("-1.00 EUR", "Expenses:Goodwill 2 USD {0.50 EUR}")),
               "plain number"),
    "a sum to be worked out": (PERIOD, entry(legs=legs("-1.00 EUR", "Expenses:Goodwill 2-1 EUR")),
                               "amounts"),
    "a division by zero": (PERIOD, entry(legs=legs("-1.00 EUR", "Expenses:Goodwill 1/0 EUR")),
                           "division by zero"),
    "commas in an amount": (PERIOD, entry(legs=legs("-1,000.00 EUR")), "amounts"),
    "a plus sign": (PERIOD, entry(legs=legs("+1.00 EUR", "Expenses:Goodwill -1.00 EUR")), "amount"),
    "three decimals of what is billed": (PERIOD, entry(legs=legs("2.125 EUR")), "as many decimals"),
    "seven decimals": (PERIOD, entry(legs=SALE.replace("2.00", "2.1234567")), "six decimals"),
    "thirteen digits": (PERIOD, entry(legs=legs("1234567890123.00 EUR")), "twelve digits"),
    "what does not balance": (PERIOD, entry(legs=legs("2.00 EUR", "Assets:Bank -1 EUR")), "left"),
    "a millionth left over": (
        PERIOD, entry(legs=legs("2.00 EUR", "Assets:Bank -2.000001 EUR")), "-0.000001 EUR left over"
    ),
    "another currency of a customer": (PERIOD, entry(legs=legs("2.00 USD")), "."),
    "no posting": (PERIOD, entry(legs=""), "needs a posting"),
    "no posting of the customer's": (PERIOD, entry(legs=BANK), "needs a posting"),
    "another customer": (
        PERIOD, entry(legs=legs("2.00 EUR", "Assets:Receivable:C2:Billed -2.00 EUR")), "another cus"
    ),
    "another customer's deposit": (
        PERIOD, entry(legs=legs("2.00 EUR", "Liabilities:Deposits:C10 -2.00 EUR")), "another cus"
    ),
    "an account below a customer's": (
        PERIOD, entry(legs=GIFT.replace("Billed", "Billed:More")),
        "another customer's, or nobody's",
    ),
    "a third account of a customer": (
        PERIOD, entry(legs=GIFT.replace("Billed", "Paid")),
        "another customer's, or nobody's",
    ),
    "the account of what is carried": (
        PERIOD, entry(legs=legs("2.00 EUR", "Assets:Receivable:X-Carried -2.00 EUR")), "another cus"
    ),
    "an account that nobody opened": (
        PERIOD, entry(legs=legs("2.00 EUR", "Expenses:Nowhere -2.00 EUR")), "Expenses:Nowhere"
    ),
    "no VAT code": (PERIOD, entry(legs=SALE.replace('    vat: "S21"\n', "")), "needs `vat"),
    "a VAT code of another form": (PERIOD, entry(legs=SALE.replace('"S21"', "21")), "VAT code"),
    "a VAT code that there is not": (PERIOD, entry(legs=SALE.replace("S21", "XX")), "no VAT code"),
    # What the program wrote.
    "the marker gone": (PERIOD, ("^; ---- usage.*\n", ""), "usage begins is gone"),
    "the marker twice": (PERIOD, ("^(; ---- usage.*\n)", r"\1\1"), "usage begins is gone"),
    "usage edited": (PERIOD, (r"3\.000000 EUR", "2.000000 EUR"), "usage, which a2ledger writes"),
    "a note below the marker": (PERIOD, (r"\Z", "; x\n"), "usage, which a2ledger writes"),
    "a payment gone": (PERIOD, ('2026-02-02 \\* "Payment"(?s:.*?)\n\n', ""), "p1 is gone"),
    "a payment's link": (PERIOD, ("payments-p1", "payments-p9"), "p1 is gone"),
    "a payment made a comment": (PERIOD, ('^2026-02-02 \\* "Pay', '; 2026-02-02 * "Pay'), "gone"),
    "a payment of a closed day": (PERIOD, ('2026-02-02 \\* "Pay', '2026-01-02 * "Pay'), "not in"),
    "a balance brought forward": (PERIOD, (r"(:Billed +)[0-9.]+ ~", r"\g<1>1.00 ~"), "brought"),
    "a balance taken away": (PERIOD, (r"^\d.* balance .*Billed.*\n", ""), "brought forward"),
    "what is carried of VAT": (PERIOD, ('(carried" "S21" )[0-9.]+', r"\g<1>1.00"), "brought"),
    "a seal edited": (PERIOD, ('(seal" "[^"]*" ")....', r"\g<1>0000"), "seal of the period before"),
    "a seal taken away": (PERIOD, ("^.*a2ledger-seal.*\n", ""), "seal of the period before"),
    "a seal twice": (PERIOD, ("^(.*a2ledger-seal.*\n)", r"\1\1"), "only a2ledger writes this here"),
    # A customer's own ledger.
    **{
        f"the fact {key} {value}": (OWN, fact(key, value, day), says)
        for key, value, day, says in (
            ("credit_limit", '"x"', "2026-02-05", "plain number"),
            ("credit_limit", "1.1234567", "2026-02-05", "."),
            ("colour", '"red"', "2026-02-05", "no fact"),
            ("name", "", "2026-02-05", "."),
            ("name", '"a" "b"', "2026-02-05", "."),
            ("name", '"Old"', "2025-02-05", "before that"),
            ("name", '"Old"', "2026-01-05", "in a closed period"),
            ("country", '"FR"', "2026-01-05", "in a closed period"),
            ("country", '"Belgium"', "2026-02-05", "two letters"),
            ("vat", '"included"', "2026-02-05", "start of a period"),
            ("vat", '"included"', "2026-02-01", "posted already"),
            ("vat", '"perhaps"', "2026-03-01", "."),
            ("cycle", '"weekly"', "2026-01-05", "in a closed period"),
            ("cycle", '"weekly"', "2026-02-05", "start of a period"),
            ("billing_day", "32", "2026-03-01", "."),
            ("billing_day", "15", "2026-02-05", "start of a period"),
            ("currency", '"USD"', "2026-02-05", "one currency"),
            ("settled", '"2026-02-05"', "2026-02-05", "settled"),
            ("tariff", '"../../zz"', "2026-02-05", "."),
            ("tariff", '"gold"', "2026-02-05", "there is no tariffs/gold.csv"),
            ("identifiers", '"C2"', "2026-02-05", "both hold the identifier"),
            ("terms", '"soon"', "2026-02-05", "."),
            ("terms", '"-5"', "2026-02-05", "."),
            ("email", '"a@example.org\nBcc: x"', "2026-02-05", "."),
            ("name", '"A"', "9998-02-05", "."),
            ("name", '"A"', "2026-02-31", "."),
        )
    },
    "a fact behind tabs": (OWN, '2026-02-05\tcustom\t"a2ledger-set" "name" "A"\n', "only a2ledger"),
    "a fact in another date": (OWN, fact("name", '"A"', "2026/02/05"), "no entry as a2ledger"),
    "a fact that is indented": (OWN, " " + fact("name", '"A"'), "no entry as a2ledger"),
    "a fact of a closed day edited": (OWN, ('(set" "credit_limit") 100', r"\1 5"), "closed period"),
    "a fact of a closed day gone": (OWN, ('^.*set" "name".*\n', ""), "closed period"),
    "a fee of nothing": (OWN, '2026-02-05 custom "a2ledger-fee" 5\n', "fee"),
    "an entry in a customer's ledger": (OWN, entry(), "may not stand in a customer's own ledger"),
    "a balance in it": (OWN, "2026-02-05 balance Assets:Receivable:C1:Billed 1.00 EUR\n", "may n"),
    "a pad in it": (OWN, "2026-02-05 pad Assets:Receivable:C1:Billed Assets:Bank\n", "may n"),
    "a close in it": (OWN, "2026-02-05 close Assets:Receivable:C1:Billed\n", "may not stand"),
    "an account in it": (OWN, "2026-02-05 open Assets:Mine EUR\n", "only a2ledger writes `open`"),
    "a seal in it": (OWN, '2026-02-01 custom "a2ledger-seal" "x" "y"\n', "only a2ledger"),
    "the day of its opening": (OWN, ("^2026-01-01 open", "2026-01-20 open"), "`open` here"),
    "its currency": (OWN, ("(:Billed) EUR", r"\1 USD"), "`open` here"),
    "an account of it gone": (
        OWN, ('^2026-01-01 open \\S+:Billed EUR\n  customer: "C1"\n', ""), "`open` here"
    ),
    "another's period in it": (OWN, 'include "../2026-02/C2.01.beancount"\n', "may not stand"),
    "a period of it twice": (OWN, 'include "../2026-02/C1.01.beancount"\n', "`include` here"),
    "a period of it gone": (OWN, ('^include "../2026-01/C1.*\n', ""), "`include` here"),
    "its tolerance": (OWN, ('multiplier" "0"', 'multiplier" "1"'), "`option` here"),
    "plain text in it": (OWN, "they called\n", "no entry as a2ledger reads it"),
    "a zero byte in it": (OWN, b"\0", "."),
    # Others.
    "a customer in suspense": (
        SUSPENSE, entry(legs=GIFT), "a customer's account may not stand here|another customer's"
    ),
    "another flag in suspense": (SUSPENSE, entry('txn "a" "b"', BANK), "may not stand here"),
    "money that leaves suspense": (SUSPENSE, (r"^\d(?s:.*?)\n\n", ""), "is gone"),
    "a customer in manual": (MANUAL, entry(), "a customer's account may not stand here"),
    "a customer in the chart": (CHART, "2026-01-01 open Assets:Receivable:C9:Billed\n", "may not"),
    "usage asserted inside a month": (MANUAL, "2026-02-05 balance Income:Calls 0 EUR\n", "inside"),
    "an account gone from the chart": (CHART, ("^.* open Income:Calls.*\n", ""), "Income:Calls"),
    "an account of the chart in another currency": (
        CHART, ("^(.* open Income:Calls).*$", r"\1 USD"), "Income:Calls"
    ),
    "a plugin in manual": (MANUAL, 'plugin "os"\n', "may not stand"),
    "what is not UTF-8 in manual": (MANUAL, b"; \xff\n", "UTF-8"),
    "another rate of VAT": ("a2ledger.toml", ("^rate = 21", "rate = 20"), "posted under S21"),
    "another currency of the book": ("a2ledger.toml", ('cy = "EUR"', 'cy = "USD"'), "EUR"),
}  # fmt: skip
WHOLE = re.compile(
    r"gone|twice|was changed|brought forward|toml|UTF-8|both hold|only a2ledger|settled|"
    r"account has|Income:Calls|closed period"
)
"""What is said of a file as a whole has no line."""


class edited:  # noqa: N801 - reads as a phrase
    """A file as hands left it, for a while."""

    def __init__(self, book: Book, path: str, edit: str | bytes | tuple[str, str]) -> None:
        self.file, self.words = book.root / path, (book.root, path, edit)

    def __enter__(self) -> None:
        self.before = self.file.read_bytes()
        put(*self.words)

    def __exit__(self, *_: object) -> None:
        self.file.write_bytes(self.before)


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_later_command_could_live_with_is_refused_by_its_line(template, what):
    path, edit, says = REFUSED[what]
    with edited(template, path, edit), pytest.raises(ExpectedError) as caught:
        hand_edits.adopt(draft(template.root), dry_run=True)
    lines = caught.value.lines()
    assert re.search(says, "\n".join(lines)), lines
    assert any(path in line for line in lines), lines
    if isinstance(caught.value, BrokenBookError) and not WHOLE.search("\n".join(lines)):
        assert any(re.match(rf"{re.escape(path)}:\d+: ", line) for line in lines), lines


def test_what_is_refused_stays_as_it_is_and_undoing_it_is_enough(template, tmp_path):
    root = tmp_path / "book"
    shutil.copytree(template.root, root, symlinks=True)
    book = Book(root, tmp_path / "files", TODAY)
    log, figures = book.log(), book.run("balances", "--json").json
    for what in ("a pad in it", "a division by zero", "a seal twice"):
        path, edit, _ = REFUSED[what]
        with edited(book, path, edit):
            for words in (["customer", "set", "C2", "terms=5"], ["close"]):
                errors = book.run(*words, code=1, today="2026-03-01").errors
                assert any(path in line for line in errors), errors
            book.run("check", code=1)
        assert book.log() == log
    book.run("customer", "set", "C2", "terms=5")
    assert book.run("balances", "--json").json == figures
    assert "manual edit" not in book.log()[0]
