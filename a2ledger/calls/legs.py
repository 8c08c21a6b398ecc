"""Legs of trunks: what is billed, in place of rows, of a switch whose trunks are known.

A leg is a channel of a trunk. A switch writes several rows about it: one for each ``Dial``, bridge
or transfer the channel was in, and about whatever stood at its other end. The leg

- goes **out** if it was dialled where it is named first, and else came **in**;
- lasts from the **first answer** to the **last end** of the rows that name it, on either side;
- has the **number** that the row it is first named in dialled by the trunk, else its ``dst``;
- is **paid** by the account of that row, else by whose device dialled it; then by who holds the
  number that was called in the same call, the row's ``peeraccount``, and the customer whose phone
  any row of the call names. An account that a device has inherited by being called itself, and not
  by calling, comes after the device.

Rows that name a leg, or a ``Local`` channel that led to one, are parts of it. Rows between two
extensions stay what they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from a2ledger.calls import dialled
from a2ledger.sources.batch import INCOMING, OUTGOING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


class Row(NamedTuple):
    """A row of a call, with times in seconds since 1970.

    ``place`` is the row's number among all. ``counts`` says whether it was answered and is not one
    of the hang-up handler's.
    """

    place: int
    uniqueid: str
    sequence: str
    channel: str
    dstchannel: str
    accountcode: str
    peeraccount: str
    src: str
    dst: str
    did: str
    userfield: str
    lastdata: str
    start: int
    answer: int
    end: int
    seconds: int
    counts: bool
    linkedid: str = ""

    @property
    def name(self) -> str:
        """Return the row's id, as a leg lists its rows."""
        return name_of(self._asdict())


def name_of(row: Mapping[str, Any]) -> str:
    """Return a row's id, made from ``uniqueid`` and ``sequence``."""
    return f"{row['uniqueid']}/{row['sequence']}" if row["sequence"] else str(row["uniqueid"])


class Leg(NamedTuple):
    """A leg: where it goes, the rows it was made of, and what is billed of it.

    ``head`` is the row it is first named in, ``rows`` are all, in order of time. ``account`` is
    what stands in for the head's account code, ``payer`` what says whose it is where nothing in the
    head does. ``mark`` tells legs of one id apart.
    """

    channel: str
    direction: str
    head: Row
    rows: tuple[Row, ...]
    seconds: int
    called: str
    account: str
    payer: str
    mark: str
    extension: str = ""
    """The customer's device that dialled or took the leg."""
    ringing: int = 0
    """Seconds taken off, in which the other end had not answered."""

    @property
    def text(self) -> str:
        """Return the channel and the rows of a leg, as stored in the call detail."""
        return f"{self.channel}: {' '.join(dict.fromkeys(row.name for row in self.rows))}"


class Rules(NamedTuple):
    """The functions of a source that decide about legs."""

    is_trunk: Callable[[str], bool]
    device: Callable[[str], str]
    """Returns the name of the device behind a channel."""
    holds: Callable[[str, int], bool]
    """Returns True if a customer holds an identifier at a time."""
    technical_prefixes: tuple[str, ...] = ()
    before_dialling: int | None = None
    """Seconds taken off a leg that a call dialled which had been answered before.

    If None, :data:`RINGING` is taken off where the rows show that a menu dialled.
    """


RINGING = 3
"""Seconds that any call by a carrier rings at least: the mean of local calls in ITU-T E.721."""

MARK = "~"
"""Separates a uniqueid from the suffix that distinguishes legs of one id."""


def legs(rows: Sequence[Row], rules: Rules) -> list[Leg]:
    """Return the answered legs of a call.

    Args:
        rows: all of one call, in any order.
        rules: of its source.
    """
    ordered = sorted(rows, key=_turn)
    named: dict[str, list[Row]] = {}
    for row in ordered:
        for channel in (row.dstchannel, row.channel):
            if channel and rules.is_trunk(channel):
                named.setdefault(channel, []).append(row)
    answered = [
        _leg(channel, tuple(dict.fromkeys(own)), ordered, rules)
        for channel, own in named.items()
        if any(row.counts for row in own)
    ]
    return list(_marked(answered))


