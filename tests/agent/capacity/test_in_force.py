"""What decides how many calls a worker takes, and where that comes from."""

from typing import Any

import pytest

from agent.capacity.in_force import limits
from agent.capacity.report import in_force
from agent.worker.server import calls_at_once
from config.load import load_settings
from config.settings import Settings
from config.values import ROOT

KEY = {"api_key": "none"}


def settings(assemblyai: dict[str, Any] | None = None, **agent: Any) -> Settings:
    return load_settings(
        None,
        given={
            "livekit": {"url": "ws://127.0.0.1", "api_secret": "none", **KEY},
            "assemblyai": {**KEY, **(assemblyai or {})},
            "openai": KEY,
            "agent": agent,
        },
    )


@pytest.mark.parametrize(("cores", "calls"), [(2.0, 8), (0.1, 1), (1.5, 6)])
def test_by_default_four_calls_fit_on_each_core(cores: float, calls: int) -> None:
    assert calls_at_once(settings().agent.max_calls, cores) == calls
    found = {each.name: each.value for each in limits(settings(), cores, {})}
    assert found["calls at once"] == str(calls)


def test_the_operations_page_shows_what_is_in_force_by_default() -> None:
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    assert "\n".join(in_force(limits(settings(), 2.0, {}))) in page


def test_what_is_not_set_says_so() -> None:
    found = {each.name: each for each in limits(settings(), 2.0, {})}
    assert found["cores"].value == "2"
    assert (found["calls at once"].value, found["calls at once"].why) == (
        "8",
        "4 for each core: AGENT_MAX_CALLS is not set",
    )
    assert (found["CPU"].value, found["loop lag"].value) == ("95 %", "30 ms")
    assert "AGENT_MAX_LOOP_LAG_MS, default" in found["loop lag"].why
    assert found["calls a process"].why == "AGENT_CALLS_PER_PROCESS, default"
    assert "new sessions" not in found


def test_what_is_set_is_named_with_its_place() -> None:
    origins = {"AGENT_MAX_CALLS": ".env", "ASSEMBLYAI_NEW_SESSIONS_PER_MINUTE": "environment"}
    made = settings({"new_sessions_per_minute": 5}, max_calls=3, max_cpu_percent=100)
    found = {each.name: each for each in limits(made, 2.0, origins)}
    assert (found["calls at once"].value, found["calls at once"].why) == (
        "3",
        "AGENT_MAX_CALLS, .env",
    )
    assert found["CPU"].value == "any"
    assert (found["new sessions"].value, found["new sessions"].why) == (
        "5 a minute",
        "ASSEMBLYAI_NEW_SESSIONS_PER_MINUTE, environment",
    )
