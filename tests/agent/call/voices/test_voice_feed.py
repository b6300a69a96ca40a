"""Which of a participant's tracks is heard. Time is virtual."""

import asyncio
import logging
from typing import Any, cast

import pytest
from livekit import rtc

from agent.call.voices.voice_feed import (
    CallerInput,
    SessionInput,
    VoiceFeed,
    silence,
    voice_tracks,
)
from workbench.standins.scripted_room import Person, Publication, ScriptedRoom, Sound, Track

pytestmark = pytest.mark.looptime

Source = rtc.TrackSource
MICROPHONE, UNKNOWN = Source.SOURCE_MICROPHONE, Source.SOURCE_UNKNOWN


def published(
    sid: str, source: int = MICROPHONE, *, muted: bool = False, kind: int = rtc.TrackKind.KIND_AUDIO
) -> Publication:
    return Publication(sid, source, kind, muted, Track(sid))


@pytest.mark.parametrize(
    ("publications", "heard"),
    [
        ([], []),
        ([published("mic")], ["mic"]),
        ([published("any", UNKNOWN)], ["any"]),
        ([published("any", UNKNOWN), published("mic")], ["mic"]),
        ([published("mic"), published("any", UNKNOWN)], ["mic"]),
        ([published("old"), published("new")], ["new", "old"]),
        ([published("old"), published("new", muted=True)], ["old", "new"]),
        ([published("screen", Source.SOURCE_SCREENSHARE_AUDIO)], []),
        ([published("film", UNKNOWN, kind=rtc.TrackKind.KIND_VIDEO)], []),
        ([Publication("not subscribed to")], []),
    ],
)
def test_a_microphone_is_heard_or_else_a_track_of_no_known_source(
    publications: list[Publication], heard: list[str]
) -> None:
    found = voice_tracks(cast("list[Any]", publications))
    assert [each.sid for each in found] == heard


class Heard:
    """What comes of a caller's voice in a scripted room."""

    def __init__(self) -> None:
        self.room = ScriptedRoom()
        self.frames = 0
        self.sounds: list[Sound] = []
        self.feed = VoiceFeed(self.room.as_livekit, "caller", self._take, open_audio=self._open)

    def _take(self, _frame: rtc.AudioFrame) -> None:
        self.frames += 1

    def _open(self, track: Any) -> Sound:
        self.sounds.append(Sound(track))
        return self.sounds[-1]

    @property
    def tracks(self) -> list[str]:
        return [each.track.sid for each in self.sounds]


async def test_a_second_persons_voice_never_counts_as_the_callers() -> None:
    """Neither beside the caller's, nor while the caller is muted, silent or gone."""
    heard = Heard()
    heard.room.join(Person("visitor"))
    heard.room.publish("visitor")
    heard.room.join(Person("caller"))
    publication = heard.room.publish("caller")
    heard.room.mute("caller", publication)
    heard.room.publish("visitor", UNKNOWN)
    await asyncio.sleep(0.2)
    heard.room.leave("caller")
    heard.room.publish("visitor")
    await asyncio.sleep(0.2)
    assert heard.tracks == [publication.sid]
    await heard.feed.aclose()


async def test_only_the_callers_voice_is_heard_and_every_sound_is_closed_in_the_end() -> None:
    heard = Heard()
    for identity in ("caller", "visitor"):
        heard.room.join(Person(identity))
        heard.room.publish(identity)
    await asyncio.sleep(1)
    assert len(heard.sounds) == 1
    assert heard.frames > 10
    await heard.feed.aclose()
    assert all(each.is_closed for each in heard.sounds)
    frames = heard.frames
    heard.room.publish("caller")
    await asyncio.sleep(1)
    assert heard.frames == frames


async def test_a_microphone_that_comes_later_is_heard_instead_of_an_unknown_track() -> None:
    heard = Heard()
    heard.room.join(Person("caller"))
    heard.room.publish("caller", UNKNOWN)
    microphone = heard.room.publish("caller")
    await asyncio.sleep(0.2)
    assert heard.feed.track_sid == microphone.sid
    assert [each.is_closed for each in heard.sounds] == [True, False]
    await heard.feed.aclose()


async def test_of_two_microphones_the_open_one_is_heard_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard = Heard()
    heard.room.join(Person("caller"))
    first, second = heard.room.publish("caller"), heard.room.publish("caller")
    heard.room.mute("caller", second)
    heard.room.mute("caller", second, muted=False)
    heard.room.unpublish("caller", second.sid)
    await asyncio.sleep(0.2)
    assert heard.tracks == [each.sid for each in (first, second, first, second, first)]
    told = [line for line in caplog.records if line.levelno == logging.WARNING]
    assert [line.getMessage() for line in told] == [
        "a participant has several microphones: the newest is heard"
    ]
    await heard.feed.aclose()


async def test_a_voice_that_ends_is_followed_by_silence() -> None:
    heard = Heard()
    heard.room.join(Person("caller"))
    heard.room.publish("caller")
    await asyncio.sleep(0.2)
    frames = heard.frames
    heard.room.leave("caller")
    assert heard.frames == frames + 1
    await heard.feed.aclose()


async def test_a_voice_that_is_encrypted_end_to_end_is_told_once_with_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard = Heard()
    heard.room.join(Person("caller"))
    plain = heard.room.publish("caller")
    assert caplog.messages == []
    heard.room.unpublish("caller", plain.sid)
    for _ in range(2):
        publication = heard.room.publish("caller", encryption=rtc.EncryptionType.GCM)
        heard.room.mute("caller", publication)
    told = [each for each in caplog.messages if "without end-to-end encryption" in each]
    assert len(told) == 1
    await heard.feed.aclose()


async def test_a_tap_gets_what_arrives_and_no_silence_of_ours() -> None:
    source = SessionInput("caller")
    tapped: list[rtc.AudioFrame] = []
    source.tap = tapped.append
    arrived = rtc.AudioFrame(bytes(640), 16_000, 1, 320)
    source.on_detached()
    source.hear(arrived)
    source.push(silence())
    assert tapped == [arrived]
    await source.aclose()


async def test_a_caller_who_leaves_is_not_recorded_as_silence() -> None:
    room = ScriptedRoom()
    room.join(Person("caller"))
    source = CallerInput(cast("rtc.Room", cast("Any", room)), "caller")
    tapped: list[rtc.AudioFrame] = []
    source.tap = tapped.append
    await source.aclose()
    assert not tapped
