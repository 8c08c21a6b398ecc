"""Run a command and all its children, counting the system calls that change a directory's files.

At the call of a number the run is killed, its write torn, or the call made to fail. A filter in
the kernel lets all other calls pass at full speed; what is left is traced with ptrace. Beside it
a model of a disk that promises nothing it was not asked for says what a power cut would leave.
Linux on x86-64 only; no privileges are needed.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import struct
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long

TRACEME, CONT, GETREGS, SETREGS, SYSCALL, SETOPTIONS = 0, 7, 12, 13, 24, 0x4200
OPTIONS = 0x1 | 0x2 | 0x4 | 0x8 | 0x80 | 0x100000
"""Mark system call stops, follow forks and threads, stop at the filter, kill with the tracer."""
SECCOMP_EVENT = 7
WALL = 0x40000000
NO_NEW_PRIVS, SET_SECCOMP, FILTER = 38, 22, 2
TRACE, ALLOW = 0x7FF00000, 0x7FFF0000
AT_CWD = -100
OPENING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
RAX, RDX, ORIG_RAX = 10, 12, 15
ARGUMENTS = (14, 13, 12, 7, 9, 8)
"""Places of rdi, rsi, rdx, r10, r8, r9 among the registers."""


class Kind(NamedTuple):
    """A system call: what it does, and where its paths are: ``f`` an open file's number, ``p`` a
    path, ``a`` a directory's number and a path in it, ``.`` an argument that is none."""

    name: str
    does: str
    places: str


CALLS = {
    1: Kind("write", "write", "f"),
    18: Kind("pwrite", "write", "f"),
    20: Kind("writev", "write", "f"),
    40: Kind("sendfile", "write", "f"),
    326: Kind("copy_file_range", "write", "..f"),
    76: Kind("truncate", "write", "p"),
    77: Kind("ftruncate", "write", "f"),
    74: Kind("fsync", "sync", "f"),
    75: Kind("fdatasync", "sync", "f"),
    306: Kind("syncfs", "sync all", "f"),
    2: Kind("open", "open", "p"),
    257: Kind("openat", "open", "a"),
    82: Kind("rename", "rename", "pp"),
    264: Kind("renameat", "rename", "aa"),
    316: Kind("renameat2", "rename", "aa"),
    86: Kind("link", "link", "pp"),
    265: Kind("linkat", "link", "aa"),
    88: Kind("symlink", "make", ".p"),
    266: Kind("symlinkat", "make", ".a"),
    87: Kind("unlink", "unlink", "p"),
    263: Kind("unlinkat", "unlink", "a"),
    83: Kind("mkdir", "make", "p"),
    258: Kind("mkdirat", "make", "a"),
    84: Kind("rmdir", "rmdir", "p"),
    90: Kind("chmod", "", "p"),
    91: Kind("fchmod", "", "f"),
    268: Kind("fchmodat", "", "a"),
}
FLAGS = {2: 1, 257: 2}
"""Which argument says how a file is opened."""


class Call(NamedTuple):
    """A call that changes files: its name, what it does, and its paths below the directory."""

    name: str
    does: str
    paths: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {' -> '.join(self.paths)}"


class Fault(NamedTuple):
    """What happens at the call of a number, and at all of its kind after it for an error."""

    at: int
    mode: str
    """``kill``, ``torn``, ``powercut``, ``names``, or the name of an error such as ``ENOSPC``."""

    @property
    def error(self) -> int:
        """The error's number; 0 if it is none."""
        return int(getattr(errno, self.mode, 0))


@dataclass
class Outcome:
    """What a run did and how it ended."""

    calls: list[Call] = field(default_factory=list)
    code: int | None = None
    output: str = ""
    unsynced: list[str] = field(default_factory=list)
    """What a power cut right after the end would take away."""


