"""What decides how many calls a worker takes: each limit with its value and where it comes from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.worker.load_shedding import LAG_ON_SECONDS, ON_SECONDS
from agent.worker.pace import START_CORE_SECONDS
from agent.worker.server import CALLS_PER_CORE, calls_at_once, calls_each
from config.behaviour import AgentSettings
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Limit:
    """One of them."""

    name: str
    value: str
    why: str


def limits(settings: Settings, cores: float, origins: Mapping[str, str]) -> Sequence[Limit]:
    """All limits. `origins` says where settings were set, by name; the others have defaults."""

    def of(name: str) -> str:
        return f"{name}, {origins.get(name, 'default')}"

    is_set = settings.agent.max_calls is not None
    by_default = f"{CALLS_PER_CORE} for each core: AGENT_MAX_CALLS is not set"
    calls = of("AGENT_MAX_CALLS") if is_set else by_default
    most = calls_at_once(settings.agent.max_calls, cores)
    each = str(calls_each(settings.agent.calls_per_process, most, cores))
    found = [
        Limit("cores", f"{cores:g}", "what the container's quota and the CPU affinity allow"),
        Limit("calls at once", str(most), calls),
        Limit("calls a process", each, of("AGENT_CALLS_PER_PROCESS")),
        *_brakes(settings.agent, of),
        Limit(
            "calls that begin",
            f"{cores / START_CORE_SECONDS:.1f} a second",
            f"{START_CORE_SECONDS:g} s of a core each, of what the CPU has free",
        ),
    ]
    if (budget := settings.assemblyai.new_sessions_per_minute) is not None:
        name = "ASSEMBLYAI_NEW_SESSIONS_PER_MINUTE"
        found.append(Limit("new sessions", f"{budget} a minute", of(name)))
    return found


def _brakes(agent: AgentSettings, of: Callable[[str], str]) -> Iterator[Limit]:
    cpu, lag = of("AGENT_MAX_CPU_PERCENT"), of("AGENT_MAX_LOOP_LAG_MS")
    most = "any" if agent.max_cpu_percent == 100 else f"{agent.max_cpu_percent} %"
    yield Limit("CPU", most, f"no more calls after {ON_SECONDS} s above it ({cpu})")
    why = f"no more calls after {LAG_ON_SECONDS} s above it ({lag})"
    yield Limit("loop lag", f"{agent.max_loop_lag_ms} ms", why)
