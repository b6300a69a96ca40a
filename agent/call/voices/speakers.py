"""Which people in a room are heard now: a stream for each of several speakers, within limits."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable

from livekit import rtc

from agent.call.voices.speaker import Speaker
from agent.call.voices.voice_feed import voice_tracks

log = logging.getLogger(__name__)

MOST_SPEAKERS = 50
"""Streams in a room at once. Each is a session that costs money."""
MOST_STREAMS_A_MINUTE = 6
"""New streams for one participant, who may leave and come back without limit."""
REST_SECONDS = 60.0
"""How long to wait before another attempt to hear a participant."""


class Speakers:
    """The streams of the people who are heard. The caller of `hear` decides who they are, and calls
    it again whenever that may have changed."""

    def __init__(
        self, open_stream: Callable[[str], Speaker], look_again: Callable[[], None]
    ) -> None:
        """`open_stream` begins to hear an identity. `look_again` is called when somebody who could
        not be heard may be heard again."""
        self._open_stream = open_stream
        self._look_again = look_again
        self._loop = asyncio.get_running_loop()
        self._speakers: dict[str, Speaker] = {}  # by identity
        self._started: dict[str, deque[float]] = {}
        self._resting: set[str] = set()

    def __len__(self) -> int:
        return len(self._speakers)

    @property
    def identities(self) -> list[str]:
        """The identities that are heard, sorted."""
        return sorted(self._speakers)

    @property
    def all(self) -> list[Speaker]:
        """The streams of the people who are heard."""
        return list(self._speakers.values())

    def hear(self, people: Iterable[rtc.RemoteParticipant]) -> None:
        """Hear these people, each as soon as they have a microphone, and nobody else."""
        found = {each.identity: each for each in people}
        for identity in self._speakers.keys() - found.keys():
            self.close(identity)
        for identity, person in found.items():
            is_new = identity not in self._speakers and identity not in self._resting
            if is_new and voice_tracks(person.track_publications.values()):
                self._start(identity)

    def close(self, identity: str) -> None:
        """Stop hearing this participant. The last words are still to come."""
        if speaker := self._speakers.pop(identity, None):
            speaker.close()

    def rest(self, identity: str) -> None:
        """Do not hear this participant for REST_SECONDS."""
        self.close(identity)
        self._resting.add(identity)
        self._loop.call_later(REST_SECONDS, self._try_again, identity)

    def _start(self, identity: str) -> None:
        """Hear this participant from now on, unless that would open too many sessions."""
        now, starts = self._loop.time(), self._started.setdefault(identity, deque())
        while starts and starts[0] <= now - 60:
            starts.popleft()
        if len(self._speakers) >= MOST_SPEAKERS or len(starts) >= MOST_STREAMS_A_MINUTE:
            log.warning("a participant is not heard: too many sessions")
            self.rest(identity)
            return
        starts.append(now)
        self._speakers[identity] = self._open_stream(identity)

    def _try_again(self, identity: str) -> None:
        self._resting.discard(identity)
        self._look_again()
