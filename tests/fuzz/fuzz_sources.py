"""Feed dialects what no switch would write: no traceback, and no row is lost.

    python tests/fuzz/fuzz_sources.py freeswitch --seconds 300

runs atheris (``pip install -e '.[fuzz]'``), which finds its way by coverage, from the seeds below
and what it kept in ``--corpus``; ``asterisk-db`` reads tables of SQLite, see :func:`table_of`. What
fails is written to the working directory as ``crash-…``; naming such files after the dialect runs
them once each. ``tests/sources/test_fuzz.py`` uses the same check, and needs no atheris.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

NOW = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
A, B = "0c1f0a52-7d51-4a6e-9a4b-0d7c2f6b8a01", "5e9d6f7a-3f7e-4c55-8f0e-1b2a3c4d5e6f"
_START = '"2026-01-05 10:00:00","2026-01-05 10:00:04","2026-01-05 10:01:04"'
_LEG = f'"Ann","3021","3069","default",{_START},"64","60","NORMAL_CLEARING","{A}","{B}"'
_INSERT = "INSERT INTO cdr VALUES"
_CDR = (
    '"C1","3021","3069","customers","""Ann"" <3021>","PJSIP/1001-00000001","PJSIP/out-00000002",'
    f'"Dial","PJSIP/3069@out,60",{_START},64,60,"ANSWERED","DOCUMENTATION"'
)
_VARIABLES = {
    "uuid": A,
    "accountcode": "C1",
    "start_epoch": "1767603600",
    "start_stamp": "2026-01-05%2010%3A00%3A00",
    "billsec": "60",
    "duration": "64",
    "bridge_uuid": B,
}
_PROFILE = {"destination_number": "3069", "caller_id_number": "3021", "context": "default"}
_RECORD = json.dumps(
    {"variables": _VARIABLES, "callflow": [{"profile_index": "1", "caller_profile": _PROFILE}]}
)
_XML = "<?xml version='1.0'?><cdr><variables>{}</variables>{}</cdr>".format(
    "".join(f"<{key}>{value}</{key}>" for key, value in _VARIABLES.items()),
    "<callflow profile_index='1'><caller_profile><destination_number>3069</destination_number>"
    "<originator/></caller_profile></callflow>",
)

SEEDS = {
    "asterisk": [
        f"{_CDR}\n",
        f'{_CDR},"1767603600.1"\n{_CDR},"1767603600.2","x\ny"\n',
        f'{_CDR},"1767603600.1","","acme","1767603600.1",7\r\n\n{_CDR}\n',
        (
            "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,"
            "disposition,amaflags,accountcode,uniqueid,userfield\n2026-01-05 10:00:00,"
            '"Ann" <3021>,3021,3069,customers,SIP/1-1,SIP/2-2,Dial,x,64,60,ANSWERED,3,C1,1.1,\n'
        ),
    ],
    "calls": [
        (
            "id,customer,start,called,seconds,caller,cost,answered\n"
            "a,C1,2026-01-05 10:00:00,3069,60,3021,0.5,yes\n"
            "b,C1,2026-01-05T10:00:00Z,3069,0:01:00,,,\n"
        ),
        "customer;start;called;seconds\nC1;25/01/2026 10:00:00;3069;59.5\n",
        '"customer,start,called,seconds"\n"C1,1767603600,3069,60"\n',
        "customer\tstart\tcalled\tseconds\nC1\t1767603600000\t3069\t60\n",
    ],
    "freeswitch": [
        f'{_LEG},"C1","PCMA","PCMA"\n{_LEG},"C1","PCMA","PCMA"\n',
        f'{_INSERT} ({_LEG}, "C1");\n{_LEG}, "C1"\n',
        (
            f'"C1","3021","3069","default",""Ann" <3021>","x","y","bridge","z",{_START},"64","60",'
            f'"NORMAL_CLEARING","","{A}",""\n'
        ),
        f'"{A}","{B}","inbound","3021","3069",{_START[22:]},"60","C1","","192.0.2.1","",""\n',
        _LEG.replace("Ann", 'Bob "," B') + ',"C1","PCMA","PCMA"\n',
        _RECORD,
        f"{_RECORD}\n{_RECORD}\nx\n",
        _XML,
        "cdr=%3Ccdr%3E%3Cvariables%3E%3Cuuid%3Ex%3C/uuid%3E%3C/variables%3E%3C/cdr%3E",
    ],
}
TOKENS = [
    *('"', '""', '","', '", "', "\n", "\r\n", "\r", ",", ";", "\t", "|", "\0", "\ufeff", "\\"),
    *("{", "}", "[", "]", "<", ">", "<cdr>", "</cdr>", "<!DOCTYPE a [", "&a;", "&#0;", "<![CDATA["),
    *("NaN", "Infinity", "-1", "1e400", "9" * 40, "%", "%zz", "%FF", "%00", "\\ud800", "null"),
    *("|", "|~", "|#", "|=", "1000-01-01 00:00:00"),
    *("2026-02-30 25:61:61", "0000-00-00 00:00:00", "1:2", "\u2028", "\x85", "h", "INSERT INTO "),
]
"""What may stand at a place where nobody expects it."""

