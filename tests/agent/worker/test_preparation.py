"""What is tried once in the main process, for all job processes."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent.worker.preparation import UnpreparedError, require_preparation, share_with_jobs
from workbench.local.running import PROJECT


def test_a_worker_that_can_prepare_a_call_may_start() -> None:
    made: list[str] = []
    require_preparation(lambda: made.append("parts"))
    assert made == ["parts"]


def test_what_cannot_be_loaded_is_told_before_a_job_process_would_lack_it() -> None:
    with pytest.raises(UnpreparedError, match="No module named 'no_such_module'"):
        share_with_jobs(lambda: None, ["json", "no_such_module"])


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


def test_a_worker_whose_working_folder_is_gone_works_elsewhere(tmp_path: Path) -> None:
    program = """
import os, sys
from agent.worker.preparation import leave_lost_folder
os.rmdir(os.getcwd())
leave_lost_folder()
os.getcwd()
"""
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)


SLOW_TO_PREPARE = """
import asyncio, multiprocessing, time
from agent import log
from agent.worker import signals

def prepare(settings):
    if multiprocessing.parent_process():
        time.sleep(600)

if __name__ == "__main__":
    signals.block()
    from agent.worker.run import serve
    from agent.worker.server import build_server
    from config.load import load_settings
    import slow_to_prepare
    log.configure("info", "json")
    settings = load_settings(None)
    server = build_server(settings, prepare=slow_to_prepare.prepare)
    asyncio.run(serve(server, settings, devmode=False))
"""


class Empty(BaseHTTPRequestHandler):
    """A LiveKit server without rooms."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/protobuf")
        self.end_headers()


@pytest.mark.slow
def test_a_worker_that_is_stopped_before_its_first_process_is_ready_ends_soon(
    tmp_path: Path,
) -> None:
    (tmp_path / "slow_to_prepare.py").write_text(SLOW_TO_PREPARE, encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as livekit:
        threading.Thread(target=livekit.serve_forever, daemon=True).start()
        environment = {
            **os.environ,
            "LIVEKIT_URL": f"ws://127.0.0.1:{livekit.server_port}",
            "LIVEKIT_API_KEY": "APIkey",
            "LIVEKIT_API_SECRET": "a-livekit-secret-of-32-characters-or-more",
            "ASSEMBLYAI_API_KEY": "an-assemblyai-key",
            "OPENAI_API_KEY": "sk-an-openai-key",
            "AGENT_HTTP_PORT": "0",
            "AGENT_MAX_CALLS": "1",
            "PYTHONPATH": f"{PROJECT}{os.pathsep}{tmp_path}",
        }
        with subprocess.Popen(
            [sys.executable, "slow_to_prepare.py"],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        ) as worker:
            assert worker.stderr
            next(line for line in worker.stderr if '"initializing process"' in line)
            worker.terminate()
            assert worker.wait(timeout=40) == 0  # LiveKit waits for a minute
        livekit.shutdown()
