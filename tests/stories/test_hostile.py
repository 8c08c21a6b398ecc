"""What comes from outside does nothing but stand there: in journals, pages, files and exports."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import tracemalloc
from html.parser import HTMLParser

import pytest
from beancount import loader
from examples import cases
from harness import Book, a2ledger, cdr, csv_text

from a2ledger import csvfile

NASTY = {
    "a second entry": 'x"\n\n2026-01-01 * "stolen"\n  Assets:Bank  1 EUR\n  Income:Calls  -1 EUR\n',
    "a plugin": '"\nplugin "os"\n"',
    "an include": '"\ninclude "/etc/passwd"\n"',
    "a backslash": "x\\",
    "a comment": "x ; y",
    "the marker": "\n; ---- usage below this line is written by a2ledger ----\n",
    "a script": "<script>alert(1)</script>",
    "a picture": "<img src=x onerror=alert(1)>",
    "an attribute": '" onmouseover="alert(1)',
    "a template": "{{ 7*7 }}{% for x in () %}{{ ''.__class__.__mro__ }}",
    "a format": "%s%n{0.__class__}${x}",
    "a terminal": "\x1b]0;owned\x07\x1b[2J",
    "a turned text": "abc\u202egnp.exe",
    "a line separator": "abc\u2028def\u0085ghi",
    "a formula": "=cmd|'/C calc'!A0",
    "a path": "../../../../etc/passwd",
    "a zero byte": "abc\x00def",
}


def tried(book, *words):
    """Run a command whose answer may be any but a traceback."""
    done = a2ledger("-C", book.root, "--today", book.today, *words)
    assert "Traceback" not in done.stderr
    return done


class Elements(HTMLParser):
    """Counts the elements of a page, and collects what it says."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.said, self.handlers = [], "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        self.said += data


@pytest.fixture(scope="module")
def plain(empty_book, tmp_path_factory):
    """A page as it is without anything nasty in it."""
    return Elements(bill(empty_book, tmp_path_factory.mktemp("plain"), "Anna"))


def bill(empty_book, directory, text):
    """The preview of a customer whose every text is this, and who made and paid with it too."""
    root = shutil.copytree(empty_book, directory / "book")
    book = Book(root, directory / "files")
    book.customers({"id": "C1", "opened": "2026-01-01", "credit_limit": "100", "address": "x"})
    for fact in ("name", "address"):
        tried(book, "customer", "set", "C1", f"{fact}={text}", "--from", "2026-01-01")
    rows = [
        {"id": "p1", "customer": "C1", "date": "2026-01-03", "amount": "5", "description": text}
    ]
    path = book.file("payments.csv", csv_text(rows))
    tried(book, "import", "payments", path)
    book.today = "2026-01-20"
    quoted = text.replace('"', '""').replace("\n", " ").replace("\x00", "")
    line = cdr(clid=f'""{quoted}"" <1>', userfield=quoted, uniqueid="1767607200.9")
    tried(book, "import", "asterisk", book.file("Master.csv", line))
    tried(book, "check", "C1")
    entries, errors, _ = loader.load_file(str(root / "journals/customers/C1.beancount"))
    assert errors == []
    assert not [entry for entry in entries if getattr(entry, "payee", "") == "stolen"]
    assert not (root.parent / "etc").exists()
    texts = [path.read_text() for path in (root / "journals").rglob("*.beancount")]
    assert not any(character in "".join(texts) for character in "\x1b\x00\u202e\u2028")
    return tried(book, "preview", "C1", "--html").stdout


@cases("name", NASTY, 5)
def test_a_text_from_outside_is_only_text(empty_book, plain, tmp_path, name):
    page = bill(empty_book, tmp_path, NASTY[name])

    shown = Elements(page)
    assert set(shown.tags) <= set(plain.tags)
    assert shown.handlers == []
    if name == "a template":
        assert "{{ 7*7 }}" in shown.said


@pytest.mark.parametrize(
    "identity",
    [
        "../C1",
        "/etc/passwd",
        "C1/../../x",
        "C1\x00",
        "..",
        ".",
        "\u0421" + "1",
        "C1\n",
        "C:1",
        "-rf",
        "a" * 65,
    ],
)
def test_an_id_that_could_be_a_path_is_refused(book, identity):
    rows = csv_text([{"id": identity, "name": "x", "credit_limit": "1", "tariff": "standard"}])
    before = book.digests()

    done = tried(book, "import", "customers", book.file("customers.csv", rows))

    assert done.code in {3, 65}, done
    assert "Traceback" not in done.stderr
    assert {path for path in book.digests() if path.startswith("journals/customers")} == {
        path for path in before if path.startswith("journals/customers")
    }


def test_a_link_in_the_way_of_a_file_is_refused_before_anything_is_written(book, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    shutil.rmtree(book.root / "journals/customers", ignore_errors=True)
    (book.root / "journals/customers").symlink_to(tmp_path / "elsewhere")

    done = book.run("customer", "add", "C1", code=1)

    assert "journals/customers: is a link" in done.errors[0]
    assert list((tmp_path / "elsewhere").iterdir()) == []


FORMULAS = ("=1+1", "+1+1", "-1+cmd|'/C calc'!A0", "@SUM(1)", "\t=1", "\r=1")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_in_an_export_is_no_formula(book, text):
    assert csvfile.cell(text) == f"'{text}"
    if text.isprintable():
        calls = book.file(
            "c.csv",
            csv_text([{"id": text, "called": "32", "start": "2026-01-05 10:00:00", "seconds": 60}]),
        )
        tariff = book.file("t.csv", f'dialprefix,destination,rateinitial\n32,"{text}",1.00\n')
        done = a2ledger("rate", calls, "--tariff", tariff)
        (row,) = csv.DictReader(io.StringIO(done.stdout))
        assert row["id"] == row["destination"] == f"'{text}"


@pytest.mark.parametrize("text", ["-12.34", "+3225550199", "0", "Anna", "a=b", ""])
def test_a_number_in_an_export_stays_one(text):
    assert csvfile.cell(text) == text


def test_a_file_that_unpacks_to_more_than_any_switch_writes_is_refused_in_little_memory(book):
    bomb = book.files / "Master.csv.gz"
    with gzip.open(bomb, "wb", compresslevel=9) as packed:
        block = b"a" * (1 << 20)
        for _ in range(600):
            packed.write(block)

    tracemalloc.start()
    done = book.run("import", "asterisk", bomb, code=65)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "Traceback" not in done.stderr
    assert peak < 200 << 20


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE cdr [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY a{n} "&a{n - 1 if n else ""};&a{n - 1 if n else ""};">' for n in range(30))
    + "]><cdr><variables><uuid>&a29;</uuid></variables></cdr>"
)


@pytest.mark.parametrize(
    "document",
    [
        LAUGHS,
        '<!DOCTYPE cdr [<!ENTITY x SYSTEM "file:///etc/passwd">]><cdr><uuid>&x;</uuid></cdr>',
        "<cdr>" + "<variables>" * 100_000,
        "{" + '"a":{' * 100_000,
    ],
    ids=["a billion laughs", "an entity from a file", "deep XML", "deep JSON"],
)
def test_a_document_that_is_a_trap_is_refused_as_a_row(book, document):
    name = "a_0f0e0d0c.cdr." + ("json" if document.startswith("{") else "xml")
    directory = book.files / "cdrs"
    directory.mkdir()
    (directory / name).write_text(document)

    done = tried(book, "import", "freeswitch", directory)

    assert done.code in {3, 65}, done
    assert "root:" not in json.dumps([done.stdout, done.stderr])
    assert "Traceback" not in done.stderr
