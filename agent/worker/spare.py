"""A worker ahead of its code: it has imported all that is not ours, and waits to be told to begin.

The supervisor of `dev` (`development`) runs this file by its path, beside the worker that takes
calls. When code has changed, the spare one imports ours alone, as it stands then, and needs a part
of the time. So nothing of ours may be imported here, and this file must not be.
"""

import contextlib
import importlib
import os
import runpy
import sys

IMPORTED = (
    "typer",
    "pydantic_settings",
    "livekit.agents",
    "livekit.agents.cli",
    "livekit.agents.llm.async_toolset",
    "livekit.agents.voice.report",
    "livekit.agents.worker",
    "livekit.plugins.openai",
    "livekit.plugins.silero",
    "numpy.fft",
    "openai.resources",
    "prometheus_client",
    "watchfiles",
    "websockets.asyncio.client",
)
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}
"""With a thread of its own, numpy would keep the worker from forking its job processes."""


def main() -> None:
    """`spare.py PROGRAM ARGUMENT ...`: runs that program once a byte comes in; if the input closes
    instead, the supervisor is gone."""
    sys.path.pop(0)  # this folder, whose modules would hide others of the same names
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for name in IMPORTED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if not os.read(sys.stdin.fileno(), 1):
        return
    del sys.argv[0]
    sys.path.insert(0, os.path.dirname(sys.argv[0]))  # noqa: PTH120  as Python itself does
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
