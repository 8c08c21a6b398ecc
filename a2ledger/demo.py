# ruff: noqa: E501 - sample tables stand as they are written
"""The demo book: five customers, three months of generated calls, two closed and one open.

Everything is made from a fixed seed and run through the ordinary commands with ``--today``, so
that the same book comes out each time. Its input files stay beside it, under ``input/``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from a2ledger.csvfile import csv_text

Run = Callable[..., None]

COMPANY = "Example Telecom"
TIMEZONE = "Europe/Brussels"

NEXT = """\
{book}: a book with five customers, two closed months and an open one. Look at

  a2ledger -C {book} balances                   who owes what, and may still use
  a2ledger -C {book} preview C10001             the bill so far
  a2ledger -C {book} statement C10002           an account like a bank statement
  a2ledger -C {book} invoice --period 2026-02   bills as web pages, to open in a browser
  a2ledger -C {book} serve                      all of it in a browser, for the staff
  git -C {book} log --stat                      what every command did
"""

_CUSTOMERS = """\
id,name,credit_limit,tariff,opened,billing_day,vat,vat_id,email,address,country,terms,identifiers
C10001,Aegean Travel SRL,250.00,standard,2026-01-01,1,on-invoice,BE0403170701,accounts@aegean.example,"Rue Haute 12, 1000 Brussels",BE,14,aegean
C10002,Marie Peeters,0.00,standard,2026-01-01,1,none,,marie@peeters.example,"Kerkstraat 7, 9000 Ghent",BE,,
C10003,"Café ""Le Petit"" & Co",80.00,"saver, standard",2026-01-01,15,on-invoice,BE0428759497,lepetit@cafe.example,"Place du Marché 3, 4000 Liège",BE,30,lepetit
C10004,North Call Centre NV,900.00,"saver, standard",2026-01-01,1,on-invoice,BE0457741515,billing@north.example,"Noorderlaan 133, 2030 Antwerp",BE,14,north
C10005,Tom Janssens,0.00,standard,2026-01-10,1,none,,tom@janssens.example,"Naamsestraat 40, 3000 Leuven",BE,,
"""

_STANDARD = """\
dialprefix,destination,rateinitial,initblock,billingblock,connectcharge,minimal_cost
32,Belgium,0.0150,1,1,0,0
3247,Belgium Mobile,0.0950,30,6,0,0
31,Netherlands,0.0160,1,1,0,0
33,France,0.0120,1,1,0,0
336,France Mobile,0.0420,1,1,0,0
44,United Kingdom,0.0110,1,1,0,0
1,USA and Canada,0.0090,6,6,0,0
212,Morocco,0.2490,30,6,0.05,0.10
"""

_SAVER = """\
dialprefix,destination,rateinitial,initblock,billingblock
32,Belgium,0.0110,1,1
3247,Belgium Mobile,0.0790,1,1
"""

_SOURCE = """
[sources.pbx1]
dialect = "asterisk"
timezone = "UTC"

