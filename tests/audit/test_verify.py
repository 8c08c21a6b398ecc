"""Closed periods under attack: what `verify` finds, and what needs a seal kept outside."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples import cases, sampled
from harness import Book, slim
from hypothesis import given, settings
from hypothesis import strategies as st

from a2ledger.book.book import Book as Reader
from a2ledger.calls import detail
from a2ledger.journal import customer_file, ledger, seal, subledgers

TODAY = "2026-04-10"
FEBRUARY = "journals/2026-02/C1.01.beancount"
MARCH = "journals/2026-03/C1.01.beancount"
APRIL = "journals/2026-04/C1.01.beancount"
BILL = "invoices/2026/INV-2026-000003.json"
"""C1's bill of February."""


@pytest.fixture(scope="module")
def made(empty_book, tmp_path_factory) -> Book:
    """Three closed months of two customers, with a late call and a credit note."""
    root = tmp_path_factory.mktemp("made") / "book"
    shutil.copytree(empty_book, root)
    book = Book(root, root.parent / "files", "2026-01-20")
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2"})
    for month in ("01", "02", "03"):
        book.talks("C1", f"2026-{month}-05", 10, today=f"2026-{month}-20")
        book.talks("C2", f"2026-{month}-06", 3, today=f"2026-{month}-20")
        book.moves("payments", "C1", f"2026-{month}-08", "4.00", today=f"2026-{month}-20")
        if month == "02":
            book.talks("C1", "2026-01-07", 2, today="2026-02-20")
            words = ("credit-note", "INV-2026-000001", "--line", "1", "--reason", "wrong")
            book.run(*words, today="2026-02-21")
        book.close(today=f"2026-{int(month) + 1:02d}-02")
    book.today = TODAY
    book.talks("C1", "2026-04-03", 1)
    slim(root)
    return book


@pytest.fixture
def closed(made, tmp_path) -> Book:
    """A copy of that book."""
    shutil.copytree(made.root, tmp_path / "book")
    return Book(tmp_path / "book", tmp_path / "files", TODAY)


DAMAGE = (
    (rb"^.*$", b""),
    (rb"^(.*)$", rb"\1\n\1"),
    (rb"\d{4}-\d\d-\d\d", b"2026-02-30"),
    (rb"-?\d+\.\d+", b"1.2.3"),
    (rb"-?\d+\.\d+", b"1.1234567"),
    (rb'"[^"]*"', b'"zz"'),
    (rb'"[^"]*"', b"null"),
    (rb"[a-z]", b"\xff"),
    (rb"\d+", b"9" * 20),
    (rb"EUR", b"XXX"),
)


def found(book: Book, *words: object) -> list[dict]:
    """What `verify` finds; its exit code says the same."""
    errors = book.run("verify", "--json", *words, code=1).json["errors"]
    assert errors
    assert all(set(one) == {"check", "message", "file", "line"} for one in errors)
    return errors


def hashes(book: Book, path: str) -> list[str]:
    return re.findall(r'custom "a2ledger-seal" .*"([0-9a-f]{64})" \d', book.text(path))


def test_a_book_nobody_touched_holds(closed):
    done = closed.run("verify")
    assert (done.stdout, done.stderr) == (
        "",
        "6 sealed period(s) of 2 customer(s) looked at, 0 problem(s)\n",
    )
    assert closed.run("verify", "C2", "--json").json == {"errors": []}


def test_a_close_writes_its_seal_among_the_first_lines_and_onto_the_bill(closed):
    lines = closed.text(MARCH).split("\n")
    assert lines[0].startswith("2026-03-01 balance ")
    assert re.fullmatch(
        r'2026-03-01 custom "a2ledger-seal" "INV-2026-000003" ("[0-9a-f]{64}" ){3}'
        r"2 3 14\.52 EUR 26\.62 EUR",  # calls and gross of February, and of January as well
        lines[2],
    )
    short = closed.documents()["INV-2026-000003"]["seal"]
    assert hashes(closed, MARCH)[0].startswith(short.replace("-", ""))
    for form in ("text", "html"):
        done = closed.run("invoice", "INV-2026-000003", "--format", form, "-o", "-")
        assert short in done.stdout
    assert closed.run("verify", "--expect", short, "--expect", hashes(closed, MARCH)[0]).code == 0


