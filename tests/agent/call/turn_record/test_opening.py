"""Which call a record is of."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.call.recording.keeping import Keeping
from agent.call.turn_record.opening import recorder_of, settings_in_force
from agent.call.turn_record.recorder import CallRecorder
from agent.records.schema import LINE, Call, End, Formatted, Line
from workbench.local.sample_settings import sample_settings


def joined(second: int | None) -> Any:
    at = None if second is None else datetime(2026, 1, 1, 12, 0, second, tzinfo=UTC)
    return SimpleNamespace(joined_at=at)


def job(caller: int | None = 10, agent: int | None = 12, **userdata: Any) -> Any:
    room = SimpleNamespace(local_participant=joined(agent), remote_participants={})
    room.remote_participants["+4930"] = joined(caller)
    told = SimpleNamespace(sid="RM_1", name="lobby")
    return SimpleNamespace(
        job=SimpleNamespace(id="AJ_1", room=told),
        worker_id="AW_1",
        proc=SimpleNamespace(userdata=userdata),
        room=room,
        add_shutdown_callback=lambda _: None,
    )


def begun(
    place: Any, agent: dict[str, Any] | None = None, caller: str | None = "+4930"
) -> CallRecorder:
    settings = sample_settings(agent=agent or {})
    presence: Any = SimpleNamespace(caller_identity=caller)
    return recorder_of(place, settings, Keeping(settings.agent, "RM_1"), presence)


async def test_the_first_line_says_which_call_it_is(tmp_path: Path) -> None:
    told: list[Line] = []
    recorder = begun(job(outlets=[told.append]), {"record_dir": tmp_path, "name": "desk"})
    recorder.begin()
    recorder.begin()
    recorder.end("caller_left")
    (line, _) = told
    assert isinstance(line, Call)
    assert (line.room, line.room_sid, line.job_id) == ("lobby", "RM_1", "AJ_1")
    assert (line.worker, line.agent_name) == ("AW_1", "desk")
    assert (line.caller, line.waited_for_ms, line.replaces_agent) == ("+4930", 2000, False)
    written = (tmp_path / "RM_1.jsonl").read_text("utf-8").splitlines()
    assert [LINE.validate_json(each) for each in written] == told


async def test_an_agent_that_takes_another_ones_place_says_so(tmp_path: Path) -> None:
    (tmp_path / "RM_1.jsonl").write_text('{"kind": "said", "role": "user", "text": "Hello."}\n')
    told: list[Line] = []
    place, agent = job(outlets=[told.append]), {"record_dir": tmp_path}
    begun(place, agent).end(None)  # it has seen that another agent is there
    assert told == []
    begun(place, agent, caller=None).end("no_caller")
    assert isinstance(told[0], Call)
    assert (told[0].replaces_agent, told[0].caller, told[0].waited_for_ms) == (True, None, None)


@pytest.mark.parametrize(
    ("caller", "agent", "waited_for_ms"), [(12, 10, 0), (None, 10, None), (10, None, None)]
)
async def test_a_wait_that_is_not_known_is_not_told(
    caller: int | None, agent: int | None, waited_for_ms: int | None
) -> None:
    told: list[Line] = []
    begun(job(caller, agent, outlets=[told.append])).begin()
    assert isinstance(told[0], Call)
    assert told[0].waited_for_ms == waited_for_ms


async def test_after_the_end_nothing_is_told() -> None:
    told: list[Line] = []
    recorder = begun(job(outlets=[told.append]))
    recorder.end("caller_left")
    recorder.emit(Formatted(replaces="seven", text="7"))
    assert [type(each) for each in told] == [Call, End]


def test_the_settings_have_no_secret_address_path_or_sentence() -> None:
    found = settings_in_force(
        sample_settings(agent={"record_dir": "/somewhere", "greeting": "Hi."})
    )
    assert found["AGENT_TURN_PRESET"] == "seed"
    assert found["OPENAI_LLM_MODEL"] == "gpt-4.1-mini"
    assert found["AGENT_HOLD_SECONDS"] > 0  # type: ignore[operator]  a number
    assert found["ASSEMBLYAI_MIN_TURN_SILENCE"] > 0  # type: ignore[operator]  a number
    assert not {name for name in found if "KEY" in name or "URL" in name or "PORT" in name}
    assert not {"AGENT_GREETING", "AGENT_RECORD_DIR", "AGENT_NAME"} & found.keys()
