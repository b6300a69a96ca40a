"""One connection to the service: the socket, without decisions.

`connect` opens it within a deadline and translates whatever the WebSocket library, the resolver or
TLS raises into this package's own errors. The API key travels raw in the Authorization header
(protocol notes, section 2). It appears in no message, address or repr, even if the service repeats
it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from pydantic import SecretStr
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
)
from websockets.frames import apply_mask  # type: ignore[attr-defined] # in C where it can be
from websockets.protocol import State

from stt_assemblyai.errors import (
    AssemblyAIError,
    ConfigurationError,
    HttpStatus,
    NetworkError,
    classify_http,
)
from stt_assemblyai.framing import MaskedFrames
from stt_assemblyai.masking import mask_for
from stt_assemblyai.service import DEFAULT_BASE_URL
from stt_assemblyai.whole_messages import WholeMessages

__all__ = ["Closed", "Socket", "connect"]

CONNECT_TIMEOUT_SECONDS = 10.0
DEAD_AFTER_SECONDS = 6.0  # after the last sign of life
_API_VERSION = "2025-05-12"
_PATH = "/v3/ws"
_LARGEST_ANSWER_BYTES = 4 << 20  # a whole turn with its words is a few kB
_CLOSE_SECONDS = 1.0
_NEXT_ADDRESS_SECONDS = 0.25  # RFC 8305, section 5

# At debug level the library logs frames, and with them what callers say: give it a mute logger.
_mute = logging.getLogger("stt_assemblyai.websockets")
_mute.setLevel(logging.CRITICAL + 1)


class Closed(Exception):  # noqa: N818 - not an error by itself: the protocol judges the code
    """The socket is closed; code 1006 means that it broke without a close frame."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(code, reason)


class Socket(Protocol):
    """What the rest of the package needs from a connection; tests bring their own."""

    @property
    def alive_at(self) -> float:
        """When we last heard from the peer, on the event loop's clock."""

    @property
    def ahead_seconds(self) -> float | None:
        """The peer's unix time when the connection was opened, minus the event loop's time; None if
        it sent none."""

    def send_nowait(self, frame: str | bytes) -> bool:
        """Send one frame at once; False if it could not: then `send` it."""

    async def send(self, frame: str | bytes) -> None:
        """Send one frame. Raises `Closed`."""

    async def receive(self) -> str | bytes:
        """The next frame. Raises `Closed`. Safe to cancel."""

    async def close(self) -> None:
        """Close within a second; a pending `receive` raises `Closed`."""


