"""Pages for the staff in Fava's sidebar: the day, invoices, payments, calls, closing, imports.

A class is a page, its name part of the page's address, its template and its script beside it.
They show what the book says. What they ask to be written is done by the clerk, where there is
one: under ``a2ledger serve``, not under a plain Fava, which anybody may reach.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import cast

from fava.context import g
from fava.ext import extension_endpoint
from flask import Response, abort, jsonify, request

from a2ledger.calls.detail import MissingDetailError
from a2ledger.errors import ExpectedError
from a2ledger.staff import customers, due, helpdesk, revenue
from a2ledger.staff.desk import USER
from a2ledger.staff.forms import BadFormError
from a2ledger.staff.page import NoDeskError, Page, Values, day_of, number_of, safe

Endpoint = Callable[[Callable[..., Response]], Callable[..., Response]]
"""Type of a decorator that registers an endpoint of a page."""

_RUNS = 100


class Home(Page):
    """The day: what came in, what waits, who is late."""

    report_title = "Home"
    has_js_module = False

    @safe
    def page(self) -> Values:
        """Return the values of the page."""
        return helpdesk.home(self.desk.known, self.book, self.today)


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
        waiting = helpdesk.suspense(known, book, number_of("from"), self.today)
        return {**found, "suspense": waiting}


class Calls(Page):
    """Calls of everybody, by day, number, customer or destination."""

    report_title = "Calls"
    has_js_module = False

    @safe
    def page(self) -> Values:
        """What the page shows."""
        text = request.args.get("text", "")
        return helpdesk.calls(self.book, text, day_of("day"), day_of("to"), number_of("first"))


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
        rates = helpdesk.rates(self.book, chosen, text, number_of("first")) if chosen else None
        return {"decks": decks, "rates": rates}


class Close(Page):
    """The periods that would close now, and a form to close them."""

    report_title = "Close"

    @safe
    def page(self) -> Values:
        """Return the values shown first."""
        deck, is_fresh = self.desk.known.deck(self.book, self.today)
        next_ends = due.next_periods(deck)
        return {"today": str(self.today), "next": next_ends, "is_fresh": is_fresh}

    @extension_endpoint
    def due(self) -> Response:
        """Return a page of what closing would do now, or that it is still being drawn up."""
        without = request.args.getlist("without")
        try:
            book, known = self.book, self.desk.known
            drawn = known.due.get(book, self.today, without)
            if drawn is None:
                return jsonify({"error": "", "pending": True})
            deck, _ = known.deck(book, self.today)
            values = due.as_values(drawn, book, deck, number_of("first"), without)
            return jsonify({"error": "", "pending": False, **values})
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
        return helpdesk.ageing_on(
            self.desk.known,
            self.book,
            self.today,
            day,
            request.args.get("sort", ""),
            number_of("first"),
        )


class Revenue(Page):
    """Revenue by month and service, and by destination with its margin."""

    report_title = "Revenue"
    has_js_module = False

    @cached_property
    def _earned(self) -> Values:
        return revenue.earned(self.loaded)

    def after_load_file(self) -> None:
        """Clear cached figures."""
        super().after_load_file()
        self.__dict__.pop("_earned", None)

    @safe
    def page(self) -> Values:
        """What the page shows."""
        earned = self._earned
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
            "quarantine": customers.refused(self.book, reason, number_of("first")),
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
            text, until = request.args.get("text", "")[:100], day_of("until")
            found = helpdesk.searched(self.desk.known, book, text, self.today, until)
        except (ExpectedError, NoDeskError) as error:
            return jsonify({"hits": [], "problem": str(error), "complete": False})
        hits, until = found.hits[:20], found.until
        shown = {"hits": [hit._asdict() for hit in hits], "complete": found.is_fresh}
        return jsonify({**shown, "until": str(until) if until else ""})

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
