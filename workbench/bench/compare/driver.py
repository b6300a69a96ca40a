"""Plays one scenario to one client, through a real socket, and measures what comes of it."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Any

import aiohttp
from livekit import rtc
from livekit.agents import stt

from workbench.bench.compare.clients import Client
from workbench.bench.compare.observation import Failure, Observation, Seen
from workbench.bench.compare.scenario import Scenario
from workbench.bench.compare.spoken import CountingStandIn, pcm
from workbench.standins.assemblyai_v3.server import LOCAL_KEY

__all__ = ["observe", "quiet_logs"]

_CLOSING_SECONDS = 9.0
_AFTER_ALL_SECONDS = 0.4  # something more might come
_BURST_SECONDS = 0.1
_now_observed: ContextVar[Observation | None] = ContextVar("now_observed", default=None)


class _ErrorCounter(logging.Handler):
    """Errors count for the observation in whose tasks they are logged."""

    def emit(self, record: logging.LogRecord) -> None:
        observation = _now_observed.get()
        if observation is not None:
            observation.log_errors += 1


@contextlib.contextmanager
def quiet_logs() -> Iterator[None]:
    """Count errors instead of printing them."""
    handler = _ErrorCounter(level=logging.ERROR)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


async def observe(scenario: Scenario, client: Client) -> Observation:
    """Play it once. It ends by itself: every wait in it has a limit."""
    stand_in = CountingStandIn(faults=scenario.faults, knobs=scenario.knobs)
    stand_in.speech = scenario.speech
    async with stand_in, aiohttp.ClientSession() as http:
        observation = Observation(scenario.speech, stand_in.sessions)
        _now_observed.set(observation)
        arguments = {
            "api_key": scenario.api_key or LOCAL_KEY,
            "base_url": stand_in.url,
            "http_session": http,
            "sample_rate": scenario.sample_rate,
            **scenario.parameters,
        }
        run = _Run(scenario, stand_in, observation)
        try:
            speech_to_text = client.make(**arguments)
        except Exception as refusal:  # whatever it raises, the application gets it
            run.fail(refusal)
            return observation
        async with _troubled(scenario, stand_in):
            await run.play(speech_to_text)
        return observation


@contextlib.asynccontextmanager
async def _troubled(scenario: Scenario, stand_in: CountingStandIn) -> AsyncIterator[None]:
    """What goes wrong, and right again, at its time."""
    if scenario.refused_until_seconds is not None:
        await stand_in.refuse()
    troubles = asyncio.create_task(_trouble(scenario, stand_in))
    try:
        yield
    finally:
        troubles.cancel()
        await asyncio.wait([troubles])


async def _trouble(scenario: Scenario, stand_in: CountingStandIn) -> None:
    async def relisten(after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        await stand_in.accept()

    async def recover(after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        stand_in.faults.clear()

    async def cut(at_seconds: float) -> None:
        await asyncio.sleep(at_seconds)
        for connection in stand_in.connections:
            connection.drop()

    async with asyncio.TaskGroup() as group:
        if scenario.refused_until_seconds is not None:
            group.create_task(relisten(scenario.refused_until_seconds))
        if scenario.faults_until_seconds is not None:
            group.create_task(recover(scenario.faults_until_seconds))
        for seconds in scenario.cuts_at_seconds:
            group.create_task(cut(seconds))


class _Run:
    """The caller, who speaks, and the application, which listens to one stream."""

    def __init__(
        self, scenario: Scenario, stand_in: CountingStandIn, observation: Observation
    ) -> None:
        self._scenario = scenario
        self._stand_in = stand_in
        self._seen = observation
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        self._settled = asyncio.Event()

    def fail(self, error: BaseException) -> None:
        """The application gets an error and no more events."""
        retryable = bool(getattr(error, "retryable", False))
        self._seen.failure = Failure(self._now, _sentence(error), retryable)
        self._settled.set()

    async def play(self, speech_to_text: stt.STT[Any]) -> None:
        """From the first frame until everything is closed."""
        speech_to_text.on("speakers_revised", self._count_revision)
        self._start = self._loop.time()
        stream = speech_to_text.stream()
        listening = asyncio.create_task(self._listen(stream))
        measuring = asyncio.create_task(self._measure_burst())
        try:
            await self._speak(stream)
            await self._end(stream, listening)
        finally:
            measuring.cancel()
            with contextlib.suppress(Exception):
                await stream.aclose()
            self._seen.closed_at = self._now
            await asyncio.wait([listening], timeout=_CLOSING_SECONDS)
            listening.cancel()
            await asyncio.wait([listening, measuring])

    async def _end(self, stream: stt.RecognizeStream, listening: asyncio.Task[None]) -> None:
        self._seen.ending_at = self._now
        if self._seen.failure is None and self._scenario.ending == "end_input":
            stream.end_input()
            await asyncio.wait([listening], timeout=_CLOSING_SECONDS)

    async def _speak(self, stream: stt.RecognizeStream) -> None:
        """Real time; the caller waits until all has come, unless he hangs up."""
        scenario = self._scenario
        speech_ms = scenario.speech[-1].end_ms if scenario.speech else 0
        end_ms = scenario.hang_up_at_ms or round(scenario.limit_seconds * 1000)
        stays = scenario.hang_up_at_ms is None
        at_ms = 0
        while at_ms < end_ms and self._seen.failure is None:
            if stays and at_ms > speech_ms and self._settled.is_set():
                await asyncio.sleep(_AFTER_ALL_SECONDS)
                return
            until_ms = at_ms + scenario.frame_ms
            if scenario.mute_from_ms is None or at_ms < scenario.mute_from_ms:
                self._push(stream, at_ms, until_ms)
            at_ms = until_ms
            await asyncio.sleep(max(0.0, self._start + at_ms / 1000 - self._loop.time()))

    def _push(self, stream: stt.RecognizeStream, from_ms: int, until_ms: int) -> None:
        rate = self._scenario.sample_rate
        audio = pcm(self._scenario.speech, from_ms=from_ms, until_ms=until_ms, sample_rate=rate)
        with contextlib.suppress(RuntimeError):  # the stream died: the listener says so
            stream.push_frame(rtc.AudioFrame(audio, rate, 1, len(audio) // 2))

    async def _listen(self, stream: stt.RecognizeStream) -> None:
        try:
            async for event in stream:
                self._seen.seen.append(Seen(self._now, event))
                if self._seen.is_complete:
                    self._settled.set()
        except Exception as error:  # whatever the client raises is what is measured
            self.fail(error)

    async def _measure_burst(self) -> None:
        """Audio that had to wait should not come all at once."""
        session = await self._stand_in.wait_for_session(0)
        await session.until(lambda record: record.audio_bytes > 0)
        await asyncio.sleep(_BURST_SECONDS)
        self._seen.burst_ms = session.audio_bytes / 2 / self._scenario.sample_rate * 1000

    def _count_revision(self, *_: object) -> None:
        self._seen.revised_speakers += 1

    @property
    def _now(self) -> float:
        return self._loop.time() - self._start


def _sentence(error: BaseException) -> str:
    """What an application would show: the error, and what it says it comes from."""
    said = [_first_line(error)]
    cause = error.__cause__
    if cause is not None and _first_line(cause) not in said[0]:
        said.append(f"caused by {_first_line(cause)}")
    return "; ".join(said)


def _first_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"(127\.0\.0\.1'?)(:|, )\d+", r"\1", text)  # the port is another each time
