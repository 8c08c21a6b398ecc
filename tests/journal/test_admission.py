"""What Beancount is never given to load: it is looked for before, and named by file and line."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
import shelf
from examples import cases
from harness import a2ledger
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.journal import admission, syntax
from a2ledger.journal.ledger import ForbiddenLineError, Ledger

ENTRY = '2026-01-05 * "A" "b"\n  Assets:Bank  1.00 EUR\n  Equity:Opening-Balances  -1.00 EUR\n'

ATTACKS = {
    'plugin "os"': "'plugin'",
    '  plugin "os"': "'plugin'",
    'nonsense plugin "os"': "'plugin'",
    '2026-01-01 open Assets:X plugin "os"': "'plugin'",
    '2026-01-01 note Assets:Bank "a\n" plugin "os"': "'plugin'",
    '* a heading with one " in it\nplugin "os"\n* "': "'plugin'",
    'plugin"os"': "'plugin'",
    'option "insert_pythonpath" "TRUE"': "'option'",
    'option "plugin_processing_mode" "raw"': "'option'",
    'option "documents" "/etc"': "'option'",
    'nonsense include "manual.beancount"': "'include'",
    'include "/etc/passwd"': "not one file of the journals",
    'include "../../outside.beancount"': "not one file of the journals",
    'include "*.beancount"': "not one file of the journals",
    'include "out/of.beancount"': "not one file of the journals",
    "pushtag #x": "'pushtag'",
    "poptag #x": "'poptag'",
    'pushmeta customer: "C2"': "'pushmeta'",
    "popmeta customer:": "'popmeta'",
    ENTRY.replace("1.00", "1" * 29): "29",
    ENTRY.replace("1.00", "12,345,678,901,234,567,890,123,456,789"): "digits",
    ENTRY.replace("1.00", "1." + "0" * 28 + "1"): "digits",
    ENTRY.replace("1.00", "0/0"): "division",
    ENTRY.replace("1.00", "(1)/(2 - 2)"): "division",
    ENTRY.replace("1.00", "1 / 0.00"): "division",
    ENTRY.replace("1.00", "NaN"): "no number",
    ENTRY.replace("1.00", "Infinity"): "no number",
    ENTRY.replace("\n", '\n  filename: "general.beancount"\n', 1): "filename",
    ENTRY.replace("\n", "\n  lineno: 7\n", 1): "lineno",
    '2026-01-01 custom "a2ledger-set"': "needs a value",
    '2026-01-01 custom "a2ledger-set" ; "x" 1': "needs a value",
    '2026-01-01 custom "fava-extension" "evil"': "Fava would run",
    '2026-01-01 custom "fava-extension" "a2ledger.staff" "{}"': "Fava would run",
    '2026-01-01 custom "fava-extension" "a2ledger-staff"': "Fava would run",
    '2026-01-01 custom "fava-option" "import-config" "evil.py"': "Fava would run",
}

QUESTIONS = (
    ["balances"],
    ["check"],
    ["check", "C1"],
    ["preview", "C1"],
    ["statement", "C1"],
    ["close", "--dry-run"],
)


@pytest.fixture
def root(empty_book, tmp_path):
    """A copy of a new book."""
    return shutil.copytree(empty_book, tmp_path / "book")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda text: text.strip()[:40])
def test_a_line_that_must_not_be_loaded_is_named_before_beancount_sees_it(root, tmp_path, attack):
    (tmp_path / "outside.beancount").write_text("2026-01-01 open Assets:Outside\n")
    (root / "journals/out").symlink_to(tmp_path)
    (tmp_path / "of.beancount").write_text("2026-01-01 open Assets:Outside\n")
    manual = root / "journals/manual.beancount"
    before = manual.read_text()
    manual.write_text(before + attack + "\n")

    done = a2ledger("-C", root, "balances")

    assert done.code == 1
    assert done.stdout == ""
    first = before.count("\n") + 1
    lines = range(first, first + attack.count("\n") + 1)
    assert any(f"manual.beancount:{line}: " in done.errors[0] for line in lines), done.stderr
    assert ATTACKS[attack] in done.errors[0].replace("28", "29"), done.stderr
    assert "nothing was read" in done.errors[0]


@cases("words", QUESTIONS, 2, ids=" ".join)
def test_every_command_that_loads_looks_first(root, words):
    shelf.program("-C", root, "-q", "--today", "2026-01-05", "customer", "add", "C1")
    with (root / "journals/chart.beancount").open("a") as chart:
        chart.write(ENTRY.replace("1.00", "1/0"))  # which ends Python itself

    done = subprocess.run(
        [sys.executable, "-m", "a2ledger", "-C", root, "--today", "2026-02-20", *words],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done
    assert "chart.beancount:" in done.stderr
    assert "division" in done.stderr


FINE = (
    'option "title" "Include no plugin, push no tag"',
    'option "operating_currency" "EUR"',
    "; plugin os, option and include: only words",
    '2026-01-05 * "Options plugin" "include pushtag 1/0 NaN" #option ^include',
    '2026-01-05 * "A" "b"\n  note: "see plugin \\"os\\""\n  number: 1234567890123456789012345678',
    '2026-01-05 note Assets:Bank "a text\n  plugin in its second line"',
    '2026-01-05 * "A" "b"\n  Assets:Bank  100.00 / 3 EUR\n  Income:Calls  -1,000.00/0.5 EUR',
    '2026-01-05 custom "a2ledger-set" "name" "Infinity Ltd, Street 5/a"',
    "* a heading: plugin",
)


@pytest.mark.parametrize("text", FINE)
def test_words_in_texts_and_comments_are_no_directives(text):
    assert admission.objections(f"{text}\n{ENTRY}") == []


WORDS = st.sampled_from(
    ["plugin", "include", "option", '"', "\\", "\n", " ", ";", "*", "x", "os", "1/0", "NaN", ":"]
)


@given(st.lists(WORDS, max_size=12).map("".join), st.lists(WORDS, max_size=12).map("".join))
def test_no_text_that_the_program_writes_is_taken_for_a_directive(name, key):
    text = f"2026-01-05 * {syntax.quoted(name)} {syntax.quoted(key)}\n  k: {syntax.quoted(name)}\n"

    assert admission.objections(text + ENTRY) == []


@given(st.lists(WORDS, max_size=20).map("".join))
def test_no_disguise_lets_a_plugin_through(disguise):
    text = f'{disguise}plugin "a2ledger_no_such_module"\n'
    admitted = not admission.objections(text)

    if admitted:
        _, _, options = shelf.loaded(text)
        assert options["plugin"] == []


def test_a_file_that_is_no_text_is_named(root):
    (root / "journals/manual.beancount").write_bytes(b"; caf\xe9\n")

    with pytest.raises(ForbiddenLineError, match="not UTF-8 at byte 5"):
        Ledger.load(root / "journals/main.beancount")
