"""The door of the room: a WebSocket for everybody who watches. Its contract: src/silkroom/live/room/README.md."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from aiohttp import WSMsgType, web
from django.urls import reverse

from silkroom.accounts.errors import NameFirst
from silkroom.accounts.tickets import TicketExpired, TicketInvalid
from silkroom.kit.clock import now as wall_clock
from silkroom.kit.clock import to_milliseconds
from silkroom.kit.errors import Malformed, NotFound, Refusal
from silkroom.live.broadcasts.queries import lapsed_tickets
from silkroom.live.broadcasts.rules import may_assist
from silkroom.live.broadcasts.states import OVER
from silkroom.live.broadcasts.tickets import Purpose, Ticket, read_ticket
from silkroom.live.fanout.door import Room, RoomClosed, RoomFull
from silkroom.live.room.errors import (
    HelloFirst,
    IsMuted,
    MessageTooLarge,
    MessageUnreadable,
    NotOnSale,
    PageRefused,
    ShowEnded,
    TooFast,
)
from silkroom.live.room.keeper import RoomKeeper
from silkroom.live.room.rules import LONGEST_COMMENT, LONGEST_QUESTION, bounded_delay, clean_words
from silkroom.live.room.services import Ask, Comment, Speaker
from silkroom.sales.desk.door import Answer, Desk, OrderLineRequest, OrderRequest

from .access import Origins, refused
from .attendance import Attendance
from .buckets import PersonBuckets, Rate
from .house import House
from .messages import (
    LARGEST_MESSAGE,
    AskAloud,
    Buy,
    ClientMessage,
    Hello,
    Invalid,
    Like,
    Ping,
    Renew,
    Say,
    Unreadable,
    read_message,
)
from .places import MOST_OF_ONE, Places, address_of, holder_of
from .scribe import Scribe
from .seat import STRIKES, Seat
from .store import UNREACHABLE, Store

HELLO_SECONDS = 5.0
GRACE_SECONDS = 5.0
"""After a ticket has lapsed: so long a renewal may be under way on a thin line."""

HEARTBEAT_SECONDS = 20.0
LARGEST_BEFORE_CUT = 64 * 1024
"""Above this aiohttp itself closes (1009) before the message is whole; below, the contract's own code is given."""

WORDS = Rate(per_second=1, burst=5)
LIKES = Rate(per_second=10, burst=50)
ORDERS = Rate(per_second=5, burst=10)

MALFORMED = 4400
EXPIRED = 4401
NO_ROOM = 4404
NO_HELLO = 4408
TOO_LARGE = 4413
TOO_FAST = 4429
COME_BACK = 4503

MessageId = int | str | None

log = structlog.get_logger("silkroom.gateway")


@dataclass
class Limits:
    """Token buckets of people, across their connections."""

    words: PersonBuckets = field(default_factory=lambda: PersonBuckets(WORDS))
    likes: PersonBuckets = field(default_factory=lambda: PersonBuckets(LIKES))
    orders: PersonBuckets = field(default_factory=lambda: PersonBuckets(ORDERS))


