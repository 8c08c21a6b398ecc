"""Derive the general ledger from the customers' own ledgers, as every command that writes does."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from beancount.core import data

from a2ledger import accounts
from a2ledger.book.book import GENERAL, SUSPENSE, Book, Draft
from a2ledger.journal import carried, customer_file, general, shards, subledgers, syntax
from a2ledger.journal.chart import CHART, MANUAL
from a2ledger.journal.exchange_rates import PATH as PRICES
from a2ledger.period import month_of, months_before
from a2ledger.records import Customer

CARRIED = f"{GENERAL}/carried.beancount"
CARRIED_MONTHS = f"{GENERAL}/carried"
LAYOUT = "derived by a2ledger, layout 2"
"""The first line of derived files, by which an older layout is recognised."""
FAVA = '1970-01-01 custom "fava-option" "invert-income-liabilities-equity" "true"\n'
"""Tells Fava to show income as earned, not as a credit."""
PAGES = '1970-01-01 custom "fava-extension" "a2ledger.staff"\n'
"""Tells Fava to show the staff's pages. Without a2ledger beside it, Fava would report an error."""
QUERIES = {
    "over-limit": """
        SELECT open_meta(account)['customer'] AS customer, currency, sum(number) AS owed,
          max(decimal(open_meta(account)['credit_limit'])) AS credit_limit
        WHERE account ~ '^Assets:Receivable:[^:]+:' GROUP BY customer, currency
        HAVING sum(number) > max(decimal(open_meta(account)['credit_limit']))
        ORDER BY owed DESC""",
    "to-pay": """
        SELECT open_meta(account)['customer'] AS customer, currency, sum(number) AS to_pay
        WHERE account ~ '^Assets:Receivable:[^:]+:Billed$' GROUP BY customer, currency
        HAVING sum(number) > 0 ORDER BY to_pay DESC""",
    "unbilled": """
        SELECT open_meta(account)['customer'] AS customer, currency, sum(number) AS unbilled
        WHERE account ~ '^Assets:Receivable:[^:]+:Unbilled$' GROUP BY customer, currency
        HAVING sum(number) != 0 ORDER BY unbilled DESC""",
    "revenue-by-month": """
        SELECT year, month, account, currency, neg(sum(number)) AS earned
        WHERE account ~ '^Income:' GROUP BY year, month, account, currency
        ORDER BY year DESC, month DESC, account""",
    "vat-bases": """
        SELECT year, month, str(meta('vat')) AS code, currency, neg(sum(number)) AS base
        WHERE account ~ '^Assets:Receivable:[^:]+:Unbilled$' AND meta('vat') IS NOT NULL
          AND ('invoice' IN tags OR 'credit-note' IN tags
            OR ('statement' IN tags AND entry_meta('document') IS NOT NULL))
        GROUP BY year, month, code, currency ORDER BY year DESC, month DESC, code""",
    "vat-owed": """
        SELECT year, month, account, currency, neg(sum(number)) AS owed
        WHERE account ~ '^Liabilities:VAT:' GROUP BY year, month, account, currency
        ORDER BY year DESC, month DESC, account""",
}
"""Queries in Fava's sidebar. ``bean-query`` has them, too, as ``.run NAME``."""
_QUERIES_OF_TOTALS = {name: QUERIES[name] for name in ("revenue-by-month", "vat-owed")}
"""Those that control totals answer."""
_TRANSACTION = re.compile(r"^\d{4}-\d\d-\d\d [*!]", re.MULTILINE)
_MONTH = re.compile(r"(\d{4}-\d\d)\.beancount$")
_ACCOUNT = re.compile(r"^[ \t]+([A-Z]\w*(?::[^\s:]+)+)[ \t]+-?[0-9]", re.MULTILINE)


