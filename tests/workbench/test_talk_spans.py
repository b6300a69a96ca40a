"""Spans of time, the vocabulary of all scores."""

import pytest

from workbench.bench.talk.spans import Conversation, Kind, Span, Stimulus, joined


def test_a_span_ends_after_it_begins() -> None:
    with pytest.raises(ValueError, match="ends after it begins"):
        Span(100, 100)


@pytest.mark.parametrize(
    ("other", "overlap_ms"),
    [(Span(0, 100), 0), (Span(50, 150), 50), (Span(120, 130), 10), (Span(190, 900), 10)],
)
def test_spans_overlap_while_both_last(other: Span, overlap_ms: float) -> None:
    assert Span(100, 200).overlap_ms(other) == other.overlap_ms(Span(100, 200)) == overlap_ms


def test_pauses_as_short_as_the_voices_own_are_closed() -> None:
    assert joined([Span(0, 400), Span(700, 800)], 300) == (Span(0, 800),)
    assert joined([Span(0, 400), Span(701, 800)], 300) == (Span(0, 400), Span(701, 800))


def test_a_span_within_another_does_not_shorten_it() -> None:
    assert joined([Span(0, 900), Span(100, 200)], 0) == (Span(0, 900),)


def test_only_words_to_the_agent_are_turns() -> None:
    stimuli = tuple(Stimulus(kind, Span(at, at + 1)) for at, kind in enumerate(Kind))
    assert Conversation(stimuli, ()).turns == stimuli[:1]
