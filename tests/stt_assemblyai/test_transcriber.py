"""A stream over many sessions, on a virtual clock, against a peer that hears what is really sent.

The audio spells its own time (`workbench.standins.spelt_speech`). So the peer knows which words a
session has heard, whatever is replayed, left out or cut in two.
"""

import asyncio
import contextlib
import json
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from stt_assemblyai.client import Closed, Socket
from stt_assemblyai.errors import (
    AssemblyAIError,
    AuthenticationError,
    NetworkError,
    QuotaError,
    TransientError,
)
from stt_assemblyai.events import (
    EndOfSpeech,
    Final,
    Interim,
    Interrupted,
    Preflight,
    SessionUsage,
    StartOfSpeech,
)
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.timing import Timing
from stt_assemblyai.transcriber import StreamConfig, Transcriber
from workbench.standins.spelt_speech import RATE, SpeltRecogniser, SpeltWord, audio
from workbench.standins.spelt_speech import script as script_of

pytestmark = pytest.mark.looptime

US, U3 = "universal-streaming-english", "universal-3-6-pro"


class Peer:
    """One session of a service that hears `script` in the audio it is sent."""

    LATENCY_SECONDS = 0.3

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[str | Closed] = asyncio.Queue()
        self._on_its_way: deque[dict[str, Any]] = deque()
        self.recogniser = SpeltRecogniser(
            lambda: service.script,
            rewritten=service.rewritten,
            jitter=service.jitter,
            shift_ms=service.shift(),
        )
        self._closed: Closed | None = None
        self.half_open = False
        self.received: list[dict[str, Any]] = []
        self.order: list[str] = []
        self.frames: list[tuple[float, bytes]] = []
        self.alive_at = self._loop.time()
        self.ahead_seconds = service.ahead_seconds

    async def send(self, frame: str | bytes) -> None:
        if self._closed:
            raise self._closed
        if not self.half_open:
            self._take(frame)

    def _take(self, frame: str | bytes) -> None:
        self.alive_at = self._loop.time()
        if isinstance(frame, bytes):
            self.order.append("audio")
            self.frames.append((self._loop.time(), frame))
            self._report(self.recogniser.hear(frame))
        else:
            self.received.append(json.loads(frame))
            self.order.append(self.received[-1]["type"])
            self._obey(self.received[-1]["type"])

    def send_nowait(self, frame: str | bytes) -> bool:
        """As `send`, which never waits here; a service that is `slow` takes nothing at once."""
        if self._closed or self._service.slow:
            return False
        if not self.half_open:
            self._take(frame)
        return True

    async def receive(self) -> str:
        if self._closed and self._inbox.empty():
            raise self._closed
        frame = await self._inbox.get()
        if isinstance(frame, Closed):
            raise frame
        self.alive_at = self._loop.time()
        return frame

    async def close(self) -> None:
        self.drop(1000)

    def begin(self) -> None:
        expires_at = None
        if cap := self._service.cap_seconds:
            expires_at = int(self._loop.time() + cap)
            self._loop.call_at(expires_at, self.fail, 3008, "Session Expired: Maximum duration")
        number = len(self._service.peers)
        self.say(0, type="Begin", id=f"session-{number}", expires_at=expires_at)

    def drop(self, code: int = 1006, reason: str = "") -> None:
        """The connection breaks; what was on its way is lost."""
        if self._closed is None:
            self._closed = Closed(code, reason)
            self._inbox.put_nowait(self._closed)

    def fail(self, code: int, error: str) -> None:
        self.say(0, type="Error", error_code=code, error=error)

    def say(self, delay_seconds: float, **message: Any) -> None:
        if delay_seconds:
            way = self._on_its_way  # timers of the same instant know no order
            way.append(message)
            self._loop.call_later(delay_seconds, lambda: self._deliver(way.popleft()))
        else:
            self._deliver(message)

    def _deliver(self, message: dict[str, Any]) -> None:
        if self._closed is None and not self.half_open:
            self._inbox.put_nowait(json.dumps(message))

    def _obey(self, kind: str) -> None:
        if kind == "ForceEndpoint":
            self._report(self.recogniser.turn(over=True))
        if kind == "Terminate":
            self._report(self.recogniser.turn(over=True))
            self.say(
                self.LATENCY_SECONDS,
                type="Termination",
                audio_duration_seconds=self.recogniser.session_ms // 1000,
                session_duration_seconds=1,
            )

    def _report(self, message: dict[str, Any] | None) -> None:
        if message is not None:
            self.say(self.LATENCY_SECONDS, **message)


