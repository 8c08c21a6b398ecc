"""The command line as its users and their scripts meet it: help, output, exit codes, errors."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import click
import pytest
from checkout import ROOT
from examples import cases
from harness import PBX, STANDARD, Book, Done, a2ledger, a2ledger_process, call, csv_text, slim

from a2ledger.cli import main

MARKER = "; ---- usage below this line"
OPEN = "journals/2026-02/C1.01.beancount"


def commands(group: click.Group = main, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


EVERY = dict(commands())


@pytest.fixture(scope="module")
def made(empty_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with one closed month and one open, made once."""
    root = tmp_path_factory.mktemp("made") / "book"
    shutil.copytree(empty_book, root)
    book = Book(root, root.parent / "files", "2026-01-20")
    book.customers({"id": "C1"}, {"id": "C2", "vat": "on-invoice"})
    book.talks("C1", "2026-01-05", 10)
    book.moves("charges", "C2", "2026-01-07", "10.00", description="Line rental")
    book.close(today="2026-02-02")
    book.talks("C1", "2026-02-03", 5, today="2026-02-05")
    book.moves("payments", "C1", "2026-02-04", "4.00", today="2026-02-05")
    return slim(root)


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Book:
    """A copy of that book, on 5 February."""
    shutil.copytree(made, tmp_path / "shop")
    return Book(tmp_path / "shop", tmp_path / "files", "2026-02-05")


# Help


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_help_with_an_example_that_names_it(name):
    done = a2ledger(*name.split(), "--help")
    assert done.code == 0
    said = " ".join(done.stdout.split())
    assert f"Example: a2ledger {name}" in said
    assert EVERY[name].help


@pytest.mark.parametrize("name", EVERY)
def test_every_command_is_documented(name):
    readme = (ROOT / "docs/commands.md").read_text()
    assert re.search(
        rf"`(a2ledger )?{name}\b|^\$ a2ledger (-\S+ \S+ )*{name}\b", readme, re.MULTILINE
    )


def test_a_command_that_is_mistyped_is_guessed():
    done = a2ledger("ballances")
    assert done.code == 2
    assert "No such command 'ballances'" in done.stderr
    assert "balances" in done.stderr.replace("ballances", "")


def test_commands_are_listed_in_the_order_of_a_month():
    listed = re.findall(
        r"^  ([a-z-]+) ", a2ledger("--help").stdout.partition("Commands:")[2], re.MULTILINE
    )
    order = ["init", "demo", "customer", "import", "quarantine", "rate", "check", "balances"]
    order += ["preview", "statement", "close", "invoice"]
    assert [name for name in listed if name in order] == order


def test_it_says_its_version():
    assert re.search(r"\d+\.\d+\.\d+", a2ledger("--version").stdout)


# JSON


def test_import_reports_every_row_in_its_bucket(shop):
    rows = [call("j1", "C1", "2026-02-04", 60), call("j2", "C9", "2026-02-04", 60)]
    found = shop.imported("calls", rows, code=3)
    assert found.stdout == ""
    path = shop.file("more.csv", csv_text([*rows, call("j3", "C1", "2026-02-04", 0)]))
    found = shop.run("import", "calls", path, "--json").json
    assert {
        "read": 3,
        "posted": 0,
        "free": 1,
        "not_billable": {},
        "duplicate": 1,
        "late": 0,
        "quarantined": {"unknown-customer": 1},
        "customers": 1,
        "amount": "0.00",
        "files": [str(path)],
    }.items() <= found.items()


def test_balances_are_strings_that_add_up(shop):
    first, second = shop.run("balances", "--json").json
    assert {
        "customer": "C1",
        "name": "C1",
        "currency": "EUR",
        "owed": "11.00",
        "billed": "6.00",
        "unbilled": "5.00",
        "credit_limit": "100.00",
        "available": "89.00",
        "over_limit": False,
    }.items() <= first.items()
    assert (second["customer"], second["owed"]) == ("C2", "12.10")


DOCUMENT = {
    "kind", "number", "original", "supplier", "customer", "currency", "issue_date", "due_date",
    "period", "statement", "lines", "vat", "net", "vat_total", "gross", "to_pay", "credit",
    "notes",
}  # fmt: skip
LINE = {
    "line", "kind", "service", "destination", "description", "from", "to", "calls", "seconds",
    "net", "vat_code", "late_from",
}  # fmt: skip


@pytest.mark.parametrize("words", [["preview", "C2"], ["invoice", "INV-2026-000002"]], ids=str)
def test_a_document_has_the_published_shape(shop, words):
    shop.moves("charges", "C2", "2026-02-04", "5.00")
    found = shop.run(*words, "--json").json
    assert found.keys() >= DOCUMENT
    assert found["period"].keys() >= {"start", "end"}
    assert found["statement"].keys() >= {"opening", "lines", "closing"}
    assert found["statement"]["lines"]
    for line in found["statement"]["lines"]:
        assert line.keys() >= {"date", "description", "amount", "balance"}
    (line,) = found["lines"]
    assert line.keys() >= LINE
    assert line["kind"] == "charge"
    (vat,) = found["vat"]
    assert vat.keys() >= {"code", "category", "rate", "net", "vat", "reason"}
    assert (vat["code"], vat["category"], vat["rate"]) == ("S21", "S", "21")
    texts = [found[name] for name in ("net", "vat_total", "gross", "to_pay", "credit")]
    assert all(re.fullmatch(r"\d+\.\d\d", text) for text in texts)


def test_usage_is_a_line_per_service_and_destination(shop):
    (line,) = shop.run("preview", "C1", "--json").json["lines"]
    assert {
        "line": 1,
        "kind": "usage",
        "service": "Calls",
        "destination": "Anywhere",
        "from": "2026-02-03",
        "to": "2026-02-03",
        "calls": 1,
        "seconds": 300,
        "net": "5.00",
        "vat_code": "O",
        "late_from": None,
    }.items() <= line.items()


