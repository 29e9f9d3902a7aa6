"""Opus to AAC: the same sound at the same time, whatever the sender's clock does."""

from __future__ import annotations

import itertools
from dataclasses import replace

import av
import pytest

from silkroom.live.relay.core.chunks import AudioConfig, Chunk
from silkroom.live.relay.core.opus import opus_duration_us
from silkroom.live.relay.sound import RATE, SAMPLES, SoundTranscoder, aac_config
from tests.live.relay.video import clip

START_US = 1_764_000_000_000_000
OPUS = AudioConfig("opus", 48_000, 2)


def chunks(seconds: float = 3) -> list[Chunk]:
    return [chunk.at(chunk.time_us + START_US) for chunk in clip(seconds=seconds).sound]


def transcode(pieces: list[Chunk]) -> list[Chunk]:
    transcoder = SoundTranscoder(OPUS)
    return [made for piece in pieces for made in transcoder.feed(piece)] + transcoder.flush()


def onsets(pieces: list[Chunk]) -> list[float]:
    """Seconds after the start at which a beep begins, by decoding the AAC."""
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = aac_config().description
    found: list[float] = []
    for piece in pieces:
        for frame in decoder.decode(av.Packet(piece.payload)):
            samples = memoryview(bytes(frame.planes[0])).cast("f")
            for position in range(0, len(samples) - 48, 48):
                now = (piece.time_us - START_US) / 1_000_000 + position / RATE
                if max(abs(one) for one in samples[position : position + 48]) > 0.2 and (
                    not found or now - found[-1] > 0.3
                ):
                    found.append(now)
    return found


def test_packets_lie_end_to_end_at_the_time_of_capture() -> None:
    made = transcode(chunks())
    assert all(piece.duration_us == SAMPLES * 1_000_000 // RATE for piece in made)
    steps = [later.time_us - earlier.time_us for earlier, later in itertools.pairwise(made)]
    assert set(steps) <= {21_333, 21_334}
    assert made[0].time_us == pytest.approx(START_US - 21_333, abs=1)
    assert made[-1].time_us + 21_333 == pytest.approx(START_US + 3_000_000, abs=22_000)
    # the pre-skip of Opus, 6.5 ms, is in the sound itself
    assert onsets(made)[1:5] == pytest.approx([0.5, 1.0, 1.5, 2.0], abs=0.01)


def test_a_lost_piece_is_silence_and_moves_nothing_after_it() -> None:
    pieces = chunks()
    made = transcode(pieces[:60] + pieces[66:])
    assert onsets(made)[1:] == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.5], abs=0.045)


def test_a_long_hole_starts_the_count_anew() -> None:
    pieces = chunks()
    later = [piece.at(piece.time_us + 10_000_000) for piece in pieces[75:]]
    made = transcode(pieces[:75] + later)
    gaps = [after.time_us - before.time_us for before, after in itertools.pairwise(made)]
    assert max(gaps) > 9_000_000
    assert [one for one in onsets(made) if one > 5] == pytest.approx([11.5, 12.0, 12.5], abs=0.03)


def test_a_microphone_that_runs_slow_or_fast_stays_in_step() -> None:
    """One part in a hundred, so that three seconds show what takes hours in life."""
    for factor in (0.99, 1.01):
        pieces = [piece.at(START_US + round((piece.time_us - START_US) * factor)) for piece in chunks(4)]
        made = transcode(pieces)
        assert made[-1].time_us == pytest.approx(START_US + 4_000_000 * factor, abs=90_000)


def test_pieces_that_cannot_be_decoded_are_left_out() -> None:
    pieces = chunks()
    broken = [
        replace(piece, payload=b"\xff\xff\xff") if number % 10 == 5 else piece for number, piece in enumerate(pieces)
    ]
    made = transcode(broken)
    assert made[-1].time_us + 21_333 == pytest.approx(START_US + 3_000_000, abs=40_000)


@pytest.mark.parametrize("milliseconds", [2.5, 5, 10, 20, 40, 60])
def test_the_length_of_a_packet_is_read_from_the_packet(milliseconds: float) -> None:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "flt"
    encoder.options = {
        "frame_duration": str(milliseconds),
        "application": "lowdelay" if milliseconds < 10 else "audio",
    }
    encoder.open()
    frame = av.AudioFrame(format="flt", layout="stereo", samples=encoder.frame_size)
    frame.sample_rate = 48_000
    frame.pts = 0
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    packet = bytes((encoder.encode(frame) or encoder.encode(None))[0])
    assert opus_duration_us(packet) == round(milliseconds * 1000)
    assert opus_duration_us(b"") == 0
