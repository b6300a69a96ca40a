"""What callers say and what else is heard from them, and when: all of it follows from a seed."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import soundfile

from agent.caller.microphone import SAMPLE_RATE
from agent.caller.phone import telephone
from agent.caller.speech_energy import speech_spans
from agent.caller.timeline import Samples
from workbench.bench.talk.sounds import NOISES, TICS, at_level, far_away, made, other_voice
from workbench.bench.talk.spans import Kind
from workbench.local.calling import corpus
from workbench.local.calling.corpus import Utterance, resampled

__all__ = ["SEEDS", "Part", "Step", "TalkScript", "most_overlaps", "recorded_noises", "scripts"]

SEEDS = {"tuning": 1, "judged": 2}
"""Thresholds are chosen on the first, and judged on the second."""
OVERLAPS_A_CALL = 25
"""And one more turn, at the end, over whose reply nothing is heard."""
PAUSED_SHARE = 0.2
"""Of the turns: the share with a pause in the middle."""
PAUSE_SECONDS = (0.3, 0.7)
OFFSET_SECONDS = (0.8, 2.2)
"""From the first sound of a reply to what is said over it."""
QUIET_SECONDS = (0.7, 1.5)
"""From the end of a reply to the next turn."""
_VOICES = (0.94, 1.06)
_SHARES = (
    (Kind.TURN, 0.34),
    (Kind.BACKCHANNEL, 0.2),
    (Kind.VOCAL_TIC, 0.16),
    (Kind.NON_DIRECTED, 0.16),
    (Kind.NOISE, 0.14),
)
_BACKCHANNELS = ("Uh-huh.", "Mm-hmm.", "Yeah.", "Right.", "Okay.", "I see.")
_HESITATIONS = ("Um.", "Uh.")
_ASIDES = (
    "Not now.",
    "I am on the phone.",
    "Put it on the table, please.",
    "Have you seen my keys?",
    "The door is open.",
    "Dinner is ready.",
)
_LONGEST_ASIDE = 2 * SAMPLE_RATE
_FOLDER = Path(__file__).with_name("noises")


@dataclass(frozen=True, slots=True)
class Part:
    """Something that comes out of the caller's microphone: mono, 48 kHz."""

    kind: Kind
    text: str
    samples: Samples
    source: str


@dataclass(frozen=True, slots=True)
class Step:
    """A turn, and what is heard over its reply."""

    quiet_seconds: float
    turn: Part
    over: Part | None
    after_seconds: float


@dataclass(frozen=True, slots=True)
class TalkScript:
    """A call: who says what, over which line."""

    name: str
    line: str
    """`wideband` or `telephone`."""
    steps: tuple[Step, ...]


def _calls(turns: int) -> int:
    return math.ceil(turns / (OVERLAPS_A_CALL + 1))


def most_overlaps(turns: int) -> int:
    """How many sounds fit over the replies to this many turns: none over the last of a call."""
    return turns - _calls(turns)


def scripts(seed: int, turns: int, overlaps: int) -> list[TalkScript]:
    """These turns and overlaps in calls of at most 26 turns; every other is by telephone.

    Raises ValueError where a call would not end with a turn over whose reply nothing is heard.
    """
    chance = random.Random(seed)
    count = _calls(turns)
    if overlaps > most_overlaps(turns):
        raise ValueError(f"{turns} turns have room for {most_overlaps(turns)} overlaps")
    kinds = iter(_kinds(overlaps, chance))
    lines = ("wideband", "telephone")
    made = []
    for number in range(count):
        size = turns // count + (number < turns % count)
        mine = overlaps // count + (number < overlaps % count)
        row = [*islice(kinds, min(mine, size - 1)), *[None] * size][:size]
        made.append(_script(number, lines[number % 2], row, chance))
    return made


def _kinds(count: int, chance: random.Random) -> list[Kind]:
    """In the stated shares, in random order; interruptions make up for what rounding leaves."""
    rest = [kind for kind, share in _SHARES[1:] for _ in range(round(share * count))]
    kinds = [*rest, *[Kind.TURN] * (count - len(rest))][:count]
    chance.shuffle(kinds)
    return kinds


def _script(
    number: int, line: str, kinds: Sequence[Kind | None], chance: random.Random
) -> TalkScript:
    speaker = _Speaker(number, line, chance)
    steps = [
        Step(
            chance.uniform(*QUIET_SECONDS),
            speaker.turn(),
            None if kind is None else speaker.over(kind),
            chance.uniform(*OFFSET_SECONDS),
        )
        for kind in kinds
    ]
    return TalkScript(f"call-{number + 1}", line, tuple(steps))


