"""Letters, and the files that go with them."""

from __future__ import annotations

import datetime as dt
import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.book.bills import Mail
from a2ledger.delivery import letters
from a2ledger.delivery.letters import Enclosure, Letter
from a2ledger.delivery.outbox import Message
from a2ledger.documents import language

NOW = dt.datetime(2026, 2, 1, 9, tzinfo=dt.UTC)
MESSAGE = Message("INV/2026 1", "C1", "mail", "ada@maes.example; ben@maes.example", "invoice")


def made(*enclosures, text="Dear Ada,\n.\nbye\n", subject="Your bill"):
    message = MESSAGE._replace(message_id=letters.message_id(MESSAGE, "billing@sun.example"))
    content = letters.mail(
        message,
        Letter(subject, text, "<p>x</p>"),
        enclosures,
        ("Sun & Co", "billing@sun.example"),
        NOW,
    )
    return email.message_from_bytes(content, policy=email.policy.default)


def test_a_mail_has_both_forms_of_the_letter_and_its_files():
    mail = made(Enclosure("INV-1.pdf", "application/pdf", b"%PDF\n.\n"))
    assert (mail["To"], mail["Message-ID"]) == (
        "ada@maes.example, ben@maes.example", "<INV.2026.1.a2ledger@sun.example>"
    )  # fmt: skip
    assert mail["From"].addresses[0].display_name == "Sun & Co"
    text, page = (mail.get_body((form,)).get_content() for form in ("plain", "html"))
    assert (text.splitlines(), page.strip()) == (["Dear Ada,", ".", "bye"], "<p>x</p>")
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("INV-1.pdf", b"%PDF\n.\n")
    assert mail["Auto-Submitted"] == "auto-generated"


def test_a_message_has_one_id_and_its_copies_have_others():
    ids = [letters.message_id(MESSAGE._replace(copy=copy), "a@sun.example") for copy in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]
    assert letters.message_id(MESSAGE, "").endswith("@a2ledger.invalid>")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=5))
def test_what_does_not_fit_is_left_out_the_least_important_first(sizes):
    every = [Enclosure(str(at), "a/b", b"x" * size, rank) for at, (rank, size) in enumerate(sizes)]
    kept = letters.fitting(every, Mail(most_bytes=100))
    assert len(kept) == min(1, len(every)) or sum(len(one.content) for one in kept) * 4 / 3 <= 100
    left = [one.rank for one in every if one not in kept]
    assert not kept or not left or max(one.rank for one in kept) <= min(left)
    assert letters.fitting(every, Mail()) == sorted(every, key=lambda one: one.rank)


@pytest.mark.parametrize(
    ("to", "addresses"),
    [
        ("", []),
        (" ", []),
        ("a@b.c", ["a@b.c"]),
        ("a@b.c, d@e.f;g@h.i\nj@k.l", ["a@b.c", "d@e.f", "g@h.i", "j@k.l"]),
    ],
)
def test_a_customer_may_have_several_addresses(to, addresses):
    assert letters.recipients(to) == addresses


def test_the_first_line_of_a_template_is_the_subject_and_its_text_has_no_gaps(tmp_path):
    (tmp_path / "mail.txt.j2").write_text(
        "\nBill {{ number }}\n\n\n\nDear {{ kind }},\n\n\n\nbye\n"
    )
    letter = letters.written("invoice", {"number": "INV-1"}, tmp_path, language.language("en"))
    assert (letter.subject, letter.text) == ("Bill INV-1", "Dear invoice,\n\nbye\n")
    assert "<p" in letter.html


def test_documents_and_letters_are_told_apart():
    assert letters.is_document(MESSAGE)
    assert not letters.is_document(MESSAGE._replace(kind="reminder"))
