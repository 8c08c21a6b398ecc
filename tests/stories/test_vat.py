"""VAT from calls to bills, with figures worked by hand. One started minute costs 1.00."""

from __future__ import annotations

from decimal import Decimal

from harness import Book, bean_check, total

GREEK, BELGIAN = "EL094259216", "BE0403170701"

RULES = """
[vat.codes.EL24]
rate = 24
[vat.codes.S6]
rate = 6
[[vat.rules]]
code = "AE"
countries = ["eu"]
business = true
[[vat.rules]]
code = "EL24"
countries = ["GR"]
[[vat.rules]]
code = "S6"
services = ["Calls"]
from = 2026-01-16
"""


def configured(book: Book, *, company: str = BELGIAN, rules: str = RULES) -> Book:
    """The book of a Belgian company whose calls are taxed at 6 % from 16 January on."""
    book.edit("a2ledger.toml", 'country = ""', 'country = "BE"')
    book.edit("a2ledger.toml", 'vat_id = ""', f'vat_id = "{company}"')
    book.append("a2ledger.toml", rules)
    return book


def table(document) -> list[tuple[str, ...]]:
    """A document's VAT: code, category, rate, net, VAT."""
    names = ("code", "category", "rate", "net", "vat")
    return [tuple(row[name] for name in names) for row in document["vat"]]


def nets(document) -> list[tuple[str, str, str]]:
    return [(row["service"], row["vat_code"], row["net"]) for row in document["lines"]]


def test_a_rate_that_changes_in_mid_period_puts_two_codes_on_one_invoice(book):
    configured(book).customers({"id": "C1", "vat": "on-invoice", "country": "BE"})
    book.talks("C1", "2026-01-15", 10, today="2026-01-20")
    book.talks("C1", "2026-01-16", 20, today="2026-01-20")
    book.moves("charges", "C1", "2026-01-20", "5.00", today="2026-01-20")

    (closed,) = book.close(today="2026-02-01")

    bill = book.invoice(closed["number"])
    # 15.00 x 21 % = 3.15; 20.00 x 6 % = 1.20
    assert table(bill) == [
        ("S21", "S", "21", "15.00", "3.15"),
        ("S6", "S", "6", "20.00", "1.20"),
    ]
    assert (bill["net"], bill["vat_total"], bill["gross"]) == ("35.00", "4.35", "39.35")
    assert total(bill["statement"]) == Decimal("39.35")


def test_a_late_call_keeps_the_code_of_its_own_day(book):
    configured(book).customers({"id": "C1", "vat": "on-invoice"})
    book.close(today="2026-02-01")
    book.talks("C1", "2026-01-15", 10, today="2026-02-05")
    book.talks("C1", "2026-01-16", 20, today="2026-02-05")

    preview = book.preview("C1", "2026-02-06")

    assert nets(preview) == [("Calls", "S21", "10.00"), ("Calls", "S6", "20.00")]
    assert [line["late_from"] for line in preview["lines"]] == ["2026-01-15", "2026-01-16"]


def test_a_late_call_takes_the_treatment_of_the_period_it_is_posted_in(book):
    configured(book).customers({"id": "C1", "vat": "on-invoice"})
    book.run("customer", "set", "C1", "vat=none", "--from", "2026-02-01")
    book.close(today="2026-02-01")
    book.talks("C1", "2026-01-15", 10, today="2026-02-05")

    assert nets(book.preview("C1", "2026-02-06")) == [("Calls", "O", "10.00")]


def test_where_a_customer_is_and_whether_he_is_a_business_choose_his_code_by_the_day(book):
    configured(book).customers({"id": "C1", "vat": "on-invoice", "country": "GR"})
    book.run("customer", "set", "C1", f"vat_id={GREEK}", "--from", "2026-01-10")
    for day in ("2026-01-09", "2026-01-10"):
        book.talks("C1", day, 10, today="2026-01-20")
        book.moves("charges", "C1", day, "1.00", today="2026-01-20")

    preview = book.preview("C1", "2026-01-20")

    assert sorted(table(preview)) == [
        ("AE", "AE", "0", "11.00", "0.00"),
        ("EL24", "S", "24", "11.00", "2.64"),
    ]


