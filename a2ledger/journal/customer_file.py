"""A customer's own ledger: ``journals/customers/ID.beancount``.

It holds the options and includes that let it load alone, the ``open`` of both accounts with the
current facts as metadata, and every dated fact as ``DATE custom "a2ledger-set" "KEY" VALUE``.
A recurring fee is a line ``custom "a2ledger-fee"`` on its first day, and another for each change
of its amount and for its end. The includes name the periods' files. The last one is open.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money, period
from a2ledger.journal import syntax
from a2ledger.records import FACTS, KEYS, NUMBERS, Customer, Fact, Fee, span

_INCLUDE = re.compile(r'^include "\.\./(\d{4}-\d\d)/.*\.(\d\d)\.beancount"', re.MULTILINE)
_SET = re.compile(
    r'^(\d{4}-\d\d-\d\d) custom "a2ledger-set" "([a-z][a-z0-9_]*)" '
    r'("(?:[^"\\]|\\.)*"|-?[0-9.]+)\s*$',
    re.MULTILINE,
)
_DATED = re.compile(r'custom "a2ledger-(set|fee)"')
_OPEN = re.compile(
    r'^(\d{4}-\d\d-\d\d) open \S+:Unbilled[^\n]*\n  customer: "([^"]+)"', re.MULTILINE
)
_TEXT = r'"(?:[^"\\]|\\.)*"'
_FEES = re.compile(r'^[^;"\n]*custom "a2ledger-fee"[^\n]*', re.MULTILINE)
_FEE = re.compile(
    rf'(?P<day>\d{{4}}-\d\d-\d\d) custom "a2ledger-fee" (?P<id>{_TEXT}) '
    rf"(?:(?:(?P<service>{_TEXT}) )?(?P<amount>-?[0-9.]+) (?P<currency>[A-Z]{{3}})"
    rf'(?(service) "(?P<every>[a-z0-9-]+)" "(?P<when>advance|arrears)" (?P<text>{_TEXT}))'
    r'(?: (?P<quantity>[1-9][0-9]{0,5}))?|"stop")\s*'
)
_MOVES = re.compile(
    r"^\d{4}-\d\d-\d\d[ \t]+(?P<kind>txn|pad|balance|[*!&#?%PSTCURM])(?=[ \t\"])[^\n]*",
    re.MULTILINE,
)
"""What moves money, or asserts it: entries stand in the files of periods alone."""
_SHAPES = (
    'DATE custom "a2ledger-fee" "ID" "SERVICE" AMOUNT CURRENCY "month" '
    '"advance|arrears" "DESCRIPTION" [QUANTITY], "ID" AMOUNT CURRENCY [QUANTITY] or "ID" "stop"'
)


class BadLineError(ValueError):
    """A malformed line, with its number."""

    def __init__(self, line: int, message: str, todo: str = "") -> None:
        super().__init__(message)
        self.line, self.todo = line, todo


def path(customer: str) -> str:
    """Return the path of a customer's own ledger."""
    return f"journals/customers/{customer}.beancount"


def period_path(customer: str, start: dt.date) -> str:
    """Return the path of the file of a customer's period."""
    return f"journals/{period.month_of(start)}/{customer}.{start.day:02d}.beancount"


def parse(text: str) -> Customer:
    """Parse a customer's own ledger.

    Raises:
        ValueError: if it has no ``open`` as the program writes it, a fact that is none, or entries.
    """
    if moves := _MOVES.search(text):
        raise foreign_entry(_line(text, moves.start()), moves["kind"], moves[0])
    opened = _OPEN.search(text)
    if opened is None:
        raise ValueError('no `open` of an Unbilled account that bears customer: "ID"')
    facts: dict[str, list[tuple[dt.date, Fact]]] = {}
    for line in _SET.finditer(text):
        day, key, value = line.groups()
        try:
            facts.setdefault(key, []).append((period.read_day(day), _fact(key, value)))
        except ValueError as error:
            raise BadLineError(_line(text, line.start()), str(error)) from None
    if text.count('custom "a2ledger-set"') != sum(map(len, facts.values())):
        raise _bad_fact(text)
    return Customer(
        id=opened[2],
        opened=period.read_day(opened[1]),
        facts={
            key: tuple(sorted(facts[key], key=lambda change: change[0]))
            for key in FACTS
            if key in facts
        },
        periods=tuple(period.read_day(f"{month}-{day}") for month, day in _INCLUDE.findall(text)),
        has_deposit=f" open {accounts.DEPOSITS}" in text,
        fees=_fees(text) if '"a2ledger-fee"' in text else (),
    )


