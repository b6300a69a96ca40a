"""Messages become speech events that are balanced, whole and never late, on both model families.

A line such as `"hi the*"` is a turn as the service sends it: a star marks a word that is not final.
"""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from stt_assemblyai.audio import AudioClock
from stt_assemblyai.endpointing import Endpointing
from stt_assemblyai.events import (
    EndOfSpeech,
    Final,
    Interim,
    LateFormat,
    Overdue,
    Preflight,
    SpeakersRevised,
    SpeechEvent,
    StartOfSpeech,
    Unanswered,
)
from stt_assemblyai.messages import RevisedTurn, SpeakerRevision, SpeechStarted, Turn, Word
from stt_assemblyai.transcript import TurnEnd
from stt_assemblyai.turns import TurnMapper


def turn(order: int, words: str, *, us: bool = True, **fields: Any) -> Turn:
    """A Turn of a US model (`transcript` has final words alone) or of the U3 family."""
    spoken = tuple(
        Word(
            text=text.removesuffix("*"),
            start=100 + 300 * index,
            end=350 + 300 * index,
            confidence=0.9,
            word_is_final=not text.endswith("*"),
        )
        for index, text in enumerate(words.split())
    )
    final = [word.text for word in spoken if word.word_is_final or not us]
    return Turn.model_validate(
        {
            "type": "Turn",
            "turn_order": order,
            "end_of_turn": False,
            "transcript": " ".join(final),
            "words": spoken,
            **fields,
        }
    )


def eot(order: int, words: str, **fields: Any) -> Turn:
    return turn(order, words, end_of_turn=True, **fields)


def told(events: tuple[SpeechEvent, ...]) -> list[str]:
    """Events in short: `interim hi the`."""
    lines = []
    for event in events:
        name = type(event).__name__.lower()
        match event:
            case Interim() | Preflight() | Final():
                lines.append(f"{name} {event.transcript.text}")
            case LateFormat(transcript=transcript, replaces=replaced):
                lines.append(f"{name} {transcript.text} for {replaced}")
            case Overdue() | Unanswered():
                lines.append(name)
            case StartOfSpeech(start_ms=time) | EndOfSpeech(speech_end_ms=time):
                lines.append(f"{name} {time}")
            case SpeakersRevised():
                lines.append(f"{name} {event.speakers}")
    return lines


def play(mapper: TurnMapper, *messages: Any) -> list[str]:
    return [line for message in messages for line in told(mapper.receive(message, now=0.0))]


def clock_from(stream_ms: float) -> AudioClock:
    """Of a session that was sent a minute of the stream from here on."""
    clock = AudioClock()
    clock.sent(stream_ms, 60_000)
    return clock


@pytest.fixture
def plain() -> TurnMapper:
    """format_turns is off: no formatted text will come."""
    mapper = TurnMapper(AudioClock(), Endpointing())
    mapper.session_id = "s"
    return mapper


@pytest.fixture
def formatted() -> TurnMapper:
    """format_turns is on: the formatted text is waited for."""
    return TurnMapper(AudioClock(), Endpointing(wait_for_formatted_seconds=0.3))


@pytest.fixture
def u3() -> TurnMapper:
    return TurnMapper(clock_from(0), Endpointing(by_confidence=True, preflight_confidence=0.4))


def test_a_turn_of_the_us_models_without_formatting(plain: TurnMapper) -> None:
    assert play(
        plain,
        turn(0, "hi*"),
        turn(0, "hi the*"),
        turn(0, "hi there", utterance="hi there", end_of_turn_confidence=0.2),
        turn(0, "hi there how*"),
        turn(0, "hi there how are you*"),
        eot(0, "hi there how are you", utterance="how are you"),
    ) == [
        "startofspeech 100",
        "interim hi",
        "interim hi the",
        "preflight hi there",
        "interim hi there how",
        "interim hi there how are you",
        "final hi there how are you",
        "endofspeech 1550",
    ]


def test_the_formatted_text_is_the_final_when_it_comes_in_time(formatted: TurnMapper) -> None:
    assert play(formatted, turn(0, "hi"), eot(0, "hi there")) == [
        "startofspeech 100",
        "interim hi",
        "preflight hi there",
    ]
    assert formatted.deadline == pytest.approx(0.3)
    assert play(formatted, eot(0, "Hi there.", turn_is_formatted=True)) == [
        "final Hi there.",
        "endofspeech 650",
    ]
    assert formatted.deadline is None


def test_the_final_does_not_wait_longer_for_its_formatted_text_than_told(
    formatted: TurnMapper,
) -> None:
    play(formatted, eot(0, "hi there"))
    assert formatted.expire(0.29) == ()
    assert told(formatted.expire(0.3)) == ["final hi there", "endofspeech 650"]
    assert formatted.expire(9.9) == ()


