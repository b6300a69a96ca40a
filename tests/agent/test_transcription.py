"""Who in a room is written down, with how many streams. Time is virtual."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.agents import APIConnectOptions, JobContext, LanguageCode, stt

from agent.call.people.participants import AgentRole
from agent.call.voices.speakers import MOST_SPEAKERS, MOST_STREAMS_A_MINUTE
from agent.log import pseudonym
from agent.transcription import (
    EMPTY,
    OTHER_TRANSCRIBER,
    ROOM_CLOSED,
    STOPPED,
    TranscriberKit,
    Transcription,
)
from config.behaviour import AgentSettings
from config.load import load_settings
from workbench.standins.scripted_room import Person, ScriptedRoom, Sound

pytestmark = pytest.mark.looptime

AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
SETTINGS = AgentSettings(name="transcriber", reconnect_grace_seconds=2)


class Ears(stt.STT):
    """Count the streams; of each voice they understand these words, if any."""

    def __init__(self, words: str = "") -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.words = words
        self.opened = self.open = 0

    def stream(self, **_: Any) -> "Stream":
        return Stream(stt=self, conn_options=APIConnectOptions())

    async def _recognize_impl(self, *_: Any, **__: Any) -> stt.SpeechEvent:
        raise NotImplementedError


class Stream(stt.RecognizeStream):
    async def _run(self) -> None:
        recogniser = self._stt
        assert isinstance(recogniser, Ears)
        recogniser.opened += 1
        recogniser.open += 1
        if recogniser.words:
            said = stt.SpeechData(language=LanguageCode("en"), text=recogniser.words)
            final = stt.SpeechEventType.FINAL_TRANSCRIPT
            self._event_ch.send_nowait(stt.SpeechEvent(type=final, alternatives=[said]))
        try:
            async for _ in self._input_ch:
                pass
        finally:
            recogniser.open -= 1


class Job:
    """A transcriber's job in a scripted room."""

    def __init__(self, words: str = "", agent: AgentSettings = SETTINGS) -> None:
        self.room = ScriptedRoom()
        self.stt = Ears(words)
        self.agent = agent
        self.ending: str | None = None

    def shutdown(self, reason: str) -> None:
        self.ending = reason

    async def begin(self) -> None:
        kit = SimpleNamespace(agent=self.agent, stt=self.stt)
        job = cast("JobContext", cast("Any", self))
        self._transcription = Transcription(job, cast("TranscriberKit", kit), open_audio=Sound)
        self._transcription.begin()
        await asyncio.sleep(0.1)

    async def stop(self) -> str | None:
        """LiveKit ends the job; why it is over."""
        await asyncio.wait_for(self._transcription.stop(), 60)
        return self.ending

    async def end(self) -> str | None:
        """Everybody leaves; why it is over."""
        for identity in list(self.room.remote_participants):
            self.room.leave(identity)
        await asyncio.sleep(60)
        return self.ending

    def speak(self, identity: str, *, times: int = 1) -> None:
        """A participant comes, and publishes so many microphones."""
        self.room.join(Person(identity))
        for _ in range(times):
            self.room.publish(identity)


async def test_each_voice_has_one_stream_which_ends_with_it() -> None:
    job = Job()
    await job.begin()
    job.speak("ann")
    job.speak("bob")
    await asyncio.sleep(1)
    assert (job.stt.opened, job.stt.open) == (2, 2)
    job.room.leave("ann")
    await asyncio.sleep(1)
    assert (job.stt.opened, job.stt.open) == (2, 1)
    assert await job.end() == EMPTY
    assert job.stt.open == 0


@pytest.mark.parametrize("log_transcripts", [False, True])
async def test_what_is_written_down_is_logged_only_where_that_is_wanted(
    caplog: pytest.LogCaptureFixture, log_transcripts: bool
) -> None:
    settings = SETTINGS.model_copy(update={"log_transcripts": log_transcripts})
    job = Job("Good morning.", settings)
    with caplog.at_level("INFO", logger="agent"):
        await job.begin()
        job.speak("ann")
        await asyncio.sleep(1)
        await job.end()
    told = [vars(line).get("lk.pii.text") for line in caplog.records if line.message == "turn"]
    assert told == (["Good morning."] if log_transcripts else [])


async def test_a_hundred_mutes_and_thirty_tracks_are_one_stream() -> None:
    job = Job()
    await job.begin()
    job.speak("ann", times=30)
    publication = job.room.publish("ann")
    for _ in range(100):
        job.room.mute("ann", publication)
        await asyncio.sleep(0.025)
        job.room.mute("ann", publication, muted=False)
        await asyncio.sleep(0.025)
    assert job.stt.opened == 1
    await job.end()


