"""XML elements as text: indented, escaped, never empty.

The same elements give the same bytes. What XML cannot hold is taken out before, where texts
become parts of a document (:func:`a2ledger.documents.einvoice.clean`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr


class Element(NamedTuple):
    """An element that holds either text or elements."""

    name: str
    attributes: dict[str, str]
    text: str
    children: tuple[Element, ...]


Content = Element | str | None


def tag(name: str, *content: Content, **attributes: str) -> Element | None:
    """Return an element, or None if it would be empty.

    Args:
        name: with its prefix.
        content: a text, or elements; None and the empty text are left out.
        attributes: those that are empty are left out.

    >>> tag("cbc:ID", "") is None, tag("cac:Party", None) is None
    (True, True)
    """
    children = tuple(item for item in content if isinstance(item, Element))
    text = "".join(item for item in content if isinstance(item, str))
    if not children and not text:
        return None
    return Element(name, {key: value for key, value in attributes.items() if value}, text, children)


def written(name: str, namespaces: dict[str, str], *content: Content) -> bytes:
    """Return the text of an XML file: its root element, with the namespaces it declares."""
    root = tag(name, *content)
    if root is None:
        raise ValueError(f"{name} would be empty")
    lines = _lines(root._replace(attributes=namespaces), "")
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(lines)).encode()


def _lines(element: Element, indent: str) -> Iterator[str]:
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in element.attributes.items())
    if not element.children:
        text = escape(element.text)
        yield f"{indent}<{element.name}{attributes}>{text}</{element.name}>\n"
        return
    yield f"{indent}<{element.name}{attributes}>\n"
    for child in element.children:
        yield from _lines(child, f"{indent}  ")
    yield f"{indent}</{element.name}>\n"
