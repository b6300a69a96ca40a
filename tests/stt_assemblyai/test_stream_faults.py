"""Whatever one message, one clock or one push does wrong costs at most one new session."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.errors import ConfigurationError
from stt_assemblyai.events import (
    EndOfSpeech,
    Final,
    Interim,
    Interrupted,
    NothingToEnd,
    Overdue,
    StartOfSpeech,
)
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.timing import Timing
from stt_assemblyai.transcriber import StreamConfig, Transcriber
from workbench.standins.scripted_service import ScriptedService, ScriptedSocket
from workbench.standins.virtual_time import run_virtually

pytestmark = pytest.mark.looptime(noop_cycles=0)

RATE = 8000
US, U3 = "universal-streaming-english", "universal-3-6-pro"
BEGIN = {"type": "Begin", "id": "s", "expires_at": None}
VOICE = (np.sin(np.arange(RATE // 20)) * 8000).astype("<i2").tobytes()  # 50 ms
SILENCE = bytes(len(VOICE))


def word(text: str, start: int, end: int, **fields: Any) -> dict[str, Any]:
    return {"text": text, "start": start, "end": end, "confidence": 0.9, "word_is_final": True} | (
        fields
    )


def turn(order: int, *words: dict[str, Any], over: bool = False, **fields: Any) -> dict[str, Any]:
    return {
        "type": "Turn",
        "turn_order": order,
        "end_of_turn": over,
        "turn_is_formatted": False,
        "transcript": " ".join(str(each["text"]) for each in words),
        "words": list(words),
    } | fields


class Stream:
    """A running transcriber, what it told, and the service's side of it."""

    def __init__(
        self,
        on_open: Callable[[ScriptedSocket], None] = lambda socket: socket.say(BEGIN),
        *,
        model: str = US,
        choices: TurnChoices = TurnChoices(),  # noqa: B008 - immutable
        wall: Callable[[], float] | None = None,
        on_event: Callable[[Any], None] | None = None,
        options: dict[str, Any] | None = None,
        **timing: Any,
    ) -> None:
        self.told: list[Any] = []
        self.service = ScriptedService(on_open)
        self.transcriber = Transcriber(
            self.service.dial,
            StreamConfig(
                SessionOptions(speech_model=model, sample_rate=RATE, **(options or {})),  # type: ignore[arg-type]
                choices,
                Timing(**timing),
            ),
            on_event or self.told.append,
            retries=Retries(Patience(), lambda: 0.5),
            wall=wall or asyncio.get_running_loop().time,
        )

    @property
    def socket(self) -> ScriptedSocket:
        return self.service.sockets[-1]

    async def hear(self, pcm: bytes, count: int) -> None:
        """Live audio: a piece every 50 ms."""
        for _ in range(count):
            self.transcriber.push(pcm)
            await asyncio.sleep(0.05)

    async def say(self, *frames: dict[str, Any] | str | bytes) -> None:
        for frame in frames:
            self.socket.say(frame)
        await asyncio.sleep(0.01)

    def of(self, *kinds: type) -> list[Any]:
        return [event for event in self.told if isinstance(event, kinds)]

    @property
    def speech(self) -> list[str]:
        return [
            f"final {event.transcript.text}" if isinstance(event, Final) else type(event).__name__
            for event in self.of(StartOfSpeech, Final, EndOfSpeech)
        ]

    @contextlib.asynccontextmanager
    async def running(self, *, to_the_end: bool = True) -> AsyncIterator[None]:
        running = asyncio.create_task(self.transcriber.run())
        await asyncio.sleep(0.01)
        yield
        if to_the_end:
            self.transcriber.end_input()
            await running
        else:
            running.cancel()
            await asyncio.wait([running])


