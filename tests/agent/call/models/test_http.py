"""What a plugin gets of a provider's response. Time is virtual."""

import sys
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from openai import omit

from agent.call.models.connections import Connections
from agent.call.models.errors import RETRY_AFTER, CutError, EmptyError
from agent.call.models.http import LARGEST_ERROR_BYTES, ModelTransport, openai_client
from workbench.bench.misbehaviour.network import Asked, End, Network, Reply
from workbench.bench.misbehaviour.replies import answer, stream, words

pytestmark = pytest.mark.looptime

URL, KEY = "http://provider.example/v1", "sk-the-key"
SOUND = b"\x01\x00" * 500


async def ask(reply: Reply, path: str, *, timeout_seconds: float = 2.0) -> httpx2.Response:
    """One request of a plugin's, and the response as the plugin reads it."""

    def answered(_: Asked) -> Reply:
        return reply

    transport = ModelTransport(Connections(Network(answered).pool))
    async with httpx2.AsyncClient(transport=transport, timeout=timeout_seconds) as client:
        headers = {"authorization": f"Bearer {KEY}"}
        return await client.post(f"{URL}{path}", json={}, headers=headers)


async def test_an_answer_is_a_stream_of_events_whatever_its_headers_say() -> None:
    headers = {"content-encoding": "identity", "x-request-id": "r1"}
    reply = answer("It is twelve.", content_type="text/plain", headers=headers)
    found = await ask(reply, "/chat/completions")
    assert found.headers["content-type"] == "text/event-stream"
    assert found.headers["x-request-id"] == "r1"
    assert "content-encoding" not in found.headers
    assert found.text.endswith("data: [DONE]\n\n")


async def test_a_speech_has_the_type_of_its_sound() -> None:
    reply = Reply(((0.1, SOUND),), content_type="application/octet-stream")
    found = await ask(reply, "/audio/speech")
    assert found.headers["content-type"] == "audio/pcm"
    assert found.content == SOUND


async def test_a_speech_without_sound_is_a_fault_before_the_plugin_sees_it() -> None:
    with pytest.raises(EmptyError):
        await ask(Reply(content_type="audio/pcm"), "/audio/speech")


async def test_an_answer_that_breaks_off_is_a_fault() -> None:
    with pytest.raises(CutError):
        await ask(stream(*words("It is")), "/chat/completions")


async def test_any_other_path_is_left_alone() -> None:
    found = await ask(Reply(((0.0, b"{}"),), content_type="application/json"), "/models")
    assert found.json() == {}


def shown(reply: Reply) -> Callable[[], Any]:
    async def ask_and_read() -> Any:
        found = await ask(reply, "/chat/completions")
        assert found.status_code == reply.status
        return found.json()["error"]

    return ask_and_read


async def test_an_error_has_openais_shape_and_no_key() -> None:
    body = b'{"detail": "the key sk-the-key is unknown"}'
    reply = Reply(((0.0, body),), status=401, headers={"retry-after": "3"})
    assert await shown(reply)() == {
        "code": "",
        "message": "the key *** is unknown",
        RETRY_AFTER: 3.0,
    }


@pytest.mark.parametrize(
    "reply",
    [
        Reply(((0.0, b"{"),), status=500, end=End.CUT),
        Reply(((0.0, b"{"),), status=500, end=End.HANGS),
        Reply(tuple((0.0, b"x" * 8192) for _ in range(LARGEST_ERROR_BYTES)), status=500),
    ],
    ids=["cut", "endless", "huge"],
)
async def test_an_error_whose_body_does_not_end_is_known_by_its_status(reply: Reply) -> None:
    assert (await shown(reply)())["message"] == ""


def history(length: int) -> list[Any]:
    return [{"role": "user", "content": f"What is {number} plus five?"} for number in range(length)]


TOOL = {"type": "function", "function": {"name": "end_call", "parameters": {"type": "object"}}}


async def test_the_history_reaches_the_server_whole() -> None:
    asked: list[Asked] = []

    def answered(request: Asked) -> Reply:
        asked.append(request)
        return answer("It is twelve.")

    client = openai_client(URL, KEY, Network(answered).pool)
    for tools in ([TOOL], omit):
        chunks = await client.chat.completions.create(
            messages=history(3),
            model="m",
            stream=True,
            tools=tools,  # type: ignore[arg-type] # as the plugin makes them
            extra_body={"chat_template": "plain"},
        )
        assert [each async for each in chunks]
    await client.close()
    plain = {"messages": history(3), "model": "m", "stream": True, "chat_template": "plain"}
    assert [each.body for each in asked] == [plain | {"tools": [TOOL]}, plain]


async def test_a_request_costs_no_more_steps_in_a_long_call() -> None:
    """openai's own way takes 100 calls of Python functions for each message of the history."""
    client = openai_client(URL, KEY, Network(lambda _: answer("Twelve.")).pool)
    steps = []
    for length in (10, 10, 400):
        count = 0

        def counted(_: object, event: str, __: object) -> None:
            nonlocal count
            count += event == "call"

        sys.setprofile(counted)
        try:
            await client.chat.completions.create(messages=history(length), model="m", stream=True)
        finally:
            sys.setprofile(None)
        steps.append(count)
    await client.close()
    _, few, many = steps  # the first loads and remembers
    assert many < few + 40


async def test_a_client_asks_once_and_follows_nothing() -> None:
    client = openai_client(URL, KEY)
    assert client.max_retries == 0
    assert client.api_key == KEY
    await client.close()
