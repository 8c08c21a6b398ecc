"""Mail handed to a real server: what it has taken is known."""

from __future__ import annotations

import pytest
from mail_server import mailbox

from a2ledger.book.bills import Mail
from a2ledger.delivery.smtp import Envelope, InDoubtError, RejectedError, Server, ServerError

ADA = "ada@maes.example"


@pytest.fixture
def box():
    with mailbox() as server:
        yield server


@pytest.fixture
def server(box):
    server = Server(Mail(host="127.0.0.1", port=box.port, starttls="never"))
    yield server
    server.close()


def envelope(content=b"Subject: x\r\n\r\nhello\r\n", recipients=(ADA,), copies=()):
    return Envelope("billing@sun.example", recipients, copies, content)


def test_a_message_arrives_with_its_dots_and_the_answer_is_kept(server, box):
    marks = []
    text = b"Message-ID: <1@x>\r\n\r\n.\r\n..dots\r\nend"
    assert server.hand_over(envelope(text), lambda: marks.append(1)).startswith("250 ")
    assert server.hand_over(envelope(), lambda: marks.append(2)).startswith("250 ")
    assert marks == [1, 2]
    assert box.messages[0].get_content().splitlines() == [".", "..dots", "end"]


def test_a_refusal_says_whether_it_is_for_good_and_the_next_message_goes(server, box):
    box.replies = ["451 later", "554 never"]
    for lasting in (False, True):
        with pytest.raises(RejectedError) as refused:
            server.hand_over(envelope(), list)
        assert refused.value.lasting is lasting
    server.hand_over(envelope(), list)
    assert len(box.messages) == 1


def test_after_a_server_that_failed_at_a_message_the_next_one_goes(server, box):
    box.replies = ["fault"]
    with pytest.raises(RejectedError, match="500"):
        server.hand_over(envelope(), list)
    server.hand_over(envelope(), list)
    assert len(box.messages) == 1


def test_of_several_recipients_one_that_is_refused_stops_nobody_else(server, box):
    box.refused = {"gone@maes.example": "550 unknown"}
    server.hand_over(envelope(recipients=("gone@maes.example", ADA)), list)
    server.hand_over(envelope(copies=("gone@maes.example",)), list)
    assert box.recipients == [[ADA], [ADA]]
    with pytest.raises(RejectedError, match="550 unknown"):
        server.hand_over(envelope(recipients=("gone@maes.example",)), list)


def test_a_connection_lost_after_the_dot_leaves_a_doubt_and_is_made_anew(server, box):
    box.drop = ["dot"]
    with pytest.raises(InDoubtError):
        server.hand_over(envelope(), list)
    assert server.hand_over(envelope(), list).startswith("250 ")


def test_whoever_breaks_off_before_the_last_dot_has_sent_nothing(server, box):
    def full():
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        server.hand_over(envelope(), full)
    server.hand_over(envelope(), list)
    assert len(box.messages) == 1


def test_a_server_that_is_not_there_is_named_with_what_to_look_at():
    with pytest.raises(ServerError, match=r"127\.0\.0\.1:1: .*look at \[mail\] and at the server"):
        Server(Mail(host="127.0.0.1", port=1)).hand_over(envelope(), list)
