"""`capacity` tells what is in force, without a key."""

import json

import pytest

from agent.capacity.judgement import Advice, Limits, Step
from agent.capacity.trial import Trial
from agent.cli.capacity import capacity

STEP = Step(2, lag=0.001, worst_lag=0.01, reply=0.8, slow_reply=0.9, cores=0.2, machine=0.1)


def measured(monkeypatch: pytest.MonkeyPatch, max_calls: int) -> None:
    """Have the machine measured at once."""

    async def calibrate(tell: object) -> Trial:
        assert callable(tell)
        tell(STEP)
        return Trial((STEP,), Limits(2.0, 0.06, 0.95), 30.0, Advice(max_calls, max_calls, ""))

    monkeypatch.setattr("agent.capacity.trial.calibrate", calibrate)


def test_what_is_in_force_needs_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    capacity()
    assert "calls at once" in capsys.readouterr().out
    capacity(json=True)
    assert json.loads(capsys.readouterr().out)["in_force"][0]["name"] == "cores"


def test_a_wrong_setting_is_named_and_ends_it_with_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_MAX_CALLS", "many")
    with pytest.raises(SystemExit) as ended:
        capacity()
    assert ended.value.code == 2
    assert "AGENT_MAX_CALLS" in capsys.readouterr().err


def test_what_was_measured_ends_with_what_to_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(monkeypatch, 5)
    capacity(calibrate=True)
    assert "AGENT_MAX_CALLS=5" in capsys.readouterr().out
    capacity(calibrate=True, json=True)
    assert json.loads(capsys.readouterr().out)["max_calls"] == 5


def test_a_machine_that_holds_no_call_ends_it_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, 0)
    with pytest.raises(SystemExit) as ended:
        capacity(calibrate=True)
    assert ended.value.code == 1


def test_a_measurement_that_fails_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def calibrate(tell: object) -> Trial:
        raise RuntimeError("no call was answered")

    monkeypatch.setattr("agent.capacity.trial.calibrate", calibrate)
    with pytest.raises(SystemExit):
        capacity(calibrate=True)
    assert capsys.readouterr().err == "The measurement failed: no call was answered.\n"
