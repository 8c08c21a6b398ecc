"""Convert providers' forms of times and lengths to the common form of rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import e164, local_forms
from a2ledger import times as clock
from a2ledger.sources.batch import UnusableInput

if TYPE_CHECKING:
    from pathlib import Path

_SAMPLE = 1000
_WALL = len("2026-01-31 23:59:59")
_ISO = r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}"
_EPOCHS = {
    "epoch": (r"^[0-9]{9,10}(\.[0-9]{1,9})?$", 1, 0),
    "epoch-ms": (r"^[0-9]{12,13}$", 1000, 0),
    "epoch-us": (r"^[0-9]{15,16}$", 1_000_000, 0),
    # Seconds since the year 0, as Erlang's calendar counts them.
    "gregorian": (r"^6[0-9]{10}$", 1, 62_167_219_200),
}
"""Times that are numbers: their pattern, units per second, and the second of 1970."""

EPOCHS = tuple(_EPOCHS)

_SHORT_DATE = r"(?P<a>[0-9]{1,2})[-/.](?P<b>[0-9]{1,2})[-/.](?P<y2>[0-9]{4})"
_DATE = (
    r"(?:(?P<y1>[0-9]{4})[-/.](?P<m>[0-9]{1,2})[-/.](?P<d1>[0-9]{1,2})"
    r"|(?P<y5>[0-9]{4})(?P<m2>[0-9]{2})(?P<d4>[0-9]{2})"
    rf"|{_SHORT_DATE}"
    r"|(?P<d2>[0-9]{1,2})[ -](?P<n1>[A-Za-z]{3,9})\.?,?[ -](?P<y3>[0-9]{2}|[0-9]{4})"
    r"|(?P<n2>[A-Za-z]{3,9})\.? (?P<d3>[0-9]{1,2}),? (?P<y4>[0-9]{4}))"
)
_CLOCK = (
    r"(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r"(?: ?(?P<p>[AaPp])\.?[Mm]\.?)?"
)
_ZONE = r"(?: ?(?P<z>[A-Za-z]{1,4}|(?:UTC|GMT)?[+-][0-9]{2}(?::?[0-9]{2})?))?(?: ?\([A-Za-z ]+\))?"
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?"
_TIME = rf"^{_WEEKDAY}{_DATE}(?: ?T ?| |, ?){_CLOCK}{_ZONE}$"
_SHORT = rf"^{_SHORT_DATE}(?: ?T ?| |, ?)[0-9]"
_COMPACT = r"^([0-9]{8})T?([0-9]{2})([0-9]{2})([0-9]{2})(Z|[+-][0-9]{2}:?[0-9]{2})?$"
_CLOCK_FIRST = (
    r"^([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: ?[AaPp]\.?[Mm]\.?)?)( [A-Z]{1,4})?,? "
    r"([0-9]{1,4}[-/.].+)$"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_HOURS = {
    zone: hours
    for hours, zones in (
        *((0, "Z UTC GMT UT WET"), (1, "CET WEST"), (2, "EET CEST"), (3, "EEST")),
        *((-4, "EDT"), (-5, "EST CDT"), (-6, "CST MDT"), (-7, "MST PDT"), (-8, "PST")),
    )
    for zone in zones.split()
}
"""Hours ahead of UTC of zones named by words: those of RFC 2822, and Europe's."""

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{2}):?([0-9]{2})?")
_WRITTEN = "%Y-%m-%d %H:%M:%S"


