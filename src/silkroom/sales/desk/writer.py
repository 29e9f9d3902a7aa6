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
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, cast
from uuid import UUID

import msgspec
import psycopg
from msgspec.structs import replace
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
from silkroom.sales.desk.errors import DeskUnavailable, KeyReused, OrderFailed
from silkroom.sales.desk.pipe import Call, Pipe, Row
from silkroom.sales.desk.receipts import Committed, OrderReceipt, ReceiptLine
from silkroom.sales.desk.statements import number_list, plain_list, text_list
from silkroom.sales.orders.services import lapse_due_orders

log = logging.getLogger(__name__)

TRIES = 4
"""How often a batch is sent again unchanged after a deadlock or a lock that did not come."""

AWAY_PAUSE_SECONDS = 0.05

LAPSE_PAUSE_SECONDS = 0.5
"""After nothing could be lapsed (a payment is under way), so long no batch tries again."""

IDS_AT_ONCE = 512

AGAIN = (
    database_errors.DeadlockDetected,
    database_errors.SerializationFailure,
    database_errors.LockNotAvailable,
    database_errors.QueryCanceled,
    # The same key through another desk at the same moment: the next look finds its order.
    database_errors.UniqueViolation,
)
"""The transaction was undone, and nothing was wrong with it."""

AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    database_errors.ReadOnlySqlTransaction,
)
"""PostgreSQL is gone, starting, stopping, full, or has become a copy of another."""

Answer: TypeAlias = OrderReceipt | Refusal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OrderPlaced(msgspec.Struct):
    """Data of the journal entry ``order.placed``."""

    order: int
    number: str
    person: int
    channel: str
    items: list[int]
    offers: list[int]
    pieces: int
    total_minor: int
    currency: str


class News(msgspec.Struct):
    """A journal entry."""

    shop: int
    data: OrderPlaced


@dataclass(frozen=True, slots=True)
class _Found:
    """What the first round trip brought."""

    shelf: Shelf
    now: datetime
    has_due_orders: bool
    receipts: dict[int, OrderReceipt]


@dataclass(slots=True)
class _Rows:
    """What is written for the accepted requests of a batch, row by row."""

    receipts: dict[int, OrderReceipt] = field(default_factory=dict)
    """By the request's place in the batch."""
    orders: list[tuple[int, int, str, int, str, str, str, int, int]] = field(default_factory=list)
    lines: list[tuple[int, int, int, int, int, str, int, int | None, str, str, int, int]] = field(default_factory=list)
    news: list[News] = field(default_factory=list)