class _Speaker:
    """The caller of one call: a recorded person, at a pitch of that call's own."""

    def __init__(self, number: int, line: str, chance: random.Random) -> None:
        everybody = _people()
        self._clips = everybody[number % len(everybody)]
        others = [each for each in everybody if each is not self._clips] or everybody
        self._others = [clip for each in others for clip in each]
        self._factor = chance.uniform(*_VOICES)
        self._line = line
        self._chance = chance
        self._waiting: list[Utterance] = []

    def turn(self) -> Part:
        """One of the speaker's clips; some of them with a longer pause in the middle."""
        clip = self._next_clip()
        sound = other_voice(clip.samples, self._factor)
        if self._chance.random() < PAUSED_SHARE:
            sound = with_longer_pause(sound, self._chance.uniform(*PAUSE_SECONDS))
        return self._part(Kind.TURN, clip.text, sound, clip.source)

    def over(self, kind: Kind) -> Part:
        """Something of this kind."""
        match kind:
            case Kind.BACKCHANNEL:
                return self._spoken(kind, _BACKCHANNELS)
            case Kind.VOCAL_TIC:
                return self._tic()
            case Kind.NON_DIRECTED:
                return self._aside()
            case Kind.NOISE:
                return self._noise()
            case _:
                clip = self._next_clip()
                sound = other_voice(clip.samples, self._factor)
                return self._part(kind, clip.text, sound, clip.source)

    def _next_clip(self) -> Utterance:
        if not self._waiting:
            self._waiting = self._chance.sample(self._clips, len(self._clips))
        return self._waiting.pop()

    def _spoken(self, kind: Kind, texts: Sequence[str]) -> Part:
        text = self._chance.choice(texts)
        voice = corpus.synthesised(text).samples
        sound = other_voice(voice, self._chance.uniform(0.85, 1.15))
        return self._part(kind, text, at_level(sound, 0.35), "synthesised")

    def _tic(self) -> Part:
        if self._chance.random() < 0.25:
            return self._spoken(Kind.VOCAL_TIC, _HESITATIONS)
        name = self._chance.choice(sorted(TICS))
        peak = self._chance.uniform(0.15, 0.4)
        sound = made(TICS[name], self._chance, peak)
        return self._part(Kind.VOCAL_TIC, "", sound, f"made, {name}")

    def _aside(self) -> Part:
        """The caller to somebody else, or somebody else in the room; both away from it."""
        if self._chance.random() < 0.5:
            text = self._chance.choice(_ASIDES)
            voice = corpus.synthesised(text).samples
            voice, source = other_voice(voice, self._chance.uniform(0.85, 1.15)), "synthesised"
        else:
            clip = self._chance.choice(self._others)
            text, voice, source = "", clip.samples[:_LONGEST_ASIDE], clip.source
        sound = far_away(voice, self._chance.uniform(0.05, 0.12))
        return self._part(Kind.NON_DIRECTED, text, sound, f"{source}, away from the microphone")

    def _noise(self) -> Part:
        recorded = recorded_noises()
        name = self._chance.choice(sorted([*NOISES, *recorded]))
        peak = self._chance.uniform(0.1, 0.4)
        if name in recorded:
            long = recorded[name]
            size = min(long.size, round(self._chance.uniform(1.0, 2.5) * SAMPLE_RATE))
            start = self._chance.randrange(long.size - size + 1)
            return self._part(
                Kind.NOISE, "", at_level(long[start : start + size], peak), f"recorded, {name}"
            )
        return self._part(Kind.NOISE, "", made(NOISES[name], self._chance, peak), f"made, {name}")

    def _part(self, kind: Kind, text: str, sound: Samples, source: str) -> Part:
        heard = telephone(sound, self._chance) if self._line == "telephone" else sound
        return Part(kind, text, heard, source)


def with_longer_pause(sound: Samples, seconds: float) -> Samples:
    """The same words with a pause at the quietest place of their middle half.

    Without such a place (where nothing falls below -45 dBFS), the sound as it is.
    """
    quarter = sound.size // 4
    spans = speech_spans(sound, SAMPLE_RATE, pause_seconds=0.05)
    gaps = [
        (later.start_seconds - earlier.end_seconds, earlier.end_seconds)
        for earlier, later in pairwise(spans)
        if quarter < earlier.end_seconds * SAMPLE_RATE < 3 * quarter
    ]
    if not gaps:
        return sound
    gap_seconds, at_seconds = max(gaps)
    more = max(0.0, seconds - gap_seconds)
    place = round((at_seconds + gap_seconds / 2) * SAMPLE_RATE)
    silence = np.zeros(round(more * SAMPLE_RATE), np.int16)
    return np.concatenate([sound[:place], silence, sound[place:]])


@cache
def _people() -> list[tuple[Utterance, ...]]:
    """The recorded people that this machine has, each with what they say."""
    return [each for each in (corpus.allison(), corpus.dickens(), corpus.austen()) if each]


@cache
def recorded_noises() -> dict[str, Samples]:
    """By name: mono, 48 kHz."""
    found = {}
    for path in sorted(_FOLDER.glob("*.flac")):
        sound, rate = soundfile.read(path, dtype="int16")
        found[path.stem] = resampled(sound, rate, SAMPLE_RATE)
    return found
