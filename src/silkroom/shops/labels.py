"""Words for people of the shops' fixed lists: roles and kinds of places."""

from __future__ import annotations

from typing import Protocol

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from .states import PlaceKind, Role

ROLE_NAMES: dict[Role, Promise] = {
    Role.OWNER: _("Owner"),
    Role.HOST: _("Host"),
    Role.ASSISTANT: _("Assistant"),
    Role.WAREHOUSE: pgettext_lazy("role", "Warehouse"),
    Role.CLERK: _("Clerk"),
}

ROLE_TASKS: dict[Role, Promise] = {
    Role.OWNER: _("May do everything, staff included."),
    Role.HOST: _("Plans shows and stands before the camera."),
    Role.ASSISTANT: _("Helps in shows, enters styles, looks after orders."),
    Role.WAREHOUSE: _("Counts and receives goods, packs orders."),
    Role.CLERK: _("Sells in the store, sees stock and orders, sends money back."),
}

PLACE_KIND_NAMES: dict[PlaceKind, Promise] = {
    PlaceKind.WORKSHOP: _("Workshop"),
    PlaceKind.WAREHOUSE: pgettext_lazy("place", "Warehouse"),
    PlaceKind.STORE: _("Store"),
    PlaceKind.SUPPLIER: _("Supplier"),
    PlaceKind.WORK_IN_PROGRESS: _("Work in progress"),
    PlaceKind.CUSTOMER: _("Customer"),
    PlaceKind.SCRAP: _("Scrap"),
    PlaceKind.COUNT_DIFFERENCE: _("Count difference"),
}

CURRENCY_NAMES: dict[str, Promise] = {
    "CNY": _("Chinese yuan"),
    "USD": _("US dollar"),
    "EUR": _("Euro"),
    "GBP": _("Pound sterling"),
    "HKD": _("Hong Kong dollar"),
    "JPY": _("Japanese yen"),
    "KRW": _("South Korean won"),
    "TWD": _("New Taiwan dollar"),
    "SGD": _("Singapore dollar"),
}

USUAL_ZONES: dict[str, Promise] = {
    "Asia/Shanghai": _("Shanghai, Beijing"),
    "Asia/Urumqi": _("Urumqi"),
    "Asia/Hong_Kong": _("Hong Kong"),
    "Asia/Taipei": _("Taipei"),
    "Asia/Singapore": _("Singapore"),
    "Asia/Tokyo": _("Tokyo"),
    "Asia/Seoul": _("Seoul"),
    "Asia/Bangkok": _("Bangkok"),
    "Asia/Dubai": _("Dubai"),
    "Europe/London": _("London"),
    "Europe/Paris": _("Paris, Milan"),
    "America/New_York": _("New York"),
    "America/Los_Angeles": _("Los Angeles"),
    "Australia/Sydney": _("Sydney"),
}
"""Where most shops are; the others are found by the names of the time zone database."""


class Named(Protocol):
    """What people named, perhaps in English too: a shop, a style, a colour."""

    name: str
    name_en: str


def name_of(thing: Named) -> str:
    """Its name in the language of the page."""
    return thing.name_en if thing.name_en and (get_language() or "").startswith("en") else thing.name
