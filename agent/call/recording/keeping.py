"""What is kept of one call: its record and, if wanted, its sound."""

import asyncio
from collections.abc import Callable

from livekit import rtc

from agent.call.endings import Ending
from agent.call.history.record import open_record, record_file
from agent.call.recording.recorder import Recorder, Tap, open_recorder
from config.behaviour import AgentSettings


class Keeping:
    """Opens the record of the call in a room. Make it in the event loop."""

    def __init__(self, agent: AgentSettings, room_sid: str) -> None:
        self.record, self.said_before = open_record(agent.record_dir, room_sid)
        self._beside = (
            record_file(agent.record_dir, room_sid)
            if agent.record_dir and agent.record_audio
            else None
        )
        self._began = asyncio.get_running_loop().time()
        self._sound: Recorder | None = None

    def begin_sound(self) -> None:
        """Record the sound from now on, if it is wanted."""
        if self._beside and not self._sound and (sound := open_recorder(self._beside)):
            self._sound = sound
            starts_ms = round(1000 * (sound.began - self._began))
            self.record.add("audio", {"file": sound.path.name, "starts_ms": starts_ms})

    @property
    def hear(self) -> Callable[[rtc.AudioFrame], None] | None:
        """What takes the caller's frames as they arrive; None if no sound is kept."""
        return self._sound.hear if self._sound else None

    def tap(self) -> Tap | None:
        """What takes another one of the agent's voices; None if no sound is kept."""
        return self._sound.tap() if self._sound else None

    async def close(self, ending: Ending) -> None:
        """Write the end, and no more. Takes as long as the disk, a few seconds at most."""
        if ending is not Ending.OTHER_AGENT:  # that one goes on with the record
            self.record.add("end", {"ending": ending.code})
        self.record.close()
        if self._sound:
            await self._sound.aclose()
