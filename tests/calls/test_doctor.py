"""The doctor before a real LiveKit server: sound that passes, and sound that cannot."""

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from agent.caller.access import Access
from agent.doctor.check import Name, State
from agent.doctor.livekit import Joined, NotJoined, accepts_key, judge, media
from agent.doctor.probes import ask_livekit, join
from config.services import LiveKitSettings
from workbench.local.livekit_binary import find_or_build
from workbench.local.livekit_server import config_body, fresh_doors
from workbench.local.processes import Command, Process
from workbench.local.running import CACHE, PROJECT
from workbench.local.workers import Places


def settings(access: Access) -> LiveKitSettings:
    key, secret = SecretStr(access.api_key), SecretStr(access.api_secret)
    return LiveKitSettings(url=access.url, api_key=key, api_secret=secret)


async def test_a_deployment_without_a_fault_is_told_so(worker: Any, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROJECT / "agent.py"), "doctor", "--json"),
        cwd=tmp_path,
        env=dict(worker.process.command.environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    wrong = [check for check in checks.values() if check["state"] in ("fault", "warning")]
    assert [check["name"] for check in wrong] in ([], [Name.AUDIO_DEVICES])
    assert checks[Name.LIVEKIT_MEDIA]["state"] == State.OK
    assert (process.returncode, err) == (0, b"")


async def test_a_real_server_lets_us_in_with_sound(places: Places) -> None:
    joining = await join(settings(places.access))
    assert isinstance(joining, Joined)
    assert media(places.access.url, joining).state is State.OK


async def test_a_real_servers_refusals_are_understood(places: Places) -> None:
    access = places.access
    for wrong, hint in (
        (replace(access, api_secret="another-secret-of-32-characters-or-more"), "copy the secret"),
        (replace(access, api_key="APIother"), "another project's"),
        (replace(access, api_key=access.api_secret, api_secret=access.api_key), "exchange"),
    ):
        checks = judge(settings(wrong), await ask_livekit(settings(wrong)))
        key = next(check for check in checks if check.name is Name.LIVEKIT_KEY)
        assert hint in key.mend


async def test_a_server_whose_media_cannot_be_reached_is_told_from_one_that_is_away(
    tmp_path: Path,
) -> None:
    doors = fresh_doors()
    body = config_body(doors, api_key="local").replace("node_ip: 127.0.0.1", "node_ip: 192.0.2.1")
    body = body.replace("enable_loopback_candidate: true", "enable_loopback_candidate: false")
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LIVEKIT_CONFIG": body}
    program = [str(await find_or_build(CACHE, print))]
    command = Command("LiveKit server", program, tmp_path / "livekit.log", environment)
    access = Access(f"ws://127.0.0.1:{doors.port}", "local", doors.api_secret)
    async with Process(command), asyncio.timeout(20):
        while not accepts_key(await ask_livekit(settings(access))):
            pass  # it is starting
        joining = await join(settings(access))
    assert joining == NotJoined(signalled=True)
