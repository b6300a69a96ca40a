"""Turns of the U3 family: the whole turn in each message, ended by punctuation and silence."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from workbench.standins.assemblyai_v3 import messages
from workbench.standins.assemblyai_v3.annotations import Annotations
from workbench.standins.assemblyai_v3.hearing import Hearing
from workbench.standins.assemblyai_v3.outputs import Output, Send, TurnEnd
from workbench.standins.assemblyai_v3.parameters import Parameters

EARLY_PARTIAL_MS = 256
CADENCE_MS = 1000
LONGEST_TURN_MS = 60_000
LONGEST_LABELLED_TURN_MS = 10_000
PAUSE_CONFIDENCES = (0.4, 0.75)


@dataclass(slots=True)
class _OpenTurn:
    last_partial_ms: int | None = None
    pauses: int = 0
    is_paused: bool = False


class RewrittenTurns:
    """Section 8.2 of the notes; the end as in 10.2."""

    def __init__(self, parameters: Parameters, annotations: Annotations) -> None:
        self.parameters = parameters
        self.turn_order = 0
        self._annotations = annotations
        self._turn = _OpenTurn()

    def step(self, hearing: Hearing) -> Iterator[Output]:
        """What is sent at this instant."""
        if not hearing.words:
            return
        silences = self.parameters.silences
        if hearing.silence_ms < silences.min_ms:
            self._turn.is_paused = False
        if hearing.is_settled and self._is_over(hearing):
            yield from self.end(hearing)
        elif hearing.is_settled and hearing.silence_ms >= silences.min_ms:
            if not self._turn.is_paused:
                self._turn.is_paused = True
                confidence = PAUSE_CONFIDENCES[min(self._turn.pauses, 1)]
                self._turn.pauses += 1
                yield from self._partial(hearing, confidence)
        elif hearing.silence_ms == 0 and self._is_partial_due(hearing):
            yield from self._partial(hearing, 0.0)

    def end(self, hearing: Hearing) -> Iterator[Output]:
        """End the turn with these words."""
        words = [word.finished() for word in hearing.formatted_words]
        text = messages.transcript(words)
        if self._turn.last_partial_ms is None:
            yield Send(messages.speech_started(hearing.onset_ms, words))
        yield Send(
            messages.turn(
                self.turn_order,
                words,
                text,
                utterance=text,
                confidence=1.0,
                is_end=True,
                is_formatted=True,
                extra=self._annotations.of_final(self.turn_order, words),
            )
        )
        self.turn_order += 1
        self._turn = _OpenTurn()
        yield TurnEnd()

    def _is_over(self, hearing: Hearing) -> bool:
        silences = self.parameters.silences
        labelled = self.parameters.speaker_labels
        limit_ms = LONGEST_LABELLED_TURN_MS if labelled else LONGEST_TURN_MS
        if hearing.now_ms - hearing.onset_ms >= limit_ms:
            return True
        is_sentence = hearing.words[-1].text.rstrip("\"'").endswith((".", "?", "!"))
        return hearing.silence_ms >= (silences.min_ms if is_sentence else silences.max_ms)

    def _is_partial_due(self, hearing: Hearing) -> bool:
        if self._turn.last_partial_ms is None:
            early_ms = self.parameters.first_partial_delay_ms + EARLY_PARTIAL_MS
            return hearing.now_ms >= hearing.onset_ms + early_ms
        if not self.parameters.has_continuous_partials:
            return False
        return hearing.now_ms >= self._turn.last_partial_ms + CADENCE_MS

    def _partial(self, hearing: Hearing, confidence: float) -> Iterator[Output]:
        if self.parameters.speaker_labels or not self.parameters.has_partials:
            return
        words = [replace(word, is_final=False) for word in hearing.words]
        if self._turn.last_partial_ms is None:
            yield Send(messages.speech_started(hearing.onset_ms, words))
        self._turn.last_partial_ms = hearing.now_ms
        yield Send(
            messages.turn(
                self.turn_order,
                words,
                messages.transcript(words),
                confidence=confidence,
                is_formatted=True,
            )
        )
