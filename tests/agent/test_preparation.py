"""What is tried once in the main process, for all job processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.worker.preparation import UnpreparedError, require_preparation
from workbench.running import PROJECT


def test_a_worker_that_can_prepare_a_call_may_start() -> None:
    made: list[str] = []
    require_preparation(lambda: made.append("equipment"))
    assert made == ["equipment"]


def test_whatever_a_library_raises_becomes_one_line() -> None:
    def prepare() -> object:
        raise RuntimeError("no such module\n  as this")

    with pytest.raises(
        UnpreparedError, match=r"\(RuntimeError: no such module as this\)"
    ) as caught:
        require_preparation(prepare)
    assert "\n" not in str(caught.value)


def test_a_worker_whose_temporary_folder_is_gone_ends_without_a_traceback(tmp_path: Path) -> None:
    program = """
import multiprocessing.util, shutil, tempfile
from agent.worker.preparation import leave_folder_in_place
multiprocessing.util.get_temp_dir()
shutil.rmtree(tempfile.gettempdir())
leave_folder_in_place()
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
