"""Pieces that a receipt names and the ledger did not have: a person says what became of them."""

from __future__ import annotations

from silkroom.accounts.models import Person
from silkroom.inventory.errors import NotEnoughStock
from silkroom.inventory.services import Pieces, receive_stock, take_counter_holds
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.kit.ids import make_code
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.services import CounterLine, place_counter_order
from silkroom.shops.models import Shop
from silkroom.shops.states import PlaceKind

from ..errors import NoShiftOpen, PiecesGone, ShortfallSettled
from ..models import Shortfall, Till
from ..queries import find_open_shift
from ..rules import holder_of
from ..states import Outcome
from .sales import order_key


def settle_shortfall(*, shop: Shop, shortfall_id: int, outcome: Outcome, by: Person) -> Shortfall:
    """``found``: the pieces were in the store, and are counted in and sold; ``stock``: pieces that are free by now are
    sold for it; ``repaid``: the customer has the money back, out of the drawer of the open shift.

    Raises NotFound, ShortfallSettled, PiecesGone, NoShiftOpen.
    """
    shortfall = (
        Shortfall.objects.select_for_update(no_key=True, of=("self",))
        .select_related("line__receipt__till__shop", "line__receipt__till__place", "line__variant")
        .filter(line__receipt__till__shop=shop, pk=shortfall_id)
        .first()
    )
    if shortfall is None:
        raise NotFound
    if shortfall.outcome:
        raise ShortfallSettled
    till = shortfall.line.receipt.till
    if outcome is Outcome.REPAID:
        shortfall.shift = find_open_shift(till)
        if shortfall.shift is None:
            raise NoShiftOpen
    else:
        if outcome is Outcome.FOUND:
            _count_in(till, shortfall, by)
        shortfall.order = _sell(till, shortfall)
    shortfall.outcome, shortfall.settled_at, shortfall.settled_by = outcome, now(), by
    shortfall.save()
    data = {"till": till.code, "receipt": shortfall.line.receipt_id, "outcome": outcome, "pieces": shortfall.quantity}
    append_entry(kind="shortfall.settled", shop_id=shop.pk, data=data)
    return shortfall


def _count_in(till: Till, shortfall: Shortfall, by: Person) -> None:
    receive_stock(
        shop=till.shop,
        place=till.place,
        pieces=[Pieces(shortfall.line.variant.item_id, shortfall.quantity)],
        source=f"found:till-{till.code}-{shortfall.pk}",
        origin=PlaceKind.COUNT_DIFFERENCE,
        person=by,
    )


def _sell(till: Till, shortfall: Shortfall) -> Order:
    line, number = shortfall.line, make_code()
    try:
        held = take_counter_holds(
            place=till.place,
            holder=holder_of(till.code),
            source=f"order:{number}",
            wants=[Pieces(line.variant.item_id, shortfall.quantity)],
            lease_first=False,
        )
    except NotEnoughStock as error:
        raise PiecesGone(title=line.title, left=error.data["left"]) from None
    return place_counter_order(
        shop=till.shop,
        person=till.buyer,
        number=number,
        key=order_key(till, line.receipt.number, f"shortfall:{shortfall.pk}"),
        channel=holder_of(till.code),
        currency=line.receipt.currency,
        lines=[
            CounterLine(line.variant_id, held[0], line.sku, line.title, line.list_price_minor, line.unit_price_minor)
        ],
        placed_at=line.receipt.sold_at,
    )
