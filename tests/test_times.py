"""Times as switches write them."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import times as clock


def instant(text, zone="UTC"):
    """The instant a text means, or None."""
    times = clock.parse(pa.array(["2026-01-01 00:00:00", text]))
    if not times.valid[1]:
        assert times.naive[1] == 0
        return None
    return (clock.EPOCH + dt.timedelta(seconds=int(clock.to_utc(times, zone)[1]))).isoformat()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05 10:00:00", "2026-01-05T10:00:00+00:00"),
        ("2026-01-05T10:00:00", "2026-01-05T10:00:00+00:00"),
        ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00+00:00"),
        ("2026-01-05T10:00:00.999", "2026-01-05T10:00:00+00:00"),
        ("2026-01-05T10:00:00.5+02:00", "2026-01-05T08:00:00+00:00"),
        ("2026-01-05 10:00:00-0330", "2026-01-05T13:30:00+00:00"),
        ("2026-01-05 10:00:00+02", "2026-01-05T08:00:00+00:00"),
        ("2024-02-29 00:00:00", "2024-02-29T00:00:00+00:00"),
    ],
)
def test_times_are_read(text, expected):
    assert instant(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000-00-00 00:00:00",
        "1000-01-01 00:00:00",
        "2026-02-29 00:00:00",
        "2026-13-01 00:00:00",
        "2026-00-10 00:00:00",
        "2026-01-32 00:00:00",
        "2026-01-00 00:00:00",
        "2026-01-05 24:00:00",
        "2026-01-05 10:60:00",
        "2026-01-05 10:00:60",
        "2026-01-05 10:00",
        "2026/01/05 10:00:00",
        "2026-01-05_10:00:00",
        " 2026-01-05 10:00:0",
        "2026-01-05 10:00:00 ",
        "2026-01-05 10:00:00+25:00",
        "2026-01-05 10:00:00 EET",
        "\0" * 19,
        "\uff12026-01-05 10:00:00",
        "start",
    ],
)
def test_what_is_no_time_is_not_valid(text):
    assert instant(text) is None


def test_of_an_hour_that_happens_twice_the_earlier_is_meant():
    assert instant("2026-10-25 03:30:00", "Europe/Athens") == "2026-10-25T00:30:00+00:00"
    assert instant("2026-10-25 04:00:00", "Europe/Athens") == "2026-10-25T02:00:00+00:00"


def test_a_time_the_clock_leaps_over_is_taken_after_the_leap():
    assert instant("2026-03-29 03:30:00", "Europe/Athens") == "2026-03-29T01:30:00+00:00"
    assert instant("2026-03-29 04:30:00", "Europe/Athens") == "2026-03-29T01:30:00+00:00"


@pytest.mark.parametrize(
    ("zone", "day", "wall", "by"),
    [
        ("Europe/Athens", "2026-10-25", "02:59:59", 0),
        ("Europe/Athens", "2026-10-25", "03:00:00", 3600),
        ("Europe/Athens", "2026-10-25", "03:59:59", 3600),
        ("Europe/Athens", "2026-10-25", "04:00:00", 0),
        ("Europe/Athens", "2026-10-24", "03:30:00", 0),
        ("Europe/Athens", "2026-03-29", "03:30:00", 0),  # leapt over
        ("Asia/Beirut", "2026-10-24", "23:30:00", 3600),  # put back at midnight
        ("Australia/Lord_Howe", "2026-04-05", "01:45:00", 1800),
        ("UTC", "2026-10-25", "03:30:00", 0),
    ],
)
def test_an_hour_that_happens_twice_is_known(zone, day, wall, by):
    times = clock.parse(pa.array(["x", f"{day} {wall}", f"{day} {wall}Z"]))
    rows, later = clock.twice(times, zone)
    assert dict(zip(rows.tolist(), later.tolist(), strict=True)) == ({1: by} if by else {})


ZONES = st.sampled_from(["UTC", "Europe/Athens", "Asia/Kathmandu", "America/St_Johns"])
MOMENTS = st.datetimes(dt.datetime(1980, 1, 1), dt.datetime(2060, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)


@given(moments=st.lists(MOMENTS, max_size=20), zone=ZONES)
def test_what_happens_twice_is_what_python_says(moments, zone):
    here = zoneinfo.ZoneInfo(zone)
    expected = {
        place: by
        for place, moment in enumerate(moments)
        if (
            by := int(
                moment.replace(tzinfo=here, fold=1).timestamp()
                - moment.replace(tzinfo=here).timestamp()
            )
        ) > 0
    }  # fmt: skip
    rows, later = clock.twice(clock.parse(pa.array(list(map(str, moments)), pa.string())), zone)
    assert dict(zip(rows.tolist(), later.tolist(), strict=True)) == expected


@given(moments=st.lists(MOMENTS, max_size=20), zone=ZONES)
def test_zones_are_those_of_python(moments, zone):
    texts = pa.array([str(moment) for moment in moments], pa.string())
    here = zoneinfo.ZoneInfo(zone)
    times = clock.parse(texts)
    instants = clock.to_utc(times, zone)
    assert instants.tolist() == [int(moment.replace(tzinfo=here).timestamp()) for moment in moments]
    there = zoneinfo.ZoneInfo("Australia/Lord_Howe")
    assert clock.to_naive(instants, "Australia/Lord_Howe").tolist() == [
        int(dt.datetime.fromtimestamp(second, there).replace(tzinfo=dt.UTC).timestamp())
        for second in instants.tolist()
    ]


def test_every_second_around_a_change_of_the_clock_is_right():
    start = int(dt.datetime(2006, 10, 29, 1, 55, tzinfo=dt.UTC).timestamp())
    instants = np.arange(start, start + 7200, dtype=np.int64)
    zone = zoneinfo.ZoneInfo("America/St_Johns")
    expected = [
        second + int(dt.datetime.fromtimestamp(second, zone).utcoffset().total_seconds())
        for second in instants.tolist()
    ]
    assert clock.to_naive(instants, "America/St_Johns").tolist() == expected
