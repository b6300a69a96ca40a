"""Each of LiveKit's native events reaches whom it concerns, and nobody else."""

import asyncio
import importlib
import inspect
import re
from contextvars import ContextVar
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.rtc._ffi_client import FfiClient, FfiQueue
from livekit.rtc._proto.ffi_pb2 import FfiEvent
from livekit.rtc._utils import Queue

from agent.livekit_private.events import ANSWERS, RoutedEvents, Wakeups, hand_frames, route

COSTS = "every stream and room of a process would be offered every event again"
PARTS: list[tuple[Any, str]] = [
    (importlib.import_module("livekit.rtc"), "_ffi_client"),
    (FfiClient, "_queue"),
    (FfiQueue, "_lock"),
    (FfiQueue, "_subscribers"),
    (rtc.AudioStream, "_ffi_queue"),
    (rtc.AudioStream, "_ffi_handle"),
    (rtc.AudioFrame, "_from_owned_info"),
    (rtc.Room, "_ffi_queue"),
    (rtc.Room, "_ffi_handle"),
]


@pytest.mark.parametrize(("owner", "name"), PARTS)
def test_livekit_has_the_part(owner: Any, name: str) -> None:
    stores = inspect.isclass(owner) and re.search(rf"self\.{name}\b", inspect.getsource(owner))
    assert stores or hasattr(owner, name), f"{owner} has no {name} any more: {COSTS}"


def test_no_room_reads_the_answers_that_are_kept_from_it() -> None:
    """Each request has a queue of its own for its answer. Only these two wait in the room's."""
    participant = inspect.getsource(importlib.import_module("livekit.rtc.participant"))
    waits = r"queue = self\._room_queue\.subscribe\(\).*?lambda e: \(?\s*e\.(\w+)\.async_id"
    assert set(re.findall(waits, participant, re.DOTALL)) == {"publish_track", "unpublish_track"}
    room = inspect.getsource(rtc.Room)
    assert "rpc_method_invocation" in room
    assert not {"publish_track", "unpublish_track", "rpc_method_invocation"} & ANSWERS
    assert set(FfiEvent.DESCRIPTOR.fields_by_name) >= ANSWERS


class Listening:
    """Two streams and two rooms in one process, of which the first ones are routed."""

    def __init__(self) -> None:
        self.livekits: FfiQueue[Any] = FfiQueue()
        self.events = RoutedEvents(self.livekits)
        self.heard: dict[str, Queue[Any]] = {}
        self.asks = self.events.subscribe()
        for number in (1, 2):
            self._add(f"stream {number}", rtc.AudioStream, 10 + number)
            self._add(f"room {number}", rtc.Room, 20 + number)

    def _add(self, name: str, kind: type, handle: int) -> None:
        is_stream = kind is rtc.AudioStream
        queue = self.events.subscribe(
            filter_fn=lambda event: (
                (event.WhichOneof("message") == "audio_stream_event") is is_stream
            )
        )
        self.heard[name] = queue
        one = kind.__new__(kind)
        one._ffi_queue, one._ffi_handle = queue, _Handle(handle)
        if name.endswith("1"):
            self.events.route(one)

    async def tell(self, event: FfiEvent) -> set[str]:
        """Who gets this event."""
        self.events.put(event)
        await asyncio.sleep(0)
        got = {name for name, queue in self.heard.items() if queue.qsize() == 1}
        assert all(queue.qsize() <= 1 for queue in self.heard.values())
        for queue in self.heard.values():
            while not queue.empty():
                queue.get_nowait()
        return got


class _Handle:
    def __init__(self, handle: int) -> None:
        self.handle = handle


def sound(stream: int) -> FfiEvent:
    event = FfiEvent()
    event.audio_stream_event.stream_handle = stream
    return event


def room_event(room: int) -> FfiEvent:
    event = FfiEvent()
    event.room_event.room_handle = room
    return event


async def test_a_stream_that_is_routed_gets_its_own_sound_and_no_other() -> None:
    listening = Listening()
    assert await listening.tell(sound(11)) == {"stream 1"}
    assert await listening.tell(sound(12)) == {"stream 2"}


async def test_a_room_that_is_routed_gets_its_own_events_and_no_others() -> None:
    listening = Listening()
    assert await listening.tell(room_event(21)) == {"room 1"}
    assert await listening.tell(room_event(22)) == {"room 2"}