def test_a_charge_read_again_after_its_code_changed_is_the_same_charge(book):
    configured(book).customers({"id": "C1", "vat": "on-invoice"})
    row = {"id": "c1", "customer": "C1", "date": "2026-01-20", "amount": "5.00", "service": "DIDs"}
    book.imported("charges", [row], today="2026-01-21")
    book.run("customer", "set", "C1", "country=GR", "--from", "2026-01-01", today="2026-01-21")

    again = book.imported("charges", [row], today="2026-01-21")

    assert "1 duplicate" in again.stderr
    assert nets(book.preview("C1", "2026-01-21")) == [("DIDs", "S21", "5.00")]


def test_a_vat_id_that_is_none_is_refused_in_one_line(book):
    configured(book).customers({"id": "C1", "country": "GR"})

    refused = book.run("customer", "set", "C1", "vat_id=EL094259217", code=1)
    (said,) = refused.errors
    assert said == (
        "a2ledger: C1: vat_id: 'EL094259217' is no VAT number in GR; nothing was done; correct it "
        "(it begins with its country's letters, EL for Greece), or leave it out"
    )
    refused = book.run("customer", "add", "C2", "--vat-id", "BE1", code=1)
    assert "vat_id: 'BE1' is no VAT number of the EU" in refused.errors[0]
    refused = book.run("customer", "set", "C1", "country=Greece", code=1)
    assert "country: 'Greece' is not two letters such as BE" in refused.errors[0]
    book.run("customer", "set", "C1", f"vat_id={GREEK}")
    assert bean_check(book.root / "journals/main.beancount") == ""


def test_a_row_with_a_vat_id_that_is_none_is_quarantined_and_comes_back_once_corrected(book):
    rows = [{"id": "C1", "vat_id": "BE1"}, {"id": "C2", "vat_id": BELGIAN}]
    done = book.customers(*rows, code=3)
    assert "(bad-vat-id 1)" in done.stderr
    assert (book.root / "journals/customers/C2.beancount").exists()

    book.customers({"id": "C1", "vat_id": BELGIAN})

    assert book.run("quarantine", "list", "--json").json == []


def test_a_book_whose_customers_have_any_text_as_vat_id_works_on(book):
    book.customers({"id": "C1", "vat": "on-invoice"})
    path = "journals/customers/C1.beancount"
    book.append(path, '2026-01-01 custom "a2ledger-set" "vat_id" "ask him"\n')
    book.talks("C1", "2026-01-15", 10, today="2026-01-20")

    (closed,) = book.close(today="2026-02-01")

    assert book.invoice(closed["number"])["customer"]["vat_id"] == "ask him"


# ---- prices that contain VAT ----


