"""One call: join, wait for the caller, greet, converse; and every way a call can end."""

import asyncio
import logging
import time
from functools import partial

from livekit import rtc
from livekit.agents import JobContext

from agent.call.call_parts import CallParts
from agent.call.endings import Ending, count_as_failed
from agent.call.log_context import name_caller
from agent.call.people.joining import join
from agent.call.people.need import Need, ask_for_agent
from agent.call.recording.earlier_agent import complete_record
from agent.call.takeover.predecessor import GivesOver
from agent.call.takeover.protocol import Do
from agent.call.takeover.successor import TakesOver
from agent.room_names import Attribute
from agent.tasks import OwnedTask, Tasks, first_of

log = logging.getLogger(__name__)
START_SECONDS = 30


async def answer(job: JobContext) -> None:
    """Join the job's room, and leave the call to a task: a job's end waits up to 15 s for this."""
    try:
        await complete_record(job)
        call = Call(job, job.proc.userdata["parts"])
        if not job.is_fake_job():
            await join(job)
    except Exception as error:  # a fault of ours, too, must shut the job down
        if isinstance(error, rtc.ConnectError):
            log.error("could not join the room", extra={"error": str(error)})  # noqa: TRY400  one sentence, no stack
        else:
            log.exception("the call could not begin")
        if not job.is_fake_job():
            count_as_failed()
        job.shutdown(Ending.FAULT.value)
        return
    holding = OwnedTask(call.run(), name="call")

    async def finish(_reason: str) -> None:
        call.end(Ending.WORKER_STOPPED)
        await holding.result()

    job.add_shutdown_callback(finish)


class Call(CallParts):
    """A call in progress. Everything that ends it calls `end`; the first reason counts."""

    def end(self, ending: Ending) -> None:
        """End the call for this reason, unless it is ending already. A call that another agent has
        is not this one's to end."""
        if self._hands.is_waiting:
            ending = Ending.OTHER_AGENT
        if not self._ending.done():
            self._ending.set_result(ending)

    async def run(self) -> None:
        """Run the call to its end, then shut the job down."""
        started = time.monotonic()
        try:
            ending = await self._converse()
        except Exception:  # a fault of ours must still hang up
            log.exception("the call failed")
            ending = Ending.OTHER_AGENT if self._hands.is_waiting else Ending.FAULT
            self.end(ending)
        finally:
            self._presence.stop_waiting()
        try:
            await self._hang_up.step_out(ending)
            await self._hang_up.close_session(self._session, self._recorder.closes)
            goes_on = ending in (Ending.OTHER_AGENT, Ending.HANDED_OVER)
            self._recorder.end(None if goes_on else ending.code)
            await self._keeping.close()
            seconds = round(time.monotonic() - started, 1)
            log.info("call ended", extra={"ending": ending.value, "seconds": seconds})
            await self._hang_up.leave(ending)
        finally:
            self._job.shutdown(ending.value)

    async def _converse(self) -> Ending:
        if not await self._caller_came():
            return self._ending.result()
        began = time.monotonic()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._start()
        except Exception:  # of ours or of LiveKit: the caller hears an apology
            log.exception("the call could not start")
            self.end(Ending.FAULT)
        if self._hands.is_waiting:
            began -= await self._succeed()
        if not self._ending.done():
            log.info("call started")
        ending = await self._go_on(began)
        await self._hang_up.show_ending(ending)
        if await self._hang_up.say_goodbye(self._session, ending):
            self._recorder.handed_over()
        return ending

    async def _go_on(self, began: float) -> Ending:
        """Converse until there is a reason to end. `began`: when the call did, by the monotonic
        clock."""
        longest_seconds = self._agent.max_call_seconds - (time.monotonic() - began)
        loop = asyncio.get_running_loop()
        longest = loop.call_later(longest_seconds, self.end, Ending.TOO_LONG)
        try:
            async with Tasks() as tasks:
                tasks.start(self._silence.watch(), name="silence")
                tasks.start(self._late_formatting.run(), name="late formatting")
                if self._files:
                    tasks.start(self._files.follow(self._session), name="changed files")
                tasks.start(self._presence.check_caller(), name="caller's client")
                self._be_ready_to_hand_over()
                return await asyncio.shield(self._ending)
        finally:
            longest.cancel()

    async def _succeed(self) -> float:
        """Take the call over from another agent. Returns how long it has lasted, in seconds."""
        takes = TakesOver(self._job.room, self._presence.predecessor or "", self._hands)
        run = OwnedTask(takes.run(), name="taking over")
        async with run:
            await first_of(asyncio.shield(run.task), asyncio.shield(self._ending))
            outcome = run.task.result() if run.task.done() else Do.LEAVE
        if outcome is Do.ANSWER and takes.state:
            self._hands.take_over(takes.state, takes.clock_offset)
        elif outcome is Do.REPLACE:
            log.warning("the agent died that had the call: going on in its place")
            await complete_record(self._job)  # with what was said while this one waited
            await self._hands.replace()
        else:
            self.end(Ending.OTHER_AGENT)
            return 0.0
        if self._input:
            self._input.tap = self._keeping.hear
        await self._presence.show_caller()
        return takes.state.seconds if takes.state else 0.0

    def _be_ready_to_hand_over(self) -> None:
        if self._job.is_fake_job():
            return
        self._gives = GivesOver(
            self._job.room,
            self._agent.name,
            self._hands,
            self._ask_for_successor,
            self._agent.hand_over_seconds,
        )
        self._job.add_shutdown_callback(self._gives.aclose)
        self._hands.on_given = partial(self.end, Ending.HANDED_OVER)
        self._presence.on_must_hand_over = self._gives.begin
        self._presence.shares_room = lambda: self._gives.is_under_way
        if self._job.room.local_participant.attributes.get(Attribute.MUST_HAND_OVER):
            self._gives.begin()

    async def _ask_for_successor(self) -> None:
        room, api = self._job.room.name, self._job.api
        dispatches = await api.agent_dispatch.list_dispatch(room)
        await ask_for_agent(api, room, Need.to_answer(self._agent), dispatches)

    async def _caller_came(self) -> bool:
        """Wait for a caller. A console has no room, and the caller is there already."""
        if self._job.is_fake_job():
            self._recorder.begin()
            self._recorder.settings_refused(self._own.faults)
            return True
        self._presence.begin()
        await first_of(self._presence.caller_came(), asyncio.shield(self._ending))
        if self._presence.caller_identity is not None:
            name_caller(self._job, self._presence.caller_identity)
            if self._presence.predecessor:
                self._hands.wait()
                self._presence.shares_room = lambda: self._hands.is_waiting
                return not self._ending.done()
            self._recorder.begin()
            self._recorder.settings_refused(self._own.faults)
            self._keeping.begin_sound(self._recorder.clock.at_ms, self._recorder.emit)
        return not self._ending.done()
