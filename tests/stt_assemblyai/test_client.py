"""A connection: opened within its deadline, closed on every way out, every fault classified."""

import asyncio
import contextlib
import json
import logging
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import InvalidHandshake, InvalidProxy, InvalidURI
from websockets.http11 import Request, Response

from stt_assemblyai.client import Closed, Socket, connect, translated_errors
from stt_assemblyai.errors import (
    AssemblyAIError,
    AuthenticationError,
    ConfigurationError,
    NetworkError,
    QuotaError,
    TransientError,
)

KEY = SecretStr("k3y-of-a-test")
Serve = Callable[[ServerConnection], Awaitable[None]]


def address(server: Server | asyncio.Server, scheme: str = "ws") -> str:
    port = next(iter(server.sockets)).getsockname()[1]
    return f"{scheme}://127.0.0.1:{port}"


@contextlib.asynccontextmanager
async def serving(handler: Serve) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0) as server:
        yield address(server)


async def echo(connection: ServerConnection) -> None:
    async for frame in connection:
        await connection.send(frame)


async def failure(base_url: str, **options: float) -> AssemblyAIError:
    with pytest.raises(AssemblyAIError) as caught:
        async with connect(base_url, "", KEY, **options):
            pass
    return caught.value


async def test_frames_travel_both_ways() -> None:
    async with serving(echo) as url, connect(url, "", KEY) as socket:
        await socket.send("text")
        assert await socket.receive() == "text"
        await socket.send(b"\0\1")
        assert await socket.receive() == b"\0\1"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 1600, 65_535, 65_536, 200_001])
async def test_audio_that_is_sent_at_once_arrives_as_it_was(size: int) -> None:
    pcm = bytes(n % 251 for n in range(size))
    async with serving(echo) as url, connect(url, "", KEY) as socket:
        assert socket.send_nowait(pcm)
        assert await socket.receive() == pcm


async def test_what_cannot_be_sent_at_once_is_left_to_be_waited_for() -> None:
    released = asyncio.Event()

    async def freeze(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await released.wait()
        connection.transport.abort()

    async with serving(freeze) as url, connect(url, "", KEY) as socket:
        while socket.send_nowait(bytes(100_000)):
            pass
        released.set()
        with pytest.raises(Closed):
            await socket.receive()
        assert not socket.send_nowait(b"too late")


async def test_the_key_travels_raw_in_a_header_and_the_options_in_the_query() -> None:
    asked: list[Request] = []

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append(connection.request)
        await connection.send("seen")

    async with serving(handler) as url, connect(f"{url}/", "a=1&b=2", KEY) as socket:
        await socket.receive()
    assert asked[0].path == "/v3/ws?a=1&b=2"
    assert asked[0].headers["Authorization"] == "k3y-of-a-test"


async def test_a_secret_that_the_service_repeats_is_masked() -> None:
    said = ["k3y-of-a-test", "t0ken/of-a-test", "t0ken%2Fof-a-test", "s3cret-of-a-hook"]

    async def repeat(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"type": "Error", "error": {"message": said}}))
        await connection.close(1008, f"refused: {said[0]}")

    query = urlencode({"token": said[1], "webhook_auth_header_value": said[3], "a": 1})
    async with serving(repeat) as url, connect(url, query, KEY) as socket:
        frame = await socket.receive()
        with pytest.raises(Closed) as caught:
            await socket.receive()
    assert json.loads(frame) == {"type": "Error", "error": {"message": ["********"] * 4}}
    assert caught.value.reason == "refused: ********"


async def test_what_a_caller_says_is_not_masked() -> None:
    async with serving(echo) as url, connect(url, "", SecretStr("self-hosted")) as socket:
        await socket.send('{"transcript": "we are self-hosted"}')
        assert await socket.receive() == '{"transcript": "we are self-hosted"}'


async def test_an_answer_that_repeats_the_key_is_masked() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        key = request.headers["Authorization"]
        return connection.respond(HTTPStatus(401), json.dumps({"error": f"{key} is wrong"}))

    async with serve(echo, "127.0.0.1", 0, process_request=refuse) as server:
        error = await failure(address(server))
    assert error.server_text == "******** is wrong"


