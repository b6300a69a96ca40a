"""`console`: talk to the agent in a terminal, by microphone or in writing."""

import sys
from typing import Annotated

import typer

from agent.cli.faults import give_up, loaded_settings


def console(
    *,
    text: Annotated[bool, typer.Option(help="Converse in writing instead of speaking.")] = False,
    input_device: Annotated[
        str | None, typer.Option(help="Microphone: part of its name, or its number.")
    ] = None,
    output_device: Annotated[
        str | None, typer.Option(help="Speaker: part of its name, or its number.")
    ] = None,
) -> None:
    """Talk to the agent in this terminal, without a LiveKit server."""
    # No LiveKit server is asked for anything here.
    nowhere = {"url": "ws://127.0.0.1", "api_key": "none", "api_secret": "none"}
    settings = loaded_settings({"livekit": nowhere})
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        give_up("The console needs a terminal: run it by hand, not in a pipe or a script.")
    try:
        import sounddevice  # noqa: F401  LiveKit's console opens it in text mode as well
    except (OSError, ImportError):
        give_up(
            "The console needs PortAudio, which is not on this machine: install it with "
            "`apt-get install libportaudio2` (Debian, Ubuntu) or `brew install portaudio` (macOS)."
        )
    # LiveKit's console has no public entry besides the command line that this program replaces.
    from livekit.agents.cli import _legacy

    from agent.worker.server import build_server

    _legacy._run_console(
        server=build_server(settings),
        input_device=input_device,
        output_device=output_device,
        mode="text" if text else "audio",
        record=False,
        log_level=settings.agent.log_level.upper(),
    )
