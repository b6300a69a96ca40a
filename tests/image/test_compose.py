"""compose.yaml agrees with the settings' defaults."""

import re
from pathlib import Path

from config.behaviour import AgentSettings

COMPOSE = Path(__file__).parents[2] / "compose.yaml"


def test_calls_may_end_before_compose_kills_the_worker() -> None:
    granted = re.search(r"stop_grace_period: (\d+)s", COMPOSE.read_text(encoding="utf-8"))
    assert granted is not None
    assert int(granted[1]) > AgentSettings().drain_seconds


def test_compose_starts_a_worker_again_that_died() -> None:
    assert re.search(
        r"^    restart: (unless-stopped|always)$", COMPOSE.read_text("utf-8"), re.MULTILINE
    )
