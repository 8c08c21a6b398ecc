"""Import exchange rates into ``journals/prices.beancount``."""

from __future__ import annotations

from pathlib import Path

from a2ledger.book.book import Draft
from a2ledger.journal import exchange_rates
from a2ledger.journal.exchange_rates import Price
from a2ledger.payments import exchange_rate_columns
from a2ledger.payments.imports import AHEAD
from a2ledger.sources import local
from a2ledger.sources.batch import Refused
from a2ledger.sources.report import Report


def import_prices(draft: Draft, paths: list[Path]) -> Report:
    """Import exchange rates from CSV files, where the first rate of a currency and day stays."""
    base = draft.config.currency
    report = Report(source="prices", files=[str(path) for path in paths])
    known = exchange_rates.parse(draft.text(exchange_rates.PATH), base)
    by_day = {(price.currency, price.date): price for price in known}
    for path in paths:
        rows, refused = exchange_rate_columns.read(path, draft.config.locale)
        report.read += len(rows) + len(refused)
        report.refused += refused
        for line, price in rows:
            if price.date > draft.today + AHEAD:
                message = f"it is dated {price.date}, and today is {draft.today}; correct the day"
                report.refused.append(_refused(path, line, price, "future", message))
                continue
            held = by_day.setdefault((price.currency, price.date), price)
            if price.currency == base:
                by_day.pop((price.currency, price.date))
                message = f"{base} is the book's own currency; nothing to price"
                report.refused.append(_refused(path, line, price, "bad-currency", message))
            elif held is price:
                report.posted += 1
                report.known.add(_identity(price))
            elif held.number == price.number:
                report.duplicate += 1
            else:
                message = f"{price.currency} is {held.number} on {price.date} in the book already"
                report.refused.append(_refused(path, line, price, "conflict", message))
    if len(by_day) > len(known):
        draft.put(exchange_rates.PATH, exchange_rates.written(list(by_day.values()), base))
    report.refused = local.in_full(
        report.refused,
        exchange_rate_columns.HEADER,
        draft.config.locale,
        amounts=exchange_rate_columns.AMOUNTS,
        days=exchange_rate_columns.DAYS,
    )
    return report


def _identity(price: Price) -> str:
    return f"price-{price.currency}-{price.date}"


def _refused(path: Path, line: int, price: Price, reason: str, message: str) -> Refused:
    raw = f"{price.date},{price.currency},{price.number:f}"
    name = f"{_identity(price)}#{price.number:f}"
    return Refused(str(path), line, reason, message, raw, name)