def changed_line(book):
    book.edit(FEBRUARY, "Payment", "Gift")


def changed_and_committed(book):
    book.edit(FEBRUARY, "Payment", "Gift")
    book.git("-c", "user.name=x", "-c", "user.email=a2ledger@localhost", "commit", "-qam", "fix")


def added_entry(book):
    entry = (
        '2026-02-09 * "Refill" ""\n'
        "  Assets:Cash  1.00 EUR\n  Assets:Receivable:C1:Billed  -1.00 EUR\n\n"
    )
    book.edit(FEBRUARY, "; ---- usage", entry + "; ---- usage")


def removed_file(book):
    (book.root / FEBRUARY).unlink()


def swapped_files(book):
    one, other = (book.root / path for path in (FEBRUARY, MARCH))
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


def changed_line_ends(book):
    path = book.root / FEBRUARY
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def put_link_in_its_place(book):
    path = book.root / FEBRUARY
    path.rename(book.files / "elsewhere")
    path.symlink_to(book.files / "elsewhere")


def put_in_what_is_no_text(book):
    path = book.root / FEBRUARY
    path.write_bytes(path.read_bytes().replace(b"Payment", b"Paym\xffnt"))


def put_a_number_that_is_none_into_the_document(book):
    book.edit(BILL, '"gross": "14.52"', '"gross": "1.4.52"')


def put_a_day_that_is_none_into_the_document(book):
    book.edit(BILL, '"issue_date": "2026-', '"issue_date": "2026-30-')


def changed_document(book):
    book.edit(BILL, '"gross": "14.52"', '"gross": "14.25"')


def spaced_document(book):
    book.edit(BILL, '"gross": ', '"gross":  ')


def renamed_customer_on_a_bill(book):
    book.edit(BILL, '"id": "C1"', '"id": "C2"')


def took_the_seal_off_a_bill(book):
    text = book.text(BILL)
    (book.root / BILL).write_text(re.sub(r',\n "seal": "[^"]*"', "", text))


def removed_document(book):
    (book.root / BILL).unlink()


def removed_credit_note(book):
    (book.root / "invoices/2026/CN-2026-000001.json").unlink()


def changed_credit_note(book):
    book.edit("invoices/2026/CN-2026-000001.json", "wrong", "right")


def changed_call(book):
    """A call becomes dearer, and DIGESTS is made to say so."""
    day = dt.date(2026, 2, 5)
    path = book.root / detail.path(day)
    calls = pq.read_table(path)
    place = calls.schema.get_field_index("called")
    calls = calls.set_column(place, "called", pa.array(["3225550100"] * len(calls)))
    pq.write_table(calls, path)
    digests = detail.parse_digests(book.text("calls/DIGESTS"))
    digests[day] = detail.digest(detail.read(book.root, day, digests))
    (book.root / "calls/DIGESTS").write_text(detail.written_digests(digests))


def removed_calls(book):
    (book.root / detail.path(dt.date(2026, 2, 5))).unlink()


def changed_seal(book):
    old = hashes(book, MARCH)[0]
    book.edit(MARCH, old, "0" * 64)


def removed_seal(book):
    text = book.text(MARCH)
    (book.root / MARCH).write_text(re.sub(r'.*custom "a2ledger-seal".*\n', "", text))


def removed_every_seal(book):
    """As if it had been closed before there were seals; but the bills still bear them."""
    for path in sorted(book.root.glob("journals/2026-*/*.beancount")):
        path.write_text(re.sub(r'.*custom "a2ledger-seal".*\n', "", path.read_text()))


def second_seal(book):
    line = next(one for one in book.text(APRIL).split("\n") if "a2ledger-seal" in one)
    book.edit(APRIL, line, f"{line}\n{line}")


def other_balance(book):
    book.edit(APRIL, "2026-04-01 balance Assets:Receivable:C1:Billed  ", "2026-04-01 balance "
              "Assets:Receivable:C1:Billed  1")  # fmt: skip


