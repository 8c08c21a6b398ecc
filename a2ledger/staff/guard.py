"""The guard: which parts of Fava are reachable, by whom, and with which browser policies.

Every address of the application has a row in :data:`ROUTES`. What has none is refused, so that a
new version of Fava opens nothing by itself. Fava's own ways to write are always refused: the
command line alone writes a book.
"""

from __future__ import annotations

import base64
import binascii
import enum
import ipaddress
import re
import shlex
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import beanquery.parser
from beanquery.parser import ast
from fava.context import g
from flask import Flask, request
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

from a2ledger.book.config import Serve
from a2ledger.errors import ExpectedError
from a2ledger.staff.desk import USER, Desk
from a2ledger.staff.limits import is_tame, limited, texts_are_tame
from a2ledger.staff.passwords import Passwords

_EXPRESSIONS = {"account", "filter", "query_string"}
"""Words of an address that may hold regular expressions."""

Environ = dict[str, Any]
Start = Callable[..., Any]


class May(enum.Enum):
    """What a route is allowed to do."""

    READ = "show what is in the journals"
    ASK = "answer a reading query"
    OURS = "what the pages of a2ledger need"
    NOTHING = "nothing"


ROUTES: dict[str, May] = {
    "static": May.READ,
    "index": May.READ,
    "account": May.READ,
    "report": May.READ,
    "holdings_by": May.READ,
    "help_page": May.READ,
    "download_journal": May.READ,
    "extension_report": May.OURS,
    "extension_js_module": May.OURS,
    "extension_endpoint": May.OURS,
    "download_query": May.ASK,
    "document": May.NOTHING,  # any file that a journal names
    "statement": May.NOTHING,
    "jump": May.NOTHING,
    "json_api.get_query": May.ASK,
    "json_api.get_account_report": May.READ,
    "json_api.get_balance_sheet": May.READ,
    "json_api.get_changed": May.READ,
    "json_api.get_commodities": May.READ,
    "json_api.get_context": May.READ,
    "json_api.get_documents": May.READ,
    "json_api.get_errors": May.READ,
    "json_api.get_events": May.READ,
    "json_api.get_help": May.READ,
    "json_api.get_income_statement": May.READ,
    "json_api.get_journal": May.READ,
    "json_api.get_journal_page": May.READ,
    "json_api.get_ledger_data": May.READ,
    "json_api.get_narration_transaction": May.READ,
    "json_api.get_narrations": May.READ,
    "json_api.get_options": May.READ,
    "json_api.get_payee_accounts": May.READ,
    "json_api.get_payee_transaction": May.READ,
    "json_api.get_source": May.READ,
    "json_api.get_source_slice": May.READ,
    "json_api.get_statistics": May.READ,
    "json_api.get_trial_balance": May.READ,
    "json_api.get_extract": May.NOTHING,  # runs importers
    "json_api.get_imports": May.NOTHING,
    "json_api.put_add_document": May.NOTHING,
    "json_api.put_add_entries": May.NOTHING,
    "json_api.put_attach_document": May.NOTHING,
    "json_api.put_format_source": May.NOTHING,
    "json_api.put_move": May.NOTHING,
    "json_api.put_source": May.NOTHING,
    "json_api.put_source_slice": May.NOTHING,
    "json_api.put_upload_import_file": May.NOTHING,
    "json_api.delete_document": May.NOTHING,
    "json_api.delete_source_slice": May.NOTHING,
}
"""Permissions of each endpoint of the application."""

WRITES = {("A2Ledger", "write")}
"""Endpoints of our pages that accept POST: (page, endpoint)."""

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every response, unless it has a stricter one."""

_READING = (ast.Select, ast.Balances, ast.Journal, ast.Print)
_RUN = re.compile(r"\.?run\s+(.*?)[;\s]*", re.IGNORECASE | re.DOTALL)
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?")
_BODY = 100_000
"""Size limit of a form, in bytes."""


def is_loopback(host: str) -> bool:
    """Return True if an address is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Door:
    """WSGI middleware that admits or refuses requests.

    Args:
        inner: the application.
        serve: what ``a2ledger.toml`` says of it.
        passwords: who may log in; None where nobody has to.
    """

    def __init__(
        self, inner: Callable[..., Any], serve: Serve, passwords: Passwords | None
    ) -> None:
        self._inner, self._serve, self._passwords = inner, serve, passwords

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer a request, or refuse it."""
        environ.pop(USER, None)
        try:
            return self._answer(environ, start)
        except ExpectedError as error:
            return _refused(503, str(error))(environ, start)
        except OSError as error:
            return _refused(503, f"{error.filename}: {error.strerror}")(environ, start)

    def _answer(self, environ: Environ, start: Start) -> Iterable[bytes]:
        if not self._is_ours(environ.get("HTTP_HOST", "")):
            return _refused(400, "this is not the name of this server")(environ, start)
        user = self._user(environ)
        if user is None:
            refused = _refused(401, "log in")
            if self._passwords:
                refused.headers["WWW-Authenticate"] = 'Basic realm="a2ledger", charset="UTF-8"'
            return refused(environ, start)
        environ[USER] = user
        answer: Iterable[bytes] = self._inner(environ, start)
        return answer

    def _is_ours(self, host: str) -> bool:
        """Return True if a host name is ours, to prevent DNS rebinding."""
        match = _HOST.fullmatch(host)
        names = {*_LOCAL, *map(str.lower, self._names())}
        return match is not None and match[1].lower() in names

    def _names(self) -> Iterable[str]:
        host = self._serve.host
        yield f"[{host}]" if ":" in host else host
        yield from self._serve.names

    def _user(self, environ: Environ) -> str | None:
        """Return the user, empty if nobody has to log in, None if access is denied."""
        address = environ.get("REMOTE_ADDR", "")
        if self._serve.user_header and address in self._serve.proxies:
            key = f"HTTP_{self._serve.user_header.upper().replace('-', '_')}"
            if name := _name(environ.get(key, "")):
                return name
        if self._passwords:
            name, password = _basic(environ.get("HTTP_AUTHORIZATION", ""))
            return name if name and self._passwords.is_right(name, password, address) else None
        return None if self._serve.user_header else ""


def _name(text: str) -> str:
    """Clean a person's name for use in a commit."""
    return re.sub(r"[\x00-\x1f\x7f<>]", "", text).strip()[:64]


