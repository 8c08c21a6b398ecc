"""The outbox: what was written of messages is what is read, also after a crash."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
import shelf
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.book.book import Book, BrokenBookError, RefusedError
from a2ledger.delivery import outbox
from a2ledger.delivery.outbox import FAILED, IN_DOUBT, QUEUED, SENT, Log, Message


def message(document="INV-1", **more):
    facts = {"customer": "C1", "channel": "mail", "to": "ada@maes.example", "kind": "invoice"}
    return Message(document, **facts | {"queued": "2026-02-01"} | more)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return shelf.started(tmp_path_factory.mktemp("outbox") / "book")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MESSAGES = st.builds(
    message,
    TEXTS,
    to=TEXTS,
    state=st.sampled_from(outbox.STATES),
    queued=st.sampled_from(["2026-01-31", "2026-02-01"]),
    tries=st.integers(0, 9),
    error=TEXTS,
    about=st.dictionaries(TEXTS, TEXTS, max_size=2),
)


def put(root, *messages):
    draft = shelf.draft(root)
    outbox.put(draft, messages)
    shelf.publish(draft)


@given(st.lists(MESSAGES, max_size=4, unique_by=lambda one: one.key))
def test_every_message_comes_back_whatever_its_texts(messages):
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "a2ledger.toml").write_text(shelf.CONFIG)
        (root / "delivery").mkdir()
        draft = shelf.draft(root)
        outbox.put(draft, messages)
        for path, content in draft.put_files.items():
            (root / path).write_bytes(content)
        assert outbox.read(Book(root)) == {one.key: one for one in messages}


def test_a_message_is_one_line_in_the_month_it_was_queued_in_and_what_is_usual_is_not_written(root):
    put(root, message("a"), message("b", queued="2026-03-01"))
    put(root, message("a", state=SENT, tries=1))
    (line,) = (root / "delivery/2026-02.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "document": "a", "customer": "C1", "channel": "mail", "to": "ada@maes.example",
        "kind": "invoice", "state": "sent", "queued": "2026-02-01", "tries": 1,
    }  # fmt: skip
    assert list(outbox.read(Book(root))) == [("a", "mail"), ("b", "mail")]


def test_a_line_that_was_edited_is_named_and_asked_back(root):
    put(root, message("a"))
    path = root / "delivery/2026-02.jsonl"
    whole = path.read_text()
    try:
        path.write_text(whole + '{"document": "x"}\n')
        with pytest.raises(BrokenBookError, match=r"2026-02\.jsonl:\d+: is no line of a message"):
            outbox.read(Book(root))
    finally:
        path.write_text(whole)


def test_what_did_not_arrive_is_named_with_what_to_do(root):
    put(root, message("a"), message("f", state=FAILED, error="550 no such mailbox"))
    ((failed, problem),) = outbox.problems(Book(root))
    assert failed.document == "f"
    assert "f by mail to ada@maes.example: 550 no such mailbox" in problem.message
    assert "send --resend f" in problem.todo


def test_one_run_at_a_time_sends(root):
    with outbox.sending(Book(root)), pytest.raises(RefusedError, match="another run is sending"):
        outbox.sending(Book(root)).__enter__()
    with outbox.sending(Book(root)) as log:
        assert log.results({}) == []


def test_a_message_that_was_being_handed_over_may_have_arrived(root):
    own = {one.key: one for one in (message("a"), message("b"), message("c"))}
    with outbox.sending(Book(root)) as log:
        log.hand_over(message("a"))
        log.result(message("a", state=SENT, answer="250 queued\u2028"))
        log.hand_over(message("b"))
        log.hand_over(message("gone"))
    with log.path.open("ab") as file:
        file.write(b'{"key": ["c", "ma')
    again = Log(Book(root))
    assert again.results(own) == [
        message("a", state=SENT, answer="250 queued\u2028"),
        message("b", state=FAILED, error=IN_DOUBT),
    ]
    again.clear()
    assert again.results(own) == []
    assert message().state == QUEUED
