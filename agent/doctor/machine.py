"""Judges this machine: certificates, ports, the detector's model, sound devices, packages."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from agent.doctor.check import Check, Name, fault, ok, skipped, warning


@dataclass(frozen=True, slots=True)
class Taken:
    """A port in use; `worker_calls` is how many calls the worker there has, None for a stranger."""

    worker_calls: int | None


class Unusable(Enum):
    """Why a free port cannot be listened on."""

    NOT_ALLOWED = auto()
    NO_SUCH_ADDRESS = auto()


Port = Taken | Unusable | None
"""None: it is free."""


@dataclass(frozen=True, slots=True)
class Devices:
    """The sound devices by name; None where there is none."""

    microphone: str | None
    speaker: str | None


def certificates(problem: str | None) -> Check:
    """`problem` is why they cannot be read, in the system's words."""
    if problem is None:
        return ok(Name.CERTIFICATES, "they can be read")
    return fault(
        Name.CERTIFICATES,
        f"the certificates that SSL_CERT_FILE or SSL_CERT_DIR name cannot be read ({problem})",
        "correct the variable, or unset it",
    )


def port(name: Name, setting: str, host: str, number: int | None, found: Port) -> Check:
    """Whether the worker can listen on a port; `number` None: it serves no such page."""
    if number is None:
        return skipped(name, f"{setting} is not set")
    if number == 0:
        return ok(name, "any free port is taken")
    match found:
        case None:
            return ok(name, f"{host}:{number} is free")
        case Taken(None):
            return fault(
                name,
                f"another program listens on {host}:{number}",
                f"stop it, or choose another port with {setting} (0: any free one)",
            )
        case Taken(calls):
            return warning(
                name,
                f"a worker with {calls} calls listens on {host}:{number}",
                f"nothing, if it is this one; a second worker on this machine needs another "
                f"{setting}",
            )
        case Unusable.NOT_ALLOWED:
            return fault(
                name,
                f"this user may not listen on {host}:{number}",
                f"choose a port above 1023 with {setting}",
            )
        case _:
            return fault(
                name,
                f"{host} is no address of this machine",
                "set AGENT_HTTP_HOST to 127.0.0.1, or to 0.0.0.0 for all addresses",
            )


def vad_model(problem: str | None) -> Check:
    """`problem` is why the detector cannot be loaded, in the library's words."""
    if problem is None:
        return ok(Name.VAD_MODEL, "Silero's model can be loaded")
    return fault(
        Name.VAD_MODEL,
        f"Silero's model cannot be loaded ({problem})",
        "install the packages again: `pip install --force-reinstall --no-deps "
        "livekit-plugins-silero onnxruntime`, at the versions in requirements/worker.lock",
    )


def audio(devices: Devices | None) -> Check:
    """`devices` None: there is no PortAudio."""
    if devices is None:
        return warning(
            Name.AUDIO_DEVICES,
            "there is no PortAudio on this machine",
            "for `console` by voice: `apt-get install libportaudio2` or `brew install portaudio`",
        )
    missing = [
        kind
        for kind, name in (("microphone", devices.microphone), ("speaker", devices.speaker))
        if name is None
    ]
    if missing:
        return warning(
            Name.AUDIO_DEVICES,
            f"this machine has no {' and no '.join(missing)}",
            "for `console` by voice: connect one; `console --text` needs none",
        )
    return ok(Name.AUDIO_DEVICES, f"{devices.microphone}; {devices.speaker}")


def packages(installed: Mapping[str, str | None], tested: Mapping[str, str]) -> Check:
    """The packages of LiveKit's that are installed, beside those that the tests ran with."""
    name = Name.PACKAGES
    if not tested:
        return skipped(name, "requirements/worker.lock is not here (the image is built from it)")
    others = [
        f"{package} {installed.get(package) or 'missing'} (tested: {version})"
        for package, version in tested.items()
        if installed.get(package) != version
    ]
    if not others:
        return ok(name, f"LiveKit's {len(tested)} packages are those that were tested")
    return warning(
        name,
        ", ".join(others),
        "`pip install --require-hashes -r requirements/worker.lock`, or run `make test` with these",
    )
