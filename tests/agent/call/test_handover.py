"""Handing a caller over to a person."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web
from livekit import api, rtc

from agent.call.handover import HAND_OVER_SECONDS, hand_over, hook_for, transfer
from workbench.standins.listening import Listener

SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
BROWSER = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
NOBODY: Any = None  # no hook of these looks at the job


async def colleague(_job: Any, caller_identity: str, ending: str) -> bool:
    """What an operator may write."""
    return (caller_identity, ending) == ("caller", "cannot_think")


@pytest.mark.parametrize("to", ["tel:+15550100", "sip:help@example.com"])
def test_an_address_takes_those_who_came_by_telephone(to: str) -> None:
    assert hook_for(to, SIP)
    assert hook_for(to, BROWSER) is None


def test_without_a_setting_nobody_takes_anybody() -> None:
    assert hook_for(None, SIP) is None


@pytest.mark.parametrize("kind", [SIP, BROWSER])
async def test_a_function_of_the_operators_own_is_asked_for_everybody(
    kind: rtc.ParticipantKind.ValueType, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("switchboard")
    module.colleague = colleague
    monkeypatch.setitem(sys.modules, "switchboard", module)
    hook = hook_for("switchboard:colleague", kind)
    assert hook
    assert await hand_over(hook, NOBODY, "caller", "cannot_think")
    assert not await hand_over(hook, NOBODY, "somebody else", "cannot_think")


async def fails(*_: Any) -> bool:
    raise LookupError


async def never_answers(*_: Any) -> bool:
    await asyncio.Event().wait()
    return True


async def loses_its_own_task(*_: Any) -> bool:
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task
    return True


async def goes_on_when_cancelled(*_: Any) -> bool:
    for _attempt in range(2):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
    return True


@pytest.mark.looptime
@pytest.mark.parametrize("hook", [fails, never_answers, loses_its_own_task, goes_on_when_cancelled])
async def test_a_function_that_fails_or_takes_too_long_has_handed_nobody_over(
    hook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    began = asyncio.get_running_loop().time()
    assert not await hand_over(hook, NOBODY, "caller", "cannot_think")
    assert asyncio.get_running_loop().time() - began <= HAND_OVER_SECONDS
    assert "the caller could not be handed over" in caplog.text


@asynccontextmanager
async def livekit(answer: Callable[[web.Request], Awaitable[web.Response]]) -> Any:
    """LiveKit's API, as far as it transfers callers."""
    application = web.Application()
    application.router.add_post("/twirp/livekit.SIP/TransferSIPParticipant", answer)
    async with (
        Listener(application) as listener,
        api.LiveKitAPI(f"http://{listener.address}", "key", "s" * 32) as client,
    ):
        yield client


async def test_livekit_is_asked_to_transfer_the_caller() -> None:
    asked = api.TransferSIPParticipantRequest()

    async def take(request: web.Request) -> web.Response:
        asked.ParseFromString(await request.read())
        return web.Response(content_type="application/protobuf")

    async with livekit(take) as client:
        await transfer(client, "room", "caller", "tel:+15550100")
    assert asked.room_name == "room"
    assert asked.participant_identity == "caller"
    assert asked.transfer_to == "tel:+15550100"


async def test_a_transfer_that_livekit_refuses_fails() -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"code": "not_found", "msg": "no such call"}, status=404)

    async with livekit(refuse) as client:
        with pytest.raises(api.TwirpError):
            await transfer(client, "room", "caller", "tel:+15550100")
