"""A book: a directory of files, and the draft of what a command will publish."""

from __future__ import annotations

import contextlib
import copy
import csv
import datetime as dt
import fnmatch
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from a2ledger.book import config_parse, damage, paths
from a2ledger.book.config import Config
from a2ledger.book.git import Tag
from a2ledger.book.toml_table import ConfigError
from a2ledger.book.transaction import STATE, Talk, Vault
from a2ledger.errors import CORRECT, ExpectedError
from a2ledger.progress import Progress, silent
from a2ledger.records import Problem
from a2ledger.workers import Workers

CONFIG = "a2ledger.toml"
IMPORTS = "imports.csv"
DIGESTS = "calls/DIGESTS"
GENERAL = "journals/general"
SUSPENSE = "journals/suspense"
_MEND = "correct it, or bring it back from git"
_PERIOD = re.compile(r"journals/\d{4}-\d\d/")

Value = TypeVar("Value")


class NoBookError(ExpectedError):
    """The directory is not a book."""


class RefusedError(ExpectedError):
    """The request is refused. The message says why, and the remedy."""


class BrokenBookError(ExpectedError):
    """The book has invalid content. The problems say what and where."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)

    def lines(self) -> list[str]:
        """Return a line for each problem."""
        return [problem.line_of_error for problem in self.problems]


def restore(path: str) -> str:
    """Return the advice to restore a file that only the program writes."""
    return paths.back(path)


class Book:
    """A book on disk, read on demand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.vault = Vault(root)
        self.repository = self.vault.repository
        self._generation = self.vault.generation()
        self._values: dict[Callable[[Any], Any], Any] = {}
        self.talk: Talk = lambda _: None
        """Reports notes on a file to the person."""
        self.workers: Callable[[], Workers] = Workers
        """Returns those who share the work, to be begun and ended: ``with book.workers() as …``."""
        self._said: set[str] = set()
        if not (root / CONFIG).is_file():
            is_lost = (root / "journals").exists() or (root / STATE).exists()
            todo = "name a book with -C, or start one with `a2ledger init DIR`"
            raise NoBookError(
                f"{root / CONFIG}: not there", todo=paths.back(CONFIG) if is_lost else todo
            )

    @property
    def config(self) -> Config:
        """Return the configuration, parsed from ``a2ledger.toml``.

        Raises:
            ConfigError: naming the file and the key.
        """
        return self.once(_read_config)

    def once(self, read: Callable[[Self], Value]) -> Value:
        """Return ``read(self)``, called once per generation of the book.

        The wings keep here what they read of many files: the customers, the days of calls.
        """
        if read not in self._values:
            self._values[read] = read(self)
        return cast("Value", self._values[read])

    def say_once(self, message: str) -> None:
        """Report a message, but only the first time."""
        if message not in self._said:
            self._said.add(message)
            self.talk(message)

    def text(self, path: str) -> str:
        """Return the text of a file of the book, empty if there is none.

        Raises:
            BrokenBookError: if it is not UTF-8, or a journal whose amounts cannot be added up.
        """
        try:
            with open(f"{self.root}/{path}", encoding="utf-8") as file:  # noqa: PTH123 - of thousands
                text = file.read()
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            raise BrokenBookError(
                [Problem(path, 0, "encoding", f"not UTF-8 at byte {error.start}", todo=_MEND)]
            ) from None
        if _PERIOD.match(path) and (place := damage.damage(text)):
            line, message = place
            raise BrokenBookError([Problem(path, line, "damaged", message, todo=_MEND)])
        return text

    def rows(self, path: str) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield line and cells of each row of a table that the program keeps.

        Raises:
            BrokenBookError: if it cannot be read as one.
        """
        reader = csv.DictReader(io.StringIO(self.text(path)))
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            problem = Problem(path, reader.line_num, "table", str(error), todo=restore(path))
            raise BrokenBookError([problem]) from None

    def has(self, path: str) -> bool:
        """Return whether there is a file at a path of the book."""
        return os.path.isfile(f"{self.root}/{path}")  # noqa: PTH113 - of thousands of files

    def parsed(self, path: str) -> Any:
        """Return the value a file of a draft was written from, or None if it must be parsed."""
        del path

    def files(self, directory: str, pattern: str = "*.beancount") -> list[str]:
        """Return the paths in the book that match a pattern, sorted."""
        if "/" in pattern:
            paths = (self.root / directory).glob(pattern)
            return sorted(str(path.relative_to(self.root)) for path in paths)
        try:
            names = os.listdir(self.root / directory)  # noqa: PTH208 - of thousands of files
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(f"{directory}/{name}" for name in fnmatch.filter(names, pattern))

    @contextlib.contextmanager
    def writing(self, today: dt.date, talk: Talk, timeout_seconds: float = 600) -> Iterator[Draft]:
        """Lock the book for writing, and yield a draft that may be published."""
        with self.vault.writing(talk, timeout_seconds):
            self.forget()  # another writer may have changed it meanwhile
            yield Draft(self, today, talk)

    def reading(self, read: Callable[[], Value]) -> Value:
        """Return the result of ``read`` over one complete generation of the book.

        Raises:
            LockedError: if the book is never at rest.
            InterruptedRunError: if a killed run has left it in between.
        """

        def read_now() -> Value:
            if not self.vault.is_writing and self.vault.generation() != self._generation:
                self._generation = self.vault.generation()
                self.forget()
            return read()

        return cast("Value", self.vault.reading(read_now))

    def forget(self) -> None:
        """Forget what was read once, so that it is read again."""
        self._values.clear()


class Draft(Book):
    """A book as it will be: files of the draft replace those on disk until they are published."""

    def __init__(self, base: Book, today: dt.date, talk: Talk) -> None:
        self.base, self.today, self.talk = base, today, talk
        self.root, self.vault, self.repository = base.root, base.vault, base.repository
        self.workers = base.workers
        self._generation = self.vault.generation()
        self._values, self._said = {}, set()
        self.progress: Callable[[str, int], contextlib.AbstractContextManager[Progress]] = silent
        """Starts a progress bar: ``with draft.progress("closing", 3) as bar: bar.add(1)``."""
        self.put_files: dict[str, bytes | None] = {}
        self._parsed: dict[str, Any] = {}
        """The values that some of these files were written from, so that they need not be parsed.
        """
        self.opened: set[str] = set()
        """Customers whose ``open`` entries may have changed."""
        self.touched: dict[str, dt.date] = {}
        """Customers whose ledger changes, and the first day affected."""
        self.fees = 0
        """The number of entries of recurring fees posted."""
        self.unwritten: set[str] = set()
        """Customers whose general ledger on disk lags behind hand edits because of a dry run."""
        self.tag_lines: list[str] = []
        """Lines of the commit's signed tag, one for each period that is closed."""
        self.rebuilding: dt.date | None = None
        """A day of calls whose file was lost, and which is read as if nothing were known of it."""
        self.rebuild = False
        """True if derived files are to be made anew rather than updated."""

    def once(self, read: Callable[[Self], Value]) -> Value:
        """Return ``read`` of the book on disk, as this draft's own copy.

        Whoever puts a file from which such a value was read changes the value, too, so that
        thousands of files need not be read again for one that is put.
        """
        if read not in self._values:
            self._values[read] = copy.copy(self.base.once(cast("Any", read)))
        return cast("Value", self._values[read])

    def text(self, path: str) -> str:
        """Return the text of a file as it will be."""
        if path in self.put_files:
            return (self.put_files[path] or b"").decode()
        return super().text(path)

    def has(self, path: str) -> bool:
        """Return whether there will be a file at a path."""
        return self.put_files[path] is not None if path in self.put_files else super().has(path)

    def parsed(self, path: str) -> Any:
        """Return the value a file of this draft was written from, or None if it must be parsed."""
        return self._parsed.get(path)

    def files(self, directory: str, pattern: str = "*.beancount") -> list[str]:
        """Return the paths of a directory that match a pattern, as they will be, sorted."""
        existing = set(super().files(directory, pattern))
        depth = f"{directory}/{pattern}".count("/")
        for path, content in self.put_files.items():
            if fnmatch.fnmatch(path, f"{directory}/{pattern}") and path.count("/") == depth:
                (existing.discard if content is None else existing.add)(path)
        return sorted(existing)

    def put(self, path: str, content: str | bytes | None, *, parsed: Any = None) -> None:
        """Set the content of a file, or remove it, leaving unchanged files alone.

        Args:
            path: of the file, in the book.
            content: what it will hold; None for no file.
            parsed: what the content was written from, for :meth:`parsed`.
        """
        self._parsed.pop(path, None)
        if parsed is not None:
            self._parsed[path] = parsed
        new = content.encode() if isinstance(content, str) else content
        if new == self._content(path):
            self.put_files.pop(path, None)
        else:
            self.put_files[path] = new
        if path == CONFIG:
            self._values[_read_config] = _read_config(self)

    def _content(self, path: str) -> bytes | None:
        """Return what is in a file on disk, or None if there is none."""
        try:
            with open(f"{self.root}/{path}", "rb") as file:  # noqa: PTH123 - of thousands of files
                return file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def touch(self, identity: str, since: dt.date, *, opens: bool = True) -> None:
        """Mark a customer's ledger as changed from a day on, for the general ledger to follow.

        Args:
            identity: the customer's.
            since: the day.
            opens: whether their ``open`` entries may have changed, which bear the facts.
        """
        self.touched[identity] = min(since, self.touched.get(identity, since))
        if opens:
            self.opened.add(identity)

    def publish(self, message: str, tag: Tag | None = None) -> bool:
        """Publish and commit the changes, with a signed tag or without, False if there are none."""
        if not self.put_files:
            return False
        self.vault.publish(self.put_files, message, tag)
        self.base.forget()
        self.put_files, self._parsed = {}, {}
        self.tag_lines = []
        return True


def _read_config(book: Book) -> Config:
    try:
        return config_parse.parse(book.text(CONFIG))
    except ConfigError as error:
        line = re.search(r" \(at line (\d+), ", str(error))
        place = f"{CONFIG}:{line[1]}" if line else CONFIG
        todo = "correct it" if error.todo == CORRECT else error.todo
        raise ConfigError(f"{place}: {error.what}", todo=todo) from None
