from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.book.book import Book, BrokenBookError, Draft, NoBookError
from a2ledger.book.toml_table import ConfigError
from a2ledger.calls import detail
from a2ledger.calls.detail import Digest
from a2ledger.csvfile import csv_text
from a2ledger.customers import register
from a2ledger.journal import subledgers
from a2ledger.rating import decks
from a2ledger.sources import runs

DAY = dt.date(2026, 1, 5)
OWN = "journals/customers/C1.beancount"
OPEN = "journals/2026-01/C1.01.beancount"


@pytest.fixture
def root(tmp_path):
    return shelf.started(tmp_path / "book", "C1", "C2")


def test_a_directory_without_configuration_is_no_book(tmp_path):
    with pytest.raises(
        NoBookError, match=r"a2ledger.toml: not there; nothing was done; .* init DIR"
    ):
        Book(tmp_path)


def test_a_key_that_is_wrong_is_said_with_the_file(root):
    (root / "a2ledger.toml").write_text("format = 3\n")

    with pytest.raises(
        ConfigError,
        match=r"^a2ledger.toml: format: is 3; nothing was done; this a2ledger reads format 1",
    ):
        _ = Book(root).config


def test_a_file_that_is_not_there_is_empty_and_one_that_is_not_utf_8_is_said(root):
    assert Book(root).text("journals/nothing.beancount") == ""
    (root / OWN).write_bytes(b"; caf\xe9\n")

    with pytest.raises(BrokenBookError, match=f"{OWN}: not UTF-8 at byte 5"):
        _ = subledgers.customers(Book(root))["C1"]


def test_customers_are_those_of_the_files(root):
    found = subledgers.customers(Book(root))

    assert list(found) == ["C1", "C2"]
    assert found["C1"].open_since == dt.date(2026, 1, 1)


def test_one_customer_is_read_without_the_others(root):
    (root / "journals/customers/C2.beancount").write_text("; empty\n")
    found = subledgers.customers(Book(root))

    assert found["C1"].id == "C1"
    assert ("C1" in found, "C3" in found, "../C1" in found, len(found)) == (True, False, False, 2)
    assert found.get("C3") is None
    with pytest.raises(BrokenBookError, match="C2"):
        found.items()


def test_every_ledger_that_cannot_be_read_is_said(root):
    (root / OWN).write_text("; empty\n")
    (root / "journals/customers/C2.beancount").rename(root / "journals/customers/C3.beancount")

    with pytest.raises(BrokenBookError) as caught:
        list(subledgers.customers(Book(root)))
    assert [(problem.file, problem.reason) for problem in caught.value.problems] == [
        (OWN, "customer"),
        ("journals/customers/C3.beancount", "customer"),
    ]
    assert "is the ledger of C2" in str(caught.value)


def test_digests_that_are_none_are_said(root):
    (root / "calls").mkdir()
    (root / "calls/DIGESTS").write_text("today 5\n")

    with pytest.raises(BrokenBookError, match="calls/DIGESTS"):
        _ = detail.digests(Book(root))


def test_a_deck_that_is_missing_or_wrong_is_said(root):
    with pytest.raises(BrokenBookError, match=r"tariffs/gold.csv: not there, but a customer"):
        decks.deck(Book(root), "gold")
    (root / "tariffs/gold.csv").write_text("dialprefix,destination,rateinitial\n32,Belgium,free\n")
    with pytest.raises(BrokenBookError, match=r"tariffs/gold.csv:2"):
        decks.deck(Book(root), "gold")


def test_a_deck_is_read_anew_when_its_file_changes(root):
    assert decks.deck(Book(root), "standard").destinations.to_pylist()[0] == "Belgium"
    file = root / "tariffs/standard.csv"
    file.write_text(file.read_text().replace("Belgium", "Belgique"))

    assert decks.deck(Book(root), "standard").destinations.to_pylist()[0] == "Belgique"


def test_a_draft_stands_for_the_files_until_it_is_published(root):
    draft = shelf.draft(root)
    before = shelf.tree(root)

    draft.put("journals/new.beancount", "; new\n")
    draft.put(OPEN, None)

    assert (draft.text("journals/new.beancount"), draft.text(OPEN)) == ("; new\n", "")
    assert "journals/new.beancount" in draft.files("journals")
    assert OPEN not in draft.files("journals/2026-01")
    assert shelf.tree(root) == before


def test_what_is_put_back_as_it_was_is_no_change(root):
    draft = shelf.draft(root)
    text = draft.text(OPEN)

    draft.put(OPEN, text + "; more\n")
    draft.put(OPEN, text)
    draft.put("journals/never.beancount", None)

    assert draft.put_files == {}
    assert draft.publish("nothing") is False


