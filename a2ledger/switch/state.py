"""Store reservations: SQLite on one machine, PostgreSQL where servers share them.

What is written in a transaction is on disk when it ends, so that a call which was allowed is
known after a crash of the server or of the machine.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from a2ledger.switch.reservations import ENDED, NEVER, Holds, Reservation

_COLUMNS = tuple(field.name for field in fields(Reservation))
_VALUES = attrgetter(*_COLUMNS)
_TEXTS = {"call", "switch", "customer", "called", "destination", "state"}
_KEY = ("switch", "call", "attempt")
_LOCK = 0x61326C
"""Advisory lock under which servers that share PostgreSQL take turns."""

_PATIENCE_SECONDS = 5
_KEPT_SECONDS = 2 * 24 * 60 * 60
"""How long a call stays known after it reserves nothing, to count a day's spending."""

_LOST_SECONDS = 30 * 24 * 60 * 60
"""How long a call without a record is remembered."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS calls ("
    + ", ".join(f"{name} {'TEXT' if name in _TEXTS else 'BIGINT'} NOT NULL" for name in _COLUMNS)
    + f", PRIMARY KEY ({', '.join(_KEY)}))",
    "CREATE INDEX IF NOT EXISTS calls_of_customer ON calls (customer, released)",
    "CREATE INDEX IF NOT EXISTS calls_by_start ON calls (customer, started)",
    "CREATE INDEX IF NOT EXISTS calls_by_id ON calls (call)",
    (
        "CREATE TABLE IF NOT EXISTS alerts (day TEXT NOT NULL, customer TEXT NOT NULL, "
        "reason TEXT NOT NULL, PRIMARY KEY (day, customer, reason))"
    ),
)
_LIST = ", ".join(_COLUMNS)
_PUT = (
    f"INSERT INTO calls ({_LIST}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608 - constants
    f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in _KEY)
)
_SELECT = f"SELECT {_LIST} FROM calls "  # noqa: S608 - constants


class StateError(Exception):
    """Reservations cannot be read or written."""


class State:
    """The reservations in one database; used by one thread at a time."""

    def __init__(self, url: str) -> None:
        """Take the database: a path, or ``postgresql://…``."""
        self.url = url
        self.is_shared = url.startswith(("postgresql://", "postgres://"))
        self._connection: Any = None
        self._postgresql: Any = None
        self._errors: tuple[type[Exception], ...] = (sqlite3.Error, OSError)
        if self.is_shared:
            # It takes a fifth of a second to import, and one machine alone does not need it.
            self._postgresql = importlib.import_module("psycopg")
            self._errors = (self._postgresql.Error, OSError)

    def open(self) -> None:
        """Connect, and create the tables if they are missing.

        Raises:
            StateError: if that cannot be done.
        """
        with self.transaction():
            pass

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            with contextlib.suppress(*self._errors):
                self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a transaction during which no other server decides.

        Raises:
            StateError: if it cannot be written; nothing of it is.
        """
        try:
            if self._connection is None:
                self._connect()
            self._run("BEGIN" if self.is_shared else "BEGIN IMMEDIATE")
            if self.is_shared:
                self._run(f"SELECT pg_advisory_xact_lock({_LOCK})")
            yield
            self._run("COMMIT")
        except self._errors as error:
            self._roll_back()
            raise StateError(f"{self._named}: {str(error).strip()}") from error
        except BaseException:
            self._roll_back()
            raise

    @property
    def _named(self) -> str:
        """Return the database's URL without a password."""
        head, at, tail = self.url.rpartition("@")
        return f"{head.split('//')[0]}//…@{tail}" if at and self.is_shared else self.url

    def _roll_back(self) -> None:
        try:
            if self._connection is not None:
                self._run("ROLLBACK")
        except self._errors:
            self.close()  # the next transaction connects anew

    def _connect(self) -> None:
        if self.is_shared:
            self._connection = self._postgresql.connect(
                self.url,
                autocommit=True,
                connect_timeout=_PATIENCE_SECONDS,
                options=f"-c statement_timeout={_PATIENCE_SECONDS * 1000}",
                keepalives_idle=_PATIENCE_SECONDS,
                tcp_user_timeout=_PATIENCE_SECONDS * 1000,
            )
        else:
            file = Path(self.url)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o640)  # SQLite gives the files beside it the same mode
            self._connection = sqlite3.connect(
                file, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._run("PRAGMA journal_mode = WAL")
            self._run("PRAGMA synchronous = FULL")
        self._run("BEGIN" if self.is_shared else "BEGIN IMMEDIATE")
        if self.is_shared:
            self._run(f"SELECT pg_advisory_xact_lock({_LOCK})")
        for statement in _SCHEMA:
            self._run(statement)
        self._add_columns()
        self._run("COMMIT")

    def _add_columns(self) -> None:
        """Give tables that an earlier version made the columns they lack."""
        added = "ADD COLUMN {} ends BIGINT NOT NULL DEFAULT 0"
        if self.is_shared:
            self._run(f"ALTER TABLE calls {added.format('IF NOT EXISTS')}")
        elif "ends" not in {row[1] for row in self._run("PRAGMA table_info(calls)")}:
            self._run(f"ALTER TABLE calls {added.format('')}")

    def _run(self, statement: str, values: Sequence[object] = ()) -> Any:
        if self.is_shared:
            return self._connection.execute(statement.replace("?", "%s"), values or None)
        return self._connection.execute(statement, values)

    def put(self, reservation: Reservation) -> None:
        """Write a reservation, replacing one with the same call and attempt."""
        self._run(_PUT, _VALUES(reservation))

    def find(self, call: str, switch: str = "") -> Reservation | None:
        """Return the latest reservation of a call, of any switch if none is named."""
        rows = self._run(
            _SELECT + "WHERE call = ? AND (switch = ? OR ? = '') ORDER BY attempt DESC LIMIT 1",
            (call, switch, switch),
        )
        return _first(rows)

    def attempts(self, call: str) -> list[Reservation]:
        """Return all reservations under a call id, in order."""
        rows = self._run(_SELECT + "WHERE call = ? ORDER BY attempt, started", (call,))
        return [_reservation(row) for row in rows.fetchall()]

    def holds(
        self,
        customer: str,
        now: int,
        generation: int,
        *,
        without: Reservation | None = None,
        spent_since: tuple[int, int] | None = None,
    ) -> Holds:
        """Sum what a customer's calls reserve.

        Args:
            customer: whose.
            now: seconds since 1970.
            generation: of the book that is looked at beside them.
            without: a call that is left out.
            spent_since: when the hour and the day began, if what was spent is asked for.
        """
        held_micro = calls = 0
        rows = self._run(
            "SELECT switch, call, attempt, held_micro, state, expires FROM calls "
            "WHERE customer = ? AND released > ? AND forget > ?",
            (customer, generation, now),
        )
        own = (without.switch, without.call, without.attempt) if without else None
        for switch, call, attempt, micro, state, expires in rows.fetchall():
            if (switch, call, attempt) != own:
                held_micro += micro
                calls += state != ENDED and expires > now
        hour_micro = day_micro = 0
        if spent_since is not None:
            hour, day = spent_since
            rows = self._run(
                "SELECT switch, call, attempt, started, cost_micro FROM calls "
                "WHERE customer = ? AND started >= ?",
                (customer, min(hour, day)),
            )
            for switch, call, attempt, started, micro in rows.fetchall():
                if (switch, call, attempt) != own:
                    hour_micro += micro if started >= hour else 0
                    day_micro += micro if started >= day else 0
        return Holds(held_micro=held_micro, calls=calls, hour_micro=hour_micro, day_micro=day_micro)

    def waiting(self) -> list[Reservation]:
        """Return calls whose records are not imported yet, as far as known."""
        rows = self._run(
            _SELECT + "WHERE released = ? AND (held_micro > 0 OR state <> ?)", (NEVER, ENDED)
        )
        return [_reservation(row) for row in rows.fetchall()]

    def holding(self, now: int, generation: int) -> list[Reservation]:
        """Return the calls that reserve money, given a generation of the book, oldest first."""
        rows = self._run(
            _SELECT + "WHERE released > ? AND forget > ? ORDER BY started, call",
            (generation, now),
        )
        return [_reservation(row) for row in rows.fetchall()]

    def lost(self, now: int) -> list[Reservation]:
        """Return calls that reserved money until they were forgotten: their record never came."""
        rows = self._run(
            _SELECT + "WHERE released = ? AND held_micro > 0 AND forget <= ? AND state <> 'setup' "
            "ORDER BY started, call",
            (NEVER, now),
        )
        return [_reservation(row) for row in rows.fetchall()]

    def put_all(self, reservations: Iterable[Reservation]) -> None:
        """Write several reservations."""
        for reservation in reservations:
            self.put(reservation)

    def first_alert(self, day: dt.date, customer: str, reason: str) -> bool:
        """Record an alert, and return True if it is the first for that reason that day."""
        rows = self._run(
            "INSERT INTO alerts (day, customer, reason) VALUES (?, ?, ?) "
            "ON CONFLICT DO NOTHING RETURNING 1",
            (str(day), customer, reason),
        )
        return rows.fetchone() is not None

    def purge(self, now: int, today: dt.date) -> None:
        """Delete calls that reserve nothing and are too old to count as a day's spending."""
        since = now - _KEPT_SECONDS
        self._run(
            "DELETE FROM calls WHERE started < ? AND expires < ? AND forget < ? "
            "AND (released < ? OR held_micro = 0 OR started < ?)",
            (since, since, now, NEVER, now - _LOST_SECONDS),
        )
        self._run("DELETE FROM alerts WHERE day < ?", (str(today - dt.timedelta(days=2)),))


def _reservation(row: Sequence[Any]) -> Reservation:
    return Reservation(**dict(zip(_COLUMNS, row, strict=True)))


def _first(rows: Any) -> Reservation | None:
    row = rows.fetchone()
    return None if row is None else _reservation(row)
