"""In development: instructions and phrases as their files have them now, in calls in progress too.

In production they are read once, with the settings.
"""

import asyncio
import logging
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

from livekit.agents import AgentSession

from agent.needed_settings import load_needed
from config.behaviour import AgentSettings
from config.load import SettingsError
from config.phrases import Phrasebook, Phrases
from config.settings import FileContents, Settings
from config.sources import DOTENV
from config.values import ROOT

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5

_Stamps = dict[Path, tuple[int, int, int]]


class PhrasebookNow(Phrasebook):
    """Gives the phrases of the book that it was told of last."""

    def __init__(self, book: Phrasebook) -> None:
        super().__init__({})
        self.book = book

    def of(self, language: str | None) -> Phrases:
        return self.book.of(language)

    def each(self) -> Collection[Phrases]:
        return self.book.each()


class FilesNow:
    """The settings of a worker under development, with the contents that their files have now."""

    def __init__(self, settings: Settings, dotenv: Path = DOTENV) -> None:
        self._dotenv = dotenv
        self._settings = settings
        self._phrasebook = PhrasebookNow(settings.files.phrasebook)
        self._seen = _stamps(settings.agent, dotenv)
        self._at_start = settings.prompt

    def again(self) -> "FilesNow":
        """The same for another call in this process."""
        self.look()
        return FilesNow(self._settings, self._dotenv)

    @property
    def settings(self) -> Settings:
        """For a call that begins. Its phrases are always those that were read last."""
        self.look()
        self._at_start = self.prompt
        files = FileContents(self._settings.files.instructions, self._phrasebook)
        return self._settings.model_copy(update={"files": files})

    @property
    def prompt(self) -> str:
        """The instructions that were read last."""
        return self._settings.prompt

    def look(self) -> bool:
        """Read the files again if any has changed. With a fault in them, what was read last
        stays."""
        if (seen := _stamps(self._settings.agent, self._dotenv)) == self._seen:
            return False
        self._seen = seen
        try:
            with warnings.catch_warnings(action="ignore"):  # the worker has given them
                fresh = load_needed(self._dotenv)
        except SettingsError as error:
            log.warning(
                "calls keep what they had: a file has a fault", extra={"faults": str(error)}
            )
            return False
        words = {name: getattr(fresh.agent, name) for name in ("instructions", "greeting")}
        agent = self._settings.agent.model_copy(update=words)
        self._settings = self._settings.model_copy(update={"agent": agent, "files": fresh.files})
        self._phrasebook.book = fresh.files.phrasebook
        return True

    async def follow(self, session: AgentSession[Any]) -> None:
        """Put each change into the instructions of the session's agent, until cancelled. An agent
        that was told something else keeps it."""
        told = self._at_start
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()
            agent = session.current_agent
            now = str(agent.instructions)
            if told != self.prompt and told in now:
                await agent.update_instructions(now.replace(told, self.prompt))
                told = self.prompt
                log.info("the agent has new instructions from its next turn on")


def _stamps(agent: AgentSettings, dotenv: Path) -> _Stamps:
    """What tells one state of these files from another; files that are not there have none."""
    phrases = ROOT / agent.phrases_dir
    files = [dotenv, ROOT / agent.instructions_file, *phrases.glob("*.toml")]
    found: _Stamps = {}
    for file in files:
        try:
            state = file.stat()
        except OSError:
            continue
        found[file] = (state.st_mtime_ns, state.st_size, state.st_ino)
    return found
