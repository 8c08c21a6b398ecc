"""Import refills, payments, charges and openings: one entry each, in the open period.

An entry's link is its identity. The general ledger, which holds every such entry of every
customer, is where a link is looked up. A payment that names no customer goes into suspense, from
where `transfer` takes it to its owner.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypedDict, cast

from beancount.core import data
from beancount.parser import parser

from a2ledger import accounts
from a2ledger.book.book import GENERAL, SUSPENSE, Draft
from a2ledger.book.config import Config
from a2ledger.documents import issue_taxed_refill
from a2ledger.documents.issue_taxed_refill import Issuer
from a2ledger.journal import general, syntax
from a2ledger.journal.period_file import PeriodFile, with_entries
from a2ledger.payments import columns, posting
from a2ledger.payments.posting import ISSUED
from a2ledger.period import month_of
from a2ledger.records import Customer, Movement
from a2ledger.sources import text
from a2ledger.sources.batch import ENTRY, Refused, digest
from a2ledger.sources.report import Report

KINDS = {"refills": "refill", "payments": "payment", "charges": "charge", "openings": "opening"}


class Known(NamedTuple):
    """An entry the book holds already."""

    customer: str
    """The customer's part of the account name; empty in suspense."""
    entry: data.Transaction
    sealed: bool
    owners: frozenset[str] = frozenset()
    """Parts of customers a payment was transferred to."""


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
        found = columns.read(kind, path, draft.book.config, source=source)
        given += found.movements
        report.read += found.read
        report.refused += found.refused
        for note in found.notes:
            draft.talk(note)
    take(draft, given, {kind: report}, accepted)
    report.refused = text.in_full(report.refused, columns.HEADERS[kind])
    return report


def take(
    draft: Draft,
    given: Iterable[Movement],
    reports: Mapping[str, Report],
    accepted: Collection[str] = (),
) -> None:
    """Post movements into the draft, each once, and count them in the report of their kind.

    What may be a pair must come together, or one of it be in the book.
    """
    given = list(given)
    config, known = draft.book.config, _known(draft, given)
    fresh: dict[str, tuple[Movement, data.Transaction]] = {}
    for movement in sorted(given, key=lambda row: (row.date, row.id)):
        held = _giving_way(movement, known, accepted)
        left = {link: row for link, row in known.items() if row is not held} if held else known
        report = reports[movement.kind]
        _sort_in(draft, movement, config, left, fresh, report)
        if held and posting.link(movement) in fresh:
            known = left
            report.displaced.append(_displaced(movement, held))
    _post(draft, fresh, known, reports)


def _giving_way(
    movement: Movement, known: Mapping[str, Known], accepted: Collection[str]
) -> Known | None:
    """The entry an accepted row takes the place of; what is closed or documented stays."""
    held = known.get(posting.link(movement))
    if held is None or _conflict(movement).identity not in accepted:
        return None
    fixed = held.sealed or held.owners or {ISSUED, "voided"} & held.entry.meta.keys()
    return held if held.customer and not fixed else None


_JOURNALS = "journals"


def _displaced(movement: Movement, held: Known) -> Refused:
    """The entry whose place a row takes."""
    raw = syntax.formatted(held.entry)
    name = f"{posting.link(movement)}#{digest(raw)[:8]}"
    message = f"{movement.kind} {movement.id} was in the book so until another row was accepted"
    return Refused(_JOURNALS, 0, "conflict", message, raw, name, ENTRY)


def _known(draft: Draft, given: Iterable[Movement]) -> dict[str, Known]:
    """Entries the book holds of the movements given, by link; and what they may be paired with."""
    rows = list(given)
    parts = {_part(row.customer) for row in rows if row.customer}
    return _held(draft, {posting.link(row) for row in rows}, parts)


def _held(draft: Draft, wanted: Collection[str], parts: Collection[str]) -> dict[str, Known]:
    """Entries with one of some links; and of some customers all that may be paired."""
    opened = {
        accounts.component(name): customer.open_since
        for name, customer in draft.book.customers.items()
    }
    found: dict[str, Known] = {}
    owners: dict[str, set[str]] = {}
    for path in [*draft.files(GENERAL, "2*.beancount"), *draft.files(SUSPENSE)]:
        for block in syntax.blocks(draft.text(path)):
            names = syntax.links(block.text) if block.kind == "*" else []
            own = min(names, key=_own_first, default="")
            if own.startswith("transfer-") and (moved := _MOVED.search(block.text)):
                owners.setdefault(moved[1], set()).add(general.customer_of(block))
            elif own in wanted or own.startswith(PAIRED):
                customer = general.customer_of(block)
                if own in wanted or customer in parts:
                    sealed = block.date < str(opened.get(customer, dt.date.min))
                    found[own] = Known(customer, read_entry(block.text), sealed)
    return {
        link: row._replace(owners=frozenset(owners.get(link, ()))) for link, row in found.items()
    }


