"""One request, with retries, sent to the fallback if the first provider fails.

A provider that has failed is asked last from then on. Each request also goes to it in the
background, until it answers.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from livekit.agents import APIError, llm, tts

from agent.call.models.back_off import Patience, Schedule
from agent.call.models.errors import (
    BrokenOffError,
    ContentRefusedError,
    Failure,
    Kind,
    ModelError,
    RefusedError,
    UnavailableError,
    failure_of,
)
from agent.call.reports import Outcome
from agent.records.schema import Attempt
from agent.tasks import Tasks

log = logging.getLogger(__name__)

TRIES_OF_A_BROKEN_SPEECH = 2

M = TypeVar("M", bound=llm.LLM[Any] | tts.TTS[Any])


@dataclass(frozen=True, slots=True)
class Provider(Generic[M]):
    """A model and its address."""

    model: M
    address: str

    def __str__(self) -> str:
        return f"{self.model.model} at {self.address}"

    @property
    def place(self) -> str:
        """The host and the model, for the record."""
        return f"{urlsplit(self.address).netloc or self.address}/{self.model.model}"


class Progress:
    """How far one try has come."""

    def __init__(self) -> None:
        self.has_begun = False
        self.began_at: float | None = None
        """When, on the event loop's clock."""
        self._limit: asyncio.Timeout | None = None

    def begin(self) -> None:
        """The first words or sound have come: the deadline no longer applies."""
        if not self.has_begun:
            self.has_begun, self.began_at = True, asyncio.get_running_loop().time()
        if self._limit:
            self._limit.reschedule(None)

    async def within(self, deadline: float, work: Awaitable[None]) -> None:
        """Await `work`. Raises TimeoutError at the deadline unless it has begun by then."""
        async with asyncio.timeout_at(deadline) as self._limit:
            await work


Ask = Callable[[M, Progress], Awaitable[None]]

_OUTCOMES = {
    Kind.BUSY: Outcome.BUSY,
    Kind.EMPTY: Outcome.EMPTY,
    Kind.CONTENT: Outcome.CONTENT,
    Kind.REFUSED: Outcome.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Try:
    """One try of one provider."""

    attempt: Attempt
    outcome: Outcome
    in_background: bool
    """Nobody waited for words or sound by it."""


OnTry = Callable[[Try], None]


class Providers(Generic[M]):
    """The providers, in order of preference."""

    def __init__(
        self,
        providers: Sequence[Provider[M]],
        patience: Patience,
        *,
        is_speech: bool,
        jitter: Callable[[], float],
    ) -> None:
        """`jitter` returns a number from 0 to 1: see `Schedule.next_try`."""
        self._providers = list(providers)
        self._patience = patience
        self._is_speech = is_speech
        self._jitter = jitter
        self._down: dict[int, float] = {}
        """The providers that have failed, and until when each wants to be left alone."""
        self._have_answered: set[int] = set()
        self._probed: set[int] = set()
        self._probes = Tasks()
        self.listeners: list[OnTry] = []
        """Told of each try, in its task."""

    @property
    def next(self) -> M:
        """The provider that is asked first now."""
        return self._providers[self._order[0]].model

    async def ask(self, ask: Ask[M]) -> None:
        """Ask until a provider has answered. Also asks those that were down, in the background.

        Raises ModelError if none has answered within the whole patience, or none will.
        """
        loop = asyncio.get_running_loop()
        schedule = Schedule(self._order, self._patience, loop.time())
        tries_that_broke = 0
        while chosen := schedule.next_try(loop.time(), self._jitter()):
            await asyncio.sleep(chosen.at_seconds - loop.time())
            progress = Progress()
            failure = await self._try(chosen.provider, ask, progress, schedule.deadline)
            if failure is None:
                self._down.pop(chosen.provider, None)
                return
            tries_that_broke += progress.has_begun
            most = TRIES_OF_A_BROKEN_SPEECH if self._is_speech else 1
            if tries_that_broke == most:
                raise _broken_off(self._providers[chosen.provider], failure)
            schedule.fail(chosen.provider, failure, loop.time())
        raise self._given_up(schedule.failures, has_begun=tries_that_broke > 0)

    def probe(self, ask: Ask[M]) -> None:
        """Ask those that are down, in the background. Their answers are dropped."""
        now = asyncio.get_running_loop().time()
        for number, not_before in self._down.items():
            if number not in self._probed and number != self._order[0] and now >= not_before:
                self._probed.add(number)
                self._probes.start(self._probe(number, ask), name="probe")

    async def aclose(self) -> None:
        """Stop asking in the background."""
        await self._probes.aclose()

    @property
    def _order(self) -> list[int]:
        return sorted(range(len(self._providers)), key=lambda number: number in self._down)

    async def _try(
        self,
        number: int,
        ask: Ask[M],
        progress: Progress,
        deadline: float,
        *,
        in_background: bool = False,
    ) -> Failure | None:
        loop = asyncio.get_running_loop()
        provider, began_at, failure = self._providers[number], loop.time(), None
        try:
            await progress.within(deadline, ask(provider.model, progress))
        except TimeoutError:
            failure = Failure(Kind.BUSY, "it took too long", reason="timeout")
        except ModelError:
            raise
        except APIError as error:
            has_answered = number in self._have_answered
            failure = failure_of(error, is_speech=self._is_speech, has_answered=has_answered)
        else:
            self._have_answered.add(number)
        attempt = Attempt(
            provider=provider.place,
            took_for_ms=round(((progress.began_at or loop.time()) - began_at) * 1000),
            error=failure.reason if failure else None,
        )
        outcome = _OUTCOMES[failure.kind] if failure else Outcome.ANSWERED
        for tell in self.listeners:
            tell(Try(attempt, outcome, in_background))
        if failure:
            self._note(number, failure)
        return failure

    def _note(self, number: int, failure: Failure) -> None:
        provider = self._providers[number]
        extra = {"provider": provider.address, "model": provider.model.model}
        log.warning("a model failed", extra={**extra, "error": failure.detail})
        if failure.kind in (Kind.BUSY, Kind.REFUSED):
            now = asyncio.get_running_loop().time()
            self._down[number] = now + failure.retry_after_seconds

    async def _probe(self, number: int, ask: Ask[M]) -> None:
        deadline = asyncio.get_running_loop().time() + self._patience.attempt_seconds
        try:
            failure = await self._try(number, ask, Progress(), deadline, in_background=True)
        finally:
            self._probed.remove(number)
        if failure is None:
            self._down.pop(number, None)
            log.info("a model answers again", extra={"model": self._providers[number].model.model})

    def _given_up(self, failures: dict[int, Failure], *, has_begun: bool) -> ModelError:
        kinds = {failure.kind for failure in failures.values()}
        details = "; ".join(f"{self._providers[n]}: {f.detail}" for n, f in failures.items())
        if has_begun:
            return BrokenOffError(details)
        if kinds & {Kind.CONTENT, Kind.EMPTY}:
            return ContentRefusedError(details, has_begun=False)
        return UnavailableError(details) if Kind.BUSY in kinds else RefusedError(details)


def _broken_off(provider: Provider[M], failure: Failure) -> ModelError:
    details = f"{provider}: {failure.detail}"
    if failure.kind is Kind.CONTENT:
        return ContentRefusedError(details, has_begun=True)
    return BrokenOffError(details)