class _WebSocket:
    def __init__(self, connection: WholeMessages, masked: Callable[[str], str]) -> None:
        self._connection = connection
        self._masked = masked
        self._frames = MaskedFrames(os.urandom, apply_mask)
        self.alive_at = connection.loop.time()
        self.ahead_seconds = _ahead_seconds(connection, self.alive_at)

    async def send(self, frame: str | bytes) -> None:
        try:
            await self._connection.send(frame)
        except ConnectionClosed as error:
            raise self._closed(error) from None

    def send_nowait(self, frame: str | bytes) -> bool:
        connection, transport = self._connection, self._connection.transport
        if connection.protocol.state is not State.OPEN or transport.get_write_buffer_size():
            return False
        # A third of what `send` costs, which copes with fragments and a full pipe.
        transport.write(self._frames.frame(frame))
        return True

    async def receive(self) -> str | bytes:
        try:
            frame = await self._connection.next_message()
        except ConnectionClosed as error:
            raise self._closed(error) from None
        self.alive_at = self._connection.loop.time()
        if isinstance(frame, str) and '"transcript"' not in frame:
            return self._masked(frame)
        return frame

    async def close(self) -> None:
        await self._connection.close()

    def _closed(self, error: ConnectionClosed) -> Closed:
        closing = error.rcvd
        return Closed(closing.code, self._masked(closing.reason)) if closing else Closed(1006, "")

    async def watch(self, beat_seconds: float) -> None:
        """Ping if nothing has come for `beat_seconds`; abort if nothing comes for as long again."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                asked_at = self._connection.loop.time()
                if (early_seconds := self.alive_at + beat_seconds - asked_at) > 0:
                    await asyncio.sleep(early_seconds)
                    continue
                try:
                    async with asyncio.timeout(beat_seconds):  # a full pipe delays the ping itself
                        await (await self._connection.ping())
                except TimeoutError:
                    if self.alive_at < asked_at:
                        return self._connection.transport.abort()
                else:
                    self.alive_at = self._connection.loop.time()


class _Opening(open_websocket):
    """Opens a connection. A redirect is followed within one origin: audio goes nowhere else."""

    def __init__(self, address: str, **options: Any) -> None:
        super().__init__(
            address,
            compression=None,
            max_size=_LARGEST_ANSWER_BYTES,
            logger=_mute,
            create_connection=WholeMessages,
            **options,
            **_all_addresses(),
        )

    def process_redirect(self, exc: Exception) -> Exception | str:
        """The address to connect to instead, or the error to raise."""
        asked = self.ws_uri
        try:
            address = super().process_redirect(exc)
        except InvalidURI:
            return exc
        if not isinstance(address, str):
            return exc if isinstance(exc, InvalidStatus) else address
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "wss" else 80)
        origin = (parts.scheme == "wss", parts.hostname, port)
        return address if origin == (asked.secure, asked.host, asked.port) else exc


@contextlib.asynccontextmanager
async def connect(
    base_url: str,
    query: str,
    api_key: SecretStr | None,
    *,
    connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
    dead_after_seconds: float = DEAD_AFTER_SECONDS,
) -> AsyncIterator[Socket]:
    """A connection, closed on every way out. Without a key the query holds a token.

    Pings notice a silent connection within `dead_after_seconds`. Raises `AssemblyAIError` if the
    connection cannot be opened; later its methods raise `Closed`.
    """
    headers = {"AssemblyAI-Version": _API_VERSION}
    if api_key is not None:
        headers["Authorization"] = api_key.get_secret_value()
    masked = mask_for(query, api_key)
    opening = _Opening(
        _address(base_url, query),
        additional_headers=headers,
        user_agent_header="livekit-assemblyai-agent",
        open_timeout=connect_timeout_seconds,
        ping_interval=None,  # `watch` pings, and notes when the peer last answered
        close_timeout=_CLOSE_SECONDS,
    )
    with translated_errors(base_url, masked):
        connection = await opening
    assert isinstance(connection, WholeMessages)
    websocket = _WebSocket(connection, masked)
    watching = asyncio.create_task(websocket.watch(dead_after_seconds / 2))
    try:
        yield websocket
    finally:
        watching.cancel()
        await connection.close()
        await asyncio.wait([watching])


def _ahead_seconds(connection: WholeMessages, now: float) -> float | None:
    """By the Date header of the handshake's answer, in whole seconds. A proxy may have added its
    own."""
    dates = connection.response.headers.get_all("Date") if connection.response else []
    try:
        return parsedate_to_datetime(dates[0] if dates else "").timestamp() - now
    except (ValueError, OverflowError):
        return None


def _address(base_url: str, query: str) -> str:
    try:
        parts = urlsplit(base_url)
        fits = parts.scheme in ("ws", "wss") and parts.hostname and parts.port != 0
    except ValueError:  # the port is no number, a bracket is open
        fits = False
    if not fits:
        raise ConfigurationError(
            "The base URL is not a WebSocket address",
            remedy=f"Write it like {DEFAULT_BASE_URL}.",
        )
    return f"{base_url.rstrip('/').removesuffix(_PATH)}{_PATH}?{query}"


def _all_addresses() -> dict[str, Any]:
    """Try addresses side by side, since the first may not answer; only Python's own loops can."""
    own = isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)
    return {"happy_eyeballs_delay": _NEXT_ADDRESS_SECONDS, "interleave": 1} if own else {}


@contextlib.contextmanager
def translated_errors(
    base_url: str, masked: Callable[[str], str] = lambda text: text
) -> Iterator[None]:
    """Translate whatever goes wrong before a connection is open into this package's errors.

    `masked` removes secrets from the service's answers.
    """
    host = urlsplit(base_url).netloc.rpartition("@")[2]
    try:
        yield
    except InvalidStatus as error:
        raise _refusal(error, host, masked) from None
    except (InvalidURI, InvalidProxy):
        raise ConfigurationError(
            f"The address of {host} cannot be used", remedy="Check the base URL and the proxy."
        ) from None  # its text holds the whole address, which may hold a secret
    except ImportError:
        raise ConfigurationError(
            f"{host} is to be reached by a SOCKS proxy, which needs the package python-socks",
            remedy='Run pip install "python-socks[asyncio]", or name this host in NO_PROXY.',
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise ConfigurationError(
            f"The certificate of {host} is not trusted",
            remedy="Check the base URL, this machine's clock and its certificates.",
        ) from error
    except socket.gaierror as error:
        raise NetworkError(
            f"The name of {host} cannot be looked up", remedy="Check the network and the base URL."
        ) from error
    except TimeoutError as error:
        raise NetworkError(f"{host} did not answer in time") from error
    except (OSError, InvalidHandshake, EOFError, ConnectionClosed) as error:
        raise NetworkError(f"{host} cannot be reached") from error


def _refusal(error: InvalidStatus, host: str, masked: Callable[[str], str]) -> AssemblyAIError:
    """The error for an answer that is no upgrade. A redirect is named by its host alone: the rest
    of the address may hold a secret."""
    answer = error.response
    if 300 <= answer.status_code < 400 and "Location" in answer.headers:
        location = urljoin(f"//{host}", answer.headers["Location"])
        other = urlsplit(location).netloc.rpartition("@")[2]
        return ConfigurationError(
            f"{host} redirects to {masked(other)}, and no audio is sent there",
            code=HttpStatus(answer.status_code),
            remedy="Make that the base URL if you trust it.",
        )
    body = bytes(answer.body or b"").decode(errors="replace")
    return classify_http(answer.status_code, masked(body))