def summarise(draft: Draft) -> None:
    """Bring all derived files into line with the touched customers."""
    _refresh(draft)
    are_spread = shards.are_there(draft)
    shards.drop(draft, spread=not are_spread)
    changes = _months(draft, are_spread=are_spread)
    _opens(draft, are_spread=are_spread)
    _chart(draft, {path for path, *_ in changes})
    if are_spread:
        _totals(draft, changes)
    _tops(draft, are_spread=are_spread)


def spread(draft: Draft) -> bool:
    """Spread the general ledger of a book that has grown large; return whether it was to be."""
    if shards.are_there(draft) or not shards.is_large(draft):
        return False
    shards.drop(draft, spread=False)
    draft.rebuild = True
    return True


_CHANGES = """\
main.beancount keeps balances of every month's end, and those of no customer of every day
income is shown as what was earned (fava-option), and the staff's pages by staff.beancount
the general ledger says the base of all VAT under its code
"""
"""What layout 2 added to the layout before it, one sentence a line."""


def is_outdated(draft: Book) -> bool:
    """Return whether the derived files were written by an earlier a2ledger."""
    return not draft.text("journals/history.beancount").startswith(f"; {LAYOUT}\n")


def outdated(draft: Draft) -> Iterator[str]:
    """Yield a sentence for each change that an upgrade makes to derived files."""
    if is_outdated(draft):
        yield from _CHANGES.splitlines()


def _refresh(draft: Draft) -> None:
    """Repeat today's facts in the `open` entries, and touch all customers on a rebuild."""
    customers, today = subledgers.customers(draft), draft.today.toordinal()
    for identity, entry in customers.entries().items():
        if draft.rebuild:
            draft.touch(identity, customers[identity].opened)
        if today < entry.stable_from:
            customer, path = customers[identity], customer_file.path(identity)
            before = draft.text(path)
            currency = subledgers.currency(draft, identity)
            after = customer_file.updated(before, customer, currency, draft.today)
            if after != before:
                draft.put(path, after)
                draft.touch(identity, customer.open_since)


class _Change(NamedTuple):
    """A file of the general ledger that changed, and what of it did."""

    path: str
    removed: list[syntax.Block]
    added: list[syntax.Block]


def _months(draft: Draft, *, are_spread: bool) -> list[_Change]:
    """Rewrite the months of the general ledger in which the touched customers appear."""
    if not draft.touched:
        return []
    blocks: dict[tuple[str, str], list[syntax.Block]] = {}
    since: dict[str, dict[str, str]] = {}
    """First month that may change, by customer, by shard."""
    for identity, day in draft.touched.items():
        customer, shard = subledgers.customer(draft, identity), _shard(identity, are_spread)
        first = since.setdefault(shard, {})[identity] = month_of(day)
        for block in _blocks(draft, customer, day.replace(day=1)):
            if block.date >= first:
                blocks.setdefault((block.date[:7], shard), []).append(block)
    earliest = {shard: min(months.values()) for shard, months in since.items()}
    known = {shards.month_of(path) for path in shards.months(draft)}
    held = {(month, shard) for month in known for shard in since if month >= earliest[shard]}
    changes = []
    for month, shard in sorted({*blocks, *held}):
        path = shards.path(month, shard)
        customers = [identity for identity, start in since[shard].items() if start <= month]
        before, added = draft.text(path), blocks.get((month, shard), [])
        kept, removed = general.split("" if draft.rebuild else before, customers)
        after = general.ordered([*kept, *added])
        if after != before:
            draft.put(path, after or None)
            changes.append(_Change(path, removed, added))
    return changes


def _shard(identity: str, are_spread: bool) -> str:
    return shards.of(accounts.component(identity)) if are_spread else ""


def _blocks(draft: Draft, customer: Customer, since: dt.date) -> list[syntax.Block]:
    """Return what a customer's periods that end after a day add to the general ledger."""
    added: list[syntax.Block] = []
    ends = [*customer.periods[1:], dt.date.max]
    for start, end in zip(customer.periods, ends, strict=True):
        if end > since:
            file = subledgers.period_file(draft, customer_file.period_path(customer.id, start))
            added += general.blocks(file, customer.id, subledgers.currency(draft, customer.id))
    return sorted(added, key=lambda block: (block.date, block.kind != "balance"))


