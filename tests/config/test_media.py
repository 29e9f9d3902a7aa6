"""Addresses of files: what is public, and the way from the pages' port to the gateway's. Serving: tests/gateway."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from silkroom.config.media import is_public, parse_range

NAME = "recordings/ABCDE23456.mp4"


def ask(client: Client, name: str, host: str = "shop.example:8000", method: str = "get") -> Any:
    return getattr(client, method)(f"/gateway/media/{name}", headers={"host": host})


@pytest.fixture
def here(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]


@pytest.mark.parametrize("method", ["get", "head"])
def test_the_pages_port_sends_on_to_the_gateway(client: Client, here: None, method: str) -> None:
    response = ask(client, "pictures/a%20b.webp", method=method)
    assert response.status_code == 302
    assert response["Location"] == "http://shop.example:8001/gateway/media/pictures/a%20b.webp"
    assert response["Cache-Control"] == "public, max-age=3600"


def test_a_gateway_of_another_name_is_found(client: Client, here: None, settings: Any) -> None:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, gateway_url="https://live.example/")
    assert ask(client, NAME)["Location"] == f"https://live.example/gateway/media/{NAME}"


def test_a_proxy_that_brings_the_gateways_addresses_here_is_not_sent_in_circles(
    client: Client, here: None, settings: Any
) -> None:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, gateway_url="http://shop.example")
    assert ask(client, NAME, host="shop.example").status_code == 404


@pytest.mark.parametrize("name", ["secrets/secret_key", "pictures/../secrets/secret_key", "recordings/", "recordings"])
def test_the_way_to_nothing_public_is_not_shown(client: Client, here: None, name: str) -> None:
    assert ask(client, name).status_code == 404


@pytest.mark.parametrize("name", [NAME, "pictures/x-400.webp", "shops/a.b/logo.png", "covers/月.webp"])
def test_public_names(name: str) -> None:
    assert is_public(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "secret_key", "secrets/key", "recordings", "recordings/", "/recordings/x", "recordings//x",
        "recordings/../secrets/key", "recordings/..", "recordings/.", "recordings/x/...", "./recordings/x",
        "recordings/a\0b", "recordings/a\nb", "recordings/" + "x" * 300, "recordingsx/a",
    ],
)  # fmt: skip
def test_names_that_are_not_public(name: str) -> None:
    assert not is_public(name)


@given(st.text(max_size=30), st.integers(min_value=0, max_value=10**9))
def test_no_range_leaves_the_file(header: str, size: int) -> None:
    for text in (header, f"bytes={header}"):
        span = parse_range(text, size)
        assert span is None or span == () or 0 <= span[0] <= span[1] < size
