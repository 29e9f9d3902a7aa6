"""Sources give chunks in the order of time, for ever; files of all kinds are accepted or refused in a sentence."""

import itertools
import math
from array import array
from fractions import Fraction
from pathlib import Path

import av
import pytest

from silkroom.config.demo.show import ShowSource
from silkroom.config.demo.sources import BLOCK_US, FRAME_US, FileSource, LiveShow, SourceError
from silkroom.live.relay.door import Chunk, Kind

ZERO = 1_790_000_000_000_000


@pytest.fixture
def live() -> LiveShow:
    source = LiveShow(ZERO, ShowSource(first=5))
    yield source
    source.close()


def take(source: LiveShow | FileSource, count: int) -> list[Chunk]:
    return list(itertools.islice(source.chunks(), count))


def video_of(chunks: list[Chunk]) -> list[Chunk]:
    return [chunk for chunk in chunks if chunk.is_video]


def test_live_chunks_come_when_they_are_due(live: LiveShow) -> None:
    chunks = take(live, 120)
    due = [chunk.time_us + (chunk.duration_us if chunk.kind is Kind.AUDIO else 0) for chunk in chunks]
    # The pre-skip of Opus: its first packets are said to be a few milliseconds early.
    assert all(later - earlier > -8_000 for earlier, later in itertools.pairwise(due))
    pictures = video_of(chunks)
    assert [chunk.time_us for chunk in pictures] == [number * FRAME_US for number in range(len(pictures))]
    assert [number for number, chunk in enumerate(pictures) if chunk.kind is Kind.VIDEO_KEY] == [0, 25]
    sounds = [chunk.time_us for chunk in chunks if chunk.kind is Kind.AUDIO][1:]
    assert all(later - earlier == BLOCK_US for earlier, later in itertools.pairwise(sounds))


def test_key_picture_on_wish(live: LiveShow) -> None:
    take(live, 10)
    live.want_key()
    assert video_of(take(live, 3))[0].kind is Kind.VIDEO_KEY


def test_after_a_pause_a_live_show_is_at_the_clock(live: LiveShow) -> None:
    take(live, 10)
    live.catch_up(30_000_000)
    chunks = take(live, 4)
    assert all(abs(chunk.time_us - 30_000_000) < 60_000 for chunk in chunks)


def test_all_chunks_decode(live: LiveShow) -> None:
    chunks = take(live, 90)
    pictures = decoded(live, chunks)
    assert [(frame.width, frame.height) for frame in pictures] == [(720, 1280)] * len(video_of(chunks))
    sound = av.CodecContext.create("libopus", "r")
    samples = sum(
        frame.samples
        for chunk in chunks
        if chunk.kind is Kind.AUDIO
        for frame in sound.decode(av.Packet(chunk.payload))
    )
    assert samples >= 50 * 960


def decoded(source: LiveShow | FileSource, chunks: list[Chunk]) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = source.config.video.description
    frames = []
    for chunk in video_of(chunks):
        packet = av.Packet(chunk.payload)
        packet.pts = chunk.time_us
        frames.extend(decoder.decode(packet))
    return [*frames, *decoder.decode(None)]


