"""Decide whether a call may be made, and for how long: values in, a decision out.

A call is allowed for as long as the most it may cost is left of the customer's credit once all
that their other calls hold is taken off. That most is what it then holds itself, so that calls
at once cannot spend the same money.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property, partial

from a2ledger import callguards
from a2ledger.book.authorize import LONGEST, Authorize
from a2ledger.rating.quote import Quote, quote
from a2ledger.switch.reservations import Holds, Reservation
from a2ledger.switch.terms import Terms

OK = "ok"
UNKNOWN_CUSTOMER = "unknown-customer"
NO_RATE = "no-rate"
NO_CREDIT = "no-credit"
BLOCKED = "blocked"
BARRED = "barred"
SPEND_LIMIT = "spend-limit"
TOO_MANY_CALLS = "too-many-calls"
STALE = "stale"

REASONS = {
    OK: "the call is allowed",
    UNKNOWN_CUSTOMER: "no customer, or more than one, holds this identifier",
    NO_RATE: "no tariff of the customer has a rate for this number now",
    NO_CREDIT: "the credit that is left does not pay for the call",
    BLOCKED: "the customer is blocked",
    BARRED: "the customer may not call this destination",
    SPEND_LIMIT: "the customer has spent what may be spent in an hour or a day",
    TOO_MANY_CALLS: "the customer is in as many calls as may be made at once",
    STALE: "the book could not be read lately, or calls cannot be recorded",
}
"""Codes of decisions, with their messages."""

BREACHES = (BARRED, SPEND_LIMIT, TOO_MANY_CALLS)
"""Codes of breached guards, about which mail is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to a switch, and what it was based on. Amounts are micro-units."""

    allowed: bool
    reason: str
    message: str = ""
    """Details beyond the code."""
    customer: str = ""
    called: str = ""
    """In the form that tariffs use."""
    destination: str = ""
    max_seconds: int = 0
    """Longest total duration of the call."""
    more_seconds: int = 0
    """Seconds added to what was allowed before."""
    per_minute_micro: int = 0
    reserved_micro: int = 0
    """Amount the call reserves now."""
    available_micro: int = 0
    """Credit left for other calls."""
    prefix: str = ""
    deck: str = ""
    limit_micro: int = 0
    """The customer's credit limit, …"""
    owed_micro: int = 0
    """… what they owed, …"""
    others_micro: int = 0
    """… and what their other calls reserved at the time of the decision."""

    @property
    def words(self) -> str:
        """Return the reason for people."""
        return f"{REASONS[self.reason]}: {self.message}" if self.message else REASONS[self.reason]


@dataclass(frozen=True)
class Price:
    """The price of a call, at the dearest of the rates that may apply when it starts."""

    quotes: tuple[Quote, ...]

    @cached_property
    def dearest(self) -> Quote:
        """Return the rate with the highest price per minute."""
        return max(self.quotes, key=lambda known: known.per_minute_micro)

    def cost(self, seconds: int) -> int:
        """Return the highest cost of a call of a duration, in micro-units."""
        return max(known.cost(seconds) for known in self.quotes)

    def longest(self, available_micro: int, limit: int) -> int:
        """Return the longest duration in seconds, up to a limit, that available money pays for."""
        return min(known.longest(available_micro, limit) for known in self.quotes)


