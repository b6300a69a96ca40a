"""The whole stream over a service that really hears: whatever breaks, each word is said once.

Connections break at any moment, time jumps, audio comes in odd pieces, options change; no word may
be lost or doubled.
"""

import random

from stt_assemblyai.actions import StreamConfig
from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.events import Final
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.stream import Stream
from stt_assemblyai.timing import Timing
from workbench.bench.fuzz.speech_peer import SpeechService
from workbench.bench.fuzz.world import World
from workbench.standins.spelt_speech import RATE, SpeltWord, audio, script

__all__ = ["Call", "play"]

_LENGTH_MS = 20_000
_MODELS = ("universal-streaming-english", "universal-3-6-pro")


class Call:
    """A caller who reads the script to a stream."""

    def __init__(
        self,
        words: list[SpeltWord],
        model: str,
        *,
        timing: Timing,
        expires_seconds: float | None = None,
        draw: random.Random,
    ) -> None:
        self.words = words
        self.said_ms = 0
        options = SessionOptions(speech_model=model, sample_rate=RATE)
        stream = Stream(
            StreamConfig(options, TurnChoices(), timing), Retries(Patience(), draw.random)
        )
        rewritten = model == "universal-3-6-pro"
        self.service = SpeechService(words, rewritten, expires_seconds)
        self.world = World(stream, self.service, ahead_seconds=lambda: 0.0)
        self.world.tell(stream.start)

    def speak(self, duration_ms: int) -> None:
        """Live audio: it comes when its time has passed."""
        pcm = audio(self.said_ms, duration_ms)
        self.world.advance(self.world.now + duration_ms / 1000)
        self.said_ms += duration_ms
        self.world.tell(self.world.stream.push, pcm)

    @property
    def is_between_words(self) -> bool:
        """Whether no word is under way: a service would hear a cut one as two."""
        return not any(word.start_ms < self.said_ms < word.end_ms + 200 for word in self.words)

    def drop(self, code: int = 1006) -> None:
        """Every connection that is there breaks."""
        for key in list(self.world.far_ends):
            self.world.drop(key, code)

    def end(self) -> None:
        """Hang up between two words, and check that each was heard once."""
        under_way = [word.end_ms for word in self.words if word.start_ms < self.said_ms]
        while self.said_ms < max(under_way, default=0) + 200:
            self.speak(50)
        for peer in self.service.peers.values():
            peer.blocked = False
        self.world.tell(self.world.stream.end_input)
        self.world.finish()
        said = [event.transcript.text for event in self.world.events if isinstance(event, Final)]
        expected = [word.text for word in self.words if word.start_ms < self.said_ms - 200]
        assert " ".join(said).split() == expected, "a word was lost or doubled"
        assert self.world.stream.sessions.error is None


def play(seed: int) -> int:
    """One call; gives the number of steps. Raises whatever is wrong."""
    draw = random.Random(seed)
    timing = Timing(
        chunk_ms=draw.choice([50, 50, 100]),
        idle_seconds=draw.choice([None, 3.0, 60.0]),
        roll_over_seconds=draw.choice([5.0, 60.0]),
        shortest_session_seconds=0.0,
    )
    expires_seconds = draw.choice([None, None, 5.0, 12.0])
    call = Call(
        script(draw, _LENGTH_MS),
        draw.choice(_MODELS),
        timing=timing,
        expires_seconds=expires_seconds,
        draw=draw,
    )
    rate_of_drops = draw.choice([0.0, 0.002, 0.01])
    while call.said_ms < _LENGTH_MS:
        act(call, draw, rate_of_drops)
    call.end()
    assert call.world.most_sending <= 1 or expires_seconds is not None, "an overlap for nothing"
    return call.world.steps


def act(call: Call, draw: random.Random, rate_of_drops: float) -> None:
    """The next thing that happens in a call."""
    if draw.random() < rate_of_drops:
        call.drop(draw.choice([1006, 1011, 3005]))
    chance = draw.random()
    if chance < 0.004 and call.is_between_words:
        call.world.advance(call.world.now + draw.choice([0.5, 2.0, 30.0]))  # no audio meanwhile
    elif chance < 0.008:
        options = call.world.stream.sessions.config.options.revised(
            min_turn_silence=draw.choice([400, 700])
        )
        call.world.tell(call.world.stream.update, options)
    elif chance < 0.012:
        call.world.tell(call.world.stream.commit_now)
    elif chance < 0.016:
        for peer in call.service.peers.values():
            peer.blocked = not peer.blocked
    else:
        call.speak(draw.choice([50, 50, 50, 20, 35, 120]))
