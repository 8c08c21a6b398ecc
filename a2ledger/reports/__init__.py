"""Reports: what an accountant asks for, from the journals and the documents they name.

``documents`` finds the documents that were issued, and VAT without a document; ``taxes`` makes
the VAT return, the sales journal and the EU list of services to businesses from them;
``receivables`` says who owes what on a day. Every total agrees with the journals.
"""

from __future__ import annotations
