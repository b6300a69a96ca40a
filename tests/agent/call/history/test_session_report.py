"""LiveKit's report of a session, as a tool reads it from the disk."""

import json
import logging
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import AgentSession, llm
from livekit.agents.voice.report import SessionReport

from agent.call.history.session_report import ReportFile, report_file, write_report
from workbench.local.sample_settings import sample_settings

KEY = "sk-planted-0123456789abcdef"


class Job:
    """Makes LiveKit's report of a session."""

    job = SimpleNamespace(room=SimpleNamespace(sid="RM_1"))

    def make_session_report(self, session: AgentSession[Any]) -> SessionReport:
        return SessionReport(
            job_id="AJ_1",
            room_id="RM_1",
            room="room",
            options=session.options,
            events=[],
            chat_history=session.history.copy(),
        )


class Broken(Job):
    """Cannot."""

    def make_session_report(self, session: AgentSession[Any]) -> SessionReport:
        raise RuntimeError("no session")


def spoken(text: str) -> AgentSession[Any]:
    session: AgentSession[Any] = AgentSession()
    if text:
        session.history.add_message(role="user", content=text)
    return session


async def keep(folder: Path | None, text: str, job: Job | None = None) -> None:
    settings = sample_settings(agent={"record_dir": folder}, openai={"api_key": KEY})
    of_job = cast("Any", job or Job())
    await ReportFile(of_job, spoken(text), settings).aclose()


async def test_a_tool_that_reads_livekits_report_reads_ours(tmp_path: Path) -> None:
    await keep(tmp_path, "Hello?")
    found = json.loads(report_file(tmp_path, "RM_1").read_text("utf-8"))
    assert found["room_id"] == "RM_1"
    assert found["close_reason"] is None
    (item,) = found["chat_history"]["items"]
    assert llm.ChatMessage.model_validate(item).text_content == "Hello?"


async def test_it_is_for_this_user_alone_and_holds_no_key(tmp_path: Path) -> None:
    await keep(tmp_path, f"My key is {KEY}.")
    path = report_file(tmp_path, "RM_1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KEY not in path.read_text("utf-8")
    assert "My key is ********." in path.read_text("utf-8")


async def test_where_nothing_was_said_or_no_records_are_kept_there_is_no_report(
    tmp_path: Path,
) -> None:
    await keep(None, "Hello?")
    await keep(tmp_path, "")
    assert not report_file(tmp_path, "RM_1").exists()


async def test_a_report_that_fails_costs_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report_file(tmp_path, "RM_1").symlink_to(tmp_path / "elsewhere")
    with caplog.at_level(logging.WARNING):
        await keep(tmp_path, "Hello?")
        await keep(tmp_path, "Hello?", Broken())
    assert [record.error for record in caplog.records] == ["OSError", "RuntimeError"]  # type: ignore[attr-defined]
    assert not (tmp_path / "elsewhere").exists()


def test_what_json_does_not_know_is_named_by_its_class(tmp_path: Path) -> None:
    """An error's text may repeat a request."""
    path = tmp_path / "report.json"
    write_report(path, {"error": ValueError("zorilla"), "text": "\ud800"}, str)
    assert json.loads(path.read_text("utf-8")) == {"error": "ValueError", "text": "\ud800"}


def test_a_room_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    assert report_file(tmp_path, "../x").parent == tmp_path
