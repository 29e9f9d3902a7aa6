"""Moving pieces between the shop's places: choose a style, then say how many of each colour and size."""

from __future__ import annotations

from enum import Enum, auto
from functools import partial

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from silkroom.accounts.entrance import person_of
from silkroom.accounts.services import do_once
from silkroom.catalog.models import Style
from silkroom.catalog.queries import get_style_for, variant_facts
from silkroom.inventory.errors import NotEnoughStock
from silkroom.inventory.queries import is_taken_back, stock_of_items
from silkroom.inventory.services import Pieces, move_stock
from silkroom.shops.models import Place
from silkroom.shops.queries import Desk, inside_places
from silkroom.shops.rules import Task

from ..forms import MoveForm
from ..moving import MoveSheet, sheet_of, usual_places
from ..pages import asks_for_part, shop_page, show_page, show_part
from ..queries import styles_by_place
from ..undo import Undo, offer_undo


@require_GET
@shop_page(Task.COUNT)
def move_choose(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Styles that have pieces, and where these lie; filters while one types."""
    words = request.GET.get("q", "")[:60]
    places = list(inside_places(desk.shop))
    context = {
        "words": words,
        "rows": styles_by_place(desk.shop, places, words=words),
        "places": places,
        "may_enter": desk.may(Task.STYLES),
    }
    if asks_for_part(request):
        return show_part(request, desk, "_movable.html", context)
    return show_page(request, desk, "move_choose.html", context, part="stock")


@require_http_methods(["GET", "POST"])
@shop_page(Task.COUNT)
def move(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """From, to, and a number for each colour and size; one transaction, which can be taken back."""
    style = get_style_for(desk.shop, code)
    places = list(inside_places(desk.shop))
    if len(places) < 2:
        return show_page(request, desk, "move_choose.html", {"places": places, "rows": []}, part="stock")
    facts = variant_facts(style)
    items = [variant.item_id for variant in facts.variants.values()]
    stock = {(one.item_id, one.place_id): one for one in stock_of_items(shop_id=desk.shop.pk, item_ids=items)}
    start, end = usual_places(places, facts, stock)
    asked = MoveForm(request.POST if request.method == "POST" else request.GET or None, places=places)
    looks = request.method != "POST" or "look" in request.POST
    if asked.is_bound:
        start, end = asked.chosen(start, end)
    if looks:
        start, end = asked.apart(start, end, keeps=request.headers.get("HX-Trigger-Name", "start"))
    form = MoveForm(places=places, initial={"start": start.pk, "end": end.pk})
    sheet = sheet_of(style, facts, stock, start=start, end=end, typed=request.POST or None)
    if not looks:
        form = asked
        pieces = sheet.pieces()
        if form.is_valid() and pieces:
            written = _move(request, desk, form, sheet, pieces)
            if written is Written.NOW:
                return _moved(request, desk, sheet, form, pieces)
            if written is Written.BEFORE:
                return _moved_before(request, desk, sheet, form)
    bad = form.is_bound and (bool(form.errors) or not sheet.is_valid)
    context = {"form": form, "sheet": sheet, "style": style}
    if asks_for_part(request):
        return show_part(request, desk, "_move.html", context, status=422 if bad else 200)
    return show_page(request, desk, "move.html", context, part="stock", status=422 if bad else 200)


class Written(Enum):
    """What became of a move: written by this request, or by an earlier one with the same key."""

    NOW = auto()
    BEFORE = auto()


def _move(request: HttpRequest, desk: Desk, form: MoveForm, sheet: MoveSheet, pieces: list[Pieces]) -> Written | None:
    """Write the movements; None when pieces have gone since the page was shown."""
    written = Written.BEFORE
    person, key = person_of(request), form.cleaned_data["key"]
    write = partial(
        move_stock, shop=desk.shop, from_place=sheet.start, to_place=sheet.end, pieces=pieces,
        source=f"move:{key}", person=person,
    )  # fmt: skip

    def act() -> str:
        nonlocal written
        write()
        written = Written.NOW
        return "moved"

    try:
        with transaction.atomic():
            do_once(person=person, purpose="move stock", key=key, act=act)
    except NotEnoughStock as refusal:
        sheet.refuse(refusal.data["item"], refusal.data["left"])
        return None
    return written


def _moved(request: HttpRequest, desk: Desk, sheet: MoveSheet, form: MoveForm, pieces: list[Pieces]) -> HttpResponse:
    count = sum(one.quantity for one in pieces)
    sentence = ngettext(
        "%(count)s piece went from %(start)s to %(end)s.", "%(count)s pieces went from %(start)s to %(end)s.", count
    ) % {"count": count, "start": sheet.start.name, "end": sheet.end.name}
    page = _address(desk, sheet.style, sheet.start, sheet.end)
    offer_undo(request, desk.shop, Undo.STOCK, sentence, page, source=f"move:{form.cleaned_data['key']}")
    return redirect(page)


def _moved_before(request: HttpRequest, desk: Desk, sheet: MoveSheet, form: MoveForm) -> HttpResponse:
    """Sent again, even with other numbers: nothing moves, and there is nothing new to take back."""
    if is_taken_back(shop=desk.shop, source=f"move:{form.cleaned_data['key']}"):
        messages.info(request, gettext("This move was taken back. Nothing has moved now."))
    else:
        messages.info(request, gettext("This move was carried out before. Nothing more has moved."))
    return redirect(_address(desk, sheet.style, sheet.start, sheet.end))


def _address(desk: Desk, style: Style, start: Place, end: Place) -> str:
    return f"{reverse('workbench:move', args=[desk.shop.slug, style.code])}?start={start.pk}&end={end.pk}"
