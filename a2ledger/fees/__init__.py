"""Recurring fees: due dates, posting, and income deferred to later days.

``due`` computes, ``charge`` posts, ``deferrals`` spread income over the days it is for.
"""

from __future__ import annotations
