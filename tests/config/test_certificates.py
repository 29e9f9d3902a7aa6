"""The certificate of --tls is one that a browser accepts once it trusts the authority."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509

from silkroom.config.processes.certificates import ensure_certificate, lan_addresses


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "shop.test"])
def test_a_client_that_trusts_the_authority_accepts_it(tmp_path: Path, name: str) -> None:
    files = ensure_certificate(tmp_path, ["shop.test"])
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    client = ssl.create_default_context(cafile=str(files.authority))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            raw, _address = listener.accept()
            with server.wrap_socket(raw, server_side=True) as connection:
                connection.sendall(b"silk")

        thread = threading.Thread(target=serve)
        thread.start()
        with (
            socket.create_connection(listener.getsockname()) as raw,
            client.wrap_socket(raw, server_hostname=name) as connection,
        ):
            assert connection.recv(4) == b"silk"
        thread.join()


def test_it_names_the_addresses_of_this_machine_and_lives_no_longer_than_phones_allow(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(ensure_certificate(tmp_path).certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in names} == {"localhost", "127.0.0.1", "::1", *lan_addresses()}
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days <= 398


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    ensure_certificate(tmp_path)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("*key.pem")} == {
        "authority-key.pem": 0o600,
        "key.pem": 0o600,
    }


def test_the_authority_stays_and_only_a_new_name_renews_the_certificate(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path)
    authority, certificate = first.authority.read_bytes(), first.certificate.read_bytes()
    ensure_certificate(tmp_path)
    assert first.certificate.read_bytes() == certificate
    ensure_certificate(tmp_path, ["shop.test"])
    assert first.certificate.read_bytes() != certificate
    assert first.authority.read_bytes() == authority
