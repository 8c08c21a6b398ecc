"""Parse addresses of databases, and find their passwords without ever showing them.

``mysql://user@host/db`` names a server, ``sqlite:////var/lib/cdr.db`` a file; ``#table`` may
follow. A password is taken from the environment, or asked for at a terminal. It is no part of
what an address prints as, and nothing else of an address is ever written down.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from a2ledger.sources.batch import UnusableInput

PASSWORD = "A2LEDGER_DB_PASSWORD"  # noqa: S105 - the name of one
DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "sqlite": "sqlite",
}
_PARTS = re.compile(
    r"(?P<scheme>[a-z]+)://(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^@/?#]*))?@)?"
    r"(?P<place>[^?#@]*)(?:\?(?P<query>[^#]*))?(?:#(?P<table>[^#]*))?"
)


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a database table."""

    scheme: str
    user: str
    place: str
    """Host, port and database, or the path of a file."""
    query: str
    table: str
    password: str | None = field(default=None, repr=False, compare=False)
    ask: Callable[[str], str] | None = field(default=None, repr=False, compare=False)
    """Asks a person for the password, or None if nobody can be asked."""

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{user}{self.place}#{self.table}"

    @property
    def url(self) -> str:
        """Return the address in SQLAlchemy's form, without a password."""
        user = f"{self.user}@" if self.user else ""
        query = f"?{self.query}" if self.query else ""
        return f"{DRIVERS[self.scheme]}://{user}{self.place}{query}"

    def unusable(self, problem: str, remedy: str) -> UnusableInput:
        """Return an error that the table cannot be used."""
        if self.password:
            problem = problem.replace(self.password, "***")
        return UnusableInput(f"{self}: {problem}", undone="nothing was imported", todo=remedy)


def is_address(text: str) -> bool:
    """Return whether a text is the address of a database rather than a file."""
    return "://" in text


def parse(text: str, table: str = "cdr") -> Address:
    """Parse an address.

    Args:
        text: ``SCHEME://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE[?OPTIONS][#TABLE]``.
        table: which table is meant if the text does not say.

    Raises:
        ValueError: if it is none; the message does not repeat the text.
    """
    match = _PARTS.fullmatch(text)
    if match is None or match["scheme"] not in DRIVERS:
        raise ValueError("is no address such as mysql://user@host/asteriskcdrdb")
    if re.search(r"(^|&)[^=]*(pass|secret)", match["query"] or "", re.IGNORECASE):
        raise ValueError(f"has a password among its options; put it into {PASSWORD}")
    return Address(
        match["scheme"],
        match["user"] or "",
        match["place"],
        match["query"] or "",
        match["table"] or table,
        unquote(match["password"]) if match["password"] is not None else None,
    )


def with_password(
    address: Address, source: str, environment: Mapping[str, str], ask: Callable[[str], str] | None
) -> Address:
    """Return the address with its source's password, and with a way to ask for a missing one.

    ``A2LEDGER_DB_PASSWORD_PBX1`` is that of the source ``pbx1``; ``A2LEDGER_DB_PASSWORD`` of any.
    """
    own = f"{PASSWORD}_{re.sub('[^A-Z0-9]', '_', source.upper())}"
    password = address.password
    if password is None:
        password = environment.get(own, environment.get(PASSWORD))
    return replace(address, password=password, ask=ask)
