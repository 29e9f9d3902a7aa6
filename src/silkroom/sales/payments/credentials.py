"""A merchant's keys at rest: encrypted with a key that follows from the installation's secret key.

Whoever has the database alone reads nothing. A changed secret key makes them unreadable; the owner enters them anew.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

from .errors import CredentialsUnreadable

PURPOSE = b"silkroom.payments.credentials"


def seal(secrets: Mapping[str, str]) -> str:
    """What stands in the database."""
    return _box().encrypt(msgspec.json.encode(dict(secrets))).decode()


def unseal(sealed: str, *, provider: str) -> dict[str, str]:
    """The keys themselves: for an adapter, never for a page or a log. Raises CredentialsUnreadable."""
    try:
        return msgspec.json.decode(_box().decrypt(sealed.encode()), type=dict[str, str])
    except (InvalidToken, msgspec.MsgspecError):
        raise CredentialsUnreadable(provider=provider) from None


def _box() -> MultiFernet:
    return MultiFernet([_fernet(one) for one in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(secret: str | bytes) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(force_bytes(secret))
    return Fernet(base64.urlsafe_b64encode(key))
