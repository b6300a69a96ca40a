"""A check as a value: what was looked at, what was seen, what that affects, and what mends it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    """Calls work, perhaps not as the operator thinks."""
    FAULT = "fault"
    SKIPPED = "skipped"
    """It could not be looked at, or it does not apply."""


class Name(StrEnum):
    """What is looked at, in the order in which it is shown."""

    SETTINGS = "settings"
    CERTIFICATES = "certificates"
    LIVEKIT_ADDRESS = "livekit.address"
    LIVEKIT_KEY = "livekit.key"
    LIVEKIT_CLOCK = "livekit.clock"
    LIVEKIT_WORKER = "livekit.worker"
    LIVEKIT_MEDIA = "livekit.media"
    ASSEMBLYAI_ADDRESS = "assemblyai.address"
    ASSEMBLYAI_KEY = "assemblyai.key"
    ASSEMBLYAI_CLOCK = "assemblyai.clock"
    ASSEMBLYAI_FALLBACK = "assemblyai.fallback"
    OPENAI_LLM = "openai.llm"
    OPENAI_TTS = "openai.tts"
    OPENAI_FALLBACK = "openai.fallback"
    REDIS_ADDRESS = "redis.address"
    REDIS_VERSION = "redis.version"
    REDIS_MEMORY = "redis.memory"
    REDIS_CLOCK = "redis.clock"
    VAD_MODEL = "vad.model"
    HEALTH_PORT = "ports.health"
    METRICS_PORT = "ports.metrics"
    AUDIO_DEVICES = "audio.devices"
    PACKAGES = "packages"
    KUBERNETES_WORKER = "kubernetes.worker"
    KUBERNETES_SETTINGS = "kubernetes.settings"
    KUBERNETES_GRACE = "kubernetes.grace"
    KUBERNETES_CPU = "kubernetes.cpu"
    KUBERNETES_MEMORY = "kubernetes.memory"
    KUBERNETES_PROBES = "kubernetes.probes"
    KUBERNETES_UPDATE = "kubernetes.update"
    KUBERNETES_BUDGET = "kubernetes.budget"


AFFECTS: Mapping[Name, str] = MappingProxyType(
    {
        Name.SETTINGS: "whether the worker starts",
        Name.CERTIFICATES: "every connection with TLS",
        Name.LIVEKIT_ADDRESS: "every call: the worker cannot register",
        Name.LIVEKIT_KEY: "every call: the worker cannot register",
        Name.LIVEKIT_CLOCK: "every call: LiveKit refuses tokens from its past or future",
        Name.LIVEKIT_WORKER: "which worker answers a call",
        Name.LIVEKIT_MEDIA: "the sound of every call",
        Name.ASSEMBLYAI_ADDRESS: "hearing the caller",
        Name.ASSEMBLYAI_KEY: "hearing the caller",
        Name.ASSEMBLYAI_CLOCK: "times in the log and in records",
        Name.ASSEMBLYAI_FALLBACK: "hearing the caller while the first region is away",
        Name.OPENAI_LLM: "every answer",
        Name.OPENAI_TTS: "the agent's voice",
        Name.OPENAI_FALLBACK: "answers while the first provider is away",
        Name.REDIS_ADDRESS: "what several workers share; calls go on without it",
        Name.REDIS_VERSION: "what several workers share",
        Name.REDIS_MEMORY: "what several workers share, when Redis is full",
        Name.REDIS_CLOCK: "the budget of AssemblyAI's new sessions, which machines share",
        Name.VAD_MODEL: "interruptions: the agent's own voice detector",
        Name.HEALTH_PORT: "whether the worker starts",
        Name.METRICS_PORT: "whether the worker starts",
        Name.AUDIO_DEVICES: "`python agent.py console` by voice, and nothing else",
        Name.PACKAGES: "features that use LiveKit's private parts",
        Name.KUBERNETES_WORKER: "whether these checks looked at a worker",
        Name.KUBERNETES_SETTINGS: "whether pods start, and who can read a secret",
        Name.KUBERNETES_GRACE: "calls in progress when a pod is stopped",
        Name.KUBERNETES_CPU: "replies that come late once nodes are full",
        Name.KUBERNETES_MEMORY: "calls in progress: Kubernetes kills what exceeds its limit",
        Name.KUBERNETES_PROBES: "calls in progress, and how an update goes on",
        Name.KUBERNETES_UPDATE: "callers during an update",
        Name.KUBERNETES_BUDGET: "callers while nodes are emptied",
    }
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `mend` is empty where nothing is to be done."""

    name: Name
    state: State
    seen: str
    mend: str = ""

    @property
    def affects(self) -> str:
        """What does not work, or not well, while this is wrong."""
        return AFFECTS[self.name]


def ok(name: Name, seen: str) -> Check:
    return Check(name, State.OK, seen)


def warning(name: Name, seen: str, mend: str) -> Check:
    return Check(name, State.WARNING, seen, mend)


def fault(name: Name, seen: str, mend: str) -> Check:
    return Check(name, State.FAULT, seen, mend)


def skipped(name: Name, why: str, mend: str = "") -> Check:
    return Check(name, State.SKIPPED, why, mend)


def exit_code(checks: Iterable[Check]) -> int:
    """1 if anything is at fault, else 0: warnings do not keep the worker from its calls."""
    return int(any(check.state is State.FAULT for check in checks))
