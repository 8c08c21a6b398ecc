"""Each message arrives once, whatever the server, the network or a crash does meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tracing
from checkout import TESTS
from examples import cases, sampled
from harness import Book, a2ledger, slim
from mail_server import mailbox

from a2ledger.book.disk import CannotWriteError
from a2ledger.delivery.outbox import Log
from a2ledger.documents import pdf

MAIL = """
[mail]
host = "127.0.0.1"
port = {port}
starttls = false
from = "billing@sun.example"
attach = ["html", "xml"]
timeout = 30

[delivery]
print = "out"
peppol = ["{python}", "access_point.py"]
"""
ADA, BEN = "ada@maes.example", "ben@maes.example"
FIRST, SECOND = "INV-2026-000001", "INV-2026-000002"
CRASHES = int(os.environ.get("A2LEDGER_CRASHES") or sampled(3, 1))
DAY = "2026-02-01"


@pytest.fixture(scope="module")
def billed(empty_book, tmp_path_factory) -> Path:
    """A book with two customers and an invoice of each, made once."""
    directory = tmp_path_factory.mktemp("billed")
    shutil.copytree(empty_book, directory / "book")
    made = Book(directory / "book", directory / "files")
    made.edit("a2ledger.toml", 'iban = ""', 'iban = "BE68 5390 0754 7034"')
    made.customers({"id": "C1", "email": ADA, "name": "Ada Maes"}, {"id": "C2", "email": BEN})
    made.talks("C1", "2026-01-10", 10, today="2026-01-11")
    made.talks("C2", "2026-01-10", 20, today="2026-01-11")
    made.close(today=DAY)
    return slim(made.root)


@pytest.fixture
def box():
    with mailbox() as server:
        yield server


@pytest.fixture
def sending(billed, tmp_path, box) -> Book:
    """A book that sends to the mailbox."""
    shutil.copytree(billed, tmp_path / "book")
    book = Book(tmp_path / "book", tmp_path / "files", today=DAY)
    book.append("a2ledger.toml", MAIL.format(port=box.port, python=sys.executable))
    return book


def sent(book: Book, *words: object, **options) -> dict[str, str]:
    rows = book.run("send", "--json", *words, **options).json
    return {f"{row['document']} {row['channel']}": row["state"] for row in rows}


def outbox(book: Book) -> dict[str, dict]:
    lines = [
        json.loads(line)
        for path in sorted(book.root.glob("delivery/*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    assert len({(line["document"], line["channel"]) for line in lines}) == len(lines)
    return {line["document"]: line for line in lines}


# What arrives


def test_a_bill_arrives_as_a_letter_with_its_page(sending, box):
    assert sent(sending) == {f"{FIRST} mail": "sent", f"{SECOND} mail": "sent"}

    message = box.messages[0]
    assert message["To"] == ADA
    assert message["From"] == "Example Telecom <billing@sun.example>"
    assert message["Message-ID"] == f"<{FIRST}.a2ledger@sun.example>"
    assert message["Subject"] == f"Invoice {FIRST}: EUR 10.00 due by 15 February 2026"
    text = message.get_body(("plain",)).get_content()
    assert "Please pay EUR 10.00 by 15 February 2026." in text
    assert "+++202/6000/00192+++" in text
    assert "+++202/6000/00192+++" in message.get_body(("html",)).get_content()
    (page,) = message.iter_attachments()
    assert page.get_filename() == f"{FIRST}.html"
    assert "+++202/6000/00192+++" in page.get_content()


def test_git_knows_what_was_sent_to_whom_when_and_how_it_ended(sending):
    sending.run("send")

    line = outbox(sending)[FIRST]
    assert (line["to"], line["state"], line["answer"]) == (ADA, "sent", "250 queued")
    assert line["time"].startswith("2026-02-02")
    assert sending.log()[:2] == ["send: 2 sent", "send: 2 queued"]
    assert "delivery/2026-02.jsonl" in sending.git("ls-files")
    assert sending.git("status", "--porcelain") == ""


def test_nothing_is_sent_twice(sending, box):
    sending.run("send")
    before = sending.digests()

    assert sent(sending) == {}
    assert sending.digests() == before
    assert set(box.counts.values()) == {1}


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(sending, box):
    head = sending.git("rev-parse", "HEAD")

    assert set(sent(sending, "--dry-run").values()) == {"queued"}
    assert box.messages == []
    assert sending.git("rev-parse", "HEAD") == head


def test_one_customer_only(sending):
    assert sent(sending, "--only", "C2") == {f"{SECOND} mail": "sent"}
    assert sent(sending) == {f"{FIRST} mail": "sent"}


def test_what_was_sent_is_sent_again_where_somebody_says_so(sending, box):
    sending.run("send")

    assert sent(sending, "--resend", FIRST) == {f"{FIRST} mail": "sent"}
    ids = [str(message["Message-ID"]) for message in box.messages]
    assert ids[-1] == f"<{FIRST}.2.a2ledger@sun.example>"
    assert "no such document" in sending.run("send", "--resend", "INV-9", code=1).stderr


# What servers do


@pytest.mark.parametrize(
    ("paid", "subject", "says", "never"),
    [
        (
            "10.00",
            f"Invoice {FIRST}: nothing to pay",
            ["What it asks you to pay has been settled since.", "There is nothing to pay."],
            ["IBAN", "Please pay", "+++202/6000/00192+++"],
        ),
        (
            "4.00",
            f"Invoice {FIRST}: EUR 6.00 due by 15 February 2026",
            [
                "Of the EUR 10.00 that it asks for, EUR 6.00 is still open.",
                "This was due on 15 February 2026. Please pay EUR 6.00 now.",
                "+++202/6000/00192+++",
            ],
            ["settled since"],
        ),
    ],
)
def test_mail_that_goes_late_asks_for_what_is_open_by_then(
    sending, box, paid, subject, says, never
):
    """The page that goes with it is as it was issued."""
    sending.moves("payments", "C1", "2026-02-10", paid)
    sending.talks("C1", "2026-02-10", 7, today="2026-02-28")
    sending.close(today="2026-03-01")  # a later bill is none of this one's business

    assert sent(sending, "--resend", FIRST, today="2026-03-02") == {f"{FIRST} mail": "sent"}

    (message,) = box.messages
    text = message.get_body(("plain",)).get_content()
    assert message["Subject"] == subject
    assert [words for words in says if words not in text] == []
    assert [words for words in never if words in text] == []
    (page,) = message.iter_attachments()
    assert "+++202/6000/00192+++" in page.get_content()


def test_the_vat_of_a_refill_is_asked_for_with_what_is_open_by_then(sending, box):
    """Where refills are taxed, paying five euros of what is owed takes 6.05."""
    sending.customers({"id": "C3", "email": "cem@maes.example", "vat": "on-refill"})
    sending.talks("C3", "2026-02-10", 10, today="2026-02-28")
    sending.close(today="2026-03-01")
    sent(sending, "--resend", "statement-C3-2026-02-01", today="2026-03-01")
    sending.moves("refills", "C3", "2026-03-02", "6.05")
    sent(sending, "--resend", "statement-C3-2026-02-01", today="2026-03-03")

    before, after = (message.get_body(("plain",)).get_content() for message in box.messages)
    assert "Still to pay: EUR 12.10." in before
    assert "Of the EUR 12.10 that it asks for, EUR 6.05 is still open." in after


def test_what_is_refused_for_now_waits_longer_each_time(sending, box):
    box.replies = ["451 greylisted, come back", "250 OK"]

    done = sending.run("send", "--json", code=1)
    assert [row["state"] for row in done.json] == ["queued", "sent"]
    assert "451 greylisted, come back; it was not sent; it is tried again after" in done.stderr
    assert sent(sending) == {}  # it is too early
    assert sending.run("check").stdout == ""

    box.replies = ["450 still not"]
    assert sent(sending, today="2026-02-02", code=1) == {f"{FIRST} mail": "queued"}
    waits = outbox(sending)[FIRST]
    assert (waits["tries"], waits["not_before"]) == (2, "2026-02-03T00:10:00+01:00")
    assert sent(sending, today="2026-02-03") == {f"{FIRST} mail": "sent"}
    assert box.counts[f"<{FIRST}.a2ledger@sun.example>"] == 1


def test_after_five_days_it_is_given_up(sending, box):
    box.replies = ["451 later"] * 2
    sending.run("send", "--only", "C1", code=1)

    assert sent(sending, "--only", "C1", today="2026-02-09", code=1) == {f"{FIRST} mail": "failed"}


def test_what_is_sent_again_after_days_is_tried_again_too(sending, box):
    box.replies = ["550 no", "451 greylisted, come back"]
    sending.run("send", "--only", "C1", code=1)

    late = {"today": "2026-02-19"}
    assert sent(sending, "--resend", FIRST, **late, code=1) == {f"{FIRST} mail": "queued"}
    assert sent(sending, "--only", "C1", today="2026-02-20") == {f"{FIRST} mail": "sent"}


def test_what_is_refused_for_good_is_named_by_check_until_it_arrives(sending, box):
    box.refused[ADA] = "550 5.1.1 no such user"

    done = sending.run("send", code=1)
    assert f"{FIRST} to {ADA}: 550 5.1.1 no such user" in done.stderr
    named = sending.run("check", code=1).stdout
    assert f"delivery/2026-02.jsonl:1: {FIRST} by mail to {ADA}: 550" in named
    assert f"a2ledger send --resend {FIRST}" in named
    assert sent(sending) == {}

    sending.run("customer", "set", "C1", "email=new@maes.example")
    assert sent(sending, "--resend", FIRST) == {f"{FIRST} mail": "sent"}
    assert box.messages[-1]["To"] == "new@maes.example"
    assert sending.run("check").stdout == ""


@cases("place", ["dot", "data"], 1)
def test_a_connection_that_is_lost_repeats_nothing(sending, box, place):
    box.drop = [place]
    # More than the network holds at once, so that the server is seen to be gone.
    big = '<p>{{ subject }} {{ "x" * 9000000 }}</p>'
    (sending.root / "templates").mkdir()
    (sending.root / "templates" / "mail.html.j2").write_text(big)

    states = sent(sending, code=1)
    assert states == {
        f"{FIRST} mail": {"data": "queued", "dot": "failed"}[place],
        f"{SECOND} mail": "sent",
    }
    (sending.root / "templates" / "mail.html.j2").unlink()
    sent(sending, today="2026-02-02")
    assert dict(box.counts) == {
        f"<{FIRST}.a2ledger@sun.example>": 1,
        f"<{SECOND}.a2ledger@sun.example>": 1,
    }
    if place == "dot":
        assert "it may have arrived" in sending.run("check", code=1).stdout


def test_a_server_that_dawdles_may_have_taken_the_message(sending, box):
    sending.edit("a2ledger.toml", "timeout = 30", "timeout = 3")
    box.seconds = 3.5

    assert sent(sending, "--only", "C1", code=1) == {f"{FIRST} mail": "failed"}


def test_a_server_that_is_not_there_leaves_all_as_it_was(sending, box):
    sending.edit("a2ledger.toml", f"port = {box.port}", "port = 1")

    done = sending.run("send", code=1)
    assert "127.0.0.1:1: " in done.stderr
    assert "nothing more was sent; look at [mail] and at the server" in done.stderr
    assert [line["state"] for line in outbox(sending).values()] == ["queued", "queued"]

    sending.edit("a2ledger.toml", "port = 1", f"port = {box.port}")
    assert set(sent(sending).values()) == {"sent"}


def test_a_server_that_encrypts_nothing_gets_nothing_unless_that_is_meant(sending, box):
    sending.edit("a2ledger.toml", "starttls = false", "starttls = true")

    assert "STARTTLS" in sending.run("send", code=1).stderr
    assert box.messages == []


def test_a_message_that_is_too_large_is_refused_before_it_is_sent(billed, tmp_path):
    with mailbox(data_size_limit=3000) as box:
        shutil.copytree(billed, tmp_path / "book")
        book = Book(tmp_path / "book", tmp_path / "files", today=DAY)
        book.append("a2ledger.toml", MAIL.format(port=box.port, python=sys.executable))

        assert set(sent(book, code=1).values()) == {"failed"}
        assert "bytes are more than the server's 3,000" in book.run("check", code=1).stdout


def test_a_login_goes_over_tls_and_a_wrong_one_is_named(billed, tmp_path, monkeypatch):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
         certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def check(_server, _session, _envelope, _mechanism, data):
        from aiosmtpd.smtp import AuthResult  # noqa: PLC0415

        return AuthResult(success=data.password == b"right", handled=False)

    options = {"tls_context": context, "auth_required": True, "authenticator": check}
    with mailbox(hostname="localhost", **options) as box:
        shutil.copytree(billed, tmp_path / "book")
        book = Book(tmp_path / "book", tmp_path / "files", today=DAY)
        text = MAIL.format(port=box.port, python=sys.executable)
        text = text.replace("starttls = false", 'user = "sun"')
        book.append("a2ledger.toml", text.replace("127.0.0.1", "localhost"))
        monkeypatch.setenv("A2LEDGER_SMTP_PASSWORD", "wrong")
        assert "look at mail.user, and at A2LEDGER_SMTP_PASSWORD" in book.run("send", code=1).stderr

        monkeypatch.setenv("A2LEDGER_SMTP_PASSWORD", "right")
        assert set(sent(book).values()) == {"sent"}
        assert "right" not in "".join(map(str, outbox(book).values()))


def test_copies_go_where_they_are_wanted_and_nobody_sees_it(sending, box):
    sending.edit("a2ledger.toml", "timeout = 30", 'bcc = "books@sun.example"')
    sending.run("send", "--only", "C1")

    assert box.recipients == [[ADA, "books@sun.example"]]
    assert "books@sun.example" not in box.messages[0].as_string()


# Ways that are not mail


def test_who_has_no_address_is_left_out_until_they_have_one(sending):
    sending.run("customer", "set", "C1", "email=")

    assert sent(sending) == {f"{FIRST} mail": "skipped", f"{SECOND} mail": "sent"}
    sending.run("customer", "set", "C1", f"email={ADA}")
    assert sent(sending) == {f"{FIRST} mail": "sent"}


def test_who_wants_nothing_gets_nothing(sending):
    sending.run("customer", "set", "C1", "delivery=none")
    assert sent(sending) == {f"{SECOND} mail": "sent"}


def test_bills_are_put_where_they_are_printed_from(sending):
    sending.run("customer", "set", "C1", "delivery=mail, print")

    assert sent(sending, "--only", "C1") == {f"{FIRST} mail": "sent", f"{FIRST} print": "sent"}
    assert [path.name for path in (sending.root / "out").iterdir()] == [f"{FIRST}.html"]


ACCESS_POINT = """\
import os, sys
document = os.environ["A2LEDGER_DOCUMENT"]
taken = open("taken", "a")
taken.write(document + " " + os.environ["A2LEDGER_TO"] + "\\n")
assert sys.stdin.read().startswith("<?xml")
print("thank you")
print("AP-" + document)
sys.exit(int(open("code").read()))
"""


def test_a_command_takes_e_invoices_and_gives_an_identifier(sending):
    sending.edit("a2ledger.toml", 'vat_id = ""', 'vat_id = "BE0403170701"')
    sending.edit("a2ledger.toml", 'country = ""', 'country = "BE"')
    sending.edit(
        "a2ledger.toml", 'vat_id = "BE0403170701"',
        'vat_id = "BE0403170701"\npeppol = "0208:0403170701"\nregistration = "0208:0403170701"',
    )  # fmt: skip
    sending.run(
        "customer", "set", "C1", "country=BE", "peppol=0208:0428759497", "delivery=peppol",
        "registration=0208:0428759497",
    )  # fmt: skip
    sending.talks("C1", "2026-02-10", 10, today="2026-02-11")
    sending.close(today="2026-03-01")
    (number,) = [
        name
        for name, document in sending.documents().items()
        if document["customer"]["id"] == "C1" and name != FIRST
    ]
    (sending.root / "access_point.py").write_text(ACCESS_POINT)

    for code, state, day in ((75, "queued", 1), (0, "sent", 2)):
        (sending.root / "code").write_text(str(code))
        states = sent(sending, "--only", "C1", today=f"2026-03-0{day}", code=int(code > 0))
        assert states[f"{number} peppol"] == state
    assert outbox(sending)[number]["answer"] == f"AP-{number}"
    assert (sending.root / "taken").read_text() == f"{number} 0208:0428759497\n" * 2
    # What is no e-invoice goes by mail.
    assert outbox(sending)[FIRST]["channel"] == "mail"


def test_a_disk_that_fails_before_the_last_byte_sends_nothing_and_waits_for_nobody(
    sending, box, monkeypatch
):
    def full(_log, _message):
        raise CannotWriteError("the disk is full", "it is not known", "make room")

    began = time.monotonic()
    with monkeypatch.context() as patched:
        patched.setattr(Log, "hand_over", full)
        sending.run("send", "--only", "C1", code=74)
    assert time.monotonic() - began < 20  # the server's patience is thirty
    assert box.messages == []
    assert sent(sending)[f"{FIRST} mail"] == "sent"
    assert set(box.counts.values()) == {1}


# Crashes

CALLS = ("open", "write", "fsync", "replace", "unlink", "mkdir")


def dies(book: Path, at: int) -> int:
    """Send in a process that is gone at a call of this number; how many there were."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        count = 0

        def dying(function):
            def call(*words, **options):
                nonlocal count
                count += 1
                if count == at:
                    os._exit(9)
                return function(*words, **options)

            return call

        put = os.write
        for name in CALLS:
            setattr(os, name, dying(getattr(os, name)))
        import socket  # noqa: PLC0415

        socket.socket.sendall = dying(socket.socket.sendall)
        try:
            a2ledger("-C", book, "--today", DAY, "send")
        finally:
            put(writing, str(count).encode())
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return int(pipe.read() or 0)


