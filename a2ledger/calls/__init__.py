"""Calls: from the rows of a switch to the call detail and the usage of a day.

``imports`` runs the way. ``inputs`` chooses what is read, ``normalise`` makes calls of rows with
``rules`` and ``usual_rules``, ``fates``, ``direction``, ``dialled``, ``devices`` and
``extensions``. Legs of one call are put together by ``components``, ``legs``, ``trunk_legs``,
``bridged_legs`` and ``local_halves``. ``duplicates`` and ``keep`` keep each call once, ``spool``
holds large inputs; ``detail`` stores days, ``fold`` adds them up, ``unclaimed`` remembers calls
that nobody pays for. ``explain`` says what became of a row, ``listed`` lists a customer's calls.
"""

from __future__ import annotations
