"""The serve command: Fava for the staff."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import click

from a2ledger.book.book import RefusedError
from a2ledger.commands.settings import Settings, pass_settings


@click.command()
@click.option("--host", metavar="ADDRESS", help="Listen there, not where serve.host says.")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Listen at this port, else at 5000.",
)
@click.option("--read-only", is_flag=True, help="Show the book and write nothing.")
@click.option("--set-password", metavar="NAME", help="Ask for a person's password, keep its hash.")
@pass_settings
def serve(
    settings: Settings,
    *,
    host: str | None,
    port: int | None,
    read_only: bool,
    set_password: str | None,
) -> None:
    """Show the book to the staff in a browser: Fava with pages for customers, closing and money.

    Only this machine reaches it, unless [serve] in a2ledger.toml says who may log in.

    Example: a2ledger serve --read-only
    """
    book = settings.book()
    serve = book.config.serve
    serve = replace(serve, host=host or serve.host, port=serve.port if port is None else port)
    if set_password is not None:
        _set_password(
            settings, book.root / serve.passwords if serve.passwords else None, set_password
        )
        return
    # Fava takes half a second to import, and no other command needs it.
    server = importlib.import_module("a2ledger.staff.server")
    desk = importlib.import_module("a2ledger.staff.desk")
    clerk = importlib.import_module("a2ledger.staff.clerk")
    server.run(
        book,
        desk.Desk(
            root=book.root.resolve(),
            today=settings.today,
            clerk=None if read_only else clerk.Clerk(book.root, settings.options),
        ),
        serve,
        settings.talk,
    )


def _set_password(settings: Settings, path: Path | None, name: str) -> None:
    if path is None:
        raise RefusedError(
            "serve.passwords: a2ledger.toml names no file for them",
            undone="nothing was kept",
            todo="say where it is to be",
        )
    passwords = importlib.import_module("a2ledger.staff.passwords")
    passwords.set_password(path, name, settings.ask(f"Password of {name}"))
    settings.talk(f"{path}: {name} may log in")
