"""Every command and option says what it is for: the help is walked, and so are wrong words."""

from __future__ import annotations

import re

import click
import pytest
from click.testing import CliRunner

from a2ledger.cli import main


def walked(group: click.Group, words: str = ""):
    """Yield each command below a group with the words that call it."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        own = f"{words} {name}".strip()
        yield own, command
        if isinstance(command, click.Group):
            yield from walked(command, own)


EVERY = dict(walked(main))


@pytest.mark.parametrize("name", EVERY)
def test_a_command_and_each_of_its_options_say_what_they_are_for(name):
    command = EVERY[name]
    assert command.help, name
    if not isinstance(command, click.Group):
        assert "Example:" in command.help, f"{name} has no example"
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            flag = max(option.opts, key=len)
            assert option.help, f"{name} {flag}"
            assert option.help[0].isupper(), f"{name} {flag}: {option.help}"
            assert option.help.rstrip().endswith((".", ")", "…", "]")), (
                f"{name} {flag}: {option.help}"
            )
            if not option.is_flag and not option.count:
                shape = option.make_metavar(click.Context(command))
                assert not re.fullmatch(r"TEXT|STRING", shape) or option.metavar, (
                    f"{name} {flag} says no shape of its value"
                )


def test_an_importers_help_shows_its_columns_and_an_example():
    shown = CliRunner().invoke(main, ["import", "--help"]).output
    for table in ("calls", "customers", "payments", "refills", "charges", "fees", "openings"):
        assert re.search(rf"^ *{table}: \w+, ", shown, re.MULTILINE), table
    assert "p1,C10001,2026-02-12,20.04,bank,INV-2026-000001" in shown


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("pay", "payment"),
        ("list", "customer list"),
        ("users", "customer list"),
        ("topup", "refill"),
        ("bill", "preview"),
        ("paymnet", "payment"),
        ("invocies", "invoices"),
    ],
)
def test_a_wrong_word_gets_the_right_one(wrong, right):
    done = CliRunner().invoke(main, [wrong])
    assert done.exit_code == 2
    assert right in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell):
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert "a2ledger" in done.output
    assert "_A2LEDGER_COMPLETE" in done.output
