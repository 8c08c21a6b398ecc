"""Directions of calls, and the words by which switches and providers name them.

Every call is outgoing, incoming or internal; see :data:`a2ledger.sources.batch.DIRECTIONS`.
"""

from __future__ import annotations

import re

import pyarrow as pa

from a2ledger.sources.batch import INCOMING, INTERNAL, OUTGOING

NAMES = {INCOMING: "Incoming calls", INTERNAL: "Internal calls"}
"""The names on a bill of calls that no outgoing tariff prices."""

_STEMS = {
    INTERNAL: ("internal", "intern", "local", "onnet", "ext", "extension", "extensiontoextension"),
    INCOMING: (
        *("inbound", "incoming", "in", "received", "terminating", "mt", "did", "ivr", "entrant"),
        *("inboundcall", "incomingcall", "inbounddid", "eingehend", "tollfree", "entrante"),
    ),
    OUTGOING: (
        *("outbound", "outgoing", "out", "placed", "dialed", "dialled", "originating", "mo"),
        *("outboundcall", "outgoingcall", "outboundapi", "outbounddial", "ausgehend", "sortant"),
        *("saliente", "external", "trunk"),
    ),
}
_WORDS = {word: name for name, words in _STEMS.items() for word in words}
_PREFIXES = (
    (INCOMING, "inbound"),
    (INCOMING, "incoming"),
    (OUTGOING, "outbound"),
    (OUTGOING, "outgoing"),
    (INTERNAL, "internal"),
)
_FILLING = re.compile(r"[\W_]+")


def direction(word: str) -> str:
    """Return the direction that a word names, empty if none.

    >>> direction("Outbound"), direction("Inbound DID"), direction("extension-to-extension")
    ('outgoing', 'incoming', 'internal')
    """
    plain = _FILLING.sub("", word.lower())
    if plain in _WORDS:
        return _WORDS[plain]
    return next((name for name, start in _PREFIXES if plain.startswith(start)), "")


def read(words: pa.StringArray | pa.ChunkedArray) -> pa.StringArray:
    """Return the direction that each word names, empty if none.

    Args:
        words: as a log has them, shape (n,); no nulls.
    """
    if isinstance(words, pa.ChunkedArray):
        words = words.combine_chunks()
    encoded = words.dictionary_encode()
    named = [direction(word) for word in encoded.dictionary.to_pylist()]
    return pa.array(named, pa.string()).take(encoded.indices)
