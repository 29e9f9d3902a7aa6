"""Reading the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from silkroom.journal.queries import Cursor

_FREE = """
    SELECT s.item_id, sum(greatest(s.on_hand - s.held - s.leased, 0))::bigint
    FROM inventory_sellable s JOIN shops_place p ON p.id = s.place_id
    WHERE s.item_id = ANY(%s) AND p.sells_online GROUP BY s.item_id
"""


def free_pieces(cursor: Cursor, item_ids: Sequence[int]) -> dict[int, int]:
    """{item: pieces free to sell on the web and in shows}; items without a place that sells are left out.

    Through any cursor, since the gateway has no ORM.
    """
    cursor.execute(_FREE, (list(item_ids),))
    return dict(cursor.fetchall())