PAIRED = ("payment-", "refill-")
"""What the links of entries that may be paired begin with."""

_MOVED = re.compile(r'^  payment: "([^"]+)"$', re.MULTILINE)


def _part(customer: str) -> str:
    """A customer's part of an account's name; empty where money is nobody's yet."""
    return accounts.component(customer) if customer else ""


def read_entry(text: str) -> data.Transaction:
    """A transaction from journal text the program wrote."""
    entries, _, _ = parser.parse_string(text)
    entry = cast("data.Transaction", entries[0])
    meta = {key: value for key, value in entry.meta.items() if key not in {"filename", "lineno"}}
    return entry._replace(
        meta=meta,
        postings=[
            leg._replace(meta={key: meta[key] for key in ("vat", "was") if key in meta} or None)
            for leg in entry.postings
            for meta in [leg.meta or {}]
        ],
    )


def own_link(entry: data.Transaction) -> str:
    """The link that identifies an entry; a payment's comes before its refill's."""
    return min(entry.links, key=_own_first)


def _own_first(name: str) -> tuple[bool, str]:
    return (name.startswith("refill-"), name)


def _sort_in(
    draft: Draft,
    movement: Movement,
    config: Config,
    known: dict[str, Known],
    fresh: dict[str, tuple[Movement, data.Transaction]],
    report: Report,
) -> None:
    """Put one row in its bucket, and into ``fresh`` if it is to be posted."""
    customer = draft.book.customers.get(movement.customer)
    link = posting.link(movement)
    if unusable := _unusable(movement, customer, config):
        report.refused.append(unusable)
        return
    if customer and movement.date == dt.date.min:
        movement = replace(movement, date=customer.opened)
    if customer and movement.date < customer.opened:
        report.not_billable["before-opening"] += 1
        return
    entry = _entry(draft, movement, customer)
    if isinstance(entry, Refused):
        report.refused.append(entry)
        return
    content = posting.canonical(entry)
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
    elif customer and (refused := _unpostable(draft, movement, customer, entry)):
        report.refused.append(refused)
    else:
        fresh[link] = (movement, entry)


def _unusable(movement: Movement, customer: Customer | None, config: Config) -> Refused | None:
    """Why a row cannot be posted at all."""
    if customer is None and movement.customer:
        message = f"no customer {movement.customer}; add him, then run `quarantine retry`"
        return _refuse(movement, "unknown-customer", message)
    if movement.kind == "charge" and movement.service not in config.services:
        message = f"{movement.service!r} is not under [services]"
        return _refuse(movement, "unknown-service", message)
    return None


def _compare(movement: Movement, content: str, held: Known, report: Report) -> None:
    """A row whose id the book holds: the same again, or a conflict."""
    same = posting.canonical(held.entry) == content
    if same and _part(movement.customer) in {held.customer, *held.owners}:
        report.duplicate += 1
        report.known.add(posting.link(movement))
    elif same and not held.customer:
        report.refused.append(_unmatched(movement))
    else:
        report.refused.append(_conflict(movement))


def _entry(
    draft: Draft, movement: Movement, customer: Customer | None
) -> data.Transaction | Refused:
    """A movement's entry; refused where it is in a currency that cannot be converted."""
    config, credited = draft.book.config, None
    if customer is None:  # in suspense money stays in its own currency
        own = movement.currency or config.currency
        return posting.entry(movement, currency=own, methods=config.methods)
    currency = draft.book.currency(customer.id)
    if movement.currency not in {"", currency}:
        if movement.kind == "payment":
            credited = draft.book.prices.converted(
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
    draft: Draft, movement: Movement, customer: Customer, entry: data.Transaction
) -> Refused | None:
    """Why a customer's account cannot take an entry; None if it can."""
    if customer.settled and movement.kind == "charge":
        message = f"the account of {customer.id} is settled; reopen it, then run `quarantine retry`"
        return _refuse(movement, "settled", message)
    if movement.kind in {"refill", "payment"}:
        late = entry.date < customer.open_since
        placed = posting.moved_to(entry, customer.open_since) if late else entry
        if found := issue_taxed_refill.objection(draft, customer, placed):
            return _refuse(movement, *found)
    return None


