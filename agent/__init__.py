"""The worker. `server` is built on demand, as `python -m livekit.agents start agent.py` asks."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livekit.agents import AgentServer

    server: AgentServer

__all__ = ["server"]


def __getattr__(name: str) -> Any:
    if name != "server":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from agent import log
    from agent.cli.faults import loaded_settings
    from agent.personal_data import rules_of
    from agent.worker.server import build_server
    from config.secrets import secrets_of

    settings = loaded_settings()
    agent = settings.agent
    log.guard(secrets_of(settings), transcripts=agent.log_transcripts, rules=rules_of(agent))
    globals()["server"] = build_server(settings)
    return globals()["server"]


def __dir__() -> list[str]:
    return sorted([*globals(), "server"])