@pytest.mark.long
def test_a_crash_at_any_call_loses_and_repeats_nothing(sending, box, tmp_path):
    whole = tmp_path / "whole"
    shutil.copytree(sending.root, whole)
    calls = dies(whole, 0)
    assert calls > 50
    assert len(box.messages) == 2

    step = max(1, calls // CRASHES)
    for at in range(1 + step // 2, calls + 1, step):
        box.messages.clear()
        root = tmp_path / f"at-{at}"
        shutil.copytree(sending.root, root)
        dies(root, at)
        book = Book(root, tmp_path / "files", today=DAY)
        a2ledger("-C", root, "--today", DAY, "send")  # exit 1 where something may have arrived
        found = {name: line["state"] for name, line in outbox(book).items()}
        for name in (FIRST, SECOND):
            count = box.counts[f"<{name}.a2ledger@sun.example>"]
            assert (found[name], count) in {("sent", 1), ("failed", 1), ("failed", 0)}, at
        assert "failed" not in found.values() or "may have arrived" in book.run(
            "check", code=1
        ).stdout  # fmt: skip
        assert book.git("status", "--porcelain") == ""


@pytest.mark.long
@pytest.mark.skipif(not tracing.is_possible(), reason="needs Linux on x86-64")
def test_killed_or_without_a_disk_at_some_system_calls_it_loses_and_repeats_nothing():
    modes = sampled("network,powercut", "network")
    words = ["--points", "1", "--modes", modes, "--seed", "7"]
    done = subprocess.run(
        [sys.executable, TESTS / "crash/crash_send.py", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(modes.split(','))} times broken" in done.stdout
    assert " 0 wrong" in done.stdout


def test_two_runs_at_once_send_once(sending, box):
    box.seconds = 0.5
    other = subprocess.Popen(
        [Path(sys.executable).with_name("a2ledger"), "-C", sending.root, "--today", DAY, "send"],
        stderr=subprocess.PIPE,
    )
    for _ in range(200):
        done = a2ledger("-C", sending.root, "--today", DAY, "send")
        if "another run is sending" in done.stderr or other.poll() is not None:
            break
    other.communicate()
    assert set(box.counts.values()) == {1}
    assert len(box.messages) == 2


@pytest.mark.parametrize("channel", ["mail", "print"])
def test_without_what_makes_pdf_nothing_is_queued(sending, monkeypatch, channel):
    sending.edit("a2ledger.toml", 'attach = ["html", "xml"]', 'attach = ["pdf"]')
    sending.run("customer", "set", "C1", f"delivery={channel}", "--yes")
    monkeypatch.setattr(pdf, "find_spec", lambda _name: None)
    said = sending.run("send", code=1).stderr
    assert "PDF needs WeasyPrint; nothing was written; say `pip install" in said
    assert not (sending.root / "delivery").exists()
    assert not any(line.startswith("send") for line in sending.log())


@pytest.mark.parametrize("key", ["host", "from"])
def test_a_channel_that_is_not_set_up_is_named_and_nothing_is_queued(sending, key):
    line = next(text for text in MAIL.splitlines() if text.startswith(f"{key} = "))
    sending.edit("a2ledger.toml", line.partition("{")[0], "# ")
    said = sending.run("send", code=1).stderr
    assert f"a2ledger.toml: mail.{key}: is missing, and something is to go by mail" in said
    assert not any(line.startswith("send") for line in sending.log())