@dataclass
class Service:
    """Answers dials, with what `faults` says instead where it says something."""

    script: list[SpeltWord] = field(default_factory=list)
    rewritten: bool = False
    slow: bool = False
    begin_seconds: float = 0.2
    cap_seconds: int | None = None
    ahead_seconds: float | None = 0.0  # its unix time less the loop's time, if it tells it
    faults: deque[AssemblyAIError | str | None] = field(default_factory=deque)
    lives_seconds: deque[float] = field(default_factory=deque)  # of the first sessions, then broken
    dropped_with: int = 1006
    peers: list[Peer] = field(default_factory=list)
    dialled_at: list[float] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    jitter: Callable[[], int] = lambda: 0  # of each time, whenever it is told
    shift: Callable[[], int] = lambda: 0  # of all times of a session

    @contextlib.asynccontextmanager
    async def dial(self, query: str) -> AsyncIterator[Socket]:
        loop = asyncio.get_running_loop()
        self.dialled_at.append(loop.time())
        self.queries.append(query)
        fault = self.faults.popleft() if self.faults else None
        if isinstance(fault, AssemblyAIError):
            raise fault
        peer = Peer(self)
        self.peers.append(peer)
        if fault != "never begin":
            begin = loop.call_later(self.begin_seconds, peer.begin)
        if self.lives_seconds:
            loop.call_later(self.lives_seconds.popleft(), peer.drop, self.dropped_with)
        try:
            yield peer
        finally:
            if fault != "never begin":
                begin.cancel()
            peer.drop(1000)


@dataclass
class Stream:
    """A running transcriber and what it told."""

    transcriber: Transcriber
    events: list[Any] = field(default_factory=list)

    @property
    def finals(self) -> list[str]:
        return [event.transcript.text for event in self.events if isinstance(event, Final)]

    @property
    def said(self) -> list[str]:
        return " ".join(self.finals).split()

    async def speak(self, length_ms: int, start_ms: int = 0) -> None:
        """As a live track does: 50 ms of audio every 50 ms."""
        for now in range(start_ms, start_ms + length_ms, 50):
            self.transcriber.push(audio(now, 50))
            await asyncio.sleep(0.05)


def stream(
    service: Service, *, model: str = US, patience: Patience | None = None, **timing: Any
) -> Stream:
    out: list[Any] = []
    transcriber = Transcriber(
        service.dial,
        StreamConfig(
            SessionOptions(speech_model=model, sample_rate=RATE),  # type: ignore[arg-type]
            timing=Timing(**{"shortest_session_seconds": 0.0, **timing}),
        ),
        out.append,
        retries=Retries(patience or Patience(), lambda: 0.5),
        wall=asyncio.get_running_loop().time,
    )
    return Stream(transcriber, out)


def assert_balanced(events: list[Any]) -> None:
    speaking = final = False
    for event in events:
        match event:
            case StartOfSpeech():
                assert not speaking
                speaking, final = True, False
            case EndOfSpeech():
                assert speaking
                speaking = False
            case Interim() | Preflight() | Final():
                assert speaking
                assert not final
                final = isinstance(event, Final)
    assert not speaking


@contextlib.contextmanager
def dropping(service: Service, at_seconds: list[float]) -> Iterator[None]:
    """Break whatever connection is there at these times."""
    loop = asyncio.get_running_loop()
    handles = [
        loop.call_later(at, lambda: service.peers[-1].drop() if service.peers else None)
        for at in at_seconds
    ]
    yield
    for handle in handles:
        handle.cancel()


async def run_call(service: Service, length_ms: int, model: str, drops: list[float]) -> Stream:
    call = stream(service, model=model)
    with dropping(service, drops):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(call.transcriber.run())
            await call.speak(length_ms)
            call.transcriber.end_input()
    return call


