"""Times and lengths as providers write them, in the forms rows of a feed have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.sources.batch import UnusableInput

if TYPE_CHECKING:
    from pathlib import Path

_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}"
_EPOCHS = {"epoch": r"^[0-9]{9,10}(\.[0-9]{1,9})?$", "epoch-ms": r"^[0-9]{12,13}$"}
_DAY = r"^(?P<one>[0-9]{1,2})[/.-](?P<two>[0-9]{1,2})[/.-][0-9]{4}"
_YEAR_FIRST = r"^[0-9]{4}[/.][0-9]{1,2}[/.][0-9]{1,2}"
_CLOCK = r" [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?$"
_MONTHS = 12
_WRITTEN = "%Y-%m-%d %H:%M:%S"
_ORDERS = {"day first": "%d-%m-%Y", "month first": "%m-%d-%Y", "year first": "%Y-%m-%d"}

_CLOCKED = r"^(?P<h>[0-9]{1,3}):(?P<m>[0-5][0-9]):(?P<s>[0-5][0-9])(?:\.(?P<f>[0-9]{1,9}))?$"
_FRACTION = r"^(?P<s>[0-9]{1,9})\.(?P<f>[0-9]{1,9})$"


def recognised(path: Path, source: str, starts: Iterable[pa.StringArray]) -> str:
    """The form of a file's times, if all of them that have any have one and the same.

    Returns:
        For :func:`times`: ``""`` for ``2026-01-31 23:59:59`` and for what cannot be told,
        ``epoch``, ``epoch-ms``, ``day first``, ``month first`` or ``year first``.

    Raises:
        UnusableInput: where all are a day and a month, and none shows which is which.
    """
    seen: Counter[str] = Counter()
    for column in starts:
        written = pc.utf8_trim_whitespace(column)
        if _count(written, _ISO):
            return ""
        for form, pattern in _EPOCHS.items():
            seen[form] += _count(written, pattern)
        seen["year first"] += _count(written, _YEAR_FIRST + _CLOCK)
        for form, count in _days(written.filter(pc.match_substring_regex(written, _DAY + _CLOCK))):
            seen[form] += count
    either = seen.pop("either", 0)
    found = [form for form, count in seen.items() if count]
    if either and not {"day first", "month first"}.intersection(found):
        raise UnusableInput(
            f"{path}:1: its days cannot be told from its months; nothing was read from it; "
            f'set sources.{source}.time_format = "%d/%m/%Y %H:%M:%S", or with %m first'
        )
    return found[0] if len(found) == 1 else ""


def _days(written: pa.StringArray) -> Iterable[tuple[str, int]]:
    """How many of some dates show which of their numbers is the day."""
    parts = pc.extract_regex(written, _DAY)
    one, two = (
        np.asarray(pc.cast(pc.struct_field(parts, name), pa.int64())) for name in ("one", "two")
    )
    yield "day first", int((one > _MONTHS).sum())
    yield "month first", int((two > _MONTHS).sum())
    yield "either", int(((one <= _MONTHS) & (two <= _MONTHS)).sum())


def times(written: pa.StringArray, form: str) -> pa.StringArray:
    """Times as ``2026-01-31 23:59:59``, those that are epochs with ``Z``.

    What is not in the form stays as it is.

    Args:
        written: the times.
        form: as :func:`recognised` says, or a format of ``strptime``.
    """
    if not form:
        return written
    if form in _EPOCHS:
        fits = pc.match_substring_regex(written, _EPOCHS[form])
        whole = pc.replace_substring_regex(pc.if_else(fits, written, "0"), r"\..*$", "")
        number = pc.cast(whole, pa.int64())
        instants = pc.divide(number, 1000) if form == "epoch-ms" else number
        shown = pc.strftime(pc.cast(instants, pa.timestamp("s")), format=f"{_WRITTEN}Z")
        return pc.if_else(fits, shown, written)
    found = pa.nulls(len(written), pa.timestamp("s"))
    for text, pattern in _patterns(written, form):
        parsed = pc.strptime(text, format=pattern, unit="s", error_is_null=True)
        # 31 February is parsed as 3 March: what is written again must be what was read.
        same = pc.equal(_bare(pc.strftime(parsed, format=pattern)), _bare(text))
        found = pc.coalesce(found, pc.if_else(same, parsed, None))
    return pc.coalesce(pc.strftime(found, format=_WRITTEN), written)


def _bare(written: pa.StringArray) -> pa.StringArray:
    """A text less what may be written in two ways: zeros before a number, capitals."""
    return pc.replace_substring_regex(pc.utf8_lower(written), r"\b0+([0-9])", r"\1")


def _patterns(written: pa.StringArray, form: str) -> Iterable[tuple[pa.StringArray, str]]:
    if form not in _ORDERS:
        yield written, form
        return
    text = pc.replace_substring_regex(written, "[/.]", "-")
    yield text, f"{_ORDERS[form]} %H:%M:%S"
    yield text, f"{_ORDERS[form]} %H:%M"


def seconds(written: pa.StringArray) -> pa.StringArray:
    """Lengths as whole seconds: ``1:02:03`` is 3723, and a second that was begun counts.

    What is neither that nor a number with a fraction stays as it is.
    """
    for pattern in (_CLOCKED, _FRACTION):
        fits = pc.match_substring_regex(written, pattern)
        if pc.any(fits).as_py():
            parts = pc.extract_regex(pc.if_else(fits, written, ""), pattern)
            written = pc.if_else(fits, pc.cast(_whole(parts), pa.string()), written)
    return written


def _whole(parts: pa.StructArray) -> pa.Int64Array:
    def number(name: str) -> pa.Int64Array:
        if parts.type.get_field_index(name) < 0:
            return pa.array(np.zeros(len(parts), np.int64))
        text = pc.fill_null(pc.struct_field(parts, name), "0")
        return pc.cast(pc.if_else(pc.equal(text, ""), "0", text), pa.int64())

    clock = pc.add(pc.multiply(number("h"), 3600), pc.multiply(number("m"), 60))
    begun = pc.cast(pc.greater(number("f"), 0), pa.int64())
    return pc.add(pc.add(clock, number("s")), begun)


def _count(written: pa.StringArray, pattern: str) -> int:
    return int(pc.sum(pc.match_substring_regex(written, pattern)).as_py() or 0)
