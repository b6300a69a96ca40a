"""All of LiveKit's private parts that the agent uses, each with the reason.

They have no public equivalent, and a LiveKit release may rename any of them without notice. Then
a test of tests/agent/livekit_private fails and says which feature breaks. `agent.log` needs only
the sentences, so LiveKit itself is imported where it is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import logging

    from livekit import rtc
    from livekit.agents import AgentServer, AgentSession, llm, tts, vad
    from livekit.agents.ipc.proc_pool import ProcPool
    from livekit.agents.telemetry.http_server import HttpServer as MetricsServer
    from livekit.agents.utils import aio
    from livekit.agents.utils.http_server import HttpServer
    from livekit.plugins import silero
    from livekit.plugins.silero.onnx_model import OnnxModel as SileroModel
    from livekit.plugins.silero.vad import _VADOptions as SileroOptions
else:
    AgentServer = object

HARMLESS_LINES = (
    "STT stream ended on an unrecoverable error",
    "stt end of speech received while vad is still",
    "no request_id provided for TTS",
    "ignoring text stream with topic",
    "ignoring byte stream with topic",
)
"""The beginnings of log lines that LiveKit writes in healthy calls. Once a turn its VAD notices the
end of speech later than AssemblyAI. OpenAI-compatible servers need not number their answers.
Anybody in a room may send streams that nobody reads, under any topic. When the STT fails, it logs
twice a second, with a stack, that it makes a new one; we log the reason when the call ends."""

CONNECTING_LINE = "failed to connect to livekit"
"""The beginning of the line that a worker logs after each attempt while LiveKit is away."""

REGISTERED_LINE = "registered worker"
"""The line that a worker logs when it is connected; the event reaches only the worker itself."""


class WatchedServer(AgentServer):
    """LiveKit's worker, which hands over its pool and its pages. Subclass it before `AgentServer`.

    LiveKit makes them in the middle of `run`. No event reports the pool's processes, and no option
    changes what the page says.
    """

    pool: ProcPool | None = None
    page: HttpServer | None = None
    metrics_page: MetricsServer | None = None

    @property
    def is_connecting(self) -> bool:
        """Whether the connection to LiveKit's server is gone and not yet back. Says nothing before
        the first registration, and no event tells of the end of a connection."""
        return self._connecting

    def on_pool(self, pool: ProcPool) -> None:
        """The pool of job processes has been made and has not started any."""

    def on_page(self, page: HttpServer) -> None:
        """The health page has been made and does not listen yet."""

    async def tell_load(self) -> None:
        """Report this worker's load to LiveKit's server at once. By itself it does so every 2.5 s,
        and until then a worker whose call has just ended counts as full."""
        from livekit.agents.utils.aio import ChanClosed

        with contextlib.suppress(ChanClosed):  # the worker ends, and so do its processes
            await self._refresh_worker_load()
            await self._update_worker_status()

    @property
    def _proc_pool(self) -> ProcPool:
        assert self.pool
        return self.pool

    @_proc_pool.setter
    def _proc_pool(self, pool: ProcPool) -> None:
        self.pool = pool
        self.on_pool(pool)

    @property
    def _http_server(self) -> HttpServer | None:
        return self.page

    @_http_server.setter
    def _http_server(self, page: HttpServer | None) -> None:
        self.page = page
        if page:
            self.on_page(page)

    @property
    def _prometheus_server(self) -> MetricsServer | None:
        return self.metrics_page

    @_prometheus_server.setter
    def _prometheus_server(self, page: MetricsServer | None) -> None:
        self.metrics_page = page


class Console:
    """LiveKit's console; its own command line is the only public way to it."""

    def __init__(self) -> None:
        from livekit.agents.cli import _legacy

        self._module: Any = _legacy
        self._shown: Any = _legacy.AgentsConsole.get_instance()

    def keep_out(self, unwanted: logging.Filter) -> None:
        """Send all that its log shows through this filter."""
        self._shown._log_handler.addFilter(unwanted)

    def hide(self, unwanted: str) -> None:
        """Stop printing anything with this tag."""
        tell: Callable[..., None] = self._shown.print

        def told(*words: object, tag: str = "", **style: object) -> None:
            if tag != unwanted:
                tell(*words, tag=tag, **style)

        self._shown.print = told

    def read_keys(self, reader: Callable[[Callable[[], str]], str]) -> None:
        """Let `reader` read each key; its argument is LiveKit's own function."""
        read: Callable[[], str] = self._module.readkey
        self._module.readkey = lambda: reader(read)

    def use_no_devices(self) -> None:
        """Look for no microphone and no speaker, which in text mode nobody needs."""
        self._shown._validate_device_or_raise = lambda **_: None

    def read_lines(
        self, lines: Iterable[str], show: Callable[[str], None], end: Callable[[], None]
    ) -> None:
        """In text mode `show` the answers to each of these lines, and then call `end`, which has to
        raise. What LiveKit's console prints goes to stderr, and no terminal is needed."""
        self._shown.console.file = sys.stderr

        def converse(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the agent has ended the call
                for line in lines:
                    # In the job's own context, which has its log fields.
                    begin = partial(self._shown.io_context.run, asyncio.run_coroutine_threadsafe)
                    answer = begin(typed(self._shown.io_session, line), self._shown.io_loop)
                    for said in answer.result():
                        show(said)
            end()

        self._module._text_mode = converse

    def run(self, **options: Any) -> None:
        """Converse until the user ends it."""
        self._module._run_console(**options)


async def typed(session: AgentSession[Any], line: str) -> list[str]:
    """What the agent answers to a typed line, message by message."""
    events = (await session.run(user_input=line)).events
    messages = [each.item for each in events if each.type == "message"]
    return [each.text_content or "" for each in messages if each.role == "assistant"]


def certificates() -> ssl.SSLContext:
    """The certificates that LiveKit trusts, from its cache. Raises OSError if they cannot be read.

    Every job parses them, even without TLS, in 85 ms. Done here, that comes before the first call,
    and a fault is reported before the worker starts. If LiveKit renames its function, Python's own
    certificates stand in: an AttributeError would end the fork server.
    """
    from livekit.agents.utils import http_context

    return getattr(http_context, "_create_ssl_context", ssl.create_default_context)()


def prepare_for_jobs() -> None:
    """Load what LiveKit's fork server loads, and set the variable that names certificates where the
    machine has none. LiveKit does both in time only for a fork server that it starts itself."""
    from livekit.agents.utils import http_context

    getattr(http_context, "_set_default_cert_env", lambda: None)()
    with contextlib.suppress(ImportError):
        importlib.import_module("livekit.agents.ipc._preload")


async def close_for_job(session: AgentSession[Any]) -> None:
    """Close a session because its job ends. LiveKit's job closes it as a user would (`aclose`), and
    the reason of its own shutdown callback, which is right, comes too late."""
    from livekit.agents import CloseReason

    await session._aclose_impl(reason=CloseReason.JOB_SHUTDOWN)


def limit_inside(toolset: llm.Toolset, limit: Callable[[Any], Any]) -> None:
    """Replace each tool in a set by what `limit` makes of it, such as those of an `MCPToolset`.

    A set gives its tools and takes none. If LiveKit renames the list, the limits for tools do not
    reach the tools in sets.
    """
    if (tools := getattr(toolset, "_tools", None)) is not None:
        toolset._tools = [limit(each) for each in tools]


@cache
def keep_tool_schemas() -> None:
    """Describe each function tool for the model once. LiveKit makes a pydantic model of its
    arguments for every request: 3 ms a tool, before each answer. No option keeps them."""
    from livekit.agents.llm import utils

    module: Any = utils
    build = module.build_strict_openai_schema
    kept: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()

    def build_once(function_tool: Any) -> dict[str, Any]:
        if function_tool not in kept:
            kept[function_tool] = build(function_tool)
        return kept[function_tool]

    module.build_strict_openai_schema = build_once


def preload_event_loop() -> None:
    """Import what anyio, below OpenAI's client, would look up at a call's first request."""
    import anyio._backends._asyncio  # noqa: F401 - imported to be there


class NoSpeakingRate:
    """What measures a voice's speaking rate for LiveKit, and finds none."""

    def stream(self) -> NoSpeakingRate:
        return self

    def push_frame(self, frame: rtc.AudioFrame) -> None:
        pass

    def end_input(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def __aiter__(self) -> AsyncIterator[Any]:
        rates: tuple[Any, ...] = ()
        for each in rates:
            yield each


def measure_no_speaking_rate() -> None:
    """Keep LiveKit from taking 800 spectra of each second that the agent says.

    It uses the result once all of a speech has been handed to the room. Our output hands a speech
    on just before it is due: by then the caller has heard it. No option turns it off.
    """
    from livekit.agents.voice.transcription import synchronizer

    measured: Any = synchronizer
    measured.SpeakingRateDetector = NoSpeakingRate


@dataclass(frozen=True, slots=True)
class Segment:
    """A published text as screens know it; a text with the same id replaces it."""

    id: str
    track_id: str | None
    speaker: str


def published_segment(session: AgentSession[Any], text: str) -> Segment | None:
    """The segment that LiveKit published last, if it is this text. None without a room.

    Nothing public names a published segment. If LiveKit renames it, screens keep showing turns
    without their late formatting.
    """
    with contextlib.suppress(RuntimeError, AttributeError):  # no room; no such name
        for sink in _sinks(session.room_io):
            if getattr(sink, "_latest_text", None) == text:
                return Segment(sink._current_id, sink._track_id, sink._participant_identity)
    return None


def _sinks(room_io: Any) -> Iterator[Any]:
    output = room_io._user_tr_output
    yield from output._ParticipantTranscriptionOutput__outputs if output else ()


async def publish_no_words(session: AgentSession[Any]) -> None:
    """Stop LiveKit from publishing people's words: it would give all of them to one participant.

    Its options would turn off the agent's words as well.
    """
    room_io: Any = session.room_io
    output, room_io._user_tr_output = room_io._user_tr_output, None
    await output.aclose()


# What follows are the parts of a provider that LiveKit's base classes run. LiveKit's own plugins
# use the same names, and there are no public ones.


class Asks:
    """A stream that asks streams of others. Put it before LiveKit's class.

    In traces LiveKit then names it as it names its own fallback, and only what is asked counts as a
    request to a model. Otherwise every request would be there twice, with its tokens.
    """

    _llm_request_span_name: ClassVar[str] = "llm_fallback_adapter"
    _llm_attempt_span_name: ClassVar[str | None] = None
    _genai_operation_name: ClassVar[str | None] = None
    _tts_request_span_name: ClassVar[str] = "tts_fallback_adapter"
    _tts_attempt_span_name: ClassVar[str | None] = None


def chunks(stream: llm.LLMStream) -> aio.ChanSender[llm.ChatChunk]:
    """The channel for a language model's answer."""
    return stream._event_ch


def detections(stream: vad.VADStream) -> aio.ChanSender[vad.VADEvent]:
    """The channel for a voice detector's results."""
    return stream._event_ch


def shorten(stream: vad.VADStream) -> None:
    """Let a voice detector's results go straight to their reader.

    LiveKit's tee wakes two tasks for each, the second one for metrics that nobody here reads.
    """
    stream._event_aiter = stream._event_ch
    stream._metrics_task.cancel()
    stream._metrics_task = asyncio.create_task(asyncio.sleep(0), name="no metrics")


def require_input(stream: vad.VADStream) -> None:
    """Raise LiveKit's own RuntimeError unless the stream takes more sound."""
    stream._check_input_not_ended()
    stream._check_not_closed()


def silero_options(detector: silero.VAD) -> SileroOptions:
    """When Silero's plugin takes sound for a voice."""
    return detector._opts


def silero_model(detector: silero.VAD) -> SileroModel:
    """The model of Silero's plugin, without its stream, and with no sound heard yet."""
    from livekit.plugins.silero.onnx_model import OnnxModel

    return OnnxModel(onnx_session=detector._onnx_session, sample_rate=16_000)


def pushed_audio(stream: vad.VADStream) -> aio.ChanReceiver[rtc.AudioFrame | object]:
    """The channel of a voice detector's frames; anything else in it asks for a flush."""
    return stream._input_ch


def pushed_text(stream: tts.SynthesizeStream) -> aio.ChanReceiver[str | object]:
    """The channel of a voice's text; anything else in it asks for a flush."""
    return stream._input_ch


def mark_started(stream: tts.SynthesizeStream) -> None:
    """Start to measure how long the voice takes until its first sound."""
    stream._mark_started()


def speech_of_task() -> str | None:
    """The id of the speech that the running task makes; None outside of one.

    LiveKit tells its nodes, models and voices nothing about whom they work for.
    """
    from livekit.agents.voice.agent_activity import _SpeechHandleContextVar

    speech = _SpeechHandleContextVar.get(None)
    return speech.id if speech else None


def is_busy(session: AgentSession[Any]) -> bool:
    """Whether anything of a session is under way: a speech, a reply that is prepared, a tool, words
    of the caller that are open or wait for the end of their turn, another agent on its way in.

    Without LiveKit's names it counts as busy for ever: its call is never handed over.
    """
    from livekit.agents.voice.tool_executor import _RunningTasks

    try:
        activity: Any = session._activity
        heard: Any = activity._audio_recognition
        tasks = (activity._user_turn_completed_atask, heard and heard._end_of_turn_task)
        return bool(
            session._next_activity
            or activity._current_speech
            or activity._speech_q
            or activity._background_speeches
            or activity._preemptive_generation
            or activity._paused_speech
            or _RunningTasks.get(session)
            or (heard and heard._current_transcript)
            or any(each and not each.done() for each in tasks)
        )
    except AttributeError:
        return True


def away_in(session: AgentSession[Any]) -> float | None:
    """In how many seconds a session takes its caller for away; None while it does not count. No
    event says when it began to count, and no option how long it has counted."""
    timer = getattr(session, "_user_away_timer", None)
    return max(0.0, timer.when() - asyncio.get_running_loop().time()) if timer else None


def fall_away_in(session: AgentSession[Any], seconds: float) -> None:
    """Have a session take its caller for away after so many seconds, instead of the time that its
    option names. If LiveKit renames its timer, the time begins again."""
    with contextlib.suppress(AttributeError):
        private: Any = session
        private._cancel_user_away_timer()
        private._user_away_timer = asyncio.get_running_loop().call_later(
            seconds, private._update_user_state, "away"
        )


INSTRUCTIONS_ID = "lk.agent_task.instructions"
"""The id of the item with an agent's instructions: LiveKit's constant is in a private module."""
