"""The clerk: a form becomes a command in a process of its own, and what that says is kept."""

from __future__ import annotations

import pytest

from a2ledger.staff.clerk import Clerk
from a2ledger.staff.forms import BadFormError

FORM = {"action": "close", "through": "2026-01-31"}


@pytest.fixture
def clerk(tmp_path):
    """Make a clerk whose command line is a script of the shell."""

    def clerk(script):
        program = tmp_path / "program"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)
        return Clerk(tmp_path, ("--quiet",), (str(program),))

    return clerk


def done(clerk, form=FORM, user="anna"):
    job = clerk.start(form, user)
    clerk.finish()
    return job


def test_the_command_is_run_for_the_user_and_its_result_is_read(clerk, tmp_path):
    own = clerk("""printf '{"by": "%s", "words": "%s"}' "$A2LEDGER_AUTHOR" "$*" """)
    seen = []
    own.published = lambda: seen.append(1)
    job = done(own)
    shown = job.as_json()
    assert (shown["code"], shown["done"], shown["printed"]) == (0, True, "")
    assert shown["result"]["by"] == "anna"
    words = shown["result"]["words"].split()
    assert words[:2] == ["-C", str(tmp_path.resolve())]
    assert {"--lock-timeout", "--quiet", "close", "--through=2026-01-31"} <= set(words)
    assert seen == [1]


def test_what_it_says_on_its_terminal_is_kept_as_it_stands_there_in_the_end(clerk):
    own = clerk(
        r"""printf 'note: a\n\033[1mbold\033[0m\n 10 %%\r 90 %%\rdone\n' >&2; echo plain; exit 3"""
    )
    job = done(own)
    assert job.said == ["note: a", "bold", "done"]
    assert (job.code, job.now) == (3, "")
    assert job.as_json()["printed"] == "plain\n"
    assert job.as_json()["undo"] is None


def test_a_job_is_shown_to_who_asked_for_it_alone(clerk):
    own = clerk("true")
    job = done(own)
    assert own.job(job.id, "anna") is job
    assert own.job(job.id, "bert") is own.job("x", "anna") is None


def test_a_program_that_is_not_there_is_said_and_the_job_ends(tmp_path):
    job = done(Clerk(tmp_path, (), (str(tmp_path / "gone"),)))
    assert job.code == 70
    assert "nothing was done" in job.said[0]


def test_of_many_jobs_the_last_are_remembered(clerk):
    own = clerk("true")
    first = done(own)
    for _ in range(55):
        last = done(own)
    assert own.job(first.id, "anna") is None
    assert own.job(last.id, "anna") is last


def test_a_form_that_is_none_starts_nothing(clerk):
    with pytest.raises(BadFormError):
        clerk("true").start({"action": "sing"}, "anna")
