"""The HTTP door of the order desk: ``POST /api/orders``.

Who orders is said by ``Authorization: Ticket <room ticket>`` (then no session is read and no query runs beside the
desk's own), or by a session with its CSRF token. Body, at most 16 KiB, JSON::

    {"key": "<UUID, made once and sent again unchanged>",
     "lines": [{"variant": 7, "quantity": 1, "offer": 3 or null,
                "price_minor": 19900 or null, "currency": "CNY" or null}]}

Answers 201 with the order, 200 when the key had made it before, else ``{"error": {"code", "text", "data"}}``.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from silkroom.accounts.errors import NameFirst
from silkroom.accounts.tickets import TicketInvalid, read_ticket
from silkroom.kit.errors import Malformed, Refusal
from silkroom.sales.desk.door import MOST_LINES, MOST_PIECES, OrderLineRequest, OrderReceipt

from .errors import OriginRefused, SignInFirst, TooLarge
from .services import place_order, place_web_order

LARGEST_BODY = 16 * 1024
SCHEME = "Ticket "
TICKET_PURPOSE = "room"
ANY_NUMBER = "NUMBER"

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Minor = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Currency = Annotated[str, msgspec.Meta(max_length=3)]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A garment of an order as clients write it."""

    variant: Id
    quantity: Annotated[int, msgspec.Meta(ge=1, le=MOST_PIECES)]
    offer: Id | None = None
    price_minor: Minor | None = None
    currency: Currency | None = None


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order as clients write it."""

    key: UUID
    lines: Annotated[list[Line], msgspec.Meta(min_length=1, max_length=MOST_LINES)]


_decoder = msgspec.json.Decoder(Body, strict=True)
_encode = msgspec.json.Encoder().encode


@csrf_exempt
@require_POST
def orders(request: HttpRequest) -> HttpResponse:
    """See the module."""
    try:
        receipt = _place(request)
    except Refusal as refusal:
        return _answer({"error": refusal.as_json(gettext)}, refusal.status)
    return _answer(order_as_json(receipt), 200 if receipt.repeated else 201)


def order_as_json(receipt: OrderReceipt) -> dict[str, Any]:
    """An order as both doors tell it."""
    order_address, pay_address = _addresses()
    return {
        "number": receipt.number,
        "total_minor": receipt.total_minor,
        "currency": receipt.currency,
        "holds_until_ms": receipt.holds_until_ms,
        "state": receipt.state,
        "url": order_address.replace(ANY_NUMBER, receipt.number),
        "pay_url": pay_address.replace(ANY_NUMBER, receipt.number),
        "repeated": receipt.repeated,
    }


@cache
def _addresses() -> tuple[str, str]:
    """Finding an address by its name takes longer than all else that is written here."""
    return reverse("sales:order", args=[ANY_NUMBER]), reverse("sales:pay", args=[ANY_NUMBER])


def _place(request: HttpRequest) -> OrderReceipt:
    authorization = request.headers.get("authorization", "")
    if authorization.startswith(SCHEME):
        buyer = _read_buyer(authorization.removeprefix(SCHEME).strip())
        body = read_body(request)
        person_id, shop_id, channel = buyer
        return place_order(person_id=person_id, shop_id=shop_id, channel=channel, key=body.key, lines=_lines(body))
    if not request.user.is_authenticated:
        raise SignInFirst
    require_csrf(request)
    body = read_body(request)
    return place_web_order(person_id=request.user.pk, key=body.key, lines=_lines(body))


def _read_buyer(text: str) -> tuple[int, int, str]:
    """(person, shop, channel) of a ticket."""
    ticket = read_ticket(TICKET_PURPOSE, text)
    person, shop, channel = ticket.get("p"), ticket.get("s"), ticket.get("c")
    if person is None:
        raise NameFirst
    if type(person) is not int or type(shop) is not int or type(channel) is not str:
        raise TicketInvalid
    return person, shop, channel


def read_body(request: HttpRequest) -> Body:
    """The decoded body. Raises TooLarge, Malformed."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        raise TooLarge(most_bytes=LARGEST_BODY)
    raw = request.read(LARGEST_BODY + 1)
    if len(raw) > LARGEST_BODY:
        raise TooLarge(most_bytes=LARGEST_BODY)
    try:
        return _decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise Malformed(field=_field_of(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed(field="body") from None


def _field_of(message: str) -> str:
    """The place that msgspec names at the end: "… - at `$.lines[0].quantity`"."""
    _, found, place = message.rpartition("at `$")
    return place.rstrip("`").lstrip(".") if found and place.rstrip("`") else "body"


def _lines(body: Body) -> list[OrderLineRequest]:
    return [OrderLineRequest(one.variant, one.quantity, one.offer, one.price_minor, one.currency) for one in body.lines]


class _CsrfCheck(CsrfViewMiddleware):
    """Django's own check, answering with the reason instead of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def require_csrf(request: HttpRequest) -> None:
    """Raise OriginRefused unless the request carries its session's token: for views that also take tickets."""
    check = _CsrfCheck(lambda _request: HttpResponse())
    check.process_request(request)
    if check.process_view(request, orders_without_exemption, (), {}) is not None:
        raise OriginRefused


def orders_without_exemption(request: HttpRequest) -> HttpResponse:
    """What the CSRF check is asked about: a view that is not exempt."""
    return HttpResponse()


def _answer(content: dict[str, Any], status: int) -> HttpResponse:
    return HttpResponse(_encode(content), content_type="application/json", status=status)
