"""What the tests of the pages share: a browser, and a command line that is loaded once."""

from __future__ import annotations

import shutil

import pytest
import warm


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The command line for the clerk, loaded once: each form still has a process of its own."""
    with warm.program(tmp_path_factory.mktemp("warm")) as directory:
        yield (str(directory / "a2ledger"),)


@pytest.fixture(scope="module")
def browser(program):  # noqa: ARG001 - it is forked first
    """Chromium, started after the command line was forked."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    playwright.expect.set_options(timeout=30_000)  # a command runs, on a busy machine
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()
