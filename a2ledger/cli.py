"""The command line: the commands in the order of a month, and one line for every error.

Data goes to stdout, talk and progress to stderr. Exit codes: 0 fine, 1 the answer is no,
2 usage, 3 new rows in quarantine, 65 unusable input, 73 not to be written, 74 the disk or git
failed, 75 locked.
"""

from __future__ import annotations

import datetime as dt
import importlib
import sys
from collections import UserDict
from pathlib import Path
from typing import Any, NoReturn

import click

from a2ledger import __version__, errors
from a2ledger.commands.settings import DAY, Settings, listed

COMMANDS = {
    "init": "start.init",
    "demo": "start.demo",
    "customer": "customers.customer",
    "fee": "fees.fee",
    "import": "imports.import_",
    "quarantine": "imports.quarantine_",
    "tariff": "tariff.tariff",
    "sources": "sources.sources_",
    "rate": "imports.rate",
    "rerate": "rerate.rerate",
    "void": "rerate.void",
    "check": "balances.check",
    "verify": "balances.verify",
    "balances": "balances.balances",
    "ageing": "balances.ageing_",
    "preview": "balances.preview",
    "statement": "balances.statement",
    "close": "close.close",
    "invoice": "close.invoice",
    "send": "send.send",
    "report": "report.report",
    "explain": "explain.explain",
    "reconcile": "a2billing.reconcile",
    "export": "a2billing.export",
    "credit-note": "corrections.credit_note",
    "refund": "corrections.refund",
    "returned": "corrections.returned",
    "goodwill": "corrections.goodwill",
    "write-off": "corrections.write_off",
    "recover": "corrections.recover",
    "transfer": "corrections.transfer",
    "suspense": "corrections.suspense",
    "deposit": "corrections.deposit",
    "serve": "serve.serve",
    "authorize": "authorize.authorize",
    "doctor": "doctor.doctor",
    "upgrade": "upgrade.upgrade",
}
"""Where each command stands in :mod:`a2ledger.commands`."""


class Commands(UserDict[str, Any]):
    """Commands by name, from where each stands.

    Only what is run is loaded: with all of them, each would take a tenth of a second longer.
    """

    def __getitem__(self, name: str) -> click.Command:
        """A command, loaded now if it was not."""
        module, _, function = self.data[name].partition(".")
        command: click.Command = getattr(
            importlib.import_module(f"a2ledger.commands.{module}"), function
        )
        return command


class Group(click.Group):
    """Commands in the order of a month, and one line for every error."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in that order."""
        del ctx
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an expected error is one line and an exit code."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click's business: the reader of our output has gone
        except OSError as error:
            _fail(errors.of_disk(error))
        except errors.ExpectedError as error:
            _fail(error)


def _fail(error: errors.ExpectedError) -> NoReturn:
    for line in listed(error.lines()):
        click.echo(f"a2ledger: {line}", err=True)
    sys.exit(error.exit_code)


@click.group(
    cls=Group,
    commands=Commands(COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "-C",
    "--book",
    type=click.Path(path_type=Path),
    default=".",
    envvar="A2LEDGER_BOOK",
    metavar="BOOK",
    help="Directory of the book.",
    show_default=True,
)
@click.option("--today", type=DAY, metavar="DATE", help="Stand in for the clock.")
@click.option(
    "--lock-timeout",
    default=600.0,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait for another writer.",
)
@click.option("-q", "--quiet", is_flag=True, help="Leave one summary line, for cron.")
@click.version_option(__version__)
@click.pass_context
def main(
    ctx: click.Context, book: Path, today: dt.date | None, lock_timeout: float, quiet: bool
) -> None:
    """Keep VoIP customers' accounts in plain text: calls in, double entry and bills out."""
    ctx.obj = Settings(book, today, lock_timeout, quiet)
