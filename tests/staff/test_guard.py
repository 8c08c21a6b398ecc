"""Who comes through the door, and which queries only read."""

from __future__ import annotations

import base64

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from a2ledger.book.config import Serve
from a2ledger.errors import ExpectedError
from a2ledger.staff import guard
from a2ledger.staff.desk import USER
from a2ledger.staff.guard import Door
from a2ledger.staff.passwords import Passwords, set_password

OPEN = Serve()


def named(environ, start):
    """An application that says who asks."""
    return Response(environ[USER])(environ, start)


def asked(
    serve=OPEN, known=None, inner=named, *, host="localhost:5000", address="127.0.0.1", **headers
):
    client = Client(Door(inner, serve, known))
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.get("/", headers={"Host": host, **told}, environ_base={"REMOTE_ADDR": address})
    return answer.status_code, answer.get_data(as_text=True).strip()


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:5000", 200),
        ("[::1]:5000", 200),
        ("Billing.Example:443", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("localhost:5000@evil", 400),
        ("", 400),
    ],
)
def test_only_its_own_names_are_answered(host, status):
    assert asked(Serve(names=("billing.example",)), host=host)[0] == status


def test_where_nobody_has_to_log_in_there_is_no_name_and_none_is_believed():
    assert asked() == (200, "")
    assert asked(X_Remote_User="anna", Authorization=basic("anna", "x")) == (200, "")


def test_with_passwords_those_who_have_one_come_in_by_their_name(tmp_path):
    set_password(tmp_path / "staff", "Ada é", "geheim")
    known = Passwords(tmp_path / "staff")
    assert asked(known=known, Authorization=basic("Ada é", "geheim")) == (200, "Ada é")
    for header in (basic("Ada é", "x"), basic("", ""), "Basic ?", "Bearer x", ""):
        assert asked(known=known, Authorization=header) == (401, "log in")


def test_a_header_names_the_user_only_where_the_proxy_sends_it():
    serve = Serve(user_header="X-Remote-User", proxies=("10.0.0.1",))
    assert asked(serve, address="10.0.0.1", X_Remote_User="anna") == (200, "anna")
    assert asked(serve, address="10.0.0.1", X_Remote_User=" <b>\tanna ")[1] == "banna"
    assert asked(serve, address="10.0.0.2", X_Remote_User="anna")[0] == 401
    assert asked(serve, address="10.0.0.1")[0] == 401


def test_an_error_somebody_can_do_something_about_is_said_and_no_page():
    def broken(_environ, _start):
        raise ExpectedError("the book is gone")

    def refused(_environ, _start):
        raise OSError(5, "Input/output error", "journal")

    assert asked(inner=broken)[0] == 503
    assert "the book is gone" in asked(inner=broken)[1]
    assert asked(inner=refused) == (503, "journal: Input/output error")


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("192.0.2.1", False),
        ("10.0.0.1", False),
        ("x", False),
    ],
)
def test_an_address_of_this_machine_alone_is_told_from_others(host, is_local):
    assert guard.is_loopback(host) is is_local


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ("SELECT account", True),
        ("  balances ", True),
        ("JOURNAL 'Assets'", True),
        ("PRINT", True),
        ("CREATE TABLE x (a int)", False),
        ("INSERT INTO x VALUES (1)", False),
        ("DROP", False),
        ("", False),
        ("run 'open quote", False),
    ],
)
def test_a_query_that_does_anything_but_read_is_known(query, reads):
    assert guard.is_reading(query) is reads


def test_every_answer_forbids_what_a_page_does_not_need():
    policy = guard.HEADERS["Content-Security-Policy"].split("; ")
    assert "object-src 'none'" in policy
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy
    assert guard.HEADERS["X-Frame-Options"] == "DENY"
