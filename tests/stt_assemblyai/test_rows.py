"""Where LiveKit's own plugin falls short, row by row of the protocol notes' section 19.

What is not shown in this module is shown by the tests that `PROOFS` names; that they exist is
tested, too. Row 30 lists what the plugin does well.
"""

import ast
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from livekit import rtc
from livekit.agents import LanguageCode, stt

from stt_assemblyai.messages import Warned
from stt_assemblyai.stt import STT, SpeechStream
from workbench.standins.assemblyai_v3.knobs import Fault, Knobs
from workbench.standins.assemblyai_v3.scripted import ScriptedWord
from workbench.standins.assemblyai_v3.server import LOCAL_KEY, AssemblyAIStandIn

PROOFS: dict[int, tuple[str, ...]] = {
    1: (
        "test_stt.test_a_wrong_key_costs_one_connection_and_says_so",
        "test_session.test_a_wrong_key_costs_one_connection_until_the_session_gives_up",
        "test_errors.test_each_error_says_whether_trying_again_can_help",
    ),
    2: (
        "test_transcriber.test_a_rate_limit_is_waited_out",
        "test_transcriber.test_an_outage_of_half_an_hour_is_survived_in_bounded_memory",
        "test_retries.test_pauses_are_spread_over_their_upper_half",
    ),
    3: ("test_protocol.test_the_servers_own_words_say_why_it_failed",),
    4: (
        "test_stt.test_a_session_that_fails_is_mended_inside_the_stream",
        "test_client.test_a_handshake_that_hangs_ends_at_its_deadline",
        "test_client.test_faults_of_the_network_are_told_apart",
    ),
    5: (
        "test_client.test_a_connection_gone_silent_is_noticed",
        "test_stt.test_a_session_that_fails_is_mended_inside_the_stream",
        "test_transcriber.test_a_service_that_falls_silent_in_mid_turn_is_left",
    ),
    6: ("test_transcriber.test_a_drop_at_any_instant_loses_no_word_and_doubles_none",),
    7: (
        "test_transcriber.test_a_replay_is_not_sent_faster_than_the_service_follows",
        "test_transcriber.test_an_outage_of_half_an_hour_is_survived_in_bounded_memory",
    ),
    8: ("test_transcriber.test_a_drop_at_any_instant_loses_no_word_and_doubles_none",),
    10: ("test_audio.test_a_chunk_is_never_shorter_than_asked_nor_a_sample_longer",),
    12: (
        "test_stt.test_word_times_lie_on_the_streams_audio_clock",
        "test_transcriber.test_a_drop_at_any_instant_loses_no_word_and_doubles_none",
    ),
    13: (
        "test_stt.test_closing_in_mid_turn_gives_the_final_and_says_goodbye",
        "test_transcriber.test_every_session_is_billed_once_and_what_was_sent_twice_is_said",
    ),
    14: (
        "test_turns.test_the_final_does_not_wait_longer_for_its_formatted_text_than_told",
        "test_stt.test_a_late_formatted_text_is_no_final_but_an_event_of_its_own",
    ),
    15: ("test_transcriber.test_interims_never_go_backwards_over_a_drop",),
    17: ("test_turns.test_empty_finals_are_dropped",),
    18: ("test_turns.test_an_unknown_language_stays_unknown_and_pending_is_no_speaker",),
    19: (
        "test_options.test_the_u3_family_keeps_the_services_own_thresholds",
        "test_drop_in.test_the_differences_are_real",
    ),
    20: ("test_stt.test_a_turn_comes_in_the_order_a_session_works_with",),
    21: (
        "test_turns.test_an_unknown_language_stays_unknown_and_pending_is_no_speaker",
        "test_turns.test_revised_speakers_are_passed_on",
    ),
    22: (
        "test_stt.test_usage_is_the_time_that_is_billed",
        "test_usage.test_open_sessions_count_as_they_go_and_nothing_counts_twice",
    ),
    23: ("test_transcriber.test_sessions_roll_over_before_they_expire_and_no_word_is_lost",),
    25: (
        "test_stt.test_key_terms_of_the_session_join_the_users_within_the_services_limits",
        "test_options.test_what_the_service_would_refuse_is_refused_before_connecting",
    ),
    26: (
        "test_stt.test_the_agents_words_are_passed_on_where_the_model_takes_them_unless_switched_off",
    ),
    27: ("test_drop_in.test_the_differences_are_real",),
    28: (
        "test_drop_in.test_what_the_plugin_does_not_have_is_there_too",
        "test_connector.test_a_token_is_fetched_anew_for_every_session",
    ),
    29: (
        "test_drop_in.test_streams_offer_what_the_plugins_do",
        "test_stt.test_a_manual_flush_forces_the_endpoint",
        "test_stt.test_the_session_is_terminated_and_closed",
    ),
    30: (
        "test_options.test_lists_travel_as_one_json_text_and_booleans_in_lower_case",
        "test_stt.test_a_change_that_needs_a_new_session_changes_nothing",
        "test_messages.test_a_message_of_tomorrow_is_unknown_without_a_fault",
    ),
}

