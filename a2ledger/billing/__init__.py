"""Billing: the preview, the close and the settlement of a period.

``bill`` computes lines, VAT and totals; ``preview`` draws them up from a book; ``close`` makes them
final with ``closing_entries``; ``guards`` hold back what looks wrong; ``sealed`` is what a seal
covers; ``settle`` ends an account.
"""

from __future__ import annotations
