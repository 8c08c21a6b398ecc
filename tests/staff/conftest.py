"""What the tests of the pages share: a browser, and a command line that is loaded once."""

from __future__ import annotations

import shutil

import pytest

PATIENCE_MS = 60_000
"""A command runs, on a busy machine, before a page shows what became of it."""

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser")
"""Programs of the browser: the first draws no window of its own, and takes half as much."""

FORGETS = """
if (window === top && !sessionStorage.begun) {
    localStorage.clear()
    sessionStorage.begun = "yes"
}
"""


@pytest.fixture(scope="session")
def program(programs):
    """The command line for the clerk, loaded once: each form still has a process of its own."""
    return (str(programs / "a2ledger"),)


@pytest.fixture(scope="module")
def browser(program):  # noqa: ARG001 - it is forked first
    """Chromium, started after the command line was forked."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    playwright.expect.set_options(timeout=PATIENCE_MS)
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--renderer-process-limit=1"],
            timeout=3 * PATIENCE_MS,
        )
        yield found
        found.close()


@pytest.fixture(scope="module")
def profile(browser):
    """A profile of the browser: Fava's scripts are loaded and compiled once for a module."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=False)
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(FORGETS)
    context.new_page()  # it keeps the process that draws pages: each would start its own
    yield context
    context.close()


@pytest.fixture
def page(profile):
    """A page without anything kept from the one before, that must complain of nothing."""
    complaints: list[str] = []
    made = profile.new_page()
    made.on("console", lambda it: it.type == "error" and complaints.append(it.text))
    made.on("pageerror", lambda it: complaints.append(str(it)))
    yield made
    made.close()
    assert complaints == []
