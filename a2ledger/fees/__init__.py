"""Fees: what falls due when, its posting, and the income of later days.

``due`` computes, ``charge`` posts, ``imports`` reads tables of fees, ``deferrals`` spread income
over the days it is for.
"""

from __future__ import annotations
