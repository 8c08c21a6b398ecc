from __future__ import annotations

import random
import shutil

import pytest
from harness import Book, cdr

from a2ledger.sources import bookmarks

DAY = "2026-01-06"
MANY = 4_000  # rows; a megabyte and a bit


def rows(first, last, **given):
    """Lines of a minute's call each, 20 seconds apart."""
    return "".join(
        cdr(
            uniqueid=f"{1767607200 + n}.{n}", sequence=n,
            start=f"2026-01-05 {10 + n // 1000:02d}:{n // 20 % 50:02d}:{n % 20:02d}", **given,
        ) + "\n"
        for n in range(first, last)
    )  # fmt: skip


@pytest.fixture
def read(book):
    """Import files as the source pbx1 and say how many rows were read, posted and known."""
    book.customers({"id": "C1"})
    book.append("a2ledger.toml", '\n[sources.pbx1]\ndialect = "asterisk"\n')

    def run(*paths, code=0):
        done = book.run("import", "pbx1", *paths, "--json", today=DAY, code=code).json
        return done["read"], done["posted"], done["duplicate"]

    return run


@pytest.fixture
def small(monkeypatch):
    """Every file is worth a bookmark."""
    monkeypatch.setattr(bookmarks, "WORTH", 1)


def append(path, text):
    with path.open("a") as file:
        file.write(text)


def journals(book: Book) -> dict[str, str]:
    return {p: d for p, d in book.digests().items() if p.startswith(("journals", "calls/DIGESTS"))}


def test_a_growing_log_is_read_on_from_where_the_last_import_ended(book, read):
    log = book.file("Master.csv", rows(0, MANY))
    assert read(log) == (MANY, MANY, 0)

    append(log, rows(MANY, MANY + 5))
    done = book.run("import", "pbx1", log, today=DAY)
    assert f"Master.csv: read on from line {MANY + 1}, where the last import ended" in done.stderr
    assert done.stderr.endswith("pbx1: 5 rows read, 5 posted; 5.00\n")

    assert read(log) == (0, 0, 0)
    assert read("--all", log) == (MANY + 5, 0, MANY + 5)


@pytest.mark.usefixtures("small")
def test_the_line_of_a_refused_row_is_that_of_the_file(book, read):
    log = book.file("Master.csv", rows(0, 10))
    read(log)
    append(log, rows(10, 12) + rows(12, 13, accountcode="nobody"))

    done = book.run("import", "pbx1", log, today=DAY, code=3)

    assert f"{log}:13: no customer holds 'nobody'" in done.stderr


def test_a_small_file_is_read_whole_and_says_that_nothing_is_new(book, read):
    log = book.file("Master.csv", rows(0, 10))

    assert read(log) == (10, 10, 0)
    assert read(log) == (10, 0, 10)


@pytest.mark.usefixtures("small")
def test_a_rotated_log_is_known_by_another_name_and_the_new_one_is_another(book, read):
    log = book.file("Master.csv", rows(0, 10))
    read(log)
    append(log, rows(10, 12))
    rotated = log.rename(log.with_name("Master.csv.1"))
    log.write_text(rows(12, 15))

    assert read(log.parent) == (5, 5, 0)
    # A copy is another file, and so is one that was emptied and has grown again.
    shutil.copy(rotated, log.with_name("Master.csv.2"))
    log.write_text(rows(15, 30))
    assert read(log.parent) == (12 + 15, 15, 12)


