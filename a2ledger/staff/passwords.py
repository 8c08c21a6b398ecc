"""Logins: a file with a line per person, ``NAME:HASH``, hashed with scrypt."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from werkzeug.security import check_password_hash, generate_password_hash

from a2ledger.book.book import RefusedError

_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029:<>]{1,64}")
_TRIES = 10
"""Wrong passwords accepted from one address for a name, per minute."""
_MINUTE = 60.0


def set_password(path: Path, name: str, password: str) -> None:
    """Set or change a person's password.

    Raises:
        RefusedError: if the name or the password will not do.
    """
    if not _NAME.fullmatch(name) or name != name.strip():
        raise RefusedError(
            f"{name!r}: is no name to log in by", todo="use letters, without `:` or `<>`"
        )
    if not password:
        raise RefusedError(f"{name}: an empty password lets anybody in", todo="give one")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if not line.startswith(f"{name}:")]
    text = "".join(f"{line}\n" for line in [*kept, f"{name}:{generate_password_hash(password)}"])
    beside = path.with_name(f"{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read(path: Path) -> dict[str, str]:
    """Read the password hashes, by name.

    Raises:
        RefusedError: if it is not there, others may read it, or a line is none.
    """
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise RefusedError(
            f"{path}: the passwords cannot be read",
            todo="make them with `a2ledger serve --set-password NAME`",
        ) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RefusedError(f"{path}: others may read the passwords", todo=f"say `chmod 600 {path}`")
    hashes = {}
    for number, line in enumerate(lines, start=1):
        name, colon, hashed = line.partition(":")
        if not colon or not _NAME.fullmatch(name) or hashed.count("$") < 2:  # noqa: PLR2004
            raise RefusedError(f"{path}:{number}: is not NAME:HASH", todo="set that password again")
        hashes[name] = hashed
    return hashes


class Passwords:
    """Checks passwords against the file, which is read again when it changes.

    A hash takes a tenth of a second on purpose, and a browser sends the password with every
    request: what was right once is remembered, as a keyed digest, while the file stays the same.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._key = secrets.token_bytes(32)
        self._state: object = None
        self._hashes: dict[str, str] = {}
        self._right: set[bytes] = set()
        self._wrong: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()
        self._nobody = generate_password_hash(secrets.token_hex())
        read(path)

    def is_right(self, name: str, password: str, address: str) -> bool:
        """Check a person's password, refusing all for a while after too many wrong ones."""
        self._reread()
        sent = f"{name}\0{password}".encode()
        digest = hmac.new(self._key, sent, hashlib.sha256).digest()
        if digest in self._right:
            return True
        with self._lock:  # one hash at a time: guessing is not to take every thread
            if self._too_many(key := (address, name)):
                return False  # of this name from there: a proxy speaks for many others
            # An unknown name takes as long as a known one.
            if check_password_hash(self._hashes.get(name, self._nobody), password):
                self._right.add(digest)
                return True
            self._wrong.setdefault(key, deque()).append(self._clock())
            return False

    def _too_many(self, key: tuple[str, str]) -> bool:
        since = self._clock() - _MINUTE
        for other, times in list(self._wrong.items()):
            while times and times[0] < since:
                times.popleft()
            if not times:
                del self._wrong[other]
        return len(self._wrong.get(key, ())) >= _TRIES

    def _reread(self) -> None:
        try:
            status = self._path.stat()
        except OSError:
            read(self._path)  # which says what is wrong with it
            raise
        if (state := (status.st_mtime_ns, status.st_size, status.st_ino)) != self._state:
            self._hashes, self._right = read(self._path), set()
            self._state = state