def test_statement_check_and_close_have_the_published_shapes(shop):
    found = shop.run("statement", "C1", "--json").json
    assert found.keys() >= {"opening", "lines", "closing"}
    assert found["lines"][0].keys() >= {"date", "description", "amount", "balance"}
    assert shop.run("check", "--json").json == {"errors": []}

    shop.run("customer", "set", "C1", "credit_limit=1")
    (error,) = shop.run("check", "--json", code=1).json["errors"]
    assert error.keys() >= {"check", "message", "file", "line"}
    assert error["check"] == "credit-limit"
    assert error["file"] == "journals/customers/C1.beancount"

    closed = shop.close(today="2026-03-01")
    assert [row["customer"] for row in closed] == ["C1", "C2"]
    for row in closed:
        assert row.keys() >= {"customer", "number", "period", "gross", "to_pay", "warnings"}
        assert row["period"] == {"start": "2026-02-01", "end": "2026-03-01"}
    (row,) = shop.close("C1", today="2026-03-02", code=1)
    assert row["warnings"][0].keys() >= {"code", "message"}


# Exit codes


def test_the_answer_no_is_1(shop):
    shop.run("balances", "--over-limit", code=0)
    shop.run("customer", "set", "C1", "credit_limit=1")
    over = shop.run("balances", "--over-limit", code=1)
    assert "C1" in over.stdout
    assert "C2" not in over.stdout
    assert "C1" in shop.run("check", code=1).stdout
    shop.run("check", "C2", code=0)
    shop.append(TOML, PBX)
    shop.run("close", today="2026-03-06", code=1)


