"""The devices behind channels: ``PJSIP/1001-0000002a`` is one of the endpoint ``1001``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]

_ENDPOINT = r"^[^/]+/(.+?)(-[0-9a-f]+)?(;[0-9])?$"
_BARE = r"^[^/]+/(.+)$"
_SUFFIX = 9
"""Characters of ``-0000002a``, which Asterisk puts behind the name of a device."""


def endpoints(channels: pa.StringArray) -> pa.StringArray:
    """Return the names of the devices behind channels; ``Local`` channels have none.

    ``PJSIP/1001-0000002a`` is the channel of the endpoint ``1001``.
    """
    regular = _with_suffix(channels)
    if not regular.any():
        return _bare(channels)
    # Channels are many, devices few.
    heads = pc.utf8_slice_codeunits(channels, 0, -_SUFFIX).dictionary_encode()
    names = _endpoints(heads.dictionary, _BARE).take(heads.indices)
    if regular.all():
        return names
    others = _endpoints(channels.filter(pa.array(~regular)), _ENDPOINT)
    return pc.replace_with_mask(names, pa.array(~regular), others)


def _bare(channels: pa.StringArray) -> pa.StringArray:
    """Return the devices of channels that are written in another way, or without a suffix."""
    first = channels[0].as_py() if len(channels) else ""
    technology = first[: first.find("/") + 1]
    if (
        technology not in {"", "/", "Local/"}
        and pc.all(pc.starts_with(channels, technology)).as_py()
        and not pc.any(pc.match_substring(channels, "-")).as_py()
        and not pc.any(pc.match_substring(channels, ";")).as_py()
    ):  # no pattern is as fast
        return pc.utf8_slice_codeunits(channels, len(technology))
    return _endpoints(channels, _ENDPOINT)


def _with_suffix(channels: pa.StringArray) -> Mask:
    """Tell which names end like ``-0000002a``."""
    _, offsets, values = channels.buffers()
    ends = np.frombuffer(offsets, np.int32)[channels.offset :][: len(channels) + 1]
    found = np.diff(ends) > _SUFFIX
    if values is None or not found.any():
        return np.zeros(len(channels), np.bool_)
    places = ends[1:][found][:, None] + np.arange(-_SUFFIX, 0)
    characters = np.frombuffer(values, np.uint8)[places]
    found[found] = (characters[:, 0] == ord("-")) & _HEXADECIMAL[characters[:, 1:]].all(axis=1)
    return found


_HEXADECIMAL = np.isin(np.arange(256), list(b"0123456789abcdef"))


def _endpoints(channels: pa.StringArray, pattern: str) -> pa.StringArray:
    names = pc.replace_substring_regex(channels, pattern, r"\1")
    none = pc.or_(pc.equal(names, channels), pc.starts_with(channels, "Local/"))
    return pc.if_else(none, "", names)
