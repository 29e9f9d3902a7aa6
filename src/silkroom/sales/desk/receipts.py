"""What a buyer gets back: the order as it stands in the database."""

from __future__ import annotations

import msgspec


class ReceiptLine(msgspec.Struct, frozen=True):
    """A line of a committed order."""

    variant_id: int
    sku: str
    title: str
    quantity: int
    list_price_minor: int
    unit_price_minor: int
    offer_id: int | None


class OrderReceipt(msgspec.Struct, frozen=True):
    """A committed order. ``repeated``: made by an earlier request with the same key; ``state`` may have moved on."""

    number: str
    total_minor: int
    currency: str
    holds_until_ms: int
    lines: tuple[ReceiptLine, ...]
    state: str = "held"
    repeated: bool = False


class Committed(msgspec.Struct, frozen=True):
    """What became durable: so many new orders, of these items and offers."""

    orders: int
    item_ids: frozenset[int]
    offer_ids: frozenset[int]
