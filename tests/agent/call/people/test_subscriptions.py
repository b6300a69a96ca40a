"""Whose tracks an agent receives."""

import pytest
from livekit import rtc

from agent.call.people.subscriptions import Subscriptions
from workbench.standins.scripted_room import Person, Publication, ScriptedRoom

Source = rtc.TrackSource


class Hearing:
    """A room in which these people are to be heard."""

    def __init__(self, *wanted: str) -> None:
        self.room = ScriptedRoom()
        self.wanted = set(wanted)
        for identity in ("caller", "visitor"):
            self.room.join(Person(identity))
        self.subscriptions = Subscriptions(
            self.room.as_livekit, lambda who: who.identity in self.wanted
        )

    def publish(self, identity: str, *sources: int) -> list[Publication]:
        return [self.room.publish(identity, each) for each in sources or [Source.SOURCE_MICROPHONE]]


@pytest.mark.parametrize(
    ("source", "kind", "is_wanted"),
    [
        (Source.SOURCE_MICROPHONE, rtc.TrackKind.KIND_AUDIO, True),
        (Source.SOURCE_UNKNOWN, rtc.TrackKind.KIND_AUDIO, True),
        (Source.SOURCE_SCREENSHARE_AUDIO, rtc.TrackKind.KIND_AUDIO, False),
        (Source.SOURCE_CAMERA, rtc.TrackKind.KIND_VIDEO, False),
        (Source.SOURCE_UNKNOWN, rtc.TrackKind.KIND_VIDEO, False),
    ],
)
def test_of_the_caller_only_a_voice_is_received(source: int, kind: int, is_wanted: bool) -> None:
    hearing = Hearing("caller")
    publication = Publication("TR_there", source, kind)
    caller = hearing.room.remote_participants["caller"]
    caller.track_publications["TR_there"] = publication
    hearing.subscriptions.begin()
    assert publication.is_wanted is is_wanted


def test_nobody_else_is_received() -> None:
    hearing = Hearing("caller")
    [before] = hearing.publish("visitor")
    hearing.subscriptions.begin()
    [after] = hearing.publish("visitor")
    [callers] = hearing.publish("caller")
    assert [before.is_wanted, after.is_wanted, callers.is_wanted] == [False, False, True]


def test_nothing_is_asked_for_before_it_begins() -> None:
    hearing = Hearing("caller")
    [voice] = hearing.publish("caller")
    hearing.subscriptions.update()
    assert not voice.is_wanted


def test_whoever_is_wanted_no_more_is_received_no_more() -> None:
    hearing = Hearing("caller", "visitor")
    hearing.subscriptions.begin()
    [callers], [visitors] = hearing.publish("caller"), hearing.publish("visitor")
    hearing.wanted.remove("visitor")
    hearing.subscriptions.update()
    assert (callers.is_wanted, visitors.is_wanted) == (True, False)


def test_a_permission_that_changes_is_looked_at() -> None:
    hearing = Hearing()
    hearing.subscriptions.begin()
    [voice] = hearing.publish("caller")
    hearing.wanted.add("caller")
    hearing.room.permit("caller", can_publish=True)
    assert voice.is_wanted


def test_a_track_that_is_published_again_is_asked_for_again() -> None:
    """As LiveKit does after a lost connection, with or without telling of its end."""
    hearing = Hearing("caller")
    hearing.subscriptions.begin()
    [voice] = hearing.publish("caller")
    caller = hearing.room.remote_participants["caller"]
    for is_told in (True, False):
        if is_told:
            hearing.room.unpublish("caller", voice.sid)
        voice = Publication(voice.sid)
        caller.track_publications[voice.sid] = voice
        hearing.room.emit("track_published", voice, caller)
        assert voice.is_wanted


def test_after_a_lost_connection_everything_is_asked_for_again() -> None:
    """What was asked while the connection was made again did not reach the server."""
    hearing = Hearing("caller")
    hearing.subscriptions.begin()
    [voice] = hearing.publish("caller")
    voice.is_wanted = False
    hearing.room.emit("reconnected")
    assert voice.is_wanted
