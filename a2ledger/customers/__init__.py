"""The customers: who holds which identifier on which day, and their master data.

``directory`` finds the holder of an identifier, ``register`` adds and changes customers,
``columns`` reads their CSV.
"""

from __future__ import annotations
