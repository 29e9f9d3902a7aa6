"""Where providers send their notices, and the sandbox's own pay page."""

from __future__ import annotations

from typing import Literal

import msgspec
import structlog
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from silkroom.kit.clock import to_milliseconds
from silkroom.kit.errors import Malformed, Refusal
from silkroom.sales.orders.answers import wants_json

from .errors import NoticeMalformed
from .provider import LARGEST_NOTICE
from .queries import get_order_number
from .registry import get_provider, provider_of_notice
from .sandbox import NAME, get_charge, settle_charge
from .services import receive_notice
from .states import ChargeState

log = structlog.get_logger("silkroom.sales.payments")


@csrf_exempt
@require_POST
def notify(request: HttpRequest, provider: str, code: str = "") -> HttpResponse:
    """A provider tells how a charge stands. Its signature is over the raw body, so the body is not parsed before.

    ``code`` names the merchant account that the notice is for.
    """
    known = provider_of_notice(provider, code)
    refused: Refusal | None = None
    body = request.read(LARGEST_NOTICE + 1)
    try:
        if len(body) > LARGEST_NOTICE:
            raise NoticeMalformed
        receive_notice(provider=known, headers=request.headers, body=body)
    except Refusal as refusal:
        log.warning("payment notice refused", provider=provider, reason=refusal.code)
        refused = refusal
    reply = known.reply(refused)
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type)


@require_http_methods(["GET", "POST"])
@never_cache
def sandbox_page(request: HttpRequest, reference: str) -> HttpResponse:
    """The sandbox's page: confirm or refuse. Whoever knows the reference may, as at a real provider's page."""
    get_provider(NAME)
    charge = get_charge(reference)
    number = get_order_number(provider=NAME, reference=charge.reference)
    if request.method == "GET":
        return render(
            request,
            "sales/sandbox_pay.html",
            {
                "charge": charge,
                "order_number": number,
                "is_waiting": charge.state == ChargeState.WAITING,
                "expires_at_ms": to_milliseconds(charge.expires_at),
            },
        )
    choice = _choice(request)
    with transaction.atomic():
        state = settle_charge(reference=charge.reference, pays=choice == "confirm")
    if wants_json(request):
        return JsonResponse({"payment": charge.reference, "state": state})
    if state == ChargeState.PAID:
        messages.success(request, _("The sandbox has taken your payment. No real money moved."))
    else:
        messages.info(request, _("You did not pay. Your pieces are still held for you."))
    return redirect("sales:order", number=number)


class Choice(msgspec.Struct, frozen=True):
    """What a script says: ``{"choice": "confirm"}`` (also an empty body) or ``{"choice": "refuse"}``."""

    choice: Literal["confirm", "refuse"] = "confirm"


def _choice(request: HttpRequest) -> str:
    """ "confirm" or "refuse", from a form's button or a script's body. Raises Malformed."""
    if request.POST or not wants_json(request):
        choice = request.POST.get("choice", "")
        if choice not in ("confirm", "refuse"):
            raise Malformed(field="choice")
        return choice
    try:
        return msgspec.json.decode(request.body or b"{}", type=Choice).choice
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Malformed(field="choice") from None
