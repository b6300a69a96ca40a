"""What a job process prepares before its calls come."""

from collections.abc import Callable

from livekit.agents import JobProcess

from agent import log
from agent.call.files_now import FilesNow
from agent.call.loop_watch import WATCH, LoopWatch
from agent.call.reports import Report, outlet_for
from agent.personal_data import rules_of
from agent.telemetry import exporting
from agent.telemetry.spans import Spans
from agent.worker.garbage import set_aside
from agent.worker.prepared import prepared_once
from config.secrets import secrets_of
from config.settings import Settings

PRELOADED = "agent.worker.preloaded"
IGNORED_SIGNALS = "agent.worker.ignored_signals"


def prewarm(
    settings: Settings,
    prepare: Callable[[Settings], object],
    report: Report,
    process: JobProcess,
) -> None:
    """Prepare a job process before its call comes."""
    secrets, rules = secrets_of(settings), rules_of(settings.agent)
    log.guard(secrets, transcripts=settings.agent.log_transcripts, rules=rules)
    exporting.begin(settings.telemetry, secrets, rules)
    process.userdata["parts"] = prepared_once(prepare, settings)
    process.userdata["report"] = report
    process.userdata[WATCH] = LoopWatch(report)
    process.userdata["outlets"] = [outlet_for(report)]
    if settings.telemetry.traces:
        process.userdata["outlets"].append(Spans())
    set_aside()


def prewarm_in_development(
    settings: Settings, prewarm: Callable[[JobProcess], object], process: JobProcess
) -> None:
    """The same for a call whose files may change in the middle of it."""
    process.userdata["files_now"] = FilesNow(settings)
    prewarm(process)
