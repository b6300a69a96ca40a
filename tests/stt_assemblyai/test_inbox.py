"""Audio and messages reach every session that sends, in order, and what is unsent is inherited."""

import asyncio

import pytest

from stt_assemblyai.inbox import Inbox
from stt_assemblyai.messages import ForceEndpoint, KeepAlive, UpdateConfiguration
from stt_assemblyai.timing import Timing

pytestmark = pytest.mark.looptime

CHUNK = bytes(800)  # 50 ms at 8 kHz


def inbox() -> Inbox:
    return Inbox(8000, Timing())


async def test_new_audio_is_sent_at_once_where_nothing_stands_in_the_way() -> None:
    box = inbox()
    prompt, slow = box.open(), box.open()
    prompt.send_now = lambda: True
    slow.send_now = lambda: False
    busy = box.open()
    box.add(CHUNK)
    assert [outlet.stirred.is_set() for outlet in (prompt, slow, busy)] == [False, True, True]


async def test_a_message_keeps_its_place_behind_the_audio_that_was_there() -> None:
    box = inbox()
    outlet = box.open()
    box.add(CHUNK)
    box.say(ForceEndpoint())
    assert list(outlet.messages) == [(len(CHUNK), ForceEndpoint())]
    assert outlet.stirred.is_set()


async def test_what_a_session_did_not_send_is_left_to_the_next() -> None:
    box = inbox()
    first = box.open()
    box.put_in_charge(first)
    box.say(ForceEndpoint())
    box.close(first)
    assert [message for _, message in box.open().messages] == [ForceEndpoint()]
    first.messages.clear()
    assert not box.open().messages


async def test_a_session_that_is_opened_with_the_newest_options_is_told_no_update() -> None:
    box = inbox()
    box.say(UpdateConfiguration({"min_turn_silence": 900}))
    box.say(KeepAlive())
    assert [message for _, message in box.open().messages] == [KeepAlive()]


async def test_two_sessions_at_once_are_told_each_message_once() -> None:
    box = inbox()
    first, second = box.open(), box.open()
    box.put_in_charge(first)
    box.say(ForceEndpoint())
    assert len(first.messages) == len(second.messages) == 1


async def test_a_session_that_is_closed_is_stirred_no_more() -> None:
    box = inbox()
    outlet = box.open()
    box.close(outlet)
    box.close(outlet)
    box.add(CHUNK)
    box.end()
    assert not outlet.stirred.is_set()


async def test_audio_is_waited_for_until_there_is_a_chunk() -> None:
    box = inbox()
    waiting = asyncio.create_task(box.wait_for_audio(50))
    await asyncio.sleep(1)
    box.add(CHUNK)
    await asyncio.sleep(1)
    assert not waiting.done()
    box.add(CHUNK)
    assert await waiting
    assert await box.wait_for_audio(50)


@pytest.mark.parametrize(("rest_ms", "is_enough"), [(40, False), (50, True), (900, True)])
async def test_the_rest_of_a_long_chunk_is_not_left_behind(rest_ms: int, is_enough: bool) -> None:
    box = Inbox(8000, Timing(chunk_ms=1000))
    waiting = asyncio.create_task(box.wait_for_audio(0))
    box.add(bytes(16 * rest_ms))
    box.end()
    assert await waiting is is_enough


async def test_audio_is_not_waited_for_when_none_will_come() -> None:
    box = inbox()
    waiting = asyncio.create_task(box.wait_for_audio(0))
    await asyncio.sleep(1)
    box.end()
    assert not await waiting
