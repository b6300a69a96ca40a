"""One voice of a room, as words on screens. Time is virtual."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import APIConnectionError, APIConnectOptions, LanguageCode, stt

from agent.call.voices.speaker import Speaker
from stt_assemblyai.events import LateFormat
from stt_assemblyai.transcript import Transcript
from workbench.standins.scripted_room import Person, ScriptedRoom, Sound

pytestmark = pytest.mark.looptime

Type = stt.SpeechEventType


class Ears(stt.STT):
    """Hear what a test says is heard, as soon as there is sound."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.said: asyncio.Queue[stt.SpeechEvent | Exception] = asyncio.Queue()
        self.frames: list[rtc.AudioFrame] = []
        self.flushed = 0

    def stream(self, **_: Any) -> "Stream":
        return Stream(stt=self, conn_options=APIConnectOptions(max_retry=0))

    async def _recognize_impl(self, *_: Any, **__: Any) -> stt.SpeechEvent:
        raise NotImplementedError


class Stream(stt.RecognizeStream):
    async def _run(self) -> None:
        recogniser = self._stt
        assert isinstance(recogniser, Ears)
        telling = asyncio.create_task(self._tell(recogniser))
        ending = asyncio.create_task(self._hear(recogniser))
        done, _ = await asyncio.wait({telling, ending}, return_when=asyncio.FIRST_COMPLETED)
        telling.cancel()
        ending.cancel()
        for task in done:
            task.result()

    async def _hear(self, recogniser: Ears) -> None:
        async for each in self._input_ch:
            if isinstance(each, rtc.AudioFrame):
                recogniser.frames.append(each)
            else:
                recogniser.flushed += 1

    async def _tell(self, recogniser: Ears) -> None:
        while True:
            event = await recogniser.said.get()
            if isinstance(event, Exception):
                raise event
            self._event_ch.send_nowait(event)


class Line:
    """A room with Ann in it, who is heard."""

    def __init__(self) -> None:
        self.room = ScriptedRoom()
        self.room.join(Person("ann"))
        self.stt = Ears()
        self.events: list[str] = []
        self.frames: list[rtc.AudioFrame | None] = []
        self.speaker = Speaker(
            self.room.as_livekit,
            "ann",
            self.stt,
            open_audio=Sound,
            on_event=lambda event: self.events.append(event.type.value),
            on_frame=self.frames.append,
        )

    async def say(self, kind: stt.SpeechEventType, text: str = "", turn: str = "s1") -> None:
        words = [stt.SpeechData(language=LanguageCode("en"), text=text)] if text else []
        self.stt.said.put_nowait(stt.SpeechEvent(type=kind, request_id=turn, alternatives=words))
        await asyncio.sleep(0.1)

    @property
    def shown(self) -> list[tuple[str, str]]:
        """The texts on screens, each with `.` if it is final."""
        return [(each.text, "." if each.is_final else "") for each in self.room.shown]


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    heard = Line()
    running = asyncio.create_task(heard.speaker.run())
    await asyncio.sleep(0.1)
    yield heard
    heard.speaker.close()
    await asyncio.wait_for(running, 10)


def late(text: str, replaces: str, session: str = "s1") -> LateFormat:
    return LateFormat(Transcript(session, 0, text, ()), replaces)


async def test_words_are_on_screens_as_they_come_and_each_turn_is_one_segment(line: Line) -> None:
    await line.say(Type.START_OF_SPEECH)
    await line.say(Type.INTERIM_TRANSCRIPT, "hello")
    await line.say(Type.FINAL_TRANSCRIPT, "hello there")
    await line.say(Type.INTERIM_TRANSCRIPT, "and")
    assert line.shown == [("hello", ""), ("hello there", "."), ("and", "")]
    segments = [each.segment_id for each in line.room.shown]
    assert segments[0] == segments[1] != segments[2]
    assert {each.speaker for each in line.room.shown} == {"ann"}
    assert line.events[0] == "start_of_speech"


async def test_a_formatted_text_takes_the_place_of_the_plain_one(line: Line) -> None:
    await line.say(Type.FINAL_TRANSCRIPT, "hello there")
    await line.say(Type.FINAL_TRANSCRIPT, "bye", turn="s2")
    await line.speaker.show_formatted(late("Hello there.", "hello there"))
    assert line.shown[-1] == ("Hello there.", ".")
    assert line.room.shown[-1].segment_id == line.room.shown[0].segment_id


async def test_a_formatted_text_that_comes_first_waits_for_the_plain_one(line: Line) -> None:
    await line.speaker.show_formatted(late("Hello there.", "hello there"))
    await line.say(Type.FINAL_TRANSCRIPT, "good day")
    assert line.shown == [("good day", ".")]
    await line.say(Type.FINAL_TRANSCRIPT, "hello there")
    assert line.shown[1:] == [("hello there", "."), ("Hello there.", ".")]


async def test_what_another_session_said_is_left_alone(line: Line) -> None:
    await line.say(Type.FINAL_TRANSCRIPT, "hello there")
    await line.speaker.show_formatted(late("Hello there.", "hello there", session="s9"))
    assert line.shown == [("hello there", ".")]


async def test_the_sound_of_every_track_is_heard_and_its_end_ends_the_turn(line: Line) -> None:
    publication = line.room.publish("ann")
    await asyncio.sleep(1)
    assert len(line.stt.frames) > 10
    line.room.unpublish("ann", publication.sid)
    await asyncio.sleep(1)
    assert line.stt.flushed == 1
    assert line.frames[-1] is None
    heard = len(line.stt.frames)
    line.room.publish("ann")
    await asyncio.sleep(1)
    assert len(line.stt.frames) > heard


async def test_in_a_room_that_is_closed_nothing_is_shown(line: Line) -> None:
    line.room.is_connected = False
    await line.say(Type.FINAL_TRANSCRIPT, "hello there")
    assert line.shown == []


async def test_a_recogniser_that_fails_ends_it_with_its_error() -> None:
    line = Line()
    line.room.publish("ann")
    running = asyncio.create_task(line.speaker.run())
    await asyncio.sleep(0.2)
    line.stt.said.put_nowait(APIConnectionError("down", retryable=False))
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(running, 10)
    assert caught.group_contains(APIConnectionError)