async def test_who_comes_and_goes_without_end_gets_a_few_streams_a_minute() -> None:
    job = Job()
    await job.begin()
    job.speak("host")
    for _ in range(100):
        job.speak("ann")
        await asyncio.sleep(0.2)
        job.room.leave("ann")
    assert job.stt.opened == 1 + MOST_STREAMS_A_MINUTE
    job.speak("ann")
    await asyncio.sleep(61)
    assert job.stt.opened == 2 + MOST_STREAMS_A_MINUTE
    await job.end()


async def test_a_room_has_so_many_streams_and_no_more() -> None:
    job = Job()
    await job.begin()
    for number in range(MOST_SPEAKERS + 10):
        job.speak(f"guest {number}")
    await asyncio.sleep(1)
    assert job.stt.open == MOST_SPEAKERS
    await job.end()


async def test_the_sound_of_a_shared_screen_is_nobodys_words() -> None:
    job = Job()
    await job.begin()
    job.room.join(Person("ann"))
    job.room.publish("ann", rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO)
    await asyncio.sleep(1)
    assert job.stt.opened == 0
    await job.end()


async def test_whom_an_agent_serves_is_left_to_it_and_taken_over_when_it_leaves() -> None:
    job = Job()
    answers = {"agent.role": AgentRole.ANSWERS}
    job.room.join(Person("agent", AGENT, attributes=answers))
    await job.begin()
    job.speak("caller")
    job.speak("bob")
    await asyncio.sleep(1)
    assert job.stt.open == 2
    job.room.show("agent", agent_caller="caller")
    await asyncio.sleep(1)
    assert (job.stt.opened, job.stt.open) == (2, 1)
    job.room.leave("agent")
    await asyncio.sleep(1)
    assert (job.stt.opened, job.stt.open) == (3, 2)
    await job.end()


@pytest.mark.parametrize(
    ("heard", "left"), [('["caller", "bob"]', 0), ('["bob"]', 1), ("[]", 2), ("{no list", 1)]
)
async def test_whom_an_agent_hears_beside_its_caller_is_left_to_it_as_well(
    heard: str, left: int
) -> None:
    job = Job()
    job.room.join(Person("agent", AGENT, attributes={"agent.role": AgentRole.ANSWERS}))
    await job.begin()
    job.speak("caller")
    job.speak("bob")
    job.room.show("agent", agent_caller="caller")
    job.room.show("agent", agent_hears=heard)
    await asyncio.sleep(1)
    assert job.stt.open == left
    job.room.leave("agent")
    await job.end()


async def test_of_two_transcribers_the_later_leaves() -> None:
    job = Job()
    shown = {"agent.role": AgentRole.TRANSCRIBES, "lk.agent.name": "transcriber"}
    job.room.join(Person("another", AGENT, attributes=shown))
    job.speak("ann")
    await job.begin()
    assert job.ending == OTHER_TRANSCRIBER
    assert job.stt.opened == 0


async def test_an_answering_agent_is_no_transcriber() -> None:
    job = Job()
    shown = {"agent.role": AgentRole.ANSWERS, "lk.agent.name": "transcriber"}
    job.room.join(Person("agent", AGENT, attributes=shown))
    await job.begin()
    assert job.ending is None
    job.speak("ann")
    assert await job.end() == EMPTY


async def test_a_room_that_closes_while_its_job_is_ended_is_told_as_closed() -> None:
    job = Job()
    job.speak("ann")
    await job.begin()
    asyncio.get_running_loop().call_later(0.5, job.room.emit, "disconnected", "ROOM_DELETED")
    assert await job.stop() == ROOM_CLOSED


async def test_a_worker_that_is_stopped_writes_the_last_words_down_first() -> None:
    job = Job()
    await job.begin()
    job.speak("ann")
    assert await job.stop() == STOPPED
    assert (job.stt.opened, job.stt.open) == (1, 0)


async def test_the_log_tells_from_when_on_a_participant_is_heard(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def heard() -> list[str]:
        told = [each for each in caplog.records if each.message == "a participant is heard"]
        return [vars(each)["caller"] for each in told]

    job = Job()
    with caplog.at_level("INFO", logger="agent"):
        await job.begin()
        job.room.join(Person("ann"))
        await asyncio.sleep(1)
        assert heard() == []
        job.room.publish("ann")
        await asyncio.sleep(1)
        assert heard() == [pseudonym("ann")]
        await job.end()


def test_another_room_of_the_process_has_a_speech_recognition_of_its_own() -> None:
    keys = {name: {"api_key": "a-key"} for name in ("assemblyai", "openai")}
    livekit = {"url": "ws://127.0.0.1", "api_key": "APIkey", "api_secret": "secret"}
    kit = TranscriberKit(load_settings(None, given={"livekit": livekit, **keys}))
    other = kit.again()
    assert other.agent is kit.agent
    assert other.stt is not kit.stt
