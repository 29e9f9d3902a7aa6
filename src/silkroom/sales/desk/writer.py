"""The part of the order desk that touches the world: one PostgreSQL connection, one transaction for a batch.

`Writer.serve` answers every request of a batch, and only with what is durable. When a transaction fails, the batch is
split until the request that cannot be served stands alone. When the connection is lost in the middle, whether the
commit arrived is not guessed: the batch is sent again, and orders that were made are found by their keys.

Lock order, the same in every transaction of silkroom: orders, sellable rows by (item, place), offers, uses. The desk
only inserts orders, so it starts with the sellable rows.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import msgspec
import psycopg
from psycopg import conninfo as conninfo_of
from psycopg import errors as database_errors

from silkroom.kit.clock import to_milliseconds
from silkroom.kit.errors import Refusal
from silkroom.kit.ids import make_codes
from silkroom.sales.desk import statements as sql
from silkroom.sales.desk.core import (
    Accepted,
    Changes,
    Decision,
    KnownOrder,
    OfferFacts,
    OrderKey,
    OrderRequest,
    Repeated,
    SameAs,
    Shelf,
    StockRow,
    VariantFacts,
    decide,
    in_order,
    lacking,
)
from silkroom.sales.desk.errors import BuyerUnknown, DeskUnavailable, KeyReused, OrderFailed
from silkroom.sales.desk.receipts import Committed, OrderReceipt, ReceiptLine
from silkroom.sales.desk.statements import number_list, plain_list, text_list
from silkroom.sales.orders.services import lapse_due_orders

log = logging.getLogger(__name__)

TRIES = 4
"""How often a batch is sent again unchanged after a deadlock or a lock that did not come."""

AGAIN = (
    database_errors.DeadlockDetected,
    database_errors.SerializationFailure,
    database_errors.LockNotAvailable,
    database_errors.QueryCanceled,
)
"""The transaction was undone, and nothing was wrong with it."""

AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    database_errors.ReadOnlySqlTransaction,
)
"""PostgreSQL is gone, starting, stopping, full, or has become a copy of another."""

Answer: TypeAlias = OrderReceipt | Refusal
Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


LAPSE_PAUSE_SECONDS = 0.5
"""After nothing could be lapsed (a payment is under way), so long no batch tries again."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What the first round trip brought."""

    shelf: Shelf
    now: datetime
    has_due_orders: bool
    receipts: dict[int, OrderReceipt]


@dataclass(slots=True)
class _Rows:
    """What is written for the accepted requests of a batch, column by column."""

    receipts: dict[int, OrderReceipt] = field(default_factory=dict)
    """By the request's place in the batch."""
    orders: list[tuple[int, int, str, int, str, str, str, int, int]] = field(default_factory=list)
    lines: list[tuple[int, int, int, int, int, str, int, int | None, str, str, int, int]] = field(default_factory=list)
    news: list[tuple[int, str]] = field(default_factory=list)


