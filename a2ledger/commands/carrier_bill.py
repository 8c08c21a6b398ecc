"""Compare a carrier's records or invoice with what the book expects to pay."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import csvfile, money, times
from a2ledger.audit import carrier_bill, carrier_file
from a2ledger.audit.carrier_bill import AGREES, DISPUTE, Ours, Reconciled
from a2ledger.audit.carrier_file import FIELDS, Clock, Theirs
from a2ledger.book.book import Book, RefusedError
from a2ledger.book.config import Tolerance
from a2ledger.calls import detail
from a2ledger.commands.settings import (
    DAY,
    FILE,
    ZONE,
    Settings,
    as_json_option,
    pass_settings,
    print_json,
)
from a2ledger.errors import NO
from a2ledger.rating import deck as decks
from a2ledger.rating import sheet_file
from a2ledger.sources.batch import BadFileError

_SHOWN = 20
_DAY = dt.timedelta(days=1)


@click.command("carrier")
@click.argument("name")
@click.argument("path", type=FILE, metavar="FILE")
@click.option("--from", "since", type=DAY, metavar="DATE", help="First day; of an invoice needed.")
@click.option("--to", "until", type=DAY, metavar="DATE", help="Last day; of an invoice needed.")
@click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN,...", help="Which is which.")
@click.option("--dates", type=click.Choice(["day", "month"]), help="What 01/02/2026 begins with.")
@click.option("--timezone", type=ZONE, metavar="ZONE", help="Of its times, if not the book's: UTC.")
@click.option("--currency", metavar="CODE", help="Of the amounts, where the file does not say.")
@click.option(
    "--dispute", type=click.Path(path_type=Path), metavar="CSV", help="Write what differs."
)
@as_json_option
@pass_settings
def reconcile_carrier(
    settings: Settings,
    /,
    name: str,
    path: Path,
    *,
    since: dt.date | None,
    until: dt.date | None,
    **options: Any,
) -> None:
    """Compare a carrier's bill with what the book expects to pay.

    FILE has the carrier's calls (start, called, seconds, amount), or lines of an invoice
    (destination, calls, minutes, amount); a CSV of any kind or a workbook. Calls only they have,
    only we have, of another length, at another price are shown; exit 1 if there are any. How far
    apart is still the same is said under [carriers.NAME].

    Example: a2ledger reconcile carrier Nordic cdr-2026-02.csv --dispute dispute.csv
    """
    book = settings.book()
    columns = _columns(options["maps"])
    rows = sheet_file.rows(path, columns)
    clock = Clock(
        book.config.zone,
        ZoneInfo(options["timezone"]) if options["timezone"] else None,
        options["dates"] or book.config.locale.dates,
    )
    theirs, problems = carrier_file.read(rows, path.name, columns, clock)
    if problems:
        raise BadFileError(
            decks.first(problems), "nothing was compared", "correct the row, or remove it"
        )
    first, last = _bounds(theirs, since, until)
    theirs = [record for record in theirs if record.start is None or first <= record.start <= last]
    tolerance = book.config.tolerances.get(name, Tolerance())
    near = dt.timedelta(seconds=tolerance.start_seconds)
    ours = list(_ours(book, name, first - near, last + near))
    if not ours and not _knows(book, name):
        raise RefusedError(f"{name}: no call went to such a carrier", undone="nothing was compared")
    named = {options["currency"]} if options["currency"] else carrier_file.currencies(rows, columns)
    currency = _currency(book, name, path, {call.currency for call in ours}, named)
    ours = [call for call in ours if call.currency == currency]
    bounds = (first, last)
    result = carrier_bill.compare(name, currency, ours, theirs, tolerance, bounds)
    if options["as_json_"]:
        print_json(result.as_json())
    else:
        _show(result)
    if alone := [pair.theirs for pair in result.pairs if pair.theirs and not pair.ours]:
        wide = _ours(book, name, first - carrier_bill.FARTHEST, last + carrier_bill.FARTHEST)
        if hours := carrier_bill.hours_apart(alone, wide):
            settings.talk(
                f"note: {path.name}: most of these would agree, had they started {abs(hours)} "
                f"hour(s) {'later' if hours > 0 else 'earlier'}; give the zone with --timezone"
            )
    if options["dispute"]:
        _dispute(options["dispute"], result)
    if not result.agrees:
        sys.exit(NO)


def _currency(book: Book, carrier: str, path: Path, ours: set[str], named: set[str]) -> str:
    """Return the currency to compare: the file's, which some of our calls must have.

    Raises:
        RefusedError: if there is no such, or it is not clear which.
    """
    undone = "nothing was compared"
    known = ours or {book.config.currency}
    fitting = {code for code in known if code in named or ("$" in named and code.endswith("D"))}
    if named and not fitting:
        raise RefusedError(
            f"{path.name}: amounts are in {', '.join(sorted(named))}, what {carrier} takes is "
            f"expected in {', '.join(sorted(known))}",
            undone,
            "see the currency under [tariffs.DECK] in a2ledger.toml",
        )
    known = fitting or known
    if len(known) > 1:
        raise RefusedError(
            f"{path.name}: what {carrier} takes is in {', '.join(sorted(known))}, and the file "
            "does not say which its amounts are in",
            undone,
            "say it with --currency",
        )
    return known.pop()


def _columns(maps: tuple[str, ...]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for item in (item for text in maps for item in re.split(r",\s*(?=\w+\s*=)", text)):
        ours, equals, theirs = (part.strip() for part in item.partition("="))
        if not (equals and theirs) or ours not in FIELDS:
            raise click.UsageError(f"--map: {item!r} is not such as called=Number; {FIELDS}")
        columns[ours] = theirs
    return columns


def _bounds(
    theirs: list[Theirs], since: dt.date | None, until: dt.date | None
) -> tuple[dt.datetime, dt.datetime]:
    """Return the first and last moment to compare."""
    starts = [record.start for record in theirs if record.start]
    if not starts and not (since and until):
        raise click.UsageError("an invoice says no times: name its days with --from and --to")
    first = dt.datetime.combine(since, dt.time()) if since else min(starts)
    last = dt.datetime.combine(until + _DAY, dt.time()) if until else max(starts)
    return first, last


def _ours(book: Book, carrier: str, first: dt.datetime, last: dt.datetime) -> Iterator[Ours]:
    """Yield our calls by a carrier between two moments, in the book's time zone."""
    digests = detail.digests(book)
    for day in sorted(digests):
        if not first.date() - _DAY <= day <= last.date() + _DAY:
            continue
        calls = detail.read(book.root, day, digests)
        calls = calls.filter(pc.equal(calls["carrier"], carrier))
        start = np.asarray(pc.cast(calls["start"], pa.int64()))
        local = times.to_naive(start, book.config.timezone).astype("datetime64[s]").tolist()
        columns = ("switch", "uid", "called", "destination", "seconds", "buy_micro", "deck")
        rows = zip(local, *(calls[name].to_pylist() for name in columns), strict=True)
        for place, (moment, switch, uid, called, destination, seconds, micro, deck) in enumerate(
            rows
        ):
            if first <= moment <= last:
                identity = f"{switch}/{uid}/{day}/{place}"
                currency = book.config.deck(deck).currency if deck else book.config.currency
                yield Ours(identity, moment, called, destination, seconds, micro or 0, currency)


