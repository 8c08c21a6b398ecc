"""Commands that view price lists: list, show, export, diff."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import sys
from pathlib import Path
from typing import Any

import click

from a2ledger import csvfile, errors, local_forms, money
from a2ledger.book.book import Book, RefusedError
from a2ledger.calls import detail
from a2ledger.commands.settings import (
    DAY,
    Settings,
    as_json_option,
    known,
    locale_of,
    pass_settings,
    print_json,
)
from a2ledger.corrections import what_if
from a2ledger.corrections.what_if import Effect
from a2ledger.documents import language, pdf, render
from a2ledger.errors import NO, BadValueError
from a2ledger.journal import subledgers
from a2ledger.rating import deck as decks
from a2ledger.rating import decks as cache
from a2ledger.rating import price_list, usage, versions, winner
from a2ledger.rating.deck import Deck
from a2ledger.records import split_list

_SHOWN = 20


@click.command("list")
@as_json_option
@pass_settings
def tariff_list(settings: Settings, *, as_json_: bool) -> None:
    """List decks: rates, currency, from when, and how many customers have them.

    Example: a2ledger tariff list
    """
    book = settings.book()
    today = settings.today(book)
    rows = [_deck_row(book, name, today) for name in usage.names(book)]
    if as_json_:
        print_json(rows)
        return
    for row in rows:
        starts = f", {row['coming']} coming from {row['next']}" if row["coming"] else ""
        since = f" from {row['valid_from']}" if row["valid_from"] else ""
        summary = row["problem"] or f"{row['rates']:,} rates in {row['currency']}{since}{starts}"
        users = ", ".join(row["users"][:3]) + " …" * (len(row["users"]) > 3)  # noqa: PLR2004
        click.echo(f"{row['deck']:<20} {summary}; {users or 'used by nobody'}")


def _deck_row(book: Book, name: str, today: dt.date) -> dict[str, Any]:
    facts = book.config.deck(name)
    users = usage.customers_of(book, name, today)
    users += [
        use.user for use in usage.uses(book) if use.deck == name and use.user.startswith("sources.")
    ]
    row: dict[str, Any] = {
        "deck": name,
        "rates": 0,
        "currency": facts.currency,
        "valid_from": None if facts.valid_from == dt.date.min else str(facts.valid_from),
        "coming": 0,
        "next": None,
        "users": users,
        "problem": "",
    }
    if not book.has(f"tariffs/{name}.csv"):
        return row | {"problem": "is not there"}
    text = book.text(f"tariffs/{name}.csv")
    deck, problems = decks.parse(
        text, name=name, file=f"tariffs/{name}.csv", locale=book.config.locale
    )
    if problems:
        return row | {"problem": f"cannot be used: {problems[0]}"}
    coming = winner.coming(deck, today)
    return row | {
        "rates": len(deck),
        "coming": len(coming),
        "next": str(min(coming)) if coming else None,
    }


class Moment(click.ParamType[dt.datetime]):
    """A day, or a time of day on it."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        """Parse a time, taking noon for a day alone."""
        if isinstance(value, dt.datetime):
            return value
        try:
            text = local_forms.day(str(value), locale_of(ctx))
            if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                return dt.datetime.combine(dt.date.fromisoformat(text), price_list.NOON)
            return dt.datetime.fromisoformat(text).replace(tzinfo=None)
        except BadValueError as error:
            self.fail("; ".join(filter(None, errors.parts(error))), param, ctx)
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-02-01 13:45", param, ctx)


@click.command("show")
@click.argument("who", metavar="CUSTOMER|DECK")
@click.argument("number")
@click.option("--at", "moment", type=Moment(), metavar="TIME", help="When it is called; else now.")
@as_json_option
@pass_settings
def tariff_show(
    settings: Settings, *, who: str, number: str, moment: dt.datetime | None, as_json_: bool
) -> None:
    """Show the rate that applies to a number, why, and what a minute costs.

    Exit 1 if there is none, or such calls are blocked.

    Example: a2ledger tariff show C10001 +32470123456 --at "2026-03-01 20:00"
    """
    book = settings.book()
    when = moment or settings.now(book).replace(tzinfo=None)
    customer = subledgers.customers(book).get(who)
    if customer is not None:
        names = split_list(customer.text("tariff", when.date()))
        discount = int((customer.fact("discount_percent", when.date()) or 0) * 100)
    elif who in usage.names(book):
        names, discount = (who,), 0
    else:
        raise RefusedError(
            f"{who}: is neither a customer nor a deck", todo="see `a2ledger tariff list`"
        )
    explanation = winner.explain(book, names, number, when, discount)
    if as_json_:
        print_json(explanation.as_json())
    else:
        for line in explanation.lines():
            click.echo(line)
    if explanation.reason:
        sys.exit(NO)


@click.command("export")
@click.option(
    "--customer", "identity", required=True, metavar="CUSTOMER", help="Whose prices they are."
)
@click.option("--at", "day", type=DAY, metavar="DATE", help="As it holds on a day; else today.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "xlsx", "html", "pdf"]),
    default="csv",
    show_default=True,
    help="As a table, or as a page to send.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write it there, not to stdout.",
)
@as_json_option
@pass_settings
def tariff_export(
    settings: Settings,
    *,
    identity: str,
    day: dt.date | None,
    form: str,
    output: Path | None,
    as_json_: bool,
) -> None:
    """Write a customer's own price list, as it holds on a day, discount taken off.

    The page is templates/price-list.html.j2, in the book if it has one.

    Example: a2ledger tariff export --customer C10001 --format csv
    """
    book = settings.book()
    customer = known(book, identity)
    on = day or settings.today(book)
    prices = price_list.listed(book, customer, on)
    if as_json_:
        print_json([price.as_json() for price in prices])
        return
    rows = [[csvfile.cell(str(value)) for value in _cells(price)] for price in prices]
    content: bytes
    if form == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([price_list.COLUMNS, *rows])
        content = out.getvalue().encode()
    elif form == "xlsx":
        content = _workbook(price_list.COLUMNS, rows)
    else:
        values = {
            "company": book.config.company_on(on),
            "customer": identity,
            "name": customer.text("name", on) or identity,
            "currency": subledgers.currency(book, identity),
            "day": str(on),
            "prices": [price.as_json() for price in prices],
        }
        spoken = language.of_customer(customer, book.config.company, on)
        page = render.page("price-list.html.j2", values, book.root / "templates", spoken=spoken)
        content = page.encode() if form == "html" else next(pdf.written([(page, str(on))]))
    write_out(content, output, form)


def _cells(price: price_list.Price) -> list[object]:
    values = price.as_json()
    return [
        ("yes" if values[name] else "") if name == "blocked" else values[name] or ""
        for name in price_list.COLUMNS
    ]


def _workbook(header: tuple[str, ...], rows: list[list[str]]) -> bytes:
    import openpyxl  # noqa: PLC0415 - a tenth of a second nobody else waits for

    book: Any = openpyxl.Workbook(write_only=True)
    worksheet = book.create_sheet("Prices")
    worksheet.append(header)
    for row in rows:
        worksheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def write_out(content: bytes, output: Path | None, form: str) -> None:
    """Write a rendered file to its output, or to the terminal if it is text."""
    if output is not None:
        output.write_bytes(content)
    elif form in ("xlsx", "pdf") and sys.stdout.isatty():
        raise click.UsageError(f"{form} is nothing to look at here; name a file with -o")
    else:
        click.echo(content, nl=False)


@click.command("diff")
@click.argument("old", required=False, metavar="[OLD]")
@click.argument("new", required=False, metavar="[NEW]")
@click.option("--deck", "name", default="", metavar="NAME", help="The deck they stand for.")
@click.option(
    "--at", "days", type=DAY, nargs=2, metavar="DATE1 DATE2", help="The deck as it holds then."
)
@click.option("--month", metavar="YYYY-MM", help="Whose calls are priced; else the last there is.")
@as_json_option
@pass_settings
def tariff_diff(
    settings: Settings,
    *,
    old: str | None,
    new: str | None,
    name: str,
    days: tuple[dt.date, dt.date] | None,
    month: str | None,
    as_json_: bool,
) -> None:
    """Show what a change of prices earns: a month's real calls, priced both ways.

    OLD and NEW are decks of the book, files, or a file of an earlier commit (REV:PATH). It is, to
    the micro-unit, what `rerate` would then do.

    Example: a2ledger tariff diff --deck standard --at 2026-02-28 2026-03-01 --month 2026-02
    """
    book = settings.book()
    name, before, after = sides(book, old or "", new or "", name, days)
    month = chosen_month(book, month or "")
    effect = what_if.what_if(book, {name: before}, {name: after}, month)
    if as_json_:
        print_json({"deck": name, **effect.as_json()})
    else:
        _show_effect(effect)


def chosen_month(book: Book, month: str) -> str:
    """Return the requested month, or the last one with calls."""
    months = sorted({f"{day:%Y-%m}" for day in detail.digests(book)})
    if not month and months:
        return months[-1]
    if month not in months:
        raise RefusedError(
            f"{month or 'the book'}: there are no calls", todo=f"name one of {months}"
        )
    return month


def sides(
    book: Book, old: str, new: str, name: str, days: tuple[dt.date, dt.date] | None
) -> tuple[str, Deck, Deck]:
    """Return a deck's name, and the deck before and after a change."""
    if days:
        if old or new or not name:
            raise click.UsageError("--at needs --deck, and neither OLD nor NEW")
        deck = cache.deck(book, name)
        first, second = (dt.datetime.combine(day, dt.time()) for day in days)
        return name, deck.at(first), deck.at(second)
    if not (old and new):
        raise click.UsageError("name OLD and NEW, or --deck NAME --at DATE1 DATE2")
    names = usage.names(book)
    stems = [name, old, Path(old.rpartition(":")[2]).stem, Path(new.rpartition(":")[2]).stem]
    name = name or next((stem for stem in stems if stem in names), "")
    if not name:
        raise click.UsageError("say with --deck which deck of the book they stand for")
    return name, versions.side(book, old, name), versions.side(book, new, name)


