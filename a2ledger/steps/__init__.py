"""What each command does: one module a command, between the command line and the book."""

from __future__ import annotations
