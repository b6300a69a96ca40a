"""What LiveKit is told, in its own words."""

import pytest
from livekit.agents import NOT_GIVEN, APIConnectionError, APIError, APIStatusError

from stt_assemblyai.errors import AssemblyAIError, NetworkError, classify_close, classify_http
from stt_assemblyai.livekit.convert import (
    TimedWords,
    api_error,
    merged_keyterms,
    session_parameters,
    speech_data,
)
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.transcript import SpokenWord, Transcript

REFUSED = NetworkError("h:443 cannot be reached")
REFUSED.__cause__ = ConnectionRefusedError(111, "refused")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (classify_http(401), APIStatusError),
        (classify_http(503, "try later"), APIStatusError),
        (classify_close(1008, "Unauthorized Connection"), APIError),
        (NetworkError("The session did not begin"), APIConnectionError),
        (REFUSED, APIConnectionError),
    ],
)
def test_an_error_is_read_as_our_own_sentences_and_nothing_else(
    error: AssemblyAIError, kind: type[APIError]
) -> None:
    told = api_error(error)
    told.__cause__ = error
    assert isinstance(told, kind)
    assert str(told) == str(error)
    assert not told.retryable


def test_an_http_status_can_still_be_asked_for() -> None:
    told = api_error(classify_http(503))
    assert isinstance(told, APIStatusError)
    assert told.status_code == 503


def test_a_transcript_is_moved_to_the_sessions_clock_in_seconds() -> None:
    words = (
        SpokenWord("Yes,", 500, 900, 0.5, True, "A"),
        SpokenWord("tea.", 950, 1200, 0.7, True, "B"),
    )
    data = speech_data(
        Transcript("s", 3, "Yes, tea.", words, language=None, speaker="A"),
        TimedWords(),
        offset_seconds=10,
        language="en",
        ended_at=99.5,
    )
    assert (data.text, data.language, data.speaker_id) == ("Yes, tea.", "en", "A")
    assert (data.start_time, data.end_time) == (10.5, 11.2)
    assert data.words is not None
    assert [(str(word), word.start_time, word.speaker_id) for word in data.words] == [
        ("Yes,", 10.5, "A"),
        ("tea.", 10.95, "B"),
    ]
    assert data.metadata is not None
    assert data.metadata["turn_order"] == 3
    assert (data.metadata["settled"], data.metadata["ended_at"]) == (True, 99.5)


def test_a_word_is_made_once_for_all_events_of_its_turn() -> None:
    words = tuple(SpokenWord(str(n), n * 300, n * 300 + 200, 0.5, True, None) for n in range(400))
    timed = TimedWords()
    first, second = timed.of(words[:399], 0.0), timed.of(words, 0.0)
    assert all(one is other for one, other in zip(first, second, strict=False))
    assert second == TimedWords().of(words, 0.0)
    first.clear()  # an event's list is its own
    assert len(timed.of(words, 0.0)) == 400
    assert timed.of(words, 2.0)[1].start_time == 2.3


def test_the_language_that_the_service_named_wins() -> None:
    transcript = Transcript("s", 0, "sí", (), language="es")
    assert speech_data(transcript, TimedWords(), offset_seconds=0, language="en").language == "es"


def test_livekits_arguments_become_the_services() -> None:
    given = {"model": "u", "prompt": NOT_GIVEN, "language_codes": ["en-US", "spanish", ""]}
    assert session_parameters(given) == {"speech_model": "u", "language_codes": ["en", "es"]}
    assert session_parameters({"language_code": "de-CH"}) == {"language_code": ["de"]}


def test_languages_are_named_in_any_way_and_each_once() -> None:
    given = session_parameters({"language_codes": ["en-US", "en-GB", "Spanish", "es"]})
    assert SessionOptions(speech_model="universal-3-6-pro", **given).language_codes == ("en", "es")


def test_a_name_that_is_not_known_becomes_an_extra_parameter() -> None:
    with pytest.warns(UserWarning, match="diarizer is not known here; it is passed on"):
        given = session_parameters({"diarizer": "v2", "extra_parameters": "strict=true"})
    asked = SessionOptions(**given).extra_parameters
    assert asked is not None
    assert asked.get_secret_value() == {"strict": "true", "diarizer": "v2"}


def test_key_terms_of_two_lists_keep_to_the_services_limits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    of_session = ["Aldi", " ", "x" * 51, *(f"term {n}" for n in range(120))]
    merged = merged_keyterms(["Aldi"], of_session)
    assert merged[:3] == ("Aldi", "term 0", "term 1")
    assert len(merged) == 100
    assert [vars(record)["left_out"] for record in caplog.records] == [23]
    assert merged_keyterms(["a"], ["b"]) == ("a", "b")
