"""Delivery: documents, reminders and notices on their way to customers.

``dispatch`` decides what goes where, ``reminders`` which letters about money are due, ``letters``
writes what customers read. ``outbox`` keeps one line for each message, ``smtp`` and ``channels``
hand it over, ``send`` does all of it and nothing twice; ``still_due`` says what is open when a
message goes.
"""

from __future__ import annotations
