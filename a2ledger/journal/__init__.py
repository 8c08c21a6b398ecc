"""The journals: all that is Beancount.

``syntax`` turns text into values and back; ``period_file`` and ``customer_file`` are the two kinds
of a customer's files; ``general``, ``carriers`` and ``summary`` derive the operator's ledger;
``ledger`` asks Beancount; ``seal`` and ``admission`` guard what may be there.
"""

from __future__ import annotations