class _Taxed(TypedDict, total=False):
    """What :func:`a2ledger.payments.posting.entry` is told of a charge's VAT."""

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
        f"{movement.kind} {movement.id} is in the book with other content; give it another id, "
        "or correct the row",
    )


def _unmatched(movement: Movement) -> Refused:
    return _rival(
        movement,
        f"payment {movement.id} is in suspense; "
        f"`a2ledger transfer suspense {movement.customer} {movement.id}` takes it to its owner",
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
        late = bool(name) and entry.date < (since := draft.customer(name).open_since)
        by_customer.setdefault(name, []).append(posting.moved_to(entry, since) if late else entry)
        report.late += late
        report.posted += not late
        _add_up(draft, movement, report)
        report.customers.update({name} - {""})
        report.known.add(link)
        when = dt.datetime.combine(entry.date, dt.time(), draft.book.config.zone)
        report.latest = max(report.latest or when, when)
    if unmatched := by_customer.pop("", []):
        suspend(draft, unmatched)
        draft.talk(
            f"{len(unmatched)} payment(s) name no customer: in suspense; see `a2ledger suspense`"
        )
    paired: dict[str, Iterable[data.Transaction]] = {}
    for identity, entries in by_customer.items():
        part = accounts.component(identity)
        held = [row for row in known.values() if row.customer == part]
        paired[identity] = _pair(identity, entries, held)
    _write(draft, paired, known.values())


def _write(
    draft: Draft, by_customer: Mapping[str, Iterable[data.Transaction]], known: Iterable[Known]
) -> None:
    """Write entries into open periods, those taxed that top up where refills are."""
    issuer = Issuer(draft)
    issuer.know(row.entry for row in known)
    for identity, entries in issuer.taxed(by_customer).items():
        file = with_entries(draft.open_file(identity), entries)
        draft.put_open_file(identity, file)
    issuer.say()


def replace_paired(draft: Draft, customer: str, entry: data.Transaction) -> None:
    """Put a payment or refill of an open period in the place of what it was.

    What it was paired with, and may be paired with by now, is put together anew.
    """
    held = _held(draft, (), {_part(customer)})
    held.pop(own_link(entry))
    pairs = _pair(customer, [entry], list(held.values()))
    _write(draft, {customer: pairs}, held.values())


def suspend(draft: Draft, entries: Iterable[data.Transaction]) -> None:
    """Write entries of money that is no customer's yet, each into its month's file."""
    for entry in entries:
        path = f"{SUSPENSE}/{month_of(entry.date)}.beancount"
        file = PeriodFile(tuple(syntax.blocks(draft.text(path))), ())
        draft.put(path, syntax.joined(with_entries(file, [entry]).above))


def _add_up(draft: Draft, movement: Movement, report: Report) -> None:
    """Add what a row moved to the sum of its currency."""
    base = draft.book.config.currency
    own = draft.book.currency(movement.customer) if movement.customer else base
    currency = movement.currency or own
    if currency == base:
        report.amount_micro += movement.amount_micro
    else:
        report.foreign_micro[currency] += movement.amount_micro


def _pair(
    customer: str, entries: list[data.Transaction], held: list[Known]
) -> Iterator[data.Transaction]:
    """New entries, and older ones of the open period, with payments and refills put together.

    What the open period holds is put together anew, as if all had come at once.
    """
    new = {own_link(entry): entry for entry in entries}
    old = {own_link(row.entry): row.entry for row in held}
    # What has a document of its own stays as it is, though its period be open.
    sealed = {own_link(row.entry) for row in held if row.sealed or ISSUED in row.entry.meta}
    every = new | {
        link: entry
        if link in sealed or not link.startswith(PAIRED)
        else posting.alone(entry, customer)
        for link, entry in old.items()
    }
    standing = {link: entry for link, entry in every.items() if "voided" not in entry.meta}
    refills = [entry for link, entry in standing.items() if link.startswith("refill-")]
    payments = [entry for link, entry in standing.items() if link.startswith("payment-")]
    for payment in sorted(payments, key=own_link):
        refill = _partner(payment, refills)
        if refill is None or "customer" in payment.meta:  # put together in a closed period
            continue
        if own_link(payment) not in sealed:
            every[own_link(payment)] = posting.paired(payment, refill, customer)
        elif own_link(refill) not in sealed:
            every[own_link(refill)] = posting.without_effect(refill, customer)
    for link, entry in every.items():
        if link in new or entry != old[link]:
            yield entry


def _partner(
    payment: data.Transaction, refills: Iterable[data.Transaction]
) -> data.Transaction | None:
    found = [refill for refill in refills if posting.belong_together(payment, refill)]
    return min(found, key=own_link, default=None)
