"""The corpus of calls: made from `corpus.json` at run time, so that every turn's end is known.

A turn is a row of things said and pauses in milliseconds between them. The voice is synthetic, but
for `{"recorded": n}`, which is the nth utterance of a human reader. Behind a call with
`background_db` another recording goes on, so much softer than the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from agent.caller.microphone import SAMPLE_RATE as SPOKEN_RATE
from agent.caller.speech_energy import speech_spans
from agent.caller.timeline import Samples
from workbench.local.calling.corpus import (
    Utterance,
    dickens,
    resampled,
    synthesised,
)

__all__ = [
    "GAP_SECONDS",
    "SAMPLE_RATE",
    "Call",
    "Script",
    "TrueTurn",
    "call_of",
    "calls",
    "scripts",
    "utterance",
    "write_wavs",
]

SAMPLE_RATE = 16_000
_LEAD_SECONDS = 0.5
GAP_SECONDS = 2.6
"""From one turn to the next: the agent would answer."""
_TAIL_SECONDS = 12.0
_WITHIN_SECONDS = 9.0
"""Longer than any pause: a turn's first and last sound are looked for."""


class Recorded(BaseModel):
    """An utterance of the human reader, by its number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recorded: int


Part = Annotated[int, Field(ge=0)] | str | Recorded


class Script(BaseModel):
    """A call as it is written down."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    turns: tuple[tuple[Part, ...], ...]
    background_db: float | None = None


@dataclass(frozen=True, slots=True)
class TrueTurn:
    """When somebody really began and really finished, in milliseconds of the call."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is heard: mono, 16 kHz."""

    name: str
    samples: Samples
    turns: tuple[TrueTurn, ...]
    gap_seconds: float = GAP_SECONDS
    """From the end of each turn, until the next begins or nobody listens any more."""


def scripts() -> tuple[Script, ...]:
    """All that is written down."""
    text = Path(__file__).with_name("corpus.json").read_bytes()
    return TypeAdapter(tuple[Script, ...]).validate_json(text)


def calls(written: Sequence[Script]) -> list[Call]:
    """Speak them. Raises EngineUnavailableError where the voice or the recording is missing."""
    return [_call(script) for script in written]


def write_wavs(spoken: Sequence[Call], directory: Path) -> None:
    """For a person to listen to."""
    directory.mkdir(parents=True, exist_ok=True)
    for call in spoken:
        path = directory / f"{call.name.replace(', ', '-').replace(' ', '-')}.wav"
        soundfile.write(path, call.samples, SAMPLE_RATE, subtype="PCM_16")


def _call(script: Script) -> Call:
    return call_of(script.name, [utterance(each) for each in script.turns], script.background_db)


def call_of(
    name: str,
    said_in_turn: Sequence[Utterance],
    background_db: float | None = None,
    *,
    gap_seconds: float = GAP_SECONDS,
) -> Call:
    """A call in which this is said, turn by turn."""
    pieces = [_silence(_LEAD_SECONDS)]
    turns = []
    for said in said_in_turn:
        begin_ms = sum(piece.size for piece in pieces) * 1000 // SAMPLE_RATE
        sound = resampled(said.samples, SPOKEN_RATE, SAMPLE_RATE)
        [span] = speech_spans(sound, SAMPLE_RATE, pause_seconds=_WITHIN_SECONDS)
        turns.append(
            TrueTurn(
                said.text,
                begin_ms + round(span.start_seconds * 1000),
                begin_ms + round(span.end_seconds * 1000),
            )
        )
        pieces += [sound, _silence(gap_seconds)]
    samples = np.concatenate([*pieces, _silence(_TAIL_SECONDS - gap_seconds)])
    if background_db is not None:
        samples = samples + _background(samples.size, background_db)
    return Call(name, samples, tuple(turns), gap_seconds)


def utterance(parts: Sequence[Part]) -> Utterance:
    """One turn, its pauses included: mono, 48 kHz."""
    said = [_said(part) for part in parts if not isinstance(part, int)]
    sounds = [
        np.zeros(part * SPOKEN_RATE // 1000, np.int16)
        if isinstance(part, int)
        else _said(part).samples
        for part in parts
    ]
    text = " ".join(each.text for each in said)
    return Utterance(text, np.concatenate(sounds), said[0].source)


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def _said(part: str | Recorded) -> Utterance:
    return synthesised(part) if isinstance(part, str) else dickens()[part.recorded]


@cache
def _reading() -> Samples:
    whole = np.concatenate([each.samples for each in dickens()])
    return resampled(whole, SPOKEN_RATE, SAMPLE_RATE)


def _background(size: int, level_db: float) -> Samples:
    reading = np.resize(_reading(), size).astype(np.float64)
    return (reading * 10 ** (level_db / 20)).astype(np.int16)
