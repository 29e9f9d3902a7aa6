"""Opus in, AAC out, piece by piece: Apple's players and most MP4 players take no Opus. The picture is never touched.

Runs in a worker thread (PyAV releases the GIL). Always makes 48 kHz stereo, so that a recording keeps one sound track
whatever microphone the host changes to.
"""

from __future__ import annotations

from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from silkroom.live.relay.core.chunks import AudioConfig, Chunk, Kind
from silkroom.live.relay.core.opus import opus_head

RATE = 48_000
CHANNELS = 2
BIT_RATE = 128_000
SAMPLES = 1024
"""Samples in an AAC packet."""

DRIFT_US = 40_000
"""The sender's times and the counted samples may differ by so much before samples are dropped or silence is put in."""
HOLE_US = 2_000_000
"""A longer hole is not filled: counting starts anew after it."""


def aac_config() -> AudioConfig:
    """What a SoundTranscoder makes. AudioSpecificConfig 0x1190: AAC-LC, 48 kHz, stereo (ISO/IEC 14496-3 1.6.2.1)."""
    return AudioConfig("mp4a.40.2", RATE, CHANNELS, b"\x11\x90")


class SoundTranscoder:
    """One per stream; not safe for two threads at once."""

    def __init__(self, source: AudioConfig) -> None:
        self._source = source
        self._decoder = self._new_decoder()
        self._resampler = AudioResampler(format="fltp", layout="stereo", rate=RATE)
        self._start()

    def feed(self, chunk: Chunk) -> list[Chunk]:
        """AAC packets that are complete after this piece of Opus. A piece that cannot be decoded is silence."""
        packet = av.Packet(chunk.payload)
        try:
            frames = self._decoder.decode(packet)
        except FFmpegError:
            self._decoder = self._new_decoder()
            return []
        made: list[Chunk] = []
        time_us = chunk.time_us
        for frame in frames:
            for piece in self._resampler.resample(_plain(frame)):
                made += self._count_in(piece, time_us)
                time_us += piece.samples * 1_000_000 // RATE
        return made

    def flush(self) -> list[Chunk]:
        """What is left at the end of a sender."""
        rest = self._fifo.read(0, partial=True)
        made = self._encode(rest) if rest is not None else []
        made += self._packets(None)
        self._start()
        return made

    def _new_decoder(self) -> AudioCodecContext:
        decoder = av.CodecContext.create("opus", "r")
        decoder.extradata = self._source.description or opus_head(self._source.channels, self._source.rate)
        decoder.sample_rate = RATE
        decoder.layout = "mono" if self._source.channels == 1 else "stereo"
        decoder.open()
        return decoder

    def _start(self) -> None:
        """A fresh encoder whose sample 0 lies at the time of the next piece."""
        encoder = av.CodecContext.create("aac", "w")
        encoder.sample_rate = RATE
        encoder.layout = "stereo"
        encoder.format = "fltp"
        encoder.bit_rate = BIT_RATE
        encoder.time_base = Fraction(1, RATE)
        encoder.open()
        self._encoder = encoder
        self._fifo = AudioFifo()
        self._anchor_us: int | None = None
        self._counted = 0
        self._encoded = 0

    def _count_in(self, piece: AudioFrame, time_us: int) -> list[Chunk]:
        made: list[Chunk] = []
        if self._anchor_us is None:
            self._anchor_us = time_us
        drift_us = time_us - (self._anchor_us + self._counted * 1_000_000 // RATE)
        if abs(drift_us) > HOLE_US:
            made += self.flush()
            self._anchor_us = time_us
        elif drift_us > DRIFT_US:
            made += self._write(_silence(drift_us * RATE // 1_000_000))
        elif drift_us < -DRIFT_US:
            return made
        return made + self._write(piece)

    def _write(self, piece: AudioFrame) -> list[Chunk]:
        piece.pts = None
        self._fifo.write(piece)
        self._counted += piece.samples
        made: list[Chunk] = []
        while (whole := self._fifo.read(SAMPLES)) is not None:
            made += self._encode(whole)
        return made

    def _encode(self, frame: AudioFrame) -> list[Chunk]:
        frame.pts = self._encoded
        frame.time_base = Fraction(1, RATE)
        self._encoded += frame.samples
        return self._packets(frame)

    def _packets(self, frame: AudioFrame | None) -> list[Chunk]:
        if self._anchor_us is None:
            return []
        made = []
        for packet in self._encoder.encode(frame):
            if packet.pts is None:
                continue
            # the encoder's first packet lies one packet before the sound: its pts is negative, as it should be
            time_us = self._anchor_us + packet.pts * 1_000_000 // RATE
            made.append(Chunk(Kind.AUDIO, time_us, SAMPLES * 1_000_000 // RATE, bytes(packet)))
        return made


def _plain(frame: AudioFrame) -> AudioFrame:
    frame.pts = None
    return frame


def _silence(samples: int) -> AudioFrame:
    frame = AudioFrame(format="fltp", layout="stereo", samples=samples)
    frame.sample_rate = RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
