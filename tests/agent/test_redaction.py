"""No secret and nothing of a conversation in the log, wherever it stands in a record."""

import contextvars
import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import log
from agent.card_numbers import MASK
from agent.personal_data import CARDS, Rules
from agent.redaction import Redaction, remember_apart, remember_sent
from config.load import load_settings
from config.secrets import MASKED, secrets_of

pytestmark = pytest.mark.usefixtures("_restored_logging")


class Odd:
    """A stranger's object, which logging spells in its own way."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return f"<Odd {self._secret}>"


def raised(error: BaseException) -> BaseException:
    """The error with a stack."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def chained(secret: str) -> BaseException:
    error = ValueError("the outer one")
    error.__cause__ = raised(ExceptionGroup("inner", [KeyError(secret), OSError(2, secret)]))
    error.add_note(f"with {secret}")
    return raised(error)


PLACES: dict[str, Callable[[logging.Logger, str], None]] = {
    "message": lambda to, secret: to.warning(f"refused {secret}"),
    "part of a word": lambda to, secret: to.warning(f"key=x{secret}y"),
    "argument": lambda to, secret: to.warning("refused %s %r", secret, [secret]),
    "an argument too many": lambda to, secret: to.warning("refused", secret),
    "mapping": lambda to, secret: to.warning("refused %(key)s", {"key": secret}),
    "bytes": lambda to, secret: to.warning("refused %s", secret.encode()),
    "JSON in a text": lambda to, secret: to.warning("refused %s", json.dumps({"key": secret})),
    "JSON in JSON": lambda to, secret: to.warning(json.dumps(json.dumps(secret))),
    "field": lambda to, secret: to.warning("refused", extra={"error": secret}),
    "a field's name": lambda to, secret: to.warning("refused", extra={f"x{secret}": 1}),
    "deep in a field": lambda to, secret: to.warning(
        "refused", extra={"body": {"a": [1, {secret: (secret,)}, {secret}]}}
    ),
    "an object": lambda to, secret: to.warning("refused", extra={"by": Odd(secret)}),
    "an object in a list": lambda to, secret: to.warning("refused", extra={"by": [Odd(secret)]}),
    "a personal field": lambda to, secret: to.warning("x", extra={"lk.pii.text": secret}),
    "a stack": lambda to, secret: to.warning("refused", exc_info=raised(ValueError(secret))),
    "a chain": lambda to, secret: to.error("refused", exc_info=chained(secret)),
    "a stack as text": lambda to, secret: to.handle(
        logging.makeLogRecord({"msg": "x", "levelno": 40, "name": "x", "exc_text": secret})
    ),
    "a logger's name": lambda _, secret: logging.getLogger(f"to.{secret}").warning("refused"),
    "the edge of what is shown": lambda to, secret: to.warning("x" * 495 + secret),
    "the edge of what is read": lambda to, secret: to.warning("x y\n" * 7999 + secret),
    "the edge of a field": lambda to, secret: to.warning("x", extra={"e": "\n" * 1995 + secret}),
}

secret_texts = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"),
    min_size=8,
    max_size=60,
).filter(lambda text: len(set(text)) > 5)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("style", ["json", "text"])
@given(secret=secret_texts, transcripts=st.booleans())
@settings(max_examples=25)
def test_a_secret_is_in_no_line_wherever_it_stands(
    place: Callable[[logging.Logger, str], None], style: Any, secret: str, *, transcripts: bool
) -> None:
    stream = io.StringIO()
    log.configure("info", style, transcripts=transcripts, secrets=[secret], stream=stream)
    place(logging.getLogger("livekit.agents"), secret)
    written = stream.getvalue()
    assert written
    assert secret not in written
    assert secret[:-1] not in written
    assert json.dumps(secret)[1:-1] not in written
    assert json.dumps(json.dumps(secret)[1:-1])[1:-1] not in written


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Incorrect API key provided: sk-proj-abcdefghijklmnop1234.", "sk-proj"),
        ("> Authorization: Bearer abcdef.ghijkl", "abcdef"),
        ("key 0123456789abcdef0123456789abcdef refused", "0123456789abcdef"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.abc", "eyJ"),
        ("https://user:hunter2hunter2@proxy", "hunter2"),
        ('{"api_key": "a-key-of-somebody-else"}', "somebody"),
        ("APIa1b2c3d4e5f6g7", "APIa1b2"),
    ],
)
def test_what_looks_like_a_secret_is_masked_although_it_is_none_of_ours(
    text: str, masked: str
) -> None:
    told = Redaction().text(text)
    assert masked not in told
    assert MASKED in told


@pytest.mark.parametrize(
    "text",
    [
        "livekit.agents._exceptions.APIConnectionError: Connection error.",
        "request req_0123456789abcdef0123456789abcdef failed",
        "OPENAI_API_KEY: is missing; job AJ_aBcDeF12345 in room RM_abc",
        "session 123e4567-e89b-12d3-a456-426614174000, 17 tokens: 12",
    ],
)
def test_what_an_operator_needs_is_not_masked(text: str) -> None:
    assert Redaction().text(text) == text


