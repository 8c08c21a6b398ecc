"""The book: a directory of text files that a program reads, drafts and publishes.

``book`` reads and drafts. ``config`` holds what ``a2ledger.toml`` says, with ``bills``,
``authorize``, ``source_config`` and ``presets``; ``config_parse`` reads it through ``toml_table``,
and ``toml_edit`` writes it back. ``paths`` is the table of a book's files. ``transaction``
publishes all or nothing over ``disk`` and ``git``, ``published`` knows what it left, ``git_state``
whether git can be worked with, ``trust`` whose books may be opened. ``start`` makes a new book,
``damage`` finds lines that no program can read, ``kept`` are values of a large book's files.
"""

from __future__ import annotations