class Writer:
    """Serves batches, one after the other, from one thread."""

    def __init__(
        self,
        conninfo: str,
        *,
        hold_seconds: int,
        patience_seconds: float = 5.0,
        moment: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conninfo = conninfo_of.make_conninfo(
            conninfo,
            application_name="silkroom order desk",
            connect_timeout=3,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=8000,
            options=sql.SESSION,
        )
        self._hold = timedelta(seconds=hold_seconds)
        self._patience = patience_seconds
        self._moment = moment
        self._connection: Connection | None = None
        self._spare_ids: deque[tuple[int, int]] = deque()
        """(order, hold): a pair for each line; an order uses the first number of its first line's pair."""
        self._committed: list[tuple[int, Iterable[int], Iterable[int]]] = []
        self._no_lapse_before = 0.0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def serve(self, requests: Sequence[OrderRequest]) -> tuple[list[Answer], Committed]:
        """An answer for each request, in order; within `patience_seconds` also when PostgreSQL is away."""
        self._committed = []
        answers = self._serve(requests, self._moment() + self._patience, TRIES)
        return answers, _sum_up(self._committed)

    def _serve(self, requests: Sequence[OrderRequest], give_up_at: float, tries: int) -> list[Answer]:
        try:
            return self._attempt(requests)
        except AGAIN as error:
            log.info("order batch undone, again", extra={"orders": len(requests), "reason": str(error)})
            self._undo()
            if tries > 1:
                return self._serve(requests, give_up_at, tries - 1)
            return self._split(requests, give_up_at, error)
        except AWAY as error:
            log.warning("order desk lost PostgreSQL", extra={"orders": len(requests), "reason": str(error)})
            self._drop_connection()
            if self._moment() >= give_up_at:
                return [DeskUnavailable() for _ in requests]
            time.sleep(0.05)
            return self._serve(requests, give_up_at, tries)
        except psycopg.Error as error:
            self._undo()
            return self._split(requests, give_up_at, error)

    def _split(self, requests: Sequence[OrderRequest], give_up_at: float, error: psycopg.Error) -> list[Answer]:
        """Halves, so that a bad request ends up alone."""
        if len(requests) == 1:
            return [self._refusal_for(requests[0], error)]
        middle = len(requests) // 2
        return [
            *self._serve(requests[:middle], give_up_at, TRIES),
            *self._serve(requests[middle:], give_up_at, TRIES),
        ]

    def _refusal_for(self, request: OrderRequest, error: psycopg.Error) -> Refusal:
        if isinstance(error, AGAIN):
            return DeskUnavailable()
        if isinstance(error, database_errors.ForeignKeyViolation):
            return BuyerUnknown()
        log.error("order failed", exc_info=error, extra={"person": request.person_id, "key": str(request.key)})
        return OrderFailed()

    # --- connection ---------------------------------------------------------------------------------

    def _connect(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._conninfo, prepare_threshold=0)
            # Numbers taken from a sequence are durable only with a later commit: after a crash they may be given again.
            self._spare_ids.clear()
        return self._connection

    def _undo(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.rollback()
        except psycopg.Error:
            self._drop_connection()

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- one transaction ----------------------------------------------------------------------------

    def _attempt(self, requests: Sequence[OrderRequest]) -> list[Answer]:
        connection = self._connect()
        with connection.pipeline():
            found = self._look(connection, requests)
            decisions, changes = decide(requests, found.shelf, now=found.now)
            if found.has_due_orders and lacking(decisions) and self._may_lapse():
                self._lapse(connection, found.shelf)
                found = self._look(connection, requests)
                decisions, changes = decide(requests, found.shelf, now=found.now)
            rows = self._make_rows(requests, decisions, found.now)
            if rows.orders:
                self._write(connection, rows, changes, found.shelf, found.now)
                connection.commit()
                self._committed.append((len(rows.orders), found.shelf.stock.keys(), changes.taken.keys()))
            else:
                connection.rollback()
        return _answers(decisions, rows, found.receipts)

    def _may_lapse(self) -> bool:
        return self._moment() >= self._no_lapse_before

    def _lapse(self, connection: Connection, shelf: Shelf) -> None:
        """Somebody would go without: end orders that are due and keep what is wanted.

        In a transaction of its own, since it locks orders, and orders come before sellable rows.
        """
        connection.rollback()
        ended = lapse_due_orders(cursor=connection.cursor(), items=list(shelf.stock), offers=list(shelf.offers))
        connection.commit()
        if not ended:
            self._no_lapse_before = self._moment() + LAPSE_PAUSE_SECONDS

    def _look(self, connection: Connection, requests: Sequence[OrderRequest]) -> _Found:
        """Lock and read, in one round trip."""
        variants = number_list(sorted({line.variant_id for request in requests for line in request.lines}))
        uses = {
            (line.offer_id, request.person_id)
            for request in requests
            for line in request.lines
            if line.offer_id is not None
        }
        run = connection.execute
        stock = run(sql.LOCK_STOCK, (variants,))
        facts = run(sql.READ_VARIANTS, (variants,))
        if uses:
            offers = run(sql.LOCK_OFFERS, (number_list(sorted({offer for offer, _ in uses})),))
            used = run(sql.READ_USES, (number_list(offer for offer, _ in uses), number_list(who for _, who in uses)))
        known = run(
            sql.READ_KNOWN,
            (
                number_list(request.person_id for request in requests),
                plain_list(request.key.hex for request in requests),
            ),
        )
        # Last, so that it is a moment after all locks were obtained.
        moment = run(sql.READ_MOMENT)
        missing = sum(len(request.lines) for request in requests) - len(self._spare_ids)
        if missing > 0:
            self._spare_ids.extend(run(sql.RESERVE_IDS, (missing,)).fetchall())
        shelf = Shelf(variants={row[0]: VariantFacts(*row) for row in facts}, stock=_stock_by_item(stock.fetchall()))
        if uses:
            shelf.offers = {row[0]: OfferFacts(*row) for row in offers}
            shelf.uses = {(row[0], row[1]): row[2] for row in used}
        receipts, shelf.known = _known_orders(known.fetchall())
        now, has_due_orders = moment.fetchone() or (None, None)
        return _Found(shelf, now, has_due_orders, receipts)

    def _make_rows(self, requests: Sequence[OrderRequest], decisions: Sequence[Decision], now: datetime) -> _Rows:
        """Give numbers to the accepted requests and lay their rows out."""
        rows = _Rows()
        accepted = [(index, one) for index, one in enumerate(decisions) if isinstance(one, Accepted)]
        holds_until_ms = to_milliseconds(now + self._hold)
        for (index, decision), number in zip(accepted, make_codes(len(accepted)), strict=True):
            request = requests[index]
            order_id = self._add_lines(rows, number, decision)
            currency, total = decision.currency, decision.total_minor
            rows.orders.append(
                (
                    order_id,
                    request.shop_id,
                    number,
                    request.person_id,
                    request.key.hex,
                    request.channel,
                    currency,
                    decision.goods_minor,
                    decision.discount_minor,
                )
            )
            rows.news.append((request.shop_id, _news(order_id, number, request, decision)))
            rows.receipts[index] = OrderReceipt(number, total, currency, holds_until_ms, _receipt_lines(decision))
        return rows

    def _add_lines(self, rows: _Rows, number: str, decision: Accepted) -> int:
        order_id = 0
        for line in decision.lines:
            pair = self._spare_ids.popleft()
            order_id = order_id or pair[0]
            variant, offer = line.variant, line.offer
            rows.lines.append(
                (
                    pair[1],
                    order_id,
                    variant.item_id,
                    line.place_id,
                    line.quantity,
                    number,
                    variant.variant_id,
                    None if offer is None else offer.offer_id,
                    variant.sku,
                    variant.title,
                    variant.price_minor,
                    line.unit_price_minor,
                )
            )
        return order_id

    def _write(self, connection: Connection, rows: _Rows, changes: Changes, limits: Shelf, now: datetime) -> None:
        """Everything of the batch, queued in the pipeline that the commit ends."""
        run = connection.execute
        run(sql.HOLD_STOCK, (number_list(changes.held), number_list(changes.held.values())))
        if changes.taken:
            run(sql.COUNT_OFFERS, (number_list(changes.taken), number_list(changes.taken.values())))
        if changes.used:
            run(
                sql.COUNT_USES,
                (
                    number_list(offer for offer, _ in changes.used),
                    number_list(person for _, person in changes.used),
                    number_list(changes.used.values()),
                    number_list(limits.offers[offer].person_limit for offer, _ in changes.used),
                ),
            )
        holds_until = now + self._hold
        ids, shops, numbers, people, keys, channels, currencies, goods, discounts = zip(*rows.orders, strict=True)
        run(
            sql.INSERT_ORDERS,
            (
                now,
                holds_until,
                number_list(ids),
                number_list(shops),
                plain_list(numbers),
                number_list(people),
                plain_list(keys),
                text_list(channels),
                plain_list(currencies),
                number_list(goods),
                number_list(discounts),
            ),
        )
        holds, orders, items, places, pieces, names, variants, offers, skus, titles, lists, units = zip(
            *rows.lines, strict=True
        )
        run(
            sql.INSERT_LINES,
            (
                number_list(holds),
                number_list(orders),
                number_list(items),
                number_list(places),
                number_list(pieces),
                plain_list(names),
                number_list(variants),
                number_list(offers),
                text_list(skus),
                text_list(titles),
                number_list(lists),
                number_list(units),
                holds_until,
            ),
        )
        told_shops, told = zip(*rows.news, strict=True)
        run(sql.INSERT_JOURNAL, (number_list(told_shops), text_list(told)))


_encode = msgspec.json.Encoder().encode


def _news(order_id: int, number: str, request: OrderRequest, decision: Accepted) -> str:
    """Data of the journal entry ``order.placed``."""
    lines = decision.lines
    return _encode(
        {
            "order": order_id,
            "number": number,
            "person": request.person_id,
            "channel": request.channel,
            "items": sorted({line.variant.item_id for line in lines}),
            "offers": sorted({line.offer.offer_id for line in lines if line.offer is not None}),
            "pieces": sum(line.quantity for line in lines),
            "total_minor": decision.total_minor,
            "currency": decision.currency,
        }
    ).decode()


def _receipt_lines(decision: Accepted) -> tuple[ReceiptLine, ...]:
    return tuple(
        ReceiptLine(
            line.variant.variant_id,
            line.variant.sku,
            line.variant.title,
            line.quantity,
            line.variant.price_minor,
            line.unit_price_minor,
            None if line.offer is None else line.offer.offer_id,
        )
        for line in decision.lines
    )


def _stock_by_item(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[StockRow]]:
    """Locked rows by item, the place to be emptied first standing first."""
    found: dict[int, list[tuple[int, StockRow]]] = {}
    for item_id, sellable_id, place_id, free, priority in rows:
        found.setdefault(item_id, []).append((priority, StockRow(sellable_id, place_id, free)))
    return {
        item_id: [row for _, row in sorted(places, key=lambda one: (one[0], one[1].place_id))]
        for item_id, places in found.items()
    }


def _known_orders(
    rows: Iterable[tuple[Any, ...]],
) -> tuple[dict[int, OrderReceipt], dict[OrderKey, KnownOrder]]:
    """Orders that these keys have made before, from their joined lines."""
    receipts: dict[int, OrderReceipt] = {}
    keys: dict[int, OrderKey] = {}
    for order_id, person, key, number, total, currency, holds_until, state, *line in rows:
        before = receipts.get(order_id)
        if before is None:
            keys[order_id] = (person, key)
            before = OrderReceipt(number, total, currency, to_milliseconds(holds_until), (), state, repeated=True)
        receipts[order_id] = replace(before, lines=(*before.lines, ReceiptLine(*line)))
    known = {
        keys[order_id]: KnownOrder(
            order_id,
            in_order((line.variant_id, line.quantity, line.offer_id) for line in receipt.lines),
            receipt.number,
        )
        for order_id, receipt in receipts.items()
    }
    return receipts, known


def _answers(decisions: Sequence[Decision], rows: _Rows, known: dict[int, OrderReceipt]) -> list[Answer]:
    answers: list[Answer] = []
    for index, decision in enumerate(decisions):
        if isinstance(decision, Accepted):
            answers.append(rows.receipts[index])
        elif isinstance(decision, Repeated):
            answers.append(known[decision.order_id])
        elif isinstance(decision, SameAs):
            receipt = rows.receipts[decision.index]
            answers.append(
                replace(receipt, repeated=True) if decision.wants_the_same else KeyReused(number=receipt.number)
            )
        else:
            answers.append(decision)
    return answers


def _sum_up(batches: Sequence[tuple[int, Iterable[int], Iterable[int]]]) -> Committed:
    return Committed(
        sum(orders for orders, _, _ in batches),
        frozenset(item for _, items, _ in batches for item in items),
        frozenset(offer for _, _, offers in batches for offer in offers),
    )
