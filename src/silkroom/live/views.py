"""The pages of room and studio, who comes in, and the verbs that need several alcoves."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from allauth.account.adapter import get_adapter
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from silkroom.accounts.entrance import refuse_flood_of_guests
from silkroom.accounts.errors import NameUnusable
from silkroom.accounts.models import Person
from silkroom.accounts.rules import LONGEST_NAME, clean_name
from silkroom.accounts.services import make_guest, rename_person
from silkroom.catalog.queries import cards_on_sale
from silkroom.live.broadcasts.jobs import FIRST_TRY_SECONDS, finish_recording
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.queries import Studio, get_show, get_studio_for, role_in
from silkroom.live.broadcasts.visitors import Visitor, keep_visitor, visitor_of
from silkroom.live.deals.queries import prepared_deals
from silkroom.live.deals.services import withdraw_all_deals
from silkroom.live.moderation.services import admit_newcomer, carry_mute
from silkroom.live.room.edge import decode_body, studio_verb
from silkroom.live.room.services import end_show
from silkroom.live.room.views import page_data, pass_data
from silkroom.shops.queries import is_name_of_shop

MOST_TO_CHOOSE = 500
"""Styles offered for the running order."""

PASSWORDLESS = "django.contrib.auth.backends.ModelBackend"
"""Whom the session of a guest names as its sign-in; it only finds the person again."""

STUDIO_VERBS = (
    "spotlight", "deal", "deal_withdraw", "prepared", "prepared_remove", "answered", "pin", "unpin", "hide", "unhide",
    "mute", "unmute", "title", "order", "cover", "rehearse", "go_live", "end",
)  # fmt: skip


@require_GET
@never_cache
def room_page(request: HttpRequest, code: str) -> HttpResponse:
    """Where the show is watched. Nothing to accept or to close first."""
    broadcast = get_show(code)
    visitor = _come_in(request, broadcast)
    data = page_data(request, broadcast, role_in(broadcast, request.user), visitor)
    context = {
        "broadcast": broadcast,
        "shop": broadcast.shop,
        "styles": data["state"]["tray"],
        "recording_url": data["recording"],
        "room": data,
    }
    response = render(request, "live/room.html", context)
    keep_visitor(response, visitor)
    return response


@require_POST
@never_cache
def fresh_tickets(request: HttpRequest, code: str) -> HttpResponse:
    """New tickets, when the old ones lapse or the show goes on air."""
    return _pass(request, get_show(code))


class NameBody(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=200)]


@require_POST
@never_cache
def choose_name(request: HttpRequest, code: str) -> HttpResponse:
    """The visitor becomes a guest with this name; somebody signed in is renamed.

    Raises NameUnusable, TooMany, TooManyNames.
    """
    broadcast = get_show(code)
    name = decode_body(request, NameBody).name
    if is_name_of_shop(broadcast.shop, clean_name(name), by=request.user):
        raise NameUnusable(longest=LONGEST_NAME)
    if not isinstance(request.user, Person):
        refuse_flood_of_guests(request)
    with transaction.atomic():
        if isinstance(request.user, Person):
            rename_person(person=request.user, name=name)
        else:
            guest = make_guest(name=name)
            admit_newcomer(broadcast=broadcast, guest=guest, address=get_adapter().get_client_ip(request))
            login(request, guest, backend=PASSWORDLESS)
    return _pass(request, broadcast, csrf=get_token(request))


def _pass(request: HttpRequest, broadcast: Broadcast, **more: str) -> HttpResponse:
    visitor = _come_in(request, broadcast)
    data = pass_data(request.user, broadcast, role_in(broadcast, request.user), visitor)
    response = JsonResponse({**data, **more})
    keep_visitor(response, visitor)
    return response


def _come_in(request: HttpRequest, broadcast: Broadcast) -> Visitor:
    """The browser, which takes a mute of this show along when somebody else is in it now."""
    visitor = visitor_of(request)
    person = request.user
    if not isinstance(person, Person) or visitor.people[-1:] == (person.code,):
        return visitor
    with transaction.atomic():
        carry_mute(broadcast=broadcast, codes=visitor.people, person=person)
    return visitor.now_is(person.code)


@require_GET
@never_cache
@login_required
def studio_page(request: HttpRequest, code: str) -> HttpResponse:
    """Where the show is made. 404 for everybody but owner, host and assistant."""
    studio = get_studio_for(request.user, code)
    broadcast = studio.broadcast
    visitor = _come_in(request, broadcast)
    data = page_data(request, broadcast, studio.role, visitor)
    urls = {verb: reverse(f"live:studio-{verb.replace('_', '-')}", args=[code]) for verb in STUDIO_VERBS}
    data |= {
        "urls": {**data["urls"], **urls, "room": reverse("live:room", args=[code])},
        "prepared": prepared_deals(broadcast),
        "recording_missing": broadcast.recording_missing,
        "styles": [
            {
                "style": card.style.pk,
                "name": card.style.name,
                "name_en": card.style.name_en or card.style.name,
                "picture": card.picture.small_url if card.picture else "",
            }
            for card in cards_on_sale(broadcast.shop, limit=MOST_TO_CHOOSE)
        ],
    }
    context = {
        "broadcast": broadcast,
        "shop": broadcast.shop,
        "role": studio.role.value,
        "may_lead": studio.may_lead,
        "studio": data,
    }
    response = render(request, "live/studio.html", context)
    keep_visitor(response, visitor)
    return response


@studio_verb(lead=True)
def end(studio: Studio, body: Any, by: Person) -> int | None:
    """Over for good: no deal outlives the show, and its recording is finished in the background."""
    withdraw_all_deals(broadcast=studio.broadcast, by=by)
    number = end_show(broadcast=studio.broadcast, by=by)
    if number is not None:
        # A row in the same database: the job exists exactly when the show has ended.
        finish_recording.configure(schedule_in={"seconds": FIRST_TRY_SECONDS}).defer(broadcast_id=studio.broadcast.pk)
    return number
