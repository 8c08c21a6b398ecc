"""``a2ledger rate``: price calls without a book, CSV in and CSV out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from a2ledger import csvfile, e164, money
from a2ledger import times as clock
from a2ledger.book.source_config import Source
from a2ledger.rating import prefixes, rate
from a2ledger.rating.deck import MAX_SECONDS, Deck, Tariff
from a2ledger.records import Problem
from a2ledger.sources import forms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = ("id", "called", "start", "seconds")
OUTPUT = ("id", "prefix", "destination", "billed_seconds", "cost", "buy_cost", "reason")

_ODD = ('"', "#", "\r", "\t", "\ufeff", "\n\n", "\n,", "\n ", " \n", " ,", ", ")
_SOURCE = Source(name="calls", dialect="calls", switch="calls", timezone="UTC")
_CHUNK = 1_000_000


def price(
    calls_text: str, *, file: str, deck: Deck, zone: str = "UTC", time_format: str = ""
) -> tuple[str, list[Problem]]:
    """Price calls in CSV, and return them as CSV.

    Args:
        calls_text: CSV with a header that names :data:`COLUMNS` in any order; others are
            ignored. ``start`` may have any form that :mod:`a2ledger.sources.forms` knows.
        file: what the text is called in problems.
        deck: the rates. A number is looked up as it is written and, where no prefix fits it so,
            as ``import calls`` would: without ``+``, ``00`` and what is only for the eye.
        zone: of the clock the deck's times are written for; a start that says no offset from
            UTC is on it.
        time_format: of ``start``, where it is not recognised.

    Returns:
        CSV with a header and :data:`OUTPUT`, a row for each call that could be read, in order;
        ``reason`` is ``no-rate`` where the deck does not know the number. And a problem for
        each row that could not be read, in order of lines.

    Raises:
        UnusableInput: if nothing shows which of its numbers are days and which are months.
    """
    columns, lines, problems = _read(calls_text, file)
    form = time_format or forms.recognised(file, "--time-format", [columns["start"]])
    columns = {**columns, "start": forms.times(columns["start"], form)}
    parts = [",".join(OUTPUT) + "\n"]
    tariff = Tariff(name=deck.name, decks=(deck,))
    for begin in range(0, len(lines), _CHUNK):
        part = {name: column.slice(begin, _CHUNK) for name, column in columns.items()}
        calls, wrong = _calls(part, lines[begin : begin + _CHUNK], file, zone)
        problems += wrong
        parts.append(_written(calls.column("id"), _rated(calls, tariff)))
    return "".join(parts), sorted(problems, key=lambda problem: problem.line)


def _read(text: str, file: str) -> tuple[Mapping[str, Any], Sequence[int], list[Problem]]:
    """Return columns of text by name, the line of each row, and problems."""
    if (plain := _read_plain(text)) is not None:
        return plain, range(2, len(plain["id"]) + 2), []
    rows, problems = csvfile.read(text, file=file, known=COLUMNS, required=COLUMNS)
    columns = {name: pa.array(rows.columns.get(name, ()), pa.string()) for name in COLUMNS}
    return columns, rows.lines, problems


def _read_plain(text: str) -> Mapping[str, Any] | None:
    """Parse a text with one line per row, without quotes, comments or gaps.

    Such a text Arrow reads many times faster; None for all others.
    """
    if text.startswith(("\n", " ")) or any(odd in text for odd in _ODD):
        return None
    header = text.partition("\n")[0].split(",")
    if any(header.count(name) != 1 for name in COLUMNS):
        return None
    try:
        read = pyarrow.csv.read_csv(
            # Arrow's readers outlive a Python file object at the end of the process, and abort it.
            pa.BufferReader(text.encode()),
            parse_options=pyarrow.csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=COLUMNS,
                column_types=dict.fromkeys(COLUMNS, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return {name: read.column(name).combine_chunks() for name in COLUMNS}


def _calls(
    columns: Mapping[str, Any], lines: Sequence[int], file: str, zone: str
) -> tuple[pa.RecordBatch, list[Problem]]:
    """Return the calls that can be priced, and problems of the others."""
    seconds = _whole(forms.seconds(columns["seconds"]))
    local = _times(columns["start"], zone)
    checks = (
        (pc.not_equal(columns["called"], ""), "called", "is empty"),
        (pc.is_valid(local), "start", "{!r} is not a time such as 2026-02-01 13:45:00"),
        (
            pc.fill_null(pc.less_equal(seconds, MAX_SECONDS), False),
            "seconds",
            f"{{!r}} is not a whole number of seconds up to {MAX_SECONDS:,}",
        ),
    )
    good = np.ones(len(lines), np.bool_)
    problems = []
    for right, column, message in checks:
        right_here = right.to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(good & ~right_here).tolist():
            text = f"{column}: {message.format(columns[column][row].as_py())}"
            problems.append(Problem(file, lines[row], f"bad-{column}", text))
        good &= right_here
    batch = pa.RecordBatch.from_pydict(
        {
            "id": columns["id"],
            "called": columns["called"],
            "local": local,
            "seconds": seconds,
            "tariff": pa.array(np.zeros(len(lines), np.int32)),
        }
    )
    return batch if good.all() else batch.filter(pa.array(good)), problems


def _whole(texts: Any) -> Any:
    right = pc.match_substring_regex(texts, "^[0-9]{1,9}$")
    return pc.cast(pc.if_else(right, texts, None), pa.int64())


def _times(texts: Any, zone: str) -> Any:
    """Return times by the clock of a zone, null where there is none."""
    times = clock.parse(texts)
    naive = times.naive.copy()
    stated = np.flatnonzero(times.valid & (times.offset != clock.NO_OFFSET))
    naive[stated] = clock.to_naive(naive[stated] - times.offset[stated], zone)
    return pa.array(naive, mask=~times.valid).cast(pa.timestamp("s"))


def _rated(calls: pa.RecordBatch, tariff: Tariff) -> pa.RecordBatch:
    """Rate calls, normalising the number of those that match no prefix of their own."""
    rated = rate.rate(calls, [tariff])
    called = calls.column("called")
    number = e164.digits(called, _SOURCE)
    general = pc.is_in(rated.column("prefix"), pa.array(["", prefixes.DEFAULT, prefixes.WORLD]))
    again = np.flatnonzero(pc.and_(pc.not_equal(number, called), general))
    if not again.size:
        return rated
    place = calls.schema.get_field_index("called")
    retried = rate.rate(calls.set_column(place, "called", number).take(pa.array(again)), [tariff])
    choice = np.arange(len(calls))
    choice[again] = len(calls) + np.arange(again.size)
    return pa.concat_batches([rated, retried]).take(pa.array(choice))


def _written(ids: Any, rated: pa.RecordBatch) -> str:
    """Return the CSV text of rated calls, without a header."""
    if not len(ids):
        return ""
    columns = [
        _quoted(ids),
        _quoted(rated.column("prefix")),
        _quoted(rated.column("destination")),
        pc.cast(rated.column("billed_seconds"), pa.string()),
        _amounts(rated.column("cost_micro")),
        _amounts(rated.column("buy_micro")),
        pc.binary_join_element_wise(rated.column("reason"), "", "\n"),
    ]
    large = [pc.cast(column, pa.large_string()) for column in columns]
    return "".join(
        pc.binary_join_element_wise(*large, pa.scalar(",", pa.large_string())).to_pylist()
    )


def _quoted(texts: Any) -> Any:
    formula = pc.and_(
        pc.match_substring_regex(texts, csvfile.FORMULA),
        pc.invert(pc.match_substring_regex(texts, csvfile.NUMBER)),
    )
    if pc.any(formula).as_py():
        texts = pc.if_else(formula, pc.binary_join_element_wise("'", texts, ""), texts)
    special = pc.match_substring_regex(texts, '[",\r\n]')
    if not pc.any(special).as_py():
        return texts
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), texts)


def _amounts(amounts_micro: Any) -> Any:
    """Format amounts with six decimals."""
    micro = amounts_micro.to_numpy()
    whole, fraction = np.divmod(np.abs(micro), money.MICRO)
    digits = pc.cast(pa.array(fraction + money.MICRO), pa.string())  # 1 and six digits
    decimals = pc.utf8_slice_codeunits(digits, 1)
    amounts = pc.binary_join_element_wise(pc.cast(pa.array(whole), pa.string()), decimals, ".")
    if (micro < 0).any():
        signs = pc.if_else(pa.array(micro < 0), "-", "")
        amounts = pc.binary_join_element_wise(signs, amounts, "")
    return amounts
