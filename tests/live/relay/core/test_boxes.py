"""Our MP4 is read back by FFmpeg: every picture and piece of sound, at its time."""

from __future__ import annotations

import io
import struct

import av
import pytest

from silkroom.live.relay.audience import FragmentMaker
from silkroom.live.relay.core.boxes import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Run,
    Sample,
    fragment,
    init_segment,
    shift_clocks,
    video_ticks,
)
from silkroom.live.relay.core.chunks import HEADER, AudioConfig, StreamConfig
from tests.live.relay.video import brightness, clip

START_US = 1_764_000_000_123_456


def _fragments(sound: bool = True) -> bytes:
    video = clip(seconds=2, sound=sound)
    maker = FragmentMaker(video.config)
    messages = [maker.init(), *(maker.fragment(chunk.at(chunk.time_us + START_US)) for chunk in video.chunks)]
    return b"".join(message[HEADER.size :] for message in messages if message)


def test_every_picture_is_decoded_at_its_time() -> None:
    with av.open(io.BytesIO(_fragments())) as source:
        pictures = list(source.decode(video=0))
    assert len(pictures) == 60
    for number, picture in enumerate(pictures):
        assert round(picture.pts * picture.time_base * 1_000_000) == pytest.approx(
            START_US + number * 1_000_000 // 30, abs=12
        )
        light = bytes(picture.planes[0])[0]
        assert abs(light - brightness(number)) <= 3


def test_every_piece_of_opus_is_decoded_at_its_time() -> None:
    with av.open(io.BytesIO(_fragments())) as source:
        packets = [packet for packet in source.demux(audio=0) if packet.size]
        source.seek(0)
        samples = sum(frame.samples for frame in source.decode(audio=0))
    times = [round(packet.pts * packet.time_base * 1_000_000) for packet in packets]
    assert len(times) == 100
    assert all(abs(time - START_US - number * 20_000) <= 21 for number, time in enumerate(times))
    # what FFmpeg takes off the start is the announced pre-skip
    assert samples == pytest.approx(96_000, abs=400)


def test_a_stream_without_sound_has_one_track() -> None:
    with av.open(io.BytesIO(_fragments(sound=False))) as source:
        assert [stream.type for stream in source.streams] == ["video"]
        assert (source.streams.video[0].width, source.streams.video[0].height) == (160, 96)


def test_aac_is_announced_with_its_own_rate() -> None:
    video = clip(seconds=1).config.video
    config = StreamConfig(video, AudioConfig("mp4a.40.2", 44_100, 1, b"\x12\x08"))
    with av.open(io.BytesIO(init_segment(config) + fragment(1, [_picture_run()]).data)) as source:
        audio = source.streams.audio[0].codec_context
        assert (audio.name, audio.sample_rate, audio.channels) == ("aac", 44_100, 1)


def test_boxes_add_up_and_the_clocks_are_where_they_are_said_to_be() -> None:
    sound = Run(AUDIO_TRACK, 48_000, [Sample(b"\xfc" * 40, 960)] * 3)
    made = fragment(7, [_picture_run(), sound])
    assert [name for name, _size in top_boxes(made.data)] == [b"moof", b"mdat"]
    assert sum(size for _name, size in top_boxes(made.data)) == len(made.data)
    places = dict(made.clocks)
    for track, value in ((VIDEO_TRACK, 90_000), (AUDIO_TRACK, 48_000)):
        assert made.data[places[track] - 8 : places[track] - 4] == b"tfdt"
        assert int.from_bytes(made.data[places[track] : places[track] + 8], "big") == value
    moved = shift_clocks(made, {VIDEO_TRACK: 80_000, AUDIO_TRACK: 50_000})
    assert int.from_bytes(moved[places[VIDEO_TRACK] : places[VIDEO_TRACK] + 8], "big") == 10_000
    assert int.from_bytes(moved[places[AUDIO_TRACK] : places[AUDIO_TRACK] + 8], "big") == 0
    assert len(moved) == len(made.data)


def top_boxes(data: bytes) -> list[tuple[bytes, int]]:
    """Name and size of the outermost boxes."""
    found, position = [], 0
    while position < len(data):
        size, name = struct.unpack_from(">I4s", data, position)
        found.append((name, size))
        position += size
    return found


def _picture_run() -> Run:
    picture = clip(seconds=1).pictures[0]
    return Run(VIDEO_TRACK, 90_000, [Sample(picture.payload, video_ticks(33_333), is_key=True)])
