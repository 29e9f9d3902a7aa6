"""H.264 headers, against what FFmpeg's encoder writes."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as some

from silkroom.live.relay.core.avc import (
    ParameterSets,
    UnreadableVideo,
    annexb_units,
    avc_units,
    build_avcc,
    from_annexb,
    is_annexb,
    parse_avcc,
    picture_size,
    with_parameter_sets,
)


def _first_packet(width: int, height: int, profile: str, options: dict[str, str] | None = None) -> bytes:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, 30)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", **(options or {})}
    encoder.profile = profile
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return bytes(encoder.encode(frame)[0])


@pytest.mark.parametrize("profile", ["Baseline", "Main", "High"])
@pytest.mark.parametrize(("width", "height"), [(640, 360), (720, 1280), (1920, 1080), (162, 98), (16, 16)])
def test_the_size_of_a_picture_is_read_from_its_parameter_set(width: int, height: int, profile: str) -> None:
    sets = from_annexb(_first_packet(width, height, profile)).sets
    assert sets is not None
    assert picture_size(sets.sps[0]) == (width, height)


def test_interlaced_pictures_have_twice_the_rows() -> None:
    sets = from_annexb(_first_packet(320, 240, "High", {"x264-params": "tff=1:interlaced=1"})).sets
    assert sets is not None
    assert picture_size(sets.sps[0]) == (320, 240)


@pytest.mark.parametrize("profile", ["Baseline", "Main", "High"])
def test_a_decoder_accepts_our_avcc_record(profile: str) -> None:
    packet = _first_packet(320, 192, profile)
    picture = from_annexb(packet)
    assert picture.is_key and picture.sets is not None
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = build_avcc(picture.sets)
    frames = [*decoder.decode(av.Packet(picture.data)), *decoder.decode(None)]
    assert [(frame.width, frame.height) for frame in frames] == [(320, 192)]
    assert parse_avcc(build_avcc(picture.sets)) == picture.sets


def test_a_picture_with_parameter_sets_in_itself_decodes_alone() -> None:
    picture = from_annexb(_first_packet(320, 192, "High"))
    assert picture.sets is not None
    other = from_annexb(_first_packet(640, 360, "High"))
    assert other.sets is not None
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = build_avcc(picture.sets)
    inside = with_parameter_sets(other.data, other.sets)
    frames = [*decoder.decode(av.Packet(inside)), *decoder.decode(None)]
    assert [(frame.width, frame.height) for frame in frames] == [(640, 360)]


def test_lengths_and_start_codes_carry_the_same_units() -> None:
    packet = _first_packet(320, 192, "Baseline")
    assert is_annexb(packet)
    units = [unit for unit in annexb_units(packet) if unit[0] & 0x1F not in (7, 8, 9)]
    assert list(avc_units(from_annexb(packet).data)) == units


@given(some.binary(max_size=200))
def test_rubbish_never_does_worse_than_unreadable(data: bytes) -> None:
    for read in (
        parse_avcc,
        picture_size,
        lambda raw: list(avc_units(raw)),
        lambda raw: picture_size(b"\x67" + raw),
    ):
        try:
            read(data)
        except UnreadableVideo:
            continue
    from_annexb(data)


@given(some.data())
def test_a_cut_avcc_record_is_refused(data: some.DataObject) -> None:
    sps = b"\x67\x42\xc0\x1f" + data.draw(some.binary(min_size=1, max_size=30))
    pps = b"\x68" + data.draw(some.binary(min_size=1, max_size=10))
    record = build_avcc(ParameterSets((sps,), (pps,)))
    assert parse_avcc(record) == ParameterSets((sps,), (pps,))
    cut = data.draw(some.integers(0, len(record) - 1))
    with pytest.raises(UnreadableVideo):
        parse_avcc(record[:cut])