def test_a_formatted_text_after_the_end_is_not_a_final(formatted: TurnMapper) -> None:
    play(formatted, eot(0, "hi there"))
    formatted.expire(1.0)
    late = eot(0, "Hi there.", turn_is_formatted=True)
    assert play(formatted, late) == ["lateformat Hi there. for hi there"]
    assert play(formatted, late) == []


def test_the_next_turn_ends_the_wait_for_a_formatted_text(formatted: TurnMapper) -> None:
    play(formatted, eot(0, "hi there"))
    assert play(formatted, turn(1, "and")) == [
        "final hi there",
        "endofspeech 650",
        "startofspeech 100",
        "interim and",
    ]


def test_without_patience_the_final_comes_at_once() -> None:
    mapper = TurnMapper(AudioClock(), Endpointing(wait_for_formatted_seconds=0))
    assert play(mapper, eot(0, "hi")) == ["startofspeech 100", "final hi", "endofspeech 350"]


def test_a_turn_that_is_formatted_from_the_start_has_no_duplicate(formatted: TurnMapper) -> None:
    assert play(formatted, eot(0, "Hi.", turn_is_formatted=True)) == [
        "startofspeech 100",
        "final Hi.",
        "endofspeech 350",
    ]


def test_only_a_formatted_end_is_the_formatted_text(formatted: TurnMapper) -> None:
    play(formatted, eot(0, "hi"))
    assert play(formatted, eot(0, "hi"), turn(0, "hi", turn_is_formatted=True)) == []


def test_an_empty_formatted_text_does_not_take_the_words_back(formatted: TurnMapper) -> None:
    play(formatted, eot(0, "hi"))
    assert play(formatted, eot(0, "", turn_is_formatted=True)) == ["final hi", "endofspeech 350"]


def test_a_turn_of_the_u3_family_is_rewritten_as_a_whole(u3: TurnMapper) -> None:
    assert play(
        u3,
        SpeechStarted(type="SpeechStarted", timestamp=84),
        turn(0, "I'd* like* too*", us=False),
        turn(0, "I'd* like* two*", us=False, end_of_turn_confidence=0.4),
        turn(0, "I'd* like* two* tickets*", us=False, turn_is_formatted=True),
        eot(0, "I'd like two tickets.", utterance="I'd like two tickets.", turn_is_formatted=True),
    ) == [
        "startofspeech 84",
        "interim I'd like too",
        "preflight I'd like two",
        "interim I'd like two tickets",
        "final I'd like two tickets.",
        "endofspeech 1250",
    ]


def test_speech_that_started_without_words_starts_nothing(u3: TurnMapper) -> None:
    assert play(u3, SpeechStarted(type="SpeechStarted", timestamp=84)) == []
    assert not u3.in_turn


def test_confidence_alone_is_no_preflight_on_the_us_models(plain: TurnMapper) -> None:
    assert play(plain, turn(0, "hi", end_of_turn_confidence=0.9))[-1] == "interim hi"


def test_the_same_words_are_one_preflight(formatted: TurnMapper) -> None:
    assert play(
        formatted, turn(0, "hi there", utterance="hi there"), eot(0, "hi there", utterance="")
    ) == ["startofspeech 100", "preflight hi there"]


def test_words_that_come_back_ask_for_a_reply_anew(u3: TurnMapper) -> None:
    assert play(
        u3,
        turn(0, "like* two*", us=False, end_of_turn_confidence=0.4),
        turn(0, "Like* two*", us=False),
        turn(0, "like* two*", us=False, end_of_turn_confidence=0.4),
        turn(0, "like* to*", us=False),
        turn(0, "like* two*", us=False, end_of_turn_confidence=0.4),
    ) == [
        "startofspeech 100",
        "preflight like two",
        "interim Like two",
        "interim like to",
        "preflight like two",
    ]


def test_the_same_text_is_one_interim(plain: TurnMapper) -> None:
    assert play(plain, turn(0, "hi*"), turn(0, "hi")) == ["startofspeech 100", "interim hi"]


def test_empty_finals_are_dropped(plain: TurnMapper) -> None:
    assert play(plain, eot(0, "", language_code=None), turn(1, "")) == []
    assert play(plain, eot(0, "hi")) == []


def test_words_that_are_taken_back_end_without_a_final(u3: TurnMapper) -> None:
    play(u3, turn(0, "uh*", us=False))
    assert play(u3, eot(0, "")) == ["endofspeech 350"]
    assert not u3.in_turn


def test_final_words_are_not_taken_back(plain: TurnMapper) -> None:
    play(plain, turn(0, "hi the*"))
    assert play(plain, eot(0, "")) == ["final hi the", "endofspeech 650"]


