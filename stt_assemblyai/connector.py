"""Where to connect and how to authenticate: regions in turn, an API key or temporary tokens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from urllib.parse import urlencode

from pydantic import SecretStr

from stt_assemblyai.client import CONNECT_TIMEOUT_SECONDS, DEAD_AFTER_SECONDS, Socket, connect
from stt_assemblyai.errors import (
    AssemblyAIError,
    ConfigurationError,
    MissingKeyError,
    NetworkError,
    QuotaError,
)
from stt_assemblyai.service import DEFAULT_BASE_URL

__all__ = ["Budget", "Connect", "Connector", "Token"]

logger = logging.getLogger("stt_assemblyai")

Token = str | SecretStr | Callable[[], Awaitable[str]]
"""A temporary token, or a function that fetches one for each session (protocol notes, 2.1)."""


Connect = Callable[[str], AbstractAsyncContextManager[Socket]]
"""Opens a connection for a session's query; a `Connector` is one. Raises `AssemblyAIError`."""


class Budget(Protocol):
    """How many sessions may begin in a minute, for all who share the account."""

    async def take(self) -> float:
        """0 if a session may begin now, which is then counted; else how many seconds to wait, at
        least, before asking again. Raises nothing."""


class Connector:
    """Opens connections: `async with connector(query) as socket`.

    Of several base URLs the next one is tried when one cannot be reached. An API key or a token
    authenticates; a token function is called for every session. All processes of this machine
    together open at most `new_sessions_per_minute`, or as many as another `budget` allows: a
    session that comes too soon waits, which `waited_seconds` counts. If the wait would exceed
    `longest_wait_seconds`, the call raises `QuotaError`. Raises `MissingKeyError` without key and
    token, and `ConfigurationError` for a key that cannot be one.
    """

    def __init__(  # noqa: PLR0913  each has a default
        self,
        base_urls: str | Sequence[str] = DEFAULT_BASE_URL,
        *,
        api_key: SecretStr | None = None,
        token: Token | None = None,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
        dead_after_seconds: float = DEAD_AFTER_SECONDS,
        new_sessions_per_minute: int | None = None,
        budget: Budget | None = None,
        longest_wait_seconds: float = math.inf,
    ) -> None:
        key = api_key.get_secret_value().strip() if api_key else ""  # files end with a newline
        if token is None and not key:
            raise MissingKeyError(
                "api_key is missing", remedy="Pass AssemblyAI's key, or set ASSEMBLYAI_API_KEY."
            )
        if not (key.isascii() and key.isprintable()):
            raise ConfigurationError(
                "api_key has a character that no key has", remedy="Copy AssemblyAI's key again."
            )
        self._base_urls = (base_urls,) if isinstance(base_urls, str) else tuple(base_urls)
        self._turn = 0
        self._api_key = SecretStr(key) if key else None
        self._token = token
        self._connect_timeout_seconds = connect_timeout_seconds
        self._dead_after_seconds = dead_after_seconds
        self._budget = budget
        if budget is None and new_sessions_per_minute is not None:
            self._budget = _of_this_machine(new_sessions_per_minute, key or "temporary tokens")
        self._longest_wait_seconds = longest_wait_seconds
        self.waited_seconds = 0.0

    @property
    def renews_tokens(self) -> bool:
        """Whether an expired token can be replaced by a new one."""
        return callable(self._token)

    @contextlib.asynccontextmanager
    async def __call__(
        self, query: str, *, within_seconds: float = math.inf
    ) -> AsyncIterator[Socket]:
        """A connection for a session with this query, within `within_seconds` if that is less than
        the connector's own deadline. Raises `AssemblyAIError`."""
        await self._wait_for_turn(min(self._longest_wait_seconds, within_seconds))
        async with contextlib.AsyncExitStack() as stack:
            try:
                socket = await stack.enter_async_context(
                    connect(
                        self._base_urls[self._turn % len(self._base_urls)],
                        await self._proven(query),
                        self._api_key if self._token is None else None,
                        connect_timeout_seconds=min(self._connect_timeout_seconds, within_seconds),
                        dead_after_seconds=self._dead_after_seconds,
                    )
                )
            except AssemblyAIError:
                self._turn += 1
                raise
            yield socket

    async def _wait_for_turn(self, longest_wait_seconds: float) -> None:
        if self._budget is None:
            return
        waited_seconds = 0.0
        while wait_seconds := await self._budget.take():
            if waited_seconds + wait_seconds > longest_wait_seconds:
                raise QuotaError(
                    "The new sessions of this minute are used up",
                    remedy="Raise ASSEMBLYAI_NEW_SESSIONS_PER_MINUTE if the account allows more.",
                    retry_after_seconds=wait_seconds,
                )
            if not waited_seconds:
                logger.warning(
                    "waiting for the budget of new sessions",
                    extra={"wait_seconds": round(wait_seconds, 1)},
                )
            await asyncio.sleep(wait_seconds)
            waited_seconds += wait_seconds
            self.waited_seconds += wait_seconds

    async def _proven(self, query: str) -> str:
        if self._token is None:
            return query
        token = await self._fetch(self._token) if callable(self._token) else self._token
        text = token.get_secret_value() if isinstance(token, SecretStr) else token
        return f"{query}&{urlencode({'token': text})}"

    async def _fetch(self, fetch: Callable[[], Awaitable[str]]) -> str:
        try:
            async with asyncio.timeout(self._connect_timeout_seconds):
                return await fetch()
        except AssemblyAIError:
            raise
        except Exception as error:  # the application's own function: anything can go wrong
            raise NetworkError("A temporary token could not be fetched") from error


def _of_this_machine(per_minute: int, account: str) -> Budget:
    # It takes 20 ms to import, and only who has a budget needs it.
    from stt_assemblyai.budget import MachineBudget, file_for

    return MachineBudget(per_minute, file_for(account))
