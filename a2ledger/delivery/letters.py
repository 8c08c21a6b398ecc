"""Letters to customers, as text and as a page, and the files that go with them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple

from a2ledger import money
from a2ledger.book.bills import Mail
from a2ledger.delivery.outbox import Message
from a2ledger.documents import language, references, render

_DOCUMENTS = ("invoice", "credit-note", "statement")


class Letter(NamedTuple):
    """A letter in words."""

    subject: str
    text: str
    html: str


class Enclosure(NamedTuple):
    """A file that goes with a letter; what has the highest rank is left out first."""

    name: str
    mime: str
    content: bytes
    rank: int = 0


def written(
    kind: str, values: Mapping[str, Any], templates: Path, spoken: language.Language
) -> Letter:
    """Write a letter from the templates ``mail.txt.j2`` and ``mail.html.j2``.

    The first line of the text is the subject.

    Args:
        kind: of the message.
        values: what the templates see: a document's keys, or what a letter is about.
        templates: a directory whose templates come before the packaged ones.
        spoken: the language of it.

    Raises:
        RenderError: if a template is wrong.
    """
    given = {**_USUAL, **values, "kind": kind}
    whole = render.page("mail.txt.j2", given, templates, spoken=spoken).lstrip("\n")
    subject, _, rest = whole.partition("\n")
    text = re.sub(r"\n{3,}", "\n\n", rest.strip("\n")) + "\n"
    paragraphs = [part.splitlines() for part in text.strip().split("\n\n")]
    about = {
        "subject": subject.strip(), "paragraphs": paragraphs, "language": spoken.code,
        "direction": spoken.direction,
    }  # fmt: skip
    html = render.page("mail.html.j2", about, templates, spoken=spoken)
    return Letter(" ".join(subject.split()), text, html)


_USUAL: Mapping[str, Any] = {
    "asks": False, "is_late": False, "debit": None, "reference": "", "fee": "", "text": "",
}  # fmt: skip


def about_document(document: Mapping[str, Any], still: str, day: dt.date) -> dict[str, Any]:
    """Return what the letter with a document sees, from its JSON.

    Args:
        document: as it was issued.
        still: what is still to pay of what it asks for.
        day: the day the letter is written.
    """
    end = dt.date.fromisoformat(document["period"]["end"])
    reference = references.grouped(references.of_document(document))
    debit = references.debit(document["supplier"], document["customer"], document["currency"])
    return {
        **document,
        "debit": debit.shown() if debit else None,
        "asks": bool(still) and money.parse(still) > 0,
        "to_pay": still,
        "asked": document["to_pay"],
        "is_late": str(day) > document["due_date"],
        "reference": reference or document["customer"]["id"],
        "period": {**document["period"], "last": str(end - dt.timedelta(days=1))},
    }


def message_id(message: Message, sender: str) -> str:
    """Return the Message-ID of a message: the same whenever that message is made."""
    domain = sender.rpartition("@")[2] or "a2ledger.invalid"
    name = re.sub(r"[^A-Za-z0-9_-]+", ".", message.document).strip(".")
    again = f".{message.copy}" if message.copy > 1 else ""
    return f"<{name}{again}.a2ledger@{domain}>"


def mail(
    message: Message,
    letter: Letter,
    enclosures: Sequence[Enclosure],
    sender: tuple[str, str],
    now: dt.datetime,
) -> bytes:
    """Return a message as it is handed to a mail server.

    Args:
        message: with its Message-ID.
        letter: in the customer's language.
        enclosures: that go with it.
        sender: name and address of the company.
        now: when it is sent.
    """
    made = EmailMessage(policy=SMTP)
    name, address = sender
    made["From"] = Address(display_name=name, addr_spec=address)
    made["To"] = ", ".join(recipients(message.to))
    made["Subject"] = letter.subject
    made["Date"] = format_datetime(now)
    made["Message-ID"] = message.message_id
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.text)
    made.add_alternative(letter.html, subtype="html")
    for file in enclosures:
        main, _, sub = file.mime.partition("/")
        made.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    return made.as_bytes()


def fitting(enclosures: Iterable[Enclosure], settings: Mail) -> list[Enclosure]:
    """Return the files that a message has room for, the least important ones left out."""
    kept = sorted(enclosures, key=lambda file: file.rank)
    # In a message a file takes four bytes for each three.
    while len(kept) > 1 and sum(len(file.content) for file in kept) * 4 / 3 > settings.most_bytes:
        kept.pop()
    return kept


def recipients(to: str) -> list[str]:
    """Return the addresses that a customer's ``email`` names.

    >>> recipients("ada@maes.example; billing@maes.example")
    ['ada@maes.example', 'billing@maes.example']
    """
    return re.split(r"[\s,;]+", to.strip()) if to.strip() else []


def is_document(message: Message) -> bool:
    """Return whether a message carries a document."""
    return message.kind in _DOCUMENTS