def test_prices_that_contain_vat_are_billed_as_they_are_and_the_tax_is_taken_out(book):
    configured(book, rules="").customers({"id": "C1", "vat": "included"})
    book.talks("C1", "2026-01-05", 10, today="2026-01-20")
    book.talks("C1", "2026-01-06", 1, today="2026-01-20")
    book.moves("charges", "C1", "2026-01-20", "5.00", today="2026-01-20")
    # 10 x 21 / 121 = 1.735537, 1 x 21 / 121 = 0.173554, 5 x 21 / 121 = 0.867769
    assert book.sums()["Liabilities:VAT-Pending:S21"] == Decimal("-2.776860")
    assert book.sums()["Income:Calls"] == Decimal("-9.090909")
    assert book.balance("C1")["owed"] == "16.00"

    (closed,) = book.close(today="2026-02-01")

    bill = book.invoice(closed["number"])
    # 16 x 21 / 121 = 2.776859..., hence 2.78 and net 13.22
    assert table(bill) == [("S21", "S", "21", "13.22", "2.78")]
    assert (bill["net"], bill["vat_total"], bill["gross"]) == ("13.22", "2.78", "16.00")
    # Lines: 11.00 - 1.91 = 9.09; 16.00 - 2.78 = 13.22, less 9.09 = 4.13
    assert nets(bill) == [("Calls", "S21", "9.09"), ("Subscriptions", "S21", "4.13")]
    assert bill["treatment"] == "included"
    assert [line["amount"] for line in bill["statement"]["lines"]] == ["10.00", "1.00", "5.00"]
    assert total(bill["statement"]) == Decimal("16.00")
    assert total(book.statement("C1", today="2026-02-02")) == Decimal("16.00")
    sums = book.sums()
    assert sums["Assets:Receivable:C1:Billed"] == Decimal("16.00")
    assert sums["Liabilities:VAT:S21"] == Decimal("-2.78")
    assert sums["Income:Rounding"] == Decimal("0.003140")
    assert "Liabilities:VAT-Pending:S21" not in sums
    for top in book.tops():
        assert bean_check(book.root / top) == ""


def test_calls_of_a_day_that_come_in_two_files_have_the_tax_of_their_sum_inside(book):
    configured(book, rules="").customers({"id": "C1", "vat": "included"})
    for _ in range(3):
        book.talks("C1", "2026-01-05", 1, today="2026-01-20")

    # Once of 3.00, 0.520661, and not three times of 1.00, 0.520662
    assert book.sums()["Liabilities:VAT-Pending:S21"] == Decimal("-0.520661")
    assert book.run("check", "C1").code == 0


def test_the_general_ledger_adds_up_what_days_have_inside(book):
    configured(book, rules="").customers({"id": "C1", "vat": "included"})
    for day in ("2026-01-05", "2026-01-06", "2026-01-07"):
        book.talks("C1", day, 1, today="2026-01-20")

    # Three days of 0.173554, and not 0.520661 of their sum
    assert "Liabilities:VAT-Pending:S21    -0.520662 EUR" in book.text(
        "journals/general/2026-01.beancount"
    )
    assert book.run("check", "C1").code == 0


def test_less_than_a_cent_leaves_no_tax_waiting(book):
    (book.root / "tariffs/standard.csv").write_text(
        "dialprefix,destination,rateinitial,initblock,billingblock\ndefault,Anywhere,0.003,60,60\n"
    )
    configured(book, rules="").customers({"id": "C1", "vat": "included"})
    for month in ("01", "02", "03"):
        book.talks("C1", f"2026-{month}-05", 1, today=f"2026-{month}-20")

    closed = book.close(today="2026-04-01")

    # 0.003, 0.006, 0.009: the second month shows the cent, the others nothing
    assert [row["gross"] for row in closed] == ["0.00", "0.01", "0.00"]
    sums = book.sums("journals/history.beancount")
    assert sums["Assets:Receivable:C1:Unbilled"] == Decimal("-0.001000")
    assert "Liabilities:VAT-Pending:S21" not in sums
    # 0.01 x 21 / 121 = 0.0017..., no cent of tax; the income is all that was used
    assert "Liabilities:VAT:S21" not in sums
    assert sums["Income:Calls"] + sums["Income:Rounding"] == Decimal("-0.009000")


def test_statements_over_treatments_chain(book):
    configured(book, rules="").customers({"id": "C1", "vat": "on-invoice"})
    book.run("customer", "set", "C1", "vat=included", "--from", "2026-02-01")
    book.talks("C1", "2026-01-05", 10, today="2026-01-20")
    book.close(today="2026-02-01")
    book.talks("C1", "2026-02-05", 10, today="2026-02-20")
    book.talks("C1", "2026-01-06", 5, today="2026-02-20")  # late: its price contains VAT now
    book.close(today="2026-03-01")

    january, february = book.documents().values()
    assert (january["gross"], february["gross"]) == ("12.10", "15.00")
    # 15 x 21 / 121 = 2.603...
    assert table(february) == [("S21", "S", "21", "12.40", "2.60")]
    assert february["statement"]["opening"] == january["statement"]["closing"] == "12.10"
    everything = book.statement("C1", today="2026-03-02")
    assert total(everything) == total(february["statement"]) == Decimal("27.10")