def _knows(book: Book, carrier: str) -> bool:
    return bool(book.files(f"journals/carriers/{carrier}"))


def _show(result: Reconciled) -> None:
    ours, theirs = result.totals
    click.echo(
        f"{result.carrier}: {ours.calls:,} calls, {money.text(ours.micro, 2)} {result.currency} "
        f"expected; {theirs.calls:,} calls, {money.text(theirs.micro, 2)} asked for; "
        f"{money.text(theirs.micro - ours.micro, 2)} more"
    )
    if not result.is_invoice:
        for kind, count in result.counts().items():
            click.echo(f"{count:>9,} {kind}")
    names = result.differing()
    if names:
        click.echo("\ndestinations that differ")
    for name in names[:_SHOWN]:
        mine, other = result.destinations[name]
        click.echo(
            f"  {name[:32]:<32} {mine.calls:>7,} {other.calls:>7,} calls "
            f"{money.text(mine.micro, 2):>12} {money.text(other.micro, 2):>12}"
        )
    disputed = [pair for pair in result.pairs if pair.kind != AGREES]
    if disputed:
        click.echo("\ncalls that differ")
    for pair in disputed[:_SHOWN]:
        kind, start, called, destination, *rest = pair.row()
        click.echo(f"  {start}  {called:<16} {destination[:24]:<24} {kind}: {', '.join(rest[:4])}")
    if len(disputed) > _SHOWN:
        click.echo(f"  … and {len(disputed) - _SHOWN} more: --dispute FILE, or --json")


def _dispute(path: Path, result: Reconciled) -> None:
    out = io.StringIO()
    rows = [pair.row() for pair in result.pairs if pair.kind != AGREES]
    csv.writer(out, lineterminator="\n").writerows(
        [DISPUTE, *([csvfile.cell(cell) for cell in row] for row in rows)]
    )
    path.write_text(out.getvalue(), encoding="utf-8")
