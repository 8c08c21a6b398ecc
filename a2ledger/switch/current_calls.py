"""Running calls as people ask for them: the pages, ``doctor``, and the command line.

The server is asked where it said that it listens; where none answers, its reservations are read
as it left them.
"""

from __future__ import annotations

import datetime as dt
import json
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from a2ledger.book.book import Book, RefusedError
from a2ledger.book.transaction import STATE
from a2ledger.switch.answers import call_json
from a2ledger.switch.state import State, StateError

STATE_FILE = "authorize.sqlite"
PLACE_FILE = "authorize.json"
"""Where the server that started last in a book listens, and keeps its calls."""

_PATIENCE_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a server listens, and keeps its calls."""

    agi: str
    http: str
    state: str
    """A file; empty where it is PostgreSQL, whose URL is in the configuration or nowhere."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """The calls that hold money, and whether a server answers for them."""

    calls: tuple[dict[str, Any], ...]
    """As ``GET /calls`` has them, oldest first."""
    server: str
    """Where it answers; empty where it does not."""
    problem: str
    """What is wrong; empty where nothing is, or no server was ever started."""
    may_hang_up: bool


def note(root: Path, state: State, agi: str, http: str) -> None:
    """Write down where a server listens, and keeps its calls."""
    kept = "" if state.is_shared else str(Path(state.url).absolute())
    file = root / STATE / PLACE_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(Place(agi=agi, http=http, state=kept))) + "\n", "utf-8")


def running(book: Book, now: dt.datetime) -> Running:
    """Return the calls that hold money now."""
    place = _place(book)
    may_hang_up = bool(book.config.authorize.hangup)
    if place is None:
        return Running(calls=(), server="", problem="", may_hang_up=False)
    try:
        calls = _ask(place.http, "/calls")
        health = _ask(place.http, "/health")
    except OSError as error:
        reason = getattr(error, "reason", error)
        problem = f"no server answers at {place.http} ({reason})"
        return Running(calls=_kept(book, place, now), server="", problem=problem, may_hang_up=False)
    stale = "" if health.get("ok") else "what the server knows of the book is out of date"
    return Running(
        calls=tuple(calls),
        server=place.http,
        problem=str(health.get("error") or stale),
        may_hang_up=may_hang_up,
    )


def hang_up(book: Book, call: str) -> None:
    """Have the switch end a call.

    Raises:
        RefusedError: if it does not, or no server answers.
    """
    place = _place(book)
    undone = "the call goes on"
    if place is None:
        raise RefusedError("no server was started", undone, "start `a2ledger authorize`")
    try:
        done = _ask(place.http, "/hangup", {"call": call})
    except OSError as error:
        raise RefusedError(
            f"no server answers at {place.http} ({error})", undone, "start `a2ledger authorize`"
        ) from None
    if problem := done.get("error") or (done.get("exit") and f"it exited with {done['exit']}"):
        raise RefusedError(f"{call}: {problem}", undone, "see authorize.hangup in a2ledger.toml")


def _place(book: Book) -> Place | None:
    """Return where the last server listened; None where none was ever started."""
    file = book.root / STATE / PLACE_FILE
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return Place(agi=str(said["agi"]), http=str(said["http"]), state=str(said["state"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        settings = book.config.authorize
        return Place(agi=settings.agi, http=settings.http, state=settings.state)


def _kept(book: Book, place: Place, now: dt.datetime) -> tuple[dict[str, Any], ...]:
    """Return the calls of the reservations, where they can be read from here."""
    url = book.config.authorize.state or place.state or str(book.root / STATE / STATE_FILE)
    state = State(url)
    if not state.is_shared and not Path(url).exists():
        return ()
    generation, at = book.vault.generation(), int(now.timestamp())
    try:
        with state.transaction():
            holding = state.holding(at, generation)
    except StateError:
        return ()
    finally:
        state.close()
    return tuple(call_json(call, at, generation, book.config.zone) for call in holding)


def _ask(address: str, path: str, given: dict[str, str] | None = None) -> Any:
    """Return what a server answers, or refuses, as JSON.

    Raises:
        OSError: if it does not answer.
    """
    body = None if given is None else json.dumps(given).encode()
    request = urllib.request.Request(
        f"http://{address}{path}", body, {"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_PATIENCE_SECONDS) as reply:
            text = reply.read()
    except urllib.error.HTTPError as error:
        text = error.read()
    try:
        return json.loads(text)
    except ValueError:
        raise OSError("what answers there is not a2ledger") from None
