"""`make call`: as `python agent.py call`, with recorded people, at the running `make run`."""

import argparse
import asyncio
import os
import secrets
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from agent.caller import report
from agent.caller.calling import NotConnectedError, Plan, hold
from agent.caller.order import in_turn
from agent.caller.outcome import Exit, Expected, judge
from agent.caller.utterance import Utterance
from workbench.local import running
from workbench.local.calling.corpus import allison, austen, dickens, synthesised
from workbench.local.calling.word_errors import word_error_rate
from workbench.standins.engines.weights import EngineUnavailableError


def script() -> list[Utterance]:
    """What the caller says: human recordings, and one question whose answer can be checked."""
    recorded = [dickens()[5], dickens()[4], *austen()[1:2], *allison()[-2:-1]]
    return [*recorded, synthesised("What is seven plus five?")]


async def call(plan: Plan, wav: Path, show: Callable[[str], None]) -> int:
    """Hold the conversation, show it, write it; the exit code of `python agent.py call`."""
    said = script()
    held = await hold(plan, in_turn(said), show, lambda caller: caller.write_wav(wav))
    code = judge(held, Expected())
    for line in report.summary(held, len(said), Expected(), code):
        show(line)
    if pairs := [(turn.utterance.text, turn.heard_text) for turn in held.turns]:
        show(f"Words heard    {word_error_rate(pairs):.1%} word error rate")
    show(f"Recording      {wav} (left: you, right: the agent)")
    return code


def main() -> int:
    """Parse, find the running agent, call it."""
    parser = argparse.ArgumentParser(prog="make call", description=__doc__)
    parser.add_argument("--room", help="room to join (default: a fresh one)")
    parser.add_argument("--out", type=Path, help="stereo WAV to write (default: below calls/)")
    parser.add_argument("--metadata", default="", help="settings for this call, as JSON")
    running.add_argument(parser)
    arguments = parser.parse_args()
    room = arguments.room or f"call-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    wav = arguments.out or Path("calls") / f"{room}.wav"
    try:
        state = running.find(arguments.state)
        plan = Plan(state.access, room, state.agent_name, arguments.metadata)
        return asyncio.run(call(plan, wav, partial(print, flush=True)))
    except (running.NotRunningError, EngineUnavailableError) as error:
        print(error)
    except NotConnectedError:
        print("Could not join the room: is `make run` well?")
        return Exit.NOT_CONNECTED
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # LiveKit's native library aborts now and then while Python ends
