"""Parts, segments and playlists by the rules of RFC 8216bis."""

from __future__ import annotations

import io
import itertools
import math
import re

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from silkroom.live.relay.core.chunks import AudioConfig, Chunk, Kind, StreamConfig, VideoConfig
from silkroom.live.relay.core.segments import (
    PART_MINIMUM_US,
    PART_TARGET_US,
    TARGET_DURATION_SECONDS,
    Event,
    InitMade,
    PartMade,
    SegmentEnded,
    Segmenter,
    first_number,
)
from silkroom.live.relay.core.shelf import ADVANCE_PARTS, KEPT_SEGMENTS, Shelf
from silkroom.live.relay.packaging import NewConfig, Packer, SenderGone, ShowOver
from tests.live.relay.video import clip

START_US = 1_764_000_000_000_000
CONFIG = StreamConfig(
    VideoConfig("avc1.42E01F", b"\x01\x42\xe0\x1f\xff\xe1\x00\x04gB\xe0\x1f\x01\x00\x01h", 640, 360, 30)
)


def pictures(count: int, *, frame_us: int = 33_333, key_every: int = 30, start_us: int = START_US) -> list[Chunk]:
    return [
        Chunk(
            Kind.VIDEO_KEY if number % key_every == 0 else Kind.VIDEO_DELTA,
            start_us + number * frame_us,
            frame_us,
            b"p" * 50,
        )
        for number in range(count)
    ]


def cut(chunks: list[Chunk], config: StreamConfig = CONFIG) -> list[Event]:
    segmenter = Segmenter(first_number(START_US))
    events = segmenter.begin(config, START_US)
    for chunk in chunks:
        events += segmenter.picture(chunk)
    return events


def parts_of(events: list[Event]) -> list[PartMade]:
    return [event for event in events if isinstance(event, PartMade)]


def shelf_of(events: list[Event]) -> Shelf:
    shelf = Shelf()
    for event in events:
        shelf.apply(event)
    return shelf


@pytest.mark.parametrize("rate", [10, 15, 20, 24, 25, 29.97, 30, 50, 60])
@pytest.mark.parametrize("jitter_us", [0, 5_000])
def test_parts_keep_to_their_target_at_every_usual_rate(rate: float, jitter_us: int) -> None:
    frame_us = round(1_000_000 / rate)
    chunks = [
        chunk.at(chunk.time_us + (jitter_us if number % 3 else 0))
        for number, chunk in enumerate(pictures(round(rate * 10), frame_us=frame_us, key_every=round(rate)))
    ]
    parts = parts_of(cut(chunks))
    assert all(part.duration_us <= PART_TARGET_US for part in parts)
    last_in_segment = {part.segment: part.index for part in parts}
    for part in parts:
        if part.index != last_in_segment[part.segment] and not part.independent:
            assert part.duration_us >= PART_MINIMUM_US


def test_segments_start_at_key_frames_and_last_two_seconds() -> None:
    events = cut(pictures(301))
    ended = [event.segment for event in events if isinstance(event, SegmentEnded)]
    first = first_number(START_US)
    assert ended == [first, first + 1, first + 2, first + 3, first + 4]
    for number in ended:
        inside = [part for part in parts_of(events) if part.segment == number]
        assert inside[0].independent
        assert sum(part.duration_us for part in inside) == pytest.approx(2_000_000, abs=100)


def test_a_sender_without_key_frames_does_not_make_endless_segments() -> None:
    events = cut(pictures(600, key_every=1_000))
    lengths: dict[int, int] = {}
    for part in parts_of(events):
        lengths[part.segment] = lengths.get(part.segment, 0) + part.duration_us
    assert len(lengths) == 5
    assert all(round(length / 1_000_000) <= TARGET_DURATION_SECONDS for length in lengths.values())


@settings(max_examples=60)
@given(
    some.lists(
        some.tuples(some.integers(1_000, 900_000), some.sampled_from([True, False, False, False]), some.integers(0, 9)),
        min_size=1,
        max_size=200,
    )
)
def test_any_stream_makes_a_valid_playlist(steps: list[tuple[int, bool, int]]) -> None:
    """Any distances of pictures, key frames anywhere, the sender away now and then."""
    packer = Packer(first_number(START_US))
    shelf = Shelf()
    now = START_US
    for event in packer.run([NewConfig(CONFIG, now)]):
        shelf.apply(event)
    for gap_us, is_key, away in steps:
        now += gap_us
        tasks = [SenderGone(), NewConfig(CONFIG, now)] if away == 9 else []
        kind = Kind.VIDEO_KEY if is_key else Kind.VIDEO_DELTA
        for event in packer.run([*tasks, Chunk(kind, now, 0, b"x")]):
            shelf.apply(event)
            check_playlist(shelf.media_playlist(""))
    for event in packer.run([ShowOver()]):
        shelf.apply(event)
    check_playlist(shelf.media_playlist("?ticket=a%3Ab"), query="?ticket=a%3Ab")


