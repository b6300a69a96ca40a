"""The assistant: its instructions, its first words and its tools."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

from livekit import rtc
from livekit.agents import (
    Agent,
    APIError,
    ChatContext,
    ChatMessage,
    FlushSentinel,
    ModelSettings,
    RunContext,
    StopResponse,
    function_tool,
    llm,
    stt,
)

from agent.call.history.marked import Mark, extra_of, keep_turn, with_marked
from agent.call.history.record import Said
from agent.call.models.errors import ContentRefusedError
from agent.call.output.canned_prompts import CannedPrompt
from agent.call.reply.broken_answers import has_words
from agent.call.reply.greeting_prefetch import GreetingPrefetch
from agent.call.reply.reasoning import Reasoning
from agent.call.reply.refusals import Withheld
from agent.call.reply.spoken_form import in_spoken_form
from agent.call.reply.tool_limits import ToolLimits
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.group import INSTRUCTIONS as GROUP
from agent.call.voices.group import Group


class Assistant(Agent):
    """Greets as soon as the caller can hear it, converses, and can end the call."""

    def __init__(  # noqa: PLR0913  all that one call tells its agent
        self,
        *,
        instructions: str,
        greeting: str,
        goodbye: str,
        hang_up: Callable[[], None],
        turn_taking: TurnTaking,
        said_before: Sequence[Said] = (),
        greeting_prefetch: GreetingPrefetch | None = None,
        before_speech: Callable[[], Awaitable[None]] | None = None,
        metadata: Mapping[str, Any] = MappingProxyType({}),
        cannot_hear: Callable[[Exception], None] | None = None,
        tool_timeout_seconds: float = 30,
        group: Group | None = None,
    ) -> None:
        """`greeting_prefetch` has the greeting. `before_speech` returns when an answer may be
        heard. `goodbye` is said when the model hangs up without a word. `cannot_hear` is called
        when speech recognition has failed. `group`: everybody who is heard, if not only the caller.

        `said_before`: what another agent and this caller said before that agent died.
        `metadata`: the keys of the call's metadata that are not settings, for tools to read.
        """
        self._limited: dict[str, llm.Tool | llm.Toolset] = {}
        self.tool_limits = ToolLimits(lambda: self.session, tool_timeout_seconds)
        """It has to hear the session's changes of state (`agent.call.session_events`)."""
        prompt = f"{instructions}\n{GROUP}" if group else instructions
        super().__init__(instructions=prompt, chat_ctx=_history(said_before))
        self.metadata = metadata
        self._greeting = greeting
        self._greeting_prefetch = greeting_prefetch
        self._goodbye = goodbye
        self._hang_up = hang_up
        self._before_speech = before_speech
        self._cannot_hear = cannot_hear
        self._turn_taking = turn_taking
        self._group = group
        self._reasoning = Reasoning()
        self._withheld = Withheld()
        self._takes_over = bool(said_before)

    @property
    def tools(self) -> list[llm.Tool | llm.Toolset]:
        """Its tools, each with a time limit, so that none can keep the caller waiting for ever."""
        return [self._limited.setdefault(tool.id, self._limit(tool)) for tool in super().tools]

    def _limit(self, tool: llm.Tool | llm.Toolset) -> llm.Tool | llm.Toolset:
        if isinstance(tool, llm.FunctionTool | llm.RawFunctionTool):
            return self.tool_limits.limited(tool)
        return tool

    async def on_enter(self) -> None:
        self._turn_taking.begin()
        if self._takes_over:
            words = CannedPrompt.CUT_OFF
            self.session.say(words.text, audio=words.frames())
        else:
            self.session.say(self._greeting)

    async def llm_node(
        self, chat_ctx: ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterator[llm.ChatChunk | str | FlushSentinel]:
        """The model's answer without its reasoning. The model reads all that was said, marked
        utterances included, except what it has refused to answer."""
        sent = self._withheld.sendable(with_marked(chat_ctx, self.session.history))
        try:
            async with (
                aclosing(Agent.default.llm_node(self, sent, tools, model_settings)) as answer,
                aclosing(self._reasoning.without(answer)) as said,
            ):
                async for chunk in said:
                    yield chunk
        except ContentRefusedError:
            self._withheld.refused(sent)
            raise
        self._withheld.answered()

    async def tts_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncIterator[rtc.AudioFrame]:
        """The sound of a reply, once it may be heard.

        `build_session` has put the text into its spoken form already, and the transcript below
        too: screens and the history have the words that are heard.
        """
        prefetch, self._greeting_prefetch = self._greeting_prefetch, None
        speak = partial(Agent.default.tts_node, self, model_settings=model_settings)
        async for frame in prefetch.speak(text, speak) if prefetch else speak(text):
            if self._before_speech:
                await self._before_speech()
            yield frame

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterator[stt.SpeechEvent | str]:
        """What is heard. After any error but an `APIError`, LiveKit's session goes on, deaf."""
        if self._group:
            heard = self._group.hear(audio)
        else:
            heard = self._turn_taking.sift(Agent.default.stt_node(self, audio, model_settings))
        try:
            async with aclosing(heard):
                async for event in heard:
                    yield event
        except APIError:  # the session reports it
            raise
        except Exception as error:  # whatever it is, LiveKit's session would go on, deaf
            if self._cannot_hear:
                self._cannot_hear(error)
            raise

    def transcription_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncIterable[str]:
        return self._turn_taking.follow(in_spoken_form(text))

    async def on_user_turn_completed(self, turn_ctx: ChatContext, new_message: ChatMessage) -> None:
        text = new_message.text_content or ""
        text = self._group.unnamed(text) if self._group else text
        self._turn_taking.caller_said(text)
        if self._turn_taking.is_to_wait(text):
            keep_turn(self.session, new_message, Mark.HOLD)
            raise StopResponse

    @function_tool
    async def change_patience(
        self, context: RunContext[None], patience: Literal["aggressive", "balanced", "conservative"]
    ) -> str | None:
        """Choose how long you wait in a pause before you answer. Use it when the caller asks you
        not to cut in and to give them time (conservative), or to be quicker (aggressive)."""
        self._turn_taking.change(patience)
        # LiveKit asks for no answer to a tool without a result. That is right after spoken words;
        # without any, the caller would hear nothing.
        return None if await _spoken(context) else "done"

    @function_tool
    async def end_call(self, context: RunContext[None]) -> None:
        """End the call. Use it when the caller says goodbye or asks to hang up, and only after you
        have said goodbye yourself, in the same answer."""
        try:
            if not await _spoken(context):
                await self.session.say(self._goodbye)
        finally:
            self._hang_up()


def _history(said_before: Sequence[Said]) -> ChatContext:
    history = ChatContext.empty()
    for said in said_before:
        history.add_message(role=said.role, content=said.text, extra=extra_of(said.mark))
    return history


async def _spoken(context: RunContext[None]) -> bool:
    """Whether the answer that calls the tool has words; returns when they have been heard."""
    await context.wait_for_playout()
    return any(has_words(item) for item in context.speech_handle.chat_items)
