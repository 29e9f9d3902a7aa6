"""The sandbox's signature: HMAC-SHA256 over moment, one-time number and the raw body. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from .errors import NoticeForged, NoticeStale

MOMENT_HEADER = "Sandbox-Timestamp"
NONCE_HEADER = "Sandbox-Nonce"
SIGNATURE_HEADER = "Sandbox-Signature"

MOST_SECONDS = 300
"""How old a notice may be: longer than any delivery takes, short enough to forget one-time numbers after."""

LONGEST_NONCE = 64


def sign(key: bytes, *, seconds: int, nonce: str, body: bytes) -> dict[str, str]:
    """The headers that go with ``body``. ``seconds`` since 1970."""
    return {
        MOMENT_HEADER: str(seconds),
        NONCE_HEADER: nonce,
        SIGNATURE_HEADER: _signature(key, str(seconds), nonce, body),
    }


def verify(key: bytes, *, headers: Mapping[str, str], body: bytes, now_seconds: int) -> str:
    """The nonce of a message that was signed with ``key`` just now. Raises NoticeForged, NoticeStale."""
    moment = headers.get(MOMENT_HEADER, "")
    nonce = headers.get(NONCE_HEADER, "")
    given = headers.get(SIGNATURE_HEADER, "")
    fits = hmac.compare_digest(given.encode(), _signature(key, moment, nonce, body).encode())
    if not fits or not moment.isdecimal() or len(moment) > 12 or not 1 <= len(nonce) <= LONGEST_NONCE:
        raise NoticeForged
    if abs(now_seconds - int(moment)) > MOST_SECONDS:
        raise NoticeStale(most_seconds=MOST_SECONDS)
    return nonce


def _signature(key: bytes, moment: str, nonce: str, body: bytes) -> str:
    message = f"{moment}\n{nonce}\n".encode() + body
    return hmac.new(key, message, hashlib.sha256).hexdigest()
