"""Python runs this in each process of a worker that has this folder in its PYTHONPATH: job
processes then count what their event loop runs and what LiveKit's library tells them, and write
it again and again into the folder PROFILE_COUNTS."""

import asyncio
import json
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

EVERY_SECONDS = 1
_callbacks: Counter[str] = Counter()
_events: Counter[str] = Counter()


def _name_of(callback: Any) -> str:
    """A task by its coroutine, all else by its function."""
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        coroutine = owner.get_coro()
        return f"task {getattr(coroutine, '__qualname__', coroutine)}"
    function = getattr(callback, "func", callback)  # functools.partial
    return str(getattr(function, "__qualname__", function))


def _count_callbacks() -> None:
    kind_of_handle: Any = asyncio.Handle
    run = kind_of_handle._run

    def counted(handle: Any) -> None:
        kind = "timer: " if isinstance(handle, asyncio.TimerHandle) else ""
        _callbacks[kind + _name_of(handle._callback)] += 1
        run(handle)

    kind_of_handle._run = counted


def _count_events() -> None:
    client: Any = sys.modules.get("livekit.rtc._ffi_client")
    ours: Any = sys.modules.get("agent.livekit_private.events")
    if client is None or ours is None:
        return
    request, bring = client.FfiClient.request, ours.Wakeups.bring

    def counted_request(self: Any, asked: Any) -> Any:
        _events[f"request {asked.WhichOneof('message')}"] += 1
        return request(self, asked)

    def counted_bring(*told: Any) -> None:
        _events["offers to listeners"] += 1
        bring(*told)

    client.FfiClient.request, ours.Wakeups.bring = counted_request, counted_bring
    for queue in (client.FfiQueue, ours.RoutedEvents):
        queue.put = _counted_put(queue.put)


def _counted_put(put: Any) -> Any:
    def counted(queue: Any, event: Any) -> None:
        _events[f"event {_kind(event)}"] += 1
        put(queue, event)

    return counted


def _kind(event: Any) -> str:
    kind = event.WhichOneof("message")
    inner = getattr(event, kind)
    names = [each.name for each in inner.DESCRIPTOR.oneofs]
    return f"{kind} {inner.WhichOneof(names[0])}" if names else str(kind)


def _write(folder: Path) -> None:
    target = folder / f"{os.getpid()}.json"
    while True:
        time.sleep(EVERY_SECONDS)
        told = {"at": time.monotonic(), "callbacks": dict(_callbacks), "events": dict(_events)}
        target.with_suffix(".new").write_text(json.dumps(told), encoding="utf-8")
        target.with_suffix(".new").replace(target)


def _in_child(folder: Path) -> None:
    if os.getppid() == _worker:
        return  # the fork server: calls are held in its children
    _count_callbacks()
    _count_events()
    threading.Thread(target=_write, args=(folder,), name="counts", daemon=True).start()


_worker = os.getpid() if "start" in sys.orig_argv else 0

if "PROFILE_COUNTS" in os.environ:
    os.register_at_fork(after_in_child=lambda: _in_child(Path(os.environ["PROFILE_COUNTS"])))
