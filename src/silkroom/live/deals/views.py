"""Deals of the studio page."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from silkroom.accounts.models import Person
from silkroom.kit.errors import Malformed
from silkroom.live.broadcasts.queries import Studio
from silkroom.live.room.edge import studio_verb

from . import services
from .queries import get_deal, get_prepared, prepared_data
from .rules import LEAD_SECONDS, Terms

Whole = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class LaunchBody(msgspec.Struct):
    """Either ``prepared``, or the terms themselves."""

    prepared: Whole | None = None
    style: Whole | None = None
    price_minor: Whole | None = None
    seconds: Whole = 300
    cap: Whole | None = None
    per_person: Whole | None = None
    lead_seconds: Whole = LEAD_SECONDS


@studio_verb(LaunchBody)
def launch(studio: Studio, body: LaunchBody, by: Person) -> dict[str, Any]:
    broadcast = studio.broadcast
    terms = services.terms_of(get_prepared(broadcast, body.prepared)) if body.prepared else typed_terms(body)
    launched = services.launch_deal(broadcast=broadcast, by=by, terms=terms, lead_seconds=body.lead_seconds)
    return {"n": launched.number, "deal": launched.deal_id, "starts_at_ms": launched.starts_at_ms}


def typed_terms(body: LaunchBody | PreparedBody) -> Terms:
    """What was typed into the form. Raises Malformed."""
    if body.style is None:
        raise Malformed(field="style")
    if body.price_minor is None:
        raise Malformed(field="price_minor")
    return Terms(body.style, body.price_minor, body.seconds, body.cap, body.per_person)


class WithdrawBody(msgspec.Struct):
    deal: Whole


@studio_verb(WithdrawBody)
def withdraw(studio: Studio, body: WithdrawBody, by: Person) -> int | None:
    return services.withdraw_deal(broadcast=studio.broadcast, deal=get_deal(studio.broadcast, body.deal), by=by)


class PreparedBody(msgspec.Struct):
    """With ``prepared``: change that one."""

    style: Whole | None = None
    price_minor: Whole | None = None
    seconds: Whole = 300
    cap: Whole | None = None
    per_person: Whole | None = None
    prepared: Whole | None = None


@studio_verb(PreparedBody)
def prepare(studio: Studio, body: PreparedBody, by: Person) -> dict[str, Any]:
    prepared = services.prepare_deal(broadcast=studio.broadcast, terms=typed_terms(body), prepared_id=body.prepared)
    return {"n": None, "prepared": prepared_data(prepared)}


class RemoveBody(msgspec.Struct):
    prepared: Whole


@studio_verb(RemoveBody)
def remove(studio: Studio, body: RemoveBody, by: Person) -> None:
    services.remove_prepared(broadcast=studio.broadcast, prepared_id=body.prepared)
