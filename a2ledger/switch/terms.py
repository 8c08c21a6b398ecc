"""Terms of customers' calls, from the book at one of its generations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from a2ledger import callguards, money
from a2ledger.book.authorize import Authorize
from a2ledger.callguards import CallGuards
from a2ledger.rating.deck import Deck, Tariff
from a2ledger.records import Customer

NOT_BLOCKED = ("", "no")
"""Values of the fact ``blocked`` that allow calls; any other is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer, and what they owe."""

    customer: Customer
    owed_micro: int
    is_sound: bool = True
    """True if their ledger could be read; else the amount is an older one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a customer's calls on a day."""

    customer: str
    limit_micro: int
    owed_micro: int
    tariff: Tariff | None
    """None if a deck is missing, or is in another currency than the account."""
    discount: int
    """In hundredths of a percent."""
    blocked: str
    """Why the customer may not call, empty if they may."""
    guards: CallGuards
    dial_plan: str
    is_sound: bool
    allowed_on_failure: bool

    @property
    def balance_micro(self) -> int:
        """Return the credit limit less what is owed."""
        return self.limit_micro - self.owed_micro


@dataclass(kw_only=True)
class Snapshot:
    """The customers, decks and settings of one generation of the book."""

    generation: int
    accounts: Mapping[str, Account]
    holders: Mapping[str, tuple[str, ...]]
    """Customers who ever held an identifier."""
    decks: Mapping[str, Deck]
    currency: str
    deck_currencies: Mapping[str, str]
    """Currencies of decks other than the book's."""
    settings: Authorize
    normalised: Callable[[str, str], str]
    """Returns the digits of a dialled number, given the customer's dial plan."""
    _terms: dict[tuple[str, dt.date], Terms | None] = field(default_factory=dict, init=False)

    def customer_of(self, identifier: str, day: dt.date) -> str | None:
        """Return the customer who holds an identifier on a day, or None if nobody or two do."""
        candidates = {identifier} & self.accounts.keys()
        for name in self.holders.get(identifier, ()):
            if identifier in self.accounts[name].customer.listed("identifiers", day):
                candidates.add(name)
        return candidates.pop() if len(candidates) == 1 else None

    def terms(self, customer: str, day: dt.date) -> Terms | None:
        """Return the terms of a customer's calls on a day, or None if there is no such customer."""
        key = customer, day
        if key not in self._terms:
            if len(self._terms) > 4 * len(self.accounts) + 100:
                self._terms.clear()  # days have gone by
            account = self.accounts.get(customer)
            self._terms[key] = None if account is None else self._made(account, day)
        return self._terms[key]

    def _made(self, account: Account, day: dt.date) -> Terms:
        customer, settings = account.customer, self.settings
        group = settings.group(customer.text("group", day))
        own = callguards.parse_text(customer.text("guards", day))
        policy = group.on_failure or settings.on_failure
        return Terms(
            customer=customer.id,
            limit_micro=money.parse(customer.text("credit_limit", day) or "0"),
            owed_micro=account.owed_micro,
            tariff=self._tariff(customer, day),
            discount=int((customer.fact("discount_percent", day) or 0) * 100),
            blocked=_blocked(customer, day, settings),
            guards=own.under(group.guards.under(settings.guards)),
            dial_plan=customer.text("dial_plan", day),
            is_sound=account.is_sound,
            allowed_on_failure=policy == "allow",
        )

    def _tariff(self, customer: Customer, day: dt.date) -> Tariff | None:
        names = customer.listed("tariff", day)
        own = customer.text("currency", customer.opened) or self.currency
        if any(
            name not in self.decks or self.deck_currencies.get(name, self.currency) != own
            for name in names
        ):
            return None
        return Tariff(name=", ".join(names), decks=tuple(self.decks[name] for name in names))


def _blocked(customer: Customer, day: dt.date, settings: Authorize) -> str:
    reason = customer.text("blocked", day)
    if reason not in NOT_BLOCKED:
        return reason
    if customer.settled:
        return "the account is settled"
    status = customer.text("status", day)
    return f"status: {status}" if status in settings.blocked_statuses else ""
