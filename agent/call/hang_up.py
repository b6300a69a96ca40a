"""How a call ends for its caller: the reason shown, the last words, a handover, the hang-up."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from livekit import api, rtc
from livekit.agents import AgentSession, JobContext
from livekit.agents.voice import SpeechHandle

from agent.call.endings import Ending
from agent.call.handover import hand_over, hook_for
from agent.call.output.canned_prompts import CannedPrompt, Recorded
from agent.call.people.need import Need, fill
from agent.call.people.participants import may_speak
from agent.call.people.presence import Presence
from agent.call.reply.broken_answers import has_words
from agent.room_names import Attribute
from config.behaviour import AgentSettings

log = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 15
SERVER_SECONDS = 5


class HangUp:
    """The end of one call, step by step. Each step has a time limit, whatever has failed before."""

    def __init__(self, job: JobContext, agent: AgentSettings, presence: Presence) -> None:
        self._job = job
        self._agent = agent
        self._presence = presence
        self._has_handed_over = False
        self._has_stepped_out = False

    async def show_ending(self, ending: Ending) -> None:
        """Show pages why the agent ends the call, before it says its last words."""
        is_shown = ending.hangs_up or ending is Ending.WORKER_STOPPED
        if is_shown and self._is_in_room:
            attributes: dict[str, str] = {Attribute.ENDING: ending.code}
            async with _forgiven("could not show why the call ends"):
                await self._room.local_participant.set_attributes(attributes)

    async def say_goodbye(self, session: AgentSession[None], ending: Ending) -> bool:
        """Hand the caller over, or else say the last words. Returns whether a person took over."""
        if ending.wants_person and self._is_in_room and await self._hand_over(session, ending):
            self._has_handed_over = True
        elif ending.needs_apology:
            absences = self._presence.absences
            await self._say(session, self._recorded(CannedPrompt.APOLOGY))
            if self._presence.absences > absences:  # the caller missed a part of it
                await self._say(session, self._recorded(CannedPrompt.APOLOGY))
        elif ending in (Ending.CALLER_SILENT, Ending.TOO_LONG):
            is_heard = await self._say(session, self._agent.goodbye)
            if not is_heard:  # the voice is down
                await self._say(session, self._recorded(CannedPrompt.APOLOGY))
        return self._has_handed_over

    async def step_out(self, ending: Ending) -> None:
        """Leave at once, if another caller may follow: they must not take this agent for theirs.

        Call `leave` after the record is closed: the next agent would go on with an open one. A dead
        caller whom the server still lists is removed, so that the next agent does not serve them.
        """
        if not self._is_in_room:
            return
        if ending is Ending.HANDED_OVER:  # the caller is another agent's
            async with _forgiven("could not leave the room"):
                await self._room.disconnect()
            return
        if not ending.frees_the_room:
            return
        self._has_stepped_out = True
        if self._presence.is_caller_dead:
            async with _forgiven("could not take a dead client out of the room"):
                identity = self._presence.caller_identity or ""
                await self._job.api.room.remove_participant(
                    api.RoomParticipantIdentity(room=self._room.name, identity=identity)
                )
        async with _forgiven("could not leave the room"):
            await self._room.disconnect()

    async def leave(self, ending: Ending) -> None:
        """Do with the room what follows from this reason."""
        if ending.hangs_up:
            await self.close_room()
        elif self._has_stepped_out:
            await self._ask_for_another()

    async def close_session(
        self, session: AgentSession[None], tell: Callable[[], None] = lambda: None
    ) -> None:
        """Close the session: AssemblyAI says only then what it bills. `tell` is called before, as
        the session takes a turn that is still open for a whole one."""
        tell()
        async with _forgiven("could not close the session"):
            await session.aclose()

    async def close_room(self) -> None:
        """Close the room, unless other people are in it or the caller was handed over."""
        if not self._is_in_room:
            return
        caller = self._presence.caller_identity
        others = self._room.remote_participants.values()
        if self._has_handed_over or any(
            may_speak(each) for each in others if each.identity != caller
        ):
            async with _forgiven("could not delete the requests for an agent"):
                await self._take_requests_back()
        else:
            async with _forgiven("could not hang up"):
                await self._job.delete_room()

    async def _ask_for_another(self) -> None:
        """Have another agent sent if somebody waits in the room."""
        room, need = self._room.name, Need.to_answer(self._agent)
        async with _forgiven("could not ask for an agent for the next caller"):
            with contextlib.suppress(api.TwirpError):  # the room has closed, most likely
                if await fill(self._job.api, room, need, self._job.job.dispatch_id):
                    log.info("asked for another agent for the next caller")

    async def _take_requests_back(self) -> None:
        """Delete the requests for an agent: nobody in the room waits for another one."""
        requests, room = self._job.api.agent_dispatch, self._room.name
        for each in await requests.list_dispatch(room):
            if each.agent_name == self._agent.name:
                await requests.delete_dispatch(each.id, room)

    async def _hand_over(self, session: AgentSession[None], ending: Ending) -> bool:
        caller = self._room.remote_participants.get(self._presence.caller_identity or "")
        hook = hook_for(self._agent.hand_over_to, caller.kind) if caller else None
        if not caller or not hook:
            return False
        session.input.set_audio_enabled(False)  # the agent hears nothing from here on
        await self._say(session, self._recorded(CannedPrompt.PUT_THROUGH))
        return await hand_over(hook, self._job, caller.identity, ending.code)

    async def _say(self, session: AgentSession[None], words: Recorded | str) -> bool:
        """Say this. Returns whether it was heard within the time limit."""
        with contextlib.suppress(TimeoutError, RuntimeError):  # the session has closed by itself
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                speech = await _begin(session, words)
                await speech.wait_for_playout()
                return any(map(has_words, speech.chat_items))
        return False

    def _recorded(self, prompt: CannedPrompt) -> Recorded:
        return prompt.recorded(self._agent.language)

    @property
    def _room(self) -> rtc.Room:
        return self._job.room

    @property
    def _is_in_room(self) -> bool:
        return not self._job.is_fake_job() and self._room.isconnected()


@contextlib.asynccontextmanager
async def _forgiven(what: str) -> AsyncIterator[None]:
    """Log a step that fails or takes too long, so that the next steps still happen."""
    try:
        async with asyncio.timeout(SERVER_SECONDS):
            yield
    except Exception as error:  # LiveKit's library may raise anything in a closing room
        log.warning(what, extra={"error": str(error)})


async def _begin(session: AgentSession[None], words: Recorded | str) -> SpeechHandle:
    if not isinstance(words, Recorded):
        return session.say(words, allow_interruptions=False)
    await session.interrupt(force=True)
    return session.say(words.text, audio=words.frames(), allow_interruptions=False)