NAMES = {
    "asterisk": ["Master.csv"],
    "calls": ["log.csv"],
    "freeswitch": ["Master.csv", f"a_{A}.cdr.json"],
}

_CLASSIC = (
    *("calldate", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata"),
    *("duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield"),
)
TABLE = "asterisk-db"
LAYOUTS = (
    _CLASSIC,
    (
        *(*_CLASSIC, "did", "recordingfile", "cnum", "cnam", "outbound_cnum", "outbound_cnam"),
        *("dst_cnam", "linkedid", "peeraccount", "sequence"),
    ),
    (
        *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp"),
        *("lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
        *("userfield", "uniqueid", "linkedid", "peeraccount", "sequence"),
    ),
)
"""Columns of the tables that switches write: classic, FreePBX, Asterisk's own schema."""
ROW = (
    "2026-01-05 10:00:00|Ann|3021|3069|customers|PJSIP/1|PJSIP/2|Dial|x|#64|#60|ANSWERED|#3|C1|"
    "1767603600.1|"
)
TABLES = [
    *(f"0{ROW}", f"0{ROW}x\n{ROW}\n~|~|~|~|~|~|~|~|~|~|~|~|~|~|~|~"),
    f"1{ROW}|3225550199|||||||1767603600.1||#7",
    (
        "2C1|3021|3069|customers|Ann|Local/9@x-1;1|PJSIP/2|Dial|x|2026-01-05 10:00:00|"
        "2026-01-05 10:00:04|2026-01-05 10:01:04|#64|#60|ANSWERED|DOCUMENTATION|x|1767603600.1|||#7"
    ),
]
"""Tables as :func:`table_of` understands them."""


def table_of(data: bytes) -> tuple[tuple[str, ...], list[list[Any]]]:
    """The columns and rows that some bytes stand for.

    The first byte chooses the layout; then a line is a row and ``|`` parts its values. One that
    begins with ``#`` is a number, ``~`` is NULL, ``=`` begins bytes that need not be text.
    """
    names = LAYOUTS[data[0] % len(LAYOUTS)] if data else _CLASSIC
    lines = data[1:].split(b"\n") if data[1:] else []
    return names, [[*map(_value, line.split(b"|"))] for line in lines]


def _value(data: bytes) -> Any:
    kind, rest = data[:1], data[1:]
    if kind == b"~":
        return None
    if kind == b"=":
        return rest
    if kind == b"#":
        try:
            number = float(rest)
        except ValueError:
            return rest.decode("utf-8", "replace")
        whole = number.is_integer() and abs(number) < 2**63
        return int(number) if whole else number
    return data.decode("utf-8", "replace")


def check_table(names: Sequence[str], rows: Sequence[Sequence[Any]], directory: Path) -> None:
    """Read a table of these rows, and judge what becomes of them.

    Raises:
        AssertionError: if a row is lost or there twice.
        Exception: any that the command line would show as a traceback.
    """
    from a2ledger import sources  # noqa: PLC0415
    from a2ledger.calls import normalise  # noqa: PLC0415 - atheris must be there before them
    from a2ledger.sources.batch import gathered  # noqa: PLC0415

    file = directory / "cdr.db"
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as table:
        table.execute("PRAGMA synchronous = off")
        quoted = ", ".join(f'"{name}"' for name in names)
        table.execute(f"CREATE TABLE cdr ({quoted})")
        marks = ", ".join("?" * len(names))
        short = [[*row, *[None] * len(names)][: len(names)] for row in rows]
        table.executemany(
            f"INSERT INTO cdr VALUES ({marks})",  # noqa: S608 - question marks
            short,
        )
        table.commit()
    source, known = _house("asterisk-db")
    read: list[int] = []
    for batch in gathered(sources.dialect("asterisk-db")(file, source)):
        lines = batch.rows["line"].to_pylist()
        for line in lines:
            batch.raw(line)
        found = normalise.normalise(batch, source, known, "Europe/Brussels", NOW)
        ended = len(found.calls) + len(found.refused) + sum(found.not_billable.values())
        assert ended == len(lines), "a row is lost"
        read += lines + [row.line for row in batch.refused]
    assert sorted(read) == list(range(1, len(rows) + 1)), "a row is lost or there twice"


def _house(dialect: str) -> tuple[Any, Any]:
    """A source of a dialect, and a directory with one customer."""
    from a2ledger import sources  # noqa: PLC0415 - atheris must be there before them
    from a2ledger.book.source_config import Source  # noqa: PLC0415
    from a2ledger.customers.directory import Directory  # noqa: PLC0415
    from a2ledger.records import Customer  # noqa: PLC0415

    source = Source(
        name="x", dialect=dialect, switch="x", timezone="Europe/Brussels",
        rules=sources.rules(dialect),
    )  # fmt: skip
    return source, Directory([Customer(id="C1", opened=dt.date(2026, 1, 1))])


def check(dialect: str, name: str, data: bytes, directory: Path) -> None:
    """Read a file of these bytes, and judge its rows.

    Raises:
        AssertionError: if a row is lost or there twice.
        Exception: any that the command line would show as a traceback.
    """
    from a2ledger import sources  # noqa: PLC0415
    from a2ledger.calls import normalise  # noqa: PLC0415 - atheris must be there before them
    from a2ledger.sources.batch import UnusableInput, gathered  # noqa: PLC0415

    path = directory / name
    path.write_bytes(data)
    source, known = _house(dialect)
    try:
        batches = list(sources.dialect(dialect)(path, source))
    except UnusableInput:
        return  # one line, and the exit code of a file that cannot be used
    assert batches
    lines = [line for batch in batches for line in batch.rows["line"].to_pylist()]
    lines += [row.line for batch in batches for row in batch.refused]
    assert len(lines) == len(set(lines)), "a row is there twice"
    if not any(batch.notes for batch in batches):
        expect_all(dialect, name, data, sorted(lines))
    for batch in gathered(batches):
        for line in batch.rows["line"].to_pylist():
            batch.raw(line)
        found = normalise.normalise(batch, source, known, "Europe/Brussels", NOW)
        ended = len(found.calls) + len(found.refused) + sum(found.not_billable.values())
        assert ended == len(batch.rows), "a row is lost"


def expect_all(dialect: str, name: str, data: bytes, lines: list[int]) -> None:
    """Make sure that every line that is not blank is a row, where rows are lines."""
    if data.startswith(b"\x1f\x8b"):
        return
    texts = [line.decode("utf-8", "surrogateescape") for line in data.split(b"\n")]
    full = [number for number, text in enumerate(texts, 1) if text.strip("\ufeff").strip()]
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:3]
    if dialect != "freeswitch":
        assert set(lines) <= set(full), "a row stands where there is nothing"
    elif name.endswith("json") or start[:1] in b"{<" or start in {b"%7B", b"%3C", b"cdr"}:
        assert lines == [1] or set(lines) == set(full), "a document is lost"
    else:
        assert lines == full, "a line is lost"


def main() -> None:
    """Run atheris on a dialect, or files once each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("dialect", choices=sorted({*SEEDS, TABLE}))
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--corpus", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        if asked.files:
            for path in asked.files:
                one(asked.dialect, path.read_bytes(), directory)
        else:
            explore(asked.dialect, asked.seconds, asked.corpus or directory / "corpus", directory)


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    pass


def one(dialect: str, data: bytes, directory: Path) -> None:
    """Check one input of atheris: its first byte chooses the file's name, or the columns."""
    if dialect == TABLE:
        check_table(*table_of(data), directory)
        return
    names = NAMES[dialect]
    check(dialect, names[data[0] % len(names)] if data else names[0], data[1:], directory)


def explore(dialect: str, seconds: int, corpus: Path, directory: Path) -> None:
    """Run atheris, which ends the process."""
    import atheris  # noqa: PLC0415 - needed here alone

    with atheris.instrument_imports(include=["a2ledger.sources", "a2ledger.calls.normalise"]):
        from a2ledger import sources  # noqa: PLC0415
        from a2ledger.calls import normalise  # noqa: F401, PLC0415

        sources.dialect(dialect)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TABLES if dialect == TABLE else ()):
        (corpus / f"seed-{number}").write_bytes(seed.encode())
    for number, seed in enumerate(SEEDS.get(dialect, ())):
        for form, data in enumerate((seed.encode(), gzip.compress(seed.encode()))):
            (corpus / f"seed-{number}-{form}").write_bytes(bytes([number & 1]) + data)
    dictionary = directory / "tokens"
    words = ("".join(f"\\x{byte:02x}" for byte in token.encode()) for token in TOKENS)
    dictionary.write_text("".join(f'"{word}"\n' for word in words))
    options = [
        "-max_len=20000",
        "-len_control=0",
        "-rss_limit_mb=2048",
        "-timeout=20",
        f"-dict={dictionary}",
    ]
    atheris.Setup(
        [sys.argv[0], *options, f"-max_total_time={seconds}", str(corpus)],
        lambda data: one(dialect, data, directory),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
