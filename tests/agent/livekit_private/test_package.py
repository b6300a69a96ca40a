"""What of LiveKit's private parts the agent stands on, and which feature each of them carries."""

import asyncio
import contextvars
import gc
import importlib
import inspect
import logging
import re
import ssl
import sys
import time
from functools import partial
from types import SimpleNamespace
from typing import Any, cast, get_args

import livekit.rtc.room
import pytest
from livekit import rtc
from livekit.agents import Agent, AgentServer, AgentSession, CloseReason, llm, tts, vad
from livekit.agents.cli import _legacy
from livekit.agents.ipc.proc_pool import EventTypes, ProcPool
from livekit.agents.tts import tts as tts_module
from livekit.agents.utils import aio, http_context
from livekit.agents.voice import audio_recognition
from livekit.agents.voice.agent_activity import AgentActivity
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities, TextOutput
from livekit.agents.voice.room_io import _output
from livekit.agents.voice.room_io.room_io import RoomIO
from livekit.agents.voice.transcription import synchronizer
from livekit.plugins import silero

from agent.livekit_private import (
    CONNECTING_LINE,
    HARMLESS_LINES,
    INSTRUCTIONS_ID,
    REGISTERED_LINE,
    Console,
    Segment,
    WatchedServer,
    away_in,
    certificates,
    chunks,
    close_for_job,
    detections,
    fall_away_in,
    is_busy,
    keep_tool_schemas,
    limit_inside,
    mark_started,
    measure_no_speaking_rate,
    publish_no_words,
    published_segment,
    pushed_audio,
    pushed_text,
    require_input,
    shorten,
    speech_of_task,
)
from agent.testing import ScriptedLLM

SCREENS = _output._ParticipantStreamTranscriptionOutput

