"""A stream of audio in, speech events out, over as many sessions as it takes.

      audio ──► Inbox ──► Leg ──► Leg ──► Leg        one session each; what broke off is replayed
                           └────── TurnMapper ──────► speech events, on one audio clock

All retrying is done in here, and so is the roll-over to a new session before the old one expires:
the new one is opened ahead, and takes over between two turns. `push`, `flush`, `update` and
`end_input` may be called at any time; `run` does the work. It returns when the input has ended and
its last words have come, and raises an `AssemblyAIError` when trying again cannot help, or
patience is at its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from stt_assemblyai.client import Closed, Socket
from stt_assemblyai.clock import AudioClock
from stt_assemblyai.endpointing import TurnChoices, endpointing_for
from stt_assemblyai.errors import AssemblyAIError, ConfigurationError
from stt_assemblyai.ledger import Bill, Ledger
from stt_assemblyai.leg import Inbox, Leg, StreamEvent, Timing
from stt_assemblyai.messages import ForceEndpoint, UpdateConfiguration, Warned
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.progress import Progress
from stt_assemblyai.protocol import Ended, Failed, Noticed, Opened
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.spare import Spare
from stt_assemblyai.speech import EndOfSpeech, Overdue
from stt_assemblyai.turns import TurnMapper

__all__ = ["Dial", "Interrupted", "Timing", "Transcriber"]

logger = logging.getLogger("stt_assemblyai")

Dial = Callable[[str], contextlib.AbstractAsyncContextManager[Socket]]
"""Opens a connection for a session's query; see `client.connect`."""

