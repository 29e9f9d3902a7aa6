"""Roles of staff and kinds of places."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a member of staff may do; the owner may do everything."""

    OWNER = "owner"
    HOST = "host"
    ASSISTANT = "assistant"
    WAREHOUSE = "warehouse"
    CLERK = "clerk"


class PlaceKind(StrEnum):
    """Where goods are. The last five lie outside: goods come from there or go there, nothing is kept."""

    WORKSHOP = "workshop"
    WAREHOUSE = "warehouse"
    STORE = "store"
    SUPPLIER = "supplier"
    WORK_IN_PROGRESS = "work_in_progress"
    CUSTOMER = "customer"
    SCRAP = "scrap"
    COUNT_DIFFERENCE = "count_difference"


OUTSIDE_KINDS = (
    PlaceKind.SUPPLIER,
    PlaceKind.WORK_IN_PROGRESS,
    PlaceKind.CUSTOMER,
    PlaceKind.SCRAP,
    PlaceKind.COUNT_DIFFERENCE,
)
