"""The LiveKit adapter against the stand-in, through a real socket."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import NOT_GIVEN, APIError, stt
from livekit.agents.llm import ChatMessage
from livekit.agents.metrics import STTMetrics
from livekit.agents.voice.events import ConversationItemAddedEvent
from pydantic import SecretStr

from stt_assemblyai.budget import MachineBudget, file_for
from stt_assemblyai.errors import AuthenticationError, ConfigurationError
from stt_assemblyai.events import LateFormat
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.stt import STT, SpeechStream
from workbench.standins.assemblyai_v3.heard import Engines
from workbench.standins.assemblyai_v3.knobs import Fault, Knobs
from workbench.standins.assemblyai_v3.scripted import ScriptedWord
from workbench.standins.assemblyai_v3.server import LOCAL_KEY, AssemblyAIStandIn
from workbench.standins.assemblyai_v3.sound import Samples

Type = stt.SpeechEventType
RATE = 16000
FAST = Knobs(
    begin_delay_ms=0,
    reject_delay_ms=0,
    throttle=None,
    format_twin_delay_ms=10,
    termination_delay_ms=5,
)
US_MODEL, U3_MODEL = "universal-streaming-english", "universal-3-6-pro"


def script(text: str) -> list[ScriptedWord]:
    """One turn: words of 250 ms, 50 ms apart, that is over after the last one."""
    words = text.split()
    return [
        ScriptedWord(word, 200 + 300 * i, 450 + 300 * i, 0.9 if i == len(words) - 1 else 0.1)
        for i, word in enumerate(words)
    ]


def silence(milliseconds: int, *, rate: int = RATE, channels: int = 1) -> rtc.AudioFrame:
    samples = rate * milliseconds // 1000
    return rtc.AudioFrame(bytes(2 * samples * channels), rate, channels, samples)


def speak(stream: SpeechStream, milliseconds: int = 6000) -> None:
    for _ in range(milliseconds // 100):
        stream.push_frame(silence(100))


def make(stand_in: AssemblyAIStandIn, **parameters: Any) -> STT:
    parameters.setdefault("replay_speed", 1000)  # the stand-in takes audio at once
    return STT(api_key=LOCAL_KEY, base_url=stand_in.url, **parameters)


async def collect(stream: SpeechStream) -> list[stt.SpeechEvent]:
    return [event async for event in stream]


def texts(events: list[stt.SpeechEvent], kind: stt.SpeechEventType) -> list[str]:
    return [event.alternatives[0].text for event in events if event.type is kind]


def order(events: list[stt.SpeechEvent]) -> list[str]:
    """The kinds of events, repetitions taken together."""
    names = [event.type.value for event in events]
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


@pytest.fixture
async def stand_in() -> AsyncIterator[AssemblyAIStandIn]:
    async with AssemblyAIStandIn(scripts=[script("I would like tea")], knobs=FAST) as running:
        yield running


@pytest.mark.parametrize("model", [US_MODEL, U3_MODEL])
async def test_a_turn_comes_in_the_order_a_session_works_with(
    stand_in: AssemblyAIStandIn, model: str
) -> None:
    async with make(stand_in, model=model).stream() as stream:
        speak(stream)
        stream.end_input()
        events = await collect(stream)
    assert texts(events, Type.FINAL_TRANSCRIPT) == ["I would like tea"]
    names = order(events)
    assert names[0] == "start_of_speech"
    end = names.index("end_of_speech")
    assert names[end - 1 : end + 2] == ["final_transcript", "end_of_speech", "recognition_usage"]
    assert {"interim_transcript", "preflight_transcript"} & set(names[:end])
    assert names.count("start_of_speech") == names.count("end_of_speech") == 1


async def test_the_session_is_terminated_and_closed(stand_in: AssemblyAIStandIn) -> None:
    async with make(stand_in).stream() as stream:
        speak(stream, 1000)
        stream.end_input()
        await collect(stream)
        session = stand_in.sessions[0]
        assert stream.session_id == session.session_id
        assert stream.expires_at is not None
    assert session.was_terminated
    assert session.close_code == 1000


async def test_no_frame_is_shorter_than_the_service_takes() -> None:
    async with AssemblyAIStandIn(knobs=FAST) as stand_in:
        async with make(stand_in, sample_rate=22050).stream() as stream:
            for _ in range(73):
                stream.push_frame(silence(10, rate=22050))
            stream.end_input()
            await collect(stream)
        *chunks, _tail = sorted(stand_in.sessions[0].frame_durations_ms, reverse=True)
        assert all(50 <= duration < 51 for duration in chunks)


async def test_word_times_lie_on_the_streams_audio_clock(stand_in: AssemblyAIStandIn) -> None:
    async with make(stand_in).stream() as stream:
        stream.start_time_offset = 100.0
        speak(stream)
        stream.end_input()
        events = await collect(stream)
    final = next(e for e in events if e.type is Type.FINAL_TRANSCRIPT).alternatives[0]
    assert (final.start_time, final.end_time) == pytest.approx((100.2, 101.35), abs=0.01)
    words = final.words or []
    assert [str(word) for word in words] == ["I", "would", "like", "tea"]
    assert words[0].start_time == pytest.approx(100.2, abs=0.01)


async def test_closing_in_mid_turn_gives_the_final_and_says_goodbye(
    stand_in: AssemblyAIStandIn,
) -> None:
    stream = make(stand_in).stream()
    collecting = asyncio.create_task(collect(stream))
    speak(stream, 800)
    session = await stand_in.wait_for_session(0)
    await stream.aclose()
    assert texts(await collecting, Type.FINAL_TRANSCRIPT) == ["I would"]
    assert session.was_terminated


async def test_a_wrong_key_costs_one_connection_and_says_so() -> None:
    async with AssemblyAIStandIn(knobs=FAST) as stand_in:
        wrong = STT(api_key="wr0ng", base_url=stand_in.url)
        for _ in range(3):
            async with wrong.stream() as stream:
                with pytest.raises(APIError, match="Invalid API key") as caught:
                    await collect(stream)
            assert not caught.value.retryable
            assert isinstance(caught.value.__cause__, AuthenticationError)
            assert "wr0ng" not in str(caught.value)
        assert len(stand_in.sessions) == 1


async def test_the_error_event_comes_once_for_a_stream() -> None:
    errors: list[Any] = []
    async with AssemblyAIStandIn(knobs=FAST, faults=[Fault(http_status=403)]) as stand_in:
        refused = make(stand_in)
        refused.on("error", errors.append)
        async with refused.stream() as stream:
            with pytest.raises(APIError):
                await collect(stream)
    assert [error.recoverable for error in errors] == [False]


async def test_a_flush_without_an_open_turn_gets_an_empty_final(
    stand_in: AssemblyAIStandIn,
) -> None:
    """`commit_user_turn` waits for a final behind each flush."""
    async with make(stand_in).stream() as stream:
        stream.flush()
        async for event in stream:
            if event.type is Type.FINAL_TRANSCRIPT:
                break
        assert texts([event], Type.FINAL_TRANSCRIPT) == [""]


@pytest.mark.parametrize("through", ["flush", "force_endpoint", "the recogniser's"])
async def test_a_manual_flush_forces_the_endpoint(
    stand_in: AssemblyAIStandIn, through: str
) -> None:
    speech = make(stand_in)
    async with speech.stream() as stream:
        speak(stream, 900)
        getattr(stream, through, speech.force_endpoint)()
        async for event in stream:
            if event.type is Type.FINAL_TRANSCRIPT:
                break
        assert event.alternatives[0].text.startswith("I would")
    assert {"type": "ForceEndpoint"} in stand_in.sessions[0].received


async def test_options_change_in_the_open_session(stand_in: AssemblyAIStandIn) -> None:
    speech = make(stand_in)
    opened = asyncio.Event()
    speech.on("session_opened", lambda _: opened.set())
    async with speech.stream() as stream:
        await opened.wait()
        speech.update_options(min_turn_silence=1000, keyterms_prompt=["Aldi"])
        stream.end_input()
        await collect(stream)
    assert {
        "type": "UpdateConfiguration",
        "min_turn_silence": 1000,
        "keyterms_prompt": ["Aldi"],
    } in stand_in.sessions[0].received
    assert speech.options.min_turn_silence == 1000


async def test_a_change_that_needs_a_new_session_changes_nothing(
    stand_in: AssemblyAIStandIn,
) -> None:
    speech = make(stand_in)
    with pytest.raises(ConfigurationError, match="sample_rate"):
        speech.update_options(sample_rate=8000, min_turn_silence=500)
    assert speech.options.min_turn_silence is None


async def test_what_a_stream_was_given_alone_stays_its_own(stand_in: AssemblyAIStandIn) -> None:
    speech = make(stand_in)
    async with speech.stream() as stream, speech.stream() as other:
        stream.update_options(min_turn_silence=800)
        speech.update_options(vad_threshold=0.6)
        asked = [
            (each.transcriber.options.min_turn_silence, each.transcriber.options.vad_threshold)
            for each in (stream, other)
        ]
        stream.end_input()
        other.end_input()
        await asyncio.gather(collect(stream), collect(other))
    assert asked == [(800, 0.6), (None, 0.6)]


async def test_a_change_that_one_stream_cannot_make_is_made_by_none(
    stand_in: AssemblyAIStandIn,
) -> None:
    speech = make(stand_in)
    streams = [speech.stream() for _ in range(3)]
    streams[1].update_options(extra_parameters={"strict": True})
    with pytest.raises(ConfigurationError, match="strict cannot change"):
        speech.update_options(vad_threshold=0.6, extra_parameters={"strict": None})
    assert speech.options.vad_threshold is None
    assert [stream.transcriber.options.vad_threshold for stream in streams] == [None] * 3
    for stream in streams:
        await stream.aclose()


async def test_options_that_were_refused_may_be_mended() -> None:
    refused = Fault(reject=(3006, "Invalid 'vad_threshold': no"))
    async with AssemblyAIStandIn(knobs=FAST, faults=[refused]) as stand_in:
        speech = make(stand_in)
        async with speech.stream() as stream:
            with pytest.raises(APIError, match="vad_threshold"):
                await collect(stream)
        speech.update_options(vad_threshold=0.5)
        async with speech.stream() as stream:
            stream.end_input()
            await collect(stream)
        assert len(stand_in.sessions) == 2


async def test_a_parameter_of_tomorrow_reaches_the_service_with_a_warning(
    stand_in: AssemblyAIStandIn,
) -> None:
    with pytest.warns(UserWarning, match="parameter diarizer is not known here; it is passed on"):
        speech = make(stand_in, diarizer="v2", extra_parameters="strict=true")
    opened = asyncio.Event()
    speech.on("session_opened", lambda _: opened.set())
    async with speech.stream() as stream:
        await opened.wait()
        with pytest.warns(UserWarning, match=r"did you mean min_turn_silence\?"):
            speech.update_options(min_turn_silense=300)
        stream.end_input()
        await collect(stream)
    session = stand_in.sessions[0]
    assert {("diarizer", "v2"), ("strict", "true")} <= set(session.query)
    assert {"type": "UpdateConfiguration", "min_turn_silense": 300} in session.received


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Fault(http_status=503), Fault(never_begin=True)])
async def test_a_fallback_takes_over_within_seconds(fault: Fault) -> None:
    async with (
        AssemblyAIStandIn(knobs=FAST, faults=[fault] * 99) as down,
        AssemblyAIStandIn(scripts=[script("I would like tea")] * 9, knobs=FAST) as up,
    ):
        adapter = stt.FallbackAdapter([make(down), make(up)])
        async with asyncio.timeout(20), adapter.stream() as stream:
            while not up.sessions:
                stream.push_frame(silence(100))
                await asyncio.sleep(0.1)
            stream.push_frame(silence(3000))
            stream.end_input()
            events = [event async for event in stream]
        await adapter.aclose()
    # LiveKit flushes at the end: silence has no voice to wait for, so that gets an empty one.
    assert "".join(texts(events, Type.FINAL_TRANSCRIPT)) == "I would like tea"


async def test_a_late_formatted_text_is_no_final_but_an_event_of_its_own() -> None:
    late: list[LateFormat] = []
    knobs = Knobs(begin_delay_ms=0, throttle=None, format_twin_delay_ms=100)
    async with AssemblyAIStandIn(scripts=[script("I would like tea")], knobs=knobs) as stand_in:
        speech = make(stand_in, wait_for_formatted_ms=0)
        arrived = asyncio.Event()
        speech.on("late_format", lambda event: (late.append(event), arrived.set()))
        async with speech.stream() as stream:
            speak(stream)
            await arrived.wait()
            stream.end_input()
            events = await collect(stream)
    assert len(texts(events, Type.FINAL_TRANSCRIPT)) == 1
    assert [(event.transcript.text, event.replaces) for event in late] == [
        ("I would like tea", "i would like tea")
    ]


async def test_stereo_is_mixed_down(stand_in: AssemblyAIStandIn) -> None:
    async with make(stand_in).stream() as stream:
        stream.push_frame(silence(1000, channels=2))
        stream.end_input()
        await collect(stream)
    assert stand_in.sessions[0].audio_ms == pytest.approx(1000)


async def test_audio_at_another_rate_is_resampled(stand_in: AssemblyAIStandIn) -> None:
    async with make(stand_in).stream() as stream:
        for _ in range(20):
            stream.push_frame(silence(50, rate=48000))
        stream.end_input()
        await collect(stream)
    assert stand_in.sessions[0].audio_ms == pytest.approx(1000, abs=20)


async def test_mu_law_arrives_as_the_samples_that_were_pushed() -> None:
    """Within the width of mu-law's steps, which grow with loudness; seen by who decodes it."""
    heard: list[Samples] = []

    def listen(samples: Samples) -> float:
        heard.append(samples)
        return 0.0

    pushed = (np.sin(np.arange(RATE) / 5) * np.linspace(0, 32_000, RATE)).astype("<i2")
    engines = Engines(lambda _: "", listen)
    async with AssemblyAIStandIn(engines=lambda: engines, knobs=FAST) as stand_in:
        stream = make(stand_in, encoding="pcm_mulaw", sample_rate=RATE).stream()
        async with stream:
            stream.push_frame(rtc.AudioFrame(pushed.tobytes(), RATE, 1, RATE))
            stream.end_input()
            await collect(stream)
    arrived = np.concatenate(heard) * 32768
    assert arrived.size >= RATE - 512  # it listens to whole frames of 512
    wrong = np.abs(arrived - pushed[: arrived.size])
    assert (wrong <= np.abs(pushed[: arrived.size].astype(int)) / 32 + 5).all()


