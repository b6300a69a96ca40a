"""`python -m workbench.bench.burst.callers`: callers over WebRTC, in a process of their own.

The address of the LiveKit server and its key come from LIVEKIT_URL, LIVEKIT_API_KEY and
LIVEKIT_API_SECRET. At the end it prints one line of JSON.
"""

import asyncio
import contextlib
import json
import logging
import os
import sys
from dataclasses import asdict

from agent.caller.access import Access
from agent.caller.caller import CallEndedError, Caller
from agent.caller.waiting import WaitedTooLongError
from agent.loop_lag import Lag, LoopTimer
from workbench.arguments import command, positive
from workbench.bench.burst.lines import LINES, CallerTold, Told
from workbench.bench.latency.dialogue import Line, say

GREETING_SECONDS = 30.0
REPLY_SECONDS = 12.0
NICE = -5
"""The callers' share of the machine is not what is measured."""
_WORDS_SECONDS = 0.3
"""The last words of a turn may be published after its reply has begun."""


async def call(access: Access, room: str, agent_name: str, turns: int) -> CallerTold:
    """Join, hear the greeting, say the lines, and hear the replies out."""
    async with Caller.join(access, room, f"caller of {room}", agent_name) as caller:
        try:
            greeting = await caller.hear_reply(
                after_seconds=0, timeout_seconds=GREETING_SECONDS, longest_seconds=REPLY_SECONDS
            )
        except (WaitedTooLongError, CallEndedError):
            return CallerTold(None, caller.was_told_to_wait)
        if caller.was_told_to_wait:  # that is what was heard
            return CallerTold(None, told_to_wait=True)
        lines = [await _told(caller, line) for line in (LINES * turns)[:turns]]
        greeted = greeting.start_seconds - caller.joined_seconds
        return CallerTold(greeted, caller.was_told_to_wait, tuple(lines))


async def _told(caller: Caller, line: Line) -> Told:
    said, before = say(line), len(caller.transcript.segments)
    spoken = await caller.say(said.samples)
    ended = spoken.start_seconds + said.end_seconds
    reply = None
    with contextlib.suppress(WaitedTooLongError, CallEndedError):
        reply = await caller.hear_reply(
            after_seconds=ended, timeout_seconds=REPLY_SECONDS, longest_seconds=REPLY_SECONDS
        )
    await asyncio.sleep(_WORDS_SECONDS)
    heard = tuple(
        each.text for each in caller.transcript.segments[before:] if each.speaker == caller.identity
    )
    return Told(line.text, reply.latency_ms / 1000 if reply else None, heard)


async def burst(access: Access, name: str, callers: int, within: float, turns: int) -> None:
    """So many, evenly over `within` seconds; print what became of them."""
    worst = 0.0

    def note(lag: Lag) -> None:
        nonlocal worst
        worst = max(worst, lag.worst)

    async def later(number: int) -> CallerTold:
        await asyncio.sleep(within * number / max(1, callers - 1))
        return await call(access, f"{name}-{callers}-{number}", name, turns)

    timer = LoopTimer(note)
    told = await asyncio.gather(*(later(number) for number in range(callers)))
    timer.stop()
    print(json.dumps({"calls": [asdict(each) for each in told], "late_seconds": worst}))


def main() -> int:
    """The exit status."""
    parser = command("workbench.bench.burst.callers", __doc__)
    parser.add_argument("--agent", required=False, default="burst", help="the agent's name")
    parser.add_argument("--callers", type=positive, default=6, help="how many")
    parser.add_argument("--within", type=float, default=5.0, help="seconds in which they come")
    parser.add_argument("--turns", type=positive, default=len(LINES), help="of each caller")
    options = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    with contextlib.suppress(PermissionError):
        os.nice(NICE)
    for line in LINES:
        say(line)
    names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    access = Access(*(os.environ[name] for name in names))
    asyncio.run(burst(access, options.agent, options.callers, options.within, options.turns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
