"""Call authorisation: who may call, for how long, and what running calls reserve.

``terms`` is what the book says of customers, ``read_book`` reads it and keeps it fresh;
``decide`` answers, ``reservations`` are the calls it allowed, ``state`` keeps them; ``desk``
binds these together. ``agi``, ``web`` and ``json_rpc`` are how switches ask; ``server`` runs them.
"""

from __future__ import annotations
