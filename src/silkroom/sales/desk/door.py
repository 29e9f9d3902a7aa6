"""The door of the order desk: the only module of it that others import.

    desk = Desk(conninfo, hold_seconds=900)             # one per process; starts its thread at once
    receipt = await desk.place(request)                 # gateway; raises the refusal
    desk.submit(request, answer, loop=loop)             # gateway, cheapest: answer(result) is called in the loop
    receipt = desk.place_blocking(request, timeout=10)  # a web process's thread; raises the refusal
    desk.on_committed(hook)                             # hook(Committed) in the desk's thread, after the replies
    desk.close()

A request is answered only with what is durable. Repeating a request with the same key is always safe: it answers with
the order that was made, or makes it now. Whatever gathers while a commit is under way is the next batch; a lone buyer
waits for nobody.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TypeAlias

from silkroom.kit.errors import Refusal
from silkroom.sales.desk.core import (
    MOST_LINES,
    MOST_PIECES,
    MOST_UNPAID,
    OrderLineRequest,
    OrderRequest,
    check_request,
)
from silkroom.sales.desk.errors import DeskUnavailable, OrderFailed, TooBusy
from silkroom.sales.desk.receipts import Committed, OrderReceipt, ReceiptLine
from silkroom.sales.desk.writer import Writer
from silkroom.sales.orders.services import lapse_due_orders

__all__ = [
    "MOST_LINES",
    "MOST_PIECES",
    "MOST_UNPAID",
    "Answer",
    "Committed",
    "Desk",
    "OrderLineRequest",
    "OrderReceipt",
    "OrderRequest",
    "ReceiptLine",
    "lapse_due_orders",
]

log = logging.getLogger(__name__)

MOST_IN_BATCH = 1024
"""Group commit gains little beyond (24,359 orders/s at 1,024, 19,251 at 256), and the first waits for the last."""

MOST_WAITING = 20_000
"""About two seconds of work on two cores. Whoever comes later is told so at once instead of after a time-out."""

LONGEST_WAIT_SECONDS = 8.0
"""A request that waited longer is not served any more: its sender has given up, and tries again with the same key."""

Answer: TypeAlias = OrderReceipt | Refusal
Callback: TypeAlias = Callable[[Answer], None]


@dataclass(slots=True)
class _Waiting:
    request: OrderRequest
    callback: Callback
    loop: asyncio.AbstractEventLoop | None
    since: float


class Desk:
    """Gathers requests of one process and serves them in batches from one thread."""

    def __init__(
        self,
        conninfo: str,
        *,
        hold_seconds: int = 900,
        most_unpaid: int = MOST_UNPAID,
        most_waiting: int = MOST_WAITING,
        most_in_batch: int = MOST_IN_BATCH,
        patience_seconds: float = 5.0,
    ) -> None:
        self._writer = Writer(
            conninfo, hold_seconds=hold_seconds, most_unpaid=most_unpaid, patience_seconds=patience_seconds
        )
        self._most_waiting = most_waiting
        self._most_in_batch = most_in_batch
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._hooks: list[Callable[[Committed], None]] = []
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="order desk", daemon=True)
        self._thread.start()

    def on_committed(self, hook: Callable[[Committed], None]) -> None:
        """Call ``hook`` in the desk's thread after each batch that made orders. It must be quick."""
        self._hooks.append(hook)

    def submit(
        self, request: OrderRequest, callback: Callback, *, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        """Queue a request; ``callback(answer)`` is called once: in ``loop``, or else in the desk's thread.

        Raises a refusal at once when the request cannot be queued: malformed, `TooBusy`, or the desk is closed.
        """
        check_request(request)
        if self._closing:
            raise DeskUnavailable
        if self._queue.qsize() >= self._most_waiting:
            raise TooBusy
        self._queue.put(_Waiting(request, callback, loop, time.monotonic()))

    async def place(self, request: OrderRequest) -> OrderReceipt:
        """Place an order from an event loop. Raises the refusal."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()

        def settle(answer: Answer) -> None:
            if not future.done():
                future.set_result(answer)

        self.submit(request, settle, loop=loop)
        return _receipt_or_raise(await future)

    def place_blocking(self, request: OrderRequest, *, timeout: float = 10.0) -> OrderReceipt:
        """Place an order from a thread. Raises the refusal; `DeskUnavailable` when no answer came in time."""
        answers: SimpleQueue[Answer] = SimpleQueue()
        self.submit(request, answers.put)
        try:
            answer = answers.get(timeout=timeout)
        except Empty:
            raise DeskUnavailable from None
        return _receipt_or_raise(answer)

    def close(self, timeout: float = 10.0) -> None:
        """Serve what is queued, then stop. Later requests are refused. Safe to call twice."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        self._thread.join(timeout)

    # --- the desk's thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while (batch := self._gather()) is not None:
            if batch:
                self._serve(batch)
        self._refuse_rest()
        self._writer.close()

    def _gather(self) -> list[_Waiting] | None:
        """Wait for one request, take all that are there. None: closed."""
        first = self._queue.get()
        if first is None:
            return None
        batch = [first]
        take = self._queue.get_nowait
        try:
            while len(batch) < self._most_in_batch:
                one = take()
                if one is None:
                    self._queue.put(None)
                    break
                batch.append(one)
        except Empty:
            pass
        return batch

    def _serve(self, batch: Sequence[_Waiting]) -> None:
        too_old = time.monotonic() - LONGEST_WAIT_SECONDS
        fresh = [one for one in batch if one.since > too_old]
        for one in batch:
            if one.since <= too_old:
                _deliver([(one, TooBusy())])
        if not fresh:
            return
        try:
            answers, committed = self._writer.serve([one.request for one in fresh])
        except Exception:
            # The outermost loop of this thread: a bug must not stop all later sales.
            log.exception("order batch failed", extra={"orders": len(fresh)})
            self._writer.close()
            _deliver([(one, OrderFailed()) for one in fresh])
            return
        _deliver(list(zip(fresh, answers, strict=True)))
        if committed.orders:
            self._tell(committed)

    def _tell(self, committed: Committed) -> None:
        for hook in self._hooks:
            try:
                hook(committed)
            except Exception:
                log.exception("a hook of the order desk failed")

    def _refuse_rest(self) -> None:
        while True:
            try:
                one = self._queue.get_nowait()
            except Empty:
                return
            if one is not None:
                _deliver([(one, DeskUnavailable())])


def _receipt_or_raise(answer: Answer) -> OrderReceipt:
    if isinstance(answer, Refusal):
        raise answer
    return answer


def _deliver(pairs: Sequence[tuple[_Waiting, Answer]]) -> None:
    """Call every callback; those of an event loop with one wake-up a loop."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[Callback, Answer]]] = {}
    here: list[tuple[Callback, Answer]] = []
    for one, answer in pairs:
        (here if one.loop is None else loops.setdefault(one.loop, [])).append((one.callback, answer))
    for loop, calls in loops.items():
        try:
            loop.call_soon_threadsafe(_call_all, calls)
        except RuntimeError:
            log.info("the event loop of %s orders is closed", len(calls))
    _call_all(here)


def _call_all(calls: Sequence[tuple[Callback, Answer]]) -> None:
    for callback, answer in calls:
        try:
            callback(answer)
        except Exception:
            log.exception("a buyer's callback failed")
