"""Moving in from A2Billing, and running beside it.

``access`` reads its database or exports and ``tables`` the values in them; ``cards``,
``ratecards``, ``subscriptions`` and ``money_log`` translate them. ``calls`` is its dialect of call
records. ``migrate`` moves a whole installation, ``reconcile`` compares balances and ``causes``
explains each difference.
"""

from __future__ import annotations
