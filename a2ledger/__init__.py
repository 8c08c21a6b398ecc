"""a2ledger keeps a phone company's customer accounts in plain text.

Data flows one way::

    file ─▶ source ─▶ cdr ─▶ rating ─▶ detail ─▶ posting ─▶ journal ─▶ general ─▶ ledger
           dialect   rules   price    day files  entries     text     summary     BQL
                                                                                   │
                                    render ◀─ document ◀─────── closing ◀──────────┘

Each package is one part of the trade; ``commands/`` has a module for each group of commands.
"""

from __future__ import annotations

__version__ = "0.1.0"
