"""The page as it is served is what its sources make, with the packages that the lock names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.playground import server
from agent.playground.server import STATIC

SOURCE = Path(server.__file__).with_name("source")
BUILT = ("playground.js", "meter.js", "licences.txt")


@pytest.mark.slow
def test_the_sources_pass_their_tests_and_make_the_page_again(tmp_path: Path) -> None:
    copy, out = tmp_path / "source", tmp_path / "static"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("node_modules"))
    out.mkdir()
    done = subprocess.run(
        [copy / "build", out],
        env=os.environ | {"BIN": str(Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in BUILT:
        assert (out / name).read_bytes() == (STATIC / name).read_bytes(), f"{name}: `make page`"