def test_an_ended_turn_does_not_speak_again(plain: TurnMapper) -> None:
    play(plain, eot(0, "hi"))
    assert play(plain, turn(0, "hi there"), eot(0, "hi there")) == []


def test_a_turn_whose_end_was_never_said_ends_with_the_next(plain: TurnMapper) -> None:
    play(plain, turn(0, "hi"))
    assert play(plain, turn(3, "and"))[:2] == ["final hi", "endofspeech 350"]


def test_closing_finishes_the_open_turn(plain: TurnMapper) -> None:
    play(plain, turn(0, "hi the*"))
    assert told(plain.close()) == ["final hi the", "endofspeech 650"]
    assert plain.close() == ()


def test_closing_finishes_a_turn_that_waits_for_its_formatted_text(formatted: TurnMapper) -> None:
    play(formatted, eot(0, "hi"))
    assert told(formatted.close()) == ["final hi", "endofspeech 350"]


def test_an_unknown_language_stays_unknown_and_pending_is_no_speaker(plain: TurnMapper) -> None:
    (_, final, _) = plain.receive(eot(0, "hi", speaker_label="PENDING"), 0)
    assert isinstance(final, Final)
    assert (final.transcript.language, final.transcript.speaker) == (None, None)


def test_a_speaker_and_a_language_are_passed_on(plain: TurnMapper) -> None:
    (_, final, _) = plain.receive(eot(0, "hi", speaker_label="B", language_code="es"), 0)
    assert isinstance(final, Final)
    assert (final.transcript.language, final.transcript.speaker) == ("es", "B")
    assert (final.transcript.session_id, final.transcript.turn_order) == ("s", 0)


def test_revised_speakers_are_passed_on(plain: TurnMapper) -> None:
    revision = SpeakerRevision(
        type="SpeakerRevision",
        revisions=(
            RevisedTurn(turn_order=0, speaker_label="A"),
            RevisedTurn(turn_order=1, speaker_label="UNKNOWN"),
        ),
    )
    assert play(plain, revision) == ["speakersrevised ((0, 'A'), (1, None))"]


def resumed(mapper: TurnMapper, from_ms: float) -> list[str]:
    """The session broke off; the next one hears the stream from here on."""
    return told(mapper.resume(clock_from(from_ms), from_ms))


def test_an_open_turn_goes_on_in_the_next_session(plain: TurnMapper) -> None:
    play(plain, turn(0, "hi there how*"))
    assert plain.needed_from_ms == 0
    assert resumed(plain, 0) == []
    assert play(plain, turn(0, "hi"), turn(0, "hi there"), turn(0, "hi there how are*")) == [
        "interim hi there how are"
    ]
    assert play(plain, eot(0, "hi there how are you")) == [
        "final hi there how are you",
        "endofspeech 1550",
    ]


def test_settled_words_need_not_be_heard_again(plain: TurnMapper) -> None:
    play(plain, turn(0, "a b c d e f g h i j"))
    from_ms = plain.needed_from_ms
    assert 800 <= from_ms <= 1400
    resumed(plain, from_ms)
    assert play(plain, eot(0, "e f g h i j k"))[0] == "final a b c d e f g h i j k"


def test_a_turn_rewritten_as_a_whole_is_heard_again_as_a_whole(u3: TurnMapper) -> None:
    play(u3, turn(0, "I'd* like* two*", us=False))
    assert u3.needed_from_ms == 0
    resumed(u3, 0)
    assert u3.carried_until_ms == 950
    assert play(u3, turn(0, "I'd*", us=False)) == []
    assert u3.carried_until_ms is None
    assert play(u3, turn(0, "I'd* like* tea* please*", us=False)) == ["interim I'd like tea please"]
    assert play(u3, eot(0, "I'd like tea, please."))[0] == "final I'd like tea, please."


def test_of_a_long_turn_only_the_end_is_heard_again(u3: TurnMapper) -> None:
    long = " ".join(f"w{n}*" for n in range(40))
    play(u3, turn(0, long, us=False))
    from_ms = u3.needed_from_ms
    assert 4_000 < from_ms < 7_000
    resumed(u3, from_ms)
    assert play(u3, eot(0, "sure", us=False)) == []  # it lies before the last settled word
    final, _ = told(u3.give_up_carried())
    assert final == "final " + long.replace("*", "")


def test_what_the_end_of_a_session_may_have_cut_is_left_to_the_next_one(plain: TurnMapper) -> None:
    play(plain, turn(0, "book two tick"))
    assert plain.settled_until_ms == 950
    clock = AudioClock()
    clock.sent(250, 60_000)
    assert plain.resume(clock, 250, until_ms=950) == ()
    assert play(plain, eot(0, "k two tickets"))[0] == "final book two tickets"


