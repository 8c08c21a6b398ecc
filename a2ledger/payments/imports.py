"""Import refills, payments, charges and openings: one entry each, in the open period.

An entry's link is its identity. The general ledger, which holds every such entry of every
customer, is where a link is looked up. A payment that names no customer goes into suspense, from
where `transfer` assigns it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypedDict

from beancount.core import data

from a2ledger import accounts, money
from a2ledger.book.book import SUSPENSE, Draft
from a2ledger.book.config import Config
from a2ledger.documents import issue_taxed_refill
from a2ledger.documents import paths as document_paths
from a2ledger.journal import chart, customer_file, exchange_rates, subledgers, syntax
from a2ledger.journal import entries as journal_entries
from a2ledger.journal.entries import ISSUED
from a2ledger.journal.period_file import PeriodFile, with_entries
from a2ledger.journal.syntax import Block
from a2ledger.payments import columns, posting, recognise, remainder
from a2ledger.payments.pairs import Known, add_up, held_already, incumbents, pair, part, write
from a2ledger.period import DAY, month_of
from a2ledger.records import Customer, Movement
from a2ledger.sources import local
from a2ledger.sources.batch import ENTRY, Refused, digest
from a2ledger.sources.report import Report

AHEAD = DAY
"""How far ahead of today a row may be dated: elsewhere it may be tomorrow already."""

KINDS = {"refills": "refill", "payments": "payment", "charges": "charge", "openings": "opening"}


def import_movements(
    draft: Draft, source: str, paths: list[Path], accepted: Collection[str] = ()
) -> Report:
    """Import files of refills, payments, charges or openings into the draft.

    Args:
        draft: of the book.
        source: one of :data:`KINDS`.
        paths: the files.
        accepted: identities of conflicts in which the row is to take the place of what the open
            period has.
    """
    kind = KINDS[source]
    report = Report(source=source, files=[str(path) for path in paths])
    given: list[Movement] = []
    for path in paths:
        parsed = columns.read(kind, path, draft.config, source=source)
        given += parsed.movements
        report.read += parsed.read
        report.refused += parsed.refused
        for note in parsed.notes:
            draft.talk(note)
    take(draft, given, {kind: report}, accepted)
    report.refused = local.in_full(
        report.refused,
        columns.HEADERS[kind],
        draft.config.locale,
        amounts=columns.AMOUNTS,
        days=columns.DAYS,
    )
    return report


def take(
    draft: Draft,
    given: Iterable[Movement],
    reports: Mapping[str, Report],
    accepted: Collection[str] = (),
    *,
    incumbent: bool = False,
) -> None:
    """Post movements into the draft, each once, and count them in the report of their kind.

    What may be a pair must come together, or one of it be in the book. What is older than its
    account is posted late, on the open period's first day.

    Args:
        draft: of the book.
        given: the movements.
        reports: by kind.
        accepted: identities of conflicts, as for :func:`import_movements`.
        incumbent: whether they are A2Billing's own rows: these have more decimals than a currency,
            and what of them is older than an account is in its opening balance already.
    """
    given = list(given)
    known = held_already(draft, given)
    suspended = {link for link, held in known.items() if not held.customer}
    if given != (owned := list(recognise.recognised(draft, given, suspended))):
        given, known = owned, held_already(draft, owned)
    taking = _Taking(draft, {}, frozenset(accepted), incumbent)
    for movement in sorted(given, key=lambda row: (row.date, row.id)):
        held = _giving_way(movement, known, accepted)
        others = {link: row for link, row in known.items() if row is not held} if held else known
        report = reports[movement.kind]
        if incumbent and _is_older(draft, movement):
            report.not_billable["before-opening"] += 1
            continue
        _sort_in(taking, movement, others, report)
        if held and posting.link(movement) in taking.fresh:
            known = others
            report.displaced.append(_displaced(movement, held))
    _post(draft, taking.fresh, known, reports)


class _Taking(NamedTuple):
    """The state of a run: what it posts, and how."""

    draft: Draft
    fresh: dict[str, tuple[Movement, data.Transaction]]
    """Entries to post, by link."""
    accepted: frozenset[str]
    """Identities of conflicts that a person has decided in favour of the row."""
    incumbent: bool

    def new(self, customer: str) -> Iterator[data.Transaction]:
        """Yield a customer's entries to post."""
        for movement, entry in self.fresh.values():
            if movement.customer == customer:
                yield entry


