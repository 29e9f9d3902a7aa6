"""States of holds and units of items."""

from __future__ import annotations

from enum import StrEnum


class Unit(StrEnum):
    """An item's base unit; every quantity is a whole number of it."""

    PIECE = "piece"
    MILLIMETRE = "millimetre"
    GRAM = "gram"


class HoldState(StrEnum):
    """A hold is open until it becomes exactly one of the others."""

    OPEN = "open"
    CONVERTED = "converted"
    RELEASED = "released"
    LAPSED = "lapsed"