async def test_a_change_of_options_that_is_refused_costs_itself() -> None:
    stream = Stream(options={"keyterms_prompt": ["Ann"]})
    before = stream.transcriber.options
    async with stream.running():
        await stream.hear(VOICE, 4)
        stream.transcriber.update(before.revised(keyterms_prompt=["Bob"], min_turn_silence=900))
        await stream.say({"type": "Error", "error_code": 3006, "error": "no such term"})
        await stream.hear(VOICE, 20)
        await stream.say(turn(0, word("hello", 100, 400), over=True, turn_is_formatted=True))
    assert stream.speech == ["StartOfSpeech", "final hello", "EndOfSpeech"]
    assert stream.transcriber.options == before
    (interrupted,) = stream.of(Interrupted)
    assert "no such term" in str(interrupted.error)


async def test_options_that_are_refused_without_a_change_end_the_stream() -> None:
    stream = Stream()
    with pytest.raises(ConfigurationError):
        async with stream.running():
            await stream.say({"type": "Error", "error_code": 3006, "error": "no"})


@pytest.mark.parametrize("model", [US, U3])
@pytest.mark.parametrize("eager_ms", [None, 80])
@pytest.mark.parametrize("words", [[], None, "missing", {"a": 1}, [{"text": "hello"}], [None]])
async def test_a_turn_with_a_text_and_no_words_is_a_turn(
    words: Any, eager_ms: int | None, model: str
) -> None:
    stream = Stream(model=model, choices=TurnChoices(eager_ms=eager_ms, wait_for_formatted_ms=0))
    odd = {"transcript": "hello there"} | ({} if words == "missing" else {"words": words})
    partial, final = turn(0) | odd, turn(0, over=True) | odd
    if words == "missing":
        partial.pop("words"), final.pop("words")
    async with stream.running():
        await stream.hear(VOICE, 20)
        await stream.say(partial)
        await stream.hear(SILENCE, 10)
        await stream.say(final)
    assert stream.speech == ["StartOfSpeech", "final hello there", "EndOfSpeech"]
    assert len(stream.service.sockets) == 1
    (ended,) = stream.of(EndOfSpeech)
    assert 500 <= ended.speech_end_ms <= 1500


@pytest.mark.parametrize(
    "odd",
    [
        {"confidence": None},
        {"confidence": float("nan")},
        {"start": 100.5, "end": 900.25},
        {"speaker": 7},
        {"end": 2**53},
        {"start": -5000},
    ],
)
async def test_a_turn_with_one_odd_word_is_heard(
    odd: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    stream = Stream()
    async with stream.running():
        await stream.hear(VOICE, 20)
        await stream.say(turn(0, word("swordfish", 100, 900) | odd, over=True))
        await stream.hear(SILENCE, 100)
        await stream.say(turn(1, word("again", 5500, 5900), over=True))
    assert [event.transcript.text for event in stream.of(Final)] == ["swordfish", "again"]
    assert len(stream.service.sockets) == 1
    assert bytes(stream.socket.audio) == VOICE * 20 + SILENCE * 100
    assert all("swordfish" not in str(vars(record)) for record in caplog.records)


async def test_what_cannot_be_read_is_said_once_with_the_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = Stream()
    async with stream.running():
        for _ in range(3):
            await stream.say(turn(0, word("a", 0, 1, confidence=None)), {"type": "Turn"}, "{")
            await stream.say({"type": "Tomorrow"})
    warnings = [
        (record.__dict__["message_type"], record.__dict__["fault"])
        for record in caplog.records
        if record.levelno == logging.WARNING
    ]
    assert warnings == [
        ("Turn", "words.*.confidence: Input should be a valid number"),
        ("Turn", "turn_order: Field required"),
        ("", "not JSON"),
        ("Tomorrow", ""),
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"expires_at": "2026-11-27T12:00:00Z"},
        {"expires_at": 1790221526.5},
        {"expires_at": 1790221526000},
        {"id": None},
        {"configuration": "x"},
    ],
)
async def test_a_begin_is_a_begin_whatever_else_it_says(odd: dict[str, Any]) -> None:
    stream = Stream(lambda socket: socket.say(BEGIN | odd))
    async with stream.running():
        await stream.hear(SILENCE, 600)
    assert len(stream.service.sockets) == 1
    assert len(stream.transcriber.usage) == 1


