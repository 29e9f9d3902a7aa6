"""RSA keys as owners copy them from providers' pages, and SHA-256 signatures with them."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

PEM = "-----BEGIN"
SMALLEST_KEY = 2048


def private_key(text: str) -> RSAPrivateKey:
    """PEM, or the bare base64 that Alipay's tool writes. Raises ValueError."""
    try:
        if PEM in text:
            key = load_pem_private_key(text.strip().encode(), password=None)
        else:
            key = load_der_private_key(_bare(text), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("not a private key without a password") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < SMALLEST_KEY:
        raise ValueError("not an RSA key of 2048 bits")
    return key


def public_key(text: str) -> RSAPublicKey:
    """PEM, or bare base64. Raises ValueError."""
    try:
        key = load_pem_public_key(text.strip().encode()) if PEM in text else load_der_public_key(_bare(text))
    except UnsupportedAlgorithm as error:
        raise ValueError("not a public key") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY:
        raise ValueError("not an RSA key of 2048 bits")
    return key


def _bare(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """SHA256withRSA in base64."""
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def is_signed(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether ``signature`` (base64) is that of the key's owner over ``message``."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
