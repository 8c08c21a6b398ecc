"""Directions of calls, and the words by which switches and providers name them.

Every call is outgoing, incoming or internal; see :data:`a2ledger.sources.batch.DIRECTIONS`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.sources import answered
from a2ledger.sources.batch import INCOMING, INTERNAL, OUTGOING

NAMES = {INCOMING: "Incoming calls", INTERNAL: "Internal calls"}
"""The names on a bill of calls that no outgoing tariff prices."""

_STEMS = {
    INTERNAL: (
        *("internal", "intern", "interne", "interno", "interna", "local", "onnet", "ext"),
        *("extension", "extensiontoextension", "exttoext", "binnenlijn"),
    ),
    INCOMING: (
        *("inbound", "incoming", "in", "received", "terminating", "mt", "did", "ivr", "trunkin"),
        *("inboundcall", "incomingcall", "inbounddid", "tollfree", "eingehend", "kommend"),
        *("entrant", "appelentrant", "entrante", "entrada", "inentrata", "inkomend"),
        *("indgaende", "indgaaende", "indgande", "inkommande", "przychodzace"),
    ),
    OUTGOING: (
        *("outbound", "outgoing", "out", "placed", "dialed", "dialled", "originating", "mo"),
        *("outboundcall", "outgoingcall", "outboundapi", "external", "trunk"),
        *("trunkout", "offnet", "ausgehend", "abgehend", "gehend", "sortant", "appelsortant"),
        *("saliente", "salida", "saida", "inuscita", "uscente", "uitgaand", "udgaende"),
        *("utgaende", "wychodzace"),
    ),
}
_WORDS = {word: name for name, words in _STEMS.items() for word in words}
_ANY_WAY = {"outbounddial", "outgoingdial"}
"""Twilio's words for a leg that a ``<Dial>`` made: to a number, or to a phone of the house."""
_PREFIXES = (
    (INCOMING, "inbound"),
    (INCOMING, "incoming"),
    (OUTGOING, "outbound"),
    (OUTGOING, "outgoing"),
    (INTERNAL, "internal"),
    (OUTGOING, "trunkingoriginating"),
    (INCOMING, "trunkingterminating"),
)


def direction(word: str) -> str:
    """Return the direction that a word names, empty if none.

    >>> direction("Outbound"), direction("Inbound DID"), direction("extension-to-extension")
    ('outgoing', 'incoming', 'internal')
    """
    plain = answered.plain(word)
    if plain in _ANY_WAY:
        return ""
    if plain in _WORDS:
        return _WORDS[plain]
    return next((name for name, start in _PREFIXES if plain.startswith(start)), "")


def unknown(words: pa.StringArray, named: pa.StringArray) -> Iterator[str]:
    """Yield the different words that name no direction.

    Args:
        words: as a log has them, shape (n,).
        named: the direction that each names, from :func:`read`.
    """
    odd = pc.and_(pc.equal(named, ""), pc.not_equal(pc.utf8_trim_whitespace(words), ""))
    for word in pc.unique(words.filter(odd)).to_pylist():
        if answered.plain(word) not in _ANY_WAY:
            yield word


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