async def test_events_that_come_together_come_in_order_and_by_one_wake_up() -> None:
    loop = asyncio.get_running_loop()
    wakeups, woken, came = Wakeups(), [], []
    wake = loop.call_soon_threadsafe
    loop.call_soon_threadsafe = lambda *told: (woken.append(told), wake(*told))[1]  # type: ignore[method-assign]
    failed: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: failed.append(context))
    for number, hand in enumerate((came.append, {}.__getitem__, came.append)):
        wakeups.bring(loop, hand, number)
    await asyncio.sleep(0)
    assert came == [0, 2]
    assert isinstance(failed[0]["exception"], KeyError)
    assert len([each for each in woken if each[0] == wakeups.deliver]) == 1
    wakeups.bring(loop, came.append, 3)
    await asyncio.sleep(0)
    assert came == [0, 2, 3]


def test_an_event_loop_that_has_ended_gets_nothing_and_keeps_nothing() -> None:
    wakeups, loop, came = Wakeups(), asyncio.new_event_loop(), list[int]()
    wakeups.bring(loop, came.append, 1)
    loop.close()
    wakeups.bring(loop, came.append, 2)
    assert not came
    assert not wakeups._waiting


async def test_a_listener_that_cannot_tell_whether_it_wants_an_event_gets_it() -> None:
    listening = Listening()
    queue = listening.events.subscribe(filter_fn={}.__getitem__)
    listening.events.put(sound(12))
    await asyncio.sleep(0)
    assert queue.qsize() == 1


async def test_an_answer_goes_to_whoever_asked() -> None:
    listening = Listening()
    event = FfiEvent()
    event.capture_audio_frame.async_id = 7
    assert await listening.tell(event) == {"room 2"}
    assert listening.asks.get_nowait().capture_audio_frame.async_id == 7


async def test_every_other_kind_goes_to_all_rooms() -> None:
    listening = Listening()
    event = FfiEvent()
    event.publish_track.async_id = 7
    assert await listening.tell(event) == {"room 1", "room 2"}


async def test_whoever_has_gone_gets_nothing() -> None:
    listening = Listening()
    for name in ("stream 1", "room 1"):
        listening.events.unsubscribe(listening.heard[name])
    assert await listening.tell(sound(11)) == {"stream 2"}
    assert await listening.tell(room_event(21)) == {"room 2"}


async def test_a_real_stream_goes_on_hearing_and_ends() -> None:
    """Twice in a process: the second one finds the first one's route."""
    for _ in range(2):
        source = rtc.AudioSource(16_000, 1, queue_size_ms=100)
        track = rtc.LocalAudioTrack.create_audio_track("voice", source)
        stream = rtc.AudioStream(track, sample_rate=16_000, num_channels=1, frame_size_ms=50)
        route(stream)
        client: Any = FfiClient.instance
        assert isinstance(client.queue, RoutedEvents)
        async with asyncio.timeout(5):
            event = await anext(stream)
            assert event.frame.samples_per_channel == 800
            await source.capture_frame(event.frame)  # which waits for an answer
            await stream.aclose()
        await source.aclose()
        assert not client.queue._streams


def test_what_is_no_part_of_livekits_is_left_alone() -> None:
    route(object())  # type: ignore[arg-type]
    assert not hand_frames(object(), lambda _: None)


CALL = ContextVar("call", default="none")


async def test_frames_are_handed_over_one_after_the_other_until_the_stream_is_closed() -> None:
    CALL.set("ours")
    source = rtc.AudioSource(16_000, 1, queue_size_ms=1000)
    track = rtc.LocalAudioTrack.create_audio_track("voice", source)
    stream = rtc.AudioStream(track, sample_rate=16_000, num_channels=1, frame_size_ms=50)
    taken: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue()
    calls: set[str] = set()

    def take(frame: rtc.AudioFrame) -> None:
        calls.add(CALL.get())
        taken.put_nowait(frame)

    assert hand_frames(stream, take)
    said = np.arange(1, 8001, dtype=np.int16)
    await source.capture_frame(rtc.AudioFrame(said.tobytes(), 16_000, 1, said.size))
    heard = np.zeros(0, np.int16)
    async with asyncio.timeout(5):
        while said[-1] not in heard:
            heard = np.append(heard, np.frombuffer((await taken.get()).data, np.int16))
        await stream.aclose()
    await source.aclose()
    begins = int(np.flatnonzero(heard == said[0])[0])
    assert (heard[begins : begins + said.size] == said).all()
    assert calls == {"ours"}
    client: Any = FfiClient.instance
    assert not client.queue._streams
