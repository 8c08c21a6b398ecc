from __future__ import annotations

import datetime as dt
import itertools
import os
import pty
import shutil
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pymysql
import pytest
import servers
import sqlalchemy as sa
from examples import cases
from harness import Book, cdr

from a2ledger.sources import database
from a2ledger.sources.address import parse

WORD = "s3cret+word"

CLASSIC = """CREATE TABLE cdr (
  calldate {time} NOT NULL, clid VARCHAR(80), src VARCHAR(80), dst VARCHAR(80),
  dcontext VARCHAR(80), channel VARCHAR(80), dstchannel VARCHAR(80), lastapp VARCHAR(80),
  lastdata VARCHAR(80), duration INTEGER, billsec {seconds}, disposition VARCHAR(45),
  amaflags INTEGER, accountcode VARCHAR(20), uniqueid VARCHAR(32), userfield VARCHAR(255)"""
FREEPBX = f"""{CLASSIC}, did VARCHAR(50), recordingfile VARCHAR(255), cnum VARCHAR(80),
  cnam VARCHAR(80), outbound_cnum VARCHAR(80), outbound_cnam VARCHAR(80), dst_cnam VARCHAR(80),
  linkedid VARCHAR(32), peeraccount VARCHAR(80), sequence INTEGER"""
ALEMBIC = """CREATE TABLE "CDR" (
  "AccountCode" VARCHAR(80), src VARCHAR(80), dst VARCHAR(80), dcontext VARCHAR(80),
  clid VARCHAR(80), channel VARCHAR(80), dstchannel VARCHAR(80), lastapp VARCHAR(80),
  lastdata VARCHAR(80), "Start" {time}, answer {time}, "end" {time}, duration INTEGER,
  billsec {seconds}, disposition VARCHAR(45), amaflags VARCHAR(45), userfield VARCHAR(256),
  uniqueid VARCHAR(150), linkedid VARCHAR(150), peeraccount VARCHAR(80), sequence INTEGER"""
at = dt.datetime.fromisoformat
LAYOUTS = {"classic": CLASSIC, "freepbx": FREEPBX, "alembic": ALEMBIC}
SEQUENCED = {"freepbx", "alembic"}


@dataclass
class Server:
    """A database to read, and a way to fill it."""

    kind: str
    address: str
    """Of a user who has a password where the server knows of such things."""
    place: Path

    def connect(self):
        if self.kind == "mariadb":
            return pymysql.connect(
                unix_socket=str(self.place), user="root", database="asteriskcdrdb", autocommit=True
            )
        if self.kind == "postgresql":
            return psycopg.connect(
                host=str(self.place), user="boss", dbname="asteriskcdrdb", autocommit=True
            )
        return sqlite3.connect(self.place, isolation_level=None)

    def run(self, *statements: str) -> None:
        connection = self.connect()
        for statement in statements:
            connection.cursor().execute(statement)
        connection.close()

    def create(self, layout: str, time: str = "", seconds: str = "INTEGER", more: str = "") -> None:
        """An empty table of a layout in place of what there is."""
        names = {"mariadb": "DATETIME", "postgresql": "TIMESTAMP", "sqlite": "TEXT"}
        create = LAYOUTS[layout].format(time=time or names[self.kind], seconds=seconds)
        drop = ["DROP TABLE IF EXISTS cdr"]
        if self.kind == "postgresql":
            drop.append('DROP TABLE IF EXISTS "CDR"')
        if self.kind == "mariadb":
            create = create.replace('"', "`").replace("`CDR`", "cdr")
        # PostgreSQL tells a table in capitals from another.
        self.run(*drop, f"{create}){more}")
        if self.kind == "postgresql":
            table = '"CDR"' if layout == "alembic" else "cdr"
            self.run(f"GRANT SELECT ON {table} TO reader")

    def insert(self, rows: list[dict[str, object]]) -> None:
        """Rows of Asterisk's own names."""
        connection = self.connect()
        names = list(rows[0])
        mark = "?" if self.kind == "sqlite" else "%s"
        quote = "`" if self.kind == "mariadb" else '"'
        written = {"start": "Start", "accountcode": "AccountCode"} if "start" in names else {}
        columns = ", ".join(f"{quote}{written.get(name, name)}{quote}" for name in names)
        table = "CDR" if "start" in names and self.kind == "postgresql" else "cdr"
        values = [tuple(row.values()) for row in rows]
        cursor = connection.cursor()
        if self.kind == "postgresql":
            with cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
                for value in values:
                    copy.write_row(value)
        elif self.kind == "sqlite":
            cursor.execute("BEGIN")
            marks = ", ".join(mark for _ in names)
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)  # noqa: S608 - our own names
            cursor.execute("COMMIT")
        else:
            marks = ", ".join(mark for _ in names)
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)  # noqa: S608 - our own names
        connection.close()