def test_a_half_heard_word_does_not_replace_one_that_was_known_as_a_whole(u3: TurnMapper) -> None:
    play(u3, turn(0, "I'd* like* tickets*", us=False))
    resumed(u3, 0)
    half = turn(0, "I'd* like* tick*", us=False)
    half = half.model_copy(
        update={"words": (*half.words[:2], half.words[2].model_copy(update={"end": 800}))}
    )
    assert play(u3, half) == []


def test_a_turn_that_waits_for_its_formatted_text_ends_when_its_session_does(
    formatted: TurnMapper,
) -> None:
    play(formatted, eot(0, "hi"))
    assert resumed(formatted, 0) == ["final hi", "endofspeech 350"]
    assert play(formatted, eot(0, "hi", turn_is_formatted=True)) == []


def test_words_of_an_ended_turn_are_not_said_again(plain: TurnMapper) -> None:
    play(plain, eot(0, "hi there"))
    assert plain.said_until_ms == 650
    resumed(plain, plain.needed_from_ms)
    assert play(plain, turn(0, "hi"), eot(0, "hi there")) == []
    resumed(plain, plain.needed_from_ms)
    assert play(plain, turn(0, "hi there"), eot(0, "hi there friend")) == [
        "startofspeech 700",
        "final friend",
        "endofspeech 950",
    ]


def test_a_word_said_again_in_the_next_turn_is_new(plain: TurnMapper) -> None:
    play(plain, turn(0, "no"))
    resumed(plain, 0)
    assert play(plain, eot(0, "no"), turn(1, "no")) == [
        "final no",
        "endofspeech 350",
        "startofspeech 100",
        "interim no",
    ]


def test_an_end_of_what_was_said_before_does_not_end_the_open_turn(plain: TurnMapper) -> None:
    play(plain, eot(0, "hi"), turn(1, "hi there how"))
    resumed(plain, 0)
    assert play(plain, eot(0, "hi"), turn(1, "hi there how are")) == ["interim hi there how are"]


def test_an_end_that_says_nothing_does_not_end_a_turn_from_before(u3: TurnMapper) -> None:
    play(u3, turn(0, "uh*", us=False))
    resumed(u3, 0)
    assert play(u3, eot(0, "")) == []
    assert u3.in_turn


def test_a_turn_that_nobody_takes_up_ends_with_what_is_known(plain: TurnMapper) -> None:
    play(plain, turn(0, "hi there"))
    assert plain.give_up_carried() == ()
    resumed(plain, 0)
    assert plain.carried_until_ms == 650
    assert told(plain.give_up_carried()) == ["final hi there", "endofspeech 650"]
    assert plain.carried_until_ms is None


def gated(**rules: Any) -> TurnMapper:
    return TurnMapper(AudioClock(), Endpointing(preflight_confidence=0.7, **rules))


def test_a_pause_in_mid_sentence_asks_for_no_reply() -> None:
    mapper = gated()
    assert play(
        mapper,
        turn(0, "I'd like to", utterance="I'd like to", end_of_turn_confidence=0.3),
        turn(0, "I'd like to go", utterance="go", end_of_turn_confidence=0.7),
    ) == ["startofspeech 100", "interim I'd like to", "preflight I'd like to go"]


def test_a_preflight_has_the_words_of_the_whole_turn(plain: TurnMapper) -> None:
    assert play(plain, turn(0, "hi there", utterance="hi there"))[-1] == "preflight hi there"
    assert play(plain, turn(0, "hi there how are you", utterance="how are you")) == [
        "preflight hi there how are you"
    ]


def test_a_pause_that_is_nearly_the_end_asks_for_a_reply_however_unsure() -> None:
    mapper = gated(pause_seconds=1.7)
    play(mapper, turn(0, "hi*"), turn(0, "hi", utterance="hi", end_of_turn_confidence=0.1))
    assert mapper.expire(1.69) == ()
    assert told(mapper.expire(1.7)) == ["preflight hi"]
    assert mapper.deadline is None
    assert play(mapper, eot(0, "hi")) == ["final hi", "endofspeech 350"]


def test_a_new_word_begins_the_pause_anew() -> None:
    mapper = gated(pause_seconds=1.7)
    mapper.receive(turn(0, "hi"), now=0.0)
    mapper.receive(turn(0, "hi the*"), now=1.0)
    assert mapper.deadline is None
    mapper.receive(turn(0, "hi there"), now=1.5)
    assert mapper.deadline == pytest.approx(3.2)