async def test_two_sessions_without_a_name_are_billed_apart() -> None:
    stream = Stream(lambda socket: socket.say({"type": "Begin"}))
    async with stream.running():
        await stream.hear(SILENCE, 40)
        stream.socket.drop()
        await stream.hear(SILENCE, 40)
    first, second = stream.transcriber.usage
    assert first.billed_seconds == pytest.approx(2, abs=0.1)
    assert second.billed_seconds == 1


@pytest.mark.parametrize("pieces", [1, 2, 20, 200])
async def test_no_push_ends_a_session_under_its_own_feet(pieces: int) -> None:
    stream = Stream(unanswered_seconds=5.0)
    async with stream.running():
        for _ in range(400 // pieces):
            stream.transcriber.push(VOICE * pieces)
            await asyncio.sleep(0.05 * pieces)
    assert [str(event.error) for event in stream.of(Interrupted)] == [
        "The service says nothing of the speech that it is sent."
    ]
    assert sum(len(each.audio) for each in stream.service.sockets) >= len(VOICE) * 400


@pytest.mark.parametrize("way", ["deadline", "commit_now", "formatted", "next turn", "end"])
async def test_an_end_of_speech_has_one_time_whatever_ends_the_turn(way: str) -> None:
    """The voice ends at 900 ms; the service pads the last word to 1400."""
    stream = Stream(choices=TurnChoices(wait_for_formatted_ms=300))
    async with stream.running():
        await stream.hear(VOICE, 18)
        await stream.hear(SILENCE, 20)
        await stream.say(turn(0, word("hello", 200, 1400), over=True))
        if way == "commit_now":
            stream.transcriber.commit_now()
        if way == "formatted":
            formatted = turn(0, word("Hello.", 200, 1400), over=True, turn_is_formatted=True)
            await stream.say(formatted)
        if way == "next turn":
            await stream.say(turn(1, word("and", 1700, 1800)))
        if way == "deadline":
            await asyncio.sleep(0.4)
    first, *_ = stream.of(EndOfSpeech)
    assert first == EndOfSpeech(900)


async def test_heartbeats_are_expected_only_while_they_are_asked_for() -> None:
    stream = Stream(options={"session_heartbeat": True})
    update = stream.transcriber.update
    async with stream.running(to_the_end=False):
        await stream.hear(SILENCE, 200)
        update(stream.transcriber.options.revised(session_heartbeat=False))
        await stream.hear(SILENCE, 1000)
        update(stream.transcriber.options.revised(session_heartbeat=True))
        await stream.hear(SILENCE, 200)
        await stream.say({"type": "Heartbeat"})
        await stream.hear(SILENCE, 200)
        assert len(stream.service.sockets) == 1
        await stream.hear(SILENCE, 150)
        assert len(stream.service.sockets) == 2
    (told,) = stream.of(Interrupted)
    assert str(told.error) == "The session's heartbeat stopped."


@pytest.mark.parametrize("silence_ms", [400, 6000])
async def test_silence_stands_in_for_as_long_as_the_options_in_force_say(silence_ms: int) -> None:
    """And a turn is asked to end when they say, whatever held when it began."""
    stream = Stream(model=US)
    async with stream.running(to_the_end=False):
        await stream.hear(VOICE, 20)
        await stream.say(turn(0, word("hello", 200, 900)))
        options = stream.transcriber.options.revised(max_turn_silence=silence_ms)
        stream.transcriber.update(options)
        await asyncio.sleep(1.0 + silence_ms / 1000)
        sent_ms = len(stream.socket.audio) / (RATE * 2 / 1000)
        assert 1000 + silence_ms - 100 <= sent_ms <= 1000 + silence_ms + 1500
        assert not stream.of(Overdue)
        await asyncio.sleep(1.0)
        assert stream.of(Overdue)


async def test_a_flush_without_an_open_turn_says_at_once_that_nothing_follows() -> None:
    stream = Stream()
    async with stream.running():
        await stream.hear(SILENCE, 20)
        stream.transcriber.flush()
        assert stream.of(NothingToEnd)
        await stream.hear(VOICE, 20)
        await stream.hear(SILENCE, 60)
        await stream.say(turn(0, word("hello", 1000, 2000), over=True, turn_is_formatted=True))
        stream.transcriber.flush()
    assert len(stream.of(NothingToEnd)) == 2
    assert [m["type"] for m in stream.socket.messages] == ["ForceEndpoint"] * 2 + ["Terminate"]


async def test_a_flush_right_behind_speech_waits_for_its_words() -> None:
    stream = Stream()
    async with stream.running():
        await stream.hear(SILENCE, 20)
        await stream.hear(VOICE, 5)
        stream.transcriber.flush()
        await asyncio.sleep(0.3)
        await stream.say(turn(0, word("yes", 1000, 1250), over=True, turn_is_formatted=True))
        await asyncio.sleep(2.0)
        assert not stream.of(NothingToEnd)
        await stream.hear(VOICE, 5)
        stream.transcriber.flush()
        await asyncio.sleep(0.9)
        assert not stream.of(NothingToEnd)
        await asyncio.sleep(0.2)
        assert stream.of(NothingToEnd)


async def test_an_open_turn_is_flushed_with_its_own_final() -> None:
    stream = Stream()
    async with stream.running():
        await stream.hear(VOICE, 20)
        await stream.say(turn(0, word("hello", 200, 900)))
        stream.transcriber.flush()
        await stream.say(turn(0, word("hello", 200, 900), over=True, turn_is_formatted=True))
        await asyncio.sleep(2.0)
    assert not stream.of(NothingToEnd)


async def test_an_update_that_cannot_be_made_changes_nothing() -> None:
    stream = Stream()
    async with stream.running():
        before = stream.transcriber.options
        with pytest.raises(ConfigurationError, match="sample_rate"):
            stream.transcriber.update(before.revised(sample_rate=16000, min_turn_silence=900))
        assert stream.transcriber.options is before
    assert [message["type"] for message in stream.socket.messages] == ["Terminate"]


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_a_service_that_closes_again_and_again_is_asked_less_and_less(code: int) -> None:
    def open_for_a_second(socket: ScriptedSocket) -> None:
        socket.say(BEGIN)
        loop = asyncio.get_running_loop()
        loop.call_later(0.5, lambda: socket.say(turn(0, word("hello", 100, 400), over=True)))
        loop.call_later(1.0, socket.drop, code)

    stream = Stream(open_for_a_second)
    async with stream.running(to_the_end=False):
        await stream.hear(SILENCE, 280)
        assert len(stream.service.sockets) <= 6
        await stream.hear(SILENCE, 920)
        assert len(stream.service.sockets) <= 12


async def test_a_listener_that_fails_costs_its_event_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[Any] = []

    def listen(event: Any) -> None:
        if isinstance(event, Interim):
            raise LookupError(event.transcript.text)  # noqa: TRY004 - any error will do
        heard.append(event)

    stream = Stream(on_event=listen)
    async with stream.running():
        await stream.hear(VOICE, 20)
        await stream.say(turn(0, word("swordfish", 200, 900)))
        await stream.say(turn(0, word("swordfish", 200, 900), over=True, turn_is_formatted=True))
    assert [type(event) for event in heard if isinstance(event, StartOfSpeech | Final)] == [
        StartOfSpeech,
        Final,
    ]
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert record.__dict__["fault"].startswith("LookupError at test_stream_faults.py:")
    assert "swordfish" not in str(vars(record))


async def test_a_socket_that_fails_in_its_own_way_costs_a_session() -> None:
    class BrokenError(Exception):
        pass

    def break_it(socket: ScriptedSocket) -> None:
        socket.say(BEGIN)
        if len(stream.service.sockets) == 0:

            async def receive() -> str:
                await asyncio.sleep(1.0)
                raise BrokenError

            socket.receive = receive  # type: ignore[method-assign]

    stream = Stream(break_it)
    async with stream.running():
        await stream.hear(SILENCE, 100)
    assert [str(event.error) for event in stream.of(Interrupted)] == [
        "The session failed here, not at the service."
    ]
    assert len(stream.service.sockets) == 2


class Expiring:
    """A service whose sessions last `cap_seconds`, and a machine whose clock is `skew` ahead."""

    def __init__(self, cap_seconds: int, *, dated: bool, skew: float) -> None:
        self.cap_seconds, self.dated, self.skew = cap_seconds, dated, skew
        self.stream = Stream(self.open, wall=self.wall, chunk_ms=1000)

    async def listen(self, seconds: float) -> None:
        """A second of audio every second: hours have to pass quickly."""
        for _ in range(round(seconds)):
            self.stream.transcriber.push(SILENCE * 20)
            await asyncio.sleep(1.0)

    def now(self) -> float:
        return 1_790_000_000 + asyncio.get_running_loop().time()

    def wall(self) -> float:
        return self.now() + self.skew

    def open(self, socket: ScriptedSocket) -> None:
        loop = asyncio.get_running_loop()
        socket.ahead_seconds = int(self.now()) - loop.time() if self.dated else None
        socket.say(BEGIN | {"expires_at": int(self.now() + self.cap_seconds)})
        expired = {"type": "Error", "error_code": 3008, "error": "Session Expired: Maximum"}
        loop.call_later(self.cap_seconds, socket.say, expired)


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize(
    ("cap_seconds", "skew"),
    [
        *((60, skew) for skew in (0, 120, 4 * 3600, -120, -4 * 3600)),
        (10_800, 0),
        (10_800, 4 * 3600),
    ],
)
async def test_a_clock_that_is_wrong_costs_no_session(
    cap_seconds: int, dated: bool, skew: float, caplog: pytest.LogCaptureFixture
) -> None:
    service = Expiring(cap_seconds, dated=dated, skew=skew)
    async with service.stream.running():
        await service.listen(cap_seconds * 1.2)
    assert len(service.stream.service.sockets) == 2
    doubts = [record for record in caplog.records if "cannot be right" in record.message]
    is_believed = dated or (cap_seconds == 10_800 and skew == 0)
    assert len(doubts) == (0 if is_believed else 1)
    assert len(service.stream.of(Interrupted)) == (0 if is_believed else 1)


async def test_an_expiry_that_is_past_at_begin_is_not_believed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def open_expired(socket: ScriptedSocket) -> None:
        socket.ahead_seconds = 0.0
        socket.say(BEGIN | {"expires_at": 10})

    stream = Stream(open_expired)
    async with stream.running():
        await stream.hear(SILENCE, 2400)
    assert len(stream.service.sockets) == 1
    assert len([record for record in caplog.records if "cannot be right" in record.message]) == 1


@settings(max_examples=20)
@given(
    cap_seconds=st.sampled_from([60, 61, 90, 600]),
    dated=st.booleans(),
    skew=st.floats(-20_000, 20_000),
    steps=st.lists(st.floats(-20_000, 20_000), max_size=4),
)
def test_the_sessions_of_a_stream_are_bounded_whatever_the_clocks_do(
    cap_seconds: int, dated: bool, skew: float, steps: list[float]
) -> None:
    async def play() -> int:
        service = Expiring(cap_seconds, dated=dated, skew=skew)
        async with service.stream.running():
            for step in [*steps, 0.0]:
                await service.listen(cap_seconds)
                service.skew += step
        return len(service.stream.service.sockets)

    assert run_virtually(play()) <= (len(steps) + 1) * 1.5 + 2
