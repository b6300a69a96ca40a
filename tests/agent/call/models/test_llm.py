"""A language model that misbehaves: what is heard of it, and how often it is asked."""

import asyncio
import json
from itertools import pairwise
from typing import Any, cast

import pytest
from livekit.agents import ChatContext
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent.call.models.errors import (
    BrokenOffError,
    ContentRefusedError,
    ModelError,
    RefusedError,
    UnavailableError,
)
from workbench.bench.misbehaviour.network import End, Reply
from workbench.bench.misbehaviour.replies import (
    DONE,
    PING,
    answer,
    complete,
    delta,
    event,
    failure,
    finish,
    stream,
    words,
)

pytestmark = pytest.mark.looptime

GOOD = answer("It is twelve.")
TEXT = "It is twelve."
FOR_EVER = 60
SILENT = {
    "comments": stream(*[PING] * FOR_EVER, step_seconds=1),
    "empty deltas": stream(*[delta("")] * FOR_EVER, step_seconds=1),
    "null deltas": stream(*[delta(None)] * FOR_EVER, step_seconds=1),
    "blanks": stream(*[delta(" ")] * FOR_EVER, step_seconds=1),
    "roles": stream(*[delta(role="assistant")] * FOR_EVER, step_seconds=1),
    "no headers": Reply(delay_seconds=1e6),
    "no body": Reply(end=End.HANGS),
}
HICCUPS = {
    "429": failure(429),
    "500": failure(500),
    "502": Reply(status=502, content_type="text/html", pieces=((0, b"<html>Bad Gateway"),)),
    "503": failure(503),
    "504": failure(504),
    "529": failure(529),
    "a gateway's own status": failure(498),
    "a call that is none": failure(400, "tool_use_failed"),
    "first event": stream({"error": {"message": "Overloaded", "code": 503}}),
    "vLLM's error event": stream({"object": "error", "message": "Overloaded", "code": 500}),
    "refused connection": Reply(refuses_connection=True),
    "cut before the first word": stream(delta(""), end=End.CUT),
    "nothing": Reply(),
    "a page": Reply(((0, b"<html>Log in</html>"),), content_type="text/html"),
    **SILENT,
}


@pytest.mark.parametrize("hiccup", HICCUPS.values(), ids=HICCUPS)
async def test_a_hiccup_costs_a_moment_and_not_the_answer(place: Any, hiccup: Reply) -> None:
    call = place(hiccup, GOOD)
    assert await call.think() == TEXT
    assert call.provider.times[1] < 6.5


@pytest.mark.parametrize("silence", SILENT.values(), ids=SILENT)
async def test_patience_counts_words_and_not_bytes(place: Any, silence: Reply) -> None:
    call = place(silence)
    with pytest.raises(UnavailableError):
        await call.think()
    assert call.provider.times == pytest.approx([0, 6.25, 12.75], abs=0.6)


async def test_the_fallback_is_asked_when_the_first_sends_no_words(place: Any) -> None:
    call = place(SILENT["comments"], GOOD, fallback_llm_model="other")
    assert await call.think() == TEXT
    assert [each.body["model"] for each in call.provider.network.requests][:2] == [
        "gpt-4.1-mini",
        "other",
    ]


async def test_the_first_provider_is_used_again_once_it_answers(place: Any) -> None:
    call = place(failure(503), GOOD, fallback_llm_model="other")
    asked = call.provider.network.requests
    for _ in range(3):
        assert await call.think() == TEXT
        await asyncio.sleep(1)
    first, other = "gpt-4.1-mini", "other"
    assert [each.body["model"] for each in asked[:2]] == [first, other]
    assert sorted(each.body["model"] for each in asked[2:4]) == [first, other]
    assert [each.body["model"] for each in asked[4:]] == [first]


async def test_pauses_grow_until_the_whole_patience_is_over(place: Any) -> None:
    call = place(failure(503), patience_seconds=30)
    with pytest.raises(UnavailableError):
        await call.think()
    pauses = [after - before for before, after in pairwise(call.provider.times)]
    assert pauses[:5] == sorted(pauses[:5])
    assert 20 < call.provider.times[-1] <= 30