def write_video(
    path: Path,
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    size: tuple[int, int] = (320, 240),
    seconds: int = 2,
    sound: str | None = "aac",
    rate: int = 25,
) -> Path:
    with av.open(str(path), "w") as file:
        video = file.add_stream(codec, rate=rate, options=options or {})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        audio = file.add_stream(sound, rate=44_100, layout="mono") if sound else None
        for number in range(seconds * rate):
            frame = av.VideoFrame(*size, "yuv420p")
            for plane, level in zip(frame.planes, (number * 4 % 200 + 20, 110, 140), strict=True):
                plane.update(bytes([level]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, rate)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        if audio is not None:
            for number in range(seconds * 44_100 // 1024):
                block = av.AudioFrame("fltp", "mono", 1024)
                tone = array("f", [0.2 * math.sin((number * 1024 + i) * 0.06) for i in range(1024)])
                block.planes[0].update(tone.tobytes())
                block.sample_rate, block.pts, block.time_base = 44_100, number * 1024, Fraction(1, 44_100)
                file.mux(audio.encode(block))
            file.mux(audio.encode(None))
    return path


PLAIN = {"bf": "0", "g": "25", "preset": "ultrafast"}


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts"])
def test_suitable_h264_is_passed_on_as_it_is(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / name, options=PLAIN)
    source = FileSource(path)
    assert source.is_copied
    assert (source.config.video.width, source.config.video.height) == (320, 240)
    chunks = take(source, 140)
    pictures = video_of(chunks)
    with av.open(str(path)) as file:
        sizes = [packet.size for packet in file.demux(video=0) if packet.size]
    assert len(pictures) > 45
    # Only parameter sets and start codes may have gone.
    assert all(abs(len(chunk.payload) - size) < 800 for chunk, size in zip(pictures[1:24], sizes[1:24], strict=True))
    assert len(decoded(source, chunks)) == len(pictures)
    source.close()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("b-frames.mp4", {"options": {"bf": "2", "g": "25"}}),
        ("rare-keys.mp4", {"options": {"bf": "0", "g": "500", "sc_threshold": "0"}, "seconds": 5}),
        ("mpeg4.mp4", {"codec": "mpeg4"}),
        ("upright.mp4", {"codec": "mpeg4", "size": (136, 242), "sound": None}),
        ("large.mp4", {"codec": "mpeg4", "size": (2000, 1000), "seconds": 1}),
    ],
)
def test_everything_else_is_encoded_anew(tmp_path: Path, name: str, settings: dict) -> None:
    source = FileSource(write_video(tmp_path / name, **settings))
    assert not source.is_copied
    video = source.config.video
    assert max(video.width, video.height) <= 1280
    assert video.width % 2 == video.height % 2 == 0
    assert (source.config.audio is None) == (settings.get("sound", "aac") is None)
    chunks = take(source, 60)
    pictures = video_of(chunks)
    assert pictures[0].kind is Kind.VIDEO_KEY
    frames = decoded(source, chunks)
    assert len(frames) == len(pictures)
    assert (frames[0].width, frames[0].height) == (video.width, video.height)
    source.close()


def test_file_begins_again_at_its_end_and_time_goes_on(tmp_path: Path) -> None:
    source = FileSource(write_video(tmp_path / "film.mp4", options=PLAIN, seconds=1))
    chunks = take(source, 260)
    pictures = [chunk.time_us for chunk in video_of(chunks)]
    assert pictures[-1] > 2_000_000
    assert all(later > earlier for earlier, later in itertools.pairwise(pictures))
    sounds = [chunk.time_us for chunk in chunks if chunk.kind is Kind.AUDIO]
    assert all(later > earlier for earlier, later in itertools.pairwise(sounds))
    # Pictures and sound stay together, round after round.
    assert abs(pictures[-1] - sounds[-1]) < 200_000
    source.close()


def test_sixty_pictures_a_second_go_out_as_thirty(tmp_path: Path) -> None:
    source = FileSource(write_video(tmp_path / "fast.mp4", codec="mpeg4", rate=60, sound=None))
    times = [chunk.time_us for chunk in take(source, 40)]
    assert source.config.video.fps == 30
    assert 1_200_000 < times[-1] - times[0] < 1_400_000
    source.close()


def test_what_is_no_video_is_refused_in_a_sentence(tmp_path: Path) -> None:
    text = tmp_path / "letter.mp4"
    text.write_text("Dear customer")
    with pytest.raises(SourceError, match="cannot be read as a video"):
        FileSource(text)
    with pytest.raises(SourceError, match="cannot be read as a video"):
        FileSource(tmp_path / "nowhere.mp4")


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as file:
        audio = file.add_stream("aac", rate=44_100, layout="mono")
        block = av.AudioFrame("fltp", "mono", 1024)
        block.planes[0].update(bytes(4096))
        block.sample_rate, block.pts, block.time_base = 44_100, 0, Fraction(1, 44_100)
        file.mux(audio.encode(block))
        file.mux(audio.encode(None))
    with pytest.raises(SourceError, match="has no picture"):
        FileSource(path)


def test_file_that_is_cut_short_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mkv", options=PLAIN, seconds=3)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    source = FileSource(path)
    times = [chunk.time_us for chunk in video_of(take(source, 200))]
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert times[-1] > 2_000_000
    source.close()
