"""A worker ahead of its code: it has imported all that is not ours, and waits to be told to begin.

The supervisor of `dev` (`development`) runs this file by its path, beside the worker that takes
calls. When code has changed, the spare one imports ours alone, as it stands then, and needs a part
of the time. So nothing of ours may be imported here, and this file must not be.
"""

import contextlib
import importlib
import os
import runpy
import signal
import sys
from multiprocessing import forkserver

IN_THE_WORKER = (
    "typer",
    "pydantic_settings",
    "livekit.agents",
    "livekit.agents.cli",
    "livekit.agents.worker",
    "livekit.plugins.openai",
    "livekit.plugins.silero",
    "prometheus_client",
    "watchfiles",
)
IN_EACH_JOB = (
    "livekit.agents.ipc.job_proc_lazy_main",
    "livekit.agents.ipc._preload",
    "livekit.agents.llm.async_toolset",
    "livekit.agents.voice.report",
    "livekit.plugins.openai",
    "livekit.plugins.silero",
    "numpy.fft",
    "openai.resources.chat.chat",
    "openai.resources.audio.audio",
    "pydantic_settings",
    "websockets.asyncio.client",
)
ENVIRONMENT = {
    # A model of LiveKit's that every job process loaded would be there many times.
    "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE": "0",
    "LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS": "250",
}
"""Job processes get what the fork server has: as `agent.worker.server.environment` by default."""

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """`spare.py PROGRAM ARGUMENT ...`: runs that program once a byte comes in; if the input closes
    instead, the supervisor is gone."""
    sys.path.pop(0)  # this folder, whose modules would hide others of the same names
    _start_fork_server()
    for name in IN_THE_WORKER:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if not os.read(sys.stdin.fileno(), 1):
        return
    del sys.argv[0]
    sys.path.insert(0, os.path.dirname(sys.argv[0]))  # noqa: PTH120  as Python itself does
    runpy.run_path(sys.argv[0], run_name="__main__")


def _start_fork_server() -> None:
    """What job processes are forked from. They ignore signals, as `agent.worker.signals` wants."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    before = {each: signal.signal(each, signal.SIG_IGN) for each in _STOPPING}
    forkserver.set_forkserver_preload([*IN_EACH_JOB])
    forkserver.ensure_running()
    for number, handler in before.items():
        signal.signal(number, handler)


if __name__ == "__main__":
    main()
