"""Price calls by the book: their customers' tariffs, discounts and VAT codes at their start.

Importing and re-rating are this one function, so that they cannot differ.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.book.book import Book, BrokenBookError
from a2ledger.book.config import Config
from a2ledger.customers.directory import Days, Directory, Indexes
from a2ledger.journal import subledgers
from a2ledger.period import EPOCH
from a2ledger.rating import decks, rate
from a2ledger.rating.deck import Deck, Tariff
from a2ledger.records import Fact, split_list
from a2ledger.sources.directions import NAMES
from a2ledger.vat import Party

Integers = npt.NDArray[np.int64]

Columns = dict[str, pa.Array]
"""Columns of the call detail, by name."""


class Pricing(NamedTuple):
    """The data of a book that pricing needs."""

    config: Config
    directory: Directory
    tariffs: Tariffs
    opened: Integers
    """Start of each customer's open period, in days since 1970."""
    names: pa.StringArray
    """Customers' ids."""
    currencies: npt.NDArray[np.str_]
    """The currency of each customer's account."""


class Tariffs:
    """Tariffs by their text (``acme, standard``), each loaded once, even from several threads."""

    def __init__(
        self, book: Book, given: Mapping[str, Deck] | None = None, *, strict: bool = True
    ) -> None:
        """Take the tariffs of a book; a bad deck raises if ``strict``, or else has no rates.

        Decks that are ``given`` stand for the book's own.
        """
        self._book, self._given, self._strict = book, given or {}, strict
        self.bad: dict[int, str] = {}
        """Problems of bad tariffs, by their places in ``loaded``."""
        self._loading = threading.Lock()
        self._numbers: dict[str, int] = {}
        self.loaded: list[Tariff] = []
        self.currencies: list[str] = []
        """Currency of each tariff. One of several currencies fits no account."""

    def number(self, text: str) -> int:
        """Return a tariff's place in ``loaded``.

        Raises:
            BrokenBookError: if one of its decks is missing or bad.
        """
        with self._loading:
            if text not in self._numbers:
                loaded = self._decks(text)
                currencies = {self._book.config.deck(name).currency for name in split_list(text)}
                self.currencies.append(" and ".join(sorted(currencies)))
                self.loaded.append(Tariff(name=text, decks=loaded))
                self._numbers[text] = len(self.loaded) - 1
            return self._numbers[text]

    def _decks(self, text: str) -> tuple[Deck, ...]:
        """Return the decks of a tariff, or none if one is bad, lest another price in its stead."""
        try:
            return tuple(map(self._deck, split_list(text)))
        except BrokenBookError as error:
            if self._strict:
                raise
            more = ", and more" if len(error.problems) > 1 else ""
            self.bad[len(self.loaded)] = f"{error.problems[0]}{more}"
            return ()

    def _deck(self, name: str) -> Deck:
        return self._given[name] if name in self._given else decks.deck(self._book, name)


def pricing(book: Book, given: Mapping[str, Deck] | None = None, *, strict: bool = True) -> Pricing:
    """Return the pricing data of a book as it is now, with the arguments of :class:`Tariffs`."""
    customers = list(subledgers.customers(book).values())
    return Pricing(
        book.config,
        Directory(customers),
        Tariffs(book, given, strict=strict),
        np.array([(c.open_since - EPOCH).days for c in customers], dtype=np.int64),
        pa.array([customer.id for customer in customers], pa.string()),
        np.array([subledgers.currency(book, customer.id) for customer in customers], np.str_),
    )


def valued(calls: pa.Table, pricing: Pricing) -> tuple[Columns, npt.NDArray[np.bool_]]:
    """Price calls, and return which of them have no price.

    Args:
        calls: the columns ``customer`` (int32, an index into the directory's customers),
            ``day``, ``local``, ``called``, ``seconds``, ``service``, ``tariff``, ``free``,
            ``direction`` and ``given_micro``, as
            :class:`a2ledger.calls.normalise.Normalised` has them.
        pricing: of the book.

    Returns:
        columns of the call detail by name: customer, deck, prefix, since, destination,
        billed_seconds, cost_micro, given, buy_micro, carrier, vat; and whether no deck of the
        account's currency knows the number.
    """
    customers = calls["customer"].to_numpy().astype(np.int32)
    day = calls["day"].to_numpy().astype("datetime64[D]").astype(np.int32)
    rate_columns = {name: _one(calls[name]) for name in ("called", "local", "seconds")}
    tariff = _tariff(calls, pricing, customers, day)
    rate_columns["tariff"] = pa.array(tariff, pa.int32())
    rate_columns["discount"] = pa.array(_discount(pricing, customers, day), pa.int64())
    # Another thread may load more of them meanwhile.
    rated = rate.rate(pa.RecordBatch.from_pydict(rate_columns), tuple(pricing.tariffs.loaded))
    unrated = _one(rated["reason"]).to_numpy(zero_copy_only=False) != ""
    unmetered = _unmetered(calls, unrated)
    cost, given, unpriced = _cost(
        calls, rated, unrated | _foreign(pricing, tariff, customers), unmetered
    )
    columns = {name: rated[name] for name in rated.schema.names if name != "reason"}
    if unmetered.any():
        columns |= _named(calls, columns, unmetered)
    if "given_buy_micro" in calls.column_names:
        columns |= _bought(calls, columns)
    columns |= {
        "customer": pricing.names.take(pa.array(customers)),
        "cost_micro": pa.array(cost, pa.int64()),
        "given": pa.array(given),
        "vat": _vat(calls, pricing, customers, day),
    }
    return columns, unpriced


