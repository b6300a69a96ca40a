"""A real Redis server on a free port of loopback: it can be killed, frozen, filled and slowed."""

import os
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from workbench.local.livekit_server import free_port
from workbench.local.processes import Command, Process

PACKAGE = "redis-tools"
"""Debian's: it has the program, under another of its names, and starts no server of its own."""
_READY_SECONDS = 20.0
_READY = "Ready to accept connections"


class NoRedisServerError(RuntimeError):
    """There is no redis-server on this machine; the message says what to do."""


def program() -> Path | None:
    """Redis' one program, which is a server if it is called so; None without one."""
    found = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    return Path(found) if found else None


class RedisServer:
    """A server that keeps everything in memory, below `folder`. `redis_server` starts one."""

    def __init__(self, folder: Path, *, password: str = "", options: Sequence[str] = ()) -> None:
        """`options` are redis-server's own, such as ("--port", "0")."""
        self.folder = folder
        self.port = free_port()
        self.password = password
        self._options = tuple(options)
        self._stack = AsyncExitStack()
        self._process: Process | None = None

    @property
    def place(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What an operator sets as AGENT_REDIS_URL."""
        return f"redis://{self._credentials}{self.place}/0"

    @property
    def socket_url(self) -> str:
        """The same by its Unix socket."""
        return f"unix://{self._credentials}{self._socket}"

    @property
    def pid(self) -> int:
        """The server's own process."""
        return int((self.folder / "redis.pid").read_text())

    @property
    def _credentials(self) -> str:
        return f":{self.password}@" if self.password else ""

    @property
    def _socket(self) -> Path:
        return self.folder / "redis.sock"

    async def start(self) -> None:
        """Run it, empty; again on the same port after `kill`. Returns when it answers."""
        if not (found := program()):
            raise NoRedisServerError(
                f"Redis is not on this machine: `make test` gets Debian's package {PACKAGE}"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        called = self.folder / "redis-server"
        called.unlink(missing_ok=True)
        called.symlink_to(found)
        argv = [
            str(called),
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--dir",
            str(self.folder),
        ]
        argv += ["--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "notice"]
        argv += ["--unixsocket", str(self._socket), "--pidfile", str(self.folder / "redis.pid")]
        argv += ["--requirepass", self.password] if self.password else []
        command = Command(
            "Redis", [*argv, *self._options], self.folder / "redis.log", grace_seconds=1.0
        )
        self._process = await self._stack.enter_async_context(Process(command))
        await self._process.wait_for_line(
            lambda line: _READY in line, timeout_seconds=_READY_SECONDS
        )

    async def kill(self) -> None:
        """End it at once, with all that it holds."""
        assert self._process
        os.kill(self.pid, signal.SIGKILL)
        await self._process.wait(timeout_seconds=_READY_SECONDS)
        await self._stack.aclose()

    def freeze(self) -> None:
        """Let it answer nobody, with all connections open."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, with what was sent to it meanwhile."""
        os.kill(self.pid, signal.SIGCONT)

    async def fill(self) -> None:
        """Let it refuse whatever needs memory, as a full server without eviction does."""
        await self._configure(maxmemory="1", **{"maxmemory-policy": "noeviction"})

    async def empty(self) -> None:
        """Let it take data again."""
        await self._configure(maxmemory="0")

    async def pause(self, milliseconds: int) -> None:
        """Let it answer nobody for this long."""
        async with self.client() as client:
            await client.client_pause(milliseconds)

    async def stop(self) -> None:
        """End it, frozen or not, or do nothing if it has ended."""
        if self._process and self._process.code is None:
            self.thaw()
        await self._stack.aclose()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Redis]:
        """A client of a test's own, to look into it."""
        client = Redis.from_url(self.url, decode_responses=True)
        try:
            yield client
        finally:
            await client.aclose()

    async def _configure(self, **settings: str) -> None:
        async with self.client() as client:
            for name, value in settings.items():
                await client.config_set(name, value)


@asynccontextmanager
async def redis_server(
    folder: Path, *, password: str = "", options: Sequence[str] = ()
) -> AsyncIterator[RedisServer]:
    """Run one until the context is left; it answers when the context is entered.

    Raises NoRedisServerError.
    """
    server = RedisServer(folder, password=password, options=options)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
