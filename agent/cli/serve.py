"""`dev`, `start` and `connect`: the three ways to run the worker."""

import asyncio
import logging
import sys
import warnings
from typing import Annotated, Any

import typer

from agent import log
from agent.call.history.record import RecordsError, prepare_folder
from agent.cli.faults import USAGE, check_names, explained, give_up, loaded_settings
from agent.needed_settings import load_needed
from agent.personal_data import rules_of
from agent.records.folder import kept_in_development
from agent.worker import signals
from agent.worker.lean_start import lean_start
from config.load import SettingsError, texts
from config.secrets import secrets_of
from config.settings import Settings
from config.sources import DOTENV
from config.values import ROOT


def dev(
    *,
    reload: Annotated[bool, typer.Option(help="Start again with each changed file.")] = True,
    records: Annotated[
        bool,
        typer.Option(
            help="Keep what is said in each call, and its sound, in the folder calls, unless "
            "AGENT_RECORD_DIR names another."
        ),
    ] = True,
    is_supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False,
) -> None:
    """Serve calls while you work on the agent. Ctrl-C ends calls in progress at once.

    A changed file is picked up by itself: new calls have it, and calls in progress end with the
    code they began with. Changed instructions and phrases reach calls in progress as well, at
    their next turn.
    """
    if is_supervised:
        _serve_supervised(records=records)
    elif reload:
        raise SystemExit(_supervise(records=records))
    else:
        _serve(devmode=True, records=records)


def start() -> None:
    """Serve calls in production. On SIGTERM or Ctrl-C, calls in progress may finish."""
    _serve(devmode=False)


def connect(room: Annotated[str, typer.Option(help="Name of the room to join.")]) -> None:
    """Join one room, hold that call, and exit when it ends."""
    if not room:
        give_up("--room needs a name.", code=USAGE)
    check_names(room=room)
    settings = _prepared()
    # The worker takes seconds to import: a mistake in a setting is reported before that.
    with lean_start():
        from agent.worker.preparation import share_with_jobs
        from agent.worker.prewarming import PRELOADED
        from agent.worker.run import join
        from agent.worker.server import build_server

        with explained(settings):
            server = build_server(settings)
            share_with_jobs(server.prepare, [PRELOADED])
    with explained(settings):
        asyncio.run(join(server, settings, room))


def _supervise(*, records: bool) -> int:
    """Run the worker in a process of its own, and another one after each change."""
    from agent.worker.changes import Watched
    from agent.worker.development import develop

    signals.block()
    try:
        with warnings.catch_warnings(action="ignore"):  # the worker gives them
            settings = load_needed()
    except SettingsError:
        settings = loaded_settings()  # says what is wrong, and ends the program
    _log_as_set(settings)
    agent, program = settings.agent, ROOT / "agent.py"
    watched = Watched(
        ROOT, DOTENV.resolve(), ROOT / agent.instructions_file, ROOT / agent.phrases_dir
    )
    command = [sys.executable, str(program), "dev", "--supervised"]
    return asyncio.run(develop(command if records else [*command, "--no-records"], watched))


def _serve_supervised(*, records: bool) -> None:
    from agent.worker.development import FAULTY_CODE, retired

    try:
        _serve(devmode=True, records=records, retired=retired)
    except Exception:  # the code is being worked on
        logging.getLogger(__name__).exception("the worker has failed")
        raise SystemExit(FAULTY_CODE) from None


def _serve(*, devmode: bool, records: bool = False, **options: Any) -> None:
    settings = _prepared(records=records)
    with lean_start():
        from agent.worker.preparation import share_with_jobs
        from agent.worker.prewarming import PRELOADED
        from agent.worker.run import serve
        from agent.worker.server import build_server, reread_files

        with explained(settings):
            server = build_server(settings)
            if devmode:
                reread_files(server, settings)
            share_with_jobs(server.prepare, [PRELOADED])
    with explained(settings):
        asyncio.run(serve(server, settings, devmode=devmode, **options))


def _log_as_set(settings: Settings) -> None:
    agent = settings.agent
    log.configure(
        agent.log_level,
        agent.log_format,
        transcripts=agent.log_transcripts,
        secrets={*secrets_of(settings), texts().get("AWS_SECRET_ACCESS_KEY", "")},
        rules=rules_of(agent),
    )


def _prepared(*, records: bool = False) -> Settings:
    signals.block()
    settings = loaded_settings(completed=kept_in_development) if records else loaded_settings()
    agent = settings.agent
    _log_as_set(settings)
    if agent.record_dir:
        try:
            prepare_folder(agent.record_dir)
        except RecordsError as error:
            give_up(f"AGENT_RECORD_DIR: {error}", code=USAGE)
    return settings
