"""The agent does not lose its place over a noise, as the worker's own voice detector hears it."""

import asyncio
import random
from collections.abc import AsyncIterator
from functools import cache

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, vad
from livekit.plugins import silero

from agent.call.barge_in.by_voice import LIMITS, SURELY_CALLERS, VoiceBargeIn
from agent.call.barge_in.floor import SessionFloor
from agent.call.output.playout import Playout
from agent.caller.microphone import SAMPLE_RATE
from agent.caller.timeline import Samples
from workbench.bench.talk.calls import extent
from workbench.bench.talk.offline import THRESHOLD, events_of
from workbench.bench.talk.sounds import NOISES, TICS, far_away, made, other_voice
from workbench.bench.talk.stimuli import recorded_noises
from workbench.local.calling import corpus
from workbench.standins.scripted import RATE, Loudspeaker

Heard = list[tuple[float, vad.VADEvent]]
"""Results of the voice detector, and when each is known, in seconds."""

CHOSEN = LIMITS["balanced"]
SAYS_SECONDS = 15.0
BEGINS_AT = 1.0
"""From the agent's first sound to the noise's."""
GAP_SECONDS = 0.1
"""A shorter one is no silence."""
GOES_ON_SECONDS = 0.2
"""From the noise's end to the agent's next sound, at most."""
SLACK_SECONDS = 0.1
"""The limit is kept by the results, of which two come every 50 ms."""


@cache
def sounds() -> dict[str, Samples]:
    """What is heard over the agent, by name: mono, 48 kHz."""
    chance = random.Random(7)
    reader = [clip.samples for clip in corpus.dickens()]
    television = np.concatenate([other_voice(each, 1.15) for each in reader[4:7]])
    recorded = recorded_noises()
    return {
        "cough": made(TICS["cough"], chance, 0.4),
        "sneeze": made(TICS["sneeze"], chance, 0.4),
        "door": made(NOISES["door"], chance, 0.4),
        "keyboard": made(NOISES["keyboard"], chance, 0.3),
        "hum": made(NOISES["hum"], chance, 0.3),
        "dog": recorded["dog_bark"][: 3 * SAMPLE_RATE],
        "television": far_away(television, 0.1),
        "a short sound of a throat": reader[2][: SAMPLE_RATE * 4 // 10],
        "a person far away": far_away(other_voice(reader[3], 0.9), 0.06),
        "people in the room": recorded["people_talking"][: 5 * SAMPLE_RATE],
        "a loud television": television,
    }


NOT_STOPPING = (
    "cough",
    "sneeze",
    "door",
    "keyboard",
    "hum",
    "dog",
    "television",
    "a person far away",
)
STOPPING = ("a short sound of a throat", "people in the room", "a loud television")


def limit(name: str) -> float:
    """How long the agent may be silent: longer for what is as loud as the caller."""
    return CHOSEN.wordless_seconds * (SURELY_CALLERS if name == "a loud television" else 1)


@pytest.fixture(scope="module")
def heard() -> dict[str, Heard]:
    """Of the caller's own turn, and of each sound."""
    return asyncio.run(_hear({"caller": corpus.dickens()[0].samples} | sounds()))


async def _hear(these: dict[str, Samples]) -> dict[str, Heard]:
    detector = silero.VAD.load(activation_threshold=THRESHOLD)
    silence = np.zeros(2 * SAMPLE_RATE, np.int16)
    return {
        name: [each async for each in events_of(detector, np.concatenate([sound, silence]))]
        for name, sound in these.items()
    }


class Line:
    """A session that speaks, what its caller's line brings, and when the agent is not heard."""

    def __init__(self) -> None:
        self.loudspeaker = Loudspeaker()
        self.session: AgentSession[None] = AgentSession(vad=None)
        self.session.output.audio = self.loudspeaker
        barge_in = VoiceBargeIn(CHOSEN, THRESHOLD)
        self.floor = SessionFloor(self.session, Playout(), barge_in)
        self.silences: list[tuple[float, float]] = []
        """On the loop's clock, those of at least GAP_SECONDS."""

    async def bring(self, results: Heard) -> None:
        begun = _now()
        for at, event in results:
            await asyncio.sleep(begun + at - _now())
            self.floor.heard(event)

    async def watch(self) -> None:
        since = None
        while True:
            await asyncio.sleep(0.01)
            if not self.loudspeaker.playing:
                since = _now() if since is None else since
            elif since is not None:
                if _now() - since >= GAP_SECONDS:
                    self.silences.append((since, _now()))
                since = None


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _speech() -> AsyncIterator[rtc.AudioFrame]:
    for _ in range(round(SAYS_SECONDS * 10)):
        yield rtc.AudioFrame(np.full(RATE // 10, 1000, np.int16).tobytes(), RATE, 1, RATE // 10)


@pytest.mark.looptime
@pytest.mark.parametrize("name", NOT_STOPPING + STOPPING)
async def test_it_is_never_silent_for_long_and_goes_on_where_it_was(
    name: str, heard: dict[str, Heard]
) -> None:
    line = Line()
    await line.session.start(Agent(instructions=""), record=False)
    line.floor.begin()
    await line.bring(heard["caller"])
    speech = line.session.say("Once upon a time.", audio=_speech())
    await line.loudspeaker.changes.until(
        lambda: line.loudspeaker.playing, timeout_seconds=5, what="the agent"
    )
    watching = asyncio.create_task(line.watch())
    await asyncio.sleep(BEGINS_AT)
    begun = _now()
    await line.bring(heard[name])
    await speech.wait_for_playout()
    watching.cancel()
    ends_at = begun + extent(sounds()[name])[1]
    longest = limit(name)
    assert all(end - start <= longest + SLACK_SECONDS for start, end in line.silences)
    assert all(end <= ends_at + GOES_ON_SECONDS for _, end in line.silences)
    assert (len(line.silences) > 0) == (name in STOPPING)
    assert not speech.interrupted
    assert line.loudspeaker.played_seconds == pytest.approx(SAYS_SECONDS, abs=0.02)
    await line.session.aclose()
    line.floor.close()
