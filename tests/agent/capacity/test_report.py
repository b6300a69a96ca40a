"""How limits and measurements are shown."""

import json
import math
from dataclasses import replace

from agent.capacity.in_force import Limit
from agent.capacity.judgement import Advice, Limits, Step
from agent.capacity.report import HEAD, advice, env, in_force, in_force_json, row, trial_json
from agent.capacity.trial import Trial

STEP = Step(10, lag=0.0124, worst_lag=0.25, reply=0.8, slow_reply=0.95, cores=0.8, machine=0.61)
TRIAL = Trial(
    (STEP,), Limits(2.0, 0.06, 0.95), call_mb=31.4, advice=Advice(9, 10, "replies took 2 s")
)


def test_a_step_stands_below_the_head() -> None:
    assert len(row(STEP)) == len(HEAD)
    assert row(STEP).split() == ["10", "12", "250", "0.80", "0.95", "0.80", "61%"]


def test_the_advice_ends_with_lines_for_the_settings() -> None:
    lines = advice(TRIAL)
    assert (
        lines[0]
        == "10 calls went well here (replies took 2 s). A call took 0.080 of a core and 31 MB."
    )
    assert (
        lines[-3:]
        == env(TRIAL)
        == [
            "AGENT_MAX_CALLS=9",
            "AGENT_MAX_LOOP_LAG_MS=60",
            "AGENT_MAX_CPU_PERCENT=95",
        ]
    )
    assert any("Not measured" in each for each in lines)


def test_what_is_unknown_is_not_told_as_a_number() -> None:
    trial = replace(TRIAL, call_mb=math.nan, advice=Advice(9, 10, ""))
    assert advice(trial)[0].endswith(
        "(there was no time to try more). A call took 0.080 of a core."
    )
    assert json.loads(trial_json(trial))["call_mb"] is None


def test_a_machine_that_holds_none_gets_no_settings() -> None:
    trial = replace(TRIAL, advice=Advice(0, 0, "the calls used 1.9 cores"))
    assert "used 1.9 cores" in advice(trial)[0]
    assert not any("AGENT_" in each for each in advice(trial))
    assert json.loads(trial_json(trial))["env"] == []


def test_programs_get_everything() -> None:
    told = json.loads(trial_json(TRIAL))
    assert (told["max_calls"], told["held"], told["call_mb"]) == (9, 10, 31.4)
    assert told["steps"][0]["slow_reply"] == 0.95
    assert told["env"] == env(TRIAL)


def test_limits_in_force_are_shown_by_line_and_as_json() -> None:
    limit = Limit("cores", "2", "allowed")
    assert in_force([limit]) == ["cores             2            allowed"]
    assert json.loads(in_force_json([limit])) == {
        "in_force": [{"name": "cores", "value": "2", "why": "allowed"}]
    }
