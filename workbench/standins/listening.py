"""A small HTTP server on one port; it can stop and start listening, keeping connections."""

import socket
from types import TracebackType
from typing import Self

from aiohttp import web

SHUTDOWN_SECONDS = 0.05


class Listener:
    """`async with Listener(application) as listener:` serves it until the block ends.

    Port 0 is a free one, kept from then on.
    """

    def __init__(
        self, application: web.Application, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._host = host
        self._port = port
        self._runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=SHUTDOWN_SECONDS,
            handler_cancellation=True,
        )
        self._site: web.SockSite | None = None

    async def __aenter__(self) -> Self:
        """Raises OSError if the port is taken."""
        await self._runner.setup()
        await self.accept()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def accept(self) -> None:
        """Listen, or listen again on the same port."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.create_server((self._host, self._port), family=family)
        self._port = listening.getsockname()[1]
        self._site = web.SockSite(self._runner, listening)
        await self._site.start()

    async def refuse(self) -> None:
        """Stop listening: TCP refuses. Open connections go on."""
        if self._site is not None:
            await self._site.stop()
            self._site = None

    @property
    def address(self) -> str:
        """host:port"""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._port}"
