from __future__ import annotations

import csv
import io

import pyarrow.parquet as pq
import pytest
from harness import Book, call, cdr, csv_text

from a2ledger.sources import bookmarks

TODAY = "2026-01-20"
LATER = "2026-02-03"


def log(*rows, name="Master.csv"):
    return name, "".join(f"{row}\n" for row in rows)


def held(book: Book, *words) -> dict[str, str]:
    """Reasons of what lies in quarantine, by identity."""
    rows = book.run("quarantine", "list", "--json", *words).json
    return {row["identity"]: row["reason"] for row in rows}


def journals(book: Book) -> dict[str, str]:
    return {p: d for p, d in book.digests().items() if p.startswith(("journals", "calls/DIGESTS"))}


@pytest.fixture
def shop(book):
    """A book with C1 and a source pbx1, and no rate for numbers that begin with 9."""
    book.today = TODAY
    book.customers({"id": "C1"})
    book.append("a2ledger.toml", '\n[sources.pbx1]\ndialect = "asterisk"\n')
    tariff = book.root / "tariffs/standard.csv"
    tariff.write_text(tariff.read_text().replace("\ndefault,Anywhere", "\n3,Anywhere"))
    return book


def test_a_number_dialled_as_at_home_is_said_to_be_one_and_is_priced_once_the_source_says_so(shop):
    path = shop.file(*log(cdr(uniqueid="1767607200.1", sequence=1, dst="0470123456")))
    done = shop.run("import", "pbx1", path, code=3)
    assert "set sources.pbx1.national and country in a2ledger.toml" in done.stderr
    shop.append("a2ledger.toml", 'national = "0"\ncountry = "32"\n')
    (report,) = shop.run("quarantine", "retry", "--json").json
    assert report["posted"] == 1


def test_a_row_without_a_rate_comes_back_once_there_is_one_from_the_text_that_was_kept(shop):
    rows = [
        cdr(uniqueid="1767607200.1", sequence=1),
        cdr(uniqueid="1767607201.2", sequence=2, dst="99123", clid='"A ""B"" \nC" <1>', billsec=90),
        cdr(uniqueid="1767607202.3", sequence=3, dst="99124"),
    ]
    path = shop.file(*log(*rows))
    shop.run("import", "pbx1", path, code=3)
    assert held(shop) == {"pbx1/1767607201.2/2": "no-rate", "pbx1/1767607202.3/3": "no-rate"}
    path.unlink()

    still = shop.run("quarantine", "retry", code=1)
    assert "pbx1: 2 rows read, 0 posted, 2 quarantined (no-rate 2)" in still.stderr
    assert len(held(shop)) == 2

    shop.append("tariffs/standard.csv", "9,Nowhere,2.00,60,60\n")
    done = shop.run("quarantine", "retry", "--json")

    (report,) = done.json
    assert (report["source"], report["read"], report["posted"]) == ("pbx1", 2, 2)
    assert report["amount"] == "6.00"  # two minutes begun and one, at 2.00
    assert held(shop) == {}
    assert shop.log()[0].startswith("quarantine retry: pbx1: 2 rows read, 2 posted")
    path.write_text(log(*rows)[1])
    again = shop.run("import", "pbx1", path, "--json").json
    assert (again["posted"], again["duplicate"]) == (0, 3)
    assert shop.run("quarantine", "retry").stderr == ""


def test_retrying_and_importing_again_come_to_the_same_book(shop, monkeypatch):
    monkeypatch.setattr(bookmarks, "WORTH", 1)
    path = shop.file(*log(cdr(), cdr(uniqueid="1767607201.2", sequence=2, accountcode="new")))
    shop.run("import", "pbx1", path, code=3)
    shop.customers({"id": "C2", "identifiers": "new"})

    shop.run("quarantine", "retry")
    retried = journals(shop)
    shop.run("import", "pbx1", path, "--all")

    assert journals(shop) == retried
    assert shop.balance("C2")["unbilled"] == "1.00"


def test_rows_may_be_chosen_by_reason_and_by_identity(shop):
    path = shop.file(
        *log(
            cdr(uniqueid="1767607201.1", dst="91"),
            cdr(uniqueid="1767607202.2", dst="92"),
            cdr(uniqueid="1767607203.3", accountcode="new"),
        )
    )
    shop.run("import", "pbx1", path, code=3)
    shop.append("tariffs/standard.csv", "9,Nowhere,2.00,60,60\n")
    shop.customers({"id": "C2", "identifiers": "new"})
    assert held(shop, "--reason", "unknown-customer") == {"pbx1/1767607203.3/1": "unknown-customer"}

    shop.run("quarantine", "retry", "pbx1/1767607202.2/1")
    assert sorted(held(shop).values()) == ["no-rate", "unknown-customer"]
    shop.run("quarantine", "retry", "--reason", "unknown-customer")
    assert held(shop) == {"pbx1/1767607201.1/1": "no-rate"}

    missing = shop.run("quarantine", "retry", "pbx1/1", code=1)
    advice = "nothing was tried; see `a2ledger quarantine list`"
    assert missing.stderr == f"a2ledger: pbx1/1: not in the quarantine; {advice}\n"


