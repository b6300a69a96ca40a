"""How a command ends when something is wrong: clear sentences and an exit code."""

import contextlib
import errno
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from agent.needed_settings import load_needed
from config.behaviour import AgentSettings
from config.load import SettingsError
from config.settings import Settings

USAGE = 2
FAILED = 1
LONGEST_NAME = 256  # LiveKit's server refuses longer rooms, identities and names of agents


def loaded_settings(
    given: Mapping[str, Mapping[str, Any]] | None = None, **options: Any
) -> Settings:
    """The settings. If any is wrong, name every fault and end the program.

    `given` holds values, by section, that the operator does not set; `options` are for
    `config.load.load_settings`.
    """
    try:
        with told_warnings():
            return load_needed(given=given, **options)
    except SettingsError as error:
        give_up(*in_words(error.faults), code=USAGE)


def check_names(**names: str) -> None:
    """End the program if LiveKit would refuse one of these, which are given by options."""
    for option, name in names.items():
        if len(name) > LONGEST_NAME or not name.isprintable():
            give_up(f"--{option} has at most {LONGEST_NAME} printable characters.", code=USAGE)


def in_words(faults: Sequence[str]) -> list[str]:
    """The faults in the settings and what to do about them, as lines."""
    count = "a setting is" if len(faults) == 1 else f"{len(faults)} settings are"
    advice = (
        "Put what is missing into the environment or into .env (see .env.example); "
        "`make run` needs no key at all."
        if any("is missing" in fault for fault in faults)
        else "Correct that in the environment or in .env; `python agent.py settings` shows where "
        "each setting comes from."
    )
    return [
        f"The worker cannot start: {count} missing or wrong.",
        *(f"  {fault}" for fault in faults),
        advice,
    ]


@contextlib.contextmanager
def told_warnings() -> Iterator[None]:
    """Print each warning as a sentence on a line of its own, whatever else happens."""
    with warnings.catch_warnings(record=True, action="always") as notes:
        try:
            yield
        finally:
            for note in notes:
                said = str(note.message)
                print(said if said.endswith("?") else f"{said}.", file=sys.stderr)


@contextlib.contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Turn whatever goes wrong while the worker runs into one sentence."""
    from livekit.api import TwirpError

    from agent.worker.preparation import UnpreparedError
    from agent.worker.reachability import LiveKitUnreachableError
    from agent.worker.run import HopelessError

    try:
        yield
    except HopelessError:
        give_up(
            "The worker ends: for a minute it could not start a process for a call (the log says "
            "why). Its supervisor should start another."
        )
    except UnpreparedError as error:
        give_up(f"The worker cannot start. {error}", code=USAGE)
    except LiveKitUnreachableError as error:
        give_up(str(error))
    except TwirpError as error:
        give_up(f"LiveKit at {settings.livekit.url} refuses that: {error.message[:200]}.")
    except socket.gaierror:
        give_up(
            f"AGENT_HTTP_HOST={settings.agent.http_host} has no address on this machine: "
            "write an IP address, such as 127.0.0.1."
        )
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
            raise
        give_up(_unheard(settings.agent, error))


def _unheard(agent: AgentSettings, error: OSError) -> str:
    """Why the health page or the metrics page cannot be served."""
    of_metrics = agent.metrics_port and str(agent.metrics_port) in str(error)
    page, port, name = (
        ("page of metrics", agent.metrics_port, "AGENT_METRICS_PORT")
        if of_metrics
        else ("health page", agent.http_port, "AGENT_HTTP_PORT")
    )
    return (
        f"The {page} cannot listen on {agent.http_host}:{port} "
        f"({error.strerror}): stop what uses that port, or choose another with "
        f"{name} (0 takes any free one) and AGENT_HTTP_HOST."
    )


def give_up(*lines: str, code: int = FAILED) -> NoReturn:
    """Print the lines and end the program."""
    print(*lines, sep="\n", file=sys.stderr)
    raise SystemExit(code)
