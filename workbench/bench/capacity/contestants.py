"""What is measured: our worker with one or several choices of settings, stock, the floor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workbench.local.livekit_server import free_port
from workbench.local.running import PROJECT

__all__ = ["FLOOR", "STOCK", "Contestant", "ours"]

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Contestant:
    """A worker program."""

    name: str
    program: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """Its environment, beyond addresses and keys."""
    answers: bool = True
    """Whether it holds a conversation."""
    metrics_port: int = 0
    """The port of its metrics, with the lag of its event loops; 0: it has none."""


def ours(choice: str) -> Contestant:
    """Our worker; `choice` is settings as in `calls_per_process=8,max_calls=30`, or nothing.

    Raises ValueError for a choice without a value.
    """
    port = free_port()
    chosen: dict[str, str] = {}
    for each in filter(None, choice.split(",")):
        name, equals, value = each.partition("=")
        if not (name and equals and value):
            raise ValueError(f"{each!r} is not a setting with its value")
        chosen[f"AGENT_{name.strip().upper()}"] = value.strip()
    settings = {
        # Admission is not what is measured: every call is taken.
        "AGENT_MAX_LOOP_LAG_MS": "10000",
        "AGENT_METRICS_PORT": str(port),
        **chosen,
    }
    name = f"ours, {choice}" if choice else "ours"
    return Contestant(name, PROJECT / "agent.py", settings, metrics_port=port)


_PATH = {"PYTHONPATH": str(PROJECT)}
STOCK = Contestant("stock", _HERE / "stock.py", _PATH)
FLOOR = Contestant("floor", _HERE / "floor.py", _PATH, answers=False)