@pytest.mark.parametrize(
    "words",
    [
        ["--nonsense"], ["nonsense"], ["import"], ["preview"], ["import", "calls", "nowhere.csv"],
        ["close", "--through", "yesterday"], ["invoice", "--format", "pdf2"], ["customer", "set"],
        ["customer", "set", "C1"], ["customer", "set", "C1", "name"], ["--today", "x", "check"],
        ["import", "calls", "--from", "2026-02-02", "--through", "2026-02-01", "/dev/null"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_command_that_cannot_be_understood_is_2(shop, words):
    before = shop.digests()
    done = shop.run(*words, code=2)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert shop.digests() == before


def test_only_rows_newly_quarantined_are_3(shop):
    rows = [call("q1", "C9", "2026-02-04", 60)]
    done = shop.imported("calls", rows, code=3)
    assert re.search(r"calls-1\.csv:2: .*C9", done.stderr)
    shop.imported("calls", rows, code=0)  # known already
    more = [*rows, call("q2", "C8", "2026-02-04", 60)]
    shop.imported("calls", more, code=3)
    (first, second) = shop.run("quarantine", "list", "--json").json
    assert (first["reason"], second["reason"]) == ("unknown-customer", "unknown-customer")

    # Once the cause is mended, importing again takes them in and they leave the quarantine.
    shop.customers({"id": "C8", "opened": "2026-02-01"}, {"id": "C9", "opened": "2026-02-01"})
    shop.imported("calls", more, code=0)
    assert shop.run("quarantine", "list", "--json").json == []
    assert shop.balance("C9")["owed"] == "1.00"


def test_a_destination_without_a_rate_is_quarantined_never_free(shop):
    (shop.root / "tariffs/standard.csv").write_text("dialprefix,rateinitial\n32,1.00\n")
    done = shop.imported("calls", [call("n1", "C1", "2026-02-04", 60, "999123")], code=3)
    assert "no-rate" in done.stderr
    assert shop.balance("C1")["owed"] == "11.00"


MONEY = {"id": "m1", "customer": "C1", "date": "2026-02-04", "amount": "1.00"}

ROWS = {
    # reason: (kind of import, what is wrong with the row)
    "unknown-customer": ("payments", {"customer": "C9"}),
    "missing-customer": ("refills", {"customer": ""}),
    "missing-id": ("payments", {"id": ""}),
    "bad-currency": ("payments", {"currency": "USD"}),
    "bad-date": ("payments", {"date": "4 February"}),
    "bad-amount": ("payments", {"amount": "one"}),
    "unknown-service": ("charges", {"service": "Pizza"}),
}
FINE = {"payments": {}, "refills": {}, "openings": {}, "charges": {"service": "One-off"}}


@pytest.mark.parametrize("reason", ROWS)
def test_a_row_of_money_that_cannot_be_posted_is_quarantined_and_the_others_are_posted(
    shop, reason
):
    source, wrong = ROWS[reason]
    good = {**MONEY, "id": "m2"}
    if source == "charges":
        good["service"] = "Subscriptions"
    rows = [good, {**MONEY, **wrong}]
    done = shop.imported(source, rows, code=3)
    assert re.search(rf"{source}-1\.csv:3: .*not posted \({reason}\)", done.stderr)
    (row,) = shop.run("quarantine", "list", "--json").json
    assert (row["reason"], row["line"], row["source"]) == (reason, 3, source)
    assert shop.balance("C1")["owed"] == ("12.00" if source == "charges" else "10.00")
    shop.imported(source, rows, code=0)


def test_amounts_have_no_more_decimals_than_their_currency(shop):
    before = shop.balance("C1")
    for source, more in FINE.items():
        path = shop.file(f"{source}.csv", csv_text([{**MONEY, **more, "amount": "5.001"}]))
        report = shop.run("import", source, path, "--json", code=3).json
        assert report["quarantined"] == {"bad-amount": 1}
    for words in (
        ("refund", "C1", "5.001"),
        ("goodwill", "C1", "0.005"),
        ("write-off", "C1", "1.005"),
        ("deposit", "C1", "1.005"),
        ("transfer", "C1", "C2", "1.005"),
    ):
        said = shop.run(*words, code=1).stderr
        assert "has more than the 2 decimals of EUR; nothing was posted" in said
    assert shop.balance("C1") == before


def test_money_by_a_method_nobody_configured_is_held_by_a_gateway_of_that_name(shop):
    shop.imported("payments", [MONEY | {"method": "paypal"}])
    assert shop.sums()["Assets:Gateway:X-paypal"] == 1


def test_one_id_with_two_contents_is_a_conflict_and_the_book_keeps_what_it_has(shop):
    shop.imported("payments", [MONEY])
    before = shop.digests()
    done = shop.imported("payments", [MONEY | {"amount": "2.00"}], code=3)
    assert "conflict" in done.stderr
    after = shop.digests()
    assert {**after, "quarantine/rows.csv": ""} == {**before, "quarantine/rows.csv": ""}


def test_of_two_rivals_in_one_file_the_same_one_stays_whatever_their_order(shop, tmp_path):
    shutil.copytree(shop.root, tmp_path / "other")
    other = Book(tmp_path / "other", tmp_path / "others", shop.today)
    rivals = [MONEY, MONEY | {"amount": "2.00"}, MONEY | {"amount": "3.00"}]
    shop.imported("payments", rivals, code=3)
    other.imported("payments", rivals[::-1], code=3)
    assert shop.text(OPEN) == other.text(OPEN)


def test_calls_older_than_the_account_are_not_billable_by_name(shop):
    path = shop.file("calls.csv", csv_text([call("o1", "C1", "2025-12-31", 60)]))
    report = shop.run("import", "calls", path, "--json").json
    assert report["not_billable"] == {"before-opening": 1}
    assert report["posted"] == 0


def test_money_older_than_the_account_is_posted_late(shop):
    before = Decimal(shop.balance("C1")["owed"])
    billed = Decimal(shop.balance("C1")["billed"])
    rows = {
        "payments": {"amount": "40.00", "date": "2025-12-14"},
        "refills": {"amount": "5.00", "date": "2025-12-15"},
        "charges": {"amount": "2.00", "date": "2025-12-16", "service": "One-off"},
        "openings": {"amount": "50.00", "date": "2025-12-31", "number": "2025-0999",
                     "due": "2026-01-15"},
    }  # fmt: skip
    for source, row in rows.items():
        path = shop.file(f"{source}.csv", csv_text([{"id": "o1", "customer": "C1", **row}]))
        report = shop.run("import", source, path, "--json").json
        assert (report["late"], report["not_billable"]) == (1, {})
        again = shop.run("import", source, path, "--json").json
        assert again["duplicate"] == 1
    assert Decimal(shop.balance("C1")["owed"]) - before == 50 + 2 - 40 - 5
    text = shop.text(OPEN)
    assert all(f"  late_from: {row['date']}\n" in text for row in rows.values())
    (aged,) = [row for row in shop.run("ageing", "--json").json if row["customer"] == "C1"]
    assert Decimal(aged["billed"]) - billed == 50 - 40 - 5
    shop.run("check", "C1")


def test_money_of_another_century_is_quarantined_and_moves_no_month(shop):
    main = shop.text("journals/main.beancount")
    rows = {
        "payments": {"amount": "40.00"},
        "refills": {"amount": "5.00"},
        "charges": {"amount": "2.00", "service": "One-off"},
        "openings": {"amount": "50.00"},
    }
    for source, row in rows.items():
        wrong = {"id": "f1", "customer": "C1", "date": "2062-02-05", **row}
        path = shop.file(f"{source}.csv", csv_text([wrong]))
        report = shop.run("import", source, path, "--json", code=3).json
        assert report["quarantined"] == {"future": 1}
    path = shop.file("prices.csv", "date,currency,price\n2062-02-05,USD,0.9\n")
    assert shop.run("import", "prices", path, "--json", code=3).json["quarantined"] == {"future": 1}
    assert shop.text("journals/main.beancount") == main


def test_a_negative_row_reverses_one(shop):
    shop.imported("payments", [MONEY])
    shop.imported("payments", [MONEY | {"id": "m2", "amount": "-1.00", "description": "bounced"}])
    assert shop.balance("C1")["owed"] == "11.00"
    assert "bounced" in shop.run("preview", "C1").stdout


def test_an_opening_is_what_a_customer_brings_along(shop):
    shop.customers({"id": "C5", "opened": "2026-02-01"})
    rows = [{"id": "o1", "customer": "C5", "amount": "25.00", "number": "OLD-7"}]
    shop.imported("openings", rows)
    assert shop.balance("C5")["billed"] == "25.00"
    bill = shop.preview("C5")
    assert (bill["gross"], bill["to_pay"]) == ("0.00", "25.00")
    assert shop.sums()["Equity:Opening-Balances"] == -25


def test_a_fact_changes_from_its_day_on_and_calls_use_what_held_when_they_began(shop):
    (shop.root / "tariffs/dear.csv").write_text("dialprefix,rateinitial\ndefault,6.00\n")
    shop.run("customer", "set", "C1", "tariff=dear, standard", "--from", "2026-02-10")
    shop.talks("C1", "2026-02-09", 1, today="2026-02-11")
    shop.talks("C1", "2026-02-10", 1, today="2026-02-11")
    assert shop.balance("C1")["owed"] == "18.00"
    shown = shop.run("customer", "show", "C1", "--json").json
    assert shown["history"]["tariff"] == [
        {"from": "2026-01-01", "value": "standard"},
        {"from": "2026-02-10", "value": "dear, standard"},
    ]


BINARY = bytes(range(256)) * 8


@pytest.mark.parametrize("source", ["calls", "refills", "payments", "charges", "customers"])
@pytest.mark.parametrize(
    "content",
    [
        BINARY,
        b"",
        b"a,b,c\n1,2,3\n",
        b"r1,C1,2026-02-04,10.00\n",
        "id,κλήση\n1,2\n".encode("utf-16"),
    ],
    ids=["binary", "empty", "other header", "no header", "utf-16"],
)
def test_input_that_cannot_be_used_is_65_and_changes_nothing(shop, source, content):
    before, log = shop.digests(), shop.log()
    path = shop.file("input.csv", content)
    assert_explained(shop.run("import", source, path, code=65), f"{path}:1")
    assert (shop.digests(), shop.log()) == (before, log)


def test_one_bad_file_among_good_ones_publishes_none_of_them(shop):
    before = shop.digests()
    good = shop.file("good.csv", csv_text([call("g1", "C1", "2026-02-04", 60)]))
    bad = shop.file("bad.csv", BINARY)
    assert_explained(shop.run("import", "calls", good, bad, code=65), f"{bad}:1")
    assert shop.digests() == before


def test_a_place_where_a_directory_should_be_is_73_and_the_next_run_finishes_the_job(shop):
    in_the_way = shop.root / "calls" / "2026-03"
    in_the_way.write_text("a file where a directory should be\n")
    done = shop.talks("C1", "2026-03-02", 2, today="2026-03-03", code=73)
    assert_explained(done, str(in_the_way))
    in_the_way.unlink()
    shop.moves("payments", "C2", "2026-03-02", "1.00", today="2026-03-03")
    assert shop.balance("C1")["owed"] == "13.00"
    assert shop.run("check", "C1", "C2").stdout == ""
    assert shop.git("status", "--porcelain") == ""


def test_a_disk_that_refuses_is_74_and_leaves_the_book_as_it_was(shop):
    path = shop.file("many.csv", csv_text(
        call(f"m{i}", "C1", "2026-02-04", 60 + i) for i in range(2000)
    ))  # fmt: skip
    before, log = shop.digests(), shop.log()

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    words = ["-C", shop.root, "--today", shop.today, "import", "calls", path]
    done = a2ledger_process(*words, preexec_fn=small)
    assert done.code == 74
    assert_explained(done)
    assert (shop.digests(), shop.log()) == (before, log)
    shop.run("import", "calls", path)
    assert shop.run("check", "C1", code=1).stdout.count("\n") == 1  # over the limit, no more


def mounted(script: str, *words: object) -> Done:
    """Run a shell script that may mount what it likes without anyone else seeing it."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-euc", script, "bash", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_full_disk_is_74_named_as_such_and_leaves_the_book_as_it_was(shop, tmp_path):
    before, log = shop.digests(), shop.log()
    path = shop.file("many.csv", csv_text(
        call(f"m{i}", "C1", "2026-02-04", 60 + i) for i in range(2000)
    ))  # fmt: skip
    script = """
        mount -t tmpfs -o size=$(( $(du -sk "$1" | cut -f1) + 400 ))k tmpfs "$2"
        cp -a "$1" "$2/book"
        dd if=/dev/zero of="$2/filler" bs=4k 2>/dev/null || true
        truncate -s -16k "$2/filler"
        "$3" -m a2ledger -C "$2/book" --today 2026-02-05 import calls "$4" && code=0 || code=$?
        rm "$2/filler"; rm -rf "$1"; cp -a "$2/book" "$1"; exit $code
    """
    (tmp_path / "disk").mkdir()
    done = mounted(script, shop.root, tmp_path / "disk", sys.executable, path)
    assert done.code == 74, done
    assert_explained(done)
    assert "disk is full" in done.errors[0]
    assert (shop.digests(), shop.log()) == (before, log)
    shop.run("import", "calls", path)
    assert shop.log()[0].startswith("import: calls: 2000 rows read")


def test_a_book_on_a_read_only_disk_is_73_to_write_and_can_be_read(shop):
    script = """
        mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; shift
        "$@"
    """
    words = [shop.root, sys.executable, "-m", "a2ledger", "-C", shop.root, "--today", shop.today]
    assert "C1" in mounted(script, *words, "balances").stdout
    assert mounted(script, *words, "preview", "C1").code == 0
    done = mounted(script, *words, "customer", "set", "C1", "name=Ada")
    assert done.code == 73
    assert_explained(done)
    assert "read-only" in done.errors[0]


def test_a_book_one_may_not_enter_is_explained(shop):
    if os.geteuid() == 0:
        pytest.skip("root may enter everything")
    shop.root.chmod(0)
    try:
        done = a2ledger("-C", shop.root, "balances")
    finally:
        shop.root.chmod(0o755)
    assert done.code in {1, 73, 74}
    assert_explained(done)


def test_a_book_without_its_repository_is_74(shop):
    shutil.rmtree(shop.root / ".git")
    assert_explained(shop.run("customer", "set", "C1", "name=Ada", code=74))


HOLD = """
import fcntl, sys
lock = open(sys.argv[1], "a")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_book_another_program_writes_is_75_and_can_still_be_read(shop):
    words = [sys.executable, "-c", HOLD, str(shop.root / ".a2ledger/lock")]
    with subprocess.Popen(words, stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        before = shop.digests()
        done = shop.run("--lock-timeout", "0.2", "customer", "set", "C1", "name=Ada", code=75)
        assert "waiting" in done.stderr
        assert_explained(done, str(shop.root))
        assert shop.digests() == before
        shop.run("balances")
        shop.run("preview", "C1")
        holder.stdin.close()
    shop.run("customer", "set", "C1", "name=Ada")


def test_a_writer_waits_for_another_to_finish(shop):
    words = [sys.executable, "-c", HOLD, str(shop.root / ".a2ledger/lock")]
    with subprocess.Popen(words, stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        waiting = [sys.executable, "-m", "a2ledger", "-C", shop.root, "--today", shop.today]
        waiting = [*map(str, waiting), "customer", "set", "C1", "name=Ada"]
        with subprocess.Popen(waiting, stderr=-1, text=True) as waiter:
            assert "waiting" in waiter.stderr.readline()
            holder.stdin.close()
            assert waiter.wait(30) == 0
    assert shop.log()[0] == "customer set: C1 name"


# Errors


def assert_explained(done: Done, place: str = "", code: int | None = None) -> None:
    """Every error is one line: where, what; what was not done; what to do."""
    assert code is None or done.code == code
    assert "Traceback" not in done.stderr + done.stdout
    if done.code:
        assert done.errors, done
    for line in done.errors:
        what, undone, *todo = line.split("; ")
        assert what
        assert re.search(r"\b(nothing|not|none|nobody|no)\b", undone), line
        assert todo, line
        assert all(todo), line
    if place:
        assert done.errors[0].startswith(f"a2ledger: {place}: "), done.errors[0]


def entry(*legs: str, day: str = "2026-02-05") -> str:
    return f'{day} * "Correction" "by hand"\n' + "".join(f"  {leg}\n" for leg in legs) + "\n"


def edit(path: str, old: str, new: str) -> Callable[[Book], None]:
    return lambda book: book.edit(path, old, new)


def by_hand(*legs: str, day: str = "2026-02-05") -> Callable[[Book], None]:
    return edit(OPEN, MARKER, entry(*legs, day=day) + MARKER)


def content(path: str, text: str | bytes) -> Callable[[Book], None]:
    def put(book: Book) -> None:
        (book.root / path).parent.mkdir(parents=True, exist_ok=True)
        (book.root / path).write_bytes(text if isinstance(text, bytes) else text.encode())

    return put


def gone(path: str) -> Callable[[Book], None]:
    return lambda book: (book.root / path).unlink()


BILLED = "Assets:Receivable:C1:Billed"
UNBILLED = "Assets:Receivable:C1:Unbilled"
OWN = "journals/customers/C1.beancount"
TOML, DECK = "a2ledger.toml", "tariffs/standard.csv"
FROZEN, BILL = "journals/2026-01/C1.01.beancount", "invoices/2026/INV-2026-000001.json"
DETAIL = "calls/2026-02/2026-02-03.parquet"

BROKEN = {
    # what is wrong: (how it came about, where the error says it is)
    "broken toml": (edit(TOML, 'currency = "EUR"', 'currency = "EUR'), f"{TOML}:3"),
    "unknown key": (edit(TOML, "terms_days", "term_days"), TOML),
    "unknown table": (lambda book: book.append(TOML, "[sorces.x]\n"), TOML),
    "no currency": (edit(TOML, 'currency = "EUR"', 'currency = "euro"'), TOML),
    "no time zone": (edit(TOML, "Europe/Brussels", "Europe/Atlantis"), TOML),
    "newer format": (edit(TOML, "format = 1", "format = 2"), TOML),
    "binary toml": (content(TOML, BINARY), TOML),
    "bad deck row": (lambda book: book.append(DECK, "32,Belgium,abc,1,1\n"), f"{DECK}:3"),
    "binary deck": (content(DECK, BINARY), DECK),
    "deck without a header": (content(DECK, "32,Belgium,0.10\n"), f"{DECK}:1"),
    "corrupted digests": (content("calls/DIGESTS", "2026-02-03 1 ab\n"), "calls/DIGESTS"),
    "entry that does not balance": (
        by_hand("Assets:Bank  1.00 EUR", f"{BILLED}  -2.00 EUR"), OPEN
    ),
    "amount left out": (by_hand("Assets:Bank  1.00 EUR", BILLED), OPEN),
    "amount to compute": (by_hand("Assets:Bank  1.00+1 EUR", f"{BILLED}  -2.00 EUR"), OPEN),
    "unknown account": (by_hand("Income:Nothing  1.00 EUR", f"{BILLED}  -1.00 EUR"), OPEN),
    "other currency": (by_hand("Assets:Bank  1.00 USD", f"{BILLED}  -1.00 USD"), OPEN),
    "other customer": (
        by_hand("Assets:Bank  1.00 EUR", "Assets:Receivable:C2:Billed  -1.00 EUR"), OPEN
    ),
    "charge without VAT code": (
        by_hand(f"{UNBILLED}  1.00 EUR", "Income:Calls  -1.00 EUR"), OPEN
    ),
    "charge under an unknown VAT code": (
        by_hand(f"{UNBILLED}  1.00 EUR", '  vat: "S99"', "Income:Calls  -1.00 EUR"), OPEN
    ),
    "entry of a closed day": (
        by_hand("Assets:Bank  1.00 EUR", f"{BILLED}  -1.00 EUR", day="2026-01-05"), OPEN
    ),
    "words": (edit(OPEN, MARKER, "to be checked\n" + MARKER), OPEN),
    "open quote": (edit(OPEN, MARKER, '2026-02-05 * "Correction\n' + MARKER), OPEN),
    "plugin": (edit(OPEN, MARKER, 'plugin "os"\n' + MARKER), OPEN),
    "include of a secret": (edit(OPEN, MARKER, 'include "/etc/passwd"\n' + MARKER), OPEN),
    "option": (edit(OPEN, MARKER, 'option "plugin_processing_mode" "raw"\n' + MARKER), OPEN),
    "entry below the marker": (
        lambda book: book.append(OPEN, entry("Assets:Bank  1.00 EUR", f"{BILLED}  -1.00 EUR")), OPEN
    ),
    "usage edited": (edit(OPEN, "5.000000 EUR", "4.000000 EUR"), OPEN),
    "binary journal": (content(OPEN, BINARY), OPEN),
    "closed file edited": (edit(FROZEN, "10.00", "11.00"), FROZEN),
    "closed file gone": (gone(FROZEN), FROZEN),
    "document edited": (edit(BILL, '"10.00"', '"99.00"'), BILL),
    "document garbled": (content(BILL, "{"), BILL),
    "document gone": (gone(BILL), BILL),
    "fact that is no number": (
        edit(OWN, '"credit_limit" 100.00', '"credit_limit" "x"'), OWN
    ),
    "customer's ledger gone": (gone(OWN), OWN),
    "open period gone": (gone(OPEN), OPEN),
    "manual entry of a customer's": (
        lambda book: book.append(
            "journals/manual.beancount", entry("Assets:Bank  1.00 EUR", f"{BILLED}  -1.00 EUR")
        ),
        "journals/manual.beancount",
    ),
    "imports.csv overwritten": (content("imports.csv", "a,b\n1,2\n"), "imports.csv"),
}  # fmt: skip


@cases("what", BROKEN, 10)
def test_no_command_writes_over_what_is_broken_and_the_place_is_named(shop, what):
    broken, place = BROKEN[what]
    shop.append(TOML, PBX)
    shop.run("import", "pbx1", shop.file("none.csv", ""), "--empty")
    broken(shop)
    before, log = shop.digests(), shop.log()
    named = rf"{re.escape(place)}(:\d+)*: "
    if place.startswith("tariffs/"):  # a bad deck holds back the calls it prices, and no bill
        assert re.match(named, shop.run("check", today="2026-03-20", code=1).stdout)
    else:
        done = shop.run("close", today="2026-03-20", code=1)
        assert_explained(done)
        assert re.match(f"a2ledger: {named}", done.errors[0]), done.errors[0]
    assert (shop.digests(), shop.log()) == (before, log)


READING = {
    "balances": ["balances"], "check": ["check"], "check of one": ["check", "C1"],
    "preview": ["preview", "C1"], "statement": ["statement", "C1"], "list": ["customer", "list"],
    "quarantine": ["quarantine", "list"], "invoice": ["invoice", "--json"],
}  # fmt: skip


@cases("what", [*BROKEN, "main gone", "detail gone", "quarantine overwritten"], 10)
def test_a_command_that_reads_what_is_broken_answers_or_explains_itself(shop, what):
    more = {
        "main gone": gone("journals/main.beancount"),
        "detail gone": gone(DETAIL),
        "quarantine overwritten": content("quarantine/rows.csv", "a,b\n1,2\n"),
    }
    broken = BROKEN[what][0] if what in BROKEN else more[what]
    broken(shop)
    for words in READING.values():
        done = a2ledger("-C", shop.root, "--today", shop.today, *words)
        assert done.code in {0, 1}, done
        if done.code and words[0] != "check":
            assert_explained(done)


@pytest.mark.parametrize(
    "what",
    [
        "broken toml", "unknown key", "entry that does not balance", "unknown account", "words",
        "open period gone", "customer's ledger gone", "binary journal",
    ],
)  # fmt: skip
def test_check_does_not_call_a_broken_book_sound(shop, what):
    BROKEN[what][0](shop)
    done = shop.run("check", "C1", code=1)
    assert done.stdout or done.errors


def test_an_operator_s_ledger_that_is_gone_is_not_an_empty_one(shop):
    (shop.root / "journals/main.beancount").unlink()
    for words in (["balances"], ["check"], ["balances", "--over-limit"]):
        done = shop.run(*words, code=1)
        assert "main.beancount" in done.stderr + done.stdout
        assert_explained(done._replace(stderr=done.stderr or "a2ledger: x; nothing; y"))


@cases(
    "words",
    [
        ["import", "calls", "{calls}"], ["close"], ["preview", "C1"], ["check", "C1"],
    ], 2,
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("how", ["gone", "short", "junk", "other"])
def test_call_detail_that_is_missing_or_differs_is_named_by_what_needs_it(shop, words, how):
    path = shop.root / DETAIL
    shop.talks("C1", "2026-02-04", 1)
    if how == "gone":
        path.unlink()
    elif how == "short":
        path.write_bytes(path.read_bytes()[:200])
    elif how == "junk":
        path.write_bytes(BINARY)
    else:
        path.write_bytes((shop.root / "calls/2026-02/2026-02-04.parquet").read_bytes())
    before = shop.digests()
    calls = shop.file("c.csv", csv_text([call("x", "C1", "2026-02-03", 60)]))
    words = [str(calls) if word == "{calls}" else word for word in words]
    done = shop.run(*words, today="2026-03-20", code=1)
    assert "2026-02-03" in done.stderr + done.stdout
    if done.errors:
        assert_explained(done)
    assert shop.digests() == before


def test_a_tariff_that_is_not_there_is_named(shop):
    asked = ["customer", "set", "C1", "tariff=gold, standard"]
    assert_explained(shop.run(*asked, code=1), "C1: tariff")
    deck = shop.root / "tariffs/gold.csv"
    deck.write_text(STANDARD)
    shop.run(*asked)
    deck.unlink()
    before = shop.balance("C1")
    (said,) = shop.talks("C1", "2026-02-05", code=1).errors
    assert (
        "tariffs/gold.csv: not there, but a customer or a rule names it (the tariff of C1)" in said
    )
    assert "git checkout HEAD -- tariffs/gold.csv" in said
    assert shop.balance("C1") == before


REFUSED = {
    "no such customer": ["preview", "C9"],
    "no such customer to change": ["customer", "set", "C9", "name=x"],
    "no such customer to show": ["customer", "show", "C9"],
    "no such customer to check": ["check", "C9"],
    "no such customer to close": ["close", "C9"],
    "no such customer's statement": ["statement", "C9"],
    "no such fact": ["customer", "set", "C1", "colour=red"],
    "no amount": ["customer", "set", "C1", "credit_limit=much"],
    "no billing day": ["customer", "set", "C1", "billing_day=32"],
    "no treatment": ["customer", "set", "C1", "vat=sometimes", "--from", "2026-03-01"],
    "treatment in the middle": ["customer", "set", "C1", "vat=on-invoice", "--from", "2026-02-10"],
    "other currency": ["customer", "set", "C1", "currency=USD"],
    "closed day": ["customer", "set", "C1", "name=x", "--from", "2026-01-05"],
    "customer twice": ["customer", "add", "C1"],
    "bad id": ["customer", "add", "../C3"],
    "bad day": ["customer", "add", "C3", "--opened", "tomorrow"],
    "taken identifier": ["customer", "add", "C3", "--identifiers", "C1"],
    "no such document": ["invoice", "INV-2026-000099"],
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_explained_and_changes_nothing(shop, what):
    before, log = shop.digests(), shop.log()
    done = shop.run(*REFUSED[what], code=1)
    assert_explained(done)
    assert done.stdout == ""
    assert (shop.digests(), shop.log()) == (before, log)


def test_a_source_nobody_knows_is_wrong_usage_and_the_known_ones_are_named(shop):
    done = shop.run("import", "pbx9", code=2)
    assert_explained(done)
    assert "asterisk, asterisk-db, calls, freeswitch, customers, refills" in done.errors[0]


@pytest.mark.parametrize(
    "words",
    [["balances"], ["check"], ["close"], ["customer", "list"], ["import", "calls"], ["invoice"]],
    ids=" ".join,
)
def test_outside_a_book_every_command_says_how_to_start_one(tmp_path, words):
    done = a2ledger("-C", tmp_path / "nowhere", *words)
    assert done.code == 1
    assert_explained(done, str(tmp_path / "nowhere/a2ledger.toml"))
    assert "a2ledger init" in done.errors[0]
    assert list(tmp_path.iterdir()) == []


def test_a_book_is_not_started_twice(shop):
    before = shop.digests()
    done = a2ledger("init", shop.root)
    assert done.code == 1
    assert_explained(done, str(shop.root / "a2ledger.toml"))
    assert shop.digests() == before


@pytest.mark.parametrize(
    "words",
    [["--currency", "euro"], ["--timezone", "Europe/Atlantis"], ["--company", "A\nB"]],
    ids=str,
)
def test_a_book_is_not_started_with_what_it_could_not_keep(tmp_path, words):
    done = a2ledger("init", tmp_path / "new", *words)
    if done.code:
        assert_explained(done)
        assert not (tmp_path / "new").exists()
    else:
        assert a2ledger("-C", tmp_path / "new", "check").code == 0


def test_the_program_itself_never_shows_a_traceback(shop):
    (shop.root / TOML).write_bytes(BINARY)
    done = a2ledger_process("-C", shop.root, "close")
    assert done.code == 1
    assert_explained(done, TOML)


def test_a_reader_that_stops_listening_is_no_error(shop):
    program = f"{sys.executable} -m a2ledger -C {shop.root} balances --json"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {program} | true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


# What is said where


def test_data_goes_to_stdout_and_talk_to_stderr(shop):
    done = shop.moves("payments", "C1", "2026-02-05", "1.00")
    assert done.stdout == ""
    assert "1 posted" in done.stderr
    done = shop.run("balances")
    assert "C1" in done.stdout
    assert done.stderr == ""
    done = shop.run("preview", "C1")
    assert "PREVIEW" in done.stdout.upper()
    assert done.stderr == ""
    done = shop.run("customer", "set", "C1", "name=Ada")
    assert done.stdout == ""
    assert done.stderr
    done = shop.run("close", today="2026-03-01")
    assert "INV-2026-000003" in done.stdout
    assert "period(s) closed" in done.stderr


def test_quiet_leaves_one_line_for_cron(shop):
    shop.edit(TOML, "terms_days = 14", "terms_days = 15")
    rows = [call(f"s{i}", "C9", "2026-02-04", 60) for i in range(3)]
    path = shop.file("s.csv", csv_text(row | {"extra": "noted"} for row in rows))
    done = shop.run("--quiet", "import", "calls", path, code=3)
    assert len((done.stdout + done.stderr).splitlines()) == 1
    assert "3 rows read" in done.stderr
    done = shop.run("--quiet", "close", today="2026-03-01")
    assert done.stdout == ""
    left_off, closed = done.stderr.splitlines()
    assert left_off.startswith("a2ledger: 3 calls of these periods in quarantine")
    assert closed == "2 period(s) closed"
    done = shop.run("--quiet", "close", today="2026-04-01")
    assert (done.stdout, done.stderr) == ("", "2 period(s) closed\n")


def test_quiet_keeps_what_a_sheet_makes_one_hesitate_over(shop):
    sheet = shop.file("sheet.csv", "Prefix,Destination,Rate,Status\n32,Belgium,0.1,wibble\n")
    said = shop.run("-q", "tariff", "import", sheet, "--deck", "new", code=1).stderr
    assert "look: 1 row(s) of the status 'wibble', taken as prices" in said


def test_check_says_nothing_if_all_is_well(shop):
    done = shop.run("check", "C1", "C2")
    assert (done.stdout, done.stderr) == ("", "")


# Dry runs and second runs

WRITING = {
    "import calls": ["import", "calls", "{calls}"],
    "import refills": ["import", "refills", "{refills}"],
    "import customers": ["import", "customers", "{customers}"],
    "customer add": ["customer", "add", "C3"],
    "customer set": ["customer", "set", "C1", "name=Ada"],
    "close": ["close"],
    "invoice": ["invoice", "--all"],
}


def inputs(book: Book) -> dict[str, Path]:
    row = {"id": "r1", "customer": "C1", "date": "2026-02-04", "amount": "5.00"}
    person = {"id": "C4", "name": "Bob", "credit_limit": "5", "tariff": "standard"}
    return {
        "{calls}": book.file("calls.csv", csv_text([call("d1", "C1", "2026-02-04", 60)])),
        "{refills}": book.file("refills.csv", csv_text([row])),
        "{customers}": book.file("customers.csv", csv_text([person])),
    }


@pytest.mark.parametrize("what", WRITING)
def test_a_dry_run_writes_nothing(shop, what):
    words = [inputs(shop).get(word, word) for word in WRITING[what]]
    before, log = shop.digests(), shop.log()
    shop.run(*words, "--dry-run", today="2026-03-05")
    assert (shop.digests(), shop.log()) == (before, log)
    assert "imports.csv" not in shop.git("status", "--porcelain")


EDIT = """
2026-02-03 * "Refill" "By hand" ^refill-hand
  Assets:Receivable:C1:Billed  -1.00 EUR
  Assets:Cash                   1.00 EUR
"""


@pytest.mark.parametrize("what", WRITING)
def test_a_dry_run_counts_with_what_was_edited_by_hand_and_does_not_commit_it(shop, what):
    words = [inputs(shop).get(word, word) for word in WRITING[what]]
    shop.edit(OPEN, f"\n{MARKER}", f"{EDIT}\n{MARKER}")
    shop.edit("a2ledger.toml", "terms_days = 14", "terms_days = 30")
    before, log = shop.digests(), shop.log()
    done = shop.run(*words, "--dry-run", today="2026-03-05")
    assert (shop.digests(), shop.log()) == (before, log)
    if what != "invoice":  # which writes nothing that git holds
        assert "would be committed: 2 file(s) edited by hand" in done.stderr
        shop.run(*words, today="2026-03-05")
        assert shop.log()[1:] == ["manual edit", *log]
        shop.run("check")


@pytest.mark.parametrize("what", WRITING)
def test_a_second_run_changes_no_byte(shop, what):
    words = [inputs(shop).get(word, word) for word in WRITING[what]]
    shop.run(*words, today="2026-03-05")
    after, log = shop.digests(), shop.log()
    done = a2ledger("-C", shop.root, "--today", "2026-03-05", *words)
    assert done.code in {0, 1}
    assert shop.digests() == after
    lines = shop.log()
    if "import" in words:  # the run's own line, and nothing else
        assert lines[1:] == log
        assert shop.git("show", "--format=", "--name-only", "HEAD").split() == ["imports.csv"]
    else:
        assert lines == log


# Text and HTML


@pytest.mark.parametrize("words", [["preview", "C1"], ["statement", "C1"]], ids=str)
def test_what_a_customer_may_see_is_there_as_text_and_as_html(shop, words):
    assert "11.00" in shop.run(*words).stdout
    page = shop.run(*words, "--html").stdout
    assert page.startswith("<!")
    assert "11.00" in page
    assert not re.search(r"(src|href|url\()\W{0,3}https?:", page)


def test_invoices_are_rendered_in_every_format_and_the_paths_printed(shop):
    done = shop.run("invoice", "--all", "--format", "html,text,json")
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert len(paths) == 6
    assert {path.suffix for path in paths} == {".html", ".txt", ".json"}
    assert all(path.is_file() for path in paths)
    done = shop.run("invoice", "INV-2026-000001", "--format", "text", "-o", "-")
    assert "INV-2026-000001" in done.stdout
    done = shop.run("invoice", "--period", "2026-01", "-o", shop.files / "out")
    assert sorted(path.name for path in (shop.files / "out").iterdir()) == [
        "INV-2026-000001.html",
        "INV-2026-000002.html",
    ]
    assert shop.run("invoice", "--period", "2025-12", "--json").json == []


def test_a_template_that_is_wrong_and_a_document_that_is_none_are_a_line_each(shop):
    (shop.root / "templates").mkdir(exist_ok=True)
    shop.file("../shop/templates/document.txt.j2", "{{ number }}\n{{ nonsense }}\n")
    done = shop.run("invoice", "--all", "--format", "text", code=1)
    assert_explained(done, f"{shop.root}/templates/document.txt.j2:2")
    assert "'nonsense' is undefined" in done.stderr
    done = shop.run("preview", "C1", code=1)
    assert_explained(done, f"{shop.root}/templates/document.txt.j2:2")
    (shop.root / "templates/document.txt.j2").unlink()
    path = "invoices/2026/INV-2026-000001.json"
    shop.edit(path, '"gross": "', '"gross": "1.')
    assert_explained(shop.run("invoice", "--all", "--format", "text", code=1), "INV-2026-000001")
    shop.edit(path, '"issue_date"', '"issued"')
    assert_explained(shop.run("invoice", "--all", code=1), path)


# Pricing without a book


def test_rate_prices_calls_without_a_book(tmp_path):
    calls, deck = tmp_path / "calls.csv", tmp_path / "deck.csv"
    calls.write_text(
        "id,called,start,seconds\n"
        "a,3225550101,2026-01-05 10:00:00,61\n"
        "b,32470123456,2026-01-05 10:00:00,61\n"
        "c,999,2026-01-05 10:00:00,61\n"
    )
    deck.write_text(
        "dialprefix,destination,rateinitial,initblock,billingblock\n"
        "32,Belgium,0.60,1,1\n3247,Belgium Mobile,1.00,60,60\n"
    )
    done = a2ledger("rate", calls, "--tariff", deck)
    assert done.code == 0
    head, one, two, three = done.stdout.splitlines()
    assert head == "id,prefix,destination,billed_seconds,cost,buy_cost,reason"
    assert one.startswith("a,32,Belgium,61,0.61")
    assert two.startswith("b,3247,Belgium Mobile,120,2.00")
    assert three.startswith("c,,")
    assert not three.endswith(",")


def test_rate_names_the_line_of_what_it_cannot_price(tmp_path):
    calls, deck = tmp_path / "calls.csv", tmp_path / "deck.csv"
    deck.write_text("dialprefix,rateinitial\n32,0.60\n")
    calls.write_text("id,called,start,seconds\na,32255,2026-01-05 10:00:00,soon\n")
    done = a2ledger("rate", calls, "--tariff", deck)
    assert done.code == 65
    assert_explained(done, f"{calls}:2")
    deck.write_text("dialprefix,rateinitial\n32,0.60\n32,dear\n")
    done = a2ledger("rate", calls, "--tariff", deck)
    assert done.code == 65
    assert_explained(done, f"{deck}:3")
    deck.write_bytes(BINARY)
    assert a2ledger("rate", calls, "--tariff", deck).code == 65


# What others wrote


@pytest.mark.parametrize("path", ["journals/main.beancount", OWN, OPEN, FROZEN])
def test_no_command_runs_a_program_that_a_journal_names(shop, tmp_path, monkeypatch, path):
    ran = tmp_path / "ran"
    monkeypatch.delitem(sys.modules, "evil_plugin", raising=False)
    (tmp_path / "evil_plugin.py").write_text(f"open({str(ran)!r}, 'w')\n__plugins__ = []\n")
    monkeypatch.syspath_prepend(tmp_path)
    (shop.root / path).write_text('plugin "evil_plugin"\n' + shop.text(path))
    rows = shop.file("payments.csv", csv_text([MONEY]))
    for words in [*READING.values(), ["check", "C1"], ["close"], ["import", "payments", str(rows)]]:
        done = a2ledger("-C", shop.root, "--today", "2026-03-20", *words)
        assert not ran.exists(), words
        if done.code:
            assert done.errors or words[0] == "check"


def test_a_start_that_was_interrupted_can_be_made_again(tmp_path):
    whole = a2ledger("--today", "2026-01-01", "init", tmp_path / "whole")
    toml = (tmp_path / "whole/a2ledger.toml").read_text()
    (tmp_path / "half").mkdir()
    (tmp_path / "half/a2ledger.toml").write_text(toml)

    again = a2ledger("--today", "2026-01-01", "init", tmp_path / "half")

    assert (whole.code, again.code) == (0, 0)
    assert (tmp_path / "half/journals/main.beancount").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("preview", "C1", "--today", "2026-01-01"), "a2ledger --today … preview"),
        (("customer", "set", "C1", "-C", "book"), "a2ledger -C … customer set"),
    ],
)
def test_an_option_of_all_commands_that_stands_after_one_is_shown_its_place(book, words, said):
    assert said in book.run(*words, code=2).stderr
    assert "No such option '--nonsense'" in book.run("preview", "--nonsense", code=2).stderr
