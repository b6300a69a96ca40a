"""What a filter passes on reaches its reader, and nothing is left when either side goes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from livekit.agents import stt

from agent.call.relay import Relay

pytestmark = pytest.mark.looptime

Type = stt.SpeechEventType
START, WORDS, END = (
    stt.SpeechEvent(type=each)
    for each in (Type.START_OF_SPEECH, Type.FINAL_TRANSCRIPT, Type.END_OF_SPEECH)
)


class Source:
    """Gives these events, one a second, then fails with `failure` or ends."""

    def __init__(self, *events: stt.SpeechEvent, failure: Exception | None = None) -> None:
        self._events = events
        self._failure = failure
        self.is_closed = False

    async def events(self) -> AsyncGenerator[stt.SpeechEvent]:
        try:
            for each in self._events:
                await asyncio.sleep(1)
                yield each
            if self._failure:
                raise self._failure
        finally:
            self.is_closed = True


async def read(relay: Relay, source: Source, into: list[stt.SpeechEvent]) -> None:
    """Each is there as soon as it is read, also before a failure."""
    async for event in relay.read(source.events(), relay.pass_on):
        into.append(event)  # noqa: PERF401


async def test_what_is_taken_may_be_passed_on_later_and_in_another_order() -> None:
    relay, held = Relay("test"), list[stt.SpeechEvent]()

    def let_go() -> None:
        for each in reversed(held):
            relay.pass_on(each)

    source = Source(START, WORDS, END)
    seen = [event async for event in relay.read(source.events(), held.append, let_go)]
    assert seen == [END, WORDS, START]


async def test_something_may_be_passed_on_between_two_events() -> None:
    relay, seen = Relay("test"), list[stt.SpeechEvent]()
    asyncio.get_running_loop().call_later(1.5, relay.pass_on, WORDS)
    await read(relay, Source(START, END), seen)
    assert seen == [START, WORDS, END]


async def test_a_source_that_fails_fails_its_reader_after_all_that_came() -> None:
    relay, seen = Relay("test"), list[stt.SpeechEvent]()
    with pytest.raises(LookupError):
        await read(relay, Source(START, WORDS, failure=LookupError()), seen)
    assert seen == [START, WORDS]


async def test_a_reader_that_goes_ends_the_source() -> None:
    relay, source = Relay("test"), Source(START, WORDS, END)
    async with aclosing(relay.read(source.events(), relay.pass_on)) as events:
        assert await anext(events) is START
    assert source.is_closed


async def test_what_comes_while_nobody_reads_is_dropped() -> None:
    relay, seen = Relay("test"), list[stt.SpeechEvent]()
    relay.pass_on(WORDS)
    await read(relay, Source(START), seen)
    relay.pass_on(WORDS)
    await read(relay, Source(END), seen)
    assert seen == [START, END]


async def test_the_newest_reader_gets_what_is_passed_on() -> None:
    """LiveKit begins to read again before it has closed the reader before."""
    relay, seen = Relay("test"), list[stt.SpeechEvent]()
    async with aclosing(relay.read(Source(START, END).events(), relay.pass_on)) as before:
        await anext(before)
        reading = asyncio.create_task(read(relay, Source(WORDS, END), seen))
        await asyncio.sleep(0.1)
    await reading
    assert seen == [WORDS, END]
