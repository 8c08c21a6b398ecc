"""The explain command: from a line of a bill down to calls and rates."""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
from typing import Any

import click

from a2ledger import csvfile, money
from a2ledger.audit import call_price
from a2ledger.audit import explain as tracing
from a2ledger.audit.call_price import Priced
from a2ledger.audit.explain import Explanation
from a2ledger.book.book import Book
from a2ledger.calls import kept_rows
from a2ledger.commands.settings import Settings, as_json_option, pass_settings, print_json
from a2ledger.errors import NO


@click.command()
@click.argument("document", metavar="INVOICE")
@click.argument("number", type=click.IntRange(min=1), metavar="LINE")
@click.option("--calls", "shown", default=10, show_default=True, metavar="N", help="Calls to show.")
@click.option("--call", "which", type=click.IntRange(min=1), metavar="N", help="Price this one.")
@click.option("--buy", is_flag=True, help="Also show what the carrier charges (not for customers).")
@click.option("--csv", "as_csv", is_flag=True, help="Print every call as CSV.")
@as_json_option
@pass_settings
def explain(  # noqa: PLR0913 - a parameter for each option
    settings: Settings,
    *,
    document: str,
    number: int,
    shown: int,
    which: int | None,
    buy: bool,
    as_csv: bool,
    as_json_: bool,
) -> None:
    """Show what is behind a line of a bill: its postings, their calls, and how one was priced.

    INVOICE is a document's number, or a customer, whose preview it is then. Exit 1 if something
    is missing or has changed.

    Example: a2ledger explain INV-2026-000002 1
    """
    book = settings.book()
    trace = tracing.explain(book, document, number, settings.today(book))
    rows = [
        (place, row)
        for place, row in enumerate(trace.calls.to_pylist(), start=1)
        if as_csv or place <= shown or place == which
    ]
    calls = [call_price.call_json(book, row, place) for place, row in rows]
    if which and which > len(trace.calls):
        raise click.BadParameter(f"the line has {len(trace.calls)} call(s)", param_hint="--call")
    first = [(place, row) for place, row in rows if place == (which or 1)]
    prices = [(place, row, call_price.priced(book, row, buy=buy)) for place, row in first]
    if as_csv:
        _csv(calls)
    elif as_json_:
        print_json(_json(trace, calls, prices))
    else:
        _text(trace, calls)
        for place, row, price in prices:
            _price(place, row, price)
            _leg(book, row)
    for note in trace.notes:
        click.echo(f"a2ledger: {trace.name}: {note}", err=True)
    if trace.notes:
        sys.exit(NO)


def _csv(calls: list[dict[str, Any]]) -> None:
    out = io.StringIO()
    names = (
        *("id", "start", "called", "seconds", "billed_seconds", "cost", "deck", "prefix", "void"),
        *("direction", "extension", "caller"),
    )
    writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    texts = ("id", "called", "deck", "void", "extension", "caller")
    writer.writerows(call | {name: csvfile.cell(call[name]) for name in texts} for call in calls)
    click.echo(out.getvalue(), nl=False)


def _json(
    trace: Explanation, calls: list[dict[str, Any]], prices: list[tuple[int, Any, Priced]]
) -> dict[str, Any]:
    before, after = trace.rounding()
    known = trace.micro is not None
    return {
        "document": trace.name,
        "customer": trace.customer,
        "currency": trace.currency,
        "line": trace.line,
        "included": trace.included,
        "exact": money.text(trace.micro) if trace.micro is not None else None,
        "total_before": money.text(trace.before_micro) if known else None,
        "shown_before": money.text(before, trace.places) if known else None,
        "shown_after": money.text(after, trace.places) if known else None,
        "postings": [
            {
                "file": posting.file,
                "line": posting.line,
                "date": str(posting.date),
                "text": posting.text,
                "amount": money.text(posting.micro),
                "part": money.text(posting.part_micro),
            }
            for posting in trace.postings
        ],
        "credits": trace.credits or None,
        "calls_total": len(trace.calls),
        "calls": calls,
        "prices": [
            {
                "call": place,
                "file": price.file,
                "line": price.line or None,
                "prefix": price.prefix,
                "destination": price.destination,
                "commit": price.commit or None,
                "steps": [step._asdict() for step in price.told.steps] if price.told else [],
                "cost": money.text(price.told.cost_micro) if price.told else None,
                "note": price.note,
                "buy_steps": [step._asdict() for step in price.bought.steps]
                if price.bought
                else [],
                "buy_cost": money.text(row["buy_micro"]) if price.bought else None,
            }
            for place, row, price in prices
        ],
        "notes": trace.notes,
    }


