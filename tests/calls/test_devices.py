"""The devices behind channels."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.calls.devices import endpoints


def of(*channels):
    return endpoints(pa.array(channels, pa.string())).to_pylist()


@pytest.mark.parametrize(
    ("channel", "device"),
    [
        ("PJSIP/1001-0000002a", "1001"),
        ("SIP/acme-trunk-0000002a", "acme-trunk"),
        ("PJSIP/1001", "1001"),
        ("sofia/internal/1001@pbx", "internal/1001@pbx"),
        ("SIP/1001-2a", "1001"),
        ("DAHDI/1-1;2", "1"),
        ("Local/1001@out-0000002a;1", ""),
        ("Local/1001@out-0000002a", ""),
        ("1001", ""),
        ("", ""),
    ],
)
def test_a_channel_is_of_its_device_alone_and_among_others(channel, device):
    assert of(channel) == [device]
    assert of("PJSIP/a-0000000b", channel, "IAX2/b") == ["a", device, "b"]


PART = st.text("ab1@é-/", min_size=1, max_size=6)
CHANNEL = st.one_of(
    st.builds("{}/{}-0000002a".format, st.sampled_from(["PJSIP", "SIP", "Local"]), PART),
    st.builds("SIP/{}".format, PART),
    st.builds("Local/{}@c-1;{}".format, PART, st.sampled_from("12")),
    PART,
)


@given(st.lists(CHANNEL, max_size=6))
def test_devices_of_many_channels_are_those_of_each(channels):
    assert of(*channels) == [of(channel)[0] for channel in channels]


@given(PART.filter(lambda name: not re.search("-[0-9a-f]+$", name)))
def test_what_stands_before_the_channel_s_number_is_the_device(name):
    assert of(f"PJSIP/{name}-0000002a") == [name]
