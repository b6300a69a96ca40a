"""The AssemblyAI stand-in across a real socket: who gets in, what is refused, how it fails."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from workbench.standins.assemblyai_v3.knobs import Fault, Knobs
from workbench.standins.assemblyai_v3.scripted import ScriptedWord
from workbench.standins.assemblyai_v3.server import LOCAL_KEY, AssemblyAIStandIn
from workbench.standins.assemblyai_v3.tokens import TokenRequest, Tokens

AT_ONCE = Knobs(throttle=None, begin_delay_ms=0, reject_delay_ms=0, termination_delay_ms=0)
YES = (ScriptedWord("Yes.", 100, 400),)
FRAME = bytes(1600)
US = {"speech_model": "universal-streaming-english"}
PATIENCE_SECONDS = 10


@asynccontextmanager
async def client(
    stand_in: AssemblyAIStandIn, key: str | None = LOCAL_KEY, **query: object
) -> AsyncIterator[ClientConnection]:
    headers = {} if key is None else {"Authorization": key}
    url = f"{stand_in.url}/v3/ws?{urlencode({'sample_rate': 16000, **US, **query})}"
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        connect(url, additional_headers=headers) as socket,
    ):
        yield socket


async def send_audio(socket: ClientConnection, seconds: float) -> None:
    for _ in range(int(seconds * 20)):
        await socket.send(FRAME)


async def rest(socket: ClientConnection) -> list[dict[str, Any]]:
    """Everything up to the close."""
    return [json.loads(message) async for message in socket]


async def outcome(socket: ClientConnection) -> tuple[list[dict[str, Any]], int | None, str | None]:
    """Everything up to the close, its code and its reason; an abnormal close is an answer too."""
    messages: list[dict[str, Any]] = []
    try:
        while True:
            messages.append(json.loads(await socket.recv()))
    except ConnectionClosed:
        return messages, socket.close_code, socket.close_reason


async def until_type(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message["type"] == kind:
            return message


async def test_a_session_begins_hears_and_ends() -> None:
    async with AssemblyAIStandIn(scripts=[YES], knobs=AT_ONCE) as stand_in:
        async with client(stand_in, format_turns="true") as socket:
            begin = json.loads(await socket.recv())
            await send_audio(socket, 2)
            await socket.send('{"type": "Terminate"}')
            messages = await rest(socket)
        assert begin["configuration"] == {
            "model": "universal-streaming-english",
            "mode": None,
            "api_version": "2025-05-12",
            "speaker_labels": False,
            "redact_pii": False,
            "filter_profanity": False,
            "domain": None,
            "voice_focus": None,
        }
        ends = [message for message in messages if message.get("end_of_turn")]
        assert [end["transcript"] for end in ends] == ["yes", "Yes."]
        assert messages[-1]["type"] == "Termination"
        assert messages[-1]["audio_duration_seconds"] == 2
        assert (socket.close_code, socket.close_reason) == (1000, "Session Ended")
        record = stand_in.sessions[0]
        assert record.was_terminated
        assert (record.audio_ms, record.frame_durations_ms) == (2000, {50.0: 40})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("wrong", "Unauthorized Connection: Invalid API key"),
        (f"Bearer {LOCAL_KEY}", "Unauthorized Connection: Invalid API key"),
        (None, "Unauthorized Connection: Missing Authorization header"),
    ],
)
async def test_a_bad_key_is_refused_after_the_upgrade(key: str | None, said: str) -> None:
    async with AssemblyAIStandIn() as stand_in, client(stand_in, key) as socket:
        assert await outcome(socket) == (
            [{"type": "Error", "error_code": 1008, "error": said}],
            1008,
            "See Error message for details",
        )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"encoding": "flac"}, "'flac' is not a valid Encoding"),
        ({"sample_rate": 4000}, "sample_rate must be at least 8,000 Hz"),
        ({"keyterms_prompt": "Aldi"}, "Invalid 'keyterms_prompt': Value error, Invalid JSON array"),
        (
            {"keyterms_prompt": json.dumps(["word"] * 101)},
            "Invalid 'keyterms_prompt': Value error, Max 100 items",
        ),
        ({"prompt": "A call."}, "prompt is only supported with Universal-3 Pro models"),
    ],
)
async def test_a_bad_parameter_is_refused_without_begin(
    query: dict[str, object], said: str
) -> None:
    async with AssemblyAIStandIn() as stand_in, client(stand_in, **query) as socket:
        messages, code, _ = await outcome(socket)
    assert (messages, code) == ([{"type": "Error", "error_code": 3006, "error": said}], 3006)


async def test_an_unknown_parameter_is_ignored() -> None:
    async with AssemblyAIStandIn() as stand_in, client(stand_in, speechModel="x") as socket:
        assert json.loads(await socket.recv())["type"] == "Begin"


async def test_new_sessions_are_limited_per_minute() -> None:
    knobs = Knobs(new_sessions_per_minute=1)
    async with AssemblyAIStandIn(knobs=knobs) as stand_in:
        async with client(stand_in) as socket:
            assert json.loads(await socket.recv())["type"] == "Begin"
        async with client(stand_in) as socket:
            messages, code, _ = await outcome(socket)
    assert code == 1008
    assert messages[0]["error"] == "Unauthorized Connection: Too many concurrent sessions"


@pytest.mark.parametrize(
    ("frames", "ms"), [([bytes(640)] * 50, "20.0"), ([bytes(38_400)], "1200.0")]
)
async def test_frames_of_a_wrong_length_end_the_session(frames: Sequence[bytes], ms: str) -> None:
    async with AssemblyAIStandIn(knobs=AT_ONCE) as stand_in, client(stand_in) as socket:
        for frame in frames:
            await socket.send(frame)
        messages, code, _ = await outcome(socket)
    assert code == 3007
    assert messages[-1]["error"] == (
        f"Input Duration Error: Input Duration Violation: {ms} ms. Expected between 50 and 1000 ms"
    )


async def test_a_short_tail_and_a_frame_of_a_second_are_fine() -> None:
    async with AssemblyAIStandIn(knobs=AT_ONCE) as stand_in, client(stand_in) as socket:
        await socket.send(bytes(32_000))
        await socket.send(bytes(320))
        await socket.send('{"type": "Terminate"}')
        assert [message["type"] for message in await rest(socket)] == ["Begin", "Termination"]


async def test_a_message_above_128_kb_closes_with_1009() -> None:
    async with AssemblyAIStandIn() as stand_in, client(stand_in) as socket:
        await socket.send(bytes(140_000))
        assert (await outcome(socket))[1] == 1009


async def test_audio_before_begin_is_kept() -> None:
    fault = Fault(begin_delay_ms=100)
    stand_in = AssemblyAIStandIn(scripts=[YES], faults=[fault], knobs=AT_ONCE)
    async with stand_in, client(stand_in) as socket:
        await send_audio(socket, 1)
        await socket.send('{"type": "Terminate"}')
        messages = await rest(socket)
    assert messages[0]["type"] == "Begin"
    assert messages[-1]["audio_duration_seconds"] == 1


async def test_a_token_opens_a_session_with_its_own_limit() -> None:
    async with AssemblyAIStandIn() as stand_in, aiohttp.ClientSession() as http:
        url = stand_in.url.replace("ws:", "http:") + "/v3/token"
        query = {"expires_in_seconds": "60", "max_session_duration_seconds": "90"}
        async with http.get(url, params=query) as response:
            assert response.status == 401
        headers = {"Authorization": LOCAL_KEY}
        async with http.get(url, headers=headers, params={"expires_in_seconds": "0"}) as response:
            assert response.status == 422
            assert (await response.json())["detail"][0]["loc"] == ["query", "expires_in_seconds"]
        async with http.get(url, headers=headers, params=query) as response:
            token = (await response.json())["token"]
        async with client(stand_in, None, token=token) as socket:
            begin = json.loads(await socket.recv())
        async with client(stand_in) as socket:
            unlimited = json.loads(await socket.recv())
        assert 10_700 < unlimited["expires_at"] - begin["expires_at"] < 10_720
        assert "token" not in dict(stand_in.sessions[0].query)


async def test_a_token_is_good_for_its_time_only() -> None:
    tokens = Tokens()
    token = tokens.issue(TokenRequest(expires_in_seconds=60), now_seconds=0)
    found = tokens.find(token)
    assert found is not None
    assert found.redeemable_until == 60
    assert tokens.find("another") is None


async def test_a_preview_model_is_cancelled_soon_after_begin() -> None:
    knobs = Knobs(not_entitled_after_seconds=0)
    async with (
        AssemblyAIStandIn(knobs=knobs) as stand_in,
        client(stand_in, speech_model="u3-rt-agent") as socket,
    ):
        messages, code, _ = await outcome(socket)
    assert [message["type"] for message in messages] == ["Begin", "Error"]
    assert code == 3005


async def test_an_encoding_that_it_cannot_decode_is_refused_in_so_many_words() -> None:
    async with AssemblyAIStandIn() as stand_in, client(stand_in, encoding="opus") as socket:
        messages, code, _ = await outcome(socket)
    assert code == 3006
    assert messages[0]["error"] == ("The stand-in does not decode 'opus': send PCM or mu-law")


async def test_mu_law_has_half_the_bytes() -> None:
    async with (
        AssemblyAIStandIn(knobs=AT_ONCE) as stand_in,
        client(stand_in, encoding="pcm_mulaw", sample_rate=8000) as socket,
    ):
        await socket.send(bytes(8000))
        await socket.send('{"type": "Terminate"}')
        assert (await rest(socket))[-1]["audio_duration_seconds"] == 1


async def test_an_open_session_can_be_given_messages_and_faults() -> None:
    async with AssemblyAIStandIn(knobs=AT_ONCE) as stand_in, client(stand_in) as socket:
        await until_type(socket, "Begin")
        stand_in.connections[0].send({"type": "Odd"})
        assert json.loads(await socket.recv()) == {"type": "Odd"}
        stand_in.connections[0].set_fault(Fault(error_at_ms=50))
        await send_audio(socket, 0.05)
        assert (await outcome(socket))[1] == 3005
    assert stand_in.sessions[0].close_code == 3005


async def test_expiry_ends_the_session_without_termination() -> None:
    fault = Fault(session_cap_seconds=0.05)
    async with AssemblyAIStandIn(faults=[fault]) as stand_in, client(stand_in) as socket:
        messages, code, _ = await outcome(socket)
    assert code == 3008
    assert [message["type"] for message in messages] == ["Begin", "Error"]


async def test_a_drop_in_mid_turn_is_no_close_and_the_next_session_starts_at_zero() -> None:
    script = (ScriptedWord("Yes", 100, 400, 0.1), ScriptedWord("please.", 600, 900))
    stand_in = AssemblyAIStandIn(
        scripts=[script, script], faults=[Fault(drop_at_ms=500)], knobs=AT_ONCE
    )
    async with stand_in:
        async with client(stand_in) as socket:
            await send_audio(socket, 0.5)
            with pytest.raises(ConnectionClosedError):
                await rest(socket)
            assert socket.close_code == 1006
        async with client(stand_in) as socket:
            await send_audio(socket, 2)
            await socket.send('{"type": "Terminate"}')
            ends = [message for message in await rest(socket) if message.get("end_of_turn")]
    assert [(end["turn_order"], end["words"][0]["start"]) for end in ends] == [(0, 100)]


async def test_a_half_open_connection_says_nothing_and_stays() -> None:
    stand_in = AssemblyAIStandIn(scripts=[YES], faults=[Fault(half_open_at_ms=300)], knobs=AT_ONCE)
    async with stand_in, client(stand_in) as socket:
        await send_audio(socket, 2)
        await until_type(socket, "Turn")
        pong = await socket.ping()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await pong
        assert stand_in.sessions[0].audio_ms == 300
        assert not stand_in.sessions[0].is_closed
        stand_in.connections[0].drop()


async def test_a_connection_can_hang_before_the_upgrade_and_before_begin() -> None:
    faults = [Fault(hang_before_upgrade=True), Fault(never_begin=True)]
    async with AssemblyAIStandIn(faults=faults) as stand_in:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), client(stand_in):
                pass
        async with client(stand_in) as socket:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await socket.recv()


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_the_upgrade_can_fail_in_http(status: int) -> None:
    async with AssemblyAIStandIn(faults=[Fault(http_status=status)]) as stand_in:
        with pytest.raises(InvalidStatus) as refused:
            async with client(stand_in):
                pass
        assert refused.value.response.status_code == status


async def test_tcp_can_be_refused_and_accepted_again() -> None:
    async with AssemblyAIStandIn() as stand_in:
        await stand_in.refuse()
        with pytest.raises(ConnectionRefusedError):
            async with client(stand_in):
                pass
        await stand_in.accept()
        async with client(stand_in) as socket:
            assert json.loads(await socket.recv())["type"] == "Begin"


async def test_rejections_are_a_queue() -> None:
    faults = [Fault(reject=(3005, "Session Cancelled: An error occurred"))] * 3
    async with AssemblyAIStandIn(faults=faults) as stand_in:
        codes = []
        for _ in range(4):
            async with client(stand_in) as socket:
                first = json.loads(await socket.recv())
                codes.append(first.get("error_code", first["type"]))
        assert codes == [3005, 3005, 3005, "Begin"]


async def test_an_error_can_come_in_mid_session_with_or_without_its_frame() -> None:
    faults = [Fault(error_at_ms=100), Fault(error_at_ms=100, close_without_error_frame=True)]
    async with AssemblyAIStandIn(faults=faults, knobs=AT_ONCE) as stand_in:
        outcomes = []
        for _ in faults:
            async with client(stand_in) as socket:
                await send_audio(socket, 0.1)
                messages, code, _ = await outcome(socket)
                outcomes.append(([message["type"] for message in messages], code))
    assert outcomes == [(["Begin", "Error"], 3005), (["Begin"], 3005)]


async def test_strange_messages_and_fields_are_sent_as_they_are() -> None:
    warning = {"type": "Warning", "warning_code": 4711, "warning": "Take care."}
    fault = Fault(
        extra_messages=((50, warning), (100, {"type": "FooBar"})), extra_fields={"new": 1}
    )
    async with (
        AssemblyAIStandIn(faults=[fault], knobs=AT_ONCE) as stand_in,
        client(stand_in) as socket,
    ):
        await send_audio(socket, 0.1)
        await socket.send('{"type": "Terminate"}')
        messages = await rest(socket)
    assert [message["type"] for message in messages] == [
        "Begin",
        "Warning",
        "FooBar",
        "Termination",
    ]
    assert all(message["new"] == 1 for message in messages)


async def test_terminate_can_stay_without_an_answer() -> None:
    stand_in = AssemblyAIStandIn(scripts=[YES], faults=[Fault(never_terminate=True)], knobs=AT_ONCE)
    async with stand_in, client(stand_in) as socket:
        await send_audio(socket, 0.3)
        await socket.send('{"type": "Terminate"}')
        turn = await until_type(socket, "Turn")
        while not turn["end_of_turn"]:
            turn = await until_type(socket, "Turn")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await socket.recv()


async def test_an_empty_final_can_follow_on_terminate() -> None:
    stand_in = AssemblyAIStandIn(scripts=[YES], faults=[Fault(empty_final=True)], knobs=AT_ONCE)
    async with stand_in, client(stand_in) as socket:
        await send_audio(socket, 0.3)
        await socket.send('{"type": "Terminate"}')
        ends = [message for message in await rest(socket) if message.get("end_of_turn")]
    assert [(end["turn_order"], end["transcript"]) for end in ends] == [(0, "yes"), (1, "")]
    assert ends[1]["language_code"] is None


async def test_short_turns_get_their_speaker_at_the_end() -> None:
    script = (ScriptedWord("Sure.", 100, 400, speaker="B"),)
    async with (
        AssemblyAIStandIn(scripts=[script], knobs=AT_ONCE) as stand_in,
        client(stand_in, speaker_labels="True") as socket,
    ):
        await send_audio(socket, 1)
        await socket.send('{"type": "Terminate"}')
        messages = await rest(socket)
    final = next(message for message in messages if message.get("end_of_turn"))
    assert final["speaker_label"] == "PENDING"
    assert [message["type"] for message in messages[-2:]] == ["SpeakerRevision", "Termination"]
    assert messages[-2]["revisions"][0]["speaker_label"] == "B"


async def test_inactivity_ends_the_session_with_its_own_text() -> None:
    knobs = Knobs(inactivity_unit_seconds=0.01)
    async with (
        AssemblyAIStandIn(knobs=knobs) as stand_in,
        client(stand_in, inactivity_timeout=5) as socket,
    ):
        messages, code, _ = await outcome(socket)
    assert code == 3006
    assert messages[-1]["error"] == (
        "Session terminated due to inactivity: No messages received for 5 seconds"
    )


async def test_heartbeats_come_when_asked_for() -> None:
    knobs = Knobs(throttle=None, heartbeat_seconds=0.05)
    async with (
        AssemblyAIStandIn(scripts=[YES], knobs=knobs) as stand_in,
        client(stand_in, session_heartbeat="true") as socket,
    ):
        await send_audio(socket, 0.5)
        beat = await until_type(socket, "Heartbeat")
    assert beat["total_audio_received_ms"] == 500
    assert beat["max_speech_probability"] == 0.98


async def test_an_update_changes_the_running_session() -> None:
    script = (ScriptedWord("five", 100, 400, 0.1),)
    async with (
        AssemblyAIStandIn(scripts=[script], knobs=AT_ONCE) as stand_in,
        client(stand_in) as socket,
    ):
        await socket.send('{"type": "UpdateConfiguration", "max_turn_silence": 500}')
        await send_audio(socket, 0.9)
        turn = await until_type(socket, "Turn")
        while not turn["end_of_turn"]:
            turn = await until_type(socket, "Turn")
        assert stand_in.sessions[0].audio_ms <= 900


async def test_audio_faster_than_real_time_is_held_back() -> None:
    knobs = Knobs(throttle=1.25, throttle_burst_ms=100, begin_delay_ms=0)
    async with AssemblyAIStandIn(knobs=knobs) as stand_in, client(stand_in) as socket:
        await send_audio(socket, 60)
        record = await stand_in.wait_for_session(0)
        await record.until(lambda session: session.audio_bytes == 20 * 60 * len(FRAME))
        assert record.audio_ms < 30_000


async def test_too_much_audio_ahead_ends_the_session() -> None:
    knobs = Knobs(max_backlog_seconds=1)
    async with AssemblyAIStandIn(knobs=knobs) as stand_in, client(stand_in) as socket:
        await send_audio(socket, 4)
        messages, code, _ = await outcome(socket)
    assert code == 3007
    assert "transmission rate exceeded" in messages[-1]["error"]


async def test_stopping_leaves_no_connection_behind() -> None:
    stand_in = AssemblyAIStandIn(faults=[Fault(never_begin=True)])
    async with stand_in, client(stand_in) as socket:
        await stand_in.wait_for_session(0)
        await stand_in.__aexit__(None, None, None)
        assert (await outcome(socket))[1] == 1006
    assert stand_in.sessions[0].is_closed


def test_a_fault_can_change_what_messages_and_words_say() -> None:
    fault = Fault(changed_fields={"Turn": {"utterance": None}}, changed_words={"confidence": None})
    sent = fault.applied_to({"type": "Turn", "utterance": "hi", "words": [{"text": "hi"}]})
    assert sent == {
        "type": "Turn",
        "utterance": None,
        "words": [{"text": "hi", "confidence": None}],
    }
    assert fault.applied_to({"type": "Begin"}) == {"type": "Begin"}