PARTS: list[tuple[Any, str, str]] = [
    (
        AgentServer.run,
        "_proc_pool",
        "starts of job processes that fail would be tried ten times a second, and a worker whose"
        " call has ended would count as full for 2.5 s more",
    ),
    (AgentServer.run, "_http_server", "the health page would say OK while no process can start"),
    (
        AgentServer.run,
        "_prometheus_server",
        "with AGENT_METRICS_PORT, `dev` could start no new worker while calls end with the former",
    ),
    (AgentServer, "_connecting", "/readyz would say ready while LiveKit's server is away"),
    (
        AgentServer,
        "_refresh_worker_load",
        "a worker could not say at once that a call has ended: the next caller would wait 2.5 s",
    ),
    (
        AgentServer,
        "_update_worker_status",
        "a worker could not say at once that a call has ended: the next caller would wait 2.5 s",
    ),
    (
        importlib.import_module("livekit.agents.cli"),
        "_legacy",
        "`python agent.py console` would end in a traceback",
    ),
    (_legacy, "_run_console", "`python agent.py console` would end in a traceback"),
    (
        _legacy.AgentsConsole,
        "_log_handler",
        "`python agent.py console` could show secrets in its log",
    ),
    (
        _legacy,
        "_text_mode",
        "`python agent.py console --text` could not read from a pipe",
    ),
    (
        _legacy.AgentsConsole,
        "_validate_device_or_raise",
        "`python agent.py console --text` would end without PortAudio",
    ),
    (
        http_context,
        "_create_ssl_context",
        "each call would parse the machine's certificates again, for 85 ms, and only calls that"
        " fail would tell of certificates that cannot be read",
    ),
    (
        http_context,
        "_set_default_cert_env",
        "on a machine without certificates job processes could not join a room",
    ),
    (
        importlib.import_module("anyio"),
        "_backends",
        "nothing would be preloaded: each job's first call would load its modules for seconds",
    ),
    (
        importlib.import_module("anyio._backends"),
        "_asyncio",
        "nothing would be preloaded: each job's first call would load its modules for seconds",
    ),
    (
        importlib.import_module("livekit.agents.voice.agent_activity"),
        "_SpeechHandleContextVar",
        "the record would not know which turn a request, a tool or a sentence belongs to",
    ),
    (
        RoomIO,
        "_user_tr_output",
        "screens would not get late formatting, and in a room where everybody is heard they would"
        " show all words as one participant's",
    ),
    (
        _output._ParticipantTranscriptionOutput,
        "_ParticipantTranscriptionOutput__outputs",
        "screens would not get late formatting",
    ),
    (SCREENS, "_latest_text", "screens would not get late formatting"),
    (SCREENS, "_current_id", "screens would not get late formatting"),
    (SCREENS, "_track_id", "screens would not get late formatting"),
    (SCREENS, "_participant_identity", "screens would not get late formatting"),
    (llm.LLMStream, "_event_ch", "the language model's answers would reach nobody"),
    (vad.VADStream, "_event_ch", "no voice would be detected"),
    (vad.VADStream, "_input_ch", "no voice would be detected"),
    (
        importlib.import_module("livekit.plugins.silero.vad"),
        "_VADOptions",
        "no voice would be detected",
    ),
    (silero.VAD, "_opts", "no voice would be detected"),
    (silero.VAD, "_onnx_session", "no voice would be detected"),
    (
        importlib.import_module("livekit.plugins.silero.onnx_model"),
        "OnnxModel",
        "no voice would be detected",
    ),
    (tts.SynthesizeStream, "_input_ch", "the agent would have no voice"),
    (tts.SynthesizeStream, "_mark_started", "the agent would have no voice"),
    (llm.LLMStream, "_llm_request_span_name", "traces would show each request twice"),
    (llm.LLMStream, "_llm_attempt_span_name", "traces would show each attempt twice"),
    (llm.LLMStream, "_genai_operation_name", "traces would count each request's tokens twice"),
    (tts.ChunkedStream, "_tts_request_span_name", "traces would show each sentence twice"),
    (tts.ChunkedStream, "_tts_attempt_span_name", "traces would show each sentence twice"),
    (
        AgentSession,
        "_activity",
        "calls would never be handed over",
    ),
    (
        AgentSession,
        "_next_activity",
        "calls would never be handed over",
    ),
    (
        AgentActivity,
        "_audio_recognition",
        "calls would never be handed over",
    ),
    (
        AgentActivity,
        "_user_turn_completed_atask",
        "calls would never be handed over",
    ),
    (
        AgentActivity,
        "_current_speech",
        "calls would never be handed over",
    ),
    (
        AgentActivity,
        "_speech_q",
        "calls would never be handed over",
    ),
    (
        AgentActivity,
        "_background_speeches",
        "calls would never be handed over",
    ),
    (
        AgentActivity,
        "_preemptive_generation",
        "calls would never be handed over",
    ),
    (
        AgentActivity,
        "_paused_speech",
        "calls would never be handed over",
    ),
    (
        audio_recognition.AudioRecognition,
        "_end_of_turn_task",
        "calls would never be handed over",
    ),
    (
        audio_recognition.AudioRecognition,
        "_current_transcript",
        "calls would never be handed over",
    ),
    (
        importlib.import_module("livekit.agents.voice.tool_executor"),
        "_RunningTasks",
        "calls would never be handed over",
    ),
    (
        AgentSession,
        "_user_away_timer",
        "a call that is handed over would count its caller's silence again",
    ),
    (
        AgentSession,
        "_cancel_user_away_timer",
        "a call that is handed over would count its caller's silence again",
    ),
    (
        AgentSession,
        "_update_user_state",
        "a call that is handed over would count its caller's silence again",
    ),
]


@pytest.fixture(autouse=True, scope="module")
def no_garbage() -> None:
    """Other tests leave tasks behind. Python 3.11 fails to parse if one is found dead meanwhile."""
    gc.collect()


def lacks(owner: Any, name: str) -> bool:
    """Whether neither the object nor, for what `self` is given, its source has the name."""
    if hasattr(owner, name):
        return False
    written = re.sub("^_[A-Za-z]+__", "__", name)  # as it stands inside its class
    return inspect.ismodule(owner) or not re.search(
        rf"\bself\.{written}\b", inspect.getsource(owner)
    )


@pytest.mark.parametrize(
    ("owner", "name", "feature"), PARTS, ids=[f"{o.__name__}.{name}" for o, name, _ in PARTS]
)
def test_livekit_has_the_part(owner: Any, name: str, feature: str) -> None:
    assert not lacks(owner, name), f"{owner.__name__} has no {name} any more: {feature}."


def test_livekit_has_what_its_fork_server_loads() -> None:
    assert importlib.util.find_spec("livekit.agents.ipc._preload"), (
        "each job process would load LiveKit's native library for itself"
    )


