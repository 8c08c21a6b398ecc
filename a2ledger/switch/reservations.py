"""Allowed calls, and what each reserves of its customer's money until it is imported."""

from __future__ import annotations

from dataclasses import dataclass

SETUP, RUNNING, ENDED = "setup", "running", "ended"
"""States of a call: requested, in progress as far as known, hung up."""

NEVER = 2**62
"""Placeholder for a generation of the book: not imported yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """An allowed call. Times are seconds since 1970, amounts micro-units."""

    call: str
    """The switch's id of the call, which its record also has."""
    attempt: int
    """Number of the call among those with this id, from 1."""
    switch: str
    """Empty if the switch did not name itself."""
    customer: str
    called: str
    """In the form that tariffs use."""
    destination: str
    started: int
    max_seconds: int
    """Longest total duration."""
    held_micro: int
    """Amount reserved: the most it may cost, or its cost once it has ended."""
    kept_micro: int = 0
    """Amount reserved beyond the price of its duration: more for numbers called earlier under the
    same id, less for parts of the call that are imported already.
    """
    state: str = RUNNING
    seconds: int = 0
    """Duration, once it has ended."""
    answered: int = 0
    """Time of answer, 0 if unknown."""
    expires: int = 0
    """Time by which it has ended at the latest."""
    forget: int = 0
    """Time at which it stops reserving money, imported or not."""
    released: int = NEVER
    """The book's generation that contains its record, or :data:`NEVER`."""
    cost_micro: int = 0
    """Cost that counts as spent."""
    ends: int = 0
    """1 if the switch promised to report the hang-up: any record before it covers only a part."""

    def holds(self, now: int, generation: int) -> int:
        """Return the micro-units it reserves, given a generation of the book."""
        return self.held_micro if self.released > generation and self.forget > now else 0

    def is_on(self, now: int, generation: int) -> bool:
        """Return True if the call may still be in progress."""
        return self.state != ENDED and self.expires > now and self.released > generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """What a customer's other calls reserve and have spent."""

    held_micro: int = 0
    calls: int = 0
    """Number of calls in progress."""
    hour_micro: int = 0
    """Spent by calls started in the last sixty minutes, and the most that running ones may cost."""
    day_micro: int = 0
    """The same, since midnight."""
