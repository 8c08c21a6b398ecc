"""A program that dies in the middle: at a call of its own choosing, and nothing is tidied up."""

from __future__ import annotations

import os
import subprocess


class Killed(BaseException):
    """Not an error a program can handle."""


def deadly(monkeypatch, at):
    """Have the program die at the call of this number of all that touch the disk or run git."""
    count = 0

    def dying(function):
        def call(*words, **options):
            nonlocal count
            count += 1
            if count == at:
                raise Killed
            return function(*words, **options)

        return call

    for name in ("open", "write", "fsync", "replace", "unlink", "mkdir"):
        monkeypatch.setattr(os, name, dying(getattr(os, name)))
    monkeypatch.setattr(subprocess, "run", dying(subprocess.run))
    return lambda: count
