"""The commands, a module for each group of them: parse options, call a step, print, exit."""

from __future__ import annotations
