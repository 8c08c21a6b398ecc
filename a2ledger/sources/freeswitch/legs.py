"""Parse a leg of a call from the document FreeSWITCH wrote about it, in JSON or XML.

Values of ``variables`` are percent-encoded, in JSON unless ``encode-values`` was switched off;
those of ``callflow`` are not. A document that could not be posted was left behind percent-encoded
as a whole. (Source: FreeSWITCH, ``mod_json_cdr.c``, ``mod_xml_cdr.c`` and ``switch_ivr.c``.)

XML is read by the standard library's expat, told to refuse any document type: without one there
are no entities, and so neither bombs made of them nor files and addresses to be fetched.
"""

from __future__ import annotations

import json
import re
import time
import urllib.parse
import xml.parsers.expat
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

LARGEST = 4 << 20
"""Most bytes of a document. Those of long calls through many applications reach 200,000."""

_DEEPEST = 64
"""Most levels of elements in an XML document. FreeSWITCH's have six."""

_VARIABLES = (
    *("uuid", "accountcode", "channel_name", "userfield", "billsec", "duration"),
    *("start_epoch", "start_stamp", "answer_epoch", "answer_stamp", "direction"),
    *("bridge_uuid", "last_bridge_to", "signal_bond", "bridge_channel"),
    *("originator", "originating_leg_uuid", "last_app", "current_application"),
    *("caller_id_number", "destination_number"),
)
_PROFILE = ("caller_id_number", "destination_number", "context", "uuid")
_TIMES = ("profile_created_time", "answered_time", "bridged_time", "transfer_time", "hangup_time")
_OTHER_LEG = ("bridge_uuid", "last_bridge_to", "signal_bond", "bridge_channel")
_MADE_FOR = ("originator", "originating_leg_uuid")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
_BEGINNINGS = (b"{", b"<", b"%7B", b"%7b", b"%3C", b"%3c", b"cdr=")
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
_EPOCH = re.compile("[1-9][0-9]{8,10}", re.ASCII)
_MORE_THAN_ZERO = re.compile("[0-9]*[1-9][0-9]*", re.ASCII)
_NO_STAMP = re.compile("$|(0000|1969|1970)-", re.ASCII)


class Leg(NamedTuple):
    """A leg of a call, in fields of :data:`a2ledger.sources.batch.FIELDS`."""

    fields: dict[str, str]
    answered: bool
    made: bool
    """True for a b-leg: FreeSWITCH made it for another leg."""


