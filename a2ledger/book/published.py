"""What the last publication left: every file as it was, so that the next command sees hands.

`.a2ledger/published` is a text that grows with each publication: a line for each file that it
changed, ``PATH TAB SIZE MTIME INODE BLOB`` or ``PATH TAB -`` if it is gone, and one that ends it,
``= TAB COMMIT BRANCH``. What no such line follows was never finished, and does not count. Files are
compared by what the disk says of them, and read only where that differs. Without it, as in a
clone, what git last committed for a2ledger takes its place.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator, KeysView, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from a2ledger.book import paths
from a2ledger.book.disk import write
from a2ledger.book.git import blob

_SPARE = 2
"""Times as many lines as there are files that the text may have before it is written anew."""
_LEAST = 256
"""Lines that it may have in any case."""
_FEW = 200
"""Files that are looked for in the text; of more, the whole text is taken apart."""
_ALONE = 3
"""Files of a directory that are looked for one by one."""
_ODD = "surrogateescape"
_SCANNED = set(paths.TOPS) - {".a2ledger"}
"""Names at the top of a book that are looked at."""
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
        commit: the last of a2ledger's own; empty if that is not known.
        branch: the name of the branch it is on.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / ".a2ledger/published"
        self.commit = self.branch = ""
        self._content = b""
        """A line's end, and the text up to the end of the last publication."""
        self._count = 0
        self._end = 0
        self._restored = 0
        """Files seen with their content, but another time: a copy of a book has many."""
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
        # The last line that ends a publication; the first cannot be one.
        last = content.rfind(b"\n=\t")
        self._end = content.find(b"\n", last + 1) + 1 if last >= 0 else 0
        if self._end:
            ended = content[last + len(b"\n=\t") : self._end - 1].decode("utf-8", _ODD)
            self.commit, _, self.branch = ended.partition(" ")
        self._count = content.count(b"\n", 0, self._end)
        self._content = b"\n" + content[: self._end]

    @cached_property
    def _lines_of(self) -> dict[str, str]:
        """What is written down of each file, by its path."""
        files: dict[str, str] = {}
        for line in self._content.decode("utf-8", _ODD).split("\n"):
            path, _, about = line.partition("\t")
            if about == "-":
                files.pop(_unquoted(path), None)
            elif about and path != "=":
                files[_unquoted(path)] = about
        self._content = b""
        return files

    def _line(self, path: str) -> str:
        """Return what is written down of one file, if anything, without looking at the others."""
        if "_lines_of" in self.__dict__:
            return self._lines_of.get(path, "")
        start = f"\n{_quoted(path)}\t".encode("utf-8", _ODD)
        place = self._content.rfind(start)
        if place < 0:
            return ""
        begin = place + len(start)
        about = self._content[begin : self._content.find(b"\n", begin)].decode("utf-8", _ODD)
        return "" if about == "-" else about

    def _lines(self, names: Collection[str]) -> dict[str, str]:
        """Return what is written down of some files; where they are few, nothing else is read."""
        if "_lines_of" in self.__dict__ or len(names) > _FEW:
            return self._lines_of
        together: dict[str, list[str]] = {}
        for name in names:
            together.setdefault(name.rpartition("/")[0], []).append(name)
        found: dict[str, str] = {}
        for directory, those in together.items():
            if len(those) > _ALONE and directory:
                found |= self._lines_in(directory)
            else:
                found |= {name: self._line(name) for name in those}
        return found

    def _lines_in(self, directory: str) -> dict[str, str]:
        """Return what is written down of the files of one directory and of those below it."""
        found: dict[str, str] = {}
        start = f"\n{_quoted(directory)}/".encode("utf-8", _ODD)
        place = self._content.find(start)
        while place >= 0:
            end = self._content.find(b"\n", place + 1)
            path, _, about = self._content[place + 1 : end].decode("utf-8", _ODD).partition("\t")
            found[_unquoted(path)] = "" if about == "-" else about
            place = self._content.find(start, end)
        return found

    @property
    def files(self) -> KeysView[str]:
        """Return the paths of the files that were left."""
        return self._lines_of.keys()

    def among(self, names: Collection[str]) -> set[str]:
        """Return those of some files that were left."""
        lines = self._lines(names)
        return {name for name in names if lines.get(name)}

    def blob(self, path: str) -> str:
        """Return the name that git gives to the content of a file as it was left, or nothing."""
        return self._line(path).rpartition(" ")[2]

    def take(self, files: Mapping[str, str], commit: str, branch: str) -> None:
        """Take what git holds in place of a text that is not there: blobs by path."""
        self._lines_of = {path: _about(None, name) for path, name in files.items()}
        self.commit, self.branch = commit, branch

    def changed(self) -> dict[str, str]:
        """Return the paths that are not as they were left: how each is, in a word.

        ``edited``, ``gone``, ``new``, or ``link`` where something is that is no file.
        """
        left = dict(self._lines_of)
        found: dict[str, str] = {}
        places = [(str(self.root), "")]
        # Thousands of files are looked at before every command: hence one plain loop.
        while places:
            place, prefix = places.pop()
            try:
                entries = list(os.scandir(place))
            except OSError:
                continue
            for entry in entries:
                path = prefix + entry.name
                if (about := left.pop(path, None)) is None:
                    if prefix or entry.name in _SCANNED:
                        self._look(entry, path, places, found)
                    continue
                try:
                    seen = entry.stat(follow_symlinks=False)
                except OSError:
                    continue  # it went meanwhile; the next command says so
                if not stat.S_ISREG(seen.st_mode):
                    found[path] = "link"
                    left |= {path: about} if entry.is_dir(follow_symlinks=False) else {}
                elif not about.startswith(f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ino} "):
                    name = about.rpartition(" ")[2]
                    if self._blob(path) == name:
                        self._restored += 1
                    else:
                        found[path] = "edited"
        found |= dict.fromkeys(left, "gone")
        return dict(sorted(found.items()))

    def _look(
        self,
        entry: os.DirEntry[str],
        path: str,
        places: list[tuple[str, str]],
        found: dict[str, str],
    ) -> None:
        """Look at what was not left: a directory of what was, or something new."""
        if entry.is_dir(follow_symlinks=False):
            places.append((entry.path, f"{path}/"))
        elif not entry.is_file(follow_symlinks=False):
            found[path] = "link"
        elif paths.is_kept(path) if self.is_known else paths.is_committed(path):
            found[path] = "new"  # without the text nothing is known of what git does not hold

    def differs(self, names: Iterable[str]) -> list[str]:
        """Return those of some files that are not as they were left; none if that is not known."""
        wanted, found = list(names) if self.is_known else [], []
        lines = self._lines(wanted)
        for path in wanted:
            about, seen = lines.get(path, ""), seen_at(f"{self.root}/{path}")
            same = seen is not None and _fits(about, seen)
            if not same and (seen is None or self._blob(path) != about.rpartition(" ")[2]):
                found.append(path)
        return found

    def _blob(self, path: str) -> str:
        try:
            return blob((self.root / path).read_bytes())
        except OSError:
            return ""

    def record(self, files: Mapping[str, Left | None], commit: str, branch: str) -> None:
        """Write down what was published: each path as it was staged, None where it is gone."""
        kept = {path: left for path, left in files.items() if paths.is_kept(path)}
        for path, left in kept.items():
            if left is None:
                self._lines_of.pop(path, None)
            else:
                seen = seen_at(f"{self.root}/{path}")
                # Whoever was quicker than we are has changed it: what the disk says is not of it.
                is_ours = seen is not None and (seen == left.seen or self._blob(path) == left.blob)
                self._lines_of[path] = _about(seen if is_ours else None, left.blob)
        self.commit, self.branch = commit, branch
        is_long = self._count > max(_LEAST, _SPARE * len(self._lines_of))
        if not self._end or is_long or self._restored > _LEAST:
            self._begin()
            self._restored = 0
        else:
            self._append(kept)

    def refresh(self) -> None:
        """Learn what the disk says of files by now, where their content is what it was."""
        for path, seen in scan(self.root):
            about = self._lines_of.get(path)
            if about is None:
                if not self.is_known and _is_personal(path) and seen.is_file:
                    self._lines_of[path] = _about(seen, self._blob(path))
            elif seen.is_file and not _fits(about, seen):
                name = about.rpartition(" ")[2]
                if self._blob(path) == name:
                    self._lines_of[path] = _about(seen, name)

    def _begin(self) -> None:
        """Write the text anew."""
        self.refresh()
        content = (self._text(self._lines_of) + self._last()).encode("utf-8", _ODD)
        temporary = self.path.with_suffix(".tmp")
        write(temporary, content)
        temporary.replace(self.path)
        self._count, self._end = content.count(b"\n"), len(content)

    def _append(self, files: Iterable[str]) -> None:
        content = (self._text(files) + self._last()).encode("utf-8", _ODD)
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
        self._count += content.count(b"\n")

    def _text(self, files: Iterable[str]) -> str:
        known = self._lines_of
        return "".join(f"{_quoted(path)}\t{known.get(path, '-')}\n" for path in files)

    def _last(self) -> str:
        return f"=\t{self.commit} {self.branch}\n"


