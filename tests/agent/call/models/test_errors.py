"""What a failed request to a model means for the next one."""

import json
from typing import Any

import httpx2
import pytest
from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError

from agent.call.models.errors import (
    LONGEST_DETAIL,
    BrokenOffError,
    ContentRefusedError,
    CutError,
    EmptyError,
    EventError,
    Failure,
    Kind,
    RedirectError,
    RefusalError,
    RefusedError,
    UnavailableError,
    described,
    failure_of,
    shown_error,
)


def caused_by(cause: Exception) -> APIError:
    """A plugin's error with this cause, one error between them."""
    between = RuntimeError("between")
    between.__cause__ = cause
    error = APIConnectionError("Connection error.")
    error.__cause__ = between
    return error


CAUSES: list[tuple[Exception, Failure]] = [
    (RedirectError("it redirects"), Failure(Kind.REFUSED, "it redirects")),
    (RefusalError("I must not"), Failure(Kind.CONTENT, "I must not")),
    (EmptyError("nothing"), Failure(Kind.EMPTY, "nothing")),
    (CutError("cut"), Failure(Kind.BUSY, "cut")),
    (httpx2.ConnectError("refused"), Failure(Kind.BUSY, "refused")),
    (httpx2.ReadTimeout(""), Failure(Kind.BUSY, "ReadTimeout")),
    (EventError({"error": {"message": "Over\nloaded"}}), Failure(Kind.BUSY, "Over loaded")),
    (
        EventError({"error": {"code": "insufficient_quota"}}),
        Failure(Kind.REFUSED, "insufficient_quota"),
    ),
    (EventError({"error": {"code": "invalid_api_key"}}), Failure(Kind.REFUSED, "invalid_api_key")),
    (EventError({"error": {"code": "content_filter"}}), Failure(Kind.CONTENT, "content_filter")),
    (EventError({"error": 7}), Failure(Kind.BUSY, "an error without a message")),
]


@pytest.mark.parametrize(("cause", "failure"), CAUSES)
def test_the_first_cause_that_we_know_counts(cause: Exception, failure: Failure) -> None:
    assert failure_of(caused_by(cause), is_speech=False) == failure


def test_what_has_no_cause_that_we_know_is_tried_again() -> None:
    assert failure_of(APITimeoutError(), is_speech=False) == Failure(Kind.BUSY, "it took too long")
    long = APIError("x " * 500)
    failure = failure_of(long, is_speech=False)
    assert failure.kind is Kind.BUSY
    assert len(failure.detail) == LONGEST_DETAIL


def test_livekits_own_error_of_a_voice_is_one_without_sound_and_its_text_is_not_told() -> None:
    error = APIError("no audio frames were pushed for text: Dear Ann")
    assert failure_of(error, is_speech=True) == Failure(Kind.EMPTY, "it has no sound for this text")


def of_status(status: int, code: str = "", **options: bool) -> Kind:
    body = {"error": {"code": code, "message": "m"}} if code else None
    error = APIStatusError("m", status_code=status, body=body)
    return failure_of(error, **{"is_speech": False, **options}).kind


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (500, "", Kind.BUSY),
        (429, "", Kind.BUSY),
        (429, "insufficient_quota", Kind.REFUSED),
        (498, "", Kind.BUSY),  # a gateway's own
        (401, "", Kind.REFUSED),
        (404, "", Kind.REFUSED),
        (400, "", Kind.REFUSED),
        (400, "content_filter", Kind.CONTENT),
        (400, "tool_use_failed", Kind.EMPTY),
    ],
)
def test_a_status_says_who_has_to_act(status: int, code: str, kind: Kind) -> None:
    assert of_status(status, code) is kind


@pytest.mark.parametrize("known", ["is_speech", "has_answered"])
def test_where_only_the_text_can_be_wrong_a_bad_request_is_about_the_text(known: str) -> None:
    for status in (400, 413, 422):
        assert of_status(status, **{known: True}) is Kind.CONTENT
    assert of_status(401, **{known: True}) is Kind.REFUSED
    assert of_status(400, "invalid_api_key", **{known: True}) is Kind.REFUSED


def test_a_status_comes_with_the_providers_words_and_how_long_to_wait() -> None:
    headers = httpx2.Headers({"retry-after": "7"})
    shown = shown_error(json.dumps({"error": {"message": "slow\ndown"}}), headers)
    error = APIStatusError("m", status_code=429, body=shown["error"])  # OpenAI's client unpacks it
    assert failure_of(error, is_speech=False) == Failure(Kind.BUSY, "HTTP 429: slow down", 7.0)
    bare = APIStatusError("m", status_code=503, body=None)
    assert failure_of(bare, is_speech=False) == Failure(Kind.BUSY, "HTTP 503")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "0", "retry-after": "9"}, 9.0),
        ({"retry-after": "Fri, 27 Nov 2026 23:00:00 GMT"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "inf"}, 0.0),
    ],
)
def test_a_provider_says_how_long_it_wants_to_be_left_alone(
    headers: dict[str, str], seconds: float
) -> None:
    shown: Any = shown_error("<html>", httpx2.Headers(headers))
    assert shown["error"] == {"code": "", "message": "", "retry_after_seconds": seconds}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"code": "c", "message": "m"}}, "c", "m"),
        ({"error": {"type": "t", "message": "m"}}, "t", "m"),
        ({"code": 7, "message": "m"}, "7", "m"),
        ({"error": "in words"}, "", "in words"),
        ({"detail": "in words"}, "", "in words"),
        ({"message": {"detail": [{"loc": ["body", "x"], "msg": "too long", "input": "s"}, 1]}},
         "", "['body', 'x']: too long"),
        ({"detail": [{"loc": ["x"], "msg": "missing"}]}, "", "['x']: missing"),
        ({"message": 7}, "", ""),
        ({"error": {"metadata": {"flagged_input": "words"}, "message": "m"}},
         "content_filter", "m"),
        ({"error": {"message": "litellm.ContentPolicyViolationError: m"}},
         "content_filter", "litellm.ContentPolicyViolationError: m"),
        (["error"], "", ""),
        (None, "", ""),
    ],
)  # fmt: skip
def test_every_servers_shape_of_an_error_is_read(body: object, code: str, message: str) -> None:
    assert described(body) == (code, message)


def test_livekit_does_not_retry_what_we_have_tried() -> None:
    errors = [
        UnavailableError("x"),
        RefusedError("x"),
        ContentRefusedError("x", has_begun=True),
        BrokenOffError("x"),
    ]
    assert not [error for error in errors if error.retryable]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (caused_by(EmptyError("nothing")), "empty"),
        (caused_by(RefusalError("I must not")), "content"),
        (caused_by(RedirectError("it redirects")), "refused"),
        (caused_by(CutError("cut")), "broken"),
        (caused_by(httpx2.ReadTimeout("")), "timeout"),
        (APITimeoutError(), "timeout"),
        (APIStatusError("m", status_code=429, body=None), "rate_limit"),
        (APIStatusError("m", status_code=503, body=None), "unavailable"),
        (caused_by(httpx2.ConnectError("refused")), "unavailable"),
    ],
)
def test_a_failure_has_a_class_for_the_record(error: APIError, reason: str) -> None:
    assert failure_of(error, is_speech=False).reason == reason
