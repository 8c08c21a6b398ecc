"""Running calls as people see them: on the command line, in ``doctor``, on the page."""

from __future__ import annotations

import shutil
import sys

import pytest
from harness import Book, a2ledger
from switching import RATES, TODAY, serving

IDS = {"name": "Ada", "credit_limit": "10", "tariff": "standard", "opened": "2026-03-01"}


@pytest.fixture
def book(empty_book, tmp_path):
    """A book of two customers, whose switch writes down which calls it was to hang up."""
    shutil.copytree(empty_book, tmp_path / "book")
    book = Book(tmp_path / "book", tmp_path / "files", TODAY)
    (book.root / "tariffs" / "standard.csv").write_text(RATES)
    program = tmp_path / "hangup.py"
    program.write_text(
        f"import sys; open({str(tmp_path / 'hung')!r}, 'a').write(sys.argv[1] + '\\n')\n"
    )
    settings = book.root / "a2ledger.toml"
    words = ", ".join(f'"{word}"' for word in (sys.executable, program, "{call}"))
    settings.write_text(settings.read_text() + f"\n[authorize]\nhangup = [{words}]\n")
    book.customers(*(IDS | {"id": name, "identifiers": f"phone{name}"} for name in ("C1", "C2")))
    return book


def checks(book):
    done = a2ledger("-C", book.root, "doctor", "--json")
    return [
        (check["check"], check["message"])
        for check in done.json["checks"]
        if check["check"] in ("authorize", "call")
    ]


def test_running_calls_are_listed_and_hung_up(book, tmp_path):
    assert book.run("authorize", "--json").json == {"server": "", "problem": "", "calls": []}
    assert checks(book) == []
    with serving(book.root) as server:
        server.authorize("a-1", "C1", "33123", seconds=60)
        server.authorize("b-1", "C2", "3225", seconds=60)
        server.ask("/end", {"call": "b-1", "seconds": 30})
        known = book.run("authorize", "--json").json
        assert known["calls"] == server.ask("/calls")
        assert known["server"] == f"127.0.0.1:{server.http[1]}"
        lines = book.run("authorize", "--calls").stdout.splitlines()
        assert [("holds 0.06" in line, "a-1" in line) for line in lines] == [
            (True, True),
            (False, False),
        ]
        summary, first, second = checks(book)
        assert summary == ("authorize", "2 calls hold 0.66")
        assert first[1].startswith("C1 to 33123 France, running since ")
        assert first[1].endswith("holds 0.06 for 60 s")
        assert "C2 to 3225 Belgium, ended" in second[1]

        book.run("authorize", "--hang-up", "a-1")
        assert (tmp_path / "hung").read_text() == "a-1\n"
        refused = book.run("authorize", "--hang-up", "unknown", code=1)
        assert "no such call is going on" in refused.errors[-1]


def test_calls_are_known_from_the_reservations_where_no_server_answers(book, tmp_path):
    state = tmp_path / "calls.sqlite"
    with serving(book.root, "--state", str(state)) as server:
        server.authorize("a-1", "C1", "33123", seconds=60)
    known = book.run("authorize", "--json").json
    assert (known["server"], [call["call"] for call in known["calls"]]) == ("", ["a-1"])
    assert "no server answers at 127.0.0.1:" in known["problem"]
    refused = book.run("authorize", "--hang-up", "a-1", code=1)
    assert "the call goes on" in refused.errors[-1]
    (book.root / ".a2ledger" / "authorize.json").write_text("{")
    assert book.run("authorize", "--json").json["problem"]
