"""How fast documents are made: ``python tests/benchmarks/bench_documents.py [DOCUMENTS] [LINES]``.

Prints CPU seconds a document for each format, for the check of an e-invoice by the rules that are
installed, and beside them a floor: a plain loop that fills the same XML's values into a string, and
WeasyPrint on a page of one word. Nothing is asserted; figures belong to the machine they were
taken on.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from invoices import document, line

from a2ledger.documents import cii, einvoice, pdf, render, ubl
from a2ledger.documents.document import as_json, written
from a2ledger.documents.rules import Rules


def spent():
    """CPU seconds of this process and of those it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(label, count, make):
    make()  # what is loaded or compiled once is no part of it
    before = spent()
    for _ in range(count):
        make()
    took = (spent() - before) / count
    print(f"{label:<34} {took * 1000:10.2f} ms {1 / max(took, 1e-9):12,.0f} a second")


def plain(drawn):
    """The values of an e-invoice in a string, which is no e-invoice."""
    return "".join(
        f"<a>{escape(text)}</a>" for item in drawn.items for text in item if text
    ).encode()


def main(count, lines):
    made = document(
        ("S21", "S", "21", f"{lines}.00", f"{lines * 0.21:.2f}", ""),
        lines=tuple(line(number, "1.00", "S21") for number in range(1, lines + 1)),
    )
    content = as_json(made)
    drawn = einvoice.draw_up(made, einvoice.PEPPOL)
    core = einvoice.draw_up(made)
    html = render.html(content)
    rules, xml = Rules(), {"ubl": ubl.write(drawn), "cii": cii.write(core)}
    print(f"{count} document(s) of {lines} line(s), CPU")
    timed("json", count, lambda: written(content))
    timed("text", count, lambda: render.text(content))
    timed("html", count, lambda: render.html(content))
    timed("ubl", count, lambda: ubl.write(einvoice.draw_up(made, einvoice.PEPPOL)))
    timed("cii", count, lambda: cii.write(einvoice.draw_up(made)))
    timed("  floor: values in a string", count, lambda: plain(drawn))
    for syntax, what in xml.items():
        timed(f"check of {syntax}", count, lambda: rules.check(what, syntax))  # noqa: B023
    for label, page in (
        ("pdf, with loading WeasyPrint", pdf.Page(html, "2026-02-01")),
        ("facturx, with loading WeasyPrint", pdf.Page(html, "2026-02-01", xml["cii"])),
        ("  floor: a page of one word", pdf.Page("<p>Bill", "2026-02-01")),
    ):
        timed(label, 1, lambda: list(pdf.written([page])))  # noqa: B023


if __name__ == "__main__":
    main(*(int(word) for word in [*sys.argv[1:], "100", "10"][:2]))
