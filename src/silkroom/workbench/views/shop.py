"""Opening a shop, its first page, its settings, and joining one by invitation."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from silkroom.accounts.entrance import members_only, person_of, refuse_flood_of_pictures
from silkroom.catalog.services import change_logo, remove_logo
from silkroom.sales.orders.queries import has_orders
from silkroom.sales.orders.services import change_currency
from silkroom.shops.labels import CURRENCY_NAMES, PLACE_KIND_NAMES, ROLE_NAMES, ROLE_TASKS
from silkroom.shops.queries import Desk, find_shop, get_open_invitation, get_place_for, inside_places, roles_of
from silkroom.shops.regions import provinces, regions_in, search_regions
from silkroom.shops.rules import Task
from silkroom.shops.services import accept_invitation, add_place, change_place, change_shop, open_shop
from silkroom.shops.states import PlaceKind, Role

from ..forms import CurrencyForm, LogoForm, OpenShopForm, PlaceChangeForm, PlaceForm, ShopForm
from ..pages import attempt, attempt_once, shop_page, show_page
from ..queries import Figures, figures_of


@require_GET
@members_only
def home(request: HttpRequest) -> HttpResponse:
    """The person's only shop, the choice among several, or the way to the first."""
    desks = roles_of(request.user)
    if not desks:
        return redirect("workbench:open-shop")
    if len(desks) == 1:
        return redirect("workbench:shop", desks[0].shop.slug)
    return render(request, "workbench/home.html", {"desks": desks})


@require_http_methods(["GET", "POST"])
@never_cache
@members_only
def open_page(request: HttpRequest) -> HttpResponse:
    """A shop in one page."""
    form = OpenShopForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        slug = attempt_once(
            request,
            form,
            "open shop",
            lambda: (
                open_shop(
                    person=person_of(request),
                    name=data["name"],
                    name_en=data["name_en"],
                    region_code=data["region_code"],
                    places=form.places(),
                ).slug
            ),
            shop_name_unusable="name",
            region_unknown="region_code",
        )
        if slug is not None:
            return redirect("workbench:style-new", slug)
    context = {"form": form, "first": not roles_of(request.user)}
    return render(request, "workbench/open.html", context, status=422 if form.is_bound else 200)


@require_GET
def regions(request: HttpRequest) -> HttpResponse:
    """Districts of a province, or those that a search finds: what the region choice asks for."""
    words = request.GET.get("q", "")[:60]
    province = request.GET.get("province", "")
    if province and province not in {one.code for one in provinces()}:
        province = ""
    found = search_regions(words) if words.strip() else regions_in(province)
    body = {
        "regions": [
            {
                "code": one.code,
                "name": one.name,
                "group": one.group,
                "province": one.province_code,
                "full": one.full_name,
            }
            for one in found
        ]
    }
    response = JsonResponse(body)
    response["Cache-Control"] = "public, max-age=86400"
    return response


@dataclass(frozen=True)
class Step:
    """Something to do next, and where."""

    title: Promise
    text: Promise
    action: Promise
    url: str
    icon: str


