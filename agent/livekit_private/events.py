"""LiveKit's native events, each to whom it concerns.

LiveKit's client offers each event of the process to all who listen: the sound of each track to
every track's stream, and each answer to a request to every room. An offer wakes the event loop by
a system call: with eight calls in a process that makes four thousand offers a second for three
hundred events. Here events that come together share a wake-up.

Listeners that are not known here, and kinds of event that are not named here, are treated as
before.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc

ANSWERS = frozenset(
    {
        "capture_audio_frame",
        "perform_rpc",
        "publish_transcription",
        "set_local_attributes",
        "text_stream_open",
        "text_stream_writer_close",
        "text_stream_writer_write",
    }
)
"""Frequent answers to requests. The one who has asked listens for them, and rooms drop them."""


Take = Callable[[rtc.AudioFrame], object]
"""Called with each frame of a stream."""

Hand = Callable[[Any], object]
"""Called with an event."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody who reads events in an event loop."""

    queue: Any
    loop: asyncio.AbstractEventLoop
    take: Take | None = None
    """Gets the frames of a stream, past its queue."""
    context: Context = field(default_factory=copy_context)
    """In which it gets them: logs and new tasks go by it."""

    def hand(self, event: Any) -> None:
        """Hand an event over, in the event loop."""
        if self.take and event.audio_stream_event.HasField("frame_received"):
            make: Any = rtc.AudioFrame
            frame = make._from_owned_info(event.audio_stream_event.frame_received.frame)
            self.context.run(self.take, frame)
        else:
            self.queue.put_nowait(event)


class Wakeups:
    """Brings events from LiveKit's threads into event loops, in their order. What comes before a
    loop has woken up comes with the same wake-up: each is a system call, and a wait for the GIL."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.AbstractEventLoop, list[tuple[Hand, Any]]] = {}

    def bring(self, loop: asyncio.AbstractEventLoop, hand: Hand, event: Any) -> None:
        """Have `hand` called with the event in this loop, from any thread."""
        with self._lock:
            if loop.is_closed():
                self._waiting.pop(loop, None)
                return
            if waiting := self._waiting.get(loop):
                waiting.append((hand, event))
                return
            self._waiting[loop] = [(hand, event)]
        with contextlib.suppress(RuntimeError):  # it has just been closed
            loop.call_soon_threadsafe(self.deliver, loop)

    def deliver(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand over what waits for this loop. Called in it."""
        with self._lock:
            waiting = self._waiting.pop(loop)
        for hand, event in waiting:
            try:
                hand(event)
            except Exception as error:  # of one listener's
                loop.call_exception_handler({"message": "an event failed", "exception": error})


class RoutedEvents:
    """Stands before LiveKit's queue of events. They come in threads of LiveKit's own."""

    def __init__(self, queue: Any) -> None:
        self._livekits = queue
        self.subscribe: Callable[..., Any] = queue.subscribe
        self._wakeups = Wakeups()
        self._streams: dict[int, Listener] = {}  # by the handle of the stream
        self._rooms: dict[int, Listener] = {}  # by the handle of the room

    def put(self, event: Any) -> None:
        """Hand an event over."""
        kind = event.WhichOneof("message")
        one: Listener | None = None
        if kind == "audio_stream_event":
            one = self._streams.get(event.audio_stream_event.stream_handle)
        elif kind == "room_event":
            one = self._rooms.get(event.room_event.room_handle)
        elif kind not in ANSWERS:
            for each in tuple(self._rooms.values()):
                self._wakeups.bring(each.loop, each.hand, event)
        if one:
            self._wakeups.bring(one.loop, one.hand, event)
        else:
            self.offer(event)

    def offer(self, event: Any) -> None:
        """Hand an event to all who are not known here, as LiveKit's queue does it."""
        with self._livekits._lock:
            for queue, loop, wants in self._livekits._subscribers:
                if _is_wanted(wants, event):
                    self._wakeups.bring(loop, queue.put_nowait, event)

    def unsubscribe(self, queue: Any) -> None:
        """This queue listens no more."""
        for listeners in (self._streams, self._rooms):
            for handle, each in tuple(listeners.items()):
                if each.queue is queue:
                    del listeners[handle]
        self._livekits.unsubscribe(queue)

    def route(self, one: rtc.AudioStream | rtc.Room, take: Take | None = None) -> None:
        """Give it its own events alone, or a stream's frames to `take`. Call it in the event loop
        that reads them."""
        listeners = self._streams if isinstance(one, rtc.AudioStream) else self._rooms
        listens_to: Any = one
        # In this order, or an event between the two would be lost.
        listeners[listens_to._ffi_handle.handle] = Listener(
            listens_to._ffi_queue, asyncio.get_running_loop(), take
        )
        self._livekits.unsubscribe(listens_to._ffi_queue)


def _is_wanted(wants: Callable[[Any], bool] | None, event: Any) -> bool:
    try:
        return wants is None or wants(event)
    except Exception:  # of a listener's own: LiveKit delivers the event then
        return True


def route(one: rtc.AudioStream | rtc.Room) -> None:
    """Give a stream, or a room that is connected, its own events alone, from now on.

    If LiveKit's parts have been renamed, all goes LiveKit's own way, and costs more.
    """
    _route(one, None)


def hand_frames(stream: object, take: Take) -> bool:
    """Have `take` called with each frame of a stream, in the running event loop and this context,
    until the stream is closed. Otherwise LiveKit runs two tasks for each frame.

    Call it at once after the stream has been made. Returns whether it is so: it is not if LiveKit's
    parts have been renamed, and for a stream that is not LiveKit's. Then iterate over the stream.
    """
    return isinstance(stream, rtc.AudioStream) and _route(stream, take)


def _route(one: rtc.AudioStream | rtc.Room, take: Take | None) -> bool:
    if not hasattr(one, "_ffi_queue") or not hasattr(rtc.AudioFrame, "_from_owned_info"):
        return False
    with contextlib.suppress(ImportError, AttributeError):
        from livekit.rtc._ffi_client import FfiClient

        client: Any = FfiClient.instance
        if not isinstance(client._queue, RoutedEvents):
            client._queue = RoutedEvents(client._queue)
        client._queue.route(one, take)
        return True
    return False