def _is_personal(path: str) -> bool:
    """Return whether a file is kept, and git does not hold it: calls and quarantine."""
    return paths.is_kept(path) and not paths.is_committed(path)


def _about(seen: Seen | None, name: str) -> str:
    """Return what is written down of a file."""
    size, mtime, inode, _ = seen or Seen(-1, 0, 0)
    return f"{size} {mtime} {inode} {name}"


def _fits(about: str, seen: Seen) -> bool:
    """Return whether the disk says of a file what was written down of it."""
    return about.startswith(f"{seen.size} {seen.mtime_ns} {seen.inode} ")


def _quoted(path: str) -> str:
    return path if path.isascii() and path.isprintable() and "%" not in path else _escaped(path)


def _escaped(path: str) -> str:
    return quote(path, safe=_PLAIN, errors=_ODD)


def _unquoted(path: str) -> str:
    return unquote(path, errors=_ODD) if "%" in path else path


def seen_at(path: Path | str) -> Seen | None:
    """Return what the disk says of a file; None if it is not there."""
    try:
        about = os.lstat(path)
    except OSError:
        return None
    is_file = stat.S_ISREG(about.st_mode)
    return Seen(about.st_size, about.st_mtime_ns, about.st_ino, is_file)


def scan(root: Path) -> Iterator[tuple[str, Seen]]:
    """Yield every file of a book, and what is no file in the place of one or of a directory."""
    yield from _scan(str(root), "", _SCANNED)


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
        yield path, Seen(about.st_size, about.st_mtime_ns, about.st_ino, is_file)
