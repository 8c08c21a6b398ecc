"""A program that is loaded once: what runs ``a2ledger`` by its name gets a fork of it.

Sessions of the documentation run the program a hundred times. Each run is still a process of its
own, with its own directory, environment and streams; only the imports are shared.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import compiled

# Asks the server beside it for a fork; speaks: lengths, words and environment parted by NUL bytes.
CLIENT = """#!{python} -ISs
import os, socket, sys
asked = b"\\0".join(map(os.fsencode, [
    os.getcwd(), str(len(sys.argv)), *sys.argv, *(f"{{k}}={{v}}" for k, v in os.environ.items())]))
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [len(asked).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(asked)
    answer = server.recv(1)
sys.exit(answer[0] if answer else 70)
"""


@contextlib.contextmanager
def program(directory: Path) -> Iterator[Path]:
    """A directory for the PATH, in which ``a2ledger`` is such a program."""
    (directory / "bin").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening:
        address = str(directory / "socket")
        listening.bind(address)
        listening.listen()
        script = directory / "bin/a2ledger"
        script.write_text(CLIENT.format(python=sys.executable, address=address))
        script.chmod(0o755)
        server = multiprocessing.get_context("fork").Process(target=_serve, args=(listening,))
        server.start()
        try:
            yield script.parent
        finally:
            server.terminate()
            server.join()


def _serve(listening: socket.socket) -> None:
    """Load the program, and fork for each that asks."""
    compiled.load()
    gc.freeze()  # forks neither look through what is loaded nor copy it
    while True:
        asking, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            _answer(asking)
        asking.close()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass


def _answer(asking: socket.socket) -> None:
    """Run the program once as it was asked for, and say how it ended."""
    code = 70
    try:
        head, streams, _, _ = socket.recv_fds(asking, 4, 3)
        size, asked = int.from_bytes(head, "big"), b""
        while len(asked) < size:
            asked += asking.recv(size - len(asked))
        place, count, *words = map(os.fsdecode, asked.split(b"\0"))
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        code = _run(place, words[: int(count)], words[int(count) :])
    finally:
        asking.send(bytes([code]))
        os._exit(0)


def _run(place: str, words: list[str], environment: list[str]) -> int:
    """The program in this process, as a new one would start."""
    from a2ledger.cli import main  # noqa: PLC0415 - it is loaded

    os.chdir(place)
    os.environ.clear()
    os.environ.update(dict(pair.split("=", 1) for pair in environment))
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = words
    time.tzset()
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    code: object = 0
    try:
        main(prog_name="a2ledger")
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)