UNPRICED = ("no-rate", "blocked", "wrong-currency")
"""Reasons why a call has no price, as :func:`refusals` returns them."""


def refusals(calls: pa.Table, pricing: Pricing) -> list[str]:
    """Return the reason why each call has no price, with the columns of :func:`valued`.

    ``wrong-currency`` where the tariff is in another currency than the account, ``blocked`` where
    the rate says that such calls are refused, else ``no-rate``.
    """
    customers = calls["customer"].to_numpy().astype(np.int32)
    day = calls["day"].to_numpy().astype("datetime64[D]").astype(np.int32)
    tariff = _tariff(calls, pricing, customers, day)
    rate_columns = {name: _one(calls[name]) for name in ("called", "local", "seconds")}
    rate_columns["tariff"] = pa.array(tariff, pa.int32())
    rated = rate.rate(pa.RecordBatch.from_pydict(rate_columns), tuple(pricing.tariffs.loaded))
    foreign = _foreign(pricing, tariff, customers).tolist()
    return [
        "wrong-currency" if other else "blocked" if reason == "blocked" else "no-rate"
        for other, reason in zip(foreign, rated["reason"].to_pylist(), strict=True)
    ]


def by_bad_tariff(calls: pa.Table, pricing: Pricing) -> list[str]:
    """Return the problem of each call's tariff, or empty, with the columns of :func:`valued`."""
    if not pricing.tariffs.bad:
        return [""] * len(calls)
    customers = calls["customer"].to_numpy().astype(np.int32)
    day = calls["day"].to_numpy().astype("datetime64[D]").astype(np.int32)
    tariffs = pricing.tariffs
    return [
        f"tariff {tariffs.loaded[number].name!r}: {tariffs.bad[number]}"
        if number in tariffs.bad
        else ""
        for number in _tariff(calls, pricing, customers, day).tolist()
    ]


def _foreign(pricing: Pricing, tariff: Integers, customers: Indexes) -> npt.NDArray[np.bool_]:
    currencies = np.array(pricing.tariffs.currencies, np.str_)
    if len({*currencies.tolist(), *pricing.currencies.tolist()}) <= 1:
        return np.zeros(len(customers), np.bool_)
    return np.asarray(currencies[tariff] != pricing.currencies[customers])


