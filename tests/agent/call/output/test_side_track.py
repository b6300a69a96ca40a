"""What is played beside the session's voice. Time is the virtual clock's."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from livekit import rtc

from agent.call.output.side_track import PUBLISH_SECONDS, SideTrack, Source
from workbench.standins.scripted_room import ScriptedRoom, SideSound

pytestmark = pytest.mark.looptime


async def sound(frames: int = 50) -> AsyncIterator[rtc.AudioFrame]:
    for _ in range(frames):
        yield rtc.AudioFrame(bytes(640), 16_000, 1, 320)


def frames_of(room: ScriptedRoom) -> int:
    return len(room.side_sound.heard) if room.side_sound else 0


async def test_it_is_published_when_it_is_first_needed_and_once() -> None:
    room = ScriptedRoom()
    track = SideTrack(room.publish_side_track)
    await asyncio.sleep(1)
    assert (room.side_sound, track.is_ready) == (None, False)
    await track.play(sound())
    first = room.side_sound
    await track.play(sound())
    assert room.side_sound is first
    assert (frames_of(room), track.is_ready) == (100, True)


async def test_once_ready_it_is_heard_at_once() -> None:
    room = ScriptedRoom()
    track = SideTrack(room.publish_side_track)
    track.get_ready()
    assert not track.is_ready
    await asyncio.sleep(1)
    assert track.is_ready
    began = asyncio.get_running_loop().time()
    await track.play(sound())
    assert room.side_sound
    assert room.side_sound.heard[0][0] == pytest.approx(began)


async def test_cancelled_it_falls_silent() -> None:
    room = ScriptedRoom()
    track = SideTrack(room.publish_side_track)
    playing = asyncio.create_task(track.play(sound()))
    await asyncio.sleep(0.5)
    playing.cancel()
    await asyncio.sleep(5)
    assert 10 < frames_of(room) < 20


async def test_what_could_not_be_published_is_tried_again() -> None:
    room = ScriptedRoom()
    attempts = 0

    async def publish() -> Source:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise ConnectionError
        return await room.publish_side_track()

    track = SideTrack(publish)
    with pytest.raises(ConnectionError):
        await track.play(sound())
    await track.play(sound())
    assert (attempts, frames_of(room)) == (2, 50)


async def test_what_nobody_subscribes_to_holds_nobody_up_for_long() -> None:
    never: asyncio.Future[SideSound] = asyncio.get_running_loop().create_future()

    async def publish() -> Source:
        return await never

    began = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await SideTrack(publish).play(sound())
    assert asyncio.get_running_loop().time() - began == pytest.approx(PUBLISH_SECONDS)


async def test_a_tap_learns_what_is_heard_and_where_it_was_cut() -> None:
    room, heard = ScriptedRoom(), Heard()
    track = SideTrack(room.publish_side_track, heard)
    await track.play(sound())
    assert heard.told == ["frame"] * 50 + ["cut"]
    playing = asyncio.create_task(track.play(sound()))
    await asyncio.sleep(0.5)
    playing.cancel()
    await asyncio.sleep(0.1)
    assert 60 < len(heard.told) < 100
    assert heard.told[-1] == "cut"


class Heard:
    """What a caller is said to hear."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def play(self, _: rtc.AudioFrame) -> None:
        self.told.append("frame")

    def cut(self) -> None:
        self.told.append("cut")