def times_are_true(call: Stream, script: list[SpeltWord], within_ms: int) -> None:
    heard = [
        word for event in call.events if isinstance(event, Final) for word in event.transcript.words
    ]
    for word, said in zip(heard, script, strict=True):
        assert abs(word.start_ms - said.start_ms) <= within_ms
        assert abs(word.end_ms - said.end_ms) <= within_ms


@pytest.mark.parametrize("model", [US, U3])
async def test_without_a_drop_every_word_is_heard_once(model: str) -> None:
    script = script_of(random.Random(7), 9_000)
    service = Service(script, rewritten=model == U3)
    call = await run_call(service, 9_000, model, [])
    assert call.said == [word.text for word in script]
    times_are_true(call, script, 1)
    assert len(service.peers) == 1


@pytest.mark.parametrize("model", [US, U3])
@pytest.mark.parametrize("seed", range(100))
async def test_a_drop_at_any_instant_loses_no_word_and_doubles_none(seed: int, model: str) -> None:
    draw = random.Random(seed)
    script = script_of(draw, 9_000)
    drops = sorted(draw.uniform(0.0, 9.0) for _ in range(draw.randint(1, 3)))
    service = Service(script, rewritten=model == U3, slow=seed % 2 == 1)
    call = await run_call(service, 9_000, model, drops)
    assert call.said == [word.text for word in script]
    times_are_true(call, script, 60)
    assert_balanced(call.events)


@pytest.mark.parametrize("model", [US, U3])
async def test_word_times_of_another_session_may_differ_a_little(model: str) -> None:
    draw = random.Random(3)
    script = script_of(draw, 20_000)
    service = Service(script, rewritten=model == U3, jitter=lambda: draw.randint(-80, 80))
    call = await run_call(service, 20_000, model, [4.1, 8.2, 8.9, 13.3, 17.0])
    assert call.said == [word.text for word in script]


async def test_interims_never_go_backwards_over_a_drop() -> None:
    script = [SpeltWord(f"word{n}", 300 + 300 * n, 550 + 300 * n) for n in range(20)]
    call = await run_call(Service(script), 9_000, US, [3.0, 5.0])
    lengths = [len(e.transcript.words) for e in call.events if isinstance(e, Interim)]
    assert lengths == sorted(lengths)
    assert len(call.finals) == 1


@pytest.mark.parametrize("fault", ["half open", "server error", "never begin", "refused"])
async def test_every_way_to_lose_a_session_is_mended(fault: str) -> None:
    script = script_of(random.Random(11), 9_000)
    service = Service(script)
    if fault == "never begin":
        service.faults.append("never begin")
    if fault == "refused":
        service.faults.extend([NetworkError("refused")] * 3)
    call = stream(service, begin_timeout_seconds=1.0)

    async def break_it() -> None:
        await asyncio.sleep(4.0)
        if fault == "half open":
            service.peers[-1].half_open = True
            await asyncio.sleep(3.0)
            service.peers[-1].drop()  # as the client's pings find out
        if fault == "server error":
            service.peers[-1].fail(3005, "Session Cancelled: An error occurred")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(call.transcriber.run())
        tasks.create_task(break_it())
        await call.speak(9_000)
        call.transcriber.end_input()
    assert call.said == [word.text for word in script]
    assert_balanced(call.events)


async def test_a_replay_is_not_sent_faster_than_the_service_follows() -> None:
    service = Service(script_of(random.Random(5), 9_000), begin_seconds=3.0)
    call = await run_call(service, 9_000, US, [3.5])
    sent_at = [at for at, _ in service.peers[1].frames]
    replayed = [n * 0.05 / 1.25 for n in range(len(sent_at))]
    assert all(at - sent_at[0] >= due - 0.25 for at, due in zip(sent_at, replayed, strict=True))
    assert call.said


async def test_a_wrong_key_is_not_tried_again() -> None:
    service = Service()
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await asyncio.sleep(0.1)
    service.peers[0].fail(1008, "Unauthorized Connection: Invalid API key")
    with pytest.raises(AuthenticationError, match="Invalid API key"):
        await running
    assert len(service.dialled_at) == 1


