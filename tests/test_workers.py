"""Work is the same whoever does it: this process, others, or a cluster that loses workers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from itertools import chain
from pathlib import Path

import chores
import pytest
from harness import Book, a2ledger, slim
from tree import tree

from a2ledger import workers as seam
from a2ledger.audit import verify
from a2ledger.book.book import BrokenBookError
from a2ledger.documents import formats
from a2ledger.workers import Workers

NUMBERS = list(range(20))


def done(workers, work=chores.doubled, batches=None):
    return list(workers.map(work, batches or workers.batches(NUMBERS, alone=5)))


def test_little_work_starts_no_process():
    with Workers("2") as workers:
        assert workers.batches(NUMBERS, alone=20) == [NUMBERS]
        assert list(workers.map(chores.process_of, [NUMBERS])) == [os.getpid()]


def test_batches_hold_every_item_once_in_order():
    batches = Workers("2").batches(list(range(100)), alone=10, largest=7)
    assert list(chain(*batches)) == list(range(100))
    assert max(map(len, batches)) == 7
    assert Workers("1").batches(NUMBERS, alone=5) == [NUMBERS]
    assert Workers().batches([], alone=5) == []


def test_processes_do_the_work_in_order_and_report_what_a_person_can_mend():
    with Workers("2") as workers:
        assert list(chain(*done(workers))) == chores.doubled(NUMBERS)
        assert os.getpid() not in done(workers, chores.process_of)
        with pytest.raises(BrokenBookError) as error:
            done(workers, chores.broken)
    assert error.value.lines() == [
        "journals/0:3: is odd; nothing was done; correct it and run again"
    ]
    assert error.value.problems[0].file == "journals/0"


def test_what_a_killed_process_leaves_undone_is_done_here_and_said(tmp_path):
    said = []
    with Workers("2", said.append) as workers:
        batches = [(tmp_path / "died", some) for some in workers.batches(NUMBERS, alone=5)]
        assert list(chain(*done(workers, chores.dying_once, batches))) == chores.doubled(NUMBERS)
        assert list(chain(*done(workers))) == chores.doubled(NUMBERS)
    assert len(said) == 1
    assert said[0].startswith("note: workers ended before their work was done")


def test_what_must_not_be_done_here_is_done_by_other_processes(tmp_path):
    with Workers("2") as workers:
        batches = [(tmp_path / "died", some) for some in workers.batches(NUMBERS, alone=5)]
        again = list(workers.map(chores.dying_once, batches, here=False))
        assert list(chain(*again)) == chores.doubled(NUMBERS)
        with pytest.raises(BrokenExecutor):
            list(workers.map(chores.dying, [1], here=False))


def test_worker_processes_end_with_their_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, signal, sys\n"
        "sys.path[:0] = sys.argv[1:]\n"
        "import chores\n"
        "from a2ledger.workers import Workers\n"
        "if __name__ == '__main__':\n"
        "    with Workers('2') as workers:\n"
        "        print(*set(workers.map(chores.process_of, range(4))), flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = str(Path(chores.__file__).parent)
    words = [sys.executable, script, path]
    parent = subprocess.run(words, check=False, capture_output=True, text=True)
    assert parent.returncode == -signal.SIGKILL
    processes = list(map(int, parent.stdout.split()))
    assert processes
    until = time.monotonic() + 60
    while any(is_running(process) for process in processes) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(is_running(process) for process in processes)


def is_running(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2][:3]
    except OSError:
        return False


@pytest.mark.parametrize("wanted", ["0", "-1", "many", "tcp:", "host:8786"])
def test_what_says_no_workers_is_refused(empty_book, wanted):
    refused = a2ledger("-C", empty_book, "--workers", wanted, "balances")
    assert refused.code == 2
    assert f"{wanted!r} is neither a number of processes nor tcp://HOST:PORT" in refused.stderr


def test_a_cluster_without_dask_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(seam.NoWorkersError, match=r"pip install 'a2ledger\[cluster\]'"):
        Workers("tcp://127.0.0.1:1").batches(NUMBERS, alone=5)


@pytest.fixture(scope="module")
def closed(empty_book, tmp_path_factory) -> Book:
    """A book with two closed months of six customers."""
    root = tmp_path_factory.mktemp("shared") / "book"
    shutil.copytree(empty_book, root)
    book = Book(root, root.parent / "files", "2026-02-20")
    names = [f"C{number}" for number in range(6)]
    book.customers(*({"id": name} for name in names))
    for number, name in enumerate(names):
        book.talks(name, "2026-01-05", 1 + number)
    book.close(today="2026-02-20")
    book.append("journals/2026-01/C4.01.beancount", "; edited\n")
    slim(root)
    return book


def rendered(book, workers, directory):
    words = ("invoice", "--all", "--format", "html", "-o", directory)
    book.run("--workers", workers, *words)
    return tree(directory)


def test_one_process_two_and_a_cluster_that_loses_a_worker_say_the_same(
    closed, tmp_path, monkeypatch
):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(verify, "_ALONE", 0)
    alone = closed.run("--workers", "1", "verify", "--json", code=1)
    assert "journals/2026-01/C4.01.beancount" in alone.stdout
    before = tree(closed.root)
    assert closed.run("--workers", "2", "verify", "--json", code=1).json == alone.json
    monkeypatch.setattr(formats, "_ALONE", 0)
    pages = rendered(closed, "1", tmp_path / "alone")
    assert len(pages) == 6
    assert rendered(closed, "2", tmp_path / "two") == pages
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, protocol="tcp"
        ) as cluster,
        Workers(cluster.scheduler_address) as workers,
    ):
        died = tmp_path / "died"
        batches = [(died, [number]) for number in NUMBERS]
        assert list(chain(*done(workers, chores.dying_once, batches))) == chores.doubled(NUMBERS)
        assert died.exists()
        shared = closed.run("--workers", cluster.scheduler_address, "verify", "--json", code=1)
        assert rendered(closed, cluster.scheduler_address, tmp_path / "cluster") == pages
        with pytest.raises(BrokenBookError):
            done(workers, chores.broken)
        here = tmp_path / "a2ledger.toml"
        here.write_text("seen by the workers")
        assert Workers(cluster.scheduler_address, marks=[here]).batches(NUMBERS, alone=5)
        monkeypatch.setattr(seam, "__version__", "0")
        with pytest.raises(seam.NoWorkersError, match="install the same wheel"):
            Workers(cluster.scheduler_address, marks=[here]).batches(NUMBERS, alone=5)
    with pytest.raises(seam.NoWorkersError, match="at the same path"):
        seam.check_fit("tcp://h:1", ("1", "this book"), {"tcp://w:2": ("1", "another")})
    assert shared.json == alone.json
    assert shared.stderr == alone.stderr
    assert tree(closed.root) == before
