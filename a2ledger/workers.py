"""Spread independent work over processes of this machine, or over the workers of a cluster.

The seam is :class:`concurrent.futures.Executor`. Work is a function of a module and a small value
that can be pickled, such as the path of a book and some ids; results are plain values, taken in
the order of the tasks, so that they are the same whoever does the work. What a lost worker had in
hand is done again: by the cluster, or in this process.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import pickle
import re
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from a2ledger import __version__
from a2ledger.errors import BadValueError, ExpectedError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Item = TypeVar("Item")
Result = TypeVar("Result")

_TURNS = 4
"""Number of batches a worker gets, so that none waits long for the slowest."""
_AHEAD = 3
"""Number of batches for each worker that are sent before the first result is taken."""
_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://\S+")
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
_PATIENCE_SECONDS = 30.0
"""How long a cluster may be without any worker before this process does the work."""


class NoWorkersError(ExpectedError):
    """The workers asked for cannot be used. The message says why, and the remedy."""


class Workers:
    """The processes that share a command's work; none is started before there is enough to do.

    Args:
        wanted: empty for as many processes as there are cores, a number of them (1 is this process
            alone), or ``tcp://HOST:PORT``, the scheduler of a Dask cluster.
        talk: reports to the person that workers were lost.
        marks: files by which the workers of a cluster know that they see the same book.

    Raises:
        BadValueError: if it is neither.
    """

    def __init__(
        self,
        wanted: str = "",
        talk: Callable[[str], None] = lambda _message: None,
        marks: Sequence[Path] = (),
    ) -> None:
        self.marks = marks
        self.address = wanted if _ADDRESS.fullmatch(wanted) else ""
        self.talk = talk
        self._started: _Started | None = None
        if not self.address and wanted and not _NUMBER.fullmatch(wanted):
            raise BadValueError(f"{wanted!r} is neither a number of processes nor tcp://HOST:PORT")
        self._count = int(wanted) if wanted and not self.address else _cores()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._started:
            self._started.end(at_once=kind is not None)
            self._started = None

    def place(self, root: Path) -> Path:
        """Return a directory as workers find it: those of a cluster began in another."""
        return root.resolve() if self.address else root

    def batches(
        self, items: Sequence[Item], alone: int, largest: int = 1000
    ) -> list[Sequence[Item]]:
        """Cut items into batches, a single one if that many are done sooner without workers.

        Args:
            items: in order.
            alone: number of items that one process does faster than several.
            largest: number of items that a batch may hold.
        """
        if len(items) <= alone or (self._count == 1 and not self.address):
            return [items] if items else []
        count = (self._start().size if self.address else self._count) * _TURNS
        size = min(largest, max(1, -(-len(items) // count)))
        return [items[start : start + size] for start in range(0, len(items), size)]

    def map(
        self, function: Callable[[Item], Result], tasks: Sequence[Item], *, here: bool = True
    ) -> Iterator[Result]:
        """Yield a function's results for tasks, in order; a single task is done in this process.

        Args:
            function: of a module.
            tasks: values that can be pickled, such as made of :meth:`batches`.
            here: whether this process may do what a lost worker leaves undone; else others are
                started.

        Raises:
            BrokenExecutor: if those end over the same work, too.
        """
        if here and (len(tasks) <= 1 or (self._count == 1 and not self.address)):
            yield from map(function, tasks)
            return
        done = tries = 0
        while done < len(tasks):
            try:
                for result in self._start().results(function, tasks[done:]):
                    yield result
                    done, tries = done + 1, 0
            except (BrokenExecutor, CancelledError, _LostError) as error:
                self.__exit__(type(error))
                tries += 1
                if here:
                    reason = str(error) or "cancelled"
                    self.talk(
                        f"note: workers ended before their work was done ({reason}); "
                        "this process does the rest"
                    )
                    self._count, self.address = 1, ""
                    yield from map(function, tasks[done:])
                    return
                if tries > 1:
                    raise BrokenExecutor(str(error)) from error

    def _start(self) -> _Started:
        if self._started is None:
            self._started = (
                _cluster(self.address, self.marks) if self.address else _processes(self._count)
            )
        return self._started


def _cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


class _LostError(Exception):
    """A cluster has no worker any more."""


class _Started(NamedTuple):
    """Workers that are running."""

    executor: Executor
    size: int
    """Number of pieces of work done at once."""
    close: Callable[[], None]
    """Ends them, whatever they are doing."""
    are_there: Callable[[], bool]

    def results(self, function: Callable[[Any], Result], tasks: Sequence[Any]) -> Iterator[Result]:
        """Yield results in order, with no more sent ahead than keeps all workers busy."""
        waiting: deque[Future[bytes]] = deque()
        following = iter(tasks)
        while True:
            while len(waiting) < self.size * _AHEAD:
                try:
                    task = next(following)
                except StopIteration:
                    break
                work = pickle.dumps((function, task), pickle.HIGHEST_PROTOCOL)
                waiting.append(self.executor.submit(_done, work))
            if not waiting:
                return
            yield pickle.loads(self._result(waiting.popleft()))  # noqa: S301 - by our own worker

    def _result(self, future: Future[bytes]) -> bytes:
        seen = time.monotonic()
        while not wait([future], timeout=1).done:
            if self.are_there():
                seen = time.monotonic()
            elif time.monotonic() - seen > _PATIENCE_SECONDS:
                raise _LostError(f"none was there for {_PATIENCE_SECONDS:.0f} s")
        return future.result()

    def end(self, *, at_once: bool) -> None:
        """End the workers, after their work or at once."""
        self.executor.shutdown(wait=not at_once)
        self.close()


def _done(work: bytes) -> bytes:
    """Do a piece of work, in a worker."""
    function, task = pickle.loads(work)  # noqa: S301 - from our own parent
    return pickle.dumps(function(task), pickle.HIGHEST_PROTOCOL)


# Processes of this machine


def _processes(count: int) -> _Started:
    """Start worker processes."""
    import multiprocessing  # noqa: PLC0415 - few commands have that much to do
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    # A copy of this process (fork) would hold the locks of threads it does not have: pyarrow's.
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(theirs,))

    def close() -> None:
        ours.close()
        theirs.close()

    return _Started(pool, count, close, lambda: True)


def _begin(lifeline: Connection) -> None:
    """Prepare a worker: it ends when its parent hangs up or dies, and at nobody else's Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.poll(None)
    os._exit(1)