class RoomDoor:
    """Handler of ``/gateway/room``."""

    def __init__(
        self,
        *,
        house: House,
        store: Store,
        desk: Desk,
        attendance: Attendance,
        origins: Origins,
        max_per_address: int,
    ) -> None:
        self._house = house
        self._store = store
        self._desk = desk
        self._attendance = attendance
        self._origins = origins
        self._limits = Limits()
        self._places = Places(most_of_one=MOST_OF_ONE, most_of_address=max_per_address)
        self._scribes: dict[int, Scribe] = {}
        self._order_url = reverse("sales:order", args=["NUMBER"])
        self._pay_url = reverse("sales:pay", args=["NUMBER"])
        self.connections = 0
        """Upgraded and not yet gone."""
        self.is_closing = False

    # Coming in

    async def handle(self, request: web.Request) -> web.StreamResponse:
        with contextlib.ExitStack() as place:
            try:
                ticket = await self._admit(request)
                place.enter_context(self._places.taken(holder_of(ticket), address_of(request)))
            except Refusal as refusal:
                return refused(request, refusal)
            return await self._serve(request, ticket)

    async def _serve(self, request: web.Request, ticket: Ticket) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            compress=False, heartbeat=HEARTBEAT_SECONDS, max_msg_size=LARGEST_BEFORE_CUT, timeout=3.0
        )
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket
        seat = Seat(transport, ticket, self._now())
        self.connections += 1
        try:
            room = await self._welcome(socket, seat)
            if room is not None:
                await self._listen(socket, seat, room)
        finally:
            self.connections -= 1
            self._leave(seat)
        return socket

    async def _admit(self, request: web.Request) -> Ticket:
        """Raises what is answered before the upgrade."""
        if not self._origins.allow(request):
            raise PageRefused
        ticket = read_ticket(Purpose.ROOM, request.query.get("ticket", ""))
        if self.is_closing or self._house.fan.is_full:
            raise RoomFull
        if may_assist(ticket.role):
            await self._refuse_lapsed(ticket)
        return ticket

    async def _refuse_lapsed(self, ticket: Ticket) -> None:
        """While somebody stays, `Roles` looks."""
        try:
            lapsed = await self._store.run(lambda cursor: lapsed_tickets(cursor, [ticket]))
        except UNREACHABLE:
            raise RoomClosed from None
        if lapsed:
            raise TicketExpired

    async def _welcome(self, socket: web.WebSocketResponse, seat: Seat) -> Room | None:
        """Hello, welcome, a seat. None: the connection has been ended."""
        hello = await self._hear_hello(socket, seat)
        if hello is None:
            return None
        seat.language = hello.language
        try:
            room = await self._house.open(seat.ticket.broadcast_id)
        except NotFound as refusal:
            _turn_away(seat, hello.id, refusal, NO_ROOM)
            return None
        except RoomClosed as refusal:
            _turn_away(seat, hello.id, refusal, COME_BACK)
            return None
        except UNREACHABLE as error:
            log.warning("a room cannot be opened", broadcast=seat.ticket.broadcast_id, reason=str(error))
            _turn_away(seat, hello.id, RoomClosed(), COME_BACK)
            return None
        self._set_expiry(seat)
        self._house.take_seat(seat)  # before the welcome, so that its number of viewers has this one in it
        seat.send({"type": "welcome", "id": hello.id, **self._pass_of(seat)})
        return await self._sit_down(seat, room, hello)

    async def _sit_down(self, seat: Seat, room: Room, hello: Hello) -> Room | None:
        try:
            seat.watcher = await room.join(seat.transport, after=hello.after)
        except (RoomFull, RoomClosed) as refusal:
            _turn_away(seat, hello.id, refusal, COME_BACK)
            return None
        return room

    async def _hear_hello(self, socket: web.WebSocketResponse, seat: Seat) -> Hello | None:
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                received = await socket.receive()
        except TimeoutError:
            _turn_away(seat, None, HelloFirst(), NO_HELLO)
            return None
        if received.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
            return None
        message = self._read(received, seat)
        if isinstance(message, Hello):
            return message
        if message is not None:
            _turn_away(seat, message.id, HelloFirst(), MALFORMED)
        elif not seat.is_gone:
            _turn_away(seat, None, HelloFirst(), MALFORMED)
        return None

    def _pass_of(self, seat: Seat) -> dict[str, Any]:
        ticket = seat.ticket
        keeper = self._house.keeper_of(ticket.broadcast_id)
        return {
            "you": {"person": ticket.person_code, "name": ticket.name, "role": ticket.role.value},
            "muted": keeper is not None and ticket.person_code in keeper.muted,
            "now_ms": to_milliseconds(wall_clock()),
            "expires_at_ms": ticket.expires_at_ms,
            "viewers": self._attendance.viewers(ticket.broadcast_id),
        }

    def _set_expiry(self, seat: Seat) -> None:
        if seat.expiry is not None:
            seat.expiry.cancel()
        left = seat.ticket.expires_at_ms / 1000 - wall_clock().timestamp() + GRACE_SECONDS
        seat.expiry = asyncio.get_running_loop().call_later(left, seat.close, EXPIRED, "ticket expired")

    def _leave(self, seat: Seat) -> None:
        if seat.expiry is not None:
            seat.expiry.cancel()
        if seat.watcher is not None:
            seat.watcher.leave()
        self._house.leave_seat(seat)

    # Listening

    async def _listen(self, socket: web.WebSocketResponse, seat: Seat, room: Room) -> None:
        async for received in socket:
            if seat.is_gone:
                break
            message = self._read(received, seat)
            if message is not None and self._is_in_time(seat, message.id):
                self._take(seat, room, message)

    def _read(self, received: Any, seat: Seat) -> ClientMessage | None:
        """The message, or None after the page has been told what is wrong with it."""
        if received.type is not WSMsgType.TEXT:
            _turn_away(seat, None, MessageUnreadable(), MALFORMED)
            return None
        if len(received.data) > LARGEST_MESSAGE or len(received.data.encode(errors="replace")) > LARGEST_MESSAGE:
            _turn_away(seat, None, MessageTooLarge(most=LARGEST_MESSAGE), TOO_LARGE)
            return None
        try:
            return read_message(received.data)
        except Unreadable:
            _turn_away(seat, None, MessageUnreadable(), MALFORMED)
            return None
        except Invalid as error:
            if self._is_in_time(seat, error.message_id):
                seat.refuse(error.message_id, Malformed(field=error.field))
            return None

    def _is_in_time(self, seat: Seat, message_id: MessageId) -> bool:
        """Within the connection's own rate; who goes on and on is shown out."""
        wait = seat.messages.take(1, self._now())
        if wait == 0.0:
            seat.strikes = 0
            return True
        seat.strikes += 1
        if seat.strikes > STRIKES:
            seat.close(TOO_FAST, "too fast")
        else:
            seat.refuse(message_id, TooFast(seconds=max(1, round(wait))))
        return False

    def _take(self, seat: Seat, room: Room, message: ClientMessage) -> None:
        try:
            match message:
                case Ping():
                    seat.send({"type": "pong", "id": message.id, "now_ms": to_milliseconds(wall_clock())})
                case Say() | AskAloud():
                    self._say(seat, room, message)
                case Like():
                    self._like(seat, room, message)
                case Buy():
                    self._buy(seat, room, message)
                case Renew():
                    self._renew(seat, message)
                case Hello():
                    raise HelloFirst
        except Refusal as refusal:
            seat.refuse(message.id, refusal)

    # What viewers say

    def _say(self, seat: Seat, room: Room, message: Say | AskAloud) -> None:
        speaker = _speaker(seat)
        keeper = _keeper(room)
        if speaker.code in keeper.muted:
            raise IsMuted
        _refuse_ended(keeper)
        words = _words(message, speaker, keeper)
        self._spend(self._limits.words, seat, 1)
        self._scribe(seat.ticket.broadcast_id).say(words, partial(_answer, seat, message.id))

    def _like(self, seat: Seat, room: Room, message: Like) -> None:
        speaker = _speaker(seat)
        _refuse_ended(_keeper(room))
        now = self._now()
        count = self._limits.likes.of(speaker.person_id, now).take_some(message.count, now)
        if count == 0:
            raise TooFast(seconds=1)
        self._scribe(seat.ticket.broadcast_id).like(count)
        if message.id is not None:
            seat.send({"type": "reply", "id": message.id, "count": count})

    def _scribe(self, broadcast_id: int) -> Scribe:
        scribe = self._scribes.get(broadcast_id)
        if scribe is None:
            # Few shows run at once; those whose pens lie still are forgotten when a new one begins.
            self._scribes = {one: pen for one, pen in self._scribes.items() if not pen.is_idle}
            scribe = self._scribes[broadcast_id] = Scribe(broadcast_id, self._store, self._house.committed)
        return scribe

    def _spend(self, buckets: PersonBuckets, seat: Seat, count: int) -> None:
        now = self._now()
        person_id = seat.ticket.person_id
        assert person_id is not None
        wait = buckets.of(person_id, now).take(count, now)
        if wait > 0.0:
            raise TooFast(seconds=max(1, round(wait)))

    # Buying

    def _buy(self, seat: Seat, room: Room, message: Buy) -> None:
        speaker = _speaker(seat)
        if message.variant not in _keeper(room).variants:
            raise NotOnSale
        self._spend(self._limits.orders, seat, 1)
        line = OrderLineRequest(message.variant, message.quantity, message.offer, message.price_minor, message.currency)
        order = OrderRequest(
            person_id=speaker.person_id,
            shop_id=seat.ticket.shop_id,
            channel=seat.ticket.channel,
            key=message.key,
            lines=(line,),
        )
        self._desk.submit(order, partial(self._bought, seat, message.id), loop=asyncio.get_running_loop())

    def _bought(self, seat: Seat, message_id: MessageId, answer: Answer) -> None:
        if isinstance(answer, Refusal):
            seat.refuse(message_id, answer)
            return
        order = {
            "number": answer.number,
            "total_minor": answer.total_minor,
            "currency": answer.currency,
            "holds_until_ms": answer.holds_until_ms,
            "url": self._order_url.replace("NUMBER", answer.number),
            "pay_url": self._pay_url.replace("NUMBER", answer.number),
            "repeated": answer.repeated,
        }
        seat.send({"type": "reply", "id": message_id, "order": order})

    # Tickets

    def _renew(self, seat: Seat, message: Renew) -> None:
        """A new ticket for the same room; the person may have chosen a name meanwhile."""
        ticket = read_ticket(Purpose.ROOM, message.ticket)
        if ticket.broadcast_id != seat.ticket.broadcast_id:
            raise TicketInvalid
        self._house.leave_seat(seat)
        seat.ticket = ticket
        self._house.take_seat(seat)  # as what the new ticket says: a role may have been given or taken
        self._set_expiry(seat)
        seat.send({"type": "reply", "id": message.id, **self._pass_of(seat)})

    # Going

    async def close(self) -> None:
        """Nobody comes in any more; what was said is written down."""
        self.is_closing = True
        for scribe in self._scribes.values():
            await scribe.finish()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _words(message: Say | AskAloud, speaker: Speaker, keeper: RoomKeeper) -> Comment | Ask:
    if isinstance(message, Say):
        return Comment(speaker, clean_words(message.text, longest=LONGEST_COMMENT))
    style = message.style if any(one["style"] == message.style for one in keeper.state["tray"]) else None
    delay = None if message.delay_ms is None else round(message.delay_ms)
    return Ask(speaker, clean_words(message.text, longest=LONGEST_QUESTION), bounded_delay(delay), style)


def _answer(seat: Seat, message_id: MessageId, outcome: int | Refusal) -> None:
    if isinstance(outcome, Refusal):
        seat.refuse(message_id, outcome)
    else:
        seat.send({"type": "reply", "id": message_id, "n": outcome})


def _speaker(seat: Seat) -> Speaker:
    """Raises NameFirst."""
    ticket = seat.ticket
    if ticket.person_id is None or not ticket.name:
        raise NameFirst
    return Speaker(ticket.person_id, ticket.person_code, ticket.name, ticket.role)


def _keeper(room: Room) -> RoomKeeper:
    assert isinstance(room.keeper, RoomKeeper)
    return room.keeper


def _refuse_ended(keeper: RoomKeeper) -> None:
    if keeper.state["broadcast"]["state"] in OVER:
        raise ShowEnded


def _turn_away(seat: Seat, message_id: MessageId, refusal: Refusal, code: int) -> None:
    seat.refuse(message_id, refusal)
    seat.close(code, refusal.code)
