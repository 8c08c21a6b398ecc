"""Reports: what an accountant asks for, from the journals and the documents they name.

``documents`` finds what was issued, and VAT that no document is for; ``taxes`` makes the VAT
return, the sales journal and the list of services to businesses in the Union of it; ``receivables``
says who owes what on a day. Every total is one that the journals give, too.
"""

from __future__ import annotations
