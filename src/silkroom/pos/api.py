"""What the till's page asks for, JSON both ways.

The device says what it is by ``Authorization: Till <token>``. A browser never sends that by itself, so no other site
can speak for it and no CSRF token is needed. Who stands at the till is said by the session of the same browser.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeVar

import msgspec
from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from silkroom.kit.errors import BodyTooLarge, Malformed, Refusal, TooMany

from .answers import shift_as_json, state_as_json
from .errors import TillNotPaired
from .models import Device
from .queries import find_clerk, find_open_shift, get_clerk, get_device
from .services import close_shift, open_shift, pair_device, renew_token

SCHEME = "Till "
LARGEST_BODY = 1024**2
MOST_PAIRINGS = 20
PAIRING_WINDOW_SECONDS = 600

Minor = Annotated[int, msgspec.Meta(ge=0, le=10**13)]
Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Body = TypeVar("Body", bound=msgspec.Struct)
Answer = tuple[dict[str, Any], int]


class Pairing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    float_minor: Minor


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shift: Id
    counted_cash_minor: Minor
    counted_code_minor: Minor
    note: Annotated[str, msgspec.Meta(max_length=200)] = ""


def json_view(view: Callable[[HttpRequest], Answer]) -> Callable[[HttpRequest], HttpResponse]:
    """A POST that is answered in JSON, refusals too."""

    @csrf_exempt
    @require_POST
    @never_cache
    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        try:
            content, status = view(request)
        except Refusal as refusal:
            content, status = {"error": refusal.as_json(gettext)}, refusal.status
        return HttpResponse(msgspec.json.encode(content), content_type="application/json", status=status)

    return answered


def read_body(request: HttpRequest, kind: type[Body]) -> Body:
    """The decoded body. Raises Malformed, BodyTooLarge."""
    raw = request.read(LARGEST_BODY + 1)
    if len(raw) > LARGEST_BODY:
        raise BodyTooLarge
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise Malformed(field=str(error).rpartition("at `$")[2].rstrip("`").lstrip(".") or "body") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed(field="body") from None


def device_of(request: HttpRequest) -> Device:
    """The till that asks. Raises TillNotPaired."""
    authorization = request.headers.get("authorization", "")
    if not authorization.startswith(SCHEME):
        raise TillNotPaired
    return get_device(authorization.removeprefix(SCHEME).strip())


def _refuse_guessers(request: HttpRequest) -> None:
    """Codes have 39 bits and live ten minutes; a script that guesses is slowed all the same. Raises TooMany."""
    key = f"till-pairing:{get_adapter().get_client_ip(request)}"
    cache.add(key, 0, timeout=PAIRING_WINDOW_SECONDS)
    if cache.incr(key) > MOST_PAIRINGS:
        raise TooMany


@json_view
def pair(request: HttpRequest) -> Answer:
    """A code makes this browser the till."""
    _refuse_guessers(request)
    body = read_body(request, Pairing)
    with transaction.atomic():
        paired = pair_device(code=body.code, name=request.headers.get("user-agent", ""))
    return {"token": paired.token, "series": paired.device.series, "till": paired.device.till.code}, 201


@json_view
def state(request: HttpRequest) -> Answer:
    """All that the till must know, and a token whose time begins anew."""
    device = device_of(request)
    with transaction.atomic():
        token = renew_token(device=device)
    answer = state_as_json(device, find_clerk(request.user, device.till), find_open_shift(device.till))
    return {**answer, "token": token}, 200


@json_view
def shift_open(request: HttpRequest) -> Answer:
    """The drawer is filled."""
    till = device_of(request).till
    clerk = get_clerk(request.user, till)
    body = read_body(request, Opening)
    with transaction.atomic():
        shift = open_shift(till=till, clerk=clerk, float_minor=body.float_minor)
    return {"shift": shift_as_json(shift)}, 201


@json_view
def shift_close(request: HttpRequest) -> Answer:
    """The drawer is counted."""
    till = device_of(request).till
    clerk = get_clerk(request.user, till)
    body = read_body(request, Closing)
    with transaction.atomic():
        shift = close_shift(
            till=till,
            shift_id=body.shift,
            clerk=clerk,
            counted_cash_minor=body.counted_cash_minor,
            counted_code_minor=body.counted_code_minor,
            note=body.note,
        )
    return {"shift": shift_as_json(shift)}, 200
