"""Rating: what a call costs.

``deck`` is a price list, read by ``columns`` and ``cells``; ``decks`` keeps parsed ones,
``clashes`` finds two prices for one moment, ``usage`` who uses which. ``prefixes`` finds the row,
``rate`` chooses among rows, ``cost`` computes, ``formula`` tells how; ``price`` prices a customer's
calls, ``offline`` a file without a book, ``quote`` a call as it goes on, ``winner`` tells which row
won, ``versions`` finds a deck as it was. Rate sheets: ``sheet_file``, ``sheet_headers``,
``sheet_values`` and ``sheet`` read them, ``markup`` adds to them, ``deck_changes`` compares,
``deck_text`` writes, ``sheet_import`` does all of it. ``price_list`` and ``notices`` tell
customers.
"""

from __future__ import annotations
