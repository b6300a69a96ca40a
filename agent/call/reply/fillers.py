"""Says "one moment" when an answer is late, once a turn.

A slow model, a running tool and a slow voice all sound the same to the caller: silence. The answer
will fill the session's queue, so the filler is played on a track of its own. It appears in no
transcript and no history, and delays an answer by no more than its own length.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum, auto

from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    ChatMessage,
    CloseEvent,
    ConversationItemAddedEvent,
    SpeechCreatedEvent,
    UserStateChangedEvent,
)
from livekit.agents.voice import SpeechHandle

from agent.call.history.marked import mark_of
from agent.call.output.canned_prompts import CannedPrompt
from agent.call.output.side_track import SideTrack
from agent.tasks import Tasks
from config.behaviour import AgentSettings

log = logging.getLogger(__name__)

# An answer waits no longer than this for a filler to end: the page may not even subscribe to it.
LONGEST_WAIT_SECONDS = 3.0


class State(Enum):
    """Where a filler is.

    QUIET --speech owed--> PATIENT --the delay--> PLAYING --its end, or the speech--> SAID
    PATIENT --the speech, or the session's close--> QUIET
    PLAYING --the speech, in a new turn--> QUIET
    PLAYING --its end, in a new turn--> PATIENT
    SAID --the next turn--> QUIET
    SAID --the next turn, with speech owed--> PATIENT
    """

    QUIET = auto()
    PATIENT = auto()
    PLAYING = auto()
    SAID = auto()


class Fillers:
    """Plays a filler when an answer, or a sentence that our code has the agent say, is late by
    `delay_seconds`.

    `play` returns when the filler has been heard, and falls silent when cancelled. The caller's
    voice and the agent's voice end both the wait and the filler.
    """

    def __init__(
        self,
        session: AgentSession[None],
        *,
        delay_seconds: float,
        play: Callable[[], Awaitable[None]],
    ) -> None:
        self._session = session
        self._delay_seconds = delay_seconds
        self._play = play
        self.on_filler: Callable[[], None] = lambda: None
        """Called each time that a filler begins."""
        self._state = State.QUIET
        self._task: asyncio.Task[None] | None = None
        self._tasks = Tasks()
        self._is_new_turn = False
        """Whether the caller has spoken since the current filler began."""
        self._sentences: set[SpeechHandle] = set()
        """Sentences that our code has the agent say. The session is not "thinking" while they wait
        for the voice."""

    async def make_way(self) -> None:
        """The answer has come: return as soon as it may be heard."""
        match self._state:
            case State.PATIENT:
                self._stop()
            case State.PLAYING if self._task:
                await asyncio.wait([self._task], timeout=LONGEST_WAIT_SECONDS)
                if self._state is State.PLAYING:
                    self._stop()

    def _update(self) -> None:
        spoken = "speaking" in (self._session.agent_state, self._session.user_state)
        thinks = self._session.agent_state == "thinking"
        owed = (thinks or bool(self._sentences)) and not spoken
        match self._state:
            case State.QUIET if owed:
                self._state = State.PATIENT
                self._task = self._tasks.start(self._fill(), name="filler")
            case State.PATIENT if not owed:
                self._stop()
            case State.PLAYING if spoken:
                self._stop()

    async def aclose(self) -> None:
        """Play no more."""
        self._stop()
        await self._tasks.aclose()

    def on_state_changed(self, _: AgentStateChangedEvent | UserStateChangedEvent) -> None:
        """The agent or the caller began or ceased to speak, or the agent to think."""
        self._update()

    def on_close(self, _: CloseEvent) -> None:
        self._stop()

    def on_item_added(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if isinstance(item, ChatMessage) and item.role == "user" and not mark_of(item):
            self._is_new_turn = True
            if self._state is State.SAID:
                self._state = State.QUIET
            self._update()

    def on_speech_created(self, event: SpeechCreatedEvent) -> None:
        if event.source == "say":
            self._sentences.add(event.speech_handle)
            event.speech_handle.add_done_callback(self._on_sentence_done)
            self._update()

    def _on_sentence_done(self, sentence: SpeechHandle) -> None:
        self._sentences.discard(sentence)
        self._update()

    def _end(self) -> None:
        """The filler has ended. The next one has to wait for the next turn, if none has begun."""
        self._state = State.QUIET if self._is_new_turn else State.SAID

    def _stop(self) -> None:
        if self._task:
            self._task.cancel()
        if self._state is State.PLAYING:
            self._end()
        else:
            self._state = State.QUIET

    async def _fill(self) -> None:
        await asyncio.sleep(self._delay_seconds)
        self._state = State.PLAYING
        self._is_new_turn = False
        self.on_filler()
        try:
            await self._play()
        except Exception:  # a closing room may raise anything, and a filler must not end a call
            log.exception("the filler could not be played")
        self._end()
        self._update()


def fillers_on(track: SideTrack, session: AgentSession[None], agent: AgentSettings) -> Fillers:
    """Plays "one moment" on this track."""
    words = CannedPrompt.ONE_MOMENT.recorded(agent.language)
    return Fillers(
        session,
        delay_seconds=agent.filler_seconds,
        play=lambda: track.play(words.frames()),
    )
