"""What is said of this machine: ports, certificates, the detector, sound devices, packages."""

import pytest

from agent.doctor.check import Name, State
from agent.doctor.machine import (
    Devices,
    Port,
    Taken,
    Unusable,
    audio,
    certificates,
    packages,
    port,
    vad_model,
)


@pytest.mark.parametrize(
    ("number", "found", "state", "words"),
    [
        (None, None, State.SKIPPED, "AGENT_HTTP_PORT is not set"),
        (0, None, State.OK, "any free port"),
        (8081, None, State.OK, "127.0.0.1:8081 is free"),
        (8081, Taken(None), State.FAULT, "another program listens"),
        (8081, Taken(2), State.WARNING, "a worker with 2 calls"),
        (81, Unusable.NOT_ALLOWED, State.FAULT, "above 1023"),
        (8081, Unusable.NO_SUCH_ADDRESS, State.FAULT, "AGENT_HTTP_HOST"),
    ],
)
def test_a_port_is_free_or_says_what_to_do(
    number: int | None, found: Port, state: State, words: str
) -> None:
    check = port(Name.HEALTH_PORT, "AGENT_HTTP_PORT", "127.0.0.1", number, found)
    assert check.state is state
    assert words in f"{check.seen} {check.mend}"


def test_certificates_that_cannot_be_read_are_a_fault() -> None:
    assert certificates(None).state is State.OK
    found = certificates("No such file")
    assert found.state is State.FAULT
    assert "SSL_CERT_FILE" in found.seen


def test_a_detector_that_cannot_be_loaded_is_a_fault() -> None:
    assert vad_model(None).state is State.OK
    assert vad_model("NoSuchFile: x").state is State.FAULT
    assert "NoSuchFile: x" in vad_model("NoSuchFile: x").seen


@pytest.mark.parametrize(
    ("devices", "state", "words"),
    [
        (None, State.WARNING, "PortAudio"),
        (Devices(None, None), State.WARNING, "no microphone and no speaker"),
        (Devices("mic", None), State.WARNING, "no speaker"),
        (Devices("mic", "box"), State.OK, "mic; box"),
    ],
)
def test_missing_sound_devices_cost_the_console_alone(
    devices: Devices | None, state: State, words: str
) -> None:
    found = audio(devices)
    assert found.state is state
    assert words in found.seen


@pytest.mark.parametrize(
    ("installed", "tested", "state", "words"),
    [
        ({}, {}, State.SKIPPED, "worker.lock"),
        ({"a": "1"}, {"a": "1"}, State.OK, "1 packages are those that were tested"),
        ({"a": "2", "b": "1"}, {"a": "1", "b": "1"}, State.WARNING, "a 2 (tested: 1)"),
        ({"a": None}, {"a": "1"}, State.WARNING, "a missing (tested: 1)"),
    ],
)
def test_other_versions_than_those_that_were_tested_are_a_warning(
    installed: dict[str, str | None], tested: dict[str, str], state: State, words: str
) -> None:
    found = packages(installed, tested)
    assert found.state is state
    assert words in found.seen
