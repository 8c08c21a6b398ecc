"""a2ledger keeps a phone company's customer accounts in plain text.

Data flows one way::

    file ─▶ source ─▶ cdr ─▶ rating ─▶ detail ─▶ posting ─▶ journal ─▶ general ─▶ ledger
           dialect   rules   price    day files  entries     text     summary     BQL
                                                                                   │
                                    render ◀─ document ◀─────── closing ◀──────────┘

Each package is one part of the trade; ``commands/`` has a module for each group of commands.
"""

from __future__ import annotations

import os

# numpy starts a thread for each core to multiply matrices with, 0.15 s of CPU. Nothing here does.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
