"""Corrections: what puts a balance right, always in the open period.

``entries`` are their postings; ``correct``, ``transfer``, ``void``, ``rerate``, ``restate`` and the
two modules of credit notes carry them out.
"""

from __future__ import annotations
