"""What the room hears of the ledger: pieces left and pieces taken of a deal, as absolute numbers.

Called by the herald through its own cursor. Reading the true numbers under the room's lock makes it right whatever
happens around it: an event with a higher number has the later truth, and saying the same twice is no event at all.
"""

from __future__ import annotations

from collections.abc import Set

from silkroom.catalog.queries import items_of_variants
from silkroom.inventory.queries import sellable_quantities
from silkroom.journal.queries import Cursor
from silkroom.live.broadcasts.states import OVER
from silkroom.live.fanout.door import Event
from silkroom.sales.offers.queries import offer_counts

from ..keeper import RoomKeeper
from ..queries import events_between, tray_of_show
from ..rules import State, changed_deals, changed_stock
from ..states import EventKind
from .events import Draft, append_events, lock_room


class LedgerKeeper(RoomKeeper):
    """A room as the herald remembers it, with the items of its tray."""

    def __init__(self, sequence: int, state: State) -> None:
        super().__init__(sequence, state)
        self._items: dict[int, int] = {}
        self._items_of: frozenset[int] | None = None

    def items(self, cursor: Cursor) -> dict[int, int]:
        """{variant: item} of the tray. An item never changes, so this is asked once a tray."""
        if self._items_of != self.variants:
            self._items = items_of_variants(cursor, sorted(self.variants))
            self._items_of = self.variants
        return self._items

    def may_show(self, items: Set[int]) -> bool:
        """Could one of these items be in the tray, as far as is remembered?"""
        return self._items_of != self.variants or not items.isdisjoint(self._items.values())


def tell_ledger(
    cursor: Cursor,
    broadcast_id: int,
    keeper: LedgerKeeper,
    *,
    items: Set[int] | None = None,
    with_tray: bool = False,
) -> list[Event]:
    """Append what the room does not know yet; [] if it knows all, or if the show has ended.

    ``keeper``: the caller's memory of this room, brought up to date here; events appended now come into it with the
    next call, when it is certain that they were committed. ``items``: look at the pieces of these alone. ``with_tray``:
    also look at names, prices and pictures, and at all pieces.
    """
    _, show_state = lock_room(cursor, broadcast_id)
    while events := events_between(cursor, broadcast_id, after=keeper.sequence):
        keeper.apply(events)
    if show_state in OVER:
        return []
    if with_tray:
        tray = tray_of_show(cursor, broadcast_id)
        if tray != keeper.state["tray"]:
            drafts = [Draft(EventKind.TRAY_CHANGED, {"tray": tray}), *_deal_drafts(cursor, keeper.state)]
            return append_events(cursor, broadcast_id, drafts)
    stock = [] if with_tray else _stock_drafts(cursor, keeper, items)
    return append_events(cursor, broadcast_id, [*stock, *_deal_drafts(cursor, keeper.state)])


def _stock_drafts(cursor: Cursor, keeper: LedgerKeeper, items: Set[int] | None) -> list[Draft]:
    looked_at = {variant: item for variant, item in keeper.items(cursor).items() if items is None or item in items}
    free = sellable_quantities(item_ids=list(looked_at.values()), cursor=cursor)
    changed = changed_stock(keeper.state, {variant: free[item] for variant, item in looked_at.items()})
    return [Draft(EventKind.STOCK, {"left": changed})] if changed else []


def _deal_drafts(cursor: Cursor, state: State) -> list[Draft]:
    if not state["deals"]:
        return []
    counts = offer_counts(offer_ids=[one["offer"] for one in state["deals"]], cursor=cursor)
    taken = {one.offer_id: one.taken for one in counts}
    return [Draft(EventKind.DEAL_CHANGED, change) for change in changed_deals(state, taken)]
