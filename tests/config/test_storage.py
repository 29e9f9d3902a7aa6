"""Pictures and recordings in an object store: a real server that speaks S3, and the real client."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
import s3fs
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from silkroom.catalog.pictures import forget_picture, store_picture
from silkroom.config.cli.doctor import examine
from silkroom.config.env import Environment
from silkroom.config.processes.children import wait_until
from silkroom.config.processes.gateway.files import Files
from silkroom.config.processes.servers import free_port
from silkroom.config.storage import FsspecStorage
from tests.house import picture_bytes

BUCKET = "silkroom-storage"
LOCATION = f"s3://{BUCKET}/shop"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """Address of the object store."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        assert wait_until(listens, seconds=60)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture
def client(store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The store's own client, on a bucket of this test; ours finds the store as an operator's would."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "word", "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": store, "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    made = boto3.client("s3")
    made.create_bucket(Bucket=BUCKET)
    yield made
    for kept in made.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        made.delete_object(Bucket=BUCKET, Key=kept["Key"])
    made.delete_bucket(Bucket=BUCKET)
    made.close()
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def kept_there(client: Any, settings: Any) -> Any:
    """Django's storage is the object store."""
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, storage_url=LOCATION)
    return client


def names(client: Any) -> list[str]:
    return sorted(kept["Key"] for kept in client.list_objects_v2(Bucket=BUCKET).get("Contents", []))


def test_a_file_is_kept_read_in_parts_and_deleted(client: Any) -> None:
    storage = FsspecStorage(LOCATION)
    assert storage.save("covers/a.bin", ContentFile(b"0123456789")) == "covers/a.bin"
    assert names(client) == ["shop/covers/a.bin"]
    assert (storage.exists("covers/a.bin"), storage.exists("covers"), storage.exists("covers/b")) == (
        True,
        False,
        False,
    )
    assert (storage.size("covers/a.bin"), storage.read_part("covers/a.bin", 3, 4)) == (10, b"3456")
    assert storage.read_part("covers/a.bin", 8, 100) == b"89"
    with storage.open("covers/a.bin") as file:
        assert file.read() == b"0123456789"
    found = storage.find("covers/a.bin")
    assert found is not None
    assert (found.size, found.modified_at) == (10, storage.get_modified_time("covers/a.bin"))
    assert (storage.find("covers"), storage.find("covers/b")) == (None, None)
    storage.delete("covers/a.bin")
    storage.delete("covers/a.bin")
    assert names(client) == []


def test_what_another_process_put_there_is_seen_at_once(client: Any) -> None:
    storage = FsspecStorage(LOCATION)
    assert storage.find("covers/x") is None
    assert not storage.exists("covers/x")
    client.put_object(Bucket=BUCKET, Key="shop/covers/x", Body=b"first")
    first = storage.find("covers/x")
    client.put_object(Bucket=BUCKET, Key="shop/covers/x", Body=b"other")
    other = storage.find("covers/x")
    assert first is not None
    assert other is not None
    assert first.tag != other.tag
    client.delete_object(Bucket=BUCKET, Key="shop/covers/x")
    assert storage.find("covers/x") is None


def test_a_bucket_that_is_not_there_is_an_error_and_is_not_made(client: Any) -> None:
    with pytest.raises(FileNotFoundError):
        FsspecStorage("s3://mistyped/shop").save("covers/a", ContentFile(b"x"))
    assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == [BUCKET]


def test_pictures_go_there_with_all_their_sizes(kept_there: Any) -> None:
    stored = store_picture(picture_bytes(600, 800))
    assert len(names(kept_there)) > 1
    assert f"shop/{stored.name}" in names(kept_there)
    forget_picture(stored.name)
    assert names(kept_there) == []


def test_a_finished_recording_goes_there_in_several_pieces(kept_there: Any, tmp_path: Path) -> None:
    """Larger than what one request carries; a second join takes the place of the first."""
    file = tmp_path / "joined.mp4"
    with file.open("wb") as target:
        target.write(b"head")
        target.truncate(60 * 1024**2)
    for _ in range(2):
        with file.open("rb") as opened:
            if default_storage.exists("recordings/ABC.mp4"):
                default_storage.delete("recordings/ABC.mp4")
            assert default_storage.save("recordings/ABC.mp4", File(opened)) == "recordings/ABC.mp4"
    assert names(kept_there) == ["shop/recordings/ABC.mp4"]
    assert default_storage.size("recordings/ABC.mp4") == 60 * 1024**2


async def test_the_gateway_serves_from_there(client: Any) -> None:
    storage = FsspecStorage(LOCATION)
    content = os.urandom(700_000)
    storage.save("recordings/a.mp4", File(BytesIO(content)))
    files = Files(storage, max_per_address=10)
    application = web.Application()
    application.router.add_get("/gateway/media/{name:.+}", files.handle)
    async with TestServer(application) as server, ClientSession() as session:
        address = f"http://{server.host}:{server.port}/gateway/media/recordings/a.mp4"
        async with session.get(address) as answer:
            assert await answer.read() == content
            tag = answer.headers["ETag"]
        async with session.get(address, headers={"Range": "bytes=300000-600000"}) as answer:
            assert (answer.status, await answer.read()) == (206, content[300_000:600_001])
        async with session.get(address, headers={"If-None-Match": tag}) as answer:
            assert answer.status == 304
        async with session.get(f"{address}x") as answer:
            assert answer.status == 404
    files.close()


def test_doctor_tries_it(client: Any, tmp_path: Path) -> None:
    def looked(location: str) -> bool | None:
        found = examine(Environment(data_dir=tmp_path, storage_url=location))
        return next(finding.is_well for finding in found if finding.subject == "storage")

    assert looked(LOCATION) is True
    assert names(client) == []
    assert looked("s3://mistyped/shop") is False
