"""Call authorisation: authorize."""

from __future__ import annotations

import datetime as dt
import importlib
from dataclasses import replace
from typing import Any

import click

from a2ledger.book.authorize import split_address
from a2ledger.commands.settings import Settings, pass_settings


class Address(click.ParamType[str]):
    """Where to listen."""

    name = "ADDRESS:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address if it is one."""
        try:
            split_address(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)
        return str(value)


@click.command()
@click.option("--agi", type=Address(), help="Listen there for Asterisk's FastAGI.")
@click.option("--http", type=Address(), help="Listen there for HTTP and JSON-RPC.")
@click.option("--state", metavar="URL", help="Keep calls there: a file, or postgresql://…")
@pass_settings
def authorize(settings: Settings, *, agi: str | None, http: str | None, state: str | None) -> None:
    """Answer switches: may this call be made, and how long may it last.

    Each call holds what it may cost until it is imported, so that calls at once cannot spend the
    same credit. The book is only read. See docs/switch.md.

    Example: a2ledger authorize --agi 127.0.0.1:4573 --http 127.0.0.1:4574
    """
    book = settings.book()
    options = book.config.authorize
    options = replace(
        options,
        agi=agi or options.agi,
        http=http or options.http,
        state=state or options.state,
    )
    zone = book.config.zone
    ahead = settings.today(book) - settings.clock().astimezone(zone).date()

    def clock() -> dt.datetime:
        return settings.clock().astimezone(zone) + ahead

    # It brings asyncio and PostgreSQL along, which no other command needs.
    server = importlib.import_module("a2ledger.switch.server")
    server.run(book.root.resolve(), options, clock, click.echo, settings.talk)
