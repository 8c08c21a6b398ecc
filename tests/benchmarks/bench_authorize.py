"""How fast calls are authorised: ``python tests/benchmarks/bench_authorize.py [CALLS] [AT_ONCE]``.

A server over 10,000 customers and a deck of 100,000 prefixes is asked over FastAGI by another
process; the same server answers with nothing in between (`empty`), so that the ratio says what
deciding and writing to disk cost. Nothing is asserted; figures belong to the machine they were
taken on. The book is none on disk: reading one is what the last lines measure, by values.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gc
import multiprocessing
import resource
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))
from bench_rating import deck_text
from boards import customer, snapshot

from a2ledger.rating import deck as decks
from a2ledger.switch import agi, server
from a2ledger.switch.decisions import Decisions
from a2ledger.switch.exchange import Exchange
from a2ledger.switch.metrics import Metrics
from a2ledger.switch.state import State
from a2ledger.switch.switchboard import Switchboard
from a2ledger.switch.terms import Account

CUSTOMERS, PREFIXES = 10_000, 100_000
EMPTY = {"A2L_ALLOWED": "1", "A2L_MAX_SECONDS": "0", "A2L_REASON": "ok", "A2L_CUSTOMER": ""}


async def empty(_exchange, reader, writer):
    """Answer a channel without looking at anything."""
    await reader.readuntil(b"\n\n")
    for name, text in EMPTY.items():
        writer.write(f'SET VARIABLE {name} "{text}"\n'.encode())
        await reader.readuntil(b"\n")


async def ask(port, number, called):
    """Ask for one call as Asterisk does; return how long it took."""
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"agi_network: yes\nagi_network_script: authorize?called={called}&seconds=600\n"
        f"agi_channel: PJSIP/C{number % CUSTOMERS}-0000002a\n"
        f"agi_uniqueid: {time.time_ns()}.{number}\n"
        f"agi_accountcode: C{number % CUSTOMERS}\nagi_extension: {called}\n\n".encode()
    )
    while line := await reader.readline():
        if line.startswith(b"SET"):
            writer.write(b"200 result=1\n")
    writer.close()
    return time.perf_counter() - begun


async def load(port, numbers, at_once):
    """Ask for all numbers, some at once; return the times and how long all took."""
    gate = asyncio.Semaphore(at_once)

    async def one(number, called):
        async with gate:
            return await ask(port, number, called)

    begun = time.perf_counter()
    times = await asyncio.gather(*(one(n, called) for n, called in enumerate(numbers)))
    return times, time.perf_counter() - begun


def client(pipe, numbers, at_once):
    """Ask whatever port the pipe names."""
    while port := pipe.recv():
        pipe.send(asyncio.run(load(port, numbers, at_once)))


async def serve(exchange, pipe):
    """Have both servers asked; return their times."""

    async def connected(converse, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            await converse(exchange, reader, writer)
        writer.close()

    results = {}
    for name, converse in (("warm", agi.converse), ("empty", empty), ("authorize", agi.converse)):
        server = await asyncio.start_server(
            partial(connected, converse), "127.0.0.1", 0, backlog=1024
        )
        pipe.send(server.sockets[0].getsockname()[1])
        used = time.process_time()
        results[name] = await asyncio.to_thread(pipe.recv)
        results[name] = (*results[name], time.process_time() - used)
        server.close()
    pipe.send(0)
    return results


def main():
    """Print the table."""
    sys.setswitchinterval(server.SWITCH_SECONDS)  # as the program does
    calls, at_once = (int(word) for word in (*sys.argv[1:], "5000", "2")[:2])
    random = np.random.default_rng(1)
    deck, problems = decks.parse(deck_text(PREFIXES, random), name="standard", file="x")
    assert problems == []
    assert deck.index
    numbers = [
        f"{prefix}12345678"[:13]
        for prefix in deck.prefixes.take(random.integers(0, len(deck), calls)).to_pylist()
    ]
    accounts = [Account(customer=customer(f"C{n}", "1000"), owed_micro=0) for n in range(CUSTOMERS)]
    here, there = multiprocessing.Pipe()
    asker = multiprocessing.Process(target=client, args=(there, numbers, at_once))
    asker.start()
    with tempfile.TemporaryDirectory() as directory:
        zone = ZoneInfo("Europe/Brussels")
        board = Switchboard(
            state=State(str(Path(directory) / "state.sqlite")),
            clock=lambda: dt.datetime.now(zone),  # noqa: TID251 - calls are timed by the clock
            zone=zone,
        )
        begun = time.perf_counter()
        board.snapshot = snapshot(*accounts, decks={"standard": deck})
        adopted = time.perf_counter() - begun
        board.checked = board.clock() + dt.timedelta(days=1)
        decisions = Decisions(Path(directory) / "decisions.log", 50, 2)
        exchange = Exchange(board, decisions, Metrics())

        async def run():
            try:
                return await serve(exchange, here)
            finally:
                await exchange.close()

        gc.collect()
        gc.freeze()  # as the program does
        results = asyncio.run(run())
    asker.join()
    print(f"{calls:,} calls, {at_once} at once, {CUSTOMERS:,} customers, {PREFIXES:,} prefixes")
    print("                calls/s  calls/CPU s   p50 ms   p99 ms")
    for name in ("empty", "authorize"):
        times, took, cpu = results[name]
        p50, p99 = np.percentile(np.array(times) * 1000, (50, 99))
        print(f"{name:<12} {calls / took:10,.0f} {calls / cpu:12,.0f} {p50:8.2f} {p99:8.2f}")
    full, bare = results["authorize"], results["empty"]
    print(f"ratio of CPU {full[2] / bare[2]:.1f}, of time {full[1] / bare[1]:.1f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MB; another snapshot of all customers {adopted:.2f} s")


if __name__ == "__main__":
    main()