def test_an_eager_preflight_comes_when_final_words_are_followed_by_quiet() -> None:
    mapper = gated(eager_ms=80)
    play(mapper, turn(0, "hi*", end_of_turn_confidence=0.9))
    assert mapper.awaits_quiet_after is None
    play(mapper, turn(0, "hi there", end_of_turn_confidence=0.6))
    assert mapper.awaits_quiet_after is None
    play(mapper, turn(0, "hi there you", end_of_turn_confidence=0.7))
    assert mapper.awaits_quiet_after is not None
    assert mapper.awaits_quiet_after.text == "you"
    assert told(mapper.fell_quiet()) == ["preflight hi there you"]
    assert mapper.awaits_quiet_after is None
    assert play(mapper, turn(0, "hi there you", utterance="hi there you")) == []


def test_nobody_listens_for_quiet_unless_told(plain: TurnMapper) -> None:
    play(plain, turn(0, "hi"))
    assert plain.awaits_quiet_after is None


def test_whoever_only_writes_down_gets_no_preflight() -> None:
    rules = Endpointing(
        wait_for_formatted_seconds=0.3, keep_reply=False, preflight_confidence=math.inf
    )
    mapper = TurnMapper(AudioClock(), rules)
    assert play(mapper, eot(0, "ten dollars", utterance="ten dollars")) == ["startofspeech 100"]
    assert play(mapper, eot(0, "$10.", turn_is_formatted=True)) == ["final $10.", "endofspeech 350"]


def test_a_formatted_text_with_other_words_does_not_throw_the_reply_away(
    formatted: TurnMapper,
) -> None:
    assert play(formatted, eot(0, "twenty five dollars"))[-1] == "preflight twenty five dollars"
    assert play(formatted, eot(0, "$25.", turn_is_formatted=True)) == [
        "final twenty five dollars",
        "endofspeech 950",
        "lateformat $25. for twenty five dollars",
    ]
    assert play(formatted, eot(0, "$25.", turn_is_formatted=True)) == []


def test_a_reply_that_is_ready_ends_the_wait_for_the_formatted_text(formatted: TurnMapper) -> None:
    assert formatted.commit_now() == ()
    play(formatted, turn(0, "hi"))
    play(formatted, eot(0, "hi"))
    assert told(formatted.commit_now()) == ["final hi", "endofspeech 350"]
    assert play(formatted, eot(0, "Hi.", turn_is_formatted=True)) == ["lateformat Hi. for hi"]


def test_a_reply_that_is_ready_before_the_turns_end_waits_for_no_formatted_text(
    formatted: TurnMapper,
) -> None:
    play(formatted, turn(0, "hi"))
    assert formatted.commit_now() == ()
    assert play(formatted, eot(0, "hi")) == ["final hi", "endofspeech 350"]


def test_a_reply_to_fewer_words_does_not_hurry_the_turn(formatted: TurnMapper) -> None:
    play(formatted, turn(0, "hi"))
    assert formatted.commit_now() == ()
    assert play(formatted, eot(0, "hi there")) == ["preflight hi there"]


def committed(formatted_ms: int | None, reply_ms: int | None, text: str) -> tuple[float, list[str]]:
    """When the Final comes after the end of a turn, and what is told from then on, where a reply
    is ready and the formatted text comes so many milliseconds after that end; None: never."""
    mapper = TurnMapper(AudioClock(), Endpointing(wait_for_formatted_seconds=0.3))
    mapper.receive(eot(0, "twenty five dollars"), now=0.0)
    formatted = eot(0, text, turn_is_formatted=True)
    lines: list[str] = []
    at_ms = math.inf
    for now_ms in range(1000):
        events = mapper.receive(formatted, now_ms / 1000) if now_ms == formatted_ms else ()
        events += mapper.commit_now() if now_ms == reply_ms else ()
        events += mapper.expire(now_ms / 1000)
        at_ms = min(at_ms, now_ms) if events else at_ms
        lines += told(events)
    return at_ms, [line for line in lines if not line.startswith("end")]


@pytest.mark.parametrize(
    ("formatted_ms", "reply_ms", "at_ms"),
    [
        (0, 450, 0),
        (150, 450, 150),
        (400, 450, 300),  # the deadline
        (None, 450, 300),
        (0, 120, 0),
        (150, 120, 120),  # a reply that is ready does not wait
        (400, 120, 120),
        (None, 120, 120),
        (150, None, 150),  # no reply is being made, as when the caller interrupts
        (None, None, 300),
    ],
)
def test_the_formatted_text_never_costs_time_while_a_reply_is_being_made(
    formatted_ms: int | None, reply_ms: int | None, at_ms: int
) -> None:
    when, lines = committed(formatted_ms, reply_ms, "Twenty five dollars.")
    assert when == at_ms
    assert reply_ms is None or when <= reply_ms
    is_late = formatted_ms is not None and formatted_ms > at_ms
    text = (
        "Twenty five dollars."
        if formatted_ms is not None and not is_late
        else "twenty five dollars"
    )
    assert lines == [f"final {text}"] + ["lateformat Twenty five dollars. for " + text] * is_late


