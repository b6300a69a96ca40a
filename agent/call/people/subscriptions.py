"""Receives the microphones of the people whom the agent may hear, and nothing else of the room.

LiveKit's default is everything: a caller's camera would be sent to the agent and decoded here, and
each further microphone costs about 3 % of a core.
"""

from collections.abc import Callable

from livekit import rtc

from agent.call.people.participants import VOICES


class Subscriptions:
    """For a room that is joined without LiveKit's automatic subscriptions."""

    def __init__(self, room: rtc.Room, wants: Callable[[rtc.RemoteParticipant], bool]) -> None:
        """`wants`: whether this participant is to be heard. Whenever its answers may have changed,
        call `update`."""
        self._room = room
        self._wants = wants
        self._asked: set[str] = set()  # the ids of tracks that we have subscribed to
        self._has_begun = False

    def begin(self) -> None:
        """Receive what is there and what comes; the room has been joined."""
        self._has_begun = True
        self._room.on("track_published", self._on_published)
        self._room.on("track_unpublished", self._on_unpublished)
        self._room.on("participant_permissions_changed", self.update)
        self._room.on("reconnected", self._ask_again)
        self.update()

    def update(self, *_: object) -> None:
        """Ask for what is wanted now, and for no more of the rest."""
        if not self._has_begun:
            return
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                self._decide(publication, participant)

    def _ask_again(self) -> None:
        """A server that has lost the room subscribes to nothing for us, and what was asked while
        the connection was made again may have been lost."""
        self._asked.clear()
        self.update()

    def _on_published(
        self, publication: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant
    ) -> None:
        # After a lost connection LiveKit publishes a track again, with the same id.
        self._asked.discard(publication.sid)
        self._decide(publication, who)

    def _on_unpublished(self, publication: rtc.RemoteTrackPublication, _: object) -> None:
        self._asked.discard(publication.sid)

    def _decide(self, publication: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant) -> None:
        is_voice = publication.kind == rtc.TrackKind.KIND_AUDIO and publication.source in VOICES
        wanted = is_voice and self._wants(who)
        if wanted == (publication.sid in self._asked):
            return
        publication.set_subscribed(wanted)
        if wanted:
            self._asked.add(publication.sid)
        else:
            self._asked.remove(publication.sid)
