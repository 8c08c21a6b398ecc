"""The counts of an import: every row read, and every leg, is in one place."""

from __future__ import annotations

import pytest

from a2ledger.sources.report import Report, UncountedRowsError


def test_a_row_that_holds_two_legs_is_said():
    report = Report(source="pbx", read=2, beyond=1, posted=2, free=1)

    report.check()

    assert str(report) == "pbx: 2 rows read (with 1 more legs in them), 2 posted, 1 free; 0.00"
    assert report.as_json()["more_legs"] == 1
    assert "more_legs" not in Report(source="pbx", read=1, posted=1).as_json()


def test_a_row_in_no_place_is_a_defect_and_publishes_nothing():
    with pytest.raises(UncountedRowsError, match="3 rows were read but 2 accounted for"):
        Report(source="pbx", read=3, posted=2).check()
