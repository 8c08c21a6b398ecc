"""The switchboard: answers switches' questions, from the book and from running calls.

It belongs to one thread. Questions that arrive together are answered in one transaction of the
state, each seeing what those before it hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from a2ledger.book.authorize import LONGEST, Authorize
from a2ledger.switch.decide import (
    OK,
    STALE,
    UNKNOWN_CUSTOMER,
    Ask,
    Decision,
    Price,
    decide,
    price_of,
)
from a2ledger.switch.questions import Answer, Begin, End, Extend, Question, Settled
from a2ledger.switch.reservations import ENDED, NEVER, RUNNING, SETUP, Holds, Reservation
from a2ledger.switch.settlement import Record, settled
from a2ledger.switch.state import State, StateError
from a2ledger.switch.terms import Snapshot, Terms

_HOUR = 60 * 60
_NO_CALL = "no such call is known"


@dataclass(kw_only=True)
class Switchboard:
    """Decides calls by a snapshot of the book and the reservations of a state."""

    state: State
    clock: Callable[[], dt.datetime]
    zone: ZoneInfo
    snapshot: Snapshot | None = None
    checked: dt.datetime | None = None
    """When the snapshot was last known to match the book."""

    def is_fresh(self, now: dt.datetime) -> bool:
        """Return True if the snapshot is fresh enough to decide by."""
        if self.snapshot is None or self.checked is None:
            return False
        return (now - self.checked).total_seconds() <= self.snapshot.settings.stale_seconds

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Answer questions in order, with reservations on disk on return."""
        try:
            with self.state.transaction():
                return [self._answer(question) for question in questions]
        except StateError as error:
            return [self._unrecorded(question, str(error)) for question in questions]

    def _answer(self, question: Question) -> Answer:
        if isinstance(question, Begin):
            return self._begin(question)
        return self._extend(question) if isinstance(question, Extend) else self._end(question)

    def _begin(self, begin: Begin) -> Decision:
        now = self.clock()
        snapshot = self.snapshot
        if snapshot is None:
            return Decision(allowed=False, reason=STALE, message="the book was not read yet")
        settings = snapshot.settings
        local = now.astimezone(self.zone).replace(tzinfo=None)
        terms = self._terms(snapshot, begin, local.date())
        if begin.called.strip() in settings.always:
            return _emergency(begin, terms)
        if terms is None:
            return Decision(allowed=False, reason=UNKNOWN_CUSTOMER, called=begin.called)
        called = snapshot.normalised(begin.called, terms.dial_plan)
        at = int(now.timestamp())
        fresh = Reservation(
            call=begin.call,
            attempt=1,
            switch=begin.switch,
            customer=terms.customer,
            called=called,
            destination="",
            started=at,
            max_seconds=0,
            held_micro=0,
            state=SETUP,
        )
        before = self._before(begin, fresh, at)
        started = self._local(before.started)
        decision = decide(
            Ask(
                terms=terms,
                called=called,
                price=price_of(terms, called, started, settings.skew_seconds),
                holds=self._holds(terms, now, local, before),
                local=local,
                seconds=begin.seconds,
                before=before,
                is_fresh=self.is_fresh(now),
            ),
            settings,
        )
        if decision.allowed:
            granted = _granted(
                before,
                decision,
                settings,
                state=before.state if begin.is_setup else RUNNING,
                answered=before.answered or (at if begin.is_answered else 0),
                ends=int(begin.ends or bool(before.ends)),
            )
            self.state.put(granted)
        return decision

    def _before(self, begin: Begin, fresh: Reservation, at: int) -> Reservation:
        """Return what a call that begins reserves already, usually nothing."""
        known = self.state.find(begin.call, begin.switch)
        if known is None:
            return fresh
        if known.state == ENDED or known.released != NEVER or known.customer != fresh.customer:
            return replace(fresh, attempt=known.attempt + 1, switch=known.switch)
        if known.forget <= at:
            return replace(fresh, attempt=known.attempt, switch=known.switch)
        if known.called != fresh.called:
            # Another number under the same id: the earlier one may have been talked to.
            return replace(known, called=fresh.called, max_seconds=0, kept_micro=known.held_micro)
        return known

    def _extend(self, extend: Extend) -> Decision:
        now = self.clock()
        snapshot = self.snapshot
        if snapshot is None:
            return Decision(allowed=False, reason=STALE, message="the book was not read yet")
        before = self.state.find(extend.call, extend.switch)
        if before is None or before.state == ENDED:
            if before is None and extend.otherwise is not None:
                return self._begin(extend.otherwise)
            message = _NO_CALL if before is None else "the call has ended"
            return Decision(allowed=False, reason=UNKNOWN_CUSTOMER, message=message)
        local = now.astimezone(self.zone).replace(tzinfo=None)
        started = self._local(before.started)
        terms = snapshot.terms(before.customer, started.date())
        if terms is None:
            return Decision(allowed=False, reason=UNKNOWN_CUSTOMER)
        today = snapshot.terms(before.customer, local.date()) or terms
        terms = replace(
            terms, blocked=today.blocked, guards=today.guards, limit_micro=today.limit_micro
        )
        settings = snapshot.settings
        more = extend.seconds or settings.slice_seconds or LONGEST
        wanted = min(before.max_seconds + more, LONGEST)
        if before.forget <= int(now.timestamp()):
            before = replace(before, max_seconds=0, held_micro=0, kept_micro=0)
        decision = decide(
            Ask(
                terms=terms,
                called=before.called,
                price=price_of(terms, before.called, started, settings.skew_seconds),
                holds=self._holds(terms, now, local, before),
                local=local,
                seconds=wanted,
                before=before,
                is_longer=True,
                is_fresh=self.is_fresh(now),
            ),
            settings,
        )
        if decision.allowed:
            self.state.put(_granted(before, decision, settings, released=NEVER))
        return decision

    def _end(self, end: End) -> Settled:
        now = self.clock()
        before = self.state.find(end.call, end.switch)
        if before is None:
            return Settled(call=end.call, is_known=False)
        seconds = end.seconds if end.is_answered else 0
        if before.state != ENDED:
            cost_micro = self._cost(before, seconds)
            kept_micro = max(before.kept_micro, -cost_micro) if seconds else 0
            at = int(now.timestamp())
            wait = self.snapshot.settings.cdr_seconds if self.snapshot else _HOUR
            before = replace(
                before,
                state=ENDED,
                seconds=seconds,
                held_micro=cost_micro + kept_micro,
                kept_micro=kept_micro,
                cost_micro=before.cost_micro
                if before.released != NEVER
                else cost_micro + min(kept_micro, 0),
                expires=at,
                forget=at + wait if cost_micro + kept_micro else at,
            )
            self.state.put(before)
        return Settled(
            call=end.call,
            is_known=True,
            customer=before.customer,
            seconds=before.seconds,
            cost_micro=before.cost_micro,
            available_micro=self._available(before.customer, now),
        )

    def _cost(self, reservation: Reservation, seconds: int) -> int:
        """Return the cost of an ended call, or its reserved amount if its rate is gone."""
        price = self._price(reservation)
        if price is None:
            return reservation.held_micro if seconds else 0
        return price.cost(seconds)

    def _price(self, reservation: Reservation) -> Price | None:
        if self.snapshot is None:
            return None
        started = self._local(reservation.started)
        terms = self.snapshot.terms(reservation.customer, started.date())
        if terms is None:
            return None
        return price_of(terms, reservation.called, started, self.snapshot.settings.skew_seconds)

    def _available(self, customer: str, now: dt.datetime) -> int:
        if self.snapshot is None:
            return 0
        terms = self.snapshot.terms(customer, now.astimezone(self.zone).date())
        if terms is None:
            return 0
        holds = self.state.holds(customer, int(now.timestamp()), self.snapshot.generation)
        return terms.balance_micro - holds.held_micro

    def _holds(
        self, terms: Terms, now: dt.datetime, local: dt.datetime, without: Reservation | None
    ) -> Holds:
        at = int(now.timestamp())
        since = None
        if terms.guards.per_hour is not None or terms.guards.per_day is not None:
            midnight = dt.datetime.combine(local.date(), dt.time(), self.zone)
            since = at - _HOUR, int(midnight.timestamp())
        assert self.snapshot is not None  # noqa: S101 - nobody asks without one
        return self.state.holds(
            terms.customer, at, self.snapshot.generation, without=without, spent_since=since
        )

    def _terms(self, snapshot: Snapshot, begin: Begin, day: dt.date) -> Terms | None:
        if begin.customer:
            return snapshot.terms(begin.customer, day)
        for identifier in filter(None, begin.identifiers):
            customer = snapshot.customer_of(identifier, day)
            if customer is not None:
                return snapshot.terms(customer, day)
        return None

    def _local(self, at: int) -> dt.datetime:
        return dt.datetime.fromtimestamp(at, self.zone).replace(tzinfo=None)

    def _unrecorded(self, question: Question, error: str) -> Answer:
        """Answer a question although the answer cannot be stored."""
        if isinstance(question, End):
            return Settled(call=question.call, is_known=False)
        snapshot, now = self.snapshot, self.clock()
        begin = question if isinstance(question, Begin) else question.otherwise
        refused = Decision(allowed=False, reason=STALE, message=error)
        if snapshot is None or begin is None:
            return refused
        if begin.called.strip() in snapshot.settings.always:
            return _emergency(begin, None)
        terms = self._terms(snapshot, begin, now.astimezone(self.zone).date())
        if terms is None or terms.blocked or not terms.allowed_on_failure:
            return refused
        return Decision(
            allowed=True,
            reason=STALE,
            message=error,
            customer=terms.customer,
            called=begin.called,
            max_seconds=min(snapshot.settings.allow_seconds, begin.seconds or LONGEST),
            available_micro=terms.balance_micro,
        )

    def waiting(self) -> list[Reservation]:
        """Return the calls whose records should be looked up in the book."""
        with self.state.transaction():
            return self.state.waiting()

    def adopt(self, snapshot: Snapshot, records: Iterable[Record]) -> None:
        """Decide by a new snapshot from now on, and settle the calls it has records of.

        A call that has its record there holds nothing any more beside it; beside an older
        generation, by which another server may still decide, it does.
        """
        by_call: dict[str, list[Record]] = {}
        for record in records:
            by_call.setdefault(record.call, []).append(record)
        if by_call:
            with self.state.transaction():
                for call, own in by_call.items():
                    known = self.state.attempts(call)
                    self.state.put_all(settled(known, own, snapshot.generation))
        self.snapshot = snapshot

    def holding(self) -> list[Reservation]:
        """Return the calls that reserve money now."""
        generation = self.snapshot.generation if self.snapshot else 0
        with self.state.transaction():
            return self.state.holding(int(self.clock().timestamp()), generation)


def _granted(
    before: Reservation,
    decision: Decision,
    settings: Authorize,
    *,
    state: str = RUNNING,
    answered: int | None = None,
    ends: int | None = None,
    released: int | None = None,
) -> Reservation:
    """Return a reservation updated by a decision; what is None stays."""
    answered = before.answered if answered is None else answered
    expires = (answered or before.started + settings.ring_seconds) + decision.max_seconds
    forget = expires + settings.forget_seconds
    if state == SETUP:
        expires = forget = before.started + settings.ring_seconds
    return replace(
        before,
        destination=decision.destination,
        max_seconds=decision.max_seconds,
        held_micro=decision.reserved_micro,
        cost_micro=decision.reserved_micro,
        state=state,
        answered=answered,
        expires=max(expires, before.expires),
        forget=max(forget, before.forget),
        released=before.released if released is None else released,
        ends=before.ends if ends is None else ends,
    )


def _emergency(begin: Begin, terms: Terms | None) -> Decision:
    """Allow a call to a number that is always allowed."""
    return Decision(
        allowed=True,
        reason=OK,
        message="always allowed",
        customer=terms.customer if terms else "",
        called=begin.called.strip(),
        max_seconds=LONGEST,
        available_micro=terms.balance_micro if terms else 0,
    )