def test_a_row_keeps_its_place_and_its_other_columns_when_it_comes_back(shop):
    lines = [cdr(uniqueid=f"17676072{n:02d}.{n}", sequence=n) for n in range(5)]
    lines[3] = cdr(uniqueid="1767607299.9", sequence=9, accountcode="new")
    path = shop.file(*log(*lines))
    shop.run("import", "pbx1", path, code=3)
    shop.customers({"id": "C2", "identifiers": "new"})

    shop.run("quarantine", "retry")

    (row,) = (
        row
        for row in pq.read_table(shop.root / "calls/2026-01/2026-01-05.parquet").to_pylist()
        if row["customer"] == "C2"
    )
    assert (row["file"], row["line"], row["caller"]) == (str(path), 4, "3225550101")


def test_a_row_of_a_file_with_a_header_is_read_by_that_header(shop):
    rows = [call(f"c{n}", "C1" if n else "new", "2026-01-05", 60) for n in (1, 0)]
    rows = [{"junk": "x", **dict(reversed(row.items()))} for row in rows]
    shop.imported("calls", rows, code=3)
    shop.customers({"id": "C2", "identifiers": "new"})

    assert shop.run("quarantine", "retry", "--json").json[0]["posted"] == 1
    assert held(shop) == {}
    assert shop.balance("C2")["unbilled"] == "1.00"


CONFLICT = "another call with this id is in the book; `quarantine retry --accept` adds this one"


def rivals(shop: Book) -> tuple[str, str]:
    """Import two calls with one id; the one of ten o'clock stays. The files' names."""
    early = shop.file("early.csv", log(cdr(billsec=60))[1])
    late = shop.file("late.csv", log(cdr(start="2026-01-05 10:30:00", billsec=300))[1])
    shop.run("import", "pbx1", early)
    shop.run("import", "pbx1", late, code=3)
    return str(early), str(late)


def test_of_two_calls_with_one_id_the_other_is_accepted_for_good(shop):
    early, late = rivals(shop)
    assert len(held(shop)) == 1
    assert shop.balance("C1")["unbilled"] == "1.00"

    said = shop.run("quarantine", "retry", code=1).stderr
    assert said == "a2ledger: 1 conflict(s) not tried again; --accept takes them\n"
    done = shop.run("quarantine", "retry", "--accept")

    assert "pbx1: 1 rows read, 1 posted; 5.00" in done.stderr
    assert shop.balance("C1")["unbilled"] == "6.00"
    assert not held(shop)
    # What was decided stays decided, whatever is imported again and in whatever order.
    accepted = journals(shop)
    for file in (early, late, early):
        shop.run("import", "pbx1", file, "--all")
        assert journals(shop) == accepted
        assert not held(shop)


def test_a_call_that_is_accepted_beside_one_of_a_closed_period_is_late(shop):
    rivals(shop)
    shop.run("import", "pbx1", shop.file("none.csv", ""), "--empty", today=LATER)
    shop.close(today=LATER)

    done = shop.run("quarantine", "retry", "--accept", today=LATER)

    assert "1 late; 5.00" in done.stderr
    assert not held(shop)


def test_a_row_without_a_sequence_is_another_call_of_its_id_where_a_person_says_so(shop):
    wide, narrow = cdr(), ",".join(cdr(start="2026-01-05 11:00:07").split(",")[:18])
    narrow = narrow.replace('"""Reception"" <3225550101>"', '"x"')
    shop.run("import", "pbx1", shop.file("a.csv", f"{wide}\n"))
    shop.run("import", "pbx1", shop.file("b.csv", f"{narrow}\n"), code=3)
    shop.run("quarantine", "retry", "--accept")

    journal = shop.text("journals/2026-01/C1.01.beancount")
    assert '"Calls" "2 calls, ' in journal


def test_money_comes_back_once_its_customer_is_there(shop):
    refill = {"id": "r1", "customer": "C7", "date": "2026-01-05", "amount": "10.00"}
    others = [refill | {"id": "r2", "amount": "many"}, refill | {"id": "r3", "customer": "C1"}]
    charge = {**refill, "id": "f1", "service": "Setup", "customer": "C1", "description": "a\nb"}
    shop.imported("refills", [refill, *others], code=3)
    shop.imported("charges", [charge], code=3)
    shop.customers({"id": "C7"})
    shop.append("a2ledger.toml", '\n[services.Setup]\nvat = "O"\n')

    done = shop.run("quarantine", "retry", "--json", code=1)

    assert [(one["source"], one["read"], one["posted"]) for one in done.json] == [
        ("charges", 1, 1), ("refills", 2, 1),
    ]  # fmt: skip
    assert held(shop) == {"refill-refills-r2": "bad-amount"}
    assert shop.balance("C7")["billed"] == "-10.00"
    again = shop.imported("refills", [refill], code=0)
    assert "1 duplicate" in again.stderr


