"""The authorisation server: listens for switches, and keeps its snapshot of the book fresh."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gc
import ipaddress
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from a2ledger.book.authorize import Authorize, split_address
from a2ledger.book.book import BrokenBookError, RefusedError
from a2ledger.book.transaction import STATE
from a2ledger.calls.detail import MissingDetailError
from a2ledger.switch import agi, current_calls, web
from a2ledger.switch.alerts import Alerts
from a2ledger.switch.answers import QuestionError
from a2ledger.switch.decisions import Decisions
from a2ledger.switch.exchange import Exchange
from a2ledger.switch.metrics import Metrics
from a2ledger.switch.read_book import BookReader
from a2ledger.switch.settlement import Record
from a2ledger.switch.state import State, StateError
from a2ledger.switch.switchboard import Switchboard
from a2ledger.switch.terms import Snapshot

LOG_FILE = "decisions.log"

_EVERY_SECONDS = 0.2
"""How often the book is checked for a publish."""
_WHOLE_SECONDS = 30
"""How often all files are checked, for edits by hand."""
_PURGE_SECONDS = 60
_NOT_STARTED = "nothing was started"
SWITCH_SECONDS = 0.001
"""How long a thread that reads the book may delay one that answers a switch."""

Conversation = Callable[[Exchange, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Talk = Callable[[str], None]


class CannotListenError(RefusedError):
    """The server cannot listen on an address, or cannot open its state; the message says which."""


def run(
    root: Path,
    options: Authorize,
    clock: Callable[[], dt.datetime],
    announce: Talk,
    talk: Talk,
) -> None:
    """Serve switches until a signal arrives.

    Args:
        root: of the book.
        options: the settings, with what the command line says in place of some.
        clock: the time.
        announce: hears the addresses it listens at.
        talk: hears what a person should know.

    Raises:
        CannotListenError: if it cannot start.
        BrokenBookError, ConfigError, LockedError: if the book cannot be read.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    asyncio.run(Server(root, options, clock, talk).run(announce))


class Server:
    """Runs the listeners, and a task that keeps the book fresh."""

    def __init__(
        self, root: Path, options: Authorize, clock: Callable[[], dt.datetime], talk: Talk
    ) -> None:
        self.root, self.options, self.clock, self.talk = root, options, clock, talk
        self.reader = BookReader(root)
        state = State(options.state or str(root / STATE / current_calls.STATE_FILE))
        self.board = Switchboard(state=state, clock=clock, zone=self.reader.zone)
        self.alerts = Alerts(state, self._settings, talk)
        log = Path(options.log) if options.log else root / STATE / LOG_FILE
        decisions = Decisions(root / log, options.log_megabytes, options.log_files, self.alerts)
        self.exchange = Exchange(self.board, decisions, Metrics())
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="book")
        self._open: set[asyncio.Task[None]] = set()
        self._whole = 0.0

    def _settings(self) -> Authorize:
        return self.board.snapshot.settings if self.board.snapshot else self.options

    async def run(self, announce: Talk) -> None:
        """Open the state, read the book, listen, and wait for a signal."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        try:
            await self.exchange.run(self.board.state.open)
        except StateError as error:
            raise CannotListenError(str(error), _NOT_STARTED, "see --state") from None
        await self._refresh()
        gc.collect()
        gc.freeze()  # what was read of the book is looked through by no collection
        servers = [
            await self._listen(self.options.agi, agi.converse),
            await self._listen(self.options.http, web.converse),
        ]
        places = [_text(server.sockets[0].getsockname()) for server in servers]
        current_calls.note(self.root, self.board.state, *places)
        announce(f"listening: agi {places[0]}, http {places[1]}")
        keeping = asyncio.create_task(self._keep_fresh())
        await ended.wait()
        for server in servers:
            server.close()
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        if self._open:
            await asyncio.wait(self._open, timeout=1)
        for task in self._open:
            task.cancel()
        await self.exchange.close()
        self._reading.shutdown(wait=True)
        self.alerts.close()

    async def _listen(self, address: str, converse: Conversation) -> asyncio.Server:
        host, port = split_address(address)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - a coroutine runs in one
            self._open.add(task)
            try:
                if self._may_ask(writer):
                    await converse(self.exchange, reader, writer)
            except QuestionError as error:
                self.talk(f"{address}: {error}; the connection was closed; see docs/switch.md")
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, TimeoutError):
                pass  # it went away
            except asyncio.CancelledError:
                pass  # the server ends
            finally:
                self._open.discard(task)
                writer.close()
                with contextlib.suppress(OSError, asyncio.CancelledError):
                    await writer.wait_closed()

        try:
            return await asyncio.start_server(connected, host or None, port, backlog=1024)
        except (OSError, OverflowError) as error:
            raise CannotListenError(
                f"{address}: {getattr(error, 'strerror', None) or error}",
                undone=_NOT_STARTED,
                todo="name another address with --agi or --http",
            ) from None

    def _may_ask(self, writer: asyncio.StreamWriter) -> bool:
        """Return True if a peer is this machine, or allowed by the settings."""
        peer = ipaddress.ip_address(writer.get_extra_info("peername")[0].partition("%")[0])
        own = getattr(peer, "ipv4_mapped", None) or peer
        if own.is_loopback or str(own) in self._settings().peers:
            return True
        self.talk(f"{own}: is not listed in authorize.peers; nothing was answered; add it there")
        return False

    async def _refresh(self) -> None:
        """Read the book, and decide by the new snapshot from now on.

        Raises:
            BrokenBookError, ConfigError, LockedError, InterruptedRunError: if it cannot be read.
        """
        loop = asyncio.get_running_loop()
        while True:
            snapshot = await loop.run_in_executor(self._reading, self.reader.read)
            records = await self._records(snapshot)
            if records is not None:
                break
        settings = replace(snapshot.settings, agi=self.options.agi, http=self.options.http)
        fresh = replace(snapshot, settings=settings)
        adopted = records
        await self.exchange.run(lambda: self.board.adopt(fresh, adopted))
        self.board.checked = self.clock()
        self._whole = time.monotonic()

    async def _records(self, snapshot: Snapshot) -> list[Record] | None:
        loop = asyncio.get_running_loop()
        waiting = await self.exchange.run(self.board.waiting)
        try:
            return await loop.run_in_executor(
                self._reading, self.reader.records, waiting, snapshot.generation
            )
        except (MissingDetailError, BrokenBookError) as error:
            self._failed(error)
            return []  # what these calls hold they hold until it can be read

    async def _keep_fresh(self) -> None:
        purged = time.monotonic()
        while True:
            try:
                is_due = time.monotonic() - self._whole > _WHOLE_SECONDS
                if self.reader.is_behind() or is_due:
                    await self._refresh()
                    self.exchange.error = "; ".join(self.reader.unsound.values())
                self.board.checked = self.clock()
                if time.monotonic() - purged > _PURGE_SECONDS:
                    purged = time.monotonic()
                    await self.exchange.run(self._purge)
            except Exception as error:  # noqa: BLE001 - calls are decided by what was read before
                self._failed(error)
            await asyncio.sleep(_EVERY_SECONDS)

    def _purge(self) -> None:
        now = self.clock()
        with self.board.state.transaction():
            self.board.state.purge(int(now.timestamp()), now.date())

    def _failed(self, error: Exception) -> None:
        self.exchange.metrics.failed_reads += 1
        if str(error) != self.exchange.error:
            self.talk(f"{error}; calls are decided by what was read before")
        self.exchange.error = str(error)


def _text(place: tuple[str, int]) -> str:
    host, port = place[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
