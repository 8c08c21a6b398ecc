"""The command line: commands in the order of a month, and one line for every error.

Data goes to stdout, talk and progress to stderr. Exit codes: 0 fine, 1 the answer is no,
2 usage, 3 new rows in quarantine, 65 unusable input, 73 not to be written, 74 the disk or git
failed, 75 locked.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import os
import re
import sys
from collections import UserDict
from pathlib import Path
from typing import Any, NoReturn

import click

from a2ledger import __version__, errors
from a2ledger.book.transaction import PUBLISHED
from a2ledger.commands.settings import DAY, WORKERS, Settings, listed

COMMANDS = {
    "init": "start.init",
    "demo": "start.demo",
    "customer": "customers.customer",
    "fee": "fees.fee",
    "import": "imports.import_",
    "payment": "payments.payment",
    "refill": "payments.refill",
    "charge": "payments.charge",
    "quarantine": "quarantine.quarantine_",
    "tariff": "tariff.tariff",
    "sources": "sources.sources_",
    "rate": "rate.rate",
    "rerate": "rerate.rerate",
    "void": "rerate.void",
    "check": "check.check",
    "verify": "verify.verify",
    "find": "questions.find",
    "balances": "balances.balances",
    "payments": "payments.payments",
    "calls": "questions.calls",
    "ageing": "balances.ageing_",
    "preview": "statement.preview",
    "statement": "statement.statement",
    "close": "close.close",
    "invoice": "close.invoice",
    "send": "send.send",
    "templates": "templates.templates",
    "invoices": "questions.invoices",
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
    "completion": "completion.completion",
}
"""Module and function of each command in :mod:`a2ledger.commands`."""


SYNONYMS: dict[str, tuple[str, ...]] = {
    word: ours
    for words, ours in (
        ("pay paid payin", ("payment",)),
        ("topup top-up recharge credit voucher", ("refill",)),
        ("debit fine one-off", ("charge",)),
        ("list users user customers client clients accounts subscribers", ("customer list",)),
        ("add new create", ("customer add",)),
        ("show info", ("customer show",)),
        ("set edit update change", ("customer set",)),
        ("block suspend lock", ("customer block",)),
        ("unblock unlock", ("customer unblock",)),
        ("reopen", ("customer reopen",)),
        ("bill bills", ("preview", "invoices")),
        ("fees subscription subscriptions", ("fee list",)),
        ("balance owed debt", ("balances",)),
        ("aging overdue dunning", ("ageing",)),
        ("search lookup who whois", ("find",)),
        ("mail email e-mail print", ("send",)),
        ("cdr cdrs", ("calls",)),
        ("load ingest", ("import",)),
        ("rates ratecard rate-card rate-cards prices pricelist deck decks tariffs", ("tariff",)),
        ("undo cancel delete remove strike", ("void",)),
        ("creditnote credit_note", ("credit-note",)),
        ("writeoff write_off", ("write-off",)),
        ("chargeback bounce bounced", ("returned",)),
        ("start gui ui web fava", ("serve",)),
        ("history account", ("statement",)),
        ("month-end finalize finalise", ("close",)),
        ("rejected refused errors", ("quarantine list",)),
        ("reports vat", ("report",)),
        ("completions", ("completion",)),
    )
    for word in words.split()
}
"""Words of other programs, and the commands they mean here."""


class Commands(UserDict[str, Any]):
    """Commands by name, loaded on demand.

    Only what is run is loaded: with all of them, each would take a tenth of a second longer.
    """

    def __getitem__(self, name: str) -> click.Command:
        """Load a command."""
        module, _, function = self.data[name].partition(".")
        command: click.Command = getattr(
            importlib.import_module(f"a2ledger.commands.{module}"), function
        )
        return command


class Group(click.Group):
    """A group of commands that prints expected errors as one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in order."""
        del ctx
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that words name, suggesting ours for another program's word."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            word = " ".join(args[:2]).lower()
            ours = SYNONYMS.get(word) or SYNONYMS.get(args[0].lower())
            if ours is None:
                raise
            shown = " or ".join(f"`a2ledger {name}`" for name in ours)
            ctx.fail(f"No such command '{args[0]}'. Did you mean {shown}?")

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, turning an expected error into one line and an exit code."""
        PUBLISHED.clear()
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            if re.match(r"-[0-9]", error.option_name):
                hint = (
                    f"{error.option_name}… reads as an option: an amount is above zero; money paid "
                )
                hint += "back is `refund` or `returned`, a slip `void`; or say -- before it"
                raise click.UsageError(hint, error.ctx) from None
            if error.ctx is None or error.option_name not in self._own_options():
                raise
            _, _, command = error.ctx.command_path.partition(" ")
            hint = f"{error.option_name} stands before the command: "
            hint += f"a2ledger {error.option_name} … {command}"
            raise click.UsageError(hint, error.ctx) from None
        except BrokenPipeError:
            _tell_published()
            raise  # click's business: the reader of our output has gone
        except OSError as error:
            # Arrow names no file either when it can open none.
            is_output = error.filename is None and error.errno not in errors.NO_FILES
            _fail(_of_output(error) if is_output else errors.of_disk(error))
        except errors.ExpectedError as error:
            _fail(error)

    def _own_options(self) -> set[str]:
        """Return the options of all commands, which stand before the command's name."""
        return {name for param in self.params for name in param.opts}

    def main(self, *words: Any, **options: Any) -> Any:
        """Run the program, with streams that are open."""
        _open_streams()
        return super().main(*words, **options)