@pytest.fixture(scope="module")
def mariadb():
    with servers.mariadb() as socket:
        connection = pymysql.connect(unix_socket=str(socket), user="root", autocommit=True)
        for statement in (
            "CREATE DATABASE asteriskcdrdb CHARACTER SET utf8mb4",
            f"CREATE USER reader@localhost IDENTIFIED BY '{WORD}'",
            "GRANT ALL ON asteriskcdrdb.* TO reader@localhost",
        ):
            connection.cursor().execute(statement)
        connection.close()
        address = f"mysql://reader@localhost/asteriskcdrdb?unix_socket={socket}"
        yield Server("mariadb", address, socket)


@pytest.fixture(scope="module")
def postgresql():
    with servers.postgresql() as home:
        with psycopg.connect(host=str(home), user="boss", dbname="postgres", autocommit=True) as it:
            it.execute("CREATE DATABASE asteriskcdrdb")
            it.execute(f"CREATE USER reader PASSWORD '{WORD}'")
        address = f"postgresql://reader@/asteriskcdrdb?host={home}"
        yield Server("postgresql", address, home)


@pytest.fixture
def sqlite(tmp_path):
    path = tmp_path / "cdr.db"
    return Server("sqlite", f"sqlite:///{path}", path)


KINDS = ["mariadb", "postgresql", "sqlite"]


@pytest.fixture(params=KINDS)
def server(request, monkeypatch):
    monkeypatch.setenv("A2LEDGER_DB_PASSWORD", WORD)
    return request.getfixturevalue(request.param)


def row(number: int = 1, layout: str = "freepbx", **given: object) -> dict[str, object]:
    """A minute's call of C1 at ten, unless told; ``start`` is a datetime or a text."""
    start = given.pop("start", at("2026-01-05 10:00"))
    columns: dict[str, object] = {
        "calldate" if layout != "alembic" else "start": str(start),
        "clid": '"Reception" <3225550101>',
        "src": "3225550101",
        "dst": "3225550199",
        "dcontext": "customers",
        "channel": "PJSIP/c1-00000001",
        "dstchannel": "PJSIP/carrier-00000002",
        "lastapp": "Dial",
        "lastdata": "PJSIP/3225550199@carrier",
        "duration": 60,
        "billsec": 60,
        "disposition": "ANSWERED",
        "amaflags": 3,
        "accountcode": "C1",
        "uniqueid": f"1767607200.{number}",
        "userfield": "",
    }
    if layout in SEQUENCED:
        columns |= {"peeraccount": "", "linkedid": f"1767607200.{number}", "sequence": number}
    return columns | given


def as_csv(rows: list[dict[str, object]]) -> str:
    """The same rows as ``cdr_csv`` writes them."""
    lines = []
    for one in rows:
        given = {key: value for key, value in one.items() if key not in {"calldate", "amaflags"}}
        given["start"] = one.get("calldate", one.get("start"))
        lines.append(cdr(**given))
    return "\n".join(lines) + "\n"