def _turn(row: Row) -> tuple[int, int, int, str, int]:
    """Return a sort key that puts rows in order of time, as far as they show it."""
    number = int(row.sequence) if row.sequence.isascii() and row.sequence.isdigit() else 0
    # Of rows of one second a caller's comes before those of the channels it has dialled.
    return row.start, -row.end, number, row.name, row.place


def _leg(channel: str, own: tuple[Row, ...], every: Sequence[Row], rules: Rules) -> Leg:
    counted = [row for row in own if row.counts]
    first = min(own, key=lambda row: (row.start, row.dstchannel != channel))
    goes_out = first.dstchannel == channel
    head = min(own, key=_dialling) if goes_out else first
    head = head if head.start == first.start else first
    seconds = max(row.end for row in counted) - min(row.answer for row in counted)
    if len({(row.answer, row.end) for row in counted}) == 1:
        seconds = counted[0].seconds
    if goes_out:
        ringing = min(_ringing(head, channel, every, rules), seconds)
        called = _number(head, channel, rules)
        account, payer = _payer(head, called, every, rules)
        caller = rules.device(_origin(head, every).channel)
        return Leg(
            channel,
            OUTGOING,
            head,
            own,
            seconds - ringing,
            called,
            account,
            payer,
            mark="",
            extension=caller,
            ringing=ringing,
        )
    called, payer = _callee(head, own, every, rules)
    taker = next(_phones(counted, rules), "")
    return Leg(channel, INCOMING, head, own, seconds, called, "", payer, "", taker)


def _ringing(head: Row, channel: str, every: Sequence[Row], rules: Rules) -> int:
    """Return the seconds of a leg's row before its other end answered, as far as known.

    The row of a call that the switch had answered itself, by a menu or a calling card, counts from
    its beginning, and so includes the ringing. That of a call which was transferred does too, but
    there somebody else was talked to before.
    """
    if rules.before_dialling == 0 or not head.counts or head.answer != head.start:
        return 0
    same = [row for row in every if row.channel == head.channel]
    if any(row.start < head.start and rules.device(row.dstchannel) for row in same):
        return 0
    if rules.before_dialling is None:
        return RINGING if _is_of_menu(head, channel, same, rules) else 0
    return rules.before_dialling if rules.device(head.channel) else 0


def _is_of_menu(head: Row, channel: str, same: Sequence[Row], rules: Rules) -> bool:
    """Tell whether rows show that a menu dialled: by a code, or one number after the other.

    A call answered within its first second looks the same but for that.

    Args:
        head: of the leg.
        channel: of the leg.
        same: the rows of the channel that dialled it.
        rules: of the source.
    """
    if is_code(head.dst) and dialled.number(head.lastdata, channel):
        return True
    first = min(same, key=_turn)
    dialling = [row for row in same if row.counts and rules.is_trunk(row.dstchannel)]
    return (
        first.answer == first.start
        and any(row.dstchannel != channel for row in dialling)
        and all(
            row.end <= head.start or row.start >= head.end
            for row in dialling
            if row.dstchannel != channel
        )
    )


def is_code(number: str) -> bool:
    """Return True if what was called is a code of the switch, such as ``*55``, and no number."""
    return 0 < len(number.lstrip("+")) < dialled.LEAST_DIGITS


def _dialling(row: Row) -> tuple[int, bool]:
    """Return a sort key: start time, then rows that dialled by a trunk."""
    return row.start, not dialled.number(row.lastdata, row.dstchannel)


def _number(head: Row, channel: str, rules: Rules) -> str:
    number = dialled.number(head.lastdata, channel) or dialled.behind_local(head.lastdata)
    return dialled.billed(head.dst, number, rules.technical_prefixes)


