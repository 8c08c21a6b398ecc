"""Database servers of a test's own: in a temporary directory, by socket, as nobody."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_SECONDS = 180


def _program(*names: str) -> str:
    """A server's program; a machine without it skips the test."""
    places = ["/usr/sbin", *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))[::-1]]
    path = os.pathsep.join([*places, os.environ.get("PATH", os.defpath)])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    pytest.skip(f"{names[0]} is not installed: apt-get install mariadb-server postgresql")


def _unprivileged() -> list[str]:
    """What to run a server by: none of them wants to be root's."""
    if os.getuid():
        return []
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def _run(*words: object) -> None:
    done = subprocess.run(
        [*_unprivileged(), *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def _serving(
    home: Path, words: list[object], connect: Callable[[], object], down: type[Exception]
) -> Iterator[None]:
    """A server that answers, until it is no longer needed."""
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen([*_unprivileged(), *map(str, words)], stdout=log, stderr=log) as server,
    ):
        try:
            deadline = time.monotonic() + _SECONDS
            while True:
                assert server.poll() is None, (home / "log").read_text()
                try:
                    connect()
                    break
                except down:
                    assert time.monotonic() < deadline, (home / "log").read_text()
                    time.sleep(0.1)
            yield
        finally:
            server.terminate()


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    """A directory that the server's user can get at."""
    with tempfile.TemporaryDirectory(prefix="a2l-") as name:
        home = Path(name)
        if not os.getuid():
            shutil.chown(home, "nobody", "nogroup")
        yield home


@contextlib.contextmanager
def mariadb() -> Iterator[Path]:
    """A MariaDB; its socket. ``root`` has no password."""
    import pymysql  # noqa: PLC0415 - only where a server is wanted

    install = _program("mariadb-install-db", "mysql_install_db")
    server = _program("mariadbd", "mysqld")
    with _home() as home:
        data, socket = home / "data", home / "socket"
        _run(
            install, "--no-defaults", f"--datadir={data}", "--skip-test-db",
            "--auth-root-authentication-method=normal",
        )  # fmt: skip
        words: list[object] = [
            server, "--no-defaults", f"--datadir={data}", f"--socket={socket}",
            f"--pid-file={home}/pid", "--skip-networking", "--innodb-flush-log-at-trx-commit=0",
            "--sql-mode=", "--default-time-zone=+01:00",
        ]  # fmt: skip
        with _serving(
            home,
            words,
            lambda: pymysql.connect(unix_socket=str(socket), user="root"),
            pymysql.Error,
        ):
            yield socket


@contextlib.contextmanager
def postgresql() -> Iterator[Path]:
    """A PostgreSQL; the directory of its socket. ``boss`` may do all and has no password."""
    import psycopg  # noqa: PLC0415 - only where a server is wanted

    initdb, server = _program("initdb"), _program("postgres")
    with _home() as home:
        data = home / "data"
        _run(initdb, "-D", data, "-U", "boss", "-A", "trust", "-E", "UTF8", "--locale=C")
        (data / "pg_hba.conf").write_text("local all boss trust\nlocal all all scram-sha-256\n")
        words: list[object] = [
            server, "-D", data, "-k", home, "-c", "listen_addresses=", "-c", "fsync=off",
        ]  # fmt: skip
        address = f"host={home} user=boss dbname=postgres"
        with _serving(home, words, lambda: psycopg.connect(address), psycopg.Error):
            yield home
