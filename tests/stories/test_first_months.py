"""The first months of a small phone company, from real call records to bills that add up.

The records are those of an Asterisk 22: 66 rows, in which 17 calls of 33 seconds hide. A minute
costs 0.60, counted in seconds, so a second is a cent.
"""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

from checkout import MASTER
from harness import PBX, Book, a2ledger, amounts, bean_check, total

DECK = """\
dialprefix,destination,rateinitial,initblock,billingblock
30,Greece,0.60,1,1
3069,Greece Mobile,0.60,1,1
"""

CUSTOMERS = """\
id,name,credit_limit,tariff,opened,billing_day,vat,terms
cust1,"Παπάς, ΔΠΓ",50.00,standard,2026-11-01,1,on-invoice,14
cust2,Café Zwei,50.00,standard,2026-11-01,1,on-invoice,14
cust3,Drei & Co,0.00,standard,2026-11-01,1,none,
cust7,Sette,0.00,standard,2026-11-01,1,none,
"""

BILLS = ["INV-2026-000001", "INV-2026-000002", "INV-2026-000003", "INV-2026-000004"]


def twice(book: Book, *words: object, today: str, code: int = 0):
    """Run a command, and once more: the second time it changes no byte of the book.

    Only an import leaves something: its own line in ``imports.csv``, and that line's commit.
    """
    done = book.run(*words, today=today, code=code)
    after, log = book.digests(), book.log()
    book.run(*words, today=today, code=code)
    assert book.digests() == after, words
    if words[0] == "import":
        assert book.log()[1:] == log
        assert book.git("show", "--format=", "--name-only").split() == ["imports.csv"]
    else:
        assert book.log() == log
    return done


