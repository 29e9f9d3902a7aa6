"""Files of the storage over HTTP: whole, in ranges, and never anything that is not public."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from silkroom.config.media import parse_range

NAME = "recordings/test-media.mp4"
CONTENT = bytes(range(256)) * 4


@pytest.fixture
def stored() -> Iterator[str]:
    name = default_storage.save(NAME, File(BytesIO(CONTENT)))
    yield name
    default_storage.delete(name)


def body(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_a_file_is_served_whole(client: Client, stored: str) -> None:
    response = client.get(f"/media/{stored}")
    assert response.status_code == 200
    assert response["Content-Type"] == "video/mp4"
    assert response["Accept-Ranges"] == "bytes"
    assert body(response) == CONTENT


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=1000-", 1000, 1023), ("bytes=-24", 1000, 1023), ("bytes=1020-5000", 1020, 1023)],
)
def test_a_range_is_served_exactly(client: Client, stored: str, asked: str, first: int, last: int) -> None:
    response = client.get(f"/media/{stored}", headers={"range": asked})
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/1024"
    assert body(response) == CONTENT[first : last + 1]


@pytest.mark.django_db
def test_a_range_behind_the_end_is_refused(client: Client, stored: str) -> None:
    response = client.get(f"/media/{stored}", headers={"range": "bytes=1024-"})
    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */1024"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    ["secrets/secret_key", "../secrets/secret_key", "pictures/../../secrets/secret_key", "recordings/", "recordings"],
)
def test_nothing_else_can_be_read(client: Client, stored: str, name: str) -> None:
    assert client.get(f"/media/{name}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [f"bytes={'9' * 5000}-", f"bytes=-{'9' * 5000}", f"bytes=0-{'9' * 5000}"])
def test_a_range_of_endless_numbers_is_no_range(client: Client, stored: str, asked: str) -> None:
    response = client.get(f"/media/{stored}", headers={"range": asked})
    assert response.status_code == 200
    assert body(response) == CONTENT


@given(st.text(max_size=30), st.integers(min_value=0, max_value=10**9))
def test_no_range_leaves_the_file(header: str, size: int) -> None:
    for text in (header, f"bytes={header}"):
        span = parse_range(text, size)
        assert span is None or span == () or 0 <= span[0] <= span[1] < size
