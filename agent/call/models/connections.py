"""HTTP connections to a provider: live ones, to its own address only.

A pooled connection may be dead without either end knowing, because a NAT or a load balancer forgot
it. So a request that gets no answer on one is sent again on a new one, and the rest of the pool is
dropped. Redirects are not followed, and errors show no key.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from agent.call.models.errors import RedirectError
from agent.redaction import remember_sent
from agent.tasks import OwnedTask

# A call asks the LLM about every ten seconds; home routers and load balancers forget a connection
# after a minute.
KEEPALIVE_SECONDS = 30
# How long a reused connection may be silent before a new one is tried as well, as a part of the
# request's timeout.
HEDGE_SHARE = 0.3
LIMIT_SECONDS = 10.0

Network = Callable[[], httpx2.AsyncBaseTransport]
"""Makes a pool of connections that replaces the real network."""
Trace = Callable[[str, Any], Awaitable[None]]


class Connections(httpx2.AsyncBaseTransport):
    """The connections of one client, opened when they are needed."""

    def __init__(self, network: Network | None = None) -> None:
        self._network = network
        # All pools share the certificates: loading them takes 150 ms.
        self._certificates = httpx2.create_ssl_context() if network is None else True
        self._pool = self._new_pool()
        self._retired: list[_Pool] = []
        self._hedges = True

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises httpx2.TransportError like any transport; RedirectError for a redirect."""
        await request.aread()  # it may be sent twice
        remember_sent(request.content)  # an error may repeat it
        response = await self._answer(request)
        if response.has_redirect_location:
            await response.aclose()
            raise RedirectError(_redirect_sentence(request, response))
        return response

    async def aclose(self) -> None:
        for pool in [self._pool, *self._retired]:
            await pool.client.aclose()

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        first = _Sending(self._pool, request)
        sendings, winner = [first], None
        try:
            await asyncio.wait({first.task}, timeout=HEDGE_SHARE * _limit_seconds(request))
            if self._hedges and first.is_stuck:
                sendings.append(_Sending(self._new_pool(), request))
            winner = await _first_to_answer(sendings)
            return winner.task.result()
        finally:
            for each in sendings:
                if each is not winner:
                    await each.abandon()
            if winner:
                self._choose_pool(sendings, winner)
            await self._close_unused()

    def _choose_pool(self, sendings: "list[_Sending]", winner: "_Sending") -> None:
        """Drop the pool of a dead connection. If the connection was only slow, hedge no more."""
        first, is_hedged = sendings[0], len(sendings) > 1
        if winner is first and not first.has_failed:
            self._hedges = self._hedges and not is_hedged
        elif first.is_reused and self._pool is first.pool:
            self._pool = self._new_pool() if winner.has_failed else winner.pool
        self._retired += {each.pool for each in sendings} - {self._pool, *self._retired}

    async def _close_unused(self) -> None:
        unused = [pool for pool in self._retired if not pool.in_flight]
        self._retired = [pool for pool in self._retired if pool.in_flight]
        for pool in unused:
            await pool.client.aclose()

    def _new_pool(self) -> "_Pool":
        return _Pool(
            httpx2.AsyncClient(
                verify=self._certificates,
                transport=self._network() if self._network else None,
                limits=httpx2.Limits(keepalive_expiry=KEEPALIVE_SECONDS),
            )
        )


@dataclass(slots=True, eq=False)
class _Pool:
    client: httpx2.AsyncClient
    in_flight: int = 0

    async def send(self, request: httpx2.Request, trace: Trace) -> httpx2.Response:
        copy = httpx2.Request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            extensions={**request.extensions, "trace": trace},
        )
        self.in_flight += 1
        try:
            response = await self.client.send(copy, stream=True, follow_redirects=False)
        except BaseException:  # cancelled as well: the request is no longer in flight
            self.in_flight -= 1
            raise
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Body(response, self),
            extensions=response.extensions,
        )


class _Body(httpx2.AsyncByteStream):
    def __init__(self, response: httpx2.Response, pool: _Pool) -> None:
        self._response = response
        self._pool: _Pool | None = pool

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._response.aiter_raw():
            yield piece

    async def aclose(self) -> None:
        if self._pool:
            self._pool.in_flight -= 1
            self._pool = None
        await self._response.aclose()


class _Sending:
    """One request in one pool."""

    def __init__(self, pool: _Pool, request: httpx2.Request) -> None:
        self.pool = pool
        self.is_reused = False
        self._opens_a_connection = False
        self._sending = OwnedTask(
            pool.send(request, self._trace), name="request to a model", is_watched=True
        )
        self.task = self._sending.task

    @property
    def is_stuck(self) -> bool:
        """Whether it was sent on a reused connection and has no answer yet."""
        return self.is_reused and not self.task.done()

    @property
    def has_failed(self) -> bool:
        """Whether it ended without a response."""
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)

    async def abandon(self) -> None:
        """Drop it, and its response."""
        await self._sending.aclose()
        if self.task.done() and not self.has_failed:
            await self.task.result().aclose()

    async def _trace(self, event: str, _: Any) -> None:
        """Take an event of httpx's trace. On a new connection, connecting comes before sending."""
        if event.startswith("connection.connect"):
            self._opens_a_connection = True
        elif event.endswith("send_request_headers.started"):
            self.is_reused = not self._opens_a_connection


async def _first_to_answer(sendings: list[_Sending]) -> _Sending:
    """The first one with a response; if all fail, the last one."""
    pending = {each.task: each for each in sendings}
    while True:
        done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            sending = pending.pop(task)
            if not sending.has_failed or not pending:
                return sending


def _limit_seconds(request: httpx2.Request) -> float:
    limit = request.extensions.get("timeout", {}).get("read")
    return float(limit) if limit else LIMIT_SECONDS


def _redirect_sentence(request: httpx2.Request, response: httpx2.Response) -> str:
    to = request.url.join(response.headers["location"])
    return f"it redirects to {to.scheme}://{to.host}; set the address that answers"
