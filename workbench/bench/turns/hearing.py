"""Hear a call at one setting: when would the agent take its turn?

Everything runs on the call's own clock: the stand-in's session and our folding of its messages are
pure, so a call is heard as fast as the machine can, always with the same outcome.
"""

import heapq
import itertools
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

import numpy as np

from agent.call.turns.end_of_turn.opinions import hold_share
from agent.call.turns.end_of_turn.second_opinion import EventKind, Force, SecondOpinion
from agent.caller.timeline import Samples
from stt_assemblyai.audio import AudioClock
from stt_assemblyai.endpointing import TurnChoices, endpointing_for
from stt_assemblyai.events import (
    EndOfSpeech,
    Final,
    Interim,
    Overdue,
    Preflight,
    SpeechEvent,
    StartOfSpeech,
)
from stt_assemblyai.messages import Turn, decode
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.turns import TurnMapper
from workbench.bench.turns.corpus import SAMPLE_RATE
from workbench.bench.turns.pauses import Moment
from workbench.standins.assemblyai_v3.heard import Engines, HeardRecognizer
from workbench.standins.assemblyai_v3.knobs import Knobs
from workbench.standins.assemblyai_v3.outputs import Output, Send
from workbench.standins.assemblyai_v3.parameters import from_query
from workbench.standins.assemblyai_v3.session import Session
from workbench.standins.assemblyai_v3.sound import SoundReader

__all__ = ["Opinionated", "Setting", "remembering", "replayed", "take_turns"]

_CHUNK_MS = 50
_TRANSCRIPT_DELAY_MS = 100
_FORCE = json.dumps({"type": "ForceEndpoint"})


_KINDS: dict[type[SpeechEvent], EventKind] = {
    StartOfSpeech: EventKind.START,
    Interim: EventKind.WORDS,
    Preflight: EventKind.WORDS,
    Final: EventKind.WORDS,
    EndOfSpeech: EventKind.END,
}


@dataclass(frozen=True, slots=True)
class Opinionated:
    """A second opinion: how long it holds an end back, when it asks for one, when it is sure."""

    hold_ms: int
    early_ms: int
    threshold: float


@dataclass(frozen=True, slots=True)
class Setting:
    """AssemblyAI's side, how long LiveKit waits after the last word all the same, and a second
    opinion, if there is one."""

    name: str
    options: SessionOptions
    min_delay_ms: int = 0
    opinion: Opinionated | None = None


def remembering(engines: Engines) -> Engines:
    """Engines that decode the same sound only once: settings differ little in what they ask."""
    known: dict[bytes, str] = {}

    def decode_once(samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> str:
        key = samples.tobytes()
        if key not in known:
            known[key] = engines.decode(samples)
        return known[key]

    return replace(engines, decode=decode_once)


def replayed(engines: Engines, voices: Sequence[float]) -> Engines:
    """The same for one call, whose voice was detected before: every setting hears it alike."""
    heard = iter(voices)
    return replace(engines, voice_probability=lambda _: next(heard))


def take_turns(
    samples: Samples, setting: Setting, engines: Engines, moments: Sequence[Moment] = ()
) -> list[int]:
    """When the caller's turns are taken for over, in milliseconds of the call. `moments` are what
    a second opinion goes by."""
    return _Listener(setting, engines, moments).hear(samples)


class _Listener:
    def __init__(self, setting: Setting, engines: Engines, moments: Sequence[Moment]) -> None:
        self._setting = setting
        self._moments = deque(moments)
        self._opinion: SecondOpinion[SpeechEvent] | None = None
        if (own := setting.opinion) is not None:
            self._opinion = SecondOpinion(own.hold_ms / 1000, own.early_ms / 1000)
        parameters = from_query(parse_qsl(setting.options.query()))
        recognizer = HeardRecognizer(
            engines, SoundReader("pcm_s16le", SAMPLE_RATE), is_immutable=not parameters.is_rewriting
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
        """Messages, deadlines and the voice's moments, each in its time."""
        while True:
            now_ms, act = self._next()
            self._take(min(now_ms, until_ms))
            if now_ms > until_ms:
                return
            act(now_ms)

    def _next(self) -> tuple[float, Callable[[float], None]]:
        """What comes first, and when."""
        never = float("inf")
        deadline = self._mapper.deadline
        due = None if self._opinion is None else self._opinion.deadline
        return min(
            (self._coming[0][0] if self._coming else never, self._receive),
            (never if deadline is None else deadline * 1000, self._expire),
            (self._moments[0].at_ms if self._opinion and self._moments else never, self._notice),
            (never if due is None else due * 1000, self._decide),
            key=lambda each: each[0],
        )

    def _receive(self, now_ms: float) -> None:
        self._weigh(self._mapper.receive(heapq.heappop(self._coming)[2], now_ms / 1000), now_ms)

    # A deadline in milliseconds and back may be a hair earlier, and would never come.

    def _expire(self, now_ms: float) -> None:
        deadline = self._mapper.deadline
        assert deadline is not None
        self._weigh(self._mapper.expire(deadline), now_ms)

    def _weigh(self, events: Sequence[SpeechEvent], now_ms: float) -> None:
        for event in events:
            if self._opinion is None:
                self._tell(event, now_ms)
            else:
                kind = _KINDS.get(type(event), EventKind.OTHER)
                ended_at = event.speech_end_ms / 1000 if isinstance(event, EndOfSpeech) else None
                actions = self._opinion.push(kind, event, now_ms / 1000, ended_at=ended_at)
                self._do(actions, now_ms)

    def _notice(self, now_ms: float) -> None:
        moment = self._moments.popleft()
        assert self._opinion is not None
        assert self._setting.opinion is not None
        match moment.kind:
            case "voice":
                self._do(self._opinion.voice(now_ms / 1000), now_ms)
            case "quiet":
                since = moment.quiet_since_ms / 1000
                self._do(self._opinion.quiet(since, now_ms / 1000), now_ms)
            case "judged":
                share = hold_share(moment.probability, self._setting.opinion.threshold)
                self._do(self._opinion.on_opinion(share, now_ms / 1000), now_ms)

    def _decide(self, now_ms: float) -> None:
        assert self._opinion is not None
        due = self._opinion.deadline
        assert due is not None
        self._do(self._opinion.expire(due), now_ms)

    def _do(self, actions: Sequence[SpeechEvent | Force], now_ms: float) -> None:
        for action in actions:
            if isinstance(action, Force):
                self._expect(self._session.accept_text(_FORCE, now_ms / 1000), now_ms)
            else:
                self._tell(action, now_ms)

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
