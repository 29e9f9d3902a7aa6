"""The sandbox's signature."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silkroom.sales.payments.errors import NoticeForged, NoticeStale
from silkroom.sales.payments.rules import ASK_AFTER_SECONDS, pause_before
from silkroom.sales.payments.signing import (
    MOMENT_HEADER,
    MOST_SECONDS,
    NONCE_HEADER,
    SIGNATURE_HEADER,
    sign,
    verify,
)

KEY, NOW = b"key", 1_795_000_000


@given(st.binary(max_size=200), st.text("0123456789abcdef", min_size=1, max_size=64))
def test_what_was_signed_is_believed(body: bytes, nonce: str) -> None:
    headers = sign(KEY, seconds=NOW, nonce=nonce, body=body)
    assert verify(KEY, headers=headers, body=body, now_seconds=NOW) == nonce


@given(
    body=st.binary(min_size=1, max_size=50),
    other=st.binary(min_size=1, max_size=50),
)
def test_another_body_is_forged(body: bytes, other: bytes) -> None:
    if body == other:
        return
    headers = sign(KEY, seconds=NOW, nonce="1", body=body)
    with pytest.raises(NoticeForged):
        verify(KEY, headers=headers, body=other, now_seconds=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {SIGNATURE_HEADER: ""},
        {SIGNATURE_HEADER: "0" * 64},
        {SIGNATURE_HEADER: "ü"},
        {NONCE_HEADER: "2"},
        {NONCE_HEADER: ""},
        {MOMENT_HEADER: str(NOW + 1)},
        {MOMENT_HEADER: ""},
        {MOMENT_HEADER: "²"},
    ],
)
def test_every_part_is_signed(changes: dict[str, str]) -> None:
    headers = {**sign(KEY, seconds=NOW, nonce="1", body=b"{}"), **changes}
    with pytest.raises(NoticeForged):
        verify(KEY, headers=headers, body=b"{}", now_seconds=NOW)


def test_another_key_is_forged() -> None:
    with pytest.raises(NoticeForged):
        verify(KEY, headers=sign(b"other", seconds=NOW, nonce="1", body=b""), body=b"", now_seconds=NOW)


def test_moment_and_nonce_cannot_change_places() -> None:
    """Without a sign between them, "12" + "3" would be signed like "1" + "23"."""
    headers = sign(KEY, seconds=12, nonce="3", body=b"")
    with pytest.raises(NoticeForged):
        verify(KEY, headers={**headers, MOMENT_HEADER: "1", NONCE_HEADER: "23"}, body=b"", now_seconds=1)


@pytest.mark.parametrize("shift", [-MOST_SECONDS - 1, MOST_SECONDS + 1])
def test_old_and_early_messages_are_stale(shift: int) -> None:
    headers = sign(KEY, seconds=NOW + shift, nonce="1", body=b"")
    with pytest.raises(NoticeStale):
        verify(KEY, headers=headers, body=b"", now_seconds=NOW)


def test_pauses_end() -> None:
    assert pause_before(1, ASK_AFTER_SECONDS) == 10
    assert pause_before(len(ASK_AFTER_SECONDS) + 1, ASK_AFTER_SECONDS) is None