def _text(trace: Explanation, calls: list[dict[str, Any]]) -> None:
    line, currency = trace.line, trace.currency
    title = ", ".join(filter(None, (line["service"], line["destination"], line["description"])))
    click.echo(
        f"{trace.name}, line {line['line']}: {title}: {line['net']} {currency} ({line['vat_code']})"
    )
    if trace.micro is not None:
        _rounding(trace)
    if trace.credits:
        click.echo(f"it credits {trace.credits}: explain that document's line")
    click.echo("\npostings")
    for posting in trace.postings:
        part = (
            ""
            if posting.part_micro == posting.micro
            else f", {money.text(posting.part_micro)} of it here"
        )
        place = f"{posting.file}:{posting.line}" if posting.file else "not posted yet"
        click.echo(f"  {place}  {posting.date}  {posting.text}: {money.text(posting.micro)}{part}")
    if calls:
        click.echo("\ncalls")
        _table(calls)
    if (more := len(trace.calls) - len(calls)) > 0:
        click.echo(f"  … and {more} more: --calls {len(trace.calls)}, or --csv")


def _table(calls: list[dict[str, Any]]) -> None:
    any_extension = any(row["extension"] for row in calls)
    rows = [
        (
            str(row["call"]),
            row["start"],
            *([row["extension"]] if any_extension else []),
            row["called"],
            f"{row['seconds']} s",
            f"billed {row['billed_seconds']} s",
            row["cost"],
            row["id"],
        )
        for row in calls
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        *cells, name = (f"{text:>{width}}" for text, width in zip(row, widths, strict=True))
        click.echo(f"  {'  '.join(cells)}  {name.strip()}")


def _leg(book: Book, call: dict[str, Any]) -> None:
    """Print the rows a call was made of, if there are several."""
    if not call["leg"]:
        return
    channel, _, names = call["leg"].partition(": ")
    click.echo(f"  the leg {channel}, made of {len(names.split(' '))} rows")
    for row in kept_rows.rows_of(book.root, call["switch"], call["leg"], call["start"]):
        moments = (row["start_at"], row["end_at"])
        begins, ends = (dt.datetime.fromtimestamp(at, book.config.zone) for at in moments)
        sides = " > ".join(filter(None, (row["channel"], row["dstchannel"])))
        click.echo(
            f"    {begins:%Y-%m-%d %H:%M:%S} to {ends:%H:%M:%S}  {row['application'] or '-'}  "
            f"{sides}  {row['dst'] or '-'}  {row['seconds']} s"
        )


def _rounding(trace: Explanation) -> None:
    exact = trace.micro or 0
    before, after = trace.rounding()
    places = trace.places
    moved = money.text(after - before, places)
    click.echo(f"exactly {money.text(exact)}")
    click.echo(
        f"posted under {trace.line['vat_code']} before it {money.text(trace.before_micro)}, "
        f"shown as {money.text(before, places)}; with it {money.text(trace.before_micro + exact)}, "
        f"shown as {money.text(after, places)}: {moved} more"
    )
    if trace.included:
        click.echo("prices contain VAT: the line shows it less the VAT inside")


def _price(place: int, call: dict[str, Any], price: Priced) -> None:
    click.echo(f"\nprice of call {place}: {money.text(call['cost_micro'])}")
    if price.told:
        click.echo(f"  {price.file}:{price.line}, prefix {price.prefix}, {price.destination}")
        if price.commit:
            commit, day = price.commit.split()
            click.echo(f"  the deck has changed since: git show {commit}:{price.file}, of {day}")
        _steps(price.told.steps)
    if price.note:
        click.echo(f"  {price.note}")
    if price.bought:
        click.echo(f"\n{call['carrier'] or 'the carrier'} takes {money.text(call['buy_micro'])}")
        _steps(price.bought.steps)


def _steps(steps: tuple[Any, ...]) -> None:
    width = max(len(step.name) for step in steps)
    for step in steps:
        click.echo(f"  {step.name:<{width}}  {step.text}")
