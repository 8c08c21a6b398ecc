"""How fast calls are rated: ``python tests/benchmarks/bench_rating.py [CALLS] [PREFIXES]``.

Makes a deck and calls of its own and prints a small table: reading the deck, encoding it, the
kernel, and a plain Python loop over a dictionary on a part of the same calls. Nothing is
asserted; figures belong to the machine they were taken on.
"""

from __future__ import annotations

import sys
import time
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pyarrow as pa

from a2ledger.rating import deck as tariff
from a2ledger.rating import rate as rating

MICRO = Decimal("0.000001")


def deck_text(count, random):
    """A deck of ``count`` prefixes of three to eight digits."""
    prefixes = {str(value) for value in random.integers(100, 1000, 400)}
    while len(prefixes) < count:
        length = int(random.integers(4, 9))
        prefixes.add(str(int(random.integers(10 ** (length - 1), 10**length))))
    lines = ["dialprefix,destination,rateinitial,initblock,billingblock,buyrate,buyrateincrement"]
    for number, prefix in enumerate(sorted(prefixes)[:count]):
        price = 10_000 + number * 37 % 490_000
        block = (1, 6, 30, 60)[number % 4]
        lines.append(
            f"{prefix},Destination {number // 9},0.{price:06d},{block},{block},0.{price // 2:06d},1"
        )
    return "\n".join(lines)


def made_calls(count, deck, random):
    """Calls to numbers that begin with prefixes of the deck."""
    heads = deck.prefixes.take(pa.array(random.integers(0, len(deck), count))).to_pylist()
    tails = random.integers(10_000_000, 100_000_000, count).tolist()
    return pa.RecordBatch.from_pydict(
        {
            "called": [f"{head}{tail}"[:12] for head, tail in zip(heads, tails, strict=True)],
            "local": pa.array(
                1_767_225_600 + random.integers(0, 2_678_400, count), pa.int64()
            ).cast(pa.timestamp("s")),
            "seconds": pa.array(random.exponential(180, count).astype(np.int64)),
            "tariff": pa.array(np.zeros(count, np.int32)),
        }
    )


def plain(calls, deck):
    """The same prices from a dictionary and ``Decimal``, a call at a time."""
    columns = {name: value.tolist() for name, value in deck.values.items()}
    rates = {
        prefix: (Decimal(rate) / 1_000_000, initial, block)
        for prefix, rate, initial, block in zip(
            deck.prefixes.to_pylist(),
            *(columns[name] for name in ("rateinitial", "initblock", "billingblock")),
            strict=True,
        )
    }
    costs = []
    for called, seconds in zip(
        calls["called"].to_pylist(), calls["seconds"].to_pylist(), strict=True
    ):
        prefix = next(called[:n] for n in range(15, 0, -1) if called[:n] in rates)
        rate, initial, block = rates[prefix]
        length = max(seconds, initial)
        if length > initial:
            length += -length % block
        costs.append((length * rate / 60).quantize(MICRO, ROUND_HALF_UP))
    return costs


def timed(work, repeats=1):
    """Result and the best of some durations in seconds."""
    best = None
    for _ in range(repeats):
        began = time.perf_counter()
        result = work()
        took = time.perf_counter() - began
        best = took if best is None else min(best, took)
    return result, best


def main(calls_count=1_000_000, prefix_count=100_000):
    """Print the table."""
    random = np.random.default_rng(7)
    text = deck_text(prefix_count, random)
    (deck, problems), reading = timed(lambda: tariff.parse(text, name="bench", file="bench.csv"))
    if problems:
        sys.exit(str(problems[0]))
    _, encoding = timed(lambda: deck.index)
    calls = made_calls(calls_count, deck, random)
    plans = [tariff.Tariff(name="bench", decks=(deck,))]
    rated, kernel = timed(lambda: rating.rate(calls, plans), repeats=5)
    part = calls.slice(0, min(calls_count, 100_000))
    costs, loop = timed(lambda: plain(part, deck))
    same = [int(cost / MICRO) for cost in costs] == rated["cost_micro"].to_pylist()[: len(part)]
    print(f"{'step':<34}{'seconds':>9}{'a second':>14}")
    for step, count, took in (
        (f"read a deck of {len(deck):,} rates", len(deck), reading),
        ("encode it", len(deck), encoding),
        (f"rate {calls_count:,} calls", calls_count, kernel),
        (f"plain Python, {len(part):,} calls", len(part), loop),
    ):
        print(f"{step:<34}{took:>9.3f}{count / took:>14,.0f}")
    print(f"{loop / len(part) * calls_count / kernel:.0f} times the plain loop; ", end="")
    print("same costs" if same else "COSTS DIFFER")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
