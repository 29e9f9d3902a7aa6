"""Frames are what a WebSocket client of another make understands."""

from __future__ import annotations

import json

import pytest
from aiohttp import WSMsgType
from hypothesis import given
from hypothesis import strategies as st

from silkroom.live.fanout.door import close_frame, encode_event, event_frames, text_frame
from tests.live.fanout.conftest import StartHouse


def unpack(data: bytes) -> list[tuple[int, bytes]]:
    """First bytes and payloads of unmasked frames, read as RFC 6455 section 5.2 draws them."""
    found = []
    while data:
        first, length, at = data[0], data[1], 2
        assert length < 128, "a server does not mask"
        if length == 126:
            length, at = int.from_bytes(data[2:4], "big"), 4
            assert length > 125, "the shortest form is required"
        elif length == 127:
            length, at = int.from_bytes(data[2:10], "big"), 10
            assert length > 65535, "the shortest form is required"
        assert len(data) >= at + length
        found.append((first, data[at : at + length]))
        data = data[at + length :]
    return found


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 200_000])
async def test_frames_of_every_length_arrive_at_an_aiohttp_client(start_house: StartHouse, length: int) -> None:
    house = await start_house()
    visitor = await house.enter()
    await visitor.read()
    assert house.seated[0].write(text_frame(b"x" * length))
    message = await visitor.ws.receive(timeout=20)
    assert (message.type, message.data) == (WSMsgType.TEXT, "x" * length)


@pytest.mark.parametrize("length", [0, 125, 126, 65535, 65536])
def test_a_frame_has_the_shortest_header(length: int) -> None:
    assert unpack(text_frame(b"y" * length)) == [(0x81, b"y" * length)]


@given(
    st.lists(st.dictionaries(st.text(max_size=9), st.text(max_size=30), max_size=3), max_size=30), st.integers(1, 300)
)
def test_batches_carry_every_event_in_order_and_stay_near_the_limit(data: list[dict[str, str]], limit: int) -> None:
    encoded = [
        encode_event(number, "said", 5, json.dumps(one, ensure_ascii=False).encode())
        for number, one in enumerate(data, 1)
    ]
    frames = unpack(event_frames(encoded, limit))
    parsed = [json.loads(payload) for _, payload in frames]
    assert [one for frame in parsed for one in frame["events"]] == [
        {"n": number, "k": "said", "at": 5, "d": one} for number, one in enumerate(data, 1)
    ]
    for (first, payload), frame in zip(frames, parsed, strict=True):
        assert first == 0x81
        assert set(frame) == {"type", "events"} and frame["type"] == "events"
        assert len(frame["events"]) == 1 or len(payload) <= limit + 29 + len(frame["events"])


@given(st.text(max_size=200))
def test_a_close_reason_is_cut_between_characters(reason: str) -> None:
    ((first, payload),) = unpack(close_frame(4508, reason))
    assert first == 0x88 and len(payload) <= 125
    assert payload[:2] == (4508).to_bytes(2, "big")
    text = payload[2:].decode()
    assert reason.startswith(text)
    assert text == reason or len(text.encode()) > 119
