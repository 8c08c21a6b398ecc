"""Limits of the server: on what a question may take, on expressions, on headers and connections.

Whoever reaches the server must not be able to stop it for the others.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import re
import resource
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as patterns  # type: ignore[attr-defined]
from typing import Any

from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest
from cheroot.wsgi import Server
from werkzeug.exceptions import HTTPException

# ---- expressions ----

_LONGEST_PATTERN = 200
_MOST_LOOPS = 5
_TEXTS = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_LOOPS = (codes.MAX_REPEAT, codes.MIN_REPEAT)
_ENDLESS = 16
"""From this many repetitions on a loop counts as one without an end."""


def is_tame(pattern: str) -> bool:
    """Return whether a regular expression takes no longer than about its text.

    >>> is_tame("^Assets:(Bank|Cash)"), is_tame("(a+)+$")
    (True, False)

    A loop inside a loop, or many one after the other, may try every way to share a text out.
    What is no expression is tame: whoever compiles it says so.
    """
    if len(pattern) > _LONGEST_PATTERN:
        return False
    try:
        parsed = patterns.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return True
    loops = list(_loops(parsed, inside=False))
    return all(loops) and len(loops) <= _MOST_LOOPS


def _loops(parsed: Iterable[Any], *, inside: bool) -> Iterator[bool]:
    """Yield for each loop of an expression whether it is in no other; for references, False."""
    for code, argument in parsed:
        if code in _LOOPS:
            _, most, body = argument
            endless = most >= _ENDLESS
            if endless:
                yield not inside
            yield from _loops(body, inside=inside or endless)
        elif code is codes.GROUPREF:
            yield False
        elif code is codes.SUBPATTERN:
            yield from _loops(argument[-1], inside=inside)
        elif code is codes.BRANCH:
            if inside:
                yield False
            for branch in argument[1]:
                yield from _loops(branch, inside=inside)
        elif code in {codes.ASSERT, codes.ASSERT_NOT}:
            yield from _loops(argument[1], inside=inside)


def texts_are_tame(text: str) -> bool:
    """Return whether all texts between quotes, of a query or a filter, are tame expressions."""
    return all(is_tame(single or double) for single, double in _TEXTS.findall(text))


# ---- questions ----

SECONDS = 20
"""Time of the processor that one question may take; by the clock it may be twice that."""
MEMORY = 1 << 30
"""Bytes that it may take beside what is loaded."""
_AT_ONCE = 2
"""Questions that are answered at once; others wait for a while, then are told to come back."""

_questions = threading.BoundedSemaphore(_AT_ONCE)


class TooMuchError(Exception):
    """A question took more than it may; the message is for whoever asked."""


def apart(answer: Callable[[], Any], seconds: int = SECONDS) -> Any:
    """Return what ``answer`` returns, worked out in a process of its own that has limits.

    The process begins as a copy of this one, with everything that is loaded.

    Raises:
        TooMuchError: if it takes too long or too much, or too many ask at once.
    """
    if not _questions.acquire(timeout=seconds):
        raise TooMuchError("others are asking; try again in a moment")
    try:
        return _apart(answer, seconds)
    finally:
        _questions.release()


def _apart(answer: Callable[[], Any], seconds: int) -> Any:
    ours, its = os.pipe()
    child = os.fork()
    if not child:
        _work(answer, seconds, its)
    os.close(its)
    try:
        content = _all(ours, time.monotonic() + 2 * seconds)
    finally:
        os.close(ours)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if not content:
        raise TooMuchError(
            f"the question took more than {seconds} seconds or too much memory; ask for less"
        )
    done, result = pickle.loads(content)  # noqa: S301 - our own child wrote it
    if not done:
        raise result
    return result


def _work(answer: Callable[[], Any], seconds: int, out: int) -> None:
    """Answer, in the child; it never returns."""
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: SIM115, PTH123
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        try:
            result = (True, answer())
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            result = (False, error)
        try:
            content = pickle.dumps(result)
        except Exception as error:  # noqa: BLE001 - what cannot be sent is said
            content = pickle.dumps((False, TooMuchError(f"cannot be answered: {error}")))
        view = memoryview(content)
        while view:
            view = view[os.write(out, view) :]
    finally:
        os._exit(0)


def _all(descriptor: int, deadline: float) -> bytes:
    """Return what is written to a pipe; nothing if it does not end in time."""
    parts: list[bytes] = []
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([descriptor], [], [], left)[0]:
            break
        part = os.read(descriptor, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return b""


def limited(view: Callable[..., Any], respond: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a view of Flask's that is worked out apart.

    Args:
        view: what answers.
        respond: makes a response of what a view returns.
    """

    @functools.wraps(view)
    def answer(**words: Any) -> Any:
        def work() -> tuple[int, list[tuple[str, str]], bytes]:
            try:
                response = respond(view(**words))
            except HTTPException as error:
                response = respond(error.get_response())
            response.direct_passthrough = False
            return response.status_code, list(response.headers), response.get_data()

        try:
            status, headers, content = apart(work)
        except TooMuchError as error:
            return respond(({"error": str(error), "success": False}, 503))
        response = respond((content, status))
        response.headers.clear()
        response.headers.extend(headers)
        return response

    return answer


