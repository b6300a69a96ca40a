"""The environment variables of job processes, which LiveKit and Python read."""

import os

from config.settings import Settings
from config.values import ROOT


def set_environment(settings: Settings) -> None:
    """Set them in this process, unless they are set."""
    for name, value in environment(settings).items():
        os.environ.setdefault(name, value)


def environment(settings: Settings) -> dict[str, str]:
    """Environment variables for LiveKit's fork server and the job processes, unless already set."""
    wants_detector = settings.agent.turn_second_opinion == "livekit"
    return {
        # LiveKit's end-of-turn model takes 244 MB. If it is wanted, the fork server loads it and
        # all job processes share it.
        "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE": str(int(wants_detector)),
        # The fork server of several Pythons (3.11, 3.12.1, 3.13.0) finds modules only here and in
        # the current directory.
        "PYTHONPATH": str(ROOT),
        # By default LiveKit reports an event loop that was blocked for 100 ms. On a busy machine
        # every call starts with such a block, and the watch wakes each process, idle ones too, 100
        # times a second.
        "LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS": "250",
        # OpenTelemetry's exporters read their variables themselves, and know nothing of `.env`.
        **settings.telemetry.variables,
    }
