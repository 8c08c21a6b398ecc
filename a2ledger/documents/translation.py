"""The VAT of a document by code, in the other currency that the document prints it in.

Amounts are in micro-units.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from a2ledger import money
from a2ledger.journal.exchange_rates import at_price


def by_code(
    printed: Mapping[str, str] | None, taxes: Mapping[str, int], sign: int
) -> dict[str, int]:
    """Return VAT by code in the other currency that a document prints it in, empty if none.

    Each code is rounded at the price printed; what the sum printed differs by is in the largest.

    Args:
        printed: its ``vat_translated``.
        taxes: by code, in its own currency.
        sign: of the sum printed: a credit note's amounts are positive.
    """
    if not printed or not any(taxes.values()):
        return {}
    price, places = Decimal(printed["price"]), money.decimals(printed["currency"])
    translated = {code: at_price(micro, price, places) for code, micro in taxes.items()}
    rest = sign * money.parse(printed["vat_total"]) - sum(translated.values())
    largest = max(taxes, key=lambda code: abs(taxes[code]))
    translated[largest] += rest
    return translated
