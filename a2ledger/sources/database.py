"""Read databases as a stream, never writing: MariaDB, MySQL, PostgreSQL and SQLite.

Every value comes as text, converted by the server, so that a date that is none or a number in
another type arrives as it stands there and is judged where rows of files are judged.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import sqlite3
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from a2ledger.sources.address import PASSWORD, Address


def _when_used(name: str) -> ModuleType:
    """Import a module lazily, when it is first used, since few runs read databases."""
    spec = importlib.util.find_spec(name)
    assert spec is not None  # noqa: S101 - it is installed with this package
    assert spec.loader is not None  # noqa: S101
    loader = spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = sys.modules.get("sqlalchemy") or _when_used("sqlalchemy")

BATCH = 50_000
"""Rows taken from a server at a time."""

_TIMEOUT = 15
_READ_ONLY = {
    "mysql": ("SET SESSION TRANSACTION READ ONLY",),
    "postgresql": (
        "SET default_transaction_read_only = on",
        "SET datestyle = 'ISO'",
    ),
    "sqlite": ("PRAGMA query_only = on",),
}
_DENIED = ("1045", "1698", "password", "28P01", "28000")
"""Parts of servers' messages for a missing or wrong password."""


class Database:
    """An open connection for reading. A table may be named with its schema: ``schema.table``."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the names of a table's columns, as the server writes them."""
        nothing = sa.select(sa.text("*")).select_from(_table(table)).where(sa.false())
        return tuple(self.connection.execute(nothing).keys())

    def has(self, table: str) -> bool:
        """Return whether a table exists."""
        schema, _, bare = table.rpartition(".")
        return sa.inspect(self.connection).has_table(bare, schema=schema or None)

    def rows(
        self,
        table: str,
        columns: Sequence[str],
        start: str = "",
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        *,
        singles: Collection[str] = (),
    ) -> Iterator[Sequence[Sequence[str | None]]]:
        """Yield a table's rows in batches, every value as text.

        Args:
            table: its name.
            columns: which, in the order in which they come.
            start: the column that ``since`` and ``until`` are about.
            since: rows that start then or later; without a zone, as the column has it.
            until: rows that start before.
            singles: columns of single precision; by itself a server would write six digits.
        """
        query = sa.select(*(sa.cast(_doubled(name, name in singles), sa.Text) for name in columns))
        query = query.select_from(_table(table))
        for moment, compare in ((since, "__ge__"), (until, "__lt__")):
            if moment is not None:
                # A bare literal takes the column's own type, so that its index can be used.
                literal: Any = sa.literal_column(f"'{moment:%Y-%m-%d %H:%M:%S}'")
                query = query.where(getattr(sa.column(start), compare)(literal))
        result = self.connection.execution_options(yield_per=BATCH).execute(query)
        for rows in result.partitions(BATCH):
            yield [tuple(row) for row in rows]


def _doubled(name: str, is_single: bool) -> Any:
    """Return a column, converted to double precision if it is single."""
    column: Any = sa.column(name)
    return column + sa.literal_column("0e0") if is_single else column


def _table(name: str) -> sa.TableClause:
    schema, _, bare = name.rpartition(".")
    return sa.table(bare, schema=schema or None)


@contextlib.contextmanager
def reading(address: Address, zone: str = "UTC") -> Iterator[Database]:
    """Open a database for reading only.

    Args:
        address: where it is. If the server wants a password and there is none, a person is
            asked, where there is one.
        zone: in which times that know their zone are written and compared.

    Raises:
        UnusableInput: if the database cannot be reached or read.
    """
    try:
        engine, connection = _connected(address, zone)
    except (sa.exc.SQLAlchemyError, OSError, RuntimeError) as error:
        raise _unusable(address, error) from None
    try:
        yield Database(connection)
    except (sa.exc.SQLAlchemyError, UnicodeError) as error:
        raise _unusable(address, error) from None
    finally:
        with contextlib.suppress(sa.exc.SQLAlchemyError):
            connection.close()
        engine.dispose()


def _connected(address: Address, zone: str) -> tuple[sa.Engine, sa.Connection]:
    engine = _engine(address)
    try:
        connection = engine.connect()
    except sa.exc.OperationalError as error:
        ask = address.ask
        if ask is None or address.password or not _is_denied(error):
            raise
        engine = _engine(replace(address, password=ask(f"Password for {address}"), ask=None))
        connection = engine.connect()
    dialect = engine.dialect.name
    for statement in _READ_ONLY[dialect]:
        connection.exec_driver_sql(statement)
    if dialect == "postgresql":
        connection.execute(sa.select(sa.func.set_config("TimeZone", zone, sa.false())))
    connection.commit()
    return engine, connection


def _engine(address: Address) -> sa.Engine:
    url = sa.make_url(address.url)
    if address.scheme == "sqlite":
        file = f"file:{url.database}?mode=ro"

        def opened() -> sqlite3.Connection:
            connection = sqlite3.connect(file, uri=True)
            connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
            return connection

        return sa.create_engine("sqlite://", creator=opened, poolclass=sa.NullPool)
    options: dict[str, Any] = {"connect_timeout": _TIMEOUT}
    return sa.create_engine(
        url.set(password=address.password), poolclass=sa.NullPool, connect_args=options
    )


def _is_denied(error: Exception) -> bool:
    message = str(getattr(error, "orig", error))
    return any(sign in message for sign in _DENIED)


def _unusable(address: Address, error: Exception) -> Exception:
    original = getattr(error, "orig", None) or error
    parts = original.args if address.scheme in {"mysql", "mariadb"} else (str(original),)
    message = " ".join(str(parts[-1] if parts else original).split())
    remedy = f"check {PASSWORD} and the user's rights" if _is_denied(error) else "check the address"
    if "cryptography" in message:
        remedy = "run `pip install 'pymysql[rsa]'`, or connect by socket"
    return address.unusable(f"cannot be read: {message}", remedy)
