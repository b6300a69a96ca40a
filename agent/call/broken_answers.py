"""Answers that break off in the middle: the caller is told, and the call goes on."""

import logging

from livekit.agents import AgentSession, APIError, APIStatusError, SpeechCreatedEvent
from livekit.agents.llm import LLMError
from livekit.agents.voice import SpeechHandle

from agent.call.prepared import Sentence

log = logging.getLogger(__name__)

MOST_IN_A_CALL = 3


class BrokenAnswers:
    """Says that the agent was cut off where an answer has ended in the middle."""

    def __init__(self, session: AgentSession[None]) -> None:
        self._session = session
        self._count = 0
        self._forgiven: BaseException | None = None
        session.on("speech_created", self._on_speech)

    def forgives(self, failure: object) -> bool:
        """Whether the call goes on after this error."""
        if not isinstance(failure, LLMError) or not broke_off(failure):
            return False
        if self._count == MOST_IN_A_CALL:
            return False
        self._count += 1
        self._forgiven = failure.error
        log.warning("an answer broke off", extra={"error": str(failure.error)})
        return True

    def _on_speech(self, event: SpeechCreatedEvent) -> None:
        event.speech_handle.add_done_callback(self._on_spoken)

    def _on_spoken(self, speech: SpeechHandle) -> None:
        """Only now: the error comes long before the words that were thought have been spoken, and
        where the answer was thought of too early, nobody hears of either."""
        error = speech.exception()
        if error and error is self._forgiven and not speech.interrupted:
            words = Sentence.CUT_OFF
            self._session.say(words.text, audio=words.frames())


def broke_off(failure: LLMError) -> bool:
    """Whether an answer ended in the middle, which says nothing about the next one.

    LiveKit does not ask for it again: the caller has heard a part, and a tool may have been called.
    """
    error = failure.error
    given_up = isinstance(error, APIError) and not error.retryable
    refused = isinstance(error, APIStatusError)
    return given_up and not refused
