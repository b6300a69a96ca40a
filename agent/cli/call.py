"""`call`: calls the agent of any deployment, and says what it answered and how soon."""

import asyncio
import logging
import os
import secrets
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.faults import check_names, give_up
from agent.cli.token import the_project

if TYPE_CHECKING:
    from agent.caller.order import Order

Files = Annotated[
    list[Path] | None,
    typer.Argument(help="Recordings to say, one after the other; none: a question."),
]
Typed = Annotated[
    bool, typer.Option("--text", help="Converse in writing, line by line from the input.")
]
Expect = Annotated[
    list[str] | None, typer.Option(help="Words that the agent has to say; may be repeated.")
]
Within = Annotated[
    float | None, typer.Option(min=0, help="Seconds within which each answer has to begin.")
]
Phone = Annotated[
    bool, typer.Option("--phone", help="Speak as over a telephone: 300 to 3400 Hz, some loss.")
]
Out = Annotated[Path | None, typer.Option(help="WAV file for what the agent said.")]
Room = Annotated[str, typer.Option(help="Name of the room; none: a new one.")]
Agent = Annotated[str | None, typer.Option(help="Name of the agent to ask for; none: AGENT_NAME.")]
Metadata = Annotated[str, typer.Option(help="The call's own settings, as JSON.")]
Json = Annotated[bool, typer.Option("--json", help="Print the call as one JSON object.")]


def call(  # noqa: PLR0913  each option of the command
    files: Files = None,
    *,
    text: Typed = False,
    expect: Expect = None,
    within: Within = None,
    phone: Phone = False,
    out: Out = None,
    room: Room = "",
    agent: Agent = None,
    metadata: Metadata = "",
    json: Json = False,
) -> None:
    """Call the agent, speak, and show the conversation with its times.

    It needs the three LIVEKIT_ settings, and a worker that runs anywhere. The exit code is 0 if the
    agent answered everything, as expected and in time; docs/troubleshooting.md has the others.
    """
    from agent.caller.access import Access
    from agent.caller.calling import Plan
    from agent.caller.order import Order
    from agent.caller.outcome import Exit, Expected

    if text and (files or phone):
        give_up("--text has no voice: leave out the recordings and --phone.", code=Exit.USAGE)
    check_names(room=room, agent=agent or "")
    project = the_project()
    name = project.agent_name if agent is None else agent
    where = room or f"call-{secrets.token_hex(4)}"
    plan = Plan(Access.of(project.livekit), where, name, metadata, typed=text)
    expected = Expected(tuple(expect or ()), within)
    code = _carried_out(Order(plan, tuple(files or ()), phone, expected, out, json))
    # All is printed and written. LiveKit's native library aborts now and then while Python ends:
    # a pipeline would read -6 in place of this code.
    os._exit(code)


def _carried_out(order: "Order") -> int:
    """The exit code of the call. What keeps it from being held ends the program in a sentence."""
    from agent.caller.calling import NotConnectedError
    from agent.caller.order import carry_out
    from agent.caller.outcome import Exit
    from agent.caller.recording import RecordingError

    logging.disable(logging.CRITICAL)  # what libraries say is in the outcome, in our words
    warnings.simplefilter("ignore")
    try:
        return asyncio.run(carry_out(order, _show, _read_line))
    except RecordingError as error:
        give_up(str(error), code=Exit.USAGE)
    except NotConnectedError:
        give_up(
            f"LiveKit at {order.plan.access.url} cannot be reached, or lets nobody in: "
            "`python agent.py doctor` says why.",
            code=Exit.NOT_CONNECTED,
        )


def _show(line: str) -> None:
    print(line, flush=True)


def _read_line() -> str:
    """The next line of the input; a terminal is asked for it."""
    if sys.stdin.isatty():
        print("> ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()
