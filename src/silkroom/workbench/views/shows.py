"""Shows: the list, planning one, its running order and its prepared deals. Going live happens in the studio."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from silkroom.accounts.entrance import person_of, refuse_flood_of_pictures
from silkroom.accounts.models import Person
from silkroom.catalog.queries import cards_of_styles, cards_on_sale
from silkroom.kit.errors import NotFound
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.queries import shows_of
from silkroom.live.broadcasts.states import OVER, BroadcastState
from silkroom.live.deals.rules import Terms
from silkroom.live.deals.services import prepare_deal, remove_prepared
from silkroom.live.room.services import (
    cancel_show,
    change_cover,
    change_planned_at,
    change_running_order,
    change_title,
    plan_show,
)
from silkroom.shops.labels import name_of
from silkroom.shops.models import Shop
from silkroom.shops.queries import Desk, staff_of
from silkroom.shops.rules import Task
from silkroom.shops.states import Role

from ..forms import DealForm, ShowForm
from ..labels import SHOW_STATE_NAMES
from ..pages import attempt, attempt_once, shop_page, show_page
from ..queries import deals_of, get_show_of, running_order

MOST_SHOWS = 100


@require_GET
@shop_page(Task.SHOWS)
def shows(request: HttpRequest, desk: Desk) -> HttpResponse:
    """All shows, newest first."""
    rows = [(one, SHOW_STATE_NAMES[BroadcastState(one.state)]) for one in shows_of(desk.shop.pk)[:MOST_SHOWS]]
    return show_page(request, desk, "shows.html", {"rows": rows}, part="shows")


def hosts_of(shop: Shop, person: Person) -> list[Person]:
    """Who may stand before the camera: owners and hosts, the person first."""
    people = [one.person for one in staff_of(shop) if one.role in {Role.OWNER, Role.HOST}]
    return sorted(people, key=lambda one: one.pk != person.pk)


@require_http_methods(["GET", "POST"])
@shop_page(Task.SHOWS)
def show_new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Title, time, cover and running order on one page."""
    hosts = hosts_of(desk.shop, person_of(request))
    form = ShowForm(request.POST or None, request.FILES or None, shop=desk.shop, hosts=hosts)
    if request.method == "POST" and form.is_valid():
        _count_cover(request, form)
        code = attempt_once(
            request, form, "plan show", lambda: _plan(desk, form, hosts, person_of(request)), **FIELD_OF_REFUSAL
        )
        if code is not None:
            return redirect("workbench:show", desk.shop.slug, code)
    return _form_page(request, desk, form, None)


FIELD_OF_REFUSAL = {"title_unusable": "title", "cover_unusable": "cover", "running_order_unusable": "styles"}


def _count_cover(request: HttpRequest, form: ShowForm) -> None:
    if form.cleaned_data["cover"]:
        refuse_flood_of_pictures(request)


def _plan(desk: Desk, form: ShowForm, hosts: list[Person], person: Person) -> str:
    data = form.cleaned_data
    host = next((one for one in hosts if one.code == data.get("host")), hosts[0])
    broadcast = plan_show(
        shop=desk.shop,
        host=host,
        title=data["title"],
        style_ids=data["styles"],
        planned_at=data["planned_at"],
        by=person,
    )
    if data["cover"]:
        change_cover(broadcast=broadcast, picture=data["cover"])
    return broadcast.code


def _form_page(request: HttpRequest, desk: Desk, form: ShowForm, broadcast: Broadcast | None) -> HttpResponse:
    """The form with the styles to choose from; those chosen stand first, in their order."""
    on_sale = cards_on_sale(desk.shop, limit=500)
    typed = str(form["styles"].value() or "").replace(",", " ").split()
    wanted = [int(word) for word in typed if word.isascii() and word.isdecimal() and len(word) < 19]
    by_id = {card.style.pk: card for card in on_sale}
    chosen = [by_id[number] for number in wanted if number in by_id]
    rest = [card for card in on_sale if card not in chosen]
    context = {"form": form, "broadcast": broadcast, "chosen": chosen, "rest": rest}
    return show_page(request, desk, "show_form.html", context, part="shows", status=422 if form.errors else 200)


