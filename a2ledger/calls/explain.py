"""Record what becomes of every row of an import, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from a2ledger import money
from a2ledger.calls.normalise import Normalised
from a2ledger.sources.batch import Batch, Refused

POSTED = ("posted", "free", "late", "duplicate")
"""Fates of rows that are calls; the others are ``not_billable`` and ``quarantined``."""


class Row(NamedTuple):
    """What became of a row.

    ``reason`` names why it was left out or refused, else it is empty. ``rule`` is the number of
    the rule that took it, from 1, or None. ``customer`` is an id or empty, ``called`` the number
    as it is priced, ``seconds`` None where there are none to read. ``cost_micro`` is None but
    for a call that was priced. ``message`` is for a person. ``direction`` is one of
    :data:`a2ledger.sources.batch.DIRECTIONS`, empty where it was not asked.
    """

    file: str
    line: int
    fate: str
    reason: str = ""
    rule: int | None = None
    customer: str = ""
    called: str = ""
    seconds: int | None = None
    cost_micro: int | None = None
    message: str = ""
    direction: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the row for ``--json``."""
        values = self._asdict()
        micro = values.pop("cost_micro")
        return values | {"cost": None if micro is None else money.text(micro, 2)}

    def __str__(self) -> str:
        fate = self.fate.replace("_", " ") + (f" ({self.reason})" if self.reason else "")
        parts = [
            f"rule {self.rule}" if self.rule else "",
            self.customer,
            "" if self.direction == "outgoing" else self.direction,
            self.called,
            "" if self.seconds is None else f"{self.seconds} s",
            "" if self.cost_micro is None else money.text(self.cost_micro, 2),
            self.message,
        ]
        return f"{self.file}:{self.line}: {'; '.join([fate, *filter(None, parts)])}"


class Explanation:
    """Records rows as an import reads them and decides about them."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], Row] = {}

    def read(self, batch: Batch, normal: Normalised, customers: pa.StringArray) -> None:
        """Record the rows of a batch, with those already left out."""
        judged = normal.judged()
        files, lines = batch.origins(judged["line"].combine_chunks())
        names = customers.take(judged["customer"].combine_chunks())
        for file, line, name, row in zip(
            files.to_pylist(), lines.to_pylist(), names.to_pylist(), judged.to_pylist(), strict=True
        ):
            self._rows[file, line] = Row(
                file,
                line,
                "not_billable" if row["left_out"] else "",
                row["left_out"] or "",
                row["rule"],
                name or "",
                row["called"],
                row["seconds"],
                direction=row["direction"],
            )

    def take(self, calls: pa.Table, buckets: npt.NDArray[np.object_]) -> None:
        """Record what was decided about calls, given in the columns of the call detail."""
        columns = (calls[name].to_pylist() for name in ("file", "line", "cost_micro"))
        for file, line, micro, bucket in zip(*columns, buckets.tolist(), strict=True):
            row = self._rows[file, line]
            if bucket in POSTED:
                row = row._replace(fate=bucket, cost_micro=micro)
            else:
                row = row._replace(fate="not_billable", reason=bucket)
            self._rows[file, line] = row

    def rows(self, refused: Iterable[Refused]) -> Iterator[Row]:
        """Yield all rows in order of file and line, with those the import refused."""
        for refusal in refused:
            key = (refusal.file, refusal.line)
            row = self._rows.get(key, Row(*key, ""))
            self._rows[key] = row._replace(
                fate="quarantined", reason=refusal.reason, message=refusal.message
            )
        order = {file: place for place, file in enumerate(dict.fromkeys(f for f, _ in self._rows))}
        yield from sorted(self._rows.values(), key=lambda row: (order[row.file], row.line))