def _payer(head: Row, called: str, every: Sequence[Row], rules: Rules) -> tuple[str, str]:
    """Return the account of an outgoing leg, and the payer if that account is nobody's."""
    origin = _origin(head, every)
    device = rules.device(origin.channel)
    account = head.accountcode
    was_called = any(
        row.dstchannel == origin.channel and row.start <= origin.start and row is not origin
        for row in every
    )
    if device and rules.holds(device, head.start) and (was_called or not account):
        account = device
    candidates = [origin.accountcode, device]
    for row in every:
        if row.start <= head.start:
            candidates += [text for text in (row.did, row.dst) if not dialled.is_same(text, called)]
    candidates += [head.peeraccount, *_phones(every, rules)]
    candidates += [row.accountcode for row in every]
    return account, _first(candidates, head.start, rules)


def _origin(head: Row, every: Sequence[Row]) -> Row:
    """Return the row that dialled the ``Local`` channels leading to a leg, else its own."""
    seen = set()
    row = head
    while (whole := _whole(row.channel)) and whole not in seen:
        seen.add(whole)
        dialling = [
            other
            for other in every
            if other.dstchannel.startswith("Local/")
            and _whole(other.dstchannel) == whole
            and _whole(other.channel) != whole
        ]
        if not dialling:
            break
        # Who is in a conference dials nothing, though rows say so: the caller's number tells.
        row = min(dialling, key=lambda other: (other.start, other.src != head.src))
    return row


def _callee(head: Row, own: Sequence[Row], every: Sequence[Row], rules: Rules) -> tuple[str, str]:
    """Return the number an incoming leg called, and its holder or the phone that rang."""
    numbers = [text for row in own for text in (row.did, row.dst, row.userfield)]
    held = [text for text in numbers if len(text) > _SHORT and rules.holds(text, head.start)]
    candidates = [*held, *_phones(own, rules), head.peeraccount]
    candidates += [row.peeraccount for row in own] + [row.accountcode for row in own]
    candidates += [*_phones(every, rules), *(row.dst for row in every)]
    return (held[0] if held else head.dst), _first(candidates, head.start, rules)


_SHORT = 6
"""Characters of the longest extension."""


def _phones(rows: Sequence[Row], rules: Rules) -> Iterator[str]:
    """Yield the devices that rows name, destinations first."""
    for row in rows:
        yield from filter(None, map(rules.device, (row.dstchannel, row.channel)))


def _first(candidates: Sequence[str], start: int, rules: Rules) -> str:
    return next((text for text in candidates if text and rules.holds(text, start)), "")


def _whole(channel: str) -> str:
    """Return the name of the ``Local`` channel of which a channel is half, or an empty text."""
    return channel[:-2] if channel.startswith("Local/") and channel[-2:-1] in {";", ","} else ""


def _marked(unmarked: Sequence[Leg]) -> Iterator[Leg]:
    """Yield legs, those with the id of an earlier leg marked, outgoing ones first."""
    taken: dict[tuple[str, str], int] = {}
    order = sorted(
        unmarked, key=lambda leg: (leg.direction == INCOMING, _turn(leg.head), leg.channel)
    )
    for leg in order:
        key = (leg.head.uniqueid, leg.head.sequence)
        count = taken[key] = taken.get(key, 0) + 1
        if leg.direction == INCOMING and count > 1:
            yield leg._replace(mark=f"{MARK}in{count - 1 if count > 2 else ''}")  # noqa: PLR2004
        else:
            yield leg._replace(mark=f"{MARK}{count}" if count > 1 else "")


def parts(rows: Sequence[Row], of_call: Sequence[Leg], rules: Rules) -> set[int]:
    """Return the places of rows that are part of a leg but not its head.

    Rows between two extensions are none, though a leg is of their call.
    """
    heads = {leg.head.place for leg in of_call}
    return {row.place for row in rows if row.place not in heads and not _is_internal(row, rules)}


def _is_internal(row: Row, rules: Rules) -> bool:
    return bool(rules.device(row.channel) and rules.device(row.dstchannel)) and not (
        rules.is_trunk(row.channel) or rules.is_trunk(row.dstchannel)
    )
