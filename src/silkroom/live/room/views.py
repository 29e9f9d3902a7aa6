"""What the pages of room and studio get, tickets among it, and the show's own verbs."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_POST

from silkroom.accounts.entrance import refuse_flood_of_pictures
from silkroom.accounts.models import Person
from silkroom.kit.clock import now, to_milliseconds
from silkroom.live.broadcasts.addresses import gateway_url
from silkroom.live.broadcasts.errors import CoverUnusable
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.queries import Studio, get_studio_to_lead
from silkroom.live.broadcasts.rules import RoomRole, may_assist, may_lead, may_watch
from silkroom.live.broadcasts.services import LARGEST_COVER
from silkroom.live.broadcasts.states import OVER, BroadcastState
from silkroom.live.broadcasts.tickets import LIFETIME, Purpose, issue_ticket
from silkroom.live.broadcasts.visitors import Visitor
from silkroom.sales.desk.door import MOST_PIECES

from . import services
from .edge import studio_verb
from .queries import load_state

Identity = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]

# What the pages get


def page_data(request: HttpRequest, broadcast: Broadcast, role: RoomRole, visitor: Visitor) -> dict[str, Any]:
    """What the page's scripts get (live/README.md)."""
    with connection.cursor() as cursor:
        room = load_state(cursor, broadcast.pk)
    code = broadcast.code
    return {
        "code": code,
        "gateway": gateway_url(request),
        "language": get_language(),
        "csrf": get_token(request),
        "urls": {
            "ticket": reverse("live:ticket", args=[code]),
            "name": reverse("live:name", args=[code]),
            "login": f"{reverse('account_login')}?next={reverse('live:room', args=[code])}",
            "studio": reverse("live:studio", args=[code]) if may_assist(role) else None,
        },
        "sequence": room.sequence,
        "state": room.state,
        "recording": default_storage.url(broadcast.recording) if broadcast.recording else "",
        "now_ms": to_milliseconds(now()),
        "most_pieces": MOST_PIECES,
        **pass_data(request.user, broadcast, role, visitor),
    }


def pass_data(user: Any, broadcast: Broadcast, role: RoomRole, visitor: Visitor) -> dict[str, Any]:
    """Who the visitor is in the room, and the tickets for it."""
    person = user if isinstance(user, Person) else None
    expires_at_ms = to_milliseconds(now() + LIFETIME)

    def ticket(purpose: Purpose, allowed: bool) -> dict[str, Any] | None:
        if not allowed:
            return None
        signed = issue_ticket(
            purpose,
            broadcast_id=broadcast.pk,
            broadcast_code=broadcast.code,
            shop_id=broadcast.shop_id,
            person_id=person.pk if person else None,
            person_code=person.code if person else "",
            name=person.name if person else "",
            role=role,
            visitor=visitor.key,
        )
        return {"ticket": signed, "expires_at_ms": expires_at_ms}

    state = BroadcastState(broadcast.state)
    return {
        "person": {
            "code": person.code if person else "",
            "name": person.name if person else "",
            "role": role.value,
        },
        "tickets": {
            "room": ticket(Purpose.ROOM, True),
            "watch": ticket(Purpose.WATCH, may_watch(role, state)),
            "ingest": ticket(Purpose.INGEST, may_lead(role) and state not in OVER),
        },
    }


# The show


class StyleBody(msgspec.Struct):
    style: Identity | None


@studio_verb(StyleBody)
def spotlight(studio: Studio, body: StyleBody, by: Person) -> int | None:
    return services.put_in_spotlight(broadcast=studio.broadcast, style_id=body.style)


class TitleBody(msgspec.Struct):
    title: Annotated[str, msgspec.Meta(max_length=400)]


@studio_verb(TitleBody, lead=True)
def title(studio: Studio, body: TitleBody, by: Person) -> int | None:
    return services.change_title(broadcast=studio.broadcast, title=body.title)


class OrderBody(msgspec.Struct):
    styles: Annotated[list[Identity], msgspec.Meta(max_length=1000)]


@studio_verb(OrderBody, lead=True)
def running_order(studio: Studio, body: OrderBody, by: Person) -> int | None:
    return services.change_running_order(broadcast=studio.broadcast, style_ids=body.styles)


@require_POST
def cover(request: HttpRequest, code: str) -> HttpResponse:
    """Multipart, field ``cover``."""
    studio = get_studio_to_lead(request.user, code)
    picture = request.FILES.get("cover")
    if picture is None:
        raise CoverUnusable(megabytes=LARGEST_COVER // 1_000_000)
    refuse_flood_of_pictures(request)
    with transaction.atomic():
        number = services.change_cover(broadcast=studio.broadcast, picture=picture)
    return JsonResponse({"n": number, "cover": studio.broadcast.cover.url})


class RehearseBody(msgspec.Struct):
    on: bool = True


@studio_verb(RehearseBody, lead=True)
def rehearse(studio: Studio, body: RehearseBody, by: Person) -> int | None:
    verb = services.rehearse if body.on else services.stop_rehearsal
    return verb(broadcast=studio.broadcast, by=by)


@studio_verb(lead=True)
def go_live(studio: Studio, body: Any, by: Person) -> int | None:
    return services.go_live(broadcast=studio.broadcast, by=by)