async def test_a_stream_made_anew_after_an_outage_wore_patience_out_tries_once() -> None:
    """As AgentSession makes it: the outage may be over, but must not be sat out once more."""
    outage = (Fault(http_status=503),) * 99
    async with AssemblyAIStandIn(faults=outage, knobs=FAST) as stand_in:
        speech = make(stand_in, patience_seconds=2.5)
        with pytest.raises(APIError):
            await collect(speech.stream())
        attempts = len(stand_in.sessions)
        assert attempts > 1
        with pytest.raises(APIError):
            await collect(speech.stream())
        assert len(stand_in.sessions) == attempts + 1


async def test_metrics_tell_how_long_each_session_took_to_open() -> None:
    """The wait for the budget of new sessions is part of it."""
    slow = (Fault(begin_delay_ms=300),)
    async with AssemblyAIStandIn(faults=slow, knobs=FAST) as stand_in:
        speech = make(stand_in)
        told: list[STTMetrics] = []
        speech.on("metrics_collected", told.append)
        async with speech.stream() as stream:
            stream.end_input()
            await collect(stream)
    (opening,) = [metrics for metrics in told if metrics.acquire_time]
    assert opening.acquire_time >= 0.3
    assert opening.audio_duration == 0


async def test_the_wait_for_the_budget_of_new_sessions_stands_in_metrics_and_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="stt_assemblyai")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with monkeypatch.context() as earlier:
        now = time.time()
        earlier.setattr("time.time", lambda: now - 58)  # its place is back in 3 s
        MachineBudget(1, file_for(LOCAL_KEY)).take_now()
    async with AssemblyAIStandIn(knobs=FAST) as stand_in:
        speech = make(stand_in, new_sessions_per_minute=1)
        told: list[STTMetrics] = []
        speech.on("metrics_collected", told.append)
        async with speech.stream() as stream:
            stream.end_input()
            await collect(stream)
    (waited,) = [vars(r)["wait_seconds"] for r in caplog.records if "waiting for" in r.message]
    (opening,) = [vars(r)["opening_seconds"] for r in caplog.records if "opened" in r.message]
    assert waited > 0
    assert opening >= waited - 0.1  # what is logged is rounded
    assert max(metrics.acquire_time for metrics in told) >= waited - 0.1


