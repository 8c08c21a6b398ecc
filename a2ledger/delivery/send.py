"""Send what is due, each message once.

A run first takes over what an interrupted one has done, then queues what is new, then hands
messages over one by one. What became of each is synced before the next begins, and published into
the book at the end.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from a2ledger.billing import itemised
from a2ledger.book.book import Book, Draft, RefusedError
from a2ledger.delivery import channels, dispatch, letters, outbox, reminders, still_due
from a2ledger.delivery.letters import Enclosure
from a2ledger.delivery.outbox import FAILED, IN_DOUBT, QUEUED, SENT, Key, Log, Message
from a2ledger.delivery.smtp import Envelope, InDoubtError, RejectedError, Server
from a2ledger.documents import files, formats, language, parties, paths, pdf
from a2ledger.documents.document import Document, as_json
from a2ledger.journal import subledgers
from a2ledger.progress import SILENT, Progress

_BATCH = 64
"""Documents that are rendered at once."""
_FIRST_WAIT = dt.timedelta(minutes=5)
_LONGEST_WAIT = dt.timedelta(hours=6)
_LAST_TRY = dt.timedelta(days=5)
"""How long a message is tried, as mail servers do."""
_ELECTRONIC = {".ubl.xml": 1, ".cii.xml": 2}
"""Endings of e-invoices, the one that is sent by preference first."""


class Plan(NamedTuple):
    """What is in the outbox, and what of it is to be sent now."""

    changed: list[Message]
    """What the outbox did not have so."""
    ready: list[Message]

    @property
    def queued(self) -> list[Message]:
        """Return all messages that are sent now or later."""
        return [
            m
            for m in {m.key: m for m in (*self.changed, *self.ready)}.values()
            if m.state == QUEUED
        ]


def plan(
    book: Book,
    now: dt.datetime,
    today: dt.date,
    only: Sequence[str] = (),
    resend: Sequence[str] = (),
) -> Plan:
    """Decide what is to be sent.

    Args:
        book: a draft, or a book.
        now: nothing that waits for a later time is sent.
        today: the day that facts are of.
        only: customers; all if none is named.
        resend: names of what is to be sent once more; nothing else is sent then.

    Raises:
        RefusedError: if something is named that is not there.
    """
    known = outbox.read(book)
    if resend:
        changed = dispatch.resent(book, resend, today)
    else:
        found = [
            *dispatch.again(book, today),
            *dispatch.documents(book, today),
            *reminders.overdue(book, today),
            *reminders.balances_low(book, today),
        ]
        changed = {message.key: message for message in found}
    if only:
        changed = {key: message for key, message in changed.items() if message.customer in only}
    waiting = {
        key: message
        for key, message in (changed if resend else known | changed).items()
        if message.state == QUEUED and (not only or message.customer in only)
    }
    before = [message for key, message in waiting.items() if key in known]
    late = {message.key: message for message in reminders.overtaken(book, before, today)}
    ready = [
        message
        for message in (waiting | late).values()
        if message.state == QUEUED and message.not_before <= now.isoformat()
    ]
    return Plan(list((changed | late).values()), ready)


def enqueue(draft: Draft, planned: Plan) -> None:
    """Put what is planned into the draft, and post the fees of reminders."""
    reminders.charge_fees(draft, planned.changed)
    outbox.put(draft, planned.changed)


def check(book: Book, messages: Sequence[Message]) -> None:
    """Make sure that everything is set up for some messages, before any is queued or sent.

    Raises:
        RefusedError: naming what is missing in the configuration.
        PdfError: if PDF is to go with one, and cannot be made here.
    """
    config, wanted = book.config, {message.channel for message in messages}
    for channel, is_there, key in (
        ("mail", config.mail.host, "mail.host"),
        ("mail", dispatch.sender(book), "mail.from"),
        ("peppol", config.delivery.peppol, "delivery.peppol"),
        ("print", config.delivery.print, "delivery.print"),
    ):
        if channel in wanted and not is_there:
            raise RefusedError(
                f"a2ledger.toml: {key}: is missing, and something is to go by {channel}",
                "nothing was sent",
                "see docs/bills.md",
            )
    with_pages = {message.channel for message in messages if letters.is_document(message)}
    form = _form(book)
    if (form == "pdf" and with_pages & {"mail", "print"}) or (not form and "print" in with_pages):
        pdf.check_installed()


def _form(book: Book) -> str:
    """Return the form in which a document's page goes with its mail, empty for none."""
    attach = book.config.mail.attach
    return "pdf" if "pdf" in attach else "html" if "html" in attach else ""


