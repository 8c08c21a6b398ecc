"""Mail when a guard is run against, to a real mail server."""

from __future__ import annotations

import email
import shutil
import socket
from email import policy

import pytest
from aiosmtpd.controller import Controller
from harness import Book
from switching import RATES, TODAY, serving

IDS = {"name": "Ada", "credit_limit": "10", "tariff": "standard", "opened": "2026-03-01"}


class Inbox:
    """Keeps what a mail server receives."""

    def __init__(self) -> None:
        self.messages = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        self.messages.append(
            (
                envelope.rcpt_tos,
                email.message_from_bytes(envelope.content, policy=policy.default),
            )
        )
        return "250 Message accepted for delivery"


@pytest.fixture
def inbox():
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    inbox.address = f"127.0.0.1:{port}"
    yield inbox
    controller.stop()


@pytest.fixture
def guarded(empty_book, tmp_path, inbox):
    """A book whose customers may be in one call at once, and whose operator is told."""
    shutil.copytree(empty_book, tmp_path / "book")
    book = Book(tmp_path / "book", tmp_path / "files", TODAY)
    (book.root / "tariffs" / "standard.csv").write_text(RATES)
    settings = book.root / "a2ledger.toml"
    settings.write_text(
        settings.read_text() + f'\n[authorize]\nalert_to = "noc@example.com"\n'
        f'alert_from = "switch@example.com"\nsmtp = "{inbox.address}"\n'
        "[authorize.guards]\ncalls = 1\n"
    )
    book.customers(*(IDS | {"id": name, "identifiers": f"phone{name}"} for name in ("C1", "C2")))
    return book


def breach(server, who, times=2):
    """Call more often at once than the guard allows."""
    answers = [server.authorize(f"{who}-{n}", who, "33123", seconds=1) for n in range(times + 1)]
    assert [answer["reason"] for answer in answers] == ["ok"] + ["too-many-calls"] * times
    for number in range(times + 1):
        server.ask("/end", {"call": f"{who}-{number}", "seconds": 1})


def test_a_breach_is_mailed_once_a_day_for_a_customer_and_a_reason(guarded, inbox):
    with serving(guarded.root) as server:
        breach(server, "C1", times=3)
        server.until(lambda: len(inbox.messages) == 1)
        breach(server, "C2")
        server.until(lambda: len(inbox.messages) == 2)
        assert server.authorize("dear", "C1", "999999")["reason"] == "no-rate"  # no guard
    with serving(guarded.root) as server:  # it is known after a restart
        breach(server, "C1")
    with serving(guarded.root, today="2026-03-03") as server:
        breach(server, "C1")
        server.until(lambda: len(inbox.messages) == 3)

    subjects = [message["Subject"] for _, message in inbox.messages]
    assert subjects == [f"Calls of {who} are refused: too-many-calls" for who in ("C1", "C2", "C1")]
    recipients, first = inbox.messages[0]
    assert (recipients, first["From"]) == (["noc@example.com"], "switch@example.com")
    text = first.get_content()
    assert "2026-03-02" in text
    assert "to France was refused" in text
    assert "1 at once" in text
    assert "33123" not in text


def test_a_mail_server_that_is_away_delays_no_call_and_is_named(guarded, inbox, tmp_path):
    settings = guarded.root / "a2ledger.toml"
    settings.write_text(settings.read_text().replace(inbox.address, "127.0.0.1:1"))
    log = tmp_path / "said.log"
    with serving(guarded.root, log=log) as server:
        breach(server, "C1")
    assert "127.0.0.1:1" in log.read_text()
    assert "the mail was not sent" in log.read_text()
