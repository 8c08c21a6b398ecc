"""Read FreeSWITCH's call records: ``mod_cdr_csv``, ``mod_json_cdr`` and ``mod_xml_cdr``.

What a file is shows at its beginning, not in its name. A leg of a call is a row. FreeSWITCH
calls the leg that came in *a*, and those it made for it *b*; only an a-leg that was connected
with another leg is a call by default, which is told by its application, here always one of

=============  ===============================================================================
application    the leg …
=============  ===============================================================================
bridge         was connected with another one
``none``       was not, and the record does not say what it was connected with instead
any other      was not; it is the last application it was given to, such as ``voicemail``
=============  ===============================================================================

``lastdata`` is of a leg that was transferred the way it went, see ``legs``; ``linkedid`` is the
leg that a leg was made for, or itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from a2ledger.sources import asterisk
from a2ledger.sources.batch import START
from a2ledger.sources.freeswitch import documents as freeswitch_documents
from a2ledger.sources.freeswitch import legs, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from a2ledger.book.source_config import Source
    from a2ledger.sources.batch import Batch, Place

RULES = tuple(
    replace(rule, applications=("bridge",)) if rule.applications else rule
    for rule in asterisk.RULES
)
"""Asterisk's rules, with ``bridge`` in place of ``Dial``: own short extensions are free."""


def files(directory: Path) -> list[Path]:
    """Return the call records of a directory: rows, oldest first, then documents.

    Of ``cdr-csv/`` they are ``Master.csv`` and what was rotated from it, as Asterisk has it too.
    """
    documents = [
        path
        for path in directory.iterdir()
        if freeswitch_documents.NAME.fullmatch(path.name) and path.is_file()
    ]
    return [*asterisk.files(directory), *sorted(documents)]


def read(path: Path, source: Source) -> Iterator[Batch]:
    """Read a file of call records; see :data:`a2ledger.sources.Dialect`."""
    yield from resume(path, source, START)


def resume(path: Path, source: Source, place: Place) -> Iterator[Batch]:
    """Read a file from where an earlier reading ended."""
    head = freeswitch_documents.head(path)
    if legs.is_document(head) or freeswitch_documents.NAME.fullmatch(path.name):
        yield from freeswitch_documents.read(path, head, source, place)
    else:
        yield from table.read(path, source, place)
