"""Calls: from the rows of a switch to the call detail and the usage of a day.

``imports`` runs the way: ``inputs`` read, ``normalise`` recognises, ``local_halves`` and
``duplicates`` keep each call once, ``keep`` decides, ``detail`` stores days, ``fold`` adds them up.
"""

from __future__ import annotations
