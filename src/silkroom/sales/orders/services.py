"""Writes of orders after they were placed: paid, lapsed, cancelled, refunded. Placing is the order desk's.

One path gives pieces back, whoever asks (the job every second, the desk when somebody would go without, the buyer).
Lock order: orders, sellable rows, offers, uses.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from silkroom.accounts.models import Person
from silkroom.catalog.queries import has_prices
from silkroom.inventory.errors import NotEnoughStock
from silkroom.inventory.services import HeldPieces, HoldRequest, convert_holds, release_holds, take_back, take_holds
from silkroom.inventory.states import HoldState
from silkroom.journal.queries import Cursor
from silkroom.journal.services import News, append_entries, append_entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.kit.money import MINOR_DIGITS
from silkroom.sales.offers.errors import OfferUsedUp
from silkroom.sales.offers.services import OfferPieces, give_back_offers, hand_over_uses, take_offers_again
from silkroom.shops.models import Shop
from silkroom.shops.services import set_currency

from .errors import CurrencyFixed, OrderMoved, PaymentUnderWay, PricesFixed
from .models import Order, OrderLine
from .queries import has_orders
from .rules import hold_source
from .states import ENDED_WITHOUT_SALE, OrderState, may_become

log = logging.getLogger(__name__)

MOST_AT_ONCE = 200
"""Orders that one transaction lapses: it holds hot rows meanwhile, and buyers wait for them."""

PASSING = (psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError)
"""A deadlock, a lock that did not come, a lost connection: no order's fault, and the caller tries the whole again."""

# statement_timestamp() and not clock_timestamp(): a volatile function cannot bound an index.
_DUE = """
    SELECT o.id FROM sales_order o
    WHERE o.state = 'held' AND o.holds_until <= statement_timestamp()
      AND (o.lapse_again_at IS NULL OR o.lapse_again_at <= statement_timestamp())
      AND NOT EXISTS (
        SELECT FROM inventory_hold h
        WHERE h.source = 'order:' || o.number AND h.state = 'open' AND h.paying_until > statement_timestamp()
      )
      AND (%s::bigint[] IS NULL OR EXISTS (
        SELECT FROM sales_orderline l JOIN inventory_hold h ON h.id = l.hold_id
        WHERE l.order_id = o.id AND (h.item_id = ANY(%s) OR l.offer_id = ANY(%s))
      ) OR o.person_id = ANY(%s))
    ORDER BY o.holds_until LIMIT %s FOR NO KEY UPDATE OF o SKIP LOCKED
"""

_LINES = """
    SELECT o.id, o.number, o.shop_id, o.person_id, o.channel, h.item_id, l.offer_id, l.quantity,
           coalesce(h.state = 'open' AND h.paying_until > clock_timestamp(), false)
    FROM sales_order o JOIN sales_orderline l ON l.order_id = o.id JOIN inventory_hold h ON h.id = l.hold_id
    WHERE o.id = ANY(%s) AND o.state = 'held' ORDER BY o.id, l.id
"""

_END = "UPDATE sales_order SET state = %s, ended_at = clock_timestamp() WHERE id = ANY(%s) AND state = 'held'"


# As long again as it has been due: 10 s, 20 s, 40 s and so on, an hour at most.
_LAPSE_LATER = """
    UPDATE sales_order SET lapse_again_at = clock_timestamp()
        + least(interval '1 hour', greatest(interval '10 seconds', clock_timestamp() - holds_until))
    WHERE id = ANY(%s)
"""


@dataclass
class _Ending:
    """A held order that gives its pieces back."""

    number: str
    shop_id: int
    person_id: int
    channel: str
    items: set[int] = field(default_factory=set)
    offers: list[tuple[int, int]] = field(default_factory=list)
    """[(offer, pieces)]."""
    is_being_paid: bool = False


