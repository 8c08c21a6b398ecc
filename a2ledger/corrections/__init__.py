"""Corrections: what puts a balance right, always in the open period.

``postings`` are their entries. ``correct`` refunds, gives goodwill and holds what all share,
``write_off`` gives debts up and recovers them, ``deposits`` takes and returns, ``transfer`` moves
payments, ``credit_note`` and ``issue_credit_note`` give back an invoice, ``void`` strikes out.
``rerate`` prices calls anew, ``restate`` those of closed periods, ``rate_rows`` names the rows
behind that, ``what_if`` says what a change would earn.
"""

from __future__ import annotations
