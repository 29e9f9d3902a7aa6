"""Writes of the till. The caller's transaction is theirs, unless a function says otherwise."""

from __future__ import annotations

from .sales import Written, fill_leases, record_receipts, void_receipt
from .shifts import close_shift, open_shift
from .shortfalls import settle_shortfall
from .tills import change_till, make_pairing_code, make_till, pair_device, renew_token, revoke_device

__all__ = [
    "Written",
    "change_till",
    "close_shift",
    "fill_leases",
    "make_pairing_code",
    "make_till",
    "open_shift",
    "pair_device",
    "record_receipts",
    "renew_token",
    "revoke_device",
    "settle_shortfall",
    "void_receipt",
]
