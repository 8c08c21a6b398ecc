"""Mail the operator about a breached guard: once a day per customer and reason."""

from __future__ import annotations

import datetime as dt
import smtplib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

from a2ledger.book.authorize import Authorize, split_address
from a2ledger.switch.decide import Decision
from a2ledger.switch.state import State, StateError

_PATIENCE_SECONDS = 30


class Alerts:
    """Sends mail in a separate thread, so that no call waits for it."""

    def __init__(
        self, state: State, settings: Callable[[], Authorize], talk: Callable[[str], None]
    ) -> None:
        self._state, self._settings, self._talk = state, settings, talk
        self._sent: set[tuple[dt.date, str, str]] = set()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="alerts")

    def __call__(self, now: dt.datetime, decision: Decision) -> None:
        """Send mail about a breach once a day (to be called in the state's thread)."""
        settings = self._settings()
        key = now.date(), decision.customer, decision.reason
        if not settings.alert_to or key in self._sent:
            return
        self._sent = {known for known in self._sent if known[0] == now.date()} | {key}
        try:
            with self._state.transaction():
                is_first = self._state.first_alert(*key)
        except StateError:
            return
        if is_first:
            self._thread.submit(self._send, settings, _message(settings, now, decision))

    def _send(self, settings: Authorize, message: EmailMessage) -> None:
        host, port = split_address(settings.smtp)
        try:
            with smtplib.SMTP(host, port, timeout=_PATIENCE_SECONDS) as server:
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            self._talk(f"{settings.smtp}: {error}; the mail was not sent; look at the mail server")

    def close(self) -> None:
        """Send the remaining mail, and stop."""
        self._thread.shutdown(wait=True)


def _message(settings: Authorize, now: dt.datetime, decision: Decision) -> EmailMessage:
    message = EmailMessage()
    message["To"] = settings.alert_to
    message["From"] = settings.alert_from or settings.alert_to
    message["Subject"] = f"Calls of {decision.customer} are refused: {decision.reason}"
    message.set_content(
        f"{now:%Y-%m-%d %H:%M}: a call of {decision.customer}"
        f"{' to ' + decision.destination if decision.destination else ''} was refused.\n"
        f"{decision.words}.\n\n"
        "No more mail is sent today of this customer for this reason; the log of decisions has "
        "every call.\n"
    )
    return message
