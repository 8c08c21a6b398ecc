"""The staff server: Fava with our pages, behind the guard."""

from __future__ import annotations

import contextlib
import inspect
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import fava
from fava.application import create_app
from fava.helpers import FavaAPIError
from fava.json_api import json_api
from flask import Flask, request
from jinja2 import ChoiceLoader, DictLoader
from werkzeug.exceptions import BadRequest, HTTPException

from a2ledger.book.book import Book, RefusedError
from a2ledger.book.config import Serve
from a2ledger.errors import ExpectedError
from a2ledger.staff import frame, revenue
from a2ledger.staff.customer_ledgers import EVERY_SECONDS, PREFIX, Ledgers
from a2ledger.staff.desk import KEY, Desk
from a2ledger.staff.guard import Door, is_loopback, protect
from a2ledger.staff.limits import PatientServer, connections
from a2ledger.staff.passwords import Passwords

_JOURNAL = "_journal_table.html"
_ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a request that makes no sense may end in."""
_THREADS = 10
_GRACE_SECONDS = 5
_MOST_BYTES = 200_000
"""Size limit of a request."""


def application(book: Book, desk: Desk) -> Flask:
    """Create Fava with our pages, limited to what its routes may answer."""
    ledgers = Ledgers(book)
    app = create_app([])
    app.config["LEDGERS"] = ledgers
    app.config[KEY] = desk
    desk.home, desk.customers_at = f"/{ledgers.slug}/", f"/{PREFIX}"
    if desk.clerk:
        desk.clerk.published = ledgers.hurry
    # Fava's table of entries shows texts as if they were HTML: here they are texts.
    source = Path(inspect.getfile(fava)).parent / "templates" / _JOURNAL
    text = source.read_text(encoding="utf-8").replace(
        "{% autoescape false %}", "{% autoescape true %}"
    )
    assert app.jinja_loader  # noqa: S101 - Flask has one
    app.jinja_loader = ChoiceLoader([DictLoader({_JOURNAL: text}), app.jinja_loader])
    frame.install(app)
    protect(app, desk)
    app.register_error_handler(ExpectedError, _said)
    app.register_error_handler(BadRequest, _odd)
    for kind in _ODD:
        app.register_error_handler(kind, _odd)
    # Fava logs what a caller asked wrongly as an error of its own.
    app.error_handler_spec[json_api.name][None][FavaAPIError] = _refused
    return app


def _refused(problem: FavaAPIError) -> tuple[dict[str, object], int]:
    """Return an error response for a request of which Fava says what is wrong."""
    return {"error": problem.message, "success": False}, 400


def _said(problem: Exception) -> tuple[str, int, dict[str, str]]:
    """Return an error response for a problem of the book."""
    return f"{problem}\n", 503, {"Content-Type": "text/plain; charset=utf-8"}


def _odd(problem: Exception) -> tuple[str, int, dict[str, str]]:
    """What is said to a request that nothing could be made of."""
    status = problem.code or 400 if isinstance(problem, HTTPException) else 400
    said = " ".join(str(problem).split())[:200]
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    if not isinstance(problem, HTTPException):
        name = type(problem).__name__
        print(f"a2ledger: {request.path}: {name}: {said}; not answered", file=sys.stderr)  # noqa: T201
    return f"nothing could be made of this request ({said})\n", status, headers


def door(app: Flask, book: Book, serve: Serve) -> Door:
    """Return the application behind the guard.

    Raises:
        RefusedError: if anybody could come in from outside, or the passwords cannot be read.
    """
    if not (is_loopback(serve.host) or serve.passwords or serve.user_header):
        raise RefusedError(
            f"serve.host: {serve.host} lets anybody in who reaches this machine",
            undone="nothing was served",
            todo="set serve.passwords or serve.user_header in a2ledger.toml",
        )
    passwords = Passwords(book.root / serve.passwords) if serve.passwords else None
    return Door(app.wsgi_app, serve, passwords)


@contextlib.contextmanager
def listening(book: Book, desk: Desk, serve: Serve) -> Iterator[str]:
    """Run the server in a context, which yields its address.

    Raises:
        RefusedError: if it may not be served like that, or the port is another's.
    """
    app = application(book, desk)
    server = PatientServer((serve.host, serve.port), door(app, book, serve), numthreads=_THREADS)
    server.ConnectionClass = connections([serve.user_header] if serve.user_header else [])
    server.max_request_header_size, server.max_request_body_size = _MOST_BYTES, _MOST_BYTES
    _start(server, serve)
    stop = threading.Event()
    ledgers: Ledgers = app.config["LEDGERS"]
    threading.Thread(target=ledgers.watch, args=(stop,), daemon=True).start()
    threading.Thread(target=_add_up, args=(desk, stop), daemon=True).start()
    host, port = server.bind_addr[:2]
    try:
        yield f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    finally:
        stop.set()
        if desk.clerk:
            desk.clerk.finish()
        ending = threading.Thread(target=server.stop, daemon=True)
        ending.start()
        ending.join(_GRACE_SECONDS)


def _add_up(desk: Desk, stop: threading.Event) -> None:
    """Have what the pages show of all customers added up before somebody asks for it."""
    is_first, added_up = True, None
    while is_first or not stop.wait(EVERY_SECONDS):
        is_first = False
        with contextlib.suppress(ExpectedError, OSError):
            book = desk.book()
            desk.known.renew(book, desk.today(book))
            if book is not added_up:
                added_up = book
                for month in revenue.months_of_calls(book)[:1]:
                    revenue.destinations(book, month)


def run(book: Book, desk: Desk, serve: Serve, talk: Callable[[str], None]) -> None:
    """Serve a book until a signal arrives.

    Raises:
        RefusedError: if it may not be served like that, or the port is another's.
    """
    signals = _signals()
    with listening(book, desk, serve) as address:
        talk(f"http://{address}/ shows the book; Ctrl-C ends it")
        os.read(signals, 1)


def _signals() -> int:
    """Return a file descriptor that becomes readable when a signal asks to stop.

    An exception out of a signal's handler would strike anywhere, in a lock of the server too.
    """
    read, write = os.pipe()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.write(write, b"."))
    return read


def _start(server: PatientServer, serve: Serve) -> None:
    """Start a server's threads, which do not keep the program from exiting.

    Raises:
        RefusedError: if the address is another's.
    """
    listening = threading.Event()
    failed: list[OSError] = []

    def work() -> None:
        try:
            server.prepare()
        except OSError as error:
            failed.append(error)
        listening.set()
        if not failed:
            server.serve()

    threading.Thread(target=work, daemon=True).start()
    listening.wait()
    if failed:
        raise RefusedError(
            f"{serve.host}:{serve.port}: is in use or is none of this machine's",
            undone="nothing was served",
            todo="say another --port",
        )
