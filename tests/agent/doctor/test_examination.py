"""Misconfigurations are planted one by one, and each gets its own hint, before small servers."""

import asyncio
import io
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from aiohttp import web

from agent.doctor.check import Check, Name, State
from agent.doctor.examination import LONGEST_SECONDS, examine, examine_manifests
from workbench.standins.assemblyai_v3.server import AssemblyAIStandIn
from workbench.standins.openai_v1.server import OpenAIStandIn

KEY, SECRET = "APIdoctor", "a-livekit-secret-of-32-characters-or-more"
ASSEMBLYAI_KEY, OPENAI_KEY = "0123456789abcdef0123456789abcde0", "sk-proj-an-openai-key-of-the-test"
PREFIXES = ("LIVEKIT_", "ASSEMBLYAI_", "OPENAI_", "AGENT_", "ASSEMBLY_")


@dataclass
class House:
    """Everything that is looked at, and right until a test changes it."""

    environment: dict[str, str]
    livekit: object
    serve: Callable[..., object]
    stack: AsyncExitStack
    tls: ssl.SSLContext

    async def serves(
        self, handle: Callable[[web.Request], Awaitable[object]], **how: object
    ) -> str:
        """The place of one more server."""
        return await self.stack.enter_async_context(self.serve(handle, **how))  # type: ignore[arg-type]