@pytest.mark.parametrize(("owner", "name", "_"), PARTS)
def test_a_part_that_is_renamed_is_noticed(owner: Any, name: str, _: str) -> None:
    assert lacks(owner, f"{name}_of_yesterday")


LINES = [
    (REGISTERED_LINE, importlib.import_module("livekit.agents.worker"), "every outage but the first"
     " of a worker would be without a line"),
    (CONNECTING_LINE, importlib.import_module("livekit.agents.worker"), "an outage of LiveKit would"
     " fill the log with a line for each attempt"),
    (HARMLESS_LINES[0], audio_recognition, "an STT that fails would fill the log with stacks"),
    (HARMLESS_LINES[1], audio_recognition, "each turn would log a warning"),
    (HARMLESS_LINES[2], tts_module, "each sentence of other providers' voices would log a warning"),
    (HARMLESS_LINES[3], livekit.rtc.room, "anybody in a room could fill the log"),
    (HARMLESS_LINES[4], livekit.rtc.room, "anybody in a room could fill the log"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "module", "feature"), LINES, ids=[line for line, _, _ in LINES])
def test_livekit_says_the_line(line: str, module: Any, feature: str) -> None:
    said = re.search(rf'"{re.escape(line)}', inspect.getsource(module))
    assert said, f"LiveKit does not say {line!r} any more: {feature}."


def test_the_pool_tells_of_its_processes() -> None:
    told = {"process_created", "process_ready", "process_job_launched", "process_closed"}
    assert told <= set(get_args(EventTypes))
    source = inspect.getsource(ProcPool)
    silent = [event for event in told if f'self.emit("{event}", proc)' not in source]
    assert not silent, "starts of job processes that fail would not be noticed"


def test_what_the_server_makes_is_handed_over() -> None:
    class Kept(WatchedServer):
        def __init__(self) -> None:
            self.made: list[object] = []

        def on_pool(self, pool: object) -> None:
            self.made.append(pool)

        def on_page(self, page: object) -> None:
            self.made.append(page)

    server, pool, page = Kept(), cast("ProcPool", object()), cast("Any", object())
    server._http_server = None
    server._proc_pool, server._http_server = pool, page
    assert server.made == [server.pool, server.page] == [server._proc_pool, server._http_server]
    assert server.made == [pool, page]
    server._prometheus_server = page
    assert server.metrics_page is server._prometheus_server is page


def test_certificates_are_pythons_own_where_livekit_makes_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert certificates() is http_context._create_ssl_context()
    monkeypatch.delattr(http_context, "_create_ssl_context")
    assert isinstance(certificates(), ssl.SSLContext)


def test_the_console_hides_a_tag_and_filters_its_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_legacy, "readkey", lambda: "k")
    console = Console()
    shown = _legacy.AgentsConsole.get_instance()
    monkeypatch.setattr(shown, "print", lambda *words, tag="", **_: print(tag, *words))  # noqa: T201
    console.hide("Deprecated")
    shown.print("old", tag="Deprecated")
    shown.print("new", tag="Agent")
    assert capsys.readouterr().out == "Agent new\n"
    unwanted = logging.Filter("nobody")
    console.keep_out(unwanted)
    assert unwanted in shown._log_handler.filters
    shown._log_handler.removeFilter(unwanted)
    console.read_keys(lambda read: read() * 2)
    assert _legacy.readkey() == "kk"


async def test_the_console_answers_lines_from_a_pipe_and_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Session:
        async def run(self, *, user_input: str) -> object:
            items = [message("user", user_input), message("assistant", f"{user_input} to you")]
            return SimpleNamespace(events=[*items, SimpleNamespace(type="function_call")])

    def message(role: str, text: str) -> object:
        return SimpleNamespace(type="message", item=SimpleNamespace(role=role, text_content=text))

    shown = _legacy.AgentsConsole.get_instance()
    monkeypatch.setattr(_legacy, "_text_mode", _legacy._text_mode)
    monkeypatch.setattr(shown.console, "file", shown.console.file)
    for name, value in (
        ("_io_acquired", True),
        ("_io_session", Session()),
        ("_io_loop", asyncio.get_running_loop()),
        ("_io_context", contextvars.copy_context()),
    ):
        monkeypatch.setattr(shown, name, value, raising=False)
    answers: list[str] = []

    def end() -> None:
        raise EOFError

    Console().read_lines(["good day", "good night"], answers.append, end)
    with pytest.raises(EOFError):
        await asyncio.to_thread(_legacy._text_mode, shown)
    assert answers == ["good day to you", "good night to you"]


