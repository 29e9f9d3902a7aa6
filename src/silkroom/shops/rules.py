"""Pure decisions of shops: addresses (slugs), who may do what, which places a new shop gets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from zoneinfo import available_timezones

from silkroom.kit.money import MINOR_DIGITS

from .states import OUTSIDE_KINDS, PlaceKind, Role

LONGEST_SLUG = 40
LONGEST_CONTACT = 120

MOST_SHOPS = 20
"""A person may own so many: a bound against scripts, far above any merchant."""

MOST_PLACES = 50
"""Inside places of a shop."""

INSIDE_KINDS = tuple(kind for kind in PlaceKind if kind not in OUTSIDE_KINDS)

ONLINE_FIRST = (PlaceKind.WAREHOUSE, PlaceKind.STORE, PlaceKind.WORKSHOP)
"""Web and show sell from the first of these that a new shop has."""

RESERVED_SLUGS = frozenset({"open", "regions", "invitations", "new", "shop", "shops", "admin", "account"})
"""Words that addresses of pages need."""


class Task(StrEnum):
    """What staff do; each page of the workbench belongs to one."""

    LOOK = "look"
    STYLES = "styles"
    STOCK = "stock"
    COUNT = "count"
    ORDERS = "orders"
    REFUNDS = "refunds"
    TILL = "till"
    SHOWS = "shows"
    STAFF = "staff"


ROLES_OF_TASK: dict[Task, frozenset[Role]] = {
    Task.LOOK: frozenset(Role),
    Task.STYLES: frozenset({Role.OWNER, Role.ASSISTANT}),
    Task.STOCK: frozenset({Role.OWNER, Role.WAREHOUSE, Role.CLERK}),
    Task.COUNT: frozenset({Role.OWNER, Role.WAREHOUSE}),
    Task.ORDERS: frozenset({Role.OWNER, Role.ASSISTANT, Role.WAREHOUSE, Role.CLERK}),
    Task.REFUNDS: frozenset({Role.OWNER, Role.CLERK}),
    Task.TILL: frozenset({Role.OWNER, Role.CLERK}),
    Task.SHOWS: frozenset({Role.OWNER, Role.HOST, Role.ASSISTANT}),
    Task.STAFF: frozenset({Role.OWNER}),
}


def may_do(role: Role, task: Task) -> bool:
    """Does this role include the task?"""
    return role in ROLES_OF_TASK[task]


AREAS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
"""First words of the time zones that people live in; the others are aliases and offsets."""


@cache
def time_zones() -> tuple[str, ...]:
    """Names of the time zones to choose from, in their order."""
    return tuple(sorted(name for name in available_timezones() if name.split("/")[0] in AREAS and len(name) <= 40))


def is_time_zone(name: str) -> bool:
    """May a shop live in this zone?"""
    return name in time_zones() or name == "UTC"


def is_currency(code: str) -> bool:
    """May a shop sell in this currency (ISO 4217)?"""
    return code in MINOR_DIGITS


def slug_of(*names: str) -> str:
    """The first name that can be written in an address ("Silk & Co" -> "silk-co"); empty if none can."""
    for name in names:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_SLUG].strip("-")
        # A Chinese name with a stray letter in it would make an address of one letter.
        if len(slug) >= 3:
            return slug
    return ""


def slug_candidates(base: str, spare: str) -> Iterable[str]:
    """Addresses to try, best first: base, base-2 … base-9, then with the unguessable ``spare``."""
    if base and base not in RESERVED_SLUGS:
        yield base
        for number in range(2, 10):
            yield f"{base[: LONGEST_SLUG - 2].rstrip('-')}-{number}"
    stem = base[: LONGEST_SLUG - len(spare) - 1].rstrip("-") if base else "shop"
    yield f"{stem}-{spare.lower()}"


def kind_that_sells_online(kinds: Iterable[PlaceKind]) -> PlaceKind | None:
    """From which of its places a new shop sells on the web and in shows."""
    chosen = set(kinds)
    return next((kind for kind in ONLINE_FIRST if kind in chosen), None)
