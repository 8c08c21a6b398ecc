"""The tariff notice command: tell customers about price changes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from a2ledger import csvfile
from a2ledger.book.book import Book
from a2ledger.calls import detail
from a2ledger.commands.settings import (
    DAY,
    Settings,
    as_json_option,
    known,
    pass_settings,
    print_json,
)
from a2ledger.delivery import dispatch, outbox
from a2ledger.documents import language, pdf, render
from a2ledger.errors import NO
from a2ledger.rating import notices
from a2ledger.rating.notices import Notice

_MONTH = 31
_ENDINGS = {"html": "html", "pdf": "pdf", "text": "txt"}


@click.command("notice")
@click.option(
    "--effective", type=DAY, required=True, metavar="DATE", help="First day of the new prices."
)
@click.option(
    "--months", default=3, show_default=True, help="Only destinations called in so many months."
)
@click.option(
    "--all", "everything", is_flag=True, help="Every price that changes, whoever calls there."
)
@click.option(
    "--customer", "names", multiple=True, metavar="CUSTOMER", help="Only them; repeatable."
)
@click.option(
    "--format",
    "forms",
    type=click.Choice(["csv", *_ENDINGS]),
    multiple=True,
    help="Letters, one for each customer, need -o; repeatable.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIRECTORY",
    help="Write them there.",
)
@click.option("--send", "queued", is_flag=True, help="Queue a letter to each for `send`.")
@click.option("--short-notice", is_flag=True, help="Though they have more days of notice.")
@as_json_option
@pass_settings
def tariff_notice(
    settings: Settings,
    /,
    *,
    effective: dt.date,
    months: int,
    everything: bool,
    names: tuple[str, ...],
    **options: Any,
) -> None:
    """Write the price changes of each customer on a day: a CSV, and a letter for each.

    Letters are made from templates/notice.html.j2 and notice.txt.j2, in the book if it has them.
    Exit 1 if prices rise sooner than `[tariffs] notice_days` allows, and --short-notice is not
    given.

    Example: a2ledger tariff notice --effective 2026-04-01 --format html -o letters
    """
    book = settings.book()
    today = settings.today(book)
    for name in names:
        known(book, name)
    numbers = None if everything else notices.called(_days(book, today, months))
    planned = list(notices.notices(book, effective, numbers=numbers, names=names))
    first = today + dt.timedelta(days=book.config.notice_days)
    if (
        effective < first
        and any(notice.rises for notice in planned)
        and not options["short_notice"]
    ):
        settings.talk(f"{sum(notice.rises for notice in planned)} customer(s) would pay more")
        click.echo(
            f"a2ledger: {effective}: customers have {book.config.notice_days} days of notice; "
            f"nothing was written; take {first} or later, or say --short-notice",
            err=True,
        )
        sys.exit(NO)
    if options["queued"]:
        _queue(settings, planned)
    elif options["as_json_"]:
        print_json([notice.as_json() for notice in planned])
    else:
        _write(settings, book, planned, options["forms"] or ("csv",), options["output"])
    settings.talk(f"{len(planned)} customer(s) to be told of prices from {effective} on")


def _queue(settings: Settings, planned: list[Notice]) -> None:
    """Queue a letter to each customer, which `send` sends once."""
    with settings.drafting(dry_run=False) as draft:
        known_already = outbox.read(draft)
        letters = [
            message
            for notice in planned
            for message in dispatch.letters_to(
                draft,
                notice.customer,
                "notice",
                f"notice-{notice.customer.id}-{notice.effective}",
                {
                    "effective": str(notice.effective),
                    "letter": render.page(
                        "notice.txt.j2",
                        notice.values(draft, draft.today),
                        draft.root / "templates",
                        spoken=language.of_customer(
                            notice.customer, draft.config.company, notice.effective
                        ),
                    ).strip(),
                },
                draft.today,
            )
            if message.key not in known_already
        ]
        outbox.put(draft, letters)
        if letters:
            settings.publish(draft, f"tariff notice: {len(letters)} queued\n", dry_run=False)


def _days(book: Book, today: dt.date, months: int) -> Iterator[Any]:
    first = today - dt.timedelta(days=_MONTH * months)
    digests = detail.digests(book)
    for day in sorted(digests):
        if day >= first:
            yield detail.read(book.root, day, digests, ["customer", "called"])


def _write(
    settings: Settings,
    book: Book,
    planned: list[Notice],
    forms: tuple[str, ...],
    output: Path | None,
) -> None:
    out = io.StringIO()
    rows = [[csvfile.cell(cell) for cell in row] for notice in planned for row in notice.rows()]
    csv.writer(out, lineterminator="\n").writerows([notices.COLUMNS, *rows])
    letters = [form for form in forms if form != "csv"]
    if output is None:
        if letters:
            raise click.UsageError("letters are files: name a directory with -o")
        click.echo(out.getvalue(), nl=False)
        return
    output.mkdir(parents=True, exist_ok=True)
    if "csv" in forms:
        (output / "notices.csv").write_text(out.getvalue(), encoding="utf-8")
    today = settings.today(book)
    for form in letters:
        template = "notice.txt.j2" if form == "text" else "notice.html.j2"
        pages = [
            render.page(
                template,
                notice.values(book, today),
                book.root / "templates",
                spoken=language.of_customer(notice.customer, book.config.company, notice.effective),
            )
            for notice in planned
        ]
        made = (
            list(pdf.written([(page, str(today)) for page in pages]))
            if form == "pdf"
            else [page.encode() for page in pages]
        )
        for notice, content in zip(planned, made, strict=True):
            (output / f"{notice.customer.id}.{_ENDINGS[form]}").write_bytes(content)