_LAST_MOMENT_SECONDS = (
    3.0  # before a session expires: a turn that is still open goes on in the next
)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A session broke off, or none could be opened; the next attempt follows after a wait."""

    error: AssemblyAIError
    wait_seconds: float
    dropped_ms: int


class Transcriber:
    """One stream. `on_event` is called with every event, in order, and must not wait.

    `draw` gives random numbers from 0 to 1, for the pauses between attempts; `wall` the unix time,
    to which sessions expire.
    """

    def __init__(
        self,
        dial: Dial,
        options: SessionOptions,
        on_event: Callable[[StreamEvent | Interrupted | Bill], None],
        *,
        timing: Timing = Timing(),  # noqa: B008 - immutable
        choices: TurnChoices = TurnChoices(),  # noqa: B008 - immutable
        patience: Patience = Patience(),  # noqa: B008 - immutable
        draw: Callable[[], float] = random.random,
        wall: Callable[[], float] = time.time,
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
        self._wall = wall
        self._retries = Retries(patience, draw)
        self._ledger = Ledger()
        self._inbox = Inbox(options.sample_rate, timing)
        self._clock = AudioClock()
        self._progress = Progress(timing.unanswered_seconds)
        self._choices = choices
        self._mapper = TurnMapper(self._clock, endpointing_for(options, choices))
        self._from_ms = 0.0
        self._heard_until_ms = 0.0  # how far any session has been sent the stream
        self._reason = "start"
        self._spare: Spare | None = None
        self._turn_ended = asyncio.Event()
        self.session_id: str | None = None
        self.expires_at: int | None = None

    @property
    def options(self) -> SessionOptions:
        """What the next session is asked for, with all updates."""
        return self._options

    @property
    def audio_ms(self) -> int:
        """How much audio has been pushed."""
        return int(self._inbox.tape.milliseconds(self._inbox.tape.end))

    @property
    def dropped_ms(self) -> int:
        """How much audio was given up unheard, in outages longer than the tape."""
        return self._inbox.tape.dropped_ms

    @property
    def bills(self) -> list[Bill]:
        """The sessions that are over."""
        return self._ledger.bills

    def push(self, pcm: bytes | memoryview) -> None:
        """Add audio: PCM, 16 bit, mono, at the options' sample rate."""
        self._inbox.add(pcm)

    def flush(self) -> None:
        """End the open turn at this point of the audio."""
        self._inbox.say(ForceEndpoint())

    def hasten(self) -> None:
        """The reply to the turn that has ended is ready: wait for its formatted twin no longer."""
        for event in self._mapper.hasten():
            self._handle(event)

    def update(self, options: SessionOptions) -> None:
        """Change options of the open session.

        Raises `ConfigurationError` naming each change that would need a new session.
        """
        changes = self._options.changes(options)
        self._options = options
        self._mapper.endpointing = endpointing_for(options, self._choices)
        if changes:
            self._inbox.say(UpdateConfiguration(changes))

    def end_input(self) -> None:
        """No more audio will come."""
        self._inbox.ended = True
        self._inbox.stirred.set()

    def unreported_seconds(self) -> float:
        """Billed seconds since this was last asked for; each is given once."""
        return self._ledger.report(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Do the work. Cancelling it still ends the session properly, within a bounded time."""
        try:
            async with asyncio.TaskGroup() as goodbyes:
                error = await self._all_sessions(goodbyes)
        finally:
            if self._spare is not None:
                await self._spare.aclose()
            for event in self._mapper.close():
                self._on_event(event)
        if error is not None:
            raise error

    async def _all_sessions(self, goodbyes: asyncio.TaskGroup) -> AssemblyAIError | None:
        """One after the other; gives the error that nothing can be done about, if there is one."""
        while True:
            leg, error = await self._one_session(goodbyes)
            if leg is not None and leg.retired:
                self._reason = "roll over"
                continue
            if error is None:
                return None
            wait_seconds = self._retries.failed(error, asyncio.get_running_loop().time())
            if wait_seconds is None:
                return error
            self._reason = type(error).__name__
            self._report(error, wait_seconds)
            if self._spare is None:
                await asyncio.sleep(wait_seconds)

    async def _one_session(
        self, goodbyes: asyncio.TaskGroup
    ) -> tuple[Leg | None, AssemblyAIError | None]:
        """Open a session and stay to its end, or until the next one takes over."""
        self._forget_updates()
        async with contextlib.AsyncExitStack() as stack:
            try:
                socket = await self._open(stack)
            except AssemblyAIError as refusal:
                return None, refusal
            leg = Leg(
                socket,
                self._options,
                self._inbox,
                self._mapper,
                self._clock,
                self._progress,
                self._handle,
                from_ms=self._from_ms,
                timing=self._timing,
            )
            reason = self._reason
            rolling = asyncio.create_task(self._roll_over(leg))
            try:
                await leg.run()
            finally:
                rolling.cancel()
                await asyncio.wait([rolling])
                if not leg.retired:
                    self._settle_bill(leg, reason)
            error = self._judge(leg)
            if leg.retired:
                goodbyes.create_task(self._say_goodbye(leg, reason, stack.pop_all()))
            return leg, error

    async def _open(self, stack: contextlib.AsyncExitStack) -> Socket:
        spare, self._spare = self._spare, None
        if spare is None:
            return await stack.enter_async_context(self._dial(self._options.query()))
        stack.push_async_callback(spare.aclose)
        if changes := spare.options.changes(self._options):
            self._inbox.say(UpdateConfiguration(changes))
        return spare

    async def _roll_over(self, leg: Leg) -> None:
        """Open the next session ahead of time, and let it take over between two turns."""
        await leg.begun.wait()
        if leg.opened is None or leg.opened.expires_at is None:
            return
        left_seconds = leg.opened.expires_at - self._wall()
        ahead_seconds = min(self._timing.roll_over_seconds, left_seconds / 3)
        await asyncio.sleep(left_seconds - ahead_seconds)
        while self._spare is None:
            try:
                self._spare = await Spare.open(self._dial, self._options, self._timing)
            except (AssemblyAIError, Closed):
                await asyncio.sleep(ahead_seconds / 10)
        last_moment = leg.opened.expires_at - min(_LAST_MOMENT_SECONDS, ahead_seconds / 2)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(last_moment - self._wall()):
                while self._mapper.in_turn:
                    self._turn_ended.clear()
                    await self._turn_ended.wait()
        logger.info("AssemblyAI session rolls over", extra={"session_id": self.session_id})
        leg.retire()

    async def _say_goodbye(self, leg: Leg, reason: str, stack: contextlib.AsyncExitStack) -> None:
        async with stack:
            await leg.say_goodbye()
        self._settle_bill(leg, reason)

    def _judge(self, leg: Leg) -> AssemblyAIError | None:
        """Prepare what comes after a session; gives the error that ended it, if one did."""
        error = _cause(leg.outcome, in_turn=self._mapper.in_turn)
        if error is None and not leg.retired:
            return None
        if leg.opened_at is not None:
            lived_seconds = asyncio.get_running_loop().time() - leg.opened_at
            self._retries.lived(lived_seconds, useful=leg.useful)
        self._from_ms = leg.covered_ms
        self._clock = AudioClock()
        for event in self._mapper.resume(self._clock, self._from_ms):
            self._on_event(event)
        return error

    def _settle_bill(self, leg: Leg, reason: str) -> None:
        termination = leg.outcome.termination if isinstance(leg.outcome, Ended) else None
        new_ms = max(0.0, leg.sent_until_ms - max(self._heard_until_ms, leg.from_ms))
        self._heard_until_ms = max(self._heard_until_ms, leg.sent_until_ms)
        bill = self._ledger.close(
            leg.opened.session_id if leg.opened else "",
            asyncio.get_running_loop().time(),
            reason=reason,
            billed_seconds=termination.session_duration_seconds if termination else None,
            audio_sent_seconds=leg.sent_ms / 1000,
            audio_resent_seconds=max(0.0, leg.sent_ms - new_ms) / 1000,
        )
        if bill is not None:
            self._on_event(bill)

    def _forget_updates(self) -> None:
        """A new session is opened with the newest options: what was to change them is settled."""
        messages = self._inbox.messages
        kept = [m for m in messages if not isinstance(m[1], UpdateConfiguration)]
        messages.clear()
        messages.extend(kept)

    def _handle(self, event: StreamEvent) -> None:
        if isinstance(event, Opened):
            self.session_id, self.expires_at = event.session_id, event.expires_at
            self._ledger.open(event.session_id, asyncio.get_running_loop().time())
            self._report_opened(event)
        if isinstance(event, EndOfSpeech):
            self._turn_ended.set()
        if isinstance(event, Overdue):
            fields = {"session_id": self.session_id}
            logger.warning("A turn did not end; AssemblyAI is asked to end it", extra=fields)
        if isinstance(event, Noticed) and isinstance(event.message, Warned):
            fields = {"session_id": self.session_id, "warning": event.message.warning}
            logger.warning("AssemblyAI warns", extra=fields)
        self._on_event(event)

    def _report_opened(self, event: Opened) -> None:
        fields = {"session_id": event.session_id, "reason": self._reason}
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


def _cause(outcome: Ended | Failed | None, *, in_turn: bool) -> AssemblyAIError | None:
    """Why another session is needed. One that broke while ending is, if last words are missing."""
    match outcome:
        case Failed():
            return outcome.error
        case Ended():
            return outcome.error if in_turn and outcome.termination is None else None
        case None:
            return None
