"""Words for people of states that the merchant pages show."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from silkroom.live.broadcasts.states import BroadcastState
from silkroom.sales.orders.states import OrderState

ORDER_STATE_NAMES: dict[OrderState, Promise] = {
    OrderState.HELD: _("Waiting for payment"),
    OrderState.PAID: _("Paid"),
    OrderState.LAPSED: _("Lapsed"),
    OrderState.CANCELLED: _("Cancelled"),
    OrderState.REFUNDED: _("Refunded"),
}

ORDER_STATE_TONES: dict[OrderState, str] = {
    OrderState.HELD: "warn",
    OrderState.PAID: "good",
    OrderState.LAPSED: "",
    OrderState.CANCELLED: "",
    OrderState.REFUNDED: "bad",
}

REFUND_REASON_NAMES: dict[str, Promise] = {
    "late": _("The payment came after the order had lapsed, and the pieces had gone to others."),
    "paid_twice": _("The order was paid twice."),
    "shop": _("The shop sent it back."),
}

SHOW_STATE_NAMES: dict[BroadcastState, Promise] = {
    BroadcastState.PLANNED: _("Planned"),
    BroadcastState.REHEARSING: _("Rehearsing"),
    BroadcastState.ON_AIR: _("On air"),
    BroadcastState.INTERRUPTED: _("Interrupted"),
    BroadcastState.ENDED: _("Ended"),
    BroadcastState.CANCELLED: _("Cancelled"),
}

COUNT_REASONS: dict[str, Promise] = {
    "count": _("Counted again"),
    "damaged": _("Damaged"),
    "lost": _("Lost"),
    "found": _("Found again"),
    "sample": _("Given away or used as a sample"),
}
"""Why a count differs from the ledger: the part of its source before the colon, the usual one first."""

SOURCE_NAMES: dict[str, Promise] = {
    "opening": _("Opening stock"),
    "receipt": _("Arrived"),
    **COUNT_REASONS,
    "move": _("Moved between places"),
    "undo": _("Taken back"),
    "order": _("Order"),
}
"""What the part of a movement's source before the colon means."""
