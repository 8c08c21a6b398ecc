"""Ways of documents that are not mail."""

from __future__ import annotations

import pytest

from a2ledger.book.disk import CannotWriteError
from a2ledger.delivery import channels
from a2ledger.delivery.outbox import Message
from a2ledger.delivery.smtp import RejectedError

MESSAGE = Message("INV-1", "C1", "peppol", "0208:0403170701", "invoice", message_id="<m>")


def run(script, tmp_path):
    return channels.run(["sh", "-c", script], MESSAGE, b"<Invoice/>", tmp_path)


def test_the_command_has_the_invoice_and_what_it_is_and_its_last_line_is_the_answer(tmp_path):
    said = run(
        "cat > got; echo first; echo $A2LEDGER_DOCUMENT $A2LEDGER_TO $A2LEDGER_CUSTOMER", tmp_path
    )
    assert said == "INV-1 0208:0403170701 C1"
    assert (tmp_path / "got").read_bytes() == b"<Invoice/>"
    assert run("true", tmp_path) == ""
    assert len(run("printf %0999d 1", tmp_path)) == 300


@pytest.mark.parametrize(
    ("script", "error", "lasting"),
    [
        ("echo why >&2; exit 1", "sh: exit 1, why", True),
        ("echo said; exit 2", "sh: exit 2, said", True),
        ("exit 75", "sh: exit 75", False),
    ],
)
def test_a_command_that_fails_says_why_and_whether_for_good(tmp_path, script, error, lasting):
    with pytest.raises(RejectedError) as refused:
        run(script, tmp_path)
    assert (refused.value.error, refused.value.lasting) == (error, lasting)


def test_a_command_that_is_not_there_is_tried_again(tmp_path):
    with pytest.raises(RejectedError, match="nothing-of-the-kind: not there") as refused:
        channels.run(["nothing-of-the-kind"], MESSAGE, b"", tmp_path)
    assert not refused.value.lasting


def test_a_file_to_print_is_whole_or_not_there(tmp_path):
    where = channels.put(tmp_path / "out", "INV-1.pdf", b"%PDF")
    assert where == str(tmp_path / "out/INV-1.pdf")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["INV-1.pdf"]
    with pytest.raises(CannotWriteError, match="it was not put into the folder"):
        channels.put(tmp_path / "out/INV-1.pdf", "x", b"")