# ---- what the law asks for is there, or the period stays open ----


def left_open(book: Book, customer: str) -> list[str]:
    """Why a customer's period stays open, by the names of the rules."""
    rows = book.close(today="2026-02-01", code=1)
    (row,) = [row for row in rows if row["customer"] == customer]
    assert (row["closed"], row["number"]) == (False, None)
    return [warned["code"] for warned in row["warnings"]]


def test_the_reverse_charge_needs_both_vat_ids_and_others_close_all_the_same(book):
    configured(book, company="", rules="").customers(
        {"id": "C1", "vat": "reverse-charge", "country": "GR"}, {"id": "C2"}
    )
    for name in ("C1", "C2"):
        book.talks(name, "2026-01-05", 10, today="2026-01-20")

    first, second = book.close(today="2026-02-01", code=1)
    assert [warned["code"] for warned in first["warnings"]] == ["BR-AE-02", "BR-AE-02"]
    assert (first["closed"], second["number"]) == (False, "INV-2026-000001")

    book.edit("a2ledger.toml", 'vat_id = ""', f'vat_id = "{BELGIAN}"')
    book.run("customer", "set", "C1", f"vat_id={GREEK}", "--from", "2026-01-01")
    (closed,) = book.close("C1", today="2026-02-01")

    bill = book.invoice(closed["number"])
    assert closed["number"] == "INV-2026-000002"
    assert table(bill) == [("AE", "AE", "0", "10.00", "0.00")]
    assert bill["vat"][0]["reason"] == "Reverse charge"
    assert (bill["gross"], bill["treatment"]) == ("10.00", "reverse-charge")
    assert not any(account.startswith("Liabilities:VAT") for account in book.sums())
    text = book.run("invoice", closed["number"], "--format", "text", "-o", "-").stdout
    assert "Reverse charge" in text


def test_what_is_outside_the_scope_of_vat_stands_beside_taxed_lines_as_exempt(book):
    configured(book, rules='[[vat.rules]]\ncode = "O"\nservices = ["DIDs"]\n')
    book.customers({"id": "C1", "vat": "on-invoice"})
    book.talks("C1", "2026-01-05", 10, today="2026-01-20")
    book.moves("charges", "C1", "2026-01-20", "5.00", service="DIDs", today="2026-01-20")

    (closed,) = book.close(today="2026-02-01")

    # By EN 16931 category O stands alone on an invoice (BR-O-11): beside taxed lines it is E.
    bill = book.invoice(closed["number"])
    assert bill["gross"] == "17.10"
    assert [(row["category"], row["net"], row["vat"]) for row in bill["vat"]] == [
        ("E", "5.00", "0.00"),
        ("S", "10.00", "2.10"),
    ]


def test_an_exemption_needs_a_reason(book):
    rules = '[vat.codes.E]\ncategory = "E"\nrate = 0\n[[vat.rules]]\ncode = "E"\n'
    configured(book, rules=rules).customers({"id": "C1", "vat": "on-invoice"})
    book.talks("C1", "2026-01-05", 10, today="2026-01-20")

    assert left_open(book, "C1") == ["BR-E-10"]

    book.edit("a2ledger.toml", 'category = "E"', 'category = "E"\nreason = "Article 44"')
    (closed,) = book.close(today="2026-02-01")
    assert book.invoice(closed["number"])["vat"][0]["reason"] == "Article 44"