def _opens(draft: Draft, *, are_spread: bool) -> None:
    touched: dict[str, list[str]] = {}
    if not are_spread:
        touched[""] = []  # also the book of nobody yet has such a file
    for identity in sorted(draft.opened):
        touched.setdefault(_shard(identity, are_spread), []).append(identity)
    for shard, identities in touched.items():
        entries: list[data.Open] = []
        for identity in identities:
            currency = subledgers.currency(draft, identity)
            customer = subledgers.customer(draft, identity)
            entries += customer_file.opens(customer, currency, draft.today)
        path = shards.path(shards.OPENS, shard)
        kept = "" if draft.rebuild else draft.text(path)
        draft.put(path, general.merged_opens(kept, identities, entries))


def _chart(draft: Draft, changed: set[str]) -> None:
    """Open accounts that entries use and nobody has opened, changing nothing else in the chart."""
    text = draft.text(CHART)
    opened = set(re.findall(r"^\d{4}-\d\d-\d\d open (\S+)", text, re.MULTILINE))
    config = draft.config
    used = {
        accounts.BANK,
        accounts.REFILLS,
        accounts.OPENING,
        accounts.ROUNDING,
        accounts.DEFERRED,
        *(accounts.income(service) for service in config.services),
        *(accounts.vat(code) for code, row in config.codes.items() if row.rate),
        *config.methods.values(),
    }
    suspense = [path for path in draft.put_files if path.startswith(f"{SUSPENSE}/")]
    for path in [*sorted(changed), *suspense]:
        used |= set(_ACCOUNT.findall(draft.text(path)))
    missing = sorted(account for account in used - opened if not account.startswith(accounts.OWN))
    draft.put(CHART, text + "".join(f"1970-01-01 open {account}\n" for account in missing))


def _totals(draft: Draft, changes: Iterable[_Change]) -> None:
    """Bring the control totals of the months of a spread ledger into line with its changes."""
    changed: dict[str, list[_Change]] = {}
    for change in changes:
        changed.setdefault(shards.month_of(change.path), []).append(change)
    months: dict[str, list[str]] = {}
    for path in shards.months(draft):
        months.setdefault(shards.month_of(path), []).append(path)
    for month in sorted({*months, *changed}):
        path = f"{CARRIED_MONTHS}/{month}.beancount"
        before, own = draft.text(path), changed.get(month, [])
        if draft.rebuild or not carried.is_totals(before, month):
            whole = (block for name in months.get(month, []) for block in _read(draft, name))
            after = carried.totals(month, "", [], whole, shards.of)
        elif own:
            removed = (block for change in own for block in change.removed)
            added = (block for change in own for block in change.added)
            after = carried.totals(month, before, removed, added, shards.of)
        else:
            continue
        draft.put(path, after if month in months else None)
    for path in draft.files(CARRIED_MONTHS):
        if (match := _MONTH.search(path)) is None or match[1] not in months:
            draft.put(path, None)
    draft.put(CARRIED, carried.totals_start(shards.ALL))


def _read(draft: Draft, path: str) -> list[syntax.Block]:
    return syntax.blocks(draft.text(path))


def holds_totals(book: Book) -> bool:
    """Return whether ``main`` holds control totals instead of every customer's accounts."""
    return carried.are_totals(book.text(CARRIED))