def redirecting(status: int, to: str) -> Callable[[ServerConnection, Request], Response | None]:
    def redirect(connection: ServerConnection, request: Request) -> Response | None:
        if request.path.endswith("moved=1"):
            return None
        answer = connection.respond(HTTPStatus(status), "moved")
        answer.headers["Location"] = to
        return answer

    return redirect


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["ws", "wss", "https"])
async def test_no_redirect_is_followed_to_another_host(status: int, scheme: str) -> None:
    connected: list[ServerConnection] = []

    async def elsewhere(connection: ServerConnection) -> None:
        connected.append(connection)

    async with serving(elsewhere) as other:
        host = other.removeprefix("ws://")
        redirect = redirecting(status, f"{scheme}://u:s3cret@{host}/v3/ws?token=s3cret")
        async with serve(echo, "127.0.0.1", 0, process_request=redirect) as server:
            asked = address(server)
            error = await failure(asked)
    assert isinstance(error, ConfigurationError)
    assert str(error) == (
        f"{asked.removeprefix('ws://')} redirects to {host}, and no audio is sent there "
        f"(HTTP {status}). Make that the base URL if you trust it."
    )
    assert connected == []


async def test_a_redirect_within_the_host_is_followed() -> None:
    redirect = redirecting(307, "/elsewhere?moved=1")
    async with (
        serve(echo, "127.0.0.1", 0, process_request=redirect) as server,
        connect(address(server), "", KEY) as socket,
    ):
        await socket.send("here")
        assert await socket.receive() == "here"


