"""Case and punctuation make no other words."""

import pytest

from stt_assemblyai.text import same_words


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("hi there", "Hi, there!", True),
        ("its mine", "It's mine.", True),
        ("wait", "wait —", True),
        ("twenty five dollars", "$25", False),
        ("25", "$25", True),
        ("25", "€25", False),
        ("", "", True),
        ("hi", "", False),
        ("I'd,", "ID", True),
        ("straße", "STRASSE.", True),
    ],
)
def test_words_are_the_same_without_case_and_punctuation(one: str, other: str, same: bool) -> None:
    assert same_words(one, other) is same


def test_the_rule_for_same_words_is_no_laxer_than_livekits() -> None:
    from livekit.agents.voice.agent_activity import _transcripts_equivalent

    for one, other in [
        ("its mine", "It's mine."),
        ("wait", "wait —"),
        ("25", "$25"),
        ("a b", "a-b"),
    ]:
        assert _transcripts_equivalent(one, other) or not same_words(one, other)
