"""What commands read: files, directories of them, and addresses of databases."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from a2ledger.book.source_config import Source
from a2ledger.commands.settings import Settings
from a2ledger.sources import address
from a2ledger.sources.address import Address, is_address
from a2ledger.sources.text.lines import BOM

_BLANK = 1 << 16
"""Size in bytes of the largest file that is checked for being blank."""


class Input(click.ParamType[Path | str]):
    """A file, a directory of them, or the address of a database as text."""

    name = "path"
    _path = click.Path(path_type=Path, exists=True, readable=True)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path | str:
        """Parse a path or an address."""
        if isinstance(value, str) and is_address(value):
            return value
        path: Path = self._path.convert(value, param, ctx)
        return path


INPUT = Input()


def configured(feed: Source) -> list[str]:
    """Return a source's configured address, used if no path is given.

    Raises:
        UsageError: if it has none.
    """
    if not feed.url:
        raise click.UsageError(
            f"{feed.name} has no address of its own: name a file, a directory or a database"
        )
    return [feed.url]


def is_blank(path: Path) -> bool:
    """Return True if a file is blank."""
    if not path.is_file() or path.stat().st_size > _BLANK:
        return False
    return not path.read_bytes().removeprefix(BOM).strip()


def located(settings: Settings, feed: Source, path: Path | str) -> Path | Address:
    """Return a path, or a parsed address with its password."""
    if isinstance(path, Path):
        return path
    try:
        parsed = address.parse(path, feed.table)
    except ValueError as error:
        raise click.UsageError(f"the address of {feed.name} {error}") from None
    if parsed.password is not None:
        settings.talk(
            "note: others on this machine may see a password on the command line; "
            f"put it into {address.PASSWORD}"
        )
    ask = settings.ask if sys.stdin.isatty() else None
    return address.with_password(parsed, feed.name, os.environ, ask)
