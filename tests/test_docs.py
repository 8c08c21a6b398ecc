"""The documentation holds: its sessions are run, its examples are read, its links are followed.

Where a session's output has changed on purpose, run the tests once with A2LEDGER_UPDATE_DOCS=1:
they write the new output into the pages, and the difference is there to be read.
"""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from beancount import loader
from checkout import ROOT
from click.testing import CliRunner
from examples import sampled

from a2ledger import records, sources, vat
from a2ledger.book import config, config_parse, source_config, toml_table
from a2ledger.cli import main
from a2ledger.rating import columns, price
from a2ledger.sources import batch
from a2ledger.switch import web

README, COMMANDS = ROOT / "README.md", ROOT / "docs/commands.md"
PAGES = [
    README,
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
UPDATE = bool(os.environ.get("A2LEDGER_UPDATE_DOCS"))

FENCE = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
DEMO = "a2ledger demo demo-book"


class Fence(NamedTuple):
    """A block of code in a page: its mark, its language, its text and where it begins."""

    mark: str
    language: str
    body: str
    start: int


def fences(page: Path) -> list[Fence]:
    return [
        Fence(match["mark"] or "", match["language"], match["body"], match.start("body"))
        for match in FENCE.finditer(page.read_text(encoding="utf-8"))
    ]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if any(f.language == language for f in fences(page))]


def commands(group: click.Group, path: tuple[str, ...] = ()) -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for word, command in group.commands.items():
        here = (*path, word)
        found[" ".join(here)] = command
        if isinstance(command, click.Group):
            found |= commands(command, here)
    return found


# Sessions


def spoken(session: str) -> list[tuple[str, str]]:
    """Commands of a console session, as they are shown and as they are run."""
    found: list[tuple[str, str]] = []
    for line in session.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line, line[2:]))
        elif line.startswith("> ") and found:
            shown, run = found[-1]
            found[-1] = (shown + line, run + line[2:])
    return found


def perform(programs: Path, directory: Path, lines: list[str]) -> list[str]:
    """What each command prints, all in one shell; NUL bytes part the outputs."""
    script = "exec 2>&1\n" + "".join(
        f"{line}\nlast=$?; printf '\\0'; (exit $last)\n" for line in lines
    )
    environment = {
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(directory),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "80",
        "A2LEDGER_AUTHOR": "Olga Operator",
        "PYTHONPATH": str(directory / "installed"),
        **{key: os.environ[key] for key in os.environ if key.startswith("COVERAGE")},
    }
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    outputs = done.stdout.split("\0")
    assert len(outputs) == len(lines) + 1, done.stdout + done.stderr
    return outputs[:-1]


@pytest.fixture(scope="session")
def demo_book(programs, tmp_path_factory):
    directory = tmp_path_factory.mktemp("demo")
    (output,) = perform(programs, directory, [DEMO])
    assert "closed months" in output
    return directory / "demo-book"


def install(directory: Path, path: Path) -> None:
    """Have a package with entry points found as if it were installed."""
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    info = directory / "installed" / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    points = configparser.ConfigParser()
    points.read_dict(project["entry-points"])
    with (info / "entry_points.txt").open("w", encoding="utf-8") as file:
        points.write(file)


def placing(directory: Path, fence: Fence) -> str:
    """A command that writes a block into the file its mark names."""
    how, _, target = fence.mark.partition(": ")
    staged = directory / "staged" / str(fence.start) / target
    staged.parent.mkdir(parents=True)
    staged.write_text(fence.body, encoding="utf-8")
    if target.endswith("pyproject.toml"):
        install(directory, staged)
    elif target.endswith(".py"):
        shutil.copy(staged, directory / "installed")
    sign = ">>" if how == "append" else ">"
    return f'mkdir -p "$(dirname {target})"; cat {staged} {sign} {target}'


def performed(programs: Path, page: Path, directory: Path) -> str:
    """The page with the outputs its sessions have now.

    One shell runs the sessions of a page from its first to its last; a block marked
    ``file: PATH`` or ``append: PATH`` is written between them, where it stands.
    """
    text = page.read_text(encoding="utf-8")
    (directory / "installed").mkdir()
    found = [
        fence
        for fence in fences(page)
        if fence.language == "console" or fence.mark.startswith(("file: ", "append: "))
    ]
    lines: list[str] = []
    for fence in found:
        if fence.language == "console":
            assert fence.body.startswith("$ "), "a session begins with a command"
            lines += [run for _, run in spoken(fence.body)]
        else:
            lines.append(placing(directory, fence))
    outputs = iter(perform(programs, directory, lines))
    pieces, end = [], 0
    for fence in found:
        if fence.language != "console":
            assert next(outputs) == ""
            continue
        body = "".join(shown + next(outputs) for shown, _ in spoken(fence.body))
        body += "" if body.endswith("\n") else "\n"
        pieces += [text[end : fence.start], body]
        end = fence.start + len(fence.body)
    return "".join([*pieces, text[end:]])


