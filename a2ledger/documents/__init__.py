"""Documents: invoices, credit notes and statements, from model to paper.

``document`` is the model, ``en16931`` its rules, ``number_series`` gives numbers, ``files`` knows
where documents stand, ``render`` and ``pdf`` make pages, ``taxed_refill`` is the document of a
refill that is taxed when it is bought.
"""

from __future__ import annotations
