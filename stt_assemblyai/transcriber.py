"""A stream of audio in, speech events out, over as many sessions as it takes.

      audio ──► Inbox ──► Leg ──► Leg ──► Leg        one session each; what broke off is replayed
                           └────── TurnMapper ──────► speech events, on one audio clock

All retrying is done in here. `push`, `flush`, `update` and `end_input` may be called at any time;
`run` does the work. It returns when the input has ended and its last words have come, and raises
an `AssemblyAIError` when trying again cannot help, or patience is at its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from stt_assemblyai.client import Socket
from stt_assemblyai.clock import AudioClock
from stt_assemblyai.errors import AssemblyAIError, ConfigurationError
from stt_assemblyai.leg import Inbox, Leg, StreamEvent, Timing
from stt_assemblyai.messages import ForceEndpoint, UpdateConfiguration
from stt_assemblyai.options import U3, SessionOptions
from stt_assemblyai.protocol import Ended, Failed, Opened
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.turns import TurnMapper

__all__ = ["Dial", "Interrupted", "Timing", "Transcriber"]

logger = logging.getLogger("stt_assemblyai")

Dial = Callable[[str], contextlib.AbstractAsyncContextManager[Socket]]
"""Opens a connection for a session's query; see `client.connect`."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A session broke off, or none could be opened; the next attempt follows after a wait."""

    error: AssemblyAIError
    wait_seconds: float
    dropped_ms: int


class Transcriber:
    """One stream. `on_event` is called with every event, in order, and must not wait.

    `draw` gives random numbers from 0 to 1, for the pauses between attempts.
    """

    def __init__(
        self,
        dial: Dial,
        options: SessionOptions,
        on_event: Callable[[StreamEvent | Interrupted], None],
        *,
        timing: Timing = Timing(),  # noqa: B008 - immutable
        patience: Patience = Patience(),  # noqa: B008 - immutable
        draw: Callable[[], float] = random.random,
    ) -> None:
        if options.encoding not in ("pcm_s16le", "pcm_mulaw"):
            raise ConfigurationError(
                f"Audio that comes as PCM cannot be sent as {options.encoding}",
                remedy="Set encoding to pcm_s16le or pcm_mulaw.",
            )
        self._dial = dial
        self._options = options
        self._on_event = on_event
        self._timing = timing
        self._retries = Retries(patience, draw)
        self._inbox = Inbox(options.sample_rate, timing)
        self._clock = AudioClock()
        self._mapper = TurnMapper(
            self._clock,
            expect_twin=bool(options.effective().get("format_turns")),
            wait_seconds=timing.wait_for_formatted_ms / 1000,
            eager_confidence=0.4 if options.speech_model in U3 else None,
        )
        self._from_ms = 0.0
        self.session_id: str | None = None
        self.expires_at: int | None = None

    @property
    def options(self) -> SessionOptions:
        """What the next session is asked for, with all updates."""
        return self._options

    @property
    def audio_ms(self) -> int:
        """How much audio has been pushed."""
        return self._inbox.tape.milliseconds(self._inbox.tape.end)

    @property
    def dropped_ms(self) -> int:
        """How much audio was given up unheard, in outages longer than the tape."""
        return self._inbox.tape.dropped_ms

    def push(self, pcm: bytes | memoryview) -> None:
        """Add audio: PCM, 16 bit, mono, at the options' sample rate."""
        self._inbox.tape.append(pcm)
        self._inbox.stirred.set()

    def flush(self) -> None:
        """End the open turn at this point of the audio."""
        self._inbox.say(ForceEndpoint())

    def update(self, options: SessionOptions) -> None:
        """Change options of the open session.

        Raises `ConfigurationError` naming each change that would need a new session.
        """
        changes = self._options.changes(options)
        self._options = options
        if changes:
            self._inbox.say(UpdateConfiguration(changes))

    def end_input(self) -> None:
        """No more audio will come."""
        self._inbox.ended = True
        self._inbox.stirred.set()

    async def run(self) -> None:
        """Do the work. Cancelling it still ends the session properly, within a bounded time."""
        try:
            while (error := await self._one_session()) is not None:
                wait_seconds = self._retries.failed(error, asyncio.get_running_loop().time())
                if wait_seconds is None:
                    raise error
                self._report(error, wait_seconds)
                await asyncio.sleep(wait_seconds)
        finally:
            for event in self._mapper.close():
                self._on_event(event)

    async def _one_session(self) -> AssemblyAIError | None:
        """Open a session and stay to its end; gives the error that ended it, if one did."""
        self._forget_updates()
        try:
            async with self._dial(self._options.query()) as socket:
                leg = Leg(
                    socket,
                    self._options,
                    self._inbox,
                    self._mapper,
                    self._clock,
                    self._handle,
                    from_ms=self._from_ms,
                    timing=self._timing,
                )
                await leg.run()
        except AssemblyAIError as error:
            return error
        return self._judge(leg)

    def _judge(self, leg: Leg) -> AssemblyAIError | None:
        if leg.opened_at is not None:
            self._retries.lived(asyncio.get_running_loop().time() - leg.opened_at)
        match leg.outcome:
            case Ended(termination=None, error=AssemblyAIError() as error) if self._mapper.in_turn:
                pass  # it broke before the last words came
            case Failed(error=error):
                pass
            case _:
                return None
        self._from_ms = leg.covered_ms
        self._clock = AudioClock()
        for event in self._mapper.resume(self._clock, self._from_ms):
            self._on_event(event)
        return error

    def _forget_updates(self) -> None:
        """A new session is opened with the newest options: what was to change them is settled."""
        messages = self._inbox.messages
        kept = [m for m in messages if not isinstance(m[1], UpdateConfiguration)]
        messages.clear()
        messages.extend(kept)

    def _handle(self, event: StreamEvent) -> None:
        if isinstance(event, Opened):
            self.session_id, self.expires_at = event.session_id, event.expires_at
            self._report_opened(event)
        self._on_event(event)

    def _report_opened(self, event: Opened) -> None:
        fields = {"session_id": event.session_id, "after_failures": self._retries.failures}
        logger.info("AssemblyAI session opened", extra=fields)
        if event.mismatches:
            logger.warning(
                "AssemblyAI session differs from what was asked",
                extra={**fields, "mismatches": event.mismatches},
            )

    def _report(self, error: AssemblyAIError, wait_seconds: float) -> None:
        logger.warning(
            "AssemblyAI session interrupted; trying again",
            extra={
                "session_id": self.session_id,
                "error_type": type(error).__name__,
                "code": error.code,
                "remedy": error.remedy,
                "wait_seconds": round(wait_seconds, 3),
                "failures": self._retries.failures,
                "dropped_ms": self.dropped_ms,
            },
        )
        self._on_event(Interrupted(error, wait_seconds, self.dropped_ms))
