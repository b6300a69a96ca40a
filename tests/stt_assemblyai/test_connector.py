"""Regions take turns when one is down; a key or a token proves who we are, never in an error."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve

from stt_assemblyai.connector import Connector
from stt_assemblyai.errors import AssemblyAIError, ConfigurationError, NetworkError, QuotaError

NOWHERE = "ws://127.0.0.1:9"  # the discard port: nobody listens


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """Tells each caller the path it asked for and the key it showed."""

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        await connection.send(connection.request.path)
        await connection.send(connection.request.headers.get("Authorization", "no key"))

    async with serve(handler, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def shown(dialer: Connector) -> tuple[str | bytes, str | bytes]:
    async with dialer("a=1") as socket:
        return await socket.receive(), await socket.receive()


async def test_an_api_key_is_shown_in_a_header() -> None:
    async with serving() as url:
        assert await shown(Connector(url, api_key=SecretStr("k"))) == ("/v3/ws?a=1", "k")


@pytest.mark.parametrize("token", ["t&o", SecretStr("t&o")])
async def test_a_token_is_shown_in_the_query_and_the_key_stays_at_home(
    token: str | SecretStr,
) -> None:
    async with serving() as url:
        dialer = Connector(url, api_key=SecretStr("k"), token=token)
        assert await shown(dialer) == ("/v3/ws?a=1&token=t%26o", "no key")
        assert not dialer.renews_tokens


async def test_a_token_is_fetched_anew_for_every_session() -> None:
    tokens = iter(["one", "two"])

    async def fetch() -> str:
        return next(tokens)

    async with serving() as url:
        dialer = Connector(url, token=fetch)
        assert dialer.renews_tokens
        assert [(await shown(dialer))[0] for _ in range(2)] == [
            "/v3/ws?a=1&token=one",
            "/v3/ws?a=1&token=two",
        ]


async def test_a_token_that_cannot_be_fetched_may_be_tried_again() -> None:
    async def fetch() -> str:
        raise OSError("no route")

    with pytest.raises(NetworkError, match="token could not be fetched"):
        await shown(Connector(NOWHERE, token=fetch))


async def test_the_applications_own_verdict_on_a_token_stands() -> None:
    async def fetch() -> str:
        raise ConfigurationError("This caller may not stream")

    with pytest.raises(ConfigurationError, match="may not stream"):
        await shown(Connector(NOWHERE, token=fetch))


async def test_regions_take_turns_when_one_is_down() -> None:
    async with serving() as url:
        dialer = Connector([NOWHERE, url], api_key=SecretStr("k"))
        with pytest.raises(AssemblyAIError):
            await shown(dialer)
        assert [await shown(dialer) for _ in range(2)] == [("/v3/ws?a=1", "k")] * 2


async def test_the_newline_at_the_end_of_a_keys_file_is_left_out() -> None:
    async with serving() as url:
        assert await shown(Connector(url, api_key=SecretStr("k\n"))) == ("/v3/ws?a=1", "k")


@pytest.mark.parametrize("key", ["a\nb", "kéy", "a\r\nX-Header: b"])
def test_what_cannot_be_a_key_is_said_and_not_repeated(key: str) -> None:
    with pytest.raises(ConfigurationError, match="api_key has a character") as caught:
        Connector(api_key=SecretStr(key))
    assert key not in str(caught.value)


@pytest.mark.parametrize("api_key", [None, SecretStr("")])
def test_without_key_and_token_nothing_is_tried(api_key: SecretStr | None) -> None:
    with pytest.raises(ConfigurationError, match="api_key is missing"):
        Connector(api_key=api_key)


@pytest.mark.looptime
async def test_who_comes_too_soon_waits_for_the_budget_of_new_sessions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def fetch() -> str:
        raise ValueError("no connection is needed for this")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("time.time", lambda: 1e9 + asyncio.get_running_loop().time())
    dialer = Connector(NOWHERE, token=fetch, new_sessions_per_minute=1)
    opened_at = []
    for _ in range(3):
        with pytest.raises(NetworkError):
            async with dialer("a=1"):
                pass
        opened_at.append(asyncio.get_running_loop().time())
    assert opened_at == pytest.approx([0, 61, 122], abs=0.1)
    assert dialer.waited_seconds == pytest.approx(122, abs=0.1)


@pytest.mark.looptime
async def test_who_would_wait_too_long_for_the_budget_is_told_at_once_and_takes_none_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    key = SecretStr("k")
    dialer = Connector(NOWHERE, api_key=key, new_sessions_per_minute=1, longest_wait_seconds=30)
    with pytest.raises(NetworkError):
        async with dialer("a=1"):
            pass
    for _ in range(3):
        with pytest.raises(QuotaError) as caught:
            async with dialer("a=1"):
                pass
        assert caught.value.retry_after_seconds == pytest.approx(61, abs=0.1)
    assert asyncio.get_running_loop().time() == 0


@pytest.mark.looptime
async def test_who_has_a_fallback_waits_for_the_budget_no_longer_than_it_may_take(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    dialer = Connector(NOWHERE, api_key=SecretStr("k"), new_sessions_per_minute=1)
    for kind in (NetworkError, QuotaError):
        with pytest.raises(kind):
            async with dialer("a=1", within_seconds=3):
                pass
    assert asyncio.get_running_loop().time() == 0


@pytest.mark.looptime
async def test_another_budget_takes_the_place_of_the_machines_own() -> None:
    class Queue:
        """Each session waits for its turn twice."""

        def __init__(self) -> None:
            self.answers = [2.0, 3.0, 0.0, 2.0, 3.0]

        async def take(self) -> float:
            return self.answers.pop(0)

    dialer = Connector(NOWHERE, api_key=SecretStr("k"), budget=Queue(), longest_wait_seconds=6)
    with pytest.raises(NetworkError):
        async with dialer("a=1"):
            pass
    assert dialer.waited_seconds == 5
    with pytest.raises(QuotaError):
        async with dialer("a=1", within_seconds=4):
            pass
    assert asyncio.get_running_loop().time() == 7