@require_GET
@shop_page(Task.SHOWS)
def show(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """What the show is, its running order and its deals; the way to the studio."""
    broadcast = get_show_of(desk.shop, code)
    return _show(request, desk, broadcast, None)


def _show(request: HttpRequest, desk: Desk, broadcast: Broadcast, deal_form: DealForm | None) -> HttpResponse:
    cards = cards_of_styles(running_order(broadcast))
    names = {card.style.pk: name_of(card.style) for card in cards}
    context = {
        "broadcast": broadcast,
        "state": SHOW_STATE_NAMES[BroadcastState(broadcast.state)],
        "cards": cards,
        "deals": [(deal, deal.seconds // 60) for deal in deals_of(broadcast)],
        "deal_form": deal_form or DealForm(styles=names, currency=desk.shop.currency),
        "is_over": broadcast.state in OVER,
        "is_cancelled": broadcast.state == BroadcastState.CANCELLED,
        "may_cancel": broadcast.state in {BroadcastState.PLANNED, BroadcastState.REHEARSING},
        "is_on_air": broadcast.state in {BroadcastState.ON_AIR, BroadcastState.INTERRUPTED},
        "room_link": request.build_absolute_uri(reverse("live:room", args=[broadcast.code])),
    }
    bad = deal_form is not None and bool(deal_form.errors)
    return show_page(request, desk, "show.html", context, part="shows", status=422 if bad else 200)


@require_http_methods(["GET", "POST"])
@shop_page(Task.SHOWS)
def show_change(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Another title, time, cover or running order; the room hears of it at once."""
    broadcast = get_show_of(desk.shop, code)
    if broadcast.state in OVER:
        raise NotFound
    if request.method == "POST":
        form = ShowForm(request.POST, request.FILES, shop=desk.shop)
        if form.is_valid():
            _count_cover(request, form)
        if form.is_valid() and attempt(form, lambda: _change(broadcast, form), **FIELD_OF_REFUSAL):
            messages.success(request, gettext("Saved."))
            return redirect("workbench:show", desk.shop.slug, code)
    else:
        zone = ZoneInfo(desk.shop.time_zone)
        moment = broadcast.planned_at.astimezone(zone) if broadcast.planned_at else None
        form = ShowForm(
            shop=desk.shop,
            initial={
                "title": broadcast.title,
                "planned_at": moment.strftime("%Y-%m-%dT%H:%M") if moment else "",
                "styles": " ".join(str(number) for number in running_order(broadcast)),
            },
        )
    return _form_page(request, desk, form, broadcast)


@require_POST
@shop_page(Task.SHOWS)
def show_cancel(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """The show will not be (the page asked once); its room says so."""
    broadcast = get_show_of(desk.shop, code)
    with transaction.atomic():
        cancel_show(broadcast=broadcast, by=person_of(request))
    messages.success(request, gettext("The show is cancelled."))
    return redirect("workbench:show", desk.shop.slug, code)


def _change(broadcast: Broadcast, form: ShowForm) -> bool:
    data = form.cleaned_data
    if data["cover"]:
        # First: encoding takes a moment, and nothing is locked yet.
        change_cover(broadcast=broadcast, picture=data["cover"])
    change_title(broadcast=broadcast, title=data["title"])
    change_planned_at(broadcast=broadcast, planned_at=data["planned_at"])
    if data["styles"] != running_order(broadcast):
        change_running_order(broadcast=broadcast, style_ids=data["styles"])
    return True


@require_POST
@shop_page(Task.SHOWS)
def deal_new(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Make a deal ready: in the show it takes two taps to launch."""
    broadcast = get_show_of(desk.shop, code)
    names = {card.style.pk: name_of(card.style) for card in cards_of_styles(running_order(broadcast))}
    form = DealForm(request.POST, styles=names, currency=desk.shop.currency)
    if form.is_valid():
        data = form.cleaned_data
        terms = Terms(data["style"], data["price"], data["minutes"] * 60, data["cap"], data["per_person"])
        made = attempt_once(
            request,
            form,
            "prepare deal",
            lambda: str(prepare_deal(broadcast=broadcast, terms=terms).pk),
            price_not_lower="price",
            offer_terms_unusable="price",
            not_in_the_show="style",
        )
        if made is not None:
            return redirect("workbench:show", desk.shop.slug, code)
    return _show(request, desk, broadcast, form)


@require_POST
@shop_page(Task.SHOWS)
def deal_remove(request: HttpRequest, desk: Desk, code: str, prepared_id: int) -> HttpResponse:
    """A prepared deal goes (the page asked once)."""
    broadcast = get_show_of(desk.shop, code)
    with transaction.atomic():
        remove_prepared(broadcast=broadcast, prepared_id=prepared_id)
    return redirect("workbench:show", desk.shop.slug, code)
