"""LiveKit's own report of a session, beside the call's record, for tools that read it.

It has what LiveKit's has: events, chat history, options, usage. It holds conversation, and is kept
like the record: for this user alone, and only where records are kept.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from livekit.agents import AgentSession, JobContext

from agent.personal_data import rules_of
from agent.records.private_files import open_private
from agent.redaction import Redaction
from config.secrets import secrets_of
from config.settings import Settings

log = logging.getLogger(__name__)


def report_file(directory: Path, room_sid: str) -> Path:
    """Where the report of the session in a room is. If an agent was replaced, that of the last."""
    return directory / f"{quote(room_sid, safe='')}.report.json"


class ReportFile:
    """The report of one session, written when it is over."""

    def __init__(
        self,
        job: JobContext,
        session: AgentSession[Any],
        settings: Settings,
        may_keep: Callable[[], bool] = lambda: True,
    ) -> None:
        """`may_keep`: whether the caller has not refused."""
        self._may_keep = may_keep
        self._job = job
        self._session = session
        self._settings = settings

    async def aclose(self) -> None:
        """Write it; nothing where no records are kept, or where nothing was said. Never raises:
        the call is over all the same."""
        directory = self._settings.agent.record_dir
        if directory is None or not self._session.history.items or not self._may_keep():
            return
        clean = Redaction(secrets_of(self._settings)).without_secrets
        try:
            report = self._job.make_session_report(self._session).to_dict()
            report = rules_of(self._settings.agent).masked_in(report)
            path = report_file(directory, self._job.job.room.sid)
            await asyncio.to_thread(write_report, path, report, clean)
        except Exception as error:  # LiveKit's report, and the disk
            found = {"error": type(error).__name__}
            log.warning("the session's report is not kept", extra=found)


def write_report(path: Path, report: Mapping[str, Any], clean: Callable[[str], str]) -> None:
    """Write it as JSON, in place of an earlier one; `clean` takes secrets out of the text. Raises
    OSError."""
    text = clean(json.dumps(report, ensure_ascii=False, indent=2, default=_named))
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(open_private(path, flags), "wb") as file:
        file.write(text.encode(errors="backslashreplace"))


def _named(value: object) -> str:
    """An object that JSON does not know, such as an exception, by its class: its text may repeat a
    request."""
    return type(value).__name__
