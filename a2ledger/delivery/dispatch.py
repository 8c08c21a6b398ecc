"""What is to go to customers: documents that were issued, and which way each goes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from a2ledger.book.book import Book, RefusedError
from a2ledger.delivery import letters, outbox
from a2ledger.delivery.outbox import QUEUED, SKIPPED, Key, Message
from a2ledger.documents import files, paths
from a2ledger.documents.document import Document
from a2ledger.journal import subledgers
from a2ledger.records import Customer

_AGE = dt.timedelta(days=31)
"""How old a document may be that nobody has sent, where the configuration does not say."""
_NO_CHANNEL = ("none",)


def since(book: Book, today: dt.date) -> dt.date:
    """Return the first day whose documents are sent by themselves."""
    return book.config.delivery.since or today - _AGE


def documents(book: Book, today: dt.date) -> Iterator[Message]:
    """Yield messages for documents that are not in the outbox yet.

    Args:
        book: whose documents.
        today: the day they are queued.

    Raises:
        BrokenBookError: if a document cannot be read.
    """
    known = {document for document, _ in outbox.read(book)}
    first = since(book, today)
    for name, path in paths.every(book).items():
        if name in known or int(path.split("/")[1]) < first.year:
            continue
        document = files.read(book, path)
        if str(first) <= document.issue_date <= str(today):
            yield from of_document(book, name, document, today)


def of_document(book: Book, name: str, document: Document, today: dt.date) -> Iterator[Message]:
    """Yield a document's messages, one for each channel of its customer.

    Args:
        book: whose.
        name: of the document.
        document: itself.
        today: the day they are queued; facts of that day say which way they go.
    """
    customer = subledgers.customers(book)[document.customer["id"]]
    for channel in channels(book, customer, document, today):
        yield addressed(
            book,
            Message(name, customer.id, channel, "", document.kind, queued=str(today)),
            customer,
            today,
        )


def channels(
    book: Book, customer: Customer, document: Document | None, today: dt.date
) -> tuple[str, ...]:
    """Return the ways something goes to a customer.

    What is no e-invoice cannot go by Peppol; it goes by mail instead.

    Args:
        book: whose customer.
        customer: who gets it.
        document: what goes; None where it is a letter alone.
        today: the day whose facts count.
    """
    wanted = customer.listed("delivery", today) or book.config.delivery.channels
    if wanted == _NO_CHANNEL:
        return ()
    electronic = any(
        name.endswith((".ubl.xml", ".cii.xml"))
        for name in (document.files if document else None) or {}
    )
    ways = ["mail" if way == "peppol" and not electronic else way for way in wanted]
    return tuple(dict.fromkeys(ways))


def addressed(book: Book, message: Message, customer: Customer, today: dt.date) -> Message:
    """Return a message with the address of its customer; skipped where that is not known."""
    if message.channel == "print":
        return message._replace(state=QUEUED, error="")
    key = "email" if message.channel == "mail" else "peppol"
    to = customer.text(key, today)
    if not to:
        return message._replace(
            to="",
            state=SKIPPED,
            error=f"no {key} is known; say `a2ledger customer set {customer.id} {key}=…`",
        )
    if message.channel == "mail":
        message = message._replace(
            message_id=letters.message_id(message, sender(book)),
        )
    else:
        message = message._replace(message_id=letters.message_id(message, "peppol"))
    return message._replace(to=to, state=QUEUED, error="")


def letters_to(
    book: Book,
    customer: Customer,
    kind: str,
    name: str,
    about: Mapping[str, Any],
    today: dt.date,
) -> Iterator[Message]:
    """Yield messages that carry no document, one for each channel of a customer.

    Args:
        book: whose customer.
        customer: who gets them.
        kind: of the messages.
        name: what they are called in the outbox.
        about: what the letter says.
        today: the day they are queued.
    """
    for channel in channels(book, customer, None, today):
        message = Message(
            name, customer.id, channel, "", kind, queued=str(today), about=dict(about)
        )
        yield addressed(book, message, customer, today)


def sender(book: Book) -> str:
    """Return the address that mail comes from."""
    return book.config.mail.sender or book.config.company.email


def again(book: Book, today: dt.date) -> Iterator[Message]:
    """Yield skipped messages whose address has become known."""
    customers = subledgers.customers(book)
    for message in outbox.read(book).values():
        lacks_address = message.state == SKIPPED and not message.overtaken
        if lacks_address and message.customer in customers:
            now = addressed(book, message, customers[message.customer], today)
            if now.state == QUEUED:
                yield now


def resent(book: Book, names: Collection[str], today: dt.date) -> dict[Key, Message]:
    """Return the messages of some documents, queued once more.

    What may have arrived keeps its Message-ID, so that whoever has it gets it once; what did
    arrive is sent as a new message.

    Args:
        book: whose outbox.
        names: of documents, reminders or notices.
        today: the day they are queued, if they were not.

    Raises:
        RefusedError: if nothing is called so.
    """
    known = outbox.read(book)
    issued = paths.every(book)
    customers = subledgers.customers(book)
    wanted: dict[Key, Message] = {}
    for name in names:
        messages = [message for message in known.values() if message.document == name]
        if name in issued:
            document = files.read(book, issued[name])
            ways = {message.channel for message in messages}
            messages += [
                message
                for message in of_document(book, name, document, today)
                if message.channel not in ways
            ]
        elif not messages:
            raise RefusedError(
                f"{name}: no such document", "nothing was sent", "`a2ledger invoices` lists them"
            )
        for message in messages:
            copy = message.copy + (message.state == outbox.SENT)
            fresh = message._replace(
                copy=copy, tries=0, not_before="", time="", answer="", overtaken=False
            )
            customer = customers[message.customer]
            wanted[message.key] = addressed(book, fresh, customer, today)
    return wanted