@pytest.mark.parametrize("kind", [ConfigurationError, ValueError])
def test_a_missing_key_is_said_before_any_connection(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSEMBLYAI_API_KEY", raising=False)
    with pytest.raises(kind, match="Pass AssemblyAI's key"):
        STT()


async def test_the_key_may_stand_in_the_environment(
    stand_in: AssemblyAIStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSEMBLYAI_API_KEY", LOCAL_KEY)
    async with STT(base_url=stand_in.url).stream() as stream:
        stream.end_input()
        await collect(stream)
    assert stand_in.sessions[0].was_terminated


def test_all_faults_of_options_are_said_before_any_connection() -> None:
    with pytest.raises(ValueError, match=r"(?s)sample_rate.*prompt"):
        STT(api_key="k", sample_rate=1, prompt="trains")


def test_an_encoding_that_cannot_be_made_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="encoding: Input should be 'pcm_s16le' or 'pcm_mulaw'"):
        STT(api_key="k", encoding="opus")


def test_keywords_win_over_options() -> None:
    speech = STT(api_key="k", options=SessionOptions(min_turn_silence=200), min_turn_silence=300)
    assert speech.options.min_turn_silence == 300


def test_it_says_what_it_is() -> None:
    speech = STT(api_key=SecretStr("k3y"), model=U3_MODEL)
    assert (speech.model, speech.provider) == (U3_MODEL, "AssemblyAI")
    assert speech.label == "stt_assemblyai.stt.STT"
    assert speech.capabilities.streaming
    assert speech.capabilities.interim_results
    assert speech.capabilities.aligned_transcript == "word"
    assert "k3y" not in repr(vars(speech))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(http_status=503),
        Fault(reject=(3005, "Session Cancelled: An error occurred")),
        Fault(never_begin=True),
        Fault(drop_at_ms=400),
        Fault(half_open_at_ms=400),
        Fault(error_at_ms=400),
    ],
    ids=lambda fault: next(iter(fault.model_fields_set)),
)
async def test_a_session_that_fails_is_mended_inside_the_stream(fault: Fault) -> None:
    words = script("I would like tea")
    async with AssemblyAIStandIn(scripts=[words] * 2, faults=[fault], knobs=FAST) as stand_in:
        speech = make(stand_in, begin_timeout_seconds=0.2, dead_after_seconds=0.2)
        errors: list[Any] = []
        interruptions: list[Any] = []
        speech.on("error", errors.append)
        speech.on("interrupted", interruptions.append)
        async with speech.stream() as stream:
            speak(stream)
            async for event in stream:
                if event.type is Type.END_OF_SPEECH:
                    stream.end_input()
                    break
            await collect(stream)
        assert len(stand_in.sessions) == 2
    assert len(interruptions) == 1
    assert errors == []