def test_a_supplier_without_a_vat_id_bills_and_is_told(book):
    book.customers({"id": "C1", "vat": "on-invoice"})
    book.talks("C1", "2026-01-05", 10, today="2026-01-20")

    (closed,) = book.close(today="2026-02-01")

    assert closed["number"] == "INV-2026-000001"
    assert [warned["code"] for warned in closed["warnings"]] == ["BR-S-02"]


# ---- refills that are taxed when they are paid ----


def prepaid(book: Book, **facts: str) -> Book:
    """A book whose customer C1 is taxed when he tops up."""
    configured(book, rules="").customers({"id": "C1", "vat": "on-refill", **facts})
    return book


def test_a_refill_is_taxed_when_it_is_paid_and_usage_is_not_taxed_again(book):
    prepaid(book)
    done = book.moves("refills", "C1", "2026-01-02", "12.10", id="r1", today="2026-01-03")
    assert "1 refill document(s): INV-2026-000001" in done.stderr
    book.talks("C1", "2026-01-05", 4, today="2026-01-06")

    # 12.10 x 21 / 121 = 2.10
    sums = book.sums()
    assert sums["Assets:Clearing:Refills"] == Decimal("12.10")
    assert sums["Assets:Receivable:C1:Billed"] == Decimal("-10.00")
    assert sums["Liabilities:VAT:S21"] == Decimal("-2.10")
    assert book.balance("C1")["owed"] == "-6.00"
    bill = book.invoice("INV-2026-000001")
    assert (bill["kind"], bill["net"], bill["vat_total"], bill["gross"]) == (
        *("invoice", "10.00"),
        *("2.10", "12.10"),
    )
    assert table(bill) == [("S21", "S", "21", "10.00", "2.10")]
    assert [(one["kind"], one["net"]) for one in bill["lines"]] == [("refill", "10.00")]
    assert bill["period"] == {"start": "2026-01-02", "end": "2026-01-03"}
    assert (bill["issue_date"], bill["to_pay"], bill["credit"]) == ("2026-01-03", "0.00", "0.00")
    assert total(bill["statement"]) == 0

    (closed,) = book.close(today="2026-02-01")

    assert (closed["number"], closed["to_pay"]) == (None, "0.00")
    statement = book.documents()["statement-C1-2026-01-01"]
    assert (statement["kind"], statement["vat"], statement["credit"]) == ("statement", [], "6.00")
    assert nets(statement) == [("Calls", "P", "4.00")]
    assert [row["amount"] for row in statement["statement"]["lines"]] == ["-10.00", "4.00"]
    assert book.sums()["Assets:Receivable:C1:Billed"] == Decimal("-6.00")
    assert book.sums()["Liabilities:VAT:S21"] == Decimal("-2.10")
    assert total(book.statement("C1", today="2026-02-02")) == Decimal("-6.00")
    for top in book.tops():
        assert bean_check(book.root / top) == ""
    assert book.run("check", "C1").code == 0


def test_a_refill_read_again_takes_no_second_number(book):
    prepaid(book)
    row = {"id": "r1", "customer": "C1", "date": "2026-01-02", "amount": "12.10"}
    book.imported("refills", [row], today="2026-01-03")
    before = book.digests()

    again = book.imported("refills", [row], today="2026-01-04")

    assert "1 duplicate" in again.stderr
    assert book.digests() == before


def test_numbers_of_refills_and_invoices_are_one_series_without_a_gap(book):
    prepaid(book).customers({"id": "C2", "vat": "on-invoice"})
    rows = [
        {"id": f"r{day}", "customer": "C1", "date": f"2026-01-{day:02d}", "amount": "12.10"}
        for day in (9, 7, 8)
    ]
    book.imported("refills", rows, today="2026-01-10")
    book.talks("C2", "2026-01-05", 10, today="2026-01-10")
    book.moves("payments", "C2", "2026-01-06", "5.00", today="2026-01-10")
    book.close(today="2026-02-01")
    book.moves("refills", "C1", "2026-02-05", "1.21", today="2026-02-05")

    numbered = {name: one for name, one in book.documents().items() if one["number"]}
    assert list(numbered) == [f"INV-2026-{number:06d}" for number in range(1, 6)]
    days = [one["period"]["start"] for one in numbered.values()]
    assert days == ["2026-01-07", "2026-01-08", "2026-01-09", "2026-01-01", "2026-02-05"]


