"""Commands that are given a number that makes no sense."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("command", ["workbench.bench.fuzz x", "workbench.bench.chaos --calls 0"])
def test_a_senseless_number_is_refused_in_a_sentence(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.endswith("is not a whole number from 1 on\n")
