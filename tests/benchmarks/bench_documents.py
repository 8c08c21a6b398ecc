"""How many documents are rendered in a second, by format, beside the engine's own floor.

The floor of a PDF is WeasyPrint with an empty page; that of an e-invoice as it is issued, the
official rules. Of the rest there is none.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "helpers"))

from invoices import document, line

from a2ledger.documents import cii, einvoice, pdf, render, ubl
from a2ledger.documents.document import Statement, StatementLine, as_json
from a2ledger.documents.rules import Rules

DAYS = tuple(
    StatementLine(
        date=f"2026-01-{day:02d}", description="Calls, 9 calls, 0:31:07", amount="1.00",
        balance=f"{day}.00", service="Calls", calls=9, seconds=1867,
    )
    for day in range(1, 29)
)  # fmt: skip
BILL = document(
    lines=tuple(line(number, "5.00", "S21") for number in range(1, 21)),
    statement=Statement(opening="0.00", lines=DAYS, closing="28.00"),
    reference="+++202/6000/00192+++",
)

CALL = "2026-01-01 10:00:00  3225550xxx         Belgium Mobile (3247)       0:01:00  0.095000"
CALLS = {
    "calls": [{"text": CALL}] * 1800, "count": 1800, "seconds": 108_000, "total": "171.000000",
    "hidden": True, "heading": "Start",
}  # fmt: skip
"""Thirty pages of calls at the end of a bill."""


def measured(name: str, make: Callable[[], object], count: int) -> None:
    make()  # what is loaded once is not counted
    begun, used = time.perf_counter(), time.process_time()
    for _ in range(count):
        make()
    wall, cpu = time.perf_counter() - begun, time.process_time() - used
    print(f"{name:<24}{count / wall:>9.1f} a second{1000 * cpu / count:>9.2f} ms of processor")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    count = parser.parse_args().count
    content = as_json(BILL)
    pages = max(1, count // 10)
    drawn = einvoice.draw_up(BILL)
    measured("text", lambda: render.text(content), count)
    measured("html", lambda: render.html(content), count)
    measured("ubl", lambda: ubl.write(einvoice.draw_up(BILL)), count)
    measured("cii", lambda: cii.write(einvoice.draw_up(BILL)), count)
    rules = Rules()
    for syntax, written in (("ubl", ubl.write(drawn)), ("cii", cii.write(drawn))):
        measured(f"{syntax}, official rules", partial(rules.check, written, syntax), pages)
    page, invoice = render.html(content), cii.write(drawn)
    convert = pdf._converted  # noqa: SLF001 - the work of one worker, without its start
    measured("pdf, a worker", lambda: convert(pdf.Page(page, "2026-02-01")), pages)
    measured("facturx, a worker", lambda: convert(pdf.Page(page, "2026-02-01", invoice)), pages)
    long = render.html(content, itemised=CALLS, paper=True)
    measured("pdf, 30 pages of calls", lambda: convert(pdf.Page(long, "2026-02-01")), 1)
    measured("pdf, an empty page", lambda: convert(pdf.Page("<p>", "2026-02-01")), pages)


if __name__ == "__main__":
    main()
