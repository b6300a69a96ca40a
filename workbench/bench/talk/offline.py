"""How soon the agent yields, and to what, without a room: `python -m workbench.bench.talk.offline`.

The sounds of the scorecard go through the worker's voice detector and its barge-in, on a clock of
their own. Each is heard after one turn of the caller, whose level is learnt, over a reply that goes
on and on. What a room adds is a constant; what words add is theirs to say (`--words-after`).
"""

import argparse
import asyncio
import logging
import math
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from livekit import rtc
from livekit.agents import vad
from livekit.plugins import silero

from agent.call.barge_in.by_voice import LIMITS, Limits, Posture, VoiceBargeIn
from agent.call.barge_in.interruptions import Verdict
from agent.call.voices.vad_tap import level_of
from agent.call.voices.voice_feed import FRAME_MS, SAMPLE_RATE
from agent.caller import microphone
from agent.caller.timeline import Samples
from workbench.bench.pages import markdown_table
from workbench.bench.talk.calls import extent
from workbench.bench.talk.script_options import parse, script_parser
from workbench.bench.talk.spans import Conversation, Kind, Span, Stimulus, joined
from workbench.bench.talk.stimuli import SEEDS, Step, scripts
from workbench.bench.talk.tau_voice import panel
from workbench.local.calling.corpus import resampled

__all__ = [
    "THRESHOLD",
    "Outcome",
    "Result",
    "Scene",
    "by_kind",
    "curve",
    "events_of",
    "hear",
    "hear_all",
    "results_of",
    "watch",
]

THRESHOLD = 0.4
"""The worker's, by default."""
ROOM_SECONDS = 0.041
"""The delay of a room, from microphone to listener: between two callers on one machine."""
FADE_SECONDS = 0.07
"""From the decision to be silent until nothing more is sent, 0.06 to 0.08: `yielding_output`."""
_WINDOW_SECONDS = 1.0
"""In which a stop counts as one for what is heard."""
_PAUSE_MS = 200.0
"""As in the scorecard: a longer gap is a stop."""
_STOPS_MS = (128, 160, 192, 224, 250, 288, 320, 400)
_HEARD_SECONDS = 2 * ROOM_SECONDS + FADE_SECONDS
_ANSWER_SECONDS = 1.0
_AFTER_SECONDS = 3.0
_EXACT_MS = 10
_VERDICTS = {Kind.BACKCHANNEL: Verdict.BACKCHANNEL, Kind.VOCAL_TIC: Verdict.BACKCHANNEL}
"""Other words stop the agent."""


@dataclass(frozen=True, slots=True)
class Result:
    """The voice detector's: known at `at` seconds, of sound that had this level."""

    at: float
    probability: float
    level_db: float


@dataclass(frozen=True, slots=True)
class Scene:
    """What is heard over one reply, and of the turn before it. Times are seconds."""

    kind: Kind
    text: str
    source: str
    line: str
    reply_at: float
    begins_at: float
    """Its first sound leaves the caller's microphone."""
    ends_at: float
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one: seconds from its first sound, as they are heard; None for never."""

    scene: Scene
    soft_after: float | None
    silences: tuple[tuple[float, float], ...]
    """On the scene's clock."""

    @property
    def silent_after(self) -> float | None:
        return self.silences[0][0] - self.scene.begins_at if self.silences else None

    @property
    def conversation(self) -> Conversation:
        """As tau-voice's definitions want it."""
        scene = self.scene
        edges = [scene.reply_at, *(at for each in self.silences for at in each), _end(scene)]
        speech = [
            Span(start * 1000, end * 1000)
            for start, end in zip(edges[::2], edges[1::2], strict=True)
            if start < end
        ]
        span = Span(scene.begins_at * 1000, scene.ends_at * 1000)
        said = joined(speech, _PAUSE_MS)
        return Conversation((Stimulus(scene.kind, span, scene.text),), said)


async def hear(detector: vad.VAD, step: Step, line: str) -> Scene:
    """One turn, and what is heard over the answer to it. Raises ValueError where nothing is."""
    if step.over is None:
        raise ValueError("Nothing is heard over this reply")
    turn, over = step.turn.samples, step.over.samples
    silence = _silence(_ANSWER_SECONDS + step.after_seconds)
    sound = np.concatenate([turn, silence, over, _silence(_AFTER_SECONDS)])
    reply_at = turn.size / microphone.SAMPLE_RATE + _ANSWER_SECONDS
    first, last = extent(over)
    starts_at = reply_at + step.after_seconds
    return Scene(
        kind=step.over.kind,
        text=step.over.text,
        source=step.over.source,
        line=line,
        reply_at=reply_at,
        begins_at=starts_at + first,
        ends_at=starts_at + last,
        results=tuple([each async for each in results_of(detector, sound)]),
    )


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * microphone.SAMPLE_RATE), np.int16)


async def results_of(detector: vad.VAD, sound: Samples) -> AsyncIterator[Result]:
    """What the detector makes of mono sound of 48 kHz."""
    async for at, event in events_of(detector, sound):
        yield Result(at, event.probability, level_of(event))