def lapse_due_orders(
    *,
    cursor: Cursor,
    items: Sequence[int] | None = None,
    offers: Sequence[int] = (),
    people: Sequence[int] = (),
    limit: int = MOST_AT_ONCE,
) -> int:
    """End held orders whose time is over; not those that are being paid. Returns how many.

    ``items``, ``offers`` and ``people``: only orders with one of these, or of them. Orders that another transaction has
    locked are left alone.
    An order that cannot be ended is logged and not tried again for a while; the others lapse. The caller commits.
    """
    wanted = None if items is None else list(items)
    cursor.execute(_DUE, (wanted, wanted, list(offers), list(people), limit))
    locked = [row[0] for row in cursor.fetchall()]
    if not locked:
        return 0
    # Read again now that the orders are locked: a payment may have begun before the lock was ours.
    found = _read_endings(cursor, locked)
    endings = {key: one for key, one in found.items() if not one.is_being_paid}
    if len(endings) > 1 and _lapse(cursor, endings):
        ended = set(endings)
    else:
        # One is in the way of all: each for itself. Their rows are not locked in order now; a deadlock is PASSING.
        ended = {key for key, one in endings.items() if _lapse(cursor, {key: one})}
    lineless = [key for key in locked if key not in found]
    if lineless:
        log.error("unpaid orders without lines cannot lapse", extra={"orders": lineless})
    if bad := [*lineless, *(endings.keys() - ended)]:
        cursor.execute(_LAPSE_LATER, (bad,))
    return len(ended)


def _lapse(cursor: Cursor, endings: dict[int, _Ending]) -> bool:
    """End these orders, or none of them. False: something is wrong with one, and nothing has changed."""
    cursor.execute("SAVEPOINT lapse")
    try:
        _end_orders(cursor, endings, OrderState.LAPSED)
    except PASSING:
        raise
    except Exception:
        cursor.execute("ROLLBACK TO SAVEPOINT lapse")
        if len(endings) == 1:
            log.exception("an unpaid order cannot lapse", extra={"orders": [one.number for one in endings.values()]})
        return False
    cursor.execute("RELEASE SAVEPOINT lapse")
    return True


@dataclass(frozen=True)
class CounterLine:
    """A garment sold at a counter, whose pieces are held."""

    variant_id: int
    hold: HeldPieces
    sku: str
    title: str
    list_price_minor: int
    unit_price_minor: int


def place_counter_order(
    *,
    shop: Shop,
    person: Person,
    number: str,
    key: UUID,
    channel: str,
    currency: str,
    lines: Sequence[CounterLine],
    placed_at: datetime,
) -> Order:
    """An order that is placed and paid in one moment, by money on the counter. Its pieces, held as those of order
    ``number``, leave for the customer. ``key`` once for ``person``, as always.
    """
    goods = sum(one.list_price_minor * one.hold.quantity for one in lines)
    total = sum(one.unit_price_minor * one.hold.quantity for one in lines)
    order = Order.objects.create(
        shop=shop,
        number=number,
        person=person,
        key=key,
        channel=channel,
        currency=currency,
        goods_minor=goods,
        discount_minor=goods - total,
        total_minor=total,
        placed_at=placed_at,
        holds_until=placed_at,
    )
    OrderLine.objects.bulk_create(
        [
            OrderLine(
                order=order,
                variant_id=one.variant_id,
                hold_id=one.hold.hold_id,
                sku=one.sku,
                title=one.title,
                quantity=one.hold.quantity,
                list_price_minor=one.list_price_minor,
                unit_price_minor=one.unit_price_minor,
            )
            for one in lines
        ]
    )
    _tell(order, "order.placed")
    pay_order(order=order)
    return order


def cancel_order(*, person: Person, number: str) -> None:
    """The buyer gives up a held order; its pieces are free at once. Raises NotFound, OrderMoved, PaymentUnderWay."""
    order = lock_own_order(person=person, number=number)
    _require_move(order, OrderState.CANCELLED)
    with transaction.get_connection().cursor() as cursor:
        endings = _read_endings(cursor, [order.pk])
        if any(one.is_being_paid for one in endings.values()):
            raise PaymentUnderWay
        _end_orders(cursor, endings, OrderState.CANCELLED)