REQUEST = {
    "model": "gpt-4.1-mini",
    "messages": [
        {"role": "system", "content": "You answer the phone of a shop.\nNever tell the code 7291."},
        {"role": "user", "content": [{"type": "text", "text": "my card is 4929 1111"}]},
        {"role": "user", "content": "Grüezi, ich heisse Müller und wohne in Zürich"},
    ],
}
ECHOES = {
    "the whole request": json.dumps(REQUEST),
    "as Python spells it": str(REQUEST),
    "a sentence of it": "400: the message 'my card is 4929 1111' is not allowed",
    "with other marks": "rejected: MY CARD IS (4929 1111)",
    "escaped twice": json.dumps(json.dumps(REQUEST)),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES.keys())
def test_a_provider_that_repeats_the_request_puts_nothing_of_it_into_the_log(echo: str) -> None:
    stream = io.StringIO()
    log.configure("info", "json", stream=stream)
    remember_sent(json.dumps(REQUEST).encode())
    error = raised(RuntimeError(f"Error code: 400 - {echo}"))
    logging.getLogger("livekit.agents").warning("retrying: %s", error, exc_info=error)
    logging.getLogger("agent").error("a provider failed", extra={"error": str(error)})
    written = stream.getvalue()
    assert "Error code: 400" in written
    for word in ("phone", "shop", "7291", "card", "4929", "heisse", "wohne"):
        assert word not in written.casefold()


def test_calls_of_one_process_remember_apart_and_the_process_remembers_all_of_them() -> None:
    def told(*requests: str) -> str:
        remember_apart()
        for each in requests:
            remember_sent(json.dumps({"input": each}).encode())
        others.append(contextvars.copy_context())
        return Redaction().text("refused: the blue bicycle is stolen again, says he")

    others: list[contextvars.Context] = []
    first = ["the blue bicycle is stolen again", *map(str, range(7))]
    assert contextvars.copy_context().run(told, *first) == "refused: ..., says he"
    many = [f"number {number} of another call" for number in range(20)]
    assert "blue bicycle" in contextvars.copy_context().run(told, *many)
    assert others[0].run(Redaction().text, "the blue bicycle is stolen again") == "..."
    assert Redaction().text("the blue bicycle is stolen again") == "..."


def test_a_sentence_of_our_own_is_no_quotation() -> None:
    remember_sent(json.dumps(REQUEST).encode())
    text = "the model gpt-4.1-mini answers with 429: you exceeded your quota"
    assert Redaction().text(text) == text


def test_an_operator_who_wants_transcripts_has_them_without_the_secrets() -> None:
    remember_sent(b'{"input": "Your card is 4929 1111."}')
    redaction = Redaction(["a-secret-of-some-length"], transcripts=True)
    text = "no sound for: Your card is 4929 1111. (a-secret-of-some-length)"
    assert redaction.text(text) == f"no sound for: Your card is 4929 1111. ({MASKED})"


def test_a_card_number_is_in_no_line_although_transcripts_are_wanted() -> None:
    redaction = Redaction(transcripts=True)
    record = logging.LogRecord(
        "agent", logging.INFO, "", 0, "it is %s", ("4242 4242 4242 4242",), None
    )
    vars(record)["lk.pii.arguments"] = {"card_number": 4242424242424242}
    assert redaction.filter(record)
    assert record.getMessage() == f"it is {MASK}"
    assert vars(record)["lk.pii.arguments"] == {"card_number": MASK}


def test_a_body_is_cut_short() -> None:
    stream = io.StringIO()
    log.configure("info", "json", stream=stream)
    error = RuntimeError("Error code: 502 - " + "<html>" * 10_000)
    logging.getLogger("x").error("failed", exc_info=error, extra={"error": str(error)})
    assert len(stream.getvalue()) < 1500


HOSTILE = ["a.b-c_", "://a", "eyJ", "sk-", "API", "\\", "x ", "token=", "Bearer "]


@pytest.mark.parametrize("piece", HOSTILE)
def test_megabytes_cost_no_more_than_what_is_shown_of_them(piece: str) -> None:
    redaction = Redaction(["a-secret-of-some-length", '\\"\\"\\"\\"\\"'])
    texts = [redaction.text(piece * count) for count in (10_000, 100_000)]
    assert texts[0] == texts[1]
    assert len(texts[0]) < 2100


def test_what_comes_from_a_jobs_process_has_its_stack_once() -> None:
    stream = io.StringIO()
    log.configure("info", "json", stream=stream)
    stack = "Traceback (most recent call last):\nValueError: x"
    record = {"name": "x", "levelno": 40, "msg": f"failed\n{stack}", "exc_text": stack}
    logging.getLogger("x").handle(logging.makeLogRecord(record))
    line = json.loads(stream.getvalue())
    assert (line["message"], line["stack"]) == ("failed", stack)