def _is_older(draft: Draft, movement: Movement) -> bool:
    """Return True if a movement is older than its customer's account."""
    customer = subledgers.customers(draft).get(movement.customer)
    return customer is not None and dt.date.min < movement.date < customer.opened


def _giving_way(
    movement: Movement, known: Mapping[str, Known], accepted: Collection[str]
) -> Known | None:
    """Return the entry an accepted row replaces, unless that is closed or has a document."""
    held = known.get(posting.link(movement))
    if held is None or _conflict(movement).identity not in accepted:
        return None
    fixed = held.sealed or held.owners or {ISSUED, "voided"} & held.entry.meta.keys()
    return held if held.customer and not fixed else None


_JOURNALS = "journals"


def _displaced(movement: Movement, held: Known) -> Refused:
    """Return a replaced entry as a quarantined conflict."""
    raw = syntax.formatted(held.entry)
    name = f"{posting.link(movement)}#{digest(raw)[:8]}"
    message = f"{movement.kind} {movement.id} was in the book so until another row was accepted"
    return Refused(_JOURNALS, 0, "conflict", message, raw, name, ENTRY)


def _sort_in(
    taking: _Taking, movement: Movement, known: Mapping[str, Known], report: Report
) -> None:
    """Sort one row into its bucket, and into ``taking.fresh`` if it is to be posted."""
    draft, fresh = taking.draft, taking.fresh
    config = draft.config
    customer = subledgers.customers(draft).get(movement.customer)
    link = posting.link(movement)
    if unusable := _unusable(movement, customer, config, draft.today):
        report.refused.append(unusable)
        return
    if customer and movement.date == dt.date.min:
        movement = replace(movement, date=customer.opened)
    entry = _entry(draft, movement, customer)
    if isinstance(entry, Refused):
        report.refused.append(entry)
        return
    content = posting.canonical(entry)
    is_held = link in known and posting.canonical(known[link].entry) == content
    finer = None if taking.incumbent or is_held else _finer(draft, movement)
    if finer:
        report.refused.append(finer)
        return
    if link in fresh:
        rival, other = fresh[link]
        order, own = (posting.canonical(other), rival.customer), (content, movement.customer)
        if order == own:
            report.duplicate += 1
        elif order < own:
            report.refused.append(_conflict(movement))
        else:
            report.refused.append(_conflict(rival))
            fresh[link] = (movement, entry)
        return
    if link in known:
        _compare(movement, content, known[link], report)
    elif refused := _closed(draft, movement, customer, entry) or (
        _unpostable(taking, movement, customer, entry) if customer else None
    ):
        report.refused.append(refused)
    else:
        fresh[link] = (movement, entry)


def _unusable(
    movement: Movement, customer: Customer | None, config: Config, today: dt.date
) -> Refused | None:
    """Return a refusal if a row cannot be posted at all, else None."""
    if customer is None and movement.customer:
        message = f"no customer {movement.customer}; add the customer, then run `quarantine retry`"
        return _refuse(movement, "unknown-customer", message)
    if movement.date > today + AHEAD:
        message = f"it is dated {movement.date}, and today is {today}; correct the day"
        return _refuse(movement, "future", message)
    if movement.kind == "charge" and movement.service not in config.services:
        return _refuse(movement, "unknown-service", config.unknown_service(movement.service))
    return None


def _finer(draft: Draft, movement: Movement) -> Refused | None:
    """Refuse an amount with more decimals than its currency, else return None."""
    own = subledgers.currency(draft, movement.customer) if movement.customer else ""
    currency = movement.currency or own or draft.config.currency
    if not money.is_finer(movement.amount_micro, currency):
        return None
    amount, places = money.text(movement.amount_micro, 2), money.decimals(currency)
    message = f"{amount} has more than the {places} decimals of {currency}"
    return _refuse(movement, "bad-amount", message)


