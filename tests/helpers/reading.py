"""What keeps somebody from reading a page: on a phone, on a wall, in the dark, by its sound."""

from __future__ import annotations

from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = (390, 1280, 2560)
"""A phone, a desk, a wall."""

_FITS = """() => {
    const article = document.querySelector("article")
    return article.scrollWidth <= article.clientWidth
}"""
_AXE = """async parts => {
    const found = await axe.run(parts, {resultTypes: ["violations"]})
    return found.violations.map(({id, impact, nodes}) => [id, impact, nodes[0].html])
}"""
_IS_STILL = "() => document.getAnimations().every(({playState}) => playState !== 'running')"


def fits(page: Page) -> None:
    """Wait until nothing is cut off, on each width; fail if something stays so."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_function(_FITS)


def serious(page: Page, parts: str = "article") -> Iterator[tuple[str, str, str]]:
    """Yield what axe finds serious in parts of a page, by day and in the dark.

    Yields:
        Scheme, rule and HTML of the first element that breaks it.
    """
    page.evaluate(Axe().axe_script)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(_IS_STILL)
        for rule, impact, html in page.evaluate(_AXE, parts):
            if impact in {"serious", "critical"}:
                yield scheme, rule, html
