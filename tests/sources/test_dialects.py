"""A dialect that comes in a package of its own: nothing else is touched."""

from __future__ import annotations

import os

from harness import a2ledger_process

MODULE = """
import pyarrow as pa

from a2ledger.book.source_config import Rule
from a2ledger.sources.batch import FIELDS, Batch, constant

RULES = (Rule(applications=("talk",), identify=("userfield",)),)


def files(directory):
    return sorted(directory.glob("*.morse"))


def read(path, source):
    rows = [line.split() for line in path.read_text().splitlines()]
    given = dict(zip(("uniqueid", "userfield", "application", "dst", "seconds"), zip(*rows)))
    size = len(rows)
    columns = {name: pa.array(list(given[name])) if name in given else constant("", size)
               for name in FIELDS} | {"start": constant("2026-01-05 10:00:00", size)}
    never = ["echo" if name == "never" else "" for name in given["application"]]
    table = pa.table(columns | {"line": pa.array(range(1, size + 1), pa.int64()),
                                "answered": pa.array([True] * size), "never": pa.array(never)})
    yield Batch(str(path), table, [], lambda line: " ".join(rows[line - 1]))
"""


def test_a_dialect_installed_beside_brings_its_files_its_rules_and_what_is_never_a_call(
    book, tmp_path
):
    book.customers({"id": "C1"})
    installed = tmp_path / "installed"
    info = installed / "morse-1.0.dist-info"
    info.mkdir(parents=True)
    (installed / "morse.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: morse\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[a2ledger.dialects]\nmorse = morse:read\n")
    log = tmp_path / "log"
    log.mkdir()
    (log / "a.morse").write_text("1 C1 talk 322 60\n2 C1 voicemail 322 60\n3 C1 never 322 60\n")
    (log / "notes.txt").write_text("not read")

    words = ("-C", book.root, "--today", "2026-01-06", "import", "morse", log)
    done = a2ledger_process(*words, env=os.environ | {"PYTHONPATH": str(installed)})

    assert done.code == 0, done.stderr
    assert f"{log}: 1 of 2 files read, and not notes.txt" in done.stderr
    assert "3 rows read, 1 posted, 2 not billable (application 1, echo 1); 1.00" in done.stderr
