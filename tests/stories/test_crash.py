"""Killed, torn, without power or space at its system calls: a sample of `crash/crash.py`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import tracing
from checkout import TESTS
from examples import sampled

pytestmark = pytest.mark.skipif(not tracing.is_possible(), reason="needs Linux on x86-64")

CARELESS = [
    sys.executable,
    "-c",
    "import os\nopen('new', 'w').write('after' * 9)\nos.replace('new', 'file')\nopen('last', 'w')",
]
CAREFUL = [
    sys.executable,
    "-c",
    """
import os
file = open('new', 'w')
file.write('after' * 9)
file.flush()
os.fsync(file)
os.replace('new', 'file')
os.fsync(os.open('.', os.O_RDONLY))
""",
]


@pytest.fixture
def root(tmp_path):
    directory = tmp_path / "root"
    directory.mkdir()
    (directory / "file").write_text("before")
    return directory


def traced(command, root, at=0, mode="kill"):
    fault = tracing.Fault(at, mode) if at else None
    return tracing.run(command, root, dict(os.environ), fault)


def test_the_harness_runs_a_function_as_it_runs_a_command(root):
    def careful():
        exec(CAREFUL[2], {})  # noqa: S102 - the same steps
        return 3

    def broken():
        raise ValueError("no such thing")

    outcome = traced(careful, root)
    assert (outcome.code, outcome.calls) == (3, traced(CAREFUL, root).calls)
    assert traced(careful, root, at=1).code == -9
    outcome = traced(broken, root)
    assert outcome.code == 1
    assert "Traceback" in outcome.output
    assert "no such thing" in outcome.output


def test_the_harness_counts_what_changes_files_and_nothing_else(root):
    outcome = traced(CAREFUL, root)

    assert outcome.code == 0
    assert [str(call) for call in outcome.calls] == [
        "openat new",
        "write new",
        "fsync new",
        "rename new -> file",
        "fsync .",
    ]
    assert outcome.unsynced == []


def test_the_harness_sees_what_is_not_synced(root):
    assert traced(CARELESS, root).unsynced == [
        "content of file",
        "rename of file",
        "make of last",
    ]


@pytest.mark.parametrize(
    ("command", "at", "mode", "left"),
    [
        (CARELESS, 1, "kill", {"file": "before"}),
        (CARELESS, 2, "kill", {"file": "before", "new": ""}),
        (CARELESS, 2, "torn", {"file": "before", "new": "after" * 4 + "af"}),
        (CARELESS, 4, "names", {"file": ""}),
        (CARELESS, 4, "powercut", {"file": "before"}),
        (CAREFUL, 5, "names", {"file": "after" * 9}),
        (CAREFUL, 5, "powercut", {"file": "before"}),
        (CAREFUL, 2, "ENOSPC", {"file": "before", "new": ""}),
    ],
)
def test_the_harness_leaves_what_a_disk_would(root, command, at, mode, left):
    outcome = traced(command, root, at, mode)

    assert {path.name: path.read_text() for path in root.iterdir()} == left
    assert outcome.code == (1 if mode == "ENOSPC" else -9)


@pytest.mark.long
@pytest.mark.parametrize(
    "commands", sampled(["import import-many", "close invoice credit-note"], ["import"])
)
def test_commands_that_are_broken_at_some_calls_leave_a_whole_book(commands):
    points = os.environ.get("A2LEDGER_CRASHES", "1")
    words = ["--points", points, "--double", "1", "--modes", "kill,powercut,ENOSPC", "--jobs", "1"]
    done = subprocess.run(
        [sys.executable, TESTS / "crash/crash.py", *words, "--seed", "7", *commands.split()],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" 0 wrong") == len(commands.split())
