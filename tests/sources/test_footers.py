"""Lines of a report that are no calls."""

from __future__ import annotations

import pyarrow as pa
import pytest

from a2ledger.sources import footers
from a2ledger.sources.batch import NO_CALL, Refused
from a2ledger.sources.text import Piece

CALL = "2026-01-05 10:00:00,3225550101,60"


def marked(*lines):
    """Where each line of a file ends: as a call, as no call, or refused."""
    rows, refused = [], []
    for number, line in enumerate(lines, 1):
        cells = line.split(",")
        if len(cells) == 3:
            rows.append(
                {"start": cells[0], "called": cells[1], "seconds": cells[2], "line": number}
            )
        else:
            refused.append(Refused("a.csv", number, "columns", "", line, f"raw-{number}"))
    names = [(name, pa.string()) for name in ("start", "called", "seconds")]
    table = pa.Table.from_pylist(rows, pa.schema([*names, ("line", pa.int64())]))
    raw = dict(enumerate(lines, 1))
    piece, never = footers.marked(Piece(table, refused, raw.__getitem__, ()))
    marks = never.to_pylist() if never is not None else [""] * len(piece.table)
    fates = dict(zip(piece.table["line"].to_pylist(), marks, strict=True))
    fates |= {row.line: "refused" for row in piece.refused}
    return [fates[number] for number in range(1, len(lines) + 1)]


@pytest.mark.parametrize(
    "line",
    [
        "Total,,3600",
        "Grand-Total,12 calls,3600",
        "Gesamtsumme,,60",
        " - Totaux,,60",
        "datetime,varchar(80),int",
        ",,",
        "Total",
        "Report generated on 2026-02-01",
        "3 records",
        "Calls: 12",
        "Page 1 of 3,x",
        ",,,,",
    ],
)
def test_totals_remarks_types_and_blanks_are_no_calls_wherever_they_stand(line):
    assert marked(CALL, line, CALL) == ["", NO_CALL, ""]


@pytest.mark.parametrize("line", ["half a row", "2026-01-05 10:00:00,32255501", "a,b,c,d"])
def test_a_damaged_row_is_refused_and_no_remark(line):
    assert marked(CALL, line) == ["", "refused"]


@pytest.mark.parametrize("line", ["never,3225550101,60", "Summerset,3225550101,60"])
def test_a_start_that_is_none_is_still_a_row(line):
    assert marked(CALL, line) == ["", ""]
