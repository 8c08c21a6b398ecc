"""Pages for the staff in Fava's sidebar: customers, closing, ageing, revenue, imports.

A class is a page, its name part of the page's address, its template and its script beside it.
They show what the book says. What they ask to be written is done by the clerk, where there is
one: under ``a2ledger serve``, not under a plain Fava, which anybody may reach.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from functools import cached_property, wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from fava.context import g
from fava.ext import FavaExtensionBase, extension_endpoint
from flask import Response, abort, current_app, jsonify, request

from a2ledger import csvfile
from a2ledger.balances import balances, invoices
from a2ledger.billing import preview as drawing
from a2ledger.book.book import Book, RefusedError
from a2ledger.calls import listed
from a2ledger.calls.detail import MissingDetailError
from a2ledger.documents import files
from a2ledger.documents.document import as_json
from a2ledger.errors import ExpectedError
from a2ledger.journal import ledger, subledgers
from a2ledger.journal.ledger import Ledger, Standing
from a2ledger.period import read_day
from a2ledger.rating import usage
from a2ledger.records import KEYS, Customer
from a2ledger.staff import customers, helpdesk
from a2ledger.staff.desk import KEY, USER, Desk, root_of
from a2ledger.staff.forms import BadFormError

Values = dict[str, Any]
Endpoint = Callable[[Callable[..., Response]], Callable[..., Response]]

"""Type of a decorator that registers an endpoint of a page."""


TABS = (
    "overview",
    "statement",
    "invoices",
    "payments",
    "calls",
    "services",
    "details",
    "log",
)
"""What a customer's page is divided into."""
_RUNS = 100
_CALLS = 300
_REFUSED = 500
_PERIODS = 3
_KINDS = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
    "text": "text/plain; charset=utf-8",
}
_SANDBOX = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; sandbox allow-popups"
)
"""Content security policy of rendered documents, which may only be viewed."""


class _NoDeskError(Exception):
    """The ledger is only journals, without a book around it."""


def _today(book: Book) -> dt.date:
    # A plain Fava has no --today; elsewhere it is the command line that reads the clock.
    return dt.datetime.now(book.config.zone).date()  # noqa: TID251


def _safe(page: Callable[..., Values]) -> Callable[..., Values]:
    """Wrap a page so that it shows problems of the book instead of failing."""

    @wraps(page)
    def wrapper(self: _Page) -> Values:
        try:
            return {"error": "", "may_write": self.may_write, **page(self)}
        except ExpectedError as error:
            return {"error": str(error)}
        except _NoDeskError:
            return {
                "error": "There is no a2ledger.toml beside these journals: "
                "what needs more of the book than the ledger is not shown."
            }

    return wrapper


class _Page(FavaExtensionBase):
    """Base class of all pages."""

    has_js_module = True

    @property
    def desk(self) -> Desk:
        """Return the server's desk, or under a plain Fava one of its own.

        Raises:
            _NoDeskError: if there is no book around this ledger.
        """
        config = current_app.config
        if KEY in config:
            return cast("Desk", config[KEY])
        key = f"{KEY} {self.ledger.beancount_file_path}"
        if key not in config:
            root = root_of(Path(self.ledger.beancount_file_path))
            config[key] = root and Desk(root=root, today=_today)
        if config[key] is None:
            raise _NoDeskError
        return cast("Desk", config[key])

    @property
    def may_write(self) -> bool:
        """Return True if forms are shown."""
        return KEY in current_app.config and self.desk.clerk is not None

    @property
    def book(self) -> Book:
        """Return the current book."""
        return self.desk.book()

    @property
    def today(self) -> dt.date:
        """Return today's date."""
        return self.desk.today(self.book)

    @property
    def formats(self) -> list[str]:
        """Return the formats documents are rendered in."""
        return ["html", *(["pdf"] if find_spec("weasyprint") else [])]

    @property
    def customers_at(self) -> str:
        """Return the URL prefix of customers' own ledgers, empty if they are not served."""
        return self.desk.customers_at

    @cached_property
    def loaded(self) -> Ledger:
        """Return the ledger that Fava has loaded, for queries."""
        ledger = self.ledger
        return Ledger(ledger.all_entries, ledger.load_errors, ledger.options)

    def after_load_file(self) -> None:
        """Clear the cached ledger."""
        self.__dict__.pop("loaded", None)


def _day(name: str) -> dt.date | None:
    try:
        return read_day(request.args.get(name, ""))
    except ValueError:
        return None


