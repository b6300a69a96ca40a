"""Tells the caller when an answer breaks off, is empty or is refused, and lets the call go on."""

import contextlib
import logging
from collections.abc import Sequence

from livekit.agents import (
    AgentSession,
    ChatMessage,
    ConversationItemAddedEvent,
    SpeechCreatedEvent,
)
from livekit.agents.llm import ChatItem, FunctionCallOutput, LLMError
from livekit.agents.tts import TTSError
from livekit.agents.voice import SpeechHandle

from agent.call.models.errors import BrokenOffError, ContentRefusedError
from agent.call.output.canned_prompts import CannedPrompt
from agent.call.reply.prompt_voice import PromptVoice
from agent.call.reply.refusals import NothingSpokenError
from agent.call.reply.spoken_form import is_speakable
from config.languages import Language

log = logging.getLogger(__name__)

MOST_IN_A_CALL = 3
MOST_REFUSED = 5
"""Refused answers in a row. If a model refuses every one, its instructions are at fault."""


class BrokenAnswers:
    """Says that the agent was cut off when an answer breaks off or has no words, and when the voice
    cannot say a sentence, the greeting included; that apology is a recording and needs no voice.
    Says `refusal` when the model refuses to answer.

    Takes sentences that the voice refused out of the history, for those who read it afterwards
    (`agent.call.session_events`).
    """

    def __init__(self, session: AgentSession[None], refusal: str, language: Language) -> None:
        self._session = session
        self._refusal = refusal
        self._cut_off = CannedPrompt.CUT_OFF.recorded(language)
        self._count = 0
        self._refused = 0
        self._forgiven: list[BaseException] = []
        self._voice_broke_off = False
        self._is_over = False
        self._refusing: SpeechHandle | None = None

    def forgives(self, failure: object) -> bool:
        """Whether the call goes on after this error."""
        match failure:
            case LLMError(error=ContentRefusedError()) if self._refused < MOST_REFUSED:
                log.warning("the model refuses to answer", extra={"error": str(failure.error)})
            case LLMError(error=BrokenOffError()) | TTSError(error=BrokenOffError()) if (
                self._count < MOST_IN_A_CALL
            ):
                self._count += 1
                self._voice_broke_off = isinstance(failure, TTSError)
                log.warning("an answer broke off", extra={"error": str(failure.error)})
            case TTSError(error=NothingSpokenError()):
                self._voice_broke_off = True
            case _:
                self._is_over = True
                return False
        self._forgiven.append(failure.error)  # one answer may have two: the model's, the voice's
        return True

    def on_item_added(self, event: ConversationItemAddedEvent) -> None:
        item, voice = event.item, self._session.tts
        if not isinstance(voice, PromptVoice) or not isinstance(item, ChatMessage):
            return
        if item.role == "assistant":
            item.content = [
                voice.heard(part) if isinstance(part, str) else part for part in item.content
            ]

    def on_speech_created(self, event: SpeechCreatedEvent) -> None:
        is_answer = event.source == "generate_reply"
        event.speech_handle.add_done_callback(self._on_answer if is_answer else self._on_sentence)

    def _on_answer(self, speech: SpeechHandle) -> None:
        """Tell the caller if the answer was lost.

        Not when the error comes: the words before it have yet to be spoken, and a reply that was
        begun too early may never be heard at all.
        """
        error = speech.exception()
        is_refused = isinstance(error, ContentRefusedError)
        self._refused = self._refused + 1 if is_refused else 0
        is_lost = error in self._forgiven if error else is_empty(speech.chat_items)
        is_lost |= self._take_voice_broke_off()
        if is_lost and not speech.interrupted and not self._is_over:
            self._apologise(is_refused=is_refused)

    def _on_sentence(self, speech: SpeechHandle) -> None:
        is_lost = self._take_voice_broke_off()
        is_lost |= speech is self._refusing and is_empty(speech.chat_items)
        # Only the last words cannot be interrupted; `agent.call.hang_up` handles those.
        is_lost &= speech.allow_interruptions
        if is_lost and not speech.interrupted and not self._is_over:
            self._apologise(is_refused=False)

    def _apologise(self, *, is_refused: bool) -> None:
        words = self._cut_off
        with contextlib.suppress(RuntimeError):  # the session has closed
            if is_refused:
                self._refusing = self._session.say(self._refusal)
            else:
                self._session.say(words.text, audio=words.frames())

    def _take_voice_broke_off(self) -> bool:
        """Whether the voice broke off in this speech: LiveKit does not say so on the speech."""
        broke_off, self._voice_broke_off = self._voice_broke_off, False
        return broke_off


def has_words(item: ChatItem) -> bool:
    """Whether this is something that the agent said."""
    said = item.text_content if isinstance(item, ChatMessage) and item.role == "assistant" else None
    return bool(said and is_speakable(said))


def is_empty(answer: Sequence[ChatItem]) -> bool:
    """Whether an answer left the caller in silence, unless a tool asked for no reply."""
    last = answer[-1] if answer else None
    if isinstance(last, FunctionCallOutput):
        return last.reply_required
    return last is None or not has_words(last)
