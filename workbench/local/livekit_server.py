"""A LiveKit server of our own, on loopback only, with ports and a secret that nobody else has."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from google.protobuf.message import DecodeError
from livekit import api

from agent.caller.access import Access as Access
from agent.caller.waiting import WaitedTooLongError
from workbench.local.processes import Command, Process, ProcessDiedError

_READY_SECONDS = 20.0
_PROBE_SECONDS = 0.05
_ATTEMPTS = 3


@dataclass(slots=True)
class LiveKitServer:
    """A running server: how to reach it, and its process."""

    access: Access
    process: Process

    async def restart(self, *, pause_seconds: float = 0.0) -> None:
        """Kill the server, and start another one with the same address and the same keys."""
        self.process.signal_group(signal.SIGKILL)
        await self.process.stop()
        await asyncio.sleep(pause_seconds)
        self.process = await Process(self.process.command).__aenter__()
        await _answers(self.process, self.access)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody uses at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def config_body(*, port: int, udp_port: int, api_key: str, api_secret: str) -> str:
    """The server's YAML: nothing listens beyond loopback, media included.

    The ICE/TCP listener binds every interface, so it is off; `node_ip` alone would leave the
    media socket on the network card.
    """
    return f"""\
port: {port}
bind_addresses: ["127.0.0.1"]
rtc:
  tcp_port: 0
  udp_port: {udp_port}
  use_external_ip: false
  node_ip: 127.0.0.1
  enable_loopback_candidate: true
  interfaces:
    includes: [lo, lo0]
keys:
  {api_key}: {api_secret}
"""


@asynccontextmanager
async def livekit_server(program: Path, log: Path) -> AsyncIterator[LiveKitServer]:
    """Run the server until the context is left; it answers when the context is entered.

    Raises ProcessDiedError or WaitedTooLongError when it does not come up.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        port = free_port()
        access = Access(f"ws://127.0.0.1:{port}", "local", secrets.token_urlsafe(32))
        process = Process(_command(program, access, port, log))
        async with process:
            try:
                await _answers(process, access)
            except ProcessDiedError:
                # Somebody may have taken a port between our look and the server's.
                if "address already in use" in process.tail() and attempt < _ATTEMPTS:
                    continue
                raise
            server = LiveKitServer(access, process)
            try:
                yield server
            finally:
                await server.process.stop()
            return


def _command(program: Path, access: Access, port: int, log: Path) -> Command:
    body = config_body(
        port=port,
        udp_port=free_port(socket.SOCK_DGRAM),
        api_key=access.api_key,
        api_secret=access.api_secret,
    )
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
