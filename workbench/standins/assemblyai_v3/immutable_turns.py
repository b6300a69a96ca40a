"""Turns of the US models: words never change, two detectors find the end (notes 8.1, 10.1)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from workbench.standins.assemblyai_v3 import messages
from workbench.standins.assemblyai_v3.annotations import Annotations
from workbench.standins.assemblyai_v3.hearing import Hearing, Word
from workbench.standins.assemblyai_v3.messages import Message
from workbench.standins.assemblyai_v3.outputs import Output, Send, TurnEnd
from workbench.standins.assemblyai_v3.parameters import Parameters

UTTERANCE_SILENCE_MS = 160
LEAST_SPEECH_MS = 80
UNSURE_CONFIDENCE = 0.2
"""The highest before a turn's end, of a service that tells it late."""


class ImmutableTurns:
    """Remembers the turn's number, what was told last, and how many words in utterances."""

    def __init__(
        self, parameters: Parameters, annotations: Annotations, *, tells_late: bool = False
    ) -> None:
        self.parameters = parameters
        self.turn_order = 0
        self.twin_delay_ms: int | None = 0
        """After the end of a turn; None: no formatted twin comes."""
        self._annotations = annotations
        self._tells_late = tells_late
        self._in_utterances = 0
        self._told: tuple[tuple[str, bool], ...] = ()

    def step(self, hearing: Hearing) -> Iterator[Output]:
        """What is sent at this instant."""
        if not hearing.words:
            return
        if hearing.is_settled and self._is_over(hearing):
            yield from self.end(hearing)
        elif (
            not self._tells_late
            and hearing.is_settled
            and hearing.silence_ms >= UTTERANCE_SILENCE_MS
            and len(hearing.words) > self._in_utterances
        ):
            yield from self._partial(hearing, self._utterance(hearing.words))
            self._in_utterances = len(hearing.words)
        elif self._is_news(self._as_told(hearing)):
            yield from self._partial(hearing, "")

    def end(self, hearing: Hearing) -> Iterator[Output]:
        """End the turn with these words, all of them final."""
        confidence = hearing.end_of_turn_confidence
        words = unformatted(hearing.words)
        annotations = self._annotations.of_final(self.turn_order, words)
        final = messages.turn(
            self.turn_order,
            words,
            messages.transcript(words),
            utterance=self._utterance(hearing.words),
            confidence=confidence,
            is_end=True,
            extra=annotations,
        )
        yield from self._send(final)
        if self.parameters.format_turns and self.twin_delay_ms is not None:
            words = [word.finished() for word in hearing.formatted_words]
            twin = messages.turn(
                self.turn_order,
                words,
                messages.transcript(words),
                confidence=confidence,
                is_end=True,
                is_formatted=True,
                extra=annotations,
            )
            yield from self._send(twin, self.twin_delay_ms)
        self.turn_order += 1
        self._in_utterances = 0
        self._told = ()
        yield TurnEnd()

    def _is_over(self, hearing: Hearing) -> bool:
        speech_ms = sum(word.end_ms - word.start_ms for word in hearing.words)
        if speech_ms < LEAST_SPEECH_MS:
            return False
        threshold = self.parameters.end_of_turn_confidence_threshold
        if hearing.end_of_turn_confidence >= threshold and threshold < 1:
            return hearing.silence_ms >= self.parameters.silences.min_ms
        return hearing.silence_ms >= self.parameters.silences.max_ms

    def _is_news(self, words: Sequence[Word]) -> bool:
        state = tuple((word.text, word.is_final) for word in words)
        is_news = state != self._told
        self._told = state
        return is_news

    def _utterance(self, words: Sequence[Word]) -> str:
        return messages.transcript(unformatted(words[self._in_utterances :]))

    def _partial(self, hearing: Hearing, utterance: str) -> Iterator[Output]:
        told = self._as_told(hearing)
        words = unformatted(told)
        confidence = hearing.end_of_turn_confidence if hearing.is_settled else 0.0
        if self._tells_late:
            confidence = min(confidence, UNSURE_CONFIDENCE)
        self._is_news(told)
        yield from self._send(
            messages.turn(
                self.turn_order,
                words,
                messages.transcript([word for word in words if word.is_final]),
                utterance=utterance,
                confidence=confidence,
            )
        )

    def _as_told(self, hearing: Hearing) -> Sequence[Word]:
        if not self._tells_late:
            return hearing.words
        *before, last = hearing.words
        if hearing.is_settled:
            return (*before, replace(last, is_final=False))
        so_far = last.text[: max(1, len(last.text) // 2)]
        return (*before, replace(last, text=so_far, end_ms=hearing.now_ms))

    def _send(self, message: Message, delay_ms: float = 0) -> Iterator[Output]:
        if message["end_of_turn"] or self.parameters.has_partials:
            yield Send(message, delay_ms)


def unformatted(words: Sequence[Word]) -> list[Word]:
    """The words as US models write them."""
    return [replace(word, text=messages.plain(word.text)) for word in words]
