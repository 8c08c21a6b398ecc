"""Seals: the proof that a closed period is still as it was when it was closed.

A seal covers the period's file, the calls that were posted in it, and the documents issued in
it: the root of a Merkle tree over them (as in RFC 6962), each leaf naming its file. The root, the
counts and totals of the period and of all so far, and the hash of the customer's seal before
make the seal's own hash. It stands among the first lines of the next period's file, which the
next seal covers in turn:

    DATE custom "a2ledger-seal" "DOCUMENT" "TOLD" "ROOT" "HASH" CALLS CALLS-EVER BILLED BILLED-EVER

TOLD is the digest of what is told of the calls, so that the rest can be proved where they are not.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import money
from a2ledger.journal import syntax
from a2ledger.period import Period

KIND = "a2ledger-seal"
_VERSION = f"{KIND} 1"
_SHORT, _GROUP = 16, 4
_LINE = re.compile(
    rf'^(?P<day>\d{{4}}-\d\d-\d\d) custom "{KIND}" "(?P<document>[^"\\\n]+)"'
    r' "(?P<told>[0-9a-f]{64})" "[0-9a-f]{64}" "(?P<hash>[0-9a-f]{64})" [0-9]+ (?P<calls>[0-9]+)'
    r" \S+ [A-Z]{3} (?P<billed>-?[0-9]{1,12}(?:\.[0-9]{1,6})?) [A-Z]{3}$",
    re.MULTILINE,
)


class SoFar(NamedTuple):
    """The running totals of a customer's seals, empty before the first."""

    hash: str = ""
    """Hash of the latest seal."""
    calls: int = 0
    billed_micro: int = 0
    document: str = ""
    """Name of the document of the latest seal."""
    told: str = ""
    """Digest of what the latest document tells of calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The seal of a closed period. ``billed_micro`` is negative for a credit note."""

    customer: str
    period: Period
    document: str
    """Name of the document's file: its number, or a statement's own name."""
    files: Mapping[str, str]
    """Digests of the files it covers, by path."""
    told: str
    """Digest of what the document tells of calls."""
    before: SoFar
    calls: int
    billed_micro: int
    currency: str
    places: int

    @property
    def root(self) -> str:
        """Return the root of the Merkle tree over the files."""
        return root(self.files)

    @property
    def hash(self) -> str:
        """Return the seal's own hash, in hex."""
        return digest(
            "\n".join(
                (
                    _VERSION,
                    self.before.hash or "-",
                    self.customer,
                    f"{self.period.start} {self.period.end}",
                    self.document,
                    self.root,
                    *(str(value) for value in self._totals()),
                )
            ).encode()
        )

    def directive(self) -> data.Custom:
        """Return the seal's directive for the next period's file."""
        values = [self.document, self.told, self.root, self.hash, *self._totals()]
        return data.Custom({}, self.period.end, KIND, values)

    def _totals(self) -> tuple[int, int, Amount, Amount]:
        ever = self.before.billed_micro + self.billed_micro
        billed, ever_billed = (
            Amount(money.decimal(micro, self.places), self.currency)
            for micro in (self.billed_micro, ever)
        )
        return self.calls, self.before.calls + self.calls, billed, ever_billed


def short(sha256: str) -> str:
    """Return the beginning of a hash, as it is printed on a bill.

    >>> short("0123456789abcdef" * 4)
    '0123-4567-89ab-cdef'
    """
    return "-".join(sha256[place : place + _GROUP] for place in range(0, _SHORT, _GROUP))


def read(text: str, start: dt.date) -> SoFar | None:
    """Parse the seal of the previous period at the head of a period's file, or None without one."""
    for match in _LINE.finditer(text.partition(syntax.MARKER)[0]):
        if match["day"] == str(start):
            billed_micro = money.parse(match["billed"])
            calls = int(match["calls"])
            return SoFar(match["hash"], calls, billed_micro, match["document"], match["told"])
    return None


def digest(content: bytes) -> str:
    """Return the SHA-256 of content, in hex."""
    return hashlib.sha256(content).hexdigest()


def root(files: Mapping[str, str]) -> str:
    """Return the root of the tree over files' digests, without confusion of leaves and nodes."""
    return _node(
        [
            hashlib.sha256(b"\0" + f"{path}\0{sha256}".encode()).digest()
            for path, sha256 in sorted(files.items())
        ]
    ).hex()


def _node(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + _node(leaves[:half]) + _node(leaves[half:])).digest()
