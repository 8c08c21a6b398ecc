"""Rating: the price of calls.

``deck`` is a price list, read by ``columns`` and ``cells``; ``clashes`` finds two prices for one
moment, ``decks`` keeps parsed ones, ``prefixes`` finds the row, ``rate`` chooses among rows,
``cost`` computes, ``formula`` tells how; ``price`` prices a customer's calls and ``offline`` a file
without a book.
"""

from __future__ import annotations
