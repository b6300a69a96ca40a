"""What job processes find that are forked from the worker itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.local.running import PROJECT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there Python forks them")

WORKER = """
import gc, multiprocessing, os, signal, sys, threading
sys.path.insert(0, {project!r})
from multiprocessing import forkserver
from agent.worker.fork_server import fork_the_server

context = multiprocessing.get_context("forkserver")
loaded, files = [], []

def start(target):
    process = context.Process(target=target)
    process.start()
    process.join()

def tell(*words):
    print(*words, flush=True)

def loaded_here():
    tell(loaded)

def signals_here():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    tell({{signal.getsignal(each) is signal.SIG_IGN for each in numbers}})

def files_here():
    tell({{os.fstat(each) for each in range(100) if is_open(each)}} & {{*files}})

def is_open(number):
    try:
        return os.fstat(number)
    except OSError:
        return None

def garbage_here():
    tell(gc.isenabled(), gc.get_freeze_count() > 1000)

def starts_another():
    start(loaded_here)

def end_the_server():
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)

if __name__ == "__main__":
    loaded.append("parts")
    {work}
"""


def told_by(work: str, folder: Path) -> str:
    program = folder / "worker.py"
    program.write_text(WORKER.format(project=str(PROJECT), work=work))
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_a_job_process_finds_what_the_worker_has_loaded(tmp_path: Path) -> None:
    assert told_by("tell(fork_the_server()); start(loaded_here)", tmp_path) == "True\n['parts']"


def test_a_signal_to_all_processes_of_the_worker_ends_no_job_process(tmp_path: Path) -> None:
    assert told_by("fork_the_server(); start(signals_here)", tmp_path) == "{True}"


def test_a_job_process_has_none_of_the_workers_open_files(tmp_path: Path) -> None:
    work = "files.extend(map(os.fstat, os.pipe())); fork_the_server(); start(files_here)"
    assert told_by(work, tmp_path) == "set()"


def test_a_job_process_looks_for_garbage_but_not_in_what_the_worker_has_loaded(
    tmp_path: Path,
) -> None:
    work = "gc.disable(); fork_the_server(); start(garbage_here)"
    assert told_by(work, tmp_path) == "True True"


def test_a_job_process_can_start_another_process(tmp_path: Path) -> None:
    assert told_by("fork_the_server(); start(starts_another)", tmp_path).endswith("[]")


def test_a_fork_server_that_died_is_replaced_by_one_of_pythons(tmp_path: Path) -> None:
    work = "fork_the_server(); end_the_server(); start(loaded_here)"
    assert told_by(work, tmp_path) == "[]"


def test_a_worker_with_threads_leaves_it_to_python(tmp_path: Path) -> None:
    work = (
        "over = threading.Event(); threading.Thread(target=over.wait).start();"
        "tell(fork_the_server()); start(loaded_here); over.set()"
    )
    assert told_by(work, tmp_path) == "False\n[]"