@pytest.mark.usefixtures("small")
def test_what_is_still_being_written_is_read_once_it_is_whole(book, read):
    text = rows(0, 12)
    cut = text.index("\n", len(text) // 2) - 7
    log = book.file("Master.csv", text[:cut])

    first = read(log)
    append(log, text[cut:])
    second = read(log)

    assert first[0] + second[0] == 12
    assert first[1] + second[1] == 12


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("what", ["head", "tail", "shorter"])
def test_a_log_that_is_not_what_it_was_is_read_from_its_beginning(book, read, what):
    text = rows(0, 10)
    log = book.file("Master.csv", text)
    read(log)
    changed = {
        "head": text.replace("Reception", "Receptiom", 1),
        "tail": "Receptiom".join(text.rsplit("Reception", 1)),
        "shorter": rows(0, 9),
    }[what]
    with log.open("r+") as file:
        file.truncate()
        file.write(changed + rows(10, 11) if what != "shorter" else changed)

    assert read(log)[0] == (11 if what != "shorter" else 9)


@pytest.mark.usefixtures("small")
def test_what_decides_what_a_row_becomes_has_everything_read_again(book, read):
    log = book.file("Master.csv", rows(0, 8) + rows(8, 10, dcontext="shop", lastapp="Queue"))
    read(log)
    assert read(log)[0] == 0

    book.append("a2ledger.toml", '[[sources.pbx1.rules]]\napplications = ["Dial", "Queue"]\n')
    assert read(log) == (10, 2, 8)
    assert read(log)[0] == 0

    book.customers({"id": "C2", "identifiers": "office"})
    assert read(log) == (10, 0, 10)

    book.run("customer", "set", "C2", "name=Somebody", today=DAY)
    assert read(log)[0] == 0


@pytest.mark.usefixtures("small")
def test_a_book_brought_back_from_a_backup_reads_what_it_lacks(book, read, tmp_path):
    log = book.file("Master.csv", rows(0, 10))
    read(log)
    shutil.copytree(book.root, tmp_path / "backup")
    append(log, rows(10, 12))
    read(log)
    after = journals(book)

    # Everything comes back but the cache, which is from later.
    for path in [*book.root.iterdir()]:
        if path.name != ".a2ledger":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (tmp_path / "backup").iterdir():
        if path.name != ".a2ledger":
            target = book.root / path.name
            shutil.copytree(path, target) if path.is_dir() else shutil.copy(path, target)

    refused = book.run("import", "pbx1", log, code=1).stderr
    assert "if this is the newest copy there is, `rm .a2ledger/published`" in refused
    (book.root / ".a2ledger/published").unlink()
    assert read(log) == (12, 2, 10)
    assert journals(book) == after


@pytest.mark.usefixtures("small")
def test_a_quarantine_that_was_thrown_away_is_filled_again(book, read):
    log = book.file("Master.csv", rows(0, 3) + rows(3, 4, accountcode="nobody"))
    read(log, code=3)
    assert read(log)[0] == 0

    shutil.rmtree(book.root / "quarantine")
    assert read(log, code=3) == (4, 0, 3)


@pytest.mark.usefixtures("small")
def test_a_run_that_left_days_out_or_wrote_nothing_moves_no_bookmark(book, read):
    log = book.file("Master.csv", rows(0, 10))
    book.run("import", "pbx1", log, "--dry-run", today=DAY)
    assert read("--through", "2026-01-04", log) == (10, 0, 0)
    assert read(log) == (10, 10, 0)


@pytest.mark.usefixtures("small")
def test_bookmarks_may_be_deleted_or_damaged(book, read):
    log = book.file("Master.csv", rows(0, 10))
    read(log)
    for content in ("", "{}", '{"imports": 1}', "[1]"):
        (file,) = (book.root / ".a2ledger" / "bookmarks").iterdir()
        file.write_text(content)
        assert read(log) == (10, 0, 10)
    file.unlink()
    assert read(log) == (10, 0, 10)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(3))
def test_however_a_log_grows_and_is_rotated_the_book_is_the_same(
    book, read, seed, empty_book, tmp_path
):
    luck = random.Random(seed)  # noqa: S311 - a test's own
    text = rows(0, 40).encode()
    cuts = sorted(luck.sample(range(len(text)), 5))
    log = book.file("Master.csv", b"")
    posted = 0
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        with log.open("ab") as file:
            file.write(text[start:end])
        posted += read(log.parent)[1]
        if luck.random() < 0.3 and text[:end].endswith(b"\n"):
            log.rename(log.with_name(f"Master.csv-2026010{luck.randrange(10)}"))
            log.touch()
    assert posted == 40

    shutil.copytree(empty_book, tmp_path / "other")
    other = Book(tmp_path / "other", tmp_path / "whole")
    other.customers({"id": "C1"})
    other.append("a2ledger.toml", '\n[sources.pbx1]\ndialect = "asterisk"\n')
    other.run("import", "pbx1", other.file("Master.csv", text), today=DAY)
    assert journals(other) == journals(book)
