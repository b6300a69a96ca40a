"""Our own part of a call's trace, from the lines of its record, below LiveKit's session.

LiveKit has spans for turns, requests and tools. Ours say what it does not know: what the caller
waited and why (`caller_wait`), how long a turn's end was held back (`second_opinion`), and the
sessions with AssemblyAI (`stt_session`). Whatever else happens is an event of the session's span,
and how the call ended are attributes of the job's.
"""

from collections.abc import Mapping
from typing import Any

from livekit.agents.telemetry import session_context, tracer
from opentelemetry import trace
from opentelemetry.context import Context

from agent.records.schema import Call, End, Line, Said, SttSession, Turn, without_words

_NS = 1_000_000_000
_COUNTED = ("prompt_tokens", "cached_tokens", "completion_tokens", "tts_characters")
"""LiveKit's own spans have these: tools that add them up would count them twice."""

_WAIT = ("last_word_final", "decided", "committed", "first_token", "first_clause", "first_audio")


class Spans:
    """An outlet of one call's record (`agent.call.turn_record.outlets`)."""

    def __init__(self) -> None:
        self._began_at = 0.0
        """Of the call, in unix seconds."""
        self._session: Context | None = None
        self._job: trace.Span = trace.INVALID_SPAN

    def again(self) -> "Spans":
        """One for another call in this process."""
        return Spans()

    def __call__(self, line: Line) -> None:
        """Add what this line says to the trace, without what people said and who they are."""
        match line:
            case Call():  # before LiveKit makes its session's span the current one
                self._began_at, self._job = line.at, trace.get_current_span()
            case Turn():
                self._turn(line)
            case SttSession():
                seconds = max(line.audio_sent_seconds, line.billed_seconds)
                self._span("stt_session", line.at - seconds, line.at, _flat(line))
            case End():
                found = _flat(line, "agent.call.")
                for part in (line.usage, line.cost):
                    found |= _flat(part, "agent.call.") if part else {}
                self._job.set_attributes(found)  # the session is over
            case Said():  # nothing is left of it without its words
                pass
            case _:
                found = _flat(line)
                kind = found.pop("agent.kind", type(line).__name__.lower())
                self._alive().add_event(f"agent.{kind}", found)

    def _turn(self, turn: Turn) -> None:
        said, reply = turn.caller_part, turn.reply
        times = {
            name: at_ms
            for part in (said, reply)
            if part
            for name in _WAIT
            if (at_ms := getattr(part, f"{name}_ms", None)) is not None
        }
        begins_ms = said.ended_ms if said.ended_ms is not None else said.committed_ms
        if begins_ms is None:  # nobody waited: the agent spoke by itself
            return
        heard_ms = reply.first_sound_ms if reply else None
        ends_ms = max(begins_ms, *times.values(), heard_ms or 0)
        span = self._start("caller_wait", self._at(begins_ms), _of_turn(turn))
        for name, at_ms in sorted(times.items(), key=lambda each: each[1]):
            span.add_event(name, timestamp=self._ns(self._at(at_ms)))
        if said.held_for_ms and said.decided_ms is not None:
            began, below = said.decided_ms, trace.set_span_in_context(span)
            ended = began + said.held_for_ms
            self._span("second_opinion", self._at(began), self._at(ended), {}, below)
        span.end(self._ns(self._at(ends_ms)))

    def _span(
        self,
        name: str,
        start: float,
        end: float,
        attributes: Mapping[str, Any],
        below: Context | None = None,
    ) -> None:
        self._start(name, start, attributes, below).end(self._ns(end))

    def _start(
        self, name: str, start: float, attributes: Mapping[str, Any], below: Context | None = None
    ) -> trace.Span:
        return tracer.start_span(
            name,
            context=below or self._context(),
            start_time=self._ns(start),
            attributes=attributes,
        )

    def _alive(self) -> trace.Span:
        """LiveKit's span of the session, or that of the job when the session is over."""
        session = trace.get_current_span(self._context())
        return session if session.is_recording() else self._job

    def _context(self) -> Context | None:
        """Of LiveKit's span of the session, once there was one."""
        self._session = session_context.session_root_context() or self._session
        return self._session

    def _at(self, ms: int) -> float:
        return self._began_at + ms / 1000

    @staticmethod
    def _ns(unix_seconds: float) -> int:
        return int(unix_seconds * _NS)


def _of_turn(turn: Turn) -> dict[str, Any]:
    """A turn's own figures, those of the caller's part, and those of the reply."""
    found = _flat(turn, "agent.turn.") | _flat(turn.caller_part, "agent.turn.")
    reply = "agent.turn.reply."
    if turn.reply:
        found |= _flat(turn.reply, reply)
    unwanted = {f"{reply}{name}" for name in _COUNTED} | {"agent.turn.kind"}
    return {name: value for name, value in found.items() if name not in unwanted}


def _flat(line: Line, prefix: str = "agent.") -> dict[str, Any]:
    """The plain values of a line by dotted names: no lists, and no parts of it."""
    return {
        f"{prefix}{name}": value
        for name, value in without_words(line).items()
        if isinstance(value, str | int | float | bool) and name != "at"
    }
