"""Pages for the staff in Fava's sidebar: the day, invoices, payments, calls, closing, imports.

A class is a page, its name part of the page's address, its template and its script beside it.
They show what the book says. What they ask to be written is done by the clerk, where there is
one: under ``a2ledger serve``, not under a plain Fava, which anybody may reach.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from fava.context import g
from fava.ext import extension_endpoint
from flask import Response, abort, jsonify, request

from a2ledger.calls.detail import MissingDetailError
from a2ledger.errors import ExpectedError
from a2ledger.journal import ledger
from a2ledger.staff import customers, helpdesk, revenue
from a2ledger.staff.desk import USER
from a2ledger.staff.forms import BadFormError
from a2ledger.staff.page import NoDeskError, Page, Values, day_of, number_of, safe

Endpoint = Callable[[Callable[..., Response]], Callable[..., Response]]
"""Type of a decorator that registers an endpoint of a page."""

_RUNS = 100
_REFUSED = 500


class Home(Page):
    """The day: what came in, what waits, who is late."""

    report_title = "Home"
    has_js_module = False

    @safe
    def page(self) -> Values:
        """Return the values of the page."""
        found = helpdesk.home(self.desk.known, self.book, self.today)
        standings = ledger.standings(self.loaded)
        return {**found, "over": sum(row.over_limit for row in standings)}


class Invoices(Page):
    """Invoices that are open, overdue, or all there are; and what was sent."""

    report_title = "Invoices"

    @safe
    def page(self) -> Values:
        """Return the values of the page."""
        which = request.args.get("which", "open")
        return helpdesk.invoices(self.desk.known, self.book, which, number_of("first"), self.today)


class Payments(Page):
    """Payments that came in, and those that are nobody's yet."""

    report_title = "Payments"

    @safe
    def page(self) -> Values:
        """Return the values of the page."""
        book, known, text = self.book, self.desk.known, request.args.get("text", "")
        found = helpdesk.payments(known, book, text, number_of("first"), self.today)
        return {**found, "suspense": helpdesk.suspense(known, book, self.today)}


class Calls(Page):
    """Calls of everybody, by day, number, customer or destination."""

    report_title = "Calls"
    has_js_module = False

    @safe
    def page(self) -> Values:
        """What the page shows."""
        text = request.args.get("text", "")
        return helpdesk.calls(self.book, text, day_of("day"), day_of("to"))


class Tariffs(Page):
    """Price lists, and the rates of one."""

    report_title = "Tariffs"
    has_js_module = False

    @safe
    def page(self) -> Values:
        """What the page shows."""
        name, text = request.args.get("deck", ""), request.args.get("text", "")
        decks = helpdesk.tariffs(self.book, self.today)
        chosen = name if name in {row["name"] for row in decks} else ""
        rates = helpdesk.rates(self.book, chosen, text) if chosen else None
        return {"decks": decks, "rates": rates}


class Close(Page):
    """The periods that would close now, and a form to close them."""

    report_title = "Close"

    @safe
    def page(self) -> Values:
        """Return the values shown first."""
        return {"today": str(self.today), "next": customers.next_periods(self.book)}

    @extension_endpoint
    def due(self) -> Response:
        """Return what closing would do now, which takes a while with many customers."""
        try:
            without = request.args.getlist("without")
            values = customers.would_close(self.book, self.today, without)
            return jsonify({"error": "", **values})
        except (ExpectedError, NoDeskError) as error:
            return jsonify({"error": str(error)})


class Ageing(Page):
    """Open bills, by days overdue."""

    report_title = "Ageing"
    has_js_module = False

    @safe
    def page(self) -> Values:
        """What the page shows."""
        day = day_of("day") or self.today
        rows = customers.aged(self.book, day)
        return {"day": str(day), "rows": rows, "totals": customers.totals(rows)}


class Revenue(Page):
    """Revenue by month and service, and by destination with its margin."""

    report_title = "Revenue"
    has_js_module = False

    @safe
    def page(self) -> Values:
        """What the page shows."""
        earned = revenue.earned(self.loaded)
        try:
            book = self.book
        except NoDeskError:
            return {**earned, "months": [], "month": "", "destinations": [], "problem": ""}
        months = revenue.months_of_calls(book)
        month = request.args.get("month", "")
        month = month if month in months else next(iter(months), "")
        try:
            rows, problem = revenue.destinations(book, month), ""
        except MissingDetailError as error:
            rows, problem = [], str(error)
        return {
            **earned,
            "months": months,
            "month": month,
            "destinations": rows,
            "problem": problem,
        }


class Imports(Page):
    """The last import runs, and the rows they refused."""

    report_title = "Imports"

    @safe
    def page(self) -> Values:
        """What the page shows."""
        reason = request.args.get("reason", "")
        return {
            "runs": customers.runs(self.book, _RUNS),
            "reason": reason,
            "quarantine": customers.refused(self.book, reason, _REFUSED),
        }


class A2Ledger(Page):
    """Not a page: endpoints for the pages' scripts, and links from Fava's pages to ours."""

    @extension_endpoint
    def home(self) -> Response:
        """Return where the pages are, and the token that forms must send."""
        user = request.environ.get(USER, "")
        try:
            desk, may_write = self.desk, self.may_write
        except NoDeskError:
            return jsonify({"base": f"/{g.beancount_file_slug}/", "may_write": False})
        return jsonify(
            {
                "base": desk.home or f"/{g.beancount_file_slug}/",
                "may_write": may_write,
                "token": desk.token(user) if may_write else "",
                "user": user,
            }
        )

    @extension_endpoint
    def find(self) -> Response:
        """What fits a text, for the search that stands on every page."""
        try:
            book = self.book
            hits, is_fresh = helpdesk.searched(
                self.desk.known, book, request.args.get("text", "")[:100], self.today
            )
        except (ExpectedError, NoDeskError) as error:
            return jsonify({"hits": [], "problem": str(error), "complete": False})
        return jsonify({"hits": [hit._asdict() for hit in hits[:20]], "complete": is_fresh})

    @cast("Endpoint", extension_endpoint("write", ["POST"]))
    def write(self) -> Response:
        """Let the clerk carry out a form, whose sender the guard has checked."""
        if not self.may_write or (clerk := self.desk.clerk) is None:
            return cast("Response", abort(403))
        form = request.get_json(silent=True)
        try:
            job = clerk.start(form if isinstance(form, dict) else {}, request.environ.get(USER, ""))
        except BadFormError as error:
            return jsonify({"error": str(error)})
        return jsonify({"error": "", **job.as_json()})

    @extension_endpoint
    def job(self) -> Response:
        """Return the progress of a job."""
        clerk = self.desk.clerk if self.may_write else None
        user = request.environ.get(USER, "")
        job = clerk and clerk.job(request.args.get("job", ""), user)
        return jsonify(job.as_json()) if job else cast("Response", abort(404))