[[sources.pbx1.rules]]
contexts = ["customers"]
applications = ["Dial"]
"""


class _Caller(NamedTuple):
    account: str
    number: str
    calls_a_day: int
    first: dt.date


_CALLERS = (
    _Caller("aegean", "3225550101", 4, dt.date(2026, 1, 2)),
    _Caller("C10002", "3292220134", 2, dt.date(2026, 1, 3)),
    _Caller("lepetit", "3242220177", 3, dt.date(2026, 1, 2)),
    _Caller("north", "3235550180", 9, dt.date(2026, 1, 2)),
    _Caller("C10005", "3216220199", 1, dt.date(2026, 1, 12)),
)

_CALLED = (
    ("32470", 6),
    ("322555", 4),
    ("32925", 5),
    ("31205", 5),
    ("3314", 6),
    ("3361", 6),
    ("4420", 7),
    ("1212", 7),
    ("21261", 6),
)

_REFILLS = """\
id,customer,date,amount,method,description
r1,C10002,2026-01-03,15.00,voucher,Voucher 4821
r2,C10005,2026-01-10,10.00,,Top-up at the shop
r3,C10002,2026-02-05,15.00,voucher,Voucher 5307
r4,C10005,2026-02-20,10.00,bonus,Welcome bonus
r5,C10002,2026-03-04,20.00,voucher,Voucher 6619
"""

_PAYMENTS = """\
id,customer,date,amount,method,reference,description
p1,C10005,2026-01-12,10.00,cash,r2,Paid at the shop
p2,C10001,2026-02-12,20.00,bank,,Transfer
p3,C10004,2026-02-16,30.00,bank,,Transfer
p4,C10003,2026-02-27,10.00,paypal,,Paid online
p5,C10001,2026-03-12,5.00,bank,,Transfer (part)
p6,C10004,2026-03-16,60.00,bank,,Transfer
"""

_CHARGES = """\
id,customer,date,amount,service,description
c1,C10001,2026-01-01,4.00,DIDs,Number +32 2 555 01 01
c2,C10004,2026-01-01,25.00,Subscriptions,SIP trunk with 10 channels
c3,C10003,2026-01-20,12.50,One-off,Telephone delivered
c4,C10001,2026-02-01,4.00,DIDs,Number +32 2 555 01 01
c5,C10004,2026-02-01,25.00,Subscriptions,SIP trunk with 10 channels
c6,C10001,2026-03-01,4.00,DIDs,Number +32 2 555 01 01
c7,C10004,2026-03-01,25.00,Subscriptions,SIP trunk with 10 channels
"""


_COMPANY = {
    'address = ""\n': 'street = "Rue Haute 1"\npostcode = "1000"\ncity = "Brussels"\n',
    'iban = ""': 'iban = "BE68 5390 0754 7034"',
    'bic = ""': 'bic = "BBRUBEBB"',
}
"""What the demo's company fills in."""


def demonstrate(directory: Path, run: Run) -> None:
    """Make the demo book.

    Args:
        directory: where; it must not hold a book yet.
        run: runs a command of this program in that book, words as on the command line.
    """
    files = directory / "input"
    run(
        "--today",
        "2026-01-01",
        "init",
        str(directory),
        "--company",
        COMPANY,
        "--timezone",
        TIMEZONE,
    )
    settings = directory / "a2ledger.toml"
    text = settings.read_text(encoding="utf-8")
    for before, after in _COMPANY.items():
        text = text.replace(before, after)
    settings.write_text(text + _SOURCE, encoding="utf-8")
    _write(directory / "tariffs", {"standard.csv": _STANDARD, "saver.csv": _SAVER})
    rows = list(calls())
    late = [row for row in rows if _is_late(row)]
    _write(
        files,
        {
            "customers.csv": _CUSTOMERS,
            "Master-2026-01.csv": csv_calls(row for row in rows if _in(row, 1) and row not in late),
            "Master-2026-02.csv": csv_calls([*late, *(row for row in rows if _in(row, 2))]),
            "Master-2026-03.csv": csv_calls(row for row in rows if _in(row, 3)),
            **{
                f"{name}-2026-{month:02d}.csv": _of_month(text, month)
                for name, text in (
                    ("refills", _REFILLS),
                    ("payments", _PAYMENTS),
                    ("charges", _CHARGES),
                )
                for month in (1, 2, 3)
            },
        },
    )
    run("--today", "2026-01-01", "import", "customers", str(files / "customers.csv"))
    for month, today in ((1, "2026-02-02"), (2, "2026-03-02"), (3, "2026-03-20")):
        for source in ("refills", "payments", "charges"):
            run("--today", today, "import", source, str(files / f"{source}-2026-{month:02d}.csv"))
        run("--today", today, "import", "pbx1", str(files / f"Master-2026-{month:02d}.csv"))
        if month == 1:
            run(
                "--today",
                today,
                "customer",
                "set",
                "C10001",
                "credit_limit=300",
                "--from",
                "2026-02-15",
            )
        if month < 3:  # noqa: PLR2004 - March stays open
            run("--today", today, "close")
    run("--today", "2026-03-20", "invoice", "--period", "2026-02")