def test_a_corrected_row_of_money_takes_the_place_of_what_the_open_period_has(shop):
    payment = {"id": "p1", "customer": "C1", "date": "2026-01-05", "amount": "10.00"}
    shop.imported("payments", [payment])
    shop.imported("payments", [payment | {"amount": "12.00"}], code=3)
    assert shop.balance("C1")["billed"] == "-10.00"

    shop.run("quarantine", "retry", "--accept")

    assert shop.balance("C1")["billed"] == "-12.00"
    assert "1 duplicate" in shop.imported("payments", [payment | {"amount": "12.00"}]).stderr
    (row,) = shop.run("quarantine", "list", "--json").json
    assert "10.00 EUR" in row["raw"]
    said = shop.run("quarantine", "retry", "--accept", code=1).stderr
    assert "its text was not kept; not tried again" in said


def test_money_of_a_closed_period_is_replaced_by_nothing(shop):
    payment = {"id": "p1", "customer": "C1", "date": "2026-01-05", "amount": "10.00"}
    shop.imported("payments", [payment])
    shop.imported("payments", [payment | {"amount": "12.00"}], code=3)
    shop.run("import", "pbx1", shop.file("none.csv", ""), "--empty", today=LATER)
    shop.close(today=LATER)

    shop.run("quarantine", "retry", "--accept", today=LATER, code=1)

    assert shop.balance("C1")["billed"] == "-10.00"
    assert list(held(shop).values()) == ["conflict"]


def test_customers_come_back_as_well(shop):
    shop.customers({"id": "C8", "vat": "flat"}, code=3)
    assert list(held(shop).values()) == ["customer"]

    said = shop.run("quarantine", "retry", code=1).stderr

    assert "customers: 1 rows read, 0 posted, 1 quarantined (customer 1)" in said


def test_what_an_older_program_did_not_keep_is_said(shop):
    old = (
        "source,identity,file,line,reason,message,raw\n"
        'pbx1,pbx1/1.1,Master.csv,7,no-rate,no rate,"{}"\n'
        "pbx1,pbx1/1.2#abc,Master.csv,8,conflict,another,C1 2026\n"
        "refills,refill-refills-r1,r.csv,2,unknown-customer,none,r1 C7\n"
        'pbx1,pbx1/1767607200.1/1,M.csv,9,unknown-customer,none,"{}"\n'
    )
    row = cdr().replace('"', '""')
    (shop.root / "quarantine").mkdir()
    (shop.root / "quarantine/rows.csv").write_text(old.format("x" * 4096, row))

    done = shop.run("quarantine", "retry", "--accept", code=1)

    assert done.stderr.count("its text was not kept; not tried again; import ") == 3
    assert "pbx1: 1 rows read, 1 posted" in done.stderr
    assert len(held(shop)) == 3


def test_a_source_that_is_gone_leaves_its_rows_where_they_are(shop):
    shop.run("import", "pbx1", shop.file(*log(cdr(accountcode="new"))), code=3)
    shop.edit("a2ledger.toml", "\n[sources.pbx1]\ndialect", "\n[sources.pbx2]\ndialect")

    done = shop.run("quarantine", "retry", code=1)

    assert "pbx1: no such source in a2ledger.toml; not tried again" in done.stderr
    assert len(held(shop)) == 1


def test_a_dry_run_of_retrying_writes_nothing(shop):
    shop.run("import", "pbx1", shop.file(*log(cdr(accountcode="new"))), code=3)
    shop.customers({"id": "C2", "identifiers": "new"})
    before = shop.digests()

    shop.run("quarantine", "retry", "--dry-run")

    assert shop.digests() == before


def test_the_list_has_stable_columns_and_a_summary(shop):
    path = shop.file(*log(cdr(), cdr(uniqueid="1767607201.2", accountcode="new")))
    shop.run("import", "pbx1", path, code=3)

    done = shop.run("quarantine", "list")

    message = "no customer holds 'new' (accountcode) on 2026-01-05"
    assert done.stdout == f"pbx1  pbx1/1767607201.2/1  {path}:2  unknown-customer  {message}\n"
    assert done.stderr == "pbx1: 1 unknown-customer\n"
    assert shop.run("quarantine", "list", "--reason", "no-rate").stdout == ""


def test_the_file_holds_the_row_as_it_came_and_the_header_it_came_with(shop):
    rows = [call("c1", "nobody", "2026-01-05", 60)]
    shop.imported("calls", rows, code=3)

    (row,) = csv.DictReader(io.StringIO(shop.text("quarantine/rows.csv")))

    assert csv_text(rows) == f"{row['head']}\n{row['raw']}\n"
