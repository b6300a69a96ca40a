"""HTTP connections to a provider: live ones, to its own address only.

A pooled connection may be dead without either end knowing: a NAT or a load balancer forgot it. So
a request that gets no answer on one is sent again on a new one, and the others of the pool are
dropped. A redirect is not followed, and an error shows no key.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from agent.call.models.errors import RedirectError
from agent.redaction import remember_sent

# A call thinks about once in ten seconds; home routers and load balancers forget after a minute.
KEEPALIVE_SECONDS = 30
# How long a reused connection may be silent before a new one is tried beside it, as a part of the
# time that the request has.
HEDGE_SHARE = 0.3
LIMIT_SECONDS = 10.0

Network = Callable[[], httpx2.AsyncBaseTransport]
"""Makes a pool of connections, where requests travel on something else than the real network."""
Trace = Callable[[str, Any], Awaitable[None]]


class Connections(httpx2.AsyncBaseTransport):
    """The connections of one client. They are opened when they are needed."""

    def __init__(self, network: Network | None = None) -> None:
        self._network = network
        # Loading the certificates takes 150 ms: all pools share them.
        self._certificates = httpx2.create_ssl_context() if network is None else True
        self._pool = self._new_pool()
        self._retired: list[_Pool] = []
        self._hedges = True

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises httpx2.TransportError as any transport; RedirectError where it would lead
        elsewhere."""
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
        """A dead connection has dead neighbours; one that was only slow will be so again."""
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
        except BaseException:
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
    """One request on its way through one pool."""

    def __init__(self, pool: _Pool, request: httpx2.Request) -> None:
        self.pool = pool
        self.is_reused = False
        self._opens_a_connection = False
        self.task = asyncio.create_task(pool.send(request, self._trace), name="request to a model")

    @property
    def is_stuck(self) -> bool:
        """Sent on a connection that another request has used before, and not answered yet."""
        return self.is_reused and not self.task.done()

    @property
    def has_failed(self) -> bool:
        """It ended, and not with a response."""
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)

    async def abandon(self) -> None:
        """Nobody takes its response."""
        self.task.cancel()
        await asyncio.wait({self.task})
        if not self.has_failed:
            await self.task.result().aclose()

    async def _trace(self, event: str, _: Any) -> None:
        """What httpx tells on the way; a new connection is opened before anything is sent."""
        if event.startswith("connection.connect"):
            self._opens_a_connection = True
        elif event.endswith("send_request_headers.started"):
            self.is_reused = not self._opens_a_connection


async def _first_to_answer(sendings: list[_Sending]) -> _Sending:
    """The first that has a response; where all fail, the last."""
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
