"""Answers that break off in the middle, or are empty: the caller is told, and the call goes on."""

import contextlib
import logging
from collections.abc import Sequence

from livekit.agents import AgentSession, ChatMessage, SpeechCreatedEvent
from livekit.agents.llm import ChatItem, FunctionCallOutput, LLMError
from livekit.agents.tts import TTSError
from livekit.agents.voice import SpeechHandle

from agent.call.models.errors import BrokenOffError
from agent.call.prepared import Sentence

log = logging.getLogger(__name__)

MOST_IN_A_CALL = 3


class BrokenAnswers:
    """Says that the agent was cut off where an answer has ended in the middle, or has no words."""

    def __init__(self, session: AgentSession[None]) -> None:
        self._session = session
        self._count = 0
        self._forgiven: BaseException | None = None
        self._voice_broke_off = False
        self._is_over = False
        session.on("speech_created", self._on_speech)

    def forgives(self, failure: object) -> bool:
        """Whether the call goes on after this error."""
        if self._count < MOST_IN_A_CALL and broke_off(failure):
            assert isinstance(failure, LLMError | TTSError)
            self._count += 1
            self._forgiven = failure.error
            self._voice_broke_off = isinstance(failure, TTSError)
            log.warning("an answer broke off", extra={"error": str(failure.error)})
            return True
        self._is_over = True
        return False

    def _on_speech(self, event: SpeechCreatedEvent) -> None:
        if event.source == "generate_reply":
            event.speech_handle.add_done_callback(self._on_spoken)

    def _on_spoken(self, speech: SpeechHandle) -> None:
        """Only now: the error comes long before the words that were thought have been spoken, and
        where the answer was thought of too early, nobody hears of either."""
        error = speech.exception()
        is_lost = error is self._forgiven if error else is_empty(speech.chat_items)
        if self._voice_broke_off:  # LiveKit tells the speech nothing of its voice's failure
            self._voice_broke_off, is_lost = False, True
        if is_lost and not speech.interrupted and not self._is_over:
            words = Sentence.CUT_OFF
            with contextlib.suppress(RuntimeError):  # the session has closed
                self._session.say(words.text, audio=words.frames())


def has_words(item: ChatItem) -> bool:
    """Whether this is something that the agent said."""
    said = item.text_content if isinstance(item, ChatMessage) and item.role == "assistant" else None
    return bool(said and said.strip())


def is_empty(answer: Sequence[ChatItem]) -> bool:
    """Whether an answer left the caller in silence: a tool may want none."""
    last = answer[-1] if answer else None
    if isinstance(last, FunctionCallOutput):
        return last.reply_required
    return last is None or not has_words(last)


def broke_off(failure: object) -> bool:
    """Whether an answer ended in the middle, which says nothing about the next one.

    It is not asked for again: the caller has heard a part, and a tool may have been called.
    """
    return isinstance(failure, LLMError | TTSError) and isinstance(failure.error, BrokenOffError)
