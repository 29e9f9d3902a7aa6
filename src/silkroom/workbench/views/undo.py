"""The one key that takes back: which service undoes what, and who may."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from silkroom.accounts.entrance import person_of
from silkroom.accounts.models import Person
from silkroom.catalog.queries import get_style_for
from silkroom.catalog.services import RemovedPicture, publish_style, restore_picture
from silkroom.inventory.services import take_back
from silkroom.kit.errors import NotFound, Refusal
from silkroom.shops.queries import Desk
from silkroom.shops.rules import Task
from silkroom.shops.services import change_role, restore_staff
from silkroom.shops.states import Role

from ..pages import asks_for_part, shop_page
from ..undo import Undo, take_offer

Values = Mapping[str, Any]


def _stock(desk: Desk, person: Person, values: Values) -> None:
    take_back(shop=desk.shop, source=values["source"], person=person)


def _style(desk: Desk, person: Person, values: Values) -> None:
    publish_style(style=get_style_for(desk.shop, values["style"]))


def _picture(desk: Desk, person: Person, values: Values) -> None:
    restore_picture(style=get_style_for(desk.shop, values["style"]), removed=RemovedPicture(**values["picture"]))


def _staff(desk: Desk, person: Person, values: Values) -> None:
    restore_staff(shop=desk.shop, person_id=values["person"], role=Role(values["role"]))


def _role(desk: Desk, person: Person, values: Values) -> None:
    change_role(shop=desk.shop, staff_id=values["staff"], role=Role(values["role"]))


ACTS: dict[Undo, tuple[Task, Callable[[Desk, Person, Values], None]]] = {
    Undo.STOCK: (Task.COUNT, _stock),
    Undo.WITHDRAWN_STYLE: (Task.STYLES, _style),
    Undo.REMOVED_PICTURE: (Task.STYLES, _picture),
    Undo.REMOVED_STAFF: (Task.STAFF, _staff),
    Undo.CHANGED_ROLE: (Task.STAFF, _role),
}


@require_POST
@shop_page(Task.LOOK)
def undo(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Take back what was offered; a page whose part asked is loaded anew, where it stands."""
    offer = take_offer(request, desk.shop, request.POST.get("token", ""))
    back = offer.back if offer else ""
    if offer is None:
        messages.error(request, gettext("This can no longer be taken back."))
    else:
        task, act = ACTS[offer.act]
        if not desk.may(task):
            raise NotFound
        try:
            with transaction.atomic():
                act(desk, person_of(request), offer.values)
        except Refusal as refusal:
            messages.error(request, refusal.sentence(gettext))
        else:
            messages.success(request, gettext("Taken back."))
    if asks_for_part(request):
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    return redirect(back) if back else redirect("workbench:shop", desk.shop.slug)
