"""The ids of calls, and how a call is written down that lost a conflict over one."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from a2ledger.sources.batch import CALL, Refused, digest


def identity(switch: str, uid: str, seq: str) -> str:
    """Return a call's id as text."""
    return f"{switch}/{uid}/{seq}" if seq else f"{switch}/{uid}"


def identities(calls: pa.Table) -> Iterable[str]:
    """Return the ids of calls as text."""
    return itertools.starmap(identity, keys(calls))


def keys(calls: pa.Table) -> Iterator[tuple[str, str, str]]:
    """Yield the switch, uniqueid and sequence of calls."""
    return zip(*(calls[name].to_pylist() for name in ("switch", "uid", "seq")), strict=True)


def conflicts(calls: pa.Table) -> list[Refused]:
    """Return calls that lost a conflict, as they are put into the quarantine."""
    return [
        Refused(
            row["file"],
            row["line"],
            "conflict",
            "another call with this id is in the book; `quarantine retry --accept` adds this one",
            written(row),
            of_rival(row),
            CALL,
        )
        for row in calls.to_pylist()
    ]


def of_rival(row: dict[str, Any]) -> str:
    """Return the identity of a conflict, as the plain id belongs to the call kept."""
    name = identity(row["switch"], row["uid"], row["seq"])
    return f"{name}#{digest(_content(row))[:8]}"


_WRITTEN = (
    *("customer", "start", "called", "caller", "seconds", "switch", "uid", "seq"),
    *("service", "identifier", "tariff", "halves", "direction", "leg", "extension"),
)


def written(row: Mapping[str, Any]) -> str:
    """Serialise a call so that it can be read again, with a price only if its row gave it."""
    call = {name: row[name] for name in _WRITTEN} | {"start": row["start"].isoformat()}
    if row["given"]:
        call["given_micro"] = row["cost_micro"] + row["voided_micro"]
    return json.dumps(call, ensure_ascii=False)


def _content(row: dict[str, Any]) -> str:
    return f"{row['customer']},{row['start']:%Y-%m-%d %H:%M:%S},{row['called']},{row['seconds']}"


def equal(
    calls: pa.Table, places: npt.NDArray[np.int64], others: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return a mask of the calls at some places that equal one at other places."""
    if not len(places) or not len(others):
        return np.zeros(len(places), np.bool_)
    known = set(keys(calls.take(pa.array(others))))
    return np.array([key in known for key in keys(calls.take(pa.array(places)))], np.bool_)
