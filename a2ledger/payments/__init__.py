"""Payments: money received, and exchange rates of foreign currencies.

``posting`` turns a row into an entry, ``imports`` reads and posts files, ``columns`` are their CSV;
``import_exchange_rates`` and ``exchange_rate_columns`` do the same for exchange rates.
"""

from __future__ import annotations