@pytest.mark.parametrize("formatted_ms", [0, 150, 400])
def test_a_formatted_text_that_rewrites_words_comes_behind_the_final(formatted_ms: int) -> None:
    when, lines = committed(formatted_ms, 450, "$25.")
    assert when == min(formatted_ms, 300)
    assert lines == ["final twenty five dollars", "lateformat $25. for twenty five dollars"]


@pytest.fixture
def stuck() -> TurnMapper:
    """A turn of which nothing more is said, and which should have ended."""
    mapper = TurnMapper(AudioClock(), Endpointing(stuck_seconds=4.4, force_seconds=1.5))
    play(mapper, turn(0, "hi the*"))
    assert mapper.expire(4.3) == ()
    assert told(mapper.expire(4.4)) == ["overdue"]
    return mapper


def test_a_turn_that_does_not_end_is_asked_to(stuck: TurnMapper) -> None:
    assert stuck.deadline == pytest.approx(5.9)
    assert play(stuck, eot(0, "hi there")) == ["final hi there", "endofspeech 650"]
    assert stuck.deadline is None


def test_a_turn_that_does_not_end_when_asked_is_ended(stuck: TurnMapper) -> None:
    assert told(stuck.expire(5.9)) == ["final hi the", "endofspeech 650", "unanswered"]
    assert not stuck.in_turn


def test_a_service_that_could_not_hear_gets_its_time_again(stuck: TurnMapper) -> None:
    stuck.restart_watchdog(6.0)
    assert stuck.deadline == pytest.approx(7.5)
    idle = TurnMapper(AudioClock(), Endpointing(stuck_seconds=4.4))
    idle.restart_watchdog(6.0)
    assert idle.deadline is None


def test_what_is_said_after_a_forced_end_is_a_turn_of_its_own(stuck: TurnMapper) -> None:
    stuck.expire(5.9)
    assert play(stuck, turn(0, "hi the"), eot(0, "hi the end")) == [
        "startofspeech 700",
        "final end",
        "endofspeech 950",
    ]
    assert play(stuck, eot(1, "bye"))[-2] == "final bye"


def test_a_caller_who_goes_on_is_not_cut_off(stuck: TurnMapper) -> None:
    told_later = stuck.receive(turn(0, "hi there how*"), now=5.0)
    assert told(told_later) == ["interim hi there how"]
    assert stuck.deadline == pytest.approx(9.4)


def test_a_service_that_could_not_speak_gets_its_time_again(stuck: TurnMapper) -> None:
    stuck.restart_watchdog(now=20.0)
    assert stuck.deadline == pytest.approx(21.5)


def test_between_turns_nobody_is_waited_for(plain: TurnMapper) -> None:
    plain.restart_watchdog(now=20.0)
    assert plain.deadline is None


def test_the_same_words_again_do_not_keep_a_turn_open() -> None:
    mapper = TurnMapper(AudioClock(), Endpointing(stuck_seconds=4.4))
    for now in range(5):
        mapper.receive(turn(0, "hi"), now=now)
    assert told(mapper.expire(4.4)) == ["overdue"]


def test_nobody_is_hurried_while_there_is_no_session() -> None:
    mapper = TurnMapper(AudioClock(), Endpointing(stuck_seconds=4.4, pause_seconds=1))
    mapper.receive(turn(0, "hi there"), now=0)
    resumed(mapper, 0)
    assert mapper.deadline is None
    mapper.receive(turn(0, "hi there"), now=30)
    assert mapper.deadline == pytest.approx(31)


def test_after_a_turn_that_nobody_took_up_the_new_session_is_heard(plain: TurnMapper) -> None:
    play(plain, turn(0, "hi there"))
    resumed(plain, 0)
    plain.give_up_carried()
    assert play(plain, eot(0, "hi there friend"))[-2] == "final friend"


TURNS = st.builds(
    turn,
    order=st.integers(0, 4),
    words=st.lists(st.sampled_from(["a", "b", "c*", "d*"]), max_size=4).map(" ".join),
    us=st.booleans(),
    end_of_turn=st.booleans(),
    turn_is_formatted=st.booleans(),
    utterance=st.sampled_from(["", "a"]),
    end_of_turn_confidence=st.sampled_from([0.0, 0.5, 1.0]),
)
STARTED = st.builds(SpeechStarted, type=st.just("SpeechStarted"), timestamp=st.integers(0, 9999))


