"""Strangers at the server: they are told no in a line, and stop it for nobody."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest
from harness import Book as Kept
from serving import basic, configured, get, serving_here

from a2ledger.staff import limits
from a2ledger.staff.clerk import Clerk
from a2ledger.staff.forms import BadFormError
from a2ledger.staff.limits import TooMuchError, apart, is_tame, texts_are_tame

HOME = "/example-telecom/"
WILD = "(a+)+$"


@pytest.fixture(scope="module")
def kept(empty_book, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("strangers") / "book"
    shutil.copytree(empty_book, root)
    book = Kept(root, root.parent / "files")
    book.customers({"id": "C1", "name": "a" * 60})
    book.talks("C1", "2026-01-05", 3, today="2026-01-06")
    return root


@pytest.fixture(scope="module")
def host(kept):
    with serving_here(kept) as address:
        yield address


@pytest.fixture
def own(kept, tmp_path) -> Path:
    return shutil.copytree(kept, tmp_path / "book")


@pytest.mark.parametrize(
    ("pattern", "tame"),
    [
        ("^Assets:Receivable:C1", True), ("Income:.*|Expenses:.*", True), ("a{2}b+", True),
        ("C[0-9]+:Billed$", True), ("(", True), (WILD, False), ("(a|aa)+$", False),
        ("(.*)*x", False), (r"(a+)\1", False), (".*a.*b.*c.*d.*e.*f", False), ("x" * 201, False),
        ("(?=(a+)+)b", False), ("((ab)*)*", False),
    ],
)  # fmt: skip
def test_expressions_that_could_take_for_ever_are_told_from_others(pattern, tame):
    assert is_tame(pattern) is tame
    assert texts_are_tame(f"SELECT account WHERE account ~ '{pattern}'") is tame


def test_a_question_has_a_process_of_its_own_with_an_end(monkeypatch):
    assert apart(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        apart(lambda: 1 // 0)

    def endless():
        while True:
            pass

    began = time.monotonic()
    with pytest.raises(TooMuchError, match="more than 1 seconds"):
        apart(endless, seconds=1)
    assert time.monotonic() - began < 20
    monkeypatch.setattr(limits, "MEMORY", 64 << 20)
    with pytest.raises((TooMuchError, MemoryError)):
        apart(lambda: len(bytes(1 << 30)), seconds=5)


def query(host, text, **headers):
    words = text.replace(" ", "%20").replace("+", "%2B").replace("'", "%27")
    return get(host, f"{HOME}api/query?query_string={words}", **headers)


def test_no_question_and_no_filter_stops_the_server(host):
    assert query(host, "SELECT account LIMIT 1").status == 200
    refused = query(host, f"SELECT account WHERE account ~ '{WILD}'")
    assert (refused.status, "regular expression" in refused.text) == (403, True)
    for name in ("account", "filter"):
        path = f"{HOME}api/income_statement?{name}={WILD.replace('+', '%2B')}"
        assert get(host, path).status == 403
    # A cross join of everything with everything ends, too: see the test above.
    assert get(host, HOME).status == 302


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize(
    "headers",
    [{"Sec_Fetch_Site": "cross-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
)
def test_what_another_site_has_a_browser_ask_is_refused_whatever_the_method(host, method, headers):
    assert get(host, f"{HOME}income_statement/", method, **headers).status == 403


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["X-Remote-User: Anna"], b"302"),
        (["X_Remote_User: Anna"], b"401"),
        (["X-Remote-User: Anna", "X_Remote_User: Mallory"], b"302"),
        (["X-Remote-User: Anna", "X-Remote-User: Mallory"], b"400"),
        (["X-Remote-User: Anna", "x-remote-user: Mallory"], b"400"),
    ],
)
def test_who_comes_is_said_by_one_header_of_exactly_that_name(own, lines, status):
    configured(own, 'user_header = "X-Remote-User"')
    with serving_here(own) as host:
        answer = raw(host, "\r\n".join([f"GET {HOME} HTTP/1.1", "Host: localhost", *lines, "", ""]))
    assert answer.split(b" ")[1] == status


def raw(host: str, text: str, *, slowly: bool = False) -> bytes:
    name, _, port = host.rpartition(":")
    with socket.create_connection((name, int(port)), timeout=30) as connection:
        connection.sendall(text.encode())
        if slowly:
            return b""
        return connection.recv(1 << 16)


def test_slow_connections_cost_no_thread_and_are_closed_in_the_end(host, monkeypatch):
    name, _, port = host.rpartition(":")

    def slow(number):
        connection = socket.create_connection((name, int(port)), timeout=60)
        half = b"GET / HTTP/1.1\r\nHost: loc" if number % 2 else b""
        body = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nxx"
        connection.sendall(half or body)
        return connection

    with contextlib.ExitStack() as connections:
        monkeypatch.setattr(limits, "PATIENCE_SECONDS", 3600.0)
        for number in range(30):
            connections.enter_context(slow(number))
        assert get(host, HOME).status == 302
        monkeypatch.setattr(limits, "PATIENCE_SECONDS", 1.0)
        late = connections.enter_context(slow(30))
        assert late.recv(100).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        (f"{HOME}extension/A2Ledger/write", "POST", "[1, 2]"),
        (f"{HOME}extension/A2Ledger/write", "POST", "{" * 5000),
        (f"{HOME}extension/A2Ledger/write", "POST", '{"action": {"a": 1}}'),
        (f"{HOME}extension/A2Ledger/write", "POST", "nul"),
        (f"{HOME}extension/Customers/rows?customer=%00", "GET", None),
        (f"{HOME}api/query?query_string=SELECT%20nothing%20FROM", "GET", None),
        (f"{HOME}api/query?query_string=SELECT%20nonsense(account)", "GET", None),
        (f"{HOME}api/income_statement?time=9999-99", "GET", None),
        (f"{HOME}api/source?filename=/etc/passwd", "GET", None),
        (f"{HOME}api/income_statement?filter=%22%22%22(", "GET", None),
        (f"{HOME}extension/Documents/rendered?name=../../etc", "GET", None),
    ],
)
def test_nonsense_is_answered_in_words(host, capfd, path, method, body):
    token = json.loads(get(host, f"{HOME}extension/A2Ledger/home").text)["token"]
    answer = get(host, path, method, body, Content_Type="application/json", X_A2ledger_Token=token)
    assert answer.status < 500
    assert "Traceback" not in answer.text
    assert answer.text.strip() or answer.status in {302, 404}
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "headers",
    [
        "Host: evil.example\r\n",
        "Content-Length: 3\r\nContent-Length: 5\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: -3\r\n",
        "Content-Length: 3, 5\r\n",
    ],
)
def test_a_request_of_two_minds_is_refused_before_it_is_read(host, headers):
    """A proxy before us may have taken the other length, or the other name, for the right one."""
    name, _, port = host.rpartition(":")
    with socket.create_connection((name, int(port)), timeout=60) as connection:
        start = f"POST {HOME}extension/A2Ledger/write HTTP/1.1\r\nHost: {host}\r\n"
        connection.sendall(f"{start}{headers}Connection: close\r\n\r\nabcde".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_passwords_that_are_gone_are_said_and_nobody_comes_in(own):
    secret = own.parent / "passwords"
    configured(own, f'passwords = "{secret}"')
    from a2ledger.staff import passwords  # noqa: PLC0415 - only here

    passwords.set_password(secret, "anna", "right")
    with serving_here(own) as host:
        assert get(host, HOME, Authorization=basic("anna", "right")).status == 302
        secret.unlink()
        answer = get(host, HOME, Authorization=basic("anna", "right"))
        assert (answer.status, "cannot be read" in answer.text) == (503, True)


def test_what_one_user_asks_for_is_done_one_after_the_other(tmp_path, monkeypatch):
    clerk = Clerk(tmp_path)
    running, most, go = [], [], threading.Event()

    def slowly(job, _directory):
        running.append(job.user)
        most.append(running.count(job.user))
        go.wait(60)
        running.remove(job.user)
        return 0

    monkeypatch.setattr(clerk, "_command", slowly)
    form = {"action": "close", "through": "2026-01-31"}
    for user in ["anna"] * 10 + ["bert"]:
        clerk.start(form, user)
    with pytest.raises(BadFormError, match="10 things you asked for are not done yet"):
        clerk.start(form, "anna")
    deadline = time.monotonic() + 60
    while "bert" not in running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(running) == ["anna", "bert"]
    go.set()
    clerk.finish()
    assert max(most) == 1
