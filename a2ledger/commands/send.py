"""The send command: deliver documents to customers."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence

import click

from a2ledger.commands.settings import (
    Settings,
    as_json_option,
    dry_run_option,
    known,
    pass_settings,
    print_json,
)
from a2ledger.delivery import outbox
from a2ledger.delivery import send as sending
from a2ledger.delivery.outbox import FAILED, QUEUED, SKIPPED, STATES, Log, Message
from a2ledger.errors import NO


@click.command()
@click.option(
    "--only", multiple=True, metavar="CUSTOMER", help="Only to this customer; repeatable."
)
@click.option(
    "--resend", multiple=True, metavar="NUMBER", help="Only this document, once more; repeatable."
)
@as_json_option
@dry_run_option
@pass_settings
def send(
    settings: Settings,
    *,
    only: tuple[str, ...],
    resend: tuple[str, ...],
    as_json_: bool,
    dry_run: bool,
) -> None:
    """Send documents, reminders and notices by mail, Peppol or print, each once.

    What a server does not take now is tried again by later runs; what it refuses is named here and
    by `check`. Run it from cron as often as you like. Exit 1 if something was not sent.

    Example: a2ledger send --dry-run
    """
    book = settings.book()
    for name in only:
        known(book, name)
    if dry_run:
        with settings.drafting(dry_run=True) as draft:
            planned = sending.plan(draft, settings.now(book), draft.today, only, resend)
        _show([*planned.ready, *_not_ready(planned)], as_json_)
        settings.talk(f"dry run: {len(planned.ready)} message(s) would be sent")
        return
    with outbox.sending(book) as log:
        _take_over(settings, log)
        with settings.drafting(dry_run=False) as draft:
            planned = sending.plan(draft, settings.now(book), draft.today, only, resend)
            sending.check(book, planned.queued)
            sending.enqueue(draft, planned)
            if planned.changed:
                count = sum(message.state == QUEUED for message in planned.changed)
                settings.publish(draft, f"send: {count} queued\n", dry_run=False)
        book.forget()
        results: list[Message] = []
        sender = sending.Sender(book, log, lambda: settings.now(book), settings.today(book))
        try:
            with settings.progress("sending", len(planned.ready)) as bar:
                results += sender.send(planned.ready, bar)
        finally:
            _take_over(settings, log)
    _show([*results, *_not_ready(planned)], as_json_)
    settings.talk(_summary(results) or "nothing to send")
    for message in results:
        if message.state in {FAILED, QUEUED}:
            click.echo(f"a2ledger: {_told(message)}", err=True)
    if any(message.state in {FAILED, QUEUED} for message in results):
        sys.exit(NO)


def _take_over(settings: Settings, log: Log) -> None:
    """Publish the results of messages into the book."""
    book = settings.book()
    with book.writing(settings.today(book), settings.talk, settings.timeout) as draft:
        results = log.results(outbox.read(draft))
        if results:
            outbox.put(draft, results)
            draft.publish(f"send: {_summary(results)}\n")
        log.clear()


def _not_ready(planned: sending.Plan) -> Iterable[Message]:
    """Return new messages that are not sent now."""
    ready = {message.key for message in planned.ready}
    return (message for message in planned.changed if message.key not in ready)


def _summary(messages: Sequence[Message]) -> str:
    counts = Counter(message.state for message in messages)
    return ", ".join(f"{counts[state]} {state}" for state in STATES[::-1] if counts[state])


def _told(message: Message) -> str:
    again = f"`a2ledger send --resend {message.document}` tries it again"
    todo = f"it is tried again after {message.not_before}" if message.state == QUEUED else again
    failure = f"{message.document} to {message.to or message.channel}: {message.error}"
    return f"{failure}; it was not sent; {todo}"


def _show(messages: Sequence[Message], as_json_: bool) -> None:
    if as_json_:
        print_json([message.as_json() for message in messages])
        return
    for message in messages:
        state = f"skipped: {message.error}" if message.state == SKIPPED else message.state
        words = [message.document, message.customer, message.channel, message.to, state]
        click.echo("  ".join(filter(None, words)))
