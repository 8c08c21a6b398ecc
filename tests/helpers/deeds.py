"""What hands do to paths of a book: delete, move, link, double, edit, roll back, truncate."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

TOPS = ("journals", "invoices", "calls", "tariffs", "a2ledger.toml", "imports.csv")


def _paths(root: Path, tops: tuple[str, ...]) -> list[Path]:
    return sorted(
        path for top in tops for path in [root / top, *(root / top).rglob("*")] if path.exists()
    )


def deed(
    root: Path, old: Path, chance: random.Random, tops: tuple[str, ...] = TOPS
) -> tuple[str, Path]:
    """Do something to a path, as a person with a file manager or an editor might.

    Returns:
        what was done, and to which path of the book.
    """
    path = chance.choice(_paths(root, tops))
    files = [one for one in _paths(root, tops) if one.is_file()]
    what = chance.choice(["delete", "move", "link", "duplicate", "edit", "roll back", "truncate"])
    name = path.relative_to(root)
    if what == "delete":
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif what == "move":
        path.rename(path.with_name(f"{path.name}.old"))
    elif what == "link":
        away = root.parent / f"away-{chance.random()}"
        path.rename(away)
        path.symlink_to(away)
    elif what == "duplicate":
        target = path.with_name(f"copy-{path.name}")
        shutil.copytree(path, target) if path.is_dir() else shutil.copy(path, target)
    elif what == "roll back":
        path = chance.choice(files)
        name = path.relative_to(root)
        if (old / name).is_file():
            shutil.copy(old / name, path)
    else:
        path = chance.choice(files)
        name = path.relative_to(root)
        content = bytearray(path.read_bytes())
        if what == "truncate":
            del content[chance.randrange(max(1, len(content))) :]
        elif content:
            content[chance.randrange(len(content))] = ord(chance.choice("0123456789abc\n;"))
        path.write_bytes(content)
    return f"{what} {name}", name
