"""Hear a call at one setting: when would the agent take its turn?

Everything runs on the call's own clock: the stand-in's session and our folding of its messages are
pure, so a call is heard as fast as the machine can, always with the same outcome.
"""

import heapq
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

import numpy as np

from stt_assemblyai.clock import AudioClock
from stt_assemblyai.endpointing import TurnChoices, endpointing_for
from stt_assemblyai.messages import Turn, decode
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.speech import EndOfSpeech, Overdue, SpeechEvent, StartOfSpeech
from stt_assemblyai.turns import TurnMapper
from workbench.loopback.assemblyai_v3.heard import Ears, HeardRecognizer
from workbench.loopback.assemblyai_v3.knobs import Knobs
from workbench.loopback.assemblyai_v3.outputs import Output, Send
from workbench.loopback.assemblyai_v3.parameters import from_query
from workbench.loopback.assemblyai_v3.session import Session
from workbench.loopback.assemblyai_v3.sound import SoundReader
from workbench.timeline import Samples
from workbench.turns.corpus import SAMPLE_RATE

__all__ = ["Setting", "remembering", "take_turns"]

_CHUNK_MS = 50
_TRANSCRIPT_DELAY_MS = 100
_FORCE = json.dumps({"type": "ForceEndpoint"})


@dataclass(frozen=True, slots=True)
class Setting:
    """AssemblyAI's side, and how long LiveKit waits after the last word all the same."""

    name: str
    options: SessionOptions
    min_delay_ms: int = 0


def remembering(ears: Ears) -> Ears:
    """Ears that understand the same sound but once: settings differ little in what they ask."""
    known: dict[bytes, str] = {}

    def decode_once(samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> str:
        key = samples.tobytes()
        if key not in known:
            known[key] = ears.decode(samples)
        return known[key]

    return replace(ears, decode=decode_once)


def take_turns(samples: Samples, setting: Setting, ears: Ears) -> list[int]:
    """When the caller's turns are taken for over, in milliseconds of the call."""
    return _Listener(setting, ears).hear(samples)


class _Listener:
    def __init__(self, setting: Setting, ears: Ears) -> None:
        self._setting = setting
        parameters = from_query(parse_qsl(setting.options.query()))
        recognizer = HeardRecognizer(
            ears, SoundReader("pcm_s16le", SAMPLE_RATE), is_immutable=not parameters.is_rewriting
        )
        recognizer.adapt(
            vad_threshold=parameters.effective_vad_threshold,
            min_turn_silence_ms=parameters.silences.min_ms,
        )
        self._session = Session(parameters, recognizer, Knobs())
        rules = endpointing_for(setting.options, TurnChoices())
        self._clock = AudioClock()
        self._mapper = TurnMapper(self._clock, rules)
        self._order = itertools.count()
        self._coming: list[tuple[float, int, Turn]] = []
        self._last_due_ms = 0.0
        self._pending_ms: float | None = None
        self._taken: list[int] = []

    def hear(self, samples: Samples) -> list[int]:
        size = SAMPLE_RATE * _CHUNK_MS // 1000
        for number, first in enumerate(range(0, samples.size, size), 1):
            chunk = samples[first : first + size].tobytes()
            self._clock.sent(self._clock.session_ms, _CHUNK_MS)
            self._expect(self._session.accept_audio(chunk, is_late=True), number * _CHUNK_MS)
            self._go_on(number * _CHUNK_MS)
        return self._taken

    def _expect(self, outputs: Iterator[Output], now_ms: float) -> None:
        for output in outputs:
            if isinstance(output, Send):
                message = decode(json.dumps(output.message))
                due_ms = now_ms + output.delay_ms + _TRANSCRIPT_DELAY_MS
                self._last_due_ms = max(self._last_due_ms, due_ms)
                if isinstance(message, Turn):
                    heapq.heappush(self._coming, (self._last_due_ms, next(self._order), message))

    def _go_on(self, until_ms: float) -> None:
        """Messages and deadlines, each in its time."""
        while True:
            deadline = self._mapper.deadline
            deadline_ms = float("inf") if deadline is None else deadline * 1000
            message_ms = self._coming[0][0] if self._coming else float("inf")
            now_ms = min(deadline_ms, message_ms)
            self._take(min(now_ms, until_ms))
            if now_ms > until_ms:
                return
            if message_ms <= deadline_ms:
                events = self._mapper.receive(heapq.heappop(self._coming)[2], now_ms / 1000)
            else:
                events = self._mapper.expire(deadline_ms / 1000)
            for event in events:
                self._tell(event, now_ms)

    def _tell(self, event: SpeechEvent, now_ms: float) -> None:
        match event:
            case StartOfSpeech():
                self._pending_ms = None  # LiveKit takes an end back when the caller goes on
            case EndOfSpeech(speech_end_ms=end):
                self._pending_ms = max(now_ms, end + self._setting.min_delay_ms)
            case Overdue():
                self._expect(self._session.accept_text(_FORCE, now_ms / 1000), now_ms)
            case _:
                pass
        self._take(now_ms)

    def _take(self, now_ms: float) -> None:
        if self._pending_ms is not None and self._pending_ms <= now_ms:
            self._taken.append(round(self._pending_ms))
            self._pending_ms = None
