"""What the end of a call leaves behind in its room."""

import gc
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, APIError, JobContext, tts
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities
from livekit.protocol.agent_dispatch import AgentDispatch

from agent.call.endings import Ending
from agent.call.hang_up import HangUp
from agent.call.output.canned_prompts import SAMPLE_RATE, CannedPrompt
from agent.call.people.presence import Presence
from config.behaviour import AgentSettings
from config.languages import Language
from workbench.standins.scripted_room import Permission, Person, ScriptedRoom


@pytest.fixture(autouse=True, scope="module")
def no_garbage() -> Iterator[None]:
    """Voices fail here in tasks of LiveKit's. Python 3.11 fails to parse if one of them is found
    dead meanwhile."""
    yield
    gc.collect()


class Job:
    """A job in a room with these others, and what its agent had the server do."""

    def __init__(self, *others: Person) -> None:
        self.done: list[str] = []
        self.room = ScriptedRoom()
        for each in others:
            self.room.join(each)
        self.api = SimpleNamespace(agent_dispatch=self)

    def is_fake_job(self) -> bool:
        return False

    async def delete_room(self) -> None:
        self.done.append("hung up")

    async def list_dispatch(self, _room: str) -> list[AgentDispatch]:
        return [AgentDispatch(id="first"), AgentDispatch(id="another's", agent_name="another")]

    async def delete_dispatch(self, identifier: str, _room: str) -> None:
        self.done.append(f"took {identifier} back")


CALLER = Person("caller")
COLLEAGUE = Person("colleague")
OBSERVER = Person("observer", permissions=Permission(can_publish=False))
TRANSCRIBER = Person("agent", rtc.ParticipantKind.PARTICIPANT_KIND_AGENT)
RECORDER = Person("egress", rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS)


def a_presence() -> Presence:
    return cast("Presence", SimpleNamespace(caller_identity="caller", absences=0))


@pytest.mark.parametrize(
    ("others", "done"),
    [
        ([CALLER], ["hung up"]),
        ([CALLER, TRANSCRIBER, RECORDER, OBSERVER], ["hung up"]),
        ([CALLER, COLLEAGUE], ["took first back"]),
    ],
)
async def test_only_people_who_may_speak_keep_a_room_that_its_agent_has_ended(
    others: list[Person], done: list[str]
) -> None:
    job = Job(*others)
    presence = a_presence()
    await HangUp(cast("JobContext", cast("Any", job)), AgentSettings(), presence).close_room()
    assert job.done == done


class Voice(tts.TTS[Any]):
    """Is down."""

    def __init__(self) -> None:
        capabilities = tts.TTSCapabilities(streaming=False)
        super().__init__(capabilities=capabilities, sample_rate=SAMPLE_RATE, num_channels=1)

    def synthesize(self, text: str, *, conn_options: Any = None) -> tts.ChunkedStream:
        return Speech(tts=self, input_text=text, conn_options=conn_options)


class Speech(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        raise APIError("down", retryable=False)


class Line(AudioOutput):
    """Plays what it is given at once."""

    def __init__(self) -> None:
        capabilities = AudioOutputCapabilities(pause=False)
        super().__init__(label="line", capabilities=capabilities, sample_rate=SAMPLE_RATE)
        self._seconds = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._seconds:
            self.on_playback_started(created_at=0)
        self._seconds += frame.duration

    def flush(self) -> None:
        super().flush()
        if self._seconds:
            played, self._seconds = self._seconds, 0.0
            self.on_playback_finished(playback_position=played, interrupted=False)

    def clear_buffer(self) -> None:
        self.flush()


@pytest.mark.parametrize(
    ("ending", "language"), [(Ending.CALLER_SILENT, "en"), (Ending.TOO_LONG, "de")]
)
async def test_a_goodbye_that_cannot_be_spoken_is_no_silent_hang_up(
    ending: Ending, language: Language
) -> None:
    presence, agent = a_presence(), AgentSettings(language=language)
    hang_up = HangUp(cast("JobContext", cast("Any", Job(CALLER))), agent, presence)
    session: AgentSession[None] = AgentSession(tts=Voice())
    session.output.audio = Line()
    await session.start(Agent(instructions=""), record=False)
    await hang_up.say_goodbye(session, ending)
    assert [each.text_content for each in session.history.messages()] == [
        CannedPrompt.APOLOGY.recorded(language).text
    ]
    await session.aclose()


async def test_a_session_is_closed_before_the_hang_up_and_may_fail_to() -> None:
    job: Any = Job(CALLER)
    hang_up = HangUp(job, AgentSettings(), a_presence())
    session: AgentSession[None] = AgentSession()
    await session.start(Agent(instructions=""), record=False)
    await hang_up.close_session(session)
    with pytest.raises(RuntimeError):
        session.say("Hello.")

    class Broken:
        async def aclose(self) -> None:
            raise ConnectionError

    await hang_up.close_session(cast("AgentSession[None]", Broken()))
