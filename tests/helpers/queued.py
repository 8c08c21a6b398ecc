"""A book with an invoice of each of many customers, that wait for a mail server."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

SETTINGS = """
[mail]
host = "127.0.0.1"
port = {port}
starttls = false
from = "billing@sun.example"
attach = ["html"]
"""
DECK = "dialprefix,destination,rateinitial,initblock,billingblock\ndefault,Anywhere,1.00,60,60\n"
SENT = "2026-02-11"
"""The day they are sent; January is closed on it."""


class Program(Protocol):
    """What runs a command in a directory, on a day."""

    def __call__(self, root: Path, *words: str, today: str) -> None: ...


def billed(root: Path, count: int, port: int, program: Program) -> Path:
    """Make such a book, which sends to a port of this machine."""
    root.mkdir(mode=0o750)
    program(root, "init", ".", "--timezone", "UTC", today="2026-01-01")
    (root / "tariffs/standard.csv").write_text(DECK)
    rows = "".join(f"C{n},C{n},1000,standard,2026-01-01,c{n}@maes.example\n" for n in range(count))
    customers, calls = root.parent / "customers.csv", root.parent / "calls.csv"
    customers.write_text("id,name,credit_limit,tariff,opened,email\n" + rows)
    rows = "".join(f"c{n},C{n},2026-01-05 12:00:00,3225550199,61\n" for n in range(count))
    calls.write_text("id,customer,start,called,seconds\n" + rows)
    program(root, "import", "customers", str(customers), today=SENT)
    program(root, "import", "calls", str(calls), today=SENT)
    program(root, "close", today=SENT)
    with (root / "a2ledger.toml").open("a") as settings:
        settings.write(SETTINGS.format(port=port))
    return root
