"""Files that no program wrote: each is named in a line, and nothing ends in a traceback."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples import cases
from harness import Book, a2ledger, made_once

TODAY = "2026-02-11"
DAY = "calls/2026-02/2026-02-03.parquet"
BILL = "invoices/2026/INV-2026-000001.json"


@pytest.fixture
@made_once
def shop(book) -> Book:
    book.customers({"id": "C1"})
    book.talks("C1", "2026-01-20", 10, today="2026-01-21")
    book.close(today="2026-02-01")
    book.talks("C1", "2026-02-03", 3, today=TODAY)
    book.today = TODAY
    return book


def day_file(change):
    def put(book: Book) -> None:
        pq.write_table(change(pq.read_table(book.root / DAY)), book.root / DAY)

    return put


def text(path, content):
    return lambda book: (book.root / path).write_text(content)


def template(book: Book) -> None:
    (book.root / "templates").mkdir()
    (book.root / "templates/document.html.j2").write_bytes(b"\xff\xfe{{")


def doubled(table: pa.Table) -> pa.Table:
    names = [*table.column_names[:-1], table.column_names[0]]
    return table.rename_columns(names)


ODD = {
    "a column missing": day_file(lambda table: table.drop_columns(["seconds"])),
    "a column doubled": day_file(doubled),
    "a column of another type": day_file(
        lambda table: table.set_column(
            table.schema.get_field_index("seconds"), "seconds", pa.array(["x"] * len(table))
        )
    ),
    "a nested column": day_file(
        lambda table: table.set_column(
            table.schema.get_field_index("called"), "called", pa.array([[{"a": 1}]] * len(table))
        )
    ),
    "deep JSON": text(BILL, "[" * 50_000),
    "a document of nothing": text(BILL, "null"),
    "a document of odd dates": text(BILL, json.dumps({"issue_date": "9999-99-99", "period": 1})),
    "a huge field": text("imports.csv", "time,source\n" + "x" * 200_000 + ",y\n"),
    "a number of 5,000 digits": text("a2ledger.toml", "format = " + "1" * 5000),
    "deep TOML": text("a2ledger.toml", "x = " + "[" * 5000 + "]" * 5000),
    "a template that is no text": template,
    "an intent of nothing": text(".a2ledger/intent.json", "null"),
    "an intent that leads out": text(
        ".a2ledger/intent.json",
        json.dumps({"moves": [["../../x", "journals/x", "", 1, 1, 1]], "message": "x",
                    "generation": 99}),
    ),
    "an intent into git": text(
        ".a2ledger/intent.json",
        json.dumps({"moves": [[None, ".git/HEAD", "", 1, 1, 1]], "message": "x",
                    "generation": 99}),
    ),
    "what was published, garbled": text(".a2ledger/published", "x\n=\t\n\ty z\n=\tabc main\n"),
}  # fmt: skip
COMMANDS = (
    ["balances"], ["check", "C1"], ["preview", "C1"], ["verify"], ["doctor"], ["invoices"],
    ["invoice", "INV-2026-000001", "-o", "-"], ["customer", "set", "C1", "terms=3"],
    ["import", "calls", "{calls}"], ["close"],
)  # fmt: skip


@cases("what", ODD, 5)
def test_a_file_that_no_program_wrote_is_answered_in_words(shop, what):
    head = shop.root / ".git/HEAD"
    before = head.read_text()
    ODD[what](shop)
    rows = "id,customer,start,called,seconds\nn1,C1,2026-02-03 13:00:00,3225550199,60\n"
    calls = shop.file("new.csv", rows)
    for command in COMMANDS:
        words = [str(calls) if word == "{calls}" else word for word in command]
        done = a2ledger("-C", shop.root, "--today", TODAY, *words)
        assert done.code in {0, 1, 73, 74, 75}, (words, done)
        assert done.code == 0 or done.errors or done.stdout, words
    assert head.read_text() == before
