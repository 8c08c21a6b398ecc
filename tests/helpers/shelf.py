"""Books for laws: made once, copied for each example, written without git to be quick."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from beancount.parser import parser
from tree import tree

from a2ledger import sources
from a2ledger.billing import close as closing
from a2ledger.billing import settle as settling
from a2ledger.billing.closed import Closed
from a2ledger.book import start
from a2ledger.book.book import Book, Draft
from a2ledger.calls import imports as call_imports
from a2ledger.cli import main
from a2ledger.customers import register
from a2ledger.journal import summary
from a2ledger.payments import imports as money_imports
from a2ledger.sources import report as reporting

TODAY = dt.date(2026, 2, 20)

CONFIG = (
    start.config_text(company="Example", currency="EUR", timezone="Europe/Brussels")
    + """
[methods]
card = "Assets:Gateway:Card"

[sources.pbx1]
dialect = "asterisk"

[sources.old]
dialect = "calls"
switch = "pbx1"
"""
)

DECK = """\
dialprefix,destination,rateinitial,initblock,billingblock
32,Belgium,0.123457,1,1
33,France,0,1,1
34,Spain,0.50,60,60
"""


def quiet(_message: str) -> None:
    """Hear nothing."""


def draft(root: Path, today: dt.date = TODAY) -> Draft:
    """A draft of a book, without its lock."""
    return Draft(Book(root), today, quiet)


def publish(one: Draft) -> None:
    """Bring what is derived into line and write it all, without git."""
    summary.summarise(one)
    for path, content in one.put_files.items():
        file = one.root / path
        if content is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    one.put_files = {}


def started(root: Path, *customers: str, opened: str = "2026-01-01", **facts: str) -> Path:
    """A new book with some customers."""
    root.mkdir(parents=True)
    (root / "a2ledger.toml").write_text(CONFIG)
    (root / "tariffs").mkdir()
    (root / "tariffs/standard.csv").write_text(DECK)
    one = draft(root)
    one.put("journals/manual.beancount", "")
    for name in customers:
        register.add(one, name, {"opened": opened, "credit_limit": "1000", **facts})
    publish(one)
    return root


@contextmanager
def copied(template: Path) -> Iterator[Path]:
    """A copy of a book, for one example."""
    with tempfile.TemporaryDirectory(prefix="book-") as directory:
        root = Path(directory) / "book"
        shutil.copytree(template, root, symlinks=True)
        yield root


def take(root: Path, source: str, text: str | bytes, today: dt.date = TODAY) -> reporting.Report:
    """Import a file with this content into a book."""
    path = root.parent / "input.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return take_from(root, source, path, today)


def take_from(root: Path, source: str, path: Path, today: dt.date = TODAY) -> reporting.Report:
    """Import a file, or a directory of them, into a book."""
    one = draft(root, today)
    settings = one.config
    now = dt.datetime.combine(today + dt.timedelta(days=1), dt.time(), settings.zone)
    if source in money_imports.KINDS:
        report = money_imports.import_movements(one, source, [path])
    elif source == "customers":
        report = register.import_customers(one, [path])
    else:
        feed = settings.source(source, sources.dialects)
        report, _ = call_imports.import_calls(one, feed, [path], now)
    reporting.record(one, report, now)
    publish(one)
    return report


def close(root: Path, today: dt.date, **options: Any) -> list[Closed]:
    """Close what has ended."""
    one = draft(root, today)
    results = closing.close(
        one, **{"through": None, "names": (), "without": ("pbx1", "old"), **options}
    )
    publish(one)
    return results


def settle(root: Path, name: str, today: dt.date) -> list[Closed]:
    """Settle a customer's account."""
    one = draft(root, today)
    results = settling.settle(one, [name], ("pbx1", "old"))
    publish(one)
    return results


def ledger_of(root: Path) -> dict[str, bytes]:
    """What must not depend on the order of rows: journals, and digests of the calls."""
    return {
        path: content
        for path, content in tree(root).items()
        if path.startswith("journals/") or path == "calls/DIGESTS"
    }


def program(*words: object) -> None:
    """Run the program in this process; an error ends it."""
    main.main(list(map(str, words)), standalone_mode=False)


Step = Callable[[Path], object]


def loaded(text: str) -> Any:
    """Entries, errors and options of a journal's text, as Beancount parses it; nothing is run."""
    return parser.parse_string(text)