async def events_of(detector: vad.VAD, sound: Samples) -> AsyncIterator[tuple[float, vad.VADEvent]]:
    """Its results on mono sound of 48 kHz, each with the second at which it is known: when the
    last of the worker's frames that it needs is in."""
    heard = resampled(sound, microphone.SAMPLE_RATE, SAMPLE_RATE)
    stream = detector.stream()
    size = SAMPLE_RATE * FRAME_MS // 1000
    for start in range(0, heard.size - size + 1, size):
        frame = heard[start : start + size]
        stream.push_frame(rtc.AudioFrame(frame.tobytes(), SAMPLE_RATE, 1, size))
    stream.end_input()
    async for event in stream:
        if event.type is vad.VADEventType.INFERENCE_DONE:
            yield -(-event.samples_index // size) * FRAME_MS / 1000, event
    await stream.aclose()


def watch(scene: Scene, limits: Limits, words_after: float | None = None) -> Outcome:
    """How the agent speaks over it. Its words, where it has any, are known `words_after` seconds
    from its first sound; where that is None they never are."""
    barge_in = VoiceBargeIn(limits, THRESHOLD)
    has_words = words_after is not None and scene.text != ""
    words_at = scene.begins_at + (words_after or 0) if has_words else math.inf
    postures: list[tuple[float, Posture]] = []
    for result in scene.results:
        barge_in.hear(
            result.at,
            result.probability,
            result.level_db,
            callers_turn=result.at < scene.reply_at,
        )
        if result.at >= words_at:
            stops = not barge_in.is_aside(scene.begins_at)
            otherwise = Verdict.MAYBE_MISHEARD if stops else Verdict.ASIDE
            barge_in.on_verdict(_VERDICTS.get(scene.kind, otherwise))
        postures.append((result.at, barge_in.posture(result.at)))
    over = [each for each in postures if each[0] >= scene.begins_at]
    soft = next((at for at, posture in over if posture is not Posture.SPEAKS), None)
    return Outcome(
        scene,
        None if soft is None else soft + _HEARD_SECONDS - scene.begins_at,
        tuple(_silences(over, _end(scene))),
    )


def _silences(
    postures: Iterable[tuple[float, Posture]], end: float
) -> Iterator[tuple[float, float]]:
    """When the agent is not heard."""
    since = None
    for at, posture in postures:
        if posture is Posture.IS_SILENT:
            since = at + _HEARD_SECONDS if since is None else since
        elif since is not None:
            yield since, max(since, at + 2 * ROOM_SECONDS)
            since = None
    if since is not None:
        yield since, max(since, end)


def _end(scene: Scene) -> float:
    return scene.ends_at + _AFTER_SECONDS


async def hear_all(seed: str, turns: int, overlaps: int) -> list[Scene]:
    """Every overlap of the scorecard's scripts of that seed, in their order."""
    detector = silero.VAD.load(activation_threshold=THRESHOLD)
    return [
        await hear(detector, step, script.line)
        for script in scripts(SEEDS[seed], turns, overlaps)
        for step in script.steps
        if step.over is not None
    ]


def by_kind(outcomes: Sequence[Outcome]) -> list[str]:
    """Lines of a table: a row for each kind over each line."""
    heads = ("", "events", "silent within 1 s", "mean until silence", "mean until soft")
    rows = []
    for kind in Kind:
        for line in ("wideband", "telephone"):
            these = [
                each for each in outcomes if (each.scene.kind, each.scene.line) == (kind, line)
            ]
            stops = [each.silent_after for each in these if each.silent_after is not None]
            soon = [seconds for seconds in stops if seconds <= _WINDOW_SECONDS]
            soft = [each.soft_after for each in these if each.soft_after is not None]
            share = f"{len(soon) / len(these):.0%}" if these else "none"
            rows.append((f"{kind}, {line}", str(len(these)), share, _mean(stops), _mean(soft)))
    return markdown_table(heads, rows)


def curve(scenes: Sequence[Scene], limits: Limits, stops_ms: Iterable[int]) -> list[str]:
    """Lines of a table: a row for each length of a voice for which the agent falls silent."""
    heads = ("silent for a voice of", "R_Y", "L_Y, exact", "L_Y", "S_BC", "S_VT", "S_ND", "mean")
    rows = []
    for stop_ms in stops_ms:
        chosen = replace(limits, stop_seconds=stop_ms / 1000)
        conversations = [watch(scene, chosen).conversation for scene in scenes]
        ticked = panel(conversations)
        exact = panel(conversations, tick_ms=_EXACT_MS)
        measures = (
            ticked.r_y,
            exact.l_y,
            ticked.l_y,
            ticked.s_bc,
            ticked.s_vt,
            ticked.s_nd,
            ticked.selectivity,
        )
        values = [each.value for each in measures]
        figures = ("none" if value is None else f"{value:.2f}" for value in values)
        rows.append((f"{stop_ms} ms", *figures))
    return markdown_table(heads, rows)


def _mean(seconds: Sequence[float]) -> str:
    return f"{fmean(seconds):.2f} s" if seconds else "never"


def main() -> int:
    """The exit status."""
    options = _options()
    logging.basicConfig(level=logging.ERROR)
    scenes = asyncio.run(hear_all(options.seed, options.turns, options.overlaps))
    limits = LIMITS[options.strength]
    outcomes = [watch(scene, limits, options.words_after) for scene in scenes]
    print("\n".join([*by_kind(outcomes), "", *curve(scenes, limits, _STOPS_MS)]))
    return 0


def _options() -> argparse.Namespace:
    parser = script_parser(
        "workbench.bench.talk.offline", __doc__, turns=312, overlaps=300, seed="tuning"
    )
    add = parser.add_argument
    add("--strength", choices=list(LIMITS), default="balanced", help="how easily it yields")
    add("--words-after", type=float, help="seconds from the first sound until words are known")
    return parse(parser)


if __name__ == "__main__":
    sys.exit(main())