def _write(directory: Path, files: dict[str, str]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")


def _of_month(text: str, month: int) -> str:
    head, *rows = text.splitlines(keepends=True)
    return head + "".join(row for row in rows if f",2026-{month:02d}-" in row)


class Call(NamedTuple):
    """A generated call. The start is in UTC, and 0 seconds mean it was not answered."""

    account: str
    caller: str
    called: str
    start: dt.datetime
    seconds: int


def calls() -> Iterator[Call]:
    """Generate the demo customers' calls from January to 19 March 2026, in order of start."""
    random = Random(2026)  # noqa: S311 - a demo needs repeatable numbers, not secrets
    generated: list[Call] = []
    for caller in _CALLERS:
        day = caller.first
        while day < dt.date(2026, 3, 20):
            weekend = day.weekday() >= 5  # noqa: PLR2004 - Saturday
            count = random.randrange(caller.calls_a_day * (1 if weekend else 2))
            generated += [_call(random, caller, day) for _ in range(count)]
            day += dt.timedelta(days=1)
    yield from sorted(generated, key=lambda call: (call.start, call.account))


def _call(random: Random, caller: _Caller, day: dt.date) -> Call:
    prefix, digits = _CALLED[random.randrange(len(_CALLED)) * random.randrange(2)]
    called = prefix + "".join(str(random.randrange(10)) for _ in range(digits))
    second = random.randrange(8 * 3600, 19 * 3600)
    start = dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(seconds=second)
    answered = random.randrange(10) > 2  # noqa: PLR2004 - seven in ten
    length = random.randrange(5, 60) * random.randrange(1, 8)
    return Call(caller.account, caller.number, called, start, length if answered else 0)


def _in(call: Call, month: int) -> bool:
    return call.start.month == month


def _is_late(call: Call) -> bool:
    # Rows a second switch only delivered with February's file.
    return call.account == "aegean" and call.start.date() == dt.date(2026, 1, 30)


def csv_calls(rows: Iterator[Call] | list[Call]) -> str:
    """Format calls as Asterisk's ``cdr_csv``, with a row for each hang-up handler."""
    lines: list[list[object]] = []
    for call in rows:
        number = len(lines)
        unique = f"{int(call.start.timestamp())}.{number}"
        answered = call.seconds > 0
        answer = call.start + dt.timedelta(seconds=8)
        end = answer + dt.timedelta(seconds=call.seconds)
        channel = f"PJSIP/{call.account}-{number:08x}"
        stamps = [_stamp(call.start), _stamp(answer) if answered else "", _stamp(end)]
        head = [call.account, call.caller]
        clid = f'"{call.account}" <{call.caller}>'
        lines.append(
            [
                *head,
                call.called,
                "customers",
                clid,
                channel,
                f"PJSIP/carrier-{number + 1:08x}",
                "Dial",
                f"PJSIP/{call.called}@carrier,60",
                *stamps,
                call.seconds + 8,
                call.seconds,
                "ANSWERED" if answered else "NO ANSWER",
                "DOCUMENTATION",
                unique,
                "",
                "",
                unique,
                number,
            ]
        )
        lines.append(
            [
                *head,
                "h",
                "customers",
                clid,
                channel,
                "",
                "Hangup",
                "",
                stamps[2],
                "",
                stamps[2],
                0,
                0,
                "NO ANSWER",
                "DOCUMENTATION",
                unique,
                "",
                "",
                unique,
                number + 1,
            ]
        )
    return csv_text(lines)


def _stamp(when: dt.datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"