def _fail(error: errors.ExpectedError) -> NoReturn:
    for line in listed(error.lines()):
        click.echo(f"a2ledger: {line}", err=True)
    _tell_published()
    sys.exit(error.exit_code)


def _of_output(error: OSError) -> errors.ExpectedError:
    """Return what is said where our own output cannot be written: what was done stays done."""
    with contextlib.suppress(OSError):  # what is left of it would fail once more at the end
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, 1)
        os.close(descriptor)
    what = f"the output cannot be written: {error.strerror or error}"
    undone = "not all was printed" if PUBLISHED else "nothing was published"
    failed = errors.ExpectedError(what, undone, "see to where it goes, and ask again")
    failed.exit_code = errors.FAILED
    return failed


def _tell_published() -> None:
    """Say what stands although the command has failed."""
    for message in PUBLISHED:
        what = f"published before that: {message}"
        told = errors.told(what, "nothing of it is undone", "see `git log`")
        with contextlib.suppress(OSError):
            click.echo(f"a2ledger: {told}", err=True)


def _open_streams() -> None:
    """Open the streams that whoever started us has closed.

    Else the next file that is opened would take their place. Output that nobody can get is an
    error, as on a full disk; what is said to the person is only lost.
    """
    for number, name, place in ((0, "stdin", os.devnull), (2, "stderr", os.devnull),
                                (1, "stdout", "/dev/full")):  # fmt: skip
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(place, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))


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
    is_eager=True,  # whose [locale] --today is read in
)
@click.option("--today", type=DAY, metavar="DATE", help="Stand in for the clock.")
@click.option(
    "--lock-timeout",
    default=600.0,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait for another writer.",
)
@click.option(
    "--trust-book",
    is_flag=True,
    envvar="A2LEDGER_TRUST_BOOK",
    help="Work on a book that belongs to another user.",
)
@click.option(
    "--workers",
    type=WORKERS,
    default="",
    envvar="A2LEDGER_WORKERS",
    metavar="N|tcp://HOST:PORT",
    help="Processes that share large work, or a Dask cluster; all cores if not given.",
)
@click.option("-q", "--quiet", is_flag=True, help="Leave one summary line, for cron.")
@click.version_option(__version__)
@click.pass_context
def main(
    ctx: click.Context,
    /,
    *,
    book: Path,
    today: dt.date | None,
    lock_timeout: float,
    trust_book: bool,
    workers: str,
    quiet: bool,
) -> None:
    """Keep VoIP customers' accounts in plain text: calls in, double entry and bills out."""
    ctx.obj = Settings(book, today, lock_timeout, quiet, trusted=trust_book, workers=workers)