@pytest.mark.parametrize("header", [("retry-after", "3"), ("retry-after-ms", "3000")])
async def test_retry_after_is_honoured(place: Any, header: tuple[str, str]) -> None:
    call = place(failure(429, headers=dict([header])), GOOD)
    assert await call.think() == TEXT
    assert 3 <= call.provider.times[1] < 4


async def test_a_retry_after_beyond_the_patience_gets_a_last_try(place: Any) -> None:
    call = place(failure(429, headers={"retry-after": "600"}), GOOD)
    assert await call.think() == TEXT
    assert call.provider.times == [0, 18]


REFUSALS = {
    "key": failure(401, "invalid_api_key"),
    "quota": failure(429, "insufficient_quota"),
    "quota, not streamed": Reply(((0, b'{"error": {"code": "insufficient_quota"}}'),)),
    "quota as an event": stream({"error": {"message": "x", "code": "insufficient_quota"}}),
    "model": failure(404, "model_not_found"),
    "redirect": Reply(status=308, headers={"location": "https://elsewhere.example/v1"}),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_is_told_at_once_with_address_and_model(place: Any, refusal: Reply) -> None:
    call = place(refusal)
    with pytest.raises(RefusedError, match=r"gpt-4\.1-mini at https://api\.openai\.com/v1"):
        await call.think()
    assert call.provider.times == [0]


async def test_nothing_follows_a_redirect(place: Any) -> None:
    call = place(REFUSALS["redirect"])
    with pytest.raises(RefusedError, match=r"redirects to https://elsewhere\.example;"):
        await call.think()


FLAGGED = {"code": 403, "message": "x", "metadata": {"reasons": ["x"], "flagged_input": "x"}}
CONTENT_REFUSALS = {
    "status": failure(400, "content_filter"),
    "OpenRouter": Reply(((0, json.dumps({"error": FLAGGED}).encode()),), status=403),
    "LiteLLM": Reply(
        ((0, b'{"error": {"message": "litellm.ContentPolicyViolationError: x", "code": "400"}}'),),
        status=400,
    ),
    "delta": stream(delta(None, refusal="I cannot"), finish()),
    "reason": stream(finish("content_filter"), DONE),
    "not streamed": complete({"refusal": "I cannot"}, "stop"),
}


@pytest.mark.parametrize("refusal", CONTENT_REFUSALS.values(), ids=CONTENT_REFUSALS)
async def test_a_refused_content_is_not_asked_about_again(place: Any, refusal: Reply) -> None:
    call = place(refusal)
    with pytest.raises(ContentRefusedError) as refused:
        await call.think()
    assert not refused.value.has_begun
    assert call.provider.times == [0]


async def test_a_content_refused_in_the_middle_says_that_it_began(place: Any) -> None:
    call = place(stream(*words("It is"), finish("content_filter")))
    with pytest.raises(ContentRefusedError) as refused:
        await call.think()
    assert refused.value.has_begun


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_who_has_answered_before_refuses_a_text_and_not_the_call(
    place: Any, status: int
) -> None:
    call = place(GOOD, failure(status, "context_length_exceeded"), GOOD)
    assert await call.think() == TEXT
    with pytest.raises(ContentRefusedError):
        await call.think()
    assert await call.think() == TEXT


@pytest.mark.parametrize(
    ("said", "roles"),
    [
        ("roles must alternate user/assistant", ["system", "user", "assistant", "user"]),
        ("System role not supported", ["user", "assistant", "user"]),
    ],
)
async def test_a_server_that_wants_roles_to_alternate_is_told_so_from_then_on(
    place: Any, said: str, roles: list[str]
) -> None:
    refusal = Reply(((0, json.dumps({"message": said, "code": 400}).encode()),), status=400)
    call = place(refusal, GOOD)
    history = ChatContext.empty()
    for role in ("system", "assistant", "user", "user"):
        history.add_message(role=cast("Any", role), content="Hello?")
    for _ in range(2):
        await call.llm.chat(chat_ctx=history).collect()
    asked = [each.body["messages"] for each in call.provider.network.requests]
    shown = [[each["role"] for each in messages] for messages in asked]
    assert shown == [["system", "assistant", "user", "user"], roles, roles]


async def test_a_server_that_is_never_content_with_the_order_is_not_asked_for_ever(
    place: Any,
) -> None:
    body = {"message": "roles must alternate user/assistant", "code": 400}
    call = place(Reply(((0, json.dumps(body).encode()),), status=400))
    with pytest.raises(RefusedError, match="must alternate"):
        await call.think()
    assert len(call.provider.network.requests) == 2


async def test_a_request_that_breaks_a_rule_is_told_with_the_rule_and_without_its_words(
    place: Any,
) -> None:
    fault = {"loc": ["body", "voice"], "msg": "Field required", "input": "what a caller said"}
    call = place(Reply(((0, json.dumps({"detail": [fault]}).encode()),), status=422))
    with pytest.raises(RefusedError, match=r"voice.*Field required") as refused:
        await call.think()
    assert "caller" not in str(refused.value)


BROKEN = {
    "no finish_reason": stream(*words(TEXT)),
    "no finish_reason, done": stream(*words(TEXT), DONE),
    "length": stream(*words(TEXT), finish("length"), DONE),
    "cut": stream(*words(TEXT), end=End.CUT),
    "not streamed, and too long": complete({"content": TEXT}, "length"),
    "hangs": stream(*words(TEXT), end=End.HANGS),
    "error": stream(*words(TEXT), {"error": {"message": "x"}}),
    "keep-alives": stream(*words(TEXT), *[PING] * FOR_EVER, step_seconds=1),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_an_answer_without_its_end_broke_off(place: Any, broken: Reply) -> None:
    call = place(broken)
    with pytest.raises(BrokenOffError):
        await call.think()
    assert call.provider.times == [0]


WHOLE = {
    "choices null": stream({"id": "1", "choices": None}, *words(TEXT), finish(), DONE),
    "choices empty": stream({"id": "1", "choices": []}, *words(TEXT), finish(), DONE),
    "no choices": stream({"prompt_filter_results": []}, *words(TEXT), finish(), DONE),
    "delta null": stream(
        {"id": None, "choices": [{"index": 0, "delta": None}]}, *words(TEXT), finish(), DONE
    ),
    "unknown fields": stream(
        {**delta("It "), "x": {}, "provider": "y"}, *words("is twelve."), finish(), DONE
    ),
    "usage between": stream(
        *words("It is"), {"choices": None, "usage": {"total_tokens": None}}, *words("twelve."),
        finish(), DONE,
    ),
    "no DONE": stream(*words(TEXT), finish()),
    "hangs behind the end": stream(*words(TEXT), finish(), end=End.HANGS),
    "cut behind the end": stream(*words(TEXT), finish(), end=End.CUT),
    "reasons that are none": stream(
        *[{**each, "choices": [{**each["choices"][0], "finish_reason": "null"}]}
          for each in words(TEXT)],
        finish(), DONE, step_seconds=2,
    ),
    "half a character": stream(delta("It is\ud83d "), delta("twelve."), finish(), DONE),
    "not JSON": stream(b"data: {\n\n", b"event: x\n\n", *words(TEXT), finish(), DONE),
    "an unknown reason": stream(*words(TEXT), finish("eos"), DONE),
    "two choices": stream(
        {**delta(), "choices": [*delta("It ")["choices"], *delta("No")["choices"]]},
        *words("is twelve."), finish(), DONE,
    ),
    "parts": stream(delta([{"type": "text", "text": "It is twelve."}]), finish(), DONE),
    "a byte order mark": Reply(((0, b"\xef\xbb\xbf"), *GOOD.pieces)),
    "not streamed": complete({"content": TEXT}, "stop"),
    "not streamed, with a byte order mark and without a reason": Reply(
        ((0, b"\xef\xbb\xbf"), *complete({"content": TEXT}, None).pieces)
    ),
    "not streamed, in parts": complete({"content": [{"type": "text", "text": TEXT}]}, "stop"),
    "CR LF": Reply(tuple((0.0, p) for p in (
        event(delta(TEXT)).replace(b"\n", b"\r\n"), event(finish()).replace(b"\n", b"\r\n")
    ))),
}  # fmt: skip


@pytest.mark.parametrize("odd", WHOLE.values(), ids=WHOLE)
async def test_odd_chunks_are_ignored(place: Any, odd: Reply) -> None:
    call = place(odd)
    assert await call.think() == TEXT
    assert call.provider.times == [0]


async def test_the_calls_of_an_answer_that_is_not_streamed_are_all_made(place: Any) -> None:
    calls = [
        {"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}}
        for name in ("one", "two")
    ]
    call = place(complete({"content": None, "tool_calls": calls}, "tool_calls"))
    async with call.llm.chat(chat_ctx=ChatContext.empty()) as answered:
        deltas = [chunk.delta async for chunk in answered if chunk.delta]
    assert [each.name for delta in deltas for each in delta.tool_calls] == ["one", "two"]


async def test_bytes_may_come_one_by_one(place: Any) -> None:
    whole = b"".join(piece for _, piece in GOOD.pieces)
    call = place(Reply(tuple((0.001, bytes([byte])) for byte in whole)))
    assert await call.think() == TEXT


async def test_a_dead_connection_is_passed_by_on_a_new_one(place: Any) -> None:
    dead = Reply(pieces=GOOD.pieces, is_half_open=True)
    call = place(GOOD, dead, dead, GOOD)
    assert await call.think() == TEXT
    assert await call.think() == TEXT
    _, on_dead, on_new = call.provider.network.requests
    assert on_dead.is_reused
    assert not on_new.is_reused
    assert on_new.at_seconds - on_dead.at_seconds == pytest.approx(1.8)
    assert await call.think() == TEXT
    assert len(call.provider.network.requests) == 4


async def test_a_slow_answer_on_a_live_connection_is_doubled_once_at_most(place: Any) -> None:
    slow = answer(TEXT, delay_seconds=3)
    call = place(GOOD, slow)
    for _ in range(3):
        assert await call.think() == TEXT
    assert len(call.provider.network.requests) <= 4


async def test_the_error_shows_neither_key_nor_a_long_body(place: Any) -> None:
    body = b'{"error": {"message": "key sekret is wrong ' + b"x" * 5000 + b'"}}'
    call = place(Reply(((0, body),), status=401), api_key="sekret")
    with pytest.raises(ModelError) as failed:
        await call.think()
    assert "sekret" not in failed.value.message
    assert len(failed.value.message) < 400


async def test_a_tool_call_whose_arguments_come_slowly_is_waited_for(place: Any) -> None:
    head = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    pieces = [{"index": 0, "function": {"arguments": part}} for part in ("{", '"a"', ":1", "}")]
    calls = [delta(tool_calls=[each]) for each in (head, *pieces)]
    call = place(stream(*calls, finish("tool_calls"), DONE, step_seconds=2))
    assert await call.think() == ""
    assert call.provider.times == [0]


async def test_in_traces_an_attempt_is_one_request_below_the_whole(
    place: Any, traced: InMemorySpanExporter
) -> None:
    """Otherwise tools that add up tokens would count each twice."""
    found = place(failure(500), GOOD)
    assert await found.think() == TEXT
    spans = {span.context.span_id: span for span in traced.get_finished_spans() if span.context}
    requests = [
        span
        for span in spans.values()
        if span.attributes and span.attributes.get("gen_ai.operation.name") == "chat"
    ]
    assert [span.status.is_ok for span in requests] == [False, True]
    for span in requests:
        assert span.parent
        assert spans[span.parent.span_id].name == "llm_fallback_adapter"
