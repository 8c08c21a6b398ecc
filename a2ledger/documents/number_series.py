"""Numbers of documents: gapless in each series, because the documents there are say the last."""

from __future__ import annotations

import re
from collections.abc import Iterable

from a2ledger.book.book import Draft


class Numbers:
    """Gapless numbers of invoices and credit notes, taken under the writer's lock.

    A number is taken for good when its document is published, which is all or nothing: a run
    that is killed leaves no gap.
    """

    def __init__(self, draft: Draft) -> None:
        config = draft.config
        self.year = draft.today.year
        self.series = {"invoice": config.invoice_series, "credit-note": config.credit_note_series}
        names = [path.rsplit("/", 1)[-1] for path in draft.files("invoices", "*/*.json")]
        self.last = {kind: self._last(series, names) for kind, series in self.series.items()}

    def _last(self, series: str, names: Iterable[str]) -> int:
        """The highest number taken; of this year where the series begins anew each year."""
        text = re.escape(series).replace(re.escape("{year}"), str(self.year))
        pattern = re.compile(re.sub(r"\\\{number(?:[^}]*)\\\}", r"(\\d+)", text) + r"\.json")
        return max(
            (int(match[1]) for name in names if (match := pattern.fullmatch(name))), default=0
        )

    def following(self, kind: str) -> str:
        """The number that :meth:`take` will give next."""
        return self.series[kind].format(year=self.year, number=self.last[kind] + 1)

    def take(self, kind: str) -> str:
        """The next number of a series: ``invoice`` or ``credit-note``."""
        number = self.following(kind)
        self.last[kind] += 1
        return number
