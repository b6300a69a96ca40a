"""`make call`: a spoken conversation with the agent of the running `make run`, with its figures."""

import argparse
import asyncio
import secrets
import statistics
import sys
import time
from pathlib import Path

from livekit import rtc
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.caller.caller import CallEndedError, Caller
from agent.caller.conversation import Turn, greeting, take_turn
from agent.caller.waiting import WaitedTooLongError
from workbench.local import running
from workbench.local.calling.corpus import Utterance, allison, austen, dickens, synthesised
from workbench.local.calling.word_errors import word_error_rate
from workbench.standins.engines.weights import EngineUnavailableError

_GREETING_SECONDS = 30.0
_REPLY_SECONDS = 20.0


def script() -> list[Utterance]:
    """What the caller says: human recordings, and one question whose answer can be checked."""
    recorded = [dickens()[5], dickens()[4], *austen()[1:2], *allison()[-2:-1]]
    return [*recorded, synthesised("What is seven plus five?")]


async def call(
    state: running.State, room: str, wav: Path, console: Console, metadata: str = ""
) -> int:
    """Hold the conversation, print it, write it; 0 only if the agent answered every turn."""
    turns: list[Turn] = []
    said = script()
    async with Caller.join(
        state.access, room, "caller", state.agent_name, metadata=metadata
    ) as caller:
        try:
            first, words = await greeting(caller, timeout_seconds=_GREETING_SECONDS)
            _show(console, "agent", words, f"{first.start_seconds:.1f} s after joining")
            for utterance in said:
                turn = await take_turn(caller, utterance, timeout_seconds=_REPLY_SECONDS)
                turns.append(turn)
                _show_turn(console, turn)
                if turn.fault:
                    break
        except (WaitedTooLongError, CallEndedError) as error:
            console.print(f"No greeting: {error}.", style="red", markup=False)
        finally:
            caller.write_wav(wav)
    _sum_up(console, turns, len(said), wav)
    return 0 if len(turns) == len(said) and not any(turn.fault for turn in turns) else 1


def _show_turn(console: Console, turn: Turn) -> None:
    _show(console, "you", turn.utterance.text, turn.utterance.source.split(",")[0])
    _show(console, "heard as", turn.heard_text or "(nothing)", "", style="dim")
    if turn.reply:
        _show(console, "agent", turn.reply_text, f"{turn.reply.latency_ms:.0f} ms")
    else:
        _show(console, "agent", f"(no answer: {turn.fault})", "", style="red")


def _show(console: Console, who: str, text: str, note: str, *, style: str = "") -> None:
    line = Table.grid(padding=(0, 2), expand=console.is_terminal)
    line.add_column(width=8, justify="right", style="bold")
    line.add_column(ratio=1, style=style)
    line.add_column(justify="right", style="cyan", no_wrap=True)
    line.add_row(who, Text(text), Text(note))  # what is said may look like markup
    console.print(line)


def _sum_up(console: Console, turns: list[Turn], planned: int, wav: Path) -> None:
    console.print()
    latencies = [turn.reply.latency_ms for turn in turns if turn.reply]
    console.print(f"Answered       {len(latencies)} of {planned} turns")
    if latencies:
        console.print(
            f"Answer begins  {statistics.median(latencies):.0f} ms after the end of speech"
            f" (median; the slowest {max(latencies):.0f} ms)"
        )
        pairs = [(turn.utterance.text, turn.heard_text) for turn in turns]
        console.print(f"Words heard    {word_error_rate(pairs):.1%} word error rate")
    console.print(f"Recording      {wav} (left: you, right: the agent)", soft_wrap=True)


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
    console = Console(highlight=False)
    try:
        state = running.find(arguments.state)
        return asyncio.run(call(state, room, wav, console, arguments.metadata))
    except (running.NotRunningError, EngineUnavailableError) as error:
        console.print(str(error), soft_wrap=True)
    except (rtc.ConnectError, TimeoutError) as error:
        console.print(f"Could not join the room: {error}", soft_wrap=True)
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
