"""Records in an object store, over a real socket to a real server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.records.object_store import ObjectStore
from agent.records.store import StoreError
from workbench.local.livekit_server import free_port
from workbench.local.s3_server import BUCKET, S3Server, find_or_build, s3_server

pytestmark = pytest.mark.slow
NAME = "2026-11-28/143002-RM_1/RM_1.jsonl"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[S3Server]:
    async with s3_server(await find_or_build(print), tmp_path / "log") as running:
        yield running


async def test_a_file_is_put_and_got_back(server: S3Server, tmp_path: Path) -> None:
    store = ObjectStore(f"s3://{BUCKET}/agent one", server.variables)
    file = tmp_path / "RM_1.jsonl"
    file.write_bytes(b'{"kind": "end"}\n')
    assert await store.get(NAME) is None
    await store.put(NAME, file)
    assert await store.get(NAME) == b'{"kind": "end"}\n'
    assert await ObjectStore(f"s3://{BUCKET}", server.variables).get(NAME) is None
    await store.remove(NAME)
    await store.remove(NAME)
    assert await store.get(NAME) is None
    large = tmp_path / "RM_1.ogg"
    large.write_bytes(bytes(12_000_000))  # in several parts
    await store.put(NAME, large)
    assert len(await store.get(NAME) or b"") == 12_000_000


async def test_what_cannot_be_is_a_short_sentence(server: S3Server, tmp_path: Path) -> None:
    elsewhere = ObjectStore("s3://no-such-bucket", server.variables)
    with pytest.raises(StoreError, match=r"404|NoSuchBucket|not found") as raised:
        await elsewhere.put(NAME, tmp_path / "log")
    assert len(str(raised.value)) <= 200
    with pytest.raises(StoreError):
        await ObjectStore(f"s3://{BUCKET}", server.variables).put(NAME, tmp_path / "none")


async def test_a_store_that_is_away_says_so_soon(tmp_path: Path) -> None:
    nobody = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}", "AWS_ACCESS_KEY_ID": "x"}
    store = ObjectStore("s3://bucket", {**nobody, "AWS_SECRET_ACCESS_KEY": "x"})
    (tmp_path / "file").touch()
    async with asyncio.timeout(10):
        with pytest.raises(StoreError, match=r"127\.0\.0\.1"):
            await store.put(NAME, tmp_path / "file")
        with pytest.raises(StoreError):
            await store.get(NAME)


def test_an_address_that_cannot_be_is_refused() -> None:
    with pytest.raises(StoreError):
        ObjectStore("gopher://bucket", {})
