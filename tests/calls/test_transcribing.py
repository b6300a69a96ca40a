"""A worker that writes rooms down: whose words they are, what they cost, and that it is silent."""

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest_asyncio
from livekit import api, rtc

from agent.caller.access import join_token
from agent.caller.caller import Caller
from agent.caller.conversation import greeting, take_turn
from agent.caller.microphone import Microphone
from agent.caller.transcript import words
from agent.log import pseudonym
from workbench.local.calling.corpus import Utterance, dickens, synthesised
from workbench.local.calling.word_errors import word_error_rate
from workbench.local.processes import Command, Process
from workbench.local.providers import plan, worker_environment
from workbench.local.running import PROJECT

OURS = ("AGENT_", "ASSEMBLYAI_", "LIVEKIT_", "OPENAI_")
NAME = "minutes"
_TRIES = itertools.count(1)
"""A second try must not meet what the first one left: its room, and its lines in the log."""


@asynccontextmanager
async def transcribing_worker(places: Any, name: str, **settings: str) -> AsyncIterator[Process]:
    """A transcribing worker, without a key for OpenAI; none of its log lines may be a traceback."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    told = worker_environment(clean, places.access, plan({}), places.stand_ins)
    told = {name: value for name, value in told.items() if not name.startswith("OPENAI_")}
    told |= {
        "AGENT_TRANSCRIBER_NAME": name,
        "AGENT_LOG_FORMAT": "json",
        # A busy machine blocks event loops, which LiveKit reports with a stack.
        "LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS": "10000",
        "AGENT_RECONNECT_GRACE_SECONDS": "1",
        "AGENT_CALLER_TIMEOUT_SECONDS": "2",
        **settings,
    }
    words = [sys.executable, str(PROJECT / "agent.py"), "transcribe", "--dev"]
    async with Process(
        Command(name, words, places.logs / f"{name}.log", told, cwd=places.logs)
    ) as process:
        await line(process, "registered worker", timeout_seconds=120)
        yield process
        # On a busy machine LiveKit reports, with a stack, that the loop stood still.
        stacks = [each for each in process.lines if '"stack"' in each or "Traceback" in each]
        assert [each for each in stacks if "event loop" not in each] == []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def transcriber(places: Any) -> AsyncIterator[Process]:
    """The worker of most of these tests."""
    async with transcribing_worker(places, NAME, ASSEMBLYAI_IDLE_SECONDS="2") as process:
        yield process


async def line(process: Process, *parts: str, timeout_seconds: float = 20) -> str:
    return await process.wait_for_line(
        lambda line: all(part in line for part in parts), timeout_seconds=timeout_seconds
    )


async def heard(process: Process, room: str, identity: str) -> None:
    """Return once the transcriber hears somebody in a room: what is said before is lost."""
    await line(
        process,
        "a participant is heard",
        f'"{room}"',
        f'"{pseudonym(identity)}"',
        timeout_seconds=40,
    )


async def ending(process: Process, room: str) -> str:
    return str(json.loads(await line(process, "transcription ended", f'"{room}"'))["ending"])


async def sessions(places: Any) -> list[dict[str, Any]]:
    """What the speech service saw, session by session."""
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{places.stand_ins.control_url}/assemblyai/sessions") as response,
    ):
        return list(await response.json())


async def written(caller: Caller, speaker: str, utterance: Utterance) -> str:
    """All that a caller has read of a speaker, once it is final and as long as what was said."""
    length = len(utterance.text.split())

    def final_text() -> str | None:
        mine = [each for each in caller.transcript.segments if each.speaker == speaker]
        text = " ".join(each.text for each in mine if each.final)
        return text if len(text.split()) > 0.7 * length else None

    return await caller.until(final_text, timeout_seconds=40, what=f"the words of {speaker}")


async def test_each_participants_words_stand_under_that_participants_name(
    places: Any, transcriber: Process
) -> None:
    room, before = f"two who speak {next(_TRIES)}", len(await sessions(places))
    sentences = {
        "ann": dickens()[0],
        "bob": synthesised("Please put me through to the harbour office."),
    }
    async with (
        Caller.join(places.access, room, "ann", NAME) as ann,
        Caller.join(places.access, room, "bob") as bob,
    ):
        for speaker in sentences:
            await heard(transcriber, room, speaker)
        await asyncio.gather(ann.say(sentences["ann"].samples), bob.say(sentences["bob"].samples))
        for speaker, utterance in sentences.items():
            for reader in (ann, bob):
                text = await written(reader, speaker, utterance)
                assert word_error_rate([(utterance.text, text)]) < 0.3
        for reader in (ann, bob):
            segments = reader.transcript.segments
            assert {segment.speaker for segment in segments} == {"ann", "bob"}
        access = places.access
        async with api.LiveKitAPI(access.url, access.api_key, access.api_secret) as client:
            present = await client.room.list_participants(api.ListParticipantsRequest(room=room))
        agent = next(one for one in present.participants if one.identity not in sentences)
        assert list(agent.tracks) == []
    assert await ending(transcriber, room) == "nobody is left in the room"
    ours = (await sessions(places))[before:]
    assert len(ours) == 2
    assert all(session["was_terminated"] and session["is_closed"] for session in ours)


@asynccontextmanager
async def speaker(
    places: Any, room_name: str
) -> AsyncIterator[tuple[rtc.LocalAudioTrack, Microphone]]:
    """A participant who can mute."""
    room, source = rtc.Room(), Microphone.new_source()
    microphone = Microphone(source, time.monotonic(), lambda: None)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    await room.connect(places.access.url, join_token(places.access, room_name, "cat"))
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(track, options)
    running = asyncio.create_task(microphone.run())
    try:
        yield track, microphone
    finally:
        running.cancel()
        await room.disconnect()
        await source.aclose()


async def test_a_muted_participant_holds_no_session_and_is_heard_again_afterwards(
    places: Any, transcriber: Process
) -> None:
    room, before = f"one who mutes {next(_TRIES)}", len(await sessions(places))
    first, second = synthesised("I am going to be quiet now."), synthesised("Here I am again.")
    async with (
        Caller.join(places.access, room, "reader", NAME) as reader,
        speaker(places, room) as (track, microphone),
    ):
        await heard(transcriber, room, "cat")
        await microphone.say(first.samples)
        track.mute()
        assert "quiet" in words(await written(reader, "cat", first))
        await line(transcriber, "speech session ended", f'"{room}"')
        track.unmute()
        await microphone.say(second.samples)
        both = Utterance(f"{first.text} {second.text}", first.samples, "")
        assert "again" in words(await written(reader, "cat", both))
    assert await ending(transcriber, room) == "nobody is left in the room"
    ours = (await sessions(places))[before:]
    assert len(ours) == 3  # the reader's, and two of the one who muted
    assert all(session["was_terminated"] for session in ours)


async def test_beside_an_agent_each_word_is_written_once_and_the_caller_is_still_let_go(
    places: Any, worker: Any, dial: Any
) -> None:
    before = len(await sessions(places))
    async with transcribing_worker(places, "", AGENT_NAME="worker") as process:
        caller = await dial(worker)
        await line(process, "received job request", f'"{caller.room_name}"', timeout_seconds=40)
        await greeting(caller, timeout_seconds=40)
        turn = await take_turn(caller, synthesised("What is seven plus five?"), timeout_seconds=40)
        assert turn.reply is not None, turn.fault
        said = [each for each in caller.transcript.segments if each.speaker == caller.identity]
        assert len([each for each in said if each.final]) == 1
        await caller.say(synthesised("Goodbye.").samples)
        await caller.hung_up_on(timeout_seconds=40)
        assert caller.disconnected == "ROOM_DELETED"
        assert await ending(process, caller.room_name) == "the room closed"
    # One of the agent, and one of the transcriber if it came before the agent had.
    assert 1 <= len((await sessions(places))[before:]) <= 2


async def test_a_room_into_which_nobody_comes_is_left(places: Any, transcriber: Process) -> None:
    room, access = f"nobody speaks {next(_TRIES)}", places.access
    async with api.LiveKitAPI(access.url, access.api_key, access.api_secret) as client:
        await client.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(room=room, agent_name=NAME)
        )
    assert await ending(transcriber, room) == "nobody came in time"


async def test_a_speech_service_that_refuses_its_key_ends_the_work_with_its_words(
    places: Any,
) -> None:
    room, name = f"nobody is understood {next(_TRIES)}", "transcriber with a wrong key"
    async with (
        transcribing_worker(places, name, ASSEMBLYAI_API_KEY="mistyped") as worker,
        Caller.join(places.access, room, "dan", name),
    ):
        assert await ending(worker, room) == "the speech recognition failed"
        assert "Invalid API key" in await line(worker, "the speech service failed")
        assert not [each for each in worker.lines if "mistyped" in each]
