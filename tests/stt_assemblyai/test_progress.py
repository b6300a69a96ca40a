"""A service that says nothing of the speech that it is sent is noticed, once."""

import math

import numpy as np
import pytest

from stt_assemblyai.progress import Progress

SPEECH = (np.sin(np.arange(800) / 5) * 3000).astype("<i2").tobytes()
HUM = (np.sin(np.arange(800) / 5) * 100).astype("<i2").tobytes()


def send(progress: Progress, seconds: float, *, start: float = 0.0, speaks: float = 1.0) -> None:
    """50 ms after 50 ms; of every four seconds the first `speaks` * 4 are spoken."""
    for n in range(round(seconds * 20)):
        pcm = SPEECH if n % 80 < speaks * 80 else HUM
        progress.sent((start + n / 20) * 1000, pcm)


def test_speech_of_which_nothing_is_said_is_noticed_after_the_time_that_was_set() -> None:
    progress = Progress(30)
    send(progress, 30)
    assert not progress.stalled
    send(progress, 2, start=30)
    assert progress.stalled
    assert progress.unanswered_from_ms == 0


def test_people_pause_for_breath() -> None:
    progress = Progress(30)
    send(progress, 32, speaks=0.5)
    assert progress.stalled


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_quiet_line_needs_no_answer(share: float) -> None:
    progress = Progress(30)
    send(progress, 300, speaks=share)
    assert not progress.stalled


def test_speech_counts_from_where_it_begins() -> None:
    progress = Progress(30)
    send(progress, 60, speaks=0)
    send(progress, 20, start=60)
    assert not progress.stalled
    assert 59_000 < progress.unanswered_from_ms < 60_000


def test_an_answer_settles_what_was_sent_before() -> None:
    progress = Progress(30)
    send(progress, 29)
    progress.answered()
    assert progress.unanswered_from_ms == math.inf
    send(progress, 29, start=29)
    assert not progress.stalled


def test_music_on_hold_costs_one_session_and_not_one_after_the_other() -> None:
    progress = Progress(30)
    send(progress, 32)
    progress.restart()
    send(progress, 600)
    assert not progress.stalled
    progress.answered()
    send(progress, 32, start=600)
    assert progress.stalled