async def test_the_rate_of_a_track_may_change_in_mid_stream(stand_in: AssemblyAIStandIn) -> None:
    async with make(stand_in).stream() as stream:
        for rate in (48000, 16000, 8000, 48000):
            for _ in range(20):
                stream.push_frame(silence(50, rate=rate))
        stream.end_input()
        await collect(stream)
    assert stand_in.sessions[0].audio_ms == pytest.approx(4000, abs=80)


async def test_a_slow_consumer_misses_nothing_and_holds_nothing_up() -> None:
    turns = [script("I would like tea"), *[script("and cake")] * 3]
    words = [
        ScriptedWord(w.text, w.start_ms + 4000 * n, w.end_ms + 4000 * n, w.end_of_turn_confidence)
        for n, turn in enumerate(turns)
        for w in turn
    ]
    async with (
        AssemblyAIStandIn(scripts=[words], knobs=FAST) as stand_in,
        make(stand_in).stream() as stream,
    ):
        speak(stream, 18_000)
        stream.end_input()
        session = await stand_in.wait_for_session(0)
        await session.until(lambda record: record.is_closed)  # before anything was read
        events = await collect(stream)
    finals = [text.lower() for text in texts(events, Type.FINAL_TRANSCRIPT)]
    assert finals == ["i would like tea", *["and cake"] * 3]


