"""The server: Fava with the staff's pages, behind the guard."""

from __future__ import annotations

import contextlib
import inspect
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fava
from cheroot.wsgi import Server
from fava.application import create_app
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader

from a2ledger.book import Book, RefusedError
from a2ledger.config import Serve
from a2ledger.staff.desk import KEY, Desk
from a2ledger.staff.guard import Door, is_loopback, protect
from a2ledger.staff.ledgers import PREFIX, Ledgers
from a2ledger.staff.passwords import Passwords

_JOURNAL = "_journal_table.html"
_THREADS = 10


def application(book: Book, desk: Desk) -> Flask:
    """Fava with our pages, which answers only what its routes may."""
    ledgers = Ledgers(book)
    app = create_app([])
    app.config["LEDGERS"] = ledgers
    app.config[KEY] = desk
    desk.home, desk.customers_at = f"/{ledgers.slug}/", f"/{PREFIX}"
    if desk.clerk:
        desk.clerk.published = ledgers.refresh
    # Fava's table of entries shows texts as if they were HTML: here they are texts.
    source = Path(inspect.getfile(fava)).parent / "templates" / _JOURNAL
    text = source.read_text(encoding="utf-8").replace(
        "{% autoescape false %}", "{% autoescape true %}"
    )
    assert app.jinja_loader  # noqa: S101 - Flask has one
    app.jinja_loader = ChoiceLoader([DictLoader({_JOURNAL: text}), app.jinja_loader])
    protect(app, desk)
    return app


def door(app: Flask, book: Book, serve: Serve) -> Door:
    """The way in.

    Raises:
        RefusedError: if anybody could come in from outside, or the passwords cannot be read.
    """
    if not (is_loopback(serve.host) or serve.passwords or serve.user_header):
        raise RefusedError(
            f"serve.host: {serve.host} lets anybody in who reaches this machine; nothing was "
            "served; set serve.passwords or serve.user_header in a2ledger.toml"
        )
    passwords = Passwords(book.root / serve.passwords) if serve.passwords else None
    return Door(app.wsgi_app, serve, passwords)


@contextlib.contextmanager
def _watching(ledgers: Ledgers) -> Iterator[None]:
    stop = threading.Event()
    threading.Thread(target=ledgers.watch, args=(stop,), daemon=True).start()
    try:
        yield
    finally:
        stop.set()


def run(book: Book, desk: Desk, serve: Serve, talk: Callable[[str], None]) -> None:
    """Serve a book until told to stop.

    Raises:
        RefusedError: if it may not be served like that, or the port is another's.
    """
    app = application(book, desk)
    server = Server((serve.host, serve.port), door(app, book, serve), numthreads=_THREADS)
    try:
        server.prepare()
    except OSError:
        raise RefusedError(
            f"{serve.host}:{serve.port}: is in use or is none of this machine's; nothing was "
            "served; say another --port"
        ) from None

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    host, port = server.bind_addr[:2]
    shown = f"[{host}]" if ":" in str(host) else host
    talk(f"http://{shown}:{port}/ shows the book; Ctrl-C ends it")
    with _watching(app.config["LEDGERS"]), contextlib.suppress(KeyboardInterrupt):
        server.serve()
    server.stop()
