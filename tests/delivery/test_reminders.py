"""Reminders come in their order, cost what they say and stop where they should."""

from __future__ import annotations

import json
import shutil

import pytest
from harness import Book, slim
from mail_server import mailbox

STEPS = """
[mail]
host = "127.0.0.1"
port = {port}
starttls = false
from = "billing@sun.example"
attach = []

[delivery]
low_balance = "2.00"
over_limit = true

[dunning]
service = "One-off"

[[dunning.steps]]
days = 7

[[dunning.steps]]
days = 21
text = "firm"
fee = "5.00"

[[dunning.steps]]
days = 28
text = "final"
fee = "10.00"
"""
FIRST = "INV-2026-000001"


@pytest.fixture(scope="module")
def owing(empty_book, tmp_path_factory):
    """A book whose customer C1 owes 10.00 since the first of February, due on the 15th."""
    directory = tmp_path_factory.mktemp("owing")
    shutil.copytree(empty_book, directory / "book")
    made = Book(directory / "book", directory / "files")
    made.customers({"id": "C1", "email": "ada@maes.example", "name": "Ada Maes"})
    made.talks("C1", "2026-01-10", 10, today="2026-01-11")
    made.close(today="2026-02-01")
    return slim(made.root)


@pytest.fixture
def box():
    with mailbox() as server:
        yield server


@pytest.fixture
def book(owing, tmp_path, box) -> Book:
    shutil.copytree(owing, tmp_path / "book")
    made = Book(tmp_path / "book", tmp_path / "files", today="2026-02-01")
    made.append("a2ledger.toml", STEPS.format(port=box.port))
    return made


def goes_out(book: Book, day: str) -> list[str]:
    return [row["document"] for row in book.run("send", "--json", today=day).json]


def test_reminders_come_when_they_are_due_the_gentlest_first(book, box):
    assert goes_out(book, "2026-02-21") == [FIRST]
    assert goes_out(book, "2026-02-22") == ["reminder-C1-2026-02-22"]
    assert goes_out(book, "2026-02-22") == []
    assert goes_out(book, "2026-03-07") == []
    assert goes_out(book, "2026-03-08") == ["reminder-C1-2026-03-08"]
    assert box.subjects()[1:] == ["Reminder: EUR 10.00 is overdue"] * 2
    text = box.messages[2].get_body(("plain",)).get_content()
    assert "Invoice INV-2026-000001, due on 15 February 2026: EUR 10.00" in text
    assert "For this reminder we charge EUR 5.00" in text

    book.close(today="2026-03-09")  # of February, whose bill had nothing of it
    (line,) = [row for row in book.preview("C1", "2026-03-09")["lines"] if row["kind"] == "charge"]
    assert (line["net"], line["description"]) == ("5.00", f"Reminder: {FIRST}")


def test_a_late_start_begins_with_the_gentlest_and_keeps_the_steps_apart(book, box):
    assert goes_out(book, "2026-05-01") == ["reminder-C1-2026-05-01"]  # the bill is too old
    assert goes_out(book, "2026-05-14") == []
    assert goes_out(book, "2026-05-15") == ["reminder-C1-2026-05-15"]
    assert goes_out(book, "2026-05-22") == ["reminder-C1-2026-05-22"]
    assert goes_out(book, "2026-08-01") == []
    assert box.subjects()[-1].startswith("Final reminder")


def test_who_has_paid_or_is_spared_is_not_reminded(book):
    book.run("customer", "set", "C1", "dunning=stop", today="2026-02-02")
    assert goes_out(book, "2026-02-22") == [FIRST]
    book.run("customer", "set", "C1", "dunning=", today="2026-02-23")
    book.moves("payments", "C1", "2026-02-24", "10.00")
    assert goes_out(book, "2026-03-20") == []


SECOND_REMINDER = "reminder-C1-2026-03-08"


@pytest.fixture
def waiting(book, box) -> Book:
    """A book whose second reminder, with a fee, the server would not have yet."""
    goes_out(book, "2026-02-22")
    box.replies = ["451 later"]
    book.run("send", today="2026-03-08", code=1)
    assert in_outbox(book, SECOND_REMINDER)["state"] == "queued"
    box.messages.clear()
    return book


def in_outbox(book: Book, name: str) -> dict:
    lines = [
        json.loads(line)
        for path in book.root.glob("delivery/*.jsonl")
        for line in path.read_text().splitlines()
    ]
    (row,) = [line for line in lines if line["document"] == name]
    return row


def fees(book: Book, day: str) -> list[str]:
    """The charges of March, once February is closed."""
    book.close(today=day)
    return [row["net"] for row in book.preview("C1", day)["lines"] if row["kind"] == "charge"]


def test_a_reminder_that_waited_until_the_money_came_is_not_sent_and_costs_nothing(waiting, box):
    waiting.moves("payments", "C1", "2026-03-09", "10.00")

    (row,) = waiting.run("send", "--json", today="2026-03-09").json

    assert (row["state"], row["error"]) == ("skipped", "what it asks for has been settled")
    for day in ("2026-03-09", "2026-03-10"):
        assert goes_out(waiting, day) == []
    assert box.messages == []
    assert fees(waiting, "2026-03-10") == []
    waiting.run("check")


