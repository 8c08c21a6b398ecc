"""Make closed documents in the formats people ask for: each is made from the JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from a2ledger.book.disk import refusing
from a2ledger.documents import pdf, render
from a2ledger.documents.document import Document, as_json, written
from a2ledger.progress import SILENT, Progress
from a2ledger.workers import Workers

ENDINGS = {"html": "html", "json": "json", "pdf": "pdf", "text": "txt"}
"""File name ending of each format."""
Itemised = Mapping[str, Any]
"""The calls of a bill, as templates see them."""
_ALONE = 100
"""Number of documents that one process makes pages of faster than several."""


def rendered(
    documents: Mapping[str, Document],
    formats: Sequence[str],
    templates: Path,
    bar: Progress = SILENT,
    workers: Callable[[], Workers] = Workers,
    itemised: Mapping[str, Itemised] = MappingProxyType({}),
) -> dict[str, bytes]:
    """Render documents in some formats.

    Args:
        documents: by the name of their file.
        formats: some of :data:`ENDINGS`.
        templates: whose templates come before the packaged ones.
        bar: told of every rendering.
        workers: who shares the work.
        itemised: the calls that stand at the end of documents, by the documents' names.

    Returns:
        renderings by path below ``invoices/``: the year and the name of the file.

    Raises:
        pdf.PdfError: if PDF is asked for and cannot be made here.
    """
    pages: dict[tuple[str, str], str | bytes] = {}
    with workers() as shared:
        tasks = [
            _Batch(
                {name: documents[name] for name in names},
                formats,
                templates.resolve(),
                {name: itemised[name] for name in names if name in itemised},
            )
            for names in shared.batches(list(documents), _ALONE, largest=50)
        ]
        for made in shared.map(_pages, tasks):
            pages |= made
            bar.add(sum(name != "pdf" for _, name in made))
        waiting = [place for place in pages if place[1] == "pdf"]
        sheets = [(str(pages[place]), documents[place[0]].issue_date) for place in waiting]
        for place, sheet in zip(waiting, pdf.written(sheets, shared), strict=True):
            pages[place] = sheet
            bar.add(1)
    return {
        f"{documents[identity].issue_date[:4]}/{identity}.{ENDINGS[name]}": (
            made if isinstance(made, bytes) else made.encode()
        )
        for (identity, name), made in pages.items()
    }


class _Batch(NamedTuple):
    """Documents that a worker renders, all but PDF, of which it makes the HTML."""

    documents: Mapping[str, Document]
    formats: Sequence[str]
    templates: Path
    itemised: Mapping[str, Itemised]


def _pages(batch: _Batch) -> dict[tuple[str, str], str]:
    pages: dict[tuple[str, str], str] = {}
    for identity, closed in batch.documents.items():
        content = as_json(closed)
        for name in batch.formats:
            if name == "text":
                pages[identity, name] = render.text(content, batch.templates)
            elif name == "json":
                pages[identity, name] = written(content)
            else:  # PDF is made of the same HTML
                calls, paper = batch.itemised.get(identity), name == "pdf"
                pages[identity, name] = render.html(
                    content, batch.templates, itemised=calls, paper=paper
                )
    return pages


def write(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write renderings into a directory outside the book, under their bare file names."""
    with refusing():
        directory.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            (directory / Path(path).name).write_bytes(content)
