"""A server of a book in the tests' own process, asked as anything may ask it."""

from __future__ import annotations

import base64
import datetime as dt
import http.client
import json
from dataclasses import replace

from a2ledger.book.book import Book
from a2ledger.staff.clerk import PROGRAM, Clerk
from a2ledger.staff.desk import Desk
from a2ledger.staff.server import listening

TODAY = "2026-04-03"


def serving_here(book, today=TODAY, program=PROGRAM):
    """A server of a book in this process, as its ``a2ledger.toml`` says.

    Args:
        book: what it serves.
        today: the day it is.
        program: the command line that carries out forms.
    """
    day = dt.date.fromisoformat(today)
    clerk = Clerk(book, ("--today", today), program)
    desk = Desk(root=book, today=lambda _: day, clerk=clerk)
    return listening(Book(book), desk, replace(Book(book).config.serve, port=0))


class Answer(dict):
    status = 0
    text = ""

    @property
    def json(self):
        return json.loads(self.text)


def get(host, path, method="GET", body=None, **headers):
    """What a server answers, asked as anything may ask it, not only a browser."""
    connection = http.client.HTTPConnection(host, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    response = connection.getresponse()
    answer = Answer({name.lower(): value for name, value in response.getheaders()})
    answer.status, answer.text = response.status, response.read().decode()
    connection.close()
    return answer


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def configured(book, text):
    with (book / "a2ledger.toml").open("a") as toml:
        toml.write(f"\n[serve]\n{text}\n")
