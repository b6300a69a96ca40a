"""The fork server of the job processes, forked from the worker once the worker has loaded all.

Python starts its fork server as another interpreter, which imports a second time all that the
worker has imported: two seconds of CPU and 120 MB. Forked, it shares the worker's memory, and so
do all job processes. If it dies, Python starts another one in its own way.
"""

import gc
import logging
import os
from collections.abc import Sequence
from multiprocessing import forkserver, resource_tracker, util
from pathlib import Path
from typing import Any

from agent.worker import signals
from agent.worker.garbage import set_aside

log = logging.getLogger(__name__)

_THREADS = Path("/proc/self/task")
_STANDARD_FILES = (0, 1, 2)
_USUAL = util.spawnv_passfds


def fork_the_server() -> bool:
    """Let all job processes be forked from what this process has loaded by now.

    Leaves it to Python, and returns False, where that is not possible: elsewhere than on Linux, and
    where this process has other threads. A fork does not copy those, but it does copy their locks.
    """
    if not _is_alone():
        log.info("job processes share nothing with the worker: it has several threads")
        return False
    resource_tracker.ensure_running()  # or it would be forked as well
    set_aside(quickly=True)
    gc.enable()  # which job processes inherit
    util.spawnv_passfds = _fork  # type: ignore[assignment]  # its names of arguments differ
    try:
        forkserver.set_forkserver_preload([])  # it is all there
        forkserver.ensure_running()
    finally:
        util.spawnv_passfds = _USUAL
    return True


def _is_alone() -> bool:
    """Whether this process has one thread. Python knows nothing of native libraries' threads."""
    try:
        return len(list(_THREADS.iterdir())) == 1
    except OSError:
        return False


def _fork(_program: bytes, arguments: Sequence[Any], files: Sequence[int]) -> int:
    """Stands for `multiprocessing.util.spawnv_passfds`: runs the command of `python -c COMMAND` in
    a copy of this process, which keeps `files` and the standard ones open. Returns its number."""
    pid = os.fork()
    if pid == 0:
        root = logging.getLogger()
        handlers = [*root.handlers]
        code = 1
        try:
            root.handlers.clear()  # job processes send their lines to the worker
            _become_server(arguments[-1], files)
        except SystemExit:
            code = 0
        except BaseException:
            root.handlers[:] = handlers
            log.exception("the fork server has a fault")
        finally:
            os._exit(code)
    return pid


def _become_server(command: str, files: Sequence[int]) -> None:
    """Run `command`, which never returns: so nothing that was loaded is dropped, and closes a file
    that has got the number of one of its own."""
    util.spawnv_passfds = _USUAL
    _close_all_but({*_STANDARD_FILES, *files})
    signals.leave_to_the_worker()
    # Its lock is held now, by the worker. Job processes may want to start processes as well.
    forkserver.ensure_running.__self__.__init__()  # type: ignore[attr-defined]
    exec(command, {"__name__": __name__})


def _close_all_but(kept: set[int]) -> None:
    first = 0
    for each in [*sorted(kept), os.sysconf("SC_OPEN_MAX")]:
        if first < each:  # Python 3.11 closes all files where there is none in between
            os.closerange(first, each)
        first = each + 1
