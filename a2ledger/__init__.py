"""a2ledger keeps a phone company's customer accounts in plain text.

Data flows one way::

    file ─▶ source ─▶ cdr ─▶ rating ─▶ detail ─▶ posting ─▶ journal ─▶ general ─▶ ledger
           dialect   rules   price    day files  entries     text     summary     BQL
                                                                                   │
                                    render ◀─ document ◀─────── closing ◀──────────┘

Each module is one word of the trade; ``steps/`` has one module a command.
"""

from __future__ import annotations

__version__ = "0.1.0"
