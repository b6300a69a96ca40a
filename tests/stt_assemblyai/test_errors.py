"""Every error answers: may I try again, after how long, and what do I change?"""

import inspect
import re

import pytest

from stt_assemblyai import errors
from stt_assemblyai.errors import (
    AssemblyAIError,
    AuthenticationError,
    CloseCode,
    ConfigurationError,
    HttpStatus,
    NetworkError,
    QuotaError,
    RenewalError,
    TokenExpiredError,
    TransientError,
    classify_close,
    classify_http,
    fault_of,
    readable,
)


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (1000, "Session Ended", RenewalError),
        (1005, "", TransientError),
        (1006, "", TransientError),
        (1008, "Unauthorized Connection: Missing Authorization header", AuthenticationError),
        (1008, "Unauthorized Connection: Invalid API key", AuthenticationError),
        (1008, "Unauthorized Connection: Insufficient balance", AuthenticationError),
        (1008, "Unauthorized Connection: Signature has expired", TokenExpiredError),
        (1008, "Unauthorized Connection: Too many concurrent sessions", QuotaError),
        (1009, "", ConfigurationError),
        (1011, "", TransientError),
        (1013, "", TransientError),
        (3005, "Session Cancelled: An error occurred", TransientError),
        (3006, "Invalid 'sample_rate': must be at least 8,000 Hz", ConfigurationError),
        (3006, "Session terminated due to inactivity: No messages", RenewalError),
        (3007, "Input Duration Error: Input Duration Violation: 20.0 ms", ConfigurationError),
        (3007, "Audio transmission rate exceeded: too much audio buffered", TransientError),
        (3008, "Session Expired: Maximum session duration exceeded", RenewalError),
        (3009, "Too many concurrent sessions", QuotaError),
        (3009, "", QuotaError),
        (410, "", ConfigurationError),
        (4001, "Not authorized", AuthenticationError),
        (4029, "", QuotaError),
        (4031, "", RenewalError),
        (4101, "", ConfigurationError),
        (4999, "a code of tomorrow", TransientError),
    ],
)
def test_a_close_is_classified_by_code_and_text(
    code: int, text: str, kind: type[AssemblyAIError]
) -> None:
    error = classify_close(code, text)
    assert type(error) is kind
    assert error.code == code
    assert isinstance(error.code, CloseCode)
    assert error.server_text == text


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, ConfigurationError),
        (408, TransientError),
        (410, ConfigurationError),
        (429, QuotaError),
        (500, TransientError),
        (503, TransientError),
        (200, ConfigurationError),
    ],
)
def test_an_http_status_is_classified(status: int, kind: type[AssemblyAIError]) -> None:
    error = classify_http(status)
    assert type(error) is kind
    assert isinstance(error.code, HttpStatus)


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        (AuthenticationError, False),
        (TokenExpiredError, False),
        (ConfigurationError, False),
        (QuotaError, True),
        (RenewalError, True),
        (TransientError, True),
        (NetworkError, True),
    ],
)
def test_each_error_says_whether_trying_again_can_help(
    kind: type[AssemblyAIError], retryable: bool
) -> None:
    assert kind("Something happened").retryable is retryable


def test_every_error_is_named_in_the_public_list() -> None:
    tree = [
        name
        for name, member in inspect.getmembers(errors, inspect.isclass)
        if issubclass(member, AssemblyAIError)
    ]
    assert set(tree) <= set(errors.__all__)


def test_a_quota_error_says_how_long_to_wait() -> None:
    assert classify_close(3009, "").retry_after_seconds == 12


def test_the_sentence_holds_what_happened_the_servers_words_and_what_to_change() -> None:
    assert str(classify_close(1008, "Unauthorized Connection: Invalid API key")) == (
        "The service refuses this key or account (close code 1008). "
        'The service says: "Unauthorized Connection: Invalid API key". '
        "Check ASSEMBLYAI_API_KEY, and that the account may stream."
    )


def test_the_sentence_of_a_bare_error_ends_with_a_full_stop() -> None:
    assert str(NetworkError("The connection was lost")) == "The connection was lost."
    assert str(classify_http(503)) == "The service is unavailable (HTTP 503)."


def test_a_page_of_html_is_cut_short() -> None:
    error = classify_http(502, "<html>\n  <body>" + "x" * 10_000)
    assert error.server_text.startswith("<html> <body>x")
    assert len(error.server_text) == 300


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Invalid API key", "Invalid API key"),
        ({"code": 7, "message": "Invalid API key"}, "Invalid API key"),
        ({"error": {"message": "Invalid API key"}}, "Invalid API key"),
        ('{"error": "Invalid API key"}', "Invalid API key"),
        (
            '{"detail": [{"msg": "Field required"}, {"msg": "Too long"}]}',
            "Field required; Too long",
        ),
        ({"code": 7}, '{"code": 7}'),
        ("{broken", "{broken"),
        (None, "None"),
    ],
)
def test_an_error_text_may_be_an_object(said: object, sentence: str) -> None:
    assert readable(said) == sentence


def test_an_error_text_that_is_nested_without_end_is_said_to_be() -> None:
    said: object = "deep"
    for _ in range(100_000):
        said = [said]
    assert readable(said) == "the error text is nested too deeply"


def test_a_close_with_a_long_reason_is_cut_short_too() -> None:
    assert len(classify_close(4999, "x" * 10_000).server_text) == 300


def test_a_fault_is_told_by_its_type_and_place_and_never_by_its_text() -> None:
    assert fault_of(ExceptionGroup("swordfish", [LookupError("swordfish")])) == "LookupError"
    with pytest.raises(ValueError, match="swordfish") as raised:
        int("swordfish")
    assert re.fullmatch(r"ValueError at test_errors.py:\d+", fault_of(raised.value))
