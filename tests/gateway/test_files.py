"""Pictures and recordings at the gateway: whole, in ranges, known already; never what is not public; slow readers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from django.core.files.base import File
from django.test import override_settings
from yarl import URL

from silkroom.config.processes.gateway.files import Files
from silkroom.config.processes.supervisor import Stack
from silkroom.config.storage import FsspecStorage
from silkroom.kit.addresses import read_networks

NAME = "recordings/evening.mp4"
CONTENT = bytes(range(256)) * 4

pytestmark = pytest.mark.asyncio


@pytest.fixture
def storage(tmp_path: Path) -> FsspecStorage:
    kept = FsspecStorage(str(tmp_path / "storage"))
    kept.save(NAME, File(BytesIO(CONTENT)))
    (tmp_path / "storage" / "secrets").mkdir()
    (tmp_path / "storage" / "secrets" / "key").write_text("secret")
    (tmp_path / "outside").write_text("secret")
    return kept


@pytest_asyncio.fixture
async def server(storage: FsspecStorage) -> AsyncIterator[TestServer]:
    files = Files(storage, max_per_address=2, most_readers=3, patience_seconds=0.3)
    application = web.Application()
    application.router.add_get("/gateway/media/{name:.+}", files.handle)
    async with TestServer(application) as running:
        yield running
    files.close()


async def ask(
    server: TestServer, name: str = NAME, method: str = "GET", **headers: str
) -> tuple[aiohttp.ClientResponse, bytes]:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    address = URL(f"http://{server.host}:{server.port}/gateway/media/{name}", encoded=True)
    async with aiohttp.ClientSession() as session, session.request(method, address, headers=named) as response:
        return response, await response.read()


async def test_a_file_is_served_whole(server: TestServer) -> None:
    response, body = await ask(server)
    assert (response.status, body) == (200, CONTENT)
    assert response.headers["Content-Type"] == "video/mp4"
    assert response.headers["Content-Length"] == "1024"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Cache-Control"] == "public, max-age=86400"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_head_tells_the_same_without_the_bytes(server: TestServer) -> None:
    response, body = await ask(server, method="HEAD")
    assert (response.status, body, response.headers["Content-Length"]) == (200, b"", "1024")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=1000-", 1000, 1023), ("bytes=-24", 1000, 1023), ("bytes=1020-5000", 1020, 1023)],
)
async def test_a_range_is_served_exactly(server: TestServer, asked: str, first: int, last: int) -> None:
    response, body = await ask(server, Range=asked)
    assert (response.status, body) == (206, CONTENT[first : last + 1])
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/1024"


async def test_a_range_behind_the_end_is_refused(server: TestServer) -> None:
    response, _ = await ask(server, Range="bytes=1024-")
    assert response.status == 416
    assert response.headers["Content-Range"] == "bytes */1024"


@pytest.mark.parametrize("asked", [f"bytes={'9' * 5000}-", f"bytes=-{'9' * 5000}", f"bytes=0-{'9' * 5000}"])
async def test_a_range_of_endless_numbers_is_no_range(server: TestServer, asked: str) -> None:
    response, body = await ask(server, Range=asked)
    assert (response.status, body) == (200, CONTENT)


async def test_a_copy_of_now_is_not_sent_again(server: TestServer, storage: FsspecStorage) -> None:
    first, _ = await ask(server)
    tag, moment = first.headers["ETag"], first.headers["Last-Modified"]
    assert (await ask(server, If_None_Match=tag))[0].status == 304
    assert (await ask(server, If_None_Match='"another"', If_Modified_Since=moment))[0].status == 200
    assert (await ask(server, If_Modified_Since=moment))[0].status == 304
    assert (await ask(server, If_Modified_Since="Mon, 05 Jan 2004 00:00:00 GMT"))[0].status == 200
    assert (await ask(server, Range="bytes=0-9", If_Range=tag))[0].status == 206
    storage.delete(NAME)
    storage.save(NAME, File(BytesIO(CONTENT[::-1])))
    assert (await ask(server, If_None_Match=tag))[1] == CONTENT[::-1]
    response, body = await ask(server, Range="bytes=0-9", If_Range=tag)
    assert (response.status, body) == (200, CONTENT[::-1]), "a range of another file would mix two"


@pytest.mark.parametrize(
    "name",
    [
        "secrets/key", "recordings", "recordings/", "recordings/none.mp4", "recordings/evening.mp4/x",
        "recordings/../secrets/key", "recordings/%2e%2e/secrets/key", "recordings/..%2fsecrets/key",
        "recordings/..%2f..%2foutside", "recordings/%2e%2e%2f%2e%2e%2foutside", "%2foutside", "..%2foutside",
        "recordings/a%00b", "recordings/" + "x" * 400, "pictures/" + "x/" * 90 + "x",
    ],
)  # fmt: skip
async def test_nothing_else_can_be_read(server: TestServer, name: str) -> None:
    response, body = await ask(server, name)
    assert (response.status, body) == (404, b"not found\n")


async def test_the_moment_told_is_the_files_own(server: TestServer, storage: FsspecStorage) -> None:
    response, _ = await ask(server)
    told = datetime.strptime(response.headers["Last-Modified"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert told == storage.get_modified_time(NAME).replace(microsecond=0)


def slow_reader(address: str, name: str, headers: str = "") -> socket.socket:
    """Asks for a file and takes nothing of it."""
    parts = urlsplit(address)
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.settimeout(20)
    opened.connect((parts.hostname, parts.port))
    opened.sendall(f"GET /gateway/media/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode())
    return opened


def read_to_the_end(opened: socket.socket) -> int:
    """Bytes until the other side ends; it may do so rudely."""
    count = 0
    try:
        while chunk := opened.recv(1024 * 1024):
            count += len(chunk)
    except ConnectionResetError:
        pass
    return count


async def test_a_reader_that_takes_nothing_is_let_go(server: TestServer, storage: FsspecStorage) -> None:
    storage.save("recordings/long.mp4", File(BytesIO(bytes(32 * 1024**2))))
    address = f"http://{server.host}:{server.port}"
    with await asyncio.to_thread(slow_reader, address, "recordings/long.mp4") as opened:
        assert await asyncio.to_thread(opened.recv, 12) == b"HTTP/1.1 200"
        async with asyncio.timeout(20):
            while True:
                await asyncio.sleep(0.02)
                if not server.runner.server.connections:  # type: ignore[union-attr]
                    break
        assert await asyncio.to_thread(read_to_the_end, opened) < 32 * 1024**2


async def test_a_reader_that_takes_a_little_now_and_then_is_let_go_too(
    server: TestServer, storage: FsspecStorage
) -> None:
    storage.save("recordings/long.mp4", File(BytesIO(bytes(32 * 1024**2))))
    with await asyncio.to_thread(slow_reader, f"http://{server.host}:{server.port}", "recordings/long.mp4") as opened:
        async with asyncio.timeout(20):
            assert await asyncio.to_thread(opened.recv, 12) == b"HTTP/1.1 200"
            while server.runner.server.connections:  # type: ignore[union-attr]
                await asyncio.to_thread(opened.recv, 64)
                await asyncio.sleep(0.05)


async def test_so_many_readers_and_no_more(server: TestServer, storage: FsspecStorage) -> None:
    """This machine's own address is not counted for itself, the readers in all are."""
    storage.save("recordings/long.mp4", File(BytesIO(bytes(32 * 1024**2))))
    address = f"http://{server.host}:{server.port}"
    readers = [await asyncio.to_thread(slow_reader, address, "recordings/long.mp4") for _ in range(3)]
    try:
        assert all([await asyncio.to_thread(reader.recv, 12) == b"HTTP/1.1 200" for reader in readers])
        response, body = await ask(server)
        assert (response.status, b"too_many_open" in body) == (429, True)
    finally:
        for reader in readers:
            reader.close()
    async with asyncio.timeout(20):
        while True:
            await asyncio.sleep(0.05)
            if (await ask(server))[0].status == 200:
                break


