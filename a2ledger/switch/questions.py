"""Questions of switches, and the switchboard's answers."""

from __future__ import annotations

from dataclasses import dataclass

from a2ledger.switch.decide import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """A request to make a call.

    ``identifiers`` are tried in order; ``customer`` names one instead. ``seconds`` is how long it
    is to be allowed for, 0 if the switch does not say. ``is_setup`` promises that the switch asks
    again when it is answered; ``is_answered`` says that it just was; ``ends`` promises that it says
    when the call is hung up.
    """

    call: str
    called: str
    identifiers: tuple[str, ...] = ()
    customer: str = ""
    switch: str = ""
    seconds: int = 0
    is_setup: bool = False
    is_answered: bool = False
    ends: bool = False
    protocol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """A request to extend a call by some seconds, 0 if the switch does not say how many."""

    call: str
    switch: str = ""
    seconds: int = 0
    otherwise: Begin | None = None
    """The call to begin if it is not known yet."""
    protocol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A call that was hung up, with its seconds of talk."""

    call: str
    switch: str = ""
    seconds: int = 0
    is_answered: bool = True
    protocol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The result of a call that was hung up."""

    call: str
    is_known: bool
    customer: str = ""
    seconds: int = 0
    cost_micro: int = 0
    available_micro: int = 0


Question = Begin | Extend | End
Answer = Decision | Settled