def foreign_entry(line: int, kind: str, first: str) -> BadLineError:
    """Return that a directive of some kind may not stand here; its first line is given."""
    return BadLineError(
        line,
        f"{kind!r} may not stand in a customer's own ledger: {first[:80]}",
        "write entries into the file of the open period",
    )


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _bad_fact(text: str) -> BadLineError:
    """Return what is wrong with the first line of a fact that is not as the program writes it."""
    place = next(
        match.start()
        for match in re.finditer(r'^.*custom "a2ledger-set".*$', text, re.MULTILINE)
        if not _SET.match(text, match.start())
    )
    first = text[place:].partition("\n")[0].strip()
    return BadLineError(_line(text, place), f'{first[:80]}: is not DATE "KEY" VALUE')


def line_of_fact(text: str, key: str, day: dt.date) -> int:
    """Return the line of a customer's own ledger that sets a fact on a day; 0 if none does."""
    start = text.find(f'{day} custom "a2ledger-set" "{key}" ')
    return _line(text, start) if start >= 0 else 0


def _fact(key: str, value: str) -> Fact:
    if key not in FACTS:
        raise ValueError(f"{key!r} is no fact of a customer; there is {', '.join(FACTS)}")
    if key in NUMBERS:
        if value.startswith('"'):
            raise ValueError(f"{key} must be a plain number, not {value}")
        try:
            return Decimal(value)
        except InvalidOperation:
            raise ValueError(f"{key} must be a plain number, not {value}") from None
    if not value.startswith('"'):
        raise ValueError(f"{key} must be text in quotes, not {value}")
    return syntax.unquoted(value)


def _fees(text: str) -> tuple[Fee, ...]:
    """Parse the fees in a customer's own ledger, by id.

    Raises:
        ValueError: naming the line that is wrong, or the fee whose lines do not fit together.
    """
    rows = []
    for line_match in _FEES.finditer(text):
        try:
            row = _FEE.fullmatch(line_match[0])
            if row is None:
                raise ValueError(f"is not {_SHAPES}")  # noqa: TRY301 - values may be wrong too
            money.parse(row["amount"] or "0")
            span(row["every"] or "month")
            rows.append((period.read_day(row["day"]), row))
        except ValueError as error:
            line = _line(text, line_match.start())
            raise BadLineError(line, f"{line_match[0].strip()}: {error}") from None
    rows.sort(key=lambda dated: dated[0])
    names = sorted({row["id"] for _, row in rows})
    return tuple(_fee(name, [dated for dated in rows if dated[1]["id"] == name]) for name in names)


def _fee(name: str, rows: list[tuple[dt.date, re.Match[str]]]) -> Fee:
    starts = [(day, row) for day, row in rows if row["service"]]
    stops = [day for day, row in rows if not row["amount"]]
    prices = [(day, money.parse(row["amount"])) for day, row in rows if row["amount"]]
    if len(starts) != 1 or starts[0][0] != rows[0][0]:
        raise ValueError(f"fee {name}: needs one line with its service, on its first day")
    if len({day for day, _ in prices}) != len(prices):
        raise ValueError(f"fee {name}: has two amounts on one day")
    if len(stops) > 1 or any(day >= stop for stop in stops for day, _ in prices[1:]):
        raise ValueError(f"fee {name}: can stop only once, and cannot change afterwards")
    row = starts[0][1]
    return Fee(
        id=syntax.unquoted(name),
        service=syntax.unquoted(row["service"]),
        every=row["every"],
        arrears=row["when"] == "arrears",
        description=syntax.unquoted(row["text"]),
        currency=row["currency"],
        prices=tuple(prices),
        until=stops[0] if stops else None,
        quantities=tuple((day, int(row["quantity"])) for day, row in rows if row["quantity"]),
    )


def _fee_lines(customer: Customer) -> list[str]:
    entries = [
        (day, fee.id, data.Custom({}, day, "a2ledger-fee", [fee.id, *values]))
        for fee in customer.fees
        for day, values in _fee_values(fee)
    ]
    return [syntax.formatted(entry) for *_, entry in sorted(entries, key=lambda row: row[:2])]


def _fee_values(fee: Fee) -> Iterator[tuple[dt.date, list[object]]]:
    """Yield the day and the values, beside its id, of each line of a fee."""
    places = money.decimals(fee.currency)
    for day, micro in fee.prices:
        amount = Amount(money.decimal(micro, places), fee.currency)
        many = fee.quantity(day)
        quantity = [Decimal(many)] if many > 1 else []
        if day == fee.start:
            when = "arrears" if fee.arrears else "advance"
            yield day, [fee.service, amount, fee.every, when, fee.description, *quantity]
        else:
            yield day, [amount, *quantity]
    if fee.until:
        yield fee.until, ["stop"]


