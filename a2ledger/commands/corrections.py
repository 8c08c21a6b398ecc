"""Commands that correct postings: credit notes, refunds, write-offs, transfers, deposits."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable
from typing import Any

import click

from a2ledger import money
from a2ledger.accounts import NOBODY
from a2ledger.book.book import Draft, RefusedError
from a2ledger.commands.settings import (
    AMOUNT,
    DAY,
    NUMBER,
    Settings,
    as_json_option,
    dry_run_option,
    known,
    pass_settings,
    print_json,
    with_options,
)
from a2ledger.corrections import correct as correcting
from a2ledger.corrections import deposits, issue_credit_note
from a2ledger.corrections import transfer as transferring
from a2ledger.corrections import write_off as losses
from a2ledger.corrections.correct import Posted, Wanted
from a2ledger.corrections.transfer import Moving


class Asked:
    """The options shared by all corrections, and how their results are shown."""

    def __init__(
        self, settings: Settings, day: dt.date | None, identity: str, description: str, **how: bool
    ) -> None:
        self.settings, self.day, self.id, self.description = settings, day, identity, description
        self.as_json, self.dry_run = how["as_json_"], how["dry_run"]

    def wanted(self, draft: Draft, kind: str, customer: str) -> Wanted:
        """Return the fields common to all corrections."""
        if customer:
            known(draft, customer)
        return Wanted(
            kind=kind,
            customer=customer,
            day=self.day or draft.today,
            description=self.description,
            id=self.id,
        )

    def post(self, correct: Callable[[Draft], Posted]) -> None:
        """Post a correction, and report it."""
        with self.settings.drafting(dry_run=self.dry_run) as draft:
            posted = correct(draft)
            self.settings.publish(draft, posted.message, self.dry_run)
        if self.as_json:
            print_json(posted.as_json())
        else:
            click.echo(str(posted))


def correction(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of every correction, passed to the command as one :class:`Asked`."""

    @functools.wraps(command)
    def gathered(
        settings: Settings,
        *words: Any,
        day: dt.date | None,
        identity: str,
        description: str = "",
        as_json_: bool,
        dry_run: bool,
        **options: Any,
    ) -> None:
        asked = Asked(settings, day, identity, description, as_json_=as_json_, dry_run=dry_run)
        command(asked, *words, **options)

    return with_options(
        gathered,
        click.option("--date", "day", type=DAY, metavar="DATE", help="When; today if not given."),
        click.option(
            "--id",
            "identity",
            default="",
            metavar="ID",
            help="Its id; what is asked for if not given.",
        ),
        as_json_option,
        dry_run_option,
        pass_settings,
    )


description_option = click.option(
    "--description", default="", metavar="TEXT", help="What the customer's statement says."
)
method_option = click.option(
    "--method", default="", metavar="METHOD", help="How it is paid: bank, cash …  [default: bank]"
)


@click.command("credit-note")
@click.argument("number")
@click.option("--line", "lines", type=int, multiple=True, metavar="N", help="Only this line.")
@click.option("--amount", type=AMOUNT, metavar="NET", help="Only so much of the line, net.")
@click.option("--reason", required=True, metavar="TEXT", help="Stands on the document.")
@correction
def credit_note(
    asked: Asked, *, number: str, lines: tuple[int, ...], amount: int | None, reason: str
) -> None:
    """Credit an invoice, or some of its lines, with a numbered document of its own.

    A statement that stands in place of an invoice is credited likewise, by its name. Whatever is
    left of the invoice is credited; of a single line --amount credits a part. VAT
    goes back with it, and in all never more than was billed.

    Example: a2ledger credit-note INV-2026-000123 --line 3 --reason "billed twice"
    """
    if amount is not None and len(set(lines)) != 1:
        raise click.UsageError("--amount needs the one --line it is of")

    def correct(draft: Draft) -> Posted:
        day = asked.day or draft.today
        return issue_credit_note.credit_note(
            draft, issue_credit_note.Asked(number, lines, amount, reason, day, asked.id)
        )

    asked.post(correct)


@click.command()
@click.argument("customer")
@click.argument("amount", type=AMOUNT)
@method_option
@click.option(
    "--currency",
    default="",
    metavar="CODE",
    help="What AMOUNT was paid in, if not in the account's currency; converted by `import prices`.",
)
@description_option
@correction
def refund(asked: Asked, *, customer: str, amount: int, method: str, currency: str) -> None:
    """Record money that was paid back to a customer.

    Example: a2ledger refund C10001 25.00 --method bank
    """
    if currency and not re.fullmatch("[A-Z]{3}", currency):
        raise click.UsageError(f"--currency {currency!r} is no code such as EUR")
    asked.post(
        lambda draft: correcting.refund(
            draft, asked.wanted(draft, "refund", customer), amount, method, currency
        )
    )


@click.command()
@click.argument("customer")
@click.argument("payment")
@description_option
@correction
def returned(asked: Asked, *, customer: str, payment: str) -> None:
    """Record that a payment came back: a refused direct debit, a chargeback.

    The debt is as it was before the payment, and as old. CUSTOMER may be `suspense`.

    Example: a2ledger returned C10001 p17 --description "direct debit refused"
    """
    asked.post(
        lambda draft: transferring.returned(
            draft, asked.wanted(draft, "returned", _party(customer)), payment
        )
    )