def lock_own_order(*, person: Person, number: str) -> Order:
    """The person's order, locked until the transaction ends. Raises NotFound."""
    order = Order.objects.select_for_update(no_key=True).filter(person=person, number=number).first()
    if order is None:
        raise NotFound
    return order


def lock_order(*, order_id: int) -> Order:
    """An order, locked until the transaction ends, whoever it belongs to: for payments and jobs."""
    return Order.objects.select_for_update(no_key=True).get(pk=order_id)


def pay_order(*, order: Order) -> bool:
    """The money has come for a locked order. True: it is paid and its pieces have left for the customer.

    False: it had lapsed or been cancelled, and its pieces (or its place in the offer) have gone to others meanwhile;
    nothing has changed, and the money must go back. Raises OrderMoved when the order is paid or refunded already.
    """
    _require_move(order, OrderState.PAID)
    late = order.state in ENDED_WITHOUT_SALE
    if late and not _take_again(order):
        return False
    convert_holds(sources=[hold_source(order.number)], person_id=order.person_id)
    _move(order, OrderState.PAID)
    _tell(order, "order.paid", late=late)
    return True


def refund_order(*, order: Order, back_to_stock: bool = False, by: Person | None = None) -> None:
    """The money of a locked order goes back whole.

    ``back_to_stock``: its pieces, too, to where they lay, and to their offer. Raises OrderMoved, NotFound (no piece has
    left for it), TakenBackAlready.
    """
    _require_move(order, OrderState.REFUNDED)
    if back_to_stock:
        take_back(shop=order.shop, source=hold_source(order.number), person=by)
        pieces = [
            OfferPieces(one.offer_id, order.person_id, one.quantity)
            for one in order.lines.order_by("id")
            if one.offer_id is not None
        ]
        give_back_offers(pieces=pieces)
    _move(order, OrderState.REFUNDED)
    _tell(order, "order.refunded")


def lock_order_of_shop(*, shop: Shop, number: str) -> Order:
    """The shop's order, locked until the transaction ends. Raises NotFound."""
    order = Order.objects.select_for_update(no_key=True).filter(shop=shop, number=number).first()
    if order is None:
        raise NotFound
    return order


def set_address(*, person: Person, number: str, recipient: str, phone: str, address: str) -> None:
    """Where the parcel goes; while the order is held or paid. Raises NotFound, OrderMoved."""
    order = lock_own_order(person=person, number=number)
    if order.state not in (OrderState.HELD, OrderState.PAID):
        raise OrderMoved(state=order.state)
    order.recipient, order.phone, order.address = recipient, phone, address
    order.save(update_fields=["recipient", "phone", "address"])


def _read_endings(cursor: Cursor, order_ids: Sequence[int]) -> dict[int, _Ending]:
    cursor.execute(_LINES, (list(order_ids),))
    endings: dict[int, _Ending] = {}
    for order_id, number, shop_id, person_id, channel, item_id, offer_id, pieces, is_being_paid in cursor.fetchall():
        ending = endings.setdefault(order_id, _Ending(number, shop_id, person_id, channel))
        ending.items.add(item_id)
        if offer_id is not None:
            ending.offers.append((offer_id, pieces))
        ending.is_being_paid = ending.is_being_paid or is_being_paid
    return endings


def _end_orders(cursor: Cursor, endings: dict[int, _Ending], state: OrderState) -> None:
    """The one path on which pieces, offers and uses go back."""
    if not endings:
        return
    hold_state = HoldState.LAPSED if state == OrderState.LAPSED else HoldState.RELEASED
    sources = [hold_source(one.number) for one in endings.values()]
    release_holds(sources=sources, state=hold_state, cursor=cursor, told_by_caller=True)
    pieces = [
        OfferPieces(offer_id, one.person_id, quantity) for one in endings.values() for offer_id, quantity in one.offers
    ]
    give_back_offers(pieces=pieces, cursor=cursor)
    cursor.execute(_END, (state, list(endings)))
    append_entries(
        cursor=cursor, news=[News(f"order.{state}", _news(key, one), one.shop_id) for key, one in endings.items()]
    )


