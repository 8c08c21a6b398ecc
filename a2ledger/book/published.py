"""What the last publication left: every file as it was, so that the next command sees hands.

`.a2ledger/published` is a text that grows with each publication: a line for each file that it
changed, ``SIZE MTIME INODE BLOB PATH`` or ``- PATH`` where it is gone, and one that ends it,
``= COMMIT BRANCH``. What no such line follows was never finished, and does not count. Files are
compared by what the disk says of them, and read only where that differs. Without it, as in a
clone, what git last committed for a2ledger takes its place.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from a2ledger.book import paths
from a2ledger.book.disk import write
from a2ledger.book.git import blob

_SPARE = 4
"""Times as many lines as there are files that the text may have before it is written anew."""
_LEAST = 256
"""Lines that it may have in any case."""
_ODD = "surrogateescape"
_PLAIN = "/._-@+ ~=,#"


class Seen(NamedTuple):
    """What the disk says of a file without reading it; of what is no file, nothing but that."""

    size: int
    mtime_ns: int
    inode: int
    is_file: bool = True


class Left(NamedTuple):
    """A file as it was published: what the disk said of it then, and its content's name in git."""

    seen: Seen | None
    blob: str


class Published:
    """What the last publication left.

    Attributes:
        files: by path.
        commit: the last of a2ledger's own; empty if that is not known.
        branch: the name of the branch it is on.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / ".a2ledger/published"
        self.files: dict[str, Left] = {}
        self.commit = self.branch = ""
        self._lines = 0
        self._end = 0
        self._read()

    @property
    def is_known(self) -> bool:
        """Whether there is such a text; if not, what git has stands in its place."""
        return bool(self._end)

    def _read(self) -> None:
        try:
            content = self.path.read_bytes()
        except OSError:
            return
        self._end = content.rfind(b"\n= ")
        self._end = content.find(b"\n", self._end + 1) + 1 if self._end >= 0 else 0
        files = self.files
        for line in content[: self._end].decode("utf-8", _ODD).split("\n"):
            with contextlib.suppress(ValueError):  # a line that is damaged makes its file suspect
                size, mtime, *rest = line.split(" ", 4)
                if size == "=":
                    self.commit, self.branch = mtime, rest[0] if rest else ""
                elif size == "-":
                    files.pop(_unquoted(mtime), None)
                elif rest:
                    inode, name, path = rest
                    seen = Seen(int(size), int(mtime), int(inode))
                    files[_unquoted(path)] = Left(seen if seen.size >= 0 else None, name)
            self._lines += 1

    def take(self, files: Mapping[str, str], commit: str, branch: str) -> None:
        """Take what git holds in place of a text that is not there: blobs by path."""
        self.files = {path: Left(None, name) for path, name in files.items()}
        self.commit, self.branch = commit, branch

    def changed(self) -> dict[str, str]:
        """Return the paths that are not as they were left: how each is, in a word.

        ``edited``, ``gone``, ``new``, or ``link`` where something is that is no file.
        """
        there = dict(scan(self.root))
        # Without the text, nothing is known of what git does not hold.
        known = self.is_known
        found = {}
        for path, seen in there.items():
            left = self.files.get(path)
            if left is None:
                if known or paths.is_committed(path):
                    found[path] = "new" if seen.is_file else "link"
            elif not seen.is_file:
                found[path] = "link"
            elif seen != left.seen and self._blob(path) != left.blob:
                found[path] = "edited"
        found |= {path: "gone" for path in self.files if path not in there}
        return dict(sorted(found.items()))

    def differs(self, names: Iterable[str]) -> list[str]:
        """Return those of some files that are not as they were left; none if that is not known."""
        found = []
        for path in names if self.is_known else ():
            left = self.files.get(path)
            seen = seen_at(self.root / path)
            same = (left and left.seen) == seen
            if not same and (left is None or seen is None or self._blob(path) != left.blob):
                found.append(path)
        return found

    def _blob(self, path: str) -> str:
        try:
            return blob((self.root / path).read_bytes())
        except OSError:
            return ""

    def record(self, files: Mapping[str, Left | None], commit: str, branch: str) -> None:
        """Write down what was published: each path as it was staged, None where it is gone."""
        files = {path: left for path, left in files.items() if paths.is_kept(path)}
        for path, left in files.items():
            if left is None:
                self.files.pop(path, None)
            else:
                seen = seen_at(self.root / path)
                # Whoever was quicker than we are has changed it: what the disk says is not of it.
                is_ours = seen is not None and (seen == left.seen or self._blob(path) == left.blob)
                self.files[path] = Left(seen if is_ours else None, left.blob)
        self.commit, self.branch = commit, branch
        if not self._end or self._lines > max(_LEAST, _SPARE * len(self.files)):
            self._begin()
        else:
            self._append(files)

    def refresh(self) -> None:
        """Learn what the disk says of files by now, where their content is what it was."""
        for path, seen in scan(self.root):
            left = self.files.get(path)
            if left and seen.is_file and seen != left.seen and self._blob(path) == left.blob:
                self.files[path] = left._replace(seen=seen)
            elif left is None and not self.is_known and _is_personal(path) and seen.is_file:
                self.files[path] = Left(seen, self._blob(path))

    def _begin(self) -> None:
        """Write the text anew."""
        self.refresh()
        content = _text(self.files, self.files) + self._last()
        temporary = self.path.with_suffix(".tmp")
        write(temporary, content.encode("utf-8", _ODD))
        temporary.replace(self.path)
        self._lines, self._end = content.count("\n"), len(content.encode("utf-8", _ODD))

    def _append(self, files: Iterable[str]) -> None:
        content = (_text(self.files, files) + self._last()).encode("utf-8", _ODD)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o660)
        try:
            os.ftruncate(descriptor, self._end)
            os.lseek(descriptor, self._end, os.SEEK_SET)
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._end += len(content)
        self._lines += content.count(b"\n")

    def _last(self) -> str:
        return f"= {self.commit or '-'} {self.branch}\n"


def _is_personal(path: str) -> bool:
    """Return whether a file is kept, and git does not hold it: calls and quarantine."""
    return paths.is_kept(path) and not paths.is_committed(path)


def _text(known: Mapping[str, Left], files: Iterable[str]) -> str:
    lines = []
    for path in files:
        left = known.get(path)
        if left is None:
            lines.append(f"- {_quoted(path)}\n")
        else:
            size, mtime, inode, _ = left.seen or Seen(-1, 0, 0)
            lines.append(f"{size} {mtime} {inode} {left.blob} {_quoted(path)}\n")
    return "".join(lines)


def _quoted(path: str) -> str:
    return path if path.isascii() and path.isprintable() and "%" not in path else _escaped(path)


def _escaped(path: str) -> str:
    return quote(path, safe=_PLAIN, errors=_ODD)


def _unquoted(path: str) -> str:
    return unquote(path, errors=_ODD) if "%" in path else path


def seen_at(path: Path) -> Seen | None:
    """Return what the disk says of a file; None if it is not there."""
    try:
        about = path.lstat()
    except OSError:
        return None
    is_file = stat.S_ISREG(about.st_mode)
    return Seen(about.st_size, about.st_mtime_ns, about.st_ino, is_file)


def scan(root: Path) -> Iterator[tuple[str, Seen]]:
    """Yield the files of a book that are kept as they were published, and links in their place."""
    yield from _scan(str(root), "", set(paths.TOPS) - {".a2ledger"})


def _scan(place: str, prefix: str, only: set[str] | None = None) -> Iterator[tuple[str, Seen]]:
    try:
        entries = list(os.scandir(place))
    except OSError:
        return
    for entry in entries:
        name = entry.name
        if only is not None and name not in only:
            continue
        path = f"{prefix}{name}"
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _scan(entry.path, f"{path}/")
                continue
            about = entry.stat(follow_symlinks=False)
        except OSError:
            continue  # it went meanwhile
        is_file = stat.S_ISREG(about.st_mode)
        # A link may stand for a directory of files that are kept: its own name is of no kind.
        if paths.is_kept(path) or not is_file:
            yield path, Seen(about.st_size, about.st_mtime_ns, about.st_ino, is_file)