def test_a_period_that_is_not_the_programs_is_said(root):
    (root / OPEN).write_text((root / OPEN).read_text() + '2026-01-05 * "By hand"\n')

    with pytest.raises(BrokenBookError, match=f"{OPEN}: below the marker"):
        subledgers.open_file(shelf.draft(root), "C1")


def test_days_without_calls_leave_the_digests(root):
    draft = shelf.draft(root)
    detail.put_digests(draft, {DAY: Digest(2, "ab"), dt.date(2026, 1, 4): Digest(0, "cd")})

    assert draft.text("calls/DIGESTS") == "2026-01-05 2 ab\n"
    detail.put_digests(draft, {DAY: Digest(0, "")})
    assert draft.text("calls/DIGESTS") == ""


def test_the_first_day_a_customer_is_touched_counts(root):
    draft = shelf.draft(root)
    for day in (9, 5, 7):
        draft.touch("C1", dt.date(2026, 1, day))

    assert draft.touched == {"C1": DAY}


def test_runs_are_the_lines_of_imports_csv(root):
    assert runs.runs(Book(root)) == []
    shelf.take(root, "payments", "id,customer,date,amount\np,C1,2026-01-05,1.00\n")
    ((source, when, through),) = runs.runs(Book(root))
    assert (source, when.date()) == ("payments", shelf.TODAY + dt.timedelta(1))
    assert through is None

    with (root / "imports.csv").open("a") as file:
        file.write("yesterday,pbx1\n")
    with pytest.raises(BrokenBookError, match=r"imports.csv:3"):
        runs.runs(Book(root))


def test_a_writer_sees_what_another_wrote_before_it(empty_book):
    with shelf.copied(empty_book) as root:
        book = Book(root)
        assert subledgers.customers(book) == {}
        shelf.program("-C", root, "--today", "2026-01-01", "--quiet", "customer", "add", "C9")
        with book.writing(shelf.TODAY, shelf.quiet) as draft:
            assert list(subledgers.customers(draft)) == ["C9"]


def test_rows_become_csv_with_plain_line_ends():
    assert csv_text([("a", 1), ('"', "x,y")]) == 'a,1\n"""","x,y"\n'


HAND = '2026-01-05 * "Bank" "fees"\n  Assets:Bank  1.00 EUR\n  {account}  -1.00 EUR\n\n'


@pytest.mark.parametrize("account", ["Assets:Cash", "Assets:Receivable:C1:Billed"])
def test_an_entry_by_hand_stands_once_in_the_general_ledger_or_not_at_all(empty_book, account):
    with shelf.copied(empty_book) as root:
        options = ["-C", root, "--today", "2026-01-09", "--quiet", "customer"]
        shelf.program(*options, "add", "C1", "--opened", "2026-01-01")
        (root / OPEN).write_text(HAND.format(account=account) + (root / OPEN).read_text())
        codes = []
        for name in ("Ada", "Bea", "Cis"):
            try:
                shelf.program(*options, "set", "C1", "--name", name)
                codes.append(0)
            except SystemExit as stop:
                codes.append(stop.code)
        general = "".join(path.read_text() for path in root.glob("journals/general/2*"))

    own = "Receivable" in account
    assert codes == [0 if own else 1] * 3
    assert general.count('"fees"') == own


def test_a_draft_that_is_not_published_leaves_its_book_as_it_was(root):
    book = Book(root)
    before, names = shelf.tree(root), set(subledgers.customers(book))
    draft = Draft(book, DAY, shelf.quiet)
    register.add(draft, "X1", {"opened": "2026-01-01"})
    decks.put(draft, "gold", "dialprefix,destination,rateinitial\n32,Belgium,1\n")
    detail.put_digests(draft, {DAY: Digest(2, "ab")})
    draft.put("a2ledger.toml", draft.text("a2ledger.toml").replace("Example", "Other"))

    assert subledgers.customers(draft).keys() == {*names, "X1"}
    assert decks.deck(draft, "gold").name == "gold"
    assert detail.digests(draft) == {DAY: Digest(2, "ab")}
    assert draft.config.company.name == "Other"
    assert draft.has("tariffs/gold.csv")

    assert set(subledgers.customers(book)) == names
    assert detail.digests(book) == {}
    assert book.config.company.name == "Example"
    assert not book.has("tariffs/gold.csv")
    with pytest.raises(BrokenBookError, match="gold"):
        decks.deck(book, "gold")
    assert shelf.tree(root) == before