def in_git_of_calls(book: Book) -> dict[str, str]:
    """Digests of all that calls decide: journals and the digests of the call detail."""
    return {
        path: digest
        for path, digest in book.digests().items()
        if path.startswith("journals/") or path == "calls/DIGESTS"
    }


def table_of(server: Server, layout: str) -> str:
    return "CDR" if server.kind == "postgresql" and layout == "alembic" else "cdr"


@cases(("server", "layout"), itertools.product(KINDS, LAYOUTS), 3, indirect=["server"])
def test_a_month_from_files_and_again_from_the_table_is_one_month(
    server, layout, book, empty_book, tmp_path
):
    calls = [
        row(n, layout, start=at(f"2026-01-{1 + 3 * (n % 10):02d} 09:{n % 60:02d}"), billsec=30 + n)
        for n in range(1, 40)
    ]
    calls += [
        row(200, layout, disposition="NO ANSWER", billsec=0),
        row(201, layout, dst="h", billsec=9),
        row(202, layout, accountcode="nobody"),
        row(203, layout, billsec=0),
    ]
    server.create(layout)
    server.insert(calls)
    shutil.copytree(empty_book, tmp_path / "from-table")
    from_table = Book(tmp_path / "from-table", tmp_path / "files")
    address = f"{server.address}#{table_of(server, layout)}"
    options = {"today": "2026-02-01", "code": 3}
    for one in (book, from_table):
        one.customers({"id": "C1"})
    if layout in SEQUENCED:
        text = as_csv(calls)
    else:  # as many columns as are logged without newcdrcolumns
        text = "".join(",".join(line.split(",")[:18]) + "\n" for line in as_csv(calls).splitlines())
        text = text.replace('"""Reception"" <3225550101>"', '"x"')
    file = book.file("Master.csv", text)

    csv_ = book.run("import", "asterisk", file, "--json", **options).json
    table = from_table.run("import", "asterisk-db", address, "--json", **options).json
    assert {**table, "files": 0} == {**csv_, "files": 0}
    assert (table["read"], table["posted"], table["free"]) == (43, 39, 1)
    assert in_git_of_calls(from_table) == in_git_of_calls(book)

    again = book.run("import", "asterisk-db", address, "--json", **options).json
    assert (again["read"], again["posted"], again["duplicate"]) == (43, 0, 40)
    assert in_git_of_calls(from_table) == in_git_of_calls(book)