def _compare(movement: Movement, content: str, held: Known, report: Report) -> None:
    """Count a row whose id is in the book, as a duplicate or a conflict."""
    same = posting.canonical(held.entry) == content
    if same and part(movement.customer) in {held.customer, *held.owners}:
        report.duplicate += 1
        report.known.add(posting.link(movement))
    elif same and not held.customer:
        report.refused.append(_unmatched(movement))
    else:
        report.refused.append(_conflict(movement))


def _entry(
    draft: Draft, movement: Movement, customer: Customer | None
) -> data.Transaction | Refused:
    """Make a movement's entry, or refuse it if its currency cannot be converted."""
    config, credited = draft.config, None
    if customer is None:  # in suspense money stays in its own currency
        own = movement.currency or config.currency
        return posting.entry(movement, currency=own, methods=config.methods)
    currency = subledgers.currency(draft, customer.id)
    if movement.currency not in {"", currency}:
        if movement.kind == "payment":
            credited = exchange_rates.prices(draft).converted(
                movement.amount_micro, movement.currency, currency, movement.date
            )
        if credited is None:
            return _refuse(
                movement,
                "bad-currency",
                f"it is in {movement.currency}; {customer.id} has {currency}, and only payments "
                "are converted, by the prices of both: see `import prices`",
            )
    return posting.entry(
        movement,
        currency=currency,
        methods=config.methods,
        credited_micro=credited,
        **_taxed(movement, customer, config),
    )


def _unpostable(
    taking: _Taking, movement: Movement, customer: Customer, entry: data.Transaction
) -> Refused | None:
    """Return a refusal if a customer's account cannot take an entry, else None."""
    draft = taking.draft
    if customer.settled and movement.kind == "charge":
        message = f"the account of {customer.id} is settled; reopen it, then run `quarantine retry`"
        return _refuse(movement, "settled", message)
    if movement.kind == "opening" and movement.reference in draft.once(document_paths.every):
        message = (
            f"{movement.reference} is a document of this book; an opening balance is what another "
            "system billed: correct its number, or leave it out if it is billed here"
        )
        return _refuse(movement, "number-taken", message)
    if movement.kind in {"refill", "payment"}:
        earlier = _told_before(taking, movement, customer, entry)
        if earlier and earlier.identity not in taking.accepted:
            return earlier
        late = entry.date < customer.open_since
        placed = journal_entries.moved_to(entry, customer.open_since) if late else entry
        if obstacle := issue_taxed_refill.objection(draft, customer, placed):
            return _refuse(movement, *obstacle)
    return None


def _closed(
    draft: Draft, movement: Movement, customer: Customer | None, entry: data.Transaction
) -> Refused | None:
    """Refuse an entry on a closed account, else return None."""
    day = max(entry.date, customer.open_since) if customer else entry.date
    closing = chart.closed(draft, (leg.account for leg in entry.postings), day)
    if closing is None:
        return None
    message = f"{closing}; take that line away, or correct the day or the method, then retry"
    return _refuse(movement, "closed-account", message)


def _told_before(
    taking: _Taking, movement: Movement, customer: Customer, entry: data.Transaction
) -> Refused | None:
    """Refuse a reversal that another entry has recorded already, else return None."""
    if movement.amount_micro >= 0:
        return None
    new = "".join(map(syntax.formatted, taking.new(customer.id)))
    held = [*account_blocks(taking.draft, customer), *syntax.blocks(new)]
    asked = _legs_of(entry)[0]
    for link, payment in remainder.held(held, customer.id, movement.kind).items():
        if movement.reference and remainder.is_called(link, movement.kind, movement.reference):
            rest = max(payment.amount_micro, 0)
            if -posting.credited(entry) <= rest:
                return None
            message = (
                f"{money.text(rest, 2)} is left of {movement.kind} {movement.reference}: it was "
                "returned, moved or reversed before; if this is another one, correct its reference"
            )
            return _rival(movement, message)
    for block in held if movement.kind == "payment" else ():
        if _is_refund(block, asked, movement):
            message = (
                f"{block.links[0]} of {block.date} already records this refund; if this is "
                "another one, `quarantine retry --accept` posts it"
            )
            return _rival(movement, message)
    return None


_SOON = 10 * DAY
"""Days a bank may take to report a refund."""