def test_a_payment_that_tops_up_is_taxed_and_one_for_a_refill_is_not(book):
    prepaid(book)
    book.moves("payments", "C1", "2026-01-02", "12.10", id="p1", today="2026-01-03")
    book.moves("refills", "C1", "2026-01-03", "24.20", id="r2", today="2026-01-03")
    book.moves("payments", "C1", "2026-01-04", "24.20", id="p2", reference="r2", today="2026-01-05")
    # The refill that the first payment paid for comes late: the payment has its document.
    book.moves("refills", "C1", "2026-01-02", "12.10", id="r1", reference="p1", today="2026-01-05")

    assert [one["gross"] for one in book.documents().values()] == ["12.10", "24.20"]
    assert book.balance("C1")["owed"] == "-30.00"
    assert book.sums()["Liabilities:VAT:S21"] == Decimal("-6.30")
    assert book.sums()["Assets:Bank"] == Decimal("36.30")


def test_a_refill_reversed_has_a_credit_note(book):
    prepaid(book)
    book.moves("refills", "C1", "2026-01-02", "12.10", id="r1", today="2026-01-03")
    book.moves("refills", "C1", "2026-01-04", "-12.10", id="r2", reference="r1", today="2026-01-05")

    note = book.invoice("CN-2026-000001")
    assert (note["kind"], note["net"], note["vat_total"], note["gross"]) == (
        *("credit-note", "10.00"),
        *("2.10", "12.10"),
    )
    assert note["original"] == {"number": "INV-2026-000001", "date": "2026-01-03"}
    assert total(note["statement"]) == 0
    assert book.balance("C1")["owed"] == "0.00"
    assert "Liabilities:VAT:S21" not in book.sums()


def test_a_refill_with_a_document_is_not_struck_out(book):
    prepaid(book)
    book.moves("refills", "C1", "2026-01-02", "12.10", id="r1", today="2026-01-03")

    refused = book.run("void", "refill/r1", "mistyped", today="2026-01-03", code=1)

    assert refused.errors[0].startswith(
        "a2ledger: refill-refills-r1: its document INV-2026-000001 is issued and cannot be voided"
    )


def test_a_late_refill_is_taxed_in_the_open_period_under_the_code_of_its_day(book):
    configured(book)
    book.edit("a2ledger.toml", 'services = ["Calls"]\n', "")
    book.customers({"id": "C1", "vat": "on-refill"})
    book.close(today="2026-02-01")
    for day in ("2026-01-15", "2026-01-16"):
        book.moves("refills", "C1", day, "100.00", today="2026-02-05")

    # 100 x 21 / 121 = 17.355...; 100 x 6 / 106 = 5.660...
    bills = [one for one in book.documents().values() if one["number"]]
    assert [table(bill)[0] for bill in bills] == [
        ("S21", "S", "21", "82.64", "17.36"),
        ("S6", "S", "6", "94.34", "5.66"),
    ]
    assert [bill["period"]["start"] for bill in bills] == ["2026-01-15", "2026-01-16"]


