"""The journals: all that is Beancount.

``syntax`` turns text into values and back, ``entries`` makes and reads entries. ``customer_file``
and ``period_file`` are the two kinds of a customer's files, which ``subledgers`` reads and writes
and ``roster`` keeps parsed; ``rows`` are their rows as bills read them. ``general``, ``carriers``,
``vat_bases`` and ``carried`` derive the operator's ledger, ``summary`` keeps it in line, ``shards``
say where it stands, ``chart`` opens accounts. ``exchange_rates`` are prices of currencies,
``ledger`` asks Beancount the ``queries``, ``seal`` proves closed files, ``admission`` guards what
may be loaded.
"""

from __future__ import annotations
