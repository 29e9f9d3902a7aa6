"""The recording: written as it comes, whole after a crash, joined by copy."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import pytest

from silkroom.live.relay.core.chunks import StreamConfig
from silkroom.live.relay.core.segments import Event, InitMade, PartMade
from silkroom.live.relay.door import (
    FinishedRecording,
    RecordedPiece,
    RecordingStillOpen,
    discard_recording,
    finish_recording,
    media_time_ms,
)
from silkroom.live.relay.packaging import NewConfig, Packer, SenderGone, ShowOver, Task
from silkroom.live.relay.spool import SpoolWriter, StreamRecorder, read_piece, sidecar
from tests.live.relay.gateway import Gateway, Watching, eventually, send
from tests.live.relay.video import Clip, brightness, clip

START_US = 1_764_000_000_000_000
WRITER = Path(__file__).parent / "recording_writer.py"


class Store:
    """Keeps files in a folder, as the storage of a small shop does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: list[str] = []

    def __call__(self, path: Path, name: str) -> str:
        self.kept.append(name)
        shutil.copyfile(path, self.folder / name)
        return f"/recordings/{name}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    folder = tmp_path / "storage"
    folder.mkdir()
    return Store(folder)


def record(spool: Path, tasks: list[Task], broadcast: str = "show") -> None:
    """Through the real packer and writer."""
    writer = SpoolWriter()
    writer.start()
    recorder = StreamRecorder(writer, spool, broadcast_id=broadcast, gateway="g1")
    events: list[Event] = Packer(1).run(tasks)
    for event in events:
        recorder.apply(event)
    recorder.close()
    writer.close()
    assert writer.failures == 0


def tasks_of(video: Clip, start_us: int = START_US) -> list[Task]:
    return [
        NewConfig(video.config, start_us),
        *(chunk.at(chunk.time_us + start_us) for chunk in video.chunks),
    ]


def pictures_of(path: Path) -> list[tuple[int, int, int, int]]:
    """(milliseconds, brightness, width, height) of every decoded picture."""
    with av.open(str(path)) as source:
        return [
            (round(frame.pts * frame.time_base * 1000), bytes(frame.planes[0])[0], frame.width, frame.height)
            for frame in source.decode(video=0)
        ]


def times_of(path: Path) -> dict[str, list[int]]:
    """Milliseconds at which the packets of each track are decoded."""
    times: dict[str, list[int]] = {}
    with av.open(str(path)) as source:
        for packet in source.demux():
            if packet.dts is not None and packet.size:
                times.setdefault(packet.stream.type, []).append(round(packet.dts * packet.time_base * 1000))
    return times


def test_a_show_becomes_one_file_that_plays_from_zero(tmp_path: Path, store: Store) -> None:
    video = clip(seconds=4)
    record(tmp_path / "spool", [*tasks_of(video), ShowOver()])
    finished = finish_recording(spool_dir=tmp_path / "spool", broadcast_id="show", store=store)
    assert finished is not None
    assert finished.url == "/recordings/show.mp4"
    assert (finished.width, finished.height) == (160, 96)
    assert finished.duration_ms == pytest.approx(4_000, abs=60)
    assert finished.pieces == (RecordedPiece(START_US // 1000, 0, finished.duration_ms),)
    path = store.folder / "show.mp4"
    assert finished.size_bytes == path.stat().st_size
    seen = pictures_of(path)
    assert [round(light) for _ms, light, _w, _h in seen] == pytest.approx(
        [brightness(number) for number in range(120)], abs=3
    )
    assert [ms for ms, *_rest in seen] == pytest.approx([number * 1000 / 30 for number in range(120)], abs=1)
    with path.open("rb") as handle:
        head = handle.read(64 * 1024)
    assert head.index(b"moov") < head.index(b"mdat"), "a browser can start before the whole file is there"


def test_the_sound_is_where_it_was(tmp_path: Path, store: Store) -> None:
    """The clip beeps at each half second; after transcoding, packing and joining the beeps are still there."""
    record(tmp_path / "spool", [*tasks_of(clip(seconds=4)), ShowOver()])
    assert finish_recording(spool_dir=tmp_path / "spool", broadcast_id="show", store=store) is not None
    beeps: list[float] = []
    with av.open(str(store.folder / "show.mp4")) as source:
        for frame in source.decode(audio=0):
            samples = memoryview(bytes(frame.planes[0])).cast("f")
            start = float(frame.pts * frame.time_base)
            for position in range(0, len(samples) - 48, 48):
                loud = max(abs(one) for one in samples[position : position + 48]) > 0.2
                now = start + position / frame.sample_rate
                if loud and (not beeps or now - beeps[-1] > 0.3):
                    beeps.append(now)
    # Opus itself delays by its pre-skip of 6.5 ms
    assert beeps[1:7] == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.5, 3.0], abs=0.012)


