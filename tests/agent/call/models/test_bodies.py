"""Bodies of responses as the plugins expect them. Time is virtual."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
import pytest

from agent.call.models.bodies import AFTERWARDS_SECONDS, ChatBody, SpeechBody
from agent.call.models.errors import CutError, EmptyError, EventError, RefusalError
from agent.call.models.pcm import NotSoundError
from workbench.bench.misbehaviour.replies import DONE, PING, delta, event, finish, words

pytestmark = pytest.mark.looptime

LIMIT = 2.0
SOUND = b"\x01\x00" * 50


class Pieces(httpx2.AsyncByteStream):
    """Each piece a tenth of a second after the one before; a number is a longer pause."""

    def __init__(self, pieces: Sequence[bytes | float], fault: Exception | None = None) -> None:
        self._pieces = pieces
        self._fault = fault
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(piece if isinstance(piece, float) else 0.1)
            if isinstance(piece, bytes):
                yield piece
        if self._fault:
            raise self._fault

    async def aclose(self) -> None:
        self.is_closed = True


def response(stream: Pieces, content_type: str = "text/event-stream") -> httpx2.Response:
    return httpx2.Response(200, headers={"content-type": content_type}, stream=stream)


def deadline() -> float:
    return asyncio.get_running_loop().time() + LIMIT


async def read(body: ChatBody | SpeechBody) -> bytes:
    return b"".join([piece async for piece in body])


async def chat(*pieces: bytes | float, fault: Exception | None = None) -> str:
    """The words of an answer, and `.` for its end."""
    body = await read(ChatBody(response(Pieces(pieces, fault)), LIMIT, deadline()))
    *chunks, done = body.decode().split("\n\n")[:-1]
    assert done == "data: [DONE]"
    deltas = [json.loads(each.removeprefix("data: "))["choices"][0] for each in chunks]
    ended = "." if deltas[-1]["finish_reason"] else ""
    return "".join(each["delta"].get("content", "") for each in deltas) + ended


def events(*chunks: dict[str, Any]) -> list[bytes]:
    return [event(each) for each in chunks]


async def test_an_answer_is_passed_on_as_openai_sends_it() -> None:
    assert await chat(*events(*words("It is twelve."), finish()), DONE) == "It is twelve. ."


async def test_pieces_need_not_be_whole_events() -> None:
    whole = b"".join([*events(*words("It is twelve."), finish()), DONE])
    assert (
        await chat(*(whole[at : at + 40] for at in range(0, len(whole), 40))) == "It is twelve. ."
    )


async def test_an_end_without_the_last_mark_is_waited_for_a_moment_only() -> None:
    begun = asyncio.get_running_loop().time()
    assert await chat(*events(*words("Yes."), finish()), 100.0) == "Yes. ."
    passed = asyncio.get_running_loop().time() - begun
    assert passed == pytest.approx(0.2 + AFTERWARDS_SECONDS, abs=0.01)


async def test_what_breaks_after_the_end_is_no_matter() -> None:
    broken = httpx2.RemoteProtocolError("cut")
    assert await chat(*events(*words("Yes."), finish()), fault=broken) == "Yes. ."


FAULTS: list[tuple[list[bytes | float], type[Exception]]] = [
    ([], CutError),
    ([*events(*words("It is"))], CutError),
    ([*events(*words("It is"), finish("length"))], CutError),
    ([*events({"error": {"message": "down"}})], EventError),
    ([*events(delta(refusal="no"))], RefusalError),
    ([PING] * 30, httpx2.ReadTimeout),
    ([*events(*words("It is")), *[PING] * 30], httpx2.ReadTimeout),
    ([*events(*words("It is")), LIMIT + 1], httpx2.ReadTimeout),
]


@pytest.mark.parametrize(("pieces", "fault"), FAULTS)
async def test_an_answer_that_is_not_whole_is_a_fault(
    pieces: list[bytes | float], fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        await chat(*pieces)


async def test_a_connection_that_breaks_in_mid_answer_is_a_fault() -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        await chat(*events(*words("It is")), fault=httpx2.RemoteProtocolError("cut"))


async def test_words_that_come_slowly_have_each_the_whole_limit() -> None:
    slow = [each for word in events(*words("one two three"), finish()) for each in (1.5, word)]
    assert await chat(*slow, DONE) == "one two three ."


async def test_closing_a_body_closes_the_response() -> None:
    pieces = Pieces([])
    await ChatBody(response(pieces), LIMIT, deadline()).aclose()
    assert pieces.is_closed


async def speech(*pieces: bytes | float, content_type: str = "audio/pcm") -> tuple[str, bytes]:
    """The media type and the sound."""
    body = SpeechBody(response(Pieces(pieces), content_type), LIMIT, deadline())
    await body.begin()
    return body.media_type, await read(body)


def sound_event(sound: bytes, kind: str = "speech.audio.delta") -> bytes:
    return event({"type": kind, "delta": base64.b64encode(sound).decode()})


SOUND_DONE = event({"type": "speech.audio.done"})


async def test_samples_are_passed_on_as_they_come() -> None:
    assert await speech(SOUND[:3], b"", SOUND[3:]) == ("audio/pcm", SOUND)


async def test_sound_in_events_is_taken_out_of_them() -> None:
    found = await speech(
        sound_event(SOUND[:40]),
        sound_event(SOUND[40:]),
        SOUND_DONE,
        content_type="text/event-stream",
    )
    assert found == ("audio/pcm", SOUND)
    ended = await speech(
        PING, event([]), sound_event(SOUND), DONE, content_type="text/event-stream"
    )
    assert ended == ("audio/pcm", SOUND)


async def test_a_file_keeps_its_type_for_the_decoder() -> None:
    media_type, sound = await speech(b"ID3" + bytes(60), content_type="audio/mpeg")
    assert (media_type, sound) == ("audio/mpeg", b"ID3" + bytes(60))


@pytest.mark.parametrize(
    ("pieces", "content_type", "fault"),
    [
        ([], "audio/pcm", EmptyError),
        ([b"\x01"], "audio/pcm", EmptyError),  # half a sample
        ([b"<html>Log in, please</html>"], "text/html", NotSoundError),
        ([b'{"error": {"message": "down"}}'], "application/json", EventError),
        ([LIMIT + 1, SOUND], "audio/pcm", httpx2.ReadTimeout),
        ([SOUND, LIMIT + 1], "audio/pcm", httpx2.ReadTimeout),
        ([sound_event(SOUND)], "text/event-stream", CutError),
        ([event({"type": "error", "message": "down"})], "text/event-stream", EventError),
        ([event({"error": "down"})], "text/event-stream", EventError),
        ([event({"type": "speech.audio.delta", "delta": "a"})], "text/event-stream", CutError),
        ([SOUND_DONE], "text/event-stream", EmptyError),
    ],
)
async def test_a_speech_that_is_not_whole_is_a_fault(
    pieces: list[bytes | float], content_type: str, fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        await speech(*pieces, content_type=content_type)


async def test_the_last_sample_is_not_lost() -> None:
    """A resampler keeps some until the end."""
    _, sound = await speech(SOUND * 20, content_type="audio/pcm;rate=48000")
    assert len(sound) == pytest.approx(len(SOUND * 20) / 2, abs=4)
