"""The signals that a fork server of Python's leaves to the worker."""

import subprocess
import sys

from workbench.local.running import PROJECT

PROGRAM = """
import os, signal
import agent.worker.ignored_signals
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    os.kill(os.getpid(), each)
print("still here")
"""


def test_a_signal_to_all_processes_of_the_worker_does_not_end_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "still here\n"