LONGEST = {
    *("docs/corrections.md", "docs/explain.md", "docs/first-month.md", "docs/recipes/backup.md"),
    *("docs/recipes/month-end.md", "docs/sources.md", "docs/vat.md", "docs/verify.md"),
}
"""Pages whose sessions take as long as those of all others; their commands are in those, too."""
SESSIONS = pages_with("console")


@pytest.mark.long
@pytest.mark.parametrize(
    "page", sampled(SESSIONS, [page for page in SESSIONS if name(page) not in LONGEST]), ids=name
)
def test_sessions_print_what_the_pages_show(page, programs, demo_book, tmp_path):
    if not any(f"$ {DEMO}\n" in fence.body for fence in fences(page)):
        shutil.copytree(demo_book, tmp_path / "demo-book")
    text = performed(programs, page, tmp_path)
    assert str(tmp_path) not in text
    assert "Traceback" not in text
    if UPDATE:
        page.write_text(text, encoding="utf-8")
    assert text.splitlines() == page.read_text(encoding="utf-8").splitlines()


# Examples

LEAST = {
    "currency": 'currency = "EUR"\n',
    "timezone": 'timezone = "UTC"\n',
}
LEAST_TABLES = {
    "company": '[company]\nname = "Example Telecom"\n',
    "services": '[services.Calls]\nvat = "O"\n',
}


def completed(example: str) -> str:
    """An example of a2ledger.toml with the keys it leaves to the reader."""
    given = tomllib.loads(example)
    head = "".join(line for key, line in LEAST.items() if key not in given)
    tail = "".join(f"\n{table}" for key, table in LEAST_TABLES.items() if key not in given)
    return head + example + tail


def toml_examples() -> list[tuple[str, str]]:
    return [
        (f"{name(page)}-{number}", fence.body)
        for page in PAGES
        for number, fence in enumerate(fences(page), start=1)
        if fence.language == "toml" and "[project" not in fence.body
    ]


@pytest.mark.parametrize("example", [pytest.param(b, id=i) for i, b in toml_examples()])
def test_configuration_examples_are_valid(example):
    assert config_parse.parse(completed(example)).company.name


def test_journal_snippets_make_a_ledger():
    text = "".join(f.body for f in fences(ROOT / "docs/book.md") if f.language == "beancount")
    used = set(re.findall(r"^ +([A-Z]\w*(?::[\w-]+)+) ", text, re.MULTILINE))
    opened = set(re.findall(r" open (\S+)", text))
    chart = "".join(f"1970-01-01 open {account}\n" for account in sorted(used - opened))
    assert not {account for account in used - opened if account.startswith("Assets:Receivable")}
    body = re.sub(r"^include .*\n", "", text, flags=re.MULTILINE)
    entries, errors, _ = loader.load_string(body + chart)
    assert not errors
    assert entries


def test_python_examples_compile():
    for page in PAGES:
        for fence in fences(page):
            if fence.language == "python":
                ast.parse(fence.body)


# Completeness


@pytest.mark.parametrize("command", commands(main))
def test_every_command_is_in_the_table_of_commands(command):
    assert re.search(rf"^\| `{command}[ `]", COMMANDS.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_table_of_commands_names_none_there_is_not():
    text = COMMANDS.read_text(encoding="utf-8").partition("\n| exit code")[0]
    rows = re.findall(r"^\| `([^`]*)`", text, re.MULTILINE)
    assert len(rows) > len(main.commands)
    for row in rows:
        assert row.split()[0] in main.commands, row
        assert any(row == known or row.startswith(f"{known} ") for known in commands(main)), row


@pytest.mark.parametrize("command", ["", *commands(main)])
def test_help_of_every_command_works(command):
    result = CliRunner().invoke(main, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage:")


def test_every_exit_code_is_documented():
    text = COMMANDS.read_text(encoding="utf-8")
    for code in (0, 1, 2, 3, 65, 73, 74, 75):
        assert re.search(rf"^\| {code} \|", text, re.MULTILINE), code


def test_every_configuration_key_is_documented(monkeypatch):
    asked: set[str] = set()
    finish = toml_table.Table.finish

    def note(table):
        asked.update(table.known)
        finish(table)

    monkeypatch.setattr(toml_table.Table, "finish", note)
    page = ROOT / "docs/configuration.md"
    for fence in fences(page):
        if fence.language == "toml":
            config_parse.parse(completed(fence.body))
    text = page.read_text(encoding="utf-8")
    assert {"format", "rules", "identify", "rate", "iban"} <= asked
    undocumented = {key for key in asked if f"`{key}`" not in text}
    assert not undocumented


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("docs/book.md", ["opened", *records.KEYS]),
        (
            "docs/configuration.md",
            [*vat.TREATMENTS, *source_config.IDENTIFIERS, *config.METHODS],
        ),
        ("docs/sources.md", [*batch.FIELDS, *sources.dialects()]),
        ("docs/tariffs.md", columns.COLUMNS),
    ],
)
def test_every_name_is_documented(page, words):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not [word for word in words if f"`{word}`" not in text]


