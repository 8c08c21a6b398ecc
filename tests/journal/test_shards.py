"""The general ledger of a large book stands in many files, and says what one file would."""

from __future__ import annotations

import re
import shutil

import pytest
from harness import Book, bean_check, made_once

from a2ledger.balances import balances, check
from a2ledger.book import book as files
from a2ledger.journal import shards

CUSTOMERS = [{"id": f"C{number}"} for number in range(1, 7)]


def _grown(book: Book, above: int) -> Book:
    """Two months of six customers, the first of them closed."""
    toml = book.root / "a2ledger.toml"
    toml.write_text(f"shard_above = {above}\n" + toml.read_text())
    book.customers(*CUSTOMERS)
    for number in range(1, 7):
        book.talks(f"C{number}", "2026-01-10", number, today="2026-01-20")
    book.close(today="2026-02-03")
    book.today = "2026-02-10"
    book.moves("payments", "C2", "2026-02-05", "1.00")
    book.talks("C3", "2026-02-06", 3)
    return book


@pytest.fixture
@made_once
def spread(book: Book) -> Book:
    return _grown(book, above=3)


def _figures(book: Book) -> object:
    """What the book answers, whichever way its general ledger stands."""
    reports = [
        book.run("report", "receivables", "--to", "2026-01-31", "--json").json,
        book.run("report", "sales", "--from", "2026-01-01", "--to", "2026-02-10", "--json").json,
    ]
    found = book.run("find", "payments-7", "--json").json
    sums = book.sums("journals/history.beancount")
    return book.run("balances", "--json").json, sums, reports, found


def _in_all(sums):
    """Sums by account, with customers' accounts as a whole."""
    found = {}
    for account, number in sums.items():
        head = account.split(":X-")[0].split(":C")[0]
        found[head] = found.get(head, 0) + number
    return found


def test_a_large_book_has_many_files_and_loads_in_beancount(spread):
    files = sorted(path.parent.name for path in spread.root.glob("journals/general/*/*.beancount"))
    assert {"2026-01", "2026-02", "opens"} <= set(files)
    assert not (spread.root / "journals/general/opens.beancount").exists()
    for top in spread.tops():
        assert bean_check(spread.root / top) == ""
    spread.run("check")
    spread.run("verify")


def test_it_answers_what_the_same_book_in_one_file_a_month_answers(spread, empty_book, tmp_path):
    root = shutil.copytree(empty_book, tmp_path / "small")
    small = _grown(Book(root, tmp_path / "more"), above=100)
    assert (small.root / "journals/general/2026-01.beancount").exists()
    assert _figures(spread) == _figures(small)


def test_main_holds_control_totals_by_shard_and_history_every_customer(spread):
    main, history = spread.sums(), spread.sums("journals/history.beancount")
    owed = {
        account.split(":")[2]: number for account, number in main.items() if "Receivable" in account
    }

    assert set(owed) == {f"X-Shard-{shards.of(row['id'])}" for row in CUSTOMERS}
    assert "Assets:Receivable:C1:Billed" in history
    assert _in_all(main) == _in_all(history)
    assert max(entry.date for entry in spread.entries()).isoformat() == "2026-02-28"


def test_check_compares_control_totals_with_customers_own_ledgers(spread):
    book = files.Book(spread.root)
    operators = balances.main(book)
    rows = balances.standings(book, operators)
    everybody = {row.customer for row in rows}
    (wrong, *others) = rows
    wrong = wrong._replace(billed_micro=wrong.billed_micro + 1)

    assert list(check.soundness(book, operators, rows, everybody)) == []
    (named,) = check.soundness(book, operators, [wrong, *others], everybody)
    assert "Assets:Receivable:C1:Billed is 1.000001" in named.what
    assert list(check.soundness(book, operators, [wrong, *others], {"C2"})) == []

    shard = shards.of("C1")
    month = spread.root / "journals/general/carried/2026-01.beancount"
    line = f"Assets:Receivable:X-Shard-{shard}:Billed"
    text = re.sub(rf"({line} +)1\.000000", r"\g<1>3.000000", month.read_text())
    month.write_text(text.replace("X-Carried  -1.000000", "X-Carried  -3.000000", 1))
    (named,) = check.soundness(book, balances.main(book), rows, everybody)
    assert f"general/opens/{shard}.beancount owe 1.000000 EUR billed" in named.what
    assert "3.000000 EUR billed in the control totals" in named.what


