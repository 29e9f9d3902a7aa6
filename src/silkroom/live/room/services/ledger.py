"""What the room hears of the ledger: pieces left and pieces taken of a deal, as absolute numbers.

Called by the herald through its own cursor. Reading the true numbers under the room's lock makes it right whatever
happens around it: an event with a higher number has the later truth, and saying the same twice is no event at all.
"""

from __future__ import annotations

from silkroom.catalog.queries import items_of_variants
from silkroom.inventory.queries import sellable_quantities
from silkroom.journal.queries import Cursor
from silkroom.live.broadcasts.states import BroadcastState
from silkroom.live.fanout.door import Event
from silkroom.sales.offers.queries import offer_counts

from ..keeper import RoomKeeper
from ..queries import events_between, tray_of_show
from ..rules import State, changed_deals, changed_stock
from ..states import EventKind
from .events import Draft, append_events, lock_room


def tell_ledger(cursor: Cursor, broadcast_id: int, keeper: RoomKeeper, *, with_tray: bool = False) -> list[Event]:
    """Append what the room does not know yet; [] if it knows all, or if the show has ended.

    ``keeper``: the caller's memory of this room, brought up to date here; events appended now come into it with the
    next call, when it is certain that they were committed. ``with_tray``: also look at names, prices and pictures.
    """
    _, show_state = lock_room(cursor, broadcast_id)
    while events := events_between(cursor, broadcast_id, after=keeper.sequence):
        keeper.apply(events)
    if show_state == BroadcastState.ENDED:
        return []
    if with_tray:
        tray = tray_of_show(cursor, broadcast_id)
        if tray != keeper.state["tray"]:
            drafts = [Draft(EventKind.TRAY_CHANGED, {"tray": tray}), *_deal_drafts(cursor, keeper.state)]
            return append_events(cursor, broadcast_id, drafts)
    drafts = [*_stock_drafts(cursor, keeper.state), *_deal_drafts(cursor, keeper.state)]
    return append_events(cursor, broadcast_id, drafts)


def _stock_drafts(cursor: Cursor, state: State) -> list[Draft]:
    items = items_of_variants(cursor, [one["variant"] for style in state["tray"] for one in style["variants"]])
    free = sellable_quantities(item_ids=list(items.values()), cursor=cursor)
    changed = changed_stock(state, {variant: free.get(item, 0) for variant, item in items.items()})
    return [Draft(EventKind.STOCK, {"left": changed})] if changed else []


def _deal_drafts(cursor: Cursor, state: State) -> list[Draft]:
    if not state["deals"]:
        return []
    counts = offer_counts(offer_ids=[one["offer"] for one in state["deals"]], cursor=cursor)
    taken = {one.offer_id: one.taken for one in counts}
    return [Draft(EventKind.DEAL_CHANGED, change) for change in changed_deals(state, taken)]
