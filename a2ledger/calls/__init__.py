"""Calls: from the rows of a switch to the call detail and the usage of a day.

``imports`` runs the way. ``inputs`` chooses what is read, ``normalise`` makes calls of rows with
``rules`` and ``usual_rules``, ``fates``, ``direction``, ``dialled``, ``devices``, ``extensions``,
``row_ids`` and ``doubts``. Legs of one call are put together by ``components``, ``legs``,
``trunk_legs``, ``bridged_legs`` with ``bonds``, and ``local_halves`` with ``unpriced_halves``;
``kept_rows`` stores what they are made of.
``duplicates`` and ``keep`` keep each call once, with ``identity`` and ``related``, ``spool`` holds
large inputs; ``detail`` stores days, ``fold`` adds them up, ``unclaimed`` remembers calls
that nobody pays for, ``rebuild`` makes a lost day anew. ``explain`` says what became of a row,
``listed`` lists a customer's calls.
"""

from __future__ import annotations