@given(
    messages=st.lists(TURNS | STARTED, max_size=40),
    rules=st.builds(
        Endpointing,
        wait_for_formatted_seconds=st.sampled_from([0, 0.3]),
        keep_reply=st.booleans(),
        by_confidence=st.booleans(),
        preflight_confidence=st.sampled_from([0, 0.5, math.inf]),
        pause_seconds=st.sampled_from([0.3, math.inf]),
        stuck_seconds=st.sampled_from([0.5, math.inf]),
        force_seconds=st.just(0.3),
        eager_ms=st.sampled_from([None, 80]),
    ),
    does=st.lists(st.sampled_from(["", "quiet", "commit_now"]), min_size=40, max_size=40),
)
def test_events_are_balanced_whatever_the_service_says(
    messages: list[Any], rules: Endpointing, does: list[str]
) -> None:
    mapper = TurnMapper(AudioClock(), rules)
    events: list[SpeechEvent] = []
    for second, message in enumerate(messages):
        events += mapper.receive(message, now=second / 5)
        if does[second] == "quiet" and mapper.awaits_quiet_after:
            events += mapper.fell_quiet()
        if does[second] == "commit_now":
            events += mapper.commit_now()
        events += mapper.expire(now=second / 5 + 0.1)
    events += mapper.close()
    speaking, final = False, False
    for event in events:
        match event:
            case StartOfSpeech():
                assert not speaking
                speaking, final = True, False
            case EndOfSpeech():
                assert speaking
                speaking = False
            case Interim() | Preflight():
                assert speaking
                assert not final
                assert event.transcript.text
            case Final():
                assert speaking
                assert not final
                assert event.transcript.text
                final = True
            case LateFormat() | SpeakersRevised() | Overdue() | Unanswered():
                pass
    assert not speaking


