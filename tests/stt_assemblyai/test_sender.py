"""What leaves for one session: live audio at once, a backlog paced, silence, and a goodbye."""

import asyncio
import json
from dataclasses import dataclass, field

import pytest

from stt_assemblyai.audio import AudioClock
from stt_assemblyai.inbox import Inbox
from stt_assemblyai.messages import ForceEndpoint
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.protocol import Session
from stt_assemblyai.sender import Sender
from stt_assemblyai.timing import Timing

pytestmark = pytest.mark.looptime

CHUNK = b"\1\0" * 400  # 50 ms at 8 kHz
SILENCE = bytes(len(CHUNK))


@dataclass
class Wire:
    """The far end of a socket: what arrived, and when."""

    arrived: list[tuple[float, str | bytes]] = field(default_factory=list)
    alive_at: float = 0.0

    async def send(self, frame: str | bytes) -> None:
        what = frame if isinstance(frame, bytes) else str(json.loads(frame)["type"])
        self.arrived.append((asyncio.get_running_loop().time(), what))

    async def receive(self) -> str:
        raise NotImplementedError

    async def close(self) -> None:
        await self.send('{"type": "closed"}')

    @property
    def frames(self) -> list[str | bytes]:
        return [what for _, what in self.arrived]


class PromptWire(Wire):
    """One that takes a frame without being waited for."""

    def send_nowait(self, frame: bytes) -> bool:
        self.arrived.append((asyncio.get_running_loop().time(), frame))
        return True


class Sending:
    """A sender at work in a session that is open."""

    def __init__(
        self,
        wire: Wire | None = None,
        *,
        from_ms: float = 0,
        in_charge: bool = True,
        **timing: float,
    ) -> None:
        self.wire, self.in_turn = wire or Wire(), False
        all_timing = Timing(**timing)  # type: ignore[arg-type]
        self.inbox = Inbox(8000, all_timing)
        self.session = Session(SessionOptions(sample_rate=8000))
        self.outlet = self.inbox.open()
        self.inbox.put_in_charge(self.outlet)
        self.told: list[tuple[float, bytes]] = []
        self.sender = Sender(
            self.wire,
            self.session,
            self.inbox,
            self.outlet,
            AudioClock(),
            all_timing,
            from_ms=from_ms,
            longest_silence_ms=lambda: 2000,
            in_charge=lambda: in_charge,
            in_turn=lambda: self.in_turn,
            on_audio=lambda at_ms, pcm: self.told.append((at_ms, pcm)),
        )

    def begin(self) -> None:
        self.session.receive('{"type": "Begin", "id": "s"}')
        self.outlet.stirred.set()

    async def for_seconds(
        self, seconds: float, *, begins_after_seconds: float = 0
    ) -> list[str | bytes]:
        """What has been sent by then."""
        asyncio.get_running_loop().call_later(begins_after_seconds, self.begin)
        running = asyncio.create_task(self.sender.run())
        await asyncio.wait([running], timeout=seconds)
        running.cancel()
        await asyncio.wait([running])
        return self.wire.frames


async def test_a_backlog_leaves_at_the_pace_the_service_follows() -> None:
    sending = Sending(replay_speed=1.25)
    sending.inbox.add(CHUNK * 100)
    await sending.for_seconds(10)
    (first, _), *_, (last, _) = sending.wire.arrived
    assert last - first == pytest.approx(4.0 - 0.2, abs=0.1)  # but for a burst
    assert sending.sender.until_ms == 5000


async def test_only_what_the_session_has_not_heard_is_sent() -> None:
    sending = Sending(from_ms=100)
    sending.inbox.add(CHUNK * 3)
    assert await sending.for_seconds(1) == [CHUNK]
    assert sending.told == [(100, CHUNK)]


async def test_audio_may_leave_before_begin_and_messages_wait_for_it() -> None:
    sending = Sending()
    sending.inbox.add(CHUNK)
    sending.inbox.say(ForceEndpoint())
    assert await sending.for_seconds(9, begins_after_seconds=5) == [CHUNK, "ForceEndpoint"]
    assert [at for at, _ in sending.wire.arrived] == [pytest.approx(0), pytest.approx(5)]


async def test_live_audio_leaves_where_it_is_pushed() -> None:
    sending = Sending(PromptWire())
    sent: list[list[str | bytes]] = []

    def push() -> None:
        sending.inbox.add(CHUNK)
        sent.append(sending.wire.frames)

    for number in range(3):
        asyncio.get_running_loop().call_later(1 + number * 0.05, push)
    await sending.for_seconds(2)
    assert sent == [[CHUNK], [CHUNK] * 2, [CHUNK] * 3]


async def test_the_end_takes_the_rest_of_a_chunk_along_and_closes_after_a_bounded_time() -> None:
    sending = Sending(termination_timeout_seconds=5.0)
    sending.inbox.add(CHUNK + CHUNK[:100])
    sending.inbox.end()
    assert await sending.for_seconds(60) == [CHUNK, CHUNK[:100], "Terminate", "closed"]
    assert sending.wire.arrived[-1][0] == pytest.approx(5.0, abs=0.1)
    assert not sending.sender.idle


async def test_silence_stands_in_for_audio_that_lacks_in_mid_turn_but_not_for_ever() -> None:
    sending = Sending(mute_after_ms=1000, idle_seconds=None)
    sending.in_turn = True
    sending.inbox.add(CHUNK)
    assert await sending.for_seconds(3.5) == [CHUNK, *[SILENCE] * 40]
    assert {at_ms for at_ms, pcm in sending.told if not pcm} == {50}


async def test_a_session_without_audio_between_turns_is_ended() -> None:
    sending = Sending(idle_seconds=20.0, termination_timeout_seconds=5.0)
    sending.inbox.add(CHUNK)
    assert await sending.for_seconds(21) == [CHUNK, "Terminate"]
    assert sending.wire.arrived[-1][0] == pytest.approx(20, abs=0.1)
    assert sending.sender.idle


async def test_a_session_that_listens_ahead_is_not_ended_for_want_of_audio() -> None:
    sending = Sending(idle_seconds=20.0, in_charge=False)
    assert await sending.for_seconds(3600) == []
