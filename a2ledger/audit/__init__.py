"""Audit: proof that nothing was lost or changed, and the way from a bill down to its calls.

``verify`` checks closed periods with ``chain`` and ``tags``; ``anchor`` compares them with a line
kept elsewhere, ``whole`` finds what is missing, twice or of an older day. ``hand_edits`` takes in
what people changed, in the ``shapes`` that are allowed, and ``settled`` keeps configuration from
changing after its use; ``doctor`` examines what surrounds a book, ``mend`` makes anew what can be
derived, ``backup`` says what no copy covers. ``explain`` traces a line of a bill and ``call_price``
the price of a call; ``carrier_bill`` compares a carrier's invoice, read by ``carrier_file``, with
our side.
"""

from __future__ import annotations
