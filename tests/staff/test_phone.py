"""The page "On the phone"."""

from __future__ import annotations

import shutil

from fava.application import create_app
from harness import Book
from switching import RATES, TODAY, serving

from a2ledger.staff.forms import command


def test_running_calls_are_on_the_page_with_what_they_hold(empty_book, tmp_path):
    shutil.copytree(empty_book, tmp_path / "book")
    book = Book(tmp_path / "book", tmp_path / "files", TODAY)
    (book.root / "tariffs" / "standard.csv").write_text(RATES)
    book.customers({"id": "C1", "credit_limit": "10", "tariff": "standard"})
    client = create_app([book.root / "journals/staff.beancount"]).test_client()
    home = client.get("/").headers["Location"].split("/")[1]

    def page():
        return client.get(f"/{home}/extension/Phone/").text

    assert "was never started" in page()
    with serving(book.root) as server:
        server.authorize("<u>1", "C1", "33123", seconds=60)
        text = page()
        assert "France" in text
        assert ">0.06</b><span>held, EUR" in text
        assert f"127.0.0.1:{server.http[1]}" in text
        assert "<u>" not in text
        assert "Hang up" not in text  # a plain Fava writes nothing
    assert "no server answers at 127.0.0.1:" in page()


def test_hanging_up_is_a_command_of_the_clerk_s():
    assert command({"action": "hang-up", "call": "-1.2"}) == ["authorize", "--hang-up=-1.2"]
