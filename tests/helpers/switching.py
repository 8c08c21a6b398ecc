"""A server of `authorize` over a small book, and switches that ask it over real sockets."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

RATES = """\
dialprefix,destination,rateinitial,initblock,billingblock
32,Belgium,0.60,60,60
33,France,0.06,1,1
870,Inmarsat,6,60,60
979,Premium,3,60,60
"""

TODAY = "2026-03-02"
_SOME_WORK = 1_200_000
"""Additions: a twentieth of a second on an idle machine of 2024."""


def slowness() -> float:
    """Return how many times longer than on such a machine something takes here and now."""
    begun = time.monotonic()
    sum(number for number in range(_SOME_WORK))
    return max(1.0, (time.monotonic() - begun) / 0.05)


class Server(NamedTuple):
    """A running server: its process, and where it listens."""

    process: subprocess.Popen[str]
    agi: tuple[str, int]
    http: tuple[str, int]

    def ask(self, path: str, given: Any = None, **headers: str) -> Any:
        """Return what it answers over HTTP; with a status that is no success, both."""
        url = f"http://{self.http[0]}:{self.http[1]}{path}"
        body = None if given is None else json.dumps(given).encode()
        request = urllib.request.Request(url, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
                text = reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())
        return (
            json.loads(text)
            if reply.headers["Content-Type"].endswith("json; charset=utf-8")
            else text
        )

    def authorize(self, call: str, customer: str, called: str, **more: Any) -> Any:
        return self.ask(
            "/authorize", {"call": call, "customer": customer, "called": called, **more}
        )

    def available(self, customer: str = "C1") -> str:
        """Return what a customer has left, by a call that is refused for want of a rate."""
        return self.authorize(f"probe-{customer}", customer, "999999")["available"]

    def agi_call(self, script: str, variables: dict[str, str] | None = None, **channel: str):
        """Have a channel of Asterisk's run a script; return the variables it sets."""
        asked = variables or {}
        with socket.create_connection(self.agi, timeout=60) as connection:
            said = {
                "network": "yes",
                "network_script": script,
                "request": f"agi://127.0.0.1/{script}",
                "channel": "PJSIP/nobody-0000002a",
                "language": "en",
                "type": "PJSIP",
                "uniqueid": "1772449200.42",
                "version": "20.6.0",
                "callerid": "3225550101",
                "calleridname": "unknown",
                "context": "customers",
                "extension": "3225550199",
                "priority": "1",
                "enhanced": "0.0",
                "accountcode": "",
                "threadid": "140233425",
                **channel,
            }
            text = "".join(f"agi_{name}: {value}\n" for name, value in said.items()) + "\n"
            connection.sendall(text.encode())
            lines = connection.makefile("rw", encoding="utf-8", newline="\n")
            found = {}
            while line := lines.readline():
                reply = "200 result=1\n"
                if match := re.fullmatch(r'SET VARIABLE (\w+) "(.*)"\n', line):
                    found[match[1]] = match[2]
                elif match := re.fullmatch(r"GET VARIABLE (\w+)\n", line):
                    value = asked.get(match[1])
                    reply = "200 result=0\n" if value is None else f"200 result=1 ({value})\n"
                else:
                    reply = "510 Invalid or unknown command\n"
                lines.write(reply)
                lines.flush()
            return found

    def until(self, holds: Callable[[], bool], seconds: float = 60) -> float:
        """Wait until something holds; return after how many seconds it did."""
        begun = time.monotonic()
        while not holds():
            late = time.monotonic() - begun >= seconds
            assert not late, (self.ask("/health"), self.ask("/calls"))
            time.sleep(0.05)
        return time.monotonic() - begun


@contextlib.contextmanager
def serving(
    root: Path, *words: str, today: str = TODAY, log: Path | None = None
) -> Iterator[Server]:
    """Run a server over a book until it is not needed any more."""
    command = [sys.executable, "-m", "a2ledger", "-C", str(root), "--today", today, "authorize"]
    command += ["--agi", "127.0.0.1:0", "--http", "127.0.0.1:0", *words]
    talk = (log or root.parent / "authorize.log").open("w")
    with talk, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=talk, text=True) as process:
        try:
            line = process.stdout.readline()
            ports = re.findall(r"127\.0\.0\.1:(\d+)", line)
            assert len(ports) == 2, Path(talk.name).read_text()
            agi, http = (("127.0.0.1", int(port)) for port in ports)
            yield Server(process, agi, http)
        finally:
            process.terminate()
            process.wait(60)