def test_amounts_of_two_currencies_do_not_make_up_for_each_other(spread):
    book = files.Book(spread.root)
    operators = balances.main(book)
    first, *others = balances.standings(book, operators)
    other = first._replace(currency="USD")

    (named,) = check.soundness(book, operators, [other, *others], {"C1"})

    assert "1.000000 USD billed in their own ledgers" in named.what


def test_customers_of_one_shard_do_not_make_up_for_each_other(book):
    """One has what another lacks: their total is as it was."""
    names = [f"C{number}" for number in range(1, 400) if shards.of(f"C{number}") == shards.of("C1")]
    toml = book.root / "a2ledger.toml"
    toml.write_text("shard_above = 1\n" + toml.read_text())
    one, two = names[:2]
    book.customers({"id": one}, {"id": two})
    for name in (one, two):
        book.talks(name, "2026-01-10", 3, today="2026-01-20")
    book.run("check")
    book.edit(f"journals/2026-01/{one}.01.beancount", "3.000000", "4.000000")
    book.edit(f"journals/2026-01/{two}.01.beancount", "3.000000", "2.000000")

    said = book.run("balances", code=1).stderr

    assert f"Assets:Receivable:{one}:Unbilled is 4.000000 in the customer's own ledger" in said
    assert f"Assets:Receivable:{two}:Unbilled is 2.000000 in the customer's own ledger" in said


def test_totals_made_by_an_earlier_way_of_writing_main_are_made_anew(spread):
    before = spread.digests()
    (spread.root / "journals/general/carried.beancount").unlink()
    for path in spread.root.glob("journals/general/carried/*.beancount"):
        path.write_text("; 2026-01, day by day\n")

    spread.run("doctor", "--mend")

    assert spread.digests() == before


def test_a_change_of_one_customer_rewrites_only_the_files_of_its_hash(spread):
    before = spread.digests()
    spread.run("customer", "set", "C4", "credit_limit=250")
    after = spread.digests()
    changed = {path for path in after if after[path] != before.get(path)}
    assert changed == {
        "journals/customers/C4.beancount",
        f"journals/general/opens/{shards.of('C4')}.beancount",
    }


def test_a_book_that_grew_stays_as_it_is_until_upgrade_spreads_it_in_one_commit(book):
    _grown(book, above=100)
    book.edit("a2ledger.toml", "shard_above = 100", "shard_above = 3")
    book.run("charge", "C1", "1.00", "--service", "Subscriptions")
    assert (book.root / "journals/general/opens.beancount").exists()
    book.run("verify")
    figures, commits = _figures(book), len(book.log())

    done = book.run("upgrade")

    assert "spread over many files" in done.stderr
    assert len(book.log()) == commits + 1
    assert not list(book.root.glob("journals/general/*20*.beancount"))
    assert _figures(book) == figures
    book.run("verify")
    assert "up to date" in book.run("upgrade").stderr


def test_a_file_of_it_that_hands_changed_is_named_and_made_anew(spread):
    before = spread.digests()
    opens = f"journals/general/opens/{shards.of('C4')}.beancount"
    month = f"journals/general/2026-01/{shards.of('C3')}.beancount"
    spread.edit(opens, "100.00", "9000.00")
    (said, *_) = spread.run("balances", code=1).errors
    assert opens in said
    (spread.root / month).unlink()

    spread.run("doctor", "--mend")

    assert spread.digests() == before
    spread.run("balances")


def test_a_stray_file_of_a_spread_ledger_does_not_spread_a_small_one(book):
    book.customers(*CUSTOMERS)
    before = book.digests()
    stray = book.root / "journals/general/2026-01/7f.beancount"
    stray.parent.mkdir()
    stray.write_text("; from another book\n")

    refused = book.run("payment", "C1", "1.00", code=1)

    assert "journals/general/2026-01/7f.beancount: is no file of a book's" in refused.stderr
    stray.unlink()
    assert book.digests() == before
    book.run("payment", "C1", "1.00")
    assert (book.root / "journals/general/opens.beancount").exists()
