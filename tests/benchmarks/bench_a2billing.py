"""Measure moving in from A2Billing: an export of its tables, or with --database a MariaDB.

python tests/benchmarks/bench_a2billing.py --calls 1000000 --cards 1000 --database

The tables reconcile, so that the number of differences to be seen is 0. Everything runs on one
machine, one after the other; the figures to look at are the ratios. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "helpers"))
PROGRAM = [sys.executable, "-m", "a2ledger"]
TODAY = "2026-02-01"
RATES = {"32": 1500, "3247": 9500, "1": 900, "44": 1100}
"""Prices of a minute in units of 0.00001."""
START = np.datetime64("2026-01-01T00:00:00")
DAYS = 31


def five(units: np.ndarray[Any, Any]) -> pa.Array:
    """Units of 0.00001 as texts."""
    signs = np.where(units < 0, "-", "")
    whole, part = np.divmod(np.abs(units), 100_000)
    texts = [f"{s}{w}.{p:05d}" for s, w, p in zip(signs, whole, part, strict=True)]
    return pa.array(texts)


def written(directory: Path, name: str, columns: dict[str, Any]) -> None:
    """A table as a CSV."""
    pyarrow.csv.write_csv(pa.table(columns), directory / f"{name}.csv")


def export(directory: Path, calls: int, cards: int, seed: int = 1) -> None:
    """Tables of a month: three calls of ten unanswered, a refill with its payment for each card."""
    draw = np.random.default_rng(seed)
    card = draw.integers(1, cards + 1, calls)
    kind = draw.integers(0, len(RATES), calls)
    seconds = np.where(draw.random(calls) < 0.3, 0, draw.integers(1, 1200, calls))
    moment = np.sort(draw.integers(0, DAYS * 86_400, calls))
    price = np.array(list(RATES.values()))[kind]
    cost = (seconds * price * 2 + 60) // 120  # half up, and every price is whole units
    prefix = np.array(list(RATES))[kind]
    number = pa.array(draw.integers(10**6, 10**7, calls)).cast(pa.string())
    called = pc.binary_join_element_wise(pa.array(prefix), number, "")
    start = pa.array(START + moment.astype("timedelta64[s]")).cast(pa.timestamp("s"))
    epoch = pa.array(START.astype(np.int64) + moment - 3600).cast(pa.string())
    ids = pa.array(np.arange(1, calls + 1))
    answered = seconds > 0
    written(
        directory,
        "cc_call",
        {
            "id": ids,
            "uniqueid": pc.binary_join_element_wise(epoch, ids.cast(pa.string()), "."),
            "card_id": card,
            "starttime": pc.strftime(start, "%Y-%m-%d %H:%M:%S"),
            "stoptime": pc.strftime(start, "%Y-%m-%d %H:%M:%S"),
            "sessiontime": seconds,
            "calledstation": called,
            "sessionbill": five(cost),
            "id_trunk": np.ones(calls, np.int64),
            "sipiax": np.zeros(calls, np.int64),
            "src": number,
            "buycost": five(cost * 6 // 10),
            "dnid": called,
            "terminatecauseid": np.where(answered, 1, 3),
        },
    )
    refill = draw.integers(100, 10_000, cards) * 1000
    number_of_card = np.arange(1, cards + 1)
    when = ["2026-01-02 10:00:00"] * cards
    money = {"id": number_of_card, "date": when, "card_id": number_of_card}
    written(directory, "cc_logrefill", {**money, "credit": five(refill)})
    paid = {"payment": five(refill), "id_logrefill": number_of_card}
    written(directory, "cc_logpayment", {**money, **paid})
    spent = np.bincount(card, cost, cards + 1)[1:].astype(np.int64)
    written(
        directory,
        "cc_card",
        {
            "id": number_of_card,
            "username": [f"{5_000_000 + number}" for number in number_of_card],
            "creationdate": ["2026-01-01 00:00:00"] * cards,
            "credit": five(refill - spent),
            "tariff": np.ones(cards, np.int64),
            "typepaid": number_of_card % 2,
            "creditlimit": np.full(cards, 500),
        },
    )
    written(
        directory,
        "cc_ratecard",
        {
            "id": np.arange(1, len(RATES) + 1),
            "idtariffplan": np.ones(len(RATES), np.int64),
            "dialprefix": list(RATES),
            "rateinitial": five(np.array(list(RATES.values()))),
        },
    )


@contextlib.contextmanager
def database(directory: Path) -> Iterator[tuple[str, Any]]:
    """The tables in a MariaDB; its address, and a connection to change them."""
    import pymysql  # noqa: PLC0415 - only where a server is wanted
    import servers  # noqa: PLC0415
    from incumbent import SCHEMA  # noqa: PLC0415

    with servers.mariadb() as socket:
        connection = pymysql.connect(
            unix_socket=str(socket), user="root", autocommit=True, local_infile=True
        )
        cursor = connection.cursor()
        cursor.execute("SET GLOBAL local_infile = 1")
        cursor.execute("CREATE DATABASE billing CHARACTER SET latin1")
        cursor.execute("USE billing")
        for name, columns in SCHEMA.items():
            body = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            cursor.execute(f"CREATE TABLE {name} ({body})")
            if (file := directory / f"{name}.csv").exists():
                names = file.open().readline().strip().replace('"', "")
                cursor.execute(
                    f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {name} "
                    "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' "
                    f"IGNORE 1 LINES ({names})"
                )
        cursor.execute("CREATE USER reader@localhost IDENTIFIED BY 'word'")
        cursor.execute("GRANT SELECT ON billing.* TO reader@localhost")
        yield f"mysql://reader@localhost/billing?unix_socket={socket}", cursor


class Book:
    """A book that is moved into."""

    def __init__(self, root: Path, today: str) -> None:
        self.root, self.today = root, today
        words = ["--timezone", "Europe/Brussels"]
        subprocess.run([*PROGRAM, "--quiet", "--today", today, "init", root, *words], check=True)

    def run(self, *words: str) -> tuple[float, str]:
        """Seconds a command takes, and what it prints."""
        before = time.perf_counter()
        done = subprocess.run(
            [*PROGRAM, "-C", self.root, "--quiet", "--today", self.today, *words],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"A2LEDGER_DB_PASSWORD": "word"},
        )
        return time.perf_counter() - before, done.stdout


def measure(root: Path, place: str, rows: int, today: str, cursor: Any = None) -> None:
    """Move in, move in again, an hour later, and reconcile."""
    book = Book(root, today)
    first, said = book.run("import", "a2billing", "--json", place)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    parts = json.loads(said)["parts"]
    print(f"{'import':<34}{first:9.2f} s, {rows / first:,.0f} calls/s, {peak:,} MB at most")
    print(f"{'':<34}{parts['calls']['posted']:,} calls and {parts['refills']['posted']:,} refills")
    print(f"{'the same again':<34}{book.run('import', 'a2billing', place)[0]:9.2f} s")
    if cursor is not None:
        cursor.execute(
            "INSERT INTO cc_call (uniqueid, card_id, starttime, sessiontime, calledstation, "
            "sessionbill) SELECT CONCAT('n', uniqueid), card_id, '2026-01-31 23:30:00', "
            "sessiontime, calledstation, 0 FROM cc_call LIMIT %s",
            (rows // (DAYS * 24),),
        )
        hour = book.run("import", "a2billing", place)[0]
        print(f"{'one more hour':<34}{hour:9.2f} s")
    seconds, said = book.run("reconcile", "--json", place)
    found = json.loads(said)
    print(f"{'reconcile':<34}{seconds:9.2f} s, {found['agree']} agree, {found['differ']} differ")


def main() -> None:
    """Make the tables, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=1_000_000)
    arguments.add_argument("--cards", type=int, default=1000)
    arguments.add_argument("--database", action="store_true")
    arguments.add_argument("--export", type=Path, help="measure an export that is there already")
    arguments.add_argument("--today", default=TODAY, help="after what is in that export")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        place = given.export or directory / "export"
        if not given.export:
            place.mkdir()
            export(place, given.calls, given.cards)
        before = time.perf_counter()
        rows = pyarrow.csv.read_csv(place / "cc_call.csv").num_rows
        parse = time.perf_counter() - before
        print(f"{'parse the calls with Arrow':<34}{parse:9.2f} s")
        print("from the export:")
        measure(directory / "book", str(place), rows, given.today)
        if given.database:
            print("from a MariaDB:")
            os.chmod(directory, 0o755)  # noqa: PTH101, S103 - the server is another user
            with database(place) as (address, cursor):
                measure(directory / "other", address, rows, given.today, cursor)


if __name__ == "__main__":
    main()