def added_period(book):
    shutil.copy(book.root / FEBRUARY, book.root / "journals/2026-02/C9.01.beancount")


def added_twin_that_differs_in_case(book):
    shutil.copy(book.root / FEBRUARY, book.root / "journals/2026-02/c1.01.beancount")


def added_document(book):
    text = book.text(BILL).replace("INV-2026-000003", "INV-2026-000009")
    (book.root / BILL.replace("003.json", "009.json")).write_text(text)


def took_a_month_out_of_the_chain(book):
    own = customer_file.path("C1")
    book.edit(own, 'include "../2026-02/C1.01.beancount"\n', "")


def changed_general_ledger(book):
    book.edit("journals/general/2026-02.beancount", "Payment", "Gift")


ATTACKS = {
    changed_line: (FEBRUARY, "seal"),
    changed_and_committed: (FEBRUARY, "seal"),
    added_entry: (FEBRUARY, "seal"),
    removed_file: (FEBRUARY, "gone"),
    swapped_files: (FEBRUARY, "chain"),
    changed_line_ends: (FEBRUARY, "seal"),
    put_link_in_its_place: (FEBRUARY, "gone"),
    put_in_what_is_no_text: (FEBRUARY, "seal"),
    put_a_number_that_is_none_into_the_document: (BILL, "document"),
    put_a_day_that_is_none_into_the_document: (FEBRUARY, "seal"),
    changed_document: (BILL, "document"),
    spaced_document: (BILL, "document"),
    renamed_customer_on_a_bill: (FEBRUARY, "seal"),
    took_the_seal_off_a_bill: (BILL, "document"),
    removed_document: (BILL, "document"),
    removed_credit_note: (FEBRUARY, "document"),
    changed_credit_note: (FEBRUARY, "seal"),
    changed_call: (FEBRUARY, "calls"),
    removed_calls: (detail.path(dt.date(2026, 2, 5)), "detail"),
    changed_seal: (FEBRUARY, "seal"),
    removed_seal: (MARCH, "chain"),
    removed_every_seal: (BILL, "chain"),
    second_seal: (APRIL, "chain"),
    other_balance: (APRIL, "chain"),
    added_period: ("journals/2026-02/C9.01.beancount", "extra"),
    added_twin_that_differs_in_case: ("journals/2026-02/c1.01.beancount", "extra"),
    added_document: (BILL.replace("003.json", "009.json"), "extra"),
    took_a_month_out_of_the_chain: (FEBRUARY, "extra"),
    changed_general_ledger: ("journals/general/2026-02.beancount", "general"),
}


@cases("attack", ATTACKS, 10, ids=lambda attack: attack.__name__)
def test_an_attack_is_found_by_name(closed, attack):
    attack(closed)
    file, check = ATTACKS[attack]
    errors = found(closed)
    assert (file, check) in {(one["file"], one["check"]) for one in errors}
    assert all("; " in one["message"] for one in errors)  # what to do


@pytest.mark.long
@settings(max_examples=int(os.environ.get("A2LEDGER_EDITS") or sampled(25, 6)))
@given(data=st.data())
def test_whatever_is_done_to_a_closed_file_is_found_and_ends_in_no_traceback(made, data):
    path = made.root / data.draw(st.sampled_from([FEBRUARY, MARCH, BILL]))
    before = path.read_bytes()
    lines = before.split(b"\n")
    row = data.draw(st.sampled_from([place for place, line in enumerate(lines) if line.strip()]))
    fitting = [(old, new) for old, new in DAMAGE if re.search(old, lines[row])]
    lines[row] = re.sub(*data.draw(st.sampled_from(fitting)), lines[row], count=1)
    path.write_bytes(b"\n".join(lines))
    try:
        if path.read_bytes() != before:
            found(made)
    finally:
        path.write_bytes(before)