async def test_a_rate_limit_is_waited_out() -> None:
    limited = QuotaError("Too many new sessions on this account", retry_after_seconds=12)
    service = Service(faults=deque([limited]))
    call = stream(service)
    call.transcriber.end_input()
    await call.transcriber.run()
    assert service.dialled_at == [0.0, pytest.approx(18.2, abs=0.1)]


async def test_patience_has_an_end_and_then_the_last_error_is_raised() -> None:
    service = Service(faults=deque([TransientError("The service is unavailable")] * 999))
    call = stream(service, patience=Patience(total_seconds=60))
    with pytest.raises(TransientError, match="unavailable"):
        await call.transcriber.run()
    assert asyncio.get_running_loop().time() <= 60
    assert 5 <= len(service.dialled_at) <= 15


async def test_an_outage_of_half_an_hour_is_survived_in_bounded_memory() -> None:
    outage = deque[AssemblyAIError | str | None]([None, *[NetworkError("refused")] * 200])
    service = Service([SpeltWord("hello", 1000, 1400)], faults=outage)
    call = stream(service, patience=Patience(total_seconds=3600), keep_seconds=10.0)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(3000)
    service.peers[0].drop()
    for _ in range(30 * 60 * 2):
        call.transcriber.push(bytes(RATE))
        await asyncio.sleep(0.5)
    service.faults.clear()
    await asyncio.sleep(20.0)
    call.transcriber.end_input()
    await running
    assert call.said == ["hello"]
    assert call.transcriber.dropped_ms == pytest.approx(30 * 60 * 1000 - 10_000, abs=20_000)
    told = [event for event in call.events if isinstance(event, Interrupted)]
    assert told[-1].dropped_ms > 1_700_000
    assert_balanced(call.events)


async def test_a_track_that_goes_mute_in_mid_turn_gets_silence_until_the_turn_ends() -> None:
    script = [
        SpeltWord("two", 300, 600),
        SpeltWord("tickets", 650, 1100),
        SpeltWord("thanks", 1500, 1900),
    ]
    service = Service(script)
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(1200)
    await asyncio.sleep(10.0)
    assert call.finals == ["two tickets"]
    assert 0 < service.peers[0].recogniser.silence_ms < 3000
    await call.speak(1800, start_ms=1200)
    call.transcriber.end_input()
    await running
    assert call.finals == ["two tickets", "thanks"]
    thanks = [event for event in call.events if isinstance(event, Final)][1].transcript
    assert thanks.start_ms == pytest.approx(1500, abs=2)


async def test_a_track_may_go_mute_before_its_words_are_known() -> None:
    call = stream(Service([SpeltWord("two", 300, 600)]))
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(650)
    await asyncio.sleep(10.0)
    assert call.finals == ["two"]
    call.transcriber.end_input()
    await running


async def test_no_silence_is_sent_between_turns() -> None:
    service = Service()
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(1000)
    await asyncio.sleep(60.0)
    call.transcriber.end_input()
    await running
    assert service.peers[0].recogniser.silence_ms == 0


async def test_an_open_turn_that_the_next_session_does_not_hear_of_ends_all_the_same() -> None:
    service = Service([SpeltWord("hello", 300, 700)])
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(1100)
    service.script = []
    service.peers[0].drop()
    await call.speak(9000, start_ms=1100)
    assert call.finals == ["hello"]
    call.transcriber.end_input()
    await running
    assert_balanced(call.events)


async def test_being_cancelled_in_mid_turn_still_ends_the_session_and_gives_the_final() -> None:
    service = Service([SpeltWord("hello", 300, 700)])
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(1100)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert service.peers[0].received == [{"type": "Terminate"}]
    assert call.finals == ["hello"]
    assert_balanced(call.events)