def test_a_reminder_that_waited_asks_for_what_is_open_by_then(waiting, box):
    waiting.moves("payments", "C1", "2026-03-09", "4.00")

    assert goes_out(waiting, "2026-03-09") == [SECOND_REMINDER]

    (message,) = box.messages
    assert message["Subject"] == "Reminder: EUR 6.00 is overdue"
    assert fees(waiting, "2026-03-09") == ["5.00"]


def test_a_reminder_that_waited_is_not_sent_to_who_is_spared_by_then(waiting, box):
    waiting.run("customer", "set", "C1", "dunning=stop", today="2026-03-09")

    (row,) = waiting.run("send", "--json", today="2026-03-09").json

    assert (row["state"], box.messages) == ("skipped", [])
    waiting.run("customer", "set", "C1", "dunning=", today="2026-03-10")
    assert goes_out(waiting, "2026-03-10") == ["reminder-C1-2026-03-10"]


def test_a_reminder_that_was_sent_is_sent_again_for_what_is_open_and_its_fee_stays(book, box):
    goes_out(book, "2026-02-22")
    goes_out(book, "2026-03-08")
    book.moves("payments", "C1", "2026-03-09", "4.00")
    book.run("send", "--resend", SECOND_REMINDER, today="2026-03-09")
    assert box.subjects()[-1] == "Reminder: EUR 6.00 is overdue"

    book.moves("payments", "C1", "2026-03-10", "6.00")
    (row,) = book.run("send", "--resend", SECOND_REMINDER, "--json", today="2026-03-10").json

    assert row["state"] == "skipped"
    assert fees(book, "2026-03-10") == ["5.00"]


def test_a_letter_of_a_low_balance_that_waited_is_not_sent_once_money_came(book, box):
    book.customers({"id": "C2", "email": "ben@maes.example", "credit_limit": "0"})
    book.moves("refills", "C2", "2026-02-02", "1.50")
    box.replies = ["451 later"] * 2
    book.run("send", today="2026-02-02", code=1)
    book.moves("refills", "C2", "2026-02-03", "20.00")

    rows = book.run("send", "--json", "--only", "C2", today="2026-02-03").json

    assert [(row["document"], row["state"]) for row in rows] == [
        ("low-balance-C2-2026-02-02", "skipped")
    ]


def test_a_low_balance_is_told_once_a_day_at_most_and_once_a_week_while_it_falls(book, box):
    book.customers({"id": "C2", "email": "ben@maes.example", "credit_limit": "0"})
    book.moves("refills", "C2", "2026-02-02", "1.50")

    days = ["02", "02", "03", "08", "09"]
    told = [goes_out(book, f"2026-02-{day}") for day in days]
    assert [[name for name in names if "C2" in name] for names in told] == [
        ["low-balance-C2-2026-02-02"], [], [], [], ["low-balance-C2-2026-02-09"]
    ]  # fmt: skip
    book.moves("refills", "C2", "2026-02-10", "0.40")
    assert goes_out(book, "2026-02-10") == ["low-balance-C2-2026-02-10"]
    assert box.subjects()[-1] == "Your balance is low: EUR 1.90 left"


def test_who_is_over_the_limit_is_told(book, box):
    book.run("customer", "set", "C1", "credit_limit=4.00", today="2026-02-02")

    assert "over-limit-C1-2026-02-03" in goes_out(book, "2026-02-03")
    text = box.messages[-1].get_body(("plain",)).get_content()
    assert "is over its limit by EUR 6.00" in text


def test_a_customer_who_had_a_letter_of_a_low_balance_gets_that_of_the_limit_the_day_after(book):
    book.customers({"id": "C2", "email": "ben@maes.example", "credit_limit": "0"})
    book.moves("refills", "C2", "2026-02-02", "1.50")
    assert "low-balance-C2-2026-02-02" in goes_out(book, "2026-02-02")
    book.moves("charges", "C2", "2026-02-02", "5.00", service="Calls")

    assert goes_out(book, "2026-02-02") == []
    assert goes_out(book, "2026-02-03") == ["over-limit-C2-2026-02-03"]


def test_customers_are_told_of_new_prices_once(book, box):
    deck = book.root / "tariffs/standard.csv"
    header, *rows = deck.read_text().splitlines()
    columns = header.split(",")
    first = dict(zip(columns, rows[0].split(","), strict=False))
    dearer = {**dict.fromkeys(columns, ""), **first, "rateinitial": "9.99"}
    dearer["startdate"] = "2026-03-15"
    names = [*dict.fromkeys([*columns, "startdate"])]
    lines = [",".join(row.split(",") + [""] * (len(names) - len(row.split(",")))) for row in rows]
    deck.write_text(
        "\n".join([",".join(names), *lines, ",".join(dearer.get(name, "") for name in names)])
        + "\n"
    )
    words = ["tariff", "notice", "--effective", "2026-03-15", "--all", "--send"]
    for _ in range(2):
        book.run(*words, today="2026-02-02")
        goes_out(book, "2026-02-03")

    notices = [text for text in box.subjects() if text == "Our prices change on 15 March 2026"]
    assert len(notices) == 1
    assert "9.99" in box.messages[0].get_body(("plain",)).get_content()