def test_what_cannot_be_read_at_all_is_an_error_in_json_too(closed):
    limit = '2026-02-15 custom "a2ledger-set" "credit_limit" 1.2.3\n'
    closed.append(customer_file.path("C1"), limit)
    for command in ("verify", "check"):
        [error] = closed.run(command, "--json", code=1).json["errors"]
        assert (error["file"], error["check"]) == (customer_file.path("C1"), "customer")
        assert "must be a plain number" in closed.run(command, code=1).stderr
    assert closed.run("verify", "--expect", "1f3a", code=2).stdout == ""


def test_a_seal_in_the_open_period_is_not_for_editing(closed):
    removed = re.sub(r'.*custom "a2ledger-seal".*\n', "", closed.text(APRIL))
    (closed.root / APRIL).write_text(removed)
    done = closed.run("customer", "set", "C2", "terms=30", code=1)
    assert f"{APRIL}: the seal of the period before was changed; nothing was done" in done.stderr
    assert (APRIL, "chain") in {(one["file"], one["check"]) for one in found(closed)}


def test_what_was_closed_anew_is_found_by_a_seal_that_was_kept(closed):
    """Whoever may write everything can close a month anew: a printed bill still says otherwise."""
    kept = closed.documents()["INV-2026-000005"]["seal"]
    head = closed.log()
    closed.git("reset", "--quiet", "--hard", f"HEAD~{len(head[: head.index(head[1]) + 1])}")
    closed.git("clean", "--quiet", "-fd", "journals", "invoices", "calls")
    assert not (closed.root / APRIL).exists()
    (closed.root / ".a2ledger/published").unlink()  # which would know better
    closed.moves("charges", "C1", "2026-03-09", "1.00", today="2026-03-25")
    closed.close(today="2026-04-02")

    assert closed.run("verify").code == 0
    [error] = found(closed, "--expect", kept)
    assert (error["check"], kept in error["message"]) == ("expected", True)


def test_a_clone_without_calls_verifies_the_rest_and_says_so(closed, tmp_path):
    closed.git("clone", "--quiet", str(closed.root), str(tmp_path / "clone"))
    clone = Book(tmp_path / "clone", tmp_path / "more", TODAY)
    done = clone.run("verify")
    assert "the call detail is not here" in done.stderr
    changed_line(clone)
    assert (FEBRUARY, "seal") in {(one["file"], one["check"]) for one in found(clone)}


def test_periods_that_were_closed_before_there_were_seals_are_named_and_no_error(closed):
    for name in ("C1", "C2"):
        for month in ("02", "03", "04"):
            path = closed.root / f"journals/2026-{month}/{name}.01.beancount"
            path.write_text(re.sub(r'.*custom "a2ledger-seal".*\n', "", path.read_text()))
    for path in closed.root.glob("invoices/2026/*.json"):
        path.write_text(re.sub(r',\n "seal": "[^"]*"', "", path.read_text()))
    done = closed.run("verify")
    assert "C1: 3 period(s) closed before there were seals" in done.stderr
    assert "0 sealed period(s)" in done.stderr


def test_a_settled_account_and_taxed_refills_hold(book):
    book.customers({"id": "C1", "vat": "on-refill"}, {"id": "C2", "vat": "included"})
    for name in ("C1", "C2"):
        book.moves("refills", name, "2026-01-05", "10.00", today="2026-01-20")
        book.talks(name, "2026-01-06", 3, today="2026-01-20")
    book.close(today="2026-02-01")
    book.talks("C2", "2026-02-02", 1, today="2026-02-10")
    book.run("close", "C2", "--final", today="2026-02-11")
    book.close(today="2026-03-01")
    done = book.run("verify", today="2026-03-01")
    assert "4 sealed period(s) of 2 customer(s)" in done.stderr


