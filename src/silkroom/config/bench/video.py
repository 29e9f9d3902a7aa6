"""``bench video``: delay from glass to glass in two real Chromium pages, and what a viewer costs.

One process holds the relay with its real handlers; a studio page sends a clock in picture and sound through the real
encoder.js, a viewer page plays it in each way and reads the clock out of the picture. Then simulated viewers over real
sockets tell the CPU time for one of them at 1 Mbit/s.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import psutil
import uvloop
from aiohttp import web

import silkroom.live
from silkroom.config.processes.browser import CHROMIUM_FLAGS, find_chromium
from silkroom.live.relay.door import (
    Access,
    AudioConfig,
    Chunk,
    Grant,
    Kind,
    MediaPublisherClient,
    Relay,
    StreamConfig,
    VideoConfig,
    build_avcc,
    from_annexb,
)

PAGES = Path(__file__).parent / "video_pages"
MEDIA = Path(silkroom.live.__file__).parent / "static" / "live" / "media"
MODES = ("instant", "mse", "llhls")

QUIET_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--metrics-recording-only",
    "--window-size=800,600",
)
PAGE_SECONDS = 60.0
"""A page that reports nothing for so long has failed."""


class BenchFailed(Exception):
    """The bench cannot tell anything; the text says why."""


@dataclass(frozen=True)
class Plan:
    settle_ms: int
    sample_ms: int
    viewers: int
    load_seconds: float


QUICK = Plan(settle_ms=2_500, sample_ms=3_500, viewers=200, load_seconds=3.0)
FULL = Plan(settle_ms=5_000, sample_ms=30_000, viewers=400, load_seconds=15.0)


def run(quick: bool) -> dict[str, Any]:
    """Measure; the figures, whose names are part of the interface."""
    plan = QUICK if quick else FULL
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(plan))


async def _measure(plan: Plan) -> dict[str, Any]:
    async with _gateway() as bench:
        figures = await _glass_to_glass(bench, plan)
        figures |= await _cost(bench, plan)
    return figures


# the relay


@dataclass
class Bench:
    relay: Relay
    port: int
    reports: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def _read_ticket(_purpose: str, ticket: str) -> Grant:
    # two shows: the one of the pages and the one of the simulated viewers
    return Grant("load" if ticket == "load" else "bench", int(time.time()))


async def _may_watch(_broadcast_id: str, _grant: Grant | None) -> bool:
    return True


@asynccontextmanager
async def _gateway() -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="silkroom-bench-") as folder:
        relay = Relay(access=Access(_read_ticket, _may_watch), spool_dir=Path(folder))
        bench = Bench(relay, 0)

        async def report(request: web.Request) -> web.Response:
            await bench.reports.put(await request.json())
            return web.Response(status=204)

        application = web.Application(client_max_size=16 * 1024 * 1024)
        application.add_routes(relay.routes())
        application.router.add_post("/bench/report", report)
        application.router.add_static("/bench/", PAGES)
        application.router.add_static("/media/", MEDIA)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        bench.port = runner.addresses[0][1]
        await relay.start()
        try:
            yield bench
        finally:
            await relay.close()
            await runner.cleanup()


# glass to glass


async def _glass_to_glass(bench: Bench, plan: Plan) -> dict[str, Any]:
    query = f"settle={plan.settle_ms}&sample={plan.sample_ms}&modes={'%20'.join(MODES)}"
    results: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        _open_page(stack, f"{bench.address}/bench/studio.html")
        await _until_sending(bench)
        _open_page(stack, f"{bench.address}/bench/viewer.html?{query}")
        while len(results) < len(MODES):
            message = await _next_report(bench)
            if "result" in message:
                results[message["result"]["mode"]] = message["result"]
    return _figures(results)


def _open_page(stack: ExitStack, address: str) -> None:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="silkroom-chromium-", ignore_cleanup_errors=True))
    command = [str(find_chromium()), *CHROMIUM_FLAGS, *QUIET_FLAGS, f"--user-data-dir={folder}", address]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    stack.callback(_end, browser)


def _end(browser: subprocess.Popen[bytes]) -> None:
    """The browser with all its own processes, and nothing else."""
    with suppress(psutil.NoSuchProcess):
        family = [psutil.Process(browser.pid), *psutil.Process(browser.pid).children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=5)
    browser.wait()


async def _until_sending(bench: Bench) -> None:
    while True:
        message = await _next_report(bench)
        if message.get("state", {}).get("state") == "sending":
            return


async def _next_report(bench: Bench) -> dict[str, Any]:
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            message = await bench.reports.get()
    except TimeoutError:
        raise BenchFailed("a browser page reports nothing; does Chromium start here?") from None
    if "error" in message or "problem" in message:
        raise BenchFailed(f"{message['page']}: {message.get('error') or message.get('problem')}")
    return message


def _figures(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for mode in MODES:
        delays = results[mode]["picture"]
        if len(delays) < 30:
            raise BenchFailed(f"{mode}: only {len(delays)} pictures were seen")
        figures[f"{mode}_ms"] = round(statistics.median(delays), 1)
        figures[f"{mode}_ms_p95"] = round(_percentile(delays, 0.95), 1)
        figures[f"{mode}_said_ms"] = round(statistics.median(results[mode]["said"]), 1)
        figures[f"{mode}_first_picture_ms"] = round(results[mode]["firstPicture"])
    heard = results["instant"]["sound"]
    if len(heard) < 4:
        raise BenchFailed(f"only {len(heard)} clicks were heard")
    figures["sound_ms"] = round(statistics.median(heard), 1)
    figures["sound_offset_ms"] = round(figures["sound_ms"] - figures["instant_ms"], 1)
    return figures


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


# what a viewer costs


async def _cost(bench: Bench, plan: Plan) -> dict[str, Any]:
    """CPU time of this process with and without viewers, while a 1 Mbit/s stream comes in."""
    config, chunks, bits = await asyncio.to_thread(_load_clip)
    context = multiprocessing.get_context("spawn")
    process = psutil.Process()
    sender = context.Process(target=_send_load, args=(bench.address, config, chunks), daemon=True)
    counter = context.Value("Q", 0)
    viewers = context.Process(target=_watch_load, args=(bench.port, plan.viewers, counter), daemon=True)
    try:
        sender.start()
        await _until(lambda: bench.relay.media_position("load") is not None)
        alone = await _cpu_percent(process, plan.load_seconds / 2)
        viewers.start()
        await _until(lambda: bench.relay.stats()["streams"]["load"]["instant"] == plan.viewers)
        before = counter.value
        together = await _cpu_percent(process, plan.load_seconds)
        received = (counter.value - before) * 8 / plan.load_seconds / plan.viewers
    finally:
        for child in (viewers, sender):
            if child.pid is not None:
                child.kill()
                await asyncio.to_thread(child.join)
    each = (together - alone) / plan.viewers
    return {
        "cpu_percent_per_viewer": round(each, 4),
        "viewers_per_core": round(100 / each),
        "load_viewers": plan.viewers,
        "load_bits_per_second": bits,
        "received_bits_per_second": round(received),
    }


async def _cpu_percent(process: psutil.Process, seconds: float) -> float:
    before, since = _cpu_seconds(process), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (_cpu_seconds(process) - before) / (time.monotonic() - since)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _until(condition: Any) -> None:
    async with asyncio.timeout(PAGE_SECONDS):
        while not condition():  # noqa: ASYNC110 - conditions of other processes
            await asyncio.sleep(0.05)


def _load_clip() -> tuple[StreamConfig, list[Chunk], int]:
    """Two seconds of noise at about 1 Mbit/s, sound included; it is sent over and over."""
    seconds, fps = 2, 30
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.bit_rate = 900_000
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "g": str(fps),
        "maxrate": "900k",
        "bufsize": "450k",
    }
    chunks: list[Chunk] = []
    config: VideoConfig | None = None
    for number in range(seconds * fps + 1):
        for packet in encoder.encode(_noise(number) if number < seconds * fps else None):
            picture = from_annexb(bytes(packet))
            if picture.sets is not None and config is None:
                config = VideoConfig(picture.sets.codec, build_avcc(picture.sets), 640, 360, fps)
            kind = Kind.VIDEO_KEY if picture.is_key else Kind.VIDEO_DELTA
            chunks.append(Chunk(kind, (packet.pts or 0) * 1_000_000 // fps, 1_000_000 // fps, picture.data))
    if config is None:
        raise BenchFailed("libx264 makes no parameter sets")
    # 96 kbit/s of Opus; a relay does not look into it, its transcoder finds it silent
    sound = bytes((0xFC,)) + os.urandom(239)
    chunks += [Chunk(Kind.AUDIO, at * 20_000, 20_000, sound) for at in range(seconds * 50)]
    chunks.sort(key=lambda chunk: chunk.time_us)
    bits = sum(len(chunk.payload) for chunk in chunks) * 8 // seconds
    return StreamConfig(config, AudioConfig("opus", 48_000, 2)), chunks, bits


def _noise(number: int) -> av.VideoFrame:
    frame = av.VideoFrame(640, 360, "yuv420p")
    for index, plane in enumerate(frame.planes):
        grain = os.urandom(plane.buffer_size // 16) * 16 if index == 0 else bytes((128,)) * plane.buffer_size
        plane.update(grain.ljust(plane.buffer_size, b"\x80"))
    frame.pts = number
    return frame


def _send_load(address: str, config: StreamConfig, chunks: list[Chunk]) -> None:
    """In a process of its own: the clip, again and again, as time goes by."""

    async def send() -> None:
        async with MediaPublisherClient(address, "load") as sender:
            await sender.send_config(config, zero_ms=time.time() * 1000)
            start, turn = time.monotonic(), 0
            while True:
                for chunk in chunks:
                    at = chunk.time_us + turn * 2_000_000
                    await asyncio.sleep(at / 1_000_000 - (time.monotonic() - start))
                    await sender.send_chunk(chunk.at(at))
                turn += 1

    uvloop.run(send())


class _Discard(asyncio.Protocol):
    """A viewer that reads everything and keeps nothing."""

    def __init__(self, host: str, received: list[int]) -> None:
        self._host = host
        self._received = received

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.WriteTransport, transport).write(
            f"GET /gateway/watch?ticket=load&mode=instant HTTP/1.1\r\nHost: {self._host}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: c2lsa3Jvb20tYmVuY2gtMQ==\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._received[0] += len(data)


def _watch_load(port: int, count: int, counter: Any) -> None:
    """In a process of its own: ``count`` viewers."""

    async def watch() -> None:
        loop = asyncio.get_running_loop()
        received = [0]
        kept = [
            await loop.create_connection(lambda: _Discard(f"127.0.0.1:{port}", received), "127.0.0.1", port)
            for _ in range(count)
        ]
        while kept:
            counter.value = received[0]
            await asyncio.sleep(0.05)

    uvloop.run(watch())


def table(figures: dict[str, Any]) -> str:
    """The figures for a person."""
    lines = ["glass to glass, loopback, clock in the picture, sound on (milliseconds)", ""]
    lines.append(f"{'way':<10}{'median':>9}{'p95':>9}{'player says':>13}{'first picture':>15}")
    for mode in MODES:
        lines.append(
            f"{mode:<10}{figures[f'{mode}_ms']:>9}{figures[f'{mode}_ms_p95']:>9}"
            f"{figures[f'{mode}_said_ms']:>13}{figures[f'{mode}_first_picture_ms']:>15}"
        )
    lines += [
        "",
        f"instant: sound is heard {figures['sound_ms']} ms after it was made, "
        f"{figures['sound_offset_ms']} ms after its picture",
        f"one viewer at {figures['load_bits_per_second'] / 1e6:.2f} Mbit/s costs "
        f"{figures['cpu_percent_per_viewer']} % of a core: {figures['viewers_per_core']} viewers a core "
        f"(measured with {figures['load_viewers']})",
    ]
    return "\n".join(lines)