def _basic(header: str) -> tuple[str, str]:
    """Parse name and password of a basic authorization header, empty if it has none."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", ""
    return _name(name), password


def _refused(status: int, why: str) -> Response:
    return Response(f"{why}\n", status, HEADERS, content_type="text/plain; charset=utf-8")


def protect(app: Flask, desk: Desk) -> None:
    """Let an application answer only what its routes may."""

    def allow() -> FlaskResponse | None:
        why = _from_elsewhere() or _wild() or _forbidden(desk)
        if why:
            return app.make_response(({"error": why, "success": False}, 403))
        return None

    def dress(response: FlaskResponse) -> FlaskResponse:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    app.before_request_funcs.setdefault(None, []).insert(0, allow)
    for endpoint, may in ROUTES.items():
        if may is May.ASK and endpoint in app.view_functions:
            app.view_functions[endpoint] = limited(app.view_functions[endpoint], app.make_response)
    app.after_request(dress)


def _from_elsewhere() -> str:
    """Why a request that another site has had a browser send is not answered, whatever its method.

    A picture on a foreign page is enough to ask a question that keeps us busy.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    is_ours = origin is None or (origin != "null" and urlsplit(origin).netloc == request.host)
    if site in {"same-origin", "none"} and is_ours:
        return ""
    return "another site sent this: open the page by its own address"


def _wild() -> str:
    """Why the expressions of a request are not tried on anything; empty if they may be."""
    for name, values in request.args.lists():
        whole = is_tame if name == "account" else texts_are_tame
        for value in values:
            if name in _EXPRESSIONS and not (whole(value) and texts_are_tame(value)):
                return "a regular expression in this could take for ever: write a simpler one"
            if name == "filter" and not all(map(is_tame, value.split())):
                return "a regular expression in this could take for ever: write a simpler one"
    return ""


def _forbidden(desk: Desk) -> str:
    """Return the reason to refuse a request, or an empty text."""
    if request.endpoint is None:
        return ""  # there is nothing there: that is answered by saying so
    may = ROUTES.get(request.endpoint, May.NOTHING)
    if may is May.NOTHING:
        return "a2ledger serves no such thing: a book is written by its own commands"
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        if may is May.ASK and not is_reading(request.args.get("query_string", "")):
            return "only queries that read are answered: SELECT, BALANCES, JOURNAL, PRINT, run NAME"
        return ""
    view = request.view_args or {}
    page = (view.get("extension_name"), view.get("endpoint"))
    if may is not May.OURS or request.method != "POST" or page not in WRITES:
        return "a2ledger serves no such thing: a book is written by its own commands"
    return _no_write(desk)


def _no_write(desk: Desk) -> str:
    if desk.clerk is None:
        return "nothing can be written here: the server was started with --read-only"
    if (request.content_length or 0) > _BODY or not request.is_json:
        return "this is no form of ours"
    token = request.headers.get("X-A2ledger-Token", "")
    if not desk.knows(token, request.environ.get(USER, "")):
        return "this page is of another day: load it again"
    return ""


def is_reading(text: str) -> bool:
    """Return True if a query only reads, or runs saved ones that only read."""
    text = text.strip()
    if match := _RUN.fullmatch(text):
        try:
            name, *more = shlex.split(match[1])
        except ValueError:
            return False
        saved = [query for query in g.ledger.all_entries_by_type.Query if query.name == name]
        return bool(saved) and not more and all(_reads(query.query_string) for query in saved)
    return _reads(text)


def _reads(text: str) -> bool:
    try:
        query = beanquery.parser.parse(text)
    except (beanquery.parser.ParseError, IndexError):  # of nothing at all it makes the latter
        return False
    return isinstance(query, _READING)