class Disk:
    """What of a directory's files a power cut would leave: only what was synced."""

    def __init__(self, root: Path, side: Path) -> None:
        self.root, self.side = root, side
        self.lengths: dict[str, int] = {}
        """Files that were written to since they were synced, and how long they surely are."""
        self.names: list[tuple[str, str, str, Path | None]] = []
        """What was done to names since their directory was synced, in order: what, from, to, and
        another link to what was at the place before."""
        self.count = 0

    def before(self, call: Call) -> Path | int | None:
        """What must be known before a call is let through."""
        last = Path(call.paths[-1])
        if call.does in {"rename", "unlink"} and last.is_file() and not last.is_symlink():
            self.count += 1
            kept = self.side / str(self.count)
            os.link(last, kept)
            return kept
        if call.does in {"open", "make"}:
            return 0 if not os.path.lexists(last) else None
        if call.does in {"write", "sync"} and last.is_file():
            return last.stat().st_size
        return None

    def after(self, call: Call, known: Path | int | None) -> None:
        """What a call has done."""
        getattr(self, f"_{call.does.partition(' ')[0] or 'nothing'}")(call, known)

    def _nothing(self, call: Call, known: Path | int | None) -> None:
        pass

    def _write(self, call: Call, known: Path | int | None) -> None:
        self.lengths.setdefault(call.paths[-1], known if isinstance(known, int) else 0)

    def _open(self, call: Call, known: Path | int | None) -> None:
        if known is not None:
            self._make(call, known)
            self.lengths.setdefault(call.paths[-1], 0)

    def _make(self, call: Call, known: Path | int | None) -> None:
        if known is not None:
            self.names.append(("make", call.paths[-1], call.paths[-1], None))

    def _link(self, call: Call, _known: Path | int | None) -> None:
        first, last = call.paths
        if first in self.lengths:
            self.lengths[last] = self.lengths[first]
        self.names.append(("link", first, last, None))

    def _rename(self, call: Call, known: Path | int | None) -> None:
        first, last = call.paths
        self.lengths.pop(last, None)
        if first in self.lengths:
            self.lengths[last] = self.lengths.pop(first)
        self.names.append(("rename", first, last, known if isinstance(known, Path) else None))

    def _unlink(self, call: Call, known: Path | int | None) -> None:
        last = call.paths[-1]
        self.lengths.pop(last, None)
        self.names.append(("unlink", last, last, known if isinstance(known, Path) else None))

    def _rmdir(self, call: Call, _known: Path | int | None) -> None:
        self.names.append(("rmdir", call.paths[0], call.paths[0], None))

    def _sync(self, call: Call, _known: Path | int | None) -> None:
        if call.does == "sync all":
            self.lengths, self.names = {}, []
            return
        path = call.paths[0]
        self.lengths.pop(path, None)
        self.names = [one for one in self.names if not self._settles(path, one[2])]

    @staticmethod
    def _settles(directory: str, name: str) -> bool:
        """Whether the sync of a directory is one of a name: in it, or in one that went from it."""
        above = os.path.dirname(name)
        gone = not os.path.lexists(above) and os.path.dirname(above) == directory
        return above == directory or gone

    def unsynced(self) -> Iterator[str]:
        """What would be lost, as a person reads it."""
        for path in self.lengths:
            if os.path.isfile(path) and os.path.getsize(path):
                yield f"content of {os.path.relpath(path, self.root)}"
        for does, _, path, _ in self.names:
            if does in {"unlink", "rmdir"} or os.path.lexists(path):
                yield f"{does} of {os.path.relpath(path, self.root)}"

    def cut(self, *, names: bool) -> None:
        """Take away what was not synced: contents, and names too if they are not to survive."""
        for path, length in self.lengths.items():
            if os.path.isfile(path) and os.path.getsize(path) > length:
                os.truncate(path, length)
        for does, first, last, kept in reversed(self.names if names else ()):
            with contextlib.suppress(OSError):
                if does == "rename":
                    os.rename(last, first)
                elif does == "rmdir":
                    os.mkdir(last)
                elif does in {"make", "link"}:
                    (os.rmdir if os.path.isdir(last) else os.unlink)(last)
                if kept and not os.path.lexists(last):
                    os.link(kept, last)


