"""Interpret the words of switches and providers for a call: answered or not answered.

A hang-up cause is no answer by itself: ``NORMAL_CLEARING`` ends calls that were answered, and calls
that were not. Where people talked for some seconds, a call that ended so was answered. A word that
nobody knows is not guessed at; where people talked, its row is refused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

YES = frozenset(
    (
        *("answered", "answer", "yes", "y", "true", "1", "ok", "success", "successful", "200"),
        *("completed", "complete", "200ok", "connected", "callconnected", "established", "ended"),
        *("callanswered", "callcompleted", "calltransferred", "transferred", "normalcallclearing"),
        *("t", "completedelsewhere", "answeredelsewhere", "talked", "delivered", "sip200"),
        *("beantwortet", "angenommen", "erfolgreich", "beantwoord", "opgenomen", "repondu"),
        *("repondue", "decroche", "contestada", "contestado", "respondida", "respondido"),
        *("atendida", "atendido", "risposta", "risposto", "besvaret", "besvarat", "odebrane"),
    )
)
"""Words for an answered call, in small letters, without blanks and punctuation."""

NO = frozenset(
    (
        *("no", "n", "false", "f", "0", "", "noanswer", "busy", "failed", "failure", "cancel"),
        *("canceled", "cancelled", "congestion", "missed", "unanswered", "notanswered", "declined"),
        *("rejected", "voicemail", "unknown", "chanunavail", "unavailable", "abandoned", "error"),
        *("callfailed", "callmissed", "ringing", "queued", "initiated", "404", "480", "486", "487"),
        *("503", "603", "null", "none", "missedcall", "didnotanswer", "early", "ringgroup"),
        *("verpasst", "besetzt", "abgelehnt", "unbeantwortet", "bezet", "gemist", "manque"),
        *("occupe", "sansreponse", "ocupado", "perdida", "nocontesta", "nocontestada", "occupato"),
    )
)
"""Words for a call that was not answered."""

CAUSES = frozenset(
    (
        *("normalclearing", "normalunspecified", "recoveryontimerexpire", "allottedtimeout"),
        *("16", "31", "102", "41", "38", "27", "111", "127", "originatorcancel", "userbusy"),
        *("nouserresponse", "callrejected", "unallocatednumber", "interworking"),
        *("destinationoutoforder", "normaltemporaryfailure", "mediatimeout", "attendedtransfer"),
        *("blindtransfer", "losrace", "loserace", "pickedoff", "managerrequest", "mandatoryie"),
        *("mandatoryiemissing", "protocolerror", "networkoutoforder", "systemshutdown", "crash"),
        *("normalcircuitcongestion", "switchcongestion", "subscriberabsent", "usernotregistered"),
        *("progresstimeout", "incompatibledestination", "bearercapabilitynotavail", "exchange"),
        *("serviceunavailable", "servicenotimplemented", "exchangeroutingerror", "gatewaydown"),
        *("terminatedbydst", "terminatedbysrc", "srcparticipantterminated", "bye", "sendbye"),
        *(
            "dstparticipantterminated",
            "recvbye",
            "normal",
            "hangup",
            "callerhangup",
            "calleehangup",
        ),
        *("callend", "callended", "hungup", "completednormally"),
        *("terminated", "srcterminated", "dstterminated", "redirectionroutererror", "cleared"),
        *("redirectedtonewdestination", "numberchanged", "facilityrejected", "timeout"),
        *("outgoingcallbarred", "incomingcallbarred", "requestedchanunavail", "17", "18", "19"),
        *("20", "21", "28", "34", "42", "1", "2", "3", "34", "47", "50", "58", "63", "88"),
    )
)
"""Words for how a call ended: it was answered if it has talk seconds."""

_FILLING = re.compile(r"[\W_]+")
_TIME = re.compile(r"(?!0000|1970|1969)\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*|[1-9]\d{9,15}", re.DOTALL)
_TALKED = r"^0*[1-9][0-9]*([.,][0-9]+)?$|:0*[1-9]|[1-9]:|^[0-9]+ ?(s|sec|seconds|m|min|ms)$"


class Judged(NamedTuple):
    """Which rows were answered, and their unknown words (empty for all other rows)."""

    answered: pa.BooleanArray
    unknown: pa.StringArray


def judge(words: pa.StringArray, seconds: pa.StringArray, more: Iterable[str] = ()) -> Judged:
    """Decide which calls were answered.

    Args:
        words: what a log says of each call, in any case, shape (n,); a time says when it was.
        seconds: how long people talked, as the log writes it, shape (n,).
        more: words that a source knows for calls that were answered.
    """
    yes = YES | set(map(plain, more))
    encoded = words.dictionary_encode()
    kinds = [_kind(word, yes) for word in encoded.dictionary.to_pylist()]
    codes = np.asarray(encoded.indices)
    kind: npt.NDArray[np.str_] = np.array(kinds or [""], "U1")[codes]
    ended, odd = kind == "e", kind == "?"
    talked = np.zeros(len(words), np.bool_)
    if (ended | odd).any():
        talked = np.asarray(pc.match_substring_regex(seconds, _TALKED))
    unknown = pc.if_else(pa.array(odd & talked), words, "")
    return Judged(pa.array((kind == "y") | (ended & talked) | (odd & talked)), unknown)


def plain(word: str) -> str:
    """Return a word in lower case, with letters and digits only, and without accents."""
    bare = word if word.isascii() else unicodedata.normalize("NFKD", word)
    return _FILLING.sub("", "".join(c for c in bare if not unicodedata.combining(c)).lower())


def _kind(word: str, yes: frozenset[str] | set[str]) -> str:
    """Classify a word: ``y`` answered, ``n`` not answered, ``e`` how it ended, ``?`` unknown."""
    bare = plain(word)
    if bare in yes or _TIME.fullmatch(word.strip()):
        return "y"
    if bare in NO or word.startswith(("0000-", "1970-", "1969-")):
        return "n"
    return "e" if bare in CAUSES else "?"
