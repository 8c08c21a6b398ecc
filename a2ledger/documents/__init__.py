"""Documents: invoices, credit notes and statements, from model to paper.

``document`` is the model, ``parties`` and ``translation`` fill it, ``en16931`` checks it,
``number_series`` numbers it, ``paths`` and ``files`` know where it stands. ``formats`` makes it in
the formats people ask for: ``render`` the pages from a ``view``, with ``filters``, ``phrases``,
``columns``, ``language``, ``references`` and ``qr``, and ``pdf`` prints them. ``einvoice`` is the
model of e-invoices, ``profiles`` says what they must hold, ``ubl`` and ``cii`` write them through
``markup``, ``facturx`` puts one into a PDF, ``rules`` checks them officially, ``electronic``
makes and keeps them. ``taxed_refill`` and ``issue_taxed_refill`` document refills that are taxed
when paid; ``worth`` is what a billed line is still worth, less what was ``given_back``.
"""

from __future__ import annotations