async def test_usage_is_the_time_that_is_billed(stand_in: AssemblyAIStandIn) -> None:
    bills: list[Any] = []
    speech = make(stand_in)
    speech.on("billed", bills.append)
    async with speech.stream() as stream:
        speak(stream, 1000)
        stream.end_input()
        events = await collect(stream)
    usage = [e.recognition_usage.audio_duration for e in events if e.recognition_usage]
    assert [bill.estimated for bill in bills] == [False]
    assert sum(usage) >= bills[0].billed_seconds


def test_key_terms_of_the_session_join_the_users_within_the_services_limits() -> None:
    speech = STT(api_key="k", keyterms_prompt=["Aldi"])
    speech._update_session_keyterms(["Aldi", "x" * 51, *(f"term {n}" for n in range(120))])
    terms = speech.options.keyterms_prompt or ()
    assert terms[:3] == ("Aldi", "term 0", "term 1")
    assert len(terms) == 100
    speech.update_options(keyterms_prompt=["Lidl"])
    assert (speech.options.keyterms_prompt or ())[:2] == ("Lidl", "Aldi")
    speech._update_session_keyterms([])
    assert speech.options.keyterms_prompt == ("Lidl",)


@pytest.mark.parametrize(
    ("model", "carryover", "carries"),
    [
        (U3_MODEL, NOT_GIVEN, True),
        (U3_MODEL, True, True),
        (U3_MODEL, False, False),
        (US_MODEL, NOT_GIVEN, False),
        (US_MODEL, True, False),
    ],
)
def test_the_agents_words_are_passed_on_where_the_model_takes_them_unless_switched_off(
    model: str, carryover: Any, carries: bool, caplog: pytest.LogCaptureFixture
) -> None:
    speech = STT(api_key="k", model=model, agent_context_carryover=carryover)
    said = ChatMessage(role="assistant", content=["y" + "x" * 2000])
    speech._push_conversation_item(ConversationItemAddedEvent(item=said))
    assert speech.capabilities.chat_context is carries  # LiveKit's own switch goes by this
    assert speech.options.agent_context == ("x" * 1750 if carries else None)
    assert ("has no effect" in caplog.text) is (carryover is True and not carries)


def test_a_message_without_text_leaves_the_context_as_it_is() -> None:
    speech = STT(api_key="k", model=U3_MODEL, agent_context="Where to?")
    for content in ([], [""]):
        said = ChatMessage(role="assistant", content=content)
        speech._push_conversation_item(ConversationItemAddedEvent(item=said))
    assert speech.options.agent_context == "Where to?"


def test_a_new_length_of_chunks_holds_for_new_streams() -> None:
    speech = STT(api_key="k")
    speech.update_options(buffer_size_seconds=0.1)
    with pytest.raises(ValueError, match="does not take this"):
        speech.update_options(buffer_size_seconds=0.2, prompt="trains")
    assert speech._timing.chunk_ms == 100
