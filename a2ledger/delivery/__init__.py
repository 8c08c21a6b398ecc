"""Delivery: documents, reminders and notices on their way to customers.

``dispatch`` decides what is to go where, ``outbox`` keeps one line a message, ``letters`` writes
what customers read, ``smtp`` and ``channels`` hand it over, ``send`` does all of it without ever
doing anything twice.
"""

from __future__ import annotations