class Sender:
    """Hands messages over, and notes what becomes of each."""

    def __init__(
        self, book: Book, log: Log, now: Callable[[], dt.datetime], today: dt.date
    ) -> None:
        self.book, self.log, self.now, self.today = book, log, now, today
        self.server = Server(book.config.mail)
        self._ready: dict[str, list[Enclosure]] = {}
        self._texts: dict[Key, letters.Letter] = {}

    def send(self, messages: Sequence[Message], bar: Progress = SILENT) -> Iterator[Message]:
        """Yield messages as they are after they were tried.

        A server that cannot be worked with ends the run: its messages stay queued as they were.

        Raises:
            ServerError: saying what the server said.
            PdfError: if PDF is to be attached and cannot be made here.
            RenderError: if a template is wrong.
        """
        check(self.book, messages)
        try:
            for start in range(0, len(messages), _BATCH):
                batch = messages[start : start + _BATCH]
                self._prepare(batch)
                for message in batch:
                    after = self._tried(message)
                    self.log.result(after)
                    yield after
                    bar.add(1)
        finally:
            self.server.close()

    def _tried(self, message: Message) -> Message:
        """Hand one message over; return it with what became of it."""
        now = self.now()
        tried = message._replace(tries=message.tries + 1, time=now.isoformat(timespec="seconds"))
        try:
            answer = self._handed_over(message, now)
        except InDoubtError:
            return tried._replace(state=FAILED, error=IN_DOUBT)
        except RejectedError as error:
            return _later(tried, error, now)
        return tried._replace(state=SENT, error="", not_before="", answer=answer)

    def _handed_over(self, message: Message, now: dt.datetime) -> str:
        config = self.book.config
        if message.channel == "mail":
            enclosures = letters.fitting(self._ready.get(message.document, ()), config.mail)
            sender = config.company.name, dispatch.sender(self.book)
            content = letters.mail(message, self._texts[message.key], enclosures, sender, now)
            envelope = Envelope(
                sender[1],
                letters.recipients(message.to),
                letters.recipients(config.mail.bcc),
                content,
            )
            return self.server.hand_over(envelope, partial(self.log.hand_over, message))
        if message.channel == "peppol":
            invoice = electronic(self.book, message.document)
            self.log.hand_over(message)
            return channels.run(config.delivery.peppol, message, invoice, self.book.root)
        sheet = self._sheet(message)
        name = re.sub(r"[^A-Za-z0-9_.@+-]", "_", sheet.name)
        return channels.put(self.book.root / config.delivery.print, name, sheet.content)

    def _sheet(self, message: Message) -> Enclosure:
        """Return what is printed: the document's PDF or page, or the letter."""
        for sheet in self._ready.get(message.document, ()):
            if sheet.mime in {"application/pdf", "text/html"}:
                return sheet
        letter = self._texts[message.key]
        return Enclosure(f"{message.document}.html", "text/html", letter.html.encode())

    def _prepare(self, batch: Sequence[Message]) -> None:
        """Write the letters of a batch, and render what goes with them."""
        book = self.book
        documents: dict[str, Document] = {}
        every = paths.every(book)
        for message in batch:
            if letters.is_document(message) and message.channel != "peppol":
                documents[message.document] = files.read(book, every[message.document])
        form = _form(book)
        printed = {message.document for message in batch if message.channel == "print"}
        wanted = {name: document for name, document in documents.items() if form or name in printed}
        templates = book.root / "templates"
        made = (
            formats.rendered(
                wanted,
                [form or "pdf"],
                templates,
                workers=book.workers,
                itemised=itemised.appendices(book, wanted),
            )
            if wanted
            else {}
        )
        self._ready = {
            name: [*_pages(made, name), *self._others(name, document)]
            for name, document in documents.items()
        }
        self._texts = {
            message.key: letter(book, message, documents.get(message.document), self.today)
            for message in batch
            if message.channel != "peppol"
        }  # fmt: skip

    def _others(self, name: str, document: Document) -> Iterator[Enclosure]:
        attach = self.book.config.mail.attach
        if "xml" in attach and (file := _electronic_file(document)):
            path = self.book.root / "invoices" / document.issue_date[:4] / file
            yield Enclosure(file, "application/xml", path.read_bytes(), 1)
        if "calls" in attach:
            for calls in itemised.listed(self.book, document):
                yield Enclosure(f"{name}.calls.csv", calls.mime, calls.content, 2)