@override_settings(TRUSTED_PROXIES=read_networks(["127.0.0.1"]))
async def test_so_many_readers_of_one_address(server: TestServer, storage: FsspecStorage) -> None:
    storage.save("recordings/long.mp4", File(BytesIO(bytes(32 * 1024**2))))
    address = f"http://{server.host}:{server.port}"
    one = "X-Forwarded-For: 198.51.100.9\r\n"
    readers = [await asyncio.to_thread(slow_reader, address, "recordings/long.mp4", one) for _ in range(2)]
    try:
        assert all([await asyncio.to_thread(reader.recv, 12) == b"HTTP/1.1 200" for reader in readers])
        assert (await ask(server, X_Forwarded_For="198.51.100.9"))[0].status == 429
        assert (await ask(server, X_Forwarded_For="198.51.100.10"))[0].status == 200
    finally:
        for reader in readers:
            reader.close()


async def test_slow_readers_keep_nobody_else_waiting(stack: Stack, session: aiohttp.ClientSession) -> None:
    storage = FsspecStorage(stack.environment.storage_location)
    size = 16 * 1024**2
    storage.save("recordings/slow.mp4", File(BytesIO(bytes(size))))
    storage.save(NAME, File(BytesIO(CONTENT)))
    gateway = stack.gateway_urls[0]
    count = stack.environment.web_threads * 3
    readers = [await asyncio.to_thread(slow_reader, gateway, "recordings/slow.mp4") for _ in range(count)]
    try:
        assert all([await asyncio.to_thread(reader.recv, 12) == b"HTTP/1.1 200" for reader in readers])
        async with asyncio.timeout(20):
            async with session.get(f"{stack.web_url}/gateway/media/{NAME}") as response:
                assert (str(response.url), await response.read()) == (
                    f"{gateway}/gateway/media/{NAME}", CONTENT)  # fmt: skip
            async with session.get(f"{gateway}/gateway/health") as response:
                assert response.status == 200
        assert await asyncio.to_thread(read_exactly_after_head, readers[0]) == size
    finally:
        for reader in readers:
            reader.close()
        storage.delete("recordings/slow.mp4")


def read_exactly_after_head(opened: socket.socket) -> int:
    """Length of the body of an answer whose first line has begun."""
    file = opened.makefile("rb")
    while file.readline().strip():
        pass
    return len(file.read(16 * 1024**2))
