"""What LiveKit is told, in its own words."""

import pytest
from livekit.agents import NOT_GIVEN, APIConnectionError, APIError, APIStatusError

from stt_assemblyai.errors import AssemblyAIError, NetworkError, classify_close, classify_http
from stt_assemblyai.retelling import api_error, session_parameters, speech_data
from stt_assemblyai.speech import SpokenWord, Transcript

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
        SpokenWord("tea.", 950, 1200, 0.7, True, "A"),
    )
    data = speech_data(
        Transcript("s", 3, "Yes, tea.", words, language=None, speaker="A"),
        offset_seconds=10,
        language="en",
    )
    assert (data.text, data.language, data.speaker_id) == ("Yes, tea.", "en", "A")
    assert (data.start_time, data.end_time) == (10.5, 11.2)
    assert data.words is not None
    assert [(str(word), word.start_time) for word in data.words] == [
        ("Yes,", 10.5),
        ("tea.", 10.95),
    ]
    assert data.metadata is not None
    assert data.metadata["turn_order"] == 3


def test_the_language_that_the_service_named_wins() -> None:
    transcript = Transcript("s", 0, "sí", (), language="es")
    assert speech_data(transcript, offset_seconds=0, language="en").language == "es"


def test_livekits_arguments_become_the_services() -> None:
    given = {"model": "u", "prompt": NOT_GIVEN, "language_codes": ["en-US", "spanish", ""]}
    assert session_parameters(given) == {"speech_model": "u", "language_codes": ["en", "es"]}
    assert session_parameters({"language_code": "de-CH"}) == {"language_code": ["de"]}