def _pages(made: Mapping[str, bytes], name: str) -> Iterator[Enclosure]:
    mimes = {"pdf": "application/pdf", "html": "text/html"}
    for path, content in made.items():
        file = path.rpartition("/")[2]
        stem, _, ending = file.rpartition(".")
        if stem == name:
            yield Enclosure(file, mimes[ending], content)


def enclosed(book: Book, name: str, document: Document) -> list[str]:
    """Return the names of the files that go with a document's mail."""
    attach, form = book.config.mail.attach, _form(book)
    names = [f"{name}.{form}"] if form else []
    if "xml" in attach and (file := _electronic_file(document)):
        names.append(file)
    return names + ([f"{name}.calls.csv"] if "calls" in attach else [])


def letter(
    book: Book, message: Message, document: Document | None, today: dt.date
) -> letters.Letter:
    """Return the letter of a message, in the language of its customer.

    Args:
        book: whose.
        message: of any kind.
        document: that goes with it.
        today: the day it goes out; it asks for no more than is open by then.
    """
    if document is not None:
        still = still_due.of_document(book, document, today)
        values: dict[str, Any] = letters.about_document(as_json(document), still, today)
    else:
        customer = subledgers.customers(book)[message.customer]
        day = dt.date.fromisoformat(message.queued)
        supplier, buyer = parties.parties(customer, book.config, day, day)
        values = {
            "reference": customer.id, "supplier": supplier, "customer": buyer, **message.about
        }  # fmt: skip
    spoken = language.of_parties(values["customer"], values["supplier"])
    return letters.written(message.kind, values, book.root / "templates", spoken)


def electronic(book: Book, name: str) -> bytes:
    """Return the e-invoice that was issued with a document.

    Raises:
        RejectedError: if it is not there.
    """
    document = files.read(book, paths.every(book)[name])
    file = _electronic_file(document)
    path = book.root / "invoices" / document.issue_date[:4] / file
    if not file or not path.is_file():
        raise RejectedError("its electronic invoice is not there", lasting=True)
    return path.read_bytes()


def _electronic_file(document: Document) -> str:
    ranked = {
        rank: name
        for name in document.files or {}
        for ending, rank in _ELECTRONIC.items()
        if name.endswith(ending)
    }
    return ranked[min(ranked)] if ranked else ""


def _later(message: Message, error: RejectedError, now: dt.datetime) -> Message:
    """Return a message that was not taken: to be tried again, or given up."""
    age = now.date() - dt.date.fromisoformat(message.queued)
    # What somebody sends again after days is tried twice: servers refuse strangers at first.
    if error.lasting or (age > _LAST_TRY and message.tries > 1):
        return message._replace(state=FAILED, error=error.error, not_before="")
    wait = min(_FIRST_WAIT * 2 ** min(message.tries - 1, 10), _LONGEST_WAIT)
    later = (now + wait).isoformat(timespec="seconds")
    return message._replace(state=QUEUED, error=error.error, not_before=later)