def _unmetered(calls: pa.Table, unrated: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which calls no outgoing tariff may price: internal and incoming ones.

    The tariff of a rule prices what it lists of them.
    """
    direction = calls["direction"]
    if not pc.any(pc.not_equal(direction, "")).as_py():
        return np.zeros(len(calls), np.bool_)
    within = np.asarray(pc.not_equal(direction, ""))
    free = calls["free"].to_numpy(zero_copy_only=False)
    without = np.asarray(pc.equal(calls["tariff"], ""))
    mask: npt.NDArray[np.bool_] = within & (free | without | unrated)
    return mask


def _named(calls: pa.Table, columns: Columns, unmetered: npt.NDArray[np.bool_]) -> Columns:
    """Return the columns of unmetered calls, with only the name of their direction."""
    mask = pa.array(unmetered)
    directions = pa.array(list(NAMES))
    places = pc.index_in(_one(calls["direction"]), value_set=directions)
    names = pc.fill_null(pa.array(list(NAMES.values())).take(places), "")
    instead = {"destination": names, "buy_micro": 0}
    instead |= dict.fromkeys(("deck", "prefix", "since", "carrier"), "")
    instead["billed_seconds"] = _one(calls["seconds"])
    return {
        name: pc.if_else(mask, pa.scalar(value, pa.int64()) if value == 0 else value, columns[name])
        for name, value in instead.items()
    }


def _cost(
    calls: pa.Table,
    rated: pa.RecordBatch,
    unrated: npt.NDArray[np.bool_],
    unmetered: npt.NDArray[np.bool_],
) -> tuple[Integers, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return cost, whether a row or rule gave it, and whether it is unknown."""
    has_price = calls["given_micro"].is_valid().to_numpy(zero_copy_only=False)
    free = calls["free"].to_numpy(zero_copy_only=False) | unmetered
    cost = np.where(free, 0, rated["cost_micro"].to_numpy(zero_copy_only=False))
    cost = np.where(has_price, pc.fill_null(calls["given_micro"], 0).to_numpy(), cost)
    return cost, has_price | free, unrated & ~has_price & ~free


def _bought(calls: pa.Table, rated: Columns) -> Columns:
    """Return buying price and carrier where rows give them, without a deck."""
    given = _one(calls["given_buy_micro"])
    says = given.is_valid()
    return {
        "buy_micro": pc.if_else(says, given, rated["buy_micro"]),
        "carrier": pc.if_else(says, _one(calls["given_carrier"]), rated["carrier"]),
        "deck": pc.if_else(says, "", rated["deck"]),
    }


def own_price(calls: pa.Table, pricing: Pricing) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Price calls by the book's tariffs, ignoring given prices, and return which have no price."""
    place = calls.schema.get_field_index("given_micro")
    nothing = pa.nulls(len(calls), pa.int64())
    columns, unpriced = valued(calls.set_column(place, "given_micro", nothing), pricing)
    return columns["cost_micro"], unpriced


def _one(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _tariff(calls: pa.Table, pricing: Pricing, customers: Indexes, day: Days) -> Integers:
    """Return each call's tariff: the rule's, or the customer's at its start."""
    values, index = pricing.directory.fact("tariff", customers, day)
    used = set(np.unique(index).tolist())
    number = np.array(
        [
            pricing.tariffs.number(str(value or "")) if place in used else -1
            for place, value in enumerate(values)
        ]
        or [0],
        dtype=np.int64,
    )
    numbers: Integers = number[index]
    for name in pc.unique(calls["tariff"]).to_pylist():
        if name:
            of_rule = pc.equal(calls["tariff"], name).to_numpy(zero_copy_only=False)
            numbers = np.where(of_rule, pricing.tariffs.number(name), numbers)
    return numbers


def _discount(pricing: Pricing, customers: Indexes, day: Days) -> Integers:
    values, index = pricing.directory.fact("discount_percent", customers, day)
    hundredths = np.array([int((value or 0) * 100) for value in values] or [0], dtype=np.int64)
    discounts: Integers = hundredths[index]
    return discounts


def _vat(calls: pa.Table, pricing: Pricing, customers: Indexes, day: Days) -> pa.Array:
    """Return each call's VAT code, by its own day and the treatment of its posting day."""
    config, fact = pricing.config, pricing.directory.fact
    posted = np.maximum(day, pricing.opened[customers]).astype(np.int32)
    services = _one(pc.dictionary_encode(_one(calls["service"])))
    deciding: list[tuple[Sequence[Any], Any]] = [
        (services.dictionary.to_pylist(), services.indices.to_numpy(zero_copy_only=False)),
        fact("vat", customers, posted),
    ]
    if config.vat_rules:
        deciding += [
            fact("country", customers, day),
            fact("vat_id", customers, day),
            _spans(config, day),
        ]
    # Choose a code once for each combination of the deciding values that occurs.
    shape = [max(len(values), 1) for values, _ in deciding]
    combined = pa.array(np.ravel_multi_index([index for _, index in deciding], shape))
    encoded = combined.dictionary_encode()
    codes = [
        _code(config, *(values[place] for (values, _), place in zip(deciding, places, strict=True)))
        for places in zip(*np.unravel_index(encoded.dictionary.to_numpy(), shape), strict=True)
    ]
    return pa.array(codes, pa.string()).take(encoded.indices)


def _code(
    config: Config,
    service: str,
    treatment: Fact | None,
    country: Fact | None = None,
    vat_id: Fact | None = None,
    day: dt.date = dt.date.min,
) -> str:
    texts = (str(value or "") for value in (treatment or config.treatment, country, vat_id))
    return config.code_of(service, Party(*texts), day).code


def _spans(config: Config, day: Days) -> tuple[list[dt.date], npt.NDArray[np.int64]]:
    """Return first days of spans with the same VAT rules, and the span of each row."""
    bounds = {bound for rule in config.vat_rules for bound in (rule.since, rule.until)}
    firsts = [dt.date.min, *sorted(bounds - {dt.date.min, dt.date.max})]
    since = np.array([(first - EPOCH).days for first in firsts], dtype=np.int64)
    return firsts, np.searchsorted(since, day, side="right") - 1
