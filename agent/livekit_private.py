"""LiveKit's private parts: each that the agent uses, why, and nowhere else.

No public way leads to what is used here. A release of LiveKit may rename any of it without notice:
tests/agent/test_livekit_private.py then fails, and says which of our features breaks. Whoever reads
log lines needs nothing but sentences, so LiveKit itself is imported where it is used.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

    from livekit import rtc
    from livekit.agents import AgentServer, AgentSession, llm, tts, vad
    from livekit.agents.ipc.proc_pool import ProcPool
    from livekit.agents.utils import aio
    from livekit.agents.utils.http_server import HttpServer
else:
    AgentServer = object

HARMLESS_LINES = (
    "STT stream ended on an unrecoverable error",
    "stt end of speech received while vad is still",
    "no request_id provided for TTS",
    "ignoring text stream with topic",
    "ignoring byte stream with topic",
)
"""How log lines begin that LiveKit writes in healthy calls. Its VAD notices the end of speech later
than AssemblyAI does, once a turn. OpenAI-compatible servers need not number their answers. Anybody
in a room may send streams that nobody reads, with any text as their topic. Of ears that fail it
says twice a second, with a stack, that it makes new ones; we log the reason when the call ends."""

CONNECTING_LINE = "failed to connect to livekit"
"""How the line begins that a worker writes after each attempt, while LiveKit's server is away."""

REGISTERED_LINE = "registered worker"
"""The line that a worker writes when it is connected; the event says so to the worker alone."""


class WatchedServer(AgentServer):
    """LiveKit's worker, which hands over its pool and its page. Stands before `AgentServer`.

    LiveKit makes both in the middle of `run`. No event tells of the pool's processes, and no option
    changes what the page says.
    """

    pool: ProcPool | None = None
    page: HttpServer | None = None

    def on_pool(self, pool: ProcPool) -> None:
        """The pool of job processes has been made; it has started none yet."""

    def on_page(self, page: HttpServer) -> None:
        """The health page has been made; it does not listen yet."""

    async def tell_load(self) -> None:
        """Tell LiveKit's server at once how busy this worker is. By itself it does so every 2.5 s,
        and until then a worker whose call has just ended counts as full."""
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


class Console:
    """LiveKit's console, to which its own command line is the only public way."""

    def __init__(self) -> None:
        from livekit.agents.cli import _legacy

        self._module: Any = _legacy
        self._shown: Any = _legacy.AgentsConsole.get_instance()

    def keep_out(self, unwanted: logging.Filter) -> None:
        """Send all that its log shows through this filter."""
        self._shown._log_handler.addFilter(unwanted)

    def hide(self, unwanted: str) -> None:
        """Print nothing any more that has this tag."""
        tell: Callable[..., None] = self._shown.print

        def told(*words: object, tag: str = "", **style: object) -> None:
            if tag != unwanted:
                tell(*words, tag=tag, **style)

        self._shown.print = told

    def read_keys(self, reader: Callable[[Callable[[], str]], str]) -> None:
        """Have `reader` read each key; its argument is LiveKit's own way to do it."""
        read: Callable[[], str] = self._module.readkey
        self._module.readkey = lambda: reader(read)

    def run(self, **options: Any) -> None:
        """Converse until the user ends it."""
        self._module._run_console(**options)


def certificates() -> ssl.SSLContext:
    """The certificates that LiveKit trusts, from its cache. Raises OSError if they cannot be read.

    Every job makes a connection with them, also one that needs none: the 85 ms that parsing takes
    are spent before the first call, and a fault is told before a worker starts. Where LiveKit makes
    them elsewhere, these are Python's own: an AttributeError would end its fork server.
    """
    from livekit.agents.utils import http_context

    return getattr(http_context, "_create_ssl_context", ssl.create_default_context)()


def preload_event_loop() -> None:
    """Import what anyio, below OpenAI's client, would look up at a call's first request."""
    import anyio._backends._asyncio  # noqa: F401 - imported to be there


@dataclass(frozen=True, slots=True)
class Segment:
    """What screens know a published text by; a text with the same id takes its place."""

    id: str
    track_id: str | None
    speaker: str


def published_segment(session: AgentSession[Any], text: str) -> Segment | None:
    """The segment that LiveKit published last, if it is this text. None without a room.

    LiveKit names a published segment nowhere else. Where a version keeps it elsewhere, a screen
    goes on showing a turn without its late formatting.
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
    """Have LiveKit publish no words of people: it would give all of them to one participant.

    Its options turn off the agent's words as well.
    """
    room_io: Any = session.room_io
    output, room_io._user_tr_output = room_io._user_tr_output, None
    await output.aclose()


# What follows is the part of a provider that LiveKit's base classes run. Its own plugins use the
# same names, and no public ones do the same.


def chunks(stream: llm.LLMStream) -> aio.ChanSender[llm.ChatChunk]:
    """Where a language model puts its answer."""
    return stream._event_ch


def detections(stream: vad.VADStream) -> aio.ChanSender[vad.VADEvent]:
    """Where a voice detector puts what it has found."""
    return stream._event_ch


def pushed_audio(stream: vad.VADStream) -> aio.ChanReceiver[rtc.AudioFrame | object]:
    """Where a voice detector finds its frames; whatever else comes asks for a flush."""
    return stream._input_ch


def pushed_text(stream: tts.SynthesizeStream) -> aio.ChanReceiver[str | object]:
    """Where a voice finds its text; whatever else comes asks for a flush."""
    return stream._input_ch


def mark_started(stream: tts.SynthesizeStream) -> None:
    """Begin to measure how long the voice takes until its first sound."""
    stream._mark_started()
