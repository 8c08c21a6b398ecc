"""Payments: money that comes in, and what foreign currencies are worth.

``posting`` turns a row into an entry, ``imports`` posts files whose ``columns`` these are,
``record`` one payment of a person's. ``recognise`` finds whose a payment is, ``pairs`` puts
payments and refills together, ``remainder`` is what is left of a payment. ``import_exchange_rates``
and ``exchange_rate_columns`` do the same for exchange rates.
"""

from __future__ import annotations