class BadDocumentError(Exception):
    """A document that holds no leg. ``reason`` is the short name it is counted under."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class _Document(NamedTuple):
    """Variables, and the caller profiles of the callflow, latest first."""

    variables: dict[str, str]
    profiles: list[dict[str, str]]


def is_document(head: bytes) -> bool:
    """Return whether a file with this beginning holds documents rather than rows."""
    return head[:64].lstrip().startswith(_BEGINNINGS)


def read(data: bytes) -> Leg:
    """Read a document.

    Raises:
        BadDocumentError: ``too-long``, ``unreadable``, ``record`` for what is no record of a
            call, ``encoding`` for a value that is not UTF-8.
    """
    if len(data) > LARGEST:
        raise BadDocumentError("too-long", f"the document is longer than {LARGEST} bytes")
    data = data.strip().removeprefix(b"cdr=")
    if data.startswith(b"%"):
        data = urllib.parse.unquote_to_bytes(data)
    document = _json(data) if data.startswith(b"{") else _xml(data)
    leg = _leg(document)
    for name, value in leg.fields.items():
        if not _is_encodable(value):
            raise BadDocumentError("encoding", f"{name} is not UTF-8")
    return leg


def _leg(document: _Document) -> Leg:
    values = _decoded(document.variables)
    profile = document.profiles[0] if document.profiles else {}
    first = document.profiles[-1] if document.profiles else {}
    if not values and not profile:
        raise BadDocumentError("record", "the document says nothing of a call")
    application = values.get("last_app") or values.get("current_application", "")
    # What answers a leg is an application: a record that names none was cut down by its owner.
    if not application or any(values.get(name) for name in _OTHER_LEG):
        application = "bridge"
    fields = {
        "accountcode": values.get("accountcode", ""),
        "channel": values.get("channel_name", ""),
        "src": profile.get("caller_id_number") or values.get("caller_id_number", ""),
        "dst": profile.get("destination_number") or values.get("destination_number", ""),
        "did": first.get("destination_number", ""),
        "userfield": values.get("userfield", ""),
        "context": profile.get("context", ""),
        "application": application,
        "start": _start(values),
        "seconds": values.get("billsec", ""),
        "duration": values.get("duration", ""),
        "uniqueid": values.get("uuid") or profile.get("uuid", ""),
    }
    if flow := _flow(document.profiles):
        fields["lastdata"] = flow
    made_for = (values.get(name, "") for name in _MADE_FOR)
    fields["linkedid"] = next(filter(_UUID.fullmatch, made_for), fields["uniqueid"])
    answered = (
        _MORE_THAN_ZERO.fullmatch(fields["seconds"])
        or _MORE_THAN_ZERO.fullmatch(values.get("answer_epoch", ""))
        or not _NO_STAMP.match(values.get("answer_stamp", ""))
    )
    made = any(values.get(name) for name in _MADE_FOR) or any(
        "originator" in each for each in document.profiles
    )
    return Leg(fields, bool(answered), made)


UNTOLD = "?"
"""The way of a leg that went to several numbers, and does not say when."""


def _flow(profiles: Sequence[Mapping[str, str]]) -> str:
    """Return the way of a leg that was transferred: numbers, each with when it was reached.

    The caller's profile is made anew by a transfer: each has the number and the times at which it
    began, was connected and ended. A number that was connected with nothing, such as a menu, is
    no part of the way. (Source: FreeSWITCH, ``switch_channel_set_caller_profile``.)

    Args:
        profiles: the latest first.

    Returns:
        ``NUMBER@EPOCH+SECONDS``, parted by spaces, empty where the leg had one number alone.
    """
    if len({profile.get("destination_number", "") for profile in profiles}) < 2:  # noqa: PLR2004
        return ""
    way: list[tuple[str, int, int]] = []
    for profile in reversed(profiles):
        number = profile.get("destination_number", "")
        times = {name: _microseconds(profile.get(name, "")) for name in _TIMES}
        end = times["transfer_time"] or times["hangup_time"]
        if not times["answered_time"] and not end:
            return UNTOLD if all(not profile.get(name) for name in _TIMES) else ""
        begin = max(times["answered_time"], times["profile_created_time"], times["bridged_time"])
        if not times["bridged_time"] or begin >= end or re.search(r"[\s@+]", number):
            continue
        way.append((number, begin, end))
    if len({number for number, _, _ in way}) < 2:  # noqa: PLR2004
        return ""
    first = way[0][1]
    parts = []
    for number, begin, end in way:
        seconds = (end - first) // _MICRO - (begin - first) // _MICRO
        parts.append(f"{number}@{begin // _MICRO}+{seconds}")
    return " ".join(parts)


_MICRO = 1_000_000


def _microseconds(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,17}", text, re.ASCII) else 0


def _decoded(variables: dict[str, str]) -> dict[str, str]:
    """Decode variables, unless a stamp with a space shows that they were not encoded."""
    if " " in variables.get("start_stamp", ""):
        return variables
    return {
        name: urllib.parse.unquote(value, errors="surrogateescape") if "%" in value else value
        for name, value in variables.items()
    }


def _start(values: dict[str, str]) -> str:
    """Return the start of the leg, from the epoch if there is one: it needs no zone."""
    epoch = values.get("start_epoch", "")
    if not _EPOCH.fullmatch(epoch):
        return values.get("start_stamp", "")
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(int(epoch)))


def _json(data: bytes) -> _Document:
    """Parse a JSON document, keeping numbers as text."""
    try:
        top = _LENIENT.decode(data.decode("utf-8", "surrogateescape"))
    except RecursionError:
        raise BadDocumentError("unreadable", "the JSON is nested too deeply") from None
    except ValueError as error:
        raise BadDocumentError("unreadable", f"no JSON: {str(error).lower()}") from None
    top = top if isinstance(top, dict) else {}
    flow = top.get("callflow")
    flows = [
        entry for entry in (flow if isinstance(flow, list) else [flow]) if isinstance(entry, dict)
    ]
    profiles = []
    for entry in sorted(flows, key=lambda entry: -_number(entry.get("profile_index"))):
        profile = entry.get("caller_profile")
        if isinstance(profile, dict):
            marks = {"originator": "yes"} if profile.get("originator") else {}
            profiles.append(_texts(profile, _PROFILE) | _texts(entry.get("times"), _TIMES) | marks)
    return _Document(_texts(top.get("variables"), _VARIABLES), profiles)


_LENIENT = json.JSONDecoder(strict=False, parse_int=str, parse_float=str, parse_constant=str)


def _texts(values: Any, names: tuple[str, ...]) -> dict[str, str]:
    """Return those of some named values that are text."""
    if not isinstance(values, Mapping):
        return {}
    pairs = ((name, values.get(name)) for name in names)
    return {name: value for name, value in pairs if isinstance(value, str)}


def _number(text: Any) -> int:
    return int(text) if isinstance(text, str) and re.fullmatch("[0-9]{1,9}", text, re.ASCII) else 0


def _xml(data: bytes) -> _Document:
    """Parse an XML document.

    FreeSWITCH writes control characters as they are, and bytes that are not UTF-8, though XML has
    neither.
    """
    reader = _Xml()
    text = data.translate(None, _CONTROLS).decode("utf-8", "replace")
    try:
        reader.parser.Parse(text.encode(), True)
    except xml.parsers.expat.ExpatError as error:
        raise BadDocumentError("unreadable", f"no XML: {error}") from None
    profiles = [profile for _, profile in sorted(reader.profiles, key=lambda indexed: -indexed[0])]
    return _Document(reader.variables, profiles)


class _Xml:
    """Handlers for expat that keep only the values needed."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.profiles: list[tuple[int, dict[str, str]]] = []
        self._path: list[str] = []
        self._index = 0
        self._text: list[str] | None = None
        self.parser = xml.parsers.expat.ParserCreate("utf-8")
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _doctype(self, *_: object) -> None:
        raise BadDocumentError("unreadable", "the XML declares a document type; no record does")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        path = self._path
        path.append(name)
        if len(path) > _DEEPEST:
            raise BadDocumentError("unreadable", "the XML is nested too deeply")
        if path == ["cdr", "callflow"]:
            self._index = _number(attributes.get("profile_index"))
        elif path == ["cdr", "callflow", "caller_profile"]:
            self.profiles.append((self._index, {}))
        elif self._values(name) is not None:
            self._text = []

    def _values(self, name: str) -> dict[str, str] | None:
        """Return the values to which the open element belongs, or None."""
        above = self._path[:-1]
        if above == ["cdr", "variables"] and name in _VARIABLES:
            return self.variables
        if above == ["cdr", "callflow", "caller_profile"] and name in {*_PROFILE, "originator"}:
            return self.profiles[-1][1]
        if above == ["cdr", "callflow", "times"] and name in _TIMES and self.profiles:
            return self.profiles[-1][1]
        return None

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, name: str) -> None:
        if self._text is not None and (values := self._values(name)) is not None:
            values[name] = "".join(self._text).strip()
            self._text = None
        self._path.pop()


def _is_encodable(text: str) -> bool:
    """Return whether a text came from UTF-8: other bytes are lone surrogates or U+FFFD."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\ufffd" not in text
