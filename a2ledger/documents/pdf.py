"""Convert HTML pages to PDF with WeasyPrint, in worker processes.

The HTML is the one that is shown on screens; its style sheet says how it stands on paper. The
same page gives the same bytes wherever the same versions are installed: the font comes with the
extra, the time is the document's. WeasyPrint is loaded in the workers alone, and may fetch nothing
but what stands in the page itself.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from a2ledger.documents import facturx
from a2ledger.errors import ExpectedError
from a2ledger.workers import Workers

_FONT = "fontpkg_noto_sans"


class PdfError(ExpectedError):
    """PDF cannot be made on this machine. The message says why, and the remedy."""


class Page(NamedTuple):
    """A page of HTML to convert."""

    html: str
    day: str
    """The date of the PDF (ISO)."""
    invoice: bytes = b""
    """An e-invoice in CII to embed. The PDF is then PDF/A-3, as Factur-X requires."""


def written(
    pages: Sequence[tuple[str, str]] | Sequence[Page], workers: Workers | None = None
) -> Iterator[bytes]:
    """Convert pages of HTML to PDF, yielding them in the order given.

    Args:
        pages: each the HTML and its day, or each a :class:`Page`.
        workers: who converts them; processes of this machine if none are given.

    Raises:
        PdfError: if WeasyPrint is not installed, or cannot work on this machine.
    """
    if not pages:
        return
    check_installed()
    # A library that is missing or broken ends a worker, and not this process.
    try:
        with workers or Workers() as shared:
            yield from shared.map(_converted, [Page(*page) for page in pages], here=False)
    except (BrokenExecutor, OSError) as error:
        raise PdfError(
            f"WeasyPrint cannot work here ({error})",
            undone="nothing was written",
            todo=("install Pango (Debian: `apt-get install libpango-1.0-0 libpangoft2-1.0-0`)"),
        ) from error


def check_installed() -> None:
    """Make sure that what PDF needs is installed here.

    Raises:
        PdfError: if WeasyPrint is not.
    """
    if not (find_spec("weasyprint") and find_spec(_FONT)):
        raise _missing("PDF needs WeasyPrint")


def _missing(what: str) -> PdfError:
    return PdfError(what, undone="nothing was written", todo="say `pip install 'a2ledger[pdf]'`")


def _converted(page: Page) -> bytes:
    """Convert a page, in a worker."""
    try:
        return _convert(*page)
    except ImportError as error:
        raise _missing(f"PDF needs WeasyPrint on every worker ({error})") from None


def _convert(html: str, day: str, invoice: bytes) -> bytes:
    from weasyprint import HTML, Attachment, URLFetcher  # noqa: PLC0415

    midnight = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), dt.UTC)
    os.environ["SOURCE_DATE_EPOCH"] = str(int(midnight.timestamp()))
    fonts, face = _font()
    fetcher = URLFetcher(allowed_protocols=["data"])
    options: dict[str, Any] = {"pdf_tags": True}
    if invoice:
        # WeasyPrint takes the metadata as a URL and the attachment as bytes.
        metadata = base64.b64encode(facturx.METADATA.encode()).decode()
        options |= {
            "pdf_variant": "pdf/a-3a",
            "xmp_metadata": [f"data:application/rdf+xml;base64,{metadata}"],
            "attachments": [
                Attachment(
                    string=invoice,
                    name=facturx.NAME,
                    description=facturx.DESCRIPTION,
                    created=midnight,
                    modified=midnight,
                    relationship="Alternative",
                )
            ],
        }
    page = HTML(string=html, url_fetcher=fetcher)
    made: bytes = page.write_pdf(font_config=fonts, stylesheets=[face], **options)
    return made


@functools.cache
def _font() -> tuple[Any, Any]:
    """Return the font of documents, read once per worker."""
    from weasyprint import CSS, URLFetcher  # noqa: PLC0415
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

    fonts = FontConfiguration()
    file = Path(str(files(_FONT) / "files" / "NotoSans[wdth,wght].ttf"))
    rule = (
        '@font-face { font-family: "Noto Sans"; font-weight: 100 900; '
        f'src: url("{file.as_uri()}") }}'
    )
    fetcher = URLFetcher(allowed_protocols=["file"])
    return fonts, CSS(string=rule, font_config=fonts, url_fetcher=fetcher)