# A Dask cluster


def _cluster(address: str, marks: Sequence[Path]) -> _Started:
    """Connect to the scheduler of a Dask cluster, whose workers must see the same files.

    Raises:
        NoWorkersError: if that is not possible, or its workers are not fit.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise NoWorkersError(
            f"--workers {address} needs Dask", todo="say `pip install 'a2ledger[cluster]'`"
        ) from None
    try:
        client = distributed.Client(address, timeout=_PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NoWorkersError(
            f"--workers {address}: no scheduler answers there ({' '.join(str(error).split())})",
            todo="start it with `dask scheduler`, or correct the address",
        ) from None
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_SECONDS)
        check_fit(address, _sight(marks), client.run(_sight, marks, on_error="ignore"))
    except TimeoutError:
        client.close()
        raise NoWorkersError(
            f"--workers {address}: the scheduler has no workers",
            todo="start them with `dask worker`",
        ) from None
    except BaseException:
        client.close()
        raise
    count = max(1, sum(client.nthreads().values()))
    executor = client.get_executor(pure=False)
    return _Started(executor, count, client.close, lambda: bool(client.nthreads()))


def _sight(marks: Sequence[Path]) -> tuple[str, str]:
    """Return the version of the program, and a digest of some files as they are seen here."""
    digest = hashlib.sha256()
    for mark in marks:
        digest.update(mark.read_bytes() if mark.is_file() else b"")
    return __version__, digest.hexdigest()


def check_fit(
    address: str, ours: tuple[str, str], theirs: Mapping[str, tuple[str, str] | None]
) -> None:
    """Refuse a cluster with a worker that has another version, or does not see the book."""
    for worker, sight in sorted(theirs.items()):
        if sight is not None and sight[0] != ours[0]:
            raise NoWorkersError(
                f"--workers {address}: {worker} has a2ledger {sight[0]}, and here is {ours[0]}",
                todo="install the same wheel on every worker",
            )
        if sight is not None and sight != ours:
            raise NoWorkersError(
                f"--workers {address}: {worker} does not see this book as it is here",
                todo="share its directory with every worker, at the same path",
            )