@pytest.fixture
async def house(
    livekit: object,
    serve: Callable[..., object],
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[House]:
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        monkeypatch.delenv(name)
    async with (
        AsyncExitStack() as stack,
        AssemblyAIStandIn(api_key=ASSEMBLYAI_KEY) as hearing,
        OpenAIStandIn(api_key=OPENAI_KEY) as answering,
    ):
        environment = {
            "LIVEKIT_URL": livekit.url,  # type: ignore[attr-defined]  # the fixture's
            "LIVEKIT_API_KEY": KEY,
            "LIVEKIT_API_SECRET": SECRET,
            "ASSEMBLYAI_API_KEY": ASSEMBLYAI_KEY,
            "ASSEMBLYAI_BASE_URL": hearing.url,
            "OPENAI_API_KEY": OPENAI_KEY,
            "OPENAI_BASE_URL": answering.url,
        }
        yield House(environment, livekit, serve, stack, tls)


async def looked_at(
    house: House, monkeypatch: pytest.MonkeyPatch, longest_seconds: float = LONGEST_SECONDS
) -> list[Check]:
    for name, text in house.environment.items():
        monkeypatch.setenv(name, text)
    return await examine(None, joins=False, longest_seconds=longest_seconds)


def wrong(checks: list[Check]) -> list[Check]:
    """Without the check of sound devices: this machine may have none."""
    bad = (State.FAULT, State.WARNING)
    return [each for each in checks if each.state in bad and each.name is not Name.AUDIO_DEVICES]


async def test_where_nothing_is_wrong_every_check_is_there_and_well(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = await looked_at(house, monkeypatch)
    of_manifests = {name for name in Name if name.startswith("kubernetes.")}
    assert {check.name for check in checks} == set(Name) - {Name.LIVEKIT_MEDIA} - of_manifests
    assert wrong(checks) == []


Plant = Callable[[House], Awaitable[None]]


def sets(**settings: str) -> Plant:
    """Set these; an empty text unsets."""

    async def plant(house: House) -> None:
        house.environment |= settings

    return plant


def renames(right: str, mistaken: str) -> Plant:
    async def plant(house: House) -> None:
        house.environment[mistaken] = house.environment.pop(right)

    return plant


def exchanges(one: str, other: str) -> Plant:
    async def plant(house: House) -> None:
        here = house.environment
        here[one], here[other] = here[other], here[one]

    return plant


def answers(setting: str, address: str, status: int = 200, text: str = "") -> Plant:
    """Put another server in place of one; `address` has {place} for its host and port."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    async def plant(house: House) -> None:
        house.environment[setting] = address.format(place=await house.serves(handle))

    return plant


async def says_nothing(house: House) -> None:
    async def handle(_: web.Request) -> None:
        await asyncio.Event().wait()

    house.environment["LIVEKIT_URL"] = f"ws://{await house.serves(handle)}"


async def asks_for_tls_in_vain(house: House) -> None:
    house.environment["LIVEKIT_URL"] = house.environment["LIVEKIT_URL"].replace("ws:", "wss:")


async def asks_a_server_with_tls_without(house: House) -> None:
    place = await house.serves(house.livekit.handle, tls=house.tls)  # type: ignore[attr-defined]
    house.environment["LIVEKIT_URL"] = f"ws://{place}"


async def has_a_certificate_of_its_own(house: House) -> None:
    place = await house.serves(house.livekit.handle, tls=house.tls)  # type: ignore[attr-defined]
    house.environment["LIVEKIT_URL"] = f"wss://{place}"


async def has_a_wrong_clock(house: House) -> None:
    house.livekit.ahead_seconds = 3600  # type: ignore[attr-defined]  # the fixture's


async def has_a_worker_already(house: House) -> None:
    house.livekit.agents = {"lobby": "clerk"}  # type: ignore[attr-defined]  # the fixture's
    house.environment["AGENT_NAME"] = "clerk"


async def uses_a_port_twice(house: House) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    house.stack.callback(taken.close)
    house.environment["AGENT_HTTP_PORT"] = str(taken.getsockname()[1])


async def runs_a_worker_already(house: House) -> None:
    async def handle(_: web.Request) -> web.Response:
        return web.json_response({"sdk_version": "1", "active_jobs": 2})

    house.environment["AGENT_METRICS_PORT"] = (await house.serves(handle)).partition(":")[2]


NOBODY = "127.0.0.1:9"
BOTH = (Name.OPENAI_LLM, Name.OPENAI_TTS)
OTHER_KEY = "0123456789abcdef0123456789abcdef"[::-1]
QUOTA = '{"error": {"code": "insufficient_quota"}}'
MISTAKES: dict[str, tuple[Plant, tuple[Name, ...], str]] = {
    "LIVEKIT_SECRET for LIVEKIT_API_SECRET": (
        renames("LIVEKIT_API_SECRET", "LIVEKIT_SECRET"),
        (Name.SETTINGS,),
        "rename LIVEKIT_SECRET to LIVEKIT_API_SECRET",
    ),
    "ASSEMBLY_AI_KEY for ASSEMBLYAI_API_KEY": (
        renames("ASSEMBLYAI_API_KEY", "ASSEMBLY_AI_KEY"),
        (Name.SETTINGS,),
        "rename ASSEMBLY_AI_KEY to ASSEMBLYAI_API_KEY",
    ),
    "no key for OpenAI": (sets(OPENAI_API_KEY=""), (Name.SETTINGS,), "set OPENAI_API_KEY"),
    "a port that is no number": (
        sets(AGENT_HTTP_PORT="eighty"),
        (Name.SETTINGS,),
        "for example AGENT_HTTP_PORT=8081",
    ),
    "a misspelt setting": (
        sets(AGENT_GREETNG="Hi"),
        (Name.SETTINGS,),
        "did you mean AGENT_GREETING?",
    ),
    "no server at LiveKit's address": (
        sets(LIVEKIT_URL=f"ws://{NOBODY}"),
        (Name.LIVEKIT_ADDRESS,),
        "start the server, or correct the port in LIVEKIT_URL",
    ),
    "a host that does not exist": (
        sets(LIVEKIT_URL="ws://livekit.invalid"),
        (Name.LIVEKIT_ADDRESS,),
        "correct the host in LIVEKIT_URL",
    ),
    "a web page at LiveKit's address": (
        answers("LIVEKIT_URL", "ws://{place}", text="<html>"),
        (Name.LIVEKIT_ADDRESS,),
        "not the page of the project",
    ),
    "a LiveKit server that says nothing": (
        says_nothing,
        (Name.LIVEKIT_ADDRESS,),
        "firewall?",
    ),
    "wss for a server without TLS": (
        asks_for_tls_in_vain,
        (Name.LIVEKIT_ADDRESS,),
        "write ws:// instead of wss://",
    ),
    "ws for a server with TLS": (
        asks_a_server_with_tls_without,
        (Name.LIVEKIT_ADDRESS,),
        "write wss:// instead of ws://",
    ),
    "a certificate that nobody signed": (
        has_a_certificate_of_its_own,
        (Name.LIVEKIT_ADDRESS,),
        "SSL_CERT_FILE",
    ),
    "key and secret exchanged": (
        exchanges("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"),
        (Name.LIVEKIT_KEY,),
        "exchange the values of LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
    ),
    "another key's secret": (
        sets(LIVEKIT_API_SECRET="another-secret-of-32-characters-or-more"),
        (Name.LIVEKIT_KEY,),
        "copy the secret that belongs to this key",
    ),
    "another project's key": (
        sets(LIVEKIT_API_KEY="APIother"),
        (Name.LIVEKIT_KEY,),
        "another project's",
    ),
    "a clock that is an hour ahead": (
        has_a_wrong_clock,
        (Name.LIVEKIT_CLOCK,),
        "set this machine's clock",
    ),
    "a worker of this name elsewhere": (
        has_a_worker_already,
        (Name.LIVEKIT_WORKER,),
        "set another AGENT_NAME",
    ),
    "a wrong key for AssemblyAI": (
        sets(ASSEMBLYAI_API_KEY=OTHER_KEY),
        (Name.ASSEMBLYAI_KEY,),
        "copy ASSEMBLYAI_API_KEY again",
    ),
    "another service of AssemblyAI's": (
        answers("ASSEMBLYAI_BASE_URL", "ws://{place}", status=404),
        (Name.ASSEMBLYAI_ADDRESS,),
        "wss://streaming.assemblyai.com",
    ),
    "a fallback region that is away": (
        sets(ASSEMBLYAI_FALLBACK_BASE_URL=f"ws://{NOBODY}"),
        (Name.ASSEMBLYAI_FALLBACK,),
        "correct the port in ASSEMBLYAI_FALLBACK_BASE_URL",
    ),
    "the providers' keys exchanged": (
        exchanges("ASSEMBLYAI_API_KEY", "OPENAI_API_KEY"),
        (Name.ASSEMBLYAI_KEY, *BOTH),
        "this is a key of OpenAI",
    ),
    "a wrong key for OpenAI": (
        sets(OPENAI_API_KEY="sk-wrong-key"),
        BOTH,
        "copy OPENAI_API_KEY again",
    ),
    "an account without quota": (
        answers("OPENAI_BASE_URL", "http://{place}/v1", status=429, text=QUOTA),
        BOTH,
        "add credit",
    ),
    "a model that does not exist": (
        sets(OPENAI_LLM_MODEL="gpt4.1-mini"),
        (Name.OPENAI_LLM,),
        "correct OPENAI_LLM_MODEL: did you mean gpt-4.1-mini?",
    ),
    "a voice that does not exist": (
        sets(OPENAI_TTS_MODEL="tts-7"),
        (Name.OPENAI_TTS,),
        "correct OPENAI_TTS_MODEL",
    ),
    "a fallback model that does not exist": (
        sets(OPENAI_FALLBACK_LLM_MODEL="gpt-4o-mimi"),
        (Name.OPENAI_FALLBACK,),
        "did you mean gpt-4o-mini?",
    ),
    "no Redis at its address": (
        sets(AGENT_REDIS_URL=f"redis://:a-password@{NOBODY}"),
        (Name.REDIS_ADDRESS,),
        "start the server, or correct the port in AGENT_REDIS_URL",
    ),
    "a port that another program has": (
        uses_a_port_twice,
        (Name.HEALTH_PORT,),
        "choose another port with AGENT_HTTP_PORT",
    ),
    "a port that another worker has": (
        runs_a_worker_already,
        (Name.METRICS_PORT,),
        "a second worker on this machine needs another AGENT_METRICS_PORT",
    ),
    "certificates that are not there": (
        sets(SSL_CERT_FILE="/nowhere/certificates.pem"),
        (Name.CERTIFICATES,),
        "correct the variable, or unset it",
    ),
    "an address of another machine": (
        sets(AGENT_HTTP_HOST="192.0.2.1", AGENT_HTTP_PORT="8081"),
        (Name.HEALTH_PORT,),
        "set AGENT_HTTP_HOST to 127.0.0.1",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_each_mistake_gets_its_own_hint_and_no_other(
    mistake: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, names, hint = MISTAKES[mistake]
    await plant(house)
    began = time.monotonic()
    checks = await looked_at(house, monkeypatch)
    assert time.monotonic() - began < 10
    found = wrong(checks)
    assert tuple(check.name for check in found) == names
    assert hint in found[0].mend
    shown = str(checks)
    for secret in (SECRET, ASSEMBLYAI_KEY, OPENAI_KEY, OTHER_KEY):
        assert secret not in shown


async def test_a_wrong_key_on_a_wrong_clock_is_not_blamed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await has_a_wrong_clock(house)
    checks = await looked_at(house, monkeypatch)
    key = next(check for check in checks if check.name is Name.LIVEKIT_KEY)
    assert key.state is State.SKIPPED


async def test_what_takes_too_long_is_given_up_and_named(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await says_nothing(house)
    checks = await looked_at(house, monkeypatch, longest_seconds=1.0)
    slow = [check for check in checks if "no result within" in check.seen]
    assert {Name.LIVEKIT_ADDRESS, Name.LIVEKIT_WORKER} <= {check.name for check in slow}
    assert {check.state for check in slow} == {State.WARNING}


async def test_a_check_that_fails_itself_costs_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await has_a_worker_already(house)
    house.livekit.is_broken = True  # type: ignore[attr-defined]  # the fixture's
    found = wrong(await looked_at(house, monkeypatch))
    assert {"the check itself failed" in check.seen for check in found} == {True}
    assert Name.LIVEKIT_ADDRESS in {check.name for check in found}
    assert not {check.name for check in found} & {Name.SETTINGS, *BOTH}


def test_manifests_are_read_as_documents_one_after_the_other() -> None:
    [first, *_] = examine_manifests(
        io.StringIO(
            "---\n{kind: Deployment, metadata: {name: a}, spec: {template: {spec: "
            "{containers: [{image: livekit-assemblyai-agent}]}}}}\n---\n"
        )
    )
    assert (first.state, first.seen) == (State.OK, "Deployment a")


def test_what_is_no_yaml_is_said_to_be_none() -> None:
    [check] = examine_manifests(io.StringIO("a: ["))
    assert check.state is State.FAULT
    assert "no YAML" in check.seen
