"""Nobody overspends: whatever calls, crashes, imports and payments do, in whatever order.

What calls can still cost is added up here from what switches were told, not from what the
switchboard has written down.
"""

from __future__ import annotations

import datetime as dt
import itertools
import tempfile
from pathlib import Path

import pytest
from boards import ALL, EUR, NOON, TIMED, ZONE, Clock, customer, deck, snapshot
from examples import sampled
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from a2ledger.book.authorize import Authorize
from a2ledger.rating.deck import Tariff
from a2ledger.rating.quote import quote
from a2ledger.switch.questions import Begin, End, Extend
from a2ledger.switch.settlement import Record
from a2ledger.switch.state import State
from a2ledger.switch.switchboard import Switchboard
from a2ledger.switch.terms import Account

SKEW = 2
SETTINGS = Authorize(skew_seconds=SKEW, forget_seconds=3600, ring_seconds=120)
CUSTOMERS = ("ada", "bob")
NUMBERS = ("3225", "3312", "3411", "3517", "3906", "44207", "4512")
DECKS = {"timed": deck(TIMED, "timed"), "standard": ALL}
TARIFF = Tariff(name="timed, standard", decks=tuple(DECKS.values()))


PHASES = tuple(phase for phase in Phase if phase is not Phase.shrink)
"""Without shrinking: a failure is found in seconds and read in its steps."""


class Call:
    """A call as it truly is."""

    def __init__(self, name, who, called, started, told) -> None:
        self.name, self.who, self.called, self.started = name, who, called, started
        self.most = told.max_seconds
        self.offset = 0
        self.seconds: int | None = None
        self.told_end: dt.datetime | None = None
        self.imported = 0
        self.ends = False
        """Whether its switch promised to say when it is hung up."""
        self.parts: list[int] = []
        """How long it had lasted when each record of a part of it was imported."""
        self.gone = False
        """Whether its hold has run out, as it was to, before anybody said that it ended."""

    def cost(self, seconds: int) -> int:
        """What the record of the call will cost, by the clock of its switch."""
        local = (self.started + dt.timedelta(seconds=self.offset)).replace(tzinfo=None)
        known = quote(TARIFF, self.called, local)
        assert known is not None
        return known.cost(seconds)

    def records(self) -> list[Record]:
        """Its records that are imported: those of parts, and that of the rest."""
        ends = [*self.parts, *([self.seconds] if self.imported else [])]
        at = int(self.started.timestamp()) + self.offset
        return [
            Record(
                call=self.name,
                switch="pbx",
                start=at + begun,
                seconds=end - begun,
                cost_micro=self.cost(end) - self.cost(begun),
            )
            for begun, end in itertools.pairwise([0, *ends])
        ]

    def exposure(self, generation: int) -> int:
        """The most the customer may come to owe for it, as a server of a generation can know.

        A call whose hold has run out is known again once its record is read.
        """
        if self.gone and not 0 < self.imported <= generation:
            return 0
        if self.seconds is not None:
            return self.cost(self.seconds)
        return max(self._at(offset, self.most) for offset in (-SKEW, 0, SKEW))

    def _at(self, offset: int, seconds: int) -> int:
        local = (self.started + dt.timedelta(seconds=offset)).replace(tzinfo=None)
        known = quote(TARIFF, self.called, local)
        return known.cost(seconds) if known else 0


