"""Stock: where pieces lie, counting and receiving them, and the movements behind each number."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from silkroom.accounts.entrance import person_of
from silkroom.catalog.models import Variant
from silkroom.catalog.queries import get_variant_for
from silkroom.inventory.services import Count, Pieces, receive_stock, record_count
from silkroom.shops.labels import PLACE_KIND_NAMES
from silkroom.shops.models import Place
from silkroom.shops.queries import Desk, get_place_for
from silkroom.shops.rules import Task
from silkroom.shops.states import PlaceKind

from ..forms import CountForm
from ..labels import SOURCE_NAMES
from ..pages import asks_for_part, attempt_once, shop_page, show_page, show_part
from ..queries import MovementRow, movement_page, stock_page
from ..undo import Undo, offer_undo, show_offer


@require_GET
@shop_page(Task.STOCK)
def stock(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Variants by places; filters while one types."""
    words = request.GET.get("q", "")[:60]
    page = stock_page(desk.shop, words=words)
    context = {"page": page, "words": words, "may_count": desk.may(Task.COUNT), "may_enter": desk.may(Task.STYLES)}
    if asks_for_part(request):
        return show_part(request, desk, "_stock.html", context)
    return show_page(request, desk, "stock.html", context, part="stock")


@require_GET
@shop_page(Task.COUNT)
def stock_cell(request: HttpRequest, desk: Desk, variant_id: int, place_id: int) -> HttpResponse:
    """The small form in which one number is corrected: a page of its own, or the content of a dialog."""
    variant = get_variant_for(desk.shop, variant_id)
    place = get_place_for(desk.shop, place_id)
    return _cell(request, desk, variant, place, CountForm())


def _cell(request: HttpRequest, desk: Desk, variant: Variant, place: Place, form: CountForm) -> HttpResponse:
    page = stock_page(desk.shop, only=variant)
    index = [one.pk for one in page.places].index(place.pk)
    context = {"form": form, "variant": variant, "place": place, "at": page.rows[0].at_places[index]}
    status = 422 if form.errors else 200
    if asks_for_part(request):
        return show_part(request, desk, "_stock_cell.html", context, status=status)
    return show_page(request, desk, "stock_cell.html", context, part="stock", status=status)


@require_POST
@shop_page(Task.COUNT)
def count(request: HttpRequest, desk: Desk, variant_id: int, place_id: int) -> HttpResponse:
    """Pieces were counted or have arrived; what it changed can be taken back."""
    variant = get_variant_for(desk.shop, variant_id)
    place = get_place_for(desk.shop, place_id)
    form = CountForm(request.POST)
    change = None
    if form.is_valid():
        change = attempt_once(request, form, "count", partial(_book, request, desk, variant, place, form))
    if change is None:
        return _cell(request, desk, variant, place, form)
    words = (
        gettext("%(sku)s at %(place)s: %(change)s pieces.")
        if int(change)
        else gettext("%(sku)s at %(place)s: the count agrees.")
    )
    sentence = words % {"sku": variant.sku, "place": place.name, "change": change}
    source = _source(form)
    if int(change):
        offer_undo(
            request, desk.shop, Undo.STOCK, sentence, reverse("workbench:stock", args=[desk.shop.slug]), source=source
        )
    if asks_for_part(request):
        return _counted(request, desk, variant, sentence)
    if not int(change):
        messages.success(request, sentence)
    return redirect("workbench:stock", desk.shop.slug)


def _source(form: CountForm) -> str:
    """What the movement names as its reason."""
    data = form.cleaned_data
    return f"{data['reason'] if data['arrived'] is None else 'receipt'}:{data['key']}"


def _book(request: HttpRequest, desk: Desk, variant: Variant, place: Place, form: CountForm) -> str:
    """Write the movement; the signed change."""
    data = form.cleaned_data
    person = person_of(request)
    if data["arrived"] is not None:
        receive_stock(
            shop=desk.shop,
            place=place,
            pieces=[Pieces(variant.item_id, data["arrived"])],
            source=_source(form),
            person=person,
        )
        return f"+{data['arrived']}"
    differences = record_count(
        shop=desk.shop,
        place=place,
        counts=[Count(variant.item_id, data["counted"])],
        source=_source(form),
        person=person,
    )
    return f"{differences.get(variant.item_id, 0):+d}"


def _counted(request: HttpRequest, desk: Desk, variant: Variant, sentence: str) -> HttpResponse:
    """The changed row, and a notice with a key that takes the change back."""
    page = stock_page(desk.shop, only=variant)
    context = {
        "row": page.rows[0],
        "places": page.places,
        "may_count": True,
        "sentence": sentence,
        "offer": show_offer(request, desk.shop),
        "fresh": True,
    }
    response = show_part(request, desk, "_stock_counted.html", context)
    response["HX-Retarget"] = "#toasts"
    response["HX-Reswap"] = "outerHTML"
    response["HX-Trigger"] = "counted"
    return response


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _movement(row: MovementRow) -> dict[str, object]:
    """A movement in words: places outside by their kind, the source by what it was."""
    kind, _, name = row.movement.source.partition(":")
    return {
        "movement": row.movement,
        "variant": row.variant,
        "start": _place_words(row.movement.from_place),
        "end": _place_words(row.movement.to_place),
        "because": SOURCE_NAMES.get(kind, kind),
        "order": name if kind == "order" else "",
    }


def _place_words(place: Place) -> object:
    return PLACE_KIND_NAMES[PlaceKind(place.kind)] if place.is_outside else place.name


@require_GET
@shop_page(Task.STOCK)
def movements(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The rows behind a number; read-only, because the ledger is never edited."""
    number = _number(request.GET.get("variant"))
    variant = get_variant_for(desk.shop, number) if number else None
    before = _number(request.GET.get("before")) or None
    page = movement_page(desk.shop, variant=variant, before=before)
    context = {
        "page": page,
        "variant": variant,
        "last": page.rows[-1].movement.pk if page.rows else None,
        "rows": [_movement(row) for row in page.rows],
    }
    return show_page(request, desk, "movements.html", context, part="stock")
