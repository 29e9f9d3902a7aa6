"""H.264 as far as a relay must understand it: parameter sets, the avcC record, Annex B and picture size.

Sources: ISO/IEC 14496-15 5.3.3 (avcC), ITU-T H.264 7.3.2.1 (sequence parameter set) and annex B (start codes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SLICE_IDR = 5
SPS = 7
PPS = 8
ACCESS_UNIT_DELIMITER = 9

_START_CODE = re.compile(rb"\x00\x00\x01")
_HIGH_PROFILES = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))


class UnreadableVideo(ValueError):
    """The bytes are not the H.264 they claim to be."""


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """What an avcC record carries."""

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    @property
    def codec(self) -> str:
        """RFC 6381 string, such as avc1.42E01F."""
        return "avc1." + self.sps[0][1:4].hex().upper()


def parse_avcc(record: bytes) -> ParameterSets:
    """Read an avcC record. Raises UnreadableVideo, also for unit lengths other than four bytes."""
    if len(record) < 7 or record[0] != 1:
        raise UnreadableVideo("not an avcC record")
    if record[4] & 3 != 3:
        raise UnreadableVideo("avcC with unit lengths other than four bytes")
    try:
        sps, position = _sets(record, 5, record[5] & 0x1F)
        pps, position = _sets(record, position, record[position])
    except IndexError:
        raise UnreadableVideo("avcC record is cut short") from None
    if not sps or not pps or any(len(one) < 4 or one[0] & 0x1F != SPS for one in sps):
        raise UnreadableVideo("avcC record without parameter sets")
    return ParameterSets(sps, pps)


def _sets(record: bytes, count_at: int, count: int) -> tuple[tuple[bytes, ...], int]:
    found: list[bytes] = []
    position = count_at + 1
    for _ in range(count):
        length = int.from_bytes(record[position : position + 2], "big")
        unit = record[position + 2 : position + 2 + length]
        if len(unit) != length or not length:
            raise UnreadableVideo("avcC record is cut short")
        found.append(unit)
        position += 2 + length
    return tuple(found), position


def build_avcc(sets: ParameterSets) -> bytes:
    """The avcC record of parameter sets, for the baseline, main and high profiles that browsers decode."""
    head = sets.sps[0]
    record = bytearray((1, head[1], head[2], head[3], 0xFF, 0xE0 | len(sets.sps)))
    for unit in sets.sps:
        record += len(unit).to_bytes(2, "big") + unit
    record.append(len(sets.pps))
    for unit in sets.pps:
        record += len(unit).to_bytes(2, "big") + unit
    if head[1] in _HIGH_PROFILES:
        # chroma 4:2:0 and 8 bit: browsers decode nothing else
        record += bytes((0xFD, 0xF8, 0xF8, 0))
    return bytes(record)


def is_annexb(data: bytes) -> bool:
    """Whether a packet starts with a start code rather than a length.

    A four-byte length of 1 looks like a start code; a unit of one byte does not occur at the head of a picture.
    """
    return data.startswith((b"\x00\x00\x00\x01", b"\x00\x00\x01"))


def annexb_units(data: bytes) -> Iterator[bytes]:
    """The units of an Annex B stream without start codes and trailing zeros."""
    starts = [match.end() for match in _START_CODE.finditer(data)]
    for number, start in enumerate(starts):
        end = starts[number + 1] - 3 if number + 1 < len(starts) else len(data)
        unit = data[start:end].rstrip(b"\x00")
        if unit:
            yield unit


def avc_units(data: bytes) -> Iterator[bytes]:
    """The units of a length-prefixed picture. Raises UnreadableVideo when lengths do not add up."""
    position = 0
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        position += 4
        if not length or position + length > len(data):
            raise UnreadableVideo("unit lengths do not add up")
        yield data[position : position + length]
        position += length


@dataclass(frozen=True, slots=True)
class Picture:
    """An Annex B packet turned into AVC form; ``sets`` when it brought its own parameter sets."""

    data: bytes
    is_key: bool
    sets: ParameterSets | None


def from_annexb(data: bytes) -> Picture:
    """Convert one picture: parameter sets and delimiters are taken out, the rest gets lengths."""
    sps: list[bytes] = []
    pps: list[bytes] = []
    body = bytearray()
    is_key = False
    for unit in annexb_units(data):
        kind = unit[0] & 0x1F
        if kind == SPS:
            sps.append(unit)
        elif kind == PPS:
            pps.append(unit)
        elif kind != ACCESS_UNIT_DELIMITER:
            is_key = is_key or kind == SLICE_IDR
            body += len(unit).to_bytes(4, "big") + unit
    usable = bool(sps and pps) and len(sps[0]) >= 4
    return Picture(bytes(body), is_key, ParameterSets(tuple(sps), tuple(pps)) if usable else None)


def with_parameter_sets(picture: bytes, sets: ParameterSets) -> bytes:
    """A length-prefixed picture that carries its parameter sets in itself."""
    units = b"".join(len(unit).to_bytes(4, "big") + unit for unit in (*sets.sps, *sets.pps))
    return units + picture


def picture_size(sps: bytes) -> tuple[int, int]:
    """Width and height in pixels after cropping. Raises UnreadableVideo."""
    bits = _Bits(sps[1:].replace(b"\x00\x00\x03", b"\x00\x00"))
    profile = bits.take(8)
    bits.take(16)
    bits.exp_golomb()
    chroma = 1
    if profile in _HIGH_PROFILES:
        chroma = _skip_high_profile(bits)
    bits.exp_golomb()
    _skip_picture_order(bits)
    bits.exp_golomb()
    bits.take(1)
    columns = bits.exp_golomb() + 1
    rows = bits.exp_golomb() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)
    bits.take(1)
    left = right = top = bottom = 0
    if bits.take(1):
        left, right, top, bottom = (bits.exp_golomb() for _ in range(4))
    step_x = 1 if chroma in (0, 3) else 2
    step_y = (2 if chroma == 1 else 1) * (2 - frames_only)
    width = columns * 16 - (left + right) * step_x
    height = rows * 16 * (2 - frames_only) - (top + bottom) * step_y
    if not (0 < width <= 8192 and 0 < height <= 8192):
        raise UnreadableVideo("impossible picture size")
    return width, height


def _skip_high_profile(bits: _Bits) -> int:
    chroma = bits.exp_golomb()
    if chroma == 3:
        bits.take(1)
    bits.exp_golomb()
    bits.exp_golomb()
    bits.take(1)
    if bits.take(1):
        for number in range(8 if chroma != 3 else 12):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if number < 6 else 64)
    return chroma


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_exp_golomb()) % 256
        last = following or last


def _skip_picture_order(bits: _Bits) -> None:
    kind = bits.exp_golomb()
    if kind == 0:
        bits.exp_golomb()
    elif kind == 1:
        bits.take(1)
        bits.exp_golomb()
        bits.exp_golomb()
        for _ in range(min(bits.exp_golomb(), 255)):
            bits.exp_golomb()


class _Bits:
    """Reads bits and Exp-Golomb codes (H.264 9.1); raises UnreadableVideo past the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise UnreadableVideo("parameter set is cut short")
        return (self._value >> self._left) & ((1 << count) - 1)

    def exp_golomb(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 31:
                raise UnreadableVideo("parameter set cannot be read")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed_exp_golomb(self) -> int:
        number = self.exp_golomb()
        return (number + 1) // 2 if number % 2 else -(number // 2)