def _show_effect(effect: Effect) -> None:
    for currency, sums in sorted(effect.totals.items()):
        click.echo(
            f"{effect.month}: {sums.calls:,} calls, {money.text(sums.before, 2)} -> "
            f"{money.text(sums.after, 2)} {currency}, {_signed(sums.difference)}; margin "
            f"{money.text(sums.before - sums.cost_before, 2)} -> "
            f"{money.text(sums.after - sums.cost_after, 2)}"
        )
        if sums.losing:
            click.echo(f"{sums.losing:,} calls would be sold below what the carrier takes")
    for kind in ("destinations", "customers"):
        rows = [(name, sums) for name, sums in effect.by_effect(kind) if sums.difference]
        if rows:
            click.echo(f"\n{kind}")
        for (name, currency), sums in rows[:_SHOWN]:
            click.echo(
                f"  {name[:32]:<32} {sums.calls:>7,} calls {money.text(sums.before, 2):>14} "
                f"{money.text(sums.after, 2):>14} {_signed(sums.difference):>14} {currency}"
            )
        if len(rows) > _SHOWN:
            click.echo(f"  … and {len(rows) - _SHOWN} more: --json")
    for reason, count in sorted(effect.left.items()):
        click.echo(f"{count:,} calls stay as they are: {reason}", err=True)


def _signed(micro: int) -> str:
    return ("+" if micro > 0 else "") + money.text(micro, 2)
