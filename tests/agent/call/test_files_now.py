"""Instructions and phrases under development: what a call has of a file that changes."""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import Agent

from agent.call.files_now import FilesNow
from config.load import load_settings
from config.per_call import settings_of_call
from config.phrases import words_of
from config.values import ROOT

pytestmark = pytest.mark.looptime

SET = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": "a-secret-of-length",
    "ASSEMBLYAI_API_KEY": "an-assemblyai-key",
    "OPENAI_API_KEY": "sk-an-openai-key",
}


class Folder:
    """A developer's files, and what a worker that started with them makes of them."""

    def __init__(self, path: Path) -> None:
        self.told, self.phrases, self.dotenv = path / "told.md", path / "phrases", path / ".env"
        shutil.copytree(ROOT / "agent/call/phrases", self.phrases)
        self.told.write_text("Be kind.")
        self.dotenv.write_text("AGENT_GREETING=Hello.\n")
        self.files = FilesNow(load_settings(self.dotenv), self.dotenv)

    def add_backchannel(self, phrase: str) -> None:
        file = self.phrases / "en.toml"
        text = file.read_text("utf-8")
        file.write_text(text.replace("acknowledgements = [", f'acknowledgements = ["{phrase}",'))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    for name, value in SET.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AGENT_INSTRUCTIONS_FILE", str(tmp_path / "told.md"))
    monkeypatch.setenv("AGENT_PHRASES_DIR", str(tmp_path / "phrases"))
    return Folder(tmp_path)


@contextlib.asynccontextmanager
async def call(folder: Folder, metadata: str = "{}") -> AsyncIterator[Agent]:
    """The agent of a call in progress, which follows the files."""
    settings = settings_of_call(folder.files.settings, metadata).settings
    agent = Agent(instructions=f"{settings.prompt}\nSpeak slowly.")
    session = cast("Any", SimpleNamespace(current_agent=agent))
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(folder.files.follow(session))
        yield agent
        following.cancel()


def test_a_call_that_begins_has_what_the_files_have_now(folder: Folder) -> None:
    folder.told.write_text("Be brief, and kind.")
    folder.dotenv.write_text("AGENT_GREETING=Good evening.\n")
    assert folder.files.settings.prompt == "Be brief, and kind."
    assert folder.files.settings.agent.greeting == "Good evening."


def test_nothing_is_read_while_no_file_changes(folder: Folder) -> None:
    assert not folder.files.look()
    folder.told.write_text("Be brief, and kind.")
    assert folder.files.look()
    assert not folder.files.look()


def test_another_call_of_the_process_has_what_has_changed_and_sees_changes_for_itself(
    folder: Folder,
) -> None:
    folder.told.write_text("Be brief, and kind.")
    other = folder.files.again()
    assert other.prompt == "Be brief, and kind."
    folder.told.write_text("Be brief, kind and polite.")
    assert (folder.files.look(), other.look()) == (True, True)
    assert other.prompt == folder.files.prompt == "Be brief, kind and polite."


async def test_new_instructions_reach_a_call_in_progress(folder: Folder) -> None:
    async with call(folder) as agent:
        assert agent.instructions == "Be kind.\nSpeak slowly."
        folder.told.write_text("Be brief, and kind.")
        await asyncio.sleep(1)
        assert agent.instructions == "Be brief, and kind.\nSpeak slowly."


async def test_instructions_of_the_calls_own_stay(folder: Folder) -> None:
    async with call(folder, '{"AGENT_INSTRUCTIONS": "Speak of ships."}') as agent:
        folder.told.write_text("Be brief, and kind.")
        await asyncio.sleep(1)
        assert agent.instructions == "Speak of ships.\nSpeak slowly."


async def test_new_phrases_reach_a_call_in_progress(folder: Folder) -> None:
    book = folder.files.settings.files.phrasebook
    phrase = words_of("jolly good")
    assert phrase not in book.of("en").acknowledgements
    async with call(folder):
        folder.add_backchannel("jolly good")
        await asyncio.sleep(1)
        assert phrase in book.of("en").acknowledgements
        assert any(phrase in each.acknowledgements for each in book.each())


async def test_a_fault_in_a_file_is_said_and_waited_out(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with call(folder) as agent:
        (folder.phrases / "en.toml").write_text("acknowledgements = [")
        folder.told.write_text("Be brief, and kind.")
        await asyncio.sleep(1)
        assert agent.instructions == "Be kind.\nSpeak slowly."
        assert [each.message for each in caplog.records] == [
            "calls keep what they had: a file has a fault"
        ]
        shutil.copy(ROOT / "agent/call/phrases/en.toml", folder.phrases)
        await asyncio.sleep(1)
        assert agent.instructions == "Be brief, and kind.\nSpeak slowly."


def test_a_removed_file_is_a_fault_as_well(folder: Folder) -> None:
    folder.told.unlink()
    assert not folder.files.look()
    assert folder.files.prompt == "Be kind."
