"""The built wheel, installed bare, has its templates and runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from checkout import ROOT
from examples import sampled

from a2ledger import facts


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout."""
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", directory, ROOT],
        check=True,
    )  # fmt: skip
    return next(directory.glob("a2ledger-*.whl"))


def test_the_wheel_holds_the_package_its_types_and_its_templates(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    assert "a2ledger/py.typed" in names
    for directory in ("a2ledger/staff", "a2ledger/staff/templates"):
        files = {str(path.relative_to(ROOT)) for path in (ROOT / directory).glob("*.[jh]*")}
        assert files
        assert files <= set(names)
    for code in facts.LANGUAGES[1:]:
        assert f"a2ledger/locale/{code}/LC_MESSAGES/a2ledger.mo" in names
    assert {f"a2ledger/templates/{path.name}" for path in (ROOT / "templates").iterdir()} <= set(
        names
    )


@pytest.mark.long
def test_the_installed_wheel_renders_a_bill_far_from_the_checkout(wheel, demo_book, tmp_path):
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel],
        check=True,
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    program = [sys.executable, "-P", "-m", "a2ledger"]

    def run(*words):
        return subprocess.run(
            [*program, *words], cwd=tmp_path, env=environment, capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip

    if sampled(True, False):
        run("demo", "book")
    else:
        shutil.copytree(demo_book, tmp_path / "book")
    where = subprocess.run(
        [sys.executable, "-P", "-c", "import a2ledger; print(a2ledger.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert Path(where.strip()).is_relative_to(site)
    assert "PREVIEW" in run("-C", "book", "preview", "C10001")
    assert "<!doctype html>" in run("-C", "book", "preview", "C10001", "--html").lower()