class Writer:
    """Serves batches, one after the other, from one thread."""

    def __init__(
        self,
        conninfo: str,
        *,
        hold_seconds: int,
        most_unpaid: int,
        patience_seconds: float = 5.0,
        moment: Callable[[], float] = time.monotonic,
    ) -> None:
        given = str(conninfo_of.conninfo_to_dict(conninfo).get("options") or "")
        self._conninfo = conninfo_of.make_conninfo(
            conninfo,
            application_name="silkroom order desk",
            connect_timeout=3,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=8000,
            options=f"{given} {sql.SESSION}".strip(),
        )
        self._hold = timedelta(seconds=hold_seconds)
        self._most_unpaid = most_unpaid
        self._patience = patience_seconds
        self._moment = moment
        self._pipe: Pipe | None = None
        self._is_away = False
        self._spare_ids: deque[tuple[int, int]] = deque()
        """(order, hold): a pair for each line; an order uses the first number of its first line's pair."""
        self._committed: list[tuple[int, Collection[int], Collection[int]]] = []
        self._no_lapse_before = 0.0

    def close(self) -> None:
        """Let go of the connection; the next batch makes a new one."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def serve(self, requests: Sequence[OrderRequest]) -> tuple[list[Answer], Committed]:
        """An answer for each request, in order; within `patience_seconds` also when PostgreSQL is away."""
        self._committed = []
        # Whoever comes while PostgreSQL is known to be away is told after one try.
        patience = 0.0 if self._is_away else self._patience
        answers = self._serve(requests, self._moment() + patience)
        return answers, _sum_up(self._committed)

    def _serve(self, requests: Sequence[OrderRequest], give_up_at: float) -> list[Answer]:
        tries = TRIES
        while True:
            try:
                answers = self._attempt(requests)
            except AGAIN as error:
                log.info("order batch undone, again", extra={"orders": len(requests), "reason": str(error)})
                self._undo()
                tries -= 1
                if not tries:
                    return self._split(requests, give_up_at, error)
            except AWAY as error:
                log.warning("order desk lost PostgreSQL", extra={"orders": len(requests), "reason": str(error)})
                self.close()
                if self._moment() >= give_up_at:
                    self._is_away = True
                    return [DeskUnavailable() for _ in requests]
                time.sleep(AWAY_PAUSE_SECONDS)
            except psycopg.Error as error:
                self._undo()
                return self._split(requests, give_up_at, error)
            else:
                self._is_away = False
                return answers

    def _split(self, requests: Sequence[OrderRequest], give_up_at: float, error: psycopg.Error) -> list[Answer]:
        """Halves, so that a bad request ends up alone."""
        if len(requests) == 1:
            return [_refusal_for(requests[0], error)]
        middle = len(requests) // 2
        return [*self._serve(requests[:middle], give_up_at), *self._serve(requests[middle:], give_up_at)]

    # --- connection ---------------------------------------------------------------------------------

    def _connect(self) -> Pipe:
        if self._pipe is None:
            self._pipe = Pipe(self._conninfo, sql.ALL)
            # Numbers taken from a sequence are durable only with a later commit: after a crash they may be given again.
            self._spare_ids.clear()
        return self._pipe

    def _undo(self) -> None:
        if self._pipe is None:
            return
        try:
            self._pipe.run((sql.ROLLBACK, ()))
        except psycopg.Error:
            self.close()

    # --- one transaction ----------------------------------------------------------------------------

    def _attempt(self, requests: Sequence[OrderRequest]) -> list[Answer]:
        pipe = self._connect()
        found = self._look(pipe, requests)
        decisions, changes = self._decide(requests, found)
        if found.has_due_orders and self._moment() >= self._no_lapse_before and lacking(decisions):
            self._lapse(pipe, found.shelf)
            found = self._look(pipe, requests)
            decisions, changes = self._decide(requests, found)
        rows = self._make_rows(requests, decisions, found.now)
        if rows.orders:
            pipe.run(*self._writes(rows, changes, found.shelf, found.now), (sql.COMMIT, ()))
            self._committed.append((len(rows.orders), list(found.shelf.stock), list(changes.taken)))
        else:
            pipe.run((sql.ROLLBACK, ()))
        return _answers(decisions, rows, found.receipts)

    def _decide(self, requests: Sequence[OrderRequest], found: _Found) -> tuple[list[Decision], Changes]:
        return decide(requests, found.shelf, now=found.now, most_unpaid=self._most_unpaid)

    def _lapse(self, pipe: Pipe, shelf: Shelf) -> None:
        """Somebody would go without: end orders that are due and keep what is wanted.

        In a transaction of its own, since it locks orders, and orders come before sellable rows.
        """
        pipe.run((sql.ROLLBACK, ()))
        connection = pipe.leave()
        try:
            with connection.transaction():
                ended = lapse_due_orders(
                    cursor=connection.cursor(),
                    items=list(shelf.stock),
                    offers=list(shelf.offers),
                    people=list(shelf.buyers),
                )
        finally:
            pipe.enter()
        if not ended:
            self._no_lapse_before = self._moment() + LAPSE_PAUSE_SECONDS

    def _look(self, pipe: Pipe, requests: Sequence[OrderRequest]) -> _Found:
        """Lock and read, in one round trip."""
        variants = number_list(sorted({line.variant_id for request in requests for line in request.lines}))
        buyers = sorted({request.person_id for request in requests})
        uses = {
            (line.offer_id, request.person_id)
            for request in requests
            for line in request.lines
            if line.offer_id is not None
        }
        calls: list[Call] = [(sql.BEGIN, ()), (sql.LOCK_STOCK, (variants,))]
        if uses:
            calls.append((sql.LOCK_OFFERS, (number_list(sorted({offer for offer, _ in uses})),)))
            calls.append((sql.READ_USES, (number_list(one for one, _ in uses), number_list(who for _, who in uses))))
        calls.append((sql.LOCK_VARIANTS, (variants,)))
        calls.append((sql.LOCK_BUYERS, (number_list(buyers),)))
        whose = {(request.shop_id, request.person_id) for request in requests}
        calls.append(
            (sql.READ_UNPAID, (number_list([shop for shop, _ in whose]), number_list([who for _, who in whose])))
        )
        # Each key once: a key that stands twice in the batch would bring its order's lines twice.
        keys = {(request.person_id, request.key.hex) for request in requests}
        calls.append((sql.READ_KNOWN, (number_list([who for who, _ in keys]), plain_list([key for _, key in keys]))))
        # After all locks, so that nobody waited in between.
        calls.append((sql.READ_MOMENT, ()))
        missing = sum([len(request.lines) for request in requests]) - len(self._spare_ids)
        if missing > 0:
            calls.append((sql.RESERVE_IDS, (str(missing + IDS_AT_ONCE),)))
        answers = dict(zip([statement for statement, _ in calls], pipe.run(*calls), strict=True))
        for orders, holds in answers.get(sql.RESERVE_IDS, ()):
            self._spare_ids.extend(zip(_numbers(orders), _numbers(holds), strict=True))
        receipts, known = _known_orders(answers[sql.READ_KNOWN])
        moment, has_due_orders = answers[sql.READ_MOMENT][0]
        shelf = Shelf(
            buyers={_number(row[0]) for row in answers[sql.LOCK_BUYERS]},
            variants=_variants(answers[sql.LOCK_VARIANTS]),
            stock=_stock_by_item(answers[sql.LOCK_STOCK]),
            offers=_offers(answers.get(sql.LOCK_OFFERS, ())),
            uses=_counts(answers.get(sql.READ_USES, ())),
            known=known,
            unpaid=_counts(answers[sql.READ_UNPAID]),
        )
        return _Found(shelf, _moment(moment), has_due_orders == b"t", receipts)

    def _make_rows(self, requests: Sequence[OrderRequest], decisions: Sequence[Decision], now: datetime) -> _Rows:
        """Give numbers to the accepted requests and lay their rows out."""
        rows = _Rows()
        accepted = [(index, one) for index, one in enumerate(decisions) if isinstance(one, Accepted)]
        holds_until_ms = to_milliseconds(now + self._hold)
        for (index, decision), number in zip(accepted, make_codes(len(accepted)), strict=True):
            request = requests[index]
            order_id = self._add_lines(rows, number, decision)
            currency = decision.currency
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
            rows.news.append(News(request.shop_id, _news(order_id, number, request, decision)))
            rows.receipts[index] = OrderReceipt(
                number, decision.total_minor, currency, holds_until_ms, _receipt_lines(decision)
            )
        return rows

    def _add_lines(self, rows: _Rows, number: str, decision: Accepted) -> int:
        order_id = 0
        for variant, offer, place_id, quantity, price_minor in decision.lines:
            spare_order_id, hold_id = self._spare_ids.popleft()
            order_id = order_id or spare_order_id
            rows.lines.append(
                (
                    hold_id,
                    order_id,
                    variant.item_id,
                    place_id,
                    quantity,
                    number,
                    variant.variant_id,
                    None if offer is None else offer.offer_id,
                    variant.sku,
                    variant.title,
                    variant.price_minor,
                    price_minor,
                )
            )
        return order_id

    def _writes(self, rows: _Rows, changes: Changes, shelf: Shelf, now: datetime) -> list[Call]:
        """Everything that the batch writes."""
        calls: list[Call] = [(sql.HOLD_STOCK, (number_list(changes.held), number_list(changes.held.values())))]
        if changes.taken:
            calls.append((sql.COUNT_OFFERS, (number_list(changes.taken), number_list(changes.taken.values()))))
        if changes.used:
            limits = [shelf.offers[offer].person_limit for offer, _ in changes.used]
            calls.append(
                (
                    sql.COUNT_USES,
                    (
                        number_list(offer for offer, _ in changes.used),
                        number_list(person for _, person in changes.used),
                        number_list(changes.used.values()),
                        number_list(limits),
                    ),
                )
            )
        holds_until = str(now + self._hold)
        calls.append((sql.INSERT_ORDERS, (str(now), holds_until, *_order_columns(rows))))
        calls.append((sql.INSERT_LINES, (holds_until, *_line_columns(rows))))
        calls.append((sql.INSERT_JOURNAL, (_encode(rows.news).decode(),)))
        return calls


def _refusal_for(request: OrderRequest, error: psycopg.Error) -> Refusal:
    if isinstance(error, AGAIN):
        return DeskUnavailable()
    log.error("order failed", exc_info=error, extra={"person": request.person_id, "key": str(request.key)})
    return OrderFailed()


# --- what is written ------------------------------------------------------------------------------


def _order_columns(rows: _Rows) -> tuple[str, ...]:
    ids, shops, numbers, people, keys, channels, currencies, goods, discounts = zip(*rows.orders, strict=True)
    return (
        number_list(ids),
        number_list(shops),
        plain_list(numbers),
        number_list(people),
        plain_list(keys),
        text_list(channels),
        plain_list(currencies),
        number_list(goods),
        number_list(discounts),
    )


def _line_columns(rows: _Rows) -> tuple[str, ...]:
    holds, orders, items, places, pieces, numbers, variants, offers, skus, titles, lists, units = zip(
        *rows.lines, strict=True
    )
    return (
        number_list(holds),
        number_list(orders),
        number_list(items),
        number_list(places),
        number_list(pieces),
        plain_list(numbers),
        number_list(variants),
        number_list(offers),
        text_list(skus),
        text_list(titles),
        number_list(lists),
        number_list(units),
    )


_encode = msgspec.json.Encoder().encode


def _news(order_id: int, number: str, request: OrderRequest, decision: Accepted) -> OrderPlaced:
    lines = decision.lines
    if len(lines) == 1:
        variant, offer, _place, pieces, _price = lines[0]
        items = [variant.item_id]
        offers = [] if offer is None else [offer.offer_id]
    else:
        items = sorted({line.variant.item_id for line in lines})
        offers = sorted({line.offer.offer_id for line in lines if line.offer is not None})
        pieces = sum([line.quantity for line in lines])
    return OrderPlaced(
        order_id,
        number,
        request.person_id,
        request.channel,
        items,
        offers,
        pieces,
        decision.total_minor,
        decision.currency,
    )


def _receipt_lines(decision: Accepted) -> tuple[ReceiptLine, ...]:
    return tuple(
        [
            ReceiptLine(
                variant.variant_id,
                variant.sku,
                variant.title,
                quantity,
                variant.price_minor,
                price_minor,
                None if offer is None else offer.offer_id,
            )
            for variant, offer, _place, quantity, price_minor in decision.lines
        ]
    )


# --- what is read ---------------------------------------------------------------------------------


def _number(value: bytes | None) -> int:
    return int(cast(bytes, value))


def _perhaps(value: bytes | None) -> int | None:
    return None if value is None else int(value)


def _text(value: bytes | None) -> str:
    return cast(bytes, value).decode()


def _moment(microseconds: bytes | None) -> datetime:
    return EPOCH + timedelta(microseconds=_number(microseconds))


def _numbers(array: bytes | None) -> list[int]:
    """The numbers of an array as PostgreSQL writes it: ``{1,2,3}``."""
    return [int(one) for one in cast(bytes, array)[1:-1].split(b",")]


def _variants(rows: Iterable[Row]) -> dict[int, VariantFacts]:
    facts = (
        VariantFacts(
            _number(variant),
            _number(item),
            _number(shop),
            _number(style),
            _text(currency),
            _number(price),
            _text(sku),
            _text(title),
            is_sold == b"t",
        )
        for variant, item, shop, style, currency, price, sku, title, is_sold in rows
    )
    return {one.variant_id: one for one in facts}


def _offers(rows: Iterable[Row]) -> dict[int, OfferFacts]:
    facts = (
        OfferFacts(
            _number(offer),
            _number(shop),
            _number(style),
            _number(price),
            _perhaps(cap),
            _perhaps(limit),
            _number(taken),
            _moment(starts_at),
            _moment(ends_at),
            is_withdrawn == b"t",
            _text(channel),
        )
        for offer, shop, style, price, cap, limit, taken, starts_at, ends_at, is_withdrawn, channel in rows
    )
    return {one.offer_id: one for one in facts}


def _counts(rows: Iterable[Row]) -> dict[tuple[int, int], int]:
    return {(_number(what), _number(person)): _number(count) for what, person, count in rows}


def _stock_by_item(rows: Iterable[Row]) -> dict[int, list[StockRow]]:
    """Locked rows by item, the place to be emptied first standing first."""
    found: dict[int, list[tuple[int, int, StockRow]]] = {}
    for row in rows:
        item_id, sellable_id, place_id, free, priority = map(_number, row)
        found.setdefault(item_id, []).append((priority, place_id, StockRow(sellable_id, place_id, free)))
    return {
        item_id: [row for _, _, row in sorted(places, key=lambda one: one[:2])] for item_id, places in found.items()
    }


def _known_orders(rows: Iterable[Row]) -> tuple[dict[int, OrderReceipt], dict[OrderKey, KnownOrder]]:
    """Orders that these keys have made before, from their joined lines."""
    receipts: dict[int, OrderReceipt] = {}
    keys: dict[int, OrderKey] = {}
    for order, person, key, number, total, currency, holds_until, state, *line in rows:
        order_id = _number(order)
        before = receipts.get(order_id)
        if before is None:
            keys[order_id] = (_number(person), UUID(_text(key)))
            until_ms = to_milliseconds(_moment(holds_until))
            before = OrderReceipt(
                _text(number), _number(total), _text(currency), until_ms, (), _text(state), repeated=True
            )
        receipts[order_id] = replace(before, lines=(*before.lines, _receipt_line(line)))
    known = {
        keys[order_id]: KnownOrder(
            order_id,
            in_order((line.variant_id, line.quantity, line.offer_id) for line in receipt.lines),
            receipt.number,
        )
        for order_id, receipt in receipts.items()
    }
    return receipts, known


def _receipt_line(columns: Sequence[bytes | None]) -> ReceiptLine:
    variant, sku, title, quantity, list_price, unit_price, offer = columns
    return ReceiptLine(
        _number(variant),
        _text(sku),
        _text(title),
        _number(quantity),
        _number(list_price),
        _number(unit_price),
        _perhaps(offer),
    )


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


def _sum_up(batches: Sequence[tuple[int, Collection[int], Collection[int]]]) -> Committed:
    return Committed(
        sum(orders for orders, _, _ in batches),
        frozenset(item for _, items, _ in batches for item in items),
        frozenset(offer for _, _, offers in batches for offer in offers),
    )
