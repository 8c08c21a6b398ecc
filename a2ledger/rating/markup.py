"""Mark up a carrier's price: percent, plus an amount per minute, rounded, with a floor."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from a2ledger import money

_PARTS = 10**8


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """The rule from buying price to selling price, in hundred-millionths of a unit."""

    percent: Decimal = Decimal(0)
    minute: int = 0
    decimals: int = 6
    floor: int = 0

    def price(self, buying: int) -> int:
        """Return the selling price of a minute.

        >>> Markup(percent=Decimal(20), decimals=4).price(1_234_000)
        1480000
        """
        return max(self._rounded(self._times(buying) + self.minute), self.floor)

    def fee(self, buying: int) -> int:
        """Return the selling price of a fee charged once per call."""
        return self._rounded(self._times(buying))

    def _times(self, buying: int) -> Decimal:
        return buying * (100 + self.percent) / 100

    def _rounded(self, amount: Decimal) -> int:
        numerator, denominator = amount.as_integer_ratio()
        unit = _PARTS // 10**self.decimals
        rounded: int = money.divide(numerator, denominator * unit) * unit
        return rounded
