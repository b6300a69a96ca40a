"""Asks the detector when a caller's voice has fallen quiet, and passes its opinion to readers.

One prediction runs at a time, outside the event loop. Of the questions that come meanwhile only the
newest is asked. If a voice comes first, the opinion is dropped. A detector that fails has none.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from livekit.agents import vad

from agent.call.turns.end_of_turn.detector import EndOfTurnDetector
from agent.call.turns.end_of_turn.sound import ASK_AFTER_SECONDS, LatestSound, Quiet
from agent.tasks import Tasks

__all__ = ["SURE_ABOVE", "Opinion", "Opinions", "Reader", "hold_share"]

log = logging.getLogger(__name__)

# The detector is sure from this far above its threshold. Between the two it is as often wrong as
# right: docs/turns.md.
SURE_ABOVE = 0.2


def hold_share(probability: float, threshold: float) -> float:
    """Which part of the longest hold a turn's end is held back: 1 below the threshold, 0 where the
    detector is sure that the turn is over, and linear in between."""
    share = (threshold + SURE_ABOVE - probability) / SURE_ABOVE
    return min(1.0, max(0.0, share))


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the detector thinks of one pause."""

    probability: float
    """The probability, from 0 to 1, that the turn is over."""
    threshold: float
    """The probability from which it counts as over."""
    quiet_seconds: float
    """How long the voice had been quiet at the end of the judged sound."""
    quiet_since: float
    """When the voice fell quiet, on the event loop's clock."""

    @property
    def hold_share(self) -> float:
        """Which part of the longest hold the turn's end is held back, from 0 to 1."""
        return hold_share(self.probability, self.threshold)


Reader = Callable[[Opinion], None]


class Opinions:
    """For one call. `hear` is a tap of `TappedVAD`; `voice_threshold` is that detector's."""

    def __init__(
        self,
        detector: EndOfTurnDetector,
        voice_threshold: float,
        ask_after_seconds: Sequence[float] = ASK_AFTER_SECONDS,
    ) -> None:
        self.readers: list[Reader] = []
        """Each gets every opinion at once, unless a voice has come meanwhile."""
        self.language = ""
        """The caller's language, such as "en-US"; empty if it is not known."""
        self.latest: Opinion | None = None
        """The newest opinion on the current pause; None while there is a voice."""
        self._detector = detector
        self._sound = LatestSound(detector.window_seconds)
        self._quiet = Quiet(voice_threshold, ask_after_seconds)
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._tasks = Tasks()
        self._asked_again = False
        self._has_failed = False

    @property
    def quiet_seconds(self) -> float:
        """How long the voice has been quiet; 0 while there is one."""
        return self._quiet.seconds

    @property
    def is_asking(self) -> bool:
        """Whether a prediction is running."""
        return self._task is not None and not self._task.done()

    def hear(self, event: vad.VADEvent) -> None:
        """Take the voice detector's newest result."""
        if event.type is not vad.VADEventType.INFERENCE_DONE or not event.frames:
            return
        self._sound.push(event.frames)
        seconds = sum(frame.duration for frame in event.frames)
        asks = self._quiet.hear(seconds, event.probability)
        if not self._quiet.seconds:
            self.latest = None
        if asks:
            self._ask()

    def close(self) -> None:
        """Ask the detector no more."""
        self._tasks.cancel()

    async def aclose(self) -> None:
        """The same; return when nothing runs any more."""
        await self._tasks.aclose()

    def _ask(self) -> None:
        if self.is_asking:
            self._asked_again = True
        else:
            self._task = self._tasks.start(self._predict(), name="end of turn")

    async def _predict(self) -> None:
        self._asked_again = True
        while self._asked_again:
            self._asked_again = False
            pause, quiet_seconds = self._quiet.pauses, self._quiet.seconds
            since = self._loop.time() - quiet_seconds
            try:
                probability = await self._detector.probability(self._sound.samples())
            except Exception as error:  # the model may raise anything: go on as if it were off
                self._log_failure(error)
                return
            if self._quiet.seconds and pause == self._quiet.pauses:
                threshold = self._detector.threshold(self.language)
                self._publish(Opinion(probability, threshold, quiet_seconds, since))

    def _publish(self, opinion: Opinion) -> None:
        self.latest = opinion
        for reader in self.readers:
            reader(opinion)

    def _log_failure(self, error: Exception) -> None:
        if not self._has_failed:
            log.error(
                "the end-of-turn detector failed: turns end without its opinion", exc_info=error
            )
        self._has_failed = True
