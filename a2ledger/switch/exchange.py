"""The exchange: collects questions of all protocols, has them answered in batches, logs them.

The switchboard answers one batch after the other; questions that come meanwhile make up the
next one. With a database in a file it answers at once, which takes less than waking another
thread; one that is shared answers over the network, and is waited for in a thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from a2ledger.switch.decide import Decision
from a2ledger.switch.decisions import Decisions
from a2ledger.switch.metrics import Metrics
from a2ledger.switch.questions import Answer, Begin, End, Extend, Question, Settled
from a2ledger.switch.reservations import Reservation
from a2ledger.switch.switchboard import Switchboard

T = TypeVar("T")

_MOST = 200
"""Most questions answered in one transaction; the first of them waits for the last."""


class Exchange:
    """Passes questions to the switchboard, and answers back."""

    def __init__(self, board: Switchboard, decisions: Decisions, metrics: Metrics) -> None:
        self.board, self.decisions, self.metrics = board, decisions, metrics
        self.error = ""
        """Problem of the book, for the health page."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="switchboard")
        self._waiting: list[tuple[Question, asyncio.Future[Answer], float]] = []
        self._worker: asyncio.Task[None] | None = None

    async def decide(self, question: Begin | Extend) -> Decision:
        """Decide whether a call is allowed, and return the decision."""
        decision = await self._ask(question)
        assert isinstance(decision, Decision)  # noqa: S101 - only an End is settled
        return decision

    async def settle(self, end: End) -> Settled:
        """Settle a call that was hung up, and return the result."""
        settled = await self._ask(end)
        assert isinstance(settled, Settled)  # noqa: S101 - an End is
        return settled

    async def _ask(self, question: Question) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future, time.perf_counter()))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            questions = [question for question, _, _ in batch]
            try:
                answers = await self.run(partial(self._answer, questions))
            except Exception as error:  # noqa: BLE001 - whoever waits must be told
                for _, future, _ in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (question, future, asked), answer in zip(batch, answers, strict=True):
                self.metrics.count(question, answer, time.perf_counter() - asked)
                if not future.done():
                    future.set_result(answer)

    def _answer(self, questions: list[Question]) -> list[Answer]:
        answers = self.board.answer(questions)
        generation = self.board.snapshot.generation if self.board.snapshot else 0
        self.decisions.write(self.board.clock(), generation, questions, answers)
        return answers

    async def run(self, work: Callable[[], T]) -> T:
        """Run a function of the switchboard's, between two batches."""
        if not self.board.state.is_shared:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def holding(self) -> list[Reservation]:
        """Return the calls that reserve money now."""
        return await self.run(self.board.holding)

    async def close(self) -> None:
        """Answer pending questions, and stop."""
        if self._worker is not None:
            await self._worker
        self._thread.shutdown(wait=True)
        self.board.state.close()
        self.decisions.close()
