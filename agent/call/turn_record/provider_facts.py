"""What providers do in a call, and what is used of them, for its record."""

from abc import ABC, abstractmethod

from livekit.agents.metrics import AgentMetrics, LLMMetrics, TTSMetrics

from agent.call.turn_record.clock import CallClock
from agent.call.turn_record.collector import Collector
from agent.call.turn_record.harmless import harmless
from agent.livekit_private import speech_of_task
from agent.records.schema import Attempt, Line, ProviderFailed, SttSession, Usage
from stt_assemblyai.events import Interrupted, Opened, SessionUsage


@harmless
class ProviderFacts(ABC):
    """The part of a call's recorder that the providers tell. Its `on_...` methods listen to them
    (`agent.call.session_events`)."""

    turns: Collector
    clock: CallClock
    open_sessions: dict[str, int]
    """Sessions with AssemblyAI by their ids, and when each was opened."""

    @abstractmethod
    def emit(self, line: Line) -> None:
        """Give a line to the outlets."""

    def model_attempted(self, attempt: Attempt) -> None:
        """A request to the language model was answered, or has failed."""
        self.turns.attempted(speech_of_task(), "llm", attempt, self.clock.now_ms())

    def voice_attempted(self, attempt: Attempt) -> None:
        """A request to the voice was answered, or has failed."""
        self.turns.attempted(speech_of_task(), "tts", attempt, self.clock.now_ms())

    def on_recogniser_interrupted(self, event: Interrupted) -> None:
        """A session with AssemblyAI broke off, or could not be opened."""
        self.emit(
            ProviderFailed(
                at_ms=self.clock.now_ms(),
                provider="stt",
                error=type(event.error).__name__,
                wait_for_ms=round(event.wait_seconds * 1000),
            )
        )

    def on_model_metrics(self, metrics: AgentMetrics) -> None:
        """A request to the language model has ended."""
        if isinstance(metrics, LLMMetrics):
            self.turns.used_tokens(
                speech_of_task(),
                prompt_tokens=metrics.prompt_tokens,
                cached_tokens=metrics.prompt_cached_tokens,
                completion_tokens=metrics.completion_tokens,
            )

    def on_voice_metrics(self, metrics: AgentMetrics) -> None:
        """A request to the voice has ended."""
        if isinstance(metrics, TTSMetrics):
            self.turns.used_tokens(
                speech_of_task(),
                tts_characters=metrics.characters_count,
                tts_audio_for_ms=round(metrics.audio_duration * 1000),
            )

    def on_recogniser_opened(self, event: Opened) -> None:
        """A session of AssemblyAI is open; it is billed for as long as it stays so."""
        self.open_sessions[event.session_id] = self.clock.now_ms()

    @property
    def used(self) -> Usage:
        """What the call has used so far, with the sessions that are open."""
        open_ms = sum(self.clock.now_ms() - each for each in self.open_sessions.values())
        used = self.turns.usage
        billed = used.stt_billed_seconds + open_ms / 1000
        return used.model_copy(update={"stt_billed_seconds": billed})

    def bill_open_sessions(self) -> None:
        """The call is over. Sessions that are still open close after its record: count their time
        so far."""
        for opened_ms in self.open_sessions.values():
            self.turns.billed((self.clock.now_ms() - opened_ms) / 1000)
        self.open_sessions.clear()

    def on_billed(self, usage: SessionUsage) -> None:
        """A session of AssemblyAI is over."""
        self.open_sessions.pop(usage.session_id, None)
        self.turns.billed(usage.billed_seconds)
        self.emit(
            SttSession(
                reason=usage.reason,
                billed_seconds=round(usage.billed_seconds, 3),
                is_estimated=usage.estimated,
                audio_sent_seconds=round(usage.audio_sent_seconds, 3),
                audio_resent_seconds=round(usage.audio_resent_seconds, 3),
            )
        )