class Hearing(RuleBasedStateMachine):
    """A caller who is heard over any number of sessions: each word is told once, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.mapper = TurnMapper(clock_from(0), Endpointing(stuck_seconds=1))
        self.spoken: list[str] = []  # the caller's words so far, 300 ms each
        self.first = 0  # of the session's open turn
        self.order = 0
        self.from_ms = 0.0
        self.told: list[str] = []
        self.speaking = False

    def take(self, events: tuple[SpeechEvent, ...]) -> None:
        for event in events:
            match event:
                case StartOfSpeech():
                    assert not self.speaking
                    self.speaking = True
                case EndOfSpeech():
                    assert self.speaking
                    self.speaking = False
                case Final():
                    self.told += event.transcript.text.split()
                case Unanswered():
                    assert not self.speaking
                case _:
                    assert self.speaking

    def hear(self, *, over: bool) -> None:
        spoken = self.spoken[self.first :]
        words = [
            {
                "text": text,
                "start": 300 * (self.first + index) - int(self.from_ms),
                "end": 300 * (self.first + index) + 250 - int(self.from_ms),
                "word_is_final": True,
            }
            for index, text in enumerate(spoken)
        ]
        message = {
            "type": "Turn",
            "turn_order": self.order,
            "end_of_turn": over,
            "transcript": " ".join(spoken),
            "words": words,
        }
        self.take(self.mapper.receive(Turn.model_validate(message), 0.0))
        if over:
            self.first, self.order = len(self.spoken), self.order + 1

    @rule(word=st.sampled_from(["no", "yes", "tea"]))
    def the_caller_speaks(self, word: str) -> None:
        self.spoken.append(word)
        self.hear(over=False)

    @precondition(lambda self: self.first < len(self.spoken))
    @rule()
    def the_turn_ends(self) -> None:
        self.hear(over=True)

    @precondition(lambda self: self.mapper.deadline is not None)
    @rule()
    def the_service_does_not_end_the_turn(self) -> None:
        while (deadline := self.mapper.deadline) is not None:
            self.take(self.mapper.expire(deadline))

    @rule()
    def the_session_breaks_off(self) -> None:
        self.from_ms = float(int(self.mapper.needed_from_ms))
        self.take(self.mapper.resume(clock_from(self.from_ms), self.from_ms))
        whole = (n for n in range(len(self.spoken) + 1) if 300 * n >= self.from_ms)
        self.first, self.order = next(whole, len(self.spoken)), 0
        if self.first < len(self.spoken):
            self.hear(over=False)

    def teardown(self) -> None:
        self.take(self.mapper.close())
        assert self.told == self.spoken
        assert not self.speaking


TestHearing = Hearing.TestCase


def test_a_text_without_words_is_a_turn_all_the_same(u3: TurnMapper) -> None:
    clock = AudioClock()
    clock.sent(0, 2000)
    u3.resume(clock, 0)
    started = SpeechStarted(type="SpeechStarted", timestamp=900)
    partial = turn(0, "", transcript="hi there")
    final = eot(0, "", transcript="Hi there.")
    assert play(u3, started, partial, final) == [
        "startofspeech 900",
        "interim hi there",
        "final Hi there.",
        "endofspeech 2000",
    ]


def test_how_long_is_waited_may_change_while_it_is() -> None:
    mapper = TurnMapper(AudioClock(), Endpointing(stuck_seconds=4.4, pause_seconds=1))
    mapper.receive(turn(0, "hi there"), now=0)
    mapper.endpointing = Endpointing(stuck_seconds=8, pause_seconds=3)
    assert mapper.deadline == 3
    assert told(mapper.expire(3)) == ["preflight hi there"]
    assert mapper.expire(7.9) == ()
    assert told(mapper.expire(8)) == ["overdue"]


def test_a_service_that_could_not_have_said_anything_has_the_whole_time_again() -> None:
    mapper = TurnMapper(AudioClock(), Endpointing(stuck_seconds=4))
    mapper.restart_watchdog(1.0)
    assert mapper.deadline is None  # no turn is open
    mapper.receive(turn(0, "hi*"), now=0.0)
    assert mapper.deadline == 4.0
    mapper.restart_watchdog(3.0)
    assert mapper.deadline == 7.0


def ends(events: tuple[SpeechEvent, ...]) -> list[TurnEnd]:
    return [event.end for event in events if isinstance(event, Final)]


@pytest.mark.parametrize(
    ("confidence", "reason"), [(0.69, "silence"), (0.7, "confidence"), (0.9, "confidence")]
)
def test_a_us_model_ends_a_turn_because_it_is_sure_or_for_its_silence(
    confidence: float, reason: str
) -> None:
    mapper = TurnMapper(clock_from(0), Endpointing(sure_from=0.7))
    message = eot(0, "at seven", end_of_turn_confidence=confidence)
    assert ends(mapper.receive(message, now=7.5)) == [TurnEnd(reason, 7.5)]  # type: ignore[arg-type]  one of them


@pytest.mark.parametrize(("words", "reason"), [("At seven.", "confidence"), ("At", "silence")])
def test_a_u3_model_ends_a_turn_because_of_its_punctuation_or_for_its_silence(
    u3: TurnMapper, words: str, reason: str
) -> None:
    message = eot(0, words, us=False, end_of_turn_confidence=1.0)
    assert ends(u3.receive(message, now=1.0)) == [TurnEnd(reason, 1.0)]  # type: ignore[arg-type]  one of them


def test_the_end_was_decided_before_the_formatted_text_came(formatted: TurnMapper) -> None:
    formatted.receive(eot(0, "at seven", end_of_turn_confidence=0.9), now=1.0)
    late = eot(0, "At seven.", turn_is_formatted=True, end_of_turn_confidence=0.9)
    ((end),) = ends(formatted.receive(late, now=1.2))
    assert end.decided_at == 1.0


def test_a_turn_that_the_service_was_asked_to_end_was_forced(plain: TurnMapper) -> None:
    plain.ask_to_end()
    plain.receive(turn(0, "at seven"), now=0.0)
    plain.ask_to_end()
    ((end),) = ends(plain.receive(eot(0, "at seven"), now=1.0))
    assert end == TurnEnd("forced", 1.0)
    ((end),) = ends(plain.receive(eot(1, "for two"), now=2.0))
    assert end.reason != "forced"


def test_so_was_one_that_did_not_end_by_itself(stuck: TurnMapper) -> None:
    ((end),) = ends(stuck.receive(eot(0, "hi there"), now=4.5))
    assert end == TurnEnd("forced", 4.5)


def test_one_that_does_not_end_when_asked_was_ended_by_our_watchdog(stuck: TurnMapper) -> None:
    assert ends(stuck.expire(5.9)) == [TurnEnd("watchdog", 5.9)]


def test_one_that_no_session_takes_up_ends_by_the_reconnect(plain: TurnMapper) -> None:
    plain.receive(turn(0, "at seven"), now=0.0)
    plain.resume(clock_from(1000), 1000)
    assert ends(plain.give_up_carried()) == [TurnEnd("reconnect")]
    plain.receive(turn(0, "for two"), now=0.0)
    assert ends(plain.close()) == [TurnEnd("reconnect")]


def test_one_after_which_the_next_began_ended_for_no_known_reason(plain: TurnMapper) -> None:
    plain.receive(turn(0, "at seven"), now=0.0)
    assert ends(plain.receive(turn(1, "for two"), now=1.0)) == [TurnEnd()]


def test_an_empty_end_of_words_that_stay_has_a_reason_too(plain: TurnMapper) -> None:
    plain.receive(turn(0, "at seven"), now=0.0)
    ((end),) = ends(plain.receive(eot(0, ""), now=2.0))
    assert end.decided_at == 2.0