async def test_being_cancelled_during_an_outage_closes_the_open_turn() -> None:
    service = Service([SpeltWord("hello", 300, 700)])
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(1100)
    service.faults.extend([NetworkError("refused")] * 99)
    service.peers[0].drop()
    await asyncio.sleep(5.0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert call.finals == ["hello"]
    assert_balanced(call.events)


async def test_a_termination_that_never_comes_is_waited_for_a_bounded_time() -> None:
    service = Service()
    call = stream(service, termination_timeout_seconds=5.0)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(500)
    service.peers[0].half_open = True
    call.transcriber.end_input()
    await running
    assert asyncio.get_running_loop().time() == pytest.approx(5.5, abs=0.2)


async def test_a_new_session_is_opened_with_the_newest_options() -> None:
    service = Service()
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(500)
    service.peers[0].drop()
    call.transcriber.update(call.transcriber.options.revised(min_turn_silence=900))
    await call.speak(1000, start_ms=500)
    call.transcriber.end_input()
    await running
    assert "min_turn_silence=900" in service.queries[1]
    assert service.peers[1].received == [{"type": "Terminate"}]


async def test_a_change_that_changes_nothing_says_nothing() -> None:
    service = Service()
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(500)
    call.transcriber.update(call.transcriber.options)
    call.transcriber.flush()
    call.transcriber.end_input()
    await running
    assert [message["type"] for message in service.peers[0].received] == [
        "ForceEndpoint",
        "Terminate",
    ]


async def test_a_flush_keeps_its_place_between_two_pieces_of_audio() -> None:
    service = Service()
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(500)
    call.transcriber.flush()
    call.transcriber.push(audio(500, 100))
    call.transcriber.end_input()
    await running
    assert service.peers[0].order == [
        *["audio"] * 10,
        "ForceEndpoint",
        *["audio"] * 2,
        "Terminate",
    ]


async def test_a_session_that_differs_from_what_was_asked_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = Service(faults=deque(["never begin"]))
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await asyncio.sleep(0.1)
    service.peers[0].say(0, type="Begin", id="s", configuration={"model": "u3-rt-pro"})
    call.transcriber.end_input()
    await running
    assert "AssemblyAI session differs from what was asked" in caplog.messages


async def test_logs_hold_nothing_of_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    service = Service([SpeltWord("swordfish", 300, 700)])
    await run_call(service, 3000, US, [0.9])
    assert caplog.records
    assert all("swordfish" not in str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize("model", [US, U3])
@pytest.mark.parametrize(("cap_seconds", "sessions"), [(3, 31), (5, 16), (10, 7), (30, 3)])
@pytest.mark.parametrize("seed", range(3))
async def test_sessions_roll_over_before_they_expire_and_no_word_is_lost(
    seed: int, cap_seconds: int, sessions: int, model: str
) -> None:
    script = script_of(random.Random(seed), 60_000)
    service = Service(script, rewritten=model == U3, cap_seconds=cap_seconds)
    call = await run_call(service, 60_000, model, [])
    assert call.said == [word.text for word in script]
    times_are_true(call, script, 60)
    assert_balanced(call.events)
    assert len(service.peers) >= sessions
    assert not any(isinstance(event, Interrupted) for event in call.events)
    assert all({"type": "Terminate"} in peer.received for peer in service.peers)
    bills = [event for event in call.events if isinstance(event, SessionUsage)]
    assert [bill.reason for bill in bills] == ["start"] + ["roll over"] * (len(bills) - 1)


@pytest.mark.parametrize("model", [US, U3])
@pytest.mark.parametrize("seed", range(8))
async def test_sessions_that_place_words_elsewhere_roll_over_without_one_lost_or_doubled(
    seed: int, model: str
) -> None:
    draw, script = random.Random(1000 + seed), script_of(random.Random(seed), 60_000)
    service = Service(script, rewritten=model == U3, cap_seconds=3)
    service.shift = lambda: draw.randint(-60, 60)
    call = await run_call(service, 60_000, model, [])
    assert call.said == [word.text for word in script]


async def test_a_session_takes_over_between_two_turns_if_there_is_time() -> None:
    script = [SpeltWord(f"word{n}", 300 + 500 * n, 700 + 500 * n) for n in range(18)]
    service = Service(script, cap_seconds=12)
    call = await run_call(service, 14_000, US, [])
    assert call.finals == [" ".join(word.text for word in script)]


async def test_a_spare_session_that_is_refused_is_asked_for_again() -> None:
    script = script_of(random.Random(1), 30_000)
    refusals = [None, NetworkError("refused"), "never begin", TransientError("No")]
    service = Service(script, cap_seconds=20, faults=deque(refusals))
    call = stream(service, begin_timeout_seconds=0.5)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(call.transcriber.run())
        await call.speak(30_000)
        call.transcriber.end_input()
    assert call.said == [word.text for word in script]
    assert not any(isinstance(event, Interrupted) for event in call.events)


async def test_a_spare_session_steps_in_when_the_old_one_breaks() -> None:
    script = [SpeltWord(f"word{n}", 300 + 300 * n, 550 + 300 * n) for n in range(60)]
    service = Service(script, cap_seconds=15)
    call = stream(service)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(call.transcriber.run())
        await call.speak(12_400)
        assert len(service.peers) == 2  # the spare one waits for the turn to end
        service.peers[0].drop()
        await call.speak(7_600, start_ms=12_400)
        assert len(service.peers) == 2
        call.transcriber.end_input()
    assert call.said == [word.text for word in script]
    assert {"type": "Terminate"} not in service.peers[0].received
    assert {"type": "Terminate"} in service.peers[1].received


async def test_a_service_that_falls_silent_in_mid_turn_is_left() -> None:
    script = [SpeltWord(f"word{n}", 300 + 300 * n, 550 + 300 * n) for n in range(90)]
    service = Service(script)
    call = stream(service)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(call.transcriber.run())
        await call.speak(3_000)
        service.peers[0].say = lambda *_, **__: None  # type: ignore[method-assign]
        await call.speak(27_000, start_ms=3_000)
        call.transcriber.end_input()
    assert call.said == [word.text for word in script]
    (told,) = [event for event in call.events if isinstance(event, Interrupted)]
    assert str(told.error) == "The service stopped transcribing."


async def test_a_turn_that_noise_keeps_open_is_ended_by_force() -> None:
    """The service hears a voice that says nothing: its silence never comes."""
    service = Service(
        [SpeltWord("hello", 300, 550), SpeltWord("there", 600, 850), SpeltWord("bye", 9000, 9250)]
    )
    call = stream(service)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(call.transcriber.run())
        await asyncio.sleep(0.3)
        service.peers[0].recogniser.pause_ms = 60_000
        await call.speak(8_000)
        assert call.finals == ["hello there"]
        await call.speak(4_000, start_ms=8_000)
        call.transcriber.end_input()
    assert call.finals == ["hello there", "bye"]
    assert {"type": "ForceEndpoint"} in service.peers[0].received
    assert len(service.peers) == 1
    assert_balanced(call.events)


async def test_a_service_that_says_nothing_of_speech_is_left_once_and_no_word_is_lost() -> None:
    script = [SpeltWord(f"word{n}", 1300 + 800 * n, 1550 + 800 * n) for n in range(40)]
    service = Service(script)
    call = stream(service, unanswered_seconds=10.0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(call.transcriber.run())
        await asyncio.sleep(0.3)
        service.peers[0].say = lambda *_, **__: None  # type: ignore[method-assign]
        await call.speak(36_000)
        call.transcriber.end_input()
    assert call.said == [word.text for word in script]
    told = [str(event.error) for event in call.events if isinstance(event, Interrupted)]
    assert told == ["The service says nothing of the speech that it is sent."]


async def test_a_line_that_is_loud_without_words_costs_one_more_session() -> None:
    service = Service([])
    call = stream(service, unanswered_seconds=10.0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(call.transcriber.run())
        await call.speak(60_000)
        call.transcriber.end_input()
    assert len(service.peers) == 2


@pytest.mark.parametrize("beats", [True, False])
async def test_a_session_whose_heartbeat_stops_is_left(beats: bool) -> None:
    service = Service()
    out: list[Any] = []
    options = SessionOptions(sample_rate=RATE, session_heartbeat=True)
    call = Stream(Transcriber(service.dial, StreamConfig(options), out.append), out)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(call.transcriber.run())
        for second in range(0, 20, 5):
            await call.speak(5_000, start_ms=second * 1000)
            if beats:
                service.peers[0].say(0, type="Heartbeat", total_audio_received_ms=second * 1000)
        call.transcriber.end_input()
    told = [str(event.error) for event in out if isinstance(event, Interrupted)]
    assert told == ([] if beats else ["The session's heartbeat stopped."])


@pytest.mark.parametrize("model", [US, U3])
async def test_drops_during_replays_lose_no_word(model: str) -> None:
    """Each session breaks while it still hears what the one before it had heard already."""
    script = script_of(random.Random(21), 40_000)
    service = Service(script, rewritten=model == U3, lives_seconds=deque([4.0, *[0.8] * 5]))
    call = await run_call(service, 40_000, model, [])
    assert call.said == [word.text for word in script]
    assert len(service.peers) == 7
    assert_balanced(call.events)


@pytest.mark.parametrize("model", [US, U3])
async def test_faults_while_a_drop_is_being_mended_lose_no_word(model: str) -> None:
    script = script_of(random.Random(22), 30_000)
    service = Service(script, rewritten=model == U3)
    service.faults.extend(
        [None, NetworkError("refused"), "never begin", TransientError("No"), None, "never begin"]
    )
    call = stream(service, model=model, begin_timeout_seconds=1.0)
    with dropping(service, [5.0, 7.0, 14.0]):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(call.transcriber.run())
            await call.speak(30_000)
            call.transcriber.end_input()
    assert call.said == [word.text for word in script]
    assert_balanced(call.events)


@pytest.mark.parametrize("model", [US, U3])
async def test_a_drop_amid_a_roll_over_loses_no_word(model: str) -> None:
    script = script_of(random.Random(23), 40_000)
    service = Service(script, rewritten=model == U3, cap_seconds=12)
    call = await run_call(service, 40_000, model, [8.1, 8.4, 20.0, 20.2, 31.0])
    assert call.said == [word.text for word in script]
    assert_balanced(call.events)


async def test_a_spare_session_that_is_not_needed_is_terminated() -> None:
    service = Service(cap_seconds=12)
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    service.script = [SpeltWord("a" * 9, 300, 30_000)]
    await call.speak(9_500)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [peer.received[-1] for peer in service.peers] == [{"type": "Terminate"}] * 2


async def test_options_that_change_while_a_spare_session_waits_reach_it() -> None:
    script = [SpeltWord(f"word{n}", 300 + 300 * n, 550 + 300 * n) for n in range(40)]
    service = Service(script, cap_seconds=12)
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(9_500)
    call.transcriber.update(call.transcriber.options.revised(min_turn_silence=900))
    await call.speak(4_500, start_ms=9_500)
    call.transcriber.end_input()
    await running
    change = {"type": "UpdateConfiguration", "min_turn_silence": 900}
    assert change in service.peers[1].received


async def test_every_session_is_billed_once_and_what_was_sent_twice_is_said() -> None:
    script = script_of(random.Random(2), 9_000)
    call = await run_call(Service(script), 9_000, US, [4.0])
    first, second = (event for event in call.events if isinstance(event, SessionUsage))
    assert (first.reason, first.estimated) == ("start", True)
    assert first.billed_seconds == pytest.approx(3.8, abs=0.1)
    assert first.audio_resent_seconds == 0
    assert (second.reason, second.estimated) == ("TransientError", False)
    assert second.audio_resent_seconds > 0.5
    sent = first.audio_sent_seconds + second.audio_sent_seconds
    assert sent - second.audio_resent_seconds == pytest.approx(9.0, abs=0.05)
    assert call.transcriber.usage == [first, second]
    assert call.transcriber.unreported_seconds() == pytest.approx(
        first.billed_seconds + second.billed_seconds
    )
    assert call.transcriber.unreported_seconds() == 0


HELLO_AND_BYE = [
    SpeltWord("hello", 300, 700),
    SpeltWord("there", 750, 1100),
    SpeltWord("bye", 4200, 4600),
]


async def test_a_session_that_nobody_uses_is_ended_and_costs_no_more() -> None:
    service = Service(HELLO_AND_BYE)
    call = stream(service, idle_seconds=20.0)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(4_000)
    await asyncio.sleep(3_600.0)
    assert service.peers[0].received == [{"type": "Terminate"}]
    (bill,) = call.transcriber.usage
    assert not bill.estimated
    call.transcriber.unreported_seconds()
    await asyncio.sleep(3_600.0)
    assert call.transcriber.unreported_seconds() == 0
    call.transcriber.end_input()
    await running
    assert call.finals == ["hello there"]
    assert len(service.dialled_at) == 1
    assert_balanced(call.events)


@pytest.mark.parametrize("model", [US, U3])
async def test_speech_after_an_idle_time_opens_a_new_session_and_loses_no_word(model: str) -> None:
    service = Service(HELLO_AND_BYE, rewritten=model == U3)
    call = stream(service, model=model, idle_seconds=20.0)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(4_030)
    await asyncio.sleep(600.0)
    await call.speak(3_000, start_ms=4_030)
    call.transcriber.end_input()
    await running
    assert call.said == ["hello", "there", "bye"]
    times_are_true(call, HELLO_AND_BYE, 60)
    assert_balanced(call.events)
    first, second = call.transcriber.usage
    assert (first.reason, second.reason) == ("start", "audio again")
    assert second.audio_resent_seconds == 0
    assert not any(isinstance(event, Interrupted) for event in call.events)


@pytest.mark.parametrize("late_ms", range(-400, 1000, 100))
async def test_speech_that_begins_while_an_idle_session_is_ended_loses_no_word(
    late_ms: int,
) -> None:
    service = Service([*HELLO_AND_BYE[:2], SpeltWord("bye", 4_020, 4_300)])
    call = stream(service, idle_seconds=20.0)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(4_000)
    await asyncio.sleep(20.0 + late_ms / 1000)
    await call.speak(500, start_ms=4_000)
    call.transcriber.end_input()
    await running
    assert call.said == ["hello", "there", "bye"]
    assert_balanced(call.events)


async def test_a_muted_track_ends_its_turn_before_its_session_is_idle() -> None:
    service = Service(HELLO_AND_BYE)
    call = stream(service, idle_seconds=0.5)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(1_200)
    await asyncio.sleep(60.0)
    assert call.finals == ["hello there"]
    assert service.peers[0].received == [{"type": "Terminate"}]
    call.transcriber.end_input()
    await running


@pytest.mark.parametrize("never", [0.0, None])
async def test_a_session_is_kept_for_ever_where_that_is_asked_for(never: float | None) -> None:
    service = Service(HELLO_AND_BYE)
    call = stream(service, idle_seconds=never)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(4_000)
    await asyncio.sleep(7_200.0)
    assert service.peers[0].received == []
    call.transcriber.end_input()
    await running


async def test_what_the_service_ends_for_inactivity_is_opened_again_when_audio_comes() -> None:
    service = Service(HELLO_AND_BYE)
    call = stream(service)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(4_000)
    await asyncio.sleep(10.0)
    service.peers[0].fail(3006, "Session terminated due to inactivity: No messages received")
    await asyncio.sleep(600.0)
    assert len(service.dialled_at) == 1
    await call.speak(3_000, start_ms=4_000)
    call.transcriber.end_input()
    await running
    assert call.said == ["hello", "there", "bye"]
    assert [bill.reason for bill in call.transcriber.usage] == ["start", "audio again"]
    assert not any(isinstance(event, Interrupted) for event in call.events)
    assert_balanced(call.events)


async def test_a_stream_that_is_given_no_audio_at_all_costs_little() -> None:
    service = Service()
    call = stream(service, idle_seconds=20.0)
    running = asyncio.create_task(call.transcriber.run())
    await asyncio.sleep(3_600.0)
    assert service.peers[0].received == [{"type": "Terminate"}]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(service.dialled_at) == 1


async def test_an_idle_session_takes_its_spare_one_along() -> None:
    service = Service(HELLO_AND_BYE, cap_seconds=30)
    call = stream(service, idle_seconds=20.0)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(4_000)
    await asyncio.sleep(120.0)
    assert [peer.received for peer in service.peers] == [[{"type": "Terminate"}]] * 2
    await call.speak(3_000, start_ms=4_000)
    call.transcriber.end_input()
    await running
    assert call.said == ["hello", "there", "bye"]


async def test_a_goodbye_to_an_idle_session_that_is_not_answered_is_not_waited_for_for_long() -> (
    None
):
    service = Service(HELLO_AND_BYE)
    call = stream(service, idle_seconds=20.0)
    running = asyncio.create_task(call.transcriber.run())
    await call.speak(4_000)
    service.peers[0].half_open = True
    await asyncio.sleep(30.0)
    await call.speak(3_000, start_ms=4_000)
    call.transcriber.end_input()
    await running
    assert call.said == ["hello", "there", "bye"]
