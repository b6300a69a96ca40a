"""Counts the replies that began before the caller's turn was over and were never heard."""

from dataclasses import asdict, dataclass

from livekit.agents import SpeechCreatedEvent
from livekit.agents.metrics import AgentMetrics, LLMMetrics
from livekit.agents.voice import SpeechHandle


@dataclass(slots=True)
class ThrownAway:
    """For one call. Tokens are prompt tokens. A cancelled request reports none, so it counts as
    many as the prompt of the next reply."""

    replies: int = 0
    """Replies to the caller, heard or not."""
    thrown_away: int = 0
    prompt_tokens: int = 0
    """Those of all replies."""
    wasted_prompt_tokens: int = 0
    """Those of the replies that were thrown away."""
    unmeasured: int = 0
    """Replies thrown away since the last one that reported its tokens."""

    def begun(self, event: SpeechCreatedEvent) -> None:
        """The session has begun a speech."""
        is_answer = event.speech_handle.input_details.modality == "audio"
        if is_answer and event.source == "generate_reply":
            self.replies += 1
            event.speech_handle.add_done_callback(self._done)

    def measured(self, metrics: AgentMetrics) -> None:
        """A request to the language model has ended."""
        if isinstance(metrics, LLMMetrics) and metrics.prompt_tokens:
            wasted = self.unmeasured * metrics.prompt_tokens
            self.prompt_tokens += metrics.prompt_tokens + wasted
            self.wasted_prompt_tokens += wasted
            self.unmeasured = 0

    def fields(self) -> dict[str, int]:
        """The counts, as fields of a log line."""
        return {name: value for name, value in asdict(self).items() if name != "unmeasured"}

    def _done(self, speech: SpeechHandle) -> None:
        if not speech.scheduled:
            self.thrown_away += 1
            self.unmeasured += 1
