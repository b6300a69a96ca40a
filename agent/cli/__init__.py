"""The commands, one module each: they parse, print and exit, and leave decisions to others."""

import os
import sys
from pathlib import Path

import typer

from agent.cli import (
    call,
    calls,
    capacity,
    console,
    doctor,
    download_files,
    playground,
    serve,
    settings,
    show,
    token,
    transcribe,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A LiveKit voice agent that hears with AssemblyAI and thinks and speaks with OpenAI. "
    "Settings come from the environment and from .env; .env.example names them all.",
)
app.command()(serve.dev)
app.command()(serve.start)
app.command()(serve.connect)
app.command()(console.console)
app.command()(transcribe.transcribe)
app.command()(playground.playground)
app.command()(token.token)
app.command()(call.call)
app.command()(calls.calls)
app.command()(show.show)
app.command()(doctor.doctor)
app.command()(capacity.capacity)
app.command()(settings.settings)
app.command(name="download-files")(download_files.download_files)


def main() -> None:
    """Run the command that the arguments name."""
    nothing = Path(os.devnull)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed: a socket would get its number, and its output
            setattr(sys, name, nothing.open(mode, encoding="utf-8"))
    app(prog_name="python agent.py")
