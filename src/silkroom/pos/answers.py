"""What the till's page is told, as JSON-able objects."""

from __future__ import annotations

from typing import Any

from silkroom.kit.clock import now, to_milliseconds
from silkroom.shops.states import Role

from .models import Device, Shift
from .queries import Clerk
from .rules import discount_limit, first_number


def shift_as_json(shift: Shift) -> dict[str, Any]:
    """A shift."""
    return {
        "id": shift.pk,
        "opened_at": to_milliseconds(shift.opened_at or now()),
        "by": shift.opened_by.name,
        "float_minor": shift.float_minor,
        "closed": shift.closed_at is not None,
        "discount_limit": discount_limit(Role(shift.role), shift.till.clerk_discount_percent),
    }


def state_as_json(device: Device, clerk: Clerk | None, shift: Shift | None) -> dict[str, Any]:
    """The till, its shop, who stands there, the shift."""
    till = device.till
    return {
        "till": {
            "code": till.code,
            "number": till.number,
            "name": till.name,
            "place": till.place.name,
            "kept_pieces": till.kept_pieces,
        },
        "shop": {
            "name": till.shop.name,
            "name_en": till.shop.name_en,
            "contact": till.shop.contact,
            "currency": till.shop.currency,
            "time_zone": till.shop.time_zone,
        },
        "first_number": first_number(device.series),
        "clerk": None if clerk is None else {"name": clerk.person.name, "role": clerk.role},
        "shift": None if shift is None else shift_as_json(shift),
    }
