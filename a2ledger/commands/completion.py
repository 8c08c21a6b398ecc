"""Completion of commands, options and customers in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_PROGRAM = "a2ledger"
_VARIABLE = "_A2LEDGER_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what a shell needs to complete commands, options and customers' ids.

    Put the line into ~/.bashrc or ~/.zshrc: eval "$(a2ledger completion bash)"

    Example: a2ledger completion bash
    """
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click knows all three
    root = ctx.find_root()
    click.echo(made(root.command, {}, _PROGRAM, _VARIABLE).source())
