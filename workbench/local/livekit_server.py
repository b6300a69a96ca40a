"""A LiveKit server of our own, on loopback only, with ports and a secret that nobody else has."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import psutil
from google.protobuf.message import DecodeError
from livekit import api

from agent.caller.access import Access as Access
from agent.caller.waiting import WaitedTooLongError
from workbench.local.processes import Command, Process, ProcessDiedError

_READY_SECONDS = 20.0
_PROBE_SECONDS = 0.05
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Doors:
    """The ports and the secret of a server on this machine."""

    port: int
    udp_port: int
    api_secret: str = field(repr=False)
    webhook_urls: tuple[str, ...] = ()
    """Where the server sends its webhooks."""


@dataclass(slots=True)
class LiveKitServer:
    """A running server: how to reach it, its process, and its ports and secret."""

    access: Access
    process: Process
    doors: Doors

    async def restart(self, *, pause_seconds: float = 0.0) -> None:
        """Kill the server, and start another one with the same address and the same keys."""
        await self.kill()
        await asyncio.sleep(pause_seconds)
        await self.start_again()

    async def kill(self) -> None:
        """End the server without a word, as when its machine loses power."""
        self.process.signal_group(signal.SIGKILL)
        await self.process.stop()

    async def start_again(self) -> None:
        """After its end, start another one with the same address and the same keys."""
        self.process = await Process(self.process.command).__aenter__()
        await _answers(self.process, self.access)

    def terminate(self) -> None:
        """Tell the server to stop: it takes no new rooms, and ends when its rooms are empty."""
        for program in psutil.Process(self.process.pid).children():
            program.terminate()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody uses at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fresh_doors(*webhook_urls: str) -> Doors:
    """Ports that nobody uses at this moment, and a new secret."""
    secret = secrets.token_urlsafe(32)
    return Doors(free_port(), free_port(socket.SOCK_DGRAM), secret, webhook_urls)


def own_address() -> str:
    """The address of this machine in its network; empty without a network. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
        return address


def config_body(doors: Doors, *, api_key: str, media_address: str = "", redis_url: str = "") -> str:
    """The server's YAML: nothing listens beyond loopback, unless `media_address` is given.

    The media socket, and nothing else, listens on that address as well. Firefox needs it: it
    neither offers loopback as its own address nor tries one with it. A stranger without a call's
    secret gets nothing out of that socket.

    The ICE/TCP listener binds every interface, so it is off. With `node_ip` alone the media socket
    would be on the network card, and with a `node_ip` all addresses are offered as that one.
    Without it the server would ask public STUN servers, unless it is an ICE-lite one.

    Servers with the same Redis are the nodes of one cluster. A new room is on a random node.
    """
    addresses = (
        ["use_ice_lite: true", "ips:", f"  includes: [127.0.0.1/32, {media_address}/32]"]
        if media_address
        else ["node_ip: 127.0.0.1", "interfaces:", "  includes: [lo, lo0]"]
    )
    lines = [
        f"port: {doors.port}",
        'bind_addresses: ["127.0.0.1"]',
        "rtc:",
        "  tcp_port: 0",
        f"  udp_port: {doors.udp_port}",
        "  use_external_ip: false",
        "  enable_loopback_candidate: true",
        *(f"  {line}" for line in addresses),
        *(_shared(redis_url) if redis_url else ()),
        "keys:",
        f"  {api_key}: {doors.api_secret}",
        *(_webhook(doors, api_key) if doors.webhook_urls else ()),
    ]
    return "\n".join(lines) + "\n"


def _shared(redis_url: str) -> list[str]:
    redis = urlsplit(redis_url)
    # By load, the servers of a busy machine would take no rooms.
    return [
        "redis:",
        f"  address: {redis.hostname}:{redis.port}",
        f'  username: "{redis.username or ""}"',
        f'  password: "{redis.password or ""}"',
        "node_selector:",
        "  kind: any",
        "  sort_by: random",
    ]


def _webhook(doors: Doors, api_key: str) -> list[str]:
    return ["webhook:", f"  api_key: {api_key}", f"  urls: [{', '.join(doors.webhook_urls)}]"]


@asynccontextmanager
async def livekit_server(
    program: Path,
    log: Path,
    *,
    doors: Doors | None = None,
    media_address: str = "",
    redis_url: str = "",
) -> AsyncIterator[LiveKitServer]:
    """Run the server until the context is left; it answers when the context is entered.

    `doors` are those of an earlier server, used again if the ports are free; the secret is used
    in any case. For `media_address` and `redis_url` see `config_body`.

    Raises ProcessDiedError or WaitedTooLongError when it does not come up.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        doors = doors or fresh_doors()
        access = Access(f"ws://127.0.0.1:{doors.port}", "local", doors.api_secret)
        body = config_body(
            doors, api_key=access.api_key, media_address=media_address, redis_url=redis_url
        )
        process = Process(_command(program, body, log))
        async with process:
            try:
                await _answers(process, access)
            except ProcessDiedError:
                # Somebody may have taken a port between our look and the server's.
                if "address already in use" in process.tail() and attempt < _ATTEMPTS:
                    doors = replace(fresh_doors(), api_secret=doors.api_secret)
                    continue
                raise
            server = LiveKitServer(access, process, doors)
            try:
                yield server
            finally:
                await server.process.stop()
            return


def _command(program: Path, body: str, log: Path) -> Command:
    # In the environment, not as an argument: everybody on the machine can list arguments. And
    # nothing else of ours goes along, as the server would obey a NODE_IP or a UDP_PORT.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LIVEKIT_CONFIG": body}
    return Command("LiveKit server", [str(program)], log, environment, grace_seconds=2.0)


async def _answers(process: Process, access: Access) -> None:
    """Return once the server takes our key: whatever else has its port does not."""
    try:
        async with (
            asyncio.timeout(_READY_SECONDS),
            api.LiveKitAPI(access.url, access.api_key, access.api_secret) as client,
        ):
            while process.code is None:
                try:
                    await client.room.list_rooms(api.ListRoomsRequest())
                except (aiohttp.ClientError, api.TwirpError, DecodeError):
                    await asyncio.sleep(_PROBE_SECONDS)
                else:
                    return
    except TimeoutError:
        raise WaitedTooLongError(
            f"the LiveKit server did not answer within {_READY_SECONDS:g} s;"
            f" its last lines:\n{process.tail()}"
        ) from None
    raise ProcessDiedError(process.obituary())
