"""OpenAI's own SDK, and LiveKit's plugins, get along with the OpenAI stand-in."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import av
import numpy as np
import openai
import pytest
from livekit.agents import llm, tts
from livekit.plugins import openai as livekit_openai

from workbench.standins.openai_v1.faults import Fault, Pace
from workbench.standins.openai_v1.server import LOCAL_KEY, OpenAIStandIn

NOW = datetime(2026, 3, 9, 14, 5, tzinfo=UTC)
QUESTION = [{"role": "user", "content": "what is seven plus five"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


@pytest.fixture
async def stand_in() -> AsyncIterator[OpenAIStandIn]:
    async with OpenAIStandIn(now=lambda: NOW) as server, asyncio.timeout(30):
        yield server


@pytest.fixture
async def client(stand_in: OpenAIStandIn) -> AsyncIterator[openai.AsyncClient]:
    async with openai.AsyncClient(
        api_key=LOCAL_KEY, base_url=stand_in.url, max_retries=0
    ) as session:
        yield session


async def test_an_answer_comes_at_once(client: openai.AsyncClient) -> None:
    answer = await client.chat.completions.create(model="gpt-4.1-mini", messages=QUESTION)
    assert answer.choices[0].message.content == "Seven plus five is twelve."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 10


async def test_an_answer_comes_word_by_word(client: openai.AsyncClient) -> None:
    stream = await client.chat.completions.create(
        model="gpt-4.1-mini",
        messages=QUESTION,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert deltas == ["", "Seven", " plus", " five", " is", " twelve.", None]
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None


async def test_usage_comes_only_when_asked_for(client: openai.AsyncClient) -> None:
    stream = await client.chat.completions.create(
        model="gpt-4.1-mini", messages=QUESTION, stream=True
    )
    assert [chunk.usage async for chunk in stream if not chunk.choices] == []


@pytest.mark.parametrize("tool_choice", ["auto", "none"])
async def test_a_tool_is_called_unless_forbidden(
    client: openai.AsyncClient, tool_choice: str
) -> None:
    answer = await client.chat.completions.create(
        model="gpt-4.1-mini",
        messages=[{"role": "user", "content": "how is the weather in Rome?"}],
        tools=[TOOL],
        tool_choice=tool_choice,
    )
    calls = answer.choices[0].message.tool_calls or []
    called = [(call.function.name, call.function.arguments) for call in calls]
    assert called == ([("get_weather", '{"city": "rome"}')] if tool_choice == "auto" else [])


async def test_a_tool_call_comes_in_pieces(client: openai.AsyncClient) -> None:
    stream = await client.chat.completions.create(
        model="gpt-4.1-mini",
        messages=[{"role": "user", "content": "how is the weather in Rome?"}],
        tools=[TOOL],
        stream=True,
    )
    deltas = [chunk.choices[0].delta async for chunk in stream]
    calls = [delta.tool_calls[0] for delta in deltas if delta.tool_calls]
    assert calls[0].function.name == "get_weather"
    assert len(calls) > 2
    assert "".join(call.function.arguments for call in calls) == '{"city": "rome"}'


async def test_livekits_model_calls_tools(stand_in: OpenAIStandIn) -> None:
    @llm.function_tool
    async def get_weather(city: str) -> str:
        """Tells the weather."""
        return f"Sunny in {city}"

    model = livekit_openai.LLM(model="gpt-4.1-mini", api_key=LOCAL_KEY, base_url=stand_in.url)
    context = llm.ChatContext.empty()
    context.add_message(role="user", content="how is the weather in rome")
    async with model, model.chat(chat_ctx=context, tools=[get_weather]) as stream:
        answer = await stream.collect()
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [
        ("get_weather", '{"city": "rome"}')
    ]


async def test_a_wrong_key_is_refused_in_openais_shape(stand_in: OpenAIStandIn) -> None:
    async with openai.AsyncClient(api_key="wrong", base_url=stand_in.url, max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            await client.models.list()
    assert refused.value.code == "invalid_api_key"
    assert "wrong" not in str(refused.value)


async def test_unknown_paths_and_missing_parameters_are_refused(
    client: openai.AsyncClient,
) -> None:
    with pytest.raises(openai.NotFoundError):
        await client.embeddings.create(model="m", input="x")
    with pytest.raises(openai.BadRequestError, match="Invalid value for 'messages'"):
        await client.chat.completions.create(model="m", messages=[])


async def test_the_models_are_listed(client: openai.AsyncClient) -> None:
    assert "gpt-4o-mini-tts" in [model.id async for model in client.models.list()]


async def test_a_fault_can_last_for_several_requests(
    stand_in: OpenAIStandIn, client: openai.AsyncClient
) -> None:
    stand_in.faults.append(Fault(endpoint="chat", status=500, times=2))
    for _ in range(2):
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="m", messages=QUESTION)
    await client.audio.speech.create(model="tts-1", voice="alloy", input="Hi.")
    await client.chat.completions.create(model="m", messages=QUESTION)


async def test_faults_are_counted_down(stand_in: OpenAIStandIn, client: openai.AsyncClient) -> None:
    stand_in.faults += [Fault(endpoint="chat", status=429), Fault(endpoint="chat", status=503)]
    with pytest.raises(openai.RateLimitError):
        await client.chat.completions.create(model="m", messages=QUESTION)
    with pytest.raises(openai.InternalServerError):
        await client.chat.completions.create(model="m", messages=QUESTION)
    await client.chat.completions.create(model="m", messages=QUESTION)
    assert [request.status for request in stand_in.requests] == [429, 503, 200]


async def test_a_request_can_hang_and_a_stream_can_break_off(
    stand_in: OpenAIStandIn, client: openai.AsyncClient
) -> None:
    stand_in.faults += [
        Fault(endpoint="chat", hang=True),
        Fault(endpoint="chat", break_after_chunks=2),
    ]
    with pytest.raises(openai.APITimeoutError):
        await client.chat.completions.create(model="m", messages=QUESTION, timeout=0.1)
    stream = await client.chat.completions.create(model="m", messages=QUESTION, stream=True)
    received = []
    with pytest.raises(openai.APIConnectionError):
        received += [chunk async for chunk in stream]
    assert not stand_in.requests[1].is_complete


async def test_a_fault_can_last_for_a_time_and_be_about_one_text(
    stand_in: OpenAIStandIn, client: openai.AsyncClient
) -> None:
    stand_in.faults += [
        Fault(endpoint="chat", status=429, for_seconds=60, headers={"Retry-After": "1"}),
        Fault(endpoint="speech", status=400, about="secret"),
    ]
    for _ in range(2):
        with pytest.raises(openai.RateLimitError) as refusal:
            await client.chat.completions.create(model="m", messages=QUESTION)
        assert refusal.value.response.headers["Retry-After"] == "1"
    await client.audio.speech.create(model="tts-1", voice="alloy", input="Hi.")
    with pytest.raises(openai.BadRequestError):
        await client.audio.speech.create(model="tts-1", voice="alloy", input="A secret.")


async def test_a_fault_of_reused_connections_spares_new_ones(
    stand_in: OpenAIStandIn, client: openai.AsyncClient
) -> None:
    stand_in.faults.append(Fault(endpoint="chat", hang=True, on_reused_connections=True, times=9))
    await client.chat.completions.create(model="m", messages=QUESTION)
    with pytest.raises(openai.APITimeoutError):
        await client.chat.completions.create(model="m", messages=QUESTION, timeout=0.1)
    await client.chat.completions.create(model="m", messages=QUESTION)


async def test_a_stream_can_be_alive_without_a_word(
    stand_in: OpenAIStandIn, client: openai.AsyncClient
) -> None:
    stand_in.faults.append(Fault(endpoint="chat", keep_alive=True))
    stream = await client.chat.completions.create(model="m", messages=QUESTION, stream=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await anext(aiter(stream))
    await stream.close()


async def test_an_answer_can_be_of_another_kind(
    stand_in: OpenAIStandIn, client: openai.AsyncClient
) -> None:
    stand_in.faults += [
        Fault(endpoint="speech", content_type="text/html", body="<p>Sorry</p>"),
        Fault(endpoint="chat", events=[{"error": {"message": "overloaded"}}]),
        Fault(endpoint="chat", says="One two", finish_reason="length"),
        Fault(endpoint="chat", says="One two", finish_reason=""),
    ]
    page = await client.audio.speech.create(model="tts-1", voice="alloy", input="Hi.")
    assert page.response.headers["Content-Type"].startswith("text/html")
    with pytest.raises(openai.APIError, match="overloaded"):
        [
            _
            async for _ in await client.chat.completions.create(
                model="m", messages=QUESTION, stream=True
            )
        ]
    for reason in ("length", None):
        stream = await client.chat.completions.create(model="m", messages=QUESTION, stream=True)
        choices = [chunk.choices[0] async for chunk in stream]
        assert "".join(choice.delta.content or "" for choice in choices) == "One two"
        assert choices[-1].finish_reason == reason


@pytest.mark.parametrize("sound_format", ["pcm", "wav", "mp3"])
async def test_speech_comes_in_each_format(client: openai.AsyncClient, sound_format: str) -> None:
    speech = await client.audio.speech.create(
        model="tts-1", voice="alloy", input="Hello there.", response_format=sound_format
    )
    seconds = 12 * 0.06
    if sound_format == "pcm":
        assert len(speech.content) == int(seconds * 24_000) * 2
        return
    with av.open(io.BytesIO(speech.content)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        assert container.streams.audio[0].rate == 24_000
    assert sound.size / 24_000 == pytest.approx(seconds, abs=0.1)


async def test_an_impossible_voice_is_refused(client: openai.AsyncClient) -> None:
    with pytest.raises(openai.BadRequestError, match="voice"):
        await client.audio.speech.create(model="tts-1", voice="nobody", input="x")


async def test_livekits_model_answers(stand_in: OpenAIStandIn) -> None:
    model = livekit_openai.LLM(model="gpt-4.1-mini", api_key=LOCAL_KEY, base_url=stand_in.url)
    context = llm.ChatContext.empty()
    context.add_message(role="user", content="what is seven plus five")
    async with model, model.chat(chat_ctx=context) as stream:
        answer = await stream.collect()
    assert answer.text == "Seven plus five is twelve."


@pytest.mark.parametrize("sound_format", ["pcm", "wav", "mp3"])
@pytest.mark.parametrize("model", ["gpt-4o-mini-tts", "tts-1"])
async def test_livekits_voice_speaks(
    stand_in: OpenAIStandIn, model: str, sound_format: str
) -> None:
    voice = livekit_openai.TTS(
        model=model, api_key=LOCAL_KEY, base_url=stand_in.url, response_format=sound_format
    )
    async with voice:
        assert await spoken_seconds(voice, "Hello there.") == pytest.approx(0.72, abs=0.1)


async def spoken_seconds(voice: tts.TTS, text: str) -> float:
    async with voice.synthesize(text) as stream:
        return sum([event.frame.duration async for event in stream])


async def test_delays_come_before_the_first_token_and_sound() -> None:
    """Not how long they are, which would measure the machine: that something waits for them."""
    pace = Pace(first_token_ms=60_000)
    async with (
        OpenAIStandIn(pace=pace) as slow,
        openai.AsyncClient(api_key=LOCAL_KEY, base_url=slow.url, max_retries=0) as client,
    ):
        with pytest.raises(openai.APITimeoutError):
            await client.chat.completions.create(model="m", messages=QUESTION, timeout=0.1)
