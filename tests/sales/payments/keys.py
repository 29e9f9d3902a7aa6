"""Real keys for tests, made once a run."""

from __future__ import annotations

import base64
from functools import cache

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@cache
def key_of(name: str) -> rsa.RSAPrivateKey:
    """The key of whoever is called so."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(name: str) -> str:
    return key_of(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def private_bare(name: str) -> str:
    """As Alipay's tool writes it: PKCS#1 in bare base64."""
    der = key_of(name).private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return base64.b64encode(der).decode()


def public_pem(name: str) -> str:
    return key_of(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_bare(name: str) -> str:
    return "".join(public_pem(name).splitlines()[1:-1])


def signed(name: str, message: bytes) -> str:
    return base64.b64encode(key_of(name).sign(message, padding.PKCS1v15(), SHA256())).decode()


def check_signed(name: str, message: bytes, signature: str) -> None:
    """Raises InvalidSignature."""
    key_of(name).public_key().verify(base64.b64decode(signature), message, padding.PKCS1v15(), SHA256())