@cases("server", KINDS[::-1], 1, indirect=True)
def test_rows_of_many_days_and_then_only_what_may_be_new(server, book, monkeypatch):
    # Eight days of 2,500 rows; every fourth row is not answered, the others are a minute each.
    monkeypatch.setattr(database, "BATCH", 7_000)
    layout = {"mariadb": "freepbx", "postgresql": "alembic", "sqlite": "classic"}[server.kind]
    monday = at("2026-01-05")
    second = dt.timedelta(seconds=1)

    def one(number: int, start: dt.datetime) -> dict[str, object]:
        ring = number % 4 == 0
        return row(
            number, layout, start=start, accountcode=f"C{1 + number % 5}",
            disposition="NO ANSWER" if ring else "ANSWERED", billsec=0 if ring else 60,
            uniqueid=f"{(start - at('1970-01-01')) // second}.{number}",
        )  # fmt: skip

    rows = [one(n, monday + (n // 2_500) * 86_400 * second + n % 2_500 * 30 * second)
            for n in range(20_000)]  # fmt: skip
    server.create(layout)
    server.insert(rows)
    book.customers(*[{"id": f"C{n}"} for n in range(1, 6)])
    book.append(
        "a2ledger.toml",
        f'\n[sources.pbx1]\ndialect = "asterisk-db"\nurl = "{server.address}"\n'
        f'table = "{table_of(server, layout)}"\n',
    )
    options = {"today": "2026-01-14"}

    first = book.run("import", "pbx1", "--json", **options).json
    assert (first["read"], first["posted"], first["amount"]) == (20_000, 15_000, "15000.00")
    assert first["not_billable"] == {"unanswered": 5_000}

    # One is of the last hour, one began 47 hours before the latest call and has just ended, one
    # is three days older than that and too old to be looked at.
    latest = monday + 7 * 86_400 * second + 2_499 * 30 * second
    hours = dt.timedelta(hours=1)
    server.insert(
        [one(20_001, latest), one(20_002, latest - 47 * hours), one(20_003, latest - 72 * hours)]
    )
    later = book.run("import", "pbx1", **options)
    assert "read from 2026-01-10 20:49" in later.stderr
    # From 10 January 20:49:30 on: the last of the 10th, number 14,999, and the 11th and 12th.
    assert "pbx1: 5003 rows read, 2 posted, 3751 duplicate" in later.stderr
    assert "unanswered 1250" in later.stderr

    everything = book.run("import", "pbx1", "--all", "--json", **options).json
    assert (everything["read"], everything["posted"]) == (20_003, 1)
    assert (everything["duplicate"], everything["amount"]) == (15_002, "1.00")


@cases("server", KINDS, 2, indirect=True)
def test_a_table_is_taken_month_by_month_or_at_once(server, book, empty_book, tmp_path):
    months = [at(f"2025-{11 + n // 20}-{2 + n % 20:02d} 23:30") for n in range(40)]
    server.create("classic")
    server.insert([row(n, "classic", start=start) for n, start in enumerate(months)])
    shutil.copytree(empty_book, tmp_path / "other")
    other = Book(tmp_path / "other", tmp_path / "files")
    for one in (book, other):
        one.customers({"id": "C1", "opened": "2025-11-01"})
    import_ = ("import", "asterisk-db", server.address, "--json")

    november = book.run(*import_, "--through", "2025-11-30", today="2026-01-02").json
    december = book.run(*import_, "--through", "2025-12-31", today="2026-01-02").json
    rest = book.run(*import_, today="2026-01-02").json
    whole = other.run(*import_, today="2026-01-02").json

    assert (november["posted"], december["posted"], rest["posted"]) == (20, 20, 0)
    assert whole["posted"] == 40
    assert in_git_of_calls(book) == in_git_of_calls(other)

    from_december = book.run(*import_, "--from", "2025-12-01", today="2026-01-02").json
    assert (from_december["read"], from_december["duplicate"]) == (20, 20)


def test_nothing_can_be_written_through_the_connection(server):
    server.create("classic")
    address = parse(server.address.replace("reader@", f"reader:{WORD}@"))

    with (
        database.reading(address) as base,
        pytest.raises(sa.exc.SQLAlchemyError, match=r"(?i)read.?only"),
    ):
        base.connection.execute(sa.text("INSERT INTO cdr (src) VALUES ('1')"))


def test_what_a_table_may_hold_is_read_or_refused_row_by_row(mariadb, book, monkeypatch):
    monkeypatch.setenv("A2LEDGER_DB_PASSWORD", WORD)
    mariadb.create("freepbx", seconds="DECIMAL(10,4)", more=" CHARACTER SET latin1")
    for one in (
        row(1, billsec="59.9990"),
        row(2, start="0000-00-00 00:00:00"),
        row(3, userfield=None, peeraccount=None, did=None, clid=None),
        row(4, clid='"Zoé Kÿhl" <1>', src="+32 2 555 01 01"),
        row(5, dst=None, lastdata=None),
        row(6, userfield='two\nlines, and a "quote"'),
        row(7, start="0000-00-00 00:00:00", uniqueid="", disposition="", sequence=0),
        row(8, dst=None, lastdata="PJSIP/33155501010@carrier"),
    ):
        mariadb.insert([one])
    book.customers({"id": "C1"})

    done = book.run("import", "asterisk-db", mariadb.address, "--json", today="2026-01-06", code=3)

    assert (done.json["read"], done.json["posted"]) == (8, 5)
    assert done.json["quarantined"] == {"bad-number": 1, "bad-time": 2}
    assert done.json["amount"] == "5.00"  # each is a minute begun
    calls = pq.read_table(book.root / "calls/2026-01/2026-01-05.parquet").to_pylist()
    called = {call["uid"]: call["called"] for call in calls}
    assert called["1767607200.8"] == "33155501010"  # what its trunk was told to dial
    said = "mysql://reader@localhost/asteriskcdrdb#cdr asterisk/1767607200.2/2: its start "
    assert f"{said}'0000-00-00 00:00:00' is no date and time" in done.stderr
    held = book.text("quarantine/rows.csv")
    assert "0000-00-00 00:00:00" in held


def test_times_that_know_their_zone_and_their_microseconds(postgresql, book, monkeypatch):
    monkeypatch.setenv("A2LEDGER_DB_PASSWORD", WORD)
    postgresql.create("classic", time="TIMESTAMP WITH TIME ZONE", seconds="NUMERIC(12,6)")
    postgresql.insert(
        [
            row(1, "classic", start="2026-01-05 23:30:00.999999+00", billsec="61.5"),
            row(2, "classic", start="2026-01-05 18:00:00-05"),
        ]
    )
    book.customers({"id": "C1"})

    book.run("import", "asterisk-db", postgresql.address, today="2026-01-07")

    journal = book.text("journals/2026-01/C1.01.beancount")
    assert '2026-01-06 * "Calls" "2 calls, 0:02:01"' in journal


def test_a_password_is_recorded_nowhere(server, book, monkeypatch):
    if server.kind == "sqlite":
        pytest.skip("SQLite has no passwords")
    server.create("classic")
    server.insert([row(1, "classic")])
    book.customers({"id": "C1"})
    said = []

    monkeypatch.setenv("A2LEDGER_DB_PASSWORD", "wr0ng")
    said.append(book.run("import", "asterisk-db", server.address, today="2026-01-06", code=65))
    assert said[-1].stderr.startswith(f"a2ledger: {server.address.partition('?')[0]}#cdr: cannot")
    assert said[-1].stderr.count("\n") == 1
    assert "check A2LEDGER_DB_PASSWORD" in said[-1].stderr

    monkeypatch.delenv("A2LEDGER_DB_PASSWORD")
    said.append(book.run("import", "asterisk-db", server.address, today="2026-01-06", code=65))

    monkeypatch.setenv("A2LEDGER_DB_PASSWORD_ASTERISK_DB", WORD)
    said.append(book.run("import", "asterisk-db", server.address, today="2026-01-06"))
    assert "1 rows read, 1 posted" in said[-1].stderr

    monkeypatch.delenv("A2LEDGER_DB_PASSWORD_ASTERISK_DB")
    with_password = server.address.replace("reader@", "reader:s3cret%2Bword@")
    said.append(book.run("import", "asterisk-db", with_password, today="2026-01-06"))
    assert "note: others on this machine may see a password" in said[-1].stderr
    assert "1 duplicate" in said[-1].stderr

    for done in said:
        assert not any(word in done.stdout + done.stderr for word in (WORD, "%2B", "wr0ng"))
    for path in book.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(word in content for word in (b"s3cret", b"wr0ng", b"unix_socket"))
    assert "s3cret" not in book.git("log", "-p")


def test_a_person_at_a_terminal_is_asked(postgresql, book):
    postgresql.create("classic")
    postgresql.insert([row(1, "classic")])
    book.customers({"id": "C1"})
    environment = {key: text for key, text in os.environ.items() if "A2LEDGER" not in key}
    words = ["-C", book.root, "--today", "2026-01-06", "import", "asterisk-db", postgresql.address]

    process, terminal = pty.fork()
    if not process:
        command = [sys.executable, "-m", "a2ledger", *map(str, words)]
        os.execve(sys.executable, command, environment)  # noqa: S606 - the program under test
    said = b""
    try:
        while piece := os.read(terminal, 4096):
            said += piece
            if said.count(b"#cdr:") == 1 and said.endswith(b": "):
                os.write(terminal, f"{WORD}\n".encode())
    except OSError:
        pass  # the program has ended
    _, status = os.waitpid(process, 0)

    assert os.waitstatus_to_exitcode(status) == 0, said.decode()
    assert b"Password for postgresql://reader@/asteriskcdrdb#cdr:" in said
    assert b"1 rows read, 1 posted" in said
    assert WORD.encode() not in said


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("sqlite:////nowhere/cdr.db", "unable to open database file"),
        ("mysql://u@127.0.0.1:1/db", "Connection refused"),
        ("postgresql://u@127.0.0.1:1/db", "refused"),
    ],
)
def test_a_database_that_is_not_there_is_one_line(book, address, what):
    book.customers({"id": "C1"})

    done = book.run("import", "asterisk-db", address, code=65)

    assert done.stderr.startswith(f"a2ledger: {address}#cdr: cannot be read: ")
    assert what in done.stderr
    assert "; nothing was imported; check the address" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "asterisk-db" not in book.text("imports.csv")


