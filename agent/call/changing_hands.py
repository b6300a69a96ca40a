"""What of a call goes to another agent: taken from the rooms that have it, and given back to them.

`agent.call.takeover` decides when; a console has none of this.
"""

import asyncio
import inspect
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from livekit.agents import AgentSession, AgentStateChangedEvent, ChatContext, JobContext, vad
from livekit.agents.llm import ChatItem

from agent.call.agents import CallAgents
from agent.call.chat import Chat
from agent.call.history.record import Said
from agent.call.people.presence import Presence
from agent.call.recording.keeping import Keeping
from agent.call.silence import Silence
from agent.call.takeover.boundary import Facts, Voice, cut_of
from agent.call.takeover.state import CallState, UnreadableError, restored, take_talk
from agent.call.turn_record.recorder import CallRecorder
from agent.call.turns.turn_taking import TurnTaking
from agent.call.voices.vad_tap import TappedVAD
from agent.livekit_private import INSTRUCTIONS_ID, is_busy
from agent.records.schema import TookOver
from config.settings import Settings

log = logging.getLogger(__name__)

SETTLED_SECONDS = 0.15
"""How long no speech event has come: the last one is on its way to the session no more."""
HEARD_OUT_SECONDS = 0.3
"""How long the agent has been silent: the caller has heard the end of its words."""


