"""The page "On the phone": running calls, what they reserve, and a way to end one."""

from __future__ import annotations

import datetime as dt
from typing import Any

from a2ledger import money
from a2ledger.staff.page import Page, safe
from a2ledger.switch import current_calls


class Phone(Page):
    """The calls that reserve money now."""

    report_title = "On the phone"

    @safe
    def page(self) -> dict[str, Any]:
        """Return the values of the page."""
        book = self.book
        # Calls go by the clock, whatever day the pages were told it is.
        known = current_calls.running(book, dt.datetime.now(book.config.zone))  # noqa: TID251
        held = sum(money.parse(call["reserved"]) for call in known.calls)
        return {
            "server": known.server,
            "problem": known.problem,
            "may_hang_up": known.may_hang_up and self.may_write,
            "calls": [{**call, "at": call["started"][11:19]} for call in known.calls],
            "talking": sum(call["state"] in ("running", "setup") for call in known.calls),
            "held": money.text(held, 2),
            "currency": book.config.currency,
        }