def test_what_is_told_of_a_customers_calls_is_his_alone():
    """Another's calls, late ones and their order change nothing in it."""
    base = dict.fromkeys(detail.SCHEMA.names, "")

    def row(customer, uid, late=None, **more):
        full = {**base, "customer": customer, "uid": uid, "late_in": late, **more}
        numbers = {"seconds", "billed_seconds", "cost_micro", "buy_micro", "line", "voided_micro"}
        full |= {name: more.get(name, 7) for name in numbers - {"voided_micro"}}
        full |= {"voided_micro": 0, "given": False, "start": dt.datetime(2026, 1, 5, tzinfo=dt.UTC)}
        return full

    def told(*rows):
        table = detail.ordered(pa.Table.from_pylist(list(rows), detail.SCHEMA))
        return {(one.customer, one.late_in): (one.calls, one.sha256) for one in detail.told(table)}

    late = dt.date(2026, 2, 1)
    alone = told(row("C1", "a"), row("C1", "b"))
    more = told(
        row("C2", "c", void="x", voided_micro=3), row("C1", "b"), row("C1", "z", late),
        row("C1", "a"), row("C3", "d", halves="h"),
    )  # fmt: skip
    assert alone.keys() == {("C1", None)}
    assert more[("C1", None)] == alone[("C1", None)]
    assert more[("C1", late)][0] == 1
    assert told(row("C1", "a", void="gone"))[("C1", None)] != told(row("C1", "a"))[("C1", None)]
    assert detail.told(detail.empty()) == []


def test_rows_parsed_from_a_file_are_those_of_the_loaded_ledger(closed):
    reader = Reader(closed.root)
    for customer in subledgers.customers(reader).values():
        loaded = ledger.rows(ledger.Ledger.load(closed.root / customer_file.path(customer.id)))
        parsed = [
            row
            for start in customer.periods
            for row in ledger.parsed_rows(
                reader.text(customer_file.period_path(customer.id, start)), customer.id
            )
        ]
        [rows] = loaded.values()
        assert sorted(map(str, parsed)) == sorted(
            str(row._replace(file="", lineno=0)) for row in rows
        )


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9])
def test_the_root_depends_on_every_file_and_every_path(count):
    files = {f"f{number}": seal.digest(b"x%d" % number) for number in range(count)}
    roots = {seal.root(files)}
    for path in files:
        roots.add(seal.root({**files, path: seal.digest(b"other")}))
        renamed = {("g" if name == path else name): one for name, one in files.items()}
        roots.add(seal.root(renamed))
    assert len(roots) == 1 + 2 * count
    shuffled = dict(reversed(files.items()))
    assert seal.root(shuffled) == seal.root(files)


# ---- forged ----


def forged_statement(book):
    """A statement beside the real invoice that asks for more."""
    text = re.sub(r',\n "seal": "[^"]*"', "", book.text(BILL)).replace('"14.52"', '"9999.00"')
    (book.root / "invoices/2026/statement-C1-2026-03-01.json").write_text(text)


def twin_of_another_year(book):
    (book.root / "invoices/2025").mkdir()
    shutil.copy(book.root / BILL, book.root / "invoices/2025" / Path(BILL).name)


def invoice_that_a_comment_names(book):
    """Whose link stands in an open period's file, in a comment."""
    added_document(book)
    book.edit(APRIL, "; ---- usage", "; ^INV-2026-000009\n\n; ---- usage")


def customer_and_bills_gone(book):
    """A customer with all periods and documents, out of the middle of the numbers."""
    for path in [
        *book.root.glob("journals/20*/C2.*"),
        book.root / "journals/customers/C2.beancount",
    ]:
        path.unlink()
    for path in book.root.glob("invoices/2026/*.json"):
        if '"id": "C2"' in path.read_text():
            path.unlink()


def month_that_is_a_link(book):
    away = book.root.parent / "away"
    (book.root / "journals/2026-02").rename(away)
    (book.root / "journals/2026-02").symlink_to(away)


def main_edited(book):
    book.append("journals/main.beancount", "; and more\n")


def grafts(book):
    (book.root / ".git/info").mkdir(exist_ok=True)
    (book.root / ".git/info/grafts").write_text(book.git("rev-parse", "HEAD"))


def replaced_commit(book):
    book.git("replace", "HEAD", "HEAD~1")


def no_repository(book):
    shutil.rmtree(book.root / ".git")


