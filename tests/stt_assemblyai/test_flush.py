"""A flush without an open turn: whether words follow is known at once, or within a second."""

import math

import numpy as np
import pytest

from stt_assemblyai.audio import ReplayBuffer
from stt_assemblyai.flush import Flush

RATE = 8000
QUIET = bytes(RATE * 2)  # a second
VOICE = (np.sin(np.arange(RATE)) * 8000).astype("<i2").tobytes()


def flushed(*pcm: bytes) -> Flush:
    """A flush at time 100, right behind this audio."""
    replay = ReplayBuffer(RATE)
    for each in pcm:
        replay.append(each)
    flush = Flush(replay)
    flush.ask(now=100.0)
    return flush


def test_without_a_flush_there_is_nothing_to_say() -> None:
    flush = Flush(ReplayBuffer(RATE))
    assert flush.look_at == math.inf
    assert not flush.give_up(0, 0, now=1e9)


def test_behind_silence_it_is_known_at_once() -> None:
    flush = flushed(QUIET)
    assert flush.look_at == 100.0
    assert flush.give_up(1000, 0, now=100.0)


def test_it_is_said_once() -> None:
    flush = flushed(QUIET)
    assert [flush.give_up(1000, 0, now=100.0 + n) for n in range(3)] == [True, False, False]


def test_a_voice_may_become_words_within_a_second() -> None:
    flush = flushed(QUIET, VOICE)
    assert not flush.give_up(2000, 0, now=100.0)
    assert flush.look_at == 101.0
    assert not flush.give_up(2000, 0, now=100.9)
    assert flush.give_up(2000, 0, now=101.0)


def test_audio_has_to_be_sent_first() -> None:
    flush = flushed(QUIET)
    assert not flush.give_up(950, 0, now=100.0)
    assert flush.look_at == pytest.approx(100.1)
    assert flush.give_up(951, 0, now=100.1)  # less than a chunk cannot be sent


def test_a_voice_that_has_become_a_turn_already_is_no_reason_to_wait() -> None:
    assert flushed(VOICE, QUIET).give_up(2000, 1000, now=100.0)


def test_a_voice_that_is_long_over_would_have_become_words_by_now() -> None:
    assert flushed(VOICE, QUIET, QUIET).give_up(3000, 0, now=100.0)


def test_words_that_come_end_the_wait() -> None:
    flush = flushed(QUIET, VOICE)
    assert not flush.give_up(2000, 0, now=100.0)
    flush.cancel()
    assert flush.look_at == math.inf
    assert not flush.give_up(2000, 0, now=1e9)


def test_a_second_flush_begins_again() -> None:
    flush = flushed(QUIET, VOICE)
    assert not flush.give_up(2000, 0, now=100.0)
    flush.ask(now=100.5)
    assert not flush.give_up(2000, 0, now=100.5)
    assert not flush.give_up(2000, 0, now=101.0)
    assert flush.give_up(2000, 0, now=101.5)
