"""What is kept of one call: its record and, if wanted, its sound."""

from collections.abc import Callable

from livekit import rtc

from agent.call.history.record import open_record, record_file
from agent.call.recording.recorder import Recorder, Tap, open_recorder
from agent.records.schema import Audio
from config.behaviour import AgentSettings


class Keeping:
    """Opens the record of the call in a room."""

    def __init__(self, agent: AgentSettings, room_sid: str) -> None:
        self.record, self.said_before = open_record(agent.record_dir, room_sid)
        self._beside = (
            record_file(agent.record_dir, room_sid)
            if agent.record_dir and agent.record_audio
            else None
        )
        self._sound: Recorder | None = None

    def begin_sound(self, at_ms: Callable[[float], int], tell: Callable[[Audio], None]) -> None:
        """Record the sound from now on, if it is wanted, and tell so. `at_ms` puts a time of the
        event loop on the call's clock."""
        if self._beside and not self._sound and (sound := open_recorder(self._beside)):
            self._sound = sound
            tell(Audio(file=sound.path.name, starts_ms=at_ms(sound.began)))

    @property
    def hear(self) -> Callable[[rtc.AudioFrame], None] | None:
        """What takes the caller's frames as they arrive; None if no sound is kept."""
        return self._sound.hear if self._sound else None

    def tap(self) -> Tap | None:
        """What takes another one of the agent's voices; None if no sound is kept."""
        return self._sound.tap() if self._sound else None

    async def close(self) -> None:
        """Write no more. Takes as long as the disk, a few seconds at most."""
        if self._sound:
            await self._sound.aclose()
        self.record.close()  # from here on it may be sent away