def test_the_console_needs_no_devices_in_text_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _legacy.AgentsConsole.get_instance()
    monkeypatch.setattr(shown, "_validate_device_or_raise", shown._validate_device_or_raise)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ImportError):
        shown._validate_device_or_raise(input_device=None, output_device=None)
    Console().use_no_devices()
    shown._validate_device_or_raise(input_device=None, output_device=None)


def room(*sinks: object) -> Any:
    output = SimpleNamespace(_ParticipantTranscriptionOutput__outputs=sinks)
    return SimpleNamespace(room_io=SimpleNamespace(_user_tr_output=output))


def test_a_segment_is_known_by_its_text() -> None:
    legacy = SimpleNamespace()
    sink = SimpleNamespace(
        _latest_text="five", _current_id="SG_1", _track_id=None, _participant_identity="ann"
    )
    session = room(legacy, sink)
    assert published_segment(session, "five") == Segment("SG_1", None, "ann")
    assert published_segment(session, "six") is None


def test_where_a_part_is_gone_nothing_was_published() -> None:
    sink = SimpleNamespace(_latest_text="five")
    assert published_segment(room(sink), "five") is None
    session: Any = SimpleNamespace(room_io=SimpleNamespace(_user_tr_output=None))
    assert published_segment(session, "five") is None


async def test_words_are_published_no_more() -> None:
    closed = []

    class Output:
        async def aclose(self) -> None:
            closed.append(self)

    output = Output()
    session: Any = SimpleNamespace(room_io=SimpleNamespace(_user_tr_output=output))
    await publish_no_words(session)
    assert (session.room_io._user_tr_output, closed) == (None, [output])


class Speaker(AudioOutput):
    """Plays nothing, and takes it for played when it is flushed."""

    def __init__(self) -> None:
        super().__init__(label="speaker", capabilities=AudioOutputCapabilities(pause=False))

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self.on_playback_started(created_at=time.time())

    def flush(self) -> None:
        super().flush()
        finish = partial(self.on_playback_finished, playback_position=0.1, interrupted=False)
        asyncio.get_running_loop().call_soon(finish)

    def clear_buffer(self) -> None:
        pass


class Screen(TextOutput):
    """Keeps the words that it is to show."""

    def __init__(self) -> None:
        super().__init__(label="screen", next_in_chain=None)
        self.shown = ""
        self.is_whole = asyncio.Event()

    async def capture_text(self, text: str) -> None:
        self.shown += text

    def flush(self) -> None:
        self.is_whole.set()