def test_from_the_switch_to_bills_that_add_up(tmp_path):  # noqa: PLR0915 - one story
    # A book in two files: customers.csv and the rates.
    root = tmp_path / "book"
    done = a2ledger("--today", "2026-11-01", "init", root, "--timezone", "Europe/Athens")
    assert done.code == 0, done.stderr
    book = Book(root, tmp_path / "files", "2026-11-23")
    fresh = book.digests()
    assert a2ledger("--today", "2026-11-01", "init", root).code == 1
    assert book.digests() == fresh
    (root / "tariffs/standard.csv").write_text(DECK)
    book.append("a2ledger.toml", PBX)
    customers = book.file("customers.csv", CUSTOMERS)
    assert "4 posted" in twice(book, "import", "customers", customers, today="2026-11-01").stderr

    # Every row of the switch is accounted for, by name.
    records = book.file("Master.csv", MASTER.read_bytes())
    report = book.run("import", "pbx1", records, "--json").json
    assert (report["read"], report["posted"], report["free"]) == (66, 16, 1)
    assert sum(report["not_billable"].values()) == 49
    assert set(report["not_billable"]) <= {"hangup", "context", "application", "unanswered"}
    assert (report["duplicate"], report["late"], report["quarantined"]) == (0, 0, {})
    assert (report["amount"], report["customers"]) == ("0.33", 4)
    again = book.run("import", "pbx1", records, "--json").json
    assert (again["posted"], again["free"], again["duplicate"]) == (0, 0, 17)
    twice(book, "import", "pbx1", records, today="2026-11-23")

    # Money comes in: a top-up, and the cash that paid for it; a router is sold.
    refills = book.file(
        "refills.csv", "id,customer,date,amount,method\nr1,cust7,2026-11-20,5.00,\n"
    )
    payments = book.file(
        "payments.csv",
        "id,customer,date,amount,method,reference\np1,cust7,2026-11-20,5.00,cash,r1\n",
    )
    charges = book.file(
        "charges.csv",
        "id,customer,date,amount,service,description\nc1,cust1,2026-11-10,40.00,One-off,Router\n",
    )
    twice(book, "import", "refills", refills, today="2026-11-23")
    twice(book, "import", "payments", payments, today="2026-11-23")
    twice(book, "import", "charges", charges, today="2026-11-23")
    standing = {row["customer"]: row for row in book.run("balances", "--json").json}
    used = {name: Decimal(row["unbilled"]) for name, row in standing.items()}
    assert sum(used.values()) == Decimal("40.33")
    assert Decimal(standing["cust7"]["owed"]) == used["cust7"] - 5

    # cust3 has no credit and has called; the books are sound, but he is over his limit.
    said = twice(book, "check", today="2026-11-23", code=1).stdout.splitlines()
    assert len(said) == 1
    assert "cust3" in said[0]
    assert book.run("balances", "--over-limit", code=1).stdout.count("over the limit") == 1

    # What the bills would be, and what they are.
    previews = {name: book.preview(name, "2026-12-01") for name in used}
    twice(book, "preview", "cust1", today="2026-12-01")
    twice(book, "statement", "cust1", today="2026-12-01")
    book.run("close", today="2026-12-01", code=1)  # the switch has not reported since
    book.run("import", "pbx1", records, today="2026-12-01")
    closed = book.run("close", "--json", today="2026-12-01").json
    log, after = book.log(), book.digests()
    book.run("close", today="2026-12-01")
    assert (book.log(), book.digests()) == (log, after)
    assert [row["number"] for row in closed] == BILLS
    for row in closed:
        bill = book.invoice(row["number"])
        preview = previews[row["customer"]]
        changing = {"kind", "number", "issue_date", "due_date", "seal"}
        assert {key: bill[key] for key in bill.keys() - changing} == {
            key: preview[key] for key in preview.keys() - changing
        }
        assert total(bill["statement"]) == Decimal(row["to_pay"]) - Decimal(bill["credit"])
    first = book.invoice("INV-2026-000001")
    assert Decimal(first["net"]) == used["cust1"]
    assert Decimal(first["vat_total"]) == round(used["cust1"] * Decimal("0.21"), 2)
    assert first["due_date"] == "2026-12-15"

    # The bill as the customer sees it.
    paths = twice(book, "invoice", "--all", "--format", "html,text,json", today="2026-12-01").stdout
    assert len(paths.splitlines()) == 12
    page = Path(paths.splitlines()[0]).read_text()
    assert "Παπάς, ΔΠΓ" in page
    assert first["gross"] in page
    assert "Drei &amp; Co" in (root / "invoices/2026/INV-2026-000003.html").read_text()

    # cust1 pays more than the bill; what is over is his.
    gross = Decimal(first["gross"])
    book.moves("payments", "cust1", "2026-12-10", str(gross + 5), today="2026-12-11")
    assert book.balance("cust1")["owed"] == "-5.00"
    book.moves("charges", "cust1", "2026-12-12", "10.00", today="2026-12-13")
    book.run("import", "pbx1", records, today="2027-01-01")
    closed = book.run("close", "--json", today="2027-01-01").json
    (second,) = [row for row in closed if row["customer"] == "cust1"]
    assert second["number"] == "INV-2027-000001"
    assert (second["gross"], second["to_pay"]) == ("12.10", "7.10")
    statement = book.invoice(second["number"])["statement"]
    assert Decimal(statement["opening"]) == gross
    assert amounts(statement) == [str(-gross - 5), "10.00", "2.10"]
    assert total(statement) == Decimal("7.10")

    # He pays less than the next; the rest is carried forward.
    book.moves("payments", "cust1", "2027-01-10", "4.00", today="2027-01-11")
    book.moves("charges", "cust1", "2027-01-12", "1.00", today="2027-01-13")
    book.run("import", "pbx1", records, today="2027-02-01")
    (third,) = book.run("close", "cust1", "--json", today="2027-02-01").json
    assert (third["gross"], third["to_pay"]) == ("1.21", "4.31")
    statement = book.invoice(third["number"])["statement"]
    assert statement["opening"] == "7.10"
    assert amounts(statement) == ["-4.00", "1.00", "0.21"]

    # All of it together is one statement that adds up to what the books say he owes.
    whole = book.statement("cust1", today="2027-02-02")
    assert whole["opening"] == "0.00"
    assert total(whole) == Decimal("4.31") == Decimal(book.balance("cust1")["owed"])
    part = book.statement("cust1", "--from", "2026-12-01", "--to", "2026-12-31")
    assert Decimal(part["opening"]) == gross
    assert part["closing"] == "7.10"

    # And Beancount agrees.
    assert {top: bean_check(root / top) for top in book.tops()} == dict.fromkeys(book.tops(), "")
    sums = book.sums()
    assert sums["Income:Calls"] == Decimal("-0.33")
    assert sums["Assets:Cash"] == 5
    assert sum(sums.values()) == 0
    assert book.git("status", "--porcelain") == ""


def test_rows_of_the_switch_give_the_same_books_however_they_are_split(tmp_path, empty_book):
    lines = MASTER.read_text().splitlines(keepends=True)
    ways = {
        "at once": [lines],
        "row by row": [*([line] for line in reversed(lines[58:])), lines[:58]],
        "twice over": [lines[30:], lines, lines[:40]],
    }
    books = {}
    for way, parts in ways.items():
        root = tmp_path / way
        shutil.copytree(empty_book, root)
        book = Book(root, tmp_path / f"{way} files", "2026-11-23")
        (root / "tariffs/standard.csv").write_text(DECK)
        book.append("a2ledger.toml", PBX)
        book.run("import", "customers", book.file("customers.csv", CUSTOMERS), today="2026-11-01")
        for number, part in enumerate(parts):
            book.run("import", "pbx1", book.file(f"{number}.csv", "".join(part)))
        books[way] = {
            path: digest
            for path, digest in book.digests().items()
            if path.startswith("journals/") or path == "calls/DIGESTS"
        }
        assert book.run("check", "cust1").stdout == ""
    assert books["at once"] == books["row by row"] == books["twice over"]


def test_without_a_rule_of_its_own_the_dialect_bills_what_was_dialled_and_answered(book):
    book.customers(*({"id": f"cust{n}", "opened": "2026-11-01"} for n in (1, 2, 3, 7)))
    path = book.file("Master.csv", MASTER.read_bytes())
    report = book.run("import", "asterisk", path, "--json", today="2026-11-23").json
    counted = report["posted"] + report["free"] + sum(report["not_billable"].values())
    assert counted == report["read"] == 66