def _is_refund(block: Block, asked: syntax.Leg, movement: Movement) -> bool:
    """Return True if an entry is the refund that a row reports."""
    if not any(name.startswith("refund-") for name in block.links):
        return False
    entry = journal_entries.read_entry(block.text)
    near = abs(journal_entries.own_day(entry) - movement.date) <= _SOON
    named = movement.reference == str(entry.meta.get("id", ""))
    return asked in block.legs and (named or (near and not movement.reference))


def account_blocks(draft: Draft, customer: Customer) -> Iterator[Block]:
    """Yield all entries of a customer's own ledger except usage, oldest period first."""
    for start in customer.periods:
        text = draft.text(customer_file.period_path(customer.id, start))
        above = text.partition(syntax.MARKER)[0]
        yield from (block for block in syntax.blocks(above) if block.kind in {"*", "!"})


def _legs_of(entry: data.Transaction) -> list[syntax.Leg]:
    return syntax.legs(syntax.formatted(entry))


class _Taxed(TypedDict, total=False):
    """VAT arguments of :func:`a2ledger.payments.posting.entry` for a charge."""

    vat: str
    pending_micro: int


def _taxed(movement: Movement, customer: Customer, config: Config) -> _Taxed:
    if movement.kind != "charge":
        return {}
    who = config.party(customer, movement.date, customer.open_since)
    code = config.code_of(movement.service, who, movement.date).code
    return {"vat": code, "pending_micro": config.pending(movement.amount_micro, code, who)}


def _refuse(movement: Movement, reason: str, message: str) -> Refused:
    raw = ",".join([movement.id, movement.customer, str(movement.date), str(movement.amount_micro)])
    return Refused(movement.file, movement.line, reason, message, raw, posting.link(movement))


def _conflict(movement: Movement) -> Refused:
    return _rival(
        movement,
        f"{movement.kind} {movement.id} is already in the book with other values; "
        "give it another id, or correct the row",
    )


def _unmatched(movement: Movement) -> Refused:
    return _rival(
        movement,
        f"payment {movement.id} is in suspense; "
        f"`a2ledger transfer suspense {movement.customer} {movement.id}` assigns it",
    )


def _rival(movement: Movement, message: str) -> Refused:
    refused = _refuse(movement, "conflict", message)
    # The id alone is that of the entry that is in the book.
    return refused._replace(identity=f"{refused.identity}#{digest(refused.raw)[:8]}")


def _post(
    draft: Draft,
    fresh: dict[str, tuple[Movement, data.Transaction]],
    known: dict[str, Known],
    reports: Mapping[str, Report],
) -> None:
    """Write the new entries, late ones on the open period's first day, pairs as one event."""
    by_customer: dict[str, list[data.Transaction]] = {}
    for link, (movement, entry) in fresh.items():
        name, report = movement.customer, reports[movement.kind]
        late = bool(name) and entry.date < (since := subledgers.customer(draft, name).open_since)
        by_customer.setdefault(name, []).append(
            journal_entries.moved_to(entry, since) if late else entry
        )
        report.late += late
        report.posted += not late
        add_up(draft, movement, report)
        report.customers.update({name} - {""})
        report.known.add(link)
        when = dt.datetime.combine(entry.date, dt.time(), draft.config.zone)
        report.latest = max(report.latest or when, when)
    if unmatched := by_customer.pop("", []):
        suspend(draft, unmatched)
        draft.talk(
            f"note: {len(unmatched)} payment(s) name no customer: in suspense; "
            "see `a2ledger suspense`"
        )
    paired: dict[str, Iterable[data.Transaction]] = {}
    whole = incumbents(draft)
    for identity, entries in by_customer.items():
        part = accounts.component(identity)
        held = [row for row in known.values() if row.customer == part]
        paired[identity] = pair(identity, entries, held, whole)
    write(draft, paired, known.values())


def suspend(draft: Draft, entries: Iterable[data.Transaction]) -> None:
    """Write entries of unmatched money, each into its month's file."""
    for entry in entries:
        path = f"{SUSPENSE}/{month_of(entry.date)}.beancount"
        file = PeriodFile(tuple(syntax.blocks(draft.text(path))), ())
        draft.put(path, syntax.joined(with_entries(file, [entry]).above))
