"""MediaRecorder's slices: taken apart as they come, whatever the browser's container."""

from __future__ import annotations

import asyncio
import contextlib
import io
import struct
import time
from collections.abc import Callable
from functools import partial

import av
import pytest

from silkroom.live.relay.audience import FragmentMaker
from silkroom.live.relay.client import MediaPublisherClient, SendingStopped
from silkroom.live.relay.container import MAX_WAITING, Pipe, PipeFull
from silkroom.live.relay.core.avc import ParameterSets, avc_units, parse_avcc
from silkroom.live.relay.core.chunks import HEADER, Chunk, Kind, encode_frame
from silkroom.live.relay.core.opus import opus_head
from silkroom.live.relay.door import CloseCode, StreamState
from tests.live.relay.gateway import Gateway, Watching, eventually
from tests.live.relay.video import Clip, clip


def fragmented(video: Clip) -> bytes:
    """The clip as fragmented MP4, as Safari's MediaRecorder makes it."""
    maker = FragmentMaker(video.config)
    messages = [maker.init(), *(maker.fragment(chunk) for chunk in video.chunks)]
    return b"".join(message[HEADER.size :] for message in messages if message)


def matroska(video: Clip) -> bytes:
    """The clip as live Matroska from FFmpeg, with CodecPrivate."""
    target = io.BytesIO()
    with (
        av.open(io.BytesIO(fragmented(video))) as source,
        av.open(target, "w", format="matroska", options={"live": "1"}) as output,
    ):
        streams = {one.index: output.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            if packet.size and packet.pts is not None:
                packet.stream = streams[packet.stream.index]
                output.mux(packet)
    return target.getvalue()


def chromium(video: Clip) -> bytes:
    """The clip as Chromium's MediaRecorder writes it: Matroska of unknown length, Annex B, no CodecPrivate."""
    size = video.config.video
    picture = ebml("E0", ebml("B0", number(size.width)), ebml("BA", number(size.height)))
    track = (
        ebml("D7", b"\x01"),
        ebml("73C5", b"\x01"),
        ebml("83", b"\x01"),
        ebml("86", b"V_MPEG4/ISO/AVC"),
        picture,
    )
    voice = ebml("E1", ebml("B5", struct.pack(">f", 48_000)), ebml("9F", b"\x02"))
    opus = ebml("63A2", opus_head(2, 48_000))
    sound = (
        ebml("D7", b"\x02"),
        ebml("73C5", b"\x02"),
        ebml("83", b"\x02"),
        ebml("86", b"A_OPUS"),
        opus,
        voice,
    )
    head = ebml("1A45DFA3", ebml("4282", b"matroska"), ebml("4287", b"\x04"), ebml("4285", b"\x02"))
    info = ebml("1549A966", ebml("2AD7B1", number(1_000_000)))
    tracks = ebml("1654AE6B", ebml("AE", *track), ebml("AE", *sound))
    data = head + bytes.fromhex("18538067") + UNKNOWN + info + tracks
    sets = parse_avcc(size.description)
    for second in range(0, video.chunks[-1].time_us // 1_000_000 + 1):
        data += bytes.fromhex("1F43B675") + UNKNOWN + ebml("E7", number(second * 1000))
        for chunk in video.chunks:
            if chunk.time_us // 1_000_000 == second:
                data += simple_block(chunk, second, sets)
    return data


UNKNOWN = b"\x01" + b"\xff" * 7


def simple_block(chunk: Chunk, second: int, sets: ParameterSets) -> bytes:
    is_key = chunk.kind is not Kind.VIDEO_DELTA
    payload = annexb_of(chunk.payload, sets, is_key) if chunk.is_video else chunk.payload
    head = struct.pack(">BhB", 0x81 if chunk.is_video else 0x82, chunk.time_us // 1000 - second * 1000, 0x80 * is_key)
    return ebml("A3", head + payload)


def ebml(name: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes.fromhex(name) + (len(body) | 1 << 56).to_bytes(8, "big") + body


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


MAKERS: dict[str, tuple[str, Callable[[Clip], bytes]]] = {
    "chromium": ("matroska", chromium),
    "ffmpeg": ("matroska", matroska),
    "safari": ("mp4", fragmented),
}


def annexb_of(payload: bytes, sets: ParameterSets, is_key: bool) -> bytes:
    units = [*(sets.sps + sets.pps if is_key else ()), *avc_units(payload)]
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


async def send_slices(sender: MediaPublisherClient, video: Clip, data: bytes, source: str) -> None:
    """All at once, as recorded a few seconds ago."""
    size = {"width": video.config.video.width, "height": video.config.video.height, "fps": 30}
    await sender._send({"type": "config", "source": source, "clock": time.time() * 1000 - 5_000, "video": size})
    for offset in range(0, len(data), 3_000):
        await sender.send_bytes(encode_frame(Kind.SLICE, 0, 0, data[offset : offset + 3_000]))


@pytest.mark.parametrize("maker", MAKERS)
async def test_slices_of_a_container_are_the_same_show(gateway: Gateway, maker: str) -> None:
    video = clip(seconds=2)
    source, contain = MAKERS[maker]
    data = contain(video)
    async with gateway.watching() as viewer, gateway.sender() as sender:
        await send_slices(sender, video, data, source)
        await viewer.until(lambda seen: sum(chunk.is_video for chunk in seen.chunks) >= 60)
    assert viewer.configs()[0]["video"]["codec"] == video.config.video.codec
    assert (viewer.configs()[0]["video"]["width"], viewer.configs()[0]["video"]["height"]) == (160, 96)
    assert viewer.configs()[0]["audio"]["codec"] == "opus"
    pictures = [chunk for chunk in viewer.chunks if chunk.is_video]
    assert [chunk.payload for chunk in pictures] == [chunk.payload for chunk in video.pictures[: len(pictures)]]
    assert pictures[0].kind is Kind.VIDEO_KEY
    assert pictures[30].time_us - pictures[0].time_us == pytest.approx(1_000_000, abs=1_500)
    assert any(not chunk.is_video for chunk in viewer.chunks)


async def test_the_first_picture_does_not_wait_for_the_end_of_the_file(gateway: Gateway) -> None:
    video = clip(seconds=2)
    data = chromium(video)
    async with gateway.watching() as viewer, gateway.sender() as sender:
        await send_slices(sender, video, data[: len(data) // 2], "matroska")
        await viewer.until(lambda seen: any(chunk.is_video for chunk in seen.chunks))


def has_width(width: int, seen: Watching) -> bool:
    return bool(seen.configs()) and seen.configs()[-1]["video"]["width"] == width


async def test_another_camera_is_noticed_in_the_stream_itself(gateway: Gateway) -> None:
    first, second = clip(seconds=1), clip(seconds=1, width=96, height=160)
    async with gateway.watching() as viewer, gateway.sender() as sender:
        for video in (first, second):
            await send_slices(sender, video, chromium(video), "matroska")
            await viewer.until(partial(has_width, video.config.video.width))
    assert [config["video"]["height"] for config in viewer.configs()] == [96, 160]


@pytest.mark.parametrize("data", [b"rubbish " * 9_000, b"\x1a\x45\xdf\xa3" + bytes(70_000)])
async def test_what_is_no_container_is_refused(gateway: Gateway, data: bytes) -> None:
    async with gateway.sender() as sender:
        # the line may be closed while some of it is still on its way
        with contextlib.suppress(SendingStopped):
            await send_slices(sender, clip(seconds=0.5), data, "matroska")
            await sender.send_bytes(encode_frame(Kind.SLICE, 0, 0, bytes(100_000)))
        closing = asyncio.create_task(sender.stopped())
        assert (await asyncio.wait_for(closing, 20)).code == CloseCode.MALFORMED
    await eventually(lambda: gateway.relay.stats()["senders"] == 0)
    assert gateway.relay.state("show") in (StreamState.WAITING, StreamState.PAUSED)


def test_the_pipe_is_bounded_and_ends() -> None:
    pipe = Pipe()
    pipe.write(b"abcdef")
    assert pipe.read(4) == b"abcd"
    with pytest.raises(PipeFull):
        pipe.write(bytes(MAX_WAITING))
    pipe.close()
    assert pipe.read(4) == b"ef"
    assert pipe.read(4) == b""
