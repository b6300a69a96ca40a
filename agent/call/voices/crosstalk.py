"""Merges the speech events of several people into those of one speaker: a session knows only one.

      QUIET --the first of them begins--> SPOKEN --the last of them ends--> QUIET

The session's turn lasts from the first voice until nobody speaks. All that they say in it reaches
the session in the order in which it ended. No word waits for another speaker to end, and none is
lost. The agent answers all of them when everybody is quiet.
"""

from collections.abc import Hashable
from dataclasses import replace

from livekit.agents import stt

Type = stt.SpeechEventType
_TRANSCRIPTS = (Type.INTERIM_TRANSCRIPT, Type.PREFLIGHT_TRANSCRIPT, Type.FINAL_TRANSCRIPT)


class Crosstalk:
    """Merges the events of several streams. Each stream has its own events in LiveKit's order."""

    def __init__(self) -> None:
        self._speaking: set[Hashable] = set()

    def push(self, voice: Hashable, event: stt.SpeechEvent) -> list[stt.SpeechEvent]:
        """The events for the session after this event of a stream."""
        match event.type:
            case Type.END_OF_SPEECH:
                return self._end(voice, event)
            case Type.START_OF_SPEECH:
                return self._begin(voice, event)
            case kind if kind in _TRANSCRIPTS:
                return self._transcribe(voice, event) if _text(event) else []
        return [event]

    def gone(self, voice: Hashable) -> list[stt.SpeechEvent]:
        """This stream has ended."""
        return self._end(voice, stt.SpeechEvent(type=Type.END_OF_SPEECH))

    def _transcribe(self, voice: Hashable, event: stt.SpeechEvent) -> list[stt.SpeechEvent]:
        begun = self._begin(voice, event)
        if event.type is Type.PREFLIGHT_TRANSCRIPT and self._speaking != {voice}:
            # The session begins no reply while somebody else speaks.
            event = replace(event, type=Type.INTERIM_TRANSCRIPT)
        return [*begun, event]

    def _begin(self, voice: Hashable, event: stt.SpeechEvent) -> list[stt.SpeechEvent]:
        is_first = not self._speaking
        self._speaking.add(voice)
        if not is_first:
            return []
        is_start = event.type is Type.START_OF_SPEECH
        return [event if is_start else stt.SpeechEvent(type=Type.START_OF_SPEECH)]

    def _end(self, voice: Hashable, event: stt.SpeechEvent) -> list[stt.SpeechEvent]:
        if voice not in self._speaking:
            return []
        self._speaking.remove(voice)
        return [] if self._speaking else [event]


def _text(event: stt.SpeechEvent) -> str:
    return event.alternatives[0].text if event.alternatives else ""
