"""A small HTTP server on one port; it can stop and start listening, keeping connections."""

import socket

from aiohttp import web

SHUTDOWN_SECONDS = 0.05


class Listener:
    """Serves an application; port 0 is a free one, kept from then on."""

    def __init__(self, application: web.Application, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=SHUTDOWN_SECONDS,
            handler_cancellation=True,
        )
        self._site: web.SockSite | None = None

    async def start(self) -> None:
        """OSError if the port is taken."""
        await self._runner.setup()
        await self.accept()

    async def stop(self) -> None:
        """Close everything at once."""
        await self._runner.cleanup()

    async def accept(self) -> None:
        """Listen."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.create_server((self._host, self._port), family=family)
        self._port = listening.getsockname()[1]
        self._site = web.SockSite(self._runner, listening)
        await self._site.start()

    async def refuse(self) -> None:
        """Stop listening; open connections go on."""
        if self._site is not None:
            await self._site.stop()
            self._site = None

    @property
    def address(self) -> str:
        """host:port"""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._port}"
