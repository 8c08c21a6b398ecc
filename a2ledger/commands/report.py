"""The report command, for accountants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import click

from a2ledger.book.book import Book
from a2ledger.commands.settings import DAY, Settings, as_json_option, pass_settings, print_json
from a2ledger.csvfile import cell, csv_text
from a2ledger.reports import receivables, taxes
from a2ledger.reports.taxes import Report

_OF_DAYS: dict[str, Callable[[Book, dt.date, dt.date], Report]] = {
    "vat": taxes.vat_return,
    "sales": taxes.sales,
    "ec-services": taxes.ec_services,
}
_OF_A_DAY = "receivables"
_WORDS = ("code", "category", "name", "customer", "country", "vat_id", "number", "kind", "original",
          "date", "issue_date", "currency")  # fmt: skip
"""Left-aligned columns; the others are numbers."""


@click.command()
@click.argument("kind", type=click.Choice([*_OF_DAYS, _OF_A_DAY]), metavar="REPORT")
@click.option("--from", "since", type=DAY, metavar="DATE", help="First day.")
@click.option("--to", "until", type=DAY, metavar="DATE", help="Last day; today if not given.")
@as_json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, for a spreadsheet.")
@pass_settings
def report(
    settings: Settings,
    *,
    kind: str,
    since: dt.date | None,
    until: dt.date | None,
    as_json_: bool,
    as_csv: bool,
) -> None:
    """Report VAT, sales, EU services or receivables.

    REPORT is vat (base and tax by code, credit notes apart), sales (every document), ec-services
    (services on which businesses in other member states owe the tax, by their number) or
    receivables (who owes what at the end of the day --to). Totals are those of the journals.

    Example: a2ledger report vat --from 2026-01-01 --to 2026-03-31
    """
    book = settings.book()
    last = until or settings.today(book)
    if kind == _OF_A_DAY:
        made = book.reading(lambda: receivables.receivables(book, last))
        first = None
    else:
        first = since or last.replace(day=1)
        if first > last:
            raise click.UsageError(f"--from {first} is after --to {last}")
        make = _OF_DAYS[kind]
        made = book.reading(lambda: make(book, first, last))
    if as_json_:
        print_json(_as_json(kind, first, last, book.config.currency, made))
    elif as_csv:
        rows = [[cell(str(row[name])) for name in made.columns] for row in made.rows]
        click.echo(csv_text([made.columns, *rows]), nl=False)
    else:
        _show(made)


def _as_json(
    kind: str, first: dt.date | None, last: dt.date, currency: str, made: Report
) -> dict[str, Any]:
    return {
        "report": kind,
        "from": str(first) if first else None,
        "to": str(last),
        "currency": currency,
        "rows": made.rows,
        "totals": made.totals,
        "other": list(made.other),
    }


def _show(made: Report) -> None:
    rows = [*made.rows, *made.totals]
    shown = [[str(row.get(name, "")) for name in made.columns] for row in rows]
    heads = [name.replace("_", " ") for name in made.columns]
    table = [heads, *shown]
    widths = [max(len(line[place]) for line in table) for place in range(len(heads))]
    for place, line in enumerate(table):
        if made.totals and place == len(table) - len(made.totals):
            click.echo("-" * (sum(widths) + 2 * len(widths) - 2))
        click.echo(_line(line, widths, made.columns))
    for row in made.other:
        click.echo(f"other VAT: {row['date']}  {row['code']}  {row['vat']}  {row['description']}")


def _line(line: Sequence[str], widths: Sequence[int], columns: Sequence[str]) -> str:
    cells = [
        f"{text:<{width}}" if name in _WORDS else f"{text:>{width}}"
        for text, width, name in zip(line, widths, columns, strict=True)
    ]
    return "  ".join(cells).rstrip()
