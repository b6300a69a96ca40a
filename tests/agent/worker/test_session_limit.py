"""How many calls AssemblyAI's account lets begin now."""

from pathlib import Path
from typing import Any

import pytest

from agent.worker.session_limit import session_limit
from config.services import AssemblyAISettings
from stt_assemblyai.budget import MachineBudget, file_for


def test_no_more_calls_fit_than_get_a_session_soon(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    account: Any = {"api_key": "key", "new_sessions_per_minute": 5}
    limit = session_limit(AssemblyAISettings(**account))
    assert limit is not None
    assert (limit(0), limit(3)) == (5, 2)
    MachineBudget(5, file_for("key")).take_now()  # in a job's process
    assert limit(0) == 4


@pytest.mark.parametrize(
    "settings", [{}, {"new_sessions_per_minute": 5, "fallback_inference_model": "assemblyai/u"}]
)
def test_without_a_budget_or_with_another_stt_every_call_fits(settings: dict[str, Any]) -> None:
    account: Any = {"api_key": "key", **settings}
    assert session_limit(AssemblyAISettings(**account)) is None
