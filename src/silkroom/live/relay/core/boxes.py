"""Fragmented MP4 (CMAF): the initialisation segment and its fragments, byte by byte.

One packaging serves MSE, LL-HLS and the recording. Times in the boxes are relay time: ``baseMediaDecodeTime`` counts
from 1970, so fragments made by any gateway, before or after a lost connection, fall on one line.

Source: ISO/IEC 14496-12 (boxes), 14496-15 (avc1), 14496-14 and 14496-1 (mp4a, esds), "Encapsulation of Opus in ISO
Base Media File Format" 4.3 (Opus, dOps).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from silkroom.live.relay.core.chunks import AudioConfig, StreamConfig, VideoConfig
from silkroom.live.relay.core.opus import OPUS_RATE, pre_skip

VIDEO_TIMESCALE = 90_000
VIDEO_TRACK = 1
AUDIO_TRACK = 2

_KEY_SAMPLE = 0x02000000
_OTHER_SAMPLE = 0x01010000
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture or piece of sound in a fragment. ``duration`` counts in the track's timescale."""

    data: bytes
    duration: int
    is_key: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """Samples of one track that follow each other; ``start`` in the track's timescale."""

    track: int
    start: int
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class Fragment:
    """Bytes of moof and mdat. ``clocks`` are the places of the decode times: a recording counts from zero."""

    data: bytes
    clocks: tuple[tuple[int, int], ...]
    """Pairs (track, offset of the 64-bit baseMediaDecodeTime in ``data``)."""


def video_ticks(time_us: int) -> int:
    return (time_us * VIDEO_TIMESCALE + 500_000) // 1_000_000


def audio_ticks(time_us: int, rate: int) -> int:
    return (time_us * rate + 500_000) // 1_000_000


def audio_timescale(audio: AudioConfig) -> int:
    return OPUS_RATE if audio.is_opus else audio.rate


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def full_box(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags), *parts)


def init_segment(config: StreamConfig) -> bytes:
    """ftyp and moov of a stream."""
    tracks = [_video_track(config.video)]
    extends = [_track_extends(VIDEO_TRACK)]
    if config.audio is not None:
        tracks.append(_audio_track(config.audio))
        extends.append(_track_extends(AUDIO_TRACK))
    header = full_box(
        b"mvhd",
        0,
        0,
        struct.pack(">IIIIIH10x", 0, 0, 1000, 0, 0x10000, 0x100),
        _MATRIX,
        bytes(24),
        struct.pack(">I", AUDIO_TRACK + 1),
    )
    kinds = box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6cmfcmp41")
    return kinds + box(b"moov", header, *tracks, box(b"mvex", *extends))


def fragment(sequence: int, runs: Sequence[Run]) -> Fragment:
    """moof and mdat with one run for each track that has samples."""
    sizes = [_movie_fragment_size(runs)]
    for run in runs:
        sizes.append(sum(len(sample.data) for sample in run.samples))
    offset = sizes[0] + 8
    head = full_box(b"mfhd", 0, 0, struct.pack(">I", sequence & 0xFFFFFFFF))
    position = 8 + len(head)
    clocks: list[tuple[int, int]] = []
    tracks: list[bytes] = []
    for run, size in zip(runs, sizes[1:], strict=True):
        track = _track_fragment(run, offset)
        # traf header 8, tfhd 16, tfdt header and version 12
        clocks.append((run.track, position + 36))
        position += len(track)
        tracks.append(track)
        offset += size
    data = b"".join(sample.data for run in runs for sample in run.samples)
    return Fragment(box(b"moof", head, *tracks) + box(b"mdat", data), tuple(clocks))


def shift_clocks(part: Fragment, minus: dict[int, int]) -> bytes:
    """The fragment with its decode times moved back, never below zero. ``minus`` in each track's timescale."""
    data = bytearray(part.data)
    for track, offset in part.clocks:
        (time,) = struct.unpack_from(">Q", data, offset)
        struct.pack_into(">Q", data, offset, max(0, time - minus[track]))
    return bytes(data)


def _movie_fragment_size(runs: Sequence[Run]) -> int:
    # moof 8, mfhd 16; each track: traf 8, tfhd 16, tfdt 20, trun 20 and 12 for a sample
    return 24 + sum(64 + 12 * len(run.samples) for run in runs)


def _track_fragment(run: Run, data_offset: int) -> bytes:
    # 0x020000: offsets count from this moof
    header = full_box(b"tfhd", 0, 0x020000, struct.pack(">I", run.track))
    clock = full_box(b"tfdt", 1, 0, struct.pack(">Q", run.start))
    # 0x000701: data offset, and for each sample its duration, size and flags
    table = bytearray(struct.pack(">II", len(run.samples), data_offset))
    for sample in run.samples:
        flags = _KEY_SAMPLE if sample.is_key else _OTHER_SAMPLE
        table += struct.pack(">III", sample.duration, len(sample.data), flags)
    return box(b"traf", header, clock, full_box(b"trun", 0, 0x000701, bytes(table)))


def _track_extends(track: int) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">IIIII", track, 1, 0, 0, 0))


def _video_track(video: VideoConfig) -> bytes:
    entry = box(
        b"avc1",
        struct.pack(">6xH16xHHIII H32sHh", 1, video.width, video.height, 0x480000, 0x480000, 0, 1, bytes(32), 24, -1),
        box(b"avcC", video.description),
    )
    media_header = full_box(b"vmhd", 0, 1, bytes(8))
    return _track(VIDEO_TRACK, VIDEO_TIMESCALE, b"vide", media_header, entry, (video.width, video.height))


def _audio_track(audio: AudioConfig) -> bytes:
    rate = audio_timescale(audio)
    head = struct.pack(">6xH8xHHHHI", 1, audio.channels, 16, 0, 0, (rate << 16) & 0xFFFFFFFF)
    entry = box(b"Opus", head, _opus_box(audio)) if audio.is_opus else box(b"mp4a", head, _aac_box(audio))
    return _track(AUDIO_TRACK, rate, b"soun", full_box(b"smhd", 0, 0, bytes(4)), entry, (0, 0))


def _opus_box(audio: AudioConfig) -> bytes:
    skip = pre_skip(audio.description)
    return box(b"dOps", struct.pack(">BBHIhB", 0, audio.channels, skip, audio.rate, 0, 0))


def _aac_box(audio: AudioConfig) -> bytes:
    specific = _descriptor(5, audio.description)
    # 0x40: AAC; 0x15: audio stream
    decoder = _descriptor(4, struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + specific)
    stream = _descriptor(3, struct.pack(">HB", AUDIO_TRACK, 0) + decoder + _descriptor(6, b"\x02"))
    return full_box(b"esds", 0, 0, stream)


def _descriptor(tag: int, body: bytes) -> bytes:
    if len(body) > 127:
        raise ValueError("audio description is too long")
    return bytes((tag, len(body))) + body


def _track(
    track: int, timescale: int, handler: bytes, media_header: bytes, entry: bytes, size: tuple[int, int]
) -> bytes:
    volume = 0x100 if handler == b"soun" else 0
    track_header = full_box(
        b"tkhd",
        0,
        3,
        struct.pack(">III4xI8xHHH2x", 0, 0, track, 0, 0, 0, volume),
        _MATRIX,
        struct.pack(">II", size[0] << 16, size[1] << 16),
    )
    # 0x55C4: language "und"
    header = full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, timescale, 0, 0x55C4, 0))
    kind = full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, handler), b"silkroom\x00")
    reference = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    table = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    information = box(b"minf", media_header, reference, table)
    return box(b"trak", track_header, box(b"mdia", header, kind, information))