def _number(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0  # noqa: PLR2004


class Customers(_Page):
    """All customers; one of them, with calls and documents; or what is behind a line."""

    report_title = "Customers"

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Return every customer's standing, by id."""
        return {row.customer: row for row in ledger.standings(self.loaded)}

    @extension_endpoint
    def rows(self) -> Response:
        """Return the rows of the customers' table."""
        return jsonify(self._rows())

    def _rows(self) -> list[list[Any]]:
        if self._table is None:
            done: set[str] = set()
            phones: dict[str, str] = {}
            with contextlib.suppress(ExpectedError, ValueError, _NoDeskError):
                done = customers.settled(self.book)
                phones = customers.phones(self.book)
            found = customers.customers(self.loaded, self.standings.values(), done)
            self._table = [[*row, phones.get(row[0], "")] for row in found]
        return self._table

    _table: list[list[Any]] | None = None

    def after_load_file(self) -> None:
        """Clear cached figures."""
        super().after_load_file()
        self.__dict__.pop("standings", None)
        self._table = None

    @property
    def view(self) -> str:
        """Return the name of the requested view."""
        args = request.args
        if args.get("document"):
            return "line" if args.get("line") else "document"
        if args.get("bill"):
            return "document"
        if args.get("new"):
            return "new"
        if args.get("day") and not args.get("tab"):
            return "calls"
        return "customer" if args.get("customer") or args.get("account") else "customers"

    @_safe
    def page(self) -> Values:
        """Return the values of the requested view."""
        return cast("Values", getattr(self, f"_{self.view}")())

    def _customers(self) -> Values:
        standings = self.standings.values()
        return {"count": len(standings), "totals": customers.totals_owed(standings)}

    @extension_endpoint
    def table(self) -> Response:
        """Every customer as CSV, for a spreadsheet."""
        heads = ["customer", "name", "currency", "owed", "to_pay", "unbilled", "credit_limit"]
        heads += ["available", "last_call", "status", "phone"]
        rows = [[csvfile.cell(str(value)) for value in row] for row in self._rows()]
        made = Response(csvfile.csv_text([heads, *rows]), content_type="text/csv; charset=utf-8")
        made.headers["Content-Disposition"] = 'attachment; filename="customers.csv"'
        return made

    def _new(self) -> Values:
        book = self.book
        return {
            "actions": {
                "today": str(self.today),
                "tariffs": usage.names(book),
                "currency": book.config.currency,
                "facts": dict.fromkeys(KEYS, ""),
            }
        }

    def _named(self) -> str:
        """Return the requested customer, given by id or by account component.

        Raises:
            RefusedError: if there is none.
        """
        name = request.args.get("customer", "")
        if account := request.args.get("account", ""):
            name = customers.customer_of_account(subledgers.customers(self.book), account)
        if name not in subledgers.customers(self.book):
            raise RefusedError(f"{name or 'This'}: no such customer")
        return name

    def _customer(self) -> Values:
        """What a tab of a customer shows, and what its actions need."""
        tab = request.args.get("tab", "")
        tab = tab if tab in TABS else TABS[0]
        return {"tab": tab, "tabs": TABS, **self._head(), **getattr(self, f"_tab_{tab}")()}

    def _own(self) -> Customer:
        return subledgers.customers(self.book)[self._named()]

    def _head(self) -> Values:
        """What stands above every tab, and what the actions are about."""
        book, today, customer = self.book, self.today, self._own()
        documents = invoices.of_customer(book, customer, today)
        still_open = [row.as_json() for row in documents if row.open_micro]
        paid = invoices.payments(book, customer)
        overdue = sum(row.open_micro for row in documents if row.status == invoices.OVERDUE)
        facts = balances.customer_json(customer, today)
        currency = subledgers.currency(book, customer.id)
        return {
            "id": customer.id,
            "today": str(today),
            "facts": facts,
            "standing": customers.standing(book, customer, today),
            "overdue": customers.shown(overdue, currency) if overdue else "",
            "is_settled": customer.settled,
            "last_payment": paid[-1].as_json() if paid else None,
            "actions": {
                "customer": customer.id,
                "today": str(today),
                "currency": currency,
                "services": list(book.config.services),
                "methods": list(book.config.methods),
                "tariffs": usage.names(book),
                "facts": {key: facts.get(key, "") for key in KEYS},
                "invoices": still_open,
                "documents": [row.number for row in documents if row.kind in {"invoice", "refill"}],
                "payments": [row.as_json() for row in paid if not row.is_returned][-50:],
                "fees": [row for row in facts["fees"] if not row["until"]],
                "blocked": facts.get("blocked", "") not in {"", "no"},
                "settled": customer.settled,
            },
        }

    def _tab_overview(self) -> Values:
        book, customer = self.book, self._own()
        try:
            preview, problem = drawing.preview(book, customer.id, self.today), ""
        except ExpectedError as error:
            preview, problem = None, str(error)
        return {
            "usage": customers.usage(book, customer),
            "preview": preview,
            "problem": problem,
        }

    def _tab_statement(self) -> Values:
        book, customer = self.book, self._own()
        since = None if request.args.get("all") else customers.since_closes(customer, _PERIODS)
        return {"since": since, "statement": customers.statement(book, customer, since)}

    def _tab_invoices(self) -> Values:
        book, customer = self.book, self._own()
        rows = invoices.of_customer(book, customer, self.today)
        electronic = book.config.einvoice.formats
        return {
            "invoices": [row.as_json() | {"last": row.last} for row in rows[::-1]],
            "electronic": list(electronic),
            "documents": customers.documents(book, customer),
        }

    def _tab_payments(self) -> Values:
        customer = self._own()
        since = str(customer.open_since)
        rows = [row.as_json() for row in invoices.payments(self.book, customer)]
        return {"payments": [row | {"is_open": row["date"] >= since} for row in rows[::-1]]}

    def _tab_calls(self) -> Values:
        customer, book = self._own(), self.book
        first = _day("day") or customer.open_since
        last = _day("to") or (_day("day") if request.args.get("day") else self.today)
        table = listed.of_customer(book, customer.id, first, max(first, last or first))
        rows = list(listed.rows_json(table, book.config.timezone))
        if text := request.args.get("text", "").strip().lower():
            rows = [row for row in rows if text in " ".join(map(str, row.values())).lower()]
        days: dict[str, list[int]] = {}
        for row in rows:
            sums = days.setdefault(row["start"][:10], [0, 0])
            sums[0] += 1
            sums[1] += row["seconds"]
        return {
            "first": str(first),
            "last": str(max(first, last or first)),
            "text": request.args.get("text", ""),
            "days": [
                {"day": day, "calls": count, "duration": customers.duration(seconds)}
                for day, (count, seconds) in sorted(days.items(), reverse=True)
            ],
            "calls": rows[::-1][:_CALLS],
            "count": len(rows),
        }

    def _tab_services(self) -> Values:
        history = self._own().facts
        dated = [
            {"key": key, "from": str(since), "value": str(value)}
            for key in ("tariff", "identifiers", "discount_percent", "guards")
            for since, value in history.get(key, ())
        ]
        return {"dated": dated[::-1]}

    def _tab_details(self) -> Values:
        return {"changes": customers.changes(self.book, self._own())}

    def _tab_log(self) -> Values:
        return {"log": customers.log(self.book, self._own())}

    def _calls(self) -> Values:
        name, first = self._named(), _day("day")
        if first is None:
            raise RefusedError("That is no day such as 2026-01-31")
        last = max(_day("to") or first, first)
        values = customers.calls(self.book, name, first, last)
        return {"id": name, "first": str(first), "last": str(last), "calls": values}

    def _document(self) -> Values:
        book, name = self.book, request.args.get("document", "")
        if not name:
            customer = subledgers.customers(book)[self._named()]
            day = _day("bill") or self.today
            name = customers.billed_on(book, customer, day)
        if name in subledgers.customers(book):
            document = drawing.preview(book, name, self.today)
        else:
            document = customers.document(book, name)
        return {"name": name, "document": as_json(document), "last": str(document.last_day)}

    def _line(self) -> Values:
        name = request.args["document"]
        return customers.explained(
            self.book, name, _number("line"), _number("call") or 1, self.today
        )

    @extension_endpoint
    def rendered(self) -> Response:
        """Return a document as its customer gets it, or a preview for a customer's id."""
        name, form = request.args.get("name", ""), request.args.get("format", "html")
        try:
            book = self.book
            if name in subledgers.customers(book):
                document = drawing.preview(book, name, self.today)
            else:
                document = customers.document(book, name)
            if form not in _KINDS:
                raise RefusedError(f"{form}: documents are not shown like that")
            made = files.rendered({name: document}, [form], book.root / "templates")
        except (ExpectedError, _NoDeskError) as error:
            return Response(f"{error}\n", 404, content_type="text/plain; charset=utf-8")
        (content,) = made.values()
        response = Response(content, content_type=_KINDS[form])
        response.headers["Content-Security-Policy"] = _SANDBOX
        # A browser's viewer of PDF may not work in what is only looked at.
        how = "attachment" if form == "pdf" else "inline"
        file = f"{name}.{files.ENDINGS[form]}"
        response.headers["Content-Disposition"] = f'{how}; filename="{file}"'
        return response


class Home(_Page):
    """The day: what came in, what waits, who is late."""

    report_title = "Home"
    has_js_module = False

    @_safe
    def page(self) -> Values:
        """Return the values of the page."""
        found = helpdesk.home(self.desk.known, self.book, self.today)
        standings = ledger.standings(self.loaded)
        return {**found, "over": sum(row.over_limit for row in standings)}


class Invoices(_Page):
    """Invoices that are open, overdue, or all there are."""

    report_title = "Invoices"
    has_js_module = False

    @_safe
    def page(self) -> Values:
        """Return the values of the page."""
        which = request.args.get("which", "open")
        return helpdesk.invoices(self.desk.known, self.book, which, _number("first"), self.today)


class Payments(_Page):
    """Payments that came in, and those that are nobody's yet."""

    report_title = "Payments"

    @_safe
    def page(self) -> Values:
        """Return the values of the page."""
        book, known, text = self.book, self.desk.known, request.args.get("text", "")
        found = helpdesk.payments(known, book, text, _number("first"), self.today)
        return {**found, "suspense": helpdesk.suspense(known, book, self.today)}


class Calls(_Page):
    """Calls of everybody, by day, number, customer or destination."""

    report_title = "Calls"
    has_js_module = False

    @_safe
    def page(self) -> Values:
        """What the page shows."""
        text = request.args.get("text", "")
        return helpdesk.calls(self.book, text, _day("day"), _day("to"))


class Tariffs(_Page):
    """Price lists, and the rates of one."""

    report_title = "Tariffs"
    has_js_module = False

    @_safe
    def page(self) -> Values:
        """What the page shows."""
        name, text = request.args.get("deck", ""), request.args.get("text", "")
        decks = helpdesk.tariffs(self.book, self.today)
        chosen = name if name in {row["name"] for row in decks} else ""
        rates = helpdesk.rates(self.book, chosen, text) if chosen else None
        return {"decks": decks, "rates": rates}


class Close(_Page):
    """The periods that would close now, and a form to close them."""

    report_title = "Close"

    @_safe
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
        except (ExpectedError, _NoDeskError) as error:
            return jsonify({"error": str(error)})


class Ageing(_Page):
    """Open bills, by days overdue."""

    report_title = "Ageing"
    has_js_module = False

    @_safe
    def page(self) -> Values:
        """What the page shows."""
        day = _day("day") or self.today
        rows = customers.aged(self.book, day)
        return {"day": str(day), "rows": rows, "totals": customers.totals(rows)}


class Revenue(_Page):
    """Revenue by month and service, and by destination with its margin."""

    report_title = "Revenue"
    has_js_module = False

    @_safe
    def page(self) -> Values:
        """What the page shows."""
        earned = customers.revenue(self.loaded)
        try:
            book = self.book
        except _NoDeskError:
            return {**earned, "months": [], "month": "", "destinations": [], "problem": ""}
        months = customers.months_of_calls(book)
        month = request.args.get("month", "")
        month = month if month in months else next(iter(months), "")
        try:
            rows, problem = customers.destinations(book, month), ""
        except MissingDetailError as error:
            rows, problem = [], str(error)
        return {
            **earned,
            "months": months,
            "month": month,
            "destinations": rows,
            "problem": problem,
        }


class Imports(_Page):
    """The last import runs, and the rows they refused."""

    report_title = "Imports"

    @_safe
    def page(self) -> Values:
        """What the page shows."""
        reason = request.args.get("reason", "")
        return {
            "runs": customers.runs(self.book, _RUNS),
            "reason": reason,
            "quarantine": customers.refused(self.book, reason, _REFUSED),
        }


class A2Ledger(_Page):
    """Not a page: endpoints for the pages' scripts, and links from Fava's pages to ours."""

    @extension_endpoint
    def home(self) -> Response:
        """Return where the pages are, and the token that forms must send."""
        user = request.environ.get(USER, "")
        try:
            desk, may_write = self.desk, self.may_write
        except _NoDeskError:
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
        except (ExpectedError, _NoDeskError) as error:
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