def check_playlist(text: str, query: str = "") -> None:
    """The rules that Apple's mediastreamvalidator checks, as far as they are in the list itself."""
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U" and "#EXT-X-VERSION:9" in lines
    tags = [line.split(":", 1)[0] for line in lines]
    for once in (
        "#EXT-X-TARGETDURATION",
        "#EXT-X-SERVER-CONTROL",
        "#EXT-X-PART-INF",
        "#EXT-X-MEDIA-SEQUENCE",
    ):
        assert tags.count(once) == 1
    target = int(_value(lines, "#EXT-X-TARGETDURATION"))
    part_target = float(re.search(r"PART-TARGET=([\d.]+)", text)[1])  # type: ignore[index]
    hold_back = float(re.search(r"PART-HOLD-BACK=([\d.]+)", text)[1])  # type: ignore[index]
    assert hold_back >= 2 * part_target
    assert "CAN-BLOCK-RELOAD=YES" in text
    number = int(_value(lines, "#EXT-X-MEDIA-SEQUENCE"))
    mapped = False
    index = 0
    total = 0.0
    for line in lines:
        if line.startswith("#EXT-X-MAP"):
            mapped = True
        elif line.startswith("#EXT-X-PART:"):
            assert mapped
            part = re.fullmatch(
                r'#EXT-X-PART:DURATION=([\d.]+),URI="part-(\d+)-(\d+)\.mp4([^"]*)"(,INDEPENDENT=YES)?', line
            )
            assert part is not None and part[4] == query
            assert (int(part[2]), int(part[3])) == (number, index)
            assert 0 < float(part[1]) <= part_target
            total += float(part[1])
            index += 1
        elif line.startswith("#EXTINF:"):
            length = float(line[8:-1])
            assert math.floor(length + 0.5) <= target
            if index:
                assert length == pytest.approx(total, abs=0.001)
        elif line.startswith("segment-"):
            assert mapped and line == f"segment-{number}.mp4{query}"
            number, index, total = number + 1, 0, 0.0
        elif line.startswith("#EXT-X-PRELOAD-HINT"):
            assert line == f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-{number}-{index}.mp4{query}"'
    ended = "#EXT-X-ENDLIST" in lines
    assert text.count("PRELOAD-HINT") == (1 if mapped and not ended else 0)


def _value(lines: list[str], tag: str) -> str:
    return next(line.split(":", 1)[1] for line in lines if line.startswith(tag + ":"))


def test_the_list_slides_and_old_parts_leave_it() -> None:
    shelf = shelf_of(cut(pictures(30 * 60)))
    text = shelf.media_playlist("")
    first = int(re.search(r"MEDIA-SEQUENCE:(\d+)", text)[1])  # type: ignore[index]
    assert first > first_number(START_US) + 15
    listed = text.count("#EXTINF")
    assert 9 <= listed <= 12
    assert text.count("#EXT-X-PART:") <= 12 / 0.2 + 10
    # what just left the list can still be fetched, what left long ago cannot
    assert shelf.segment(first - KEPT_SEGMENTS) is not None
    assert shelf.segment(first - KEPT_SEGMENTS - 1) is None


def test_a_new_config_is_a_discontinuity_with_its_own_map() -> None:
    other = StreamConfig(VideoConfig("avc1.42E01F", CONFIG.video.description, 360, 640, 30))
    segmenter = Segmenter(100)
    events = segmenter.begin(CONFIG, START_US)
    for chunk in pictures(45):
        events += segmenter.picture(chunk)
    events += segmenter.begin(other, START_US + 2_000_000)
    for chunk in pictures(90, start_us=START_US + 1_500_000):
        events += segmenter.picture(chunk)
    shelf = shelf_of(events)
    text = shelf.media_playlist("")
    check_playlist(text)
    inits = [event.number for event in events if isinstance(event, InitMade)]
    assert len(set(inits)) == 2
    after = text.index("#EXT-X-DISCONTINUITY\n")
    assert text.index(f"init-{inits[0]}.mp4") < after < text.index(f"init-{inits[1]}.mp4")
    assert "RESOLUTION=360x640" in shelf.master_playlist("")
    assert parts_of(events)[-1].segment > 100


def test_discontinuities_that_left_the_list_are_counted() -> None:
    packer = Packer(100)
    shelf = Shelf()
    now = START_US
    sequences = []
    for turn in range(40):
        tasks = [NewConfig(CONFIG, now), *pictures(61, start_us=now)]
        for event in packer.run([*tasks, SenderGone()]):
            shelf.apply(event)
        now += 5_000_000
        text = shelf.media_playlist("")
        check_playlist(text)
        sequence = int(re.search(r"DISCONTINUITY-SEQUENCE:(\d+)", text)[1])  # type: ignore[index]
        # the number of the newest discontinuity is the same whether it is counted or still listed
        assert sequence + text.count("#EXT-X-DISCONTINUITY\n") == 100 + turn
        sequences.append(sequence)
    assert sequences == sorted(sequences) and sequences[-1] > 100