FORGED = {
    forged_statement: "invoices/2026/statement-C1-2026-03-01.json: is a document without an entry",
    twin_of_another_year: "INV-2026-000003.json: bears the name of invoices/2025",
    invoice_that_a_comment_names: "INV-2026-000009.json: is a document without an entry "
    "in any journal",
    customer_and_bills_gone: "invoices: INV-2026-000002",
    month_that_is_a_link: "journals/2026-02: is a link",
    main_edited: "journals/main.beancount: is not what",
    grafts: ".git: has grafts",
    replaced_commit: ".git: has replaced commits",
    no_repository: "is gone, and with it the book's history; nothing vouches",
}


@pytest.mark.parametrize("attack", FORGED, ids=lambda attack: attack.__name__)
def test_what_is_forged_is_found(closed, attack):
    attack(closed)
    said = closed.run("verify", code=1).stdout
    assert FORGED[attack] in said, said


def test_a_customer_taken_away_by_a_commit_is_found_in_history(closed):
    customer_and_bills_gone(closed)
    closed.git("-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qam", "tidy")
    said = closed.run("verify", code=1).stdout
    assert "journals/customers/C2.beancount: was taken away in commit" in said


def test_an_anchor_kept_elsewhere_tells_of_what_is_gone_without_a_trace(closed, tmp_path):
    """The latest month is taken away whole, and history written anew without it."""
    file = tmp_path / "anchor.txt"
    closed.run("verify", "--anchor", file)
    closed.run("verify", "--anchor", file)
    (line,) = file.read_text().splitlines()
    assert re.fullmatch(r"2026-04-10 documents=7 customers=2 tags=0 root=[0-9a-f]{64}", line)
    closed.run("verify", "--anchor", file, today="2026-04-11")
    assert len(file.read_text().splitlines()) == 2

    first = closed.git("rev-list", "--reverse", "HEAD").split()
    closed.git("reset", "--quiet", "--hard", first[-4])
    shutil.rmtree(closed.root / ".a2ledger")
    done = closed.run("verify", "--anchor", file, code=1)
    assert "anchor:1: the book is no more what it was on 2026-04-10: documents was 7" in done.stdout
    (said,) = closed.run("verify", "--anchor", closed.root / "x", code=2).stderr.splitlines()[-1:]
    assert "lies in the book itself" in said


def test_a_line_that_is_no_anchor_is_said(closed, tmp_path):
    file = tmp_path / "anchor.txt"
    file.write_text("# kept by Ada\nsomething\n2026-13-01 documents=1 customers=1 tags=0 root=x\n")
    said = closed.run("verify", "--anchor", file, code=1).stdout
    assert said.count("is no anchor") == 2


@pytest.mark.parametrize("ending", ["ubl.xml", "cii.xml", "report.txt"])
def test_what_is_laid_or_changed_beside_a_document_is_named(closed, ending):
    path = BILL.replace("json", ending)
    (closed.root / path).write_text("forged")
    laid = closed.run("verify", code=1).stdout
    assert f"{path}: stands beside the documents, and a2ledger never wrote it" in laid
    closed.git("add", path)
    closed.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "invoice")
    assert path not in closed.run("verify").stdout
    (closed.root / path).write_text("changed")
    changed = closed.run("verify", code=1).stdout
    way_back = f"git checkout HEAD -- {path}"
    assert f"{path}: was changed after it was written; bring it back with `{way_back}`" in changed
    closed.git(*way_back.split()[1:])
    closed.run("verify")


@pytest.mark.parametrize("kept", ["nothing", "commit"])
def test_of_a_history_that_is_damaged_what_lies_beside_documents_is_not_condemned(closed, kept):
    path = BILL.replace("json", "ubl.xml")
    (closed.root / path).write_text("made for somebody")
    commit = closed.git("cat-file", "commit", "HEAD").encode()
    shutil.rmtree(closed.root / ".git/objects")
    (closed.root / ".git/objects").mkdir()
    if kept == "commit":
        words = ["git", "-C", closed.root, "hash-object", "-t", "commit", "--literally"]
        subprocess.run([*words, "-w", "--stdin"], input=commit, check=True, capture_output=True)
    said = closed.run("verify", code=1).stdout
    lost = "git ls-tree: fatal: " if kept == "commit" else "the latest commit cannot be read"
    assert f".git: {lost}" in said
    assert "bring .git back from a backup" in said
    assert path not in said