class Overspend(RuleBasedStateMachine):
    """Two servers share a state; each has read the book at its own time."""

    @initialize(limits=st.lists(st.integers(0, 20), min_size=2, max_size=2))
    def begin_book(self, limits):
        self.directory = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.generation = 1
        self.numbers = itertools.count(1)
        self.limit = dict(zip(CUSTOMERS, limits, strict=True))
        self.other = dict.fromkeys(CUSTOMERS, 0)
        self.calls: list[Call] = []
        self.known: list[tuple[dict[str, int], dict[str, int]]] = [({}, {}), ({}, {})]
        self.boards = [self.server(), self.server()]
        for place in (0, 1):
            self.read(place)

    def teardown(self):
        for board in getattr(self, "boards", ()):
            board.state.close()
        if hasattr(self, "directory"):
            self.directory.cleanup()

    def server(self) -> Switchboard:
        state = State(str(Path(self.directory.name) / "state.sqlite"))
        board = Switchboard(state=state, clock=self.clock, zone=ZONE)
        state.open()
        return board

    def owed(self, name: str) -> int:
        own = (call for call in self.calls if call.who == name)
        return self.other[name] + sum(part.cost_micro for call in own for part in call.records())

    @rule(place=st.integers(0, 1))
    def read(self, place):
        """A server reads the book as it is now."""
        accounts = [
            Account(
                customer=customer(name, str(self.limit[name]), tariff="timed, standard"),
                owed_micro=self.owed(name),
            )
            for name in CUSTOMERS
        ]
        fresh = snapshot(*accounts, generation=self.generation, settings=SETTINGS, decks=DECKS)
        records = [record for call in self.calls for record in call.records()]
        self.boards[place].adopt(fresh, records)
        self.boards[place].checked = self.clock()
        self.known[place] = dict(self.limit), dict(self.other)

    def granted(self, place, who):
        """What was allowed just now is paid for by what the server knew to be left."""
        limit, other = self.known[place]
        generation = self.boards[place].snapshot.generation
        exposed = sum(call.exposure(generation) for call in self.calls if call.who == who)
        assert exposed + other[who] <= limit[who] * EUR

    @rule(
        place=st.integers(0, 1),
        asked=st.lists(
            st.tuples(
                st.sampled_from(CUSTOMERS),
                st.sampled_from(NUMBERS),
                st.sampled_from((0, 1, 30, 61, 600)),
                st.integers(-SKEW, SKEW),
                st.booleans(),
            ),
            min_size=1,
            max_size=6,
        ),
    )
    def begin(self, place, asked):
        """Calls begin, many at once."""
        names = [f"call{next(self.numbers)}" for _ in asked]
        board = self.boards[place]
        board.checked = self.clock()
        answers = board.answer(
            [
                Begin(call=name, called=called, customer=who, seconds=seconds, ends=ends)
                for name, (who, called, seconds, _, ends) in zip(names, asked, strict=True)
            ]
        )
        for name, (who, called, seconds, offset, ends), told in zip(
            names, asked, answers, strict=True
        ):
            if told.allowed:
                assert not seconds or told.max_seconds <= seconds
                call = Call(name, who, called, self.clock(), told)
                call.offset, call.ends = offset, ends
                self.calls.append(call)
                self.granted(place, who)

    def going_on(self):
        return [call for call in self.calls if call.seconds is None and not call.gone]

    @precondition(lambda self: self.going_on())
    @rule(place=st.integers(0, 1), data=st.data(), more=st.sampled_from((0, 1, 45, 3600)))
    def extend(self, place, data, more):
        """A call wants to go on, or is asked for again by a switch that heard no answer."""
        call = data.draw(st.sampled_from(self.going_on()))
        board = self.boards[place]
        board.checked = self.clock()
        (told,) = board.answer([Extend(call=call.name, seconds=more)])
        if told.allowed:
            assert told.max_seconds > call.most
            call.most = told.max_seconds
            self.granted(place, call.who)
        else:
            assert told.max_seconds in {call.most, 0}

    @precondition(lambda self: self.going_on())
    @rule(place=st.integers(0, 1), data=st.data())
    def begin_again(self, place, data):
        """The question of a call that was allowed arrives a second time."""
        call = data.draw(st.sampled_from(self.going_on()))
        board = self.boards[place]
        board.checked = self.clock()
        (told,) = board.answer([Begin(call=call.name, called=call.called, customer=call.who)])
        if told.allowed and told.max_seconds > call.most:
            call.most = told.max_seconds
            self.granted(place, call.who)

    @precondition(lambda self: self.going_on())
    @rule(place=st.integers(0, 1), data=st.data(), is_told=st.booleans())
    def hang_up(self, place, data, is_told):
        """A call ends before its time, and the switch says so, or does not."""
        call = data.draw(st.sampled_from(self.going_on()))
        call.seconds = data.draw(st.integers(max(call.parts, default=0), call.most))
        if is_told or call.ends:
            self.boards[place].answer([End(call=call.name, seconds=call.seconds)])
            call.told_end = self.clock()

    @rule(number=st.integers(1, 5))
    def import_calls(self, number):
        """Records of calls that have ended are imported."""
        ended = [call for call in self.calls if call.seconds is not None and not call.imported]
        if ended:
            self.generation += 1
            for call in ended[:number]:
                call.imported = self.generation

    @precondition(lambda self: any(call.ends for call in self.going_on()))
    @rule(data=st.data())
    def import_a_part(self, data):
        """A dialplan forks or resets the record of a call that goes on, and it is imported."""
        call = data.draw(st.sampled_from([call for call in self.going_on() if call.ends]))
        self.generation += 1
        call.parts.append(data.draw(st.integers(max(call.parts, default=0), call.most)))

    @rule(who=st.sampled_from(CUSTOMERS), amount=st.integers(-5, 5))
    def pay_or_charge(self, who, amount):
        """Money moves, or a charge does."""
        self.generation += 1
        self.other[who] += amount * EUR

    @rule(who=st.sampled_from(CUSTOMERS), limit=st.integers(0, 20))
    def change_limit(self, who, limit):
        self.generation += 1
        self.limit[who] = limit

    @rule(seconds=st.sampled_from((1, 59, 700, 43_200)))
    def tick(self, seconds):
        """Time goes by; calls whose time is over have ended."""
        self.clock.forward(seconds=seconds)
        now = self.clock()
        for call in self.calls:
            over = call.started + dt.timedelta(seconds=SETTINGS.ring_seconds + call.most)
            until = over + dt.timedelta(seconds=SETTINGS.forget_seconds)
            if call.told_end is not None:
                until = call.told_end + dt.timedelta(seconds=SETTINGS.cdr_seconds)
            call.gone = call.gone or now >= until

    @rule(place=st.integers(0, 1))
    def crash(self, place):
        """A server dies and comes back."""
        board = self.boards[place]
        board.state.close()
        self.boards[place] = self.server()
        self.read(place)

    @rule(place=st.integers(0, 1), who=st.sampled_from(CUSTOMERS))
    def crash_before_it_is_written(self, place, who):
        """A server dies while it decides: nobody was told that the call is allowed."""
        board = self.boards[place]
        name = f"never{len(self.calls)}"

        def questions():
            yield Begin(call=name, called="3312", customer=who)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            board.answer(questions())
        (told,) = board.answer([End(call=name, seconds=1)])
        assert not told.is_known

    @invariant()
    def nothing_is_counted_twice(self):
        """Where every call has ended and was imported, calls hold nothing."""
        if not hasattr(self, "boards") or not all(call.imported for call in self.calls):
            return
        for place in (0, 1):
            self.read(place)
            assert self.boards[place].holding() == []


Overspend.TestCase.settings = settings(
    max_examples=sampled(60, 12), stateful_step_count=40, deadline=None, phases=PHASES
)
test_nobody_overspends = pytest.mark.long(Overspend.TestCase)
assert NOON.tzinfo is ZONE