def recognised(
    path: Path | str, setting: str, starts: Iterable[pa.StringArray], order: str = ""
) -> str:
    """Return the form of a file's times, if all of them share one.

    Args:
        path: of the file.
        setting: where a person may say the form.
        starts: the times, piece by piece.
        order: what short dates begin with where the file does not show it: ``day`` or ``month``.

    Returns:
        For :func:`times`: ``""`` for ``2026-01-31 23:59:59`` and for what cannot be told, one of
        :data:`EPOCHS`, ``day first``, ``month first``, or ``written`` for all others.

    Raises:
        UnusableInput: where all are a day and a month, and none shows which is which.
    """
    seen: Counter[str] = Counter()
    example = ""
    for column in starts:
        texts = pc.fill_null(column, "")
        if _count(texts.slice(0, _SAMPLE), _ISO) or _count(texts, _ISO):
            return ""
        texts = _tidy(texts)
        for form, (pattern, _, _) in _EPOCHS.items():
            seen[form] += _count(texts, pattern)
        short = pc.match_substring_regex(texts, _SHORT)
        dates = texts.filter(short)
        for form, count in _days(dates):
            seen[form] += count
        example = example or (dates[0].as_py() if len(dates) else "")
        seen["written"] += _count(texts.filter(pc.invert(short)), _TIME)
    either = seen.pop("either", 0)
    forms_seen = [form for form, count in seen.items() if count]
    if either and not {"day first", "month first"}.intersection(forms_seen):
        if order:
            return f"{order} first"
        day = example.partition(" ")[0]
        readings = " or ".join(local_forms.iso([day], first)[0] for first in ("day", "month"))
        raise UnusableInput(
            f"{path}:1: it is unclear which number in its dates is the day and which the month: "
            f"{day} may be {readings}",
            undone="nothing was read from it",
            todo=f'set {setting} = "%d/%m/%Y %H:%M:%S", or [locale] dates = "day" or "month"',
        )
    orders = [form for form in forms_seen if form.endswith(" first")]
    if orders and "written" in forms_seen:
        seen[orders[0]] += seen.pop("written")  # what is not short needs no order
    if len(orders) > 1:
        return "written"
    return max(forms_seen, key=lambda form: seen[form], default="")


def _days(written: pa.StringArray) -> Iterable[tuple[str, int]]:
    """Count the dates that show which number is the day."""
    parts = pc.extract_regex(written, f"^{_SHORT_DATE}")
    first, two = (
        np.asarray(pc.cast(pc.struct_field(parts, name), pa.int64())) for name in ("a", "b")
    )
    months = len(_MONTHS)
    yield "day first", int(((first > months) & (two <= months)).sum())
    yield "month first", int(((two > months) & (first <= months)).sum())
    yield "either", int(((first <= months) & (two <= months)).sum())


def times(written: pa.StringArray, form: str) -> pa.StringArray:
    """Return times as ``2026-01-31 23:59:59``, with an offset from UTC if they have one.

    What is not in the form stays as it is.

    Args:
        written: the times, shape (n,); no nulls.
        form: as :func:`recognised` says, or a format of ``strptime``.
    """
    if form in _EPOCHS:
        return _from_epochs(written, form)
    if "%" in form:
        return _from_format(written, form)
    if not form:
        lengths = pc.min_max(pc.binary_length(written)).as_py()
        if lengths["min"] == lengths["max"] == _WALL:
            return written
        odd = pa.array(~clock.parse(written).valid)
        if not pc.any(odd).as_py():
            return written
        return pc.replace_with_mask(written, odd, _from_text(written.filter(odd), form))
    return _from_text(written, form)


def _from_epochs(written: pa.StringArray, form: str) -> pa.StringArray:
    pattern, unit, beginning = _EPOCHS[form]
    fits = pc.match_substring_regex(written, pattern)
    whole = pc.replace_substring_regex(
        pc.if_else(fits, written, str(beginning * unit)), r"\..*$", ""
    )
    instants = pc.subtract(pc.divide(pc.cast(whole, pa.int64()), unit), beginning)
    texts = pc.strftime(pc.cast(instants, pa.timestamp("s")), format=f"{_WRITTEN}Z")
    return pc.if_else(fits, texts, written)


