"""What commands read: files, directories of them, and addresses of databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from a2ledger.sources.address import is_address


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
