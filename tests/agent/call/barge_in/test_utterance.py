"""What is known of one utterance from the speech events that tell it."""

import pytest
from livekit.agents import LanguageCode, stt

from agent.call.barge_in.utterance import Utterance

Type = stt.SpeechEventType
BEGUN, WALL = 100.0, 1_000.0


def words(kind: stt.SpeechEventType, text: str, **known: float) -> stt.SpeechEvent:
    data = stt.SpeechData(language=LanguageCode("en"), text=text, **known)
    return stt.SpeechEvent(type=kind, alternatives=[data])


def utterance(*events: stt.SpeechEvent) -> Utterance:
    found = Utterance(BEGUN, WALL)
    for event in events:
        found.read(event, BEGUN + 1)
    return found


def test_nothing_is_known_at_first() -> None:
    found = utterance(stt.SpeechEvent(type=Type.START_OF_SPEECH))
    assert (found.text, found.voice_seconds, found.confidence, found.language) == (
        "",
        None,
        None,
        "",
    )


def test_its_text_is_what_is_final_and_the_newest_of_what_may_change() -> None:
    found = utterance(
        words(Type.INTERIM_TRANSCRIPT, "nine"),
        words(Type.FINAL_TRANSCRIPT, "Mine."),
        words(Type.INTERIM_TRANSCRIPT, "is"),
        words(Type.PREFLIGHT_TRANSCRIPT, "is the red"),
    )
    assert found.text == "Mine. is the red"
    assert found.finals == ["Mine."]
    assert found.language == "en"


def test_at_its_end_only_what_is_final_was_said() -> None:
    end = stt.SpeechEvent(type=Type.END_OF_SPEECH)
    assert utterance(words(Type.INTERIM_TRANSCRIPT, "banana"), end).text == ""


@pytest.mark.parametrize(
    ("text", "changed"), [("nine", False), ("Nine,", False), ("nine to", True), ("mine", True)]
)
def test_it_has_changed_when_other_words_came(text: str, changed: bool) -> None:
    found = utterance(words(Type.INTERIM_TRANSCRIPT, "nine"), words(Type.INTERIM_TRANSCRIPT, text))
    assert found.is_changed is changed


def test_its_voice_lasted_by_the_times_of_its_words_until_its_end_is_known() -> None:
    found = utterance(words(Type.FINAL_TRANSCRIPT, "Red.", start_time=2.0, end_time=2.5))
    assert found.voice_seconds == 0.5
    end = stt.SpeechEvent(type=Type.END_OF_SPEECH, created_at=WALL + 2, speech_end_time=WALL + 1.2)
    found.read(end, BEGUN + 2)
    assert found.ended_at == pytest.approx(BEGUN + 1.2)
    assert found.voice_seconds == pytest.approx(1.2)


def test_an_end_that_lies_ahead_is_now() -> None:
    end = stt.SpeechEvent(type=Type.END_OF_SPEECH, created_at=WALL, speech_end_time=WALL + 1)
    assert utterance(end).ended_at == BEGUN + 1


def test_a_transcript_without_words_tells_nothing() -> None:
    found = utterance(
        words(Type.FINAL_TRANSCRIPT, "Red.", confidence=0.7),
        stt.SpeechEvent(type=Type.FINAL_TRANSCRIPT, alternatives=[]),
    )
    assert (found.text, found.confidence) == ("Red.", 0.7)