Type = stt.SpeechEventType
FAST = Knobs(begin_delay_ms=0, throttle=None, format_twin_delay_ms=10, termination_delay_ms=5)
U3_MODEL = "universal-3-6-pro"
TEA = [
    ScriptedWord(word, 200 + 300 * i, 450 + 300 * i, 0.9 if i == 3 else 0.1)
    for i, word in enumerate(["I", "would", "like", "tea"])
]


def make(stand_in: AssemblyAIStandIn, **parameters: Any) -> STT:
    return STT(api_key=LOCAL_KEY, base_url=stand_in.url, replay_speed=1000, **parameters)


def push(stream: SpeechStream, milliseconds: int, *, each_ms: int = 100, rate: int = 16000) -> None:
    samples = rate * each_ms // 1000
    for _ in range(milliseconds // each_ms):
        stream.push_frame(rtc.AudioFrame(bytes(2 * samples), rate, 1, samples))


async def hear(speech: STT, milliseconds: int = 6000) -> list[stt.SpeechEvent]:
    """Everything that is said about a talk, to its end."""
    async with speech.stream() as stream:
        push(stream, milliseconds)
        events = []
        async for event in stream:
            events.append(event)
            if event.type is Type.END_OF_SPEECH:
                break
        stream.end_input()
        return [*events, *[event async for event in stream]]


def of(events: list[stt.SpeechEvent], kind: stt.SpeechEventType) -> list[stt.SpeechData]:
    return [event.alternatives[0] for event in events if event.type is kind]


def test_every_row_has_its_proof() -> None:
    here = Path(__file__)
    found = {
        f"{module.stem}.{node.name}": ast.get_docstring(node) or ""
        for module in here.parent.rglob("test_*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name for names in PROOFS.values() for name in names} <= found.keys()
    shown_here = {
        int(number)
        for name, words in found.items()
        if name.startswith(f"{here.stem}.test_") and words.startswith("Row")
        for number in re.findall(r"\d+", words.partition(":")[0])
    }
    assert shown_here | PROOFS.keys() == set(range(1, 31))


async def test_the_services_own_words_reach_whoever_listens() -> None:
    """Row 3: errors in what is told of an interruption, warnings as events of their own."""
    warning = {"type": "Warning", "warning_code": 1, "warning": "Slow down."}
    faults = [
        Fault(error_at_ms=400, error=(3005, "Session Cancelled: out of coffee")),
        Fault(extra_messages=((100, warning),)),
    ]
    async with AssemblyAIStandIn(scripts=[TEA] * 2, faults=faults, knobs=FAST) as stand_in:
        speech = make(stand_in)
        told: list[Any] = []
        speech.on("interrupted", lambda event: told.append(event.error.server_text))
        speech.on("noticed", lambda event: told.append(event.message))
        await hear(speech)
    assert told[0] == "Session Cancelled: out of coffee"
    assert [m.warning for m in told if isinstance(m, Warned)] == ["Slow down."]


async def test_many_flushes_send_no_short_frame() -> None:
    """Row 9."""
    async with AssemblyAIStandIn(knobs=FAST) as stand_in:
        async with make(stand_in).stream() as stream:
            for _ in range(30):
                push(stream, 10, each_ms=10)
                stream.flush()
            stream.end_input()
            said = [best.text async for event in stream for best in event.alternatives]
            assert not any(said)
        assert stand_in.sessions[0].frame_durations_ms == {50.0: 6}


@pytest.mark.parametrize("seconds", [0.01, 2.0])
def test_a_length_of_messages_that_would_be_refused_is_refused_first(seconds: float) -> None:
    """Row 10."""
    with pytest.raises(ValueError, match="50 to 1000 ms"):
        STT(api_key="k", buffer_size_seconds=seconds)


async def test_mu_law_is_sent_as_one_byte_for_each_sample() -> None:
    """Row 11."""
    async with AssemblyAIStandIn(knobs=FAST) as stand_in:
        speech = make(stand_in, encoding="pcm_mulaw", sample_rate=8000)
        async with speech.stream() as stream:
            push(stream, 1000, rate=8000)
            stream.end_input()
            assert not [event.alternatives async for event in stream if event.alternatives]
        session = stand_in.sessions[0]
        assert (session.audio_bytes, session.audio_ms) == (8000, 1000)


async def test_a_slow_handshake_moves_no_time() -> None:
    """Row 12."""
    async with AssemblyAIStandIn(
        scripts=[TEA], faults=[Fault(upgrade_delay_ms=300)], knobs=FAST
    ) as stand_in:
        (final,) = of(await hear(make(stand_in)), Type.FINAL_TRANSCRIPT)
    assert (final.start_time, final.end_time) == pytest.approx((0.2, 1.35), abs=0.01)


async def test_a_final_comes_though_its_formatted_text_never_does() -> None:
    """Row 14."""
    async with AssemblyAIStandIn(
        scripts=[TEA], faults=[Fault(never_twin=True)], knobs=FAST
    ) as stand_in:
        events = await hear(make(stand_in, wait_for_formatted_ms=50))
    assert [final.text for final in of(events, Type.FINAL_TRANSCRIPT)] == ["i would like tea"]


@pytest.mark.parametrize("model", ["universal-streaming-english", U3_MODEL])
@pytest.mark.parametrize("fault", [Fault(), Fault(drop_at_ms=900)], ids=["whole", "dropped"])
async def test_a_preflight_holds_the_whole_turn_so_far(model: str, fault: Fault) -> None:
    """Rows 15 and 16: also when the turn goes on in another session."""
    async with AssemblyAIStandIn(scripts=[TEA] * 2, faults=[fault], knobs=FAST) as stand_in:
        events = await hear(make(stand_in, model=model))
    preflights = of(events, Type.PREFLIGHT_TRANSCRIPT)
    assert preflights
    for preflight in preflights:
        assert preflight.text.lower().startswith("i would")
        assert preflight.start_time == pytest.approx(0.2, abs=0.01)
        assert preflight.words
        assert preflight.words[0].lower() == "i"


@pytest.mark.parametrize("model", ["universal-streaming-english", U3_MODEL])
async def test_an_empty_final_of_no_language_is_not_heard_of(model: str) -> None:
    """Rows 17 and 18."""
    async with AssemblyAIStandIn(
        scripts=[TEA], faults=[Fault(empty_final=True)], knobs=FAST
    ) as stand_in:
        events = await hear(make(stand_in, model=model))
        assert any(turn["transcript"] == "" for turn in stand_in.sessions[0].turns(ended_only=True))
    assert len(of(events, Type.FINAL_TRANSCRIPT)) == 1
    assert [event.type for event in events].count(Type.END_OF_SPEECH) == 1


async def test_a_final_of_no_language_is_heard_and_not_called_english() -> None:
    """Row 18."""
    nothing = {"language_code": None, "language_confidence": None}
    async with AssemblyAIStandIn(
        scripts=[TEA], faults=[Fault(extra_fields=nothing)], knobs=FAST
    ) as stand_in:
        events = await hear(make(stand_in, model=U3_MODEL))
    (final,) = of(events, Type.FINAL_TRANSCRIPT)
    assert final.language == LanguageCode("")


async def test_a_session_without_a_word_is_billed() -> None:
    """Row 22."""
    async with AssemblyAIStandIn(knobs=FAST, faults=[Fault(never_terminate=True)]) as stand_in:
        bills: list[Any] = []
        speech = make(stand_in, termination_timeout_seconds=0.2)
        speech.on("billed", bills.append)
        async with speech.stream() as stream:
            push(stream, 2000)
            stream.end_input()
            events = [event async for event in stream]
    assert [bill.audio_sent_seconds for bill in bills] == [2.0]
    usage = [e.recognition_usage.audio_duration for e in events if e.recognition_usage]
    assert sum(usage) == pytest.approx(bills[0].billed_seconds)
    assert sum(usage) >= 0.2


async def test_what_is_said_to_a_session_waits_for_its_begin() -> None:
    """Row 24: the service would refuse it before."""
    async with AssemblyAIStandIn(
        scripts=[TEA], faults=[Fault(begin_delay_ms=200)], knobs=FAST
    ) as stand_in:
        speech = make(stand_in)
        opened: list[list[dict[str, Any]]] = []
        speech.on("session_opened", lambda _: opened.append([*stand_in.sessions[0].received]))
        async with speech.stream() as stream:
            push(stream, 900)
            await stand_in.wait_for_session(0)
            speech.update_options(min_turn_silence=1000)
            stream.force_endpoint()
            async for event in stream:
                if event.type is Type.FINAL_TRANSCRIPT:
                    break
        assert opened == [[]]
        assert [message["type"] for message in stand_in.sessions[0].received] == [
            "UpdateConfiguration",
            "ForceEndpoint",
            "Terminate",
        ]


async def test_an_endpoint_forced_in_one_session_does_not_hit_the_next() -> None:
    """Row 24."""
    async with AssemblyAIStandIn(
        scripts=[TEA] * 2, faults=[Fault(drop_at_ms=1200)], knobs=FAST
    ) as stand_in:
        async with make(stand_in).stream() as stream:
            push(stream, 700)
            stream.force_endpoint()
            async for event in stream:
                if event.type is Type.END_OF_SPEECH:
                    break
            push(stream, 1000)
            second = await stand_in.wait_for_session(1)
            stream.end_input()
            assert [event async for event in stream]
        first = stand_in.sessions[0]
        assert [message["type"] for message in first.received] == ["ForceEndpoint"]
        assert [message["type"] for message in second.received] == ["Terminate"]


async def test_a_temporary_token_opens_a_session() -> None:
    """Row 28."""
    async with AssemblyAIStandIn(scripts=[TEA], knobs=FAST) as stand_in:
        url = stand_in.url.replace("ws:", "http:") + "/v3/token?expires_in_seconds=60"

        async def fetch() -> str:
            headers = {"Authorization": LOCAL_KEY}
            async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
                return str((await answer.json())["token"])

        events = await hear(STT(token=fetch, base_url=stand_in.url, replay_speed=1000))
    assert len(of(events, Type.FINAL_TRANSCRIPT)) == 1
