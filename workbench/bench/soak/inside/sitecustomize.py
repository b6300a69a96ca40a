"""Python runs this when a worker starts that has this folder in its PYTHONPATH: the main process
then writes how many tasks of asyncio it has, again and again, into the file SOAK_TASKS."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

EVERY_SECONDS = 2


def _count() -> int:
    name = "_all_tasks" if sys.version_info < (3, 12) else "_scheduled_tasks"
    found: Iterable[asyncio.Task[Any]] = getattr(asyncio.tasks, name)
    for _ in range(5):  # the loop's thread may change the set meanwhile
        try:
            return sum(not task.done() for task in list(found))
        except RuntimeError:
            continue
    return -1


def _write(path: Path) -> None:
    while True:
        time.sleep(EVERY_SECONDS)
        path.write_text(str(_count()), encoding="utf-8")


def _begin(worker: int = os.getpid()) -> None:
    """Once the worker has forked its fork server, which it does only while it has no threads."""
    if os.getpid() == worker and not any(each.name == "soak" for each in threading.enumerate()):
        told = Path(os.environ["SOAK_TASKS"])
        threading.Thread(target=_write, args=(told,), name="soak", daemon=True).start()


if "SOAK_TASKS" in os.environ and "start" in sys.orig_argv:
    os.register_at_fork(after_in_parent=_begin)
