"""Compiled modules for the programs that tests start: hundreds, each reading, none writing them.

A program that is killed, or short of space, may leave half a module behind; so none may write.
Where the tests themselves write none either (``PYTHONDONTWRITEBYTECODE``), a directory holds them
for as long as the tests run.
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
import tempfile

WORKERS = "A2LEDGER_WORKERS_COMPILE"
OTHERS = ("beanquery.sources.beancount", "jinja2.sandbox", "babel.numbers")


def provide() -> None:
    """Have programs read compiled modules; called once, before there are workers."""
    writes_none = sys.dont_write_bytecode and "PYTHONPYCACHEPREFIX" not in os.environ
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    if not sys.dont_write_bytecode:
        os.environ[WORKERS] = "1"
    if writes_none:
        directory = tempfile.mkdtemp(prefix="a2l-compiled-")
        os.environ["PYTHONPYCACHEPREFIX"] = directory
        compiler = subprocess.Popen(
            [sys.executable, __file__], env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
        )
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        atexit.register(compiler.kill)


def keep() -> None:
    """Let a worker keep the tests as pytest compiled them, for the next run."""
    sys.dont_write_bytecode = WORKERS not in os.environ


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
