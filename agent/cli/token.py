"""`token`: lets a browser or a program call the agent of your LiveKit project."""

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.faults import USAGE, check_names, give_up
from config.load import SettingsError
from config.project import Project, load_project

if TYPE_CHECKING:
    from agent.playground.invitation import Invitation

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST_TTL = timedelta(days=365)


def token(
    *,
    room: Annotated[str, typer.Option(help="Name of the room. [default: a new one]")] = "",
    identity: Annotated[str, typer.Option(help="Who joins. [default: a new one]")] = "",
    agent: Annotated[
        str | None,
        typer.Option(help="Name of the agent to ask for. [default: AGENT_NAME]"),
    ] = None,
    ttl: Annotated[
        str, typer.Option(help="How long the token lets somebody in: 90s, 10m, 2h, 7d.")
    ] = "1h",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as one JSON object.")] = False,
) -> None:
    """Print an address and a token with which a browser or a program can call the agent.

    LiveKit's playground takes them under "Manual". The token opens one room, and asks for the
    agent there.
    """
    lasts = _duration(ttl)
    project = the_project()
    from agent.playground.invitation import invite

    check_names(room=room, identity=identity, agent=agent or "")
    asked = project.agent_name if agent is None else agent
    invited = invite(project.livekit, agent_name=asked, room=room, identity=identity, ttl=lasts)
    print(_as_json(invited, lasts) if as_json else _in_words(invited, ttl))


def _as_json(invited: "Invitation", lasts: timedelta) -> str:
    return json.dumps(
        {
            "url": invited.url,
            "token": invited.token,
            "room": invited.room,
            "identity": invited.identity,
            "agent_name": invited.agent_name,
            "ttl_seconds": int(lasts.total_seconds()),
        }
    )


def _in_words(invited: "Invitation", ttl: str) -> str:
    name = invited.agent_name
    comes = f"the agent {name!r}" if name else "an agent without a name (AGENT_NAME is not set)"
    return (
        f"URL      {invited.url}\n"
        f"Token    {invited.token}\n"
        f"Allows   {invited.identity!r} to join the room {invited.room!r} within {ttl},\n"
        "         to speak, to hear and to type there, and nothing else\n"
        f"Brings   {comes}, when the room opens"
    )


def the_project() -> Project:
    """The LiveKit project that is set. If a setting is wrong, say which and end the program."""
    try:
        return load_project()
    except SettingsError as error:
        faults = "; ".join(error.faults)
        give_up(f"The LiveKit project is not set right. {faults}.", code=USAGE)


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,9})([smhd])", text.strip())
    lasts = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < lasts <= _LONGEST_TTL:
        give_up("--ttl is a number and a unit, such as 90s, 10m, 2h or 7d.", code=USAGE)
    return lasts
