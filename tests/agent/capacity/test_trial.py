"""The calibration, with real calls."""

import pytest

from agent.capacity.judgement import Step
from agent.capacity.trial import calibrate, settings_for


def test_calls_go_to_the_given_port_and_need_no_key() -> None:
    settings = settings_for(4711)
    assert settings.assemblyai.regions == ["ws://127.0.0.1:4711"]
    assert {settings.openai.llm.base_url, settings.openai.tts.base_url} == {
        "http://127.0.0.1:4711/v1"
    }


@pytest.mark.slow
async def test_a_machine_is_measured_by_calls_that_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agent.capacity.trial.LONGEST_SECONDS", 0.0)
    steps: list[Step] = []
    trial = await calibrate(steps.append)
    assert list(trial.steps) == steps
    assert steps[0].calls >= 2
    assert 0.4 < steps[0].reply < 4
    assert steps[0].cores > 0
    assert trial.advice.max_calls >= 0