async def test_words_are_shown_with_the_voice_without_its_speaking_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If LiveKit takes no detector of ours, every call pays for the spectrum of its voice."""
    stock = synchronizer.SpeakingRateDetector
    monkeypatch.setattr(synchronizer, "SpeakingRateDetector", stock)
    measure_no_speaking_rate()
    screen = Screen()
    both = synchronizer.TranscriptSynchronizer(
        next_in_chain_audio=Speaker(), next_in_chain_text=screen
    )
    tasks = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()}
    assert "_SegmentSynchronizerImpl._speaking_rate_task" in tasks
    assert "SpeakingRateStream._main_task" not in tasks
    await both.text_output.capture_text("Good morning. ")
    both.text_output.flush()
    await both.audio_output.capture_frame(rtc.AudioFrame(bytes(4800), 24_000, 1, 2400))
    both.audio_output.flush()
    await screen.is_whole.wait()
    await both.aclose()
    assert screen.shown.strip() == "Good morning."


async def test_a_provider_finds_what_it_hears_and_where_it_answers() -> None:
    marks: list[str] = []
    stream: Any = SimpleNamespace(
        _event_ch=aio.Chan[Any](), _input_ch=aio.Chan[Any](), _mark_started=lambda: marks.append("")
    )
    assert chunks(stream) is detections(stream) is stream._event_ch
    assert pushed_audio(stream) is pushed_text(stream) is stream._input_ch
    mark_started(stream)
    assert marks


class Silent(vad.VAD):
    def __init__(self) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=0.032))

    def stream(self) -> vad.VADStream:
        return SilentStream(self)


class SilentStream(vad.VADStream):
    async def _main_task(self) -> None:
        async for _ in pushed_audio(self):
            pass


async def test_a_voice_detectors_results_wake_their_reader_alone() -> None:
    detector = Silent()
    metrics: list[object] = []
    detector.on("metrics_collected", metrics.append)
    stream = detector.stream()
    assert {"_event_aiter", "_metrics_task"} <= vars(stream).keys()
    for each in ("_check_input_not_ended", "_check_not_closed"):
        assert callable(getattr(stream, each))
    shorten(stream)
    event = vad.VADEvent(vad.VADEventType.INFERENCE_DONE, 0, 0.0, 0.0, 0.0)
    for _ in range(40):
        detections(stream).send_nowait(event)
    assert [await anext(stream) for _ in range(40)] == [event] * 40
    require_input(stream)
    stream.end_input()
    with pytest.raises(RuntimeError, match="input ended"):
        require_input(stream)
    assert [each async for each in stream] == []
    await stream.aclose()
    assert not metrics


def test_tools_in_a_set_can_be_replaced() -> None:
    tools = llm.Toolset(id="shop", tools=[llm.Toolset(id="inner")])
    assert "_tools" in vars(tools)
    limit_inside(tools, lambda each: llm.Toolset(id=f"limited {each.id}"))
    assert [each.id for each in tools.tools] == ["limited inner"]
    limit_inside(cast("Any", SimpleNamespace()), lambda each: each)


def test_a_tool_is_described_for_the_model_once() -> None:
    """If LiveKit describes them elsewhere, it makes a pydantic model of each for each answer."""

    @llm.function_tool
    async def look_up(name: str) -> str:
        """Looks somebody up.

        Args:
            name: Whom.
        """
        return name

    keep_tool_schemas()
    tools = llm.ToolContext([look_up])
    first, second = (tools.parse_function_tools("openai", strict=True) for _ in range(2))
    assert first == second
    assert first[0] is second[0]
    assert first[0]["function"]["parameters"]["properties"]["name"]["description"] == "Whom."


async def test_a_task_knows_for_which_speech_it_works() -> None:
    found: list[str | None] = []

    class Asked(Agent):
        async def llm_node(self, *_: Any) -> str:
            found.append(speech_of_task())
            return "Hello."

    session: AgentSession[None] = AgentSession(llm=ScriptedLLM())
    await session.start(Asked(instructions="Be kind."), record=False)
    speech = session.generate_reply(user_input="Hello?")
    await speech
    await session.aclose()
    assert found == [speech.id]
    assert speech_of_task() is None


async def test_a_session_can_be_closed_for_its_job() -> None:
    assert "reason" in inspect.signature(getattr(AgentSession, "_aclose_impl")).parameters  # noqa: B009
    session: AgentSession[None] = AgentSession()
    reasons: list[CloseReason] = []
    session.on("close", lambda event: reasons.append(event.reason))
    await session.start(Agent(instructions=""), record=False)
    await close_for_job(session)
    assert reasons == [CloseReason.JOB_SHUTDOWN]


def test_livekit_names_its_instructions_as_we_do() -> None:
    """Otherwise an agent that takes a call over would have the instructions twice."""
    generation = importlib.import_module("livekit.agents.voice.generation")
    assert generation.INSTRUCTIONS_MESSAGE_ID == INSTRUCTIONS_ID


async def test_a_session_is_busy_while_it_answers_and_counts_silence_after_that() -> None:
    session = AgentSession[None](
        llm=ScriptedLLM("Twelve."), user_away_timeout=30, turn_handling={"turn_detection": "manual"}
    )
    assert is_busy(session)  # it has not begun
    await session.start(Agent(instructions=""), record=False)
    try:
        await session.wait_for_idle()
        assert not is_busy(session)
        answering = session.generate_reply(user_input="What is seven plus five?")
        assert is_busy(session)
        await answering
        await session.wait_for_idle()
        await asyncio.sleep(0)
        assert not is_busy(session)
        assert away_in(session) == pytest.approx(30, abs=2)
        fall_away_in(session, 5)
        assert away_in(session) == pytest.approx(5, abs=1)
    finally:
        await session.aclose()


def test_a_session_without_the_known_parts_is_busy_and_counts_no_silence() -> None:
    nothing = cast("AgentSession[None]", SimpleNamespace())
    assert is_busy(nothing)
    assert away_in(nothing) is None
    fall_away_in(nothing, 1)
