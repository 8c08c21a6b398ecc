from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

from harness import cdr

from a2ledger.progress import Bar


class Terminal:
    """What was drawn, and a clock that is set by hand."""

    def __init__(self):
        self.now, self.text = 100.0, ""

    def show(self, text):
        self.text += text

    def bar(self, total=1000):
        return Bar("reading pbx1", total, self.show, lambda: self.now)


def test_nothing_is_shown_of_what_takes_less_than_two_seconds():
    terminal = Terminal()
    bar = terminal.bar()

    terminal.now += 1.9
    bar.add(990)
    bar.clear()

    assert terminal.text == ""


def test_a_quarter_done_after_four_seconds_has_twelve_left():
    terminal = Terminal()
    bar = terminal.bar()

    terminal.now += 4
    bar.add(250, "12,500 rows, 3,125 rows/s")

    assert terminal.text == (
        "\r\x1b[Kreading pbx1  [######------------------]  25%  0:12 left  "
        "12,500 rows, 3,125 rows/s"
    )


def test_it_is_drawn_at_most_five_times_a_second_and_cleared_once():
    terminal = Terminal()
    bar = terminal.bar()
    terminal.now += 3
    for _ in range(100):
        terminal.now += 0.01
        bar.add(1)
    bar.clear()
    bar.clear()

    assert terminal.text.count("reading pbx1") in {4, 5}
    assert terminal.text.endswith("\r\x1b[K")
    assert terminal.text.count("\r\x1b[K") == terminal.text.count("reading") + 1


def test_of_what_has_no_known_end_no_share_is_shown():
    terminal = Terminal()
    bar = terminal.bar(0)
    terminal.now += 65
    bar.add(7)

    assert terminal.text == "\r\x1b[Kreading pbx1  1:05"


def on_a_terminal(*words, patience=0):
    """What the program writes to stderr where that is a terminal."""
    leader, follower = pty.openpty()
    code = (
        f"import sys; from a2ledger import cli, progress; progress.PATIENCE = {patience}; "
        "progress._EVERY = 0; cli.main(sys.argv[1:])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)], stderr=follower, stdout=subprocess.DEVNULL
    ) as process:
        os.close(follower)
        said = b""
        try:
            while piece := os.read(leader, 65536):
                said += piece
        except OSError:
            pass  # the other end is closed
        assert process.wait(60) == 0
    os.close(leader)
    return said.decode()


def test_an_import_shows_a_bar_on_a_terminal_only_and_not_when_quiet(book):
    book.customers({"id": "C1"})
    rows = "\n".join(cdr(uniqueid=f"1767607200.{n}") for n in range(3))
    path = book.file("Master.csv", rows + "\n")
    command = ("-C", book.root, "--today", "2026-01-06")

    loud = on_a_terminal(*command, "import", "asterisk", path)
    quiet = on_a_terminal(*command, "--quiet", "import", "asterisk", path)
    soon_done = on_a_terminal(*command, "import", "asterisk", path, patience=60)
    piped = book.run("import", "asterisk", path, today="2026-01-06")

    assert re.search(r"reading asterisk  \[#{24}\] 100%  3 rows, [\d,]+ rows/s", loud)
    assert "posting asterisk" in loud
    assert loud.endswith("\r\x1b[Kasterisk: 3 rows read, 3 posted; 3.00\r\n")
    for text in (quiet, soon_done, piped.stderr):
        assert "\x1b" not in text