def test_a_table_that_is_not_there_or_none_of_calls(sqlite, book):
    sqlite.run("CREATE TABLE cdr (src TEXT, Disposition TEXT)")

    columns = book.run("import", "asterisk-db", sqlite.address, code=65).stderr
    table = book.run("import", "asterisk-db", f"{sqlite.address}#cel", code=65).stderr

    assert "#cdr: there is no column calldate, billsec, dst; nothing was imported" in columns
    assert "#cel: cannot be read: no such table: cel; nothing was imported" in table


def test_an_empty_table_is_an_import_of_nothing(sqlite, book):
    sqlite.create("classic")
    book.customers({"id": "C1"})

    done = book.run("import", "asterisk-db", sqlite.address)

    assert done.stderr == "asterisk-db: 0 rows read, 0 posted; 0.00\n"


def test_a_file_of_sqlite_may_be_named_by_its_path(sqlite, book):
    sqlite.create("classic")
    sqlite.insert([row(1, "classic")])
    book.customers({"id": "C1"})

    done = book.run("import", "asterisk-db", sqlite.place, today="2026-01-06")

    assert "1 rows read, 1 posted" in done.stderr


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("asterisk-db", "oracle://u@h/db"), "is no address such as mysql://user@host"),
        (("asterisk-db", "mysql://u@h/db?passwd=x"), "has a password among its options"),
        (("refills", "mysql://u@h/db"), "refills are read from files"),
        (("refills", "--through", "2026-01-01"), "--from and --through are for calls"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(book, words, what):
    done = book.run("import", *words, code=2)

    assert what in done.stderr


def test_a_dialect_of_files_says_that_it_reads_no_database(book):
    done = book.run("import", "asterisk", "mysql://u@h/db", code=65)

    assert "mysql://u@h/db#cdr: asterisk reads files; nothing was imported" in done.stderr


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("mysql://u:pw@h/db", "must hold no password"),
        ("mysql://u@h/db?password=pw", "must hold no password"),
        ("u@h/db", "is no address such as mysql://user@host"),
    ],
)
def test_the_configuration_holds_no_password(book, url, what):
    book.append("a2ledger.toml", f'\n[sources.pbx1]\ndialect = "asterisk-db"\nurl = "{url}"\n')

    done = book.run("import", "pbx1", code=1)

    assert f"sources.pbx1.url: {what}" in done.stderr


def test_a_refused_row_of_a_table_comes_back_without_the_database(sqlite, book):
    sqlite.create("freepbx", seconds="NUMERIC")
    sqlite.insert([row(1, accountcode="new", billsec="61.5", userfield='a "b",\nc')])
    book.customers({"id": "C1"})
    book.run("import", "asterisk-db", sqlite.address, today="2026-01-06", code=3)
    sqlite.place.unlink()
    book.customers({"id": "C2", "identifiers": "new"})

    done = book.run("quarantine", "retry", today="2026-01-06")

    assert "asterisk-db: 1 rows read, 1 posted; 2.00" in done.stderr
    assert book.run("quarantine", "list", "--json").json == []
