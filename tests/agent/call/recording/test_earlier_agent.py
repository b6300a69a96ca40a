"""The record of a call is completed with what another machine has of it, before the call begins."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.call.history.record import unfinished
from agent.call.recording.earlier_agent import YOUNG_SECONDS, complete_record
from agent.records.store import LIVE, FolderStore
from config.behaviour import AgentSettings

LINE = '{"kind": "said", "at": 1.0, "role": "user", "text": "My name is Emma."}'


def job(agent: AgentSettings, age_seconds: float) -> Any:
    parts = SimpleNamespace(settings=SimpleNamespace(agent=agent))
    room = SimpleNamespace(sid="RM_1", creation_time=time.time() - age_seconds)
    return SimpleNamespace(
        proc=SimpleNamespace(userdata={"parts": parts}), job=SimpleNamespace(room=room)
    )


@pytest.mark.parametrize(
    ("age_seconds", "found"), [(YOUNG_SECONDS - 1, []), (YOUNG_SECONDS + 1, ["My name is Emma."])]
)
async def test_without_a_redis_it_comes_from_the_store_if_the_room_is_old_enough(
    tmp_path: Path, age_seconds: float, found: list[str]
) -> None:
    store = tmp_path / "store"
    (tmp_path / "line").write_text(f"{LINE}\n")
    await FolderStore(store).put(f"{LIVE}/RM_1.jsonl", tmp_path / "line")
    agent = AgentSettings(record_dir=tmp_path / "records", record_store=str(store))
    await complete_record(job(agent, age_seconds))
    said = unfinished(tmp_path / "records" / "RM_1.jsonl")
    assert [each.text for each in said] == found


@pytest.mark.parametrize("store", [None, "/dev/null/no-folder"])
async def test_a_call_begins_without_it_where_there_is_none(
    tmp_path: Path, store: str | None
) -> None:
    agent = AgentSettings(record_dir=tmp_path / "records", record_store=store)
    await complete_record(job(agent, 60))
    assert not (tmp_path / "records").exists()
    await complete_record(job(AgentSettings(), 60))
