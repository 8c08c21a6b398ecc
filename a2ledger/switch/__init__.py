"""The switch obeys: who may call, how long, and what running calls hold.

``terms`` is what the book says of customers, ``read_book`` reads it and keeps it fresh.
``questions`` are asked of the ``switchboard``: ``decide`` answers, ``reservations`` are the calls
it allowed, ``state`` keeps them, ``settlement`` replaces them by records. ``agi``, ``web`` and
``json_rpc`` are how switches ask, ``exchange`` is where their questions meet, ``answers`` what they
get, ``server`` runs them. ``decisions`` logs, ``alerts`` mails, ``metrics`` counts,
``current_calls`` lists calls for people.
"""

from __future__ import annotations
