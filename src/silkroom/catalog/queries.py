"""Reading styles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from silkroom.journal.queries import Cursor

_TRAY = """
    SELECT s.id, s.code, s.name, coalesce(nullif(s.name_en, ''), s.name), shop.currency,
        (SELECT p.file FROM catalog_picture p WHERE p.style_id = s.id ORDER BY p.position, p.id LIMIT 1),
        (SELECT json_agg(json_build_object('id', c.id, 'name', c.name, 'name_en', coalesce(nullif(c.name_en, ''), c.name),
                                           'swatch', c.swatch) ORDER BY c.position, c.id)
         FROM catalog_colour c WHERE c.style_id = s.id
           AND EXISTS (SELECT FROM catalog_variant v WHERE v.colour_id = c.id AND v.is_sold))::text,
        (SELECT json_agg(json_build_object('id', z.id, 'label', z.label) ORDER BY z.position, z.id)
         FROM catalog_size z WHERE z.style_id = s.id
           AND EXISTS (SELECT FROM catalog_variant v WHERE v.size_id = z.id AND v.is_sold))::text,
        (SELECT json_agg(json_build_object('variant', v.id, 'colour', v.colour_id, 'size', v.size_id,
                                           'price_minor', v.price_minor, 'item', v.item_id) ORDER BY v.id)
         FROM catalog_variant v WHERE v.style_id = s.id AND v.is_sold)::text
    FROM unnest(%s::bigint[]) WITH ORDINALITY AS wanted(id, turn)
    JOIN catalog_style s ON s.id = wanted.id AND s.state = 'published'
    JOIN shops_shop shop ON shop.id = s.shop_id
    ORDER BY wanted.turn
"""


def styles_for_tray(cursor: Cursor, style_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Published styles as a room's tray shows them (silkroom/live/room/README.md), in the order of ``style_ids``.

    Through any cursor, since the gateway has no ORM. A variant carries ``item`` (of the ledger) instead of ``left``.
    Styles without a variant on sale are left out.
    """
    cursor.execute(_TRAY, (list(style_ids),))
    rows = [row for row in cursor.fetchall() if row[8]]
    return [_tray_style(position, row) for position, row in enumerate(rows, start=1)]


def _tray_style(position: int, row: Sequence[Any]) -> dict[str, Any]:
    number, code, name, name_en, currency, picture, colours, sizes, variants = row
    decoded = json.loads(variants)
    return {
        "style": number,
        "code": code,
        "position": position,
        "name": name,
        "name_en": name_en,
        "picture": f"{settings.MEDIA_URL}{picture}" if picture else "",
        "price_minor": min(one["price_minor"] for one in decoded),
        "currency": currency,
        "colours": json.loads(colours),
        "sizes": json.loads(sizes),
        "variants": decoded,
    }
