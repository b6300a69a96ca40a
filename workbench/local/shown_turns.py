"""Shows the turns of calls in the terminal of `make run`, out of the worker's log: a line each."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from agent.call.turn_record.glance import glance
from agent.records.schema import Turn

LOOK_SECONDS = 0.3


def shown(line: str) -> str | None:
    """What a line of the log says of a call, to be read at a glance; None: nothing."""
    try:
        entry = json.loads(line)
        match entry["message"]:
            case "call started":
                return f"call in {entry['room']}"
            case "turn over":
                return f"  {glance(Turn.model_validate(entry['turn']))}"
            case "call ended":
                return f"  {entry['ending']}, after {entry['seconds']} s"
    except (ValueError, KeyError, TypeError, ValidationError):
        pass  # a line of another program, or of another version
    return None


async def show_turns(log: Path, say: Callable[[str], None]) -> None:
    """Say what calls do from now on, until cancelled."""
    with log.open() as file:
        file.seek(0, 2)
        begun = ""
        while True:
            for piece in file:
                begun += piece
                if begun.endswith("\n"):
                    if text := shown(begun):
                        say(text)
                    begun = ""
            await asyncio.sleep(LOOK_SECONDS)
