"""What several people say at once reaches a session as from one speaker, word for word."""

from hypothesis import given
from hypothesis import strategies as some
from livekit.agents import LanguageCode, stt

from agent.call.voices.crosstalk import Crosstalk

Type = stt.SpeechEventType
START, INTERIM, PREFLIGHT = Type.START_OF_SPEECH, Type.INTERIM_TRANSCRIPT, Type.PREFLIGHT_TRANSCRIPT
FINAL, END = Type.FINAL_TRANSCRIPT, Type.END_OF_SPEECH


def event(kind: stt.SpeechEventType, text: str = "") -> stt.SpeechEvent:
    words = [stt.SpeechData(language=LanguageCode("en"), text=text)] if text else []
    return stt.SpeechEvent(type=kind, alternatives=words)


def told(*steps: tuple[str, stt.SpeechEventType, str]) -> list[tuple[stt.SpeechEventType, str]]:
    """What a session sees of these events of these voices."""
    crosstalk = Crosstalk()
    seen = [each for who, *what in steps for each in crosstalk.push(who, event(*what))]
    return [(each.type, each.alternatives[0].text if each.alternatives else "") for each in seen]


def test_one_speaker_is_heard_as_ever() -> None:
    steps = [(START, ""), (INTERIM, "a"), (PREFLIGHT, "a b"), (FINAL, "A b."), (END, "")]
    assert told(*[("ann", *each) for each in steps]) == steps


def test_the_turn_is_over_when_everybody_is_quiet() -> None:
    assert told(
        ("ann", START, ""),
        ("bob", START, ""),
        ("bob", FINAL, "Bob's."),
        ("bob", END, ""),
        ("ann", FINAL, "Ann's."),
        ("ann", END, ""),
    ) == [(START, ""), (FINAL, "Bob's."), (FINAL, "Ann's."), (END, "")]


def test_no_reply_is_begun_while_somebody_else_speaks() -> None:
    assert told(("ann", START, ""), ("bob", START, ""), ("bob", PREFLIGHT, "well")) == [
        (START, ""),
        (INTERIM, "well"),
    ]


def test_who_leaves_in_mid_word_keeps_nobody_waiting() -> None:
    crosstalk = Crosstalk()
    crosstalk.push("ann", event(START))
    assert [each.type for each in crosstalk.gone("ann")] == [END]
    assert crosstalk.gone("ann") == []


def test_an_empty_text_is_no_words() -> None:
    crosstalk = Crosstalk()
    assert crosstalk.push("ann", event(FINAL)) == []
    assert [each.type for each in crosstalk.push("bob", event(START))] == [START]


def test_what_is_no_speech_passes_by() -> None:
    assert told(("ann", Type.RECOGNITION_USAGE, "")) == [(Type.RECOGNITION_USAGE, "")]


KIND = some.sampled_from([START, INTERIM, PREFLIGHT, FINAL, END])


@given(some.lists(some.tuples(some.sampled_from(["ann", "bob", "cat"]), KIND)))
def test_whatever_comes_in_whatever_order_each_final_word_arrives_once_and_the_turn_ends(
    steps: list[tuple[str, stt.SpeechEventType]],
) -> None:
    crosstalk, seen, spoken = Crosstalk(), [], []
    for number, (who, kind) in enumerate(steps):
        text = f"{who} {number}" if kind not in (START, END) else ""
        if kind is FINAL:
            spoken.append(text)
        seen += crosstalk.push(who, event(kind, text))
    for who in ("ann", "bob", "cat"):
        seen += crosstalk.gone(who)
    assert [each.alternatives[0].text for each in seen if each.type is FINAL] == spoken
    is_open = False
    for each in seen:
        assert is_open is (each.type is not START), "a session's turn begins once, and ends"
        is_open = each.type is not END
    assert not is_open
