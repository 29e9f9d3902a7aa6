"""Writes of the till. The caller's transaction is theirs, unless a function says otherwise."""

from __future__ import annotations

from .shifts import close_shift, open_shift
from .tills import change_till, make_pairing_code, make_till, pair_device, renew_token, revoke_device

__all__ = [
    "change_till",
    "close_shift",
    "make_pairing_code",
    "make_till",
    "open_shift",
    "pair_device",
    "renew_token",
    "revoke_device",
]
