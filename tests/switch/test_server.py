"""The server as switches see it: over real sockets, before a real book."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from harness import Book
from switching import RATES, TODAY, serving, slowness

IDS = {"name": "Ada", "credit_limit": "10", "tariff": "standard", "opened": "2026-03-01"}


@pytest.fixture(scope="module")
def prepared(empty_book, tmp_path_factory):
    """A book of customers who have 10.00 each; a test takes one nobody has used yet."""
    home = tmp_path_factory.mktemp("switch")
    shutil.copytree(empty_book, home / "book")
    book = Book(home / "book", home / "files", TODAY)
    (book.root / "tariffs" / "standard.csv").write_text(RATES)
    book.customers(*(IDS | {"id": f"C{n}", "identifiers": f"phone{n}"} for n in range(100)))
    return book


@pytest.fixture(scope="module")
def server(prepared):
    with serving(prepared.root) as running:
        yield running


NUMBERS = itertools.count()


class Phone:
    """A customer nobody has used yet, and the switch their calls come through."""

    def __init__(self, server, number) -> None:
        self.server, self.who, self.name = server, f"C{number}", f"phone{number}"

    def id(self, call):
        return f"{self.who}-{call}"

    def authorize(self, call, called, **more):
        return self.server.authorize(self.id(call), self.who, called, **more)

    def extend(self, call, **more):
        return self.server.ask("/extend", {"call": self.id(call), **more})

    def end(self, call, **more):
        return self.server.ask("/end", {"call": self.id(call), **more})

    def calls(self):
        return [call for call in self.server.ask("/calls") if call["customer"] == self.who]

    @property
    def available(self):
        return self.server.available(self.who)

    def agi(self, script, variables=None, *, call=1, **channel):
        return self.server.agi_call(script, variables, uniqueid=self.id(call), **channel)

    def rpc(self, method, call=1, *, called="33123", **event):
        event = {"Account": self.name, "Destination": called, "OriginID": self.id(call), **event}
        params = [{"Event": event}]
        message = {"jsonrpc": "2.0", "id": 7, "method": f"SessionSv1.{method}", "params": params}
        return self.server.ask("/jsonrpc", message)


@pytest.fixture
def phone(server):
    return Phone(server, next(NUMBERS))


def test_a_call_is_allowed_for_as_long_as_the_credit_lasts(server, phone):
    answer = server.ask("/authorize", {"call": "a", "identifier": phone.name, "called": "33123"})
    assert answer == answer | {
        "allowed": True,
        "max_seconds": 10_000,
        "reason": "ok",
        "customer": phone.who,
        "destination": "France",
        "per_minute": "0.06",
        "reserved": "10.00",
        "available": "0.00",
    }


def test_calls_at_once_do_not_spend_the_same_money(phone):
    first = phone.authorize(1, "+33123", seconds=9000)
    second = phone.authorize(2, "0033456", seconds=9000)
    third = phone.authorize(3, "3225", seconds=60)
    assert (first["reserved"], first["available"]) == ("9.00", "1.00")
    assert (second["max_seconds"], second["available"]) == (1000, "0.00")
    assert (third["allowed"], third["reason"], third["max_seconds"]) == (False, "no-credit", 0)


def test_two_hundred_calls_at_once_spend_what_there_is_and_no_more(phone):
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: phone.authorize(n, "3225", seconds=60), range(200)))
    allowed = [answer for answer in answers if answer["allowed"]]
    assert len(allowed) == 16  # at 0.60 of 10.00
    assert sum(Decimal(answer["reserved"]) for answer in allowed) == Decimal("9.60")
    assert {answer["reason"] for answer in answers} == {"ok", "no-credit"}


def test_every_refusal_names_its_reason(server, phone):
    assert server.authorize("x", "nobody", "3225")["reason"] == "unknown-customer"
    unknown = server.ask("/authorize", {"call": "x", "identifier": "x", "called": "3225"})
    assert (unknown["allowed"], unknown["reason"]) == (False, "unknown-customer")
    assert phone.authorize(1, "4420")["reason"] == "no-rate"
    phone.authorize(2, "33123")
    assert phone.authorize(3, "3225")["reason"] == "no-credit"


def test_a_call_goes_on_in_slices_and_is_settled_when_it_is_hung_up(phone):
    assert phone.authorize(1, "3225", seconds=60)["reserved"] == "0.60"
    longer = phone.extend(1, seconds=60)
    assert (longer["allowed"], longer["max_seconds"]) == (True, 120)
    assert (longer["reserved"], longer["available"], longer["more_seconds"]) == ("1.20", "8.80", 60)
    ended = phone.end(1, seconds=61, answered=True)
    assert (ended["cost"], ended["available"]) == ("1.20", "8.80")
    assert phone.end(1, seconds=5, answered=True) == ended
    assert phone.extend(1, seconds=60)["allowed"] is False


def test_a_call_nobody_answered_holds_nothing(phone):
    phone.authorize(1, "33123")
    phone.end(1, seconds=30, answered=False)
    assert phone.available == "10.00"
    assert phone.calls() == []


def test_a_question_that_arrives_twice_is_answered_twice_and_holds_once(phone):
    answers = [phone.authorize(1, "33123", seconds=600) for _ in range(2)]
    assert answers[0]["max_seconds"] == answers[1]["max_seconds"] == 600
    assert answers[0]["available"] == answers[1]["available"] == "9.40"


def test_the_imported_call_takes_the_place_of_what_it_held(prepared, phone):
    phone.authorize(1, "3225", seconds=600)
    phone.authorize(2, "33123", seconds=100)
    phone.end(1, seconds=61, answered=True)
    assert phone.available == "8.70"
    start = f"{TODAY} 10:00:00"
    row = {
        "id": phone.id(1),
        "customer": phone.who,
        "start": start,
        "called": "3225",
        "seconds": 61,
    }
    prepared.imported("calls", [row])
    assert phone.server.until(lambda: len(phone.calls()) == 1) < 3 * slowness()
    assert phone.available == "8.70"  # 1.20 is owed now, 0.10 still held
    assert prepared.balance(phone.who)["owed"] == "1.20"


def fastest(phone, change, amounts):
    """Return the shortest time in which what is left followed a change of the book.

    The machine may be busy with other tests; a server that only looks every other second is slow
    each time.
    """
    return min(
        (change(number), phone.server.until(lambda: phone.available == amount))[1]  # noqa: B023
        for number, amount in enumerate(amounts)
    )


def test_money_and_limits_are_obeyed_within_a_second(prepared, phone):
    def pay(_number):
        prepared.moves("payments", phone.who, TODAY, "5.00")

    def limit(number):
        prepared.run("customer", "set", phone.who, f"credit_limit={number + 1}")

    assert fastest(phone, pay, ("15.00", "20.00", "25.00")) < slowness()
    assert fastest(phone, limit, ("16.00", "17.00", "18.00")) < slowness()


def test_an_import_is_counted_within_a_second(prepared, phone):
    def call(number):
        row = {"id": f"{phone.who}-i{number}", "customer": phone.who, "called": "3225"}
        prepared.imported("calls", [row | {"start": f"{TODAY} 1{number}:00:00", "seconds": 60}])

    assert fastest(phone, call, ("9.40", "8.80", "8.20")) < slowness()


def test_blocks_are_obeyed_at_once(prepared, phone):
    prepared.run("customer", "block", phone.who, "--reason", "card stolen")
    phone.server.until(lambda: phone.authorize(1, "33123")["reason"] == "blocked")
    assert "card stolen" in phone.authorize(1, "33123")["message"]
    prepared.run("customer", "unblock", phone.who)
    phone.server.until(lambda: phone.authorize(1, "33123", seconds=1)["allowed"])


def test_a_new_customer_and_a_new_price_are_known(prepared, server):
    prepared.customers(IDS | {"id": "NEW", "identifiers": "new"})
    server.until(
        lambda: server.authorize("new1", "NEW", "34123", seconds=60)["reason"] == "no-rate"
    )
    with (prepared.root / "tariffs" / "standard.csv").open("a") as deck:
        deck.write("34,Spain,0.12,1,1\n")
    prepared.run("customer", "set", "NEW", "name=Nina")
    server.until(lambda: server.authorize("new1", "NEW", "34123", seconds=60)["allowed"])


def test_what_was_allowed_is_known_after_the_server_was_killed(prepared, phone):
    state = prepared.root.parent / "killed.sqlite"
    with serving(prepared.root, "--state", str(state)) as server:
        first = Phone(server, int(phone.who[1:]))
        first.authorize(1, "33123", seconds=9000)
        stop, allowed = threading.Event(), []

        def ask():
            for number in itertools.count(2):
                try:
                    told = first.authorize(number, "33123", seconds=1)
                except OSError:
                    return
                if told["allowed"]:
                    allowed.append(first.id(number))
                if stop.is_set():
                    return

        askers = threading.Thread(target=ask)
        askers.start()
        server.until(lambda: len(allowed) > 5)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        stop.set()
        askers.join()
    with serving(prepared.root, "--state", str(state)) as server:
        second = Phone(server, int(phone.who[1:]))
        assert {call["call"] for call in second.calls()} >= {first.id(1), *allowed}
        assert Decimal(second.available) <= 1 - Decimal("0.001") * len(allowed)
        assert second.end(1, seconds=60)["cost"] == "0.06"


KILLED_WRITER = """
import sqlite3, sys, time
state = sqlite3.connect(sys.argv[1], isolation_level=None)
state.execute("BEGIN IMMEDIATE")
state.execute("UPDATE calls SET held_micro = 0, released = 0")
state.execute("DELETE FROM alerts")
print("half", flush=True)
time.sleep(60)
"""


def test_another_writer_that_is_killed_halfway_leaves_nothing_behind(prepared, phone):
    phone.authorize(1, "33123", seconds=60)
    file = prepared.root / ".a2ledger" / "authorize.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_WRITER, str(file)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout.readline() == "half\n"
        answers = []
        asker = threading.Thread(
            target=lambda: answers.append(phone.authorize(2, "33123", seconds=60))
        )
        asker.start()
        time.sleep(0.2)
        writer.kill()
        writer.wait()
        asker.join()
    assert answers[0]["allowed"]  # it waited for the lock, and had it once the writer was gone
    assert phone.available == "9.88"
    assert phone.end(1, seconds=60)["cost"] == "0.06"


def test_nothing_is_granted_while_it_cannot_be_written(prepared, phone):
    phone.authorize(1, "33123", seconds=60)
    file = prepared.root / ".a2ledger" / "authorize.sqlite"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = phone.authorize(2, "33123", seconds=60)
        other.execute("ROLLBACK")
    assert (refused["allowed"], refused["reason"]) == (False, "stale")
    assert phone.authorize(2, "33123", seconds=60)["allowed"]
    assert phone.available == "9.88"


def test_asterisk_asks_over_agi(phone):
    told = phone.agi(f"authorize?identifier={phone.name}&called=33123")
    assert told == {
        "A2L_ALLOWED": "1",
        "A2L_MAX_SECONDS": "10000",
        "A2L_REASON": "ok",
        "A2L_CUSTOMER": phone.who,
    }
    refused = phone.agi(f"authorize?identifier={phone.name}&called=33123", call=2)
    assert (refused["A2L_ALLOWED"], refused["A2L_MAX_SECONDS"]) == ("0", "0")
    assert refused["A2L_REASON"] == "no-credit"
    assert "credit" in refused["A2L_MESSAGE"]


def test_asterisk_s_channel_says_who_calls_whom(phone):
    by_account = phone.agi("authorize", accountcode=phone.name, extension="3225")
    assert (by_account["A2L_CUSTOMER"], by_account["A2L_ALLOWED"]) == (phone.who, "1")
    channel = f"PJSIP/{phone.name}-0000beef"
    assert phone.agi("authorize", channel=channel, call=2)["A2L_CUSTOMER"] == phone.who
    nobody = phone.agi("authorize", accountcode="x", call=3)
    assert nobody["A2L_REASON"] == "unknown-customer"


def test_asterisk_hangs_up(phone):
    script = f"authorize?identifier={phone.name}&called=33123"
    phone.agi(script)
    phone.agi("end", {"ANSWEREDTIME": "120"})
    assert phone.available == "9.88"
    phone.agi(script, call=2)
    phone.agi("end", {}, call=2)  # nobody answered
    assert phone.available == "9.88"
    phone.agi(script, call=3)
    phone.agi("end?seconds=60", call=3)
    assert phone.available == "9.82"


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"agi_network: yes\n" * 300,
        b"agi_x: " + b"y" * 100_000,
        b"agi_network_script: nothing\n\n",
        b"agi_network_script: authorize?seconds=-1&called=1&call=1\n\n",
        b"agi_network_script: end?seconds=x&call=1\n\n",
        b"\xff\xfe\n\n",
        b"",
    ],
    ids=range(8),
)
def test_what_is_not_agi_does_no_harm(phone, said):
    with (
        contextlib.suppress(ConnectionError),
        socket.create_connection(phone.server.agi, timeout=60) as connection,
    ):
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1000):
            pass
    assert phone.agi(f"authorize?identifier={phone.name}&called=33123")["A2L_ALLOWED"] == "1"


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("/authorize", [1], 400),
        ("/authorize", {}, 400),
        ("/authorize", {"call": "1", "customer": "C1"}, 400),
        ("/authorize", {"call": "1", "customer": "C1", "called": "33", "seconds": -1}, 400),
        ("/authorize", {"call": "1", "customer": "C1", "called": "33", "seconds": 0}, 400),
        ("/authorize", {"call": "1", "customer": ["C1"], "called": "33"}, 400),
        ("/authorize", {"call": "1" * 300, "customer": "C1", "called": "33"}, 400),
        ("/authorize", None, 405),
        ("/end", {"call": "unheard"}, 404),
        ("/end", {"call": "1", "answered": "perhaps"}, 400),
        ("/nothing", {}, 404),
        ("/authorize", {"call": "1", "customer": "C" * 70_000, "called": "33"}, 413),
        ("/hangup", {"call": "1"}, 409),
    ],
    ids=range(13),
)
def test_a_question_that_is_none_is_refused_in_one_line(server, path, given, status):
    code, answer = server.ask(path, given)
    assert code == status
    assert "\n" not in json.dumps(answer)


def test_a_page_in_a_browser_may_not_ask(phone):
    question = {"call": "1", "customer": phone.who, "called": "33123"}
    assert phone.server.ask("/authorize", question, Origin="http://evil.example")[0] == 403


def test_a_form_is_understood_too(phone):
    url = f"http://127.0.0.1:{phone.server.http[1]}/authorize"
    form = f"call={phone.id(1)}&identifier={phone.name}&called=33123&seconds=60".encode()
    with urllib.request.urlopen(url, form) as reply:
        assert json.loads(reply.read())["reserved"] == "0.06"


SECOND = 1_000_000_000


def test_cgrates_json_rpc(phone):
    asked = phone.rpc("AuthorizeEvent", SetupTime="1772449200")
    assert asked["result"]["MaxUsage"] == 10_000 * SECOND
    assert phone.rpc("InitiateSession", Usage="60s")["result"]["MaxUsage"] == 10_000 * SECOND
    broke = phone.rpc("AuthorizeEvent", 2)
    assert (broke["result"]["MaxUsage"], broke["result"]["Reason"]) == (0, "no-credit")
    assert phone.rpc("TerminateSession", Usage="60s")["result"] == "OK"
    assert phone.available == "9.94"
    unknown = phone.rpc("TerminateSession", 3)
    assert unknown["error"]["message"] == "SESSION_NOT_FOUND"
    digest = phone.rpc("AuthorizeEventWithDigest", 4, Usage="30s")
    assert digest["result"]["MaxUsage"] == 30
    assert phone.rpc("Nothing")["error"]["code"] == -32601


def test_cgrates_sessions_are_debited_in_slices(phone):
    assert phone.rpc("InitiateSession", Usage="60s")["result"]["MaxUsage"] == 60 * SECOND
    assert phone.rpc("UpdateSession", Usage="60s")["result"]["MaxUsage"] == 60 * SECOND
    active = phone.rpc("GetActiveSessions")["result"]
    (own,) = (call for call in active if call["OriginID"] == phone.id(1))
    assert own["MaxUsage"] == 120 * SECOND
    assert phone.available == "9.88"


def test_json_rpc_without_http_as_opensips_speaks_it(phone):
    event = {"OriginID": phone.id(1), "Account": phone.name, "Destination": "33123"}
    message = {
        "method": "SessionSv1.AuthorizeEventWithDigest",
        "id": 12,
        "params": [{"GetMaxUsage": True, "Event": event | {"SetupTime": "1772449200"}}],
    }
    text = json.dumps(message).encode()
    with socket.create_connection(phone.server.http, timeout=60) as connection:
        connection.sendall(text[:30])
        time.sleep(0.1)
        connection.sendall(text[30:] + text)
        heard = b""
        while heard.count(b"MaxUsage") < 2:
            heard += connection.recv(1000)
    answer, _ = json.JSONDecoder().raw_decode(heard.decode())
    assert (answer["id"], answer["error"], answer["result"]["MaxUsage"]) == (12, None, 10_000)


def test_json_rpc_in_netstrings_as_kamailio_speaks_it(phone):
    event = {"OriginID": phone.id(1), "Account": phone.name, "Destination": "33123"}
    method = "SessionSv1.AuthorizeEvent"
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"Event": event}}
    text = json.dumps(message).encode()
    with socket.create_connection(phone.server.http, timeout=60) as connection:
        connection.sendall(b"%d:%s," % (len(text), text))
        heard = connection.recv(4096)
    length, _, rest = heard.partition(b":")
    assert len(rest) == int(length) + 1
    assert json.loads(rest[:-1])["result"]["MaxUsage"] == 10_000 * SECOND


def test_health_metrics_and_the_log_of_decisions(prepared, phone):
    state = prepared.root.parent / "log.sqlite"
    log = prepared.root / ".a2ledger" / "decisions.log"
    before = len(log.read_text().splitlines())
    with serving(prepared.root, "--state", str(state)) as server:
        own = Phone(server, int(phone.who[1:]))
        own.authorize(1, "33123456789", seconds=60)
        own.authorize(2, "44123")
        health, metrics = server.ask("/health"), server.ask("/metrics")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
    assert (health["ok"], health["error"]) == (True, "")
    assert 'decisions_total{protocol="http",asked="begin",reason="ok"} 1\n' in metrics
    assert "a2ledger_calls 1\n" in metrics
    assert "a2ledger_held 0.06\n" in metrics
    allowed, refused = map(json.loads, log.read_text().splitlines()[before:])
    assert (allowed["reason"], refused["reason"]) == ("ok", "no-rate")
    assert allowed["called"] == "3312*****89"
    assert allowed["from"] == allowed["from"] | {"limit": "10.00", "owed": "0.00", "prefix": "33"}


def test_an_address_that_is_taken_is_said_in_one_line(prepared, server):
    taken = f"127.0.0.1:{server.http[1]}"
    done = prepared.run("authorize", "--http", taken, "--agi", "127.0.0.1:0", code=1)
    (line,) = done.errors
    assert "in use" in line
    assert "nothing was started" in line
    prepared.run("authorize", "--agi", "nowhere", code=2)
