"""Tables of ``a2ledger.toml``, read so that error messages begin with the key."""

from __future__ import annotations

import datetime as dt
import difflib
import zoneinfo
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from a2ledger.errors import ExpectedError

T = TypeVar("T")


class ConfigError(ExpectedError):
    """``a2ledger.toml`` has an invalid value. The message begins with the key."""


_KINDS: Mapping[type, str] = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
    dt.date: "a day such as 2026-07-01, without quotes",
}


class Table:
    """A TOML table that knows its own path and detects unknown keys."""

    def __init__(self, path: str, values: Mapping[str, Any]) -> None:
        self.path, self.values = path, dict(values)
        self.known: list[str] = []

    def key(self, name: str) -> str:
        """Return the path of a key of this table."""
        return f"{self.path}.{name}" if self.path else name

    def error(self, name: str, message: str) -> ConfigError:
        """Return an error about a key."""
        return ConfigError(f"{self.key(name)}: {message}")

    def take(self, name: str, kind: type[T], default: T | None = None) -> T:
        """Return the value of a key, which is required if there is no default."""
        self.known.append(name)
        if name not in self.values:
            if default is None:
                raise self.error(name, "is missing")
            return default
        value = self.values[name]
        odd = (isinstance(value, bool) and kind is not bool) or isinstance(value, dt.datetime)
        if not isinstance(value, kind) or odd:
            raise self.error(name, f"must be {_KINDS[kind]}, not {value!r}")
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """Return a text that must be one of a few."""
        value = self.take(name, str, default)
        if value not in choices:
            raise self.error(name, f"{value!r} is none of {', '.join(choices)}")
        return value

    def zone(self, name: str, default: str | None = None) -> str:
        """Return the name of a time zone."""
        zone = self.take(name, str, default)
        try:
            zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise self.error(name, f"{zone!r} is not a time zone such as Europe/Athens") from None
        return zone

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of texts."""
        values: list[Any] = self.take(name, list, list(default))
        if not all(isinstance(value, str) for value in values):
            raise self.error(name, "must be a list of texts in quotes")
        return tuple(values)

    def table(self, name: str) -> Table:
        """Return a table in this one, empty if it is missing."""
        return Table(self.key(name), self.take(name, dict, {}))

    def listed(self, name: str) -> Iterator[Table]:
        """Yield the tables of a list: ``[[…name]]``."""
        for index, values in enumerate(self.take(name, list, [])):
            if not isinstance(values, dict):
                raise self.error(name, f"must be tables: [[…{name}]]")
            yield Table(f"{self.key(name)}[{index}]", values)

    def tables(self) -> Iterator[tuple[str, Table]]:
        """Yield every table in this one, by name."""
        for name in self.values:
            yield name, self.table(name)

    def finish(self) -> None:
        """Raise an error if there is an unknown key."""
        for name in self.values:
            if name not in self.known:
                near = difflib.get_close_matches(name, self.known, 1)
                hint = f", did you mean {near[0]!r}?" if near else ""
                raise self.error(name, f"unknown key{hint}")
