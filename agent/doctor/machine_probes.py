"""Looks at this machine: certificates, ports, the detector, sound devices, installed packages."""

import errno
import re
import socket
from importlib import metadata
from pathlib import Path

from livekit.plugins import silero

from agent.doctor.answers import Answer
from agent.doctor.machine import Devices, Port, Taken, Unusable
from agent.doctor.probes import ask
from agent.livekit_private import certificates
from config.values import ROOT

LOCK = ROOT / "requirements" / "worker.lock"
LONGEST_REASON = 120

_PINNED = re.compile(r"^(livekit[a-z-]*)==(\S+)", re.MULTILINE)
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def certificates_problem() -> str | None:
    """Why the certificates cannot be read; None if they can."""
    try:
        certificates()
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


async def look_at_port(host: str, number: int | None) -> Port:
    """Whether the worker could listen there; of a port in use, whether a worker has it."""
    if not number:
        return None
    try:
        family, *_, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return Taken(await _calls_of_worker(host, number))
        not_allowed = error.errno in (errno.EACCES, errno.EPERM)
        return Unusable.NOT_ALLOWED if not_allowed else Unusable.NO_SUCH_ADDRESS
    return None


async def _calls_of_worker(host: str, number: int) -> int | None:
    """How many calls the worker on this port has; None if no worker of LiveKit's answers."""
    host = _EVERY_ADDRESS.get(host, host)
    answer = await ask(f"http://{f'[{host}]' if ':' in host else host}:{number}/worker", {})
    document = answer.json if isinstance(answer, Answer) else None
    if not isinstance(document, dict) or "sdk_version" not in document:
        return None
    return int(document.get("active_jobs", 0))


def vad_problem() -> str | None:
    """Why the voice detector cannot be loaded; None if it can."""
    try:
        silero.VAD.load()
    except Exception as error:  # from the engine, which has errors of its own
        return " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST_REASON]
    return None


def devices() -> Devices | None:
    """The default microphone and speaker; None without PortAudio."""
    try:
        import sounddevice  # opens PortAudio
    except (OSError, ImportError):
        return None
    names: list[str | None] = []
    for kind in ("input", "output"):
        try:
            names.append(str(sounddevice.query_devices(kind=kind)["name"]))
        except (ValueError, sounddevice.PortAudioError):
            names.append(None)
    return Devices(*names)


def packages_in(lock: Path) -> dict[str, str]:
    """The versions of LiveKit's packages in the lock; none where there is no lock."""
    try:
        return dict(_PINNED.findall(lock.read_text("utf-8")))
    except OSError:
        return {}


def installed_packages(names: list[str]) -> dict[str, str | None]:
    """The installed versions of these packages; None for one that is missing."""
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
