"""How merchant pages begin and how forms end: access, one service call in one transaction, errors beside fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext

from silkroom.accounts.entrance import View, members_only, person_of
from silkroom.accounts.services import do_once
from silkroom.kit.errors import NotFound, Refusal
from silkroom.shops.queries import Desk, get_shop_for_task, roles_of
from silkroom.shops.rules import Task

from .undo import show_offer

Made = TypeVar("Made")


def shop_page(task: Task) -> Callable[[View], View]:
    """A page of one shop: the view gets a `Desk` (shop and role) in place of the slug, strangers get 404.

    Dates on it are those of the shop's own time zone, wherever its staff are.
    """

    def decorate(view: View) -> View:
        @members_only
        @wraps(view)
        def opened(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            desk = get_shop_for_task(request.user, slug, task)
            with timezone.override(ZoneInfo(desk.shop.time_zone)):
                return view(request, desk, *args, **kwargs)

        return opened

    return decorate


def show_page(
    request: HttpRequest, desk: Desk, template: str, context: Mapping[str, Any], *, part: str, status: int = 200
) -> HttpResponse:
    """Render a page of the shop; ``part`` names the entry of the menu it belongs to."""
    menu = {task.value: desk.may(task) for task in Task}
    frame = {
        "desk": desk,
        "shop": desk.shop,
        "menu": menu,
        "part": part,
        "my_shops": roles_of(request.user),
        "offer": show_offer(request, desk.shop),
    }
    response = render(request, f"workbench/{template}", {**frame, **context}, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def asks_for_part(request: HttpRequest) -> bool:
    """Does HTMX ask for a part of the page?"""
    return request.headers.get("HX-Request") == "true"


def show_part(
    request: HttpRequest, desk: Desk, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a part of a page of the shop, for HTMX to put in its place."""
    response = render(request, f"workbench/{template}", {"desk": desk, "shop": desk.shop, **context}, status=status)
    # The whole page has the same address: the back key must not find the part in its stead.
    patch_vary_headers(response, ["HX-Request"])
    return response


def attempt(form: BaseForm, act: Callable[[], Made], **fields: str) -> Made | None:
    """Carry out ``act`` in one transaction. A refusal becomes an error of the form and the answer is None.

    ``fields`` says beside which field a refusal's code belongs (``article_taken="article"``); others stand above.
    """
    try:
        with transaction.atomic():
            return act()
    except NotFound:
        raise
    except Refusal as refusal:
        place = fields.get(refusal.code) or refusal.data.get("field")
        form.add_error(place if place in form.fields else None, refusal.sentence(gettext))
        return None


def attempt_once(
    request: HttpRequest, form: BaseForm, purpose: str, act: Callable[[], str], **fields: str
) -> str | None:
    """As `attempt`, once for the form's ``key``: sent again, the first result is the answer."""
    key: UUID = form.cleaned_data["key"]
    return attempt(form, lambda: do_once(person=person_of(request), purpose=purpose, key=key, act=act), **fields)