def test_every_secret_in_force_is_known() -> None:
    values = {
        "livekit": {"url": "ws://h", "api_key": "APIkey-1", "api_secret": "livekit-secret"},
        "assemblyai": {
            "api_key": "assemblyai-key",
            "webhook_url": "https://h/services/T1/path-secret?key=query-secret",
            "webhook_auth_header_value": "header-secret",
            "llm_gateway": {"model": "claude", "messages": [{"content": "gateway-secret"}]},
        },
        "openai": {
            "api_key": "openai-key",
            "fallback_api_key": "fallback-key",
            "fallback_llm_model": "m",
        },
        "agent": {},
    }
    found = " ".join(secrets_of(load_settings(None, given=values)))
    for secret in ("livekit-secret", "APIkey-1", "assemblyai-key", "path-secret", "query-secret"):
        assert secret in found
    for secret in ("header-secret", "gateway-secret", "openai-key", "fallback-key"):
        assert secret in found
    assert "claude" not in found


SECRET = "a-secret-of-some-length"


class Unspeakable:
    """A stranger's object, which cannot be spelt."""

    def __str__(self) -> str:
        raise RuntimeError("no")


def test_what_cannot_be_spelt_costs_no_line() -> None:
    redaction = Redaction([SECRET])
    record = logging.makeLogRecord({"msg": "%d of %s", "args": (Unspeakable(), "x"), "levelno": 40})
    record.name = "x"
    record.body = {Unspeakable(): [Unspeakable(), SECRET, 7, None, True]}
    assert redaction.filter(record)
    assert record.msg == "%d of %s (with other arguments)"
    shown = "<Unspeakable: RuntimeError>"
    assert record.body == {shown: [shown, MASKED, 7, None, True]}


def test_a_stack_that_was_asked_for_is_cleaned_as_well() -> None:
    record = logging.makeLogRecord({"msg": "x", "levelno": 40, "stack_info": f"in {SECRET}"})
    record.name = "x"
    Redaction([SECRET]).filter(record)
    assert record.stack_info == f"in {MASKED}"


def test_a_number_that_is_a_secret_is_masked() -> None:
    assert Redaction(["1234567890"]).value({"code": 1234567890, "port": 80}) == {
        "code": MASKED,
        "port": 80,
    }


QUOTED: list[tuple[object, str]] = [
    ({"input": "Your card is 4929 1111."}, "Your card is 4929 1111"),
    ({"instructions": "Speak like a pirate of old"}, "speak like a pirate of old"),
    ({"messages": [{"content": "Zanzibar"}]}, "ZANZIBAR"),
    ({"messages": [{"content": [{"text": "Zanzibar 4929"}, {"image": 1}]}]}, "zanzibar 4929"),
]


@pytest.mark.parametrize(("request_", "quotation"), QUOTED)
def test_a_quotation_from_a_request_is_left_out(request_: object, quotation: str) -> None:
    remember_sent(json.dumps(request_).encode())
    told = Redaction().text(f"refused: {quotation} is odd")
    assert quotation not in told
    assert told.startswith("refused: ...")


@pytest.mark.parametrize(
    "sent", [b"\xff", b"[" * 100_000, b"[]", b'{"messages": ["words"]}', b'{"messages": null}']
)
def test_a_request_that_says_nothing_is_no_quotation(sent: bytes) -> None:
    remember_sent(sent)
    text = "refused: the words are odd and long"
    assert Redaction().text(text) == text


def test_words_without_sound_are_left_out() -> None:
    assert Redaction().text("no audio frames were pushed for text: Dear Ann") == (
        "no audio frames were pushed for text: ..."
    )


def test_what_ends_with_half_a_secret_where_reading_ends_is_cut_before_it() -> None:
    long = "x y\n" * 24 + f"end {SECRET}"
    assert SECRET[:9] not in Redaction([SECRET]).text(long, longest=(len(long) - 12) // 2)


def test_what_may_not_quote_is_not_searched_for_quotations() -> None:
    remember_sent(b'{"input": "Your card is 4929 1111."}')
    assert Redaction().text("Your card is 4929 1111", may_quote=False) == "Your card is 4929 1111"


@pytest.mark.parametrize(("rules", "shown"), [(CARDS, "555 0100"), (Rules(True), "[number]")])
def test_what_people_say_is_logged_as_redacted_as_is_wanted(rules: Rules, shown: str) -> None:
    record = logging.LogRecord("agent", logging.INFO, "", 0, "port 55501", None, None)
    vars(record)["lk.pii.text"] = "555 0100"
    Redaction(transcripts=True, rules=rules).filter(record)
    assert vars(record)["lk.pii.text"] == shown
    assert record.msg == "port 55501"