def opens(customer: Customer, currency: str, today: dt.date) -> list[data.Open]:
    """Return the ``open`` entries of a customer's accounts, Unbilled's with today's facts."""
    meta: dict[str, object] = {"customer": customer.id}
    for key in KEYS:
        value = customer.fact(key, max(today, customer.opened))
        if value not in (None, ""):
            meta[key] = value
    names = [accounts.unbilled(customer.id), accounts.billed(customer.id)]
    if customer.has_deposit:
        names.append(accounts.deposits(customer.id))
    return [
        data.Open(
            meta if name == names[0] else {"customer": customer.id},
            customer.opened,
            name,
            [currency],
            None,
        )
        for name in names
    ]


def shown(text: str, customer: Customer, *keys: str) -> list[str]:
    """Return facts as the ``open`` entries in a customer's own ledger repeat them, or empty.

    What they say that never was a fact is an edit, which the next command that writes undoes:
    then it is the latest.
    """
    head = text.partition(' custom "a2ledger-set" ')[0]  # they stand above all facts
    meta = next((block.meta for block in syntax.blocks(head) if block.kind == "open"), {})
    return [
        value
        if not value or value in map(str, customer.values(key))
        else customer.text(key, dt.date.max)
        for key in keys
        for value in (meta.get(key, ""),)
    ]


def new(customer: Customer, currency: str, today: dt.date) -> str:
    """Return the text of a new customer's own ledger."""
    head = (
        f'option "title" {syntax.quoted(customer.id)}\n'
        f'option "operating_currency" {syntax.quoted(currency)}\n'
        'option "tolerance_multiplier" "0"\n'
        'include "../chart.beancount"\n\n'
    )
    lines = [syntax.formatted(entry) for entry in opens(customer, currency, today)]
    changes = _changes(customer)
    includes = (_include(customer.id, start) for start in customer.periods)
    dated = "".join([*changes, *_fee_lines(customer)])
    return head + "".join(lines) + "\n" + dated + "\n" + "".join(includes)


def _changes(customer: Customer) -> list[str]:
    rows = [
        (day, FACTS.index(key), key, value)
        for key, history in customer.facts.items()
        for day, value in history
    ]
    return [
        syntax.formatted(data.Custom({}, day, "a2ledger-set", [key, value]))
        for day, _, key, value in sorted(rows, key=lambda row: row[:2])
    ]


def _include(customer: str, start: dt.date) -> str:
    name = period_path(customer, start).removeprefix("journals/")
    return f'include "../{name}"\n'


def updated(text: str, customer: Customer, currency: str, today: dt.date) -> str:
    """Return a customer's own ledger brought up to date, keeping what people wrote in it.

    The ``open`` entries, the dated facts and the fees are written anew, facts and fees where the
    first of them stood; includes of periods that are missing are added at the end.
    """
    parsed = syntax.blocks(text)
    entries = {entry.account: syntax.formatted(entry) for entry in opens(customer, currency, today)}
    held = accounts.deposits(customer.id)
    missing = entries.get(held, "") if f" open {held} " not in text else ""
    dated = [*_changes(customer), *_fee_lines(customer)]
    parts: list[str] = []
    written = False
    for block in parsed:
        if block.kind == "open":
            account = block.text.split()[2]
            new = entries.get(account, "") + missing * (account == accounts.billed(customer.id))
            parts.append(new + syntax.tail(block.text) if new else block.text)
        elif _DATED.search(block.text.partition("\n")[0]):
            if not written:
                parts += dated
                written = True
            parts.append(syntax.tail(block.text))
        else:
            parts.append(block.text)
    if not written:
        parts += dated
    result = "".join(parts)
    return result + "".join(
        include
        for start in customer.periods
        if (include := _include(customer.id, start)) not in result
    )


def with_closes(text: str, customer: str, day: dt.date | None) -> str:
    """Return a customer's own ledger with the accounts closed on a day, or not closed at all."""
    kept = [
        syntax.tail(block.text).lstrip("\n") if block.kind == "close" else block.text
        for block in syntax.blocks(text)
    ]
    if day is None:
        return "".join(kept)
    closes = "".join(
        syntax.formatted(data.Close({}, day, account))
        for account in (accounts.unbilled(customer), accounts.billed(customer))
    )
    return "".join(kept) + closes


def with_facts(customer: Customer, changes: Iterable[tuple[str, Fact]], since: dt.date) -> Customer:
    """Return the customer with facts that hold from a day on, unless they hold already."""
    facts = dict(customer.facts)
    for key, value in changes:
        history = [change for change in facts.get(key, ()) if change[0] != since]
        before = [change for change in history if change[0] < since]
        holds = before[-1][1] if before else None
        if value != holds:
            history = sorted([*history, (since, value)], key=lambda change: change[0])
        facts[key] = tuple(history)
    ordered = {key: facts[key] for key in FACTS if facts.get(key)}
    return replace(customer, facts=ordered)
