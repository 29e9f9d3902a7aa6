"""Limits count clients, not the proxy in front of them, and nobody chooses what is counted."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory

from silkroom.accounts import entrance
from silkroom.kit.addresses import read_networks
from silkroom.kit.errors import TooMany

pytestmark = pytest.mark.django_db

MOST_SIGN_UPS = 20
"""django-allauth's own limit of an address in a minute."""


def sign_up(client: Client, said: str, peer: str = "127.0.0.1") -> int:
    headers = {"x-forwarded-for": said}
    return client.post("/accounts/signup/", {}, REMOTE_ADDR=peer, headers=headers).status_code


@pytest.fixture
def proxy_here(settings: Any) -> None:
    settings.TRUSTED_PROXIES = read_networks(["127.0.0.1"])


def test_behind_a_trusted_proxy_each_client_has_its_own_limit(client: Client, proxy_here: None) -> None:
    for number in range(MOST_SIGN_UPS):
        assert sign_up(client, f"6.6.6.{number}, 198.51.100.1") == 200
    assert sign_up(client, "6.6.6.6, 198.51.100.1") == 429
    assert sign_up(client, "198.51.100.2") == 200


@pytest.mark.parametrize("peer", ["127.0.0.1", "203.0.113.5"])
def test_where_no_proxy_is_trusted_the_header_says_nothing(client: Client, peer: str) -> None:
    for number in range(MOST_SIGN_UPS):
        assert sign_up(client, f"198.51.100.{number}", peer) == 200
    assert sign_up(client, "198.51.100.99", peer) == 429


def test_a_household_has_one_limit_however_many_addresses_it_has(
    client: Client, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MOST_SIGN_UPS):
        assert sign_up(client, "", f"2001:db8:1:2::{number:x}") == 200
    assert sign_up(client, "", "2001:db8:1:2::ffff") == 429
    assert sign_up(client, "", "2001:db8:1:3::1") == 200
    monkeypatch.setattr(entrance, "MOST_NEW_GUESTS", 2)
    for number in range(2):
        entrance.refuse_flood_of_guests(rf.get("/", REMOTE_ADDR=f"2001:db8:1:2::{number}"))
    with pytest.raises(TooMany):
        entrance.refuse_flood_of_guests(rf.get("/", REMOTE_ADDR="2001:db8:1:2:3::"))
    entrance.refuse_flood_of_guests(rf.get("/", REMOTE_ADDR="2001:db8:1:3::"))