def _tops(draft: Draft, *, are_spread: bool) -> None:
    """Write ``main``, ``history`` and, of a ledger in a file a month, the months before main's."""
    months: dict[str, list[str]] = {}
    carriers = draft.files("journals/carriers", "*/*.beancount")
    for path in shards.months(draft):
        months.setdefault(shards.month_of(path), []).append(path)
    others: list[str] = []
    for path in [*draft.files(SUSPENSE), *carriers]:
        if match := _MONTH.search(path):
            others.append(path)
            months.setdefault(match[1], []).append(path)
    every = [path for month in sorted(months) for path in months[month]]
    quoted = [PRICES] if draft.text(PRICES) else []
    plain = [CHART, MANUAL, *quoted]
    fees = [path for path in carriers if not _MONTH.search(path)]
    always = [*plain, *shards.opens(draft), *fees]
    if are_spread:
        totals = [CARRIED, *draft.files(CARRIED_MONTHS)]
        _top(draft, "main", [*plain, *fees, *totals, *others], _QUERIES_OF_TOTALS)
        _top(draft, "history", [*always, *every])
        _pages(draft)
        return
    newest_first = sorted(months, reverse=True)
    latest = next((month for month in newest_first if _moves(draft, months[month])), "0001-12")
    cut = months_before(latest, draft.config.main_months)
    _carry(draft, {month: paths for month, paths in sorted(months.items()) if month <= cut})
    # A close asserts the balances of the day after: that alone is no month to show.
    recent = [path for month in sorted(months) if cut < month <= latest for path in months[month]]
    _top(draft, "main", [*always, CARRIED, *draft.files(CARRIED_MONTHS), *recent])
    _top(draft, "history", [*always, *every])
    _pages(draft)


def _carry(draft: Draft, old: Mapping[str, list[str]]) -> None:
    """Rewrite those carried months that main leaves out and whose own files changed."""
    kept = draft.config.month_ends // max(1, len(subledgers.customers(draft)))
    whole = list(old)[: max(0, len(old) - kept)]
    last = whole[-1] if whole else ""

    def changed(months: Iterable[str]) -> bool:
        return any(path in draft.put_files for month in months for path in old[month])

    head = draft.text(CARRIED)
    if draft.rebuild or not head.startswith(carried.start(last)) or changed(whole):
        texts = {month: [draft.text(path) for path in old[month]] for month in whole}
        draft.put(CARRIED, carried.balances(last, texts))
    for month, paths in old.items():
        path, by_customer = f"{CARRIED_MONTHS}/{month}.beancount", month > last
        is_there = carried.is_month(draft.text(path), month, by_customer=by_customer)
        if draft.rebuild or not is_there or changed([month]):
            texts_of_month = [draft.text(path) for path in paths]
            draft.put(path, carried.month(month, texts_of_month, by_customer=by_customer))
    for path in draft.files(CARRIED_MONTHS):
        if (match := _MONTH.search(path)) is None or match[1] not in old:
            draft.put(path, None)


def _moves(draft: Draft, paths: list[str]) -> bool:
    return any(_TRANSACTION.search(draft.text(path)) for path in paths)


def _top(draft: Draft, name: str, paths: list[str], queries: Mapping[str, str] = QUERIES) -> None:
    text = (
        f"; {LAYOUT}\n"
        + _options(draft, name)
        + FAVA
        + "".join(
            f"1970-01-01 query {syntax.quoted(name)} {syntax.quoted(' '.join(query.split()))}\n"
            for name, query in queries.items()
        )
    )
    path = f"journals/{name}.beancount"
    body = "".join(f'include "{path.removeprefix("journals/")}"\n' for path in paths)
    draft.put(path, text + body)


def _options(draft: Draft, name: str) -> str:
    config = draft.config
    title = config.company.name if name == "main" else f"{config.company.name}: {name}"
    others = subledgers.currencies(draft)
    return f'option "title" {syntax.quoted(title)}\n' + "".join(
        f'option "operating_currency" {syntax.quoted(currency)}\n'
        for currency in [config.currency, *sorted(others - {config.currency})]
    )


def _pages(draft: Draft) -> None:
    """Write ``staff``: main with the staff's pages, for a Fava that has a2ledger beside it."""
    text = _options(draft, "staff") + PAGES + 'include "main.beancount"\n'
    draft.put("journals/staff.beancount", text)