def _news(order_id: int, ending: _Ending) -> dict[str, Any]:
    return {
        "order": order_id,
        "number": ending.number,
        "person": ending.person_id,
        "channel": ending.channel,
        "items": sorted(ending.items),
        "offers": sorted({offer_id for offer_id, _ in ending.offers}),
    }


def _take_again(order: Order) -> bool:
    """Hold the pieces of an order that has ended once more, to be converted at once. False: they are not to be had."""
    lines = list(order.lines.select_related("hold").order_by("id"))
    wants = [
        HoldRequest(line.hold.item_id, line.quantity, hold_source(order.number), now(), line.hold.place_id)
        for line in lines
    ]
    pieces = [OfferPieces(line.offer_id, order.person_id, line.quantity) for line in lines if line.offer_id is not None]
    try:
        with transaction.atomic():
            holds = take_holds(wants=wants, told_by_caller=True)
            take_offers_again(pieces=pieces)
    except (NotEnoughStock, OfferUsedUp):
        return False
    for line, hold in zip(lines, holds, strict=True):
        line.hold_id = hold.hold_id
    OrderLine.objects.bulk_update(lines, ["hold"])
    return True


def _require_move(order: Order, state: OrderState) -> None:
    if not may_become(OrderState(order.state), state):
        raise OrderMoved(state=order.state)


def _move(order: Order, state: OrderState) -> None:
    order.state = state
    order.ended_at = now()
    order.save(update_fields=["state", "ended_at"])


def _tell(order: Order, kind: str, **more: Any) -> None:
    lines = list(order.lines.select_related("hold").order_by("id"))
    data = {
        "order": order.pk,
        "number": order.number,
        "person": order.person_id,
        "channel": order.channel,
        "items": sorted({line.hold.item_id for line in lines}),
        "offers": sorted({line.offer_id for line in lines if line.offer_id is not None}),
        "pieces": sum(line.quantity for line in lines),
        "total_minor": order.total_minor,
        "currency": order.currency,
        **more,
    }
    append_entry(kind=kind, shop_id=order.shop_id, data=data)


def hand_over_orders(*, guest: Person, member: Person) -> int:
    """A guest has signed in as a member: orders and uses of offers are now the member's. Returns how many orders.

    A key that the member has used as well stays with its order at the guest's.
    """
    while True:
        with transaction.atomic():
            moved = _hand_over(guest, member)
            # The desk holds the buyer's row until its orders are there. Like the desk, take it after the offers.
            Person.objects.select_for_update().get(pk=guest.pk)
            if not _to_hand_over(guest, member).exists():
                return moved
            # An order was under way, and its offers may not be locked: let go of everything and begin again.
            transaction.set_rollback(True)


def _to_hand_over(guest: Person, member: Person) -> QuerySet[Order]:
    return Order.objects.filter(person=guest).exclude(key__in=Order.objects.filter(person=member).values("key"))


def _hand_over(guest: Person, member: Person) -> int:
    moved = _to_hand_over(guest, member).update(person=member)
    hand_over_uses(guest_id=guest.pk, member_id=member.pk)
    return moved


def change_currency(*, shop: Shop, currency: str) -> Shop:
    """Prices keep their numbers. Raises CurrencyUnknown, CurrencyFixed once there is an order, PricesFixed.

    An order under way at this moment keeps the currency that its buyer saw: orders have their own.
    """
    shop.currency = Shop.objects.select_for_update().get(pk=shop.pk).currency
    if currency == shop.currency:
        return shop
    if has_orders(shop=shop):
        raise CurrencyFixed(currency=shop.currency)
    other_digits = MINOR_DIGITS.get(currency) not in {None, MINOR_DIGITS[shop.currency]}
    if other_digits and has_prices(shop):
        raise PricesFixed(currency=shop.currency)
    set_currency(shop=shop, currency=currency)
    return shop
