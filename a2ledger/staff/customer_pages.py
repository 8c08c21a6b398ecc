"""The page of customers: all of them, one with its tabs, a document, a line with its calls."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

from fava.ext import extension_endpoint
from flask import Response, request

from a2ledger import accounts, csvfile
from a2ledger.balances import balances, invoices
from a2ledger.billing import itemised
from a2ledger.billing import preview as drawing
from a2ledger.book.book import RefusedError
from a2ledger.calls import listed
from a2ledger.documents import electronic, formats
from a2ledger.documents.document import Document, as_json
from a2ledger.documents.electronic import EInvoices
from a2ledger.errors import ExpectedError
from a2ledger.journal import carried, ledger, subledgers
from a2ledger.rating import usage
from a2ledger.records import KEYS, Customer
from a2ledger.staff import customer_list, customers, mailing
from a2ledger.staff.cards import Row
from a2ledger.staff.kept import PATIENCE_SECONDS
from a2ledger.staff.page import NoDeskError, Page, Values, day_of, number_of, safe
from a2ledger.staff.parts import part_of

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
_CREDITED = ("invoice", "refill", "statement")
"""Kinds of documents that can be credited."""
_CALLS = 100
_PERIODS = 3
_LINES = 300
_LONGEST_TEXT = 100
_CHANGED_HERE = frozenset(KEYS) - {"currency", "blocked"}
"""Facts that are changed in their history; others have actions of their own, or stay."""
_LONG_SECONDS = 30.0
"""How long the whole list, which is saved as a file, is waited for."""
_KINDS = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
    "text": "text/plain; charset=utf-8",
    "ubl": "application/xml",
    "cii": "application/xml",
    "facturx": "application/pdf",
}
_LOOKED_AT = ("html", "text", "json", "ubl", "cii")
_SANDBOX = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; sandbox allow-popups"
)
"""Content security policy of rendered documents, which may only be viewed."""


class Customers(Page):
    """All customers; one of them, with calls and documents; or what is behind a line."""

    report_title = "Customers"

    def _rows(self, patience: float = PATIENCE_SECONDS) -> tuple[Sequence[Row], bool, list[str]]:
        """Return all rows, whether they are of the newest state, and what is wrong with others."""
        try:
            deck, is_fresh = self.desk.known.deck(self.book, self.today, patience)
        except NoDeskError:
            standings = ledger.standings(self.loaded)
            has_totals = any(carried.shard_of(account) for account, _ in ledger.owed(self.loaded))
            notes = ["main holds control totals; `a2ledger serve` lists customers"]
            return [Row(row) for row in standings], True, notes if has_totals else []
        rows = [card.row for card in deck.cards.values()]
        return rows, is_fresh, [str(problem) for problem in deck.problems]

    @property
    def view(self) -> str:
        """Return the name of the requested view."""
        args = request.args
        if args.get("letter"):
            return "letter"
        if args.get("document"):
            return "line" if args.get("line") else "document"
        if args.get("bill"):
            return "document"
        if args.get("new"):
            return "new"
        if args.get("day") and not args.get("tab"):
            return "calls"
        return "customer" if args.get("customer") or args.get("account") else "customers"

    @safe
    def page(self) -> Values:
        """Return the values of the requested view."""
        return cast("Values", getattr(self, f"_{self.view}")())

    def _customers(self) -> Values:
        args = request.args
        order = customer_list.Order(
            args.get("text", "")[:_LONGEST_TEXT],
            bool(args.get("over")),
            args.get("sort", ""),
            bool(args.get("down")),
        )
        rows, is_fresh, problems = self._rows()
        return {
            **customer_list.page(rows, order, number_of("first")),
            "largest_first": customer_list.LARGEST_FIRST,
            "is_fresh": is_fresh,
            "problems": problems,
        }

    @extension_endpoint
    def table(self) -> Response:
        """Return every customer as CSV, for a spreadsheet."""
        rows, is_fresh, _ = self._rows()
        if not is_fresh:
            return Response(
                "The figures are being added up: try again.\n", 503, {"Retry-After": "2"}
            )
        heads = customer_list.HEADS
        shown = (
            customer_list.cells(row) for row in customer_list.chosen(rows, customer_list.Order())
        )
        cells = [[csvfile.cell(row[head]) for head in heads] for row in shown]
        made = Response(csvfile.csv_text([heads, *cells]), content_type="text/csv; charset=utf-8")
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
            name = self._holder(account)
        if name not in subledgers.customers(self.book):
            raise RefusedError(f"{name or 'This'}: no such customer")
        return name

    def _holder(self, component: str) -> str:
        """Return the customer whose accounts have a component; empty if there is none."""
        name = accounts.name_of(component)
        return name if name in subledgers.customers(self.book) else ""

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
                "documents": [row.number for row in documents if row.kind in _CREDITED],
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
        statement = customers.statement(book, customer, since)
        lines = statement["lines"]
        end = number_of("until") or len(lines)
        first = max(0, min(end, len(lines)) - _LINES)
        return {
            "since": since,
            "opening": lines[first - 1]["balance"] if first else statement["opening"],
            "lines": lines[first:end],
            "closing": statement["closing"],
            "is_last": end >= len(lines),
            "earlier": first,
        }

    def _tab_invoices(self) -> Values:
        book, customer = self.book, self._own()
        rows = invoices.of_customer(book, customer, self.today)
        electronic = book.config.einvoice.formats
        return {
            "invoices": [row.as_json() | {"last": row.last} for row in rows[::-1]],
            "electronic": list(electronic),
            "documents": customers.documents(book, customer),
            "sent": mailing.by_document(book),
            "messages": mailing.of_customer(book, customer.id),
        }

    def _tab_payments(self) -> Values:
        customer = self._own()
        since = str(customer.open_since)
        rows = [row.as_json() for row in invoices.payments(self.book, customer)]
        more = {"customer": customer.id, "tab": "payments"}
        return {
            "more": more,
            **part_of(
                rows[::-1],
                number_of("first"),
                lambda row: row | {"is_open": row["date"] >= since},
                _CALLS,
            ),
        }

    def _tab_calls(self) -> Values:
        customer, book = self._own(), self.book
        first = day_of("day") or customer.open_since
        last = day_of("to") or (day_of("day") if request.args.get("day") else self.today)
        table = listed.of_customer(book, customer.id, first, max(first, last or first))
        rows = [
            row | {"is_open": str(late or row["start"][:10]) >= str(customer.open_since)}
            for row, late in zip(
                listed.rows_json(table, book.config.timezone),
                table["late_in"].to_pylist(),
                strict=True,
            )
        ]
        if text := request.args.get("text", "").strip().lower():
            rows = [row for row in rows if text in " ".join(map(str, row.values())).lower()]
        days: dict[str, list[int]] = {}
        for row in rows:
            sums = days.setdefault(row["start"][:10], [0, 0])
            sums[0] += 1
            sums[1] += row["seconds"]
        return {
            "from": str(first),
            "to": str(max(first, last or first)),
            "text": request.args.get("text", ""),
            "days": [
                {"day": day, "calls": count, "duration": customers.duration(seconds)}
                for day, (count, seconds) in sorted(days.items(), reverse=True)
            ],
            "more": {
                "customer": customer.id,
                "tab": "calls",
                "day": request.args.get("day") or None,
                "to": request.args.get("to") or None,
                "text": request.args.get("text") or None,
            },
            **part_of(rows[::-1], number_of("first"), lambda row: row, _CALLS),
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
        customer = self._own()
        changes = customers.changes(self.book, customer)
        return {
            "changes": [
                row | {"may_change": row["key"] in _CHANGED_HERE, "on": max(row["from"], since)}
                for since in [str(customer.open_since)]
                for row in changes
            ]
        }

    def _tab_log(self) -> Values:
        return {"log": customers.log(self.book, self._own())}

    def _calls(self) -> Values:
        name, first = self._named(), day_of("day")
        if first is None:
            raise RefusedError("That is no day such as 2026-01-31")
        last = max(day_of("to") or first, first)
        values = customers.calls(self.book, name, first, last, number_of("first"))
        return {"id": name, "from": str(first), "to": str(last), **values}

    def _document(self) -> Values:
        book, name = self.book, request.args.get("document", "")
        if not name:
            customer = subledgers.customers(book)[self._named()]
            day = day_of("bill") or self.today
            name = customers.billed_on(book, customer, day)
        if name in subledgers.customers(book):
            document = drawing.preview(book, name, self.today)
        else:
            document = customers.document(book, name)
        return {
            "name": name,
            "document": as_json(document),
            "last": str(document.last_day),
            "messages": mailing.latest(mailing.by_document(book).get(name, ())),
            "actions": {"customer": document.customer["id"]},
        }

    def _letter(self) -> Values:
        return mailing.letter(self.book, request.args["letter"], self.today)

    @extension_endpoint
    def letter(self) -> Response:
        """Return the page of a document's mail, as its customer sees it."""
        try:
            values = mailing.letter(self.book, request.args.get("name", ""), self.today)
        except (ExpectedError, NoDeskError) as error:
            return Response(f"{error}\n", 404, content_type="text/plain; charset=utf-8")
        response = Response(values["html"], content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _SANDBOX
        return response

    def _line(self) -> Values:
        name = request.args["document"]
        return customers.explained(
            self.book,
            name,
            number_of("line"),
            number_of("call") or number_of("first") + 1,
            self.today,
            number_of("first"),
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
            made = self._made(name, document, form)
        except (ExpectedError, NoDeskError) as error:
            return Response(f"{error}\n", 404, content_type="text/plain; charset=utf-8")
        (content,) = made.values()
        response = Response(content, content_type=_KINDS[form])
        response.headers["Content-Security-Policy"] = _SANDBOX
        # A browser's viewer of PDF may not work in what is only looked at.
        how = "inline" if form in _LOOKED_AT else "attachment"
        file = f"{name}.{(formats.ENDINGS | electronic.ENDINGS)[form]}"
        response.headers["Content-Disposition"] = f'{how}; filename="{file}"'
        return response

    def _made(self, name: str, document: Document, form: str) -> dict[str, bytes]:
        """Return the file of a document: an electronic invoice as issued, or made now."""
        book = self.book
        if form not in electronic.ENDINGS:
            calls = itemised.appendices(book, {name: document})
            return formats.rendered(
                {name: document}, [form], book.root / "templates", itemised=calls
            )
        invoices_ = EInvoices(book, partial(itemised.attached, book))
        made, refused = electronic.rendered(
            invoices_, {name: document}, [form], self.today,
            itemised=itemised.appendices(book, {name: document}),
        )  # fmt: skip
        if refused:
            raise RefusedError("\n".join(refused), undone="it was not made")
        return made
