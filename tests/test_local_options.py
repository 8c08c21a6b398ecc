"""Days and amounts are read as people of the book write them, in every option of every command."""

from __future__ import annotations

import datetime as dt
import itertools

import click
import pytest

from a2ledger.cli import main
from a2ledger.commands.settings import Amount, Day, Number, Settings


def _parameters(command, names=()):
    """Yield every parameter with its command's name and its own."""
    context = click.Context(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from _parameters(command.get_command(context, name), (*names, name))
    for parameter in command.params:
        yield " ".join([*names, parameter.opts[0]]), parameter


EVERY = dict(_parameters(main))
DAYS = {name: parameter for name, parameter in EVERY.items() if isinstance(parameter.type, Day)}
AMOUNTS = {
    name: parameter
    for name, parameter in EVERY.items()
    if isinstance(parameter.type, Amount | Number)
}
OTHERWISE = {
    "customer add --opened": "read by the command, see below",
    "tariff import --markup": "20% or 12,5 %: prices of a minute have forms of their own",
    "transfer what": "an amount or a payment's id, see below",
}
"""Parameters for days or amounts whose type is another."""


@pytest.fixture
def context(book):
    """A command line on a Belgian book."""
    book.append("a2ledger.toml", '\n[locale]\nname = "nl_BE"\n')
    with click.Context(main, obj=Settings(book.root, None, 1, quiet=True)) as made:
        yield made


def test_the_table_has_every_option_that_takes_a_day_or_an_amount():
    marks = ("DATE", "AMOUNT", "NET", "PERCENT")
    named = {
        name
        for name, parameter in EVERY.items()
        if any(mark in (parameter.metavar or parameter.name).upper().split("|") for mark in marks)
    }
    assert named - DAYS.keys() - AMOUNTS.keys() == OTHERWISE.keys()
    assert len(DAYS) > 30
    assert len(AMOUNTS) > 12


def test_every_day_may_be_written_day_first(context):
    for name, parameter in DAYS.items():
        for written in ("01/09/2026", "1.9.2026", "2026-09-01"):
            read = parameter.type.convert(written, parameter, context)
            assert read == dt.date(2026, 9, 1), name


def test_a_moment_may_be_written_day_first(context):
    moment = EVERY["tariff show --at"]
    read = moment.type.convert("01/09/2026 13:45", moment, context)
    assert read.isoformat() == "2026-09-01T13:45:00"
    assert moment.type.convert("1.9.2026", moment, context).date() == dt.date(2026, 9, 1)


def test_every_amount_may_have_a_decimal_comma(context):
    table = {
        "28,18": 28_180_000,
        "1.250,50": 1_250_500_000,
        "28.18": 28_180_000,
        "1.250": 1_250_000_000,
    }
    for (name, parameter), (written, micro) in itertools.product(AMOUNTS.items(), table.items()):
        read = parameter.type.convert(written, parameter, context)
        if isinstance(read, str):
            assert float(read) * 1_000_000 == micro, name
        else:
            assert read == micro, name


def test_what_other_parameters_read_is_read_alike(book):
    book.append("a2ledger.toml", '\n[locale]\nname = "nl_BE"\n')
    book.run(
        "customer",
        "add",
        "C1",
        "--opened",
        "01/09/2026",
        "--credit-limit",
        "250,50",
        today="02/09/2026",
    )
    book.run("customer", "add", "C2", "--opened", "01/09/2026", today="02/09/2026")
    shown = book.run("customer", "show", "C1", "--json", today="02/09/2026").json
    assert (shown["opened"], shown["credit_limit"]) == ("2026-09-01", "250.50")
    book.run(
        "customer", "set", "C1", "credit_limit=1.300,25", "--from", "02/09/2026", today="02/09/2026"
    )
    book.run("transfer", "C1", "C2", "12,50", today="02/09/2026")
    shown = book.run("balances", "C1", "--json", today="02/09/2026").json
    assert (shown[0]["credit_limit"], shown[0]["owed"]) == ("1300.25", "12.50")
