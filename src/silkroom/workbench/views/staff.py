"""Who works in the shop, and invitations by link."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from silkroom.accounts.entrance import person_of
from silkroom.kit.errors import NotFound, Refusal
from silkroom.shops.labels import ROLE_NAMES, ROLE_TASKS
from silkroom.shops.queries import Desk, get_staff_of, open_invitations, staff_of
from silkroom.shops.rules import Task
from silkroom.shops.services import change_role, invite_staff, leave_shop, remove_staff, withdraw_invitation
from silkroom.shops.states import Role

from ..forms import InvitationForm, RoleForm
from ..pages import attempt_once, shop_page, show_page
from ..undo import Undo, offer_undo

LINK_KEY = "workbench.invitation"
"""Session key of a link that was just made: it is shown once, since only its hash is kept."""


@require_GET
@never_cache
@shop_page(Task.STAFF)
def staff(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Staff, open invitations, and the link that was just made."""
    return _staff(request, desk, InvitationForm())


def _staff(request: HttpRequest, desk: Desk, form: InvitationForm) -> HttpResponse:
    rows = [
        {
            "staff": one,
            "role": ROLE_NAMES[Role(one.role)],
            "form": RoleForm(prefix=f"s{one.pk}", initial={"role": one.role}),
            "is_self": one.person_id == person_of(request).pk,
        }
        for one in staff_of(desk.shop)
    ]
    secret = request.session.pop(LINK_KEY, None)
    link = request.build_absolute_uri(reverse("workbench:invitation", args=[secret])) if secret else ""
    context = {
        "rows": rows,
        "invitations": [(one, ROLE_NAMES[Role(one.role)]) for one in open_invitations(desk.shop)],
        "form": form,
        "roles": [(str(role), ROLE_NAMES[role], ROLE_TASKS[role]) for role in Role],
        "link": link,
    }
    return show_page(request, desk, "staff.html", context, part="staff", status=422 if form.errors else 200)


@require_POST
@shop_page(Task.STAFF)
def invite(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Make a link; it is shown on the next page and never again."""
    form = InvitationForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        secrets: list[str] = []

        def make() -> str:
            made = invite_staff(shop=desk.shop, by=person_of(request), role=Role(data["role"]), contact=data["contact"])
            secrets.append(made.secret)
            return str(made.invitation.pk)

        if attempt_once(request, form, "invite", make, name_unusable="contact") is not None:
            if secrets:
                request.session[LINK_KEY] = secrets[0]
            return redirect("workbench:staff", desk.shop.slug)
    return _staff(request, desk, form)


@require_POST
@shop_page(Task.STAFF)
def invitation_withdraw(request: HttpRequest, desk: Desk, invitation_id: int) -> HttpResponse:
    """The link is good no more."""
    with transaction.atomic():
        withdraw_invitation(shop=desk.shop, invitation_id=invitation_id)
    messages.success(request, gettext("The invitation is withdrawn."))
    return redirect("workbench:staff", desk.shop.slug)


@require_POST
@shop_page(Task.STAFF)
def role(request: HttpRequest, desk: Desk, staff_id: int) -> HttpResponse:
    """Another role; one can take it back, unless it was one's own."""
    found = get_staff_of(desk.shop, staff_id)
    form = RoleForm(request.POST, prefix=f"s{found.pk}")
    if not form.is_valid():
        messages.error(request, gettext("Please choose a role from the list."))
        return redirect("workbench:staff", desk.shop.slug)
    wanted = Role(form.cleaned_data["role"])
    if wanted != found.role and _try(
        request, lambda: change_role(shop=desk.shop, staff_id=staff_id, role=wanted), says_so=False
    ):
        if found.person_id == person_of(request).pk:
            return redirect("workbench:shop", desk.shop.slug)
        sentence = gettext("%(name)s is %(role)s now.") % {"name": found.person.name, "role": ROLE_NAMES[wanted]}
        _offer_undo(request, desk, Undo.CHANGED_ROLE, sentence, staff=found.pk, role=found.role)
    return redirect("workbench:staff", desk.shop.slug)


@require_POST
@shop_page(Task.STAFF)
def remove(request: HttpRequest, desk: Desk, staff_id: int) -> HttpResponse:
    """Somebody no longer works here (the page asked once, and one can take it back)."""
    found = get_staff_of(desk.shop, staff_id)
    if _try(request, lambda: remove_staff(shop=desk.shop, staff_id=staff_id), says_so=False):
        if found.person_id == person_of(request).pk:
            return redirect("workbench:home")
        sentence = gettext("%(name)s no longer works here.") % {"name": found.person.name}
        _offer_undo(request, desk, Undo.REMOVED_STAFF, sentence, person=found.person_id, role=found.role)
    return redirect("workbench:staff", desk.shop.slug)


def _offer_undo(request: HttpRequest, desk: Desk, act: Undo, sentence: str, **values: object) -> None:
    offer_undo(request, desk.shop, act, sentence, reverse("workbench:staff", args=[desk.shop.slug]), **values)


@require_POST
@shop_page(Task.LOOK)
def leave(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Give up one's own role (the page asked once)."""
    if _try(request, lambda: leave_shop(shop=desk.shop, person=person_of(request))):
        return redirect("workbench:home")
    return redirect("workbench:shop", desk.shop.slug)


def _try(request: HttpRequest, act: Callable[[], object], *, says_so: bool = True) -> bool:
    """One service call; a refusal becomes a notice on the next page, and so does success with ``says_so``."""
    try:
        with transaction.atomic():
            act()
    except NotFound:
        raise
    except Refusal as refusal:
        messages.error(request, refusal.sentence(gettext))
        return False
    if says_so:
        messages.success(request, gettext("Saved."))
    return True
