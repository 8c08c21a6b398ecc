"""Text of any size as blocks of whole lines; what is no text at all is refused here.

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
"""Bytes the longest line may have; a longer one is refused."""

UNPACKED = 64 << 20
"""Bytes a compressed file may unpack to whatever its ratio."""

RATIO = 250
"""How many times its own size a compressed file may unpack to; call records reach 30."""

BOM = b"\xef\xbb\xbf"

_GZIP = b"\x1f\x8b"
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
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
"""Bytes below which a text is not judged: its rows will be."""


def _decoded(head: bytes, encoding: str) -> bytes:
    """Return the beginning of a text as UTF-8; what is cut off or damaged is left out."""
    return head.decode(encoding, "ignore").encode("utf-8", "ignore").removeprefix(BOM)


class Block(NamedTuple):
    """Whole lines, the number of the first one, and what follows the last line end.

    ``tail`` is not empty only in the last block, and only where the file does not end with a
    line end. ``end`` is where in the file ``text`` ends.
    """

    text: bytes
    line: int
    last: bool
    tail: bytes = b""
    end: int = 0


def line_ends(text: bytes) -> int:
    """How many line feeds a text has; five times as fast as ``bytes.count``."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))


class Lines:
    """The lines of a file, block by block; what a reader could not use yet it pushes back.

    Raises:
        UnusableInput: for a file that cannot be read or is no text, from any iteration.
    """

    def __init__(
        self, path: Path, size: int = BLOCK, encoding: str = "utf-8", begin: Place = START
    ) -> None:
        """``encoding`` may be UTF-8, or one of a byte for every character."""
        self.path = path
        self._size, self._encoding, self._begin = size, encoding, begin
        self._pushed = b""
        self._count: int | None = None
        self._opaque: IO[bytes] | None = None
        """The file, where its bytes are not those of the text."""

    def push(self, text: bytes) -> None:
        """Put the end of the last block back, to be the beginning of the next one."""
        self._pushed = text

    def place(self, block: Block, rest: int, count: int | None = None) -> Place:
        """How far the file is read when of a block's text everything before ``rest`` is.

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

    def unusable(self, what: str, remedy: str, line: int = 1) -> UnusableInput:
        """The file as a whole, refused."""
        return UnusableInput(
            f"{self.path}:{line}: {what}", undone="nothing was read from it", todo=remedy
        )

    def _unpacked(self, file: IO[bytes]) -> Iterator[bytes]:
        packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
        encoding = _UTF16.get(stream.read(len(_GZIP)), self._encoding)
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
                # A line without end cannot fill memory: what is kept is enough to refuse it.
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