def test_a_pause_of_the_sender_breaks_the_stream_but_a_long_picture_does_not() -> None:
    chunks = pictures(10)
    late = Chunk(Kind.VIDEO_DELTA, chunks[-1].time_us + 900_000, 0, b"x")
    assert not any(
        part.discontinuity for part in parts_of(cut([*chunks, late, *pictures(30, start_us=late.time_us + 33_333)]))
    )
    key = Chunk(Kind.VIDEO_KEY, chunks[-1].time_us + 900_000, 0, b"x")
    parts = parts_of(cut([*chunks, key, *pictures(30, key_every=99, start_us=key.time_us + 33_333)[1:]]))
    assert [part.discontinuity for part in parts].count(True) == 1


def test_a_successor_goes_on_with_higher_numbers() -> None:
    events = cut(pictures(30 * 120, key_every=30))
    last = max(part.segment for part in parts_of(events))
    assert first_number(START_US + 120_000_000) > last


def test_reload_requests_are_judged_by_the_list() -> None:
    shelf = shelf_of(cut(pictures(30 * 9)))
    last = shelf.last_number
    assert last is not None
    parts = len(shelf.segments[-1].parts)
    assert shelf.has(last - 1, None) and not shelf.has(last, None)
    assert shelf.has(last, parts - 1) and not shelf.has(last, parts)
    # a part after the last of a complete segment means the first of the next
    assert shelf.has(last - 1, 99)
    assert not shelf.is_too_far(last + 2, 0) and shelf.is_too_far(last + 3, None)
    assert shelf.is_too_far(last, parts + ADVANCE_PARTS) and not shelf.is_too_far(last, parts + ADVANCE_PARTS - 1)
    assert shelf.is_awaited_part(last, parts) and not shelf.is_awaited_part(last, parts + 1)


def test_another_gateway_builds_the_same_playlist_from_a_snapshot() -> None:
    packer = Packer(first_number(START_US))
    here, there = Shelf(), Shelf()
    events = packer.run([NewConfig(CONFIG, START_US), *pictures(30 * 40 + 7)])
    for event in events[:500]:
        here.apply(event)
    for event in here.snapshot():
        there.apply(event)
    for event in events[450:]:
        here.apply(event)
        there.apply(event)
    assert there.media_playlist("?t=1") == here.media_playlist("?t=1")
    assert [segment.data() for segment in there.segments] == [segment.data() for segment in here.segments]


def test_packed_parts_decode_to_the_very_same_pictures_with_sound() -> None:
    video = clip(seconds=4)
    packer = Packer(1)
    tasks = [
        NewConfig(video.config, START_US),
        *(chunk.at(chunk.time_us + START_US) for chunk in video.chunks),
    ]
    events = packer.run([*tasks, ShowOver()])
    data = b"".join(event.data for event in events if isinstance(event, InitMade | PartMade))
    with av.open(io.BytesIO(data)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
        assert [bytes(packet) for packet in packets] == [chunk.payload for chunk in video.pictures]
    with av.open(io.BytesIO(data)) as source:
        assert source.streams.audio[0].codec_context.name == "aac"
        times = [round(packet.pts * packet.time_base * 1_000_000) for packet in source.demux(audio=0) if packet.size]
    assert all(later - earlier == pytest.approx(21_333, abs=30) for earlier, later in itertools.pairwise(times))
    assert START_US <= times[0] < START_US + 22_000
    assert times[-1] == pytest.approx(START_US + 4_000_000, abs=45_000)


def test_the_codecs_are_announced() -> None:
    config = StreamConfig(CONFIG.video, AudioConfig("mp4a.40.2", 48_000, 2, b"\x11\x90"))
    shelf = shelf_of(cut(pictures(100), config))
    assert (
        shelf.master_playlist("?ticket=x")
        == (
            "#EXTM3U\n#EXT-X-VERSION:9\n"
            "#EXT-X-STREAM-INF:BANDWIDTH=" + re.search(r"BANDWIDTH=(\d+)", shelf.master_playlist(""))[1] + ","  # type: ignore[index]
            'CODECS="avc1.42E01F,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000\n'
            "media.m3u8?ticket=x\n"
        )
    )


def test_what_began_before_the_show_is_forgotten_and_does_not_come_back() -> None:
    events = cut(pictures(900))
    parts = parts_of(events)
    begins_us = START_US + 12_000_000
    shelf = Shelf()
    early = [event for event in events if not isinstance(event, PartMade) or event.start_us < begins_us]
    for event in early:
        shelf.apply(event)
    shelf.open_from(begins_us)
    assert shelf.segments == []
    # The segment under way began too early; what is told again, as another gateway does, changes nothing.
    for event in events:
        shelf.apply(event)
    kept = [part for segment in shelf.segments for part in segment.parts]
    assert kept
    assert min(part.start_us for part in kept) >= begins_us
    assert kept[0].index == 0
    assert kept[-1] == parts[-1]
    listed = re.findall(r"part-(\d+)-0\.mp4", shelf.media_playlist(""))
    assert int(listed[0]) >= kept[0].segment
    before = shelf.version
    shelf.open_from(begins_us - 1)
    assert shelf.version == before
