"""A real mail server in this process, that refuses, drops or dawdles as it is told to."""

from __future__ import annotations

# ruff: noqa: ARG002 - aiosmtpd calls with all it knows
import asyncio
import contextlib
import email
import email.policy
import socket
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """What came in, and how the server behaves.

    ``replies`` are answers to the next messages, given after their data, ``fault`` that of a
    server which fails itself; ``refused`` are replies
    to recipients; ``drop`` says where the next connection is lost: ``data`` in the middle of a
    message, ``dot`` after it was taken, before the answer.
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.replies: list[str] = []
        self.refused: dict[str, str] = {}
        self.drop: list[str] = []
        self.seconds = 0.0
        self.port = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.seconds)
        if self.replies:
            reply = self.replies.pop(0)
            if reply == "fault":
                raise RuntimeError("the server fails at a message, and does not forget it")
            if not reply.startswith("250"):
                return reply
        made: Any = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
        self.messages.append(made)
        self.recipients.append(list(envelope.rcpt_tos))
        if self.drop and self.drop[0] == "dot":
            self.drop.pop(0)
            assert server.transport is not None
            server.transport.abort()
        return "250 queued"

    @property
    def counts(self) -> Counter[str]:
        """How often each message came, by its Message-ID."""
        return Counter(str(message["Message-ID"]) for message in self.messages)

    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.messages]


class _Dropping(SMTP):
    """A server that is gone in the middle of a message, where its mailbox says so."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        mailbox: Mailbox = self.event_handler
        if mailbox.drop and mailbox.drop[0] == "data":
            mailbox.drop.pop(0)
            await self.push("354 go on")
            await self._reader.readline()
            assert self.transport is not None
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


class _Controller(Controller):
    def __init__(self, handler: Mailbox, **options: Any) -> None:
        self.options = options
        host = options.pop("hostname", "127.0.0.1")
        super().__init__(handler, hostname=host, port=0, ready_timeout=60)

    def factory(self) -> SMTP:
        return _Dropping(self.handler, **self.options)

    def _trigger_server(self) -> None:
        """Wait for the first greeting, at the port that the system chose."""
        server: Any = self.server
        place = next(iter(server.sockets)).getsockname()
        with socket.create_connection(place, 60) as connection:
            connection.recv(1024)


@contextlib.contextmanager
def mailbox(**options: Any) -> Iterator[Mailbox]:
    """Run a mail server; options are those of aiosmtpd's."""
    box = Mailbox()
    controller = _Controller(box, **options)
    controller.start()
    try:
        server: Any = controller.server
        box.port = next(iter(server.sockets)).getsockname()[1]
        yield box
    finally:
        controller.stop(no_assert=True)
