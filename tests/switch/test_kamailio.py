"""Kamailio as Debian has it, asking over `janssonrpcc`; sip-tester places the calls."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from checkout import DATA
from harness import Book
from switching import RATES, TODAY, serving

CONFIG = DATA / "switch" / "kamailio.cfg"
KAMAILIO = shutil.which("kamailio", path="/usr/sbin:/usr/bin")
SIPP = shutil.which("sipp")

pytestmark = pytest.mark.skipif(
    not (KAMAILIO and SIPP),
    reason="not installed: apt-get install kamailio kamailio-extra-modules kamailio-json-modules "
    "sip-tester",
)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def running(*words, cwd):
    with (
        (cwd / "output").open("ab") as output,
        subprocess.Popen(
            list(map(str, words)),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            # sip-tester waits for the end of its calls else, and Kamailio's workers stay
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def server(empty_book, tmp_path):
    shutil.copytree(empty_book, tmp_path / "book")
    book = Book(tmp_path / "book", tmp_path / "files", TODAY)
    (book.root / "tariffs" / "standard.csv").write_text(RATES)
    rest = {"name": "Ada", "tariff": "standard", "opened": "2026-03-01"}
    book.customers(
        rest | {"id": "C1", "credit_limit": "0.008", "identifiers": "alice"},
        rest | {"id": "C2", "credit_limit": "0", "identifiers": "bob"},
    )
    with serving(book.root) as running_server:
        yield running_server


@pytest.fixture
def proxy(server, tmp_path):
    """The port of a Kamailio that asks the server, before a carrier that answers all calls."""
    port, carrier = free_port(), free_port()
    text = CONFIG.read_text().replace("A2LEDGER_PORT", str(server.http[1]))
    (tmp_path / "kamailio.cfg").write_text(text.replace("CARRIER_PORT", str(carrier)))
    answering = [SIPP, "-sn", "uas", "-i", "127.0.0.1", "-p", carrier, "-nostdin"]
    words = [KAMAILIO, "-DD", "-E", "-f", tmp_path / "kamailio.cfg", "-l", f"udp:127.0.0.1:{port}"]
    words += ["-m", "64", "-M", "8", "-Y", tmp_path, "-P", tmp_path / "pid"]
    with running(*answering, cwd=tmp_path), running(*words, cwd=tmp_path):
        until_bound(port, carrier)
        until_asking(server.http[1])
        yield port


def until_bound(*ports):
    """Wait until programs listen at UDP ports; what comes in from then on is answered."""
    deadline = time.monotonic() + 60
    while not {f":{port:04X}" for port in ports} <= {
        line.split()[1][-5:] for line in Path("/proc/net/udp").read_text().splitlines()[1:]
    }:
        assert time.monotonic() < deadline, ports
        time.sleep(0.05)


def until_asking(port):
    """Wait until Kamailio is connected to the server: calls are refused until then."""
    deadline = time.monotonic() + 60
    while not any(
        line.split()[2].endswith(f":{port:04X}") and line.split()[3] == "01"
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
    ):
        assert time.monotonic() < deadline, port
        time.sleep(0.05)


HUNG_UP = """
  <recv request="BYE" timeout="30000"/>
  <pause milliseconds="500"/>
  <send>
    <![CDATA[

      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

    ]]>
  </send>

"""
"""A phone that is hung up on and answers as over a network, half a second later.

Kamailio 5.6 sends the second BYE and says that the call has ended only if the first is not
answered meanwhile (its issue 4169)."""


def place(port, caller, called, cwd, *, calls=1, talk_ms=1500):
    """Place calls, which the caller ends after a time, or never if it is 0.

    Return whether all went through.
    """
    scenario = subprocess.run([SIPP, "-sd", "uac"], capture_output=True, text=True, check=False)
    text = (scenario.stdout or scenario.stderr).replace("sip:sipp@", f"sip:{caller}@")
    # Inside a dialogue a phone follows the route that was recorded; the stock scenario does not.
    text = text.replace('<recv response="200" rtd="true">', '<recv response="200" rrs="true">')
    for method in ("ACK", "BYE"):
        address = f"{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n"
        text = text.replace(address, f"{method} [next_url] SIP/2.0\n      [routes]\n")
    if not talk_ms:
        end = text.index("<!-- definition of the response time")
        text = text[: text.index("<pause/>")] + HUNG_UP + text[end:]
    (cwd / "uac.xml").write_text(text[text.index("<?xml") :])
    words = [SIPP, "-sf", "uac.xml", "-s", called, "-i", "127.0.0.1", "-m", calls, "-l", calls]
    words += ["-r", calls, "-d", talk_ms, "-nostdin", "-timeout", "100", f"127.0.0.1:{port}"]
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode == 0


def test_kamailio_lets_a_call_through_and_settles_it(server, proxy, tmp_path):
    assert place(proxy, "alice", "33123", tmp_path), (tmp_path / "output").read_text()
    server.until(lambda: [call["state"] for call in server.ask("/calls")] == ["ended"])
    (call,) = server.ask("/calls")
    assert (call["customer"], call["called"]) == ("C1", "33123")
    assert call["reserved"] in {"0.001", "0.002", "0.003"}


def test_kamailio_refuses_who_has_no_credit(server, proxy, tmp_path):
    assert not place(proxy, "bob", "33123", tmp_path)
    assert server.ask("/calls") == []


def test_kamailio_hangs_up_when_the_credit_is_used_up(server, proxy, tmp_path):
    # the credit lasts for eight seconds
    assert place(proxy, "alice", "33123", tmp_path, talk_ms=0), (tmp_path / "output").read_text()
    server.until(lambda: [call["state"] for call in server.ask("/calls")] == ["ended"])
    assert server.ask("/calls")[0]["seconds"] < 20
