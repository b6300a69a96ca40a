"""How many replies nobody heard, and what they cost."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import SpeechCreatedEvent
from livekit.agents.metrics import LLMMetrics, TTSMetrics

from agent.call.turns.thrown_away import ThrownAway


class Speech:
    """A speech of LiveKit's session, as far as it is looked at."""

    def __init__(self, modality: str = "audio") -> None:
        self.input_details = SimpleNamespace(modality=modality)
        self.scheduled = False
        self._done: Any = None

    def add_done_callback(self, done: Any) -> None:
        self._done = done

    def end(self, *, heard: bool) -> None:
        self.scheduled = heard
        self._done(self)


def begun(counts: ThrownAway, speech: Speech, source: str = "generate_reply") -> Speech:
    event = SimpleNamespace(speech_handle=speech, source=source)
    counts.begun(cast("SpeechCreatedEvent", event))
    return speech


def tokens(prompt: int) -> LLMMetrics:
    return LLMMetrics.model_construct(prompt_tokens=prompt)


def test_a_reply_that_is_heard_is_no_waste() -> None:
    counts = ThrownAway()
    begun(counts, Speech()).end(heard=True)
    counts.measured(tokens(100))
    assert counts.fields() == {
        "replies": 1,
        "thrown_away": 0,
        "prompt_tokens": 100,
        "wasted_prompt_tokens": 0,
    }


def test_one_that_is_thrown_away_counts_as_many_tokens_as_the_next() -> None:
    counts = ThrownAway()
    for _ in range(2):
        begun(counts, Speech()).end(heard=False)
    counts.measured(tokens(100))
    assert (counts.prompt_tokens, counts.wasted_prompt_tokens) == (300, 200)
    counts.measured(tokens(110))
    assert (counts.prompt_tokens, counts.wasted_prompt_tokens) == (410, 200)
    assert (counts.replies, counts.thrown_away) == (2, 2)


@pytest.mark.parametrize(("modality", "source"), [("text", "generate_reply"), ("audio", "say")])
def test_what_answers_no_words_is_no_reply(modality: str, source: str) -> None:
    counts = ThrownAway()
    begun(counts, Speech(modality), source)
    assert counts == ThrownAway()


def test_only_a_model_that_reports_its_tokens_is_measured() -> None:
    counts = ThrownAway()
    counts.measured(tokens(0))
    counts.measured(TTSMetrics.model_construct())
    assert counts == ThrownAway()
