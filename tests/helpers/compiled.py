"""Compiled modules for the programs that tests start: hundreds, each reading, none writing them.

A program that is killed, or short of space, may leave half a module behind; so none may write but
the workers that run the tests. Where Python is asked to write none beside the sources
(``PYTHONDONTWRITEBYTECODE``), a directory holds them for as long as the tests run.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

WORKERS = "A2LEDGER_WORKERS_COMPILE"
OTHERS = ("beanquery.sources.beancount", "jinja2.sandbox", "babel.numbers")
TESTS = Path(__file__).parent.parent


def provide() -> None:
    """Have programs read compiled modules; called once, before there are workers."""
    writes_none = sys.dont_write_bytecode and "PYTHONPYCACHEPREFIX" not in os.environ
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    if writes_none:
        directory = tempfile.mkdtemp(prefix="a2l-compiled-")
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        for library in {sysconfig.get_path("stdlib"), *filter(_is_library, sys.path)}:
            _link(Path(library), directory)
        os.environ["PYTHONPYCACHEPREFIX"] = directory
        compiler = subprocess.Popen(
            [sys.executable, __file__], env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
        )
        atexit.register(compiler.kill)
    if writes_none or not sys.dont_write_bytecode:
        os.environ[WORKERS] = "1"


def _is_library(path: str) -> bool:
    return Path(path).name in {"site-packages", "dist-packages"}


def _link(library: Path, directory: str) -> None:
    """Find the compiled modules of a library in another directory too: they need not be made."""
    tag = f".{sys.implementation.cache_tag}.pyc"
    for path, _, names in os.walk(library):
        if path.endswith("__pycache__"):
            place = Path(f"{directory}{path.removesuffix('__pycache__')}")
            place.mkdir(parents=True, exist_ok=True)
            for name in names:
                if name.endswith(tag):
                    os.symlink(f"{path}/{name}", f"{place}/{name}")  # noqa: PTH211 - thousands


def keep() -> None:
    """Let a worker keep the tests as pytest compiled them, for the others and the next run."""
    sys.dont_write_bytecode = WORKERS not in os.environ


def share(config: pytest.Config) -> None:
    """Compile a worker's share of the tests, which each of them would compile for itself.

    What pytest makes of a module is private to it: where a release does this in another way, each
    worker compiles all of them, and that is all.
    """
    number = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    count = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    with contextlib.suppress(ImportError, AttributeError, TypeError):
        from _pytest.assertion import rewrite  # noqa: PLC0415

        state = config.stash[rewrite.assertstate_key]
        for path in sorted(TESTS.rglob("test_*.py"))[number::count]:
            directory = rewrite.get_cache_dir(path)
            kept = directory / (path.stem + rewrite.PYC_TAIL)
            if rewrite.try_makedirs(directory) and rewrite._read_pyc(path, kept) is None:  # noqa: SLF001
                source, code = rewrite._rewrite_test(path, config)  # noqa: SLF001
                rewrite._write_pyc(state, code, source, kept)  # noqa: SLF001


def load() -> None:
    """Load all of the program but the pages, and what its commands load when they need it."""
    import a2ledger  # noqa: PLC0415

    for module in pkgutil.walk_packages(a2ledger.__path__, "a2ledger."):
        if "staff" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in OTHERS:
        importlib.import_module(name)


if __name__ == "__main__":
    load()
    for name in ("a2ledger.staff.server", "weasyprint", "pip._internal.commands.install"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
