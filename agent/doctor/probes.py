"""Asks servers, each with a deadline: one HTTP request, who is in rooms, one attempt to join."""

import asyncio
import contextlib
import secrets
import time
import warnings
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from livekit import api, rtc

from agent.doctor.answers import Answer, Result, failure
from agent.doctor.livekit import AgentSeen, Joined, NotJoined
from agent.worker.livekit_api import access_token
from config.services import Account, LiveKitSettings

ASK_SECONDS = 3.0
JOIN_SECONDS = 4.0
LARGEST_ANSWER_BYTES = 4_000_000
MOST_ROOMS = 20
"""Rooms whose participants are listed; a server may have thousands."""
AGENT_NAME = "lk.agent.name"


async def ask(
    url: str, headers: Mapping[str, str], *, body: Mapping[str, Any] | None = None
) -> Result:
    """The answer to a GET, or with `body` to a POST of JSON. Follows no redirect; never raises."""
    timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
    method = "GET" if body is None else "POST"
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.request(method, url, headers=headers, json=body, allow_redirects=False) as got,
        ):
            received = await got.content.read(LARGEST_ANSWER_BYTES)
            while not got.content.at_eof() and len(received) < LARGEST_ANSWER_BYTES:
                received += await got.content.read(LARGEST_ANSWER_BYTES)
            return Answer(got.status, received.decode(errors="replace"), _ahead(got.headers))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return failure(error)


def _ahead(headers: Mapping[str, str]) -> float | None:
    try:
        return time.time() - parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return None


async def ask_livekit(
    livekit: LiveKitSettings, method: str = "ListRooms", **fields: object
) -> Result:
    """The answer of LiveKit's room service to one method, with a token that we sign."""
    grants = api.VideoGrants(
        room_list=True, room_create=True, room_admin=True, room=str(fields.get("room", ""))
    )
    url = f"{_http(livekit.url)}/twirp/livekit.RoomService/{method}"
    bearer = {"Authorization": f"Bearer {_signed(access_token(livekit).with_grants(grants))}"}
    return await ask(url, bearer, body=fields)


async def agents_in(livekit: LiveKitSettings, listed: Result) -> list[AgentSeen] | None:
    """The agents in the rooms of an answer to ListRooms; None if a room could not be read."""
    document = listed.json if isinstance(listed, Answer) else None
    rooms = document.get("rooms", []) if isinstance(document, dict) else []
    names = [str(room.get("name")) for room in rooms if isinstance(room, dict)][:MOST_ROOMS]
    answers = await asyncio.gather(
        *(ask_livekit(livekit, "ListParticipants", room=name) for name in names)
    )
    found: list[AgentSeen] = []
    for name, answer in zip(names, answers, strict=True):
        if not isinstance(answer, Answer) or not isinstance(answer.json, dict):
            return None
        found += [
            AgentSeen(name, str(each.get("attributes", {}).get(AGENT_NAME, "")))
            for each in answer.json.get("participants", [])
            if each.get("kind") == "AGENT"
        ]
    return found


async def join(livekit: LiveKitSettings) -> Joined | NotJoined:
    """Join a room of our own, without a microphone, and remove it again."""
    name = f"doctor-{secrets.token_hex(4)}"
    grants = api.VideoGrants(room_join=True, room=name, can_publish=False)
    token = _signed(access_token(livekit).with_identity("doctor").with_grants(grants))
    room, began = rtc.Room(), time.monotonic()
    try:
        async with asyncio.timeout(JOIN_SECONDS):
            await room.connect(livekit.url, token)
        seconds = time.monotonic() - began
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await room.disconnect()
    except TimeoutError:
        return NotJoined(signalled=True)
    except rtc.ConnectError as error:
        return NotJoined(signalled="signal failure" not in str(error))
    finally:
        await ask_livekit(livekit, "DeleteRoom", room=name)
    return Joined(seconds)


async def ask_assemblyai(base_url: str, key: str) -> Result:
    """The answer to a request for a temporary token, which costs nothing and opens no session."""
    url = f"{_http(base_url)}/v3/token?expires_in_seconds=60"
    return await ask(url, {"Authorization": key})


async def ask_openai(account: Account) -> Result:
    """The answer to a request for the list of models, which costs nothing."""
    key = account.api_key.get_secret_value()
    return await ask(f"{account.base_url}/models", {"Authorization": f"Bearer {key}"})


def _signed(token: api.AccessToken) -> str:
    with warnings.catch_warnings(action="ignore"):  # of a short secret: LiveKit decides about it
        return token.to_jwt()


def _http(url: str) -> str:
    return url.replace("ws", "http", 1) if url.startswith("ws") else url