def _from_format(written: pa.StringArray, form: str) -> pa.StringArray:
    """Parse times by a format, and a fraction and a zone at their end separately."""
    texts, zones = _tidy(written), None
    pattern = form
    if match := re.search(r"(?:[.,]%f)? ?%[zZ]$", pattern):
        pattern = pattern[: match.start()]
        parts = pc.extract_regex(texts, rf"^(?P<rest>.*?){_ZONE}$")
        texts = pc.fill_null(pc.struct_field(parts, "rest"), "")
        zones = _offsets(pc.fill_null(pc.struct_field(parts, "z"), ""))
    if match or pattern.endswith("%f"):
        pattern = re.sub(r"[.,]%f$", "", pattern)
        texts = pc.replace_substring_regex(texts, r"[.,][0-9]{1,9}$", "")
    parsed = pc.strptime(texts, format=pattern, unit="s", error_is_null=True)
    # 31 February is parsed as 3 March: compare the text written from it with the original.
    same = pc.equal(_bare(pc.strftime(parsed, format=pattern)), _bare(texts))
    formatted = pc.strftime(pc.if_else(same, parsed, None), format=_WRITTEN)
    if zones is not None:
        formatted = pc.binary_join_element_wise(formatted, zones, "")
    return pc.coalesce(formatted, written)


def _bare(written: pa.StringArray) -> pa.StringArray:
    """Normalise what may be written in two ways: zeros before a number, capitals."""
    return pc.replace_substring_regex(pc.utf8_lower(written), r"\b0+([0-9])", r"\1")


def _tidy(written: pa.StringArray) -> pa.StringArray:
    """Normalise spaces, put the day before the time, and separate compact digits."""
    texts = pc.utf8_trim_whitespace(pc.replace_substring_regex(written, r"[\s\pZ]+", " "))
    texts = pc.replace_substring_regex(texts, _COMPACT, r"\1T\2:\3:\4\5")
    return pc.replace_substring_regex(texts, _CLOCK_FIRST, r"\3 \1\2")


def _from_text(written: pa.StringArray, form: str) -> pa.StringArray:
    """Parse times of words and numbers, and short dates by the order of day and month."""
    parts = pc.extract_regex(_tidy(written), _TIME)

    def part(*names: str) -> pa.StringArray:
        """Return the text of whichever of these groups matched."""
        texts = [pc.fill_null(pc.struct_field(parts, name), "") for name in names]
        return texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, "")

    day, month = {"day first": ("a", "b"), "month first": ("b", "a")}.get(form, ("", ""))
    names = pc.utf8_lower(pc.utf8_slice_codeunits(part("n1", "n2"), 0, 3))
    named = pc.fill_null(pc.add(pc.index_in(names, value_set=pa.array(_MONTHS)), 1), 0)
    spelled = pc.if_else(pc.equal(named, 0), "", pc.cast(named, pa.string()))
    months = [part("m", "m2"), spelled, *([part(month)] if month else [])]
    days = part("d1", "d2", "d3", "d4", *([day] if day else []))
    year = part("y1", "y2", "y3", "y4", "y5")
    year = pc.if_else(
        pc.equal(pc.binary_length(year), 2), pc.binary_join_element_wise("20", year, ""), year
    )
    hour, sound = _hours(part("H"), pc.utf8_lower(part("p")))
    date = pc.binary_join_element_wise(
        year, _two(pc.binary_join_element_wise(*months, "")), _two(days), "-"
    )
    second = part("S")
    time = pc.binary_join_element_wise(
        hour, part("M"), pc.if_else(pc.equal(second, ""), "00", second), ":"
    )
    zone = _offsets(part("z"))
    read = pc.fill_null(
        pc.binary_join_element_wise(pc.binary_join_element_wise(date, time, " "), zone, ""), ""
    )
    valid = pc.and_(pa.array(clock.parse(read).valid), sound)
    return pc.if_else(pc.and_(valid, parts.is_valid()), read, written)


def _hours(hours: pa.StringArray, halves: pa.StringArray) -> tuple[pa.StringArray, pa.BooleanArray]:
    """Return hours of the day in two digits, and whether they are valid with am and pm."""
    number = pc.cast(pc.if_else(pc.equal(hours, ""), "0", hours), pa.int64())
    by_halves = pc.not_equal(halves, "")
    afternoon = pc.if_else(pc.equal(halves, "p"), 12, 0)
    twelve = pc.add(pc.if_else(pc.equal(number, 12), 0, number), afternoon)
    sound = pc.or_(pc.invert(by_halves), pc.and_(pc.greater(number, 0), pc.less_equal(number, 12)))
    return _two(pc.cast(pc.if_else(by_halves, twelve, number), pa.string())), sound