@click.command()
@click.argument("customer")
@click.argument("amount", type=AMOUNT)
@description_option
@correction
def goodwill(asked: Asked, *, customer: str, amount: int) -> None:
    """Credit a customer as goodwill, without correcting a bill.

    Example: a2ledger goodwill C10001 5.00 --description "Sorry for the outage"
    """
    asked.post(
        lambda draft: correcting.goodwill(draft, asked.wanted(draft, "goodwill", customer), amount)
    )


@click.command("write-off")
@click.argument("customer")
@click.argument("amount", type=AMOUNT, required=False)
@click.option("--vat-relief", is_flag=True, help="Take the VAT of the debt back, too.")
@description_option
@correction
def write_off(asked: Asked, *, customer: str, amount: int | None, vat_relief: bool) -> None:
    """Write off what a customer owes on bills, all of it or an amount.

    It is set against the oldest open bills. With --vat-relief the VAT of each goes back in the
    proportion in which its open amount falls.

    Example: a2ledger write-off C10001 --vat-relief --description "insolvent"
    """
    asked.post(
        lambda draft: losses.write_off(
            draft, asked.wanted(draft, "write-off", customer), amount, vat_relief
        )
    )


@click.command()
@click.argument("customer")
@click.argument("amount", type=AMOUNT)
@description_option
@correction
def recover(asked: Asked, *, customer: str, amount: int) -> None:
    """Undo a write-off, or part of it, because the debt is paid after all.

    What was written off last comes back first, and the VAT it was relieved of is due again in
    proportion. The payment itself is recorded as any other.

    Example: a2ledger recover C10001 60.50 --description "paid by the liquidator"
    """
    asked.post(
        lambda draft: losses.recover(draft, asked.wanted(draft, "recover", customer), amount)
    )


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("to", metavar="TO")
@click.argument("what", metavar="AMOUNT|PAYMENT")
@click.option(
    "--payment", is_flag=True, help="It is a payment's id, though it looks like an amount."
)
@description_option
@correction
def transfer(asked: Asked, *, source: str, to: str, what: str, payment: bool) -> None:
    """Move a payment, or an amount, that was booked to the wrong customer.

    FROM or TO may be `suspense`, which holds payments that are no customer's. The payment's id
    stays known, so that importing it again does not bring it back.

    Example: a2ledger transfer suspense C10001 p17
    """

    def correct(draft: Draft) -> Posted:
        wanted = asked.wanted(draft, "transfer", _party(source))
        other = _party(to)
        if other:
            known(draft, other)
        written = NUMBER.convert(what, None, click.get_current_context())
        amount = None if payment else _amount(written)
        if amount is None:
            return transferring.transfer(draft, wanted, Moving(other, payment=what))
        if transferring.is_payment(draft, wanted.customer, what):
            raise RefusedError(
                f"{what} is an amount, and a payment of {source}'s",
                undone="nothing was posted",
                todo=(
                    "say --payment if the payment is meant, or write the amount with its decimals"
                ),
            )
        return transferring.transfer(draft, wanted, Moving(other, amount_micro=amount))

    asked.post(correct)


def _amount(text: str) -> int | None:
    """Parse a positive amount, or None if it is not one."""
    try:
        micro = money.parse(text)
    except ValueError:
        return None
    return micro if micro > 0 else None


def _party(name: str) -> str:
    """Return a customer's id, an empty text for suspense."""
    return "" if name == NOBODY else name


@click.command()
@click.argument("customer")
@click.argument("amount", type=AMOUNT, required=False)
@click.option(
    "--return", "back", is_flag=True, help="Pay it back; all that is held without AMOUNT."
)
@method_option
@description_option
@correction
def deposit(asked: Asked, *, customer: str, amount: int | None, back: bool, method: str) -> None:
    """Take a deposit, or pay it back. It is no part of what the customer owes.

    Example: a2ledger deposit C10001 100.00 --method bank
    """
    if amount is None and not back:
        raise click.UsageError("how much? AMOUNT is missing")

    def correct(draft: Draft) -> Posted:
        wanted = asked.wanted(draft, "deposit", customer)
        if back:
            return deposits.return_deposit(draft, wanted, amount, method)
        return deposits.deposit(draft, wanted, amount or 0, method)

    asked.post(correct)


@click.command()
@as_json_option
@pass_settings
def suspense(settings: Settings, as_json_: bool) -> None:
    """List payments of no known customer, for `transfer suspense CUSTOMER ID` to assign.

    Example: a2ledger suspense
    """
    book = settings.book()
    rows = transferring.unmatched(book)
    if as_json_:
        print_json(
            [
                {
                    "id": row.id,
                    "date": row.date,
                    "amount": money.text(row.amount_micro, 2),
                    "currency": row.currency,
                    "account": row.account,
                    "reference": row.reference,
                    "description": row.description,
                }
                for row in rows
            ]
        )
        return
    for row in rows:
        about = ", ".join(filter(None, [row.reference, row.description]))
        amount = f"{money.text(row.amount_micro, 2)} {row.currency}"
        click.echo(f"{row.date}  {row.id}  {amount}  {row.account}  {about}".rstrip())
