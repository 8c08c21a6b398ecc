"""Billing: the preview, the close and the settlement of a period.

``used`` adds up calls and ``bill`` computes lines, VAT and totals; ``preview`` draws the bill up
from a book. ``kind`` says which document it becomes, and whether it waits for the next. ``close``
makes it final with ``closing_entries``, in which ``tax_point`` says when VAT is due and
``originals`` what a credit note corrects; ``closed`` says what became of each period. ``guards``
hold back what looks wrong, ``unposted`` names calls left off, ``itemised`` lists the calls behind a
bill, ``sealed`` is what a seal covers, ``settle`` ends an account.
"""

from __future__ import annotations
