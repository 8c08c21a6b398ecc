"""Build the documentation as a site: ``python docs/build_site.py`` writes ``build/site``.

The README is its first page. Pages link to files of the checkout beside ``docs/``; in the site
those that are pages are there, and code is linked where it is published.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "build/docs-source"
CODE = "https://github.com/a2ledger/a2ledger/blob/main/"
BESIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
"""Pages beside ``docs/``, and what they are called in the site."""


def gather() -> None:
    """Copy the pages into one tree, with their links as they are there."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCE, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name, page in BESIDE.items():
        shutil.copy(ROOT / name, SOURCE / page)
    shutil.copy(ROOT / "LICENSE", SOURCE / "license.md")
    for path in SOURCE.rglob("*.md"):
        depth = len(path.relative_to(SOURCE).parts) - 1
        path.write_text(relinked(path.read_text(encoding="utf-8"), "../" * depth), encoding="utf-8")


def relinked(text: str, up: str) -> str:
    """Return a page whose links outside of ``docs/`` lead to where they are in the site."""

    def link(match: re.Match[str]) -> str:
        target, _, anchor = match[1].partition("#")
        bare = re.sub(r"^(\.\./)+", "", target)
        anchor = f"#{anchor}" if anchor else ""
        if bare in BESIDE:
            return f"]({up}{BESIDE[bare]}{anchor})"
        if bare == "LICENSE":
            return f"]({up}license.md)"
        if bare.startswith("docs/"):
            return f"]({up}{bare.removeprefix('docs/')}{anchor})"
        if bare.split("/")[0] in {"a2ledger", "templates", "tests", "journals"}:
            return f"]({CODE}{bare})"
        return match[0]

    return re.sub(r"\]\(((?!https?:|#|mailto:)[^)\s]+)\)", link, text)


if __name__ == "__main__":
    gather()
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)  # noqa: S603 - our own words
