"""The book: a directory of text files, which commands read, draft and publish.

``book`` reads and drafts, ``config`` and ``source_config`` say what ``a2ledger.toml`` holds,
``transaction`` publishes all or nothing over ``disk`` and ``git``, ``start`` makes a new book.
"""

from __future__ import annotations
