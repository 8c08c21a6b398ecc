"""Calls that were allowed, and what each holds of its customer's money until it is imported."""

from __future__ import annotations

from dataclasses import dataclass

SETUP, RUNNING, ENDED = "setup", "running", "ended"
"""States of a call: asked for only, going on as far as is known, hung up."""

NEVER = 2**62
"""In place of a generation of the book: not imported yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A call that was allowed. Times are seconds since 1970, amounts micro-units."""

    call: str
    """The id the switch gives it, which its call record bears too."""
    attempt: int
    """Which of the calls of this id, from 1 on."""
    switch: str
    """Empty where the switch did not say which it is."""
    customer: str
    called: str
    """As the tariff reads it."""
    destination: str
    started: int
    max_seconds: int
    """How long it may last in all."""
    held_micro: int
    """What it holds: the most it may cost, or what it cost once it has ended."""
    kept_micro: int = 0
    """What is held beside the price of its length: more for numbers that were called before under
    the same id, less for parts of the call that are imported already."""
    state: str = RUNNING
    seconds: int = 0
    """How long it lasted, once it has ended."""
    answered: int = 0
    """When it was answered, 0 if that is not known."""
    expires: int = 0
    """When it has ended at the latest."""
    forget: int = 0
    """When it stops holding money, imported or not."""
    released: int = NEVER
    """The generation of the book that holds its record, or :data:`NEVER`."""
    cost_micro: int = 0
    """What it counts as spent."""
    ends: int = 0
    """1 where the switch promised to say when it is hung up: a record before that is a part."""

    def holds(self, now: int, generation: int) -> int:
        """Return the micro-units it holds beside a generation of the book."""
        return self.held_micro if self.released > generation and self.forget > now else 0

    def is_on(self, now: int, generation: int) -> bool:
        """Return whether people may still be talking."""
        return self.state != ENDED and self.expires > now and self.released > generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """What a customer's other calls hold and have spent."""

    held_micro: int = 0
    calls: int = 0
    """How many are going on."""
    hour_micro: int = 0
    """Spent by calls that began in the last sixty minutes, and what running ones may cost."""
    day_micro: int = 0
    """The same since midnight."""
