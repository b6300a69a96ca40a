"""Counts replies that were begun before the caller's turn was over and that nobody heard."""

from dataclasses import asdict, dataclass

from livekit.agents import SpeechCreatedEvent
from livekit.agents.metrics import AgentMetrics, LLMMetrics
from livekit.agents.voice import SpeechHandle


@dataclass(slots=True)
class ThrownAway:
    """One call's. The tokens are those of the prompts: a request that was broken off tells no
    figure, so each counts as much as the prompt of the reply after it."""

    replies: int = 0
    """To what the caller said, kept or not."""
    thrown_away: int = 0
    prompt_tokens: int = 0
    """Of all replies."""
    wasted_prompt_tokens: int = 0
    """Of those that were thrown away."""
    unmeasured: int = 0
    """Were thrown away since the last reply that told its tokens."""

    def begun(self, event: SpeechCreatedEvent) -> None:
        """The session makes a speech."""
        is_answer = event.speech_handle.input_details.modality == "audio"
        if is_answer and event.source == "generate_reply":
            self.replies += 1
            event.speech_handle.add_done_callback(self._done)

    def measured(self, metrics: AgentMetrics) -> None:
        """A request to the language model is over."""
        if isinstance(metrics, LLMMetrics) and metrics.prompt_tokens:
            wasted = self.unmeasured * metrics.prompt_tokens
            self.prompt_tokens += metrics.prompt_tokens + wasted
            self.wasted_prompt_tokens += wasted
            self.unmeasured = 0

    def fields(self) -> dict[str, int]:
        """For the log."""
        return {name: value for name, value in asdict(self).items() if name != "unmeasured"}

    def _done(self, speech: SpeechHandle) -> None:
        if not speech.scheduled:
            self.thrown_away += 1
            self.unmeasured += 1