def run(
    command: Sequence[str] | Callable[[], int],
    root: Path,
    environment: Mapping[str, str],
    fault: Fault | None = None,
    seconds: int = 120,
) -> Outcome:
    """Run a command in a directory to its end, or to the fault.

    Instead of a command it may be a function, run in a process of its own: what it has loaded
    by then need not be loaded each time. What it returns is the exit code.
    """
    with tempfile.TemporaryDirectory(dir=root.parent) as side, tempfile.TemporaryFile() as out:
        pid = os.fork()
        if not pid:
            _become(command, root, environment, out.fileno())
        tracer = _Tracer(pid, Disk(root, Path(side)), fault)
        signal.signal(signal.SIGALRM, lambda *_: tracer.kill())
        signal.alarm(seconds)
        tracer.follow()
        signal.alarm(0)
        out.seek(0)
        tracer.outcome.output = out.read().decode(errors="replace")
        return tracer.outcome


def _become(
    command: Sequence[str] | Callable[[], int],
    root: Path,
    environment: Mapping[str, str],
    out: int,
) -> None:
    """Be the command, traced, its calls filtered."""
    code = 126
    try:
        os.setsid()
        os.chdir(root)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        LIBC.ptrace(TRACEME, 0, None, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        _filter()
        if callable(command):
            os.environ.clear()
            os.environ.update(environment)
            code = command()
        else:
            os.execve(command[0], list(command), dict(environment))
    except BaseException:  # noqa: BLE001 - an interpreter that ends by it shows it, too
        code = 1
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _filter() -> None:
    """Have the kernel stop only calls that may change files."""
    load, equal, any_bit, answer = 0x20, 0x15, 0x45, 0x06
    program = [(load, 0, 0, 0)]
    for number in CALLS:
        if number in FLAGS:
            flags = 16 + 8 * FLAGS[number]
            program += [
                (equal, 0, 4, number),
                (load, 0, 0, flags),
                (any_bit, 0, 1, OPENING),
                (answer, 0, 0, TRACE),
                (answer, 0, 0, ALLOW),
            ]
        else:
            program += [(equal, 0, 1, number), (answer, 0, 0, TRACE)]
    program.append((answer, 0, 0, ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *row) for row in program))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    LIBC.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
    if LIBC.prctl(SET_SECCOMP, FILTER, head, 0, 0):
        raise OSError(ctypes.get_errno(), "no filter")