def test_pieces_are_joined_without_the_pauses_and_every_moment_is_found(tmp_path: Path, store: Store) -> None:
    video = clip(seconds=2)
    second = START_US + 60_000_000
    record(tmp_path / "spool", [*tasks_of(video), SenderGone(), *tasks_of(video, second), ShowOver()])
    assert len(list((tmp_path / "spool" / "show").glob("*.mp4"))) == 2
    finished = finish_recording(spool_dir=tmp_path / "spool", broadcast_id="show", store=store)
    assert finished is not None
    assert [piece.relay_ms for piece in finished.pieces] == [START_US // 1000, second // 1000]
    assert finished.duration_ms == pytest.approx(4_000, abs=120)
    seen = pictures_of(store.folder / "show.mp4")
    assert len(seen) == 120
    assert max(later[0] - earlier[0] for earlier, later in itertools.pairwise(seen)) < 120
    start = START_US // 1000
    assert media_time_ms(finished.pieces, start + 500) == 500
    assert media_time_ms(finished.pieces, start + 30_000) == finished.pieces[1].media_ms
    assert media_time_ms(finished.pieces, second // 1000 + 500) == finished.pieces[1].media_ms + 500
    assert media_time_ms(finished.pieces, start - 1_000) == 0
    assert media_time_ms(finished.pieces, start + 999_000) == finished.duration_ms


def test_sound_that_comes_after_a_stall_does_not_spoil_the_recording(tmp_path: Path, store: Store) -> None:
    """A busy sender: picture and sound stand still, the picture comes back first. The sound that then comes begins
    before the new piece does; a file whose times go back could not be joined at all."""
    video = clip(seconds=6)
    lost = {True: range(1_000_000, 2_000_000), False: range(900_000, 2_600_000)}
    came = [chunk.at(chunk.time_us + START_US) for chunk in video.chunks if chunk.time_us not in lost[chunk.is_video]]
    spool = tmp_path / "spool"
    record(spool, [NewConfig(video.config, START_US), *came, ShowOver()])
    pieces = sorted((spool / "show").glob("*.mp4"))
    assert len(pieces) == 2
    for path in pieces:
        for times in times_of(path).values():
            assert all(earlier < later for earlier, later in itertools.pairwise(times))
    finished = finish_recording(spool_dir=spool, broadcast_id="show", store=store)
    assert finished is not None
    assert len(pictures_of(store.folder / "show.mp4")) == 150
    sound = times_of(store.folder / "show.mp4")["audio"]
    # Of the second piece from its first picture on.
    assert sound[-1] == pytest.approx(finished.duration_ms, abs=60)


def test_a_piece_whose_sound_goes_back_is_joined_without_what_goes_back(tmp_path: Path, store: Store) -> None:
    """A recorder that begins in mid-show has sound from before its first picture: at zero, and then it goes back."""
    spool = tmp_path / "spool"
    video = clip(seconds=4)
    writer = SpoolWriter()
    writer.start()
    recorder = StreamRecorder(writer, spool, broadcast_id="show", gateway="g1")
    events = Packer(1).run([*tasks_of(video), ShowOver()])
    recorder.apply(next(one for one in events if isinstance(one, InitMade)))
    for event in events:
        if isinstance(event, PartMade) and event.start_us >= START_US + 1_000_000:
            recorder.apply(event)
    recorder.close()
    writer.close()
    finished = finish_recording(spool_dir=spool, broadcast_id="show", store=store)
    assert finished is not None
    assert len(pictures_of(store.folder / "show.mp4")) == 90


def test_another_camera_in_mid_show_still_decodes(tmp_path: Path, store: Store) -> None:
    """Two sizes, two sets of parameters, one file."""
    upright = clip(seconds=1, width=96, height=160)
    record(tmp_path / "spool", [*tasks_of(clip(seconds=1)), *tasks_of(upright, START_US + 1_000_000), ShowOver()])
    assert finish_recording(spool_dir=tmp_path / "spool", broadcast_id="show", store=store) is not None
    seen = pictures_of(store.folder / "show.mp4")
    assert [(width, height) for _ms, _light, width, height in seen] == [(160, 96)] * 30 + [(96, 160)] * 30
    lights = [light for _ms, light, _w, _h in seen]
    assert lights == pytest.approx([brightness(number) for number in (*range(30), *range(30))], abs=3)


def test_only_what_was_on_air_is_kept_and_nothing_of_the_rehearsal_before_it(tmp_path: Path, store: Store) -> None:
    record(tmp_path / "spool", [*tasks_of(clip(seconds=6)), ShowOver()])
    start = START_US // 1000
    finished = finish_recording(
        spool_dir=tmp_path / "spool",
        broadcast_id="show",
        store=store,
        start_ms=start + 2_400,
        end_ms=start + 4_500,
    )
    assert finished is not None
    assert finished.pieces[0].relay_ms == start + 3_000
    assert finished.duration_ms == pytest.approx(1_500, abs=80)
    assert len(pictures_of(store.folder / "show.mp4")) == 45


def test_a_rehearsal_that_never_went_on_air_leaves_nothing(tmp_path: Path, store: Store) -> None:
    spool = tmp_path / "spool"
    record(spool, [*tasks_of(clip(seconds=1)), ShowOver()])
    later = START_US // 1000 + 3_600_000
    assert finish_recording(spool_dir=spool, broadcast_id="show", store=store, start_ms=later) is None
    assert store.kept == []
    discard_recording(spool_dir=spool, broadcast_id="show")
    assert not (spool / "show").exists()
    assert finish_recording(spool_dir=spool, broadcast_id="show", store=store) is None


def head_gone(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(bytes(4_096) + whole[4_096:])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [head_gone, empty])
def test_a_damaged_piece_is_left_out_and_the_rest_of_the_show_is_kept(
    tmp_path: Path, store: Store, damage: Callable[[Path], None]
) -> None:
    spool = tmp_path / "spool"
    video = clip(seconds=1)
    starts = [START_US + number * 60_000_000 for number in range(3)]
    record(
        spool,
        [
            *tasks_of(video),
            SenderGone(),
            *tasks_of(video, starts[1]),
            SenderGone(),
            *tasks_of(video, starts[2]),
            ShowOver(),
        ],
    )
    damage(spool / "show" / f"{starts[1] // 1000}-g1.mp4")
    finished = finish_recording(spool_dir=spool, broadcast_id="show", store=store)
    assert finished is not None
    assert [piece.relay_ms for piece in finished.pieces] == [starts[0] // 1000, starts[2] // 1000]
    assert len(pictures_of(store.folder / "show.mp4")) == 60


@pytest.mark.parametrize("written", [None, "", "{}"])
def test_a_piece_that_lost_its_sidecar_is_known_by_its_name(tmp_path: Path, store: Store, written: str | None) -> None:
    spool = tmp_path / "spool"
    record(spool, [*tasks_of(clip(seconds=1)), ShowOver()])
    piece = next((spool / "show").glob("*.mp4"))
    if written is None:
        sidecar(piece).unlink()
    else:
        sidecar(piece).write_text(written)
    later = piece.stat().st_mtime + 60
    finished = finish_recording(spool_dir=spool, broadcast_id="show", store=store, now=lambda: later)
    assert finished is not None
    assert [one.relay_ms for one in finished.pieces] == [START_US // 1000]
    assert (finished.width, finished.height) == pictures_of(store.folder / "show.mp4")[0][2:]


def test_finishing_twice_stores_once(tmp_path: Path, store: Store) -> None:
    record(tmp_path / "spool", [*tasks_of(clip(seconds=1)), ShowOver()])
    first = finish_recording(spool_dir=tmp_path / "spool", broadcast_id="show", store=store)
    assert isinstance(first, FinishedRecording)
    assert finish_recording(spool_dir=tmp_path / "spool", broadcast_id="show", store=store) == first
    assert store.kept == ["show.mp4"]
    assert list((tmp_path / "spool" / "show").glob("*.mp4")) == []


def test_a_store_that_fails_loses_nothing(tmp_path: Path, store: Store) -> None:
    record(tmp_path / "spool", [*tasks_of(clip(seconds=1)), ShowOver()])

    def broken(_path: Path, _name: str) -> str:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        finish_recording(spool_dir=tmp_path / "spool", broadcast_id="show", store=broken)
    assert finish_recording(spool_dir=tmp_path / "spool", broadcast_id="show", store=store) is not None
    assert len(pictures_of(store.folder / "show.mp4")) == 30


def test_a_recording_that_is_still_written_is_left_alone(tmp_path: Path, store: Store) -> None:
    spool = tmp_path / "spool"
    writer = SpoolWriter()
    writer.start()
    recorder = StreamRecorder(writer, spool, broadcast_id="show", gateway="g1")
    for event in Packer(1).run([*tasks_of(clip(seconds=3)), SenderGone()]):
        recorder.apply(event)
    writer.close()
    path = next((spool / "show").glob("*.mp4"))
    # as it looks while a gateway is writing
    side = path.with_suffix(".json")
    side.write_text(json.dumps({**json.loads(side.read_text()), "closed": False}))
    with pytest.raises(RecordingStillOpen):
        finish_recording(spool_dir=spool, broadcast_id="show", store=store)
    assert path.exists() and store.kept == []


def test_after_kill_9_at_most_the_last_second_is_missing_and_the_rest_plays(tmp_path: Path, store: Store) -> None:
    """A process of its own receives a show in real time and is killed in the middle of it."""
    spool = tmp_path / "spool"
    process = subprocess.Popen(
        [sys.executable, str(WRITER), str(spool)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        sent_ms = 0
        for line in process.stdout:
            sent_ms = int(line)
            if sent_ms > 4_000:
                break
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    path = next((spool / "show").glob("*.mp4"))
    piece = read_piece(path)
    assert not piece.closed
    # a crash may tear a fragment apart as well
    whole = path.read_bytes()
    path.write_bytes(whole[:-37])
    finished = finish_recording(spool_dir=spool, broadcast_id="show", store=store, now=lambda: time.time() + 60)
    assert finished is not None
    assert sent_ms - finished.duration_ms < 1_000
    seen = pictures_of(store.folder / "show.mp4")
    assert len(seen) >= (sent_ms - 1_000) * 30 / 1000
    assert [light for _ms, light, _w, _h in seen] == pytest.approx(
        [brightness(number) for number in range(len(seen))], abs=3
    )


async def test_what_comes_in_over_the_wire_is_what_is_recorded(gateway: Gateway, tmp_path: Path, store: Store) -> None:
    video = clip(seconds=2)
    async with gateway.watching() as viewer:
        for seen in (60, 120):
            async with gateway.sender() as sender:
                await sender.send_config(video.config)
                await send(sender, video.chunks, speed=2)
                await viewer.until(partial(has_pictures, seen))
            await viewer.until(lambda watching: watching.states()[-1] == "paused")
        await gateway.relay.end("show")
    await eventually(lambda: all(read_piece(path).closed for path in (tmp_path / "spool" / "show").glob("*.mp4")))
    finished = await asyncio.to_thread(finish_recording, spool_dir=tmp_path / "spool", broadcast_id="show", store=store)
    assert finished is not None and len(finished.pieces) == 2
    with av.open(str(store.folder / "show.mp4")) as source:
        payloads = [bytes(packet) for packet in source.demux(video=0) if packet.size]
    assert payloads == [chunk.payload for chunk in (*video.pictures, *video.pictures)]


def has_pictures(count: int, seen: Watching) -> bool:
    return sum(chunk.is_video for chunk in seen.chunks) == count


def test_a_full_disk_is_counted_and_hurts_nobody(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    # a file where the folder of the show should be
    (spool / "show").write_text("in the way")
    writer = SpoolWriter()
    writer.start()
    recorder = StreamRecorder(writer, spool, broadcast_id="show", gateway="g1")
    for event in Packer(1).run(tasks_of(clip(seconds=1))):
        recorder.apply(event)
    writer.close()
    assert writer.failures == 1


def test_pieces_tell_where_they_lie(tmp_path: Path) -> None:
    closed: list[Path] = []
    writer = SpoolWriter(closed.append)
    writer.start()
    recorder = StreamRecorder(writer, tmp_path, broadcast_id="show", gateway="g7")
    video: StreamConfig = clip(seconds=1).config
    for event in Packer(1).run([*tasks_of(clip(seconds=1)), ShowOver()]):
        recorder.apply(event)
    recorder.close()
    writer.close()
    assert closed == [tmp_path / "show" / f"{START_US // 1000}-g7.mp4"]
    piece = read_piece(closed[0])
    assert piece.start_ms == START_US // 1000
    assert piece.duration_ms == pytest.approx(1_000, abs=40)
    assert piece.codecs == f"{video.video.codec},mp4a.40.2"
    assert piece.closed
