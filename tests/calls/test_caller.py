"""The caller itself: what one says the other hears, when it was said."""

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.caller.caller import CallEndedError
from agent.caller.microphone import SAMPLE_RATE
from workbench.local.calling.corpus import dickens
from workbench.local.calling.word_errors import word_error_rate


async def test_two_callers_in_a_room_hear_each_others_words(dial: Any, understand: Any) -> None:
    alice, bob = await dial(), await dial()
    await alice.say(dickens()[5].samples)
    await bob.until(lambda: bob.heard_spans, timeout_seconds=30, what="Bob heard Alice")
    await bob.hear_silence(timeout_seconds=30)
    await bob.say(dickens()[4].samples)
    await alice.hear_silence(timeout_seconds=30)
    assert word_error_rate([(dickens()[5].text, await understand(bob.heard()))]) < 0.25
    assert word_error_rate([(dickens()[4].text, await understand(alice.heard()))]) < 0.25


async def test_a_recording_has_both_sides_in_the_order_in_which_they_spoke(
    dial: Any, tmp_path: Path
) -> None:
    alice, bob = await dial(), await dial()
    asked = await alice.say(dickens()[5].samples)
    await bob.say(dickens()[4].samples)
    answer = await alice.hear_start(after_seconds=asked.end_seconds, timeout_seconds=30)
    await alice.hear_silence(timeout_seconds=30)
    alice.write_wav(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, SAMPLE_RATE)
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    asked_until, answered_from = (
        round(each * SAMPLE_RATE) for each in (asked.end_seconds, answer.start_seconds)
    )
    left, right = np.abs(sound.astype(np.int32)).T
    assert left[:asked_until].max() > 1000
    assert left[asked_until + SAMPLE_RATE // 10 :].max() == 0
    assert right[answered_from:].max() > 1000
    assert right[:asked_until].max() < 1000


async def test_who_waits_for_an_answer_learns_that_the_call_is_over(dial: Any) -> None:
    alice = await dial()
    await alice.hang_up()
    with pytest.raises(CallEndedError, match="CLIENT_INITIATED"):
        await alice.hear_start(after_seconds=0, timeout_seconds=30)