def test_refills_cannot_be_taxed_where_they_may_buy_at_several_rates(book):
    rules = '[vat.codes.S6]\nrate = 6\n[[vat.rules]]\ncode = "S6"\nservices = ["DIDs"]\n'
    rules += "from = 2026-02-01\n"
    configured(book, rules=rules).customers({"id": "C1", "vat": "on-refill"})
    why = "there are several (S21, S6)"

    book.moves("refills", "C1", "2026-01-20", "12.10", today="2026-01-20")
    refused = book.moves("refills", "C1", "2026-02-01", "12.10", today="2026-02-01", code=3)
    assert why in refused.stderr
    assert "(several-rates 1)" in refused.stderr
    refused = book.run("customer", "add", "C2", "--vat", "on-refill", today="2026-02-01", code=1)
    assert why in refused.errors[0]
    book.close(today="2026-02-01")
    (row,) = book.close(today="2026-03-01", code=1)
    assert [warned["code"] for warned in row["warnings"]] == ["several-rates"]


def test_what_is_hand_written_under_another_code_leaves_the_period_open(book):
    prepaid(book)
    text = (
        '2026-01-05 * "DIDs" "by hand"\n  Assets:Receivable:C1:Unbilled  5.00 EUR\n'
        '    vat: "S21"\n  Income:DIDs  -5.00 EUR\n\n'
    )
    path = "journals/2026-01/C1.01.beancount"
    (book.root / path).write_text(text + book.text(path))

    assert left_open(book, "C1") == ["on-refill"]


def test_leaving_taxed_refills_gives_the_tax_of_unspent_credit_back(book):
    prepaid(book)
    book.moves("refills", "C1", "2026-01-02", "12.10", today="2026-01-03")
    book.talks("C1", "2026-01-05", 4, today="2026-01-06")
    book.run("customer", "set", "C1", "vat=on-invoice", "--from", "2026-02-01", today="2026-01-10")

    book.close(today="2026-02-01")

    # 6.00 of credit are left; 6.00 x 21 % = 1.26
    note = book.invoice("CN-2026-000001")
    assert (note["net"], note["vat_total"], note["gross"]) == ("6.00", "1.26", "7.26")
    assert (note["statement"]["opening"], note["statement"]["closing"]) == ("-6.00", "-7.26")
    assert book.balance("C1")["owed"] == "-7.26"
    assert book.sums()["Liabilities:VAT:S21"] == Decimal("-0.84")  # of the 4.00 that were used

    book.talks("C1", "2026-02-05", 6, today="2026-02-06")
    (closed,) = book.close(today="2026-03-01")
    bill = book.invoice(closed["number"])
    assert (bill["gross"], bill["to_pay"]) == ("7.26", "0.00")
    assert total(bill["statement"]) == 0
    assert bill["statement"]["opening"] == "-6.00"
    assert total(book.statement("C1", today="2026-03-02")) == 0
    for top in book.tops():
        assert bean_check(book.root / top) == ""


def test_entering_taxed_refills_taxes_the_credit_there_is(book):
    configured(book, rules="").customers({"id": "C1", "vat": "on-invoice"})
    book.moves("refills", "C1", "2026-01-02", "12.10", today="2026-01-03")
    book.run("customer", "set", "C1", "vat=on-refill", "--from", "2026-02-01", today="2026-01-10")

    first, second = book.close(today="2026-03-01")

    assert (first["number"], second["number"]) == (None, None)
    bill = book.invoice("INV-2026-000001")
    assert (bill["kind"], bill["net"], bill["vat_total"]) == ("invoice", "10.00", "2.10")
    assert (bill["statement"]["opening"], bill["statement"]["closing"]) == ("-12.10", "-10.00")
    statement = book.documents()["statement-C1-2026-02-01"]["statement"]
    assert (statement["opening"], statement["closing"]) == ("-12.10", "-10.00")
    assert book.sums()["Liabilities:VAT:S21"] == Decimal("-2.10")


def test_usage_beyond_what_was_paid_is_taxed_when_refills_are_no_more(book):
    prepaid(book)
    book.talks("C1", "2026-01-05", 10, today="2026-01-06")
    book.run("customer", "set", "C1", "vat=included", "--from", "2026-02-01", today="2026-01-10")

    book.close(today="2026-02-01")

    bill = book.invoice("INV-2026-000001")
    assert (bill["net"], bill["vat_total"], bill["to_pay"]) == ("10.00", "2.10", "12.10")
    assert book.balance("C1")["owed"] == "12.10"