@require_GET
@shop_page(Task.LOOK)
def shop(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What to do next, and the numbers of the last 24 hours, each of which leads to its rows."""
    figures = figures_of(desk.shop)
    context = {"figures": figures, "steps": next_steps(desk, figures)}
    return show_page(request, desk, "shop.html", context, part="look")


def next_steps(desk: Desk, figures: Figures) -> list[Step]:
    """At most three, the most useful first; only what the person's role includes."""
    slug = desk.shop.slug
    steps: list[Step] = []
    if desk.may(Task.SHOWS) and figures.show_on_air:
        steps.append(
            Step(
                gettext_lazy("The show is on air"),
                gettext_lazy("Questions, deals and stock are in the studio."),
                gettext_lazy("To the studio"),
                reverse("live:studio", args=[figures.show_on_air.code]),
                "air",
            )
        )
    if desk.may(Task.STYLES) and not figures.on_sale and not figures.drafts:
        steps.append(
            Step(
                gettext_lazy("Enter your first garment"),
                gettext_lazy("Its colours, its sizes, what it costs and how many you have."),
                gettext_lazy("Enter a style"),
                reverse("workbench:style-new", args=[slug]),
                "hanger",
            )
        )
    elif desk.may(Task.STYLES) and figures.drafts:
        steps.append(
            Step(
                gettext_lazy("Finish your drafts"),
                gettext_lazy("Each draft says what it still lacks before buyers can see it."),
                gettext_lazy("To the drafts"),
                reverse("workbench:styles", args=[slug]) + "?state=draft",
                "hanger",
            )
        )
    if desk.may(Task.COUNT) and figures.on_sale and not figures.free_pieces:
        steps.append(
            Step(
                gettext_lazy("Nothing can be bought"),
                gettext_lazy("Your styles are shown, but no piece is free to sell."),
                gettext_lazy("Enter stock"),
                reverse("workbench:stock", args=[slug]),
                "parcel",
            )
        )
    if desk.may(Task.SHOWS) and figures.on_sale and not figures.show_on_air:
        steps.append(_show_step(slug, figures))
    return steps[:3]


def _show_step(slug: str, figures: Figures) -> Step:
    if figures.next_show:
        return Step(
            gettext_lazy("Prepare your next show"),
            gettext_lazy("Check the running order and the deals, then rehearse."),
            gettext_lazy("To the show"),
            reverse("workbench:show", args=[slug, figures.next_show.code]),
            "camera",
        )
    return Step(
        gettext_lazy("Plan your first show"),
        gettext_lazy("Choose the styles, prepare a deal, and go live from your browser."),
        gettext_lazy("Plan a show"),
        reverse("workbench:show-new", args=[slug]),
        "camera",
    )


@require_http_methods(["GET", "POST"])
@shop_page(Task.STAFF)
def settings_page(request: HttpRequest, desk: Desk) -> HttpResponse:
    """How the shop presents itself, its logo, its currency and its places."""
    form = ShopForm(request.POST) if request.method == "POST" else ShopForm.of(desk.shop)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        changed = attempt(
            form,
            lambda: change_shop(
                shop=desk.shop,
                name=data["name"],
                name_en=data["name_en"],
                about=data["about"],
                region_code=data["region_code"],
                contact=data["contact"],
                time_zone=data["time_zone"],
            ),
            shop_name_unusable="name",
            region_unknown="region_code",
            shop_contact_unusable="contact",
            time_zone_unknown="time_zone",
        )
        if changed:
            messages.success(request, gettext("Saved."))
            return redirect("workbench:settings", desk.shop.slug)
    return _settings(request, desk, form=form)


def _settings(
    request: HttpRequest,
    desk: Desk,
    *,
    form: ShopForm | None = None,
    place_form: PlaceForm | None = None,
    logo_form: LogoForm | None = None,
    currency_form: CurrencyForm | None = None,
) -> HttpResponse:
    """The page; a form that was sent and refused is among those given."""
    given = (form, place_form, logo_form, currency_form)
    bad = any(one is not None and one.is_bound for one in given)
    # A refused form has set what it wanted on the object; the page shows what is true.
    shop = (find_shop(desk.shop.slug) if bad else None) or desk.shop
    places = [
        (
            place,
            PLACE_KIND_NAMES[PlaceKind(place.kind)],
            PlaceChangeForm(prefix=f"p{place.pk}", initial={"name": place.name, "sells_online": place.sells_online}),
        )
        for place in inside_places(shop)
    ]
    context = {
        "form": form or ShopForm.of(shop),
        "place_form": place_form or PlaceForm(prefix="new"),
        "logo_form": logo_form or LogoForm(),
        "currency_form": currency_form or CurrencyForm(initial={"currency": shop.currency}),
        "currency_name": CURRENCY_NAMES[shop.currency],
        "currency_is_fixed": has_orders(shop=shop),
        "places": places,
        "saved": shop,
    }
    return show_page(request, desk, "settings.html", context, part="settings", status=422 if bad else 200)


@require_POST
@shop_page(Task.STAFF)
def logo(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Another logo."""
    form = LogoForm(request.POST, request.FILES)
    if form.is_valid():
        refuse_flood_of_pictures(request)
        data = form.cleaned_data["logo"].read()
        done = attempt(
            form,
            lambda: change_logo(shop=desk.shop, data=data),
            picture_unusable="logo",
            picture_too_large="logo",
        )
        if done:
            messages.success(request, gettext("Saved."))
            return redirect("workbench:settings", desk.shop.slug)
    return _settings(request, desk, logo_form=form)


@require_POST
@shop_page(Task.STAFF)
def logo_remove(request: HttpRequest, desk: Desk) -> HttpResponse:
    """No logo (the page asked once)."""
    with transaction.atomic():
        remove_logo(shop=desk.shop)
    messages.success(request, gettext("Saved."))
    return redirect("workbench:settings", desk.shop.slug)


@require_POST
@shop_page(Task.STAFF)
def currency(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Another currency, as long as nothing was ordered."""
    form = CurrencyForm(request.POST)
    if form.is_valid():
        wanted = form.cleaned_data["currency"]
        done = attempt(
            form,
            lambda: change_currency(shop=desk.shop, currency=wanted),
            currency_fixed="currency",
            prices_fixed="currency",
            currency_unknown="currency",
        )
        if done:
            messages.success(request, gettext("Saved."))
            return redirect("workbench:settings", desk.shop.slug)
    return _settings(request, desk, currency_form=form)


@require_POST
@shop_page(Task.STAFF)
def place_new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """One more place."""
    form = PlaceForm(request.POST, prefix="new")
    if form.is_valid():
        data = form.cleaned_data
        made = attempt_once(
            request,
            form,
            "add place",
            lambda: add_place(shop=desk.shop, kind=PlaceKind(data["kind"]), name=data["name"]).code,
            place_name_taken="name",
            shop_name_unusable="name",
        )
        if made is not None:
            messages.success(request, gettext("Saved."))
            return redirect("workbench:settings", desk.shop.slug)
    return _settings(request, desk, place_form=form)


@require_POST
@shop_page(Task.STAFF)
def place_change(request: HttpRequest, desk: Desk, place_id: int) -> HttpResponse:
    """Another name, or another answer to "does it sell online?"."""
    place = get_place_for(desk.shop, place_id)
    form = PlaceChangeForm(request.POST, prefix=f"p{place.pk}")
    changed = None
    if form.is_valid():
        data = form.cleaned_data
        changed = attempt(
            form,
            lambda: change_place(place=place, name=data["name"], sells_online=data["sells_online"]),
            place_name_taken="name",
            shop_name_unusable="name",
        )
    if changed is not None:
        messages.success(request, gettext("Saved."))
    else:
        for errors in form.errors.values():
            messages.error(request, " ".join(str(one) for one in errors))
    return redirect("workbench:settings", desk.shop.slug)


@require_http_methods(["GET", "POST"])
@never_cache
@members_only
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """What the link offers, and one key to accept it."""
    found = get_open_invitation(secret)
    if request.method == "POST":
        with transaction.atomic():
            staff = accept_invitation(secret=secret, person=person_of(request))
        messages.success(request, gettext("Welcome to %(shop)s.") % {"shop": staff.shop.name})
        return redirect("workbench:shop", staff.shop.slug)
    context = {
        "invitation": found,
        "shop": found.shop,
        "role": ROLE_NAMES[Role(found.role)],
        "tasks": ROLE_TASKS[Role(found.role)],
    }
    return render(request, "workbench/invitation.html", context)