# ---- headers ----


_SINGLE = {"host", "authorization", "origin", "content-length", "transfer-encoding"}
"""Names of headers that may come once."""


class Headers(HeaderReader):
    """Reads headers whose names are exact: no underscore passes for a dash, and none comes twice.

    Args:
        single: names of which one may be sent, in lower case.
    """

    def __init__(self, single: Iterable[str]) -> None:
        self._single = {name.lower() for name in single} | _SINGLE

    def __call__(self, rfile: Any, hdict: Any = None) -> Any:
        """Read headers.

        Raises:
            ValueError: if one that there may be once comes twice, or the length of what follows
                is told in two ways or in none that is a number: the request is refused.
        """
        read = super().__call__(rfile, _Once(self._single) if hdict is None else self._once(hdict))
        length = read.get(b"Content-Length")
        if length is not None and (b"Transfer-Encoding" in read or not length.isdigit()):
            raise ValueError("its length is not told in one way")
        return read

    def _once(self, hdict: Any) -> Any:
        seen = _Once(self._single)
        seen.target = hdict
        return seen

    def _allow_header(self, key_name: bytes) -> bool:
        return b"_" not in key_name


def connections(single: Iterable[str]) -> type[HTTPConnection]:
    """Return what a server makes of connections, for it to read :class:`Headers`."""

    class Request(HTTPRequest):
        header_reader = Headers(single)

    class Connection(HTTPConnection):
        RequestHandlerClass = Request

    return Connection


class _Once(dict[bytes, bytes]):
    """Headers by name, into which some may be written once."""

    def __init__(self, single: set[str]) -> None:
        super().__init__()
        self._single = single
        self.target: dict[bytes, bytes] | None = None

    def __setitem__(self, key: bytes, value: bytes) -> None:
        if key in self and key.decode("latin-1").lower() in self._single:
            raise ValueError(f"{key!r} comes twice")
        super().__setitem__(key, value)
        if self.target is not None:
            self.target[key] = value


# ---- connections ----

PATIENCE_SECONDS = 10.0
"""How long a request may take to arrive."""
MOST_WAITING = 200
"""Connections whose request has not arrived yet; beyond, the oldest is closed."""
_LOOK_SECONDS = 0.02
_HEAD = 64 << 10
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)


class PatientServer(Server):
    """A server that gives a thread to a request only once all of it has arrived.

    Slow connections wait in a room of their own, where they cost next to nothing.
    """

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self._waiting: dict[Any, float] = {}
        self._room = threading.Lock()
        self._is_open = False

    def process_conn(self, conn: Any) -> None:
        """Take a connection that has something to say."""
        if conn.rfile.has_data() or _has_arrived(conn.socket):
            super().process_conn(conn)
            return
        with self._room:
            self._waiting[conn] = time.monotonic() + PATIENCE_SECONDS
            crowded = len(self._waiting) > MOST_WAITING
            oldest = min(self._waiting, key=self._waiting.__getitem__) if crowded else None
            if oldest is not None:
                del self._waiting[oldest]
            if not self._is_open:
                self._is_open = True
                threading.Thread(target=self._look, daemon=True).start()
        if oldest is not None:
            _close(oldest)

    def _look(self) -> None:
        """Hand over what has arrived and close what takes too long, as long as anybody waits."""
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._room:
                waiting = list(self._waiting.items())
                if not waiting:
                    self._is_open = False
                    return
            now = time.monotonic()
            for conn, deadline in waiting:
                arrived = _has_arrived(conn.socket)
                if not arrived and now < deadline:
                    continue
                with self._room:
                    if self._waiting.pop(conn, None) is None:
                        continue
                if arrived:
                    super().process_conn(conn)
                else:
                    _close(conn)


def _has_arrived(connection: socket.socket) -> bool:
    """Return whether a whole request can be read, or that there will be none."""
    try:
        ready = select.poll()
        ready.register(connection, select.POLLIN)
        if not ready.poll(0):
            return False
        content = connection.recv(_HEAD, socket.MSG_PEEK)
    except (OSError, ValueError):
        return True  # it is gone: whoever reads it finds out
    if not content or len(content) == _HEAD:
        return True
    head, end, body = content.partition(b"\r\n\r\n")
    if not end:
        return False
    length = _LENGTH.search(head + b"\r\n")
    return length is None or len(body) >= min(int(length[1]), _HEAD - len(head) - 4)


def _close(conn: Any) -> None:
    with contextlib.suppress(OSError):
        conn.socket.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    with contextlib.suppress(OSError):
        conn.close()