class _Tracer:
    """Follows a tree of processes from call to call."""

    def __init__(self, pid: int, disk: Disk, fault: Fault | None) -> None:
        self.pid, self.disk, self.fault = pid, disk, fault
        self.outcome = Outcome()
        self.alive, self.is_killed = {pid}, False
        self.failing = ""
        self.pending: dict[int, tuple[Call, Path | int | None, int]] = {}

    def follow(self) -> None:
        os.waitpid(self.pid, WALL)
        LIBC.ptrace(SETOPTIONS, self.pid, None, OPTIONS)
        LIBC.ptrace(CONT, self.pid, None, None)
        while self.alive:
            try:
                pid, status = os.waitpid(-1, WALL)
            except ChildProcessError:
                break
            if os.WIFSTOPPED(status):
                self.alive.add(pid)
                if self.is_killed:  # forked as the others were killed
                    self.kill()
                self._stopped(pid, status)
            else:
                self.alive.discard(pid)
                if pid == self.pid:
                    self.outcome.code = os.waitstatus_to_exitcode(status)
        mode = self.fault.mode if self.fault else ""
        if self.is_killed and mode in {"powercut", "names"}:
            self.disk.cut(names=mode == "powercut")
        self.outcome.unsynced = [] if self.is_killed else list(self.disk.unsynced())

    def kill(self) -> None:
        self.is_killed = True
        for pid in list(self.alive):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def _stopped(self, pid: int, status: int) -> None:
        sign, event = os.WSTOPSIG(status), status >> 16
        how, deliver = CONT, 0
        if self.is_killed:
            pass
        elif event == SECCOMP_EVENT:
            how = self._entering(pid)
        elif sign == signal.SIGTRAP | 0x80:
            self._leaving(pid)
        elif not event and sign not in {signal.SIGTRAP, signal.SIGSTOP}:
            deliver = sign
        LIBC.ptrace(how, pid, None, deliver)

    def _entering(self, pid: int) -> int:
        """A call that may change files is about to be made: count it, let it be or not."""
        registers = _registers(pid)
        call = _call(pid, registers)
        top = str(self.disk.root)
        if call is None or not any(f"{path}/".startswith(f"{top}/") for path in call.paths):
            return CONT
        self.outcome.calls.append(
            call._replace(paths=tuple(os.path.relpath(path, top) for path in call.paths))
        )
        hit = self.fault is not None and self.fault.at == len(self.outcome.calls)
        if self.fault and self.fault.error:
            if hit or (self.failing and call.does == self.failing):
                self.failing = call.does
                registers[ORIG_RAX] = ctypes.c_ulong(-1).value
                _set_registers(pid, registers)
                self.pending[pid] = (call, None, self.fault.error)
                return SYSCALL
        elif hit and self.fault and self.fault.mode == "torn" and call.does == "write":
            registers[RDX] //= 2
            _set_registers(pid, registers)
            self.pending[pid] = (call, None, -1)
            return SYSCALL
        elif hit:
            self.kill()
            return CONT
        self.pending[pid] = (call, self.disk.before(call), 0)
        return SYSCALL

    def _leaving(self, pid: int) -> None:
        """A call was made."""
        call, known, error = self.pending.pop(pid, (None, None, 0))
        registers = _registers(pid)
        if call is None:
            return
        if error > 0:
            registers[RAX] = ctypes.c_ulong(-error).value
            _set_registers(pid, registers)
        elif error < 0:
            self.kill()
        elif ctypes.c_long(registers[RAX]).value >= 0:
            self.disk.after(call, known)


def _registers(pid: int) -> list[int]:
    buffer = ctypes.create_string_buffer(27 * 8)
    LIBC.ptrace(GETREGS, pid, None, ctypes.addressof(buffer))
    return list(struct.unpack("27Q", buffer.raw))


def _set_registers(pid: int, registers: Sequence[int]) -> None:
    buffer = ctypes.create_string_buffer(struct.pack("27Q", *registers))
    LIBC.ptrace(SETREGS, pid, None, ctypes.addressof(buffer))


def _call(pid: int, registers: Sequence[int]) -> Call | None:
    kind = CALLS.get(registers[ORIG_RAX])
    if kind is None:
        return None
    values = iter([registers[place] for place in ARGUMENTS])
    paths = []
    for place in kind.places:
        value = next(values)
        if place == "f":
            paths.append(_opened(pid, value))
        elif place == "p":
            paths.append(_path(pid, AT_CWD, value))
        elif place == "a":
            paths.append(_path(pid, value, next(values)))
    return Call(kind.name, kind.does, tuple(paths))


def _opened(pid: int, number: int) -> str:
    number = ctypes.c_int(number & 0xFFFFFFFF).value
    link = "cwd" if number == AT_CWD else f"fd/{number}"
    try:
        return os.readlink(f"/proc/{pid}/{link}")
    except OSError:
        return ""


def _path(pid: int, directory: int, address: int) -> str:
    text = b""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        while b"\0" not in text:
            # Up to a page's end: the next page may not be there.
            memory.seek(address + len(text))
            part = memory.read(4096 - (address + len(text)) % 4096)
            if not part:  # the process is gone: another of its threads has ended it
                return ""
            text += part
    name = os.fsdecode(text.partition(b"\0")[0])
    return os.path.normpath(os.path.join(_opened(pid, directory), name))


def is_possible() -> bool:
    """Whether this machine is one that can be traced so."""
    return sys.platform == "linux" and os.uname().machine == "x86_64"
