"""XML elements as text."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.documents.markup import tag, written


def test_markup_is_indented_escaped_and_never_empty():
    content = written(
        "r", {"xmlns": "u&v"}, tag("a", tag("b", "1 < 2", id='"x"', lang="")), tag("c", "")
    )

    assert content.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<r xmlns="u&amp;v">\n  <a>\n'
        "    <b id='\"x\"'>1 &lt; 2</b>\n  </a>\n</r>\n"
    )
    with pytest.raises(ValueError, match="r would be empty"):
        written("r", {})


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))


@given(TEXTS, TEXTS)
def test_whatever_a_text_is_it_comes_back_and_makes_no_element(text, attribute):
    root = ET.fromstring(written("r", {}, tag("a", f"<{text}", id=f"<{attribute}")))  # noqa: S314 - made here
    (child,) = root
    assert (child.text, child.attrib) == (f"<{text}", {"id": f"<{attribute}"})


def test_an_element_of_empty_ones_is_none():
    assert tag("a", tag("b", ""), None, tag("c", tag("d", None))) is None
    assert tag("a", "0") is not None
