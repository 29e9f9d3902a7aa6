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

from silkroom.kit.clock import from_milliseconds
from silkroom.kit.errors import BodyTooLarge, Malformed, Refusal, TooMany

from .answers import shift_as_json, state_as_json
from .errors import TillNotPaired
from .models import Device
from .queries import find_clerk, find_open_shift, garments_of, get_clerk, get_device
from .rules import LineGiven, ReceiptGiven, TenderGiven
from .services import (
    Written,
    close_shift,
    fill_leases,
    open_shift,
    pair_device,
    record_receipts,
    renew_token,
    void_receipt,
)
from .states import TenderKind

SCHEME = "Till "
LARGEST_BODY = 1024**2
MOST_PAIRINGS = 20
PAIRING_WINDOW_SECONDS = 600
MOST_LINES = 100
MOST_PIECES = 999
MOST_RECEIPTS = 50
"""Of one request: its rows stay locked until all are written, and the web waits for them."""

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


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    variant: Id
    quantity: Annotated[int, msgspec.Meta(ge=1, le=MOST_PIECES)]
    list_price_minor: Minor
    unit_price_minor: Minor


class Money(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: TenderKind
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=10**13)]
    given_minor: Minor


class Sold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: Id
    shift: Id
    sold_at: Annotated[int, msgspec.Meta(ge=0, le=4 * 10**12)]
    discount_percent: Annotated[int, msgspec.Meta(ge=0, le=100)]
    lines: Annotated[list[Line], msgspec.Meta(min_length=1, max_length=MOST_LINES)]
    tenders: Annotated[list[Money], msgspec.Meta(max_length=20)]
    is_offline: bool = False

    def given(self) -> ReceiptGiven:
        return ReceiptGiven(
            number=self.number,
            shift_id=self.shift,
            sold_at=from_milliseconds(self.sold_at),
            discount_percent=self.discount_percent,
            lines=[
                LineGiven(one.variant, one.quantity, one.list_price_minor, one.unit_price_minor) for one in self.lines
            ],
            tenders=[TenderGiven(one.kind, one.amount_minor, one.given_minor) for one in self.tenders],
            is_offline=self.is_offline,
        )


class Sales(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    receipts: Annotated[list[Sold], msgspec.Meta(max_length=MOST_RECEIPTS)] = []
    voids: Annotated[list[Id], msgspec.Meta(max_length=MOST_RECEIPTS)] = []


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
    till, shift = device.till, find_open_shift(device.till)
    with transaction.atomic():
        token = renew_token(device=device)
        fill_leases(till=till, is_open=shift is not None)
    answer = state_as_json(device, find_clerk(request.user, till), shift)
    return {**answer, "token": token, "garments": garments_of(till)}, 200


@json_view
def receipts(request: HttpRequest) -> Answer:
    """What was sold. Every receipt is answered by its number; one that is refused leaves the others alone."""
    till = device_of(request).till
    body = read_body(request, Sales)
    written = []
    for number in body.voids:
        with transaction.atomic():
            written.append(void_receipt(till=till, number=number))
    if body.receipts:
        with transaction.atomic():
            written += record_receipts(till=till, receipts=[one.given() for one in body.receipts])
    return {"receipts": [_written_as_json(one) for one in written]}, 200


def _written_as_json(written: Written) -> dict[str, Any]:
    if written.refusal is not None:
        return {"number": written.number, "error": written.refusal.as_json(gettext)}
    return {"number": written.number, "repeated": written.is_repeat, "missing": written.missing}


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
