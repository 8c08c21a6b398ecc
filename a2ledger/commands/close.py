"""Commands for the end of a period: close and invoice."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from a2ledger.audit import tags
from a2ledger.billing import close as closing
from a2ledger.billing import itemised, settle, unposted
from a2ledger.billing.closed import Closed, left_open, totals, waiting
from a2ledger.book.book import Book
from a2ledger.commands.settings import (
    DAY,
    Settings,
    as_json_option,
    dry_run_option,
    known,
    pass_settings,
    print_json,
)
from a2ledger.documents import electronic, files, formats
from a2ledger.documents.document import Document, as_json
from a2ledger.documents.einvoice import KINDS
from a2ledger.documents.electronic import EInvoices
from a2ledger.errors import NO

_FORMATS = (*formats.ENDINGS, *electronic.ENDINGS, *itemised.ENDINGS)


@click.command()
@click.argument("customers", nargs=-1, metavar="[CUSTOMER]...")
@click.option("--through", type=DAY, metavar="DATE", help="Close periods that end by this day.")
@click.option("--without", multiple=True, metavar="SOURCE", help="Do not wait for this source.")
@click.option("--strict", is_flag=True, help="Leave open what calls in quarantine may belong to.")
@click.option("--final", is_flag=True, help="Settle the accounts of the customers named.")
@as_json_option
@dry_run_option
@pass_settings
def close(
    settings: Settings,
    /,
    *,
    customers: tuple[str, ...],
    through: dt.date | None,
    without: tuple[str, ...],
    as_json_: bool,
    dry_run: bool,
    **how: bool,
) -> None:
    """Close every period that has ended, number its document and freeze its file.

    Exit 0 if nothing is due; exit 1 if something that is due stays open, or a customer named
    could not be closed. Bills below [bill] minimum wait for the next one, unless their customer is
    named. Calls of these periods that lie in quarantine are named; with --strict, whatever they may
    belong to stays open. With --final the last period ends yesterday, whenever it would have ended,
    and no call or charge enters the account any more.

    Example: a2ledger close --dry-run
    """
    strict, final = how["strict"], how["final"]
    if final and (through or not customers):
        raise click.UsageError("--final settles the customers named, through yesterday")
    tags.check_key(settings.book())
    with settings.drafting(dry_run=dry_run) as draft:
        for name in customers:
            known(draft, name)
        results = (
            settle.settle(draft, customers, without, strict=strict)
            if final
            else closing.close(
                draft, through=through, names=customers, without=without, strict=strict
            )
        )
        held = unposted.held(draft)
        closed = [row for row in results if row.closed]
        settings.publish(draft, _close_message(closed), dry_run)
    if as_json_:
        print_json([row.as_json() for row in results])
    elif not settings.quiet:
        for row in closed:
            click.echo(
                f"{row.customer}  {row.period}  {row.number or 'statement'}  "
                f"{'credited' if row.kind == 'credit-note' else 'billed'} {row.gross}, "
                f"to pay {row.to_pay}"
            )
    for line in left_open(results):
        click.echo(f"a2ledger: {line}", err=True)
    _tell_unposted(settings.book(), held, closed)
    if told := waiting(results):
        click.echo(told, err=True)
    click.echo(_told(closed, dry_run), err=True)
    if any(not (row.closed or row.waits) for row in results):
        sys.exit(NO)
    if not (results or final):
        settings.talk("nothing is due: no period has ended since the last close")


def _tell_unposted(book: Book, held: Sequence[unposted.Held], closed: Sequence[Closed]) -> None:
    """Report quarantined and unclaimed calls of the periods closed."""
    periods = [(row.customer, row.period) for row in closed]
    for line in unposted.told(held, periods):
        todo = "they are on no bill; see `a2ledger quarantine list`"
        click.echo(f"a2ledger: {line}; {todo}", err=True)
    for line in unposted.told_unclaimed(book, periods):
        todo = "they are on no bill; a rule or an identifier claims them, then `import --all`"
        click.echo(f"a2ledger: {line}; {todo}", err=True)


def _told(closed: Sequence[Closed], dry_run: bool) -> str:
    """Return how many periods were closed, for a dry run, also the total billed."""
    if not dry_run:
        return f"{len(closed)} period(s) closed"
    billed = " and ".join(totals(closed))
    return f"{len(closed)} period(s) would be closed" + (f", {billed} billed" if billed else "")


def _close_message(closed: Sequence[Closed]) -> str:
    """Return the commit message: periods closed, and first and last number of each series."""
    series: dict[str, list[str]] = {}
    for number in (row.number for row in closed if row.number):
        series.setdefault(number.rstrip("0123456789"), []).append(number)
    count = sum(map(len, series.values()))
    spans = "".join(f", {numbers[0]} to {numbers[-1]}" for numbers in series.values())
    return f"close: {len(closed)} period(s), {count} number(s){spans}\n"


class Month(click.ParamType[str]):
    """A month such as 2026-01."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Parse a month."""
        try:
            return f"{dt.datetime.strptime(str(value), '%Y-%m'):%Y-%m}"  # noqa: DTZ007 - no time
        except ValueError:
            self.fail(f"{value!r} is not a month such as 2026-01", param, ctx)