@dataclass(eq=False)
class ChangingHands:
    """For one call: its `Giver` and its `Taker`."""

    job: JobContext
    settings: Settings
    session: AgentSession[None]
    presence: Presence
    keeping: Keeping
    recorder: CallRecorder
    turn_taking: TurnTaking
    silence: Silence
    agents: CallAgents | None = None
    chat: Chat | None = None
    on_given: Callable[[], None] = lambda: None
    """Called when the call is another agent's."""
    is_waiting: bool = False
    """Another agent has the call."""
    is_heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when speech recognition hears the caller."""
    _listens_since: float = float("inf")
    _own_items: list[ChatItem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._voice = Voice(time.time())
        if isinstance(self.session.vad, TappedVAD):
            self.session.vad.taps.append(self._on_voice)

    def on_agent_state_changed(self, event: AgentStateChangedEvent) -> None:
        """The agent begins or ceases to listen."""
        listens = event.new_state == "listening"
        self._listens_since = self._loop.time() if listens else float("inf")

    def on_recogniser_opened(self, _: object) -> None:
        """A session of speech recognition is open."""
        self.is_heard.set()

    def _on_voice(self, event: vad.VADEvent) -> None:
        is_result = event.type is vad.VADEventType.INFERENCE_DONE
        if is_result and event.probability >= self.settings.vad_threshold:
            self._voice.heard(time.time())

    @property
    def _parts(self) -> tuple[CallAgents, Chat, Any]:
        """The call's agents, its chat, and its first agent. Raises RuntimeError before they are
        there."""
        if self.agents is None or self.chat is None or self.agents.first is None:
            raise RuntimeError("the call has not begun")
        return self.agents, self.chat, self.agents.first

    # The one who gives the call up.

    def why_not(self) -> str:
        if self.settings.agent.hears == "everybody":
            return "the agent hears several people"
        if self.agents is None or self.agents.first is None:
            return "the call has not begun"
        return ""

    def facts(self) -> Facts:
        agents, now = self.agents, self._loop.time()
        if agents is None or self.chat is None:
            return Facts(agent_listens=False, caller_is_heard=True)
        consent = agents.consent
        return Facts(
            agent_listens=now - self._listens_since >= HEARD_OUT_SECONDS
            and not is_busy(self.session),
            caller_is_heard=agents.gated.gate.in_utterance
            or now - agents.gated.last_at < SETTLED_SECONDS
            or self.turn_taking.is_hearing,
            is_typing=self.chat.is_busy,
            is_deaf=self.silence.is_deaf,
            is_asking=consent is not None and consent.is_asking,
            is_restorable=self.session.current_agent is agents.first,
        )

    def quiet_seconds(self) -> float:
        return self._voice.quiet_seconds(time.time())

    def stop_hearing(self) -> None:
        if self.agents and self.chat:
            self.agents.gated.close()
            self.chat.hold()
            self.recorder.turns.settle()

    def hear_on(self) -> None:
        if self.agents and self.chat:
            self.agents.gated.open()
            self.chat.release()

    def state(self, number: int) -> CallState:
        agents, chat, first = self._parts
        now = time.time()
        application = first.call_state() if hasattr(first, "call_state") else None
        return CallState(
            number=number,
            sent_at=now,
            cut_at=cut_of(self._voice, agents.gated.gate.heard_until, now),
            caller=self.presence.caller_identity or "",
            seconds=self.recorder.clock.now_ms() / 1000,
            turns=self.recorder.turns.turn or 0,
            usage=self.recorder.used,
            talk=take_talk(first.chat_ctx, self.session.history, without=INSTRUCTIONS_ID),
            patience=self.turn_taking.take(),
            quiet=self.silence.take(),
            consent=self.keeping.answer,
            texts=list(chat.taken),
            application=application,
            record=self.keeping.name,
        )

    def gives_over(self, successor: str) -> None:
        log.info("another agent goes on with the call", extra={"agent": successor})
        self.recorder.give_over()
        self.on_given()

    # The one who takes it.

    def wait(self) -> None:
        """Another agent has the call: hear nothing, say nothing, write nothing down."""
        self.is_waiting = True
        self.recorder.mute()

    async def heard(self) -> None:
        await self.is_heard.wait()

    async def prepare(self, state: CallState) -> None:
        _, _, first = self._parts
        read, kept = restored(state.talk)
        if state.caller != self.presence.caller_identity:
            raise UnreadableError("the call state is of another caller")
        if state.application is not None and hasattr(first, "restore_call_state"):
            done = first.restore_call_state(state.application)
            if inspect.isawaitable(done):
                await done
        await self._set(read, kept)

    async def forget(self) -> None:
        await self._set(ChatContext.empty(), ChatContext.empty())

    async def _set(self, read: ChatContext, kept: ChatContext) -> None:
        _, _, first = self._parts
        history = self.session.history.items
        if not self._own_items:
            self._own_items = [*history]
        history[:] = [*kept.items, *self._own_items]
        await first.update_chat_ctx(read, exclude_invalid_function_calls=False)

    def take_over(self, state: CallState, clock_offset: float) -> None:
        """Answer the caller from now on. `clock_offset`: what the predecessor's clock is ahead."""
        agents, chat, _ = self._parts
        self.is_waiting = False
        under_way = max(0.0, time.time() - (state.sent_at - clock_offset))
        self.keeping.take_over(state.consent)
        line = TookOver(
            at_ms=0, job_id=self.job.job.id, worker=self.job.worker_id, version=state.version
        )
        self.recorder.take_over(state.seconds + under_way, state.turns, state.usage, line)
        self.keeping.begin_sound(self.recorder.clock.at_ms, self.recorder.emit)
        agents.tap = self.keeping.tap()
        agents.go_on()
        self.turn_taking.restore(state.patience)
        self.silence.restore(state.quiet)
        agents.gated.open(state.cut_at - clock_offset)
        chat.release(state.texts)

    async def replace(self) -> None:
        """Answer the caller in the place of an agent that died."""
        agents, chat, _ = self._parts
        self.is_waiting = False
        self.keeping.read_again()
        self.recorder.unmute()
        self.recorder.begin()
        self.keeping.begin_sound(self.recorder.clock.at_ms, self.recorder.emit)
        agents.tap = self.keeping.tap()
        said: list[Said] = self.keeping.said_before
        await agents.replace(said)
        agents.gated.open(time.time())
        chat.release()