def _two(numbers: pa.StringArray) -> pa.StringArray:
    return pc.utf8_lpad(numbers, 2, "0")


def _offsets(zones: pa.StringArray) -> pa.StringArray:
    """Return offsets from UTC as ``+01:00``, null for an unknown zone."""
    encoded = zones.dictionary_encode()
    known = [_offset(zone) for zone in encoded.dictionary.to_pylist()]
    return pa.array(known, pa.string()).take(encoded.indices)


def _offset(zone: str) -> str | None:
    if not zone:
        return ""
    if (hours := _HOURS.get(zone.upper())) is not None:
        return f"{'-' if hours < 0 else '+'}{abs(hours):02}:00"
    match = _OFFSET.fullmatch(zone.upper())
    return f"{match[1]}{match[2]}:{match[3] or '00'}" if match else None


# Lengths

UNITS = ("seconds", "minutes", "milliseconds")
"""The units of a column of lengths."""

_CLOCKED = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,4}):([0-5][0-9])(?:[.,]([0-9]{1,9}))?", re.ASCII)
_NUMBER = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9})|,([0-9]{1,2}))?", re.ASCII)
_DAYS = re.compile(
    r"(?P<days>[0-9]{1,2})(?:\.| ?d(?:ays?)?,? ?)(?P<rest>[0-9]{1,2}:[0-9]{2}:.*)", re.ASCII
)
"""A length of a day or more, such as ``1.02:03:04`` or ``1 day, 2:03:04``."""
_WORDS = re.compile(
    r"(?:PT)?(?:([0-9]{1,3}) ?h[a-z.]*)? ?(?:([0-9]{1,4}) ?m[a-z.]*)? ?(?:([0-9]{1,6}) ?s[a-z.]*)?",
    re.ASCII | re.IGNORECASE,
)
_LARGEST_MINUTE = 59


def seconds(written: pa.StringArray, unit: str = "seconds") -> pa.StringArray:
    """Return lengths in whole seconds, rounded up: ``1:02:03`` is 3723.

    Args:
        written: the lengths, shape (n,); no nulls.
        unit: one of :data:`UNITS`. ``1:30`` is read where they are minutes: a minute and a half.

    Returns:
        The seconds as text; what is no length stays as it is.
    """
    if unit == "seconds" and e164.are_digits(written):
        return written
    encoded = written.dictionary_encode()
    read = [_length(text, unit) for text in encoded.dictionary.to_pylist()]
    return pa.array(read, pa.string()).take(encoded.indices)


def _length(text: str, unit: str) -> str:
    stripped = text.strip()
    if match := _DAYS.fullmatch(stripped):
        rest = _length(match["rest"], unit)
        return str(int(match["days"]) * clock.DAY + int(rest)) if rest.isdecimal() else text
    if match := _NUMBER.fullmatch(stripped):
        whole, *fractions = match.groups()
        fraction = fractions[0] or fractions[1] or ""
        number = int(whole + fraction)  # in units of 10 ** -len(fraction)
        factor, divisor = {"minutes": (60, 1), "milliseconds": (1, 1000)}.get(unit, (1, 1))
        return str(-(-number * factor // (divisor * 10 ** len(fraction))))
    if match := _CLOCKED.fullmatch(stripped):
        hours, minutes, rest, fraction = match.groups()
        if hours is None and unit != "minutes":
            return text  # minutes, or hours: nobody can tell
        if hours is None or int(minutes) <= _LARGEST_MINUTE:
            begun = int(bool(fraction and int(fraction)))
            return str(int(hours or 0) * 3600 + int(minutes) * 60 + int(rest) + begun)
    if stripped[-1:].isalpha() and (match := _WORDS.fullmatch(stripped)):
        parts = [int(part or 0) for part in match.groups()]
        return str(parts[0] * 3600 + parts[1] * 60 + parts[2]) if any(match.groups()) else text
    return text


def _count(written: pa.StringArray, pattern: str) -> int:
    return int(pc.sum(pc.match_substring_regex(written, pattern)).as_py() or 0)