@click.command()
@click.argument("numbers", nargs=-1, metavar="[NUMBER]...")
@click.option(
    "--period",
    "month",
    type=Month(),
    metavar="MONTH",
    help="Documents whose period ends in a month: 2026-01.",
)
@click.option("--all", "everything", is_flag=True, help="Every document there is.")
@click.option(
    "--format",
    "formats",
    default="html",
    show_default=True,
    metavar="LIST",
    help=f"One or more of {', '.join(_FORMATS)}.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to write; beside the documents if not given, - prints.",
)
@as_json_option
@dry_run_option
@pass_settings
def invoice(
    settings: Settings, /, *, output: Path | None, as_json_: bool, dry_run: bool, **given: Any
) -> None:
    """Render closed documents, by number, month or all, and print the paths written.

    ubl, cii and facturx are electronic invoices; what one lacks is named. calls (CSV), calls-html
    and calls-pdf list its calls, numbers masked as the customer wants it; the fact `itemised` puts
    them at the end of its page and PDF, too. Without numbers, those
    that can be made are, and exit 1 says that others could not.

    Example: a2ledger invoice INV-2026-000001 --format html,pdf
    """
    book = settings.book()
    numbers, names = given["numbers"], _formats(given["formats"])
    selected = _chosen(settings, book, as_json_=as_json_, **given)
    if as_json_:
        documents = [as_json(document) for document in selected.values()]
        print_json(documents[0] if len(numbers) == 1 else documents)
        return
    for_people = [name for name in names if name in formats.ENDINGS]
    for_programs = [name for name in names if name in electronic.ENDINGS]
    with settings.progress("rendering", len(selected) * len(names)) as bar:
        invoices = EInvoices(book, partial(itemised.attached, book))
        numbered = _invoices(selected, numbers) if for_programs else {}
        today = settings.today(book)
        paged = {"html", "pdf", "facturx"} & set(names)
        calls = itemised.appendices(book, selected) if paged else {}
        made, refused = electronic.rendered(invoices, numbered, for_programs, today, bar, calls)
        if refused and numbers:
            made, for_people = {}, []
        made |= formats.rendered(
            selected, for_people, book.root / "templates", bar, book.workers, calls
        )
        lists = [name for name in names if name in itemised.ENDINGS]
        made |= itemised.rendered(book, selected, lists, bar)
    if str(output) == "-":
        for content in made.values():
            click.echo(content, nl=False)
    elif dry_run:
        settings.talk(f"dry run: {len(made)} file(s) would be written")
    else:
        _write_renderings(settings, book, output, made)
    for line in refused:
        click.echo(f"a2ledger: {line}", err=True)
    if refused:
        sys.exit(NO)


def _formats(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in _FORMATS:
            raise click.BadParameter(
                f"{name!r} is none of {', '.join(_FORMATS)}", param_hint="--format"
            )
    return names


def _chosen(
    settings: Settings,
    book: Book,
    *,
    numbers: tuple[str, ...],
    month: str | None,
    everything: bool,
    as_json_: bool,
    formats: str,
) -> dict[str, Document]:
    """Return the documents chosen by number, by month, or all."""
    del formats
    if not (numbers or month or everything or as_json_):
        raise click.UsageError(
            "which? name documents, or say --period MONTH or --all; `a2ledger invoices` lists them"
        )
    documents = files.chosen(book, numbers, month or "")
    if not documents:
        settings.talk(f"note: no document{f' of a period that ends in {month}' if month else ''}")
    return documents


def _invoices(documents: Mapping[str, Document], numbers: Sequence[str]) -> dict[str, Document]:
    """Return documents that can become e-invoices, all of them if they were named."""
    return {
        name: document for name, document in documents.items() if numbers or document.kind in KINDS
    }


def _write_renderings(
    settings: Settings, book: Book, output: Path | None, files: dict[str, bytes]
) -> None:
    if output is None:
        with book.writing(settings.today(book), settings.talk, settings.timeout) as draft:
            for path, content in files.items():
                draft.put(f"invoices/{path}", content)
                click.echo(book.root / "invoices" / path)
            draft.publish("invoice: rendered\n")
        return
    formats.write(output, files)
    for path in files:
        click.echo(output / Path(path).name)
