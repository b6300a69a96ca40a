"""What is looked at on this machine, with the fault planted that each is for."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from livekit.plugins import silero

from agent.doctor.machine import Devices, Taken, Unusable
from agent.doctor.machine_probes import (
    LOCK,
    certificates_problem,
    devices,
    installed_packages,
    look_at_port,
    packages_in,
    vad_problem,
)

HERE = "127.0.0.1"


@pytest.fixture
def taken() -> Any:
    with socket.create_server((HERE, 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("number", [None, 0])
async def test_a_port_that_is_not_wanted_is_not_looked_at(number: int | None) -> None:
    assert await look_at_port("192.0.2.1", number) is None


async def test_a_free_port_is_free_and_stays_so() -> None:
    with socket.create_server((HERE, 0)) as listener:
        number = listener.getsockname()[1]
    assert await look_at_port(HERE, number) is None
    assert await look_at_port(HERE, number) is None


@pytest.mark.parametrize("host", [HERE, "0.0.0.0"])
async def test_a_port_in_use_is_told_from_a_workers(serve: Callable[..., Any], host: str) -> None:
    pages: list[dict[str, object]] = [{"sdk_version": "1", "active_jobs": 2}, {}]

    async def handle(_: web.Request) -> web.Response:
        return web.json_response(pages.pop(0))

    async with serve(handle) as place:
        number = int(place.partition(":")[2])
        assert await look_at_port(host, number) == Taken(2)
        assert await look_at_port(host, number) == Taken(None)


async def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    assert await look_at_port("192.0.2.1", 8081) is Unusable.NO_SUCH_ADDRESS


async def test_a_port_that_this_user_may_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)  # root may have them all
    assert await look_at_port(HERE, 81) is Unusable.NOT_ALLOWED


def test_certificates_that_are_not_there_are_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert certificates_problem() is None
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    assert certificates_problem() == os.strerror(2)


def test_the_detector_loads_and_a_broken_model_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vad_problem() is None
    broken = tmp_path / "silero_vad.onnx"
    broken.write_bytes(b"no model")
    load = silero.VAD.load
    monkeypatch.setattr(silero.VAD, "load", lambda: load(onnx_file_path=broken))
    problem = vad_problem()
    assert problem is not None
    assert len(problem) <= 120


def test_devices_are_named_and_a_machine_without_them_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class PortAudioError(Exception):
        pass

    def query(*, kind: str) -> dict[str, str]:
        if kind == "output":
            raise PortAudioError
        return {"name": "a microphone"}

    library = SimpleNamespace(query_devices=query, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    assert devices() == Devices("a microphone", None)
    monkeypatch.setitem(sys.modules, "sounddevice", None)  # what an import without PortAudio does
    assert devices() is None


def test_the_lock_names_livekits_packages_and_they_are_installed() -> None:
    tested = packages_in(LOCK)
    assert {"livekit", "livekit-agents", "livekit-plugins-silero"} <= tested.keys()
    assert installed_packages(list(tested)) == tested
    assert installed_packages(["livekit-none"]) == {"livekit-none": None}


def test_without_a_lock_nothing_is_compared(tmp_path: Path) -> None:
    assert packages_in(tmp_path / "none.lock") == {}