def price_of(terms: Terms, called: str, local: dt.datetime, skew_seconds: int) -> Price | None:
    """Return the price of a customer's call that starts about now, or None without a rate.

    The call's record bears the switch's clock, by which another rate may hold.

    Args:
        terms: the customer's.
        called: digits, country code first.
        local: the time on the book's clock.
        skew_seconds: how far the switch's clock may be from it.
    """
    if terms.tariff is None:
        return None
    known = quote(terms.tariff, called, local, terms.discount)
    if known is None:
        return None
    quotes = [known]
    if skew_seconds and any(deck.conditional for deck in terms.tariff.decks):
        for seconds in (-skew_seconds, skew_seconds):
            moment = local + dt.timedelta(seconds=seconds)
            quotes.append(quote(terms.tariff, called, moment, terms.discount) or known)
    return Price(tuple(quotes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A call to make or to extend, with everything that decides on it.

    ``seconds`` is how long it shall last in all, 0 if the switch did not say; ``before`` is what
    it holds already; ``is_longer`` says that it is going on and must get more seconds than it has.
    """

    terms: Terms
    called: str
    price: Price | None
    holds: Holds
    local: dt.datetime
    seconds: int = 0
    before: Reservation | None = None
    is_longer: bool = False
    is_fresh: bool = True


def decide(ask: Ask, settings: Authorize) -> Decision:
    """Decide whether a call is allowed, and for how long."""
    terms, price, before = ask.terms, ask.price, ask.before
    left_micro = terms.balance_micro - ask.holds.held_micro
    kept_micro = before.kept_micro if before else 0
    had_micro = before.held_micro if before else 0
    had_seconds = before.max_seconds if before else 0
    is_stale = not ask.is_fresh or not terms.is_sound
    made = partial(
        Decision,
        customer=terms.customer,
        called=ask.called,
        destination=price.dearest.destination if price else "",
        per_minute_micro=price.dearest.per_minute_micro if price else 0,
        prefix=price.dearest.prefix if price else "",
        deck=price.dearest.deck.name if price else "",
        limit_micro=terms.limit_micro,
        owed_micro=terms.owed_micro,
        others_micro=ask.holds.held_micro,
    )
    as_before = partial(
        made,
        max_seconds=had_seconds,
        reserved_micro=had_micro,
        available_micro=left_micro - had_micro,
    )
    allowed = STALE if is_stale else OK

    bar = _bar(ask, price, settings, is_stale=is_stale)
    if bar is not None or price is None:
        reason, message = bar or (NO_RATE, "")
        return as_before(allowed=False, reason=reason, message=message)
    if had_seconds and not ask.is_longer and ask.seconds <= had_seconds:
        return as_before(allowed=True, reason=allowed)
    seconds, reason, message = _affordable(
        ask, price, left_micro - kept_micro, _limit(ask, settings, is_stale=is_stale)
    )
    if seconds <= had_seconds:
        return as_before(allowed=False, reason=reason, message=message)
    reserved_micro = max(price.cost(seconds) + kept_micro, had_micro)
    return made(
        allowed=True,
        reason=allowed,
        max_seconds=seconds,
        more_seconds=seconds - had_seconds,
        reserved_micro=reserved_micro,
        available_micro=left_micro - reserved_micro,
    )


def _bar(
    ask: Ask, price: Price | None, settings: Authorize, *, is_stale: bool
) -> tuple[str, str] | None:
    """Return why a call is refused regardless of money, as code and details, else None."""
    terms = ask.terms
    if terms.blocked:
        return BLOCKED, "" if terms.blocked == "yes" else terms.blocked
    if is_stale and not terms.allowed_on_failure:
        return STALE, ""
    if price is None:
        return NO_RATE, ""
    if barred := _barred(ask, price, settings):
        return BARRED, barred
    if terms.guards.calls is not None and ask.holds.calls >= terms.guards.calls:
        return TOO_MANY_CALLS, f"{terms.guards.calls} at once"
    return None


def _affordable(ask: Ask, price: Price, left_micro: int, limit: int) -> tuple[int, str, str]:
    """Return the seconds the money pays for, and the code and details of what limits them."""
    guards, holds = ask.terms.guards, ask.holds
    kept_micro = ask.before.kept_micro if ask.before else 0
    had_seconds = ask.before.max_seconds if ask.before else 0
    if limit <= had_seconds:
        return limit, BARRED, f"no call is longer than {limit} seconds"
    seconds, reason, message = price.longest(left_micro, limit), NO_CREDIT, ""
    for cap_micro, spent_micro, span in (
        (guards.per_hour, holds.hour_micro, "in an hour"),
        (guards.per_day, holds.day_micro, "in a day"),
    ):
        if cap_micro is not None and seconds > had_seconds:
            seconds = price.longest(cap_micro - spent_micro - kept_micro, seconds)
            if seconds <= had_seconds:
                reason, message = SPEND_LIMIT, span
    return seconds, reason, message


def _limit(ask: Ask, settings: Authorize, *, is_stale: bool) -> int:
    """Return the longest duration in seconds, regardless of money."""
    wanted = ask.seconds or settings.slice_seconds or LONGEST
    guards = ask.terms.guards
    limits = [wanted, LONGEST]
    if guards.longest is not None:
        limits.append(guards.longest)
    if is_stale:
        limits.append(settings.allow_seconds)
    return min(limits)


def _barred(ask: Ask, price: Price, settings: Authorize) -> str:
    """Return the guard on destinations that a call breaches, or an empty text."""
    if any(known.is_blocked for known in price.quotes):
        return "the deck refuses such calls"
    guards = ask.terms.guards
    classes = callguards.classes_of(ask.called, settings.classes, settings.home)
    for name in classes:
        if name in guards.barred:
            return name
    if callguards.is_night(ask.local.time(), settings.night):
        for name in classes:
            if name in guards.barred_at_night:
                return f"{name} at night"
    if guards.dearest is not None and price.dearest.per_minute_micro > guards.dearest:
        return "dearer than the dearest rate"
    return ""
