"""A certificate for this machine and its own small authority, for ``--tls``.

A browser gives camera and microphone to https pages only, and a phone in the same room is not "localhost". The
authority is made once and kept, so that a device which was told to trust it stays so; the certificate under it is
renewed by itself.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from silkroom.config.errors import OperationError

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 397
"""Apple's devices refuse certificates that live longer than 398 days."""
RENEW_DAYS = 30


@dataclass(frozen=True)
class Certificate:
    """Files in PEM: the certificate of this machine, its key, and the authority that devices must trust."""

    certificate: Path
    key: Path
    authority: Path


class CertificateError(OperationError):
    """The certificate that the settings name cannot be used."""


def check_given(certificate: str, key: str) -> None:
    """Refuse a certificate of the user's own that cannot be used, before a server fails on it in its own words."""
    if bool(certificate) != bool(key):
        raise CertificateError("SILKROOM_TLS_CERTIFICATE and SILKROOM_TLS_KEY belong together: set both or neither")
    if not certificate:
        return
    for name, file in (("SILKROOM_TLS_CERTIFICATE", certificate), ("SILKROOM_TLS_KEY", key)):
        if not os.access(file, os.R_OK):
            raise CertificateError(f"{name} names {file}, which is not there or cannot be read")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise CertificateError(f"{certificate} and {key} do not fit together: {error.reason or error}") from None


def lan_addresses() -> list[str]:
    """IPv4 addresses under which other devices reach this machine."""
    found = []
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family == socket.AF_INET and not ipaddress.ip_address(one.address).is_loopback:
                found.append(one.address)
    return sorted(found)


def ensure_certificate(folder: Path, names: Iterable[str] = ()) -> Certificate:
    """The certificate kept in ``folder`` for localhost, 127.0.0.1, the LAN addresses and ``names``; made when missing,
    nearly over, or lacking a name."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = sorted({"localhost", "127.0.0.1", "::1", *lan_addresses(), *names})
    files = Certificate(folder / "certificate.pem", folder / "key.pem", folder / "authority.pem")
    authority_key_file = folder / "authority-key.pem"
    now = datetime.datetime.now(datetime.UTC)
    if not (files.authority.exists() and authority_key_file.exists() and _lasts(files.authority, now)):
        _make_authority(files.authority, authority_key_file, now)
        files.certificate.unlink(missing_ok=True)
    if not (files.certificate.exists() and files.key.exists() and _serves(files.certificate, wanted, now)):
        _make_certificate(files, authority_key_file, wanted, now)
    return files


def _lasts(file: Path, now: datetime.datetime) -> bool:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return certificate.not_valid_after_utc - now > datetime.timedelta(days=RENEW_DAYS)


def _serves(file: Path, wanted: Iterable[str], now: datetime.datetime) -> bool:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    held = {str(name.value) for name in names}
    return _lasts(file, now) and held >= set(wanted)


def _make_authority(file: Path, key_file: Path, now: datetime.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    # The machine's name tells two authorities apart in a phone's list.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"silkroom on {socket.gethostname()}"[:64])])
    certificate = (
        _builder(name, name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_file, _pem(key))
    _write(file, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _make_certificate(files: Certificate, authority_key: Path, names: list[str], now: datetime.datetime) -> None:
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    signer = serialization.load_pem_private_key(authority_key.read_bytes(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "silkroom")])
    certificate = (
        _builder(subject, authority.subject, key.public_key(), now, CERTIFICATE_DAYS)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    _write(files.key, _pem(key))
    _write(files.certificate, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # A phone's clock may be a little behind this one.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes, mode: int = 0o600) -> None:
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as target:
        target.write(content)
    draft.replace(file)
