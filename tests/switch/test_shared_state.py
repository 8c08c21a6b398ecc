"""Several servers before one book share a PostgreSQL; they spend no money twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import servers
from boards import EUR, board, customer

from a2ledger.switch.questions import Begin, End
from a2ledger.switch.state import State
from a2ledger.switch.terms import Account


@pytest.fixture(scope="module")
def url():
    with servers.postgresql() as home:
        yield f"postgresql://boss@/postgres?host={home}"


def test_servers_that_share_a_database_spend_no_money_twice(url, tmp_path):
    boards = [
        board(tmp_path / "unused", Account(customer=customer("ada"), owed_micro=0))
        for _ in range(4)
    ]
    for shared in boards:
        shared.state = State(url)

    def ask(place):
        questions = [
            Begin(call=f"{place}-{number}", called="3225", customer="ada", seconds=60)
            for number in range(10)
        ]
        return [told for question in questions for told in boards[place].answer([question])]

    with ThreadPoolExecutor(4) as pool:
        answers = [told for told in pool.map(ask, range(4)) for told in told]
    assert sum(told.allowed for told in answers) == 16  # at 0.60 of 10.00
    assert sum(call.held_micro for call in boards[0].holding()) == 16 * 600_000 <= 10 * EUR
    allowed = boards[1].holding()[0].call
    (settled,) = boards[2].answer([End(call=allowed, seconds=0, is_answered=False)])
    assert settled.available_micro == 10 * EUR - 15 * 600_000
    for shared in boards:
        shared.state.close()


def test_a_database_that_is_gone_is_said_without_its_password(tmp_path):
    gone = board(tmp_path / "unused", Account(customer=customer("ada"), owed_micro=0))
    gone.state = State("postgresql://boss:secret@127.0.0.1:1/postgres")
    (told,) = gone.answer([Begin(call="1", called="3225", customer="ada")])
    assert (told.allowed, told.reason) == (False, "stale")
    assert "secret" not in told.message
