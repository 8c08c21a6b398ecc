"""Read text of any size in blocks of whole lines, refusing what is not text.

A block is bytes that end with a line end. Plain and gzip-compressed files are read alike.
"""

from __future__ import annotations

import codecs
import gzip
import math
import zlib
from typing import IO, TYPE_CHECKING, NamedTuple, cast

import numpy as np

from a2ledger.sources.batch import START, Place, UnusableInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 16 << 20
"""Bytes of text read at a time."""

LONGEST = 1 << 16
"""Most bytes of a line. A longer line is refused."""

UNPACKED = 64 << 20
"""Bytes that a compressed file may always unpack to, whatever its ratio."""

RATIO = 250
"""Most times its own size that a compressed file may unpack to. Call records reach 30."""

BOM = b"\xef\xbb\xbf"

_GZIP = b"\x1f\x8b"
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UNMARKED = {0: "utf-16-be", 1: "utf-16-le"}
_UNMARKED_SHARE = 0.9
"""Least share of characters below 256 by which UTF-16 without a byte order mark is known."""
_KINDS = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file",
    b"\x7fELF": "a program",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"7z\xbc\xaf": "a 7z archive",
}
_CONTROL = np.isin(np.arange(256), [*range(9), 11, 12, *range(14, 32), 127])
_CONTROL_SHARE = 10  # one in ten: rows with a field of NULs each have fewer
_JUDGED = 1024
"""Least bytes of a text that is checked for control characters. Shorter ones have their rows
checked.
"""


def utf16_of(head: bytes) -> str:
    """Return which UTF-16 a text begins in, empty if in none.

    Without a byte order mark it is known by the zeros that stand in every other byte, and in no
    other.

    >>> utf16_of("id;start".encode("utf-16-be")), utf16_of(b"id;start")
    ('utf-16-be', '')
    """
    if name := _UTF16.get(head[:2]):
        return name
    zeros = np.frombuffer(head[: len(head) // 2 * 2], np.uint8).reshape(-1, 2) == 0
    if len(zeros) and zeros.any():
        shares = zeros.mean(axis=0)
        for place, name in _UNMARKED.items():
            if shares[place] >= _UNMARKED_SHARE and not shares[1 - place]:
                return name
    return ""


def _decoded(head: bytes, encoding: str) -> bytes:
    """Return the beginning of a text as UTF-8, without what is cut off or damaged."""
    return head.decode(encoding, "ignore").encode("utf-8", "ignore").removeprefix(BOM)


class Block(NamedTuple):
    """Whole lines, the number of the first, and the text after the last line end.

    ``tail`` is not empty only in the last block, and only where the file does not end with a
    line end. ``end`` is where in the file ``text`` ends.
    """

    text: bytes
    line: int
    last: bool
    tail: bytes = b""
    end: int = 0


def line_ends(text: bytes) -> int:
    """Count the line feeds of a text, five times as fast as ``bytes.count``."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))


class Lines:
    """The lines of a file, in blocks. A reader can push back what it could not use yet.

    Raises:
        UnusableInput: for a file that cannot be read or is no text, from any iteration.
    """

    def __init__(
        self, path: Path, size: int = BLOCK, encoding: str = "utf-8", begin: Place = START
    ) -> None:
        """Open the lines of a file. ``encoding`` may be UTF-8, or any of one byte per character."""
        self.path = path
        self._size, self._encoding, self._begin = size, encoding, begin
        self._pushed = b""
        self._count: int | None = None
        self._opaque: IO[bytes] | None = None
        """The file, if its bytes are not those of the text."""

    def push(self, text: bytes) -> None:
        """Push the end of the last block back, to begin the next one."""
        self._pushed = text

    def place(self, block: Block, rest: int, count: int | None = None) -> Place:
        """Return how far the file is read once a block's text is read up to ``rest``.

        ``count`` is the number of lines before it, if it is known.
        """
        self._count = count
        if self._opaque is not None:
            return Place(self._opaque.tell())
        rest = min(rest, len(block.text))
        before = line_ends(block.text[:rest]) if count is None else count
        return Place(block.end - (len(block.text) - rest), block.line + before)

    def __iter__(self) -> Iterator[Block]:
        try:
            with self.path.open("rb") as file:
                yield from self._blocks(self._unpacked(file))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self.unusable(
                f"is damaged: {str(error).lower()}", "copy it again or unpack it"
            ) from None
        except OSError as error:
            raise self.unusable(
                f"cannot be read: {(error.strerror or str(error)).lower()}", "check the path"
            ) from None

    def unusable(self, problem: str, remedy: str, line: int = 1) -> UnusableInput:
        """Return an error that the file cannot be used."""
        return UnusableInput(
            f"{self.path}:{line}: {problem}", undone="nothing was read from it", todo=remedy
        )

    def _unpacked(self, file: IO[bytes]) -> Iterator[bytes]:
        packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
        encoding = utf16_of(stream.read(_JUDGED)) or self._encoding
        stream.seek(0)
        decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()
        self._opaque = file if packed or decoder else None
        stream.seek(self._begin.offset)
        head = stream.read(LONGEST)
        self._expect_text(_decoded(head, encoding) if encoding in _UTF16.values() else head)
        stream.seek(self._begin.offset)
        limit = max(UNPACKED, self.path.stat().st_size * RATIO) if packed else math.inf
        count = 0
        while data := stream.read(self._size):
            count += len(data)
            if count > limit:
                raise self.unusable(
                    f"unpacks to more than {RATIO} times its size",
                    "unpack it yourself if it is sound",
                )
            yield self._transcoded(decoder, data) if decoder else data
        if decoder:
            yield self._transcoded(decoder, b"", last=True)

    def _transcoded(
        self, decoder: codecs.IncrementalDecoder, data: bytes, *, last: bool = False
    ) -> bytes:
        """Return a piece of text in another encoding as UTF-8."""
        try:
            return decoder.decode(data, last).encode()
        except UnicodeDecodeError as error:
            raise self.unusable(
                f"is damaged: no {error.encoding.upper()} text", "export it again, as UTF-8 text"
            ) from None

    def _blocks(self, pieces: Iterator[bytes]) -> Iterator[Block]:
        line, end, tail = self._begin.line, self._begin.offset, b""
        for piece in pieces:
            end += len(piece)
            cut = piece.rfind(b"\n") + 1
            if not cut:
                # Keep only enough of an endless line to refuse it, so that it cannot fill memory.
                tail += piece[: LONGEST + 1 - min(len(tail), LONGEST + 1)]
                continue
            text, tail = self._pushed + tail + piece[:cut], piece[cut:]
            self._pushed, self._count = b"", None
            yield Block(text, line, last=False, end=end - len(tail))
            known = self._count
            line += line_ends(text) - line_ends(self._pushed) if known is None else known
        text, self._pushed = self._pushed, b""
        yield Block(text, line, last=True, tail=tail, end=end - len(tail))

    def _expect_text(self, head: bytes) -> None:
        for magic, kind in _KINDS.items():
            if head.startswith(magic):
                raise self.unusable(f"is {kind}, not UTF-8 text", "convert it to UTF-8 text")
        if b"\r" in head and b"\n" not in head:
            raise self.unusable(
                "ends its lines with CR alone", "convert it to LF or CRLF line ends"
            )
        controls = int(_CONTROL[np.frombuffer(head, np.uint8)].sum())
        if len(head) >= _JUDGED and controls * _CONTROL_SHARE > len(head):
            raise self.unusable("is binary, not UTF-8 text", "check that it is the right file")
