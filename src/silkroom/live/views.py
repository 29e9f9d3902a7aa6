"""The studio page, and the verbs that need several alcoves."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from silkroom.accounts.models import Person
from silkroom.catalog.queries import cards_on_sale
from silkroom.live.broadcasts.jobs import FIRST_TRY_SECONDS, finish_recording
from silkroom.live.broadcasts.queries import Studio, get_studio_for
from silkroom.live.deals.queries import prepared_deals
from silkroom.live.deals.services import withdraw_all_deals
from silkroom.live.room.edge import studio_verb
from silkroom.live.room.services import end_show
from silkroom.live.room.views import page_data

MOST_TO_CHOOSE = 500
"""Styles offered for the running order."""

STUDIO_VERBS = (
    "spotlight", "deal", "deal_withdraw", "prepared", "prepared_remove", "answered", "pin", "unpin", "hide", "mute",
    "unmute", "title", "order", "cover", "rehearse", "go_live", "end",
)  # fmt: skip


@require_GET
@never_cache
@login_required
def studio_page(request: HttpRequest, code: str) -> HttpResponse:
    """Where the show is made. 404 for everybody but owner, host and assistant."""
    studio = get_studio_for(request.user, code)
    broadcast = studio.broadcast
    data = page_data(request, broadcast, studio.role)
    urls = {verb: reverse(f"live:studio-{verb.replace('_', '-')}", args=[code]) for verb in STUDIO_VERBS}
    data |= {
        "urls": {**data["urls"], **urls, "room": reverse("live:room", args=[code])},
        "prepared": prepared_deals(broadcast),
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
    return render(request, "live/studio.html", context)


@studio_verb(lead=True)
def end(studio: Studio, body: Any, by: Person) -> int | None:
    """Over for good: no deal outlives the show, and its recording is finished in the background."""
    withdraw_all_deals(broadcast=studio.broadcast, by=by)
    number = end_show(broadcast=studio.broadcast, by=by)
    if number is not None:
        # A row in the same database: the job exists exactly when the show has ended.
        finish_recording.configure(schedule_in={"seconds": FIRST_TRY_SECONDS}).defer(broadcast_id=studio.broadcast.pk)
    return number
