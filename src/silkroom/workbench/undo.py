"""Taking back the last thing: what was done is offered for undoing on the next page, for ten minutes.

The offer lies in the session of the person who did it, so nobody can ask for what was not offered. A new one takes the
place of the one before. What each `Undo` does, and who may, stands in `views.undo`.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from django.http import HttpRequest

from silkroom.shops.models import Shop

SESSION_KEY = "workbench.undo"
LASTS_SECONDS = 600


class Undo(StrEnum):
    """What can be taken back."""

    STOCK = "stock"
    WITHDRAWN_STYLE = "withdrawn style"
    REMOVED_PICTURE = "removed picture"
    REMOVED_STAFF = "removed staff"
    CHANGED_ROLE = "changed role"


@dataclass(frozen=True)
class Offer:
    """Something that was just done, in words, and what it takes to undo it."""

    act: Undo
    shop_id: int
    sentence: str
    back: str
    values: dict[str, Any]
    token: str
    until: float


def offer_undo(request: HttpRequest, shop: Shop, act: Undo, sentence: str, back: str, **values: Any) -> Offer:
    """Offer to undo ``act``; ``back``: address of the page to return to; ``values``: what its handler needs."""
    offer = Offer(act, shop.pk, sentence, back, values, secrets.token_urlsafe(12), time.time() + LASTS_SECONDS)
    request.session[SESSION_KEY] = {**asdict(offer), "is_new": True}
    return offer


def show_offer(request: HttpRequest, shop: Shop) -> Offer | None:
    """The offer that no page has shown yet: it is shown once."""
    kept = request.session.get(SESSION_KEY)
    if not kept or not kept["is_new"] or kept["shop_id"] != shop.pk:
        return None
    request.session[SESSION_KEY] = {**kept, "is_new": False}
    return _offer(kept)


def take_offer(request: HttpRequest, shop: Shop, token: str) -> Offer | None:
    """The offer of this token, which is then used up; None when it is over, or was never made."""
    kept = request.session.get(SESSION_KEY)
    if not kept or kept["shop_id"] != shop.pk or not secrets.compare_digest(kept["token"], token):
        return None
    del request.session[SESSION_KEY]
    offer = _offer(kept)
    return offer if time.time() < offer.until else None


def _offer(kept: dict[str, Any]) -> Offer:
    known = {name: value for name, value in kept.items() if name != "is_new"}
    return Offer(**{**known, "act": Undo(kept["act"])})