def test_a_treatment_that_changes_what_is_posted_must_come_before_it(book):
    configured(book, rules="").customers({"id": "C1", "vat": "on-invoice"})
    book.talks("C1", "2026-02-05", 10, today="2026-02-06")
    for treatment in ("included", "on-refill"):
        words = ("customer", "set", "C1", f"vat={treatment}", "--from", "2026-02-01")
        refused = book.run(*words, today="2026-02-06", code=1)
        (said,) = refused.errors
        assert said == (
            "a2ledger: C1: vat: from 2026-02-01 on something is posted already as on-invoice; "
            "nothing was changed; say --from 2026-03-01"
        )
    book.run("customer", "set", "C1", "vat=included", "--from", "2026-03-01", today="2026-02-06")


def test_what_is_paid_back_gives_its_tax_back_with_a_credit_note(book):
    prepaid(book)
    book.moves("payments", "C1", "2026-01-02", "12.10", id="p1", today="2026-01-03")
    book.moves("refills", "C1", "2026-01-02", "24.20", today="2026-01-03")
    words = ("refund", "C1", "24.20", "--date", "2026-01-04")
    for _ in range(2):  # asked for twice, it is paid once
        book.run(*words, today="2026-01-05")
    for _ in range(2):
        book.run("returned", "C1", "p1", "--date", "2026-01-05", today="2026-01-05")

    notes = [one for one in book.documents().values() if one["kind"] == "credit-note"]
    assert [(one["net"], one["vat_total"], one["gross"]) for one in notes] == [
        ("20.00", "4.20", "24.20"),
        ("10.00", "2.10", "12.10"),
    ]
    assert [one["original"] and one["original"]["number"] for one in notes] == [
        "INV-2026-000002",  # of the refill of 24.20, the latest of what is paid back
        "INV-2026-000001",
    ]
    assert book.balance("C1")["owed"] == "0.00"
    assert not any(account.startswith("Liabilities:VAT") for account in book.sums())
    refused = book.run(
        "credit-note", "INV-2026-000001", "--reason", "a gift", today="2026-01-05", code=1
    )
    assert "INV-2026-000001 is of a refill" in refused.errors[0]


def test_a_payment_that_reaches_its_owner_is_taxed_as_he_is(book):
    prepaid(book).customers({"id": "C2"})
    book.moves("payments", "C2", "2026-01-02", "12.10", id="p1", today="2026-01-03")
    words = ("transfer", "C2", "C1", "p1", "--date", "2026-01-04")
    for _ in range(2):
        book.run(*words, today="2026-01-05")

    assert (book.balance("C1")["owed"], book.balance("C2")["owed"]) == ("-10.00", "0.00")
    assert book.invoice("INV-2026-000001")["gross"] == "12.10"
    back = ("transfer", "C1", "C2", "p1", "--date", "2026-01-05")
    book.run(*back, today="2026-01-05")
    assert (book.balance("C1")["owed"], book.balance("C2")["owed"]) == ("0.00", "-12.10")
    assert book.invoice("CN-2026-000001")["gross"] == "12.10"


def test_a_refill_and_what_it_was_used_for_are_explained(book):
    prepaid(book)
    book.moves("refills", "C1", "2026-01-02", "12.10", id="r1", today="2026-01-03")
    book.talks("C1", "2026-01-05", 4, today="2026-01-06")
    book.close(today="2026-02-01")

    refill = book.run("explain", "INV-2026-000001", "1").stdout
    assert "2026-01-02  Refill: 12.10" in refill
    usage = book.run("explain", "statement-C1-2026-01-01", "1").stdout
    assert "2026-01-05  Calls, 1 call, 0:04:00: 4.000000" in usage
    assert "has 1 line(s)" in book.run("explain", "statement-C1-2026-01-01", "2", code=1).stderr
