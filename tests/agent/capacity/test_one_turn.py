"""The providers of calls that nobody makes answer as the real ones."""

import json

import aiohttp
import pytest

from agent.capacity.one_turn import (
    ANSWERED,
    CYCLE_MS,
    SAID,
    SILENCE_MS,
    SPOKEN_MS,
    Hearing,
    served,
)
from stt_assemblyai.messages import Turn, decode


def sound(ms: int) -> bytes:
    return bytes(32 * ms)


def test_words_come_with_the_sound_and_a_turn_ends_after_it() -> None:
    hearing = Hearing()
    assert hearing.hear(sound(100)) == []
    so_far = hearing.hear(sound(SPOKEN_MS - 100))
    assert [each["transcript"].split()[-1] for each in so_far] == list(SAID)
    assert not any(each["end_of_turn"] for each in so_far)
    (end,) = hearing.hear(sound(SILENCE_MS))
    assert end["end_of_turn"]
    assert end["transcript"] == " ".join(SAID)


def test_the_next_cycle_is_another_turn() -> None:
    hearing = Hearing()
    hearing.hear(sound(CYCLE_MS))
    found = hearing.hear(sound(SPOKEN_MS + SILENCE_MS))
    assert {each["turn_order"] for each in found} == {1}
    assert found[-1]["words"][0]["start"] == CYCLE_MS
    assert len(found) == len(SAID) + 1


def test_a_turn_is_what_the_speech_module_reads() -> None:
    (first, *_) = Hearing().hear(sound(SPOKEN_MS))
    turn = decode(json.dumps(first))
    assert isinstance(turn, Turn)
    assert turn.words[0].text == SAID[0]


async def test_a_session_is_opened_heard_and_ended() -> None:
    async with (
        served() as port,
        aiohttp.ClientSession() as client,
        client.ws_connect(f"http://127.0.0.1:{port}/v3/ws") as socket,
    ):
        assert (await socket.receive_json())["type"] == "Begin"
        await socket.send_bytes(sound(SPOKEN_MS))
        assert (await socket.receive_json())["transcript"] == SAID[0]
        await socket.send_str('{"type": "Terminate"}')
        types = [(await socket.receive_json())["type"] for _ in SAID]
        assert types == ["Turn"] * (len(SAID) - 1) + ["Termination"]


async def test_an_answer_and_its_sound_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_TOKEN_SECONDS", "TOKEN_SECONDS", "FIRST_SOUND_SECONDS"):
        monkeypatch.setattr(f"agent.capacity.one_turn.{name}", 0.0)
    async with served() as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        async with client.post("/v1/chat/completions", json={}) as answer:
            text = await answer.text()
        assert text.count('"content"') == len(ANSWERED)
        assert text.endswith("data: [DONE]\n\n")
        async with client.post("/v1/audio/speech", json={"input": " ".join(ANSWERED)}) as answer:
            assert len(await answer.read()) == 2 * 24_000 * 2
        async with client.post("/v1/audio/speech", json={"input": ANSWERED[0]}) as answer:
            assert 0 < len(await answer.read()) < 24_000
