"""Fixtures of every test: a small book, made once and copied."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import compiled
import pytest
import warm
from examples import TIMES, sampled
from hypothesis import settings
from hypothesis.internal.conjecture import providers

# Books are committed and synced thousands of times: in memory that costs half the time.
MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a directory of its own in it
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK):
    has_room = shutil.disk_usage(MEMORY).free > 2 << 30
    os.environ |= {"TMPDIR": str(MEMORY)} if has_room else {}

if "PYTEST_XDIST_WORKER" not in os.environ:
    compiled.provide()
else:
    compiled.keep()

pytest.register_assert_rewrite("harness", "shelf")

from harness import STANDARD, Book, a2ledger, made_for_all, slim  # noqa: E402 - its assertions are rewritten

# How fast a machine is is measured in benchmarks, and asserted nowhere. A run says of a change what
# the next one says of it: laws try the same examples each time, and others by `A2LEDGER_TIMES`.
settings.register_profile(
    "suite",
    deadline=None,
    max_examples=sampled(50, 15) * TIMES,
    derandomize="A2LEDGER_TIMES" not in os.environ,
)
settings.load_profile("suite")
if "A2LEDGER_TIMES" not in os.environ:
    # Numbers and words of the modules that happen to be loaded are left to longer runs.
    providers._get_local_constants = lambda: providers._local_constants  # noqa: SLF001


gc.disable()  # finding five thousand tests makes much and leaves nothing to collect


def pytest_configure(config: pytest.Config) -> None:
    """Have workers share the work of compiling the tests before they look for them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        compiled.share(config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Have a worker more than there are cores: one of them waits for a browser or a server."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try each law on more examples where the whole is tried."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("long")


def pytest_collection_finish() -> None:
    """Collect garbage again, but look no more through what was made by now."""
    gc.freeze()
    gc.enable()


def _make_empty(root: Path) -> None:
    words = ["--company", "Example Telecom", "--timezone", "Europe/Brussels"]
    done = a2ledger("--today", "2026-01-01", "init", root, *words)
    assert done.code == 0, done.stderr
    (root / "tariffs" / "standard.csv").write_text(STANDARD)
    slim(root)


def _make_demo(root: Path) -> None:
    done = a2ledger("demo", root)
    assert done.code == 0, done.stderr
    slim(root)


@pytest.fixture(scope="session")
def empty_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new book with the tariff ``standard``, made once; tests work on copies."""
    return made_for_all(tmp_path_factory, "empty", _make_empty)


@pytest.fixture(scope="session")
def demo_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book that ``a2ledger demo`` makes, made once; tests work on copies."""
    return made_for_all(tmp_path_factory, "demo", _make_demo)


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory for the PATH with an ``a2ledger`` that is loaded once."""
    with warm.program(tmp_path_factory.mktemp("warm")) as directory:
        yield directory


@pytest.fixture
def book(empty_book: Path, tmp_path: Path) -> Book:
    """A new book with the tariff ``standard`` and nobody in it yet."""
    root = tmp_path / "book"
    shutil.copytree(empty_book, root)
    return Book(root, tmp_path / "files")
