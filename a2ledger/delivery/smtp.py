"""Mail handed to a server, so that it is known what the server has taken.

A message is the server's from the line with the single dot on. All before it may be done again,
nothing after it: the caller is told in between.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import NamedTuple

from a2ledger.book.bills import Mail
from a2ledger.errors import ExpectedError

PASSWORD = "A2LEDGER_SMTP_PASSWORD"  # noqa: S105 - the name of the variable
_ACCEPTED, _START = 250, 354
_UNDONE = "nothing more was sent"


class ServerError(ExpectedError):
    """The server cannot be worked with: no message is to blame."""


class RejectedError(Exception):
    """The server did not take a message.

    Args:
        error: what it said.
        lasting: whether it never will.
    """

    def __init__(self, error: str, *, lasting: bool) -> None:
        super().__init__(error)
        self.error, self.lasting = error, lasting


class InDoubtError(Exception):
    """A message was handed over, and no answer came: it may have arrived."""


class Envelope(NamedTuple):
    """A message, and for whom it is."""

    sender: str
    recipients: Sequence[str]
    copies: Sequence[str]
    """Recipients of a copy. If one is refused, the message goes to the others."""
    content: bytes


class Server:
    """A mail server, connected to when there is something to send."""

    def __init__(self, settings: Mail) -> None:
        self.settings = settings
        self._smtp: smtplib.SMTP | None = None

    def hand_over(self, envelope: Envelope, mark: Callable[[], None]) -> str:
        """Hand a message to the server; return what it says once it has taken it.

        Args:
            envelope: the message.
            mark: called just before the server has the whole message.

        Raises:
            RejectedError: if it did not take the message.
            InDoubtError: if it may have taken the message.
            ServerError: if nothing can be sent at all.
        """
        try:
            smtp = self._ready()
            most = int(smtp.esmtp_features.get("size") or 0)
            if 0 < most < len(envelope.content):
                raise RejectedError(  # noqa: TRY301 - as the server would say it
                    f"{len(envelope.content):,} bytes are more than the server's {most:,}",
                    lasting=True,
                )
            self._announce(smtp, envelope, most)
            smtp.send(_dotted(envelope.content))
            if smtp.sock and select.select([smtp.sock], [], [], 0)[0]:
                _expect(smtp.getreply(), _START)  # it speaks too early, or is gone
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            self.close()
            raise RejectedError(f"the connection was lost ({error})", lasting=False) from error
        except RejectedError:
            self._reset()
            raise
        try:
            mark()
        except BaseException:
            self._drop()  # amid a message the server would take a farewell for a part of it
            raise
        try:
            smtp.send(b".\r\n")
            code, answer = smtp.getreply()
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            self.close()
            raise InDoubtError from error
        text = _text(code, answer)
        if code != _ACCEPTED:
            self._reset()  # a server that failed itself may still be at this message
            raise RejectedError(text, lasting=code >= 500)  # noqa: PLR2004 - SMTP's own
        return text

    def _announce(self, smtp: smtplib.SMTP, envelope: Envelope, most: int) -> None:
        """Tell the server from whom and for whom a message is, and that it comes now."""
        options = [f"size={len(envelope.content)}"] if most else []
        _expect(smtp.mail(envelope.sender, options), _ACCEPTED)
        refusals: list[RejectedError] = []
        for recipient in envelope.recipients:
            try:
                _expect(smtp.rcpt(recipient), _ACCEPTED)
            except RejectedError as error:
                refusals.append(error)
        if len(refusals) == len(envelope.recipients):
            raise min(refusals, key=lambda error: error.lasting)
        for recipient in envelope.copies:
            smtp.rcpt(recipient)
        _expect(smtp.docmd("DATA"), _START)

    def _ready(self) -> smtplib.SMTP:
        """Return the connection, made and logged in if there is none."""
        if self._smtp is not None:
            try:
                if self._smtp.noop()[0] == _ACCEPTED:
                    return self._smtp
            except (OSError, smtplib.SMTPException):
                pass
            self.close()
        self._smtp = self._connected()
        return self._smtp

    def _connected(self) -> smtplib.SMTP:
        settings = self.settings
        place = f"{settings.host}:{settings.port}"
        context = ssl.create_default_context()
        try:
            smtp: smtplib.SMTP
            if settings.starttls == "ssl":
                smtp = smtplib.SMTP_SSL(
                    settings.host, settings.port, timeout=settings.patience_seconds,
                    context=context,
                )  # fmt: skip
            else:
                smtp = smtplib.SMTP(settings.host, settings.port, timeout=settings.patience_seconds)
            if smtp.sock:  # the last dot is not to wait until what stands before it has arrived
                smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            smtp.ehlo()
            if settings.starttls == "required":
                smtp.starttls(context=context)
                smtp.ehlo()
            if settings.user:
                smtp.login(settings.user, os.environ.get(PASSWORD, ""))
        except smtplib.SMTPNotSupportedError as error:
            raise ServerError(
                f"{place}: {error}", _UNDONE, "write starttls = false under [mail] if that is meant"
            ) from error
        except smtplib.SMTPAuthenticationError as error:
            raise ServerError(
                f"{place}: {_text(error.smtp_code, error.smtp_error)}",
                _UNDONE,
                f"look at mail.user, and at {PASSWORD} in the environment",
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            what = getattr(error, "strerror", None) or str(error)
            raise ServerError(
                f"{place}: {what}", _UNDONE, "look at [mail] and at the server"
            ) from error
        return smtp

    def _reset(self) -> None:
        """Have the server forget the message it did not take."""
        if self._smtp is not None:
            try:
                self._smtp.rset()
            except (OSError, smtplib.SMTPException):
                self.close()

    def close(self) -> None:
        """End the connection."""
        if self._smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
            self._drop()

    def _drop(self) -> None:
        """End the connection without a word."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _expect(reply: tuple[int, bytes], wanted: int) -> None:
    """Make sure of a reply's code.

    Raises:
        RejectedError: if it is another.
    """
    code, answer = reply
    if code // 10 != wanted // 10:
        raise RejectedError(_text(code, answer), lasting=code >= 500)  # noqa: PLR2004


def _text(code: int, answer: bytes | str) -> str:
    said = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return " ".join(f"{code} {said}".split())


def _dotted(content: bytes) -> bytes:
    """Return a message as it is sent: lines that begin with a dot with one more."""
    whole = re.sub(rb"(?m)^\.", b"..", content)
    return whole if whole.endswith(b"\r\n") else whole + b"\r\n"
