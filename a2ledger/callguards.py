"""Guards on calls: destinations, length, number at once, and price that a customer may use.

They stand in the configuration (for all, and by group of customers) and, as text, in a
customer's fact ``guards``: ``calls=2, per_day=50.00, barred=premium satellite``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from a2ledger import money

_CLASS = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)
_NIGHT = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)

CLASSES: Mapping[str, tuple[str, ...]] = {
    "satellite": ("870", "881", "882", "883"),
    "premium": ("979",),
}
"""Prefixes of the classes of destinations that are the same in every country."""

INTERNATIONAL = "international"
"""The class of all numbers without a prefix of the home country."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallGuards:
    """Limits on calls. None, or an empty list, is no limit."""

    barred: tuple[str, ...] = ()
    """Classes of destinations that are refused."""
    allowed: tuple[str, ...] = ()
    """Classes that are allowed even if a wider guard bars them."""
    barred_at_night: tuple[str, ...] = ()
    """Classes that are refused at night."""
    calls: int | None = None
    """Most calls at once."""
    per_hour: int | None = None
    """Most micro-units spent in sixty minutes."""
    per_day: int | None = None
    """Most micro-units spent in a day, from midnight."""
    longest: int | None = None
    """Most seconds of a call."""
    dearest: int | None = None
    """Most micro-units per minute of a rate."""

    def under(self, wider: CallGuards) -> CallGuards:
        """Return these guards, completed by the wider ones.

        Classes barred add up; a class allowed here is not barred by a wider guard.

        >>> own = CallGuards(calls=2, allowed=("premium",))
        >>> own.under(CallGuards(calls=5, barred=("premium", "satellite"))).barred
        ('satellite',)
        """
        values: dict[str, Any] = {}
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(wider, field.name)
            if field.name in {"barred", "barred_at_night"}:
                kept = (name for name in theirs if name not in self.allowed)
                values[field.name] = tuple(dict.fromkeys((*kept, *mine)))
            elif field.name == "allowed":
                values[field.name] = tuple(dict.fromkeys((*theirs, *mine)))
            else:
                values[field.name] = theirs if mine is None else mine
        return CallGuards(**values)


KEYS = tuple(field.name for field in fields(CallGuards))


def parse_text(text: str) -> CallGuards:
    """Parse a customer's guards.

    >>> parse_text("calls=2, barred=premium satellite").barred
    ('premium', 'satellite')

    Raises:
        ValueError: naming the item that is no guard.
    """
    given: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals:
            raise ValueError(f"{item!r} is not KEY=VALUE; the keys are {', '.join(KEYS)}")
        if key in given:
            raise ValueError(f"{key} is given twice")
        given[key] = value
    return parse(given)


def parse(given: Mapping[str, str]) -> CallGuards:
    """Parse guards from texts by key, with lists separated by white space.

    Raises:
        ValueError: beginning with the key that is no guard or has no such value.
    """
    return CallGuards(**{key: _value(key, text) for key, text in given.items()})


def _value(key: str, text: str) -> Any:
    if key not in KEYS:
        raise ValueError(f"{key}: no such guard; there is {', '.join(KEYS)}")
    if key in {"barred", "allowed", "barred_at_night"}:
        names = tuple(text.split())
        for name in names:
            if not _CLASS.fullmatch(name):
                raise ValueError(f"{key}: {name!r} is not the name of a class such as premium")
        return names
    if key in {"calls", "longest"}:
        if not _COUNT.fullmatch(text):
            raise ValueError(f"{key}: {text!r} is not a whole number")
        return int(text)
    try:
        amount_micro = money.parse(text)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
    if amount_micro < 0:
        raise ValueError(f"{key}: {text!r} is negative")
    return amount_micro


def parse_night(text: str) -> tuple[dt.time, dt.time]:
    """Parse the times at which the night begins and ends.

    >>> parse_night("22:00-06:00")
    (datetime.time(22, 0), datetime.time(6, 0))

    Raises:
        ValueError: if it is not two times of day.
    """
    match = _NIGHT.fullmatch(text)
    if match is None or match[1] + match[2] == match[3] + match[4]:
        raise ValueError(f"{text!r} is not two different times of day such as 22:00-06:00")
    begins, ends = (dt.time(int(match[i]), int(match[i + 1])) for i in (1, 3))
    return begins, ends


def is_night(clock: dt.time, night: tuple[dt.time, dt.time] | None) -> bool:
    """Return whether a time of day lies in the night, which may pass midnight.

    >>> is_night(dt.time(23), parse_night("22:00-06:00"))
    True
    """
    if night is None:
        return False
    begins, ends = night
    if begins < ends:
        return begins <= clock < ends
    return clock >= begins or clock < ends


def classes_of(
    called: str, classes: Mapping[str, tuple[str, ...]], home: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the classes a number belongs to.

    Args:
        called: digits, country code first.
        classes: prefixes of each class.
        home: prefixes of the home country; without any no number is international.

    >>> classes_of("88216123", CLASSES, ("32",))
    ('satellite', 'international')
    """
    names = [name for name, prefixes in classes.items() if called.startswith(prefixes)]
    if home and not called.startswith(home):
        names.append(INTERNATIONAL)
    return tuple(names)