async def test_an_address_that_is_a_black_hole_does_not_keep_from_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with a broken IPv6: the name has two addresses, and packets to the first vanish."""
    with socket.socket() as hole, contextlib.ExitStack() as clients:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        for _ in range(3):  # its queue is full: who knocks now is not answered
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(hole.getsockname())
        async with serving(echo) as url:
            alive = ("127.0.0.1", int(url.rpartition(":")[2]))
            found = [
                (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", at)
                for at in (hole.getsockname(), alive)
            ]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
            async with connect("ws://two-addresses.test", "", KEY) as connection:
                await connection.send("through")
                assert await connection.receive() == "through"


async def test_a_socks_proxy_without_its_package_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:s3cret@127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "python_socks.async_.asyncio", None)
    error = await failure("wss://streaming.example")
    assert isinstance(error, ConfigurationError)
    assert "needs the package python-socks" in str(error)
    assert "s3cret" not in str(error)


async def test_the_key_and_what_is_said_reach_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with serving(echo) as url, connect(url, "secret=1", KEY) as socket:
            await socket.send("what a caller says")
            await socket.receive()
    own = [r.getMessage() for r in caplog.records if r.name.startswith("stt_assemblyai")]
    assert own == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthenticationError),
        (404, ConfigurationError),
        (429, QuotaError),
        (503, TransientError),
    ],
)
async def test_an_answer_that_is_no_upgrade_is_classified(
    status: int, kind: type[AssemblyAIError]
) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(HTTPStatus(status), "not today")

    async with serve(echo, "127.0.0.1", 0, process_request=refuse) as server:
        error = await failure(address(server))
    assert type(error) is kind
    assert error.server_text == "not today"


async def test_a_refused_connection_is_a_network_error() -> None:
    async with serving(echo) as url:
        pass
    assert type(await failure(url)) is NetworkError


async def test_a_handshake_that_hangs_ends_at_its_deadline() -> None:
    gone = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        error = await failure(address(server), connect_timeout_seconds=0.05)
        gone.set()
    assert isinstance(error, NetworkError)
    assert "did not answer in time" in str(error)


async def test_a_server_that_speaks_no_http_is_a_network_error() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        assert type(await failure(address(server))) is NetworkError


@pytest.mark.parametrize("path", ["", "/", "/v3/ws", "/v3/ws/"])
async def test_the_path_may_stand_in_the_address(path: str) -> None:
    asked: list[str] = []

    def note(_: ServerConnection, request: Request) -> None:
        asked.append(request.path)

    async with (
        serve(echo, "127.0.0.1", 0, process_request=note) as server,
        connect(address(server) + path, "a=1", KEY),
    ):
        pass
    assert asked == ["/v3/ws?a=1"]


async def test_a_proxy_may_add_a_date_of_its_own() -> None:
    def date_twice(_: ServerConnection, __: Request, response: Response) -> Response:
        response.headers["Date"] = "Thu, 01 Jan 1970 00:00:00 GMT"
        return response

    async with (
        serve(echo, "127.0.0.1", 0, process_response=date_twice) as server,
        connect(address(server), "", KEY) as socket,
    ):
        await socket.send("text")
        assert await socket.receive() == "text"


@pytest.mark.parametrize(
    "base_url",
    ["https://streaming.assemblyai.com", "wss://", "nonsense", "wss://host:port", "wss://[::1"],
)
async def test_an_address_that_is_none_is_refused_at_once(base_url: str) -> None:
    error = await failure(base_url)
    assert isinstance(error, ConfigurationError)
    assert error.remedy == "Write it like wss://streaming.assemblyai.com."


def exceptions_of(base: type[BaseException]) -> list[type[BaseException]]:
    return [base, *(leaf for child in base.__subclasses__() for leaf in exceptions_of(child))]


@pytest.mark.parametrize("kind", exceptions_of(InvalidHandshake))
def test_no_exception_of_the_library_below_is_missed(kind: type[BaseException]) -> None:
    error = kind.__new__(kind)
    if kind.__name__ == "InvalidStatus":
        error.response = Response(500, "", None, b"")  # type: ignore[attr-defined]
    with pytest.raises(AssemblyAIError), translated_errors("wss://host"):
        raise error


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (InvalidURI("wss://host?secret=1", "no"), ConfigurationError, "host cannot be used"),
        (InvalidProxy("proxy", "no"), ConfigurationError, "host cannot be used"),
        (ssl.SSLCertVerificationError(1, "x"), ConfigurationError, "host is not trusted"),
        (ssl.SSLError(1, "x"), NetworkError, "host cannot be reached"),
        (socket.gaierror(-2, "x"), NetworkError, "host cannot be looked up"),
        (TimeoutError(), NetworkError, "host did not answer in time"),
        (ConnectionResetError(), NetworkError, "host cannot be reached"),
        (EOFError(), NetworkError, "host cannot be reached"),
    ],
)
def test_faults_of_the_network_are_told_apart(
    error: Exception, kind: type[AssemblyAIError], says: str
) -> None:
    with pytest.raises(kind, match=says) as caught, translated_errors("wss://u:p@host"):
        raise error
    assert "secret" not in repr(caught.value.__cause__)


async def test_a_close_tells_its_code_and_reason() -> None:
    async def close(connection: ServerConnection) -> None:
        await connection.close(3008, "Session Expired")

    async with serving(close) as url, connect(url, "", KEY) as socket:
        with pytest.raises(Closed) as caught:
            await socket.receive()
        assert (caught.value.code, caught.value.reason) == (3008, "Session Expired")
        with pytest.raises(Closed):
            await socket.send("too late")


async def test_a_connection_that_breaks_has_code_1006() -> None:
    async def breaks(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with serving(breaks) as url, connect(url, "", KEY) as socket:
        with pytest.raises(Closed) as caught:
            await socket.receive()
        assert caught.value.code == 1006


async def test_closing_wakes_whoever_waits() -> None:
    async with serving(echo) as url, connect(url, "", KEY) as socket:
        waiting = asyncio.create_task(socket.receive())
        await socket.close()
        with pytest.raises(Closed):
            await waiting


async def fill(socket: Socket) -> None:
    """Send until the pipe is full, and sending has to wait."""
    while True:
        await socket.send(bytes(100_000))


@pytest.mark.parametrize("busy", [False, True])
async def test_a_connection_gone_silent_is_noticed(busy: bool) -> None:
    """Half open: the peer accepts, then neither reads nor writes nor closes."""
    released = asyncio.Event()

    async def freeze(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await released.wait()
        connection.transport.abort()

    async with serving(freeze) as url:
        async with connect(url, "", KEY, dead_after_seconds=0.1) as socket:
            with pytest.raises(Closed) as caught:
                await (fill(socket) if busy else socket.receive())
        released.set()
    assert caught.value.code in (1006, 1011)


async def test_a_peer_that_speaks_is_alive_even_if_its_pongs_are_late() -> None:
    async def talk(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        for number in range(20):
            await connection.send(str(number))
            await asyncio.sleep(0.02)
        connection.transport.resume_reading()
        await connection.wait_closed()

    async with serving(talk) as url, connect(url, "", KEY, dead_after_seconds=0.2) as socket:
        began_at = socket.alive_at
        assert [await socket.receive() for _ in range(20)] == [str(n) for n in range(20)]
        assert socket.alive_at > began_at
