"""What a call adds to each agent that its session is given: the first one, and all after hand-offs.

LiveKit's session asks its agent for speech events, answers, sound and transcripts by calling its
methods, the nodes. A call wraps these on each agent before the session uses them, so any
`livekit.agents.Agent` has barge-in, dictation, tool limits and the call's own tools.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from livekit import rtc
from livekit.agents import (
    Agent,
    AgentHandoff,
    AgentSession,
    APIError,
    ChatContext,
    ChatMessage,
    ConversationItemAddedEvent,
    ModelSettings,
    StopResponse,
    llm,
    stt,
)

from agent.call.call_tools import CallTools
from agent.call.consent import Consent
from agent.call.history.marked import Mark, extra_of, keep_turn, with_marked
from agent.call.history.record import Said
from agent.call.models.errors import ContentRefusedError
from agent.call.output.canned_prompts import CannedPrompt
from agent.call.recording.recorder import Tap
from agent.call.reply.greeting_prefetch import GreetingPrefetch
from agent.call.reply.pieces import each_of, has_begun
from agent.call.reply.reasoning import Reasoning
from agent.call.reply.refusals import Withheld
from agent.call.reply.spoken_form import in_spoken_form
from agent.call.takeover.gate import Gate
from agent.call.takeover.gated_events import GatedEvents
from agent.call.turn_record.hooks import listen
from agent.call.turn_record.recorder import CallRecorder
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.group import INSTRUCTIONS as GROUP
from agent.call.voices.group import Group
from config.languages import Language


@dataclass(eq=False)
class CallAgents:
    """The agents of one call. It has to hear the session's new items (`session_events`): LiveKit
    announces each hand-off, the first agent too, before it calls anything of the new agent."""

    session: AgentSession[Any]
    turn_taking: TurnTaking
    tools: CallTools
    greeting: str = ""
    """What the caller hears first, before the first agent's `on_enter`. Empty: nothing."""
    greeting_prefetch: GreetingPrefetch | None = None
    """Has the greeting's sound."""
    gated: GatedEvents = field(default_factory=lambda: GatedEvents(Gate()))
    """Holds the caller's events back while another agent has the call."""
    waits: bool = False
    """Another agent answers the caller until `go_on` or `replace`."""
    said_before: Sequence[Said] = ()
    """What another agent and this caller said before that agent died. Then nobody is greeted."""
    before_speech: Callable[[], Awaitable[None]] | None = None
    """Returns when an answer may be heard."""
    cannot_hear: Callable[[Exception], None] | None = None
    """Called when speech recognition has failed: LiveKit's session would go on, deaf."""
    group: Group | None = None
    """Everybody who is heard, if not only the caller."""
    tap: Tap | None = None
    """Learns what is heard of the agent."""
    consent: Consent | None = None
    """Asks first whether the call may be recorded."""
    recorder: CallRecorder = field(default_factory=CallRecorder)
    language: Language = "en"
    """That of the recorded sentences."""
    first: Agent | None = None
    """The first agent of the session, when it is there."""
    _enter: Callable[[], Awaitable[None]] | None = None
    _since: WeakKeyDictionary[Agent, float] = field(default_factory=WeakKeyDictionary)
    """When each agent came, as wall time in seconds."""
    _reasoning: Reasoning = field(default_factory=Reasoning)
    _withheld: Withheld = field(default_factory=Withheld)

    def on_item_added(self, event: ConversationItemAddedEvent) -> None:
        """An agent comes, or comes back after a task."""
        if self.consent:
            self.consent.on_item_added(event)
        agent = self.session.current_agent
        if isinstance(event.item, AgentHandoff) and agent not in self._since:
            is_first = event.item.old_agent_id is None
            self._since[agent] = 0.0 if is_first else event.item.created_at
            nodes = _Nodes(self, agent)
            if is_first:
                self.first, self._enter = agent, nodes.enter
            vars(agent).update(
                stt_node=nodes.stt_node,
                llm_node=nodes.llm_node,
                tts_node=nodes.tts_node,
                transcription_node=nodes.transcription_node,
                on_user_turn_completed=nodes.on_user_turn_completed,
                update_tools=nodes.update_tools,
                on_enter=nodes.on_first_enter if is_first else nodes.on_enter,
            )

    async def offer(self, tools: Sequence[llm.Tool]) -> None:
        """Give all agents these tools of a server, in place of those that it had before."""
        self.tools.serve(tools)
        for agent in [*self._since]:
            await agent.update_tools(agent.tools)

    def go_on(self) -> None:
        """The call is this agent's: everything is set as the predecessor had it."""
        self.waits = False
        listen(self.recorder, self.session, self.turn_taking, self.tools)
        self.turn_taking.begin(self.tap)

    async def replace(self, said_before: Sequence[Said]) -> None:
        """The predecessor has died: begin as an agent does that replaces one."""
        self.said_before = said_before
        if self._enter:
            await self._enter()

    async def begin(self, agent: Agent) -> None:
        """The first agent of the call is there: greet, or go on where another one died."""
        self.go_on()
        if self.said_before:
            history = agent.chat_ctx.copy()
            for said in self.said_before:
                history.add_message(role=said.role, content=said.text, extra=extra_of(said.mark))
            await agent.update_chat_ctx(history)
            words = CannedPrompt.CUT_OFF.recorded(self.language)
            self.session.say(words.text, audio=words.frames())
        elif self.consent:
            self.recorder.greets()
            self.consent.ask(self._greet)
        else:
            self._greet()

    def _greet(self) -> None:
        if self.greeting:
            self.recorder.greets()
            self.session.say(self.greeting)

    def to_send(self, agent: Agent, chat_ctx: ChatContext) -> ChatContext:
        """What the model reads: all that was said since the agent came, marked utterances included,
        except what the model has refused to answer."""
        since = self._since[agent]
        items = [each for each in self.session.history.items if each.created_at >= since]
        return self._withheld.sendable(with_marked(chat_ctx, ChatContext(items)))

    async def answer(self, sent: ChatContext, chunks: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
        """The model's answer to what was sent, without its reasoning."""
        try:
            async with aclosing(chunks), aclosing(self._reasoning.without(chunks)) as said:
                async for chunk in said:
                    yield chunk
        except ContentRefusedError:
            self._withheld.refused(sent)
            raise
        self._withheld.answered()

    def take_greeting(self) -> GreetingPrefetch | None:
        """The greeting's sound, for the first speech; None ever after."""
        prefetch, self.greeting_prefetch = self.greeting_prefetch, None
        return prefetch

    def take_turn(self, turn: ChatMessage) -> None:
        """A turn of the caller is over. Raises StopResponse if it only asks the agent to wait, or
        only says whether the call may be recorded."""
        text = turn.text_content or ""
        text = self.group.unnamed(text) if self.group else text
        if self.consent and self.consent.take(text):
            keep_turn(self.session, turn, Mark.CONSENT)
            raise StopResponse
        self.turn_taking.caller_said(text)
        if self.turn_taking.is_to_wait(text):
            keep_turn(self.session, turn, Mark.HOLD)
            raise StopResponse


class _Nodes:
    """One agent's nodes, each around the agent's own."""

    def __init__(self, call: CallAgents, agent: Agent) -> None:
        self._call = call
        self._agent = agent
        self._stt, self._llm, self._tts = agent.stt_node, agent.llm_node, agent.tts_node
        self._transcription = agent.transcription_node
        self._on_enter, self._turn_completed = agent.on_enter, agent.on_user_turn_completed
        self._update_tools = agent.update_tools

    async def on_first_enter(self) -> None:
        await self._prepare()
        if not self._call.waits:
            await self.enter()

    async def enter(self) -> None:
        await self._call.begin(self._agent)
        await self._on_enter()

    async def on_enter(self) -> None:
        await self._prepare()
        await self._on_enter()

    async def _prepare(self) -> None:
        await self.update_tools(self._agent.tools)
        if self._call.group:
            told = self._agent.instructions
            told = told if isinstance(told, str) else told.render(modality="audio")
            await self._agent.update_instructions(f"{told}\n{GROUP}")

    async def update_tools(self, tools: list[llm.Tool | llm.Toolset]) -> None:
        await self._update_tools(self._call.tools.with_own(tools))

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], settings: ModelSettings
    ) -> AsyncGenerator[stt.SpeechEvent]:
        if self._call.group:
            heard = self._call.group.hear(audio)
        else:
            events = self._call.gated.sift(each_of(self._stt(audio, settings)))
            heard = self._call.turn_taking.sift(events)
        try:
            async with aclosing(heard):
                async for event in heard:
                    self._call.recorder.hear(event)
                    yield event
        except APIError:  # the session reports it
            raise
        except Exception as error:  # whatever it is, LiveKit's session would go on, deaf
            if self._call.cannot_hear:
                self._call.cannot_hear(error)
            raise

    async def llm_node(
        self, chat_ctx: ChatContext, tools: list[llm.Tool], settings: ModelSettings
    ) -> AsyncGenerator[Any]:
        self._call.recorder.asked()
        sent = self._call.to_send(self._agent, chat_ctx)
        chunks = each_of(self._llm(sent, tools, settings))
        async with aclosing(self._call.answer(sent, chunks)) as answer:
            is_first = True
            async for chunk in answer:
                if is_first and has_begun(chunk):
                    is_first = False
                    self._call.recorder.first_token()
                yield chunk

    async def tts_node(
        self, text: AsyncIterable[str], settings: ModelSettings
    ) -> AsyncGenerator[rtc.AudioFrame]:
        """`build_session` has put the text into its spoken form already, and the transcript below
        too: screens and the history have the words that are heard."""
        prefetch = self._call.take_greeting()

        def speak(words: AsyncIterable[str]) -> AsyncGenerator[rtc.AudioFrame]:
            return each_of(self._tts(words, settings))

        is_first = True
        async for frame in prefetch.speak(text, speak) if prefetch else speak(text):
            if is_first:
                is_first = False
                self._call.recorder.first_audio()
            if self._call.before_speech:
                await self._call.before_speech()
            yield frame

    def transcription_node(
        self, text: AsyncIterable[str], settings: ModelSettings
    ) -> AsyncIterable[str]:
        shown = self._transcription(in_spoken_form(text), settings)
        return self._call.turn_taking.follow(each_of(shown))

    async def on_user_turn_completed(self, turn_ctx: ChatContext, new_message: ChatMessage) -> None:
        self._call.recorder.committed()
        try:
            self._call.take_turn(new_message)
            await self._turn_completed(turn_ctx, new_message)
        except BaseException:  # LiveKit asks for no reply
            self._call.recorder.unanswered()
            raise
