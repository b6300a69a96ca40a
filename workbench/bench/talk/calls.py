"""One call: the caller says what the script has, over the agent's replies as well."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import soundfile

from agent.caller.caller import CallEndedError, Caller
from agent.caller.microphone import SAMPLE_RATE
from agent.caller.speech_energy import speech_spans
from agent.caller.timeline import Samples
from agent.caller.waiting import WaitedTooLongError
from workbench.bench.talk.duck import softer_after_ms
from workbench.bench.talk.kept import KeptCall, KeptSegment, KeptStimulus
from workbench.bench.talk.spans import Kind
from workbench.bench.talk.stimuli import Part, Step, TalkScript
from workbench.local.calling.corpus import resampled
from workbench.local.livekit_server import Access

__all__ = ["agent_speech", "extent", "hold"]

_GREETING_SECONDS = 60.0
_REPLY_SECONDS = 8.0
"""Longer than any reply takes that a caller would wait for."""
_LONGEST_SECONDS = 30.0
_SETTLE_SECONDS = 1.0
_FINEST_GAP_SECONDS = 0.05
_SOFTEST_DBFS = -60.0
"""Below it a stimulus is over."""
_AGENT_DBFS = -60.0
"""Below it the agent is silent; one that only speaks more softly is not."""
_KEPT_RATE = 16_000
_STALL_RESOLUTION_SECONDS = 0.05


async def hold(
    access: Access, contestant: str, script: TalkScript, sound: Path, stand_ins: str
) -> KeptCall:
    """Call the worker of that name, hold the call, and keep what was heard of it in `sound`.

    `stand_ins` names the providers that are stand-ins.
    """
    room = f"{contestant} {script.name} {secrets.token_hex(4)}"
    async with Caller.join(access, room, "caller", contestant) as caller:
        call = _Call(caller)
        psutil.cpu_percent()
        with _stalls() as stalls:
            fault = await call.follow(script)
        heard = caller.heard()
        # Beside the loop: the other contestant's call goes on.
        stimuli, speech = await asyncio.to_thread(_measured, call.stimuli, heard)
        await asyncio.to_thread(_keep, caller.sides(), sound)
        return KeptCall(
            contestant=contestant,
            name=script.name,
            line=script.line,
            stand_ins=stand_ins,
            stimuli=stimuli,
            agent_speech=speech,
            segments=tuple(_segments(caller)),
            longest_stall_ms=max(stalls, default=0.0) * 1000,
            cpu_percent=psutil.cpu_percent(),
            fault=fault,
        )


@dataclass(slots=True)
class _Call:
    caller: Caller
    stimuli: list[KeptStimulus] = field(default_factory=list)

    async def follow(self, script: TalkScript) -> str:
        """Say all of it; the answer is why it was not said to its end, or empty."""
        caller = self.caller
        try:
            await caller.hear_reply(after_seconds=0, timeout_seconds=_GREETING_SECONDS)
            for step in script.steps:
                await self._take(step)
            await asyncio.sleep(_SETTLE_SECONDS)
        except (CallEndedError, WaitedTooLongError) as fault:
            return str(fault)
        return ""

    async def _take(self, step: Step) -> None:
        caller = self.caller
        await caller.hear_silence(timeout_seconds=_LONGEST_SECONDS)
        await asyncio.sleep(step.quiet_seconds)
        ended = await self._say(step.turn, is_over_reply=False)
        begun = await self._reply(ended)
        if begun is not None and step.over is not None:
            await asyncio.sleep(max(0.0, begun + step.after_seconds - caller.now_seconds))
            ended = await self._say(step.over, is_over_reply=True)
            await caller.hear_silence(timeout_seconds=_LONGEST_SECONDS)
            if step.over.kind is Kind.TURN:
                await self._reply(ended)
        await caller.hear_silence(timeout_seconds=_LONGEST_SECONDS)

    async def _say(self, part: Part, *, is_over_reply: bool) -> float:
        """When its last sound was over, in seconds of the call."""
        spoken = await self.caller.say(part.samples)
        first, last = extent(part.samples)
        self.stimuli.append(
            KeptStimulus(
                kind=part.kind,
                start_ms=(spoken.start_seconds + first) * 1000,
                end_ms=(spoken.start_seconds + last) * 1000,
                text=part.text,
                source=part.source,
                is_over_reply=is_over_reply,
            )
        )
        return spoken.start_seconds + last

    async def _reply(self, after_seconds: float) -> float | None:
        """When the agent began to speak, if it speaks after that moment; None if it does not."""
        try:
            span = await self.caller.until(
                lambda: next(
                    (
                        each
                        for each in self.caller.heard_spans
                        if each.end_seconds > after_seconds + 0.1
                    ),
                    None,
                ),
                timeout_seconds=_REPLY_SECONDS,
                what="a reply",
            )
        except WaitedTooLongError:
            return None
        return span.start_seconds


def extent(sound: Samples) -> tuple[float, float]:
    """When its first sound begins and its last one ends, in seconds from its first sample."""
    spans = speech_spans(sound, SAMPLE_RATE, pause_seconds=60, threshold_dbfs=_SOFTEST_DBFS)
    if not spans:
        return 0.0, sound.size / SAMPLE_RATE
    return spans[0].start_seconds, spans[-1].end_seconds


def agent_speech(heard: Samples) -> Iterator[tuple[float, float]]:
    """Sound of the agent, from the call's beginning: begin and end in milliseconds."""
    spans = speech_spans(
        heard, SAMPLE_RATE, pause_seconds=_FINEST_GAP_SECONDS, threshold_dbfs=_AGENT_DBFS
    )
    for span in spans:
        yield round(span.start_seconds * 1000, 1), round(span.end_seconds * 1000, 1)


def _measured(
    stimuli: list[KeptStimulus], heard: Samples
) -> tuple[tuple[KeptStimulus, ...], tuple[tuple[float, float], ...]]:
    """What became of each stimulus, and when the agent was heard."""
    return tuple(_with_softer(each, heard) for each in stimuli), tuple(agent_speech(heard))


def _with_softer(stimulus: KeptStimulus, heard: Samples) -> KeptStimulus:
    if not stimulus.is_over_reply:
        return stimulus
    after_ms = softer_after_ms(heard, SAMPLE_RATE, stimulus.start_ms)
    return stimulus.model_copy(update={"softer_after_ms": after_ms})


def _segments(caller: Caller) -> Iterator[KeptSegment]:
    for each in caller.transcript.segments:
        yield KeptSegment(
            is_callers=each.speaker == caller.identity,
            opened_ms=round(each.opened_seconds * 1000),
            text=each.text.strip(),
        )


def _keep(sides: tuple[Samples, Samples], path: Path) -> None:
    """The call as a stereo FLAC at 16 kHz, the caller on the left."""
    kept = [resampled(side, SAMPLE_RATE, _KEPT_RATE) for side in sides]
    both = np.zeros((max(side.size for side in kept), 2), np.int16)
    for column, side in enumerate(kept):
        both[: side.size, column] = side
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, both, _KEPT_RATE, subtype="PCM_16")


@contextmanager
def _stalls() -> Iterator[list[float]]:
    """How late this loop is, in seconds, each time that it was looked at."""
    late: list[float] = []
    watching = asyncio.create_task(_watch(late))
    try:
        yield late
    finally:
        watching.cancel()


async def _watch(late: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _STALL_RESOLUTION_SECONDS
        await asyncio.sleep(_STALL_RESOLUTION_SECONDS)
        late.append(loop.time() - due)