def test_every_reason_a_row_is_left_out_or_refused_is_documented():
    text = (ROOT / "docs/sources.md").read_text(encoding="utf-8")
    code = "\n".join(path.read_text() for path in sorted((ROOT / "a2ledger").rglob("*.py")))
    named = set(re.findall(r'leave_out\(.*"([a-z-]+)"\)', code))
    named |= set(re.findall(r'(?:refuse|Damage|Refused|_conflict)\([^"\']*"([a-z][a-z-]+)",', code))
    named |= set(re.findall(r'"never": .*"([a-z-]+)", ""\)', code))
    named |= set(price.UNPRICED)
    named |= set(re.findall(r'_BadRowError\(\s*"([a-z][a-z-]+)"', code))
    assert {"hangup", "no-identifier", "unknown-customer", "quotes", "no-rate", "twice"} <= named
    assert not [reason for reason in named if f"`{reason}`" not in text]


# The two lines


@pytest.mark.parametrize("mark", ["line: demo", "line: tests"])
def test_the_two_lines_stand_alone_under_their_marks(mark):
    (fence,) = [fence for fence in fences(README) if fence.mark == mark]
    assert fence.language == "sh"
    assert fence.body.count("\n") == 1
    done = subprocess.run(["bash", "-n", "-c", fence.body], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("mark", ["demo", "tests"])
def test_continuous_integration_runs_exactly_these_lines(mark):
    (fence,) = [fence for fence in fences(README) if fence.mark == f"line: {mark}"]
    done = subprocess.run(
        [str(ROOT / ".ci/run"), "--print", mark], capture_output=True, text=True, check=True
    )
    assert done.stdout == fence.body


# Links and words


def anchors(page: Path) -> set[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), link
        assert path.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(path), link


PATHS = (
    "/dev/",
    "/etc/nginx/",
    "/var/log/asterisk/",
    "/etc/cron.d/",
    "/srv/",
    "/usr/bin/",
    "/var/lib/a2ledger/",
    "/bin/",
)
HOSTS = {
    "127.0.0.1:4574",
    "127.0.0.1:5000",
    "beancount.github.io",
    "distributed.dask.org",
    "fava.pythonanywhere.com",
    "github.com",
    "keepachangelog.com",
    "semver.org",
    "www.a2billing.org",
}


@pytest.mark.parametrize("page", [*PAGES, ROOT / ".ci/run"], ids=name)
def test_pages_name_no_machine_of_ours(page):
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"(?<![\w.<>*)}$/:~-])/[a-z][\w.-]*(?:/[\w.*-]*)*", text):
        assert path.startswith(PATHS) or path in web.ROUTES, path
    for host in re.findall(r"https?://([^/\s)\"']+)", text):
        assert host in HOSTS, host
    assert not re.search(r"\b(TODO|FIXME|XXX|TBD)\b", text)
    assert not re.search(r"^([<>]{7} |={7}$)", text, re.MULTILINE), "a merge was left undone"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_pages_end_in_one_newline_and_have_no_tabs(page):
    text = page.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\t" not in text


# The house


def test_the_architecture_names_every_wing():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    wings = {path.parent.name for path in (ROOT / "a2ledger").glob("*/__init__.py")}
    assert set(re.findall(r"^\| \[`(\w+)`\]", page, re.MULTILINE)) == wings


@pytest.mark.parametrize(
    "wing", sorted((ROOT / "a2ledger").glob("*/__init__.py")), ids=lambda path: path.parent.name
)
def test_a_wing_names_its_rooms(wing):
    rooms = {path.stem for path in wing.parent.glob("*.py")} - {"__init__"}
    rooms |= {path.parent.name for path in wing.parent.glob("*/__init__.py")}
    text = wing.read_text(encoding="utf-8").split('"""')[1]
    assert rooms <= set(re.findall(r"``(\w+)``", text))


def test_modules_bear_no_name_of_the_standard_library_and_no_gerund():
    trade = {
        "a2billing",
        "ageing",
        "billing",
        "mailing",
        "mapping",
        "posting",
        "rating",
    }  # nouns of the trade, though they end in -ing
    names = {path.stem for path in (ROOT / "a2ledger").rglob("*.py")} - {"__init__", "__main__"}
    names |= {path.parent.name for path in (ROOT / "a2ledger").rglob("__init__.py")}
    assert not names & sys.stdlib_module_names
    assert {name for name in names if name.endswith("ing")} <= trade
