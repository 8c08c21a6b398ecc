"""Migrate from A2Billing, and run beside it.

``tables`` and ``access`` read its database or exports, ``cards``, ``ratecards``, ``subscriptions``
and ``money_log`` translate it, ``calls`` is its dialect, ``migrate`` moves a whole installation,
``reconcile`` and ``causes`` compare balances.
"""

from __future__ import annotations
