"""Call authorisation: the authorize command."""

from __future__ import annotations

import datetime as dt
import importlib
from dataclasses import replace
from typing import Any

import click

from a2ledger.book.authorize import split_address
from a2ledger.commands.settings import Settings, as_json_option, pass_settings, print_json
from a2ledger.switch import current_calls


class Address(click.ParamType[str]):
    """An address and port to listen on."""

    name = "ADDRESS:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Parse an address with its port."""
        try:
            split_address(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)
        return str(value)


@click.command()
@click.option("--agi", type=Address(), help="Listen there for Asterisk's FastAGI.")
@click.option("--http", type=Address(), help="Listen there for HTTP and JSON-RPC.")
@click.option("--state", metavar="URL", help="Keep calls there: a file, or postgresql://…")
@click.option(
    "--calls", "is_list", is_flag=True, help="List the calls that hold money; start nothing."
)
@click.option("--hang-up", metavar="CALL", help="Have the switch end a call; start nothing.")
@as_json_option
@pass_settings
def authorize(
    settings: Settings,
    *,
    agi: str | None,
    http: str | None,
    state: str | None,
    is_list: bool,
    hang_up: str | None,
    as_json_: bool,
) -> None:
    """Tell switches whether a call may be made, and how long it may last.

    Each call holds what it may cost until it is imported, so that calls at once cannot spend the
    same credit. The book is only read. See docs/switch.md.

    Example: a2ledger authorize --agi 127.0.0.1:4573 --http 127.0.0.1:4574
    """
    book = settings.book()
    zone = book.config.zone
    ahead = settings.today(book) - settings.clock().astimezone(zone).date()

    def clock() -> dt.datetime:
        return settings.clock().astimezone(zone) + ahead

    if hang_up:
        current_calls.hang_up(book, hang_up)
        settings.talk(f"{hang_up}: the switch was asked to hang up")
        return
    if is_list or as_json_:
        _list(settings, current_calls.running(book, clock()), as_json_=as_json_)
        return
    options = book.config.authorize
    options = replace(
        options,
        agi=agi or options.agi,
        http=http or options.http,
        state=state or options.state,
    )
    # It brings asyncio and PostgreSQL along, which no other command needs.
    server = importlib.import_module("a2ledger.switch.server")
    server.run(book.root.resolve(), options, clock, click.echo, settings.talk)


def _list(settings: Settings, known: current_calls.Running, *, as_json_: bool) -> None:
    """Print the calls that reserve money."""
    if as_json_:
        print_json({"server": known.server, "problem": known.problem, "calls": known.calls})
        return
    if known.problem:
        settings.talk(known.problem)
    if not known.calls:
        settings.talk("no running calls")
    for call in known.calls:
        click.echo(
            f"{call['started'][:19].replace('T', ' ')}  {call['customer']}  {call['called']} "
            f"{call['destination']}  {call['state']}  {call['seconds']} of {call['max_seconds']} s"
            f"  holds {call['reserved']}  {call['call']}"
        )
